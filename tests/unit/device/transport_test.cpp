// A transport of the host's own, in memory: what the agent gives it and what it takes from it.
#include <gridward/device.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/test/process.hpp>
#include <gridward_device/transport.hpp>
#include <mutex>
#include <set>
#include <thread>

namespace gridward::device {
namespace {

const UnixMs kNow = from_unix_ms(1'790'000'000'000);
const Uuid kStore = make_uuid_v7(kNow, {});

// Carries nothing by itself: the test looks at what went out and says what comes in.
struct Wire {
  struct Sent {
    std::int32_t topic = 0;
    Bytes data;
    std::uint64_t token = 0;
  };
  const gw_link* to = nullptr;
  std::string broker, device, town, name;
  int keepalive_s = 0;
  int connects = 0, disconnects = 0, closes = 0;
  bool publishes = true;
  bool answers_at_once = false;  // connect() tells from inside
  gw_status opens = GW_OK;
  std::deque<Sent> sent;

  gw_transport port() {
    gw_transport transport{};
    transport.struct_size = sizeof transport;
    transport.user = this;
    transport.open = [](void* user, const gw_config* config, const gw_link* link, void** connection) {
      auto& self = *static_cast<Wire*>(user);
      self.to = link;
      self.broker = config->broker;
      self.device = config->device;
      self.town = config->town;
      self.name = config->user;
      self.keepalive_s = config->keepalive_s;
      *connection = user;
      return self.opens;
    };
    transport.connect = [](void* connection) {
      auto& self = *static_cast<Wire*>(connection);
      ++self.connects;
      if (self.answers_at_once) self.tell(GW_LINK_CONNECTED);
    };
    transport.disconnect = [](void* connection) { ++static_cast<Wire*>(connection)->disconnects; };
    transport.publish = [](void* connection, std::int32_t topic, const std::uint8_t* data, std::size_t size,
                           std::uint64_t token) {
      auto& self = *static_cast<Wire*>(connection);
      if (!self.publishes) return GW_E_UNAVAILABLE;
      self.sent.push_back({topic, Bytes(data, data + size), token});
      return GW_OK;
    };
    transport.close = [](void* connection) { ++static_cast<Wire*>(connection)->closes; };
    return transport;
  }
  void tell(std::int32_t kind, const std::string& text = {}, const Bytes& data = {}, std::uint64_t token = 0,
            std::int32_t reason = 0) const {
    gw_link_event event{};
    event.struct_size = sizeof event;
    event.kind = kind;
    event.reason = reason;
    event.text = text.c_str();
    event.data = data.data();
    event.size = data.size();
    event.token = token;
    to->event(to->user, &event);
  }
  void bring(const DownMessage& message) const { tell(GW_LINK_MESSAGE, {}, encode_down(message)); }
};

class OwnTransport : public ::testing::Test {
 protected:
  OwnTransport() {
    folder_ = (dir_ / "box").string();
    config_.struct_size = sizeof config_;
    config_.data_dir = folder_.c_str();
    config_.broker = "tcp://modem:0";
    config_.device = "hh-0001";
    config_.town = "120116115";
    config_.actor = "wg0001";
    config_.heartbeat_ms = -1;
    config_.min_free_bytes = 1;
    config_.no_watch = 1;
    ports_.struct_size = sizeof ports_;
    ports_.user = this;
    ports_.mono_ms = [](void* user) { return static_cast<OwnTransport*>(user)->mono_; };
    ports_.wake = [](void* user) { ++static_cast<OwnTransport*>(user)->wakes_; };
    ports_.on_event = [](void* user, const gw_event* event) {
      auto& self = *static_cast<OwnTransport*>(user);
      self.events_.push_back(event->kind);
      self.text_ = event->text;
      self.store_ = event->store;
    };
  }
  ~OwnTransport() override { gw_device_close(device_); }

