#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <gridward/shared/limits.hpp>
#include <gridward/test/drawn_photo.hpp>
#include <map>

#include "photo_files.hpp"

namespace gridward::vision::testing {
namespace {

using std::chrono::milliseconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kSlower = 50;
#else
constexpr int kSlower = 10;  // the bound is an order of magnitude: what else the machine does is not the photo's doing
#endif

class Hostile : public WorkerTest {
 protected:
  // Any outcome that the protocol has, within the time; never one that blames the server.
  Result<DerivedPhoto> derive_in_time(const std::filesystem::path& photo, milliseconds limit) {
    const auto start = std::chrono::steady_clock::now();
    auto result = derive(worker_, photo);
    const auto used = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
    EXPECT_LT(used.count(), limit.count() * kSlower) << photo;
    if (!result) {
      const ErrorCode code = result.error().code;
      EXPECT_TRUE(code == ErrorCode::media_type || code == ErrorCode::media_dimensions ||
                  code == ErrorCode::media_undecodable || code == ErrorCode::media_limits)
          << photo << to_string(result.error());
      expect_no_derivatives();
    }
    return result;
  }
  ErrorCode code_of(const Bytes& photo, milliseconds limit = milliseconds(1000)) {
    const auto result = derive_in_time(write(photo), limit);
    return result ? ErrorCode::internal : result.error().code;
  }

