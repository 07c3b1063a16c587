#include <algorithm>

#include "engine.hpp"

namespace gridward::domain {
namespace {

// What a case's clocks have still to say, whenever.
std::vector<ClockAlarm> to_come(const CaseRecord& state, const Policy& policy) {
  std::vector<ClockAlarm> out;
  if (state.ends) return out;
  for (const auto& clock : state.clocks) {
    if (!clock.running() || !clock.due) continue;
    if (!clock.warned) {
      const engine::CalendarOf calendar(policy, clock.unit);
      const auto from = yellow_from(calendar.get(), clock.rule, clock.started, *clock.due, clock.pauses);
      out.push_back({from, Action::warn, clock.name});
    }
    // The very instant of the due is still in time.
    if (!clock.overdue) out.push_back({*clock.due + Millis{1}, Action::overdue, clock.name});
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return out;
}

}  // namespace

std::vector<ClockAlarm> alarms(const CaseRecord& state, const Policy& policy, UnixMs now) {
  auto out = to_come(state, policy);
  std::erase_if(out, [&](const ClockAlarm& alarm) { return alarm.at > now; });
  return out;
}

std::optional<UnixMs> next_alarm(const CaseRecord& state, const Policy& policy) {
  const auto all = to_come(state, policy);
  if (all.empty()) return std::nullopt;
  return all.front().at;
}

}  // namespace gridward::domain
