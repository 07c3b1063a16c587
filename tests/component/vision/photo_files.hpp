// Photos made for the tests of the photo worker, and a look at what it made of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <gridward/shared/bytes.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <gridward/vision/photo_worker.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace gridward::vision::testing {

struct JpegStyle {
  enum class Colour { ycbcr, rgb, cmyk, grey } colour = Colour::ycbcr;
  bool progressive = false;
  bool arithmetic = false;
  bool scan_for_each_coefficient = false;  // with progressive: some 190 scans, all of them legal
  int luma_across = 2;                     // sampling factors of luma against chroma
  int luma_down = 2;
  int restart_rows = 0;
  int quality = 90;
};

Bytes make_jpeg(const cv::Mat& bgr, const JpegStyle& style = {});
Bytes make_with_opencv(const char* extension, const cv::Mat& picture);
// A black PNG of 1 bit a pixel whose header claims another size.
Bytes make_black_png(cv::Size real, std::uint32_t claimed_width, std::uint32_t claimed_height);

// A TIFF block with an orientation and, for the look of it, a GPS directory with a position.
Bytes make_exif(std::uint8_t orientation);
Bytes with_exif_jpeg(const Bytes& jpeg, std::uint8_t orientation);
Bytes with_exif_png(const Bytes& png, std::uint8_t orientation);
Bytes with_exif_webp(const Bytes& webp, std::uint8_t orientation, cv::Size size);

// How a camera held like that stores a picture that is upright as `picture`.
cv::Mat stored_as(const cv::Mat& picture, std::uint8_t orientation);

// The markers of a JPEG up to its picture data.
std::vector<std::uint8_t> markers_of(const std::string& jpeg);

// Mean absolute difference of the luma of both, at 64 pixels across; large for other dimensions.
double difference(const cv::Mat& a, const cv::Mat& b);

using test::shared_data;

class WorkerTest : public ::testing::Test {
 protected:
  PhotoWorkerOptions options() const { return {.program = test::program("server/vision/gridward-vision-worker")}; }
  std::filesystem::path write(const Bytes& bytes, const std::string& name = "photo");
  Result<DerivedPhoto> derive(PhotoWorker& worker, const std::filesystem::path& photo);
  Result<DerivedPhoto> derive(PhotoWorker& worker, const Bytes& bytes) { return derive(worker, write(bytes)); }
  cv::Mat preview() const;
  cv::Mat thumb() const;
  // A good photo comes out right; whatever came before has done no harm.
  void expect_working(PhotoWorker& worker);
  void expect_no_derivatives() const;

  test::TempDir dir_;
  std::filesystem::path preview_path_ = dir_ / "preview.jpg";
  std::filesystem::path thumb_path_ = dir_ / "thumb.jpg";
  std::filesystem::path description_path_ = dir_ / "description";
};

}  // namespace gridward::vision::testing
