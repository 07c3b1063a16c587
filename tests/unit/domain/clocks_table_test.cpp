// When the limits of the two profiles end, counted by hand from the State Council's notices, with the count beside each
// row. Office hours: 滨海 08:30-12:00 14:00-17:30 (420 min a day), 合阳 08:00-12:00 14:00-18:00 (480 min a day).
//
// Off and make-up days used here:
//   2024 Spring Festival 10..17 Feb off, Sun 4 and Sun 18 Feb worked; Mid-autumn 15..17 Sept off, Sat 14 worked;
//        National Day 1..7 Oct off, Sun 29 Sept and Sat 12 Oct worked.
//   2025 Spring Festival 28 Jan..4 Feb off, Sun 26 Jan and Sat 8 Feb worked; National Day 1..8 Oct off, Sun 28 Sept and
//        Sat 11 Oct worked.
//   2026 New Year 1..3 Jan off, Sun 4 worked; Spring Festival 15..23 Feb off, Sat 14 and Sat 28 worked; Mid-autumn
//        25..27 Sept off; National Day 1..7 Oct off, Sun 20 Sept and Sat 10 Oct worked. 2027 is not announced.
#include <gtest/gtest.h>

#include <gridward/profile/profile.hpp>
#include <gridward/test/paths.hpp>

namespace gridward::domain {
namespace {

using namespace std::chrono_literals;

// Minutes of China's time.
UnixMs cn(int year, unsigned month, unsigned day, int hour, int minute) {
  const std::chrono::sys_days date = std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day};
  return UnixMs{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} - 8h;
}

Policy load(const std::string& name) {
  auto policy = profile::load_policy(test::source_dir() / "server/profiles" / (name + ".json"));
  if (!policy) throw std::runtime_error(name + ": " + to_string(policy.error()[0]));
  return *policy;
}

struct Row {
  const char* rule;
  UnixMs start;
  UnixMs due;
  bool provisional = false;
  std::vector<Pause> pauses{};
};

std::string shown(UnixMs at) {
  const auto local = at + 8h;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<Millis> time{local - day};
  return std::to_string(static_cast<int>(date.year())) + "-" + std::to_string(static_cast<unsigned>(date.month())) +
         "-" + std::to_string(static_cast<unsigned>(date.day())) + " " + std::to_string(time.hours().count()) + ":" +
         std::to_string(time.minutes().count());
}

void expect_rows(const Policy& policy, const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    const auto due = clock_due(policy.calendar, policy.limits.at(row.rule), row.start, row.pauses);
    const auto which = policy.id + " " + row.rule + " from " + shown(row.start);
    EXPECT_EQ(shown(due.at), shown(row.due)) << which;
    EXPECT_EQ(due.at, row.due) << which;
    EXPECT_EQ(due.provisional, row.provisional) << which;
  }
}

TEST(ClocksTable, SpringFestival2024) {
  expect_rows(load("binhai"), {
                                  // Wed 7 Feb: Thu 8, Fri 9 | 10..17 off | Sun 18 worked, 19, 20, 21, Thu 22.
                                  {"general", cn(2024, 2, 7, 10, 0), cn(2024, 2, 22, 17, 30)},
                                  // Fri 9: Sun 18 worked, Mon 19.
                                  {"urgent", cn(2024, 2, 9, 17, 0), cn(2024, 2, 19, 17, 30)},
                                  // Sat 3: Sun 4 worked, Mon 5.
                                  {"urgent", cn(2024, 2, 3, 9, 0), cn(2024, 2, 5, 17, 30)},
                                  // Fri 9 from 15:30: 120 min to the close; the other 120 from 8:30 on Sun 18.
                                  {"return_urgent", cn(2024, 2, 9, 15, 30), cn(2024, 2, 18, 10, 30)},
                                  // Sat 17, still off: Sun 18 worked.
                                  {"return_general", cn(2024, 2, 17, 23, 0), cn(2024, 2, 18, 17, 30)},
                              });
  expect_rows(load("heyang"), {
                                  // Thu 8, a minute before midnight: Fri 9 | Sun 18, Mon 19.
                                  {"general", cn(2024, 2, 8, 23, 59), cn(2024, 2, 19, 18, 0)},
                                  // Mon 12, in the holiday: 18, 19, 20, 21, 22.
                                  {"major", cn(2024, 2, 12, 12, 0), cn(2024, 2, 22, 18, 0)},
                                  // Fri 9: 18 19 20 21 22 23 | Mon 26, 27, 28, Thu 29 of the leap year.
                                  {"complex", cn(2024, 2, 9, 8, 0), cn(2024, 2, 29, 18, 0)},
                                  // Sat 10, off: begins Sun 18 at 8:00.
                                  {"dispatch", cn(2024, 2, 10, 9, 0), cn(2024, 2, 18, 8, 30)},
                                  // Sun 18 is worked: at once.
                                  {"dispatch", cn(2024, 2, 18, 8, 10), cn(2024, 2, 18, 8, 40)},
                              });
}

