#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/test/server_world.hpp>

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;
using domain::PlaceJudgement;

const std::string kDay = "2026-03-12";

TEST(Duty, PunchesAreJudgedAgainstTheOwnGrid) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto punch = [&](std::optional<GeoPoint> at, SignAct act) {
    auto r = hh.record(SignBody{act});
    if (at) r.fix = hh.fix(*at);
    world.clock.advance(1min);
    return r;
  };
  EXPECT_EQ(hh.receipt({punch(geo_point(39.205, 117.805), SignAct::in), punch(geo_point(39.205, 117.815), SignAct::out),
                        punch(std::nullopt, SignAct::in), punch(geo_point(39.21002, 117.805), SignAct::out)})
                .ok.size(),
            4u);
  const auto rows = must(world.duty->punches(world.actor("op"), kDay));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].place, PlaceJudgement::inside);
  EXPECT_EQ(rows[1].place, PlaceJudgement::outside) << "in a grid, but not in their own";
  EXPECT_EQ(rows[2].place, PlaceJudgement::unknown);
  EXPECT_EQ(rows[3].place, PlaceJudgement::near_edge);
  EXPECT_EQ(rows[0].actor, "m1");
  EXPECT_EQ(rows[0].actor_name, "甲");
  EXPECT_EQ(rows[0].grid, "G1");
  EXPECT_EQ(rows[0].act, SignAct::in);
  EXPECT_EQ(rows[0].clock, (ClockQuality{ClockSource::gnss, 10}));
  EXPECT_EQ(rows[3].received, world.clock.now());
  const auto live = world.live.take();
  ASSERT_FALSE(live.empty());
  EXPECT_EQ(live[0].kind, "duty");
  EXPECT_EQ(live[0].id, "m1");
  EXPECT_EQ(live[0].org_path, "120116/120116115/V1/G1");

  EXPECT_TRUE(must(world.duty->punches(world.actor("op2"), kDay)).empty());
  EXPECT_TRUE(must(world.duty->punches(world.actor("op"), "2026-03-11")).empty());
  EXPECT_EQ(must(world.duty->punches(world.actor("boss"), kDay)).size(), 4u);
  EXPECT_EQ(world.duty->punches(world.actor("u1"), kDay).error().code, ErrorCode::forbidden);
  EXPECT_EQ(world.duty->punches(world.actor("m1"), kDay).error().code, ErrorCode::forbidden);
}

TEST(Duty, TheLocalDayNotTheUtcDay) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  // 2026-03-12 00:00 in China is 16:00 UTC the day before.
  const auto midnight = from_unix_ms(1773277200000) - 9h;
  world.clock.set(midnight - 1ms);
  const auto before = hh.record(SignBody{SignAct::in});
  world.clock.set(midnight);
  const auto after = hh.record(SignBody{SignAct::out});
  EXPECT_EQ(hh.receipt({before, after}).ok.size(), 2u);
  const auto rows = must(world.duty->punches(world.actor("op"), kDay));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].record, after.id);
  EXPECT_EQ(must(world.duty->punches(world.actor("op"), "2026-03-11")).size(), 1u);
}

TEST(Duty, DaysAsTextAreChecked) {
  ServerWorld world;
  const auto code = [&](const char* day) { return world.duty->punches(world.actor("op"), day).error().code; };
  for (const auto* day : {"", "2026-3-12", "20260312", "2026-03-12 ", "2026/03/12", "-026-03-12", "2026-0x-12"}) {
    EXPECT_EQ(code(day), ErrorCode::bad_type) << day;
  }
  for (const auto* day : {"2026-02-29", "2026-13-01", "2026-00-10", "1969-12-31", "9999-01-01"}) {
    EXPECT_EQ(code(day), ErrorCode::out_of_range) << day;
  }
  EXPECT_TRUE(world.duty->punches(world.actor("op"), "2028-02-29").has_value());
}

