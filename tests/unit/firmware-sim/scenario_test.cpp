#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <gridward_sim/fleet.hpp>
#include <gridward_sim/own_config.hpp>
#include <gridward_sim/parts.hpp>

namespace gridward::sim {
namespace {

constexpr const char* kLog =
    "$GPRMC,120000,A,3900.000,N,11700.000,E,0,0,010120,,,A*00\r\n"
    "$GPRMC,120010,A,3900.010,N,11700.000,E,0,0,010120,,,A*00\r\n";

std::string with_checksums(const std::string& log) {
  std::string out;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('*'));
    unsigned sum = 0;
    for (const char c : line.substr(1)) sum ^= static_cast<unsigned char>(c);
    char end[8];
    std::snprintf(end, sizeof end, "*%02X\r\n", sum);
    out += line + end;
  }
  return out;
}

class ScenarioFile : public ::testing::Test {
 protected:
  Result<Scenario> load(const std::string& json) {
    test::write_file(dir_ / "scenario.json", json);
    return load_scenario(dir_ / "scenario.json");
  }
  void expect_wrong(const std::string& json, const std::string& field, const std::string& why = "") {
    const auto scenario = load(json);
    ASSERT_FALSE(scenario) << json;
    EXPECT_EQ(scenario.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(scenario.error().field, field) << json;
    EXPECT_NE(to_string(scenario.error()).find(why), std::string::npos) << to_string(scenario.error());
  }
  static std::string one(const std::string& group) { return R"({"groups":[{)" + group + "}]}"; }
  test::TempDir dir_;
};

TEST_F(ScenarioFile, TakesEverything) {
  std::filesystem::create_directories(dir_ / "logs");
  test::write_file(dir_ / "logs/walk.nmea", with_checksums(kLog));
  const auto scenario = load(R"({ // what happens
    "processes": 3, "groups": [
    {"count": 2, "walk": {"log": "logs/walk.nmea"}, "duty": [[0, 0.5], [1, 2]], "link": "2g",
     "battery": {"start_percent": 40, "drain_percent_per_h": 60, "charge_percent_per_h": 90, "back_percent": 20,
                 "charge_when_off_duty": false},
     "clock": {"skew_ms": -500, "drift_ppm": 20, "jump_s": 10, "jump_every_s": 5}},
    {"share": 0.5, "walk": "lanes", "link": {"delay_ms": 10, "jitter_ms": 5, "bytes_per_s": 1000, "up_s": [1, 2],
     "down_s": [3, 4], "life_s": 6, "silent": 0.5}, "delivery": {"duplicate": 0.05, "reorder": 0.1, "drop": 0.01, "hold_ms": 200}},
    {"reboots_per_h": 4, "kills_per_h": 5, "disk": {"outbox_mb": 1.5, "min_free_mb": 0}, "walk": "random"}]})");
  ASSERT_TRUE(scenario) << to_string(scenario.error());
  EXPECT_EQ(scenario->processes, 3);
  ASSERT_EQ(scenario->groups.size(), 3U);
  const auto& a = *scenario->groups[0].circumstances;
  EXPECT_EQ(scenario->groups[0].count, 2U);
  EXPECT_EQ(a.walk, WalkKind::log);
  EXPECT_EQ(a.log, with_checksums(kLog));
  ASSERT_EQ(a.duty.size(), 2U);
  EXPECT_EQ(a.duty[0].to_ms, 30'000);
  EXPECT_EQ(a.duty[1].from_ms, 60'000);
  ASSERT_TRUE(a.battery);
  EXPECT_EQ(a.battery->back_percent, 20);
  EXPECT_FALSE(a.battery->charge_when_off_duty);
  EXPECT_EQ(a.clock.skew_ms, -500);
  EXPECT_EQ(a.link->bytes_per_s, link_class("2g")->bytes_per_s);
  const auto& b = *scenario->groups[1].circumstances;
  EXPECT_EQ(scenario->groups[1].share, 0.5);
  EXPECT_EQ(b.walk, WalkKind::lanes);
  EXPECT_EQ(b.link->down_max_s, 4);
  EXPECT_EQ(b.delivery.hold_ms, 200);
  EXPECT_TRUE(b.duty.empty());
  const auto& c = *scenario->groups[2].circumstances;
  EXPECT_EQ(c.reboots_per_h, 4);
  EXPECT_EQ(c.kills_per_h, 5);
  EXPECT_EQ(c.outbox_bytes, 3U << 19);
  EXPECT_EQ(c.min_free_bytes, 0U);
  EXPECT_FALSE(c.link);
}

TEST(Scenarios, ThoseThatAreShippedAreRight) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::source_dir() / "firmware-sim" / "scenarios")) {
    const auto scenario = load_scenario(entry.path());
    EXPECT_TRUE(scenario) << entry.path() << " " << (scenario ? "" : to_string(scenario.error()));
    if (!scenario) continue;
    EXPECT_FALSE(scenario->groups.back().share || scenario->groups.back().count) << "somebody is forgotten";
    ++count;
  }
  EXPECT_GE(count, 6);
}

