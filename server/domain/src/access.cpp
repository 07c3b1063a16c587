#include <array>
#include <gridward/domain/access.hpp>
#include <utility>

namespace gridward::domain {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 6> kRoles{{
    {Role::grid_member, "grid_member"},
    {Role::town_operator, "town_operator"},
    {Role::handling_unit, "handling_unit"},
    {Role::leader, "leader"},
    {Role::system_admin, "system_admin"},
    {Role::system, "system"},
}};

// Who may do it: one role an action, so that no one person carries a case from report to closing.
struct ActionRow {
  Action action;
  std::string_view name;
  Role role;
};
constexpr std::array<ActionRow, 13> kActions{{
    {Action::report, "report", Role::grid_member},
    {Action::accept, "accept", Role::town_operator},
    {Action::reject, "reject", Role::town_operator},
    {Action::transfer, "transfer", Role::town_operator},
    {Action::take, "take", Role::handling_unit},
    {Action::arrive, "arrive", Role::handling_unit},
    {Action::handle, "handle", Role::handling_unit},
    {Action::feedback, "feedback", Role::handling_unit},
    {Action::request_verify, "request_verify", Role::town_operator},
    {Action::verify, "verify", Role::grid_member},
    {Action::rework, "rework", Role::town_operator},
    {Action::close, "close", Role::town_operator},
    {Action::assess, "assess", Role::system},
}};

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return "unknown";
}

std::string_view to_string(Action action) {
  for (const auto& row : kActions) {
    if (row.action == action) return row.name;
  }
  return "unknown";
}

std::optional<Role> role_from_string(std::string_view text) {
  for (const auto& [value, name] : kRoles) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::optional<Action> action_from_string(std::string_view text) {
  for (const auto& row : kActions) {
    if (row.name == text) return row.action;
  }
  return std::nullopt;
}

bool may(Role role, Action action) {
  for (const auto& row : kActions) {
    if (row.action == action) return row.role == role;
  }
  return false;
}

bool within(std::string_view subtree_path, std::string_view path) {
  // An empty path is nobody's subtree: a user without a node must not see everything.
  if (subtree_path.empty() || !path.starts_with(subtree_path)) return false;
  return path.size() == subtree_path.size() || path[subtree_path.size()] == '/';
}

}  // namespace gridward::domain
