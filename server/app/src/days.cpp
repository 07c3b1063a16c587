#include "days.hpp"

#include <array>
#include <charconv>

namespace gridward::app {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

}  // namespace

std::string compact_day(const domain::WorkCalendar& calendar, UnixMs at) {
  const domain::Date date{domain::local_day(calendar, at)};
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

Result<DaySpan> day_span(const domain::WorkCalendar& calendar, std::string_view day) {
  if (day.size() != 10 || day[4] != '-' || day[7] != '-') {
    return fail(ErrorCode::bad_type, "day", "a day as 2026-11-22 is needed");
  }
  const auto y = number(day.substr(0, 4));
  const auto m = number(day.substr(5, 2));
  const auto d = number(day.substr(8, 2));
  if (!y || !m || !d) return fail(ErrorCode::bad_type, "day", "a day as 2026-11-22 is needed");
  const domain::Date date{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                          std::chrono::day{static_cast<unsigned>(*d)}};
  if (!date.ok() || *y < 1970 || *y > 2269)
    return fail(ErrorCode::out_of_range, "day", std::string(day) + " is no day");
  const auto from = std::chrono::time_point_cast<Millis>(std::chrono::sys_days{date}) - calendar.utc_offset;
  return DaySpan{from, from + std::chrono::days{1}};
}

}  // namespace gridward::app
