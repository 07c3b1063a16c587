// What holds for every clock, whatever the rule, the start and the pauses; the figures are in clocks_table_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <gridward/domain/clocks.hpp>
#include <random>

namespace gridward::domain {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::array kUnits{ClockUnit::natural_minutes, ClockUnit::natural_days, ClockUnit::duty_minutes,
                            ClockUnit::working_minutes, ClockUnit::working_days, ClockUnit::on_the_spot};

// Monday 2026-03-09, 00:00 in China.
const UnixMs kMonday = UnixMs{sys_days{std::chrono::year{2026} / 3 / 9}} - 8h;
UnixMs on(int day, std::chrono::minutes of_day) { return kMonday + days{day} + of_day; }

WorkCalendar office() {
  WorkCalendar calendar;
  calendar.hours = {{8h + 30min, 12h}, {14h, 17h + 30min}};
  calendar.known_to = std::chrono::year{2026};
  return calendar;
}

ClockRule rule_of(ClockUnit unit, int amount) { return {"limits.x", "条", unit, amount}; }

TEST(Clocks, UnitsHaveNames) {
  for (const auto unit : kUnits) EXPECT_EQ(clock_unit_from_string(to_string(unit)), unit);
  EXPECT_EQ(to_string(ClockUnit::duty_minutes), "duty_minutes");
  EXPECT_EQ(clock_unit_from_string("days"), std::nullopt);
}

TEST(Clocks, LightsTurnAtEightyAndAHundredPercent) {
  EXPECT_EQ(light_of(0), Light::green);
  EXPECT_EQ(light_of(800), Light::green);
  EXPECT_EQ(light_of(801), Light::yellow);
  EXPECT_EQ(light_of(1000), Light::yellow);
  EXPECT_EQ(light_of(1001), Light::red);
  EXPECT_EQ(to_string(Light::yellow), "yellow");
}

TEST(Clocks, ProgressIsMeasuredInTheClocksOwnTime) {
  const auto calendar = office();
  // 2 working days from Monday: Tuesday and Wednesday, 14 office hours, of which 80 % are 11 h 12 min: Wednesday's
  // 08:30-12:00 makes 10 h 30 min, so 14:42.
  const auto rule = rule_of(ClockUnit::working_days, 2);
  const auto start = on(0, 10h);
  const auto due = clock_due(calendar, rule, start).at;
  ASSERT_EQ(due, on(2, 17h + 30min));
  const auto progress = [&](UnixMs now) { return clock_progress(calendar, rule, start, due, {}, now); };
  EXPECT_EQ(progress(start), 0);
  EXPECT_EQ(progress(on(0, 23h)), 0) << "the starting day does not count";
  EXPECT_EQ(progress(on(1, 17h + 30min)), 500);
  EXPECT_EQ(progress(on(2, 8h)), 500) << "nothing is used by night";
  EXPECT_EQ(progress(on(2, 12h)), 750);
  EXPECT_EQ(yellow_from(calendar, rule, start, due, {}), on(2, 14h + 42min) + 1ms);
  EXPECT_EQ(progress(due), 1000);
  EXPECT_EQ(progress(on(2, 18h)), 1001) << "overdue, although no office hour has gone by";
  EXPECT_EQ(progress(on(3, 17h + 30min)), 1500);

  // 30 minutes at night begin with the office hours.
  const auto duty = rule_of(ClockUnit::duty_minutes, 30);
  const auto night = on(0, 23h);
  EXPECT_EQ(clock_progress(calendar, duty, night, on(1, 9h), {}, on(1, 8h)), 0);
  EXPECT_EQ(clock_progress(calendar, duty, night, on(1, 9h), {}, on(1, 8h + 45min)), 500);
  EXPECT_EQ(yellow_from(calendar, duty, night, on(1, 9h), {}), on(1, 8h + 54min) + 1ms);
}

TEST(Clocks, AStoppedClockStaysWhereItWas) {
  const auto calendar = office();
  const auto rule = rule_of(ClockUnit::working_minutes, 240);
  const auto start = on(0, 9h);
  const auto due = clock_due(calendar, rule, start).at;
  const Pause open{on(0, 10h), std::nullopt};
  for (const auto now : {on(0, 10h), on(0, 11h), on(30, 0h)}) {
    EXPECT_EQ(clock_progress(calendar, rule, start, due, std::array{open}, now), 250);
  }
  EXPECT_EQ(clock_progress(calendar, rule, start, due, std::array{Pause{on(0, 8h), std::nullopt}}, on(9, 0h)), 0);
}

TEST(Clocks, ADueTimeThatLeavesNoTimeIsOverdueAfterIt) {
  const auto calendar = office();
  const auto rule = rule_of(ClockUnit::working_days, 1);
  const auto due = on(0, 11h);  // of the starting day, which does not count
  EXPECT_EQ(clock_progress(calendar, rule, on(0, 10h), due, {}, on(0, 10h)), 0);
  EXPECT_EQ(clock_progress(calendar, rule, on(0, 10h), due, {}, due), 1000);
  EXPECT_EQ(clock_progress(calendar, rule, on(0, 10h), due, {}, on(0, 12h)), 1001);
  EXPECT_EQ(yellow_from(calendar, rule, on(0, 10h), due, {}), due);
}

TEST(Clocks, PausesThatAreNoneChangeNothing) {
  const auto calendar = office();
  const std::array nothing{Pause{on(0, 8h), on(0, 9h)}, Pause{on(1, 12h), on(1, 12h)}, Pause{on(1, 12h), on(1, 11h)}};
  for (const auto unit : kUnits) {
    const auto rule = rule_of(unit, 3);
    EXPECT_EQ(clock_due(calendar, rule, on(0, 9h), nothing), clock_due(calendar, rule, on(0, 9h))) << to_string(unit);
  }
}

TEST(Clocks, StepsLeadFromTheStartToTheEnd) {
  auto calendar = office();
  calendar.exceptions[local_day(calendar, on(1, 0h))] = false;
  calendar.exceptions[local_day(calendar, on(5, 0h))] = true;
  std::vector<DueStep> steps;
  const auto due = clock_due(calendar, {"limits.general", "第二十五条（二）", ClockUnit::working_days, 4}, on(0, 10h),
                             std::array{Pause{on(2, 9h), on(3, 9h)}}, &steps);
  std::vector<std::string> texts;
  for (const auto& step : steps) texts.push_back(step.text);
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "starts: limits.general, 4 working_days (第二十五条（二）)",
                       "the starting day does not count (民法典 第二百零一条)",
                       "does not count: a day off of the State Council's list",
                       "day 1",
                       "day 2",
                       "day 3",
                       "day 4, a make-up working day",
                       "the clock stops",
                       "the clock goes on, 1 days longer",
                       "does not count: a day off",
                       "day 5",
                       "ends with the office hours of the last day (民法典 第二百零三条)",
                   }));
  EXPECT_EQ(due.at, on(7, 17h + 30min));
  EXPECT_EQ(steps.front().at, on(0, 10h));
  EXPECT_EQ(steps[3].at, on(2, 0h));
  EXPECT_EQ(steps.back().at, due.at);

  steps.clear();
  clock_due(calendar, rule_of(ClockUnit::duty_minutes, 30), on(0, 7h), std::array{Pause{on(0, 8h + 40min), on(0, 9h)}},
            &steps);
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[1].text, "outside office hours until here: the first minute that counts");
  EXPECT_EQ(steps[2].text, "runs for 10 min, 20 min left");
  EXPECT_EQ(steps[3].text, "runs for 20 min, 0 min left");
  EXPECT_EQ(steps[4].at, on(0, 9h + 20min));
}

