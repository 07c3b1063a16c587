// The server's link against a real broker, with a handheld that is a bare Paho client.
#include <gtest/gtest.h>
#include <mqtt/async_client.h>

#include <gridward/mqtt/server_link.hpp>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/test/gate.hpp>
#include <gridward/test/mosquitto.hpp>
#include <gridward/test/server_world.hpp>

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;
using gridward::mqtt::LinkOptions;
using gridward::mqtt::LinkState;
using gridward::mqtt::ServerLink;

class RawDevice {
  // The library refuses what it cannot hold, and a machine at work on other things is slow to take it away.
  static ::mqtt::create_options roomy() {
    ::mqtt::create_options options(MQTTVERSION_5);
    options.set_max_buffered_messages(100'000);
    return options;
  }

 public:
  RawDevice(const Mosquitto& broker, const std::string& id, const std::string& town = kTown, bool login = false)
      : id_(id), client_(broker.uri(), id, roomy(), nullptr) {
    client_.set_message_callback([this](const ::mqtt::const_message_ptr& message) {
      if (message == nullptr) return;
      const auto& payload = message->get_payload_ref();
      const auto* data = reinterpret_cast<const std::uint8_t*>(payload.data());
      auto down = decode_down({data, payload.size()});
      const std::scoped_lock lock(mutex_);
      if (!down) {
        ++unreadable_;
        return;
      }
      if (on_message) on_message(*down);
      messages_.push_back(std::move(*down));
    });
    ::mqtt::connect_options options;
    options.set_mqtt_version(MQTTVERSION_5);
    options.set_clean_start(true);
    if (login) {
      options.set_user_name(id);
      options.set_password("secret-" + id);
    }
    if (!broker.ca_file().empty()) {
      ::mqtt::ssl_options tls;
      tls.set_trust_store(broker.ca_file());
      tls.set_verify(true);
      options.set_ssl(tls);
    }
    client_.connect(options)->wait_for(10s);
    client_.subscribe(to_string(Topic{TopicKind::down, town, id}), 1)->wait_for(10s);
  }
  ~RawDevice() {
    client_.disable_callbacks();
    try {
      client_.disconnect(200)->wait_for(1s);
    } catch (const ::mqtt::exception&) {
    }
  }

  // The reason code of the broker's answer.
  int publish(const std::string& topic, const Bytes& payload) {
    auto token = client_.publish(topic, payload.data(), payload.size(), 1, false);
    try {
      token->wait_for(10s);
    } catch (const ::mqtt::exception&) {
    }
    return static_cast<int>(token->get_reason_code());
  }
  void publish_quickly(const std::string& topic, const Bytes& payload) {
    client_.publish(topic, payload.data(), payload.size(), 1, false);
  }

  template <class T>
  std::vector<T> all() {
    const std::scoped_lock lock(mutex_);
    std::vector<T> out;
    for (const auto& message : messages_) {
      if (const auto* one = std::get_if<T>(&message)) out.push_back(*one);
    }
    return out;
  }
  template <class T>
  bool wait(std::size_t count, std::chrono::milliseconds limit = 10s) {
    return wait_until([&] { return all<T>().size() >= count; }, limit);
  }
  std::set<Uuid> receipted() {
    std::set<Uuid> ids;
    for (const auto& receipt : all<Receipt>()) ids.insert(receipt.ok.begin(), receipt.ok.end());
    return ids;
  }
  bool wait_receipt(const Uuid& id, std::chrono::milliseconds limit = 10s) {
    return wait_until([&] { return receipted().contains(id); }, limit);
  }
  std::size_t unreadable() const { return unreadable_; }

  std::function<void(const DownMessage&)> on_message;

 private:
  std::string id_;
  std::mutex mutex_;
  std::vector<DownMessage> messages_;
  std::size_t unreadable_ = 0;
  ::mqtt::async_client client_;
};

LinkOptions options_for(const Mosquitto& broker) {
  LinkOptions options;
  options.uri = broker.uri();
  options.ca_file = broker.ca_file();
  options.towns = {kTown, kOtherTown};
  options.backoff_first = 20ms;
  options.backoff_most = 300ms;
  return options;
}

// A world that is on the broker.
struct Online {
  explicit Online(LinkOptions options, WorldOptions world_options = {}) : world(world_options) {
    link = must(ServerLink::make(std::move(options)));
    world.devices.forward_to(link.get());
    link->start(*world.ingest);
  }
  ~Online() { close(); }
  void close() {
    if (!link) return;
    link->stop();
    world.devices.forward_to(nullptr);
    link.reset();
  }
  bool connected() {
    return wait_until([&] { return link->state() == LinkState::connected; });
  }
  std::size_t cases() { return must(world.cases->list(world.actor("boss"), {})).total; }

