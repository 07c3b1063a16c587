#include <gtest/gtest.h>

#include <cmath>
#include <gridward_sim/walk.hpp>

namespace gridward::sim {
namespace {

// About 1.2 km by 1.1 km, with a notch.
Polygon grid() {
  return {{geo_point(39.28, 117.80), geo_point(39.28, 117.814), geo_point(39.29, 117.814), geo_point(39.29, 117.808),
           geo_point(39.284, 117.807), geo_point(39.29, 117.80)},
          {}};
}

TEST(Walk, StaysInTheGridAllDay) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Walk walk(grid(), {}, seed);
    double metres = 0;
    for (int second = 0; second < 8 * 3600; second += 5) {
      const auto before = walk.truth();
      walk.advance(5);
      metres += distance_m(before, walk.truth());
      ASSERT_TRUE(contains(grid(), walk.truth())) << "seed " << seed << " second " << second;
      ASSERT_LE(distance_m(before, walk.truth()), 5 * 1.2 * 1.2 + 0.1);
    }
    EXPECT_GT(metres, 8 * 3600 * 0.6) << "seed " << seed;  // really walks
  }
}

TEST(Walk, TheSameSeedIsTheSameWalk) {
  Walk a(grid(), {}, 7);
  Walk b(grid(), {}, 7);
  Walk c(grid(), {}, 8);
  a.advance(600);
  b.advance(600);
  c.advance(600);
  EXPECT_EQ(a.truth(), b.truth());
  EXPECT_EQ(a.reading().point, b.reading().point);
  EXPECT_FALSE(a.truth() == c.truth());
}

TEST(Walk, TheReceiverIsAboutAsWrongAsItSays) {
  WalkOptions options;
  options.bad_sky = 0;
  Walk walk(grid(), options, 3);
  double squares = 0;
  double largest = 0;
  const int count = 4'000;
  for (int i = 0; i < count; ++i) {
    walk.advance(30);
    const auto reading = walk.reading();
    const double error = distance_m(walk.truth(), reading.point);
    squares += error * error;
    largest = std::max(largest, error);
    EXPECT_GT(reading.accuracy_cm, 100U);
    EXPECT_LT(reading.accuracy_cm, 1'000U);
  }
  // Two axes of one sigma each.
  const double rms = std::sqrt(squares / count);
  EXPECT_NEAR(rms, options.receiver_error_m * std::sqrt(2.0), 1.0);
  EXPECT_LT(largest, options.receiver_error_m * 8);
}

TEST(Walk, ErrorsFollowEachOther) {
  // White noise would jump by its own size each second; a receiver's error drifts.
  Walk walk(grid(), {}, 5);
  double jump = 0;
  for (int i = 0; i < 500; ++i) {
    const auto before = walk.reading();
    const auto truth = walk.truth();
    walk.advance(1);
    jump += std::fabs(distance_m(before.point, walk.reading().point) - distance_m(truth, walk.truth()));
  }
  EXPECT_LT(jump / 500, 2.0);
}

TEST(Walk, GoesToATask) {
  Walk walk(grid(), {}, 5);
  const auto place = geo_point(39.289, 117.801);
  walk.go_to(place);
  EXPECT_FALSE(walk.arrived());
  walk.advance(300);
  EXPECT_TRUE(walk.arrived());
  EXPECT_LT(distance_m(walk.truth(), place), 300 * 1.5);
}

TEST(Walk, ASliverOfAGridIsNoEndlessLoop) {
  const Polygon sliver{{geo_point(39.28, 117.80), geo_point(39.28, 117.80001), geo_point(39.28001, 117.80)}, {}};
  Walk walk(sliver, {}, 1);
  walk.advance(60);
  EXPECT_LT(distance_m(walk.truth(), geo_point(39.28, 117.80)), 5);
}

}  // namespace
}  // namespace gridward::sim
