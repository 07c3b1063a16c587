// Descriptions made by the real worker, of drawn places, compared as the server does it.
#include <gridward/domain/likeness.hpp>
#include <gridward/sim/scene.hpp>
#include <gridward/test/drawn_photo.hpp>
#include <gridward/vision/photo_description.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "photo_files.hpp"

namespace gridward::vision::testing {
namespace {

class PhotoLikeness : public WorkerTest {
 protected:
  PhotoDescription describe(const Bytes& photo) {
    const auto derived = derive(worker_, photo);
    EXPECT_TRUE(derived) << (derived ? "" : to_string(derived.error()));
    const auto text = test::read_file(description_path_);
    EXPECT_EQ(derived->description_bytes, text.size());
    sharpness_ = derived->numbers.sharpness;
    auto parsed = parse_description(as_bytes(text));
    EXPECT_TRUE(parsed);
    if (!parsed) return {};
    EXPECT_EQ(parsed->likeness, derived->numbers.likeness);
    return std::move(*parsed);
  }
  static Bytes scene(std::uint64_t seed, bool repaired = false, std::uint32_t visit = 0) {
    sim::SceneOptions options;
    options.seed = seed;
    options.width = 1600;
    options.height = 1200;
    options.repaired = repaired;
    options.visit = visit;
    return sim::draw_scene(options).value();
  }
  static cv::Mat decoded(const Bytes& jpeg) { return cv::imdecode(jpeg, cv::IMREAD_COLOR); }

  PhotoWorker worker_{options()};
  double sharpness_ = 0;
};

TEST_F(PhotoLikeness, ACopyIsKnownHoweverItIsMade) {
  const auto original = scene(3);
  const auto earlier = describe(original);
  EXPECT_GT(earlier.corners.size(), 200U);
  const auto picture = decoded(original);
  cv::Mat smaller;
  cv::resize(picture, smaller, {}, 0.6, 0.6, cv::INTER_AREA);
  const std::vector<std::pair<const char*, cv::Mat>> copies{
      {"compressed", picture}, {"smaller", smaller}, {"cut", picture(cv::Rect(100, 60, 1360, 1020)).clone()}};
  for (const auto& [how, copy] : copies) {
    const auto likeness = compare(earlier, describe(make_jpeg(copy, {.quality = 60})));
    EXPECT_TRUE(domain::is_copy(likeness.copy)) << how << " " << likeness.copy;
    EXPECT_TRUE(likeness.judged);
  }
  EXPECT_TRUE(domain::is_copy(compare(earlier, describe(make_with_opencv(".png", picture))).copy)) << "as PNG";
}

TEST_F(PhotoLikeness, AnotherVisitIsTheSamePlaceAndNoCopy) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    const auto before = describe(scene(seed));
    const auto likeness = compare(before, describe(scene(seed, true, 1)));
    EXPECT_TRUE(likeness.judged) << seed;
    EXPECT_GE(likeness.place, domain::kOtherPlaceLikeness) << seed;
    EXPECT_FALSE(domain::is_copy(likeness.copy)) << seed << " " << likeness.copy;
  }
}

// Not every one: drawn streets are alike, and an honest member is not to be accused (docs/adr/0011-photo-likeness.md).
TEST_F(PhotoLikeness, MostOtherPlacesAreOthers) {
  const auto before = describe(scene(1));
  int told = 0;
  for (const std::uint64_t seed : {2, 3, 4, 5, 6}) {
    const auto likeness = compare(before, describe(scene(seed, true, 1)));
    EXPECT_TRUE(likeness.judged);
    told += likeness.place < domain::kOtherPlaceLikeness ? 1 : 0;
    EXPECT_FALSE(domain::is_copy(likeness.copy));
  }
  EXPECT_GE(told, 3);
}

TEST_F(PhotoLikeness, WhatIsBlurredIsNotSharp) {
  const auto original = scene(5);
  describe(original);
  EXPECT_FALSE(domain::is_blurred(sharpness_)) << sharpness_;
  cv::Mat blurred;
  cv::GaussianBlur(decoded(original), blurred, {}, 6);
  describe(make_jpeg(blurred));
  EXPECT_TRUE(domain::is_blurred(sharpness_)) << sharpness_;
}

// Sizes at which ORB has nothing to look at, and patterns of which it finds more than is kept.
TEST_F(PhotoLikeness, EveryPictureIsDescribed) {
  for (const auto& size : {cv::Size(1, 1), cv::Size(7, 3), cv::Size(4000, 2), cv::Size(2, 4000), cv::Size(62, 62),
                           cv::Size(63, 400), cv::Size(64, 64)}) {
    const auto description = describe(make_with_opencv(".png", cv::Mat(size, CV_8UC3, cv::Scalar(9, 99, 199))));
    EXPECT_TRUE(description.corners.empty()) << size;
  }
  cv::Mat noise(1200, 1600, CV_8UC3);
  cv::RNG(1).fill(noise, cv::RNG::UNIFORM, 0, 255);
  EXPECT_LE(describe(make_with_opencv(".png", noise)).corners.size(), kMostCorners);
  cv::Mat squares(1200, 1600, CV_8UC3, cv::Scalar::all(0));
  for (int y = 0; y < 1200; y += 40) {
    for (int x = 0; x < 1600; x += 40) squares(cv::Rect(x, y, 20, 20)).setTo(cv::Scalar::all(255));
  }
  const auto pattern = describe(make_with_opencv(".png", squares));
  EXPECT_LE(pattern.corners.size(), kMostCorners);
  EXPECT_LE(compare(pattern, pattern).place, 1000U);
  expect_working(worker_);
}

}  // namespace
}  // namespace gridward::vision::testing
