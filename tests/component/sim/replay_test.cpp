// Moved and made sentences before gpsd itself, replayed by its own gpsfake: what gpsd understands is what counts.
#include <gps.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <gridward/sim/nmea.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <memory>
#include <nlohmann/json.hpp>

namespace gridward::sim {
namespace {

using namespace std::chrono_literals;

const GeoPoint kPlace = geo_point(39.2412, 117.8421);

std::filesystem::path nmea_folder() { return test::shared_data() / "nmea"; }

UnixMs now() { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }

// gpsd's reports of a fix over the whole log, from its first sentence to its last.
std::vector<nlohmann::json> fixes_of_gpsd(const std::filesystem::path& log) {
  std::vector<nlohmann::json> fixes;
  for (int attempt = 0; attempt < 5 && fixes.empty(); ++attempt) {
    const auto run = test::run_command({"timeout", "60", "gpsfake", "-1", "-q", "-p", "-s", "38400", "-P",
                                        std::to_string(test::free_port()), log.string()});
    std::istringstream in(run.output);
    std::string line;
    while (std::getline(in, line)) {
      auto report = nlohmann::json::parse(line, nullptr, false);
      if (report.is_object() && report.value("class", "") == "TPV" && report.value("mode", 0) >= 2 &&
          report.contains("lat") && report.contains("lon")) {
        fixes.push_back(std::move(report));
      }
    }
  }
  return fixes;
}

GeoPoint point_of(const nlohmann::json& fix) { return geo_point(fix["lat"].get<double>(), fix["lon"].get<double>()); }

// "2026-11-22T08:30:00.000Z"
std::optional<UnixMs> time_of(const nlohmann::json& fix) {
  if (!fix.contains("time")) return std::nullopt;
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  double second = 0;
  if (std::sscanf(fix["time"].get<std::string>().c_str(), "%d-%u-%uT%d:%d:%lf", &year, &month, &day, &hour, &minute,
                  &second) != 6) {
    return std::nullopt;
  }
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / month / day} + hours{hour} + minutes{minute} +
         Millis{std::llround(second * 1000)};
}

class Replay : public ::testing::TestWithParam<const char*> {};

TEST_P(Replay, LiesAtThePlaceAndIsOfToday) {
  const auto log = nmea_folder() / GetParam();
  if (!std::filesystem::exists(log)) GTEST_SKIP() << "no receiver logs here";
  const UnixMs start = now();
  const auto moved = move_log(test::read_file(log), {.to = kPlace, .start = start});
  ASSERT_TRUE(moved) << to_string(moved.error());
  const test::TempDir dir;
  test::write_file(dir / "moved.log", moved->text);
  const auto fixes = fixes_of_gpsd(dir / "moved.log");
  ASSERT_GE(fixes.size(), 3U) << "gpsd gave no fix";
  std::size_t timed = 0;
  for (const auto& fix : fixes) {
    EXPECT_LT(distance_m(point_of(fix), kPlace), 200) << fix.dump();
    const auto at = time_of(fix);
    if (!at) continue;
    ++timed;
    EXPECT_GE(*at, start - 2s) << fix.dump();
    EXPECT_LE(*at, moved->last_at) << fix.dump();
  }
  EXPECT_GE(timed, fixes.size() / 2);
  EXPECT_LT(distance_m(point_of(fixes.front()), kPlace), 5) << fixes.front().dump();
}

INSTANTIATE_TEST_SUITE_P(Logs, Replay,
                         ::testing::Values("gpsd__bu353s4.log", "gpsd__nokia-ld-4w.log", "gpsd__mt3339.log",
                                           "gpsd__sirfstarv-nmea.log", "gpsd__quectel-l76k-nmea.log",
                                           "gpsd__nmea-fuzzy-cases.log"),
                         [](const auto& log) {
                           std::string name = log.param;
                           std::replace_if(name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

// A walk that is made, not recorded: gpsd gives it back point for point.
TEST(MadeWalk, IsWhatGpsdReports) {
  const UnixMs start = std::chrono::floor<std::chrono::seconds>(now());
  std::vector<ReceiverFix> walk;
  std::string log;
  for (int i = 0; i < 40; ++i) {
    ReceiverFix fix{.at = start + std::chrono::seconds{i}, .point = geo_point(39.2412 + i * 1.1e-5, 117.8421)};
    fix.speed_mps = 1.22;
    fix.accuracy_m = 8;
    walk.push_back(fix);
    log += nmea_sentences(fix);
  }
  const test::TempDir dir;
  test::write_file(dir / "walk.log", log);
  const auto fixes = fixes_of_gpsd(dir / "walk.log");
  ASSERT_GE(fixes.size(), 20U);
  std::size_t matched = 0;
  for (const auto& fix : fixes) {
    const auto at = time_of(fix);
    if (!at) continue;
    const auto step = (*at - start) / 1s;
    ASSERT_GE(step, 0) << fix.dump();
    ASSERT_LT(step, 40) << fix.dump();
    EXPECT_LT(distance_m(point_of(fix), *walk[static_cast<std::size_t>(step)].point), 0.03) << fix.dump();
    if (fix.contains("speed")) {
      EXPECT_NEAR(fix["speed"].get<double>(), 1.22, 0.01);
    }
    ++matched;
  }
  EXPECT_GE(matched, 20U);
}

// The way the handheld reads it: a live gpsd and libgps.
TEST(LiveReplay, ComesThroughLibgps) {
  const auto log = nmea_folder() / "gpsd__nokia-ld-4w.log";
  if (!std::filesystem::exists(log)) GTEST_SKIP() << "no receiver logs here";
  const UnixMs start = now();
  const auto moved = move_log(test::read_file(log), {.to = kPlace, .start = start});
  ASSERT_TRUE(moved);
  const test::TempDir dir;
  test::write_file(dir / "moved.log", moved->text);
  int port = 0;
  std::unique_ptr<test::Process> replay;
  for (int attempt = 0; attempt < 5; ++attempt) {
    port = test::free_port();
    replay =
        std::make_unique<test::Process>(std::vector<std::string>{"gpsfake", "-q", "-c", "0.05", "-P",
                                                                 std::to_string(port), (dir / "moved.log").string()},
                                        dir / "gpsfake.log");
    if (test::wait_until([&] { return test::port_answers(port); }, 8s)) break;
    replay->kill(SIGINT);
    replay.reset();
  }
  ASSERT_TRUE(replay) << test::read_file(dir / "gpsfake.log");
  gps_data_t data{};
  ASSERT_EQ(gps_open("127.0.0.1", std::to_string(port).c_str(), &data), 0);
  gps_stream(&data, WATCH_ENABLE | WATCH_JSON, nullptr);
  int seen = 0;
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (seen < 5 && std::chrono::steady_clock::now() < end) {
    if (!gps_waiting(&data, 200'000)) continue;
    if (gps_read(&data, nullptr, 0) < 0) break;
    if ((data.set & LATLON_SET) == 0 || data.fix.mode < MODE_2D) continue;
    EXPECT_LT(distance_m(geo_point(data.fix.latitude, data.fix.longitude), kPlace), 200);
    if ((data.set & TIME_SET) != 0 && data.fix.time.tv_sec > 0) {
      EXPECT_NEAR(static_cast<double>(data.fix.time.tv_sec), static_cast<double>(to_unix_ms(start)) / 1000, 60);
      ++seen;
    }
  }
  gps_stream(&data, WATCH_DISABLE, nullptr);
  gps_close(&data);
  // gpsfake ends its gpsd on SIGINT; killed at once it would leave it.
  replay->signal(SIGINT);
  test::wait_until([&] { return !replay->running(); }, 5s);
  EXPECT_GE(seen, 5) << test::read_file(dir / "gpsfake.log");
}

}  // namespace
}  // namespace gridward::sim