TEST_F(ScenarioFile, NamesWhatIsWrong) {
  expect_wrong("{}", "groups");
  expect_wrong(R"({"groups":[]})", "groups");
  expect_wrong(R"({"groups":[1]})", "groups[0]");
  expect_wrong(R"({"groups":[{}],"process":1})", "process", "unknown key");
  expect_wrong(R"({"groups":[{}],"processes":65})", "processes", "1 to 64");
  expect_wrong(R"({"groups":[{},{}]})", "groups[0]", "only the last");
  expect_wrong(R"({"groups":[{"share":0.6},{"share":0.6}]})", "groups[1].share", "at most 1");
  expect_wrong(one(R"("share":1.2)"), "groups[0].share", "from 0 to 1");
  expect_wrong(one(R"("share":1,"count":2)"), "groups[0].share");
  expect_wrong(one(R"("count":-1)"), "groups[0].count");
  expect_wrong(one(R"("count":1.5)"), "groups[0].count");
  expect_wrong(one(R"("speed":1)"), "groups[0].speed", "unknown key");
  expect_wrong(one(R"("walk":"lane")"), "groups[0].walk");
  expect_wrong(one(R"("walk":{"log":"nowhere.nmea"})"), "groups[0].walk.log", "cannot be read");
  expect_wrong(one(R"("walk":{"log":7})"), "groups[0].walk.log");
  expect_wrong(one(R"("walk":{"log":"scenario.json"})"), "groups[0].walk.log", "no two fixes");
  expect_wrong(one(R"("battery":5)"), "groups[0].battery", "must be an object");
  expect_wrong(one(R"("battery":{"start_percent":101})"), "groups[0].battery.start_percent", "from 1 to 100");
  expect_wrong(one(R"("battery":{"charge_when_off_duty":1})"), "groups[0].battery.charge_when_off_duty");
  expect_wrong(one(R"("battery":{"start":1})"), "groups[0].battery.start", "unknown key");
  expect_wrong(one(R"("duty":[])"), "groups[0].duty");
  expect_wrong(one(R"("duty":[[0,5],[4,6]])"), "groups[0].duty[1]");
  expect_wrong(one(R"("duty":[[5,5]])"), "groups[0].duty[0]");
  expect_wrong(one(R"("duty":[[0,1e9]])"), "groups[0].duty[0]", "10080");
  expect_wrong(one(R"("duty":[["a",5]])"), "groups[0].duty[0]");
  expect_wrong(one(R"("clock":{"drift_ppm":1e9})"), "groups[0].clock.drift_ppm");
  expect_wrong(one(R"("link":"5g")"), "groups[0].link", "basement, flapping, good, none, tunnel");
  expect_wrong(one(R"("link":{"up_s":[1,2]})"), "groups[0].link.up_s");
  expect_wrong(one(R"("link":{"up_s":[2,1],"down_s":[1,1]})"), "groups[0].link.up_s");
  expect_wrong(one(R"("link":{"silent":2})"), "groups[0].link.silent");
  expect_wrong(one(R"("delivery":{"drop":2})"), "groups[0].delivery.drop", "from 0 to 1");
  expect_wrong(one(R"("delivery":{"hold_ms":0})"), "groups[0].delivery.hold_ms");
  expect_wrong(one(R"("reboots_per_h":-1)"), "groups[0].reboots_per_h");
  expect_wrong(one(R"("kills_per_h":"often")"), "groups[0].kills_per_h");
  expect_wrong(one(R"("disk":{"outbox_mb":0})"), "groups[0].disk.outbox_mb");
  EXPECT_FALSE(load("[]"));
  EXPECT_FALSE(load_scenario(dir_ / "absent.json"));
  expect_wrong(one(R"("link":"good")") + std::string(kMaxScenarioBytes, ' '), (dir_ / "scenario.json").string(),
               "at most 1048576");
}

