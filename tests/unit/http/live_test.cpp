#include <gtest/gtest.h>

#include <gridward/http/live.hpp>

namespace gridward::http {
namespace {

using app::LiveEvent;
using domain::Role;

domain::Actor actor(Role role, std::string path) { return {"x", "X", role, path.substr(path.rfind('/') + 1), path}; }

const LiveEvent kCase{"case", "c1", "120116/120116115/120116115201/120116115201001", 3};
const LiveEvent kDuty{"duty", "m1", "120116/120116115/120116115201/120116115201001", 0};

TEST(IsTold, OperatorsAndLeadersOfTheSubtree) {
  for (const auto role : {Role::town_operator, Role::leader}) {
    EXPECT_TRUE(is_told(actor(role, "120116"), kCase));
    EXPECT_TRUE(is_told(actor(role, "120116/120116115"), kDuty));
    EXPECT_FALSE(is_told(actor(role, "120116/120116116"), kCase));
    EXPECT_FALSE(is_told(actor(role, "120116/12011611"), kCase));
    EXPECT_FALSE(is_told(actor(role, ""), kCase));
  }
}

TEST(IsTold, UnitsAndMembersOfTheirNeighbourhoodButNeverOfPeople) {
  EXPECT_TRUE(is_told(actor(Role::handling_unit, "120116/120116115/120116115-u01"), kCase));
  EXPECT_FALSE(is_told(actor(Role::handling_unit, "120116/120116115/120116115-u01"), kDuty));
  EXPECT_FALSE(is_told(actor(Role::handling_unit, "120116/120116116/120116116-u01"), kCase));
  EXPECT_TRUE(is_told(actor(Role::grid_member, "120116/120116115/120116115201/120116115201002"), kCase));
  EXPECT_FALSE(is_told(actor(Role::grid_member, "120116/120116115/120116115202/120116115202001"), kCase));
  EXPECT_FALSE(is_told(actor(Role::system_admin, "120116"), kCase));
}

TEST(LiveHub, APageTakesWhatWasPublished) {
  LiveHub hub;
  const auto page = hub.open(actor(Role::leader, "120116"), {});
  EXPECT_EQ(page->take(), "");
  hub.publish(kCase);
  hub.publish(kDuty);
  hub.publish({"case", "c2", "310000", 1});
  EXPECT_EQ(page->take(),
            "event: change\ndata: {\"kind\":\"case\",\"id\":\"c1\",\"version\":3}\n\n"
            "event: change\ndata: {\"kind\":\"duty\",\"id\":\"m1\",\"version\":0}\n\n");
  EXPECT_EQ(page->take(), "");
}

TEST(LiveHub, OnlyTheNewestVersionOfAThingWaits) {
  LiveHub hub;
  const auto page = hub.open(actor(Role::leader, "120116"), {});
  for (std::uint64_t version = 1; version <= 1000; ++version) hub.publish({"case", "c1", "120116", version});
  EXPECT_EQ(page->take(), "event: change\ndata: {\"kind\":\"case\",\"id\":\"c1\",\"version\":1000}\n\n");
}

TEST(LiveHub, ASlowPageIsToldToFetchAgainInsteadOfGrowing) {
  LiveHub hub(4);
  const auto page = hub.open(actor(Role::leader, "120116"), {});
  for (int i = 0; i < 4; ++i) hub.publish({"case", std::to_string(i), "120116", 1});
  hub.publish({"case", "4", "120116", 1});
  hub.publish({"case", "5", "120116", 1});
  EXPECT_EQ(page->take(), "event: resync\ndata: {}\n\n");
  hub.publish({"case", "6", "120116", 1});
  EXPECT_EQ(page->take(), "event: change\ndata: {\"kind\":\"case\",\"id\":\"6\",\"version\":1}\n\n");
}

TEST(LiveHub, WakesOnceUntilTaken) {
  LiveHub hub;
  const auto page = hub.open(actor(Role::leader, "120116"), {});
  int woken = 0;
  hub.publish({"case", "0", "120116", 1});
  page->on_ready([&] { ++woken; });
  EXPECT_EQ(woken, 1);  // something waited already
  page->take();
  hub.publish({"case", "1", "120116", 1});
  hub.publish({"case", "2", "120116", 1});
  EXPECT_EQ(woken, 2);
  page->on_ready(nullptr);
  page->take();
  hub.publish({"case", "3", "120116", 1});
  EXPECT_EQ(woken, 2);
}

TEST(LiveHub, ForgetsClosedPages) {
  LiveHub hub;
  auto page = hub.open(actor(Role::leader, "120116"), {});
  EXPECT_EQ(hub.pages(), 1U);
  page.reset();
  EXPECT_EQ(hub.pages(), 0U);
  hub.publish(kCase);
}

TEST(LiveHub, AsksWhetherThePageMayStay) {
  LiveHub hub;
  bool allowed = true;
  const auto page = hub.open(actor(Role::leader, "120116"), [&] { return allowed; });
  EXPECT_TRUE(page->still_allowed());
  allowed = false;
  EXPECT_FALSE(page->still_allowed());
}

}  // namespace
}  // namespace gridward::http
