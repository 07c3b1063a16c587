#include <algorithm>
#include <cmath>
#include <gridward_sim/walk.hpp>
#include <numbers>

namespace gridward::sim {
namespace {

constexpr double kMetresPerDegree = 6'371'008.8 * std::numbers::pi / 180;
constexpr double kStepS = 1.0;
constexpr double kMarginM = 8;        // a member keeps this far from the border when there is room
constexpr double kErrorMemoryS = 60;  // how long a receiver's slow error stays alike
constexpr double kSkyMemoryS = 40;

GeoPoint offset(GeoPoint from, double north_m, double east_m) {
  const double lat = lat_deg(from) + north_m / kMetresPerDegree;
  const double lon = lon_deg(from) + east_m / (kMetresPerDegree * std::cos(lat_deg(from) * std::numbers::pi / 180));
  return geo_point(lat, lon);
}

double bearing(GeoPoint from, GeoPoint to) {
  const double north = lat_deg(to) - lat_deg(from);
  const double east = (lon_deg(to) - lon_deg(from)) * std::cos(lat_deg(from) * std::numbers::pi / 180);
  return std::atan2(east, north);
}

}  // namespace

Walk::Walk(Polygon grid, WalkOptions options, std::uint64_t seed)
    : grid_(std::move(grid)), options_(options), random_(seed) {
  auto low = grid_.outer.front();
  auto high = low;
  for (const auto& p : grid_.outer) {
    low = {std::min(low.lat_e7, p.lat_e7), std::min(low.lon_e7, p.lon_e7)};
    high = {std::max(high.lat_e7, p.lat_e7), std::max(high.lon_e7, p.lon_e7)};
  }
  // The deepest of some tries is home, the last good one the start; a sliver falls back to a corner.
  double deepest = -1;
  at_ = home_ = grid_.outer.front();
  for (int i = 0; i < 400; ++i) {
    const GeoPoint p{static_cast<std::int32_t>(random_.between(low.lat_e7, high.lat_e7)),
                     static_cast<std::int32_t>(random_.between(low.lon_e7, high.lon_e7))};
    if (!contains(grid_, p)) continue;
    const double depth = distance_to_edge_m(grid_, p);
    if (depth > deepest) {
      deepest = depth;
      home_ = p;
    }
    if (depth > 3 * kMarginM || deepest < 3 * kMarginM) at_ = p;
  }
  heading_ = random_.between(0, 2 * std::numbers::pi);
  bias_north_m_ = random_.normal() * options_.receiver_error_m;
  bias_east_m_ = random_.normal() * options_.receiver_error_m;
}

GeoPoint Walk::moved(double metres, double heading) const {
  return offset(at_, metres * std::cos(heading), metres * std::sin(heading));
}

void Walk::advance(double seconds) {
  while (seconds > 0) {
    const double dt = std::min(seconds, kStepS);
    seconds -= dt;
    if (target_) {
      const double left = distance_m(at_, *target_);
      const double step = options_.travel_mps * dt;
      if (left <= step) {
        at_ = *target_;
        target_.reset();
      } else {
        at_ = moved(step, bearing(at_, *target_));
      }
    } else {
      heading_ += random_.normal() * 0.25 * std::sqrt(dt);
      // People stop to look.
      const double pace = random_.chance(0.1) ? 0 : options_.speed_mps * random_.between(0.7, 1.2);
      auto next = moved(pace * dt, heading_);
      const bool closer = distance_to_edge_m(grid_, next) < kMarginM &&
                          distance_to_edge_m(grid_, next) < distance_to_edge_m(grid_, at_);
      if (!contains(grid_, next) || closer) {
        heading_ = bearing(at_, home_) + random_.between(-0.6, 0.6);
        next = moved(pace * dt, heading_);
      }
      // A border with a notch can still be in the way; then the member waits and turns again.
      if (contains(grid_, next) || !contains(grid_, at_)) at_ = next;
    }
    const double keep = std::exp(-dt / kErrorMemoryS);
    const double fresh = std::sqrt(1 - keep * keep) * options_.receiver_error_m * (bad_sky_ ? 3 : 1);
    bias_north_m_ = bias_north_m_ * keep + random_.normal() * fresh;
    bias_east_m_ = bias_east_m_ * keep + random_.normal() * fresh;
    if (random_.chance(dt / kSkyMemoryS)) bad_sky_ = random_.chance(options_.bad_sky);
  }
}

Reading Walk::reading() {
  const double fast = options_.receiver_error_m / 4;
  Reading reading;
  reading.point = offset(at_, bias_north_m_ + random_.normal() * fast, bias_east_m_ + random_.normal() * fast);
  // Receivers are fairly honest about themselves, not exactly.
  const double believed = options_.receiver_error_m * (bad_sky_ ? 3 : 1) * random_.between(0.8, 1.4);
  reading.accuracy_cm = static_cast<std::uint32_t>(std::max(50.0, believed * 100));
  return reading;
}

}  // namespace gridward::sim
