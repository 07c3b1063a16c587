// The position port against gpsd itself, which replays recorded receivers through gpsfake. gpsd's own decode of each
// log (the .chk file beside it) is the oracle.
#include <poll.h>

#include <gridward/test/paths.hpp>
#include <gridward_device/ports.hpp>
#include <thread>

#include "device_fixture.hpp"

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

// A gpsd that reads a log over and over, on a free port. gpsfake starts gpsd itself, so the whole group is ended.
class FakeReceiver {
 public:
  FakeReceiver(const std::filesystem::path& log, const TempDir& dir) : log_(dir / "gpsfake.log") {
    for (int attempt = 0; attempt < 5; ++attempt) {
      port_ = free_port();
      process_ = std::make_unique<Process>(std::vector<std::string>{"setsid", "-w", "gpsfake", "-q", "-c", "0.01", "-P",
                                                                    std::to_string(port_), log.string()},
                                           log_);
      if (wait_until([&] { return port_answers(port_); }, 8s)) return;
      stop();
    }
    throw std::runtime_error("gpsfake did not start: " + read_file(log_));
  }
  ~FakeReceiver() { stop(); }
  int port() const { return port_; }

 private:
  void stop() {
    if (!process_) return;
    // gpsfake ends its gpsd on SIGINT; it is the child of setsid.
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto command = read_file(entry.path() / "cmdline");
      const auto needle = std::string("-P") + '\0' + std::to_string(port_);
      if (command.find("gpsfake") != std::string::npos && command.find(needle) != std::string::npos &&
          command.rfind("setsid", 0) != 0) {
        ::kill(std::stoi(name), SIGINT);
      }
    }
    wait_until([&] { return !process_->running(); }, 3s);
    process_.reset();
  }
  std::filesystem::path log_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

struct Oracle {
  std::set<std::pair<std::int32_t, std::int32_t>> points;
};

Oracle oracle_of(const std::filesystem::path& chk) {
  Oracle oracle;
  std::ifstream in(chk);
  std::string line;
  while (std::getline(in, line)) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || json.value("class", "") != "TPV" || json.value("mode", 0) < 2) continue;
    if (!json.contains("lat") || !json.contains("lon")) continue;
    const auto point = geo_point(json["lat"].get<double>(), json["lon"].get<double>());
    oracle.points.insert({point.lat_e7, point.lon_e7});
  }
  return oracle;
}

class Receiver : public ::testing::TestWithParam<const char*> {};

