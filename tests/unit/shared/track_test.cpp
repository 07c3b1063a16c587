#include <gtest/gtest.h>

#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>

#include "samples.hpp"

namespace gridward {
namespace {

TEST(Track, RoundTripsWhatAMemberWalks) {
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{200}, limits::kTrackPoints}) {
    const auto points = samples::walk(count);
    EXPECT_EQ(unpack_track(pack_track(points)), points) << count;
  }
}

TEST(Track, TwoHundredPointsAreSmall) {
  const auto packed = pack_track(samples::walk(200));
  RecordProperty("bytes", static_cast<int>(packed.size()));
  EXPECT_LE(packed.size(), 2600U);
}

TEST(Track, ExtremesRoundTrip) {
  const std::vector<TrackPoint> points{
      {from_unix_ms(limits::kEarliestMs), {-900'000'000, -1'800'000'000}, 0},
      {from_unix_ms(limits::kLatestMs), {900'000'000, 1'800'000'000}, 0xFFFF'FFFF},
      {from_unix_ms(limits::kEarliestMs), {-900'000'000, 1'800'000'000}, 0},
  };
  EXPECT_EQ(unpack_track(pack_track(points)), points);
}

TEST(Track, OnePointMoreThanTheLimit) {
  const auto result = unpack_track(pack_track(samples::walk(limits::kTrackPoints + 1)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::too_large);
  EXPECT_EQ(result.error().detail, "601 points, at most 600");
}

TEST(Track, EveryPrefixIsRefused) {
  const auto packed = pack_track(samples::walk(40));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const auto result = unpack_track(ByteView(packed).first(size));
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::malformed) << size;
  }
}

TEST(Track, EveryChangedByteGivesPointsInRangeOrAnError) {
  const auto packed = pack_track(samples::walk(40));
  for (std::size_t at = 0; at < packed.size(); ++at) {
    for (unsigned change = 1; change < 256; ++change) {
      auto bytes = packed;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ change);
      const auto result = unpack_track(bytes);
      if (!result) continue;
      EXPECT_EQ(pack_track(*result), bytes) << at;
    }
  }
}

}  // namespace
}  // namespace gridward