// A handheld that was without signal since it started, its wall clock in 1970: the first heartbeat after the connection
// tells when the punches really were, also those that came in front of it.
TEST(Duty, PunchesByAWallClockAloneAreToldByTheirBoot) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto begin = world.clock.now();
  const auto by_wall_clock = [&](RecordBody body, std::chrono::seconds since) {
    auto r = hh.record(std::move(body));
    r.mono = 10s + since;
    r.at = from_unix_ms(0) + r.mono;
    r.clock = {};
    return r;
  };
  TrackBody walk;
  for (int i = 0; i < 5; ++i)
    walk.points.push_back({from_unix_ms(0) + 10s + 1min * i, geo_point(39.205, 117.805), 300});
  const auto in = by_wall_clock(SignBody{SignAct::in}, 0s);
  const auto track = by_wall_clock(walk, 6min);
  const auto out = by_wall_clock(SignBody{SignAct::out}, 30min);
  EXPECT_EQ(hh.receipt({in}).ok.size(), 1u);
  EXPECT_TRUE(must(world.duty->punches(world.actor("op"), kDay)).empty()) << "1970";

  world.clock.advance(1h);
  auto heartbeat = hh.record(StatusBody{2, 100, 3600, std::nullopt, "1"});
  heartbeat.mono = 10s + 1h;
  heartbeat.clock = {ClockSource::server, 150, 0};
  heartbeat.seq = 4;
  world.live.take();
  EXPECT_EQ(hh.receipt({heartbeat}).ok.size(), 1u);
  auto rows = must(world.duty->punches(world.actor("op"), kDay));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at, begin);
  // A crystal may have erred 360 ms in an hour. What the wall clock showed can still be told.
  EXPECT_EQ(rows[0].clock.source, ClockSource::server);
  EXPECT_EQ(rows[0].clock.error_ms, 510u);
  EXPECT_EQ(rows[0].at - Millis{rows[0].clock.offset_ms}, in.at);
  const auto live = world.live.take();
  EXPECT_TRUE(std::ranges::any_of(live, [](const auto& event) { return event.kind == "duty" && event.id == "m1"; }));

  EXPECT_EQ(hh.receipt({track, out}).ok.size(), 2u);
  const auto day = must(world.duty->member_day(world.actor("op"), "m1", kDay));
  EXPECT_EQ(day.windows, (std::vector<domain::DutyWindow>{{begin, begin + 30min}}));
  ASSERT_EQ(day.tracks.size(), 1u);
  EXPECT_EQ(day.tracks[0].points.size(), 5u);
  EXPECT_EQ(day.tracks[0].points[4].at, begin + 4min);
}

// The ordinary order after a connection: what was captured comes first, the heartbeat that tells the time last. Nothing
// may be dropped or shown at the wrong time meanwhile. Two windows, of which the second must not be swallowed by the
// first while only half of the punches have moved.
TEST(Duty, TracksAndPatrolsWaitForTheirBootsClock) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto begin = world.clock.now();
  const auto slow = 3h;
  const auto by_wall_clock = [&](RecordBody body, std::chrono::seconds since) {
    auto r = hh.record(std::move(body));
    r.mono = 10s + since;
    r.at = begin + since - slow;
    r.clock = {};
    return r;
  };
  const auto walk = [&](std::chrono::seconds from) {
    TrackBody body;
    for (int i = 0; i < 5; ++i)
      body.points.push_back({begin + from - slow + 1min * i, geo_point(39.205, 117.805), 300});
    return body;
  };
  const auto patrol = hh.fresh_id();
  const std::vector<Record> before{
      by_wall_clock(SignBody{SignAct::in}, 0s),
      by_wall_clock(PatrolBody{PatrolAct::start, patrol, "", {}}, 1min),
      by_wall_clock(walk(5min), 10min),
      by_wall_clock(PatrolBody{PatrolAct::stop, patrol, "", {}}, 20min),
      by_wall_clock(SignBody{SignAct::out}, 4h),
      by_wall_clock(SignBody{SignAct::in}, 5h + 30min),
      by_wall_clock(walk(5h + 35min), 5h + 40min),
  };
  world.clock.advance(6h);
  EXPECT_EQ(hh.receipt(before).ok.size(), before.size());
  EXPECT_TRUE(must(world.duty->member_day(world.actor("op"), "m1", kDay)).patrols.empty());

  auto heartbeat = hh.record(StatusBody{0, 0, 0, std::nullopt, "1"});
  heartbeat.mono = 10s + 6h;
  heartbeat.clock = {ClockSource::server, 150, 0};
  EXPECT_EQ(hh.receipt({heartbeat}).ok.size(), 1u);
  const auto day = must(world.duty->member_day(world.actor("op"), "m1", kDay));
  EXPECT_EQ(day.windows, (std::vector<domain::DutyWindow>{{begin, begin + 4h}, {begin + 5h + 30min, std::nullopt}}));
  ASSERT_EQ(day.tracks.size(), 2u);
  EXPECT_EQ(day.tracks[0].points.front().at, begin + 5min);
  EXPECT_EQ(day.tracks[1].points.front().at, begin + 5h + 35min);
  ASSERT_EQ(day.patrols.size(), 1u);
  EXPECT_EQ(day.patrols[0].started, begin + 1min);
  EXPECT_EQ(day.patrols[0].ended, begin + 20min);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.dropped_points("hh-1"); }), 0u);
}