Scenario groups_of(const std::vector<std::pair<int, double>>& counts_and_shares) {
  Scenario scenario;
  for (const auto& [count, share] : counts_and_shares) {
    Group group;
    if (count >= 0) group.count = static_cast<std::size_t>(count);
    if (share >= 0) group.share = share;
    group.circumstances = std::make_shared<const Circumstances>();
    scenario.groups.push_back(group);
  }
  return scenario;
}

TEST(Groups, AreTakenInOrderAndSharesAddUp) {
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(group_sizes(groups_of({{3, -1}, {-1, 0.5}, {-1, -1}}), 10), (Sizes{3, 5, 2}));
  EXPECT_EQ(group_sizes(groups_of({{-1, 1.0 / 3}, {-1, 1.0 / 3}, {-1, 1.0 / 3}}), 10), (Sizes{3, 4, 3}));
  EXPECT_EQ(group_sizes(groups_of({{-1, 0.2}}), 10), (Sizes{2}));            // eight are in none
  EXPECT_EQ(group_sizes(groups_of({{8, -1}, {8, -1}}), 10), (Sizes{8, 2}));  // a scenario is for any fleet
  EXPECT_EQ(group_sizes(groups_of({{-1, 0.25}, {-1, 0.25}, {-1, 0.25}, {-1, 0.25}}), 2), (Sizes{1, 0, 1, 0}));
}

Fleet fleet_of(std::size_t count) {
  Fleet fleet;
  fleet.handhelds.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double west = 117.80 + 0.02 * static_cast<double>(i);
    fleet.handhelds[i].grid = {{geo_point(39.28, west), geo_point(39.28, west + 0.015), geo_point(39.29, west + 0.015),
                                geo_point(39.29, west)},
                               {}};
  }
  return fleet;
}

TEST(Groups, AReceiverLogIsMovedToEachGrid) {
  Circumstances c;
  c.walk = WalkKind::log;
  c.log = with_checksums(kLog);
  auto scenario = groups_of({{2, -1}});
  scenario.groups[0].circumstances = std::make_shared<const Circumstances>(c);
  auto fleet = fleet_of(3);
  ASSERT_TRUE(apply(scenario, fleet, from_unix_ms(1'700'000'000'000)));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& log = *fleet.handhelds[i].behaviour.walk.log;
    ASSERT_EQ(log.size(), 2U);
    EXPECT_LT(distance_m(log[0].point, deep_inside(fleet.handhelds[i].grid)), 0.1);
    EXPECT_TRUE(contains(fleet.handhelds[i].grid, log[0].point));
    EXPECT_EQ(log[1].at_ms, 10'000);
    EXPECT_NEAR(distance_m(log[0].point, log[1].point), 18.53, 0.1);  // a hundredth of a minute
  }
  EXPECT_EQ(fleet.handhelds[2].circumstances, nullptr);
  EXPECT_EQ(fleet.handhelds[2].behaviour.walk.kind, WalkKind::random);
}

