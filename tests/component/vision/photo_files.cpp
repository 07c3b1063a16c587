#include "photo_files.hpp"

#include <cstdio>
#include <gridward/test/paths.hpp>
// jpeglib.h wants it.
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>
#include <gridward/test/drawn_photo.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

namespace gridward::vision::testing {
namespace {

void put(Bytes& to, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_little(Bytes& to, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put(Bytes& to, std::string_view text) { to.insert(to.end(), text.begin(), text.end()); }

std::uint32_t crc32(ByteView bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

void put_chunk(Bytes& to, std::string_view type, const Bytes& body) {
  put(to, body.size(), 4);
  const std::size_t start = to.size();
  put(to, type);
  to.insert(to.end(), body.begin(), body.end());
  put(to, crc32(ByteView(to).subspan(start)), 4);
}

[[noreturn]] void throw_error(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  throw std::runtime_error(text);
}

}  // namespace

Bytes make_jpeg(const cv::Mat& bgr, const JpegStyle& style) {
  using Colour = JpegStyle::Colour;
  cv::Mat pixels;
  J_COLOR_SPACE in = JCS_RGB;
  J_COLOR_SPACE stored = JCS_YCbCr;
  switch (style.colour) {
    case Colour::ycbcr:
      cv::cvtColor(bgr, pixels, cv::COLOR_BGR2RGB);
      break;
    case Colour::rgb:
      cv::cvtColor(bgr, pixels, cv::COLOR_BGR2RGB);
      stored = JCS_RGB;
      break;
    case Colour::grey:
      cv::cvtColor(bgr, pixels, cv::COLOR_BGR2GRAY);
      in = stored = JCS_GRAYSCALE;
      break;
    case Colour::cmyk: {  // with Adobe's marker the values are inverted, so no black ink is 255
      std::vector<cv::Mat> planes;
      cv::split(bgr, planes);
      std::swap(planes[0], planes[2]);
      planes.emplace_back(bgr.size(), CV_8UC1, cv::Scalar(255));
      cv::merge(planes, pixels);
      in = stored = JCS_CMYK;
      break;
    }
  }
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  errors.error_exit = throw_error;
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long length = 0;
  jpeg_mem_dest(&info, &data, &length);
  info.image_width = static_cast<JDIMENSION>(pixels.cols);
  info.image_height = static_cast<JDIMENSION>(pixels.rows);
  info.input_components = pixels.channels();
  info.in_color_space = in;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, stored);
  jpeg_set_quality(&info, style.quality, TRUE);
  if (stored == JCS_YCbCr) {
    info.comp_info[0].h_samp_factor = style.luma_across;
    info.comp_info[0].v_samp_factor = style.luma_down;
  }
  info.arith_code = style.arithmetic ? TRUE : FALSE;
  info.restart_in_rows = style.restart_rows;
  std::vector<jpeg_scan_info> scans;
  if (style.scan_for_each_coefficient) {
    jpeg_scan_info dc{info.num_components, {0, 1, 2, 3}, 0, 0, 0, 0};
    scans.push_back(dc);
    for (int component = 0; component < info.num_components; ++component) {
      for (int k = 1; k < DCTSIZE2; ++k) scans.push_back({1, {component, 0, 0, 0}, k, k, 0, 0});
    }
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  } else if (style.progressive) {
    jpeg_simple_progression(&info);
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = pixels.ptr(static_cast<int>(info.next_scanline));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  Bytes out(data, data + length);
  std::free(data);
  jpeg_destroy_compress(&info);
  return out;
}

Bytes make_with_opencv(const char* extension, const cv::Mat& picture) {
  Bytes out;
  if (!cv::imencode(extension, picture, out)) throw std::runtime_error("imencode");
  return out;
}

Bytes make_black_png(cv::Size real, std::uint32_t claimed_width, std::uint32_t claimed_height) {
  constexpr std::ptrdiff_t kHeaderBody = 16;
  constexpr std::ptrdiff_t kHeaderEnd = 33;
  Bytes png;
  if (!cv::imencode(".png", cv::Mat::zeros(real, CV_8UC1), png,
                    {cv::IMWRITE_PNG_BILEVEL, 1, cv::IMWRITE_PNG_COMPRESSION, 9})) {
    throw std::runtime_error("imencode");
  }
  Bytes body;
  put(body, claimed_width, 4);
  put(body, claimed_height, 4);
  body.insert(body.end(), png.begin() + kHeaderBody + 8, png.begin() + kHeaderEnd - 4);
  Bytes out(png.begin(), png.begin() + 8);
  put_chunk(out, "IHDR", body);
  out.insert(out.end(), png.begin() + kHeaderEnd, png.end());
  return out;
}

Bytes make_exif(std::uint8_t orientation) {
  Bytes out;
  put(out, std::string_view("MM\0*", 4));
  put(out, 8, 4);
  put(out, 2, 2);
  put(out, 0x0112000300000001, 8);  // orientation, SHORT, one value
  put(out, orientation, 2);
  put(out, 0, 2);
  put(out, 0x8825000400000001, 8);  // GPS directory
  put(out, 38, 4);
  put(out, 0, 4);
  put(out, 1, 2);
  put(out, 0x0001000200000002, 8);  // latitude reference
  put(out, std::string_view("N\0\0\0", 4));
  put(out, 0, 4);
  put(out, "position 39.0851N 117.7049E");
  return out;
}

Bytes with_exif_jpeg(const Bytes& jpeg, std::uint8_t orientation) {
  const Bytes exif = make_exif(orientation);
  Bytes out(jpeg.begin(), jpeg.begin() + 2);
  put(out, 0xFFE1, 2);
  put(out, exif.size() + 8, 2);
  put(out, std::string_view("Exif\0\0", 6));
  out.insert(out.end(), exif.begin(), exif.end());
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

Bytes with_exif_png(const Bytes& png, std::uint8_t orientation) {
  constexpr std::ptrdiff_t kAfterHeader = 33;
  Bytes out(png.begin(), png.begin() + kAfterHeader);
  put_chunk(out, "eXIf", make_exif(orientation));
  out.insert(out.end(), png.begin() + kAfterHeader, png.end());
  return out;
}

Bytes with_exif_webp(const Bytes& webp, std::uint8_t orientation, cv::Size size) {
  Bytes exif = make_exif(orientation);
  if (exif.size() % 2 != 0) exif.push_back(0);
  Bytes body;
  put(body, "WEBPVP8X");
  put_little(body, 10, 4);
  put_little(body, 0x08, 4);  // EXIF follows
  put_little(body, static_cast<std::uint64_t>(size.width) - 1, 3);
  put_little(body, static_cast<std::uint64_t>(size.height) - 1, 3);
  body.insert(body.end(), webp.begin() + 12, webp.end());
  put(body, "EXIF");
  put_little(body, exif.size(), 4);
  body.insert(body.end(), exif.begin(), exif.end());
  Bytes out;
  put(out, "RIFF");
  put_little(out, body.size(), 4);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

// Written as the standard says where row 0 and column 0 of the stored picture belong, not as the worker turns.
cv::Mat stored_as(const cv::Mat& picture, std::uint8_t orientation) {
  const int w = picture.cols;
  const int h = picture.rows;
  const bool swapped = orientation >= 5;
  cv::Mat out(swapped ? w : h, swapped ? h : w, picture.type());
  for (int row = 0; row < out.rows; ++row) {
    for (int column = 0; column < out.cols; ++column) {
      int x = 0;
      int y = 0;
      switch (orientation) {
        case 1:
          y = row, x = column;
          break;  // row 0 top, column 0 left
        case 2:
          y = row, x = w - 1 - column;
          break;  // top, right
        case 3:
          y = h - 1 - row, x = w - 1 - column;
          break;  // bottom, right
        case 4:
          y = h - 1 - row, x = column;
          break;  // bottom, left
        case 5:
          x = row, y = column;
          break;  // row 0 left, column 0 top
        case 6:
          x = w - 1 - row, y = column;
          break;  // right, top
        case 7:
          x = w - 1 - row, y = h - 1 - column;
          break;  // right, bottom
        case 8:
          x = row, y = h - 1 - column;
          break;  // left, bottom
        default:
          throw std::logic_error("orientation");
      }
      out.at<cv::Vec3b>(row, column) = picture.at<cv::Vec3b>(y, x);
    }
  }
  return out;
}

std::vector<std::uint8_t> markers_of(const std::string& jpeg) {
  std::vector<std::uint8_t> markers;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(jpeg.at(at)); };
  std::size_t at = 2;
  while (true) {
    if (byte(at) != 0xFF) throw std::runtime_error("no marker where one should be");
    markers.push_back(byte(at + 1));
    if (markers.back() == 0xDA) return markers;
    at += 2U + (std::size_t{byte(at + 2)} << 8U) + byte(at + 3);
  }
}

double difference(const cv::Mat& a, const cv::Mat& b) {
  if (a.empty() || b.empty() || a.size() != b.size()) return 255;
  const auto small = [](const cv::Mat& picture) {
    cv::Mat luma = picture;
    if (picture.channels() == 3) cv::cvtColor(picture, luma, cv::COLOR_BGR2GRAY);
    cv::Mat out;
    cv::resize(luma, out, {64, std::max(1, 64 * luma.rows / luma.cols)}, 0, 0, cv::INTER_AREA);
    return out;
  };
  cv::Mat apart;
  cv::absdiff(small(a), small(b), apart);
  return cv::mean(apart)[0];
}

std::filesystem::path WorkerTest::write(const Bytes& bytes, const std::string& name) {
  const auto path = dir_ / name;
  test::write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return path;
}

Result<DerivedPhoto> WorkerTest::derive(PhotoWorker& worker, const std::filesystem::path& photo) {
  return worker.derive(photo, preview_path_, thumb_path_, description_path_);
}

cv::Mat WorkerTest::preview() const {
  return cv::imread(preview_path_.string(), cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
}

cv::Mat WorkerTest::thumb() const {
  return cv::imread(thumb_path_.string(), cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
}

void WorkerTest::expect_working(PhotoWorker& worker) {
  static const cv::Mat picture = test::draw_photo(800, 600, 7);
  static const Bytes good = make_jpeg(picture);
  const auto photo = derive(worker, write(good, "good"));
  ASSERT_TRUE(photo) << to_string(photo.error());
  EXPECT_LT(difference(preview(), picture), 2.0);
}

void WorkerTest::expect_no_derivatives() const {
  EXPECT_FALSE(std::filesystem::exists(preview_path_));
  EXPECT_FALSE(std::filesystem::exists(thumb_path_));
  EXPECT_FALSE(std::filesystem::exists(description_path_));
}

}  // namespace gridward::vision::testing