// One that never tells the time is taken at its word after a day.
TEST(Duty, NobodyWaitsForAClockForEver) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  auto in = hh.record(SignBody{SignAct::in});
  auto track = hh.record(TrackBody{{}, {{world.clock.now() + 1min, geo_point(39.205, 117.805), 300}}});
  in.clock = track.clock = {};
  EXPECT_EQ(hh.receipt({in, track}).ok.size(), 2u);
  const auto tracks = [&] { return must(world.duty->member_day(world.actor("op"), "m1", kDay)).tracks.size(); };
  EXPECT_EQ(tracks(), 0u);
  world.clock.advance(24h);
  auto report = hh.report("一天以后");
  report.clock = {};
  EXPECT_EQ(hh.receipt({report}).ok.size(), 1u);
  EXPECT_EQ(tracks(), 1u);
}

// Its tracks tell by satellites, its punches had no fix: in whatever order they come.
TEST(Duty, ATrackTellsTheClockOfItsPunches) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto begin = world.clock.now();
  auto in = hh.record(SignBody{SignAct::in});
  in.mono = 10s;
  in.at = begin - 3h;
  in.clock = {};
  auto track = hh.record(TrackBody{{}, {{begin + 5min, geo_point(39.205, 117.805), 300}}});
  track.mono = 10s + 5min;
  track.at = begin + 5min;
  auto out = hh.record(SignBody{SignAct::out});
  out.mono = 10s + 1h;
  out.at = begin - 2h;
  out.clock = {};
  EXPECT_EQ(hh.receipt({in, out}).ok.size(), 2u);
  EXPECT_EQ(hh.receipt({track}).ok.size(), 1u);
  const auto day = must(world.duty->member_day(world.actor("op"), "m1", kDay));
  EXPECT_EQ(day.windows, (std::vector<domain::DutyWindow>{{begin, begin + 1h}}));
  EXPECT_EQ(day.tracks.size(), 1u);
}

TEST(Duty, AnotherBootOrAWorseClockTellsNothing) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto punch_at = [&] { return must(world.duty->punches(world.actor("op"), kDay)).at(0); };
  auto in = hh.record(SignBody{SignAct::in});
  in.at -= 2h;
  in.clock = {};
  auto other = hh.record(StatusBody{0, 0, 0, std::nullopt, "1"});
  other.boot = hh.fresh_id();
  auto unsure = hh.record(StatusBody{0, 0, 0, std::nullopt, "1"});
  unsure.clock = {};
  EXPECT_EQ(hh.receipt({in, other, unsure}).ok.size(), 3u);
  EXPECT_EQ(punch_at().at, in.at);
  EXPECT_EQ(punch_at().clock, ClockQuality{});

  // The best that is known counts, in whatever order it comes: satellites before a receipt, a close bound before a
  // wide.
  auto by_server = hh.record(StatusBody{0, 0, 0, std::nullopt, "1"});
  by_server.clock = {ClockSource::server, 100, 0};
  EXPECT_EQ(hh.receipt({by_server}).ok.size(), 1u);
  EXPECT_EQ(punch_at().clock.source, ClockSource::server);
  const auto told = punch_at();
  auto wide = hh.record(StatusBody{0, 0, 0, std::nullopt, "1"});
  wide.at += 5min;
  wide.clock = {ClockSource::server, 9'000, 0};
  auto later = hh.record(SignBody{SignAct::out});
  later.at -= 2h;
  later.clock = {};
  EXPECT_EQ(hh.receipt({wide, later}).ok.size(), 2u);
  EXPECT_EQ(punch_at().at, told.at) << "what is told once stands";
  const auto rows = must(world.duty->punches(world.actor("op"), kDay));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].at - rows[0].at, later.mono - in.mono) << "by the close bound, not by the wide one";
}

