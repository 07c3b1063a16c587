#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <gridward/test/drawn_photo.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "photo_files.hpp"

namespace gridward::vision::testing {
namespace {

using Colour = JpegStyle::Colour;

class Formats : public WorkerTest {
 protected:
  PhotoWorker worker_{options()};
};

TEST_F(Formats, APhotoOf13MegapixelsGetsBothSizes) {
  const cv::Mat picture = test::draw_photo(4160, 3120);
  const auto photo = derive(worker_, make_jpeg(picture));
  ASSERT_TRUE(photo) << to_string(photo.error());
  EXPECT_EQ(photo->format, PhotoFormat::jpeg);
  EXPECT_EQ(photo->numbers.width, 4160U);
  EXPECT_EQ(photo->numbers.height, 3120U);
  EXPECT_EQ(photo->numbers.orientation, 1);
  EXPECT_FALSE(photo->numbers.truncated);
  EXPECT_GT(photo->numbers.sharpness, 50);
  EXPECT_NEAR(photo->numbers.brightness, cv::mean(cv::imread((dir_ / "photo").string(), cv::IMREAD_GRAYSCALE))[0], 1);
  EXPECT_EQ(preview().size(), cv::Size(1600, 1200));
  EXPECT_EQ(thumb().size(), cv::Size(320, 240));
  EXPECT_EQ(photo->preview.width, 1600U);
  EXPECT_EQ(photo->thumb.height, 240U);
  EXPECT_EQ(photo->preview.bytes, std::filesystem::file_size(preview_path_));
  EXPECT_EQ(photo->thumb.bytes, std::filesystem::file_size(thumb_path_));
  cv::Mat small;
  cv::resize(picture, small, {1600, 1200}, 0, 0, cv::INTER_AREA);
  EXPECT_LT(difference(preview(), small), 1.0);
  cv::resize(picture, small, {320, 240}, 0, 0, cv::INTER_AREA);
  EXPECT_LT(difference(thumb(), small), 1.0);
}

// All channels: chroma in the wrong place or order is seen here.
TEST_F(Formats, EveryKindOfJpegKeepsItsColours) {
  const cv::Mat picture = test::draw_photo(2001, 1499, 3);
  cv::Mat small;
  cv::resize(picture, small, {1600, 1199}, 0, 0, cv::INTER_AREA);
  struct Kind {
    const char* name;
    JpegStyle style;
  };
  for (const auto& [name, style] :
       std::initializer_list<Kind>{{"4:2:0", {}},
                                   {"4:2:2", {.luma_down = 1}},
                                   {"4:4:0", {.luma_across = 1}},
                                   {"4:4:4", {.luma_across = 1, .luma_down = 1}},
                                   {"4:1:1", {.luma_across = 4, .luma_down = 1}},
                                   {"4:1:0", {.luma_across = 4, .luma_down = 2}},
                                   {"progressive", {.progressive = true}},
                                   {"arithmetic", {.arithmetic = true}},
                                   {"restarts", {.restart_rows = 1}},
                                   {"RGB", {.colour = Colour::rgb}},
                                   {"CMYK", {.colour = Colour::cmyk}},
                                   {"progressive CMYK", {.colour = Colour::cmyk, .progressive = true}}}) {
    const auto photo = derive(worker_, make_jpeg(picture, style));
    ASSERT_TRUE(photo) << name << ": " << to_string(photo.error());
    EXPECT_FALSE(photo->numbers.truncated) << name;
    const cv::Mat made = preview();
    ASSERT_EQ(made.size(), small.size()) << name;
    cv::Mat apart;
    cv::absdiff(made, small, apart);
    const cv::Scalar mean = cv::mean(apart);
    EXPECT_LT(std::max({mean[0], mean[1], mean[2]}), 8.0) << name;
    EXPECT_LT(difference(made, small), 1.5) << name;
  }
}

TEST_F(Formats, AGreyJpegStaysGrey) {
  const cv::Mat picture = test::draw_photo(1700, 1000, 4);
  const auto photo = derive(worker_, make_jpeg(picture, {.colour = Colour::grey}));
  ASSERT_TRUE(photo) << to_string(photo.error());
  const cv::Mat made = cv::imread(preview_path_.string(), cv::IMREAD_UNCHANGED);
  EXPECT_EQ(made.channels(), 1);
  cv::Mat small;
  cv::resize(picture, small, made.size(), 0, 0, cv::INTER_AREA);
  EXPECT_LT(difference(made, small), 1.5);
}

TEST_F(Formats, PngAndWebpAreTaken) {
  const cv::Mat picture = test::draw_photo(2000, 1500, 5);
  for (const char* extension : {".png", ".webp"}) {
    const auto photo = derive(worker_, make_with_opencv(extension, picture));
    ASSERT_TRUE(photo) << extension << ": " << to_string(photo.error());
    cv::Mat small;
    cv::resize(picture, small, {1600, 1200}, 0, 0, cv::INTER_AREA);
    EXPECT_LT(difference(preview(), small), 1.5) << extension;
  }
  cv::Mat deep;
  picture.convertTo(deep, CV_16U, 257);
  EXPECT_TRUE(derive(worker_, make_with_opencv(".png", deep)));
  cv::Mat grey;
  cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
  EXPECT_TRUE(derive(worker_, make_with_opencv(".png", grey)));
}

TEST_F(Formats, WhatIsTransparentBecomesWhite) {
  const cv::Mat clear(100, 120, CV_8UC4, cv::Scalar(0, 0, 0, 0));
  const cv::Mat half(100, 120, CV_8UC4, cv::Scalar(0, 0, 0, 128));
  for (const char* extension : {".png", ".webp"}) {
    ASSERT_TRUE(derive(worker_, make_with_opencv(extension, clear))) << extension;
    EXPECT_GT(cv::mean(preview())[0], 250) << extension;
    ASSERT_TRUE(derive(worker_, make_with_opencv(extension, half))) << extension;
    EXPECT_NEAR(cv::mean(preview())[0], 127, 4) << extension;
  }
}

TEST_F(Formats, ASmallPhotoIsNotEnlarged) {
  ASSERT_TRUE(derive(worker_, make_jpeg(test::draw_photo(640, 480))));
  EXPECT_EQ(preview().size(), cv::Size(640, 480));
  EXPECT_EQ(thumb().size(), cv::Size(320, 240));
  ASSERT_TRUE(derive(worker_, make_jpeg(test::draw_photo(33, 17))));
  EXPECT_EQ(preview().size(), cv::Size(33, 17));
  EXPECT_EQ(thumb().size(), cv::Size(33, 17));
  ASSERT_TRUE(derive(worker_, make_jpeg(test::draw_photo(1, 1))));
  EXPECT_EQ(thumb().size(), cv::Size(1, 1));
}

TEST_F(Formats, ExtremeShapesKeepAtLeastAPixel) {
  for (const auto size : {cv::Size(16'384, 3), cv::Size(3, 16'384), cv::Size(1601, 1), cv::Size(16'000, 4000)}) {
    const auto photo = derive(worker_, make_jpeg(cv::Mat(size, CV_8UC3, cv::Scalar(40, 120, 200))));
    ASSERT_TRUE(photo) << size << to_string(photo.error());
    EXPECT_EQ(std::max(preview().cols, preview().rows), 1600) << size;
    EXPECT_EQ(std::max(thumb().cols, thumb().rows), 320) << size;
    EXPECT_NEAR(cv::mean(preview())[2], 200, 4) << size;
  }
}

TEST_F(Formats, DerivativesHoldNothingBesideThePicture) {
  const Bytes photo = with_exif_jpeg(make_jpeg(test::draw_photo(1700, 1300)), 6);
  ASSERT_NE(test::read_file(write(photo)).find("position"), std::string::npos);
  ASSERT_TRUE(derive(worker_, photo));
  for (const auto& path : {preview_path_, thumb_path_}) {
    const std::string made = test::read_file(path);
    EXPECT_EQ(made.find("position"), std::string::npos);
    EXPECT_EQ(made.find("Exif"), std::string::npos);
    for (const std::uint8_t marker : markers_of(made)) {
      // JFIF's own, tables, baseline frame, scan: no other application data, no comment.
      EXPECT_TRUE(marker == 0xE0 || marker == 0xDB || marker == 0xC0 || marker == 0xC4 || marker == 0xDA)
          << static_cast<int>(marker);
    }
  }
}

TEST_F(Formats, RealPhotosWithPositionsLoseThem) {
  const auto folder = shared_data() / "photos";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto photo = derive(worker_, entry.path());
    ASSERT_TRUE(photo) << entry.path() << to_string(photo.error());
    for (const auto& path : {preview_path_, thumb_path_}) {
      const auto markers = markers_of(test::read_file(path));
      EXPECT_TRUE(std::ranges::none_of(markers, [](auto m) { return m > 0xE0; })) << entry.path();
    }
    ++count;
  }
  EXPECT_GE(count, 10);
}

TEST_F(Formats, SharpnessFallsWithBlurAndBrightnessWithLight) {
  const cv::Mat sharp = test::draw_photo(2400, 1800);
  cv::Mat blurred;
  cv::GaussianBlur(sharp, blurred, {0, 0}, 6);
  cv::Mat dark = sharp / 3;
  const auto a = derive(worker_, make_jpeg(sharp));
  const auto b = derive(worker_, make_jpeg(blurred));
  const auto c = derive(worker_, make_jpeg(dark));
  ASSERT_TRUE(a && b && c);
  EXPECT_GT(a->numbers.sharpness, 10 * b->numbers.sharpness);
  EXPECT_NEAR(a->numbers.brightness, 3 * c->numbers.brightness, 5);
}

TEST_F(Formats, LikenessStaysForTheSamePictureAndDiffersForAnother) {
  const cv::Mat picture = test::draw_photo(2000, 1500, 21);
  cv::Mat smaller;
  cv::resize(picture, smaller, {1000, 750}, 0, 0, cv::INTER_AREA);
  const auto first = derive(worker_, make_jpeg(picture));
  const auto again = derive(worker_, make_jpeg(smaller, {.quality = 40}));
  ASSERT_TRUE(first && again);
  EXPECT_LE(std::popcount(first->numbers.likeness ^ again->numbers.likeness), 6);
  const auto other = derive(worker_, make_jpeg(stored_as(picture, 3)));
  ASSERT_TRUE(other);
  EXPECT_GE(std::popcount(first->numbers.likeness ^ other->numbers.likeness), 16);
}

}  // namespace
}  // namespace gridward::vision::testing
