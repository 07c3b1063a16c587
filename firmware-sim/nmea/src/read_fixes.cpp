#include <algorithm>
#include <charconv>
#include <gridward/sim/nmea.hpp>

#include "sentence.hpp"

namespace gridward::sim {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr double kRangeErrorM = 5.0;  // of one satellite, the usual figure behind a dilution of precision

std::string_view at(const std::vector<std::string_view>& fields, std::size_t index) {
  return index < fields.size() ? fields[index] : std::string_view{};
}

struct Layout {
  std::string_view type;
  std::size_t clock;
  std::size_t place;
};
constexpr Layout kLayouts[] = {{"RMC", 1, 3}, {"GGA", 1, 2}, {"GNS", 1, 2}, {"GLL", 5, 1}};

bool claims_fix(std::string_view type, const std::vector<std::string_view>& fields) {
  if (type == "RMC") return at(fields, 2) == "A";
  if (type == "GLL") return at(fields, 6).empty() || at(fields, 6) == "A";
  if (type == "GGA") return !at(fields, 6).empty() && at(fields, 6) != "0";
  return at(fields, 6).find_first_not_of('N') != std::string_view::npos;
}

double number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

}  // namespace

std::vector<LogFix> read_fixes(std::string_view log) {
  std::vector<LogFix> fixes;
  std::int64_t first = 0;
  std::int64_t days = 0;
  std::int64_t last = -1;
  nmea::Scanner scanner(log);
  while (const auto sentence = scanner.next()) {
    const auto fields = nmea::split(sentence->body);
    if (fields.empty() || fields[0].size() != 5 || fields[0][0] == 'P') continue;
    const auto type = fields[0].substr(2);
    const auto* layout =
        std::find_if(std::begin(kLayouts), std::end(kLayouts), [&](const Layout& l) { return l.type == type; });
    if (layout == std::end(kLayouts) || !claims_fix(type, fields)) continue;
    const auto clock = nmea::read_clock(at(fields, layout->clock));
    const auto lat = nmea::read_angle(at(fields, layout->place), at(fields, layout->place + 1), true);
    const auto lon = nmea::read_angle(at(fields, layout->place + 2), at(fields, layout->place + 3), false);
    if (!clock || !lat || !lon) continue;
    if (fixes.empty()) first = clock->ms;
    // Half a day back is midnight; a little back is a sentence that came late.
    if (last >= 0 && clock->ms + kDayMs / 2 < last) ++days;
    last = clock->ms;
    const auto at_ms = clock->ms + days * kDayMs - first;
    if (!fixes.empty() && at_ms < fixes.back().at_ms) continue;
    const double dilution = type == "GGA" || type == "GNS" ? number(at(fields, 8)) : 0;
    if (fixes.empty() || at_ms > fixes.back().at_ms) fixes.push_back({at_ms, geo_point(*lat, *lon), 0});
    if (dilution > 0) fixes.back().accuracy_m = std::min(dilution, 99.0) * kRangeErrorM;
  }
  return fixes;
}

}  // namespace gridward::sim
