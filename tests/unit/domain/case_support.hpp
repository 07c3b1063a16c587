// Three small processes in C++ for the tests of the engine: not those of a profile, but every kind of move that it
// knows.
#pragma once

#include <gridward/domain/case.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gridward::domain::test {

using namespace std::chrono_literals;
using enum Field;

inline UnixMs day(int n, int hour = 9) {
  // Monday 2026-03-09 at 9:00 in China is day 0.
  return UnixMs{std::chrono::sys_days{std::chrono::year{2026} / 3 / 9}} + std::chrono::hours{hour - 8 + 24 * n};
}

// "start:handle={limit}", "stop:*", as a profile writes them.
inline ClockMove clock_of(std::string_view text) {
  ClockMove move;
  const auto op = text.find(':');
  const auto limit = text.find('=');
  move.op = clock_op_from_string(text.substr(0, op)).value();
  move.clock = std::string(text.substr(op + 1, limit == text.npos ? text.npos : limit - op - 1));
  if (limit != text.npos) move.limit = std::string(text.substr(limit + 1));
  return move;
}

class MoveOf {
 public:
  MoveOf(Action action, std::vector<std::string> from, std::string to, std::vector<Role> roles) {
    move_.action = action;
    move_.from = std::move(from);
    move_.to = std::move(to);
    move_.roles = std::move(roles);
  }
  MoveOf& by(Bound bound) { return move_.bound = bound, *this; }
  MoveOf& when(std::initializer_list<std::string_view> guards) {
    for (const auto guard : guards) move_.guards.push_back(guard_from_string(guard).value());
    return *this;
  }
  MoveOf& clocks(std::initializer_list<std::string_view> changes) {
    for (const auto change : changes) move_.clocks.push_back(clock_of(change));
    return *this;
  }
  MoveOf& needs(std::vector<Field> fields) { return move_.required = std::move(fields), *this; }
  MoveOf& takes(std::vector<Field> fields) { return move_.optional = std::move(fields), *this; }
  MoveOf& because(std::string reasons) { return move_.reasons = std::move(reasons), *this; }
  MoveOf& noted() { return move_.note = true, *this; }
  MoveOf& own_time() { return move_.own_time = true, *this; }
  MoveOf& under(std::string article) { return move_.article = std::move(article), *this; }
  operator Move() const { return move_; }  // NOLINT(google-explicit-constructor): what the list of moves is made of

 private:
  Move move_;
};

inline Process titled(Process process) {
  for (const auto& stage : process.stages) process.stage_titles[stage] = stage;
  for (auto& step : process.steps) step.title = step.name;
  return process;
}

