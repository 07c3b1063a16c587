// placeholder until the branch `clocks` is merged: the same names
#pragma once
#include <cstdint>
#include <gridward/domain/calendar.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::domain {
enum class ClockUnit : std::uint8_t { natural_minutes, natural_days, duty_minutes, working_minutes, working_days, on_the_spot };
std::string_view to_string(ClockUnit unit);
std::optional<ClockUnit> clock_unit_from_string(std::string_view text);
struct ClockRule {
  std::string key;  // "limits.general"
  std::string article;
  ClockUnit unit = ClockUnit::working_days;
  int amount = 0;
  bool operator==(const ClockRule&) const = default;
};
struct Pause {
  UnixMs from{};
  std::optional<UnixMs> to;  // open: still stopped
  bool operator==(const Pause&) const = default;
};
struct DueStep {
  UnixMs at{};
  std::string text;
};
Due clock_due(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, std::span<const Pause> pauses = {},
              std::vector<DueStep>* steps = nullptr);
enum class Light : std::uint8_t { green, yellow, red };
int clock_progress(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, UnixMs due,
                   std::span<const Pause> pauses, UnixMs now);
Light light_of(int per_mille);
UnixMs yellow_from(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, UnixMs due,
                   std::span<const Pause> pauses);
UnixMs working_days_before(const WorkCalendar& calendar, UnixMs at, int days);
}  // namespace gridward::domain
