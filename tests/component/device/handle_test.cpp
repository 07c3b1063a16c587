// The C ABI in this very process: ports of the host, descriptors that run out, two handles on one folder.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <thread>

#include "device_fixture.hpp"

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

struct Host {
  std::atomic<int> wakes = 0;
  std::atomic<int> connected = 0;
  std::atomic<int> points_dropped = 0;
  std::int32_t lat_e7 = 390'000'000;

  gw_ports ports() {
    gw_ports given{};
    given.struct_size = sizeof given;
    given.user = this;
    given.on_event = [](void* user, const gw_event* event) {
      auto* self = static_cast<Host*>(user);
      if (event->kind == GW_EVENT_CONNECTED) ++self->connected;
      if (event->kind == GW_EVENT_POINT_DROPPED) ++self->points_dropped;
    };
    given.position = [](void* user, std::uint32_t, gw_fix* out) {
      out->lat_e7 = static_cast<Host*>(user)->lat_e7;
      out->lon_e7 = 1'177'000'000;
      return GW_OK;
    };
    return given;
  }
};

class Handle : public ::testing::Test {
 protected:
  Handle() {
    std::filesystem::create_directories(dir_.path());
    folder_ = (dir_ / "box").string();
  }
  gw_config config(const std::string& broker) {
    broker_uri_ = broker;
    gw_config given{};
    given.struct_size = sizeof given;
    given.data_dir = folder_.c_str();
    given.broker = broker_uri_.c_str();
    given.device = kDevice;
    given.town = kTown;
    given.actor = "wg0001";
    given.heartbeat_ms = -1;
    given.min_free_bytes = 1;
    given.track_interval_ms = 1'000;
    return given;
  }
  gw_device* open(const gw_config& given, const gw_ports* ports) {
    EXPECT_EQ(gw_device_init(&given, ports, nullptr), GW_OK);
    gw_device* device = nullptr;
    EXPECT_EQ(gw_device_open(&given, ports, &device), GW_OK);
    return device;
  }
  gw_status report(gw_device* device, const char* text) {
    gw_report request{};
    request.struct_size = sizeof request;
    request.category = "A01";
    request.text = text;
    return gw_device_report(device, &request, nullptr, nullptr);
  }
  gw_summary summary(gw_device* device) {
    gw_summary s{};
    s.struct_size = sizeof s;
    EXPECT_EQ(gw_device_summary(device, &s), GW_OK);
    return s;
  }

  TempDir dir_;
  std::string folder_;
  std::string broker_uri_;
};

// A host that polls nothing and is woken by its own port lets the library run its loop all the same.
TEST_F(Handle, RunIsWokenAlsoWithAWakePort) {
  const Mosquitto broker;
  TestServer server(broker.uri(), "", kTown);
  Host host;
  auto ports = host.ports();
  ports.wake = [](void* user) { ++static_cast<Host*>(user)->wakes; };
  auto given = config(broker.uri());
  given.no_watch = 1;
  gw_device* device = open(given, &ports);
  ASSERT_EQ(report(device, "一"), GW_OK);
  std::thread loop([&] { EXPECT_EQ(gw_device_run(device), GW_OK); });
  EXPECT_TRUE(wait_until([&] { return server.count() == 1; }));
  EXPECT_GT(host.wakes, 0);
  const auto begin = std::chrono::steady_clock::now();
  gw_device_stop(device);
  loop.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_EQ(gw_device_connected(device), 0);
  // And again: a stop ends one run.
  ASSERT_EQ(report(device, "二"), GW_OK);
  std::thread again([&] { EXPECT_EQ(gw_device_run(device), GW_OK); });
  EXPECT_TRUE(wait_until([&] { return server.count() == 2; }));
  gw_device_stop(device);
  again.join();
  gw_device_close(device);
}

