#include <gtest/gtest.h>

#include <cmath>
#include <gridward_sim/timeline.hpp>

namespace gridward::sim {
namespace {

using What = Timeline::What;
using Happenings = std::vector<Timeline::Happening>;
constexpr std::int64_t kHour = 3'600'000;

Timeline of(const Circumstances& c, std::uint64_t seed = 1) { return {std::make_shared<const Circumstances>(c), seed}; }

TEST(Timeline, WithoutAScenarioNothingHappens) {
  auto line = of({});
  EXPECT_TRUE(line.on_duty());
  EXPECT_TRUE(line.switched_on());
  EXPECT_TRUE(line.advance(1000 * kHour).empty());
  EXPECT_GT(line.next_ms(), std::int64_t{1} << 53);
  EXPECT_EQ(line.battery_percent(), 100);
}

TEST(Timeline, DutyBeginsAndEndsWithItsWindows) {
  Circumstances c;
  c.duty = {{0, 30}, {40, 60}, {60, 70}};
  auto line = of(c);
  EXPECT_TRUE(line.on_duty());
  EXPECT_EQ(line.next_ms(), 30);
  EXPECT_TRUE(line.advance(29).empty());
  EXPECT_EQ(line.advance(30), (Happenings{{30, What::duty_ends}}));
  EXPECT_FALSE(line.on_duty());
  EXPECT_TRUE(line.advance(10).empty());  // past
  EXPECT_EQ(line.advance(55), (Happenings{{40, What::duty_begins}}));
  EXPECT_EQ(line.advance(60), (Happenings{{60, What::duty_ends}, {60, What::duty_begins}}));
  EXPECT_TRUE(line.on_duty());
  EXPECT_EQ(line.advance(1000), (Happenings{{70, What::duty_ends}}));
  EXPECT_FALSE(line.on_duty());

  c.duty = {{10, 20}};
  EXPECT_FALSE(of(c).on_duty());
}

TEST(Timeline, ABatteryDrainsIsEmptyAndComesBack) {
  Circumstances c;
  c.battery = Battery{50, 25, 60, 15, true};
  auto line = of(c);
  line.advance(kHour);
  EXPECT_NEAR(line.battery_percent(), 25, 0.01);
  EXPECT_TRUE(line.switched_on());
  auto happened = line.advance(2 * kHour + 1);
  ASSERT_EQ(happened.size(), 1U);
  EXPECT_EQ(happened[0], (Timeline::Happening{2 * kHour, What::power_cut}));
  EXPECT_FALSE(line.switched_on());
  line.advance(2 * kHour + kHour / 8);
  EXPECT_NEAR(line.battery_percent(), 7.5, 0.01);
  happened = line.advance(2 * kHour + kHour / 4 + 1);
  ASSERT_EQ(happened.size(), 1U);
  EXPECT_EQ(happened[0], (Timeline::Happening{2 * kHour + kHour / 4, What::switched_on}));
  EXPECT_TRUE(line.switched_on());
  EXPECT_NEAR(line.battery_percent(), 15, 0.01);
}

TEST(Timeline, ABatteryIsChargedOffDutyOnlyWhenItIsSaid) {
  Circumstances c;
  c.duty = {{0, kHour}};
  c.battery = Battery{80, 20, 60, 15, true};
  auto line = of(c);
  line.advance(kHour);
  EXPECT_NEAR(line.battery_percent(), 60, 0.01);
  line.advance(kHour + kHour / 2);
  EXPECT_NEAR(line.battery_percent(), 90, 0.01);
  line.advance(9 * kHour);
  EXPECT_EQ(line.battery_percent(), 100);  // and no more

  c.battery->charge_when_off_duty = false;
  auto other = of(c);
  other.advance(2 * kHour);
  EXPECT_NEAR(other.battery_percent(), 40, 0.01);
}

TEST(Timeline, WithoutChargeAnEmptyOneStaysOff) {
  Circumstances c;
  c.battery = Battery{1, 1000, 0, 15, true};
  c.reboots_per_h = 100;
  auto line = of(c);
  const auto happened = line.advance(100 * kHour);
  EXPECT_EQ(happened.back().what, What::power_cut);
  EXPECT_FALSE(line.switched_on());
}

Circumstances lively() {
  Circumstances c;
  c.duty = {{kHour, 3 * kHour}, {5 * kHour, 6 * kHour}, {8 * kHour, 60 * kHour}};
  c.battery = Battery{70, 40, 70, 15, false};
  c.reboots_per_h = 6;
  return c;
}

TEST(Timeline, IsTheSameForTheSameSeedHoweverOftenItIsAsked) {
  auto once = of(lively(), 9);
  auto often = of(lively(), 9);
  auto other = of(lively(), 10);
  const auto whole = once.advance(48 * kHour);
  Happenings pieces;
  for (std::int64_t at = 0; at <= 48 * kHour; at += 7'777) {
    for (const auto& one : often.advance(at)) pieces.push_back(one);
    EXPECT_GT(often.next_ms(), at);
  }
  for (const auto& one : often.advance(48 * kHour)) pieces.push_back(one);
  EXPECT_EQ(whole, pieces);
  EXPECT_EQ(once.battery_percent(), often.battery_percent());
  EXPECT_NE(whole, other.advance(48 * kHour));
}

TEST(Timeline, OnAndOffTakeTurns) {
  auto line = of(lively(), 3);
  bool on = true;
  int reboots = 0;
  int cuts = 0;
  std::int64_t last = 0;
  for (const auto& [at, what] : line.advance(200 * kHour)) {
    EXPECT_GE(at, last);
    last = at;
    if (what == What::duty_begins || what == What::duty_ends) continue;
    EXPECT_EQ(on, what != What::switched_on) << at;
    on = what == What::switched_on;
    reboots += what == What::reboots ? 1 : 0;
    cuts += what == What::power_cut ? 1 : 0;
  }
  EXPECT_GT(reboots, 400);
  EXPECT_LT(reboots, 1600);
  EXPECT_GT(cuts, 20);
}

}  // namespace
}  // namespace gridward::sim
