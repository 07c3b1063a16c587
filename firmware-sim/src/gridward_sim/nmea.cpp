#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <gridward_sim/nmea.hpp>
#include <numbers>
#include <optional>
#include <vector>

namespace gridward::sim {
namespace {

using Fields = std::vector<std::string>;
constexpr std::int64_t kDayMs = 86'400'000;

unsigned checksum(std::string_view body) {
  unsigned sum = 0;
  for (const char c : body) sum ^= static_cast<unsigned char>(c);
  return sum;
}

// The fields of "$GPRMC,…*hh"; nothing when it is no sentence or its checksum is wrong.
std::optional<Fields> parse(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  while (line.starts_with("$$")) line.remove_prefix(1);  // some recorders put one more before each
  if (line.size() < 9 || line.front() != '$') return std::nullopt;
  const auto star = line.rfind('*');
  if (star == std::string_view::npos || star + 3 != line.size()) return std::nullopt;
  const auto body = line.substr(1, star - 1);
  unsigned given = 0;
  const auto [end, error] = std::from_chars(line.data() + star + 1, line.data() + line.size(), given, 16);
  if (error != std::errc{} || end != line.data() + line.size() || given != checksum(body)) return std::nullopt;
  Fields fields;
  std::size_t from = 0;
  for (;;) {
    const auto comma = body.find(',', from);
    fields.emplace_back(body.substr(from, comma - from));
    if (comma == std::string_view::npos) break;
    from = comma + 1;
  }
  return fields;
}

// Where a kind of sentence keeps its time of day, its position (latitude, N/S, longitude, E/W follow each other), date.
struct Layout {
  const char* kind;
  int time;
  int position;
  int date;   // ddmmyy
  int dated;  // dd, mm, yyyy
};
constexpr Layout kLayouts[] = {{"RMC", 1, 3, 9, -1},  {"GGA", 1, 2, -1, -1}, {"GNS", 1, 2, -1, -1},
                               {"GLL", 5, 1, -1, -1}, {"ZDA", 1, -1, -1, 2}, {"GST", 1, -1, -1, -1},
                               {"GBS", 1, -1, -1, -1}};

const Layout* layout_of(const Fields& fields) {
  if (fields[0].size() != 5) return nullptr;
  const auto kind = fields[0].substr(2);
  for (const auto& layout : kLayouts) {
    if (kind == layout.kind) return &layout;
  }
  return nullptr;
}

const std::string* field(const Fields& fields, int index) {
  if (index < 0 || static_cast<std::size_t>(index) >= fields.size()) return nullptr;
  const auto& text = fields[static_cast<std::size_t>(index)];
  return text.empty() ? nullptr : &text;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> time_of_day(const std::string& text) {
  const auto value = number(text);
  if (!value || *value < 0 || text.size() < 6) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(*value);
  const auto ms = static_cast<std::int64_t>(std::llround((*value - static_cast<double>(whole)) * 1000));
  const std::int64_t hours = whole / 10'000;
  const std::int64_t minutes = whole / 100 % 100;
  if (hours > 23 || minutes > 59 || whole % 100 > 60) return std::nullopt;
  return ((hours * 60 + minutes) * 60 + whole % 100) * 1000 + ms;
}

std::optional<std::int64_t> day_of(int day, int month, int year) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

std::optional<double> angle(const std::string* value, const std::string* side) {
  if (value == nullptr || side == nullptr) return std::nullopt;
  const auto raw = number(*value);
  if (!raw) return std::nullopt;
  const double whole = std::floor(*raw / 100);
  const double degrees = whole + (*raw - whole * 100) / 60;
  return *side == "S" || *side == "W" ? -degrees : degrees;
}

std::string angle_text(double degrees, int width) {
  const double positive = std::fabs(degrees);
  auto whole = static_cast<int>(positive);
  // Rounded first, so that 59.999999 minutes do not become 60.
  auto minutes = std::llround((positive - whole) * 60 * 1e5);
  if (minutes >= 60 * 100'000) {
    minutes -= 60 * 100'000;
    ++whole;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%0*d%02lld.%05lld", width, whole, minutes / 100'000, minutes % 100'000);
  return text;
}

struct Timed {
  Fields fields;
  const Layout* layout = nullptr;
  std::optional<std::int64_t> at;  // ms since 1970, as recorded
  std::optional<double> lat;
  std::optional<double> lon;
};

}  // namespace

std::string nmea_sentence(std::string_view body) {
  char tail[8];
  std::snprintf(tail, sizeof tail, "*%02X", checksum(body));
  return "$" + std::string(body) + tail;
}

Result<NmeaResult> move_nmea(std::string_view log, const NmeaMove& move) {
  NmeaResult result;
  std::vector<Timed> sentences;
  std::int64_t day = 0;
  std::optional<std::int64_t> last;
  for (std::size_t from = 0; from < log.size();) {
    const auto end = std::min(log.find('\n', from), log.size());
    const auto line = log.substr(from, end - from);
    from = end + 1;
    if (line.empty() || line.front() == '#') continue;
    auto fields = parse(line);
    // Proprietary sentences may carry a position that is not found here.
    if (!fields || (*fields)[0].starts_with("P")) {
      ++result.dropped;
      continue;
    }
    Timed sentence{std::move(*fields), nullptr, std::nullopt, std::nullopt, std::nullopt};
    sentence.layout = layout_of(sentence.fields);
    if (const auto* layout = sentence.layout) {
      const auto* time = field(sentence.fields, layout->time);
      const auto tod = time != nullptr ? time_of_day(*time) : std::nullopt;
      if (const auto* date = field(sentence.fields, layout->date); date != nullptr && date->size() == 6 && tod) {
        const auto value = number(*date);
        const int digits = value ? static_cast<int>(*value) : 0;
        const int year = digits % 100;
        if (const auto d = day_of(digits / 10'000, digits / 100 % 100, year < 80 ? 2000 + year : 1900 + year)) {
          day = *d;
          last = tod;
        }
      }
      if (tod) {
        // Between two dates the day changes where the time of day falls back by half a day.
        if (last && *tod + kDayMs / 2 < *last) ++day;
        last = tod;
        sentence.at = day * kDayMs + *tod;
      }
      if (layout->position >= 0) {
        sentence.lat = angle(field(sentence.fields, layout->position), field(sentence.fields, layout->position + 1));
        sentence.lon =
            angle(field(sentence.fields, layout->position + 2), field(sentence.fields, layout->position + 3));
      }
    }
    sentences.push_back(std::move(sentence));
  }

  const auto has_fix = [](const Timed& s) { return s.lat && s.lon && s.at; };
  const auto first = std::find_if(sentences.begin(), sentences.end(), has_fix);
  if (first == sentences.end())
    return fail(ErrorCode::malformed, "log", "no NMEA sentence with a position and a time in it");
  const double lat0 = *first->lat;
  const double lon0 = *first->lon;
  // The log may name its date only later: then earlier sentences count from day 0, and only differences matter.
  std::int64_t origin = *first->at;
  if (move.from_first_fix) sentences.erase(sentences.begin(), first);

  const double squeeze_lon =
      std::cos(lat0 * std::numbers::pi / 180) / std::cos(lat_deg(move.to) * std::numbers::pi / 180);
  double farthest_m = 0;
  for (const auto& s : sentences) {
    if (!s.lat || !s.lon) continue;
    farthest_m = std::max(farthest_m, distance_m(geo_point(lat0, lon0), geo_point(*s.lat, *s.lon)));
  }
  const double shrink = move.within_m > 0 && farthest_m > move.within_m ? move.within_m / farthest_m : 1;

  std::int64_t previous = origin;
  std::int64_t latest = origin;
  for (auto& s : sentences) {
    if (const auto* layout = s.layout) {
      if (s.at) {
        // A date that appears late would be a jump of years: take it as no time passed.
        if (std::llabs(*s.at - previous) > kDayMs) origin += *s.at - previous;
        previous = *s.at;
        latest = std::max(latest, previous);
        const std::int64_t at = to_unix_ms(move.at) + *s.at - origin;
        result.span_s = std::max(result.span_s, static_cast<double>(*s.at - origin) / 1000);
        const std::int64_t tod = at % kDayMs;
        const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{at / kDayMs}}};
        char text[32];
        std::snprintf(text, sizeof text, "%02d%02d%02d.%03d", static_cast<int>(tod / 3'600'000),
                      static_cast<int>(tod / 60'000 % 60), static_cast<int>(tod / 1000 % 60),
                      static_cast<int>(tod % 1000));
        s.fields[static_cast<std::size_t>(layout->time)] = text;
        const auto two = [](unsigned value) {
          char digits[8];
          std::snprintf(digits, sizeof digits, "%02u", value);
          return std::string(digits);
        };
        const auto day_text = two(static_cast<unsigned>(date.day()));
        const auto month_text = two(static_cast<unsigned>(date.month()));
        const int year = static_cast<int>(date.year());
        if (layout->date >= 0 && s.fields.size() > static_cast<std::size_t>(layout->date)) {
          s.fields[static_cast<std::size_t>(layout->date)] =
              day_text + month_text + two(static_cast<unsigned>(year % 100));
        }
        if (layout->dated >= 0 && s.fields.size() > static_cast<std::size_t>(layout->dated) + 2) {
          const auto index = static_cast<std::size_t>(layout->dated);
          s.fields[index] = day_text;
          s.fields[index + 1] = month_text;
          s.fields[index + 2] = std::to_string(year);
        }
      }
      if (s.lat && s.lon) {
        ++result.fixes;
        const double lat = lat_deg(move.to) + (*s.lat - lat0) * shrink;
        const double lon = lon_deg(move.to) + (*s.lon - lon0) * squeeze_lon * shrink;
        const auto index = static_cast<std::size_t>(layout->position);
        s.fields[index] = angle_text(lat, 2);
        s.fields[index + 1] = lat < 0 ? "S" : "N";
        s.fields[index + 2] = angle_text(lon, 3);
        s.fields[index + 3] = lon < 0 ? "W" : "E";
      }
    }
    std::string body;
    for (const auto& text : s.fields) body += (body.empty() ? "" : ",") + text;
    result.text += nmea_sentence(body) + "\r\n";
    ++result.sentences;
  }
  return result;
}

}  // namespace gridward::sim
