#include <gtest/gtest.h>

#include <gridward/shared/topics.hpp>

namespace gridward {
namespace {

TEST(Topics, RoundTrip) {
  for (const auto kind : {TopicKind::up, TopicKind::media, TopicKind::down}) {
    const Topic topic{kind, "120116115", "hh-0001"};
    EXPECT_EQ(topic_from_string(to_string(topic)), topic);
  }
  EXPECT_EQ(to_string(Topic{TopicKind::down, "120116115", "hh-0001"}), "gridward/1/down/120116115/hh-0001");
  EXPECT_EQ(topic_filter(TopicKind::media, "120116115"), "gridward/1/media/120116115/+");
}

TEST(Topics, Refused) {
  const struct {
    const char* text;
    ErrorCode code;
    const char* field;
  } table[] = {
      {"", ErrorCode::malformed, "topic"},
      {"gridward/1/up/120116115", ErrorCode::malformed, "topic"},
      {"gridward/1/up/120116115/hh/x", ErrorCode::malformed, "topic"},
      {"/gridward/1/up/120116115/hh", ErrorCode::malformed, "topic"},
      {"gridwards/1/up/120116115/hh", ErrorCode::malformed, "topic"},
      {"gridward/2/up/120116115/hh", ErrorCode::unsupported_version, "topic.version"},
      {"gridward/01/up/120116115/hh", ErrorCode::unsupported_version, "topic.version"},
      {"gridward//up/120116115/hh", ErrorCode::malformed, "topic.version"},
      {"gridward/x/up/120116115/hh", ErrorCode::malformed, "topic.version"},
      {"gridward/1/UP/120116115/hh", ErrorCode::malformed, "topic.kind"},
      {"gridward/1/+/120116115/hh", ErrorCode::malformed, "topic.kind"},
      {"gridward/1/up/12011611/hh", ErrorCode::malformed, "topic.town"},
      {"gridward/1/up/12011611x/hh", ErrorCode::malformed, "topic.town"},
      {"gridward/1/up/120116115/", ErrorCode::malformed, "topic.device"},
      {"gridward/1/up/120116115/#", ErrorCode::malformed, "topic.device"},
      {"gridward/1/up/120116115/网", ErrorCode::malformed, "topic.device"},
  };
  for (const auto& row : table) {
    const auto topic = topic_from_string(row.text);
    ASSERT_FALSE(topic) << row.text;
    EXPECT_EQ(topic.error().code, row.code) << row.text;
    EXPECT_EQ(topic.error().field, row.field) << row.text;
  }
}

TEST(Topics, DeviceIds) {
  EXPECT_TRUE(valid_device_id("a"));
  EXPECT_TRUE(valid_device_id("Hand_held-09"));
  EXPECT_TRUE(valid_device_id(std::string(64, 'x')));
  EXPECT_FALSE(valid_device_id(std::string(65, 'x')));
  for (const auto* bad : {"", "a b", "a/b", "+", "a#", "$SYS", "é"}) EXPECT_FALSE(valid_device_id(bad)) << bad;
}

TEST(Topics, Towns) {
  for (const auto* good : {"120116", "120116115", "120116115201"}) EXPECT_TRUE(valid_town(good)) << good;
  for (const auto* bad : {"", "12", "1201161152", "12011611x", "120116-15"}) EXPECT_FALSE(valid_town(bad)) << bad;
}

}  // namespace
}  // namespace gridward