struct Case {
  WorkCalendar calendar;
  ClockRule rule;
  UnixMs start;
  std::vector<Pause> pauses;
};

class Random {
 public:
  int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  UnixMs instant() { return on(below(40), std::chrono::minutes{below(1440)}); }
  Pause pause() {
    const auto from = instant();
    return {from, from + std::chrono::minutes{1 + below(below(2) == 0 ? 300 : 8000)}};
  }
  Case next() {
    Case c;
    c.calendar = office();
    if (below(8) == 0) c.calendar.hours.clear();
    if (below(4) == 0) c.calendar.hours = {{0min, 24h}};
    if (below(4) == 0) c.calendar.hours = {{22h, 24h}};
    for (int i = below(12); i > 0; --i) {
      c.calendar.exceptions[local_day(c.calendar, on(below(60), 0h))] = below(2) == 0;
    }
    const auto unit = kUnits.at(static_cast<std::size_t>(below(6)));
    const bool in_days = unit == ClockUnit::natural_days || unit == ClockUnit::working_days;
    c.rule = rule_of(unit, 1 + below(in_days ? 12 : 700));
    c.start = instant();
    for (int i = below(4); i > 0; --i) c.pauses.push_back(pause());
    return c;
  }

 private:
  std::mt19937 engine_{20261128};
};