  ServerWorld world;
  std::unique_ptr<ServerLink> link;
};

Bytes file_of(std::size_t size) {
  Bytes bytes(size);
  unsigned seed = 3;
  for (auto& b : bytes) b = static_cast<std::uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
  return bytes;
}

TEST(ServerLink, AReportWithItsPhotoOverTlsWithPasswordsAndRights) {
  MosquittoOptions broker_options;
  broker_options.tls = true;
  broker_options.users = {{"server", "of-the-server"}, {"hh-1", "secret-hh-1"}, {"hh-2", "secret-hh-2"}};
  broker_options.acl =
      "user server\ntopic readwrite gridward/1/#\n\n"
      "pattern write gridward/1/up/+/%u\npattern write gridward/1/media/+/%u\npattern read gridward/1/down/+/%u\n";
  Mosquitto broker(broker_options);
  auto options = options_for(broker);
  options.user = "server";
  options.password = "of-the-server";
  Online server(options);
  ASSERT_TRUE(server.connected());
  auto& world = server.world;

  Handheld hh(world, "hh-1", "m1");
  RawDevice device(broker, "hh-1", kTown, true);
  // What the receipt promises must be true when it arrives.
  std::atomic<int> promised{0}, kept{0};
  device.on_message = [&](const DownMessage& message) {
    if (const auto* receipt = std::get_if<Receipt>(&message)) {
      for (const auto& id : receipt->ok) {
        ++promised;
        if (world.read([&](app::Tx& tx) { return tx.find_case(id); })) ++kept;
      }
    }
  };
  const auto photo = file_of(600'000);
  auto record = hh.report("路面有坑");
  record.media.push_back({platform::sha256(photo), photo.size(), "image/jpeg", MediaRole::scene});
  EXPECT_LT(device.publish(hh.topic(), encode_up(hh.message({record}))), 0x80);
  ASSERT_TRUE(device.wait_receipt(record.id));
  EXPECT_EQ(promised.load(), 1);
  EXPECT_EQ(kept.load(), 1);
  EXPECT_EQ(must(world.cases->get(world.actor("op"), record.id)).record.text, "路面有坑");

  for (std::size_t at = 0; at < photo.size(); at += limits::kMediaPieceBytes) {
    const auto end = std::min(photo.size(), at + limits::kMediaPieceBytes);
    device.publish(hh.topic(TopicKind::media),
                   encode_media_piece({record.media[0].sha256, photo.size(), at,
                                       Bytes(photo.begin() + static_cast<std::ptrdiff_t>(at),
                                             photo.begin() + static_cast<std::ptrdiff_t>(end))}));
  }
  ASSERT_TRUE(device.wait<MediaState>(3));
  EXPECT_TRUE(device.all<MediaState>().back().complete);
  EXPECT_TRUE(world.photos->has_original(record.media[0].sha256));

  // And down: the progress of the case, until it is acknowledged.
  app::ActRequest accept;
  accept.version = 1;
  must(world.cases->act(world.actor("op"), record.id, accept));
  ASSERT_TRUE(device.wait<DownItem>(1));
  const auto item = device.all<DownItem>().at(0);
  EXPECT_EQ(must(decode_progress_item(item.body)).case_id, record.id);
  const auto hello = hh.hello();
  device.publish(hh.topic(), encode_up(hello));
  ASSERT_TRUE(device.wait<DownItem>(2)) << "again, it was not acknowledged";
  device.publish(hh.topic(), encode_up(hh.ack(item.n)));
  EXPECT_TRUE(wait_until([&] { return world.read([](app::Tx& tx) { return tx.pending_down("hh-1", 10); }).empty(); }));

  // A device cannot speak in another's name: the broker says so.
  EXPECT_GE(device.publish(to_string(Topic{TopicKind::up, kTown, "hh-2"}), encode_up(hello)), 0x80);
  EXPECT_EQ(device.unreadable(), 0u);
  EXPECT_EQ(server.link->counters().dropped_full, 0u);
}

TEST(ServerLink, ABrokerThatRestartsIsFoundAgain) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  Handheld hh(server.world, "hh-1", "m1");
  std::vector<Record> records;
  for (int round = 0; round < 3; ++round) {
    {
      RawDevice device(broker, "hh-1");
      records.push_back(hh.report("第" + std::to_string(round) + "次"));
      device.publish(hh.topic(), encode_up(hh.message({records.back()})));
      ASSERT_TRUE(device.wait_receipt(records.back().id)) << round;
    }
    round % 2 == 0 ? broker.kill9() : broker.stop();
    ASSERT_TRUE(wait_until([&] { return server.link->state() == LinkState::connecting; }));
    broker.start();
    ASSERT_TRUE(server.connected()) << round;
  }
  EXPECT_GE(server.link->counters().connections, 4u);
  EXPECT_EQ(server.cases(), 3u);
}

TEST(ServerLink, ABrokerThatIsNotThereYet) {
  Mosquitto broker;
  broker.stop();
  Online server(options_for(broker));
  EXPECT_FALSE(wait_until([&] { return server.link->state() == LinkState::connected; }, 300ms));
  EXPECT_EQ(to_string(server.link->state()), "connecting");
  broker.start();
  EXPECT_TRUE(server.connected());
}

TEST(ServerLink, StopsPromptlyWithoutABroker) {
  Mosquitto broker;
  broker.stop();
  Online server(options_for(broker));
  const auto from = std::chrono::steady_clock::now();
  server.link->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - from, 3s);
  EXPECT_EQ(server.link->state(), LinkState::stopped);
}

