// The working calendar of a tenant: State Council holidays and make-up days, office hours, one fixed offset from UTC.
// What is counted in it: clocks.hpp.
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
  // In order, none empty, not overlapping, the same on every working day. No span: the whole of every working day.
  std::vector<OfficeSpan> hours;
  // Days that differ from Monday-to-Friday: true = a make-up working day, false = a day off.
  std::map<std::chrono::sys_days, bool> exceptions;
  std::optional<std::chrono::year> known_to;  // last year whose exceptions are loaded
};

std::chrono::sys_days local_day(const WorkCalendar& calendar, UnixMs at);
bool is_working_day(const WorkCalendar& calendar, std::chrono::sys_days local);

struct Due {
  UnixMs at{};
  // It rests on a day past `known_to`, whose holidays are not announced: to be reckoned again when they are.
  bool provisional = false;
  bool operator==(const Due&) const = default;
};

}  // namespace gridward::domain
