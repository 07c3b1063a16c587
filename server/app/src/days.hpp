// Local days of the policy's calendar, as text and as spans of time.
#pragma once

#include <gridward/domain/calendar.hpp>
#include <gridward/shared/error.hpp>
#include <string>
#include <string_view>

namespace gridward::app {

std::string compact_day(const domain::WorkCalendar& calendar, UnixMs at);  // "20261122"

struct DaySpan {
  UnixMs from{};
  UnixMs to{};  // exclusive
};
// day: "2026-11-22". bad_type, out_of_range (no such day).
Result<DaySpan> day_span(const domain::WorkCalendar& calendar, std::string_view day);

}  // namespace gridward::app
