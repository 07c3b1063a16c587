#include <algorithm>

#include "engine.hpp"

namespace gridward::domain::engine {
namespace {

// A59: 3 is the town's, where a case without a level lies.
constexpr std::int64_t kTownLevel = 3;

bool has(std::span<const std::string> list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

tl::unexpected<Error> wrong(Field field, const std::string& why) {
  return fail(ErrorCode::out_of_range, "fields." + std::string(to_string(field)), why);
}

Result<void> check_begin(const Scene& scene) {
  const auto& fields = scene.command->fields;
  if (scene.command->action != Action::draft_list) {  // a list of several matters is of no one category
    for (const auto field : {Field::town, Field::category}) {
      if (!fields.contains(field)) {
        return fail(ErrorCode::missing_field, "fields." + std::string(to_string(field)), "must not be empty");
      }
    }
  }
  const auto category = scene.policy.categories.find(std::string(text_of(fields, Field::category)));
  if (category != scene.policy.categories.end() && category->second.photo_required && scene.command->media.empty()) {
    return fail(ErrorCode::missing_field, "media", category->second.name + " needs a photo");
  }
  const auto channel = scene.policy.channels.find(std::string(text_of(fields, Field::channel)));
  if (channel != scene.policy.channels.end() && !channel->second.process.empty() &&
      channel->second.process != scene.process.id) {
    return wrong(Field::channel, channel->first + " brings in cases of the process " + channel->second.process);
  }
  return {};
}

Result<void> check_units(const Scene& scene) {
  const auto& fields = scene.command->fields;
  if (has(names_of(fields, Field::assisting_units), text_of(fields, Field::unit))) {
    return wrong(Field::assisting_units, "the lead unit does not assist itself");
  }
  return {};
}

// A58, A59: one level at a time, and the desk above or below.
Result<void> check_level(const Scene& scene, bool up) {
  const auto& fields = scene.command->fields;
  const auto from = number_of(scene.state.values, Field::level).value_or(kTownLevel);
  const auto to = number_of(fields, Field::level).value_or(0);
  if (to != from + (up ? 1 : -1)) {
    return wrong(Field::level, "from level " + std::to_string(from) + " to " + std::to_string(to) +
                                   ": one level at a time, " + (up ? "up" : "down"));
  }
  const auto holder = text_of(fields, Field::holder);
  const bool same = holder == scene.holder_path && !scene.state.holder.empty();
  const bool above = !same && within(holder, scene.holder_path);
  const bool below = !same && within(scene.holder_path, holder);
  // Without a holder yet, the caller's path may be the grid's, which lies below the town's desk.
  const bool fits = scene.state.holder.empty() ? above || below : (up ? above : below);
  if (fits) return {};
  return wrong(Field::holder,
               std::string(holder) + " is not " + (up ? "above " : "below ") + std::string(scene.holder_path));
}

Result<void> check_verify_task(const Scene& scene) {
  if (text_of(scene.command->fields, Field::task) == to_string(scene.state.verify_task)) return {};
  return fail(ErrorCode::illegal_transition, "task", "another task checks this case now");
}

Result<void> check_alarm(const Scene& scene) {
  const auto name = text_of(scene.command->fields, Field::clock);
  const auto* clock = running_clock(scene.state.clocks, name);
  if (clock == nullptr || !clock->due) return refused(scene, "the clock " + std::string(name) + " does not run");
  const CalendarOf calendar(scene.policy, clock->unit);
  if (scene.command->action == Action::overdue) {
    if (clock->overdue) return refused(scene, std::string(name) + " is overdue already");
    if (scene.now > *clock->due) return {};
    return refused(scene, std::string(name) + " is due only at " + local_text(calendar.get(), *clock->due));
  }
  if (clock->warned) return refused(scene, std::string(name) + " was warned of already");
  const auto from = yellow_from(calendar.get(), clock->rule, clock->started, *clock->due, clock->pauses);
  if (scene.now >= from) return {};
  return refused(scene, std::string(name) + " turns yellow only at " + local_text(calendar.get(), from));
}

// A57: what belongs to the file is there. Names everything that is missing at once.
Result<void> check_archive(const Scene& scene, const Move& move) {
  const auto& state = scene.state;
  std::string missing;
  const auto add = [&](const std::string& what) { missing += (missing.empty() ? "" : ", ") + what; };
  if (!state.past_units.empty() && state.feedback.empty()) add("the feedback of the unit");
  for (const auto& unit : state.assisting_open) add("the feedback of " + unit);
  for (const auto& request : state.requests) add("the answer to the request for " + request.what);
  for (const auto& clock : state.clocks) {
    const bool ended = std::any_of(move.clocks.begin(), move.clocks.end(), [&](const ClockMove& change) {
      return (change.clock == clock.name || change.clock == "*") &&
             (change.op == ClockOp::stop || change.op == ClockOp::cancel);
    });
    if (clock.running() && !ended) add("the end of the clock " + clock.name);
  }
  if (missing.empty()) return {};
  return refused(scene, "the file is not complete: " + missing);
}

// D22: a unit that got the order again, the named one when one is named.
Result<void> check_circle(const Scene& scene) {
  const auto& units = scene.state.past_units;
  const auto again = [&](std::string_view unit) { return std::count(units.begin(), units.end(), unit) > 1; };
  if (std::none_of(units.begin(), units.end(), again)) return refused(scene, "no unit had the order twice");
  if (scene.command == nullptr || !scene.command->fields.contains(Field::unit)) return {};
  const auto named = text_of(scene.command->fields, Field::unit);
  if (again(named)) return {};
  return wrong(Field::unit, std::string(named) + " did not have the order twice");
}

// F12: whoever handled the case never says how satisfied the citizen is.
Result<void> check_satisfaction(const Scene& scene) {
  const auto& state = scene.state;
  const auto& actor = scene.actor;
  const bool handled = actor.role == Role::handling_unit || actor.role == Role::unit_leader ||
                       has(state.past_units, actor.org) || has(state.assisting_units, actor.org) ||
                       (!state.handler.empty() && state.handler == actor.login);
  if (!handled) return {};
  return fail(ErrorCode::forbidden, "fields.satisfaction", "who handled the case does not say it");
}

}  // namespace

Result<void> check_state(const Scene& scene, const Move& move) {
  const bool asks = std::find(move.required.begin(), move.required.end(), Field::satisfaction) != move.required.end();
  if (asks || (scene.command != nullptr && scene.command->fields.contains(Field::satisfaction))) {
    if (auto ok = check_satisfaction(scene); !ok) return ok;
  }
  if (move.action == Action::confirm_circle) return check_circle(scene);
  if (move.action == Action::archive) return check_archive(scene, move);
  return {};
}

std::optional<TaskOutcome> task_outcome(std::string_view code) {
  if (code == "confirmed") return TaskOutcome::confirmed;
  if (code == "not_rectified" || code == "untrue") return TaskOutcome::not_rectified;
  if (code == "cannot_check") return TaskOutcome::cannot_check;
  return std::nullopt;
}

Result<void> check_built_in(const Scene& scene, const Move& move) {
  const auto& state = scene.state;
  const auto& fields = scene.command->fields;
  if (scene.begins()) {
    if (auto ok = check_begin(scene); !ok) return ok;
  }
  if (auto ok = check_state(scene, move); !ok) return ok;
  switch (move.action) {
    case Action::transfer:
    case Action::decide_lead:
      return check_units(scene);
    case Action::escalate:
      return check_level(scene, true);
    case Action::assign_down:
      return check_level(scene, false);
    case Action::request_verify:
      if (text_of(fields, Field::assignee) != state.handler) return {};
      return wrong(Field::assignee, "who handled the case does not check it");
    case Action::verify:
      return check_verify_task(scene);
    case Action::supervise:
      // A50: the supervision room asks why it comes to it.
      if (text_of(fields, Field::supervise_kind) != "two_offices" || fields.contains(Field::trigger)) return {};
      return fail(ErrorCode::missing_field, "fields.trigger", "two_offices needs what triggers it");
    case Action::warn:
    case Action::overdue:
      return check_alarm(scene);
    default:
      return {};
  }
}

}  // namespace gridward::domain::engine
