#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/profile/profile.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <map>
#include <set>

#include "small_profile.hpp"

namespace gridward::profile {
namespace {

using namespace std::chrono;

using namespace small;

TEST(Profile, BecomesAPolicy) {
  const auto policy = parse_policy(kProfile, kHolidays);
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->id, "t");
  EXPECT_EQ(policy->calendar.utc_offset, minutes{480});
  ASSERT_EQ(policy->calendar.hours.size(), 2U);
  EXPECT_EQ(policy->calendar.hours[1].to, minutes{24 * 60});
  EXPECT_EQ(policy->calendar.known_to, year{2026});
  EXPECT_EQ(policy->calendar.exceptions.at(sys_days{2026y / October / 1}), false);
  EXPECT_EQ(policy->calendar.exceptions.at(sys_days{2026y / October / 10}), true);
  EXPECT_EQ(policy->limits.at("general"),
            (domain::ClockRule{"limits.general", "第二十五条", domain::ClockUnit::working_days, 7}));
  EXPECT_TRUE(policy->unit_hours.empty());
  EXPECT_EQ(policy->categories.at("a").limit, "general");
  EXPECT_EQ(policy->codes.at("reject_reasons").front().first, "z");
}

TEST(Profile, ProblemsNamePathValueAndLimit) {
  EXPECT_EQ(problems(with(kProfile, "\"amount\": 7", "\"amount\": -1")),
            Texts{"limits.general.amount: -1, at least 1"});
  EXPECT_EQ(problems(with(kProfile, "\"amount\": 7", "\"amount\": 18446744073709551615")),
            Texts{"limits.general.amount: 18446744073709551615, at most 366"});
  EXPECT_EQ(problems(with(kProfile, "\"amount\": 7", "\"amount\": 1.5")),
            Texts{"limits.general.amount: 1.5 is not a whole number"});
  EXPECT_EQ(problems(with(kProfile, ", \"article\": \"第二十五条\"", "")), Texts{"limits.general.article: missing"});
  EXPECT_EQ(problems(with(kProfile, "\"limit\": \"general\"", "\"limit\": \"urgent\"")),
            Texts{"categories[0].limit: \"urgent\" is not among the limits"});
  EXPECT_EQ(problems(with(kProfile, "\"name\": \"甲\"", "\"nam\": \"甲\"")),
            (Texts{"categories[0].nam: no such field", "categories[0].name: missing"}));
  EXPECT_EQ(problems(with(kProfile, "\"12:00\"", "\"12:60\"")),
            Texts{"office_hours[0][1]: \"12:60\", write it like 08:30"});
  EXPECT_EQ(problems(with(kProfile, "\"14:00\"", "\"11:00\"")),
            Texts{"office_hours[1]: begins before the span above it ends"});
  EXPECT_EQ(problems(with(kProfile, "\"08:30\"", "\"12:00\"")), Texts{"office_hours[0]: ends before it begins"});
  EXPECT_EQ(problems(with(kProfile, "480", "\"+8\"")), Texts{"utc_offset_minutes: \"+8\" is not a whole number"});
  EXPECT_EQ(problems(with(kProfile, "\"id\": \"t\"", "\"id\": \"\"")), Texts{"id: empty"});
  EXPECT_EQ(problems(with(kProfile, "\"reject_reasons\": [", "\"reject_reasons\": [7, ")),
            Texts{"codes.reject_reasons[0]: not an object"});
}

std::set<std::string> limit_problems(const std::string& row) {
  return problems(with(kProfile, R"({"unit": "working_days", "amount": 7, "article": "第二十五条"})", row));
}

TEST(Profile, LimitsAreInOneOfSixUnits) {
  using domain::ClockUnit;
  const std::pair<const char*, ClockUnit> units[] = {
      {"natural_minutes", ClockUnit::natural_minutes}, {"natural_days", ClockUnit::natural_days},
      {"duty_minutes", ClockUnit::duty_minutes},       {"working_minutes", ClockUnit::working_minutes},
      {"working_days", ClockUnit::working_days},
  };
  for (const auto& [name, unit] : units) {
    const auto policy = parse_policy(with(kProfile, "\"working_days\"", "\"" + std::string(name) + "\""), kHolidays);
    ASSERT_TRUE(policy) << name;
    EXPECT_EQ(policy->limits.at("general").unit, unit);
    EXPECT_EQ(policy->limits.at("general").amount, 7);
  }
  const auto spot = parse_policy(with(kProfile, R"("working_days", "amount": 7)", R"("on_the_spot")"), kHolidays);
  ASSERT_TRUE(spot);
  EXPECT_EQ(spot->limits.at("general"), (domain::ClockRule{"limits.general", "第二十五条", ClockUnit::on_the_spot, 0}));
}

TEST(Profile, AWrongLimitIsNamed) {
  EXPECT_EQ(limit_problems(R"({"working_days": 7, "article": "x"})"),
            (Texts{"limits.general.working_days: no such field", "limits.general.unit: missing",
                   "limits.general.amount: missing"}));
  EXPECT_EQ(limit_problems(R"({"unit": "days", "amount": 7, "article": "x"})"),
            Texts{"limits.general.unit: \"days\", one of natural_minutes natural_days duty_minutes working_minutes "
                  "working_days on_the_spot"});
  EXPECT_EQ(limit_problems(R"({"unit": 7, "amount": 7, "article": "x"})"),
            Texts{"limits.general.unit: 7 is not a text"});
  EXPECT_EQ(limit_problems(R"({"unit": "working_days", "article": "x"})"), Texts{"limits.general.amount: missing"});
  EXPECT_EQ(limit_problems(R"({"unit": "on_the_spot", "amount": 1, "article": "x"})"),
            Texts{"limits.general.amount: on_the_spot has no amount"});
  EXPECT_EQ(limit_problems("7"), Texts{"limits.general: not an object"});
  const auto most = [](const char* unit, int amount) {
    return limit_problems(R"({"unit": ")" + std::string(unit) + R"(", "amount": )" + std::to_string(amount) +
                          R"(, "article": "x"})");
  };
  EXPECT_EQ(most("working_days", 366), Texts{});
  EXPECT_EQ(most("working_days", 367), Texts{"limits.general.amount: 367, at most 366"});
  EXPECT_EQ(most("natural_days", 366), Texts{});
  EXPECT_EQ(most("natural_days", 367), Texts{"limits.general.amount: 367, at most 366"});
  for (const auto* unit : {"natural_minutes", "duty_minutes", "working_minutes"}) {
    EXPECT_EQ(most(unit, 527040), Texts{}) << unit;
    EXPECT_EQ(most(unit, 527041), Texts{"limits.general.amount: 527041, at most 527040"}) << unit;
    EXPECT_EQ(most(unit, 0), Texts{"limits.general.amount: 0, at least 1"}) << unit;
  }
}

TEST(Profile, AUnitMayHaveItsOwnOfficeHours) {
  const auto with_units = [](const std::string& rows) {
    return with(kProfile, "\"holidays\"", "\"unit_hours\": [" + rows + "], \"holidays\"");
  };
  const std::string row = R"({"unit": "u1", "office_hours": [["09:00", "17:00"]], "article": "通知"})";
  const auto policy = parse_policy(with_units(row), kHolidays);
  ASSERT_TRUE(policy) << policy.error()[0].field << policy.error()[0].detail;
  const auto theirs = domain::calendar_of(*policy, "u1");
  ASSERT_EQ(theirs.hours.size(), 1U);
  EXPECT_EQ(theirs.hours[0].from, hours{9});
  EXPECT_EQ(theirs.exceptions, policy->calendar.exceptions);
  EXPECT_EQ(theirs.known_to, policy->calendar.known_to);
  EXPECT_EQ(domain::calendar_of(*policy, "u2").hours.size(), 2U) << "others have the county's";

  EXPECT_EQ(problems(with_units("")), Texts{});
  EXPECT_EQ(problems(with_units(row + ", " + row)), Texts{"unit_hours[1]: the unit u1 stands there twice"});
  EXPECT_EQ(problems(with_units(R"({"unit": "u1"})")), Texts{"unit_hours[0].office_hours: missing"});
  EXPECT_EQ(problems(with_units(R"({"office_hours": [["17:00", "09:00"]]})")),
            (Texts{"unit_hours[0].unit: missing", "unit_hours[0].office_hours[0]: ends before it begins"}));
  EXPECT_EQ(problems(with_units(R"({"unit": "u1", "office_hours": []})")), Texts{"unit_hours[0].office_hours: empty"});
  EXPECT_EQ(problems(with_units(R"({"unit": "u1", "office_hours": [["00:00", "24:00"]], "days": 7})")),
            Texts{"unit_hours[0].days: no such field"});
}

TEST(Profile, HandheldsAreToldTheSettingsAndTheMatterList) {
  const auto bare = parse_policy(kProfile, kHolidays);
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->handhelds.value().settings, SettingsItem{});
  auto text = with(kProfile, "\"codes\"",
                   R"("device": {"photo_px": 2048, "photo_quality": 85, "track_ms": 5000, "batch_ms": 120000,
                      "heartbeat_ms": 60000}, "codes")");
  text = with(text, "\"categories\": [",
              R"("categories": [{"code": "z", "name": "组/乙", "limit": "general"},
                 {"code": "s", "name": "/丙", "limit": "general"}, )");
  const auto policy = parse_policy(text, kHolidays);
  ASSERT_TRUE(policy) << policy.error()[0].field << policy.error()[0].detail;
  EXPECT_EQ(policy->handhelds->settings, (SettingsItem{"", 2048, 85, Millis{5000}, Millis{120'000}, Millis{60'000}}));
  const std::vector<CategoriesItem::Category> list{{"z", "乙", "组"}, {"s", "/丙", ""}, {"a", "甲", ""}};
  EXPECT_EQ(policy->handhelds->categories.list, list) << "in the order of the profile";
  EXPECT_EQ(policy->categories.at("z").name, "组/乙") << "pages show the whole";
}

