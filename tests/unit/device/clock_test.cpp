#include <gtest/gtest.h>

#include <gridward/shared/limits.hpp>
#include <gridward_device/clock.hpp>
#include <gridward_device/ports.hpp>

namespace gridward::device {
namespace {

Uuid boot(std::uint8_t n) {
  Uuid id;
  id.bytes.fill(n);
  return id;
}

std::optional<gw_fix> fix(std::int64_t at_ms, std::int64_t mono_ms) {
  gw_fix f{};
  f.struct_size = sizeof f;
  f.at_ms = at_ms;
  f.mono_ms = mono_ms;
  return f;
}

const UnixMs kWall = from_unix_ms(1'790'000'000'000);

const auto kNothing = std::nullopt;
const std::optional<ServerTime> kServer = ServerTime{kWall - Millis{60'000}, Millis{10'000}, boot(1), 120};
constexpr std::int64_t kRollover = 1024LL * 7 * 24 * 3600 * 1000;

ClockReading at(UnixMs wall, std::optional<gw_fix> fix, std::optional<ServerTime> server, std::uint8_t in_boot = 1) {
  return read_clock(wall, Millis{70'000}, boot(in_boot), fix, server);
}

TEST(Clock, TheWallClockStandsWhileTheReceiverAgrees) {
  // Taken 3 s ago, now 3.4 s later by the wall clock.
  EXPECT_EQ(at(kWall, fix(to_unix_ms(kWall) - 3'400, 67'000), kNothing),
            (ClockReading{kWall, Millis{70'000}, {ClockSource::gnss, 400, 0}}));
  // It counts before the server's.
  EXPECT_EQ(at(kWall, fix(to_unix_ms(kWall), 70'000), kServer).quality.source, ClockSource::gnss);
}

TEST(Clock, TheReceiverCorrectsAWallClockThatIsOff) {
  const auto ahead = kWall + Millis{7'200'000};
  const auto by_receiver = ClockReading{kWall, Millis{70'000}, {ClockSource::gnss, 2'000, -7'200'000}};
  EXPECT_EQ(at(ahead, fix(to_unix_ms(kWall) - 3'000, 67'000), kNothing), by_receiver);
  EXPECT_EQ(at(ahead, fix(to_unix_ms(kWall), 70'000), kServer), by_receiver);
  // A wall clock that was never set.
  EXPECT_EQ(at(from_unix_ms(0), fix(to_unix_ms(kWall), 70'000), kNothing).at, kWall);
}

TEST(Clock, AReceiverIsNotBelievedAgainstTheServerNorInAPastAge) {
  EXPECT_EQ(at(kWall, fix(to_unix_ms(kWall) - 60'000, 70'000), kServer),
            (ClockReading{kWall, Millis{70'000}, {ClockSource::server, 126, 0}}));
  EXPECT_EQ(at(kWall, fix(to_unix_ms(kWall) - kRollover, 70'000), kNothing),
            (ClockReading{kWall, Millis{70'000}, {ClockSource::local, 0, 0}}));
  // Not even when it has set the wall clock.
  const auto set_by_it = kWall - Millis{kRollover};
  EXPECT_EQ(at(set_by_it, fix(to_unix_ms(set_by_it), 70'000), kServer),
            (ClockReading{kWall, Millis{70'000}, {ClockSource::server, 126, kRollover}}));
  EXPECT_EQ(at(set_by_it, fix(to_unix_ms(set_by_it), 70'000), kNothing).quality.source, ClockSource::local);
}

TEST(Clock, WhatIsNoReceiversTimeDoesNotCount) {
  auto mocked = fix(to_unix_ms(kWall), 70'000);
  mocked->mock = 1;
  EXPECT_EQ(at(kWall, mocked, kNothing).quality.source, ClockSource::local);
  auto network = fix(to_unix_ms(kWall), 70'000);
  network->source = GW_FIX_NETWORK;
  EXPECT_EQ(at(kWall, network, kNothing).quality.source, ClockSource::local);
  EXPECT_EQ(at(kWall, fix(0, 70'000), kNothing).quality.source, ClockSource::local);
  EXPECT_EQ(at(kWall, fix(INT64_MIN, 70'000), kNothing).quality.source, ClockSource::local);
}

TEST(Clock, TheServersTimeIsCarriedOnByTheMonotonicClock) {
  // A minute later by the monotonic clock, and by the wall clock, too; the crystal may be 6 ms off by then.
  EXPECT_EQ(at(kWall, kNothing, kServer), (ClockReading{kWall, Millis{70'000}, {ClockSource::server, 126, 0}}));
  // A second off is less than what is worth a correction; the bound says it.
  EXPECT_EQ(at(kWall + Millis{1'000}, kNothing, kServer),
            (ClockReading{kWall + Millis{1'000}, Millis{70'000}, {ClockSource::server, 1'126, 0}}));
  // The wall clock was set an hour back.
  EXPECT_EQ(at(kWall - Millis{3'600'000}, kNothing, kServer),
            (ClockReading{kWall, Millis{70'000}, {ClockSource::server, 126, 3'600'000}}));
}

TEST(Clock, AnotherBootKnowsNothing) {
  EXPECT_EQ(at(kWall, kNothing, kServer, 2).quality.source, ClockSource::local);
  auto later = kServer;
  later->mono = Millis{70'001};
  EXPECT_EQ(at(kWall, kNothing, later).quality.source, ClockSource::local);
}

TEST(Clock, OneThatIsFarOutLosesNoRecord) {
  gw_ports given{};
  given.struct_size = sizeof given;
  given.wall_ms = [](void*) -> std::int64_t { return INT64_MAX; };
  given.mono_ms = [](void*) -> std::int64_t { return -5; };
  const Ports ports(&given, {});
  EXPECT_EQ(ports.wall(), from_unix_ms(limits::kLatestMs));
  EXPECT_EQ(ports.mono(), Millis{0});
}

TEST(Fix, IsCarriedOverWithItsDoubts) {
  gw_fix given{};
  given.struct_size = sizeof given;
  given.lat_e7 = 390'000'000;
  given.lon_e7 = 1'177'000'000;
  given.datum = GW_GCJ02;
  given.source = GW_FIX_MANUAL;
  given.mock = 1;
  const auto result = to_fix(given, kWall);
  EXPECT_EQ(result.point, (GeoPoint{390'000'000, 1'177'000'000}));
  EXPECT_FALSE(result.accuracy_cm);
  EXPECT_EQ(result.datum, Datum::gcj02);
  EXPECT_EQ(result.source, FixSource::manual);
  EXPECT_TRUE(result.mock);
  EXPECT_EQ(result.at, kWall);
  given.accuracy_cm = 250;
  given.at_ms = 5;
  EXPECT_EQ(to_fix(given, kWall).accuracy_cm, 250U);
  EXPECT_EQ(to_fix(given, kWall).at, from_unix_ms(5));
  given.at_ms = INT64_MAX;  // no time at all
  EXPECT_EQ(to_fix(given, kWall).at, kWall);
}

}  // namespace
}  // namespace gridward::device
