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

constexpr double kLaneMinM = 40;
constexpr double kLaneMaxM = 250;
constexpr int kLanesAcross = 7;       // when they lie in these limits
constexpr int kMostLanes = 20;        // each way
constexpr double kLookM = 5;          // how closely a lane is looked at
constexpr double kLogGapMs = 10'000;  // longer without a fix: the receiver had lost its satellites

// Also a little to each side.
bool well_inside(const Polygon& grid, GeoPoint p) {
  return contains(grid, p) && contains(grid, offset(p, kMarginM, 0)) && contains(grid, offset(p, -kMarginM, 0)) &&
         contains(grid, offset(p, 0, kMarginM)) && contains(grid, offset(p, 0, -kMarginM));
}

std::uint64_t seed_of(const Polygon& grid) {
  std::uint64_t seed = grid.outer.size();
  for (const auto& p : grid.outer) {
    seed = Random(seed ^ static_cast<std::uint32_t>(p.lat_e7)).next();
    seed = Random(seed ^ static_cast<std::uint32_t>(p.lon_e7)).next();
  }
  return seed;
}

// Where lanes lie in one direction, from `low` to `high` metres.
std::vector<double> lane_places(Random& random, double low, double high) {
  const double apart = std::clamp((high - low) / kLanesAcross, kLaneMinM, kLaneMaxM);
  std::vector<double> places;
  for (double at = low + apart * random.between(0.2, 0.8); at < high && places.size() < kMostLanes;
       at += apart * random.between(0.7, 1.3)) {
    places.push_back(at);
  }
  return places;
}

// The largest part of it that hangs together.
Lanes connected(const Lanes& lanes) {
  std::vector<int> part(lanes.crossings.size(), -1);
  std::vector<std::size_t> largest;
  for (std::size_t first = 0; first < part.size(); ++first) {
    if (part[first] >= 0) continue;
    std::vector<std::size_t> members{first};
    part[first] = static_cast<int>(first);
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (const auto other : lanes.next[members[i]]) {
        if (part[other] >= 0) continue;
        part[other] = static_cast<int>(first);
        members.push_back(other);
      }
    }
    if (members.size() > largest.size()) largest = std::move(members);
  }
  if (largest.size() < 2) return {};
  std::sort(largest.begin(), largest.end());
  Lanes result;
  for (const auto member : largest) {
    result.crossings.push_back(lanes.crossings[member]);
    auto& next = result.next.emplace_back();
    for (const auto other : lanes.next[member]) {
      next.push_back(
          static_cast<std::size_t>(std::lower_bound(largest.begin(), largest.end(), other) - largest.begin()));
    }
  }
  return result;
}

}  // namespace

GeoPoint deep_inside(const Polygon& grid) {
  auto low = grid.outer.front();
  auto high = low;
  for (const auto& p : grid.outer) {
    low = {std::min(low.lat_e7, p.lat_e7), std::min(low.lon_e7, p.lon_e7)};
    high = {std::max(high.lat_e7, p.lat_e7), std::max(high.lon_e7, p.lon_e7)};
  }
  Random random(seed_of(grid), 1);
  double deepest = -1;
  auto place = grid.outer.front();
  for (int i = 0; i < 200; ++i) {
    const GeoPoint p{static_cast<std::int32_t>(random.between(low.lat_e7, high.lat_e7)),
                     static_cast<std::int32_t>(random.between(low.lon_e7, high.lon_e7))};
    if (!contains(grid, p)) continue;
    if (const double depth = distance_to_edge_m(grid, p); depth > deepest) {
      deepest = depth;
      place = p;
    }
  }
  return place;
}