  gw_status open() {
    const auto status = gw_device_init(&config_, &ports_, nullptr);
    return status == GW_OK ? gw_device_open(&config_, &ports_, &device_) : status;
  }
  void start() {
    {
      // Copied: neither the structure nor what it stood in has to live on.
      const auto transport = wire_.port();
      ports_.transport = &transport;
      ASSERT_EQ(open(), GW_OK);
      ports_.transport = nullptr;
    }
    ASSERT_EQ(gw_device_agent_start(device_), GW_OK);
  }
  void step() { ASSERT_EQ(gw_device_step(device_, nullptr), GW_OK) << gw_device_last_error(device_); }
  // As far as the machine wants to be called again within the time, and no further.
  void pass(std::int64_t ms) {
    const auto end = mono_ + ms;
    for (;;) {
      std::int64_t next = -1;
      ASSERT_EQ(gw_device_step(device_, &next), GW_OK);
      if (next < 0 || mono_ + next > end) break;
      mono_ += std::max<std::int64_t>(next, 1);
    }
    mono_ = end;
  }
  std::string report(const char* text) {
    gw_report request{};
    request.struct_size = sizeof request;
    request.category = "A01";
    request.text = text;
    gw_saved saved{};
    saved.struct_size = sizeof saved;
    EXPECT_EQ(gw_device_report(device_, &request, nullptr, &saved), GW_OK);
    return saved.id;
  }
  std::uint64_t waiting() {
    gw_summary s{};
    s.struct_size = sizeof s;
    EXPECT_EQ(gw_device_summary(device_, &s), GW_OK);
    return s.waiting_records;
  }
  UpMessage take_up() {
    if (wire_.sent.empty()) throw std::runtime_error("nothing was sent");
    EXPECT_EQ(wire_.sent.front().topic, GW_TOPIC_UP);
    auto up = decode_up(wire_.sent.front().data);
    wire_.sent.pop_front();
    if (!up) throw std::runtime_error(to_string(up.error()));
    return *up;
  }
  void receipt(const UpMessage& up) {
    Receipt receipt;
    for (const auto& record : up.records) receipt.ok.push_back(decode_record(record).value().id);
    receipt.now = kNow;
    receipt.epoch = up.epoch;
    receipt.generation = kStore;
    if (up.hello) receipt.first = 1;
    wire_.bring(receipt);
  }
  // Connected, greeted, nothing under way.
  void greet() {
    wire_.tell(GW_LINK_CONNECTED);
    step();
    const auto hello = take_up();
    EXPECT_TRUE(hello.hello);
    receipt(hello);
    step();
    ASSERT_EQ(gw_device_connected(device_), 1);
  }
  void with_receiver() {
    ports_.position = [](void* user, std::uint32_t, gw_fix* out) {
      ++static_cast<OwnTransport*>(user)->asked_;
      out->lat_e7 = 390'000'000;
      out->lon_e7 = 1'177'000'000;
      return GW_OK;
    };
  }
  // What waits at the wire gets its receipts.
  void answer() {
    while (!wire_.sent.empty()) {
      const auto up = take_up();
      for (const auto& bytes : up.records) {
        if (std::holds_alternative<StatusBody>(decode_record(bytes).value().body)) ++statuses_;
      }
      if (up.hello || !up.records.empty()) receipt(up);
      step();
    }
  }
  std::string rev() {
    gw_summary s{};
    s.struct_size = sizeof s;
    EXPECT_EQ(gw_device_summary(device_, &s), GW_OK);
    return s.settings_rev;
  }
  int told(int kind) const { return static_cast<int>(std::count(events_.begin(), events_.end(), kind)); }