// Every number below 100, so that a limit on them is a limit on how many more there can be.
// A start that finds the disk full is tried again from time to time, and once for each wake.
TEST_F(Handle, RunOnAFullDiskSleepsBetweenItsTries) {
  struct Full {
    gw_device* device = nullptr;
    std::vector<std::chrono::steady_clock::time_point> tries;
  } full;
  gw_transport transport{};
  transport.struct_size = sizeof transport;
  transport.user = &full;
  transport.open = [](void* user, const gw_config*, const gw_link*, void**) {
    auto& self = *static_cast<Full*>(user);
    self.tries.push_back(std::chrono::steady_clock::now());
    if (self.tries.size() == 1) gw_device_wake(self.device);
    if (self.tries.size() == 3) gw_device_stop(self.device);
    return GW_E_OUTBOX_FULL;
  };
  transport.connect = transport.disconnect = transport.close = [](void*) {};
  transport.publish = [](void*, std::int32_t, const std::uint8_t*, std::size_t, std::uint64_t) {
    return GW_E_UNAVAILABLE;
  };
  Host host;
  auto ports = host.ports();
  ports.transport = &transport;
  full.device = open(config("tcp://modem:0"), &ports);
  gw_device_run(full.device);
  ASSERT_EQ(full.tries.size(), 3U);
  // A poll may be late, never early: what the wake left readable would end it at once.
  EXPECT_GE(full.tries[2] - full.tries[1], 1'900ms);
  gw_device_close(full.device);
}

class AllTaken {
 public:
  AllTaken() {
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) {
      if (fd >= kAll) {
        ::close(fd);
        break;
      }
      held_.push_back(fd);
    }
  }
  ~AllTaken() {
    for (const int fd : held_) ::close(fd);
  }
  AllTaken(const AllTaken&) = delete;
  AllTaken& operator=(const AllTaken&) = delete;
  static constexpr int kAll = 100;

 private:
  std::vector<int> held_;
};

// Every descriptor that a start needs is missing in turn: afterwards there is no agent, or a whole one.
TEST_F(Handle, AnAgentIsStartedWholeOrNotAtAll) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan looks at an object's memory through a pipe, and no descriptor is left for one";
#endif
  Host host;
  const auto ports = host.ports();
  gw_device* device = open(config("tcp://127.0.0.1:9"), &ports);
  const AllTaken taken;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  int failed = 0;
  bool started = false;
  // It needs about ten; one that was tried a moment ago may hold some of them a moment longer.
  for (int more = 0; more < 40 && !started; ++more) {
    auto limit = before;
    limit.rlim_cur = static_cast<rlim_t>(AllTaken::kAll + more);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const auto status = gw_device_agent_start(device);
    std::int64_t next = 0;
    const auto step = gw_device_step(device, &next);
    ::setrlimit(RLIMIT_NOFILE, &before);
    started = status == GW_OK;
    if (!started) {
      ++failed;
      EXPECT_EQ(step, GW_E_UNAVAILABLE) << "half an agent is left at " << more;
      EXPECT_EQ(gw_device_fd(device), -1);
    }
  }
  EXPECT_TRUE(started);
  EXPECT_GE(failed, 3);
  EXPECT_GE(gw_device_fd(device), 0);
  gw_device_close(device);
}

TEST_F(Handle, OneAgentForAFolderAndCommandsBesideItDoNotAct) {
  const Mosquitto broker;
  TestServer server(broker.uri(), "", kTown);
  Host host;
  const auto ports = host.ports();
  const auto given = config(broker.uri());
  gw_device* agent = open(given, &ports);
  gw_device* other = open(given, &ports);
  ASSERT_EQ(gw_device_agent_start(agent), GW_OK);
  EXPECT_EQ(gw_device_agent_start(other), GW_E_UNAVAILABLE);
  const std::string why = gw_device_last_error(other);
  EXPECT_NE(why.find("an agent runs on " + folder_), std::string::npos) << why;
  EXPECT_NE(why.find("process " + std::to_string(::getpid())), std::string::npos) << why;
  EXPECT_EQ(gw_device_run(other), GW_E_UNAVAILABLE);
  // It captures, and that is all.
  EXPECT_EQ(report(other, "一"), GW_OK);
  EXPECT_EQ(gw_device_step(other, nullptr), GW_E_UNAVAILABLE);
  EXPECT_EQ(gw_device_network_changed(other), GW_OK);
  EXPECT_EQ(gw_device_connected(other), 0);
  EXPECT_EQ(summary(other).waiting_records, 1U);
  EXPECT_TRUE(wait_until([&] {
    gw_device_step(agent, nullptr);
    return summary(other).waiting_records == 0;
  }));
  EXPECT_EQ(server.count(), 1U);
  EXPECT_EQ(host.connected, 1);
  gw_device_close(agent);
  EXPECT_EQ(gw_device_agent_start(other), GW_OK);
  gw_device_close(other);
}

