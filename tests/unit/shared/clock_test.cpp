#include <gtest/gtest.h>

#include <gridward/shared/clock.hpp>
#include <gridward/shared/limits.hpp>

namespace gridward {
namespace {

const UnixMs kNoon = from_unix_ms(1'795'323'600'000);

ClockReading reading(UnixMs at, std::int64_t mono, ClockSource source, std::uint32_t error) {
  return {at, Millis{mono}, {source, error, 0}};
}

TEST(Clock, IsCarriedBothWaysAndItsBoundGrows) {
  const auto known = reading(kNoon, 1'000'000, ClockSource::gnss, 50);
  EXPECT_EQ(carried(known, Millis{1'100'000}), reading(kNoon + Millis{100'000}, 1'100'000, ClockSource::gnss, 60));
  EXPECT_EQ(carried(known, Millis{900'000}), reading(kNoon - Millis{100'000}, 900'000, ClockSource::gnss, 60));
  EXPECT_EQ(carried(reading(kNoon, 0, ClockSource::server, 0), Millis{50'000}).quality.error_ms, 0U);
}

TEST(Clock, StaysWithinWhatTheWireTakes) {
  const auto late = reading(from_unix_ms(limits::kLatestMs), 0, ClockSource::server, UINT32_MAX);
  const auto later = carried(late, Millis{static_cast<std::int64_t>(limits::kCounter)});
  EXPECT_EQ(later.at, from_unix_ms(limits::kLatestMs));
  EXPECT_EQ(later.quality.error_ms, UINT32_MAX);
}

TEST(Clock, ARecordWithoutAClockIsToldByOneOfItsBoot) {
  // Captured before the first connection, when the wall clock said 1970; connected half an hour later.
  const auto offline = reading(from_unix_ms(5'000), 60'000, ClockSource::local, 0);
  const auto told = told_by(offline, reading(kNoon, 1'860'000, ClockSource::server, 200));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->at, kNoon - Millis{1'800'000});
  EXPECT_EQ(told->mono, offline.mono);
  EXPECT_EQ(told->quality.source, ClockSource::server);
  EXPECT_EQ(told->quality.error_ms, 380U);
  EXPECT_EQ(told->at - Millis{told->quality.offset_ms}, offline.at);  // what the wall clock showed
}

TEST(Clock, NobodyTellsARecordThatKnowsNorDoesOneThatDoesNot) {
  const auto knows = reading(kNoon, 10, ClockSource::server, 1);
  const auto not_known = reading(kNoon, 10, ClockSource::local, 0);
  EXPECT_FALSE(told_by(knows, reading(kNoon, 10, ClockSource::gnss, 1)));
  EXPECT_FALSE(told_by(not_known, not_known));
}

}  // namespace
}  // namespace gridward