// The sideways that a case and a work order share once a unit has the order.
inline void add_sideways(std::vector<Move>& moves, Role desk) {
  using enum Action;
  const std::vector<Role> desks{desk};
  const std::vector<Role> units{Role::handling_unit};
  const std::vector<std::string> working{"taken", "arrived"};
  const std::vector<Move> more{
      MoveOf(transfer, {"awaiting_transfer"}, "awaiting_take", desks)
          .by(Bound::holder)
          .needs({unit})
          .takes({assisting_units, grade})
          .clocks({"start:handle={limit}", "start:return=return_{limit}", "start:respond=respond"}),
      MoveOf(phone_notice, {"awaiting_take"}, "", desks).needs({Field::contact}),
      MoveOf(take, {"awaiting_take"}, "taken", units).by(Bound::unit).clocks({"stop:respond"}),
      MoveOf(assign, working, "", {Role::handling_unit, Role::unit_leader}).by(Bound::unit).needs({assignee}),
      MoveOf(unit_accept, working, "", units).by(Bound::unit).needs({valid, notified_at}),
      MoveOf(Action::contact, working, "", units).by(Bound::unit).needs({Field::contact}),
      MoveOf(arrive, {"taken"}, "arrived", units).by(Bound::unit).own_time(),
      MoveOf(handle, working, "handled", units).by(Bound::unit).noted().own_time(),
      MoveOf(assist, {"awaiting_take", "taken", "arrived", "handled"}, "", units).by(Bound::assisting).noted(),
      MoveOf(sign_result, {"handled"}, "", {Role::unit_leader}).by(Bound::unit).when({"media:scan:1"}),
      MoveOf(request_return, {"awaiting_take", "taken"}, "return_review", units)
          .by(Bound::unit)
          .when({"in_time:return"})
          .noted()
          .needs({reason, legal_basis, suggested_unit})
          .because("return_reasons")
          .under("津滨政办发〔2020〕10号 第二十五条（四）"),
      MoveOf(confirm_return, {"return_review"}, "", {Role::unit_leader}).by(Bound::unit),
      MoveOf(grant_return, {"return_review"}, "awaiting_transfer", desks).by(Bound::holder).clocks({"cancel:*"}),
      MoveOf(refuse_return, {"return_review"}, "@back", desks).by(Bound::holder).noted(),
      MoveOf(request_extension, working, "", units)
          .by(Bound::unit)
          .when({"days_before:handle:1"})
          .needs({reason, citizen_informed_at})
          .because("extension_reasons"),
      MoveOf(grant_extension, working, "", desks)
          .by(Bound::holder)
          .when({"from_city:yes"})
          .needs({city_informed_at, unit_informed_at})
          .clocks({"extend:handle={limit}"}),
      MoveOf(grant_extension, working, "", desks).by(Bound::holder).when({"from_city:no"}).clocks({"extend:handle"}),
      MoveOf(refuse_extension, working, "", desks).by(Bound::holder).noted(),
      MoveOf(request_suspension, working, "", units).by(Bound::unit).needs({reason}).because("suspend_reasons"),
      MoveOf(grant_suspension, working, "suspended", {desk, Role::leader}).by(Bound::holder).clocks({"pause:*"}),
      MoveOf(refuse_suspension, working, "", desks).by(Bound::holder).noted(),
      MoveOf(resume, {"suspended"}, "@back", units).by(Bound::unit).clocks({"resume:*"}),
      MoveOf(resume, {"suspended"}, "@back", desks).by(Bound::holder).clocks({"resume:*"}),
      MoveOf(whistle, {"awaiting_transfer", "awaiting_take", "taken"}, "joint_meeting", desks)
          .by(Bound::holder)
          .clocks({"pause:*"}),
      MoveOf(decide_lead, {"joint_meeting"}, "awaiting_take", desks)
          .by(Bound::holder)
          .needs({unit, minutes, participants})
          .takes({assisting_units})
          .clocks({"cancel:*", "start:handle={limit}", "start:return=return_{limit}"}),
      MoveOf(urge, {"*"}, "", {desk, Role::leader}).noted(),
      MoveOf(supervise, {"*"}, "", {desk, Role::supervisor}).noted().needs({supervise_kind}).takes({trigger}),
      MoveOf(remind, {"awaiting_take", "taken", "arrived", "handled"}, "", desks).needs({Field::contact}),
      MoveOf(instruct, working, "", {Role::leader}).needs({instruction}),
      MoveOf(escalate_to_head, working, "", units).by(Bound::unit).needs({reason}).because("head_reasons"),
      MoveOf(escalate, {"awaiting_review", "awaiting_transfer"}, "", desks).by(Bound::holder).needs({level, holder}),
      MoveOf(assign_down, {"awaiting_review", "awaiting_transfer"}, "", desks).by(Bound::holder).needs({level, holder}),
      MoveOf(triage, {"awaiting_review", "awaiting_transfer"}, "", desks)
          .takes({category, importance, urgency, grade, valid}),
      MoveOf(Action::reject, {"awaiting_review"}, "rejected", desks)
          .by(Bound::holder)
          .noted()
          .needs({reason})
          .because("reject_reasons"),
      MoveOf(direct_reply, {"awaiting_review"}, "replied", desks).by(Bound::holder).needs({reply}),
      MoveOf(duplicate, {"awaiting_review", "awaiting_transfer"}, "merged", desks).by(Bound::holder).needs({target}),
      MoveOf(void_case, {"awaiting_review", "awaiting_transfer"}, "voided", desks)
          .noted()
          .needs({reason})
          .because("void_reasons"),
      MoveOf(clue, {"*"}, "", desks).needs({clue_target, talked_at, facts}),
      MoveOf(count_complaint, {"*"}, "", desks).needs({complaints}),
      MoveOf(confirm_circle, {"*"}, "", desks).noted().takes({unit}),
      MoveOf(flag_caller, {"*"}, "", desks).needs({evidence}),
      MoveOf(Action::close, {"verify_passed", "replied"}, "awaiting_assess", desks)
          .by(Bound::holder)
          .needs({closing_basis})
          .clocks({"stop:*"}),
      MoveOf(assess, {"awaiting_assess"}, "done", {Role::system}),
      MoveOf(sample, {"awaiting_assess", "done"}, "", {desk, Role::supervisor})
          .by(Bound::not_handling)
          .needs({outcome}),
      MoveOf(archive, {"done"}, "archived", desks).by(Bound::holder).takes({paper_at}),
  };
  moves.insert(moves.end(), more.begin(), more.end());
}

