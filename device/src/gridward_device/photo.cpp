#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <gridward_device/photo.hpp>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

// After <cstdio>.
#include <jpeglib.h>

namespace gridward::device {
namespace {

// A file in several scans (progressive) is put together in memory. Cameras write none; small ones are still taken.
constexpr std::size_t kMostCoefficients = 8U << 20;  // bytes
constexpr std::size_t kMostProfile = 64U << 10;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

File open_again(int fd, const char* mode) {
  const int copy = ::dup(fd);
  File file(copy < 0 ? nullptr : ::fdopen(copy, mode));
  if (!file && copy >= 0) ::close(copy);
  return file;
}

struct Segment {
  int marker = 0;
  std::vector<std::uint8_t> data;
};

// What is carried over: Exif, and the colour profile if it is of usual size. The rest (previews, depth maps, further
// pictures) is of the file as it was.
std::vector<Segment> segments_of(std::FILE* file) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  constexpr std::string_view kProfile("ICC_PROFILE\0", 12);
  std::vector<Segment> segments;
  bool exif = false;
  std::size_t profile = 0;
  if (std::fseek(file, 2, SEEK_SET) != 0) return segments;
  for (;;) {
    if (std::fgetc(file) != 0xFF) break;
    int marker = 0xFF;
    while (marker == 0xFF) marker = std::fgetc(file);
    const int high = std::fgetc(file);
    const int low = std::fgetc(file);
    if (marker == EOF || marker == 0xDA || marker == 0xD9 || low == EOF) break;  // the picture begins, or nothing comes
    const auto length = static_cast<std::size_t>(high * 256 + low);
    if (length < 2) break;
    if (marker != JPEG_APP0 + 1 && marker != JPEG_APP0 + 2) {
      if (std::fseek(file, static_cast<long>(length - 2), SEEK_CUR) != 0) break;
      continue;
    }
    Segment segment{marker, std::vector<std::uint8_t>(length - 2)};
    if (std::fread(segment.data.data(), 1, segment.data.size(), file) != segment.data.size()) break;
    const std::string_view text(reinterpret_cast<const char*>(segment.data.data()), segment.data.size());
    if (marker == JPEG_APP0 + 1 && text.starts_with(kExif)) {
      if (!std::exchange(exif, true)) segments.push_back(std::move(segment));
    } else if (marker == JPEG_APP0 + 2 && text.starts_with(kProfile)) {
      profile += text.size();
      if (profile <= kMostProfile) segments.push_back(std::move(segment));
    }
  }
  // A part of a profile is none.
  if (profile > kMostProfile) std::erase_if(segments, [](const Segment& s) { return s.marker == JPEG_APP0 + 2; });
  return segments;
}

// libjpeg leaves by longjmp: between setjmp and any of its calls no frame may own anything. All that is owned is in
// these objects.
struct Failure {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
};

void prepare(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = [](j_common_ptr info) {
    std::longjmp(reinterpret_cast<Failure*>(info->err)->back, 1);  // the manager is its first member
  };
  failure.manager.output_message = [](j_common_ptr) {};
}

class Reducer {
 public:
  Reducer(std::FILE* in, std::FILE* out, const PhotoLimit& limit)
      : in_(in), out_(out), limit_(limit), segments_(segments_of(in)) {
    prepare(failure_);
    decoder_.err = &failure_.manager;
    encoder_.err = &failure_.manager;
  }
  ~Reducer() {
    jpeg_destroy_decompress(&decoder_);
    jpeg_destroy_compress(&encoder_);
  }
  Reducer(const Reducer&) = delete;
  Reducer& operator=(const Reducer&) = delete;

  bool run() {
    if (setjmp(failure_.back) != 0) return false;  // NOLINT(cert-err52-cpp)
    return open() && convert();
  }

 private:
  bool open() {
    if (std::fseek(in_, 0, SEEK_SET) != 0) return false;
    jpeg_create_decompress(&decoder_);
    jpeg_stdio_src(&decoder_, in_);
    jpeg_read_header(&decoder_, TRUE);
    const std::uint64_t longest = std::max(decoder_.image_width, decoder_.image_height);
    if (longest <= limit_.px) return false;
    if (jpeg_has_multiple_scans(&decoder_) != FALSE) {
      std::size_t bytes = 0;
      for (int i = 0; i < decoder_.num_components; ++i) {
        const auto& component = decoder_.comp_info[i];
        bytes += std::size_t{component.width_in_blocks} * component.height_in_blocks * sizeof(JBLOCK);
      }
      if (bytes > kMostCoefficients) return false;
    }
    if (decoder_.jpeg_color_space == JCS_GRAYSCALE) {
      decoder_.out_color_space = JCS_GRAYSCALE;
    } else if (decoder_.jpeg_color_space == JCS_YCbCr) {
      decoder_.out_color_space = JCS_YCbCr;  // spares the way to RGB and back
    } else if (decoder_.jpeg_color_space != JCS_RGB) {
      return false;  // of a printing press
    }
    // The decoder leaves out what is not needed, in eighths; the rest is averaged.
    decoder_.scale_denom = 8;
    decoder_.scale_num = static_cast<unsigned>((std::uint64_t{limit_.px} * 8 + longest - 1) / longest);
    const auto side = [&](std::uint64_t given) {
      return static_cast<JDIMENSION>(std::max<std::uint64_t>(1, (given * limit_.px + longest / 2) / longest));
    };
    width_ = side(decoder_.image_width);
    height_ = side(decoder_.image_height);
    return true;
  }

