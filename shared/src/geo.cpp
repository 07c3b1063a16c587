#include <algorithm>
#include <cassert>
#include <cmath>
#include <gridward/shared/geo.hpp>
#include <limits>
#include <numbers>
#include <utility>

namespace gridward {
namespace {

constexpr double kEarthRadiusM = 6'371'008.8;
constexpr double kRadiansPerE7 = std::numbers::pi / 180.0 * 1e-7;

// A cross product of e7 differences needs 65 bits.
__extension__ using Wide = __int128;

// > 0: p is left of a→b (x = longitude, y = latitude); 0: on the line. Exact.
Wide cross(GeoPoint a, GeoPoint b, GeoPoint p) {
  const auto dx = static_cast<Wide>(b.lon_e7) - a.lon_e7;
  const auto dy = static_cast<Wide>(b.lat_e7) - a.lat_e7;
  return dx * (static_cast<Wide>(p.lat_e7) - a.lat_e7) - dy * (static_cast<Wide>(p.lon_e7) - a.lon_e7);
}

bool between(std::int32_t value, std::int32_t a, std::int32_t b) {
  return value >= std::min(a, b) && value <= std::max(a, b);
}

enum class Side { outside, edge, inside };

Side side_of(const Ring& ring, GeoPoint p) {
  bool inside = false;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const GeoPoint a = ring[i];
    const GeoPoint b = ring[i + 1 == ring.size() ? 0 : i + 1];
    const Wide turn = cross(a, b, p);
    if (turn == 0 && between(p.lat_e7, a.lat_e7, b.lat_e7) && between(p.lon_e7, a.lon_e7, b.lon_e7)) return Side::edge;
    // Half-open in latitude, so that a vertex on the ray is counted with one of its two edges.
    if ((a.lat_e7 > p.lat_e7) != (b.lat_e7 > p.lat_e7) && (turn > 0) == (b.lat_e7 > a.lat_e7)) inside = !inside;
  }
  return inside ? Side::inside : Side::outside;
}

struct Metres {
  double x = 0;
  double y = 0;
};

// Equirectangular around an origin: good to a few centimetres over the ten kilometres of a town.
class LocalPlane {
 public:
  explicit LocalPlane(GeoPoint origin)
      : origin_(origin), metres_per_lon_(kEarthRadiusM * kRadiansPerE7 * std::cos(origin.lat_e7 * kRadiansPerE7)) {}

  Metres project(GeoPoint p) const {
    return {(static_cast<double>(p.lon_e7) - origin_.lon_e7) * metres_per_lon_,
            (static_cast<double>(p.lat_e7) - origin_.lat_e7) * kEarthRadiusM * kRadiansPerE7};
  }

 private:
  GeoPoint origin_;
  double metres_per_lon_;
};

double distance_to_segment(Metres p, Metres a, Metres b) {
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double length2 = dx * dx + dy * dy;
  const double along = length2 == 0 ? 0 : std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0.0, 1.0);
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

double distance_to_ring(const Ring& ring, const LocalPlane& plane, Metres p) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const auto& next = ring[i + 1 == ring.size() ? 0 : i + 1];
    nearest = std::min(nearest, distance_to_segment(p, plane.project(ring[i]), plane.project(next)));
  }
  return nearest;
}

// Shoelace on the equal-area cylinder, so the size of the ring does not matter.
double ring_area_m2(const Ring& ring) {
  double twice = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const auto& a = ring[i];
    const auto& b = ring[i + 1 == ring.size() ? 0 : i + 1];
    twice += (static_cast<double>(b.lon_e7) - a.lon_e7) * kRadiansPerE7 *
             (std::sin(a.lat_e7 * kRadiansPerE7) + std::sin(b.lat_e7 * kRadiansPerE7));
  }
  return std::abs(twice) / 2 * kEarthRadiusM * kEarthRadiusM;
}

struct Degrees {
  double lat = 0;
  double lon = 0;
};

bool outside_china(Degrees p) { return p.lon < 72.004 || p.lon > 137.8347 || p.lat < 0.8293 || p.lat > 55.8271; }

// The published constants of the GCJ-02 obfuscation, on the Krasovsky ellipsoid.
Degrees gcj02_offset(Degrees p) {
  using std::numbers::pi;
  constexpr double kAxis = 6'378'245.0;
  constexpr double kEccentricity2 = 0.006'693'421'622'965'943;
  const double x = p.lon - 105.0;
  const double y = p.lat - 35.0;
  const double common = 20.0 * std::sin(6 * x * pi) + 20.0 * std::sin(2 * x * pi);
  const double north = -100.0 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * std::sqrt(std::abs(x)) +
                       (common + 20.0 * std::sin(y * pi) + 40.0 * std::sin(y / 3 * pi) + 160.0 * std::sin(y / 12 * pi) +
                        320.0 * std::sin(y * pi / 30)) *
                           2.0 / 3.0;
  const double east = 300.0 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * std::sqrt(std::abs(x)) +
                      (common + 20.0 * std::sin(x * pi) + 40.0 * std::sin(x / 3 * pi) + 150.0 * std::sin(x / 12 * pi) +
                       300.0 * std::sin(x / 30 * pi)) *
                          2.0 / 3.0;
  const double phi = p.lat / 180.0 * pi;
  const double w2 = 1 - kEccentricity2 * std::sin(phi) * std::sin(phi);
  const double w = std::sqrt(w2);
  return {north * 180.0 / (kAxis * (1 - kEccentricity2) / (w2 * w) * pi),
          east * 180.0 / (kAxis / w * std::cos(phi) * pi)};
}