inline std::vector<ProcessStep> common_steps(const char* reported, const char* accepted, const char* transferred,
                                             const char* verified, const char* closed, const char* assessed) {
  const auto step = [](const char* name, const char* stage, bool ends = false, bool aside = false) {
    return ProcessStep{name, stage, "", ends, aside};
  };
  return {step("awaiting_review", reported),
          step("rejected", reported, true),
          step("merged", reported, true),
          step("voided", reported, true),
          step("awaiting_transfer", accepted),
          step("joint_meeting", accepted, false, true),
          step("awaiting_take", transferred),
          step("taken", transferred),
          step("arrived", transferred),
          step("return_review", transferred, false, true),
          step("suspended", transferred, false, true),
          step("handled", transferred),
          step("replied", verified),
          step("verify_passed", verified),
          step("awaiting_assess", closed),
          step("done", assessed),
          step("archived", assessed, true)};
}

inline Process case_process() {
  using enum Action;
  Process p;
  p.id = "case";
  p.stages = {"reported", "accepted", "transferred", "verified", "closed", "assessed"};
  p.steps = common_steps("reported", "accepted", "transferred", "verified", "closed", "assessed");
  const auto step = [](const char* name, const char* stage) { return ProcessStep{name, stage, "", false, false}; };
  p.steps.push_back(step("self_handled", "reported"));
  p.steps.push_back(step("awaiting_verify", "transferred"));
  p.steps.push_back(step("verifying", "transferred"));
  p.steps.push_back(step("verify_failed", "verified"));
  const std::vector<Role> desk{Role::town_operator};
  const std::vector<Role> members{Role::grid_member};
  p.moves = {
      MoveOf(report, {}, "awaiting_review", members).needs({town, category}).takes({grid, Field::channel}),
      MoveOf(self_handle, {}, "self_handled", members)
          .noted()
          .when({"media:before:1", "media:after:1"})
          .needs({town, category})
          .takes({grid})
          .own_time(),
      MoveOf(self_handle, {"awaiting_review"}, "self_handled", members)
          .by(Bound::reporter)
          .noted()
          .when({"media:before:1", "media:after:1"})
          .own_time(),
      MoveOf(accept, {"awaiting_review"}, "awaiting_transfer", desk).by(Bound::holder).takes({grade}),
      MoveOf(feedback, {"handled"}, "awaiting_verify", {Role::handling_unit})
          .by(Bound::unit)
          .noted()
          .takes({result_kind})
          .clocks({"stop:handle", "cancel:return"}),
      MoveOf(request_verify, {"awaiting_verify"}, "verifying", desk)
          .by(Bound::holder)
          .when({"fed_back"})
          .needs({task, assignee}),
      MoveOf(request_verify, {"verify_failed"}, "verifying", desk)
          .by(Bound::holder)
          .when({"outcome:cannot_check"})
          .needs({task, assignee}),
      MoveOf(verify, {"verifying"}, "verify_passed", members)
          .by(Bound::verifier)
          .when({"outcome:confirmed"})
          .needs({task, outcome})
          .own_time(),
      MoveOf(verify, {"verifying"}, "verify_failed", members)
          .by(Bound::verifier)
          .when({"outcome:not_rectified"})
          .needs({task, outcome})
          .own_time(),
      MoveOf(verify, {"verifying"}, "verify_failed", members)
          .by(Bound::verifier)
          .when({"outcome:cannot_check"})
          .needs({task, outcome})
          .own_time(),
      MoveOf(desk_verify, {"awaiting_verify", "verifying"}, "verify_passed", desk)
          .by(Bound::not_handling)
          .when({"fed_back", "outcome:confirmed", "media:1"})
          .needs({outcome, verify_method}),
      MoveOf(desk_verify, {"awaiting_verify", "verifying"}, "verify_failed", desk)
          .by(Bound::not_handling)
          .when({"outcome:not_rectified", "media:1"})
          .needs({outcome, verify_method}),
      MoveOf(rework, {"verify_failed"}, "awaiting_transfer", desk)
          .by(Bound::holder)
          .noted()
          .needs({reason})
          .because("rework_reasons")
          .clocks({"start:dispatch=dispatch"}),
      MoveOf(Action::close, {"self_handled"}, "awaiting_assess", desk).by(Bound::holder).needs({closing_basis}),
  };
  add_sideways(p.moves, Role::town_operator);
  return titled(std::move(p));
}