TEST(ServerLink, StopsInTimeWhenTheBrokerTakesNothingMore) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  ASSERT_EQ(::kill(broker.pid(), SIGSTOP), 0);
  // More than the library may have unwritten and the socket takes: the sender stands in the middle.
  const std::string body(4'000, 'x');
  for (std::uint64_t n = 1; n <= 12'000; ++n) server.link->send(kTown, "hh-1", DownItem{n, "notice", body});
  ASSERT_TRUE(wait_until([&] { return server.link->counters().sent >= 4096; }));
  const auto from = std::chrono::steady_clock::now();
  server.link->stop(500ms);
  EXPECT_LT(std::chrono::steady_clock::now() - from, 5s);
  EXPECT_EQ(server.link->state(), LinkState::stopped);
  EXPECT_GT(server.link->counters().dropped_down, 0u);
  ASSERT_EQ(::kill(broker.pid(), SIGCONT), 0);
}

TEST(ServerLink, ItemsGoAgainWhenTheLinkComesUp) {
  Mosquitto broker;
  auto options = options_for(broker);
  std::atomic<app::DownJobs*> told{nullptr};
  options.connected = [&] {
    if (auto* jobs = told.load()) jobs->linked();
  };
  Online server(options);
  ASSERT_TRUE(server.connected());
  auto& world = server.world;
  app::DownJobs jobs(world.services(), 30s);
  told = &jobs;
  Handheld hh(world, "hh-1", "m1");
  const auto record = hh.report("x");
  {
    RawDevice device(broker, "hh-1");
    device.publish(hh.topic(), encode_up(hh.message({record})));
    ASSERT_TRUE(device.wait_receipt(record.id));
  }
  broker.kill9();
  ASSERT_TRUE(wait_until([&] { return server.link->state() == LinkState::connecting; }));
  app::ActRequest accept;
  accept.version = 1;
  must(world.cases->act(world.actor("op"), record.id, accept));
  world.clock.advance(1s);
  broker.start();
  RawDevice device(broker, "hh-1");
  ASSERT_TRUE(server.connected());
  ASSERT_TRUE(wait_until([&] { return jobs.run_once(); }));
  ASSERT_TRUE(device.wait<DownItem>(1));
  EXPECT_EQ(must(decode_progress_item(device.all<DownItem>()[0].body)).case_id, record.id);
  told = nullptr;
}

TEST(ServerLink, WhatIsTooLargeDisturbsNobody) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  Handheld hh(server.world, "hh-1", "m1");
  RawDevice device(broker, "hh-1");
  device.publish(hh.topic(), Bytes(2 * 1024 * 1024, 0x9F));  // the broker keeps it from us
  device.publish(hh.topic(), Bytes(limits::kUpMessageBytes + 1, 0x9F));
  device.publish(hh.topic(), Bytes(200'000, 0x9F));  // nested, 200,000 deep
  device.publish(hh.topic(TopicKind::media), Bytes(limits::kMediaMessageBytes + 1, 0x00));
  device.publish(hh.topic(), {});
  const auto record = hh.report("正常");
  auto whole = encode_up(hh.message({record}));
  device.publish(hh.topic(), Bytes(whole.begin(), whole.end() - 20));  // cut off
  device.publish(hh.topic(), whole);
  ASSERT_TRUE(device.wait_receipt(record.id));
  EXPECT_EQ(server.world.ingest->counts().undecodable, 5u);
  EXPECT_EQ(device.all<Receipt>().size(), 1u);
  EXPECT_EQ(server.cases(), 1u);
  EXPECT_EQ(server.link->state(), LinkState::connected);
  EXPECT_EQ(server.link->counters().connections, 1u) << "and the connection held";
}

TEST(ServerLink, AnotherTownsTopicIsRefused) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  Handheld hh(server.world, "hh-1", "m1", kOtherTown);
  RawDevice device(broker, "hh-1", kOtherTown);
  const auto record = hh.report("x");
  device.publish(hh.topic(), encode_up(hh.message({record})));
  ASSERT_TRUE(device.wait<Receipt>(1));
  const auto receipt = device.all<Receipt>().at(0);
  EXPECT_TRUE(receipt.ok.empty());
  ASSERT_EQ(receipt.bad.size(), 1u);
  EXPECT_EQ(receipt.bad[0].id, record.id);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::wrong_town);
  EXPECT_EQ(server.cases(), 0u);
}

