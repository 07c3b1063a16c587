#include <gtest/gtest.h>

#include <gridward_sim/nmea.hpp>
#include <vector>

namespace gridward::sim {
namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = text.find("\r\n", from);
    result.push_back(text.substr(from, end - from));
    from = end + 2;
  }
  return result;
}

std::string log(std::initializer_list<std::string_view> bodies) {
  std::string text = "# a comment\n";
  for (const auto body : bodies) text += nmea_sentence(body) + "\r\n";
  return text;
}

const NmeaMove kMove{geo_point(39.28, 117.80), from_unix_ms(1'790'000'000'000), 0, true};  // 2026-09-21T14:13:20Z

TEST(Nmea, MovesPlaceAndTimeAndMakesChecksums) {
  const auto moved = move_nmea(log({"GPRMC,235958.000,A,4721.5000,N,00833.0000,E,1.0,90.0,311299,,,A",
                                    "GPGGA,235959.500,4721.5060,N,00833.0000,E,1,08,1.0,400.0,M,48.0,M,,",
                                    "GPGLL,4721.5000,N,00833.0120,E,000000.500,A,A"}),
                               kMove);
  ASSERT_TRUE(moved) << to_string(moved.error());
  const auto out = lines(moved->text);
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[0], nmea_sentence("GPRMC,141320.000,A,3916.80000,N,11748.00000,E,1.0,90.0,210926,,,A"));
  // 0.006 minutes north, one and a half seconds later.
  EXPECT_EQ(out[1], nmea_sentence("GPGGA,141321.500,3916.80600,N,11748.00000,E,1,08,1.0,400.0,M,48.0,M,,"));
  // East: more degrees for the same metres nearer to the equator? Fewer: 39° is farther from the pole than 47°.
  EXPECT_EQ(out[2].substr(0, 33), "$GPGLL,3916.80000,N,11748.01050,E");
  EXPECT_NE(out[2].find(",141322.500,A,A*"), std::string::npos) << out[2];  // over midnight
  EXPECT_EQ(moved->fixes, 3);
  EXPECT_DOUBLE_EQ(moved->span_s, 2.5);
}

TEST(Nmea, DistancesStayTheSame) {
  const auto moved = move_nmea(log({"GPGGA,000000,6000.0000,S,17900.0000,W,1,08,1.0,0,M,0,M,,",
                                    "GPGGA,000001,6000.0000,S,17900.5000,W,1,08,1.0,0,M,0,M,,"}),
                               kMove);
  ASSERT_TRUE(moved);
  const auto out = lines(moved->text);
  const auto lon_minutes = [](const std::string& line) { return std::stod(line.substr(line.find(",N,") + 6, 8)); };
  const double metres_before = distance_m(geo_point(-60, -179), geo_point(-60, -179 - 0.5 / 60));
  const double minutes = lon_minutes(out[0]) - lon_minutes(out[1]);
  EXPECT_NEAR(distance_m(geo_point(39.28, 117.8), geo_point(39.28, 117.8 + minutes / 60)), metres_before, 0.5);
}

TEST(Nmea, LeavesOutTheStartWithoutAFixAndWhatItCannotMove) {
  const std::string text =
      log({"GPGGA,000000,,,,,0,00,,,M,,M,,", "GPGSV,1,1,00", "PGRME,15.0,M,45.0,M,25.0,M",
           "GPGGA,000001,4721.5,N,00833.0,E,1,08,1.0,0,M,0,M,,", "GPGSA,A,3,01,02,03,,,,,,,,,,2,1,2"}) +
      "$GPGGA,000002,4721.5,N,00833.0,E,1,08,1.0,0,M,0,M,,*00\nnoise\n";
  const auto moved = move_nmea(text, kMove);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->sentences, 2);
  EXPECT_EQ(moved->dropped, 3);
  auto all = kMove;
  all.from_first_fix = false;
  EXPECT_EQ(move_nmea(text, all)->sentences, 4);
  EXPECT_EQ(move_nmea(log({"GPGSV,1,1,00"}), kMove).error().code, ErrorCode::malformed);
  EXPECT_FALSE(move_nmea("", kMove));
}

TEST(Nmea, ALongWalkCanBeShrunkIntoAGrid) {
  const auto text = log({"GPGGA,000000,4700.0000,N,00800.0000,E,1,08,1.0,0,M,0,M,,",
                         "GPGGA,000001,4710.0000,N,00800.0000,E,1,08,1.0,0,M,0,M,,"});
  auto move = kMove;
  move.within_m = 100;
  const auto moved = move_nmea(text, move);
  ASSERT_TRUE(moved);
  const auto out = lines(moved->text);
  const double minutes = std::stod(out[1].substr(out[1].find(",39") + 3, 8));
  EXPECT_NEAR((minutes - 16.8) * 1853, 100, 1.5);
}

TEST(Nmea, ADateThatComesLateIsNoJumpOfYears) {
  const auto moved =
      move_nmea(log({"GPGGA,100000,4721.5,N,00833.0,E,1,08,1.0,0,M,0,M,,",
                     "GPRMC,100001,A,4721.5,N,00833.0,E,1.0,90.0,120620,,,A", "GPZDA,100002,12,06,2020,00,00"}),
                kMove);
  ASSERT_TRUE(moved);
  const auto out = lines(moved->text);
  EXPECT_NE(out[0].find("GPGGA,141320.000"), std::string::npos);
  EXPECT_NE(out[1].find(",210926,"), std::string::npos) << out[1];
  EXPECT_NE(out[2].find(",21,09,2026,"), std::string::npos) << out[2];
}

}  // namespace
}  // namespace gridward::sim