TEST(Parts, WhoIsNeverKilledIsWithNobodyWhoIs) {
  auto fleet = fleet_of(20);
  Circumstances killed;
  killed.kills_per_h = 60;
  for (std::size_t i = 0; i < 5; ++i) {
    fleet.handhelds[i * 4].circumstances = std::make_shared<const Circumstances>(killed);
  }
  for (const unsigned processes : {1U, 4U, 8U, 64U}) {
    const auto parts = share_out(fleet.handhelds, processes);
    EXPECT_LE(parts.size(), std::clamp(processes, 2U, 20U));
    std::vector<int> seen(20, 0);
    for (const auto& part : parts) {
      ASSERT_FALSE(part.members.empty());
      for (const auto i : part.members) {
        ++seen[i];
        EXPECT_EQ(part.kills_per_h, i % 4 == 0 ? 60 : 0);
      }
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 20);
  }
  EXPECT_EQ(share_out(fleet.handhelds, 4).size(), 4U);
  EXPECT_EQ(share_out(fleet_of(3).handhelds, 1).size(), 1U);
}

TEST(Parts, KillsAreTheSameForTheSameSeed) {
  Kills a(7, 1, 120);
  Kills b(7, 1, 120);
  Kills other(8, 1, 120);
  Kills never(7, 1, 0);
  int same = 0;
  std::int64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(a.next_ms(), b.next_ms());
    EXPECT_GT(a.next_ms(), last);
    last = a.next_ms();
    same += a.next_ms() == other.next_ms() ? 1 : 0;
    a.pass();
    b.pass();
    other.pass();
  }
  EXPECT_LT(same, 5);
  EXPECT_NEAR(static_cast<double>(last) / 1000, 30'000, 4'000);  // two a minute
  EXPECT_GT(never.next_ms(), std::int64_t{1} << 53);
}

TEST(OwnConfig, LeadsThroughTheLinkAndKeepsWhatBelongsToTheFolder) {
  const test::TempDir dir;
  std::filesystem::create_directories(dir / "hh");
  test::write_file(dir / "hh/device.json",
                   R"({"broker":"ssl://localhost:8883","data_dir":"box","ca_file":"/tls/ca.crt","password":"p"})");
  const auto port = broker_port(dir / "hh/device.json");
  ASSERT_TRUE(port);
  EXPECT_EQ(*port, 8883);
  Circumstances c;
  c.outbox_bytes = 5'000'000;
  ASSERT_TRUE(write_config(dir / "hh/device.json", c, 4711, dir / "own.json"));
  const auto text = test::read_file(dir / "own.json");
  EXPECT_NE(text.find(R"("broker":"ssl://localhost:4711")"), std::string::npos) << text;
  EXPECT_NE(text.find("\"data_dir\":\"" + (dir / "hh/box").string() + "\""), std::string::npos) << text;
  EXPECT_NE(text.find(R"("ca_file":"/tls/ca.crt")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("outbox_bytes":5000000)"), std::string::npos) << text;
  EXPECT_EQ(text.find("min_free_bytes"), std::string::npos);
  EXPECT_EQ(std::filesystem::status(dir / "own.json").permissions(), std::filesystem::perms(0600));

  test::write_file(dir / "hh/device.json", R"({"broker":"ssl://broker.town.example:8883"})");
  EXPECT_FALSE(broker_port(dir / "hh/device.json"));
  test::write_file(dir / "hh/device.json", R"({"broker":"tcp://localhost"})");
  EXPECT_FALSE(broker_port(dir / "hh/device.json"));
}

}  // namespace
}  // namespace gridward::sim