TEST(ClocksTable, NationalDay2024) {
  expect_rows(load("binhai"), {
                                  // Fri 27 Sept: Sun 29 worked, Mon 30 | Tue 8, 9, 10, 11, Sat 12 worked.
                                  {"general", cn(2024, 9, 27, 9, 0), cn(2024, 10, 12, 17, 30)},
                                  // Mon 30 after the close: Tue 8, Wed 9.
                                  {"urgent", cn(2024, 9, 30, 18, 0), cn(2024, 10, 9, 17, 30)},
                                  // Mon 30 from 16:30: 60 min; 180 more on Tue 8 from 8:30.
                                  {"return_urgent", cn(2024, 9, 30, 16, 30), cn(2024, 10, 8, 11, 30)},
                              });
  expect_rows(load("heyang"), {
                                  // Mon 7, the first minute of the last day off: 8, 9, 10.
                                  {"general", cn(2024, 10, 7, 0, 0), cn(2024, 10, 10, 18, 0)},
                                  // Thu 26 Sept: 27, 29, 30 | 8 9 10 11 12 | Mon 14, Tue 15.
                                  {"complex", cn(2024, 9, 26, 11, 59), cn(2024, 10, 15, 18, 0)},
                                  // Fri 13 Sept: Sat 14 worked | 15..17 off | 18, 19, 20 | Mon 23.
                                  {"major", cn(2024, 9, 13, 10, 0), cn(2024, 9, 23, 18, 0)},
                                  // Sun 29 Sept is worked, 17:30 is in office hours: goes on after the close.
                                  {"arrive", cn(2024, 9, 29, 17, 30), cn(2024, 9, 29, 19, 30)},
                                  // In the holiday: Tue 8 at 8:00 and 30 min.
                                  {"respond", cn(2024, 10, 1, 10, 0), cn(2024, 10, 8, 8, 30)},
                              });
}

TEST(ClocksTable, SpringFestival2025) {
  expect_rows(load("binhai"), {
                                  // Fri 24 Jan: Sun 26 worked, Mon 27 | Wed 5 Feb, 6, 7, Sat 8 worked | Mon 10.
                                  {"general", cn(2025, 1, 24, 16, 0), cn(2025, 2, 10, 17, 30)},
                                  // Mon 27: Wed 5, Thu 6.
                                  {"urgent", cn(2025, 1, 27, 12, 0), cn(2025, 2, 6, 17, 30)},
                                  // Mon 27 in the noon break: 210 min of the afternoon, 30 on Wed 5 from 8:30.
                                  {"return_urgent", cn(2025, 1, 27, 13, 0), cn(2025, 2, 5, 9, 0)},
                                  // Sun 26, worked: 210 min to noon, 30 from 14:00.
                                  {"return_urgent", cn(2025, 1, 26, 8, 30), cn(2025, 1, 26, 14, 30)},
                                  // Sat 8 Feb, worked, at its close: Mon 10, 11, 12.
                                  {"callback", cn(2025, 2, 8, 17, 30), cn(2025, 2, 12, 17, 30)},
                              });
  expect_rows(load("heyang"), {
                                  // Sun 26 Jan by night: Mon 27 | Wed 5, Thu 6.
                                  {"general", cn(2025, 1, 26, 20, 0), cn(2025, 2, 6, 18, 0)},
                                  // Thu 23: 24, 26, 27 | 5 6 7 8 | Mon 10, 11, 12.
                                  {"complex", cn(2025, 1, 23, 10, 0), cn(2025, 2, 12, 18, 0)},
                                  // Sat 8 Feb, worked: natural minutes run through noon.
                                  {"dispatch", cn(2025, 2, 8, 11, 50), cn(2025, 2, 8, 12, 20)},
                                  // The last minute of the holiday: Wed 5 at 8:00.
                                  {"dispatch", cn(2025, 2, 4, 23, 59), cn(2025, 2, 5, 8, 30)},
                                  // On the spot, on a day off as well: within the day of the visit.
                                  {"simple", cn(2025, 1, 29, 23, 0), cn(2025, 1, 30, 0, 0)},
                              });
}

