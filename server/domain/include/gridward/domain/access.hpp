// Who acts, and what acts there are. Who may do what is the process's (process.hpp). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::domain {

enum class Role : std::uint8_t {
  grid_member,
  grid_leader,        // 网格长: leads the members of a village or town
  inspector,          // 专职巡查员: bound to no grid
  town_operator,      // of the town center
  intake_desk,        // 受理部: hotline and citizen channels (A7)
  coordination_desk,  // 协调部: what grid members report
  handling_unit,
  unit_leader,  // leader in charge of a handling unit (B11, A51)
  supervisor,   // 督查: the two offices' supervision room (A50)
  leader,
  channel,  // a system that hands in citizens' requests
  system_admin,
  system,
};

// The acts on a case. Which of them exist in a process, who may do them and what follows is the profile's
// (process.hpp).
enum class Action : std::uint8_t {
  report,
  self_handle,  // reported and handled on the spot by the member (A11)
  triage,       // importance, urgency, grade (A38, A63)
  accept,
  reject,
  direct_reply,  // A25
  duplicate,
  void_case,
  instruct,      // A15 leader's instruction
  transfer,      // dispatch to a unit
  phone_notice,  // A40
  take,
  assign,       // inside the unit (A48, A15)
  unit_accept,  // A24
  contact,      // B20
  arrive,
  handle,
  assist,  // feedback of an assisting unit
  feedback,
  sign_result,  // A51
  request_return,
  confirm_return,
  grant_return,
  refuse_return,
  request_extension,
  grant_extension,
  refuse_extension,
  request_suspension,
  grant_suspension,
  refuse_suspension,
  resume,
  whistle,
  decide_lead,
  urge,
  supervise,
  remind,  // B16 call one working day before the due
  escalate,
  assign_down,
  escalate_to_head,  // F8
  request_verify,
  verify,       // by a member with a handheld
  desk_verify,  // by the center, by callback or on site (A53)
  rework,
  call_back,
  close,
  assess,
  sample,           // after-closure sampling
  clue,             // D36
  count_complaint,  // D19
  confirm_circle,   // D22
  flag_caller,      // F13
  archive,
  warn,        // a clock turned yellow
  overdue,     // a clock passed its due
  draft_list,  // A8: 拟定问题责任清单
  approve_list,
  hold_meeting,
  file_minutes,
};
inline constexpr std::size_t kRoles = static_cast<std::size_t>(Role::system) + 1;
inline constexpr std::size_t kActions = static_cast<std::size_t>(Action::file_minutes) + 1;

std::string_view to_string(Role role);
std::string_view to_string(Action action);
std::optional<Role> role_from_string(std::string_view text);
std::optional<Action> action_from_string(std::string_view text);

// Who acts. `org` is the code of the node they belong to, `org_path` its path from the root ("120116/120116115/…").
struct Actor {
  std::string login;
  std::string name;
  Role role = Role::grid_member;
  std::string org;
  std::string org_path;
  bool operator==(const Actor&) const = default;
};

bool within(std::string_view subtree_path, std::string_view path);  // the same node or below it

}  // namespace gridward::domain
