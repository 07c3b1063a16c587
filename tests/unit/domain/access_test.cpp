#include <gtest/gtest.h>

#include <array>
#include <gridward/domain/access.hpp>
#include <set>

namespace gridward::domain {
namespace {

constexpr std::array kAllRoles{Role::grid_member, Role::town_operator, Role::handling_unit,
                               Role::leader,      Role::system_admin,  Role::system};
constexpr std::array kAllActions{Action::report,         Action::accept, Action::reject, Action::transfer,
                                 Action::take,           Action::arrive, Action::handle, Action::feedback,
                                 Action::request_verify, Action::verify, Action::rework, Action::close,
                                 Action::assess};

TEST(Access, NamesAreReadBackAndUnique) {
  std::set<std::string_view> names;
  for (const auto role : kAllRoles) {
    EXPECT_EQ(role_from_string(to_string(role)), role);
    names.insert(to_string(role));
  }
  for (const auto action : kAllActions) {
    EXPECT_EQ(action_from_string(to_string(action)), action);
    names.insert(to_string(action));
  }
  EXPECT_EQ(names.size(), kAllRoles.size() + kAllActions.size());
  EXPECT_FALSE(role_from_string("root").has_value());
  EXPECT_FALSE(action_from_string("").has_value());
}

TEST(Access, EachRoleHasExactlyItsActions) {
  const auto of = [](Role role) {
    std::set<Action> out;
    for (const auto action : kAllActions) {
      if (may(role, action)) out.insert(action);
    }
    return out;
  };
  EXPECT_EQ(of(Role::grid_member), (std::set{Action::report, Action::verify}));
  EXPECT_EQ(of(Role::town_operator), (std::set{Action::accept, Action::reject, Action::transfer, Action::request_verify,
                                               Action::rework, Action::close}));
  EXPECT_EQ(of(Role::handling_unit), (std::set{Action::take, Action::arrive, Action::handle, Action::feedback}));
  EXPECT_EQ(of(Role::leader), std::set<Action>{});
  EXPECT_EQ(of(Role::system_admin), std::set<Action>{});
  EXPECT_EQ(of(Role::system), std::set{Action::assess});
}

TEST(Access, WithinIsByNodeNotByPrefix) {
  EXPECT_TRUE(within("120116", "120116"));
  EXPECT_TRUE(within("120116", "120116/120116115"));
  EXPECT_TRUE(within("120116/120116115", "120116/120116115/120116115201"));
  EXPECT_FALSE(within("120116/120116115", "120116"));
  EXPECT_FALSE(within("120116/120116115", "120116/1201161159"));
  EXPECT_FALSE(within("", "120116"));
  EXPECT_FALSE(within("", ""));
}

}  // namespace
}  // namespace gridward::domain
