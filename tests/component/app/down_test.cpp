// Items that a device has not acknowledged go again while it stays connected.
#include <gtest/gtest.h>

#include <gridward/test/server_world.hpp>

#include "sql.hpp"

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;

using Numbers = std::vector<std::uint64_t>;

struct Town {
  ServerWorld world;
  app::DownJobs jobs{world.services(), 30s};
  Handheld hh{world, "hh-1", "m1"};

  Numbers hello(std::optional<std::uint64_t> ack = std::nullopt) { return say(true, ack); }
  Numbers say(bool hello, std::optional<std::uint64_t> ack) {
    auto up = ack ? hh.ack(*ack) : hh.message({});
    up.hello = hello;
    world.ingest->up(hh.topic(), encode_up(up));
    world.ingest->wait_idle();
    return taken();
  }
  Numbers taken(const std::string& device = "hh-1") {
    Numbers numbers;
    for (const auto& sent : world.devices.take()) {
      const auto* item = std::get_if<DownItem>(&sent.message);
      if (item == nullptr || sent.device != device) continue;
      EXPECT_EQ(sent.town, kTown);
      numbers.push_back(item->n);
    }
    return numbers;
  }
  // The town accepts a report: its progress goes to the member's device.
  Numbers progress() {
    const auto record = hh.report("x");
    EXPECT_EQ(hh.receipt({record}).ok.size(), 1u);
    app::ActRequest accept;
    accept.version = 1;
    must(world.cases->act(world.actor("op"), record.id, accept));
    return taken();
  }
  void put(const std::string& device, int items) {
    must(world.store->write([&](app::Tx& tx) -> Result<void> {
      for (int i = 0; i < items; ++i) tx.enqueue_down(device, "notice", R"({"text":"x"})", world.clock.now());
      return {};
    }));
  }
  void seen(const std::string& device) {
    must(world.store->write([&](app::Tx& tx) -> Result<void> {
      tx.touch_device(device, world.clock.now(), std::nullopt);
      return {};
    }));
  }
};

TEST(Down, WhatWasLostGoesAgainUntilItIsAcknowledged) {
  Town t;
  EXPECT_TRUE(t.hello().empty());
  EXPECT_EQ(t.progress(), Numbers{1});  // sent once, and lost on its way
  EXPECT_FALSE(t.jobs.run_once());
  t.world.clock.advance(29s);
  EXPECT_FALSE(t.jobs.run_once()) << "it may only be slow";
  t.world.clock.advance(1s);
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_EQ(t.taken(), Numbers{1});
  EXPECT_FALSE(t.jobs.run_once());
  EXPECT_TRUE(t.taken().empty());
  t.world.clock.advance(30s);
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_EQ(t.taken(), Numbers{1}) << "lost again";
  EXPECT_TRUE(t.say(false, 1).empty());
  t.world.clock.advance(60s);
  EXPECT_FALSE(t.jobs.run_once());
  EXPECT_TRUE(t.taken().empty());
}

TEST(Down, ARestartForgetsNothing) {
  Town t;
  t.hello();
  EXPECT_EQ(t.progress(), Numbers{1});
  t.world.clock.advance(31s);
  app::DownJobs after(t.world.services(), 30s);
  EXPECT_TRUE(after.run_once());
  EXPECT_EQ(t.taken(), Numbers{1});
}

TEST(Down, ANewItemAndAnAcknowledgementSendTheRestToo) {
  Town t;
  t.hello();
  EXPECT_EQ(t.progress(), Numbers{1});
  t.world.clock.advance(20s);
  EXPECT_EQ(t.progress(), (Numbers{1, 2}));
  t.world.clock.advance(20s);
  EXPECT_FALSE(t.jobs.run_once()) << "both went 20 s ago";
  t.world.clock.advance(10s);
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_EQ(t.taken(), (Numbers{1, 2}));
}

