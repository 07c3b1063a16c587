#include <algorithm>

#include "engine.hpp"

namespace gridward::domain::engine {
namespace {

std::string where(const Scene& scene) {
  if (scene.begins()) return "no case yet";
  return "stage " + scene.state.stage + ", step " + scene.state.step;
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

const ProcessStep* step_of(const Scene& scene) {
  return scene.begins() ? nullptr : scene.process.step(scene.state.step);
}

bool starts_here(const Scene& scene, const ProcessStep* step, const Move& move) {
  if (scene.begins()) return move.from.empty();
  return step != nullptr && leads_from(move, *step);
}

// Acts that anyone could do now, for the error.
std::string possible(const Scene& scene) {
  const auto* step = step_of(scene);
  const Scene anyone{scene.state, scene.process, scene.policy, scene.actor, scene.holder_path, scene.now, nullptr};
  std::vector<Action> actions;
  for (const auto& move : scene.process.moves) {
    if (!starts_here(scene, step, move)) continue;
    if (std::find(actions.begin(), actions.end(), move.action) != actions.end()) continue;
    const auto holds = [&](const Guard& guard) {
      return guard.kind == GuardKind::other_person || check_guard(anyone, move, guard).has_value();
    };
    const auto& own = own_guards_of(move.action);
    if (std::all_of(own.begin(), own.end(), holds) && std::all_of(move.guards.begin(), move.guards.end(), holds)) {
      actions.push_back(move.action);
    }
  }
  std::string text;
  for (const auto action : actions) {
    if (!text.empty()) text += ", ";
    text += to_string(action);
  }
  return text.empty() ? "nothing" : text;
}

// The check that the guard asks about: this very act's, else the last one of the round.
std::string_view told(const Scene& scene, const Move& move, Field field) {
  const bool here = field == Field::outcome ? move.action == Action::verify || move.action == Action::desk_verify ||
                                                  (move.action == Action::sample &&
                                                   (scene.command == nullptr || scene.command->fields.contains(field)))
                                            : move.action == Action::call_back;
  if (here && scene.command == nullptr) return "?";
  return text_of(here ? scene.command->fields : scene.state.values, field);
}

bool of_city(const Scene& scene) {
  std::string_view code = scene.state.channel;
  if (scene.begins() && scene.command != nullptr) code = text_of(scene.command->fields, Field::channel);
  const auto found = scene.policy.channels.find(std::string(code));
  return found != scene.policy.channels.end() && found->second.city;
}

Result<void> check_clock(const Scene& scene, const Move& move, const Guard& guard) {
  const auto* clock = running_clock(scene.state.clocks, guard.name);
  if (clock == nullptr) return refused(scene, "the clock " + guard.name + " does not run");
  if (guard.kind == GuardKind::running) return {};
  if (!clock->due) {
    if (guard.kind == GuardKind::in_time) return {};
    return refused(scene, "the clock " + guard.name + " stands still");
  }
  const CalendarOf calendar(scene.policy, clock->unit);
  const auto at = move.own_time && scene.command != nullptr ? std::min(scene.command->at, scene.now) : scene.now;
  if (guard.kind == GuardKind::in_time) {
    if (at <= *clock->due) return {};
    return refused(scene, "past the limit of " + guard.name + ": " + local_text(calendar.get(), *clock->due) + ", " +
                              rule_text(clock->rule));
  }
  const auto last = working_days_before(calendar.get(), *clock->due, guard.days);
  if (at <= last) return {};
  return refused(scene, std::string(to_string(move.action)) + " must come by " + local_text(calendar.get(), last) +
                            ", " + std::to_string(guard.days) + " working day(s) before " + guard.name + " ends (" +
                            local_text(calendar.get(), *clock->due) + "), " + rule_text(clock->rule));
}

Result<void> check_request(const Scene& scene, const Guard& guard) {
  const auto* request = find_request(scene.state, guard.name);
  switch (guard.kind) {
    case GuardKind::asked:
      if (request == nullptr) return refused(scene, guard.name + " was not asked for");
      return {};
    case GuardKind::not_asked:
      if (request != nullptr) return refused(scene, guard.name + " was asked for and is not answered yet");
      return {};
    case GuardKind::confirmed:
      if (request == nullptr || request->confirmed_by.empty()) {
        return refused(scene, guard.name + " was not confirmed by a second person");
      }
      return {};
    case GuardKind::not_confirmed:
      if (request != nullptr && !request->confirmed_by.empty()) {
        return refused(scene, guard.name + " was confirmed already");
      }
      return {};
    default:  // other_person
      if (request != nullptr && request->by == scene.actor.login) {
        return fail(ErrorCode::forbidden, "action", "who asked for " + guard.name + " does not answer it");
      }
      return {};
  }
}

Result<void> check_media(const Scene& scene, const Guard& guard) {
  if (scene.command == nullptr) return {};
  const auto& media = scene.command->media;
  const auto count = std::count_if(media.begin(), media.end(), [&](const EvidenceRef& file) {
    return guard.name.empty() || kMediaRoles[static_cast<std::size_t>(file.role)] == guard.name;
  });
  if (count >= guard.days) return {};
  return fail(ErrorCode::missing_field, "media",
              std::to_string(count) + " files" + (guard.name.empty() ? "" : " of role " + guard.name) + ", at least " +
                  std::to_string(guard.days));
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

tl::unexpected<Error> refused(const Scene& scene, const std::string& why) {
  return fail(ErrorCode::illegal_transition, "action", where(scene) + ": " + why);
}

const Request* find_request(const CaseRecord& state, std::string_view what) {
  for (const auto& request : state.requests) {
    if (request.what == what) return &request;
  }
  return nullptr;
}

Result<void> check_guard(const Scene& scene, const Move& move, const Guard& guard) {
  switch (guard.kind) {
    case GuardKind::asked:
    case GuardKind::not_asked:
    case GuardKind::confirmed:
    case GuardKind::not_confirmed:
    case GuardKind::other_person:
      return check_request(scene, guard);
    case GuardKind::in_time:
    case GuardKind::days_before:
    case GuardKind::running:
      return check_clock(scene, move, guard);
    case GuardKind::unlocked:
      if (!scene.state.return_locked) return {};
      return refused(scene, "a joint meeting decided the lead, so the order is not returned");
    case GuardKind::outcome: {
      const auto outcome = told(scene, move, Field::outcome);
      if (outcome == "?" || outcome == guard.name) return {};
      // Work that is not what was said was not put right either.
      if (guard.name == "not_rectified" && outcome == "untrue") return {};
      return refused(scene, "needs the outcome " + guard.name + ", the check says " +
                                (outcome.empty() ? "nothing" : std::string(outcome)));
    }
    case GuardKind::satisfied: {
      const auto code = told(scene, move, Field::satisfaction);
      if (code == "?" || (guard.name == "no" ? dissatisfied(code) : satisfied(code))) return {};
      return refused(scene, std::string("needs a call-back that is ") + (guard.name == "no" ? "not " : "") +
                                "satisfied, the last says " + (code.empty() ? "nothing" : std::string(code)));
    }
    case GuardKind::from_city:
      if (of_city(scene) == (guard.name != "no")) return {};
      return refused(scene, guard.name == "no" ? "the channel is the city's" : "the channel is not the city's");
    case GuardKind::fed_back:
      if (scene.state.feedback.empty()) return refused(scene, "nothing was fed back");
      if (scene.state.assisting_open.empty()) return {};
      return refused(scene, "no feedback yet of " + join(scene.state.assisting_open));
    case GuardKind::media:
      return check_media(scene, guard);
    case GuardKind::unmerged:
      if (scene.command == nullptr) return {};
      if (text_of(scene.command->fields, Field::target) != to_string(scene.state.id)) return {};
      return fail(ErrorCode::out_of_range, "fields.target", "is this case itself");
  }
  return fail(ErrorCode::internal, "action", "unknown guard");
}

Result<void> check_guards(const Scene& scene, const Move& move) {
  for (const auto* guards : {&own_guards_of(move.action), &move.guards}) {
    for (const auto& guard : *guards) {
      if (auto ok = check_guard(scene, move, guard); !ok) return ok;
    }
  }
  return {};
}

Result<void> check_bound(const Scene& scene, const Move& move) {
  const auto& state = scene.state;
  const auto& actor = scene.actor;
  const auto only = [&](const char* whom) -> Result<void> {
    return fail(ErrorCode::forbidden, "action", std::string(to_string(move.action)) + " is for " + whom);
  };
  switch (move.bound) {
    case Bound::anyone:
      return {};
    case Bound::holder:
      if (within(actor.org_path, scene.holder_path)) return {};
      return only("the desk that has the case, or one above it");
    case Bound::unit:
      if (!state.unit.empty() && state.unit == actor.org) return {};
      return only("the unit that has the case");
    case Bound::assisting:
      if (has(state.assisting_units, actor.org)) return {};
      return only("an assisting unit");
    case Bound::verifier:
      if (!state.verifier.empty() && state.verifier == actor.login && state.handler != actor.login) return {};
      return only("the member who has the task");
    case Bound::reporter:
      if (!state.reporter.login.empty() && state.reporter.login == actor.login) return {};
      return only("who reported the case");
    case Bound::not_handling:
      if (has(state.past_units, actor.org) || has(state.assisting_units, actor.org)) break;
      if (!state.handler.empty() && state.handler == actor.login) break;
      return {};
  }
  return only("those who did not handle the case");
}

Result<const Move*> find_move(const Scene& scene, Action action) {
  const auto* step = step_of(scene);
  const Move* first = nullptr;
  bool here = false;
  for (const auto& move : scene.process.moves) {
    if (move.action != action) continue;
    if (!starts_here(scene, step, move)) continue;
    here = true;
    if (std::find(move.roles.begin(), move.roles.end(), scene.actor.role) == move.roles.end()) continue;
    const bool chosen = std::all_of(move.guards.begin(), move.guards.end(), [&](const Guard& guard) {
      return !tells_apart(guard.kind) || check_guard(scene, move, guard).has_value();
    });
    if (chosen) return &move;
    if (first == nullptr) first = &move;  // its guard tells why not
  }
  if (const auto* move = clock_move(action); move != nullptr && first == nullptr && step != nullptr && !step->ends) {
    if (scene.actor.role == Role::system) return move;  // the profile's own move may lead from some steps only
    here = true;
  }
  if (first != nullptr) return first;
  if (here) {
    return fail(ErrorCode::forbidden, "action",
                std::string(to_string(scene.actor.role)) + " may not " + std::string(to_string(action)) + " here");
  }
  return refused(scene, std::string(to_string(action)) + " is not possible; possible: " + possible(scene));
}

}  // namespace gridward::domain::engine
