#include <algorithm>
#include <array>
#include <cmath>
#include <gridward/sim/nmea.hpp>
#include <numbers>
#include <span>

#include "sentence.hpp"

namespace gridward::sim {
namespace {

using Fields = std::vector<std::string_view>;

constexpr double kRadians = std::numbers::pi / 180.0;
constexpr double kEarthRadiusM = 6'371'008.8;  // of distance_m()
constexpr double kPlaceholderM = 100'000.0;
constexpr std::size_t kPlaceDecimals = 6;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kBackMs = 3'600'000;  // a step back up to this is a step back, not the next day
constexpr std::int64_t kMaxDays = 7;

// Where a sentence keeps what has to be changed; 0 says that it has none.
struct Layout {
  std::string_view type;
  std::size_t fields;  // at least, with the address
  std::size_t clock;
  std::size_t place;  // latitude, N or S, longitude, E or W
  std::size_t ddmmyy;
  std::size_t date;  // day, month, year
  std::size_t variation;
};
constexpr std::array kLayouts{
    Layout{.type = "RMC", .fields = 10, .clock = 1, .place = 3, .ddmmyy = 9, .date = 0, .variation = 10},
    Layout{.type = "GGA", .fields = 10, .clock = 1, .place = 2, .ddmmyy = 0, .date = 0, .variation = 0},
    Layout{.type = "GLL", .fields = 5, .clock = 5, .place = 1, .ddmmyy = 0, .date = 0, .variation = 0},
    Layout{.type = "GNS", .fields = 7, .clock = 1, .place = 2, .ddmmyy = 0, .date = 0, .variation = 0},
    Layout{.type = "ZDA", .fields = 5, .clock = 1, .place = 0, .ddmmyy = 0, .date = 2, .variation = 0},
    Layout{.type = "GST", .fields = 3, .clock = 1, .place = 0, .ddmmyy = 0, .date = 0, .variation = 0},
    Layout{.type = "GBS", .fields = 3, .clock = 1, .place = 0, .ddmmyy = 0, .date = 0, .variation = 0},
    Layout{.type = "GRS", .fields = 3, .clock = 1, .place = 0, .ddmmyy = 0, .date = 0, .variation = 0},
};

constexpr std::array<std::string_view, 16> kOldPlace{"AAM", "APB", "BEC", "BOD", "BWC", "BWR", "DTM", "GTD",
                                                     "RMA", "RMB", "RTE", "WCV", "WNC", "WPL", "XTE", "ZTG"};
constexpr std::array<std::string_view, 3> kOldPlaceMakers{"PUBX", "PASHR", "PTNL"};

struct Place {
  double lat;
  double lon;
};

struct Vector {
  double x, y, z;
};

// The turn of the sphere that takes one place to another and keeps north there.
class Turn {
 public:
  Turn(Place from, Place to) : from_(axes(from)), to_(axes(to)) {}
  Place operator()(Place place) const {
    const Vector v = axes(place)[0];
    std::array<double, 3> along{};
    for (std::size_t i = 0; i < 3; ++i) along[i] = v.x * from_[i].x + v.y * from_[i].y + v.z * from_[i].z;
    Vector w{0, 0, 0};
    for (std::size_t i = 0; i < 3; ++i) {
      w.x += along[i] * to_[i].x;
      w.y += along[i] * to_[i].y;
      w.z += along[i] * to_[i].z;
    }
    return {std::atan2(w.z, std::hypot(w.x, w.y)) / kRadians, std::atan2(w.y, w.x) / kRadians};
  }

 private:
  using Axes = std::array<Vector, 3>;  // up, east, north
  static Axes axes(Place place) {
    const double sin_lat = std::sin(place.lat * kRadians);
    const double cos_lat = std::cos(place.lat * kRadians);
    const double sin_lon = std::sin(place.lon * kRadians);
    const double cos_lon = std::cos(place.lon * kRadians);
    return {Vector{cos_lat * cos_lon, cos_lat * sin_lon, sin_lat}, Vector{-sin_lon, cos_lon, 0},
            Vector{-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat}};
  }
  Axes from_;
  Axes to_;
};

double distance(Place a, Place b) {
  const double lat = std::sin((b.lat - a.lat) * kRadians / 2);
  const double lon = std::sin((b.lon - a.lon) * kRadians / 2);
  const double h = lat * lat + std::cos(a.lat * kRadians) * std::cos(b.lat * kRadians) * lon * lon;
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(h)));
}