TEST(ClocksProperty, NeverBeforeTheStartLaterForALaterStartAndPausesOnlyProlong) {
  Random random;
  for (int i = 0; i < 20'000; ++i) {
    auto c = random.next();
    const auto due = clock_due(c.calendar, c.rule, c.start, c.pauses);
    ASSERT_GT(due.at, c.start) << to_string(c.rule.unit) << " " << i;
    const auto later = clock_due(c.calendar, c.rule, c.start + std::chrono::minutes{random.below(5000)}, c.pauses);
    ASSERT_GE(later.at, due.at) << to_string(c.rule.unit) << " " << i;
    auto longer = c.rule;
    ++longer.amount;
    ASSERT_GE(clock_due(c.calendar, longer, c.start, c.pauses).at, due.at) << to_string(c.rule.unit) << " " << i;
    for (const auto& pause : c.pauses) ASSERT_FALSE(pause.from < due.at && due.at <= *pause.to) << "ran out standing";
    std::ranges::reverse(c.pauses);
    ASSERT_EQ(clock_due(c.calendar, c.rule, c.start, c.pauses), due) << "their order is no matter";
    c.pauses.push_back(random.pause());
    ASSERT_GE(clock_due(c.calendar, c.rule, c.start, c.pauses).at, due.at) << to_string(c.rule.unit) << " " << i;
  }
}

TEST(ClocksProperty, ProgressAndLightsAgreeWithTheDueTime) {
  Random random;
  for (int i = 0; i < 10'000; ++i) {
    const auto c = random.next();
    const auto due = clock_due(c.calendar, c.rule, c.start, c.pauses).at;
    const auto progress = [&](UnixMs now) { return clock_progress(c.calendar, c.rule, c.start, due, c.pauses, now); };
    ASSERT_EQ(progress(c.start), 0) << i;
    ASSERT_EQ(progress(due), 1000) << i;
    ASSERT_LE(progress(due - 1ms), 1000) << i;
    ASSERT_GT(progress(due + 1ms), 1000) << i;
    const auto yellow = yellow_from(c.calendar, c.rule, c.start, due, c.pauses);
    ASSERT_LE(yellow, due) << i;
    ASSERT_EQ(light_of(progress(yellow)), Light::yellow) << to_string(c.rule.unit) << " " << i;
    ASSERT_EQ(light_of(progress(yellow - 1ms)), Light::green) << to_string(c.rule.unit) << " " << i;
    auto now = c.start;
    for (int before = 0; now < due + 48h; now += std::chrono::minutes{1 + random.below(2000)}) {
      const int used = progress(now);
      ASSERT_GE(used, before) << i;
      before = used;
    }
  }
}

