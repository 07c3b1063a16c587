#include "jpeg.hpp"

#include <cstddef>
#include <cstdio>
// jpeglib.h wants the two above, and jerror.h numbers its messages by what jpeglib.h has defined.
#include <jpeglib.h>
// Apart, so that no formatter sorts it before.
#include <jerror.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <gridward/shared/limits.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

namespace gridward::vision {
namespace {

// A progressive file may repeat scans over the whole picture at a few bytes each. Cameras write about ten.
constexpr int kMaxScans = 100;
constexpr long kMaxMemory = 448L * 1024 * 1024;  // a progressive 4:4:4 photo of 64 MP keeps 366 MiB of coefficients
constexpr int kNoData = 128;
constexpr int kMcuSide = 16;
constexpr int kMaxRows = 4 * DCTSIZE;  // of one component in one row of MCUs

// libjpeg leaves by longjmp: between setjmp and any of its calls no frame may own anything. All that is owned is in
// the objects below, outside of those frames.
struct Failure {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> text{};
  ErrorCode code = ErrorCode::media_undecodable;
  bool damaged = false;
  bool nothing = false;  // the data ended in the first row
};

Failure& failure_of(j_common_ptr info) { return *reinterpret_cast<Failure*>(info->err); }

[[noreturn]] void on_error(j_common_ptr info) {
  Failure& failure = failure_of(info);
  if (failure.manager.msg_code == JERR_OUT_OF_MEMORY || failure.manager.msg_code == JERR_NO_BACKING_STORE) {
    failure.code = ErrorCode::media_limits;
  }
  failure.manager.format_message(info, failure.text.data());
  std::longjmp(failure.back, 1);
}

[[noreturn]] void stop_with(j_common_ptr info, ErrorCode code, const char* why) {
  Failure& failure = failure_of(info);
  failure.code = code;
  std::snprintf(failure.text.data(), failure.text.size(), "%s", why);
  std::longjmp(failure.back, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0 || info->is_decompressor == FALSE) return;
  Failure& failure = failure_of(info);
  const auto* decoder = reinterpret_cast<const jpeg_decompress_struct*>(info);
  switch (failure.manager.msg_code) {
    // The end of the file alone (JWRN_JPEG_EOF) tells nothing: the decoder reads ahead. This one lacks bits.
    case JWRN_HIT_MARKER:
      if (decoder->unread_marker == JPEG_EOI && decoder->input_scan_number <= 1 && decoder->input_iMCU_row == 0) {
        failure.nothing = true;
      }
      failure.damaged = true;
      return;
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      failure.damaged = true;
      return;
    default:
      return;
  }
}

void prepare(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
  failure.manager.output_message = [](j_common_ptr) {};
}

Error error_of(const Failure& failure) { return {failure.code, "photo", "JPEG: " + std::string(failure.text.data())}; }

class Decoder {
 public:
  Decoder(ByteView file, std::uint32_t side) : file_(file), side_(side) {
    prepare(failure_);
    info_.err = &failure_.manager;
    progress_.progress_monitor = [](j_common_ptr info) {
      if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) {
        stop_with(info, ErrorCode::media_limits, "too many scans");
      }
    };
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Result<Decoded> run() {
    if (setjmp(failure_.back) != 0) return tl::unexpected(error_of(failure_));
    read();
    if (failure_.nothing) return fail(ErrorCode::media_undecodable, "photo", "JPEG: ends before its picture");
    Decoded out;
    out.planes = mixed_.empty() ? Planes{crop(0), crop(1), crop(2)} : to_planes(mixed_);
    out.damaged = failure_.damaged;
    return out;
  }

 private:
  void read() {
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    info_.mem->max_memory_to_use = kMaxMemory;
    jpeg_mem_src(&info_, file_.data(), file_.size());
    jpeg_read_header(&info_, TRUE);
    check_dimensions();
    info_.scale_denom = 8;
    info_.scale_num = 1;
    const JDIMENSION longer = std::max(info_.image_width, info_.image_height);
    while (info_.scale_num < 8 && (std::uint64_t{longer} * info_.scale_num + 7) / 8 < side_) info_.scale_num *= 2;
    info_.dct_method = JDCT_ISLOW;
    switch (info_.jpeg_color_space) {
      case JCS_GRAYSCALE:
      case JCS_YCbCr:
        read_planes();
        break;
      case JCS_RGB:
        read_rows(JCS_EXT_BGR, 3);
        break;
      case JCS_CMYK:
      case JCS_YCCK:
        read_rows(JCS_CMYK, 4);
        break;
      default:
        stop_with(common(), ErrorCode::media_undecodable, "unknown colour space");
    }
    find_what_is_missing();
  }

