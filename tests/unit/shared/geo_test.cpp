#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <gridward/shared/geo.hpp>
#include <limits>
#include <numbers>
#include <random>

namespace gridward {
namespace {

constexpr double kDegreeM = 6'371'008.8 * std::numbers::pi / 180;  // of latitude: 111 195 m

Ring square(std::int32_t from, std::int32_t to) { return {{from, from}, {from, to}, {to, to}, {to, from}}; }

TEST(GeoPoint, RoundsToTheNearestAndClamps) {
  EXPECT_EQ(geo_point(39.12345674, 117.87654326), (GeoPoint{391'234'567, 1'178'765'433}));
  EXPECT_EQ(geo_point(-39.12345676, -117.87654324), (GeoPoint{-391'234'568, -1'178'765'432}));
  EXPECT_EQ(geo_point(91, -181), (GeoPoint{900'000'000, -1'800'000'000}));
  EXPECT_DOUBLE_EQ(lat_deg({391'234'567, 0}), 39.1234567);
  EXPECT_DOUBLE_EQ(lon_deg({0, -5}), -5e-7);
}

TEST(Distance, HandComputed) {
  EXPECT_EQ(distance_m({0, 0}, {0, 0}), 0);
  EXPECT_NEAR(distance_m({0, 0}, {10'000'000, 0}), kDegreeM, 1e-6);
  EXPECT_NEAR(distance_m({0, 0}, {0, 10'000'000}), kDegreeM, 1e-6);
  // On the parallel of 60° a degree of longitude is a little under half (the great circle is shorter than the
  // parallel).
  EXPECT_NEAR(distance_m({600'000'000, 0}, {600'000'000, 10'000'000}), kDegreeM / 2, 1.5);
  EXPECT_NEAR(distance_m({900'000'000, 0}, {-900'000'000, 1'234'567'890}), kDegreeM * 180, 1e-3);
  EXPECT_NEAR(distance_m({0, 0}, {0, 1'800'000'000}), kDegreeM * 180, 1e-3);
  // One unit of e7, where the arc cosine form would give 0.
  EXPECT_NEAR(distance_m({391'234'567, 0}, {391'234'568, 0}), kDegreeM * 1e-7, 1e-9);
  EXPECT_NEAR(distance_m({0, 1'799'999'999}, {0, -1'799'999'999}), kDegreeM * 2e-7, 1e-6);
}

TEST(Distance, PathIsTheSumOfItsLegs) {
  const std::vector<GeoPoint> path{{0, 0}, {10'000'000, 0}, {0, 0}, {0, 0}};
  EXPECT_NEAR(path_length_m(path), 2 * kDegreeM, 1e-6);
  EXPECT_EQ(path_length_m({}), 0);
  EXPECT_EQ(path_length_m(std::span(path).first(1)), 0);
}

TEST(Contains, HandDrawn) {
  const Polygon plain{square(0, 100), {}};
  const Polygon holed{square(0, 100), {square(40, 60)}};
  const Polygon closed{{{0, 0}, {0, 100}, {100, 100}, {100, 0}, {0, 0}}, {}};
  const struct {
    GeoPoint p;
    bool in_plain;
    bool in_holed;
  } table[] = {
      {{50, 50}, true, false},  {{20, 20}, true, true},     {{0, 0}, true, true},      {{100, 100}, true, true},
      {{0, 50}, true, true},    {{50, 0}, true, true},      {{100, 50}, true, true},   {{50, 100}, true, true},
      {{-1, 50}, false, false}, {{50, -1}, false, false},   {{101, 50}, false, false}, {{50, 101}, false, false},
      {{40, 50}, true, true},   {{40, 40}, true, true},     {{41, 41}, true, false},   {{60, 60}, true, true},
      {{0, -1}, false, false},  {{100, 101}, false, false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(contains(plain, row.p), row.in_plain) << row.p.lat_e7 << "," << row.p.lon_e7;
    EXPECT_EQ(contains(holed, row.p), row.in_holed) << row.p.lat_e7 << "," << row.p.lon_e7;
    EXPECT_EQ(contains(closed, row.p), row.in_plain) << row.p.lat_e7 << "," << row.p.lon_e7;
  }
}

TEST(Contains, VerticesOnTheRay) {
  // The ray of (0, …) passes through vertices on both sides, and along an edge.
  const Polygon diamond{{{-10, 0}, {0, 10}, {10, 0}, {0, -10}}, {}};
  EXPECT_TRUE(contains(diamond, {0, 0}));
  EXPECT_FALSE(contains(diamond, {0, -11}));
  EXPECT_FALSE(contains(diamond, {0, 11}));
  EXPECT_FALSE(contains(diamond, {10, -5}));
  EXPECT_FALSE(contains(diamond, {-10, 5}));
  const Polygon step{{{0, 0}, {0, 20}, {10, 20}, {10, 10}, {20, 10}, {20, 0}}, {}};
  EXPECT_TRUE(contains(step, {10, 5}));
  EXPECT_TRUE(contains(step, {10, 15}));
  EXPECT_FALSE(contains(step, {10, 25}));
  EXPECT_FALSE(contains(step, {11, 15}));
}

TEST(Contains, ExactAtTheEndsOfTheRange) {
  constexpr std::int32_t kLat = 900'000'000;
  constexpr std::int32_t kLon = 1'800'000'000;
  const Polygon half{{{-kLat, -kLon}, {kLat, kLon}, {-kLat, kLon}}, {}};
  EXPECT_TRUE(contains(half, {0, 0}));  // on the long edge
  EXPECT_TRUE(contains(half, {1, 2}));
  EXPECT_TRUE(contains(half, {0, 1}));
  EXPECT_FALSE(contains(half, {1, 1}));
  EXPECT_FALSE(contains(half, {1, 0}));
}

TEST(Contains, DegenerateRings) {
  EXPECT_FALSE(contains({}, {0, 0}));
  EXPECT_TRUE(contains({{{5, 5}}, {}}, {5, 5}));
  EXPECT_FALSE(contains({{{5, 5}}, {}}, {5, 6}));
  EXPECT_TRUE(contains({{{0, 0}, {10, 10}}, {}}, {5, 5}));
  EXPECT_FALSE(contains({{{0, 0}, {10, 10}}, {}}, {5, 6}));
}

// Winding number by angles, in another way than the code under test; `edge` from the exact equation of the line.
enum class Place { outside, edge, inside };
Place by_winding(const Ring& ring, GeoPoint p) {
  long double angle = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const auto a = ring[i];
    const auto b = ring[(i + 1) % ring.size()];
    const auto ax = static_cast<long long>(a.lon_e7) - p.lon_e7;
    const auto ay = static_cast<long long>(a.lat_e7) - p.lat_e7;
    const auto bx = static_cast<long long>(b.lon_e7) - p.lon_e7;
    const auto by = static_cast<long long>(b.lat_e7) - p.lat_e7;
    const auto turn = ax * by - ay * bx;
    const auto dot = ax * bx + ay * by;
    if (turn == 0 && dot <= 0) return Place::edge;
    angle += std::atan2(static_cast<long double>(turn), static_cast<long double>(dot));
  }
  return std::abs(angle) > 3 ? Place::inside : Place::outside;
}

TEST(Contains, AgreesWithTheWindingNumber) {
  std::mt19937 random(20261122);
  std::size_t inside = 0;
  std::size_t edge = 0;
  for (int round = 0; round < 400; ++round) {
    // A star around a centre never crosses itself. Small numbers make points on edges and in line common.
    const std::int32_t size = round % 2 == 0 ? 12 : 400'000;
    std::uniform_int_distribution<int> corners(3, 14);
    std::uniform_real_distribution<double> radius(0.3, 1.0);
    Ring ring;
    const int count = corners(random);
    for (int i = 0; i < count; ++i) {
      const double angle = 2 * std::numbers::pi * i / count;
      const double r = radius(random) * size;
      ring.push_back({static_cast<std::int32_t>(std::lround(r * std::sin(angle))),
                      static_cast<std::int32_t>(std::lround(r * std::cos(angle)))});
    }
    if (round % 3 == 0) std::reverse(ring.begin(), ring.end());
    const Polygon polygon{ring, {}};
    std::uniform_int_distribution<std::int32_t> at(-size - 1, size + 1);
    for (int i = 0; i < 200; ++i) {
      GeoPoint p{at(random), at(random)};
      if (i % 20 == 0) p = ring[static_cast<std::size_t>(i / 20) % ring.size()];
      const auto place = by_winding(ring, p);
      inside += place == Place::inside;
      edge += place == Place::edge;
      ASSERT_EQ(contains(polygon, p), place != Place::outside) << round << ": " << p.lat_e7 << "," << p.lon_e7;
    }
  }
  EXPECT_GT(inside, 10'000U);
  EXPECT_GT(edge, 1000U);
}

TEST(DistanceToEdge, HandComputed) {
  const double unit = kDegreeM * 1e-3;  // 111.2 m
  const Polygon town{square(0, 100'000), {square(40'000, 60'000)}};
  EXPECT_NEAR(distance_to_edge_m(town, {20'000, 50'000}), 2 * unit, 0.01);
  EXPECT_NEAR(distance_to_edge_m(town, {35'000, 50'000}), 0.5 * unit, 0.01);
  EXPECT_NEAR(distance_to_edge_m(town, {50'000, 50'000}), 1 * unit, 0.01);  // inside the hole
  EXPECT_NEAR(distance_to_edge_m(town, {-10'000, 50'000}), 1 * unit, 0.01);
  EXPECT_NEAR(distance_to_edge_m(town, {-30'000, -40'000}), 5 * unit, 0.01);  // a corner: 3, 4, 5
  EXPECT_NEAR(distance_to_edge_m(town, {0, 33'333}), 0, 1e-9);
  EXPECT_EQ(distance_to_edge_m(town, {100'000, 100'000}), 0);
  EXPECT_TRUE(std::isinf(distance_to_edge_m({}, {0, 0})));
  EXPECT_NEAR(distance_to_edge_m({{{10'000, 0}}, {}}, {0, 0}), unit, 0.01);
}

TEST(DistanceToEdge, LongitudeShrinksWithLatitude) {
  const Polygon north{{{600'000'000, 0}, {600'000'000, 100'000}, {600'100'000, 100'000}, {600'100'000, 0}}, {}};
  EXPECT_NEAR(distance_to_edge_m(north, {600'050'000, -10'000}), kDegreeM * 1e-3 / 2, 0.1);
}

TEST(Area, HandComputed) {
  const double unit = kDegreeM * 1e-2;
  const Polygon plain{square(-50'000, 50'000), {}};
  EXPECT_NEAR(area_m2(plain), unit * unit, 1);
  EXPECT_NEAR(area_m2({square(-50'000, 50'000), {square(-25'000, 25'000)}}), unit * unit * 0.75, 1);
  const Polygon north{{{600'000'000, 0}, {600'000'000, 100'000}, {600'100'000, 100'000}, {600'100'000, 0}}, {}};
  EXPECT_NEAR(area_m2(north), unit * unit * std::cos(60.005 * std::numbers::pi / 180), 2);
  Ring backwards = plain.outer;
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_DOUBLE_EQ(area_m2({backwards, {}}), area_m2(plain));
  EXPECT_EQ(area_m2({}), 0);
  EXPECT_EQ(area_m2({{{0, 0}, {1, 1}}, {}}), 0);
}

TEST(Simplify, KeepsTheShape) {
  const std::vector<GeoPoint> line{{0, 0}, {1, 10'000}, {-1, 20'000}, {0, 30'000}};
  EXPECT_EQ(simplify(line, 1), (std::vector<GeoPoint>{{0, 0}, {0, 30'000}}));
  EXPECT_EQ(simplify(line, 0), line);
  EXPECT_EQ(simplify(line, -1), line);
  EXPECT_EQ(simplify(line, std::numeric_limits<double>::quiet_NaN()), line);
  // A corner of 111 m is kept at 100 m and goes at 120 m.
  const std::vector<GeoPoint> corner{{0, 0}, {10'000, 50'000}, {0, 100'000}};
  EXPECT_EQ(simplify(corner, 100), corner);
  EXPECT_EQ(simplify(corner, 120), (std::vector<GeoPoint>{{0, 0}, {0, 100'000}}));
  // A loop whose ends meet: the farthest point stays.
  const std::vector<GeoPoint> loop{{0, 0}, {10'000, 0}, {10'000, 10'000}, {0, 0}};
  EXPECT_GE(simplify(loop, 10).size(), 3U);
  EXPECT_TRUE(simplify({}, 5).empty());
  EXPECT_EQ(simplify(std::span(line).first(1), 5).size(), 1U);
}

TEST(Simplify, NothingIsFartherThanTheToleranceAndLongTracksAreFine) {
  std::vector<GeoPoint> track;
  for (int i = 0; i < 20'000; ++i) {
    track.push_back({static_cast<std::int32_t>(50'000 * std::sin(i / 300.0) + (i * 7919) % 100), i * 100});
  }
  constexpr double kTolerance = 5;
  const auto kept = simplify(track, kTolerance);
  EXPECT_LT(kept.size(), track.size() / 10);
  EXPECT_EQ(kept.front(), track.front());
  EXPECT_EQ(kept.back(), track.back());
  for (std::size_t i = 0; i < track.size(); i += 50) {
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k + 1 < kept.size(); ++k) {
      if (track[i].lon_e7 < kept[k].lon_e7 || track[i].lon_e7 > kept[k + 1].lon_e7) continue;
      nearest = std::min(nearest, distance_to_edge_m({{kept[k], kept[k + 1]}, {}}, track[i]));
    }
    ASSERT_LE(nearest, kTolerance * 1.001) << i;
  }
  // Each point is its own corner: the worst case for recursion.
  std::vector<GeoPoint> zigzag;
  for (int i = 0; i < 3000; ++i) zigzag.push_back({i % 2 * 100'000, i * 100});
  EXPECT_EQ(simplify(zigzag, 1), zigzag);
}

TEST(Gcj02, KnownPointAndOutside) {
  // The arithmetic of the published formulas at Tian'anmen, done apart in Python.
  const auto shifted = wgs84_to_gcj02(geo_point(39.9087202, 116.3974799));
  EXPECT_EQ(shifted, (GeoPoint{399'101'237, 1'164'037'235}));
  for (const auto abroad : {geo_point(48.8584, 2.2945), geo_point(-33.8688, 151.2093), geo_point(0, 0)}) {
    EXPECT_EQ(wgs84_to_gcj02(abroad), abroad);
    EXPECT_EQ(gcj02_to_wgs84(abroad), abroad);
  }
}

TEST(Gcj02, BackWithinATenthOfAMetreAllOverChina) {
  double worst = 0;
  double least_shift = std::numeric_limits<double>::infinity();
  for (double lat = 18; lat <= 53.5; lat += 0.37) {
    for (double lon = 73.5; lon <= 135; lon += 0.41) {
      const auto p = geo_point(lat, lon);
      const auto there = wgs84_to_gcj02(p);
      worst = std::max(worst, distance_m(p, gcj02_to_wgs84(there)));
      least_shift = std::min(least_shift, distance_m(p, there));
    }
  }
  EXPECT_LT(worst, 0.1);
  EXPECT_LT(worst, 0.03);  // in fact, the rounding
  EXPECT_GT(least_shift, 10);
}

}  // namespace
}  // namespace gridward