TEST(ClocksTable, NationalDay2025) {
  expect_rows(
      load("binhai"),
      {
          // Tue 30 Sept: Thu 9, 10, Sat 11 worked | Mon 13, 14, 15, Thu 16.
          {"general", cn(2025, 9, 30, 9, 0), cn(2025, 10, 16, 17, 30)},
          // Fri 26 Sept: Sun 28 worked, 29, 30 | 9, 10, 11 | Mon 13.
          {"general", cn(2025, 9, 26, 17, 0), cn(2025, 10, 13, 17, 30)},
          // Wed 8, the last minute off: 9, 10.
          {"urgent", cn(2025, 10, 8, 23, 59), cn(2025, 10, 10, 17, 30)},
          // Sat 11, worked, 17:00: 30 min; 210 more are Monday's whole morning, so it ends at noon and not at 14:00.
          {"return_urgent", cn(2025, 10, 11, 17, 0), cn(2025, 10, 13, 12, 0)},
      });
  expect_rows(load("heyang"), {
                                  // Sat 27 Sept, off: 28, 29, 30 | 9, 10.
                                  {"major", cn(2025, 9, 27, 9, 0), cn(2025, 10, 10, 18, 0)},
                                  // Fri 10: Sat 11 worked | Mon 13, Tue 14.
                                  {"general", cn(2025, 10, 10, 8, 0), cn(2025, 10, 14, 18, 0)},
                                  // In the holiday: Thu 9 at 8:00 and 120 min.
                                  {"arrive", cn(2025, 10, 5, 15, 0), cn(2025, 10, 9, 10, 0)},
                                  // 18:00 is no office hour any more: Thu 9.
                                  {"respond", cn(2025, 9, 30, 18, 0), cn(2025, 10, 9, 8, 30)},
                                  // A minute earlier is one.
                                  {"respond", cn(2025, 9, 30, 17, 59), cn(2025, 9, 30, 18, 29)},
                              });
}

TEST(ClocksTable, NewYearAndSpringFestival2026) {
  expect_rows(load("binhai"), {
                                  // Wed 31 Dec 2025: 1..3 Jan off, Sun 4 worked, Mon 5.
                                  {"urgent", cn(2025, 12, 31, 10, 0), cn(2026, 1, 5, 17, 30)},
                                  // Fri 13 Feb: Sat 14 worked | Tue 24, 25, 26, 27, Sat 28 worked | Mon 2 March.
                                  {"general", cn(2026, 2, 13, 18, 0), cn(2026, 3, 2, 17, 30)},
                                  // Sat 14, worked: Tue 24, Wed 25.
                                  {"urgent", cn(2026, 2, 14, 9, 0), cn(2026, 2, 25, 17, 30)},
                                  // Sat 14 from 16:00: 90 min; 150 more on Tue 24 from 8:30.
                                  {"return_urgent", cn(2026, 2, 14, 16, 0), cn(2026, 2, 24, 11, 0)},
                              });
  expect_rows(load("heyang"), {
                                  // The last quarter of the year: Sun 4 Jan, worked, at 8:00.
                                  {"dispatch", cn(2025, 12, 31, 23, 45), cn(2026, 1, 4, 8, 30)},
                                  // The day of the visit ends with the year.
                                  {"simple", cn(2025, 12, 31, 10, 0), cn(2026, 1, 1, 0, 0)},
                                  // Fri 20 Feb, off: Tue 24, 25, 26.
                                  {"general", cn(2026, 2, 20, 11, 0), cn(2026, 2, 26, 18, 0)},
                                  // Thu 12: 13, 14 | 24 25 26 27 28 | Mon 2 March, 3, 4.
                                  {"complex", cn(2026, 2, 12, 9, 0), cn(2026, 3, 4, 18, 0)},
                                  // Sat 28, worked, in the noon break: 14:00 and 30 min.
                                  {"dispatch", cn(2026, 2, 28, 13, 0), cn(2026, 2, 28, 14, 30)},
                                  // Sun 1 March, off: Mon 2 at 8:00.
                                  {"dispatch", cn(2026, 3, 1, 13, 0), cn(2026, 3, 2, 8, 30)},
                              });
}