  test::TempDir dir_;
  std::string folder_;
  Wire wire_;
  gw_config config_{};
  gw_ports ports_{};
  gw_device* device_ = nullptr;
  std::int64_t mono_ = 1'000;
  std::atomic<int> wakes_ = 0;
  std::vector<int> events_;
  std::string text_;
  std::string store_;
  int asked_ = 0;
  int statuses_ = 0;
};

TEST_F(OwnTransport, RecordsGoOutThroughItAndReceiptsComeIn) {
  config_.keepalive_s = 33;
  start();
  EXPECT_EQ(wire_.broker, "tcp://modem:0");
  EXPECT_EQ(wire_.device, "hh-0001");
  EXPECT_EQ(wire_.town, "120116115");
  EXPECT_EQ(wire_.name, "hh-0001");  // defaults are filled in
  EXPECT_EQ(wire_.keepalive_s, 33);
  EXPECT_EQ(wire_.connects, 1);
  const auto id = report("井盖破损");
  step();
  EXPECT_TRUE(wire_.sent.empty());  // not connected
  greet();
  const auto up = take_up();
  ASSERT_EQ(up.records.size(), 1U);
  EXPECT_EQ(to_string(decode_record(up.records[0]).value().id), id);
  EXPECT_EQ(waiting(), 1U);
  // From another thread, as a modem's would.
  wakes_ = 0;
  std::thread([&] { receipt(up); }).join();
  EXPECT_GT(wakes_, 0);
  step();
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(told(GW_EVENT_RECEIPTED), 1);
}

TEST_F(OwnTransport, MayTellFromInsideConnect) {
  wire_.answers_at_once = true;
  start();
  step();
  EXPECT_TRUE(take_up().hello);
  EXPECT_EQ(told(GW_EVENT_CONNECTED), 1);
}

TEST_F(OwnTransport, AnEndIsHeardOnceForEachConnect) {
  start();
  greet();
  wire_.tell(GW_LINK_DISCONNECTED, "no carrier");
  wire_.tell(GW_LINK_DISCONNECTED, "again");
  wire_.tell(GW_LINK_CONNECT_FAILED, "and again");
  step();
  EXPECT_EQ(told(GW_EVENT_DISCONNECTED), 1);
  EXPECT_EQ(text_, "no carrier");
  EXPECT_EQ(gw_device_connected(device_), 0);
  // And what it still tells of the old one is not taken for the end of the next.
  pass(60'000);
  ASSERT_EQ(wire_.connects, 2);
  wire_.tell(GW_LINK_CONNECT_FAILED, "no network");
  wire_.tell(GW_LINK_DISCONNECTED, "no network");
  step();
  EXPECT_EQ(told(GW_EVENT_DISCONNECTED), 2);
  pass(120'000);
  EXPECT_EQ(wire_.connects, 3);
}

// It tells of the old connection when the new one is under way already; the new one has an end, too.
TEST_F(OwnTransport, ALateEndOfTheConnectionBeforeDoesNotHideTheNextOne) {
  start();
  greet();
  wire_.tell(GW_LINK_DISCONNECTED, "no carrier");
  pass(60'000);
  ASSERT_EQ(wire_.connects, 2);
  wire_.tell(GW_LINK_DISCONNECTED, "no carrier, as was said");
  greet();
  wire_.tell(GW_LINK_DISCONNECTED, "no carrier again");
  step();
  EXPECT_EQ(text_, "no carrier again");
  EXPECT_EQ(gw_device_connected(device_), 0);
  pass(60'000);
  EXPECT_EQ(wire_.connects, 3);
}

TEST_F(OwnTransport, WhatItDoesNotTakeComesAgain) {
  start();
  greet();
  wire_.publishes = false;
  report("一");
  report("二");
  step();
  pass(1'000);
  EXPECT_TRUE(wire_.sent.empty());
  EXPECT_EQ(waiting(), 2U);
  wire_.publishes = true;
  pass(120'000);
  std::set<std::string> come;
  while (!wire_.sent.empty()) {
    const auto up = take_up();
    for (const auto& record : up.records) {
      come.insert(std::get<ReportBody>(decode_record(record).value().body).text);
    }
    receipt(up);
    step();
  }
  EXPECT_EQ(come, (std::set<std::string>{"一", "二"}));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(OwnTransport, ARefusedPublishIsTold) {
  start();
  greet();
  report("一");
  step();
  ASSERT_EQ(wire_.sent.size(), 1U);
  wire_.tell(GW_LINK_PUBLISH_REFUSED, {}, {}, wire_.sent.front().token, 0x87);
  step();
  EXPECT_EQ(told(GW_EVENT_LINK_REFUSED), 1);
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(OwnTransport, UnknownEventsAndBrokenMessagesAreNothing) {
  start();
  greet();
  wire_.tell(99, "news");
  wire_.tell(GW_LINK_MESSAGE, {}, Bytes{0xFF, 0x00});
  wire_.tell(GW_LINK_MESSAGE);
  gw_link_event older{};  // that ends before `size` and `token`
  older.struct_size = offsetof(gw_link_event, size);
  older.kind = GW_LINK_MESSAGE;
  older.data = reinterpret_cast<const std::uint8_t*>("x");
  older.size = 1'000'000;
  wire_.to->event(wire_.to->user, &older);
  step();
  EXPECT_EQ(gw_device_connected(device_), 1);
}

// A fix that stood on a screen for a while is no clock, but the record says what the receiver said.
TEST_F(OwnTransport, AFixOfWhichNobodyKnowsWhenItCameSetsNoClock) {
  const auto told = to_unix_ms(kNow) - 40'000;
  ports_.wall_ms = [](void*) { return to_unix_ms(kNow); };
  ports_.position = [](void*, std::uint32_t, gw_fix* out) {
    out->lat_e7 = 390'000'000;
    out->lon_e7 = 1'177'000'000;
    out->at_ms = to_unix_ms(kNow) - 40'000;
    return GW_OK;
  };
  start();
  gw_fix fix{};
  fix.struct_size = sizeof fix;
  fix.lat_e7 = 390'000'000;
  fix.lon_e7 = 1'177'000'000;
  fix.at_ms = told;
  gw_capture capture{};
  capture.struct_size = sizeof capture;
  capture.fix = &fix;
  ASSERT_EQ(gw_device_sign(device_, GW_SIGN_IN, nullptr, nullptr), GW_OK);    // the port's
  ASSERT_EQ(gw_device_sign(device_, GW_SIGN_OUT, &capture, nullptr), GW_OK);  // the caller's
  fix.mono_ms = mono_;
  ASSERT_EQ(gw_device_sign(device_, GW_SIGN_IN, &capture, nullptr), GW_OK);  // of now, says the caller
  greet();
  std::vector<Record> records;
  while (!wire_.sent.empty()) {
    const auto up = take_up();
    for (const auto& bytes : up.records) records.push_back(decode_record(bytes).value());
    receipt(up);
    step();
  }
  ASSERT_EQ(records.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(records[i].fix);
    EXPECT_EQ(records[i].fix->at, from_unix_ms(told)) << i;
    EXPECT_EQ(records[i].clock.source, i < 2 ? ClockSource::local : ClockSource::gnss) << i;
    EXPECT_EQ(records[i].at, i < 2 ? kNow : from_unix_ms(told)) << i;
  }
}

TEST_F(OwnTransport, AMessageOverTheLimitIsDroppedBeforeItIsCopied) {
  start();
  greet();
  wakes_ = 0;
  wire_.tell(GW_LINK_MESSAGE, {}, Bytes(limits::kDownMessageBytes + 1));
  gw_link_event event{};
  event.struct_size = sizeof event;
  event.kind = GW_LINK_MESSAGE;
  event.data = reinterpret_cast<const std::uint8_t*>("x");
  event.size = SIZE_MAX / 2;  // that there can be no memory for
  wire_.to->event(wire_.to->user, &event);
  EXPECT_EQ(wakes_, 0);
  step();
  EXPECT_EQ(gw_device_connected(device_), 1);
  wire_.tell(GW_LINK_MESSAGE, {}, Bytes(limits::kDownMessageBytes));
  EXPECT_EQ(wakes_, 1);
  report("一");
  step();
  answer();
  EXPECT_EQ(waiting(), 0U);
}

// Events come through C functions: what fails behind them stays here, and the agent begins anew.
TEST(TransportEvents, NoExceptionLeavesThem) {
  Wire wire;
  auto transport = Transport::open(wire.port(), {}, [] { throw std::bad_alloc(); });
  ASSERT_TRUE(transport);
  (*transport)->connect();
  EXPECT_NO_THROW(wire.tell(GW_LINK_CONNECTED));
  const auto events = (*transport)->take_events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, GW_LINK_DISCONNECTED);
  EXPECT_TRUE((*transport)->take_events().empty());
}

// The agent's sleep is what the battery lasts by.
TEST_F(OwnTransport, WhoAsksHowThingsStandDoesNotWakeTheAgent) {
  config_.no_watch = 0;
  start();
  greet();
  step();
  pollfd fd{gw_device_fd(device_), POLLIN, 0};
  ASSERT_GE(fd.fd, 0);
  ASSERT_EQ(::poll(&fd, 1, 0), 0);
  for (int i = 0; i < 3; ++i) waiting();
  EXPECT_EQ(::poll(&fd, 1, 0), 0);
  // What does wake it, to see that this can be seen.
  gw_device* other = nullptr;
  ASSERT_EQ(gw_device_open(&config_, nullptr, &other), GW_OK);
  ASSERT_EQ(gw_device_retry_refused(other, nullptr), GW_OK);
  EXPECT_EQ(::poll(&fd, 1, 0), 1);
  gw_device_close(other);
}

// The rest of the agent is tried here, too, where time is the test's.
TEST_F(OwnTransport, TheTownsSettingsHoldFromTheMomentWhenTheyCome) {
  config_.heartbeat_ms = 0;
  with_receiver();
  start();
  gw_capture here{};
  here.struct_size = sizeof here;
  here.no_position = 1;
  ASSERT_EQ(gw_device_sign(device_, GW_SIGN_IN, &here, nullptr), GW_OK);
  greet();
  const auto count = [&](std::int64_t ms) {
    asked_ = 0;
    statuses_ = 0;
    for (std::int64_t t = 0; t < ms; t += 500) {
      pass(500);
      answer();
    }
  };
  count(60'000);
  EXPECT_EQ(asked_, 6);  // the defaults: 10 s, and a status in 5 minutes
  EXPECT_LE(statuses_, 1);
  SettingsItem settings;
  settings.rev = "s1";
  settings.track = Millis{2'000};
  settings.heartbeat = Millis{10'000};
  wire_.bring(DownItem{1, "settings", encode_item(settings)});
  step();
  EXPECT_EQ(rev(), "s1");
  EXPECT_EQ(store_, to_string(kStore)) << "a number holds within a store";
  count(60'000);
  EXPECT_EQ(asked_, 30);
  EXPECT_EQ(statuses_, 6);
  // Another agent, later, without the server.
  ASSERT_EQ(gw_device_agent_stop(device_), GW_OK);
  ASSERT_EQ(gw_device_agent_start(device_), GW_OK);
  asked_ = 0;
  pass(60'000);
  EXPECT_EQ(asked_, 31);  // the first at once
  // Taken back: the device's own again.
  wire_.tell(GW_LINK_CONNECTED);
  pass(500);
  answer();
  SettingsItem bare;
  bare.rev = "s2";
  wire_.bring(DownItem{2, "settings", encode_item(bare)});
  step();
  EXPECT_EQ(rev(), "s2");
  pass(10'000);
  count(60'000);
  EXPECT_EQ(asked_, 6);
}

// Another handle on the folder stands for another process: what it asks is the folder.
TEST_F(OwnTransport, HowTheAgentStandsIsSeenFromOutside) {
  const auto transport = wire_.port();
  ports_.transport = &transport;
  ASSERT_EQ(open(), GW_OK);
  gw_device* other = nullptr;
  ASSERT_EQ(gw_device_open(&config_, nullptr, &other), GW_OK);
  const auto seen = [&] {
    gw_summary s{};
    s.struct_size = sizeof s;
    EXPECT_EQ(gw_device_summary(other, &s), GW_OK);
    return s.agent_state;
  };
  EXPECT_EQ(seen(), GW_AGENT_NONE);
  ASSERT_EQ(gw_device_agent_start(device_), GW_OK);
  EXPECT_EQ(seen(), GW_AGENT_OFFLINE);
  // Asking keeps nobody from being the agent.
  EXPECT_EQ(gw_device_agent_start(other), GW_E_UNAVAILABLE);
  greet();
  EXPECT_EQ(seen(), GW_AGENT_CONNECTED);
  wire_.tell(GW_LINK_DISCONNECTED, "no carrier");
  step();
  EXPECT_EQ(seen(), GW_AGENT_OFFLINE);
  ASSERT_EQ(gw_device_agent_stop(device_), GW_OK);
  EXPECT_EQ(seen(), GW_AGENT_NONE);
  gw_device_close(other);
}

TEST_F(OwnTransport, IsClosedOnceAndLast) {
  start();
  greet();
  EXPECT_EQ(wire_.closes, 0);
  ASSERT_EQ(gw_device_agent_stop(device_), GW_OK);
  EXPECT_EQ(wire_.disconnects, 1);
  EXPECT_EQ(wire_.closes, 1);
  ASSERT_EQ(gw_device_agent_start(device_), GW_OK);
  EXPECT_EQ(wire_.connects, 2);
  gw_device_close(std::exchange(device_, nullptr));
  EXPECT_EQ(wire_.closes, 2);
}

TEST_F(OwnTransport, ItsRefusalToOpenIsTheStarts) {
  const auto transport = wire_.port();
  ports_.transport = &transport;
  ASSERT_EQ(open(), GW_OK);
  wire_.opens = GW_E_UNAVAILABLE;
  EXPECT_EQ(gw_device_agent_start(device_), GW_E_UNAVAILABLE);
  EXPECT_NE(std::string(gw_device_last_error(device_)).find("tcp://modem:0"), std::string::npos);
  EXPECT_EQ(wire_.closes, 0);  // nothing was opened
  wire_.opens = GW_OK;
  EXPECT_EQ(gw_device_agent_start(device_), GW_OK);
}

TEST_F(OwnTransport, MustBeWhole) {
  auto transport = wire_.port();
  ports_.transport = &transport;
  transport.publish = nullptr;
  EXPECT_EQ(open(), GW_E_MISSING_FIELD);
  transport = wire_.port();
  transport.struct_size = offsetof(gw_transport, close);  // an older one could not have had it
  EXPECT_EQ(open(), GW_E_MISSING_FIELD);
  transport.struct_size = 0;
  EXPECT_EQ(open(), GW_E_OUT_OF_RANGE);
}

// A caller compiled before there was the member: what stands behind its structure is not read.
TEST_F(OwnTransport, AnOlderCallerHasNone) {
  ports_.struct_size = offsetof(gw_ports, transport);
  ports_.transport = reinterpret_cast<const gw_transport*>(std::uintptr_t{1});
  config_.broker = "tcp://127.0.0.1:9";
  ASSERT_EQ(open(), GW_OK);
  EXPECT_EQ(gw_device_agent_start(device_), GW_OK);
  EXPECT_EQ(wire_.connects, 0);
}

// The library's own, without a network: what a wrapper gets from it.
TEST(MqttTransport, TellsAnEndOnceAndNothingAfterItIsClosed) {
  struct Heard {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::int32_t> kinds;
  } heard;
  gw_link link{};
  link.struct_size = sizeof link;
  link.user = &heard;
  link.event = [](void* user, const gw_link_event* event) {
    auto& h = *static_cast<Heard*>(user);
    const std::lock_guard lock(h.mutex);
    h.kinds.push_back(event->kind);
    h.changed.notify_all();
  };
  gw_config config{};
  config.struct_size = sizeof config;
  config.broker = "tcp://127.0.0.1:1";  // nobody listens
  config.device = "hh-0001";
  config.town = "120116115";
  config.keepalive_s = 60;
  const auto* mqtt = gw_device_mqtt_transport();
  void* connection = nullptr;
  ASSERT_EQ(mqtt->open(mqtt->user, &config, &link, &connection), GW_OK);
  for (std::size_t turn = 1; turn <= 2; ++turn) {
    mqtt->connect(connection);
    std::unique_lock lock(heard.mutex);
    heard.changed.wait(lock, [&] { return heard.kinds.size() >= turn; });
  }
  const std::uint8_t byte = 0;
  EXPECT_NE(mqtt->publish(connection, GW_TOPIC_UP, &byte, 1, 7), GW_OK);
  mqtt->connect(connection);
  mqtt->close(connection);
  const std::lock_guard lock(heard.mutex);
  EXPECT_LE(heard.kinds.size(), 3U);
  for (const auto kind : heard.kinds) EXPECT_EQ(kind, GW_LINK_CONNECT_FAILED);
}

}  // namespace
}  // namespace gridward::device
