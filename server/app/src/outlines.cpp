#include "outlines.hpp"

#include <algorithm>
#include <cmath>

namespace gridward::app {
namespace {

constexpr std::size_t kMostPoints = 5'000;
// Ten degrees. Products of differences then fit 64 bits, so crossings are decided exactly.
constexpr std::int64_t kWidest = 100'000'000;
constexpr double kRoundingM = 0.05;

// Without a last point that repeats the first.
Ring opened(Ring ring) {
  while (ring.size() > 1 && ring.front() == ring.back()) ring.pop_back();
  return ring;
}

std::int64_t cross(GeoPoint o, GeoPoint a, GeoPoint b) {
  const auto ay = std::int64_t{a.lat_e7} - o.lat_e7;
  const auto ax = std::int64_t{a.lon_e7} - o.lon_e7;
  const auto by = std::int64_t{b.lat_e7} - o.lat_e7;
  const auto bx = std::int64_t{b.lon_e7} - o.lon_e7;
  return ax * by - ay * bx;
}
int sign(std::int64_t value) { return value > 0 ? 1 : value < 0 ? -1 : 0; }

bool cross_properly(GeoPoint a, GeoPoint b, GeoPoint c, GeoPoint d) {
  return sign(cross(a, b, c)) * sign(cross(a, b, d)) < 0 && sign(cross(c, d, a)) * sign(cross(c, d, b)) < 0;
}

struct Box {
  std::int32_t south = 0, north = 0, west = 0, east = 0;
};
Box box_of(const Ring& ring) {
  Box box{ring.front().lat_e7, ring.front().lat_e7, ring.front().lon_e7, ring.front().lon_e7};
  for (const auto& p : ring) {
    box.south = std::min(box.south, p.lat_e7);
    box.north = std::max(box.north, p.lat_e7);
    box.west = std::min(box.west, p.lon_e7);
    box.east = std::max(box.east, p.lon_e7);
  }
  return box;
}

std::optional<std::string> ring_problem(const Ring& closed) {
  const auto ring = opened(closed);
  if (ring.size() < 3) return "fewer than three different points";
  if (ring.size() > kMostPoints) {
    return std::to_string(ring.size()) + " points, at most " + std::to_string(kMostPoints);
  }
  const auto box = box_of(ring);
  if (std::int64_t{box.north} - box.south > kWidest || std::int64_t{box.east} - box.west > kWidest) {
    return "wider than ten degrees";
  }
  const auto n = ring.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (ring[i] == ring[(i + 1) % n]) return "point " + std::to_string(i + 1) + " stands twice";
    for (std::size_t j = i + 1; j < n; ++j) {
      if (cross_properly(ring[i], ring[(i + 1) % n], ring[j], ring[(j + 1) % n])) {
        return "edge " + std::to_string(i + 1) + " crosses edge " + std::to_string(j + 1);
      }
    }
  }
  return std::nullopt;
}

bool deep_inside(const Polygon& polygon, GeoPoint p) {
  return contains(polygon, p) && distance_to_edge_m(polygon, p) > kRoundingM;
}

GeoPoint between(GeoPoint a, GeoPoint b, double t) {
  return {static_cast<std::int32_t>(std::lround(a.lat_e7 + t * (double(b.lat_e7) - a.lat_e7))),
          static_cast<std::int32_t>(std::lround(a.lon_e7 + t * (double(b.lon_e7) - a.lon_e7)))};
}

template <class F>
void each_edge(const Polygon& polygon, F&& f) {
  const auto ring_edges = [&](const Ring& closed) {
    const auto ring = opened(closed);
    for (std::size_t i = 0; i < ring.size(); ++i) f(ring[i], ring[(i + 1) % ring.size()]);
  };
  ring_edges(polygon.outer);
  for (const auto& hole : polygon.holes) ring_edges(hole);
}

// Where on ab the edge cd touches it, as parts of ab; none when they do not meet.
void add_touches(GeoPoint a, GeoPoint b, GeoPoint c, GeoPoint d, std::vector<double>& at) {
  const auto along = [&](GeoPoint p) {
    const double y = double(b.lat_e7) - a.lat_e7;
    const double x = double(b.lon_e7) - a.lon_e7;
    return ((double(p.lat_e7) - a.lat_e7) * y + (double(p.lon_e7) - a.lon_e7) * x) / (x * x + y * y);
  };
  const auto of_c = static_cast<double>(cross(a, b, c));
  const auto of_d = static_cast<double>(cross(a, b, d));
  if (of_c == 0 && of_d == 0) {
    at.push_back(along(c));
    at.push_back(along(d));
  } else if (of_c * of_d <= 0) {
    at.push_back(along(between(c, d, of_c / (of_c - of_d))));
  }
}

// Does a part of a's border run through the inside of b? Each edge is cut where b's border meets it; the middle of each
// piece is then either inside, outside or on a shared border.
bool border_runs_inside(const Polygon& a, const Polygon& b) {
  bool inside = false;
  std::vector<double> cuts;
  each_edge(a, [&](GeoPoint p, GeoPoint q) {
    if (inside) return;
    cuts.assign({0.0, 1.0});
    each_edge(b, [&](GeoPoint c, GeoPoint d) { add_touches(p, q, c, d, cuts); });
    std::sort(cuts.begin(), cuts.end());
    for (std::size_t i = 1; i < cuts.size() && !inside; ++i) {
      const double from = std::clamp(cuts[i - 1], 0.0, 1.0);
      const double to = std::clamp(cuts[i], 0.0, 1.0);
      if (to > from) inside = deep_inside(b, between(p, q, (from + to) / 2));
    }
  });
  return inside;
}

// A point well inside: the middle of the widest piece of a line across it, tried at several heights.
std::optional<GeoPoint> inner_point(const Polygon& polygon) {
  const auto box = box_of(polygon.outer);
  std::optional<GeoPoint> best;
  double widest = 0;
  for (int step = 1; step < 16; ++step) {
    const double lat = box.south + (double(box.north) - box.south) * step / 16.0 + 0.5;
    std::vector<double> meets;
    each_edge(polygon, [&](GeoPoint p, GeoPoint q) {
      if ((p.lat_e7 < lat) == (q.lat_e7 < lat)) return;
      meets.push_back(p.lon_e7 + (lat - p.lat_e7) / (double(q.lat_e7) - p.lat_e7) * (double(q.lon_e7) - p.lon_e7));
    });
    std::sort(meets.begin(), meets.end());
    for (std::size_t i = 0; i + 1 < meets.size(); i += 2) {
      if (meets[i + 1] - meets[i] <= widest) continue;
      widest = meets[i + 1] - meets[i];
      best = GeoPoint{static_cast<std::int32_t>(std::lround(lat)),
                      static_cast<std::int32_t>(std::lround((meets[i] + meets[i + 1]) / 2))};
    }
  }
  return best;
}

}  // namespace

std::optional<std::string> outline_problem(const Polygon& polygon) {
  if (auto problem = ring_problem(polygon.outer)) return problem;
  const Polygon outer{polygon.outer, {}};
  for (const auto& hole : polygon.holes) {
    if (auto problem = ring_problem(hole)) return "a hole: " + *problem;
    if (!std::all_of(hole.begin(), hole.end(), [&](GeoPoint p) { return contains(outer, p); })) {
      return "a hole lies outside";
    }
  }
  if (area_m2(polygon) < 1.0) return "less than one square metre";
  return std::nullopt;
}

bool outlines_overlap(const Polygon& a, const Polygon& b) {
  const auto x = box_of(a.outer);
  const auto y = box_of(b.outer);
  if (x.south > y.north || y.south > x.north || x.west > y.east || y.west > x.east) return false;
  if (border_runs_inside(a, b) || border_runs_inside(b, a)) return true;
  // No border runs through the other: apart, side by side, or the same region.
  const auto p = inner_point(a);
  const auto q = inner_point(b);
  return (p && deep_inside(b, *p)) || (q && deep_inside(a, *q));
}

}  // namespace gridward::app