// A receiver that errs blocks nobody: the capture goes without a position, the track leaves the points out.
TEST_F(Handle, AReceiverOutOfItsMindDoesNotKeepAnybodyOnDuty) {
  Host host;
  host.lat_e7 = 2'000'000'000;
  const auto ports = host.ports();
  gw_device* device = open(config("tcp://127.0.0.1:9"), &ports);
  ASSERT_EQ(gw_device_agent_start(device), GW_OK);
  ASSERT_EQ(gw_device_sign(device, GW_SIGN_IN, nullptr, nullptr), GW_OK) << gw_device_last_error(device);
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(gw_device_step(device, nullptr), GW_OK) << gw_device_last_error(device);
    return summary(device).dropped_points >= 2;
  }));
  EXPECT_EQ(host.points_dropped, 1);  // told once, counted each time
  host.lat_e7 = 390'000'000;
  EXPECT_TRUE(wait_until([&] {
    gw_device_step(device, nullptr);
    return summary(device).pending_points >= 1;
  }));
  host.lat_e7 = 2'000'000'000;
  EXPECT_EQ(gw_device_sign(device, GW_SIGN_OUT, nullptr, nullptr), GW_OK) << gw_device_last_error(device);
  EXPECT_EQ(summary(device).on_duty, 0);
  // What the caller gives himself is told, with its field.
  gw_fix fix{};
  fix.struct_size = sizeof fix;
  fix.lat_e7 = 2'000'000'000;
  gw_capture capture{};
  capture.struct_size = sizeof capture;
  capture.fix = &fix;
  EXPECT_EQ(gw_device_sign(device, GW_SIGN_IN, &capture, nullptr), GW_E_OUT_OF_RANGE);
  EXPECT_NE(std::string(gw_device_last_error(device)).find("fix.lat"), std::string::npos);
  gw_device_close(device);
}

// ---- what gridward/device.h promises about sizes and pointers ----

TEST_F(Handle, AStructureWithoutItsSizeIsToldBeforeAnythingIsDone) {
  auto given = config("tcp://127.0.0.1:9");
  gw_device* device = open(given, nullptr);
  const auto told = [&](gw_status status, const std::string& name) {
    EXPECT_EQ(status, GW_E_OUT_OF_RANGE) << name;
    const std::string error = gw_device_last_error(device);
    EXPECT_NE(error.find(name + ".struct_size"), std::string::npos) << error;
  };
  for (const std::size_t size : {std::size_t{0}, sizeof(std::size_t), std::size_t{4097}, SIZE_MAX}) {
    gw_report report{};
    report.category = "A01";
    report.text = "x";
    report.struct_size = size;
    told(gw_device_report(device, &report, nullptr, nullptr), "gw_report");
    report.struct_size = sizeof report;
    gw_saved saved{};
    saved.struct_size = size;
    told(gw_device_report(device, &report, nullptr, &saved), "gw_saved");
    gw_capture capture{};
    capture.struct_size = size;
    told(gw_device_report(device, &report, &capture, nullptr), "gw_capture");
    told(gw_device_sign(device, GW_SIGN_IN, &capture, nullptr), "gw_capture");
    told(gw_device_patrol_start(device, &capture, nullptr), "gw_capture");
    capture.struct_size = sizeof capture;
    gw_fix fix{};
    fix.struct_size = size;
    capture.fix = &fix;
    told(gw_device_report(device, &report, &capture, nullptr), "gw_fix");
    gw_photo photos[2] = {{sizeof(gw_photo), "/nowhere", GW_SCENE}, {size, "/nowhere", GW_SCENE}};
    report.photos = photos;
    report.photo_count = 2;
    told(gw_device_report(device, &report, nullptr, nullptr), "gw_photo");
    gw_check_item check{};
    check.struct_size = size;
    gw_patrol_log log{};
    log.struct_size = sizeof log;
    log.checks = &check;
    log.check_count = 1;
    told(gw_device_patrol_stop(device, &log, nullptr, nullptr), "gw_check_item");
    log.struct_size = size;
    told(gw_device_patrol_stop(device, &log, nullptr, nullptr), "gw_patrol_log");
    gw_task_result result{};
    result.struct_size = size;
    told(gw_device_task_result(device, &result, nullptr, nullptr), "gw_task_result");
    gw_summary s{};
    s.struct_size = size;
    told(gw_device_summary(device, &s), "gw_summary");
    gw_device* other = nullptr;
    gw_ports ports{};
    ports.struct_size = size;
    EXPECT_EQ(gw_device_open(&given, &ports, &other), GW_E_OUT_OF_RANGE);
    EXPECT_EQ(gw_device_init(&given, &ports, nullptr), GW_E_OUT_OF_RANGE);
    auto wrong = given;
    wrong.struct_size = size;
    EXPECT_EQ(gw_device_open(&wrong, nullptr, &other), GW_E_OUT_OF_RANGE);
    EXPECT_EQ(other, nullptr);
  }
  EXPECT_EQ(summary(device).next_seq, 1U);
  gw_device_close(device);
}

