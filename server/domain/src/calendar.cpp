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

}  // namespace gridward::domain