  // The header parser read the same numbers, or should have; memory is asked for by these.
  void check_dimensions() {
    const std::uint64_t pixels = std::uint64_t{info_.image_width} * info_.image_height;
    if (info_.image_width > limits::kPhotoSide || info_.image_height > limits::kPhotoSide ||
        pixels > limits::kPhotoPixels) {
      stop_with(common(), ErrorCode::media_dimensions, "dimensions over the limit");
    }
  }

  // Takes the planes as the file has them: no colour conversion, and no enlarging of chroma that the preview halves
  // again.
  void read_planes() {
    info_.raw_data_out = TRUE;
    jpeg_start_decompress(&info_);
    if (info_.num_components != 1 && info_.num_components != 3) {
      stop_with(common(), ErrorCode::media_undecodable, "unknown number of components");
    }
    std::array<JSAMPARRAY, 3> arrays{};
    for (int c = 0; c < info_.num_components; ++c) {
      const jpeg_component_info& component = info_.comp_info[c];
      const auto at = static_cast<std::size_t>(c);
      padded_[at].create(static_cast<int>(info_.total_iMCU_rows) * component.v_samp_factor * component.DCT_scaled_size,
                         static_cast<int>(component.width_in_blocks) * component.DCT_scaled_size, CV_8UC1);
      padded_[at].setTo(kNoData);  // never what another photo left in this memory
      arrays[at] = rows_[at].data();
    }
    for (JDIMENSION mcu_row = 0; mcu_row < info_.total_iMCU_rows; ++mcu_row) {
      for (int c = 0; c < info_.num_components; ++c) {
        const jpeg_component_info& component = info_.comp_info[c];
        const auto at = static_cast<std::size_t>(c);
        const int height = component.v_samp_factor * component.DCT_scaled_size;
        for (int i = 0; i < height; ++i) {
          rows_[at][static_cast<std::size_t>(i)] = padded_[at].ptr(static_cast<int>(mcu_row) * height + i);
        }
      }
      jpeg_read_raw_data(&info_, arrays.data(),
                         static_cast<JDIMENSION>(info_.max_v_samp_factor * info_.min_DCT_scaled_size));
    }
  }

  void read_rows(J_COLOR_SPACE space, int channels) {
    info_.out_color_space = space;
    jpeg_start_decompress(&info_);
    pixels_.create(static_cast<int>(info_.output_height), static_cast<int>(info_.output_width), CV_8UC(channels));
    pixels_.setTo(cv::Scalar::all(kNoData));
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels_.ptr(static_cast<int>(info_.output_scanline));
      jpeg_read_scanlines(&info_, &row, 1);
    }
    if (channels == 4) {
      from_inks();
    } else {
      mixed_ = pixels_;
    }
  }

  // Adobe's programs store how much ink is left out, everybody else how much is put on.
  void from_inks() {
    const unsigned flip = info_.saw_Adobe_marker != FALSE ? 0U : 255U;
    mixed_.create(pixels_.size(), CV_8UC3);
    for (int y = 0; y < pixels_.rows; ++y) {
      const auto* from = pixels_.ptr<cv::Vec4b>(y);
      auto* to = mixed_.ptr<cv::Vec3b>(y);
      for (int x = 0; x < pixels_.cols; ++x) {
        const unsigned key = from[x][3] ^ flip;
        for (int c = 0; c < 3; ++c) to[x][2 - c] = static_cast<std::uint8_t>((from[x][c] ^ flip) * key / 255U);
      }
    }
  }