TEST(ClocksTable, NationalDay2026) {
  expect_rows(load("binhai"), {
                                  // Mon 28 Sept: 29, 30 | Thu 8, 9, Sat 10 worked | Mon 12, 13.
                                  {"general", cn(2026, 9, 28, 10, 0), cn(2026, 10, 13, 17, 30)},
                                  // Wed 30: Thu 8, Fri 9.
                                  {"urgent", cn(2026, 9, 30, 9, 0), cn(2026, 10, 9, 17, 30)},
                                  // Fri 18 Sept: Sun 20 worked, 21, 22, 23, 24 | 25..27 off | 28, 29.
                                  {"general", cn(2026, 9, 18, 9, 0), cn(2026, 9, 29, 17, 30)},
                                  // Thu 24 after the close: Mon 28.
                                  {"return_general", cn(2026, 9, 24, 17, 31), cn(2026, 9, 28, 17, 30)},
                                  // Before the office opens: 210 min to noon, 30 from 14:00.
                                  {"return_urgent", cn(2026, 9, 30, 8, 0), cn(2026, 9, 30, 14, 30)},
                                  // 11:59: 1 min, 210 of the afternoon, 29 on Thu 8 from 8:30.
                                  {"return_urgent", cn(2026, 9, 30, 11, 59), cn(2026, 10, 8, 8, 59)},
                              });
  expect_rows(load("heyang"), {
                                  // Thu 24 Sept: 28, 29, 30 | 8, 9, 10 | 12, 13, 14, 15.
                                  {"complex", cn(2026, 9, 24, 9, 0), cn(2026, 10, 15, 18, 0)},
                                  // Sat 10, worked: 12, 13, 14, 15, 16.
                                  {"major", cn(2026, 10, 10, 9, 0), cn(2026, 10, 16, 18, 0)},
                                  // The evening before the holiday: begun within office hours, it runs on.
                                  {"arrive", cn(2026, 9, 30, 17, 0), cn(2026, 9, 30, 19, 0)},
                                  // Sat 10, worked, a minute before the office opens: from 8:00.
                                  {"arrive", cn(2026, 10, 10, 7, 59), cn(2026, 10, 10, 10, 0)},
                              });
}

TEST(ClocksTable, Midnight) {
  expect_rows(load("binhai"), {
                                  // Monday's last minute: Tuesday is day 1.
                                  {"return_general", cn(2026, 3, 9, 23, 59), cn(2026, 3, 10, 17, 30)},
                                  // Tuesday's first minute: Wednesday is.
                                  {"return_general", cn(2026, 3, 10, 0, 0), cn(2026, 3, 11, 17, 30)},
                              });
  expect_rows(load("heyang"), {
                                  // A whole day, and a minute of the same day.
                                  {"simple", cn(2026, 3, 10, 0, 0), cn(2026, 3, 11, 0, 0)},
                                  {"simple", cn(2026, 3, 10, 23, 59), cn(2026, 3, 11, 0, 0)},
                              });
}

TEST(ClocksTable, PastTheAnnouncedYears) {
  expect_rows(load("binhai"),
              {
                  // Wed 30 Dec: Thu 31 is still known.
                  {"return_general", cn(2026, 12, 30, 9, 0), cn(2026, 12, 31, 17, 30)},
                  // Wed 30: Thu 31, Fri 1 Jan 2027, which is a Friday as long as nobody says that it is off.
                  {"urgent", cn(2026, 12, 30, 9, 0), cn(2027, 1, 1, 17, 30), true},
                  // Thu 24: 25 | 28 29 30 31, Fri 1 Jan | Mon 4.
                  {"general", cn(2026, 12, 24, 9, 0), cn(2027, 1, 4, 17, 30), true},
                  // Thu 31 at noon: 210 min of the afternoon, 30 on Fri 1 Jan.
                  {"return_urgent", cn(2026, 12, 31, 13, 30), cn(2027, 1, 1, 9, 0), true},
                  // Thu 31 in the morning ends on the same day.
                  {"return_urgent", cn(2026, 12, 31, 8, 0), cn(2026, 12, 31, 14, 30)},
              });
  expect_rows(load("heyang"), {
                                  // Wed 16 Dec: 17, 18 | 21..25 | 28, 29, 30.
                                  {"complex", cn(2026, 12, 16, 9, 0), cn(2026, 12, 30, 18, 0)},
                                  // Tue 1 June 2027: 2, 3, 4 | 7..11 | 14, 15.
                                  {"complex", cn(2027, 6, 1, 9, 0), cn(2027, 6, 15, 18, 0), true},
                                  // After the close of the last known day.
                                  {"dispatch", cn(2026, 12, 31, 18, 0), cn(2027, 1, 1, 8, 30), true},
                                  // Within it.
                                  {"dispatch", cn(2026, 12, 31, 17, 45), cn(2026, 12, 31, 18, 15)},
                                  // Begun within it, and only its end is in the next year: no matter of the calendar.
                                  {"arrive", cn(2026, 12, 31, 17, 59), cn(2026, 12, 31, 19, 59)},
                                  // The day of the visit needs no calendar.
                                  {"simple", cn(2026, 12, 31, 20, 0), cn(2027, 1, 1, 0, 0)},
                                  {"simple", cn(2027, 2, 6, 20, 0), cn(2027, 2, 7, 0, 0)},
                              });
}