// One line of time through the log, from clocks that mostly come without a date.
class Timeline {
 public:
  // The milliseconds since the first clock of the log.
  std::int64_t advance(std::int64_t clock_ms, std::optional<std::chrono::sys_days> date, bool fixed) {
    if (last_clock_) {
      std::int64_t step = clock_ms - *last_clock_;
      if (step < -kBackMs) step += kDayMs;
      if (step >= kDayMs - kBackMs) step -= kDayMs;
      now_ += step;
    }
    last_clock_ = clock_ms;
    // Without a fix a receiver's date is a guess that it will correct by years.
    if (date && fixed) {
      const std::int64_t absolute = to_unix_ms(UnixMs{*date}) + clock_ms;
      if (dated_) {
        const std::int64_t days = ((absolute - dated_->absolute) - (now_ - dated_->now)) / kDayMs;
        // The date came late after midnight: the next one will be right.
        if (days == -1) return now_;
        if (days > 0 && days <= kMaxDays) now_ += days * kDayMs;
      }
      dated_ = Dated{absolute, now_};
    }
    return now_;
  }
  std::int64_t now() const { return now_; }

 private:
  struct Dated {
    std::int64_t absolute;
    std::int64_t now;
  };
  std::optional<std::int64_t> last_clock_;
  std::optional<Dated> dated_;
  std::int64_t now_ = 0;
};

std::string_view type_of(std::string_view address) { return address.substr(2); }

const Layout* layout_of(const Fields& fields) {
  if (fields[0].size() != 5 || fields[0][0] == 'P') return nullptr;
  const auto type = type_of(fields[0]);
  const auto found = std::find_if(kLayouts.begin(), kLayouts.end(), [&](const Layout& l) { return l.type == type; });
  return found == kLayouts.end() ? nullptr : &*found;
}

std::string_view field(const Fields& fields, std::size_t index) {
  return index < fields.size() ? fields[index] : std::string_view{};
}

bool names_old_place(const Fields& fields) {
  const auto address = fields[0];
  if (address[0] == 'P') {
    if (std::any_of(kOldPlaceMakers.begin(), kOldPlaceMakers.end(), [&](auto m) { return address.starts_with(m); })) {
      return true;
    }
  } else if (address.size() == 5 &&
             std::find(kOldPlace.begin(), kOldPlace.end(), type_of(address)) != kOldPlace.end()) {
    return true;
  }
  for (std::size_t i = 1; i + 3 < fields.size(); ++i) {
    if (nmea::read_angle(fields[i], fields[i + 1], true) && nmea::read_angle(fields[i + 2], fields[i + 3], false)) {
      return true;
    }
  }
  return false;
}

// What a sentence of kLayouts says.
struct Reading {
  std::optional<nmea::Clock> clock;
  std::optional<std::chrono::sys_days> date;
  std::optional<Place> place;
  bool fixed = false;
};

bool claims_fix(const Layout& layout, const Fields& fields) {
  if (layout.type == "RMC") return field(fields, 2) == "A";
  if (layout.type == "GLL") return field(fields, 6).empty() || field(fields, 6) == "A";
  if (layout.type == "GGA") return !field(fields, 6).empty() && field(fields, 6) != "0";
  if (layout.type == "GNS") return field(fields, 6).find_first_not_of('N') != std::string_view::npos;
  return false;
}

Reading read(const Layout& layout, const Fields& fields) {
  Reading reading;
  reading.clock = nmea::read_clock(field(fields, layout.clock));
  if (layout.ddmmyy != 0) reading.date = nmea::read_ddmmyy(field(fields, layout.ddmmyy));
  if (layout.date != 0) {
    reading.date =
        nmea::read_date(field(fields, layout.date), field(fields, layout.date + 1), field(fields, layout.date + 2));
  }
  if (layout.place != 0) {
    const auto lat = nmea::read_angle(field(fields, layout.place), field(fields, layout.place + 1), true);
    const auto lon = nmea::read_angle(field(fields, layout.place + 2), field(fields, layout.place + 3), false);
    if (lat && lon) reading.place = Place{*lat, *lon};
    reading.fixed = reading.place && claims_fix(layout, fields);
  }
  return reading;
}

struct Anchor {
  Place place;
  std::int64_t now;  // on the timeline
};

// The first fix, and when it was.
std::optional<Anchor> find_anchor(std::string_view log) {
  nmea::Scanner scanner(log);
  Timeline timeline;
  while (const auto sentence = scanner.next()) {
    const auto fields = nmea::split(sentence->body);
    const auto* layout = layout_of(fields);
    if (layout == nullptr || fields.size() < layout->fields) continue;
    const auto reading = read(*layout, fields);
    if (reading.clock) timeline.advance(reading.clock->ms, reading.date, reading.fixed);
    if (reading.fixed) return Anchor{*reading.place, timeline.now()};
  }
  return std::nullopt;
}

class Mover {
 public:
  Mover(const Anchor& anchor, const MoveOptions& options)
      : anchor_(anchor),
        start_(options.start),
        at_(options.start - Millis{anchor.now}),
        turn_(anchor.place, Place{lat_deg(options.to), lon_deg(options.to)}) {
    moved_.first_at = moved_.last_at = start_;
  }