inline Process work_order_process() {
  using enum Action;
  Process p;
  p.id = "work_order";
  p.stages = {"accept", "dispatch", "supervise", "feedback", "callback", "rate", "assess"};
  p.steps = common_steps("accept", "dispatch", "supervise", "callback", "rate", "assess");
  const auto step = [](const char* name, const char* stage) { return ProcessStep{name, stage, "", false, false}; };
  p.steps.push_back(step("awaiting_callback", "feedback"));
  p.steps.push_back(step("called_back", "callback"));
  const std::vector<Role> desk{Role::intake_desk};
  p.moves = {
      MoveOf(report, {}, "awaiting_review", {Role::intake_desk, Role::channel})
          .needs({town, category, Field::channel})
          .takes({grid, channel_reference, matter_kind, petitioner, petitioner_phone, petitioner_kind}),
      MoveOf(accept, {"awaiting_review"}, "awaiting_transfer", desk).by(Bound::holder).takes({grade}),
      MoveOf(feedback, {"handled"}, "awaiting_callback", {Role::handling_unit})
          .by(Bound::unit)
          .takes({reply})
          .clocks({"stop:handle", "cancel:return", "start:call_back=call_back"}),
      MoveOf(call_back, {"awaiting_callback", "called_back"}, "called_back", desk)
          .by(Bound::not_handling)
          .needs({satisfaction, satisfaction_by})
          .clocks({"stop:call_back"}),
      MoveOf(Action::close, {"called_back"}, "awaiting_assess", desk)
          .by(Bound::holder)
          .when({"satisfied:yes"})
          .needs({closing_basis}),
      MoveOf(rework, {"called_back"}, "awaiting_transfer", desk)
          .by(Bound::holder)
          .when({"satisfied:no"})
          .noted()
          .needs({reason})
          .because("rework_reasons"),
  };
  add_sideways(p.moves, Role::intake_desk);
  std::erase_if(p.moves, [](const Move& move) {
    return move.action == Action::close && move.from == std::vector<std::string>{"verify_passed", "replied"};
  });
  p.moves.push_back(
      MoveOf(Action::close, {"replied"}, "awaiting_assess", desk).by(Bound::holder).needs({closing_basis}));
  std::erase_if(p.steps, [](const ProcessStep& row) { return row.name == "verify_passed"; });
  return titled(std::move(p));
}