TEST(Duty, AMembersDay) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto start_of_day = world.clock.now();
  const auto in = hh.record(SignBody{SignAct::in});
  const Uuid patrol = hh.fresh_id();
  auto start = hh.record(PatrolBody{PatrolAct::start, patrol, "", {}});
  TrackBody body;
  body.patrol = patrol;
  // 0.001 degrees of latitude are 111.2 m.
  for (int i = 0; i <= 10; ++i)
    body.points.push_back({world.clock.now() + 60s * i, geo_point(39.201 + i * 1e-4, 117.805), 300});
  world.clock.advance(30min);
  const auto track = hh.record(body);
  const std::vector<CheckItem> checks{{"消防通道", true, ""}, {"井盖", false, "缺一个"}};
  const auto stop = hh.record(PatrolBody{PatrolAct::stop, patrol, "一切正常", checks});
  const auto out = hh.record(SignBody{SignAct::out});
  EXPECT_EQ(hh.receipt({in, start, track, stop, out}).ok.size(), 5u);

  const auto day = must(world.duty->member_day(world.actor("op"), "m1", kDay));
  EXPECT_EQ(day.login, "m1");
  EXPECT_EQ(day.name, "甲");
  EXPECT_EQ(day.grid, "G1");
  ASSERT_TRUE(day.grid_node && day.grid_node->outline);
  EXPECT_EQ(day.punches.size(), 2u);
  EXPECT_EQ(day.windows, (std::vector<domain::DutyWindow>{{start_of_day, start_of_day + 30min}}));
  ASSERT_EQ(day.patrols.size(), 1u);
  EXPECT_EQ(day.patrols[0].patrol, patrol);
  EXPECT_EQ(day.patrols[0].started, start_of_day);
  EXPECT_EQ(day.patrols[0].ended, start_of_day + 30min);
  EXPECT_EQ(day.patrols[0].text, "一切正常");
  EXPECT_EQ(day.patrols[0].checks, checks);
  ASSERT_EQ(day.tracks.size(), 1u);
  EXPECT_EQ(day.tracks[0].points, body.points);
  EXPECT_NEAR(day.track_m, 111.2, 0.5);

  EXPECT_TRUE(world.duty->member_day(world.actor("m1"), "m1", kDay).has_value()) << "everybody sees their own";
  EXPECT_EQ(world.duty->member_day(world.actor("m2"), "m1", kDay).error().code, ErrorCode::forbidden);
  EXPECT_EQ(world.duty->member_day(world.actor("op2"), "m1", kDay).error().code, ErrorCode::not_found);
  EXPECT_EQ(world.duty->member_day(world.actor("op"), "nobody", kDay).error().code, ErrorCode::not_found);
}

TEST(Duty, ANightShiftBelongsToBothDays) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto midnight = from_unix_ms(1773277200000) - 9h;
  world.clock.set(midnight - 2h);
  const auto in = hh.record(SignBody{SignAct::in});
  world.clock.set(midnight + 2h);
  const auto out = hh.record(SignBody{SignAct::out});
  EXPECT_EQ(hh.receipt({in, out}).ok.size(), 2u);
  const domain::DutyWindow window{midnight - 2h, midnight + 2h};
  const auto second = must(world.duty->member_day(world.actor("op"), "m1", kDay));
  EXPECT_EQ(second.windows, std::vector{window});
  EXPECT_EQ(second.punches.size(), 1u);
  const auto next = must(world.duty->member_day(world.actor("op"), "m1", "2026-03-13"));
  EXPECT_TRUE(next.windows.empty());
}

TEST(Duty, AForgottenSignOutDoesNotFollowTheMemberForDays) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto in = hh.record(SignBody{SignAct::in});
  const auto signed_in = world.clock.now();
  TrackBody same_day;
  same_day.points.push_back({signed_in + 20h, geo_point(39.205, 117.805), 0});
  TrackBody days_later;
  days_later.points.push_back({signed_in + 60h, geo_point(39.205, 117.805), 0});
  EXPECT_EQ(hh.receipt({in, hh.record(same_day), hh.record(days_later)}).ok.size(), 3u);
  EXPECT_EQ(world.read([&](app::Tx& tx) { return tx.tracks_of("m1", signed_in, signed_in + 90h); }).size(), 1u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.dropped_points("hh-1"); }), 1u);
}

TEST(Duty, APatrolsEndMayComeFirst) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Uuid patrol = hh.fresh_id();
  const auto began = world.clock.now();
  const auto start = hh.record(PatrolBody{PatrolAct::start, patrol, "", {}});
  world.clock.advance(1h);
  const auto stop = hh.record(PatrolBody{PatrolAct::stop, patrol, "完", {}});
  EXPECT_EQ(hh.receipt({stop}).ok.size(), 1u);
  EXPECT_EQ(hh.receipt({start}).ok.size(), 1u);
  const auto row = world.read([&](app::Tx& tx) { return tx.find_patrol(patrol); }).value();
  EXPECT_EQ(row.started, began);
  EXPECT_EQ(row.ended, began + 1h);
  EXPECT_EQ(row.text, "完");
  // Another member cannot write into it.
  Handheld other(world, "hh-2", "m2");
  EXPECT_EQ(other.receipt({other.record(PatrolBody{PatrolAct::stop, patrol, "别人", {}})}).bad.at(0).code,
            ErrorCode::forbidden);
}

}  // namespace
}  // namespace gridward