  void take(std::string_view body) {
    const auto fields = nmea::split(body);
    const auto* layout = layout_of(fields);
    if (layout != nullptr) {
      if (fields.size() < layout->fields) {
        ++moved_.dropped;
        return;
      }
      move(*layout, fields);
    } else if (names_old_place(fields)) {
      ++moved_.dropped;
    } else {
      nmea::append_sentence(moved_.text, body);
      ++moved_.kept;
    }
  }

  MovedLog finish(std::size_t dropped) && {
    moved_.dropped += dropped;
    return std::move(moved_);
  }

 private:
  void move(const Layout& layout, const Fields& fields) {
    const auto reading = read(layout, fields);
    std::vector<std::string> out(fields.begin(), fields.end());
    move_time(layout, reading, out);
    if (layout.place != 0) move_place(layout, reading, fields, out);
    if (layout.variation != 0) {
      for (auto i = layout.variation; i < std::min(layout.variation + 2, out.size()); ++i) out[i].clear();
    }
    std::string body = out[0];
    for (std::size_t i = 1; i < out.size(); ++i) body += ',' + out[i];
    nmea::append_sentence(moved_.text, body);
    ++moved_.moved;
    if (reading.fixed) ++moved_.fixes;
  }

  void move_time(const Layout& layout, const Reading& reading, std::vector<std::string>& out) {
    if (reading.clock) {
      at_ = start_ + Millis{timeline_.advance(reading.clock->ms, reading.date, reading.fixed) - anchor_.now};
      moved_.first_at = std::min(moved_.first_at, at_);
      moved_.last_at = std::max(moved_.last_at, at_);
    }
    if (layout.clock < out.size()) {
      out[layout.clock] = reading.clock ? nmea::write_clock(at_, reading.clock->digits) : std::string{};
    }
    const bool timed = reading.clock.has_value();
    // A date that cannot be read is the receiver's fault in the recording, and today's is as good as the others.
    if (layout.ddmmyy != 0 && !out[layout.ddmmyy].empty()) {
      out[layout.ddmmyy] = timed ? nmea::write_ddmmyy(at_) : std::string{};
    }
    if (layout.date != 0 && !out[layout.date].empty()) {
      const auto text = nmea::write_ddmmyy(at_);
      out[layout.date] = timed ? text.substr(0, 2) : std::string{};
      out[layout.date + 1] = timed ? text.substr(2, 2) : std::string{};
      out[layout.date + 2] = timed ? "20" + text.substr(4, 2) : std::string{};
      // The zone was that of the old place.
      for (auto i = layout.date + 3; i < std::min(layout.date + 5, out.size()); ++i) {
        if (!out[i].empty()) out[i] = "00";
      }
    }
  }

  void move_place(const Layout& layout, const Reading& reading, const Fields& fields, std::vector<std::string>& out) {
    const bool known = reading.place && (reading.fixed || distance(*reading.place, anchor_.place) <= kPlaceholderM);
    if (!known) {
      for (std::size_t i = 0; i < 4; ++i) out[layout.place + i].clear();
      return;
    }
    const Place to = turn_(*reading.place);
    const auto lat_decimals = std::max(kPlaceDecimals, nmea::decimals_of(fields[layout.place]));
    const auto lon_decimals = std::max(kPlaceDecimals, nmea::decimals_of(fields[layout.place + 2]));
    auto lat = nmea::write_angle(to.lat, true, lat_decimals);
    auto lon = nmea::write_angle(to.lon, false, lon_decimals);
    out[layout.place] = std::move(lat.value);
    out[layout.place + 1] = std::move(lat.hemisphere);
    out[layout.place + 2] = std::move(lon.value);
    out[layout.place + 3] = std::move(lon.hemisphere);
  }

  Anchor anchor_;
  UnixMs start_;
  UnixMs at_;
  Turn turn_;
  Timeline timeline_;
  MovedLog moved_;
};

}  // namespace

Result<MovedLog> move_log(std::string_view log, const MoveOptions& options) {
  if (log.size() > kMaxLogBytes) {
    return fail(ErrorCode::too_large, "log",
                std::to_string(log.size()) + " bytes, at most " + std::to_string(kMaxLogBytes));
  }
  if (std::abs(lat_deg(options.to)) > 90.0 || std::abs(lon_deg(options.to)) > 180.0) {
    return fail(ErrorCode::out_of_range, "to", "no place on the earth");
  }
  using std::chrono::sys_days, std::chrono::year;
  if (options.start < sys_days{year{2000} / 1 / 1} || options.start >= sys_days{year{2080} / 1 / 1}) {
    return fail(ErrorCode::out_of_range, "start", "a year from 2000 to 2079");
  }
  const auto anchor = find_anchor(log);
  if (!anchor) return fail(ErrorCode::position_unavailable, "log", "no NMEA sentence with a fix");

  Mover mover(*anchor, options);
  nmea::Scanner scanner(log);
  while (const auto sentence = scanner.next()) mover.take(sentence->body);
  return std::move(mover).finish(scanner.dropped());
}

}  // namespace gridward::sim