  PhotoWorker worker_{options()};
};

TEST_F(Hostile, EveryBadImageHasABoundedOutcome) {
  const auto folder = shared_data() / "images-bad";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  expect_working(worker_);
  std::map<std::string, int> outcomes;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto result = derive_in_time(entry.path(), milliseconds(3000));
    ++outcomes[result ? (result->numbers.truncated ? "derived, truncated" : "derived")
                      : std::string(error_info(result.error().code).name)];
    if (++count % 10 == 0) expect_working(worker_);
  }
  expect_working(worker_);
  for (const auto& [outcome, number] : outcomes) RecordProperty(outcome, number);
  EXPECT_GE(count, 100);
  EXPECT_GE(outcomes["derived"], 10);
  EXPECT_GE(outcomes["derived, truncated"], 1);
  EXPECT_GE(outcomes["media_type"], 10);
  EXPECT_GE(outcomes["media_undecodable"], 10);
  EXPECT_EQ(worker_.starts(), 1U) << "one of them killed its decoder";
}

TEST_F(Hostile, HugeDimensionsAreRefusedBeforeDecoding) {
  EXPECT_EQ(code_of(make_black_png({20'000, 100}, 20'000, 20'000)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(make_black_png({100, 100}, 0x7FFFFFFF, 0x7FFFFFFF)), ErrorCode::media_dimensions);
  Bytes jpeg = make_jpeg(test::draw_photo(64, 64));
  const Bytes frame{0xFF, 0xC0};
  const auto at = std::ranges::search(jpeg, frame).begin();
  ASSERT_NE(at, jpeg.end());
  for (int i = 5; i < 9; ++i) at[i] = 0xFF;
  EXPECT_EQ(code_of(jpeg), ErrorCode::media_dimensions);
}

TEST_F(Hostile, ADecompressionBombOfTheLargestSizeCostsBoundedTime) {
  const Bytes bomb = make_black_png({8000, 8000}, 8000, 8000);
  ASSERT_LT(bomb.size(), 20'000U);
  const auto result = derive_in_time(write(bomb), milliseconds(10'000));
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(preview().size(), cv::Size(1600, 1600));
  expect_working(worker_);
}

TEST_F(Hostile, APngWhoseDataEndEarlyIsUndecodable) {
  EXPECT_EQ(code_of(make_black_png({7000, 5}, 7000, 7000), milliseconds(5000)), ErrorCode::media_undecodable);
  expect_working(worker_);
}

TEST_F(Hostile, TooManyScansAreALimit) {
  const cv::Mat picture = test::draw_photo(640, 480);
  EXPECT_EQ(code_of(make_jpeg(picture, {.progressive = true, .scan_for_each_coefficient = true})),
            ErrorCode::media_limits);
  expect_working(worker_);
}

// 64 MP of four components keep 512 MB of coefficients until their last scan.
TEST_F(Hostile, CoefficientsOverTheMemoryLimitAreALimit) {
  Bytes jpeg = make_jpeg(test::draw_photo(64, 64), {.colour = JpegStyle::Colour::cmyk, .progressive = true});
  const Bytes frame{0xFF, 0xC2};
  const auto at = std::ranges::search(jpeg, frame).begin();
  ASSERT_NE(at, jpeg.end());
  const std::uint16_t side = 8000;
  at[5] = at[7] = side >> 8;
  at[6] = at[8] = side & 0xFF;
  EXPECT_EQ(code_of(jpeg, milliseconds(5000)), ErrorCode::media_limits);
  expect_working(worker_);
}

TEST_F(Hostile, AFileOverTheByteLimitIsALimit) {
  const auto path = write({0xFF, 0xD8, 0xFF});
  std::filesystem::resize_file(path, limits::kMediaBytes + 1);
  const auto result = derive(worker_, path);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::media_limits);
}

TEST_F(Hostile, ACutJpegIsDerivedAndMarked) {
  const cv::Mat picture = test::draw_photo(2000, 1500);
  for (const bool progressive : {false, true}) {
    const Bytes whole = make_jpeg(picture, {.progressive = progressive});
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * 6 / 10));
    const auto result = derive_in_time(write(cut), milliseconds(3000));
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_TRUE(result->numbers.truncated) << progressive;
    EXPECT_EQ(preview().size(), cv::Size(1600, 1200));
    // The upper half is there.
    cv::Mat reference;
    cv::resize(picture, reference, {1600, 1200}, 0, 0, cv::INTER_AREA);
    const cv::Rect upper(0, 0, 1600, 500);
    EXPECT_LT(difference(preview()(upper), reference(upper)), 3.0) << progressive;
  }
}

TEST_F(Hostile, AJpegThatLacksOnlyItsEndMarkerIsWhole) {
  for (const bool progressive : {false, true}) {
    Bytes jpeg = make_jpeg(test::draw_photo(800, 600), {.progressive = progressive});
    jpeg.resize(jpeg.size() - 2);
    const auto result = derive(worker_, jpeg);
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_FALSE(result->numbers.truncated) << progressive;
  }
}

TEST_F(Hostile, AJpegWithoutPictureDataIsUndecodable) {
  for (const bool progressive : {false, true}) {
    Bytes jpeg = make_jpeg(test::draw_photo(800, 600), {.progressive = progressive});
    const Bytes scan{0xFF, 0xDA};
    const auto at = std::ranges::search(jpeg, scan).begin();
    ASSERT_NE(at, jpeg.end());
    const Bytes headers(jpeg.begin(), at);
    Bytes started(jpeg.begin(), at + 20);
    EXPECT_EQ(code_of(headers), ErrorCode::media_undecodable) << progressive;
    EXPECT_EQ(code_of(started), ErrorCode::media_undecodable) << progressive;
    started.insert(started.end(), {0xFF, 0xD9});
    EXPECT_EQ(code_of(started), ErrorCode::media_undecodable) << progressive;
  }
}

TEST_F(Hostile, AProgressiveJpegThatLacksScansIsMarked) {
  const Bytes jpeg = make_jpeg(test::draw_photo(800, 600), {.progressive = true});
  const Bytes scan{0xFF, 0xDA};
  std::vector<std::ptrdiff_t> scans;
  for (auto rest = std::ranges::search(jpeg, scan); !rest.empty();
       rest = std::ranges::search(std::ranges::subrange(rest.begin() + 2, jpeg.end()), scan)) {
    scans.push_back(rest.begin() - jpeg.begin());
  }
  ASSERT_GE(scans.size(), 6U);
  Bytes cut(jpeg.begin(), jpeg.begin() + scans[3]);
  cut.insert(cut.end(), {0xFF, 0xD9});
  const auto result = derive(worker_, cut);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(result->numbers.truncated);
}

TEST_F(Hostile, FlippedBytesOfGoodPhotosDoNotBreakTheWorker) {
  const cv::Mat picture = test::draw_photo(200, 160);
  cv::RNG random(4711);
  for (const Bytes& good : {make_jpeg(picture), make_jpeg(picture, {.progressive = true}),
                            make_with_opencv(".png", picture), make_with_opencv(".webp", picture)}) {
    for (int i = 0; i < 60; ++i) {
      Bytes bad = good;
      for (int n = random.uniform(1, 8); n > 0; --n) {
        const auto at = static_cast<std::size_t>(random.uniform(0, static_cast<int>(bad.size())));
        bad[at] = static_cast<std::uint8_t>(random.uniform(0, 256));
      }
      derive_in_time(write(bad), milliseconds(3000));
    }
    expect_working(worker_);
  }
}

}  // namespace
}  // namespace gridward::vision::testing
