// The clocks of a case: from a rule of the profile, a start and the times the clock stood still to the instant a limit
// ends, the steps that led there, and how much of it is used. Pure; thread-safe. What was settled where the sources are
// silent: docs/adr/0010-limits-and-clocks.md.
#pragma once

#include <cstdint>
#include <gridward/domain/calendar.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::domain {

enum class ClockUnit : std::uint8_t {
  natural_minutes,  // every minute counts, by day and night
  natural_days,     // calendar days; the starting day does not count, the last one ends at 24:00 and is never a day off
  duty_minutes,  // natural minutes, which begin at once in office hours, else with the next ones (S3 四(二): 30 分钟)
  working_minutes,  // only minutes within office hours count (津滨政办发〔2020〕10号 第二十五条(四): 4 个工作小时 is
                    // 240)
  working_days,     // the starting day does not count (民法典 第二百零一条); ends with the last day's office hours
  on_the_spot,      // 现场办理: within the day of the visit; has no amount
};
// "working_days" and so on, as in a profile.
std::string_view to_string(ClockUnit unit);
std::optional<ClockUnit> clock_unit_from_string(std::string_view text);

struct ClockRule {
  std::string key;      // "limits.general"
  std::string article;  // "津滨政办发〔2020〕10号 第二十五条（二）"
  ClockUnit unit = ClockUnit::working_days;
  int amount = 0;  // in `unit`; less than 1 is 1; nothing to say for on_the_spot
  bool operator==(const ClockRule&) const = default;
};

// The clock stands still from `from` (inclusive) to `to` (exclusive). In any order, they may overlap; what lies before
// the start or is not a span of time is left out of account.
struct Pause {
  UnixMs from{};
  std::optional<UnixMs> to;  // open: still stopped
  bool operator==(const Pause&) const = default;
};

struct DueStep {
  UnixMs at{};
  std::string text;  // English, one line
};

// When the limit ends: acting at that very instant is still in time. Never before `start`, never earlier for a later
// start, and a pause never makes it earlier. A minute clock leaves out exactly what it stood still; a day clock is
// prolonged by the days (working ones for working_days) after the day a pause began, up to the day it ended, and does
// not end while it stands still. `steps`, when given, gets what was counted, in order of the counting.
// Precondition: no open pause (a stopped clock has no due time).
Due clock_due(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, std::span<const Pause> pauses = {},
              std::vector<DueStep>* steps = nullptr);

enum class Light : std::uint8_t { green, yellow, red };
std::string_view to_string(Light light);

// Per mille of the limit used at `now`, rounded up, measured in the clock's own time: office hours for working_minutes
// and working_days, from the first minute that counts. 0 up to that, 1000 at `due`, over 1000 past it. While a pause is
// open it stays at what was used when the pause began.
int clock_progress(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, UnixMs due,
                   std::span<const Pause> pauses, UnixMs now);
Light light_of(int per_mille);  // green to 800, yellow to 1000, red above
// The first instant of yellow, not after `due`; an open pause is left out of account.
UnixMs yellow_from(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, UnixMs due,
                   std::span<const Pause> pauses);

// The instant that lies `days` working days before `at` (第二十五条(三), 第二十三条: 到期前 1 个工作日): the same time
// of day on the earlier working day. days < 1: `at` itself.
UnixMs working_days_before(const WorkCalendar& calendar, UnixMs at, int days);

}  // namespace gridward::domain
