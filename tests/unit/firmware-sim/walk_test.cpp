#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <gridward_sim/walk.hpp>
#include <set>

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

TEST(Lanes, AreTheSameForEverybodyInAGridAndHangTogether) {
  const auto lanes = draw_lanes(grid());
  const auto again = draw_lanes(grid());
  EXPECT_EQ(lanes.crossings, again.crossings);
  EXPECT_EQ(lanes.next, again.next);
  ASSERT_GT(lanes.crossings.size(), 10U);
  for (std::size_t i = 0; i < lanes.crossings.size(); ++i) {
    EXPECT_TRUE(contains(grid(), lanes.crossings[i]));
    ASSERT_FALSE(lanes.next[i].empty());
    for (const auto other : lanes.next[i]) {
      EXPECT_EQ(std::count(lanes.next[other].begin(), lanes.next[other].end(), i), 1);
      for (double t = 0; t <= 1; t += 0.02) {
        const auto a = lanes.crossings[i];
        const auto b = lanes.crossings[other];
        EXPECT_TRUE(contains(
            grid(), geo_point(lat_deg(a) + t * (lat_deg(b) - lat_deg(a)), lon_deg(a) + t * (lon_deg(b) - lon_deg(a)))));
      }
    }
  }
}

// How far a place is from the nearest lane.
double off_lane_m(const Lanes& lanes, GeoPoint p) {
  double nearest = 1e9;
  for (std::size_t i = 0; i < lanes.crossings.size(); ++i) {
    for (const auto other : lanes.next[i]) {
      const auto a = lanes.crossings[i];
      const auto b = lanes.crossings[other];
      const double length = distance_m(a, b);
      const double to_a = distance_m(a, p);
      const double to_b = distance_m(b, p);
      const double along = std::clamp((length * length + to_a * to_a - to_b * to_b) / (2 * length), 0.0, length);
      const auto foot = geo_point(lat_deg(a) + along / length * (lat_deg(b) - lat_deg(a)),
                                  lon_deg(a) + along / length * (lon_deg(b) - lon_deg(a)));
      nearest = std::min(nearest, distance_m(foot, p));
    }
  }
  return nearest;
}

TEST(Lanes, AMemberWalksUpAndDownThem) {
  WalkOptions options;
  options.kind = WalkKind::lanes;
  const auto lanes = draw_lanes(grid());
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Walk walk(grid(), options, seed);
    Walk twin(grid(), options, seed);
    double metres = 0;
    std::set<std::size_t> passed;
    for (int second = 0; second < 8 * 3600; second += 5) {
      const auto before = walk.truth();
      walk.advance(5);
      twin.advance(5);
      ASSERT_EQ(walk.truth(), twin.truth());
      metres += distance_m(before, walk.truth());
      ASSERT_TRUE(contains(grid(), walk.truth())) << "seed " << seed << " second " << second;
      ASSERT_LT(off_lane_m(lanes, walk.truth()), 0.5) << "seed " << seed << " second " << second;
      for (std::size_t i = 0; i < lanes.crossings.size(); ++i) {
        if (distance_m(lanes.crossings[i], walk.truth()) < 6) passed.insert(i);
      }
    }
    EXPECT_GT(metres, 8 * 3600 * 0.6);
    EXPECT_GT(passed.size(), lanes.crossings.size() / 3);  // and not only one of them
  }
}

TEST(Lanes, BackFromATaskTheMemberIsOnThemAgain) {
  WalkOptions options;
  options.kind = WalkKind::lanes;
  Walk walk(grid(), options, 4);
  const auto place = geo_point(39.275, 117.80);  // outside
  walk.go_to(place);
  walk.advance(400);
  EXPECT_TRUE(walk.arrived());
  walk.advance(400);
  EXPECT_LT(off_lane_m(draw_lanes(grid()), walk.truth()), 0.5);
}

TEST(Lanes, ASliverHasNoneAndIsWalkedWithout) {
  const Polygon sliver{{geo_point(39.28, 117.80), geo_point(39.28, 117.80001), geo_point(39.28001, 117.80)}, {}};
  EXPECT_TRUE(draw_lanes(sliver).crossings.empty());
  WalkOptions options;
  options.kind = WalkKind::lanes;
  Walk walk(sliver, options, 1);
  walk.advance(60);
  EXPECT_LT(distance_m(walk.truth(), geo_point(39.28, 117.80)), 5);
}

// 10 m to the north each second, and nothing from 20 s to 50 s.
std::shared_ptr<const std::vector<LogFix>> a_log() {
  auto log = std::make_shared<std::vector<LogFix>>();
  for (int second = 0; second <= 60; ++second) {
    if (second > 20 && second < 50) continue;
    log->push_back({second * 1000, geo_point(39.281 + second * 10 / 111'194.9, 117.804), second < 10 ? 2.0 : 0.0});
  }
  return log;
}

TEST(ReplayedLog, IsFollowedThereAndBack) {
  WalkOptions options;
  options.kind = WalkKind::log;
  options.log = a_log();
  Walk walk(grid(), options, 6);
  std::set<std::int32_t> places;
  int unknown = 0;
  double largest_step = 0;
  for (int second = 0; second < 240; ++second) {
    const auto before = walk.truth();
    walk.advance(1);
    const auto reading = walk.reading();
    EXPECT_EQ(reading.point, walk.truth());  // its error is in it
    EXPECT_TRUE(reading.accuracy_cm == 200 || reading.accuracy_cm == 350) << reading.accuracy_cm;
    unknown += reading.known ? 0 : 1;
    places.insert(reading.point.lat_e7);
    if (reading.known) largest_step = std::max(largest_step, distance_m(before, walk.truth()));
  }
  EXPECT_GE(places.size() + 1, a_log()->size());  // of the last it is there for a moment only
  EXPECT_NEAR(unknown, 4 * 20, 3);                // the gap but for its first ten seconds, four times
  EXPECT_LT(largest_step, 301);                   // over the gap, never from the end to the beginning
}

TEST(ReplayedLog, ATaskIsGoneToAndTheLogIsCaughtUpWith) {
  WalkOptions options;
  options.kind = WalkKind::log;
  options.log = a_log();
  Walk walk(grid(), options, 6);
  const auto place = geo_point(39.289, 117.801);
  walk.go_to(place);
  int seconds = 0;
  for (; !walk.arrived() && seconds < 300; ++seconds) walk.advance(1);
  EXPECT_TRUE(walk.arrived());
  EXPECT_EQ(walk.truth(), place);
  walk.advance(200);
  EXPECT_LT(std::fabs(lon_deg(walk.truth()) - 117.804), 1e-6);
}

}  // namespace
}  // namespace gridward::sim
