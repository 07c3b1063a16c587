#include <algorithm>
#include <gridward/domain/calendar.hpp>

namespace gridward::domain {

std::chrono::sys_days local_day(const WorkCalendar& calendar, UnixMs at) {
  return std::chrono::floor<std::chrono::days>(at + calendar.utc_offset);
}

bool is_working_day(const WorkCalendar& calendar, std::chrono::sys_days local) {
  const auto exception = calendar.exceptions.find(local);
  if (exception != calendar.exceptions.end()) return exception->second;
  const auto weekday = std::chrono::weekday{local}.iso_encoding();
  return weekday <= 5;
}

Due due_after_working_days(const WorkCalendar& calendar, UnixMs start, int days) {
  auto day = local_day(calendar, start);
  for (int left = std::max(days, 1); left > 0;) {
    day += std::chrono::days{1};
    if (is_working_day(calendar, day)) --left;
  }
  // 民法典 第二百零三条: where there are business hours the period ends with them, else with the day.
  const auto end = calendar.hours.empty() ? std::chrono::minutes{24 * 60} : calendar.hours.back().to;
  const auto local_end = std::chrono::time_point_cast<Millis>(day + end);
  // The last day counted is the latest one looked at, so its year alone says whether all exceptions were known.
  const bool known = calendar.known_to && Date{day}.year() <= *calendar.known_to;
  return {local_end - calendar.utc_offset, !known};
}

}  // namespace gridward::domain