Lanes draw_lanes(const Polygon& grid) {
  Random random(seed_of(grid), 2);
  // Metres along the lanes and across them, from one corner.
  const auto origin = grid.outer.front();
  const double angle = random.between(0, std::numbers::pi / 2);
  const auto place = [&](double along, double across) {
    return offset(origin, along * std::cos(angle) - across * std::sin(angle),
                  along * std::sin(angle) + across * std::cos(angle));
  };
  double low[2] = {0, 0};
  double high[2] = {0, 0};
  for (const auto& p : grid.outer) {
    const double north = (lat_deg(p) - lat_deg(origin)) * kMetresPerDegree;
    const double east =
        (lon_deg(p) - lon_deg(origin)) * kMetresPerDegree * std::cos(lat_deg(origin) * std::numbers::pi / 180);
    const double way[2] = {north * std::cos(angle) + east * std::sin(angle),
                           east * std::cos(angle) - north * std::sin(angle)};
    for (int i = 0; i < 2; ++i) {
      low[i] = std::min(low[i], way[i]);
      high[i] = std::max(high[i], way[i]);
    }
  }
  const auto crossing = lane_places(random, low[0], high[0]);
  const auto lanes = lane_places(random, low[1], high[1]);

  const auto open = [&](double along_a, double across_a, double along_b, double across_b) {
    const double length = std::hypot(along_b - along_a, across_b - across_a);
    const int looks = static_cast<int>(length / kLookM) + 1;
    for (int i = 0; i <= looks; ++i) {
      const double t = static_cast<double>(i) / looks;
      if (!well_inside(grid, place(along_a + t * (along_b - along_a), across_a + t * (across_b - across_a))))
        return false;
    }
    return true;
  };
  Lanes all;
  const auto number = [&](std::size_t i, std::size_t j) { return i * crossing.size() + j; };
  all.next.resize(lanes.size() * crossing.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    for (std::size_t j = 0; j < crossing.size(); ++j) {
      all.crossings.push_back(place(crossing[j], lanes[i]));
      const auto link = [&](std::size_t other_i, std::size_t other_j) {
        if (!open(crossing[other_j], lanes[other_i], crossing[j], lanes[i])) return;
        all.next[number(i, j)].push_back(number(other_i, other_j));
        all.next[number(other_i, other_j)].push_back(number(i, j));
      };
      if (i > 0) link(i - 1, j);
      if (j > 0) link(i, j - 1);
    }
  }
  return connected(all);
}

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
  if (options_.kind == WalkKind::lanes) {
    lanes_ = draw_lanes(grid_);
    if (!lanes_.crossings.empty()) {
      from_ = to_ = static_cast<std::size_t>(random_.below(static_cast<int>(lanes_.crossings.size())));
      at_ = lanes_.crossings[from_];
      choose_crossing();
    }
  } else if (options_.kind == WalkKind::log) {
    // Members who share a log are not all at the same place of it.
    log_ms_ = random_.unit() * 2 * static_cast<double>(options_.log->back().at_ms);
    at_ = fix_now().point;
  }
}

GeoPoint Walk::moved(double metres, double heading) const {
  return offset(at_, metres * std::cos(heading), metres * std::sin(heading));
}

bool Walk::towards(GeoPoint place, double metres) {
  const bool there = distance_m(at_, place) <= metres;
  at_ = there ? place : moved(metres, bearing(at_, place));
  return there;
}

void Walk::wander(double dt) {
  heading_ += random_.normal() * 0.25 * std::sqrt(dt);
  // People stop to look.
  const double pace = random_.chance(0.1) ? 0 : options_.speed_mps * random_.between(0.7, 1.2);
  auto next = moved(pace * dt, heading_);
  const bool closer =
      distance_to_edge_m(grid_, next) < kMarginM && distance_to_edge_m(grid_, next) < distance_to_edge_m(grid_, at_);
  if (!contains(grid_, next) || closer) {
    heading_ = bearing(at_, home_) + random_.between(-0.6, 0.6);
    next = moved(pace * dt, heading_);
  }
  // A border with a notch can still be in the way; then the member waits and turns again.
  if (contains(grid_, next) || !contains(grid_, at_)) at_ = next;
}

