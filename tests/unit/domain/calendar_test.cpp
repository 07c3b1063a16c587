// The years are the State Council's (holidays_2024_2026.json); the expected days were counted by hand, with the reason
// beside each.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gridward/domain/clocks.hpp>
#include <gridward/test/paths.hpp>
#include <nlohmann/json.hpp>

namespace gridward::domain {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

UnixMs local(int year, unsigned month, unsigned day, int hour, int minute, int second = 0) {
  const sys_days date = std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day};
  return UnixMs{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} - 8h;
}

WorkCalendar plain() {
  WorkCalendar calendar;
  calendar.hours = {{8h + 30min, 12h}, {14h, 17h + 30min}};
  calendar.known_to = std::chrono::year{2026};
  return calendar;
}

Due due_in_working_days(const WorkCalendar& calendar, UnixMs start, int days) {
  return clock_due(calendar, {"limits.test", "", ClockUnit::working_days, days}, start);
}

std::optional<WorkCalendar> state_council() {
  const auto path = test::shared_data() / "holidays_2024_2026.json";
  std::ifstream in(path);
  if (!in) return std::nullopt;
  auto calendar = plain();
  const auto json = nlohmann::json::parse(in);
  for (const auto& [name, year] : json.at("years").items()) {
    for (const auto& day : year.at("days")) {
      const auto text = day.at("date").get<std::string>();
      const sys_days date = std::chrono::year{std::stoi(text.substr(0, 4))} /
                            std::chrono::month{static_cast<unsigned>(std::stoi(text.substr(5, 2)))} /
                            std::chrono::day{static_cast<unsigned>(std::stoi(text.substr(8, 2)))};
      calendar.exceptions[date] = !day.at("isOffDay").get<bool>();
    }
  }
  return calendar;
}

TEST(Calendar, LocalDayTurnsAtLocalMidnight) {
  const auto calendar = plain();
  EXPECT_EQ(local_day(calendar, local(2025, 9, 30, 23, 59, 59)), sys_days(std::chrono::year{2025} / 9 / 30));
  EXPECT_EQ(local_day(calendar, local(2025, 10, 1, 0, 0)), sys_days(std::chrono::year{2025} / 10 / 1));
  // 1969 local: the day is floored, not cut towards zero.
  EXPECT_EQ(local_day(calendar, UnixMs{-9h}), sys_days(std::chrono::year{1969} / 12 / 31));
}

TEST(Calendar, PlainWeekWithoutExceptions) {
  const auto calendar = plain();
  // Friday 2026-03-06 + 1 is Monday the 9th; + 7 is Tuesday the 17th (9 10 11 12 13 16 17).
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 6, 10, 0), 1).at, local(2026, 3, 9, 17, 30));
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 6, 10, 0), 7).at, local(2026, 3, 17, 17, 30));
  // The starting day does not count, however early or late in it.
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 9, 0, 0), 1).at, local(2026, 3, 10, 17, 30));
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 9, 23, 59), 1).at, local(2026, 3, 10, 17, 30));
  // Started on a Saturday: Monday is the first day.
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 7, 12, 0), 2).at, local(2026, 3, 10, 17, 30));
  // Less than one day is one day.
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 9, 9, 0), 0).at, local(2026, 3, 10, 17, 30));
}

TEST(Calendar, WithoutOfficeHoursTheLimitEndsWithTheDay) {
  auto calendar = plain();
  calendar.hours.clear();
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 9, 9, 0), 1).at, local(2026, 3, 11, 0, 0));
}

TEST(Calendar, AnotherOffset) {
  auto calendar = plain();
  calendar.utc_offset = 0min;
  // 2026-03-09 23:00 UTC is still Monday there (it is Tuesday in China).
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 3, 10, 7, 0), 1).at, local(2026, 3, 11, 1, 30));
}

struct DueRow {
  const char* why;
  UnixMs start;
  int days;
  UnixMs due;
};

