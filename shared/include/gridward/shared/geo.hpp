// Geometry on the ground at the size of a town. Positions are WGS-84.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gridward {

// 1e-7 degrees: about 1.1 cm of latitude.
struct GeoPoint {
  std::int32_t lat_e7 = 0;
  std::int32_t lon_e7 = 0;
  bool operator==(const GeoPoint&) const = default;
};

inline double lat_deg(GeoPoint p) { return static_cast<double>(p.lat_e7) * 1e-7; }
inline double lon_deg(GeoPoint p) { return static_cast<double>(p.lon_e7) * 1e-7; }
GeoPoint geo_point(double lat_deg, double lon_deg);  // finite; clamped to ±90, ±180; to the nearest 1e-7

double distance_m(GeoPoint a, GeoPoint b);  // haversine on the mean sphere, 6 371 008.8 m
double path_length_m(std::span<const GeoPoint> path);

// One outer ring and its holes; a ring's last point may repeat its first. A point on an edge is inside.
using Ring = std::vector<GeoPoint>;
struct Polygon {
  Ring outer;
  std::vector<Ring> holes;
  bool operator==(const Polygon&) const = default;
};
bool contains(const Polygon& polygon, GeoPoint p);
double distance_to_edge_m(const Polygon& polygon, GeoPoint p);  // 0 or more, inside or outside; infinite without points
double area_m2(const Polygon& polygon);                         // holes taken off

// Ramer, Douglas and Peucker; keeps the first and the last point. tolerance_m of 0 or less keeps all.
std::vector<GeoPoint> simplify(std::span<const GeoPoint> path, double tolerance_m);

// The datum of Chinese maps (GCJ-02) and back; the way back is iterated to under 0.1 m. Outside China: unchanged.
GeoPoint wgs84_to_gcj02(GeoPoint p);
GeoPoint gcj02_to_wgs84(GeoPoint p);

}  // namespace gridward
