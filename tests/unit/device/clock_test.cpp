#include <gtest/gtest.h>

#include <gridward/shared/limits.hpp>
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

TEST(Clock, TheReceiversTimeWinsWhenItAgrees) {
  // Taken 3 s ago, now 3.4 s later by the wall clock.
  const auto quality = judge_clock(kWall, Millis{10'000}, boot(1), fix(to_unix_ms(kWall) - 3'400, 7'000), std::nullopt);
  EXPECT_EQ(quality, (ClockQuality{ClockSource::gnss, 400}));
}

TEST(Clock, AReceiverThatDisagreesIsNotBelieved) {
  EXPECT_EQ(judge_clock(kWall, Millis{10'000}, boot(1), fix(to_unix_ms(kWall) - 619'315'200'000, 10'000), std::nullopt),
            (ClockQuality{ClockSource::local, 0}));
  auto mocked = fix(to_unix_ms(kWall), 10'000);
  mocked->mock = 1;
  EXPECT_EQ(judge_clock(kWall, Millis{10'000}, boot(1), mocked, std::nullopt).source, ClockSource::local);
  auto network = fix(to_unix_ms(kWall), 10'000);
  network->source = GW_FIX_NETWORK;
  EXPECT_EQ(judge_clock(kWall, Millis{10'000}, boot(1), network, std::nullopt).source, ClockSource::local);
  EXPECT_EQ(judge_clock(kWall, Millis{10'000}, boot(1), fix(0, 10'000), std::nullopt).source, ClockSource::local);
}

TEST(Clock, TheServersTimeIsCarriedOnByTheMonotonicClock) {
  ServerTime server{kWall - Millis{60'000}, Millis{10'000}, boot(1), 120};
  // A minute later by the monotonic clock, and by the wall clock, too; the crystal may be 6 ms off by then.
  EXPECT_EQ(judge_clock(kWall, Millis{70'000}, boot(1), std::nullopt, server),
            (ClockQuality{ClockSource::server, 126}));
  // The wall clock was set an hour back: the bound says so.
  EXPECT_EQ(judge_clock(kWall - Millis{3'600'000}, Millis{70'000}, boot(1), std::nullopt, server),
            (ClockQuality{ClockSource::server, 3'600'126}));
}

TEST(Clock, AnotherBootKnowsNothing) {
  ServerTime server{kWall, Millis{10'000}, boot(1), 120};
  EXPECT_EQ(judge_clock(kWall, Millis{20'000}, boot(2), std::nullopt, server).source, ClockSource::local);
  EXPECT_EQ(judge_clock(kWall, Millis{5'000}, boot(1), std::nullopt, server).source, ClockSource::local);
}

TEST(Clock, OneThatIsFarOutLosesNoRecord) {
  gw_ports given{};
  given.struct_size = sizeof given;
  given.wall_ms = [](void*) -> std::int64_t { return INT64_MAX; };
  given.mono_ms = [](void*) -> std::int64_t { return -5; };
  const Ports ports(&given, {});
  EXPECT_EQ(ports.wall(), from_unix_ms(limits::kLatestMs));
  EXPECT_EQ(ports.mono(), Millis{0});
  EXPECT_EQ(judge_clock(kWall, Millis{10'000}, boot(1), fix(INT64_MIN, 10'000), std::nullopt).source,
            ClockSource::local);
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
