#include <array>
#include <gridward/domain/access.hpp>

namespace gridward::domain {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, kRoles> kRoleNames{
    "grid_member",       "grid_leader",   "inspector",   "town_operator", "intake_desk",
    "coordination_desk", "handling_unit", "unit_leader", "supervisor",    "leader",
    "channel",           "system_admin",  "system",
};
constexpr std::array<std::string_view, kActions> kActionNames{
    "report",
    "self_handle",
    "triage",
    "accept",
    "reject",
    "direct_reply",
    "duplicate",
    "void_case",
    "instruct",
    "transfer",
    "phone_notice",
    "take",
    "assign",
    "unit_accept",
    "contact",
    "arrive",
    "handle",
    "assist",
    "feedback",
    "sign_result",
    "request_return",
    "confirm_return",
    "grant_return",
    "refuse_return",
    "request_extension",
    "grant_extension",
    "refuse_extension",
    "request_suspension",
    "grant_suspension",
    "refuse_suspension",
    "resume",
    "whistle",
    "decide_lead",
    "urge",
    "supervise",
    "remind",
    "escalate",
    "assign_down",
    "escalate_to_head",
    "request_verify",
    "verify",
    "desk_verify",
    "rework",
    "call_back",
    "close",
    "assess",
    "sample",
    "clue",
    "count_complaint",
    "confirm_circle",
    "flag_caller",
    "archive",
    "warn",
    "overdue",
    "draft_list",
    "approve_list",
    "hold_meeting",
    "file_minutes",
};
static_assert(!kRoleNames.back().empty() && !kActionNames.back().empty());

template <class Enum, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : "unknown";
}

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Role role) { return name_of(kRoleNames, role); }
std::string_view to_string(Action action) { return name_of(kActionNames, action); }
std::optional<Role> role_from_string(std::string_view text) { return value_of<Role>(kRoleNames, text); }
std::optional<Action> action_from_string(std::string_view text) { return value_of<Action>(kActionNames, text); }

bool within(std::string_view subtree_path, std::string_view path) {
  // An empty path is nobody's subtree: a user without a node must not see everything.
  if (subtree_path.empty() || !path.starts_with(subtree_path)) return false;
  return path.size() == subtree_path.size() || path[subtree_path.size()] == '/';
}

}  // namespace gridward::domain