inline Process coordination_process() {
  using enum Action;
  Process p;
  p.id = "coordination";
  p.stages = {"list", "approval", "meeting", "minutes", "supervision", "archive"};
  const auto step = [](const char* name, const char* stage, bool ends = false) {
    return ProcessStep{name, stage, "", ends, false};
  };
  p.steps = {step("awaiting_approval", "approval"), step("drafting", "list"),
             step("awaiting_meeting", "meeting"),   step("awaiting_minutes", "minutes"),
             step("supervising", "supervision"),    step("awaiting_archive", "archive"),
             step("archived", "archive", true)};
  const std::vector<Role> desk{Role::coordination_desk};
  p.moves = {
      MoveOf(draft_list, {}, "awaiting_approval", desk).noted().when({"media:scan:1"}).takes({town, category}),
      MoveOf(draft_list, {"drafting"}, "awaiting_approval", desk).noted().when({"media:scan:1"}),
      MoveOf(instruct, {"awaiting_approval"}, "drafting", {Role::leader}).needs({instruction}),
      MoveOf(approve_list, {"awaiting_approval"}, "awaiting_meeting", {Role::leader}),
      MoveOf(hold_meeting, {"awaiting_meeting"}, "awaiting_minutes", desk).needs({participants}),
      MoveOf(file_minutes, {"awaiting_minutes"}, "supervising", desk).needs({minutes}).when({"media:scan:1"}),
      MoveOf(transfer, {"supervising"}, "", desk)
          .needs({unit})
          .takes({assisting_units})
          .clocks({"start:handle=general"}),
      MoveOf(supervise, {"supervising"}, "", {Role::coordination_desk, Role::supervisor})
          .needs({supervise_kind})
          .takes({trigger}),
      MoveOf(assist, {"supervising"}, "", {Role::handling_unit}).by(Bound::assisting).noted(),
      MoveOf(feedback, {"supervising"}, "", {Role::handling_unit}).by(Bound::unit).noted().clocks({"stop:handle"}),
      MoveOf(Action::close, {"supervising"}, "awaiting_archive", desk).noted(),
      MoveOf(archive, {"awaiting_archive"}, "archived", desk),
  };
  return titled(std::move(p));
}

inline CodeList codes(std::initializer_list<const char*> names) {
  CodeList list;
  for (const char* name : names) list.push_back({name, {name, ""}});
  return list;
}

