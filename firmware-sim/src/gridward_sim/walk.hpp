// A member on foot inside the own grid, and what a receiver says about it. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <gridward/shared/geo.hpp>
#include <gridward_sim/random.hpp>
#include <optional>

namespace gridward::sim {

struct WalkOptions {
  double speed_mps = 1.2;
  double travel_mps = 8.0;        // on the way to a task, by electric bicycle
  double receiver_error_m = 3.5;  // one sigma of the slow part; there is a fast part of a quarter of it
  double bad_sky = 0.05;          // share of the time between high walls: errors three times as large
};

struct Reading {
  GeoPoint point;
  std::uint32_t accuracy_cm = 0;  // what the receiver believes, one sigma
};

class Walk {
 public:
  // grid: in WGS-84, of more than a point. Begins somewhere inside.
  Walk(Polygon grid, WalkOptions options, std::uint64_t seed);

  void advance(double seconds);
  // Straight there; a place outside the grid is allowed, a task may lie on the edge.
  void go_to(GeoPoint place) { target_ = place; }
  bool arrived() const { return !target_; }
  GeoPoint truth() const { return at_; }
  Reading reading();

 private:
  GeoPoint moved(double metres, double heading) const;

  Polygon grid_;
  WalkOptions options_;
  Random random_;
  GeoPoint at_;
  GeoPoint home_;  // deep inside: where a step that would leave turns to
  double heading_ = 0;
  std::optional<GeoPoint> target_;
  double bias_north_m_ = 0;
  double bias_east_m_ = 0;
  bool bad_sky_ = false;
};

}  // namespace gridward::sim