TEST(Profile, WhatNoHandheldCouldReadIsRefused) {
  const auto device = [](const std::string& field) {
    return problems(with(kProfile, "\"codes\"", "\"device\": {" + field + "}, \"codes\""));
  };
  EXPECT_EQ(device(R"("photo_px": 4294967295)"), Texts{});
  EXPECT_EQ(device(R"("photo_px": 0)"), Texts{});
  EXPECT_EQ(device(R"("photo_px": 640)"), Texts{});
  EXPECT_EQ(device(R"("photo_px": 639)"), Texts{"device.photo_px: 639, 0 or at least 640"});
  EXPECT_EQ(device(R"("photo_px": 20)"), Texts{"device.photo_px: 20, 0 or at least 640"});
  EXPECT_EQ(device(R"("photo_px": -1)"), Texts{"device.photo_px: -1, at least 0"});
  EXPECT_EQ(device(R"("photo_px": 4294967296)"), Texts{"device.photo_px: 4294967296, at most 4294967295"});
  EXPECT_EQ(device(R"("photo_quality": 0)"), Texts{"device.photo_quality: 0, at least 1"});
  EXPECT_EQ(device(R"("photo_quality": 101)"), Texts{"device.photo_quality: 101, at most 100"});
  EXPECT_EQ(device(R"("track_ms": 999)"), Texts{"device.track_ms: 999, at least 1000"});
  EXPECT_EQ(device(R"("track_ms": 3600001)"), Texts{"device.track_ms: 3600001, at most 3600000"});
  EXPECT_EQ(device(R"("batch_ms": 999)"), Texts{"device.batch_ms: 999, at least 1000"});
  EXPECT_EQ(device(R"("batch_ms": 1800001)"), Texts{"device.batch_ms: 1800001, at most 1800000"});
  EXPECT_EQ(device(R"("heartbeat_ms": 9999)"), Texts{"device.heartbeat_ms: 9999, at least 10000"});
  EXPECT_EQ(device(R"("heartbeat_ms": 86400001)"), Texts{"device.heartbeat_ms: 86400001, at most 86400000"});
  EXPECT_EQ(device(R"("heartbeat_s": 60)"), Texts{"device.heartbeat_s: no such field"});

  const auto list = [](std::size_t size, const std::string& name) {
    std::string rows;
    for (std::size_t i = 0; i < size; ++i) {
      rows += R"({"code": "c)" + std::to_string(i) + R"(", "name": ")" + name + R"(", "limit": "general"}, )";
    }
    return problems(with(kProfile, "\"categories\": [", "\"categories\": [" + rows));
  };
  EXPECT_EQ(list(1, std::string(65, 'x')), Texts{"categories[0].name: 65 characters, at most 64"});
  EXPECT_EQ(list(2047, "x"), Texts{});
  EXPECT_EQ(list(2048, "x"), Texts{"categories: 2049 items, at most 2048"});
  std::string names;
  for (int i = 0; i < 64; ++i) names += "街";
  const auto problem = list(2000, names);
  ASSERT_EQ(problem.size(), 1U);
  EXPECT_NE(problem.begin()->find("bytes, at most 262080"), std::string::npos) << *problem.begin();
}