inline Policy policy() {
  Policy p;
  p.id = "test";
  p.name = "测试";
  p.calendar.hours = {{8h + 30min, 12h}, {14h, 17h + 30min}};
  p.calendar.known_to = std::chrono::year{2026};
  p.unit_hours["U3"] = {{9h, 12h}, {13h, 18h}};
  const auto limit = [&](const char* key, ClockUnit unit, int amount, const char* article) {
    p.limits[key] = {std::string("limits.") + key, article, unit, amount};
  };
  limit("general", ClockUnit::working_days, 7, "津滨政办发〔2020〕10号 第二十五条（二）");
  limit("urgent", ClockUnit::working_days, 2, "津滨政办发〔2020〕10号 第二十五条（二）");
  limit("return_general", ClockUnit::working_days, 1, "津滨政办发〔2020〕10号 第二十五条（四）");
  limit("return_urgent", ClockUnit::working_minutes, 240, "津滨政办发〔2020〕10号 第二十五条（四）");
  limit("respond", ClockUnit::duty_minutes, 30, "合政办发〔2020〕128号 四（二）3");
  limit("dispatch", ClockUnit::natural_minutes, 30, "合政办发〔2020〕128号 四（一）2");
  limit("call_back", ClockUnit::working_days, 3, "津滨政办发〔2020〕10号 第十七条");
  p.categories["0101"] = {"0101", "路面破损", "general", "", true, false};
  p.categories["0201"] = {"0201", "井盖缺失", "urgent", "", false, false};
  p.categories["0301"] = {"0301", "占道经营", "general", "", false, true};
  p.channels["grid_member"] = {"网格员上报", "case", false, ""};
  p.channels["hotline"] = {"热线", "work_order", false, ""};
  p.channels["hotline_12345"] = {"12345", "work_order", true, ""};
  p.codes["reject_reasons"] = codes({"emergency"});
  p.codes["return_reasons"] = codes({"not_duty"});
  p.codes["extension_reasons"] = codes({"complicated", "hard", "several_units"});
  p.codes["suspend_reasons"] = codes({"season"});
  p.codes["void_reasons"] = codes({"mistake"});
  p.codes["rework_reasons"] = codes({"unsatisfied", "below_standard", "overdue"});
  p.codes["head_reasons"] = codes({"media"});
  p.codes["grade"] = codes({"general", "urgent"});
  p.codes["importance"] = codes({"high", "low"});
  p.codes["urgency"] = codes({"high", "low"});
  p.codes["matter_kind"] = codes({"help"});
  p.codes["petitioner_kind"] = codes({"resident"});
  p.codes["result_kind"] = codes({"handled", "explained", "cannot_resolve"});
  p.codes["closing_basis"] = codes({"answered", "explained", "handled"});
  p.codes["verify_method"] = codes({"callback", "onsite"});
  p.codes["satisfaction"] = codes({"satisfied", "fairly_satisfied", "dissatisfied", "not_reached"});
  p.codes["satisfaction_by"] = codes({"operator", "citizen"});
  p.codes["supervise_kind"] = codes({"normal", "yellow", "red", "two_offices"});
  p.codes["trigger"] = codes({"overdue", "untrue", "procedure"});
  p.codes["clue_target"] = codes({"district_office"});
  for (const char* clock : {"handle", "return", "respond", "dispatch", "call_back"}) p.clock_titles[clock] = clock;
  for (auto process : {case_process(), work_order_process(), coordination_process()}) {
    auto id = process.id;
    p.processes[std::move(id)] = std::move(process);
  }
  const auto score = [&](const char* key, ScoreCause cause, std::int64_t points, std::int64_t least = 1) {
    p.scores.push_back({std::string("scores.") + key, cause, points, least, "合政办发〔2020〕128号 五"});
  };
  score("second_time", ScoreCause::second_time, -200);
  score("overdue", ScoreCause::overdue, -200);
  score("untrue", ScoreCause::untrue, -500);
  score("circular", ScoreCause::circular, -500);
  score("day_off", ScoreCause::day_off_report, 100);
  score("repeated", ScoreCause::repeated_complaint, -500, 3);
  return p;
}

inline Actor actor(Role role, std::string login, std::string org = "T1", std::string path = "D1/T1") {
  return {login, login + " name", role, std::move(org), std::move(path)};
}
inline Actor member() { return actor(Role::grid_member, "m1", "G1", "D1/T1/V1/G1"); }
inline Actor checker() { return actor(Role::grid_member, "m2", "G2", "D1/T1/V1/G2"); }
inline Actor town_desk() { return actor(Role::town_operator, "op"); }
inline Actor intake() { return actor(Role::intake_desk, "in", "D1", "D1"); }
inline Actor coordination() { return actor(Role::coordination_desk, "co", "D1", "D1"); }
inline Actor unit_of(std::string code) { return actor(Role::handling_unit, "w-" + code, code, "D1/T1/" + code); }
inline Actor leader_of(std::string code) { return actor(Role::unit_leader, "l-" + code, code, "D1/T1/" + code); }
inline Actor boss() { return actor(Role::leader, "boss", "D1", "D1"); }
inline Actor supervisor() { return actor(Role::supervisor, "sup", "D1", "D1"); }
inline Actor machine() { return actor(Role::system, "system", "", ""); }
inline std::vector<Actor> everybody() {
  return {member(),
          checker(),
          town_desk(),
          intake(),
          coordination(),
          unit_of("U1"),
          unit_of("U2"),
          unit_of("U3"),
          leader_of("U1"),
          leader_of("U2"),
          leader_of("U3"),
          boss(),
          supervisor(),
          machine(),
          actor(Role::channel, "ch", "D1", "D1"),
          actor(Role::town_operator, "op-d", "D1", "D1")};
}

inline Uuid uuid(std::uint8_t n) {
  Uuid id;
  id.bytes[15] = n;
  return id;
}

inline EvidenceRef file(MediaRole role, std::uint8_t n = 1) {
  EvidenceRef ref;
  ref.sha256[0] = n;
  ref.role = role;
  return ref;
}

}  // namespace gridward::domain::test