// The same rule said minute by minute.
UnixMs counted_by_minutes(const Case& c) {
  const auto in_office = [&](UnixMs at) {
    const auto day = local_day(c.calendar, at);
    const auto of_day = at + c.calendar.utc_offset - day;
    const auto within = [&](const OfficeSpan& span) { return span.from <= of_day && of_day < span.to; };
    return is_working_day(c.calendar, day) &&
           (c.calendar.hours.empty() || std::ranges::any_of(c.calendar.hours, within));
  };
  const auto stopped = [&](UnixMs at) {
    return std::ranges::any_of(c.pauses, [&](const Pause& p) { return p.from <= at && at < *p.to; });
  };
  auto at = c.start;
  if (c.rule.unit == ClockUnit::duty_minutes) {
    while (!in_office(at)) at += 1min;
  }
  for (int left = c.rule.amount; left > 0; at += 1min) {
    const bool counts = c.rule.unit != ClockUnit::working_minutes || in_office(at);
    if (counts && !stopped(at)) --left;
  }
  return at;
}

TEST(ClocksProperty, MinuteClocksLeaveOutExactlyWhatStoodStill) {
  Random random;
  for (int i = 0; i < 2'000; ++i) {
    auto c = random.next();
    c.rule.unit = std::array{ClockUnit::natural_minutes, ClockUnit::duty_minutes, ClockUnit::working_minutes}.at(
        static_cast<std::size_t>(random.below(3)));
    ASSERT_EQ(clock_due(c.calendar, c.rule, c.start, c.pauses).at, counted_by_minutes(c))
        << to_string(c.rule.unit) << " " << i;
  }
}

TEST(ClocksProperty, WorkingDaysCountBackAsTheyCountForward) {
  Random random;
  for (int i = 0; i < 5'000; ++i) {
    auto c = random.next();
    c.calendar.hours = office().hours;
    const int amount = 2 + random.below(10);
    const int back = random.below(amount);
    const auto due = [&](int count) {
      return clock_due(c.calendar, rule_of(ClockUnit::working_days, count), c.start).at;
    };
    ASSERT_EQ(working_days_before(c.calendar, due(amount), back), due(amount - back)) << i;
    int counted = 0;
    for (auto day = local_day(c.calendar, c.start) + days{1}; day <= local_day(c.calendar, due(amount));
         day += days{1}) {
      counted += is_working_day(c.calendar, day) ? 1 : 0;
    }
    ASSERT_EQ(counted, amount) << i;
  }
  const auto calendar = office();
  EXPECT_EQ(working_days_before(calendar, on(7, 17h + 30min), 1), on(4, 17h + 30min)) << "Monday: Friday";
  EXPECT_EQ(working_days_before(calendar, on(5, 9h), 1), on(4, 9h)) << "Saturday: Friday";
  EXPECT_EQ(working_days_before(calendar, on(5, 9h), 0), on(5, 9h));
}

TEST(Clocks, ALaterCalendarYearIsReckonedAgain) {
  auto calendar = office();
  calendar.known_to = std::chrono::year{2025};
  const auto rule = rule_of(ClockUnit::working_days, 1);
  EXPECT_EQ(clock_due(calendar, rule, on(0, 9h)), (Due{on(1, 17h + 30min), true}));
  // The year comes, and Tuesday turns out to be off.
  calendar.known_to = std::chrono::year{2026};
  calendar.exceptions[local_day(calendar, on(1, 0h))] = false;
  EXPECT_EQ(clock_due(calendar, rule, on(0, 9h)), (Due{on(2, 17h + 30min), false}));
  calendar.known_to.reset();
  EXPECT_TRUE(clock_due(calendar, rule, on(0, 9h)).provisional);
  EXPECT_FALSE(clock_due(calendar, rule_of(ClockUnit::natural_minutes, 9), on(0, 9h)).provisional);
}

}  // namespace
}  // namespace gridward::domain