TEST(Profile, CodesStandThereOnce) {
  EXPECT_EQ(problems(with(kProfile, "\"categories\": [",
                          R"("categories": [{"code": "a", "name": "乙", "limit": "general"}, )")),
            Texts{"categories[1]: the code a stands there twice"});
}

TEST(Profile, HolidaysAreChecked) {
  EXPECT_EQ(problems(kProfile, R"({"known_to": 2026, "days": {"2026-02-30": "off"}})"),
            Texts{"holidays.days.2026-02-30: the day is not like 2026-10-01"});
  EXPECT_EQ(problems(kProfile, R"({"known_to": 2026, "days": {"2026-02-03": "free"}})"),
            Texts{"holidays.days.2026-02-03: \"free\", one of off work"});
  EXPECT_EQ(problems(kProfile, R"({"days": {}})"), Texts{"holidays.known_to: missing"});
}

TEST(Profile, WhatIsNotJsonIsSaidOnce) {
  EXPECT_EQ(problems("{").size(), 1U);
  EXPECT_EQ(problems("[]"), Texts{": not an object"});
  EXPECT_EQ(problems("{}").size(), 11U);
}

TEST(Profile, WhatIsNotEvenTextIsToldInText) {
  EXPECT_EQ(problems("{\n\"a\": \xff}"), Texts{"profile: not JSON, line 2"});
  EXPECT_EQ(problems(std::string(4 * 1024 * 1024 + 1, ' ')), Texts{"profile: 4194305 bytes, at most 4194304"});
  EXPECT_EQ(problems(R"({"a": 1e999})"), Texts{"profile: a number that is too large for any"});
}