TEST(ClocksTable, Pauses) {
  const auto pause = [](UnixMs from, UnixMs to) { return std::vector<Pause>{{from, to}}; };
  expect_rows(load("binhai"),
              {
                  // Without it Tue 13 Oct. Tue 29 Sept to Thu 8 Oct: Wed 30 and Thu 8 are 2 days more, Wed 14, Thu 15.
                  {"general", cn(2026, 9, 28, 10, 0), cn(2026, 10, 15, 17, 30), false,
                   pause(cn(2026, 9, 29, 10, 0), cn(2026, 10, 8, 10, 0))},
                  // Within one day: nothing, Wed 11.
                  {"urgent", cn(2026, 3, 9, 9, 0), cn(2026, 3, 11, 17, 30), false,
                   pause(cn(2026, 3, 10, 9, 0), cn(2026, 3, 10, 16, 0))},
                  // Half an hour before the end on Wed 11, until Fri 13: Thu and Fri.
                  {"urgent", cn(2026, 3, 9, 9, 0), cn(2026, 3, 13, 17, 30), false,
                   pause(cn(2026, 3, 11, 17, 0), cn(2026, 3, 13, 9, 0))},
                  // It stood still when Wed 11 ended, so it did not run out: Thu 12.
                  {"urgent", cn(2026, 3, 9, 9, 0), cn(2026, 3, 12, 17, 30), false,
                   pause(cn(2026, 3, 11, 17, 0), cn(2026, 3, 11, 20, 0))},
                  // Over the weekend of the end: Fri 13 16:00 to Sat 14 10:00 holds no working day, but it did not run
                  // out: Mon 16.
                  {"return_general", cn(2026, 3, 12, 9, 0), cn(2026, 3, 16, 17, 30), false,
                   pause(cn(2026, 3, 13, 16, 0), cn(2026, 3, 14, 10, 0))},
                  // After the end: too late to matter.
                  {"urgent", cn(2026, 3, 9, 9, 0), cn(2026, 3, 11, 17, 30), false,
                   pause(cn(2026, 3, 11, 17, 30), cn(2026, 3, 20, 9, 0))},
                  // 9-10, 11-12, 14-16: 60 + 60 + 120 min.
                  {"return_urgent", cn(2026, 3, 9, 9, 0), cn(2026, 3, 9, 16, 0), false,
                   pause(cn(2026, 3, 9, 10, 0), cn(2026, 3, 9, 11, 0))},
                  // In the noon break nothing ran anyway: 9-12, 14-15.
                  {"return_urgent", cn(2026, 3, 9, 9, 0), cn(2026, 3, 9, 15, 0), false,
                   pause(cn(2026, 3, 9, 12, 0), cn(2026, 3, 9, 14, 0))},
              });
  expect_rows(
      load("heyang"),
      {
          // 10 min before noon, 20 after the pause.
          {"dispatch", cn(2026, 3, 9, 11, 50), cn(2026, 3, 9, 14, 20), false,
           pause(cn(2026, 3, 9, 12, 0), cn(2026, 3, 9, 14, 0))},
          // Would begin Tue 10 at 8:00, but goes on at 9:00.
          {"arrive", cn(2026, 3, 9, 20, 0), cn(2026, 3, 10, 11, 0), false,
           pause(cn(2026, 3, 9, 21, 0), cn(2026, 3, 10, 9, 0))},
          // The visit goes on two days later: the end of that day.
          {"simple", cn(2026, 3, 9, 10, 0), cn(2026, 3, 12, 0, 0), false,
           pause(cn(2026, 3, 9, 11, 0), cn(2026, 3, 11, 9, 0))},
          // Two that overlap count once: Tue 10 to Thu 12 is Wed and Thu; without them Thu 12, so Fri 13, Mon 16.
          {"general",
           cn(2026, 3, 9, 9, 0),
           cn(2026, 3, 16, 18, 0),
           false,
           {{cn(2026, 3, 10, 12, 0), cn(2026, 3, 12, 9, 0)}, {cn(2026, 3, 10, 9, 0), cn(2026, 3, 11, 9, 0)}}},
      });
}

