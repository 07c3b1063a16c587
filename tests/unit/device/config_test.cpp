#include <gtest/gtest.h>

#include <gridward/test/process.hpp>
#include <gridward_device/config.hpp>

namespace gridward::device {
namespace {

class ConfigFile : public ::testing::Test {
 protected:
  Result<Config> load(const std::string& json) {
    test::write_file(dir_ / "device.json", json);
    return config_from_file(dir_ / "device.json");
  }
  static std::string with(const std::string& more) {
    return R"({"broker":"ssl://mq.example:8883","ca_file":"ca.crt","device":"hh-1","town":"120116115","data_dir":"box")" +
           (more.empty() ? "" : "," + more) + "}";
  }
  void expect_wrong(const std::string& json, const std::string& field) {
    const auto config = load(json);
    ASSERT_FALSE(config) << json;
    EXPECT_EQ(config.error().code, ErrorCode::config_invalid);
    EXPECT_EQ(config.error().field, field) << json;
  }
  test::TempDir dir_;
};

TEST_F(ConfigFile, PathsCountFromTheFile) {
  const auto config = load(with(""));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->data_dir, dir_ / "box");
  EXPECT_EQ(config->key_file, dir_ / "box" / "device.key");
  EXPECT_EQ(config->transport.ca_file, (dir_ / "ca.crt").string());
  EXPECT_EQ(config->transport.user, "hh-1");
}

TEST_F(ConfigFile, TakesEveryKey) {
  const auto config = load(with(
      R"("user":"u","password":"p","key_file":"/k","actor":"wg1","gpsd_host":"127.0.0.1","gpsd_port":1234,"camera_program":"cam",
         "position_wait_ms":0,"position_age_ms":3000,"track_interval_ms":2000,"track_batch_ms":30000,"heartbeat_ms":-1,
         "keepalive_s":30,"outbox_bytes":1000,"min_free_bytes":0,"photo_px":2000,"photo_quality":70,"duty_by_patrol":true)"));
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->key_file, "/k");
  EXPECT_EQ(config->builtin.gpsd_port, 1234);
  EXPECT_EQ(config->position_wait, Millis{0});
  EXPECT_EQ(config->track_batch, Millis{30'000});
  EXPECT_EQ(config->heartbeat, Millis{-1});
  EXPECT_EQ(config->min_free_bytes, 0U);
  EXPECT_EQ(config->photo_px, 2000);
  EXPECT_EQ(config->photo_quality, 70);
  EXPECT_TRUE(config->duty_by_patrol);
}

TEST_F(ConfigFile, NamesWhatIsWrong) {
  expect_wrong(with(R"("brokr":"x")"), "brokr");
  expect_wrong(with(R"("actor":5)"), "actor");
  expect_wrong(with(R"("gpsd_port":"2947")"), "gpsd_port");
  expect_wrong(with(R"("gpsd_port":70000)"), "gpsd_port");
  expect_wrong(with(R"("keepalive_s":1)"), "keepalive_s");
  expect_wrong(with(R"("track_interval_ms":10)"), "track_interval_ms");
  expect_wrong(with(R"("track_interval_ms":5000,"track_batch_ms":1000)"), "track_batch_ms");
  expect_wrong(with(R"("photo_px":-2)"), "photo_px");
  expect_wrong(with(R"("photo_px":639)"), "photo_px");
  const auto small = load(with(R"("photo_px":20)"));
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, ErrorCode::config_invalid);
  EXPECT_NE(small.error().detail.find("at least 640"), std::string::npos);
  EXPECT_TRUE(load(with(R"("photo_px":640)")));
  EXPECT_TRUE(load(with(R"("photo_px":-1)")));
  expect_wrong(with(R"("photo_quality":101)"), "photo_quality");
  expect_wrong(with(R"("photo_quality":-1)"), "photo_quality");
  expect_wrong(with(R"("duty_by_patrol":1)"), "duty_by_patrol");
  expect_wrong(R"({"broker":"http://x","device":"d","town":"1","data_dir":"x"})", "broker");
  expect_wrong(R"({"broker":"ssl://x:1","device":"d","town":"1","data_dir":"x"})", "ca_file");
  expect_wrong(R"({"broker":"tcp://x:1","device":"a b","town":"1","data_dir":"x"})", "device");
  expect_wrong(R"({"broker":"tcp://x:1","device":"d","data_dir":"x"})", "town");
  expect_wrong(R"({"broker":"tcp://x:1","device":"d","town":"1"})", "data_dir");
  EXPECT_FALSE(load("not json"));
  EXPECT_FALSE(config_from_file(dir_ / "absent.json"));
}

TEST(ConfigStruct, ZeroMeansDefaultAndOlderCallersWork) {
  gw_config given{};
  given.struct_size = sizeof given;
  given.data_dir = "/tmp/x";
  given.broker = "tcp://127.0.0.1:1883";
  given.device = "hh-1";
  given.town = "120116115";
  auto config = config_from(given);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_FALSE(config->track_interval);
  EXPECT_EQ(settings_of(*config, std::nullopt).track_interval, Millis{10'000});
  // A caller compiled when the structure ended after `actor`: what is behind is not read.
  given.gpsd_host = "never";
  given.struct_size = offsetof(gw_config, gpsd_host);
  config = config_from(given);
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->builtin.gpsd_host.empty());
}

TEST(Settings, TheConfigurationWinsOverTheTownAndTheTownOverTheDefaults) {
  SettingsItem town;
  town.track = Millis{7'000};
  town.batch = Millis{70'000};
  town.heartbeat = Millis{17'000};
  town.photo_px = 1600;
  town.photo_quality = 60;
  gw_config given{};
  given.struct_size = sizeof given;
  given.data_dir = "/tmp/x";
  given.broker = "tcp://127.0.0.1:1883";
  given.device = "hh-1";
  given.town = "120116115";
  auto settings = settings_of(config_from(given).value(), std::nullopt);
  EXPECT_EQ(settings.track_batch, Millis{60'000});
  EXPECT_EQ(settings.heartbeat, Millis{300'000});
  EXPECT_EQ(settings.photo.px, 0U);
  EXPECT_EQ(settings.photo.quality, 85);
  settings = settings_of(config_from(given).value(), town);
  EXPECT_EQ(settings.track_interval, Millis{7'000});
  EXPECT_EQ(settings.track_batch, Millis{70'000});
  EXPECT_EQ(settings.heartbeat, Millis{17'000});
  EXPECT_EQ(settings.photo.px, 1600U);
  EXPECT_EQ(settings.photo.quality, 60);
  // What the town leaves out is the device's own.
  EXPECT_EQ(settings_of(config_from(given).value(), SettingsItem{}).track_interval, Millis{10'000});
  given.track_interval_ms = 3'000;
  given.track_batch_ms = 30'000;
  given.heartbeat_ms = -1;
  given.photo_px = -1;  // never, whatever the town says
  given.photo_quality = 90;
  settings = settings_of(config_from(given).value(), town);
  EXPECT_EQ(settings.track_interval, Millis{3'000});
  EXPECT_EQ(settings.track_batch, Millis{30'000});
  EXPECT_EQ(settings.heartbeat, Millis{-1});
  EXPECT_EQ(settings.photo.px, 0U);
  EXPECT_EQ(settings.photo.quality, 90);
  given.photo_px = 1;
  EXPECT_EQ(config_from(given).error().field, "photo_px");
  given.photo_px = 640;
  EXPECT_EQ(settings_of(config_from(given).value(), town).photo.px, 640U);
  given.photo_quality = 101;
  EXPECT_EQ(config_from(given).error().field, "photo_quality");
}

}  // namespace
}  // namespace gridward::device
