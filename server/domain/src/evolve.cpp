#include <algorithm>

#include "engine.hpp"

namespace gridward::domain {
namespace {

using namespace engine;

void begin(CaseRecord& state, const CaseEvent& event) {
  state.process = event.process;
  state.reporter = event.actor;
  state.text = event.note;
  state.place = event.place;
  state.captured_at = event.at;
  state.reported_at = event.recorded;
}

// 合政办发〔2020〕128号 四(二)7: the round begins anew; what was stays in the events.
void new_round(CaseRecord& state) {
  ++state.round;
  state.unit.clear();
  state.assisting_units.clear();
  state.assisting_open.clear();
  state.handler.clear();
  state.feedback.clear();
  state.verifier.clear();
  state.verify_task = {};
  state.verify_outcome.reset();
  state.closed_at.reset();
  state.requests.clear();
  std::erase_if(state.values, [](const auto& entry) { return field_info(entry.first).memory == Memory::round; });
}

void remember(CaseRecord& state, const CaseEvent& event) {
  for (const auto& [field, value] : event.fields) {
    if (field_info(field).memory != Memory::event) state.values[field] = value;
  }
  const std::pair<Field, std::string CaseRecord::*> members[] = {{Field::town, &CaseRecord::town},
                                                                 {Field::grid, &CaseRecord::grid},
                                                                 {Field::category, &CaseRecord::category},
                                                                 {Field::channel, &CaseRecord::channel},
                                                                 {Field::holder, &CaseRecord::holder}};
  for (const auto& [field, member] : members) {
    if (event.fields.contains(field)) state.*member = std::string(text_of(event.fields, field));
  }
}

void give_to(CaseRecord& state, const CaseEvent& event) {
  state.unit = std::string(text_of(event.fields, Field::unit));
  const auto assisting = names_of(event.fields, Field::assisting_units);
  state.assisting_units.assign(assisting.begin(), assisting.end());
  state.assisting_open = state.assisting_units;
  state.past_units.push_back(state.unit);
  state.handler.clear();
  state.feedback.clear();
  state.requests.clear();
}

void take_back(CaseRecord& state) {
  state.unit.clear();
  state.assisting_units.clear();
  state.assisting_open.clear();
  state.requests.clear();  // what the unit had asked for besides is moot
}

void answer(CaseRecord& state, std::string_view what) {
  std::erase_if(state.requests, [&](const Request& request) { return request.what == what; });
}

void feed_back(CaseRecord& state, const CaseEvent& event) {
  state.feedback = blank(event.note) ? std::string(text_of(event.fields, Field::reply)) : event.note;
  if (state.feedback.empty()) state.feedback = to_string(event.type);
  state.requests.clear();
}

void flag(CaseRecord& state, const CaseEvent& event) {
  if (event.type != Action::warn && event.type != Action::overdue) return;
  if (auto* clock = running_clock(state.clocks, text_of(event.fields, Field::clock))) {
    (event.type == Action::warn ? clock->warned : clock->overdue) = true;
  }
}

void checked(CaseRecord& state, const CaseEvent& event) {
  if (const auto outcome = task_outcome(text_of(event.fields, Field::outcome))) state.verify_outcome = outcome;
}

// What an act means to the case beyond its step, its fields and its clocks.
void effect(CaseRecord& state, const CaseEvent& event) {
  const std::string what(request_of(event.type));
  switch (event.type) {
    case Action::self_handle:
      state.handler = event.actor.login;
      feed_back(state, event);
      break;
    case Action::direct_reply:
    case Action::feedback:
      feed_back(state, event);
      break;
    case Action::transfer:
      give_to(state, event);
      break;
    case Action::decide_lead:
      give_to(state, event);
      state.return_locked = true;  // 津滨政办发〔2020〕10号 第二十二条: 不得推诿回退
      break;
    case Action::handle:
      state.handler = event.actor.login;
      break;
    case Action::assist:
      std::erase(state.assisting_open, event.actor.org);
      break;
    case Action::request_return:
    case Action::request_extension:
    case Action::request_suspension:
      state.requests.push_back({what, event.actor.login, "", event.fields});
      break;
    case Action::confirm_return:
      for (auto& request : state.requests) {
        if (request.what == what) request.confirmed_by = event.actor.login;
      }
      break;
    case Action::grant_return:
      take_back(state);
      break;
    case Action::refuse_return:
    case Action::grant_extension:
    case Action::refuse_extension:
    case Action::grant_suspension:
    case Action::refuse_suspension:
      answer(state, what);
      break;
    case Action::request_verify:
      if (const auto task = uuid_from_string(text_of(event.fields, Field::task))) state.verify_task = *task;
      state.verifier = std::string(text_of(event.fields, Field::assignee));
      state.verify_outcome.reset();
      state.values.erase(Field::outcome);
      break;
    case Action::verify:
    case Action::desk_verify:
    case Action::sample:
      checked(state, event);
      break;
    case Action::close:
      state.closed_at = event.recorded;
      break;
    default:
      break;
  }
}

}  // namespace

CaseRecord evolve(CaseRecord state, const CaseEvent& event) {
  if (state.version == 0) begin(state, event);
  ++state.version;
  state.updated_at = event.recorded;
  ++state.counts[event.type];
  if (event.type == Action::rework) new_round(state);
  remember(state, event);
  flag(state, event);  // before its changes, which may end that clock
  for (const auto& change : event.clocks) apply(state.clocks, change, state.round);
  effect(state, event);
  state.scores.insert(state.scores.end(), event.scores.begin(), event.scores.end());
  // Put aside from where it was; aside again from aside keeps the first.
  if (!event.aside) {
    state.back.clear();
  } else if (state.back.empty()) {
    state.back = state.step;
  }
  state.step = event.step;
  state.stage = event.stage;
  state.ends = event.ends;
  if (state.ends) state.requests.clear();
  if (state.stage == "closed" && !state.closed_at) state.closed_at = event.recorded;
  return state;
}

CaseRecord replay(const Uuid& id, std::string number, std::span<const CaseEvent> events) {
  CaseRecord state;
  state.id = id;
  state.number = std::move(number);
  for (const auto& event : events) state = evolve(std::move(state), event);
  return state;
}

const CaseClock* CaseRecord::clock(std::string_view name) const {
  for (auto row = clocks.rbegin(); row != clocks.rend(); ++row) {
    if (row->name == name) return &*row;
  }
  return nullptr;
}

std::optional<UnixMs> CaseRecord::due_at() const {
  std::optional<UnixMs> earliest;
  for (const auto& row : clocks) {
    if (row.running() && row.due && (!earliest || *row.due < *earliest)) earliest = row.due;
  }
  return earliest;
}

bool CaseRecord::overdue() const {
  return std::any_of(clocks.begin(), clocks.end(), [](const CaseClock& row) { return row.running() && row.overdue; });
}

bool concerns(const CaseRecord& state, std::string_view case_path, const Actor& actor) {
  switch (actor.role) {
    case Role::grid_leader:
    case Role::town_operator:
    case Role::intake_desk:
    case Role::coordination_desk:
    case Role::supervisor:
    case Role::leader:
    case Role::system_admin:
      return within(actor.org_path, case_path);
    case Role::handling_unit:
    case Role::unit_leader:
      if (actor.org.empty()) return false;
      return state.unit == actor.org || std::find(state.assisting_units.begin(), state.assisting_units.end(),
                                                  actor.org) != state.assisting_units.end();
    case Role::grid_member:
    case Role::inspector:
    case Role::channel:
      if (actor.login.empty()) return false;
      return state.reporter.login == actor.login || state.verifier == actor.login;
    case Role::system:
      return true;
  }
  return false;
}

}  // namespace gridward::domain