TEST(Down, ADeviceThatIsAwayIsNotSentAnythingUntilItSaysHello) {
  Town t;
  t.hello();
  t.progress();
  t.world.clock.advance(12min);
  EXPECT_FALSE(t.jobs.run_once());
  EXPECT_TRUE(t.taken().empty());
  EXPECT_EQ(t.hello(), Numbers{1});
  t.world.clock.advance(5min);  // its heartbeat is due, it may be there
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_EQ(t.taken(), Numbers{1});
}

TEST(Down, WhenTheLinkComesUpWhatWasSentBeforeGoesAtOnce) {
  Town t;
  t.hello();
  EXPECT_EQ(t.progress(), Numbers{1});  // into a broken link
  t.world.clock.advance(2s);
  t.jobs.linked();
  t.world.clock.advance(1s);
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_EQ(t.taken(), Numbers{1});
  EXPECT_FALSE(t.jobs.run_once()) << "once";
  t.world.clock.advance(29s);
  EXPECT_FALSE(t.jobs.run_once());
  t.world.clock.advance(1s);
  EXPECT_TRUE(t.jobs.run_once());
}

TEST(Down, APassIsBoundedInOrderAndNobodyIsForgotten) {
  Town t;
  t.put("hh-1", 40);
  t.world.clock.advance(1s);
  t.put("hh-2", 3);
  t.world.clock.advance(30s);
  t.seen("hh-1");
  t.seen("hh-2");
  EXPECT_TRUE(t.jobs.run_once());
  std::vector<std::pair<std::string, std::uint64_t>> sent, expected;
  for (const auto& one : t.world.devices.take()) sent.emplace_back(one.device, std::get<DownItem>(one.message).n);
  for (std::uint64_t n = 1; n <= 32; ++n) expected.emplace_back("hh-1", n);
  for (std::uint64_t n = 1; n <= 3; ++n) expected.emplace_back("hh-2", n);
  EXPECT_EQ(sent, expected) << "who waits longest first, each from its lowest number on";

  // A thousand devices: what a pass leaves is the next one's.
  must(t.world.store->write([&](app::Tx& tx) -> Result<void> {
    for (int i = 0; i < 1000; ++i) {
      app::Device device;
      device.id = "x-" + std::to_string(i);
      device.town = kTown;
      device.last_seen = t.world.clock.now();
      tx.upsert_device(device);
      tx.enqueue_down(device.id, "notice", "{}", t.world.clock.now() - 1h);
    }
    return {};
  }));
  std::set<std::string> reached;
  EXPECT_TRUE(t.jobs.run_once());
  for (const auto& one : t.world.devices.take()) EXPECT_TRUE(reached.insert(one.device).second);
  EXPECT_EQ(reached.size(), 512u);
  EXPECT_TRUE(t.jobs.run_once());
  for (const auto& one : t.world.devices.take()) EXPECT_TRUE(reached.insert(one.device).second);
  EXPECT_EQ(reached.size(), 1000u);
  EXPECT_FALSE(t.jobs.run_once());
}

TEST(Down, ARevokedDeviceGetsNothingMore) {
  Town t;
  t.hello();
  t.progress();
  must(t.world.store->write([](app::Tx& tx) -> Result<void> {
    auto device = tx.find_device("hh-1").value();
    device.revoked = true;
    tx.upsert_device(device);
    return {};
  }));
  t.world.clock.advance(31s);
  EXPECT_FALSE(t.jobs.run_once());
}

TEST(Down, ALostDatabaseIsTriedAgainLater) {
  Town t;
  t.hello();
  t.progress();
  t.world.clock.advance(31s);
  sql_do(t.world, "ALTER TABLE down_items RENAME TO away");
  EXPECT_FALSE(t.jobs.run_once());
  sql_do(t.world, "ALTER TABLE away RENAME TO down_items");
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_EQ(t.taken(), Numbers{1});
}

}  // namespace
}  // namespace gridward
