#include <gtest/gtest.h>

#include <gridward/domain/access.hpp>
#include <gridward/domain/fields.hpp>
#include <set>

namespace gridward::domain {
namespace {

TEST(Access, NamesAreReadBackAndUnique) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRoles; ++i) {
    const auto role = static_cast<Role>(i);
    EXPECT_EQ(role_from_string(to_string(role)), role);
    names.insert(to_string(role));
  }
  EXPECT_EQ(names.size(), kRoles);
  names.clear();
  for (std::size_t i = 0; i < kActions; ++i) {
    const auto action = static_cast<Action>(i);
    EXPECT_EQ(action_from_string(to_string(action)), action);
    names.insert(to_string(action));
  }
  EXPECT_EQ(names.size(), kActions);
  EXPECT_EQ(to_string(Role::system), "system");
  EXPECT_EQ(to_string(Action::void_case), "void_case");
  EXPECT_EQ(to_string(Action::confirm_circle), "confirm_circle");
  EXPECT_EQ(to_string(Action::file_minutes), "file_minutes");
  EXPECT_FALSE(role_from_string("root").has_value());
  EXPECT_FALSE(action_from_string("").has_value());
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

TEST(Fields, NamesAreReadBackAndUnique) {
  std::set<std::string_view> names;
  ASSERT_EQ(field_table().size(), kFields);
  for (const auto& row : field_table()) {
    EXPECT_EQ(field_from_string(row.name), row.field);
    EXPECT_EQ(&field_info(row.field), &row);
    names.insert(row.name);
  }
  EXPECT_EQ(names.size(), kFields);
  EXPECT_FALSE(field_from_string("nothing").has_value());
}

TEST(Fields, WhatIsNotThereOrOfAnotherTypeIsNothing) {
  const FieldMap fields{{Field::reply, std::string("好")}, {Field::level, std::int64_t{3}}, {Field::valid, false}};
  EXPECT_EQ(text_of(fields, Field::reply), "好");
  EXPECT_EQ(text_of(fields, Field::level), "");
  EXPECT_EQ(number_of(fields, Field::level), 3);
  EXPECT_FALSE(number_of(fields, Field::valid));
  EXPECT_EQ(flag_of(fields, Field::valid), false);
  EXPECT_FALSE(time_of(fields, Field::paper_at));
  EXPECT_TRUE(names_of(fields, Field::participants).empty());
}

}  // namespace
}  // namespace gridward::domain
