// A member on foot inside the own grid, and what a receiver says about it. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <gridward/shared/geo.hpp>
#include <gridward/sim/nmea.hpp>
#include <gridward_sim/random.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace gridward::sim {

enum class WalkKind {
  random,  // correlated: nobody turns at every step
  lanes,   // up and down the lanes of the grid, which are the same for everybody in it
  log      // where a receiver was, there and back
};

struct WalkOptions {
  WalkKind kind = WalkKind::random;
  std::shared_ptr<const std::vector<LogFix>> log;  // of WalkKind::log: two or more, already in the grid
  double speed_mps = 1.2;
  double travel_mps = 8.0;        // on the way to a task, by electric bicycle
  double receiver_error_m = 3.5;  // one sigma of the slow part; there is a fast part of a quarter of it
  double bad_sky = 0.05;          // share of the time between high walls: errors three times as large
};

struct Reading {
  GeoPoint point;
  std::uint32_t accuracy_cm = 0;  // what the receiver believes, one sigma
  bool known = true;              // false: the receiver of the log had no fix for a while
};

// A place far from the border, the same for the same polygon.
GeoPoint deep_inside(const Polygon& grid);

// Parallel lanes and those that cross them, as far as they lie inside. Made from the polygon alone.
struct Lanes {
  std::vector<GeoPoint> crossings;
  std::vector<std::vector<std::size_t>> next;  // for each crossing, those that a lane leads to
};
Lanes draw_lanes(const Polygon& grid);  // empty when there is no room for any

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
  bool towards(GeoPoint place, double metres);  // true: there
  void wander(double dt);
  void along_lanes(double metres);
  const LogFix& fix_now() const;
  void choose_crossing();

  Polygon grid_;
  WalkOptions options_;
  Random random_;
  GeoPoint at_;
  GeoPoint home_;  // deep inside: where a step that would leave turns to
  double heading_ = 0;
  std::optional<GeoPoint> target_;
  bool rejoining_ = false;  // back from a task, to the lane or to where the log is by now
  Lanes lanes_;
  std::size_t from_ = 0;
  std::size_t to_ = 0;
  double log_ms_ = 0;  // there and back
  double bias_north_m_ = 0;
  double bias_east_m_ = 0;
  bool bad_sky_ = false;
};

}  // namespace gridward::sim
