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

}  // namespace
}  // namespace gridward::sim
