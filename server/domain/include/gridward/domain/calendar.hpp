// The working calendar of a tenant: State Council holidays and make-up days, office hours, one fixed offset from UTC.
// Pure; thread-safe once built.
#pragma once

#include <chrono>
#include <gridward/shared/time.hpp>
#include <map>
#include <optional>
#include <vector>

namespace gridward::domain {

using Date = std::chrono::year_month_day;

struct OfficeSpan {
  std::chrono::minutes from{};  // since local midnight
  std::chrono::minutes to{};    // exclusive
};

struct WorkCalendar {
  std::chrono::minutes utc_offset{8 * 60};
  std::vector<OfficeSpan> hours;  // in order, not overlapping, the same on every working day
  // Days that differ from Monday-to-Friday: true = a make-up working day, false = a day off.
  std::map<std::chrono::sys_days, bool> exceptions;
  std::optional<std::chrono::year> known_to;  // last year whose exceptions are loaded
};

std::chrono::sys_days local_day(const WorkCalendar& calendar, UnixMs at);
bool is_working_day(const WorkCalendar& calendar, std::chrono::sys_days local);

struct Due {
  UnixMs at{};
  bool provisional = false;  // some day counted lies past `known_to`
  bool operator==(const Due&) const = default;
};
// The starting day does not count (民法典 第二百零一条); the limit ends with the office hours of its last day. days
// >= 1.
Due due_after_working_days(const WorkCalendar& calendar, UnixMs start, int days);

}  // namespace gridward::domain