TEST(Profile, AllProblemsAreFoundAtOnce) {
  auto text = with(kProfile, "\"amount\": 7", "\"amount\": 0");
  text = with(text, "\"name\": \"试\", ", "");
  EXPECT_EQ(problems(text), (Texts{"limits.general.amount: 0, at least 1", "name: missing"}));
}

TEST(Profile, FilesThatCannotBeReadAreNamed) {
  test::TempDir dir;
  const auto none = load_policy(dir / "none.json");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error()[0].field, (dir / "none.json").string());
  test::write_file(dir / "p.json", kProfile);
  const auto no_holidays = load_policy(dir / "p.json");
  ASSERT_FALSE(no_holidays);
  EXPECT_EQ(no_holidays.error()[0].field, (dir / "h.json").string());
  test::write_file(dir / "h.json", kHolidays);
  EXPECT_TRUE(load_policy(dir / "p.json"));
}

TEST(Profile, BinhaiFollowsItsSource) {
  const auto policy = load_policy(test::source_dir() / "server/profiles/binhai.json");
  ASSERT_TRUE(policy) << policy.error()[0].field << policy.error()[0].detail;
  EXPECT_EQ(policy->id, "binhai");
  using domain::ClockUnit;
  const std::string rules = "津滨政办发〔2020〕10号 ";
  const std::map<std::string, domain::ClockRule> limits{
      {"general", {"limits.general", rules + "第二十五条（二）", ClockUnit::working_days, 7}},
      {"urgent", {"limits.urgent", rules + "第二十五条（二）", ClockUnit::working_days, 2}},
      {"return_urgent", {"limits.return_urgent", rules + "第二十五条（四）", ClockUnit::working_minutes, 240}},
      {"return_general", {"limits.return_general", rules + "第二十五条（四）", ClockUnit::working_days, 1}},
      {"callback", {"limits.callback", rules + "第十七条（限期回访；天数为本项目默认）", ClockUnit::working_days, 3}},
  };
  EXPECT_EQ(policy->limits, limits);
  EXPECT_EQ(policy->codes.at("reject_reasons").size(), 4U);
  EXPECT_EQ(policy->categories.size(), 12U);
  const auto& calendar = policy->calendar;
  EXPECT_FALSE(domain::is_working_day(calendar, sys_days{2026y / October / 1}));
  EXPECT_TRUE(domain::is_working_day(calendar, sys_days{2026y / October / 10}));   // a Saturday made up
  EXPECT_TRUE(domain::is_working_day(calendar, sys_days{2026y / November / 23}));  // an ordinary Monday
  EXPECT_FALSE(domain::is_working_day(calendar, sys_days{2026y / November / 22}));
}