std::int32_t to_e7(double degrees, double limit) {
  assert(std::isfinite(degrees));
  return static_cast<std::int32_t>(std::lround(std::clamp(degrees, -limit, limit) * 1e7));
}

}  // namespace

GeoPoint geo_point(double lat_deg, double lon_deg) { return {to_e7(lat_deg, 90), to_e7(lon_deg, 180)}; }

double distance_m(GeoPoint a, GeoPoint b) {
  const double lat = (static_cast<double>(b.lat_e7) - a.lat_e7) * kRadiansPerE7;
  const double lon = (static_cast<double>(b.lon_e7) - a.lon_e7) * kRadiansPerE7;
  const double sin_lat = std::sin(lat / 2);
  const double sin_lon = std::sin(lon / 2);
  const double h =
      sin_lat * sin_lat + std::cos(a.lat_e7 * kRadiansPerE7) * std::cos(b.lat_e7 * kRadiansPerE7) * sin_lon * sin_lon;
  return 2 * kEarthRadiusM * std::asin(std::sqrt(std::min(1.0, h)));
}

double path_length_m(std::span<const GeoPoint> path) {
  double length = 0;
  for (std::size_t i = 1; i < path.size(); ++i) length += distance_m(path[i - 1], path[i]);
  return length;
}

bool contains(const Polygon& polygon, GeoPoint p) {
  const Side outer = side_of(polygon.outer, p);
  if (outer != Side::inside) return outer == Side::edge;
  return std::ranges::none_of(polygon.holes, [&](const Ring& hole) { return side_of(hole, p) == Side::inside; });
}

double distance_to_edge_m(const Polygon& polygon, GeoPoint p) {
  const LocalPlane plane(p);
  double nearest = distance_to_ring(polygon.outer, plane, {});
  for (const auto& hole : polygon.holes) nearest = std::min(nearest, distance_to_ring(hole, plane, {}));
  return nearest;
}

double area_m2(const Polygon& polygon) {
  double area = ring_area_m2(polygon.outer);
  for (const auto& hole : polygon.holes) area -= ring_area_m2(hole);
  return std::max(0.0, area);
}

std::vector<GeoPoint> simplify(std::span<const GeoPoint> path, double tolerance_m) {
  if (path.size() < 3 || !(tolerance_m > 0)) return {path.begin(), path.end()};
  const LocalPlane plane(path.front());
  std::vector<Metres> flat;
  flat.reserve(path.size());
  for (const auto p : path) flat.push_back(plane.project(p));
  std::vector<bool> keep(path.size(), false);
  keep.front() = keep.back() = true;
  // A stack of our own: a long track must not become deep recursion.
  std::vector<std::pair<std::size_t, std::size_t>> spans{{0, path.size() - 1}};
  while (!spans.empty()) {
    const auto [first, last] = spans.back();
    spans.pop_back();
    double farthest = tolerance_m;
    std::size_t split = first;
    for (std::size_t i = first + 1; i < last; ++i) {
      const double away = distance_to_segment(flat[i], flat[first], flat[last]);
      if (away > farthest) {
        farthest = away;
        split = i;
      }
    }
    if (split == first) continue;
    keep[split] = true;
    spans.emplace_back(first, split);
    spans.emplace_back(split, last);
  }
  std::vector<GeoPoint> kept;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (keep[i]) kept.push_back(path[i]);
  }
  return kept;
}

GeoPoint wgs84_to_gcj02(GeoPoint p) {
  const Degrees from{lat_deg(p), lon_deg(p)};
  if (outside_china(from)) return p;
  const auto offset = gcj02_offset(from);
  return geo_point(from.lat + offset.lat, from.lon + offset.lon);
}

GeoPoint gcj02_to_wgs84(GeoPoint p) {
  const Degrees to{lat_deg(p), lon_deg(p)};
  if (outside_china(to)) return p;
  // The offset changes so slowly that the fixed point is reached in a handful of steps.
  constexpr double kEnough = 1e-9;  // degrees: 0.1 mm
  Degrees from = to;
  for (int i = 0; i < 30; ++i) {
    const auto offset = gcj02_offset(from);
    const Degrees next{to.lat - offset.lat, to.lon - offset.lon};
    const bool settled = std::abs(next.lat - from.lat) < kEnough && std::abs(next.lon - from.lon) < kEnough;
    from = next;
    if (settled) break;
  }
  return geo_point(from.lat, from.lon);
}

}  // namespace gridward