TEST(Calendar, NationalDayAndSpringFestival) {
  const auto calendar = state_council();
  if (!calendar) GTEST_SKIP() << "holidays_2024_2026.json is not here";
  const DueRow rows[] = {
      // National Day 2025: off 1 to 8 October, make-up Sunday 28 September and Saturday 11 October.
      {"2025-09-30 Tue + 1: all of 1..8 is off, so Thu 9 Oct", local(2025, 9, 30, 9, 0), 1, local(2025, 10, 9, 17, 30)},
      {"… + 2: Fri 10", local(2025, 9, 30, 9, 0), 2, local(2025, 10, 10, 17, 30)},
      {"… + 3: Sat 11 is a make-up day", local(2025, 9, 30, 9, 0), 3, local(2025, 10, 11, 17, 30)},
      {"… + 4: Sun 12 is off, Mon 13", local(2025, 9, 30, 9, 0), 4, local(2025, 10, 13, 17, 30)},
      {"2025-09-26 Fri + 1: Sat 27 off, Sun 28 make-up", local(2025, 9, 26, 17, 0), 1, local(2025, 9, 28, 17, 30)},
      {"… + 7: 28 29 30 | 9 10 11 13", local(2025, 9, 26, 17, 0), 7, local(2025, 10, 13, 17, 30)},
      {"started in the holiday, 2025-10-03 + 1: Thu 9", local(2025, 10, 3, 12, 0), 1, local(2025, 10, 9, 17, 30)},
      // Spring Festival 2025: off 28 January to 4 February, make-up Sunday 26 January and Saturday 8 February.
      {"2025-01-24 Fri + 1: Sun 26 make-up", local(2025, 1, 24, 8, 0), 1, local(2025, 1, 26, 17, 30)},
      {"… + 2: Mon 27", local(2025, 1, 24, 8, 0), 2, local(2025, 1, 27, 17, 30)},
      {"… + 3: 28 Jan..4 Feb off, Wed 5 Feb", local(2025, 1, 24, 8, 0), 3, local(2025, 2, 5, 17, 30)},
      {"… + 7: 26 27 | 5 6 7 8(make-up) | Sun 9 off, Mon 10", local(2025, 1, 24, 8, 0), 7, local(2025, 2, 10, 17, 30)},
      // Spring Festival 2026: off 15 to 23 February, make-up Saturdays 14 and 28 February.
      {"2026-02-13 Fri + 1: Sat 14 make-up", local(2026, 2, 13, 18, 0), 1, local(2026, 2, 14, 17, 30)},
      {"… + 2: 15..23 off, Tue 24", local(2026, 2, 13, 18, 0), 2, local(2026, 2, 24, 17, 30)},
      {"… + 7: 14 | 24 25 26 27 28(make-up) | Sun 1 off, Mon 2 March", local(2026, 2, 13, 18, 0), 7,
       local(2026, 3, 2, 17, 30)},
      // Mid-autumn and National Day 2026: off 25..27 September and 1..7 October, make-up Sun 20 Sept and Sat 10 Oct.
      {"2026-09-18 Fri + 1: Sun 20 make-up", local(2026, 9, 18, 9, 0), 1, local(2026, 9, 20, 17, 30)},
      {"… + 7: 20 21 22 23 24 | 25..27 off | 28 29", local(2026, 9, 18, 9, 0), 7, local(2026, 9, 29, 17, 30)},
      {"2026-09-30 Wed + 2: 1..7 off, Thu 8, Fri 9", local(2026, 9, 30, 9, 0), 2, local(2026, 10, 9, 17, 30)},
      {"… + 3: Sat 10 make-up", local(2026, 9, 30, 9, 0), 3, local(2026, 10, 10, 17, 30)},
      // The turn of 2024 to 2025: 1 January off.
      {"2024-12-31 Tue + 1: Thu 2 Jan", local(2024, 12, 31, 9, 0), 1, local(2025, 1, 2, 17, 30)},
  };
  for (const auto& row : rows) {
    const auto due = due_in_working_days(*calendar, row.start, row.days);
    EXPECT_EQ(to_unix_ms(due.at), to_unix_ms(row.due)) << row.why;
    EXPECT_FALSE(due.provisional) << row.why;
  }
  EXPECT_TRUE(is_working_day(*calendar, std::chrono::year{2026} / 2 / 28));
  EXPECT_FALSE(is_working_day(*calendar, std::chrono::year{2026} / 10 / 7));
}

TEST(Calendar, PastTheKnownYearsADueDayIsProvisional) {
  auto calendar = plain();
  // Thu 2026-12-31 + 1 falls on Fri 2027-01-01, which nobody has announced yet.
  EXPECT_EQ(due_in_working_days(calendar, local(2026, 12, 31, 9, 0), 1), (Due{local(2027, 1, 1, 17, 30), true}));
  EXPECT_FALSE(due_in_working_days(calendar, local(2026, 12, 30, 9, 0), 1).provisional);
  calendar.known_to.reset();
  EXPECT_TRUE(due_in_working_days(calendar, local(2026, 3, 9, 9, 0), 1).provisional);
}

TEST(Calendar, ALimitLandsOnAWorkingDayAndCountsExactlyItsDays) {
  const auto calendar = state_council();
  if (!calendar) GTEST_SKIP() << "holidays_2024_2026.json is not here";
  for (int start = 0; start < 1000; ++start) {
    const auto day = sys_days(std::chrono::year{2024} / 1 / 1) + std::chrono::days{start};
    for (int days = 1; days <= 12; ++days) {
      const auto due = due_in_working_days(*calendar, UnixMs{day} + 4h, days);
      const auto last = local_day(*calendar, due.at);
      int counted = 0;
      for (auto d = day + std::chrono::days{1}; d <= last; d += std::chrono::days{1}) {
        if (is_working_day(*calendar, d)) ++counted;
      }
      ASSERT_EQ(counted, days);
      ASSERT_TRUE(is_working_day(*calendar, last));
    }
  }
}

}  // namespace
}  // namespace gridward::domain
