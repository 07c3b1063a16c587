#include <algorithm>
#include <array>
#include <gridward/domain/case.hpp>
#include <gridward/shared/limits.hpp>
#include <utility>

namespace gridward::domain {
namespace {

constexpr std::array<std::pair<Stage, std::string_view>, 6> kStages{{
    {Stage::reported, "reported"},
    {Stage::accepted, "accepted"},
    {Stage::transferred, "transferred"},
    {Stage::verified, "verified"},
    {Stage::closed, "closed"},
    {Stage::assessed, "assessed"},
}};

struct StepRow {
  Step step;
  std::string_view name;
  Stage stage;
};
constexpr std::array<StepRow, 13> kSteps{{
    {Step::awaiting_review, "awaiting_review", Stage::reported},
    {Step::rejected, "rejected", Stage::reported},
    {Step::awaiting_transfer, "awaiting_transfer", Stage::accepted},
    {Step::awaiting_take, "awaiting_take", Stage::transferred},
    {Step::taken, "taken", Stage::transferred},
    {Step::arrived, "arrived", Stage::transferred},
    {Step::handled, "handled", Stage::transferred},
    {Step::awaiting_verify, "awaiting_verify", Stage::transferred},
    {Step::verifying, "verifying", Stage::transferred},
    {Step::verify_passed, "verify_passed", Stage::verified},
    {Step::verify_failed, "verify_failed", Stage::verified},
    {Step::awaiting_assess, "awaiting_assess", Stage::closed},
    {Step::done, "done", Stage::assessed},
}};

// The whole graph (A1, with the rework of A55); what is not here is illegal.
constexpr std::array<std::pair<Step, Action>, 14> kTransitions{{
    {Step::awaiting_review, Action::accept},
    {Step::awaiting_review, Action::reject},
    {Step::awaiting_transfer, Action::transfer},
    {Step::awaiting_take, Action::take},
    {Step::taken, Action::arrive},
    {Step::taken, Action::handle},
    {Step::arrived, Action::handle},
    {Step::handled, Action::feedback},
    {Step::awaiting_verify, Action::request_verify},
    {Step::verifying, Action::verify},
    {Step::verify_passed, Action::close},
    {Step::verify_failed, Action::request_verify},
    {Step::verify_failed, Action::rework},
    {Step::awaiting_assess, Action::assess},
}};

Stage stage_of(Step step) {
  for (const auto& row : kSteps) {
    if (row.step == step) return row.stage;
  }
  return Stage::reported;
}

bool possible(const CaseRecord& state, Action action) {
  const bool listed =
      std::find(kTransitions.begin(), kTransitions.end(), std::pair{state.step, action}) != kTransitions.end();
  if (!listed) return false;
  // A place that could not be reached is asked for again; work found undone goes back to the unit instead.
  if (state.step == Step::verify_failed && action == Action::request_verify) {
    return state.verify_outcome == TaskOutcome::cannot_check;
  }
  return true;
}

// Acts tied to one unit or one person, beyond their role.
bool is_theirs(const CaseRecord& state, const Actor& actor, Action action) {
  switch (action) {
    case Action::take:
    case Action::arrive:
    case Action::handle:
    case Action::feedback:
      return !state.unit.empty() && state.unit == actor.org;
    case Action::verify:
      return !state.verifier.empty() && state.verifier == actor.login && state.handler != actor.login;
    default:
      return true;
  }
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Result<void> at_most(std::string_view text, std::string field, std::size_t limit) {
  const auto count = code_points(text);
  if (count <= limit) return {};
  return fail(ErrorCode::out_of_range, std::move(field),
              std::to_string(count) + " characters, at most " + std::to_string(limit));
}

Result<void> required(std::string_view text, std::string field) {
  if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) return {};
  return fail(ErrorCode::missing_field, std::move(field), "must not be empty");
}

Result<void> check_sizes(const Command& command) {
  if (auto ok = at_most(command.note, "note", limits::kTextCharacters); !ok) return ok;
  const std::array<std::pair<std::string_view, const char*>, 6> names{{{command.category, "category"},
                                                                       {command.grid, "grid"},
                                                                       {command.town, "town"},
                                                                       {command.unit, "unit"},
                                                                       {command.reason, "reason"},
                                                                       {command.assignee, "assignee"}}};
  for (const auto& [text, field] : names) {
    if (auto ok = at_most(text, field, limits::kNameCharacters); !ok) return ok;
  }
  if (command.media.size() > limits::kMediaPerRecord) {
    return fail(ErrorCode::out_of_range, "media",
                std::to_string(command.media.size()) + " files, at most " + std::to_string(limits::kMediaPerRecord));
  }
  return {};
}

tl::unexpected<Error> illegal(const CaseRecord& state, Action action) {
  std::string instead;
  for (const auto& row : kTransitions) {
    if (!possible(state, row.second) || row.first != state.step) continue;
    if (!instead.empty()) instead += ", ";
    instead += to_string(row.second);
  }
  if (instead.empty()) instead = "nothing";
  return fail(ErrorCode::illegal_transition, "action",
              "stage " + std::string(to_string(state.stage)) + ", step " + std::string(to_string(state.step)) + ": " +
                  std::string(to_string(action)) + " is not possible; possible: " + instead);
}

const ClockRule* limit_of(const Policy& policy, const std::string& category) {
  const auto found = policy.categories.find(category);
  if (found == policy.categories.end()) return nullptr;
  const auto limit = policy.limits.find(found->second.limit);
  return limit == policy.limits.end() ? nullptr : &limit->second;
}

std::string rule_text(const ClockRule& limit) { return limit.key + " " + limit.article; }

Result<void> fill_report(CaseEvent& event, const Command& command, const Policy& policy) {
  if (auto ok = required(command.town, "town"); !ok) return ok;
  if (auto ok = required(command.category, "category"); !ok) return ok;
  if (!policy.categories.contains(command.category)) {
    return fail(ErrorCode::unknown_category, "category",
                command.category + " is not in the matter list of " + policy.id);
  }
  event.category = command.category;
  event.grid = command.grid;
  event.town = command.town;
  return {};
}

Result<void> fill_reject(CaseEvent& event, const Command& command, const Policy& policy) {
  if (auto ok = required(command.reason, "reason"); !ok) return ok;
  if (!policy.reject_reasons.contains(command.reason)) {
    return fail(ErrorCode::out_of_range, "reason", command.reason + " is not a reason of " + policy.id);
  }
  // 规则 第十三条(二): the person is told why.
  if (auto ok = required(command.note, "note"); !ok) return ok;
  event.reason = command.reason;
  return {};
}

Result<void> fill_transfer(CaseEvent& event, const CaseRecord& state, const Command& command, const Policy& policy) {
  if (auto ok = required(command.unit, "unit"); !ok) return ok;
  const auto* limit = limit_of(policy, state.category);
  if (limit == nullptr) {
    return fail(ErrorCode::unknown_category, "category", state.category + " has no time limit in " + policy.id);
  }
  const auto due = clock_due(calendar_of(policy, command.unit), *limit, event.recorded);
  event.unit = command.unit;
  event.due_at = due.at;
  event.due_provisional = due.provisional;
  event.rule = rule_text(*limit);
  return {};
}

Result<void> fill_request_verify(CaseEvent& event, const CaseRecord& state, const Command& command) {
  if (command.task.is_nil()) return fail(ErrorCode::missing_field, "task", "the task has no id");
  if (auto ok = required(command.assignee, "assignee"); !ok) return ok;
  if (command.assignee == state.handler) {
    return fail(ErrorCode::out_of_range, "assignee", "who handled the case does not check it");
  }
  event.task = command.task;
  event.assignee = command.assignee;
  return {};
}

Result<void> fill_verify(CaseEvent& event, const CaseRecord& state, const Command& command) {
  if (command.task != state.verify_task) {
    return fail(ErrorCode::illegal_transition, "task", "another task checks this case now");
  }
  if (!command.outcome) return fail(ErrorCode::missing_field, "outcome", "must be given");
  event.task = command.task;
  event.outcome = command.outcome;
  return {};
}

Result<void> fill(CaseEvent& event, const CaseRecord& state, const Command& command, const Policy& policy) {
  switch (command.action) {
    case Action::report:
      return fill_report(event, command, policy);
    case Action::reject:
      return fill_reject(event, command, policy);
    case Action::transfer:
      return fill_transfer(event, state, command, policy);
    case Action::handle:
    case Action::feedback:
      return required(command.note, "note");
    case Action::request_verify:
      return fill_request_verify(event, state, command);
    case Action::verify:
      return fill_verify(event, state, command);
    case Action::rework:
      if (auto ok = required(command.reason, "reason"); !ok) return ok;
      event.reason = command.reason;
      return {};
    case Action::assess:
      event.on_time = state.handled_at && state.due_at && *state.handled_at <= *state.due_at;
      if (const auto* limit = limit_of(policy, state.category)) event.rule = rule_text(*limit);
      return {};
    case Action::accept:
    case Action::take:
    case Action::arrive:
    case Action::close:
      return {};
  }
  return fail(ErrorCode::internal, "action", "unknown action");
}

}  // namespace

std::string_view to_string(Stage stage) {
  for (const auto& [value, name] : kStages) {
    if (value == stage) return name;
  }
  return "unknown";
}

std::string_view to_string(Step step) {
  for (const auto& row : kSteps) {
    if (row.step == step) return row.name;
  }
  return "unknown";
}

std::optional<Stage> stage_from_string(std::string_view text) {
  for (const auto& [value, name] : kStages) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::optional<Step> step_from_string(std::string_view text) {
  for (const auto& row : kSteps) {
    if (row.name == text) return row.step;
  }
  return std::nullopt;
}

WorkCalendar calendar_of(const Policy& policy, std::string_view unit) {
  auto calendar = policy.calendar;
  const auto own = policy.unit_hours.find(std::string(unit));
  if (own != policy.unit_hours.end()) calendar.hours = own->second;
  return calendar;
}

Result<std::vector<CaseEvent>> decide(const CaseRecord* state, const Command& command, const Policy& policy,
                                      UnixMs now) {
  if (!may(command.actor.role, command.action)) {
    return fail(ErrorCode::forbidden, "action",
                std::string(to_string(command.actor.role)) + " may not " + std::string(to_string(command.action)));
  }
  if (state == nullptr && command.action != Action::report) {
    return fail(ErrorCode::illegal_transition, "action", "no case yet; possible: report");
  }
  const std::uint64_t version = state == nullptr ? 0 : state->version;
  if (command.expected_version && *command.expected_version != version) {
    return fail(
        ErrorCode::version_conflict, "version",
        "the case is at version " + std::to_string(version) + ", not " + std::to_string(*command.expected_version));
  }
  if (state != nullptr) {
    if (!possible(*state, command.action)) return illegal(*state, command.action);
    if (!is_theirs(*state, command.actor, command.action)) {
      return fail(
          ErrorCode::forbidden, "action",
          std::string(to_string(command.action)) + " is for " +
              (command.action == Action::verify ? "the member who has the task" : "the unit that has the case"));
    }
  }
  if (auto ok = check_sizes(command); !ok) return tl::unexpected(ok.error());

  CaseEvent event;
  event.type = command.action;
  event.actor = command.actor;
  event.at = command.at;
  event.recorded = now;
  event.place = command.place;
  event.note = command.note;
  event.media = command.media;
  if (auto ok = fill(event, state == nullptr ? CaseRecord{} : *state, command, policy); !ok) {
    return tl::unexpected(ok.error());
  }
  return std::vector<CaseEvent>{std::move(event)};
}

CaseRecord evolve(CaseRecord state, const CaseEvent& event) {
  ++state.version;
  state.updated_at = event.recorded;
  switch (event.type) {
    case Action::report:
      state.reporter = event.actor;
      state.category = event.category;
      state.grid = event.grid;
      state.town = event.town;
      state.text = event.note;
      state.place = event.place;
      state.captured_at = event.at;
      state.reported_at = event.recorded;
      state.step = Step::awaiting_review;
      break;
    case Action::accept:
      state.step = Step::awaiting_transfer;
      break;
    case Action::reject:
      state.step = Step::rejected;
      break;
    case Action::transfer:
      state.unit = event.unit;
      state.due_at = event.due_at;
      // 津滨政办发〔2020〕10号 第二十三条: the clock starts when the unit is told. The unit's page is told by the
      // commit that makes this event, so its time is the commit's.
      state.clock_started_at = event.recorded;
      state.step = Step::awaiting_take;
      break;
    case Action::take:
      state.step = Step::taken;
      break;
    case Action::arrive:
      state.step = Step::arrived;
      break;
    case Action::handle:
      state.handler = event.actor.login;
      state.handled_at = event.recorded;
      state.step = Step::handled;
      break;
    case Action::feedback:
      state.feedback = event.note;
      // The limit of 第二十五条(二) is for 办结, and 第十五条 lets nothing count as done before its result is fed back
      // in the system: so the answer's time replaces the work's, and it is the server's, not the sender's.
      state.handled_at = event.recorded;
      state.step = Step::awaiting_verify;
      break;
    case Action::request_verify:
      state.verify_task = event.task;
      state.verifier = event.assignee;
      state.verify_outcome.reset();
      state.step = Step::verifying;
      break;
    case Action::verify:
      state.verify_outcome = event.outcome;
      state.step = event.outcome == TaskOutcome::confirmed ? Step::verify_passed : Step::verify_failed;
      break;
    case Action::rework:
      // 合政办发〔2020〕128号 四(二)7: back to the second step with a new clock; the old one stays in the events.
      ++state.round;
      state.unit.clear();
      state.handler.clear();
      state.feedback.clear();
      state.verifier.clear();
      state.verify_task = {};
      state.verify_outcome.reset();
      state.clock_started_at.reset();
      state.due_at.reset();
      state.handled_at.reset();
      state.step = Step::awaiting_transfer;
      break;
    case Action::close:
      state.closed_at = event.recorded;
      state.step = Step::awaiting_assess;
      break;
    case Action::assess:
      state.on_time = event.on_time;
      state.step = Step::done;
      break;
  }
  // A second request after "could not be checked" is a check under way again, so the stage follows the step.
  state.stage = stage_of(state.step);
  return state;
}

CaseRecord replay(const Uuid& id, std::string number, std::span<const CaseEvent> events) {
  CaseRecord state;
  state.id = id;
  state.number = std::move(number);
  for (const auto& event : events) state = evolve(std::move(state), event);
  return state;
}

bool concerns(const CaseRecord& state, std::string_view case_path, const Actor& actor) {
  switch (actor.role) {
    case Role::town_operator:
    case Role::leader:
    case Role::system_admin:
      return within(actor.org_path, case_path);
    case Role::handling_unit:
      return !state.unit.empty() && state.unit == actor.org;
    case Role::grid_member:
      return state.reporter.login == actor.login || (!state.verifier.empty() && state.verifier == actor.login);
    case Role::system:
      return true;
  }
  return false;
}

std::vector<Action> allowed_actions(const CaseRecord& state, const Actor& actor) {
  std::vector<Action> actions;
  for (const auto& [step, action] : kTransitions) {
    if (step == state.step && possible(state, action) && may(actor.role, action) && is_theirs(state, actor, action)) {
      actions.push_back(action);
    }
  }
  return actions;
}

}  // namespace gridward::domain
