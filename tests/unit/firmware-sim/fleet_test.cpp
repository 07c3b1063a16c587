#include <gtest/gtest.h>

#include <gridward/test/process.hpp>
#include <gridward_sim/fleet.hpp>

namespace gridward::sim {
namespace {

class FleetFile : public ::testing::Test {
 protected:
  Result<Fleet> load(const std::string& json) {
    test::write_file(dir_ / "fleet.json", json);
    return load_fleet(dir_ / "fleet.json");
  }
  void expect_wrong(const std::string& json, const std::string& field) {
    const auto fleet = load(json);
    ASSERT_FALSE(fleet) << json;
    EXPECT_EQ(fleet.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(fleet.error().field, field) << json;
  }
  test::TempDir dir_;
};

constexpr const char* kRing = "[[117.80,39.28],[117.81,39.28],[117.81,39.29],[117.80,39.28]]";

TEST_F(FleetFile, TakesOutlinesByCodeAndRingsByHand) {
  test::write_file(
      dir_ / "o.geojson",
      std::string(
          R"({"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"g1"},"geometry":{"type":"Polygon","coordinates":[)") +
          kRing + "]}}]}");
  const auto fleet = load(
      std::string(R"({"outlines":"o.geojson","categories":["a"],"behaviour":{"report_min_s":1,"photos":2},"handhelds":[
    {"config":"a/device.json","grid":"g1"},
    {"config":"/b/device.json","grid":)") +
      kRing + R"(,"behaviour":{"photos":0,"sign_in":false}}]})");
  ASSERT_TRUE(fleet) << to_string(fleet.error());
  ASSERT_EQ(fleet->handhelds.size(), 2U);
  EXPECT_EQ(fleet->handhelds[0].config, dir_ / "a/device.json");
  EXPECT_EQ(fleet->handhelds[1].config, "/b/device.json");
  EXPECT_EQ(fleet->handhelds[0].grid, fleet->handhelds[1].grid);
  EXPECT_EQ(fleet->handhelds[0].behaviour.photos, 2);
  EXPECT_EQ(fleet->handhelds[1].behaviour.photos, 0);
  EXPECT_FALSE(fleet->handhelds[1].behaviour.sign_in);
  EXPECT_EQ(fleet->handhelds[1].behaviour.report_min_s, 1);  // of the common ones
}

TEST_F(FleetFile, NamesWhatIsWrong) {
  const auto one = [](const std::string& more) {
    return std::string(R"({"handhelds":[{"config":"a","grid":)") + kRing + more + "}]}";
  };
  expect_wrong(R"({"handhelds":[]})", "handhelds");
  expect_wrong(R"({"handheld":[]})", "handheld");
  expect_wrong(R"({"handhelds":[{"grid":[]}]})", "handhelds[0].config");
  expect_wrong(R"({"handhelds":[{"config":"a"}]})", "handhelds[0].grid");
  expect_wrong(R"({"handhelds":[{"config":"a","grid":"g9"}]})", "handhelds[0].grid");
  expect_wrong(one(R"(,"behaviour":{"photos":9})"), "handhelds[0].behaviour.photos");
  expect_wrong(one(R"(,"behaviour":{"speed":9})"), "handhelds[0].behaviour.speed");
  expect_wrong(one(R"(,"behaviour":{"report_min_s":-1})"), "handhelds[0].behaviour.report_min_s");
  expect_wrong(one(R"(,"behaviour":{"verify_max_s":"1h"})"), "handhelds[0].behaviour.verify_max_s");
  expect_wrong(one(R"(,"behaviour":{"not_rectified":1.5})"), "handhelds[0].behaviour.not_rectified");
  expect_wrong(one(R"(,"behaviour":{"patrol":1})"), "handhelds[0].behaviour.patrol");
  EXPECT_FALSE(load("not json"));
  EXPECT_FALSE(load_fleet(dir_ / "absent.json"));
}

}  // namespace
}  // namespace gridward::sim
