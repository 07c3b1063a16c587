// A small process as data, for tests: the grid member's case from report to archive, and a request that a desk
// registers.
#pragma once

#include <gridward/domain/case.hpp>

namespace gridward::test {

namespace demo {

using domain::Action;
using domain::Bound;
using domain::ClockMove;
using domain::ClockOp;
using domain::Field;
using domain::Guard;
using domain::GuardKind;
using domain::Move;
using domain::Role;

inline Move move(Action action, std::vector<std::string> from, std::string to, std::vector<Role> roles) {
  Move m;
  m.action = action;
  m.from = std::move(from);
  m.to = std::move(to);
  m.roles = std::move(roles);
  return m;
}

}  // namespace demo

// With the steps and stages of the documents (A1).
inline domain::Process demo_case_process(std::string id = "case") {
  using namespace demo;
  domain::Process p;
  p.id = std::move(id);
  p.title = "网格员上报案件";
  p.article = "A1";
  p.stages = {"reported", "accepted", "transferred", "verified", "closed", "assessed"};
  p.stage_titles = {{"reported", "上报"}, {"accepted", "受理"}, {"transferred", "转办"},
                    {"verified", "核查"}, {"closed", "结案"},   {"assessed", "考核"}};
  p.steps = {{"awaiting_review", "reported", "待受理"},
             {"rejected", "reported", "不予受理", true},
             {"awaiting_transfer", "accepted", "待转办"},
             {"awaiting_take", "transferred", "待接单"},
             {"taken", "transferred", "已接单"},
             {"arrived", "transferred", "已到场"},
             {"handled", "transferred", "已处置，待反馈"},
             {"return_asked", "transferred", "退单待审", false, true},
             {"awaiting_verify", "transferred", "已反馈，待核查"},
             {"verifying", "transferred", "核查中"},
             {"verify_passed", "verified", "核查通过，待结案"},
             {"verify_failed", "verified", "核查未通过"},
             {"awaiting_assess", "closed", "已结案"},
             {"done", "assessed", "已考核"},
             {"archived", "assessed", "已归档", true}};
  const std::vector<Role> desk{Role::town_operator, Role::intake_desk};
  const std::vector<Role> unit{Role::handling_unit};
  const auto add = [&](Move m) -> Move& { return p.moves.emplace_back(std::move(m)); };

  auto& report = add(move(Action::report, {}, "awaiting_review",
                          {Role::grid_member, Role::inspector, Role::town_operator, Role::intake_desk, Role::channel}));
  report.required = {Field::town, Field::category, Field::channel};
  report.optional = {Field::grid, Field::channel_reference, Field::petitioner, Field::petitioner_phone, Field::level};
  report.own_time = true;
  add(move(Action::accept, {"awaiting_review"}, "awaiting_transfer", desk)).bound = Bound::holder;
  auto& reject = add(move(Action::reject, {"awaiting_review"}, "rejected", desk));
  reject.bound = Bound::holder;
  reject.note = true;  // 规则 第十三条(二): the person is told why
  reject.required = {Field::reason};
  reject.reasons = "reject_reasons";
  auto& transfer = add(move(Action::transfer, {"awaiting_transfer"}, "awaiting_take", desk));
  transfer.bound = Bound::holder;
  transfer.required = {Field::unit};
  transfer.optional = {Field::assisting_units};
  transfer.clocks = {{"handle", ClockOp::start, "{limit}"}, {"return", ClockOp::start, "return_{limit}"}};
  add(move(Action::take, {"awaiting_take"}, "taken", unit)).bound = Bound::unit;
  add(move(Action::arrive, {"taken"}, "arrived", unit)).bound = Bound::unit;
  auto& handle = add(move(Action::handle, {"taken", "arrived"}, "handled", unit));
  handle.bound = Bound::unit;
  handle.note = true;
  auto& assist = add(move(Action::assist, {"awaiting_take", "taken", "arrived", "handled"}, "", unit));
  assist.bound = Bound::assisting;
  assist.note = true;
  auto& feedback = add(move(Action::feedback, {"handled"}, "awaiting_verify", unit));
  feedback.bound = Bound::unit;
  feedback.note = true;
  // 第二十五条(二) is for 办结, and 第十五条 lets nothing count as done before its result is fed back.
  feedback.clocks = {{"handle", ClockOp::stop, ""}, {"return", ClockOp::cancel, ""}};
  auto& ask_return = add(move(Action::request_return, {"awaiting_take", "taken"}, "return_asked", unit));
  ask_return.bound = Bound::unit;
  ask_return.required = {Field::reason, Field::legal_basis, Field::suggested_unit};
  ask_return.reasons = "return_reasons";
  ask_return.guards = {{GuardKind::in_time, "return", 0}, {GuardKind::unlocked, "", 0}};
  ask_return.clocks = {{"handle", ClockOp::pause, ""}};
  auto& confirm_return = add(move(Action::confirm_return, {"return_asked"}, "", desk));
  confirm_return.bound = Bound::holder;
  confirm_return.guards = {{GuardKind::asked, "return", 0}, {GuardKind::not_confirmed, "return", 0}};
  auto& grant_return = add(move(Action::grant_return, {"return_asked"}, "awaiting_transfer", desk));
  grant_return.bound = Bound::holder;
  grant_return.guards = {{GuardKind::asked, "return", 0}};
  grant_return.clocks = {{"*", ClockOp::cancel, ""}};
  auto& refuse_return = add(move(Action::refuse_return, {"return_asked"}, "@back", desk));
  refuse_return.bound = Bound::holder;
  refuse_return.note = true;
  refuse_return.clocks = {{"handle", ClockOp::resume, ""}};
  auto& ask = add(move(Action::request_verify, {"awaiting_verify"}, "verifying", desk));
  ask.bound = Bound::holder;
  ask.required = {Field::assignee, Field::task};
  auto again = ask;
  again.from = {"verify_failed"};
  again.guards = {{GuardKind::outcome, "cannot_check", 0}};
  add(std::move(again));
  for (const auto& [outcome, to] :
       {std::pair{"confirmed", "verify_passed"}, std::pair{"not_rectified", "verify_failed"},
        std::pair{"cannot_check", "verify_failed"}}) {
    auto& verify = add(move(Action::verify, {"verifying"}, to, {Role::grid_member, Role::inspector}));
    verify.bound = Bound::verifier;
    verify.required = {Field::task, Field::outcome};
    verify.guards = {{GuardKind::outcome, outcome, 0}};
    verify.own_time = true;
  }
  auto& rework = add(move(Action::rework, {"verify_failed"}, "awaiting_transfer", desk));
  rework.bound = Bound::holder;
  rework.required = {Field::reason};
  rework.reasons = "rework_reasons";
  add(move(Action::close, {"verify_passed"}, "awaiting_assess", desk)).bound = Bound::holder;
  add(move(Action::assess, {"awaiting_assess"}, "done", {Role::system}));
  add(move(Action::archive, {"done"}, "archived", desk)).bound = Bound::holder;
  auto& escalate = add(move(Action::escalate, {"awaiting_review", "awaiting_transfer"}, "", desk));
  escalate.bound = Bound::holder;
  escalate.required = {Field::level, Field::holder};
  auto& down = add(move(Action::assign_down, {"awaiting_review", "awaiting_transfer"}, "", desk));
  down.bound = Bound::holder;
  down.required = {Field::level, Field::holder};
  auto& duplicate = add(move(Action::duplicate, {"awaiting_review"}, "rejected", desk));
  duplicate.bound = Bound::holder;
  duplicate.required = {Field::target};
  duplicate.guards = {{GuardKind::unmerged, "", 0}};
  for (auto& m : p.moves) {
    if (m.action != Action::assess) m.article = "A1";  // whose article is that of the limit it judges by
  }
  return p;
}

inline void add_demo_process(domain::Policy& policy) {
  policy.processes["case"] = demo_case_process();
  policy.processes["work_order"] = demo_case_process("work_order");
  policy.processes["work_order"].title = "热线工单";
  // Who hands in what: a member the one, desks and channels the other.
  policy.processes["case"].moves.front().roles = {domain::Role::grid_member, domain::Role::inspector};
  policy.processes["work_order"].moves.front().roles = {domain::Role::town_operator, domain::Role::intake_desk,
                                                        domain::Role::channel};
  policy.channels["grid_member"] = {"网格员上报", "case", false, "A4"};
  policy.channels["hotline"] = {"热线", "work_order", true, "A5"};
  policy.channels["visit"] = {"来访", "work_order", false, "A5"};
  const auto rule = [&](const char* name, domain::ClockUnit unit, int amount) {
    policy.limits[name] = {"limits." + std::string(name), "津滨政办发〔2020〕10号 第二十五条（二）", unit, amount};
  };
  rule("general", domain::ClockUnit::working_days, 7);
  rule("return_general", domain::ClockUnit::working_days, 1);
  policy.clock_titles = {{"handle", "办结"}, {"return", "退单"}};
  policy.codes["reject_reasons"] = {{"emergency_number", {"人身财产安全，请拨打110、119、120", "第十一条（一）"}}};
  policy.codes["return_reasons"] = {{"not_ours", {"不属于本单位职责", "第十四条"}}};
  policy.codes["rework_reasons"] = {{"not_rectified", {"未整改", "四（二）7"}}};
  policy.scores = {{"scores.overdue", domain::ScoreCause::overdue, -200, 1, "D23"},
                   {"scores.second_time", domain::ScoreCause::second_time, -100, 1, "D23"}};
}

}  // namespace gridward::test
