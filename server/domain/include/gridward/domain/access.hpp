// Role × subtree × action. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::domain {

enum class Role : std::uint8_t { grid_member, town_operator, handling_unit, leader, system_admin, system };

enum class Action : std::uint8_t {
  report,
  accept,
  reject,
  transfer,
  take,
  arrive,
  handle,
  feedback,
  request_verify,
  verify,
  rework,
  close,
  assess,
};

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

bool may(Role role, Action action);
bool within(std::string_view subtree_path, std::string_view path);  // the same node or below it

}  // namespace gridward::domain