TEST(ServerLink, TownsAreServedFromWhenTheyAreNamed) {
  Mosquitto broker;
  auto options = options_for(broker);
  options.towns = {kTown};
  Online server(options);
  ASSERT_TRUE(server.connected());
  Handheld far(server.world, "hh-3", "m3", kOtherTown);
  RawDevice device(broker, "hh-3", kOtherTown);
  const auto record = far.report("x");
  const auto payload = encode_up(far.message({record}));
  device.publish(far.topic(), payload);
  EXPECT_FALSE(device.wait<Receipt>(1, 500ms));
  server.link->set_towns({kTown, kOtherTown, "no town"});
  ASSERT_TRUE(broker.wait_log("gridward/1/media/" + kOtherTown));
  EXPECT_TRUE(wait_until([&] {
    device.publish(far.topic(), payload);
    return device.receipted().contains(record.id);
  }));
  server.link->set_towns({kTown});
  ASSERT_TRUE(broker.wait_log("UNSUBSCRIBE"));
  EXPECT_EQ(server.link->state(), LinkState::connected);
}

TEST(ServerLink, AsManyTownsAsAProvinceHas) {
  Mosquitto broker;
  auto options = options_for(broker);
  for (int i = 0; i < 500; ++i) options.towns.push_back("130" + std::to_string(100'000 + i));
  Online server(options);
  ASSERT_TRUE(server.connected());
  EXPECT_NE(broker.log().find("gridward/1/media/130100499/+"), std::string::npos);
  Handheld hh(server.world, "hh-1", "m1");
  RawDevice device(broker, "hh-1");
  const auto record = hh.report("x");
  device.publish(hh.topic(), encode_up(hh.message({record})));
  EXPECT_TRUE(device.wait_receipt(record.id));
}

TEST(ServerLink, WhatCameWhileTheServerWasAwayIsWaitingForIt) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  server.close();
  Handheld hh(server.world, "hh-1", "m1");
  RawDevice device(broker, "hh-1");
  const auto record = hh.report("离线时");
  EXPECT_LT(device.publish(hh.topic(), encode_up(hh.message({record}))), 0x80);
  EXPECT_FALSE(device.wait<Receipt>(1, 300ms));
  server.link = must(ServerLink::make(options_for(broker)));
  server.world.devices.forward_to(server.link.get());
  server.link->start(*server.world.ingest);
  EXPECT_TRUE(device.wait_receipt(record.id));
}

TEST(ServerLink, AFullQueueDropsAndSaysBusy) {
  Mosquitto broker;
  auto options = options_for(broker);
  options.media_threads = 1;
  options.media_queue = 2;
  Online server(options);
  ASSERT_TRUE(server.connected());
  auto& world = server.world;
  Handheld hh(world, "hh-1", "m1");
  RawDevice device(broker, "hh-1");
  const auto photo = file_of(10'000);
  auto record = hh.report("x");
  record.media.push_back({platform::sha256(photo), photo.size(), "image/jpeg", MediaRole::scene});
  device.publish(hh.topic(), encode_up(hh.message({record})));
  ASSERT_TRUE(device.wait_receipt(record.id));

  // The writer stands: the one media thread waits for its commit, two more pieces wait, the rest is dropped.
  Gate gate(*world.store);
  const auto piece = [&](std::size_t i) {
    return encode_media_piece({record.media[0].sha256, photo.size(), i * 1000,
                               Bytes(photo.begin() + static_cast<std::ptrdiff_t>(i * 1000),
                                     photo.begin() + static_cast<std::ptrdiff_t>(i * 1000 + 1000))});
  };
  for (std::size_t i = 0; i < 10; ++i) device.publish(hh.topic(TopicKind::media), piece(i));
  EXPECT_TRUE(device.wait<Busy>(1)) << "while the writer still stands";
  EXPECT_GE(server.link->counters().dropped_full, 7u);
  for (const auto& busy : device.all<Busy>()) {
    EXPECT_GE(busy.retry_after, 500ms);
    EXPECT_LE(busy.retry_after, 2000ms);
  }
  // Reports of the same device are another lane: not stopped by photos, only by the writer.
  gate.open();
  // Two at least: the third only when the thread had taken the first before the others came.
  ASSERT_TRUE(device.wait<MediaState>(2));
  EXPECT_FALSE(device.all<MediaState>().back().missing.empty());
  // As the device does: what is missing again.
  for (std::size_t i = 0; i < 10; ++i) {
    device.publish(hh.topic(TopicKind::media), piece(i));
    ASSERT_TRUE(device.wait<MediaState>(4 + i));
  }
  EXPECT_TRUE(wait_until([&] { return device.all<MediaState>().back().complete; }));
}

TEST(ServerLink, StopAnswersWhatItTook) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  Handheld hh(server.world, "hh-1", "m1");
  RawDevice device(broker, "hh-1");
  std::vector<Record> records;
  for (int i = 0; i < 200; ++i) {
    records.push_back(hh.report(std::to_string(i)));
    device.publish_quickly(hh.topic(), encode_up(hh.message({records.back()})));
  }
  ASSERT_TRUE(device.wait<Receipt>(5));
  server.link->stop();
  // Everything committed was answered; what was not answered was not committed, and is sent again.
  std::set<Uuid> committed;
  for (const auto& record : records) {
    if (server.world.read([&](app::Tx& tx) { return tx.find_case(record.id); })) committed.insert(record.id);
  }
  EXPECT_TRUE(wait_until([&] { return device.receipted() == committed; }, 3s))
      << device.receipted().size() << " receipts, " << committed.size() << " commits";
  EXPECT_GE(committed.size(), 5u);
}

TEST(ServerLink, ThousandsOfReportsKeepEachDevicesOrder) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  Handheld one(server.world, "hh-1", "m1");
  Handheld two(server.world, "hh-2", "m2");
  RawDevice device_one(broker, "hh-1");
  RawDevice device_two(broker, "hh-2");
  constexpr std::size_t kEach = 1000;
  for (std::size_t i = 0; i < kEach; ++i) {
    device_one.publish_quickly(one.topic(), encode_up(one.message({one.report("甲")})));
    device_two.publish_quickly(two.topic(), encode_up(two.message({two.report("乙")})));
  }
  ASSERT_TRUE(
      wait_until([&] { return device_one.receipted().size() == kEach && device_two.receipted().size() == kEach; }, 60s))
      << device_one.receipted().size() << " and " << device_two.receipted().size() << " receipts, received "
      << server.link->counters().received << ", sent " << server.link->counters().sent << ", dropped "
      << server.link->counters().dropped_down << ", cases " << server.cases();
  EXPECT_EQ(server.cases(), 2 * kEach);
  // In order: each receipt closed the sequence, so nothing ever waited.
  EXPECT_EQ(server.world.read([&](app::Tx& tx) { return tx.contiguous_seq("hh-1", one.epoch); }), kEach);
  std::vector<Uuid> order;
  for (const auto& receipt : device_one.all<Receipt>()) order.insert(order.end(), receipt.ok.begin(), receipt.ok.end());
  EXPECT_EQ(order.size(), kEach);
}

