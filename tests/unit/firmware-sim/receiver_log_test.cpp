#include <gtest/gtest.h>

#include <gridward_sim/receiver_log.hpp>

namespace gridward::sim {
namespace {

TEST(ReceiverLog, BeginsWithTheFirstFixOfAnyKind) {
  const std::string before =
      "$GPGGA,000000,,,,,0,00,,,M,,M,,*66\r\n$GPRMC,000000,V,,,,,,,010120,,,N*4F\r\n$GNGNS,000000,,,,,NN,00,,,,,*40\r\n"
      "$GPGSA,A,1,,,,,,,,,,,,,,,*1E\r\n$GPGLL,,,,,000000,V,N*48\r\n";
  for (const std::string fix :
       {"$GPRMC,000001,A,3900.0,N,11700.0,E,0,0,010120,,,A*00\r\n",
        "$GPGGA,000001,3900.0,N,11700.0,E,1,05,1,0,M,0,M,,*00\r\n",
        "$GNGNS,000001,3900.0,N,11700.0,E,AN,05,1,0,0,,*00\r\n", "$GPGLL,3900.0,N,11700.0,E,000001,A,A*00\r\n"}) {
    EXPECT_EQ(from_first_fix(before + fix + before), fix + before);
  }
  EXPECT_TRUE(from_first_fix(before).empty());
  EXPECT_TRUE(from_first_fix("").empty());
}

TEST(ReceiverLog, FixesAreReadOnceForEachTimeAndOverMidnight) {
  const auto fixes = read_fixes(
      "$GPGGA,235959,,,,,0,00,,,M,,M,,\r\n$GPRMC,235959.50,A,3900.0000,N,11700.0000,E,0,0,010120,,,A\r\n"
      "$GPGGA,235959.50,3900.0000,N,11700.0000,E,1,05,1.2,0,M,0,M,,\r\nnoise\r\n"
      "$GPGSA,A,1,,,,,,,,,,,,,,,\r\n$GPGLL,3900.6000,S,11700.0000,W,000000.25,A,A\r\n"
      "$GPRMC,000001,V,3900.0000,N,11700.0000,E,0,0,010120,,,N\r\n$GNGNS,000002,3900.0,N,11700.0,E,AN,05,2,0,0,,\r\n"
      "$GPRMC,000001.50,A,3900.0,N,11700.0,E,0,0,020120,,,A\r\n");
  ASSERT_EQ(fixes.size(), 3U);
  EXPECT_EQ(fixes[0].at_ms, 0);
  EXPECT_EQ(fixes[0].point, geo_point(39, 117));
  EXPECT_EQ(fixes[0].accuracy_m, 6);
  EXPECT_EQ(fixes[1].at_ms, 750);
  EXPECT_EQ(fixes[1].point, geo_point(-39.01, -117));
  EXPECT_EQ(fixes[1].accuracy_m, 0);
  EXPECT_EQ(fixes[2].at_ms, 2500);
  EXPECT_EQ(fixes[2].accuracy_m, 10);
  EXPECT_TRUE(read_fixes("").empty());
}

}  // namespace
}  // namespace gridward::sim
