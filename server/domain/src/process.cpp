#include <algorithm>
#include <charconv>

#include "engine.hpp"

namespace gridward::domain {
namespace {

constexpr std::array<std::string_view, 7> kBounds{"anyone",   "holder",   "unit",        "assisting",
                                                  "verifier", "reporter", "not_handling"};
constexpr std::array<std::string_view, 6> kOps{"start", "stop", "cancel", "pause", "resume", "extend"};
constexpr std::array<std::string_view, 15> kGuards{
    "asked",        "not_asked", "confirmed", "not_confirmed", "in_time",  "days_before", "running", "unlocked",
    "other_person", "outcome",   "satisfied", "from_city",     "fed_back", "media",       "unmerged"};

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

bool counts(GuardKind kind) { return kind == GuardKind::days_before || kind == GuardKind::media; }

std::optional<int> count_of(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

struct Needs {
  Action action;
  std::vector<Field> fields;
};

const std::vector<Needs>& needs_table() {
  static const std::vector<Needs> table{
      {Action::reject, {Field::reason}},
      {Action::direct_reply, {Field::reply}},
      {Action::duplicate, {Field::target}},
      {Action::void_case, {Field::reason}},
      {Action::instruct, {Field::instruction}},
      {Action::transfer, {Field::unit}},
      {Action::phone_notice, {Field::contact}},
      {Action::assign, {Field::assignee}},
      {Action::request_return, {Field::reason, Field::legal_basis, Field::suggested_unit}},  // B12, B13
      {Action::request_extension, {Field::reason, Field::citizen_informed_at}},              // B6, B7
      {Action::request_suspension, {Field::reason}},
      {Action::decide_lead, {Field::unit, Field::minutes, Field::participants}},  // A20
      {Action::supervise, {Field::supervise_kind}},
      {Action::remind, {Field::contact}},
      {Action::escalate, {Field::level, Field::holder}},
      {Action::assign_down, {Field::level, Field::holder}},
      {Action::request_verify, {Field::assignee, Field::task}},
      {Action::verify, {Field::task, Field::outcome}},
      {Action::desk_verify, {Field::outcome, Field::verify_method}},  // A53
      {Action::rework, {Field::reason}},                              // A43
      {Action::call_back, {Field::satisfaction, Field::satisfaction_by}},
      {Action::clue, {Field::clue_target, Field::talked_at, Field::facts}},  // D36
      {Action::count_complaint, {Field::complaints}},
      {Action::flag_caller, {Field::evidence}},
      {Action::warn, {Field::clock}},
      {Action::overdue, {Field::clock}},
      {Action::hold_meeting, {Field::participants}},
      {Action::file_minutes, {Field::minutes}},
  };
  return table;
}

}  // namespace

const ProcessStep* Process::step(std::string_view name) const {
  for (const auto& row : steps) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string_view to_string(Bound bound) { return kBounds[static_cast<std::size_t>(bound)]; }
std::optional<Bound> bound_from_string(std::string_view text) { return value_of<Bound>(kBounds, text); }
std::string_view to_string(ClockOp op) { return kOps[static_cast<std::size_t>(op)]; }
std::optional<ClockOp> clock_op_from_string(std::string_view text) { return value_of<ClockOp>(kOps, text); }

std::string to_string(const Guard& guard) {
  std::string text{kGuards[static_cast<std::size_t>(guard.kind)]};
  if (!guard.name.empty()) text += ":" + guard.name;
  if (counts(guard.kind)) text += ":" + std::to_string(guard.days);
  return text;
}

std::optional<Guard> guard_from_string(std::string_view text) {
  const auto border = text.find(':');
  const auto kind = value_of<GuardKind>(kGuards, text.substr(0, border));
  if (!kind) return std::nullopt;
  Guard guard;
  guard.kind = *kind;
  if (border == std::string_view::npos) return counts(*kind) ? std::nullopt : std::optional{guard};
  auto rest = text.substr(border + 1);
  if (counts(*kind)) {
    const auto last = rest.rfind(':');
    const auto days = count_of(last == std::string_view::npos ? rest : rest.substr(last + 1));
    if (!days) return std::nullopt;
    guard.days = *days;
    if (last == std::string_view::npos) return *kind == GuardKind::media ? std::optional{guard} : std::nullopt;
    rest = rest.substr(0, last);
  }
  if (rest.empty() || rest.find(':') != std::string_view::npos) return std::nullopt;
  guard.name = std::string(rest);
  return guard;
}

namespace engine {

std::span<const Field> needs_of(Action action) {
  for (const auto& row : needs_table()) {
    if (row.action == action) return row.fields;
  }
  return {};
}

std::string_view request_of(Action action) {
  switch (action) {
    case Action::request_return:
    case Action::confirm_return:
    case Action::grant_return:
    case Action::refuse_return:
      return kRequests[0];
    case Action::request_extension:
    case Action::grant_extension:
    case Action::refuse_extension:
      return kRequests[1];
    case Action::request_suspension:
    case Action::grant_suspension:
    case Action::refuse_suspension:
      return kRequests[2];
    default:
      return {};
  }
}

const std::vector<Guard>& own_guards_of(Action action) {
  using enum GuardKind;
  static const std::map<Action, std::vector<Guard>> table{
      {Action::request_return, {{unlocked, "", 0}, {not_asked, "return", 0}}},  // A21
      {Action::confirm_return,
       {{asked, "return", 0}, {not_confirmed, "return", 0}, {other_person, "return", 0}}},  // B11
      {Action::grant_return, {{asked, "return", 0}, {confirmed, "return", 0}}},
      {Action::refuse_return, {{asked, "return", 0}}},
      {Action::request_extension, {{running, "handle", 0}, {not_asked, "extension", 0}}},
      {Action::grant_extension, {{asked, "extension", 0}, {other_person, "extension", 0}}},
      {Action::refuse_extension, {{asked, "extension", 0}}},
      {Action::request_suspension, {{not_asked, "suspension", 0}}},
      {Action::grant_suspension, {{asked, "suspension", 0}, {other_person, "suspension", 0}}},
      {Action::refuse_suspension, {{asked, "suspension", 0}}},
      {Action::duplicate, {{unmerged, "", 0}}},
      {Action::close, {{fed_back, "", 0}}},  // A31
  };
  static const std::vector<Guard> none;
  const auto found = table.find(action);
  return found == table.end() ? none : found->second;
}

bool begins_a_case(Action action) {
  return action == Action::report || action == Action::self_handle || action == Action::draft_list;
}

bool tells_apart(GuardKind kind) {
  return kind == GuardKind::outcome || kind == GuardKind::satisfied || kind == GuardKind::from_city;
}

bool leads_from(const Move& move, const ProcessStep& step) {
  for (const auto& from : move.from) {
    if (from == step.name || (from == "*" && !step.ends)) return true;
  }
  return false;
}

const Move* clock_move(Action action) {
  const auto make = [](Action of) {
    Move move;
    move.action = of;
    move.from = {"*"};
    move.roles = {Role::system};
    move.required = {Field::clock};
    return move;
  };
  static const Move warn = make(Action::warn);
  static const Move overdue = make(Action::overdue);
  return action == Action::warn ? &warn : action == Action::overdue ? &overdue : nullptr;
}

bool dissatisfied(std::string_view code) {
  return code == "dissatisfied" || code == "not_satisfied" || code.ends_with("_dissatisfied");
}
bool satisfied(std::string_view code) {
  return code == "satisfied" || (code.ends_with("_satisfied") && !dissatisfied(code));
}

}  // namespace engine
}  // namespace gridward::domain