void Walk::choose_crossing() {
  const auto& next = lanes_.next[to_];
  auto chosen = next[static_cast<std::size_t>(random_.below(static_cast<int>(next.size())))];
  // Back only where the lane ends, or now and then.
  for (int i = 0; chosen == from_ && next.size() > 1 && i < 4; ++i) {
    chosen = next[static_cast<std::size_t>(random_.below(static_cast<int>(next.size())))];
  }
  from_ = to_;
  to_ = chosen;
}

void Walk::along_lanes(double metres) {
  const double left = distance_m(at_, lanes_.crossings[to_]);
  if (!towards(lanes_.crossings[to_], metres)) return;
  choose_crossing();
  towards(lanes_.crossings[to_], metres - left);
}

const LogFix& Walk::fix_now() const {
  const auto& log = *options_.log;
  const auto end = static_cast<double>(log.back().at_ms);
  const double at = log_ms_ <= end ? log_ms_ : 2 * end - log_ms_;
  const auto after = std::upper_bound(log.begin(), log.end(), at,
                                      [](double ms, const LogFix& fix) { return ms < static_cast<double>(fix.at_ms); });
  return after == log.begin() ? log.front() : *(after - 1);
}

void Walk::advance(double seconds) {
  const bool logged = options_.kind == WalkKind::log;
  while (seconds > 0) {
    const double dt = std::min(seconds, kStepS);
    seconds -= dt;
    if (logged) log_ms_ = std::fmod(log_ms_ + dt * 1000, 2 * static_cast<double>(options_.log->back().at_ms));
    if (target_) {
      if (towards(*target_, options_.travel_mps * dt)) {
        target_.reset();
        rejoining_ = logged || !lanes_.crossings.empty();
        const auto nearer = [&](GeoPoint a, GeoPoint b) { return distance_m(at_, a) < distance_m(at_, b); };
        const auto nearest = std::min_element(lanes_.crossings.begin(), lanes_.crossings.end(), nearer);
        from_ = to_ = static_cast<std::size_t>(nearest - lanes_.crossings.begin());
      }
    } else if (rejoining_) {
      if (towards(logged ? fix_now().point : lanes_.crossings[to_], options_.travel_mps * dt)) rejoining_ = false;
    } else if (logged) {
      at_ = fix_now().point;
    } else if (!lanes_.crossings.empty()) {
      along_lanes(random_.chance(0.1) ? 0 : options_.speed_mps * random_.between(0.7, 1.2) * dt);
    } else {
      wander(dt);
    }
    const double keep = std::exp(-dt / kErrorMemoryS);
    const double fresh = std::sqrt(1 - keep * keep) * options_.receiver_error_m * (bad_sky_ ? 3 : 1);
    bias_north_m_ = bias_north_m_ * keep + random_.normal() * fresh;
    bias_east_m_ = bias_east_m_ * keep + random_.normal() * fresh;
    if (random_.chance(dt / kSkyMemoryS)) bad_sky_ = random_.chance(options_.bad_sky);
  }
}

Reading Walk::reading() {
  if (options_.kind == WalkKind::log && !target_ && !rejoining_) {
    // Its error is in it already.
    const auto& fix = fix_now();
    const auto end = static_cast<double>(options_.log->back().at_ms);
    const double at = log_ms_ <= end ? log_ms_ : 2 * end - log_ms_;
    const double accuracy = fix.accuracy_m > 0 ? fix.accuracy_m : options_.receiver_error_m;
    return {fix.point, static_cast<std::uint32_t>(std::max(50.0, accuracy * 100)),
            at - static_cast<double>(fix.at_ms) <= kLogGapMs};
  }
  const double fast = options_.receiver_error_m / 4;
  Reading reading;
  reading.point = offset(at_, bias_north_m_ + random_.normal() * fast, bias_east_m_ + random_.normal() * fast);
  // Receivers are fairly honest about themselves, not exactly.
  const double believed = options_.receiver_error_m * (bad_sky_ ? 3 : 1) * random_.between(0.8, 1.4);
  reading.accuracy_cm = static_cast<std::uint32_t>(std::max(50.0, believed * 100));
  return reading;
}

}  // namespace gridward::sim