TEST(ClocksTable, NaturalClocks) {
  auto policy = load("binhai");
  policy.limits["correct"] = {"limits.correct", "", ClockUnit::natural_days, 10};
  policy.limits["five"] = {"limits.five", "", ClockUnit::natural_days, 5};
  policy.limits["one"] = {"limits.one", "", ClockUnit::natural_days, 1};
  policy.limits["hours"] = {"limits.hours", "", ClockUnit::natural_minutes, 120};
  expect_rows(policy, {
                          // Mon 9 and 10 days: Thu 19, to its midnight.
                          {"correct", cn(2026, 3, 9, 10, 0), cn(2026, 3, 20, 0, 0)},
                          // Wed 11: Sat 21 is off, Mon 23.
                          {"correct", cn(2026, 3, 11, 10, 0), cn(2026, 3, 24, 0, 0)},
                          // Tue 22 Sept: Fri 2 Oct is off until the 7th, Thu 8.
                          {"correct", cn(2026, 9, 22, 10, 0), cn(2026, 10, 9, 0, 0)},
                          // Mon 9 Feb: Sat 14 is worked and stays.
                          {"five", cn(2026, 2, 9, 10, 0), cn(2026, 2, 15, 0, 0)},
                          // Thu 31 Dec 2026: Fri 1 Jan, of which nobody knows whether it is off.
                          {"one", cn(2026, 12, 31, 10, 0), cn(2027, 1, 2, 0, 0), true},
                          // Mon 21 Dec: Thu 31, the last known day.
                          {"correct", cn(2026, 12, 21, 10, 0), cn(2027, 1, 1, 0, 0)},
                          // Mon 9 and a pause from Tue 10 to Fri 13, 3 days: Sun 22 is off, Mon 23.
                          {"correct",
                           cn(2026, 3, 9, 10, 0),
                           cn(2026, 3, 24, 0, 0),
                           false,
                           {{cn(2026, 3, 10, 9, 0), cn(2026, 3, 13, 9, 0)}}},
                          // Every minute counts, over midnight, in holidays and in years that nobody announced.
                          {"hours", cn(2026, 10, 1, 23, 0), cn(2026, 10, 2, 1, 0)},
                          {"hours", cn(2027, 5, 1, 12, 0), cn(2027, 5, 1, 14, 0)},
                      });
}

TEST(ClocksTable, AUnitWithItsOwnOfficeHours) {
  auto policy = load("heyang");
  policy.unit_hours["night-watch"] = {{0min, 24h}};
  policy.unit_hours["winter"] = {{9h, 17h}};
  const auto due = [&](const char* unit, const char* rule, UnixMs start) {
    return clock_due(calendar_of(policy, unit), policy.limits.at(rule), start).at;
  };
  // Monday 23:00: on watch it begins at once, elsewhere on Tuesday morning.
  EXPECT_EQ(due("night-watch", "respond", cn(2026, 3, 9, 23, 0)), cn(2026, 3, 9, 23, 30));
  EXPECT_EQ(due("winter", "respond", cn(2026, 3, 9, 23, 0)), cn(2026, 3, 10, 9, 30));
  EXPECT_EQ(due("other", "respond", cn(2026, 3, 9, 23, 0)), cn(2026, 3, 10, 8, 30));
  // Three working days from Monday end on Thursday with the unit's own close.
  EXPECT_EQ(due("night-watch", "general", cn(2026, 3, 9, 10, 0)), cn(2026, 3, 13, 0, 0));
  EXPECT_EQ(due("winter", "general", cn(2026, 3, 9, 10, 0)), cn(2026, 3, 12, 17, 0));
}

}  // namespace
}  // namespace gridward::domain
