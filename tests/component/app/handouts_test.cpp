// The county's settings and matter list reach every handheld at its hello, once each.
#include <gtest/gtest.h>

#include <gridward/shared/down_items.hpp>
#include <gridward/test/postgres.hpp>
#include <gridward/test/server_world.hpp>

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;

using Kinds = std::vector<std::string>;

class Handouts : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    WorldOptions options;
    if (GetParam() == std::string("postgresql")) {
      if (!Postgres::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
      options.url = Postgres::shared().new_database();
    }
    world_ = std::make_unique<ServerWorld>(options);
    auto& rules = world_->policy.handhelds.emplace();
    rules.settings.photo_px = 2048;
    rules.categories.list = {{"0101", "路面破损", "公共设施"}, {"0201", "井盖缺失", ""}};
    restart();
    hh_ = std::make_unique<Handheld>(*world_, "hh-1", "m1");
  }
  // A server reads its profile when it starts.
  void restart() {
    world_->ingest.reset();
    world_->ingest = std::make_unique<app::Ingest>(world_->services(), *world_->cases, *world_->duty);
  }
  // What came with the receipt; the device acknowledges all of it, or does not.
  Kinds hello() {
    const auto kinds = hello(ack_);
    if (ack_) {
      EXPECT_TRUE(hh_->send(hh_->ack(*ack_)).empty());
    }
    return kinds;
  }
  Kinds hello(std::optional<std::uint64_t> ack) { return say(hh_->hello(ack)); }
  Kinds say(const UpMessage& up) {
    Kinds kinds;
    for (const auto& answer : hh_->send(up)) {
      const auto* item = std::get_if<DownItem>(&answer);
      if (item == nullptr) continue;
      kinds.push_back(item->kind);
      last_ = *item;
      ack_ = item->n;
    }
    return kinds;
  }
  void wipe() {
    hh_->epoch = hh_->fresh_id();
    ack_.reset();
  }

  std::unique_ptr<ServerWorld> world_;
  std::unique_ptr<Handheld> hh_;
  std::optional<std::uint64_t> ack_;
  DownItem last_;
};
INSTANTIATE_TEST_SUITE_P(On, Handouts, testing::Values("sqlite", "postgresql"),
                         [](const auto& on) { return std::string(on.param); });

TEST_P(Handouts, AreGivenOnce) {
  EXPECT_EQ(hello(), (Kinds{"settings", "categories"}));
  EXPECT_EQ(last_.n, 2U);
  const auto list = decode_categories_item(last_.body);
  ASSERT_TRUE(list) << to_string(list.error());
  EXPECT_EQ(list->list, world_->policy.handhelds->categories.list);
  EXPECT_EQ(list->rev.size(), 16U);
  EXPECT_EQ(hello(), Kinds{});
  restart();
  EXPECT_EQ(hello(), Kinds{}) << "nothing changed";
}

TEST_P(Handouts, WaitUntilTheyAreAcknowledgedAndAreNotMadeTwice) {
  EXPECT_EQ(hello(std::nullopt).size(), 2U);
  EXPECT_EQ(hello(std::nullopt).size(), 2U) << "the same two, lost on their way";
  EXPECT_EQ(last_.n, 2U);
  EXPECT_EQ(hello(2), Kinds{});
}

TEST_P(Handouts, OnlyWhatChangedIsGivenAgain) {
  hello();
  world_->policy.handhelds->settings.track = 5s;
  restart();
  EXPECT_EQ(hello(), Kinds{"settings"});
  EXPECT_EQ(decode_settings_item(last_.body)->track, Millis{5000});
  EXPECT_EQ(last_.n, 3U);
  world_->policy.handhelds->categories.list.pop_back();
  restart();
  EXPECT_EQ(hello(), Kinds{"categories"});
  EXPECT_EQ(hello(), Kinds{});
  world_->policy.handhelds->settings.track.reset();
  restart();
  EXPECT_EQ(hello(), Kinds{"settings"}) << "back to what it was: the device has the other";
}

TEST_P(Handouts, AWipedDeviceIsGivenThemAgain) {
  hello();
  wipe();
  EXPECT_EQ(hello(), (Kinds{"settings", "categories"}));
  EXPECT_EQ(last_.n, 4U) << "numbers go on";
  EXPECT_EQ(hello(), Kinds{});
}

// Wiped at each start, two clones that take turns, or hostile.
TEST_P(Handouts, ANewEpochAtEachHelloAddsNothingToWhatWaits) {
  for (int i = 0; i < 5; ++i) {
    wipe();
    EXPECT_EQ(hello(std::nullopt), (Kinds{"settings", "categories"}));
    EXPECT_EQ(last_.n, 2U);
  }
  world_->policy.handhelds->settings.track = 5s;
  restart();
  for (int i = 0; i < 5; ++i) {
    wipe();
    EXPECT_EQ(hello(std::nullopt), (Kinds{"settings", "categories", "settings"})) << "the last one holds";
    EXPECT_EQ(last_.n, 3U);
  }
  EXPECT_EQ(decode_settings_item(last_.body)->track, Millis{5000});
}