TEST(ServerLink, AReceiptDoesNotWaitForADelayedAcknowledgement) {
  Mosquitto broker;
  Online server(options_for(broker));
  ASSERT_TRUE(server.connected());
  Handheld hh(server.world, "hh-1", "m1");
  RawDevice device(broker, "hh-1");
  std::mutex mutex;
  std::condition_variable wake;
  std::size_t receipts = 0;
  device.on_message = [&](const DownMessage&) {
    const std::scoped_lock lock(mutex);
    ++receipts;
    wake.notify_all();
  };
  auto fastest = std::chrono::steady_clock::duration::max();
  for (std::size_t i = 1; i <= 20; ++i) {
    const auto payload = encode_up(hh.message({hh.report("x")}));
    const auto from = std::chrono::steady_clock::now();
    device.publish_quickly(hh.topic(), payload);
    std::unique_lock lock(mutex);
    ASSERT_TRUE(wake.wait_for(lock, 10s, [&] { return receipts == i; }));
    fastest = std::min(fastest, std::chrono::steady_clock::now() - from);
  }
  // With Nagle's algorithm each of them waits for the kernel's 40 ms; without, only a loaded machine is slow.
  EXPECT_LT(fastest, 30ms);
}

TEST(ServerLink, WhatCannotWorkIsSaidAtOnce) {
  const auto code = [](auto change) {
    LinkOptions options;
    options.uri = "tcp://127.0.0.1:1";
    change(options);
    const auto link = ServerLink::make(options);
    return link ? std::string("made") : link.error().field;
  };
  EXPECT_EQ(code([](LinkOptions&) {}), "made");
  EXPECT_EQ(code([](LinkOptions& o) { o.towns = {"12"}; }), "towns");
  EXPECT_EQ(code([](LinkOptions& o) { o.ca_file = "/nowhere/ca.pem"; }), "mqtt.ca");
  EXPECT_EQ(code([](LinkOptions& o) { o.uri = "gopher://x"; }), "mqtt.uri");
}