TEST(Profile, HeyangFollowsItsSource) {
  const auto policy = load_policy(test::source_dir() / "server/profiles/heyang.json");
  ASSERT_TRUE(policy) << policy.error()[0].field << policy.error()[0].detail;
  EXPECT_EQ(policy->id, "heyang");
  using domain::ClockUnit;
  const std::string flow = "合政办发〔2020〕128号 ";
  const std::map<std::string, domain::ClockRule> limits{
      {"dispatch", {"limits.dispatch", flow + "四（一）2、四（二）2", ClockUnit::duty_minutes, 30}},
      {"respond", {"limits.respond", flow + "四（二）3", ClockUnit::duty_minutes, 30}},
      {"arrive", {"limits.arrive", flow + "四（二）3", ClockUnit::duty_minutes, 120}},
      {"simple", {"limits.simple", flow + "四（二）4", ClockUnit::on_the_spot, 0}},
      {"general", {"limits.general", flow + "四（二）4", ClockUnit::working_days, 3}},
      {"major", {"limits.major", flow + "四（二）4", ClockUnit::working_days, 5}},
      {"complex", {"limits.complex", flow + "四（二）4", ClockUnit::working_days, 10}},
      {"callback", {"limits.callback", flow + "四（二）7（回访核查；天数为本项目默认）", ClockUnit::working_days, 3}},
  };
  EXPECT_EQ(policy->limits, limits);
  EXPECT_EQ(policy->categories.size(), 13U);
  for (const auto* grade : {"simple", "general", "major", "complex"}) {
    EXPECT_TRUE(std::ranges::any_of(policy->categories, [&](const auto& row) { return row.second.limit == grade; }))
        << grade;
  }
  EXPECT_EQ(policy->calendar.exceptions,
            load_policy(test::source_dir() / "server/profiles/binhai.json")->calendar.exceptions);
}

}  // namespace
}  // namespace gridward::profile
