#include "fixture.hpp"

namespace gridward::storage {
namespace {

using DutyRows = StoreTest;
GRIDWARD_ON_BOTH(DutyRows);

void add_member(app::Tx& tx, const std::string& login, const std::string& town) {
  tx.upsert_org({town, "120116", "120116/" + town, app::OrgKind::town, town, std::nullopt});
  app::User user;
  user.login = login;
  user.name = "名" + login;
  user.org = town;
  tx.upsert_user(user);
}

app::PunchRow punch(std::uint32_t number, std::string actor, UnixMs when) {
  app::PunchRow row;
  row.record = id(number);
  row.actor = std::move(actor);
  row.device = "hh-1";
  row.at = when;
  row.received = when + Millis(5);
  return row;
}

TEST_P(DutyRows, PunchesWithoutAClockAreFoundByTheirBootAndTimed) {
  auto unsure = punch(1, "m1", at(10));
  unsure.boot = id(77);
  auto sure = punch(2, "m1", at(11));
  sure.boot = id(77);
  sure.clock.source = ClockSource::server;
  auto other = punch(3, "m1", at(12));
  other.boot = id(78);
  write([&](app::Tx& tx) {
    add_member(tx, "m1", "120116115");
    for (const auto& row : {unsure, sure, other}) tx.insert_punch(row);
    auto found = tx.unconfirmed_punches("hh-1", id(77));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].record, unsure.record);
    found[0].at = at(20);
    found[0].clock = {ClockSource::server, 5, -10};
    tx.time_punch(found[0]);
    EXPECT_TRUE(tx.unconfirmed_punches("hh-1", id(77)).empty());
    EXPECT_TRUE(tx.unconfirmed_punches("hh-2", id(78)).empty());
  });
  read([&](app::Tx& tx) {
    const auto rows = tx.punches_of("m1", at(0), at(30));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[2].record, unsure.record);
    EXPECT_EQ(rows[2].at, at(20));
    EXPECT_EQ(rows[2].clock, (ClockQuality{ClockSource::server, 5, -10}));
  });
}

TEST_P(DutyRows, ABootHasOneClock) {
  const ClockReading first{at(10), Millis{5}, {ClockSource::server, 100, 0}};
  const ClockReading second{at(-10), Millis{8}, {ClockSource::gnss, 0, 0}};
  write([&](app::Tx& tx) {
    EXPECT_FALSE(tx.clock_of("hh-1", id(1)));
    tx.put_clock("hh-1", id(1), first);
    tx.put_clock("hh-2", id(1), second);
    EXPECT_EQ(tx.clock_of("hh-1", id(1)), first);
    tx.put_clock("hh-1", id(1), second);
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.clock_of("hh-1", id(1)), second);
    EXPECT_FALSE(tx.clock_of("hh-1", id(2)));
  });
}

TEST_P(DutyRows, APunchComesBackWithAllItSays) {
  auto full = punch(1, "m1", at(10));
  full.act = SignAct::out;
  full.clock = {ClockSource::gnss, 4'000'000'000U, -7'200'000};
  full.boot = id(77);
  full.mono = Millis{86'400'000};
  full.fix = Fix{{-900000000, 1800000000}, 0, FixSource::manual, Datum::gcj02, true, at(9)};
  full.place = domain::PlaceJudgement::near_edge;
  full.grid = "120116115201001";
  auto plain = punch(2, "m1", at(20));
  plain.fix = Fix{{1, 2}, std::nullopt, FixSource::gnss, Datum::wgs84, false, at(19)};
  write([&](app::Tx& tx) {
    add_member(tx, "m1", "120116115");
    tx.insert_punch(full);
    tx.insert_punch(plain);
    tx.insert_punch(punch(3, "m1", at(30)));
  });
  read([&](app::Tx& tx) {
    const auto rows = tx.punches_of("m1", at(10), at(30));
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].record, full.record);
    EXPECT_EQ(rows[0].actor_name, "名m1");
    EXPECT_EQ(rows[0].device, "hh-1");
    EXPECT_EQ(rows[0].act, SignAct::out);
    EXPECT_EQ(rows[0].at, full.at);
    EXPECT_EQ(rows[0].received, full.received);
    EXPECT_EQ(rows[0].clock, full.clock);
    EXPECT_EQ(rows[0].boot, full.boot);
    EXPECT_EQ(rows[0].mono, full.mono);
    EXPECT_EQ(rows[0].fix, full.fix);
    EXPECT_EQ(rows[0].place, full.place);
    EXPECT_EQ(rows[0].grid, full.grid);
    EXPECT_EQ(rows[1].fix, plain.fix);
    EXPECT_FALSE(tx.punches_of("m1", at(30), at(31)).at(0).fix);
  });
}

TEST_P(DutyRows, PunchesBelowStayWhereTheMemberWasThen) {
  write([](app::Tx& tx) {
    add_member(tx, "m1", "120116115");
    add_member(tx, "m2", "120116116");
    tx.insert_punch(punch(1, "m2", at(3)));
    tx.insert_punch(punch(2, "m1", at(2)));
    tx.insert_punch(punch(3, "m1", at(1)));
    tx.insert_punch(punch(4, "stranger", at(1)));
    // The member moves; the punches of before do not.
    add_member(tx, "m1", "120116116");
    tx.insert_punch(punch(5, "m1", at(4)));
  });
  read([](app::Tx& tx) {
    const auto numbers = [&](std::string_view path, UnixMs from, UnixMs to) {
      std::vector<Uuid> ids;
      for (const auto& row : tx.punches_below(path, from, to)) ids.push_back(row.record);
      return ids;
    };
    EXPECT_EQ(numbers("120116/120116115", at(0), at(100)), (std::vector<Uuid>{id(3), id(2)}));
    EXPECT_EQ(numbers("120116", at(2), at(4)), (std::vector<Uuid>{id(2), id(1)}));
    EXPECT_EQ(numbers("120116/120116116", at(0), at(100)), (std::vector<Uuid>{id(1), id(5)}));
    EXPECT_EQ(numbers("", at(0), at(100)).size(), 5U);
    EXPECT_TRUE(numbers("120116/1201161", at(0), at(100)).empty());
  });
}