TEST(ServerLink, AForeignCertificateIsNotTrusted) {
  MosquittoOptions with_tls;
  with_tls.tls = true;
  Mosquitto broker(with_tls);
  Mosquitto other(with_tls);
  auto options = options_for(broker);
  options.ca_file = other.ca_file();
  Online server(options);
  EXPECT_FALSE(wait_until([&] { return server.link->state() == LinkState::connected; }, 1s));
  EXPECT_EQ(server.link->counters().connections, 0u);
}

TEST(ServerLink, AWrongPasswordOrMissingRightIsToldAndTriedAgain) {
  MosquittoOptions broker_options;
  broker_options.users = {{"server", "right"}};
  broker_options.acl = "user server\ntopic read something/else\n";
  Mosquitto broker(broker_options);
  std::mutex mutex;
  std::string told;
  auto options = options_for(broker);
  options.user = "server";
  options.password = "wrong";
  options.log = [&](std::string_view text) {
    const std::scoped_lock lock(mutex);
    told += std::string(text) + "\n";
  };
  {
    Online server(options);
    EXPECT_TRUE(wait_until([&] {
      const std::scoped_lock lock(mutex);
      return told.find("no connection to") != std::string::npos;
    }));
    EXPECT_EQ(server.link->state(), LinkState::connecting);
  }
  EXPECT_EQ(told.find("right"), std::string::npos);
}

}  // namespace
}  // namespace gridward
