#include <gtest/gtest.h>

#include <gridward/platform/log.hpp>

namespace gridward::platform {
namespace {

TEST(Log, OneLineWithKeysAndValues) {
  EXPECT_EQ(log::format(from_unix_ms(1'763'791'501'007), log::Level::info, "http_listening",
                        {{"host", "::1"}, {"port", 8080}, {"tls", false}}),
            "2025-11-22T06:05:01.007Z info http_listening host=::1 port=8080 tls=false\n");
}

TEST(Log, ValuesFromOutsideCannotStartALineOrAField) {
  EXPECT_EQ(log::format(from_unix_ms(0), log::Level::warn, "x",
                        {{"a", "two words"}, {"b", "line\nfeed\x1b[31m"}, {"c", "k=\"v\\"}, {"d", ""}, {"e", "网格"}}),
            "1970-01-01T00:00:00.000Z warn x a=\"two words\" b=\"line\\nfeed\\x1b[31m\" c=\"k=\\\"v\\\\\" d=\"\" "
            "e=网格\n");
}

TEST(Log, LevelsHaveNames) {
  for (const auto level : {log::Level::debug, log::Level::info, log::Level::warn, log::Level::error}) {
    EXPECT_EQ(log::level_from_string(log::to_string(level)), level);
  }
  EXPECT_FALSE(log::level_from_string("loud"));
}

TEST(Log, ErrorsAreValues) {
  EXPECT_EQ(log::format(from_unix_ms(0), log::Level::error, "x", {{"error", Error{ErrorCode::busy, "", "later"}}}),
            "1970-01-01T00:00:00.000Z error x error=\"busy (4001): later\"\n");
}

}  // namespace
}  // namespace gridward::platform