TEST_P(DutyRows, APatrolIsStartedAndThenFilled) {
  app::PatrolRow patrol{id(1), "m1", "hh-1", at(10), std::nullopt, "", {}};
  const auto check = [&](app::Tx& tx) {
    const auto found = tx.find_patrol(id(1)).value();
    EXPECT_EQ(found.actor, "m1");
    EXPECT_EQ(found.device, patrol.device);
    EXPECT_EQ(found.started, patrol.started);
    EXPECT_EQ(found.ended, patrol.ended);
    EXPECT_EQ(found.text, patrol.text);
    EXPECT_EQ(found.checks, patrol.checks);
  };
  write([&](app::Tx& tx) {
    tx.upsert_patrol(patrol);
    check(tx);
    EXPECT_FALSE(tx.find_patrol(id(2)));
  });
  patrol.ended = at(500);
  patrol.text = "巡查两处\n\"一切正常\"";
  patrol.checks = {{"消防通道", true, ""}, {"井盖", false, "破损 \\ 缺失"}};
  write([&](app::Tx& tx) {
    tx.upsert_patrol(patrol);
    tx.upsert_patrol({id(2), "m1", "hh-1", at(5), std::nullopt, "", {}});
    tx.upsert_patrol({id(3), "m2", "hh-1", at(6), std::nullopt, "", {}});
  });
  read([&](app::Tx& tx) {
    check(tx);
    const auto day = tx.patrols_of("m1", at(5), at(11));
    ASSERT_EQ(day.size(), 2U);
    EXPECT_EQ(day[0].patrol, id(2));
    EXPECT_EQ(day[1].patrol, id(1));
    EXPECT_EQ(tx.patrols_of("m1", at(6), at(10)).size(), 0U);
  });
}

TEST_P(DutyRows, TracksThatTouchTheSpanComeBackPointByPoint) {
  constexpr std::int64_t kHour = 3'600'000;
  const auto track = [](std::uint32_t number, std::int64_t from, std::int64_t to) {
    app::TrackRow row{id(number), "m1", "hh-1", id(50), {}};
    row.points = {{at(from), {390000000, 1170000000}, 350}, {at(to), {389999999, 1170000123}, 0}};
    return row;
  };
  const auto before = track(1, kHour - 20, kHour - 10);
  const auto across = track(2, kHour - 60'000, kHour + 60'000);
  const auto within = track(3, kHour + 100'000, kHour + 100'000);
  const auto after = track(4, 2 * kHour, 2 * kHour + 1);
  write([&](app::Tx& tx) {
    for (const auto* row : {&after, &within, &across, &before}) tx.insert_track(*row);
    auto other = track(5, kHour, kHour);
    other.actor = "m2";
    tx.insert_track(other);
    tx.insert_track({id(6), "m1", "hh-1", {}, {}});
  });
  read([&](app::Tx& tx) {
    const auto rows = tx.tracks_of("m1", at(kHour), at(2 * kHour));
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].record, id(2));
    EXPECT_EQ(rows[0].patrol, id(50));
    EXPECT_EQ(rows[0].device, "hh-1");
    EXPECT_EQ(rows[0].points, across.points);
    EXPECT_EQ(rows[1].points, within.points);
    EXPECT_EQ(tx.tracks_of("m1", at(0), at(9 * kHour)).size(), 4U);
  });
}

TEST_P(DutyRows, ATrackIsCutOrRemoved) {
  write([](app::Tx& tx) {
    app::TrackRow row{id(1), "m1", "hh-1", {}, {}};
    for (int i = 0; i < 4; ++i) row.points.push_back({at(i * 1000), {1, 2}, 3});
    tx.insert_track(row);
    row.record = id(2);
    tx.insert_track(row);
  });
  write([](app::Tx& tx) {
    auto rows = tx.tracks_of("m1", at(0), at(9000));
    ASSERT_EQ(rows.size(), 2U);
    rows[0].points.resize(2);
    tx.update_track(rows[0]);
    rows[1].points.clear();
    tx.update_track(rows[1]);
  });
  read([](app::Tx& tx) {
    const auto rows = tx.tracks_of("m1", at(0), at(9000));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].record, id(1));
    EXPECT_EQ(rows[0].points.size(), 2U);
    EXPECT_TRUE(tx.tracks_of("m1", at(1001), at(9000)).empty()) << "found by where it ends now";
  });
}

TEST_P(DutyRows, DroppedPointsAreOnlyCounted) {
  write([](app::Tx& tx) {
    EXPECT_EQ(tx.dropped_points("hh-1"), 0U);
    tx.count_dropped_points("hh-1", "20261122", 7);
    tx.count_dropped_points("hh-1", "20261122", 3);
    tx.count_dropped_points("hh-1", "20261123", 5);
    tx.count_dropped_points("hh-2", "20261123", 1);
  });
  read([](app::Tx& tx) { EXPECT_EQ(tx.dropped_points("hh-1"), 15U); });
}

}  // namespace
}  // namespace gridward::storage
