#pragma once

#include <gridward/domain/case.hpp>

namespace gridward::domain::test {

using namespace std::chrono_literals;

inline UnixMs day(int n, int hour = 9) {
  // Monday 2026-03-09 at 9:00 in China is day 0.
  return UnixMs{std::chrono::sys_days{std::chrono::year{2026} / 3 / 9}} + std::chrono::hours{hour - 8 + 24 * n};
}

inline Policy policy() {
  Policy p;
  p.id = "binhai";
  p.name = "滨海新区";
  p.calendar.hours = {{8h + 30min, 12h}, {14h, 17h + 30min}};
  p.calendar.known_to = std::chrono::year{2026};
  p.limits["limits.urgent"] = {"limits.urgent", "津滨政办发〔2020〕10号 第二十五条（二）", ClockUnit::working_days, 2};
  p.limits["limits.general"] = {"limits.general", "津滨政办发〔2020〕10号 第二十五条（二）", ClockUnit::working_days,
                                7};
  p.categories["0101"] = {"0101", "路面破损", "limits.general", ""};
  p.categories["0201"] = {"0201", "井盖缺失", "limits.urgent", ""};
  p.reject_reasons["emergency_number"] = "人身财产安全，请拨打110、119、120";
  return p;
}

inline Actor actor(Role role, std::string login, std::string org = "T1", std::string path = "D1/T1") {
  return {login, login + " name", role, std::move(org), std::move(path)};
}
inline Actor member() { return actor(Role::grid_member, "m1", "G1", "D1/T1/V1/G1"); }
inline Actor checker() { return actor(Role::grid_member, "m2", "G2", "D1/T1/V1/G2"); }
inline Actor town_desk() { return actor(Role::town_operator, "op"); }
inline Actor unit() { return actor(Role::handling_unit, "u1", "U1", "D1/T1/U1"); }
inline Actor other_unit() { return actor(Role::handling_unit, "u2", "U2", "D1/T1/U2"); }
inline Actor machine() { return actor(Role::system, "system", "", ""); }

inline Uuid uuid(std::uint8_t n) {
  Uuid id;
  id.bytes[15] = n;
  return id;
}

// A command that is right in every field, by whoever may give it.
inline Command command(Action action, UnixMs at = day(0)) {
  Command c;
  c.action = action;
  c.at = at;
  switch (action) {
    case Action::report:
      c.actor = member();
      c.category = "0101";
      c.town = "T1";
      c.grid = "G1";
      c.note = "路面有坑";
      break;
    case Action::verify:
      c.actor = checker();
      c.task = uuid(7);
      c.outcome = TaskOutcome::confirmed;
      break;
    case Action::take:
    case Action::arrive:
    case Action::handle:
    case Action::feedback:
      c.actor = unit();
      c.note = "已修补";
      break;
    case Action::assess:
      c.actor = machine();
      break;
    default:
      c.actor = town_desk();
      c.note = "说明";
      break;
  }
  if (action == Action::reject) c.reason = "emergency_number";
  if (action == Action::rework) c.reason = "not_rectified";
  if (action == Action::transfer) {
    c.unit = "U1";
    c.unit_path = "D1/T1/U1";
  }
  if (action == Action::request_verify) {
    c.task = uuid(7);
    c.assignee = "m2";
  }
  return c;
}

}  // namespace gridward::domain::test