  bool convert() {
    jpeg_start_decompress(&decoder_);
    components_ = static_cast<unsigned>(decoder_.output_components);
    row_.resize(std::size_t{decoder_.output_width} * components_);
    narrow_.resize(std::size_t{width_} * components_);
    sums_.assign(narrow_.size(), 0);
    result_.resize(narrow_.size());

    jpeg_create_compress(&encoder_);
    jpeg_stdio_dest(&encoder_, out_);
    encoder_.image_width = width_;
    encoder_.image_height = height_;
    encoder_.input_components = decoder_.output_components;
    encoder_.in_color_space = decoder_.out_color_space;
    jpeg_set_defaults(&encoder_);
    jpeg_set_quality(&encoder_, limit_.quality, TRUE);
    jpeg_start_compress(&encoder_, TRUE);
    for (const auto& segment : segments_) {
      jpeg_write_marker(&encoder_, segment.marker, segment.data.data(), static_cast<unsigned>(segment.data.size()));
    }

    std::uint32_t left = decoder_.output_height;  // of the target row, in parts: a source row has height_ of them
    while (decoder_.output_scanline < decoder_.output_height) {
      JSAMPROW row = row_.data();
      jpeg_read_scanlines(&decoder_, &row, 1);
      make_narrow();
      for (std::uint32_t have = height_; have > 0;) {
        const auto part = std::min(have, left);
        for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += part * narrow_[i];
        have -= part;
        left -= part;
        if (left == 0) {
          write_row();
          left = decoder_.output_height;
        }
      }
    }
    jpeg_finish_decompress(&decoder_);
    jpeg_finish_compress(&encoder_);
    return failure_.manager.num_warnings == 0;  // a damaged photo is looked at by people, as it is
  }

  // The row across, averaged, in 1/256. No sum overflows: a side is at most 65,500.
  void make_narrow() {
    const std::uint32_t wide = decoder_.output_width;
    std::array<std::uint32_t, 3> sum{};
    std::uint32_t left = wide;
    std::size_t at = 0;
    for (std::uint32_t x = 0; x < wide; ++x) {
      const JSAMPLE* pixel = &row_[std::size_t{x} * components_];
      for (std::uint32_t have = width_; have > 0;) {
        const auto part = std::min(have, left);
        for (unsigned c = 0; c < components_; ++c) sum[c] += part * pixel[c];
        have -= part;
        left -= part;
        if (left > 0) continue;
        for (unsigned c = 0; c < components_; ++c) narrow_[at++] = (sum[c] * 256 + wide / 2) / wide;
        sum = {};
        left = wide;
      }
    }
  }

  void write_row() {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      result_[i] = static_cast<JSAMPLE>((sums_[i] / decoder_.output_height + 128) >> 8);
    }
    std::fill(sums_.begin(), sums_.end(), 0);
    JSAMPROW row = result_.data();
    jpeg_write_scanlines(&encoder_, &row, 1);
  }

  std::FILE* in_;
  std::FILE* out_;
  PhotoLimit limit_;
  std::vector<Segment> segments_;
  Failure failure_;
  jpeg_decompress_struct decoder_{};
  jpeg_compress_struct encoder_{};
  JDIMENSION width_ = 0;
  JDIMENSION height_ = 0;
  unsigned components_ = 0;
  std::vector<JSAMPLE> row_;
  std::vector<std::uint32_t> narrow_;
  std::vector<std::uint32_t> sums_;
  std::vector<JSAMPLE> result_;
};

}  // namespace

bool reduce_photo(int in, int out, const PhotoLimit& limit) {
  if (limit.px == 0) return false;
  const File source = open_again(in, "rb");
  const File target = open_again(out, "wb");
  if (!source || !target) return false;
  if (!Reducer(source.get(), target.get(), limit).run() || std::fflush(target.get()) != 0) return false;
  struct stat before{};
  struct stat after{};
  return ::fstat(in, &before) == 0 && ::fstat(out, &after) == 0 && after.st_size < before.st_size;
}

}  // namespace gridward::device