TEST_P(Receiver, OurPositionIsGpsdsOwn) {
  const auto log = shared_data() / "nmea" / GetParam();
  if (!std::filesystem::exists(log)) GTEST_SKIP() << "no receiver logs here";
  const auto oracle = oracle_of(log.string() + ".chk");
  ASSERT_FALSE(oracle.points.empty());

  const TempDir dir;
  const FakeReceiver receiver(log, dir);
  const auto mono = [] {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
  };
  const auto position = device::make_gpsd_position("127.0.0.1", receiver.port(), Millis{10'000}, mono);
  position->active(true);
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  std::int64_t last = 0;
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end && seen.size() < std::min<std::size_t>(5, oracle.points.size())) {
    const auto fix = position->latest(Millis{1'000});
    if (!fix || fix->mono_ms == last) {
      std::this_thread::sleep_for(20ms);
      continue;
    }
    last = fix->mono_ms;
    EXPECT_TRUE(oracle.points.count({fix->lat_e7, fix->lon_e7})) << fix->lat_e7 << "," << fix->lon_e7;
    EXPECT_EQ(fix->source, GW_FIX_GNSS);
    seen.insert({fix->lat_e7, fix->lon_e7});
  }
  EXPECT_FALSE(seen.empty()) << "gpsd gave no fix";
}

INSTANTIATE_TEST_SUITE_P(Logs, Receiver,
                         ::testing::Values("gpsd__bu303-moving.log", "gpsd__bu353s4.log", "gpsd__mt3339.log",
                                           "gpsd__quectel-eg25-g.log", "gpsd__sirfstarv-nmea.log"),
                         [](const auto& log) {
                           std::string name = log.param;
                           std::replace_if(name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST(ReceiverWithoutFix, IsNoPosition) {
  const auto log = shared_data() / "nmea" / "gpsd__bu303-nofix.log";
  if (!std::filesystem::exists(log)) GTEST_SKIP() << "no receiver logs here";
  const TempDir dir;
  const FakeReceiver receiver(log, dir);
  const auto position = device::make_gpsd_position("127.0.0.1", receiver.port(), Millis{10'000}, [] {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
  });
  EXPECT_FALSE(position->latest(Millis{2'000}));
}

class Position : public DeviceTest {};

TEST_F(Position, AReportWithoutAReceiverIsValidAfterTheWait) {
  configure("tcp://127.0.0.1:9", "",
            {{"gpsd_host", "127.0.0.1"}, {"gpsd_port", free_port()}, {"position_wait_ms", 1'000}});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(command({"report", "--category", "A01", "--text", "x"}).status, 0);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, 1s);
  EXPECT_LT(took, 3s);
  EXPECT_EQ(command({"report", "--category", "A01", "--text", "x", "--no-position"}).status, 0);
}

// Speaks just enough of gpsd's protocol: one fix for whoever connects.
class LateReceiver {
 public:
  LateReceiver(int port, std::chrono::milliseconds after)
      : thread_([this, port, after] {
          std::this_thread::sleep_for(after);
          const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
          const int on = 1;
          ::setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
          sockaddr_in address{};
          address.sin_family = AF_INET;
          address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
          address.sin_port = htons(static_cast<std::uint16_t>(port));
          if (::bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(server, 1) != 0) {
            return;
          }
          pollfd incoming{server, POLLIN, 0};
          if (::poll(&incoming, 1, 10'000) == 1) {
            const int client = ::accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
            const std::string words =
                "{\"class\":\"VERSION\",\"release\":\"3.22\",\"rev\":\"3.22\",\"proto_major\":3,\"proto_minor\":14}\r\n"
                "{\"class\":\"TPV\",\"device\":\"/dev/"
                "x\",\"mode\":3,\"time\":\"2026-01-01T00:00:00.000Z\",\"lat\":39.1,"
                "\"lon\":117.7,\"eph\":5.0}\r\n";
            sent_ = ::send(client, words.data(), words.size(), MSG_NOSIGNAL) > 0;
            pollfd open{client, POLLRDHUP, 0};
            ::poll(&open, 1, 10'000);
            ::close(client);
          }
          ::close(server);
        }) {}
  ~LateReceiver() { thread_.join(); }
  bool sent() const { return sent_; }

 private:
  std::atomic<bool> sent_ = false;
  std::thread thread_;
};

TEST(LateGpsd, IsFoundWithinThePositionWait) {
  const int port = free_port();
  const LateReceiver receiver(port, 1'200ms);
  const auto position = device::make_gpsd_position("127.0.0.1", port, Millis{10'000}, [] {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto fix = position->latest(Millis{8'000});
  ASSERT_TRUE(fix) << (receiver.sent() ? "it spoke" : "nobody asked it");
  EXPECT_EQ(fix->lat_e7, 391'000'000);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

// A whole duty: sign-in with a fix, a track while the agent runs, sign-out from another process, nothing after.
TEST_F(Position, ATrackIsRecordedOnDutyOnly) {
  const auto log = shared_data() / "nmea" / "gpsd__bu303-moving.log";
  if (!std::filesystem::exists(log)) GTEST_SKIP() << "no receiver logs here";
  const auto oracle = oracle_of(log.string() + ".chk");
  const FakeReceiver receiver(log, dir_);
  const Mosquitto broker(broker_options());
  TestServer server(broker.uri(), broker.ca_file(), kTown, "server", "server-secret");
  configure(broker.uri(), broker.ca_file(),
            {{"gpsd_host", "127.0.0.1"}, {"gpsd_port", receiver.port()}, {"track_interval_ms", 1'000}});
  const auto running = agent();
  ASSERT_EQ(command({"sign-in"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return status()["pending_points"] >= 4; }, 20s)) << agent_log();
  ASSERT_EQ(command({"sign-out"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return status()["waiting_records"] == 0; })) << agent_log();
  std::this_thread::sleep_for(2'500ms);
  EXPECT_EQ(status()["pending_points"], 0);

  const auto records = server.records();
  ASSERT_EQ(records.size(), 3U);
  ASSERT_TRUE(records[0].fix);
  EXPECT_TRUE(oracle.points.count({records[0].fix->point.lat_e7, records[0].fix->point.lon_e7}));
  EXPECT_EQ(std::get<SignBody>(records[0].body).act, SignAct::in);
  const auto& track = std::get<TrackBody>(records[1].body);
  EXPECT_GE(track.points.size(), 4U);
  for (const auto& point : track.points) {
    EXPECT_TRUE(oracle.points.count({point.point.lat_e7, point.point.lon_e7}));
    EXPECT_GE(point.at, records[0].at - Millis{10'000});
    EXPECT_LE(point.at, records[2].at);
  }
  EXPECT_EQ(std::get<SignBody>(records[2].body).act, SignAct::out);
  // The log is years old: its time is kept as evidence and not believed.
  EXPECT_NE(records[0].clock.source, ClockSource::gnss);
}

}  // namespace
}  // namespace gridward::test
