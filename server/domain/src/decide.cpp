#include <algorithm>

#include "engine.hpp"

namespace gridward::domain {
namespace {

using namespace engine;

Result<const Process*> process_of(const CaseRecord& state, const Command& command, const Policy& policy) {
  std::string id = state.process;
  if (state.version == 0) {
    id = command.process;
    if (id.empty()) {
      // A channel's cases are of its process.
      const auto channel = policy.channels.find(std::string(text_of(command.fields, Field::channel)));
      if (channel != policy.channels.end()) id = channel->second.process;
    }
    if (id.empty()) return fail(ErrorCode::missing_field, "process", "must not be empty");
  }
  const auto found = policy.processes.find(id);
  if (found != policy.processes.end()) return &found->second;
  return fail(ErrorCode::out_of_range, "process", id + " is not a process of " + policy.id);
}

Result<const ProcessStep*> target_of(const Scene& scene, const Move& move) {
  const auto& name = move.to == "@back" ? scene.state.back : move.to.empty() ? scene.state.step : move.to;
  if (const auto* step = scene.process.step(name)) return step;
  if (move.to == "@back" && name.empty()) return refused(scene, "the case was not put aside, so nothing leads back");
  return fail(ErrorCode::config_invalid, "processes." + scene.process.id, "has no step " + name);
}

// The article of the act, else that of the first limit that it starts.
std::string rule_of(const CaseEvent& event, const Move& move) {
  if (!move.article.empty()) return move.article;
  for (const auto& change : event.clocks) {
    if (change.op == ClockOp::start || change.op == ClockOp::extend) return rule_text(change.rule);
  }
  return {};
}

void fill_assessment(CaseEvent& event, const Scene& scene) {
  // 按时办结: the last order's clock, met or not; nothing when no unit ever had it.
  for (auto clock = scene.state.clocks.rbegin(); clock != scene.state.clocks.rend(); ++clock) {
    if (clock->name != "handle" || !clock->kept) continue;
    event.fields[Field::on_time] = *clock->kept;
    if (event.rule.empty()) event.rule = rule_text(clock->rule);
    break;
  }
  event.scores = score_case(scene.state, scene.command->history, scene.command->grid_member, scene.policy);
}

}  // namespace

Result<std::vector<CaseEvent>> decide(const CaseRecord* state, const Command& command, const Policy& policy,
                                      UnixMs now) {
  static const CaseRecord none;
  const CaseRecord& from = state == nullptr ? none : *state;
  if (command.expected_version && *command.expected_version != from.version) {
    return fail(ErrorCode::version_conflict, "version",
                "the case is at version " + std::to_string(from.version) + ", not " +
                    std::to_string(*command.expected_version));
  }
  if (from.version == 0 && !begins_a_case(command.action)) {
    return fail(ErrorCode::illegal_transition, "action",
                "no case yet: " + std::string(to_string(command.action)) + " is not possible; possible: report");
  }
  const auto process = process_of(from, command, policy);
  if (!process) return tl::unexpected(process.error());
  const Scene scene{from, **process, policy, command.actor, command.holder_path, now, &command};

  const auto found = find_move(scene, command.action);
  if (!found) return tl::unexpected(found.error());
  const Move& move = **found;
  if (auto ok = check_bound(scene, move); !ok) return tl::unexpected(ok.error());
  if (auto ok = check_fields(scene, move); !ok) return tl::unexpected(ok.error());
  if (auto ok = check_guards(scene, move); !ok) return tl::unexpected(ok.error());
  if (auto ok = check_built_in(scene, move); !ok) return tl::unexpected(ok.error());
  const auto target = target_of(scene, move);
  if (!target) return tl::unexpected(target.error());

  CaseEvent event;
  event.type = command.action;
  event.actor = command.actor;
  event.at = command.at;
  event.recorded = now;
  event.place = command.place;
  event.note = command.note;
  event.fields = command.fields;
  event.media = command.media;
  if (scene.begins()) event.process = scene.process.id;
  event.step = (*target)->name;
  event.stage = (*target)->stage;
  event.aside = (*target)->aside;
  event.ends = (*target)->ends;
  if (auto ok = fill_clocks(event, scene, move); !ok) return tl::unexpected(ok.error());
  event.rule = rule_of(event, move);
  if (command.action == Action::assess) fill_assessment(event, scene);
  return std::vector<CaseEvent>{std::move(event)};
}

}  // namespace gridward::domain
