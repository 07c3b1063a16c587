#include <gtest/gtest.h>

#include <random>

#include "media_intake.hpp"

namespace gridward::app {
namespace {

TEST(MediaRanges, MergeTable) {
  std::vector<ByteRange> have;
  merge_range(have, {10, 10});
  EXPECT_EQ(have, (std::vector<ByteRange>{{10, 10}}));
  merge_range(have, {30, 5});
  merge_range(have, {20, 10});
  EXPECT_EQ(have, (std::vector<ByteRange>{{10, 25}})) << "side by side is one";
  merge_range(have, {12, 3});
  EXPECT_EQ(have, (std::vector<ByteRange>{{10, 25}})) << "inside";
  merge_range(have, {0, 100});
  EXPECT_EQ(have, (std::vector<ByteRange>{{0, 100}})) << "around";
  merge_range(have, {500, 0});
  EXPECT_EQ(have, (std::vector<ByteRange>{{0, 100}})) << "nothing";
}

TEST(MediaRanges, MissingTable) {
  EXPECT_EQ(missing_ranges({}, 10, 64), (std::vector<ByteRange>{{0, 10}}));
  EXPECT_EQ(missing_ranges({{0, 10}}, 10, 64), (std::vector<ByteRange>{}));
  EXPECT_EQ(missing_ranges({{2, 3}, {7, 1}}, 10, 64), (std::vector<ByteRange>{{0, 2}, {5, 2}, {8, 2}}));
  EXPECT_EQ(missing_ranges({{2, 3}, {7, 1}}, 10, 2), (std::vector<ByteRange>{{0, 2}, {5, 2}}));
}

TEST(MediaRanges, AgreeWithAMapOfBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    constexpr std::size_t kSize = 97;
    std::vector<bool> bytes(kSize);
    std::vector<ByteRange> have;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t from = random() % kSize;
      const std::uint64_t length = random() % (kSize - from + 1);
      merge_range(have, {from, length});
      for (auto at = from; at < from + length; ++at) bytes[at] = true;
      std::vector<bool> told(kSize);
      for (const auto& range : have) {
        for (auto at = range.offset; at < range.offset + range.length; ++at) told[at] = true;
      }
      ASSERT_EQ(told, bytes);
      std::vector<bool> missing(kSize, true);
      for (const auto& range : missing_ranges(have, kSize, 1000)) {
        for (auto at = range.offset; at < range.offset + range.length; ++at) missing[at] = false;
      }
      ASSERT_EQ(missing, bytes);
    }
  }
}

}  // namespace
}  // namespace gridward::app