TEST_P(Handouts, ANewEpochAddsNothingToWhatIsKeptBack) {
  must(world_->store->write([&](app::Tx& tx) -> Result<void> {
    tx.begin_generation(hh_->fresh_id(), {});
    return {};
  }));
  for (int i = 0; i < 5; ++i) {
    wipe();
    EXPECT_EQ(hello(std::uint64_t{1} << 50), Kinds{}) << "no device has that many: nothing is agreed";
  }
  wipe();
  EXPECT_EQ(hello(std::nullopt), Kinds{}) << "it names no store, so it may be of before the restore";
  auto named = hh_->hello(std::nullopt);
  const auto answers = hh_->send(named);
  named.generation = std::get<Receipt>(answers.at(0)).generation;
  EXPECT_EQ(say(named), (Kinds{"settings", "categories"}));
}

TEST_P(Handouts, WhatHoldsNoMoreIsNoReasonToKeepBackWhatDoes) {
  hello(std::nullopt);
  world_->policy.handhelds->settings.track = 5s;
  restart();
  hello(std::nullopt);
  world_->policy.handhelds->settings.track.reset();
  restart();
  EXPECT_EQ(hello(std::nullopt), (Kinds{"settings", "categories", "settings", "settings"}));
  EXPECT_FALSE(decode_settings_item(last_.body)->track);
}

TEST_P(Handouts, EachDeviceHasItsOwn) {
  hello();
  Handheld other(*world_, "hh-2", "m2");
  UpMessage up;
  up.epoch = hh_->epoch;  // whatever its epoch
  up.hello = true;
  EXPECT_EQ(other.send(up).size(), 3U);
}

TEST_P(Handouts, ARecordAsksForNothing) {
  EXPECT_EQ(hh_->send({hh_->report("x")}).size(), 1U) << "no hello, no items";
  EXPECT_EQ(world_->read([](app::Tx& tx) { return tx.handed("hh-1"); }), app::Handed{});
}

TEST_P(Handouts, ARestoredStoreGivesThemAgainAboveWhatTheDeviceHas) {
  hello();
  // What was given after the backup is not known: here the list of a profile that is gone again.
  must(world_->store->write([&](app::Tx& tx) -> Result<void> {
    tx.begin_generation(hh_->fresh_id(), {});
    return {};
  }));
  restart();
  ack_ = 7;
  EXPECT_EQ(hello(), (Kinds{"settings", "categories"}));
  EXPECT_EQ(last_.n, 9U);
  EXPECT_EQ(hello(), Kinds{});
}

TEST_P(Handouts, AreNotGivenToAHelloOfBeforeARestore) {
  hello();
  const auto late = hh_->hello(ack_);
  must(world_->store->write([&](app::Tx& tx) -> Result<void> {
    tx.begin_generation(hh_->fresh_id(), {});
    return {};
  }));
  restart();
  EXPECT_EQ(say(late), Kinds{});
  ack_ = 7;
  EXPECT_EQ(hello(), (Kinds{"settings", "categories"}));
  EXPECT_EQ(last_.n, 9U) << "above what the device has";
  EXPECT_EQ(say(late), Kinds{});
  EXPECT_EQ(hello(), Kinds{});
}

TEST_P(Handouts, AStoreThatWasPutBackUnsaidGivesThemAgain) {
  hello();
  ack_ = 7;
  EXPECT_EQ(hello(), (Kinds{"settings", "categories"})) << "nobody here gave it seven";
  EXPECT_EQ(last_.n, 9U);
  EXPECT_EQ(hello(), Kinds{});
}

TEST_P(Handouts, AnErasedHolderOrANewImportChangesNothing) {
  hello();
  must(world_->store->write([&](app::Tx& tx) -> Result<void> {
    auto device = tx.find_device("hh-1").value();
    device.holder.clear();
    tx.upsert_device(device);
    return {};
  }));
  EXPECT_EQ(hello(), Kinds{});
}

TEST_P(Handouts, ALongerHeartbeatIsNoAbsence) {
  world_->policy.handhelds->settings.heartbeat = 30min;
  app::DownJobs jobs(world_->services(), 30s);
  EXPECT_EQ(hello(std::nullopt).size(), 2U);
  world_->clock.advance(59min);
  EXPECT_TRUE(jobs.run_once());
  world_->clock.advance(3min);
  EXPECT_FALSE(jobs.run_once());
}

}  // namespace
}  // namespace gridward
