#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/vision/photo_description.hpp>
#include <random>

namespace gridward::vision {
namespace {

PhotoDescription drawn(std::uint64_t seed, std::size_t corners = 300) {
  std::mt19937_64 random(seed);
  PhotoDescription out;
  out.width = 800;
  out.height = 600;
  out.grid_width = 96;
  out.grid_height = 72;
  out.likeness = random();
  out.difference = random();
  out.grid.resize(96 * 72);
  // Patches, as things are: neighbours are alike.
  for (std::size_t y = 0; y < 72; ++y) {
    for (std::size_t x = 0; x < 96; ++x) {
      out.grid[y * 96 + x] = static_cast<std::uint8_t>((x / 12 * 37 + y / 9 * 53 + seed * 29) % 200 + 20);
    }
  }
  for (std::size_t i = 0; i < corners; ++i) {
    Corner corner;
    corner.x = static_cast<std::uint16_t>(random() % (800 * kSubPixels));
    corner.y = static_cast<std::uint16_t>(random() % (600 * kSubPixels));
    corner.angle = static_cast<std::uint8_t>(random());
    corner.octave = static_cast<std::uint8_t>(random() % kOctaves);
    for (auto& bits : corner.bits) bits = random();
    out.corners.push_back(corner);
  }
  return out;
}

TEST(PhotoDescription, WhatIsWrittenIsReadAgain) {
  for (const std::size_t corners : {std::size_t{0}, std::size_t{1}, kMostCorners}) {
    const auto description = drawn(3, corners);
    const auto bytes = encode_description(description);
    EXPECT_LE(bytes.size(), kDescriptionBytes);
    const auto read = parse_description(bytes);
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(*read, description);
  }
}

TEST(PhotoDescription, TheLargestFits) {
  auto description = drawn(4, kMostCorners);
  description.grid_height = kGridSide;
  description.grid.resize(kGridSide * kGridSide);
  EXPECT_LE(encode_description(description).size(), kDescriptionBytes);
  EXPECT_TRUE(parse_description(encode_description(description)));
}

TEST(PhotoDescription, NothingElseIsRead) {
  const auto good = encode_description(drawn(5, 20));
  const auto refuses = [](const Bytes& bytes) {
    const auto read = parse_description(bytes);
    return !read && read.error().code == ErrorCode::malformed;
  };
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(refuses(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_TRUE(refuses(longer));
  EXPECT_TRUE(refuses(Bytes(kDescriptionBytes + 1)));
  const auto with = [&](std::size_t at, std::uint8_t low, std::uint8_t high) {
    auto bytes = good;
    bytes[at] = low;
    bytes[at + 1] = high;
    return bytes;
  };
  EXPECT_TRUE(refuses(with(0, 'X', 'W'))) << "mark";
  EXPECT_TRUE(refuses(with(3, 2, 0))) << "another version";
  EXPECT_TRUE(refuses(with(4, 0, 0))) << "no width";
  EXPECT_TRUE(refuses(with(4, 0x21, 3))) << "801 wide";
  EXPECT_TRUE(refuses(with(8, 0, 72))) << "no grid";
  EXPECT_TRUE(refuses(with(8, 97, 72))) << "a grid too wide";
  EXPECT_TRUE(refuses(with(26, 0xE1, 1))) << "481 corners";
  EXPECT_TRUE(refuses(with(28 + 96 * 72, 0, 100))) << "a corner to the right of the picture";
  EXPECT_TRUE(refuses(with(28 + 96 * 72 + 4, 0, kOctaves))) << "an octave that is none";
}

TEST(PhotoDescription, KeysAreBoundedAndShared) {
  const auto a = drawn(6, kMostCorners);
  const auto keys = keys_of(a);
  EXPECT_LE(keys.size(), kMostKeys);
  EXPECT_GT(keys.size(), kMostKeys / 2);
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_GE(keys.front(), 0);
  auto near = a;
  near.likeness ^= 1U;  // one bit: three of four bands stay
  near.difference = ~near.difference;
  near.corners.clear();
  std::vector<std::int64_t> both;
  std::ranges::set_intersection(keys, keys_of(near), std::back_inserter(both));
  EXPECT_EQ(both.size(), 3U);
  const auto others = keys_of(drawn(7, kMostCorners));
  both.clear();
  std::ranges::set_intersection(keys, others, std::back_inserter(both));
  EXPECT_LE(both.size(), 1U);
  EXPECT_TRUE(keys_of(PhotoDescription{}).empty()) << "a blank picture is nobody's copy";
}

TEST(PhotoCompare, APhotoIsItsOwnCopy) {
  const auto a = drawn(8);
  const auto likeness = compare(a, a);
  EXPECT_TRUE(likeness.judged);
  EXPECT_EQ(likeness.copy, 1000U);
  EXPECT_EQ(likeness.place, 1000U);
}

TEST(PhotoCompare, AnotherPhotoIsNeither) {
  const auto likeness = compare(drawn(9), drawn(10));
  EXPECT_TRUE(likeness.judged);
  EXPECT_EQ(likeness.copy, 0U);
  EXPECT_LT(likeness.place, 200U);
}

// The camera was elsewhere: every corner moved by one similarity, some bits of each differ, half of them are gone.
TEST(PhotoCompare, AMovedCameraSeesTheSamePlace) {
  const auto a = drawn(11);
  auto b = a;
  std::mt19937_64 random(1);
  b.corners.clear();
  for (std::size_t i = 0; i < a.corners.size(); i += 2) {
    auto corner = a.corners[i];
    corner.x = static_cast<std::uint16_t>(corner.x * 0.9 + 40 * kSubPixels);
    corner.y = static_cast<std::uint16_t>(corner.y * 0.9 + 20 * kSubPixels);
    for (int flips = 0; flips < 20; ++flips) corner.bits[random() % 4] ^= 1ULL << (random() % 64);
    b.corners.push_back(corner);
  }
  for (auto& cell : b.grid) cell = static_cast<std::uint8_t>(random());
  const auto likeness = compare(a, b);
  EXPECT_GE(likeness.place, 900U);
  EXPECT_EQ(likeness.copy, 0U) << "the corners agree, what lies between does not";
}

TEST(PhotoCompare, WhatShowsNothingIsNotJudged) {
  EXPECT_FALSE(compare(drawn(12, 10), drawn(13)).judged);
  EXPECT_FALSE(compare(drawn(12), drawn(13, 10)).judged);
  EXPECT_FALSE(compare(PhotoDescription{}, PhotoDescription{}).judged);
}

// As many corners of one look as there may be: bounded, and no place.
TEST(PhotoCompare, APictureOfOneThingIsNoPlace) {
  auto a = drawn(14, kMostCorners);
  for (auto& corner : a.corners) corner.bits = {};
  const auto likeness = compare(a, a);
  EXPECT_EQ(likeness.place, 0U);
}

}  // namespace
}  // namespace gridward::vision