// Compiled when the structures were shorter: what is behind is neither read nor written. A longer one is as good.
TEST_F(Handle, OlderAndNewerCallersWork) {
  gw_device* device = open(config("tcp://127.0.0.1:9"), nullptr);
  struct {
    gw_summary known;
    std::uint64_t behind[4];
  } newer;
  std::memset(&newer, 0xEE, sizeof newer);
  newer.known.struct_size = sizeof newer;
  EXPECT_EQ(gw_device_summary(device, &newer.known), GW_OK);
  EXPECT_EQ(newer.known.struct_size, sizeof newer);
  EXPECT_EQ(newer.known.next_seq, 1U);
  EXPECT_EQ(newer.behind[0], 0xEEEE'EEEE'EEEE'EEEEU);
  gw_summary older;
  std::memset(&older, 0xEE, sizeof older);
  older.struct_size = offsetof(gw_summary, dropped_points);
  EXPECT_EQ(gw_device_summary(device, &older), GW_OK);
  EXPECT_EQ(older.dropped_points, 0xEEEE'EEEE'EEEE'EEEEU);
  EXPECT_EQ(older.on_duty, 0);

  struct Photo {
    gw_photo known;
    std::uint64_t behind;
  };
  write_file(dir_ / "a.jpg", "\xFF\xD8\xFF\xE0 one");
  write_file(dir_ / "b.jpg", "\xFF\xD8\xFF\xE0 two");
  const auto a = (dir_ / "a.jpg").string();
  const auto b = (dir_ / "b.jpg").string();
  Photo photos[2] = {{{sizeof(Photo), a.c_str(), GW_SCENE}, 1}, {{sizeof(Photo), b.c_str(), GW_SCENE}, 2}};
  gw_report request{};
  request.struct_size = sizeof request;
  request.category = "A01";
  request.text = "x";
  request.photos = &photos[0].known;
  request.photo_count = 2;
  EXPECT_EQ(gw_device_report(device, &request, nullptr, nullptr), GW_OK) << gw_device_last_error(device);
  EXPECT_EQ(summary(device).waiting_media, 2U);
  gw_device_close(device);
}

TEST_F(Handle, MissingPointersAreTold) {
  gw_device* device = open(config("tcp://127.0.0.1:9"), nullptr);
  gw_report request{};
  request.struct_size = sizeof request;
  request.category = "A01";
  request.text = "x";
  request.photo_count = 1;
  EXPECT_EQ(gw_device_report(device, &request, nullptr, nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_tasks(device, 0, nullptr, nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_refused(device, nullptr, nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_summary(device, nullptr), GW_E_MISSING_FIELD);
  EXPECT_NE(gw_device_report(device, nullptr, nullptr, nullptr), GW_OK);
  gw_device_close(device);

  EXPECT_EQ(gw_device_report(nullptr, &request, nullptr, nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_sign(nullptr, GW_SIGN_IN, nullptr, nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_agent_start(nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_step(nullptr, nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_run(nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_agent_stop(nullptr), GW_E_MISSING_FIELD);
  EXPECT_EQ(gw_device_fd(nullptr), -1);
  EXPECT_EQ(gw_device_connected(nullptr), 0);
  EXPECT_STREQ(gw_device_last_error(nullptr), "");
  gw_device_wake(nullptr);
  gw_device_stop(nullptr);
  gw_device_close(nullptr);
}

}  // namespace
}  // namespace gridward::test