  // Scans that never came give no warning.
  void find_what_is_missing() {
    for (int c = 0; c < info_.num_components; ++c) {
      if (info_.comp_info[c].quant_table == nullptr) {
        failure_.damaged = true;
        if (c == 0) failure_.nothing = true;
      }
      if (info_.progressive_mode != FALSE && info_.coef_bits != nullptr) {
        const int* bits = info_.coef_bits[c];
        if (std::any_of(bits, bits + DCTSIZE2, [](int b) { return b != 0; })) failure_.damaged = true;
      }
    }
  }

  cv::Mat crop(int c) const {
    if (c >= info_.num_components) return {};
    const jpeg_component_info& component = info_.comp_info[c];
    const cv::Rect all(0, 0, static_cast<int>(component.downsampled_width),
                       static_cast<int>(component.downsampled_height));
    return padded_[static_cast<std::size_t>(c)](all);
  }

  j_common_ptr common() { return reinterpret_cast<j_common_ptr>(&info_); }

  ByteView file_;
  std::uint32_t side_;
  Failure failure_;
  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_{};
  std::array<cv::Mat, 3> padded_;
  std::array<std::array<JSAMPROW, kMaxRows>, 3> rows_{};
  cv::Mat pixels_;
  cv::Mat mixed_;  // BGR
};

int round_up(int value, int step) { return (value + step - 1) / step * step; }

class Encoder {
 public:
  Encoder(const Planes& planes, int quality) : size_(planes.luma.size()), quality_(quality) {
    const cv::Size whole(round_up(size_.width, kMcuSide), round_up(size_.height, kMcuSide));
    padded_[0] = pad(planes.luma, whole);
    if (!planes.grey()) {
      padded_[1] = pad(planes.blue, whole / 2);
      padded_[2] = pad(planes.red, whole / 2);
    }
    prepare(failure_);
    info_.err = &failure_.manager;
  }
  ~Encoder() {
    jpeg_destroy_compress(&info_);
    std::free(data_);  // libjpeg's malloc
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  Result<Bytes> run() {
    if (setjmp(failure_.back) != 0) {
      failure_.code = ErrorCode::media_limits;
      return tl::unexpected(error_of(failure_));
    }
    write();
    return Bytes(data_, data_ + length_);
  }

 private:
  static cv::Mat pad(const cv::Mat& plane, cv::Size size) {
    cv::Mat out;
    cv::copyMakeBorder(plane, out, 0, size.height - plane.rows, 0, size.width - plane.cols, cv::BORDER_REPLICATE);
    return out;
  }

  void write() {
    const bool grey = padded_[1].empty();
    const int components = grey ? 1 : 3;
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &data_, &length_);
    info_.image_width = static_cast<JDIMENSION>(size_.width);
    info_.image_height = static_cast<JDIMENSION>(size_.height);
    info_.input_components = components;
    info_.in_color_space = grey ? JCS_GRAYSCALE : JCS_YCbCr;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality_, TRUE);
    info_.raw_data_in = TRUE;
    jpeg_start_compress(&info_, TRUE);
    std::array<std::array<JSAMPROW, kMcuSide>, 3> rows{};
    std::array<JSAMPARRAY, 3> arrays{rows[0].data(), rows[1].data(), rows[2].data()};
    const int step = grey ? DCTSIZE : kMcuSide;
    for (int y = 0; y < size_.height; y += step) {
      for (int c = 0; c < components; ++c) {
        const auto at = static_cast<std::size_t>(c);
        const int height = c == 0 ? step : step / 2;
        const int first = c == 0 ? y : y / 2;
        for (int i = 0; i < height; ++i) rows[at][static_cast<std::size_t>(i)] = padded_[at].ptr(first + i);
      }
      jpeg_write_raw_data(&info_, arrays.data(), static_cast<JDIMENSION>(step));
    }
    jpeg_finish_compress(&info_);
  }

  cv::Size size_;
  int quality_;
  Failure failure_;
  jpeg_compress_struct info_{};
  std::array<cv::Mat, 3> padded_;
  unsigned char* data_ = nullptr;
  unsigned long length_ = 0;
};

}  // namespace

Result<Decoded> decode_jpeg(ByteView file, std::uint32_t side) { return Decoder(file, side).run(); }

Result<Bytes> encode_jpeg(const Planes& planes, int quality) { return Encoder(planes, quality).run(); }

}  // namespace gridward::vision
