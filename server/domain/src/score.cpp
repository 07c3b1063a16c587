#include <algorithm>

#include "engine.hpp"

namespace gridward::domain {
namespace {

// What a case did that costs or earns: by whom (code of a unit or login), by which events.
using Causes = std::vector<std::pair<std::string, std::vector<std::uint64_t>>>;

void add(Causes& causes, const std::string& whom, std::uint64_t event) {
  if (whom.empty()) return;
  for (auto& [known, events] : causes) {
    if (known != whom) continue;
    if (events.empty() || events.back() != event) events.push_back(event);
    return;
  }
  causes.push_back({whom, {event}});
}

void drop_last(Causes& causes, const std::string& whom) {
  const auto row = std::find_if(causes.begin(), causes.end(), [&](const auto& one) { return one.first == whom; });
  if (row == causes.end()) return;
  row->second.pop_back();
  if (row->second.empty()) causes.erase(row);
}

std::string last_repeated(const std::vector<std::string>& units) {
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (std::find(std::next(unit), units.rend(), *unit) != units.rend()) return *unit;
  }
  return {};
}

struct Found {
  Causes second_time, overdue, untrue, circular, day_off, complaints;
};

// 超时工单: the order's clock, of the unit whose it is.
void look_at_clocks(Causes& overdue, const CaseRecord& before, const CaseEvent& event, std::uint64_t number) {
  const auto* clock = engine::running_clock(before.clocks, "handle");
  if (clock == nullptr) return;
  const auto& unit = clock->unit.empty() ? before.unit : clock->unit;
  if (event.type == Action::overdue && text_of(event.fields, Field::clock) == "handle") add(overdue, unit, number);
  for (const auto& change : event.clocks) {
    if (change.clock != "handle") continue;
    if (change.op == ClockOp::stop && !change.kept.value_or(true)) add(overdue, unit, number);
    // Granted after the due that it moves: what was called overdue since that clock started is not.
    if (change.op == ClockOp::extend && clock->overdue) drop_last(overdue, unit);
  }
}

void look(Found& found, const CaseRecord& before, const CaseEvent& event, std::uint64_t number, const Policy& policy) {
  // 首问负责制 (A22): the lead unit answers for the order, whoever assisted.
  if (event.type == Action::rework) add(found.second_time, before.unit, number);
  look_at_clocks(found.overdue, before, event, number);
  const bool check = event.type == Action::verify || event.type == Action::desk_verify || event.type == Action::sample;
  if (check && engine::task_outcome(text_of(event.fields, Field::outcome)) == TaskOutcome::not_rectified) {
    add(found.untrue, before.unit, number);
  }
  if (event.type == Action::confirm_circle) {
    const auto named = text_of(event.fields, Field::unit);
    add(found.circular, named.empty() ? last_repeated(before.past_units) : std::string(named), number);
  }
  if (number == 1 && event.actor.role == Role::grid_member &&
      !is_working_day(policy.calendar, local_day(policy.calendar, event.at))) {
    add(found.day_off, event.actor.login, number);
  }
  if (event.type == Action::count_complaint) found.complaints.push_back({"", {number}});
}

// D19, D20: complained of often enough, of a class that counts, and not reported by a member first.
Causes repeated(const Found& found, const CaseRecord& state, std::string_view grid_member, const Policy& policy,
                std::int64_t least) {
  const auto category = policy.categories.find(state.category);
  if (category == policy.categories.end() || !category->second.repeat_penalty) return {};
  if (state.reporter.role == Role::grid_member || grid_member.empty()) return {};
  if (number_of(state.values, Field::complaints).value_or(0) < least) return {};
  Causes causes;
  for (const auto& [unused, events] : found.complaints) {
    for (const auto event : events) add(causes, std::string(grid_member), event);
  }
  return causes;
}

}  // namespace

std::vector<ScoreLine> score_case(const CaseRecord& state, std::span<const CaseEvent> history,
                                  std::string_view grid_member, const Policy& policy) {
  Found found;
  CaseRecord before;
  std::uint64_t number = 0;
  for (const auto& event : history) {
    look(found, before, event, ++number, policy);
    before = evolve(std::move(before), event);
  }
  std::vector<ScoreLine> lines;
  for (const auto& rule : policy.scores) {
    Causes causes;
    switch (rule.cause) {
      case ScoreCause::day_off_report:
        causes = found.day_off;
        break;
      case ScoreCause::repeated_complaint:
        causes = repeated(found, state, grid_member, policy, rule.least);
        break;
      case ScoreCause::untrue:
        causes = found.untrue;
        break;
      case ScoreCause::circular:
        causes = found.circular;
        break;
      case ScoreCause::second_time:
        causes = found.second_time;
        break;
      case ScoreCause::overdue:
        causes = found.overdue;
        break;
    }
    const bool of_unit = rule.cause != ScoreCause::day_off_report && rule.cause != ScoreCause::repeated_complaint;
    for (auto& [whom, events] : causes) {
      lines.push_back({rule.key, rule.article, of_unit, whom, rule.points, std::move(events)});
    }
  }
  return lines;
}

}  // namespace gridward::domain
