#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gridward/sim/nmea.hpp>
#include <gridward/test/paths.hpp>
#include <numbers>
#include <random>
#include <sstream>
#include <vector>

namespace gridward::sim {
namespace {

std::filesystem::path nmea_folder() { return test::shared_data() / "nmea"; }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string with_checksum(const std::string& body) {
  unsigned sum = 0;
  for (const char c : body) sum ^= static_cast<unsigned char>(c);
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "*%02X\r\n", sum);
  return "$" + body + text.data();
}

// The lines without their CR LF; each must be a sentence with its right checksum.
std::vector<std::string> sentences(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) {
    EXPECT_FALSE(line.empty());
    if (line.empty() || line.back() != '\r') {
      ADD_FAILURE() << "no CR LF: " << line;
      continue;
    }
    const auto star = line.rfind('*');
    if (line[0] != '$' || star == std::string::npos) {
      ADD_FAILURE() << line;
      continue;
    }
    EXPECT_EQ(line + "\n", with_checksum(line.substr(1, star - 1)));
    out.push_back(line.substr(1, star - 1));
  }
  return out;
}

std::vector<std::string> fields_of(const std::string& body) {
  std::vector<std::string> fields(1);
  for (const char c : body) {
    if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

struct At {
  double lat, lon;
};

double angle(const std::string& text, const std::string& hemisphere) {
  const double value = std::stod(text);
  const double degrees = std::floor(value / 100);
  const double sum = degrees + (value - degrees * 100) / 60;
  return hemisphere == "S" || hemisphere == "W" ? -sum : sum;
}

// A reader of its own, so that the tests do not repeat the code they test: the fixes of RMC and GGA in their order.
std::vector<At> fixes_of(const std::string& log) {
  std::vector<At> out;
  std::istringstream in(log);
  std::string line;
  while (std::getline(in, line)) {
    const auto begin = line.rfind('$');
    const auto star = line.rfind('*');
    if (line.empty() || line[0] == '#' || begin == std::string::npos || star == std::string::npos || star < begin)
      continue;
    const auto f = fields_of(line.substr(begin + 1, star - begin - 1));
    if (f[0].size() != 5) continue;
    const auto type = f[0].substr(2);
    if (type == "RMC" && f.size() > 6 && f[2] == "A") out.push_back({angle(f[3], f[4]), angle(f[5], f[6])});
    if (type == "GGA" && f.size() > 6 && f[6] != "0" && !f[2].empty())
      out.push_back({angle(f[2], f[3]), angle(f[4], f[5])});
  }
  return out;
}

double metres(At a, At b) {
  constexpr double kRad = std::numbers::pi / 180;
  const double lat = std::sin((b.lat - a.lat) * kRad / 2);
  const double lon = std::sin((b.lon - a.lon) * kRad / 2);
  return 2 * 6'371'008.8 *
         std::asin(std::sqrt(lat * lat + std::cos(a.lat * kRad) * std::cos(b.lat * kRad) * lon * lon));
}

UnixMs at(int y, unsigned m, unsigned d, int hour, int minute, int second, int ms = 0) {
  using namespace std::chrono;
  return sys_days{year{y} / month{m} / day{d}} + hours{hour} + minutes{minute} + seconds{second} + milliseconds{ms};
}

const MoveOptions kTown{.to = geo_point(39.2412, 117.8421), .start = at(2026, 11, 22, 8, 30, 0)};

class MovedLogs : public ::testing::TestWithParam<const char*> {};

TEST_P(MovedLogs, KeepTheirMovement) {
  const auto path = nmea_folder() / GetParam();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no receiver logs here";
  const std::string log = read_file(path);
  const auto moved = move_log(log, kTown);
  ASSERT_TRUE(moved) << to_string(moved.error());
  sentences(moved->text);
  const auto before = fixes_of(log);
  const auto after = fixes_of(moved->text);
  ASSERT_FALSE(before.empty());
  ASSERT_EQ(before.size(), after.size());
  EXPECT_GE(moved->fixes, after.size());
  // 2 mm of writing, for each end.
  EXPECT_LT(metres(after[0], {lat_deg(kTown.to), lon_deg(kTown.to)}), 0.003);
  for (std::size_t i = 1; i < before.size(); ++i) {
    EXPECT_NEAR(metres(before[i - 1], before[i]), metres(after[i - 1], after[i]), 0.005) << i;
    EXPECT_NEAR(metres(before[0], before[i]), metres(after[0], after[i]), 0.005) << i;
    // North is north still, and east is east.
    EXPECT_NEAR(before[i].lat - before[0].lat, after[i].lat - after[0].lat, 1e-6) << i;
    EXPECT_EQ(before[i].lon > before[0].lon + 1e-7, after[i].lon > after[0].lon + 1e-7) << i;
  }
}

TEST_P(MovedLogs, BeginAtTheirStart) {
  const auto path = nmea_folder() / GetParam();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no receiver logs here";
  const auto moved = move_log(read_file(path), kTown);
  ASSERT_TRUE(moved);
  std::string first;
  for (const auto& body : sentences(moved->text)) {
    const auto f = fields_of(body);
    if (f[0].substr(2) != "RMC" || f[2] != "A") continue;
    EXPECT_EQ(f[9], "221126") << body;
    if (first.empty()) first = f[1];
  }
  // The sentence of the first fix may be a GGA, so its RMC is of the same second or the next.
  ASSERT_GE(first.size(), 6U);
  EXPECT_EQ(first.substr(0, 5), "08300");
  EXPECT_GE(moved->last_at, kTown.start);
}

INSTANTIATE_TEST_SUITE_P(Logs, MovedLogs,
                         ::testing::Values("gpsd__april6_2019.log", "gpsd__bu353-glonass.log", "gpsd__bu353s4.log",
                                           "gpsd__mt3339.log", "gpsd__mtk-3301.log", "gpsd__mtk-3329.log",
                                           "gpsd__nmea-fuzzy-cases.log", "gpsd__nokia-ld-4w.log",
                                           "gpsd__quectel-eg25-g.log", "gpsd__quectel-l76k-nmea.log",
                                           "gpsd__sirfstarv-nmea.log", "gpsd__st-teseo-liv4f.log"),
                         [](const auto& log) {
                           std::string name = log.param;
                           std::replace_if(name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST(MoveLog, TakesTheFirstFixToThePlaceAndTheTime) {
  const auto moved = move_log(with_checksum("GPRMC,120000.00,A,4800.0000,N,01100.0000,E,1.00,90.00,010203,2.1,E,A") +
                                  with_checksum("GPGGA,120001.00,4800.0010,N,01100.0000,E,1,08,1.0,500.0,M,47.0,M,,"),
                              {.to = geo_point(-33.5, -70.25), .start = at(2026, 2, 28, 23, 59, 59)});
  ASSERT_TRUE(moved);
  EXPECT_EQ(sentences(moved->text),
            (std::vector<std::string>{
                "GPRMC,235959.00,A,3330.000000,S,07015.000000,W,1.00,90.00,280226,,,A",
                // The next day; a thousandth of a minute to the north is nearer to the equator here.
                "GPGGA,000000.00,3329.999000,S,07015.000000,W,1,08,1.0,500.0,M,47.0,M,,",
            }));
  EXPECT_EQ(moved->first_at, at(2026, 2, 28, 23, 59, 59));
  EXPECT_EQ(moved->last_at, at(2026, 3, 1, 0, 0, 0));
  EXPECT_EQ(moved->fixes, 2U);
  EXPECT_EQ(moved->moved, 2U);
}

TEST(MoveLog, KeepsAStepOverTheRecordedMidnight) {
  // The receiver's date comes a second late, as some do.
  const auto moved = move_log(with_checksum("GPRMC,235959.000,A,4800.0000,N,01100.0000,E,0,0,311222,,,A") +
                                  with_checksum("GPRMC,000000.000,A,4800.0000,N,01100.0000,E,0,0,311222,,,A") +
                                  with_checksum("GPRMC,000001.000,A,4800.0000,N,01100.0000,E,0,0,010123,,,A"),
                              {.to = geo_point(39, 117), .start = at(2026, 11, 22, 10, 0, 0)});
  ASSERT_TRUE(moved);
  std::vector<std::string> times;
  for (const auto& body : sentences(moved->text)) times.push_back(fields_of(body)[1] + " " + fields_of(body)[9]);
  EXPECT_EQ(times, (std::vector<std::string>{"100000.000 221126", "100001.000 221126", "100002.000 221126"}));
}

TEST(MoveLog, RollsTheDateOfEverySentenceOver) {
  const auto moved = move_log(with_checksum("GPZDA,101010.0,01,06,2019,02,00") +
                                  with_checksum("GPGLL,4800.0000,N,01100.0000,E,101010.5,A,A") +
                                  with_checksum("GPZDA,101011.5,01,06,2019,02,00") +
                                  with_checksum("GNGNS,101012.5,4800.0000,N,01100.0000,E,AA,12,0.9,500.0,47.0,,") +
                                  with_checksum("GPRMC,101012.5,A,4800.0000,N,01100.0000,E,,,010619,,,A"),
                              {.to = geo_point(39, 117), .start = at(2027, 12, 31, 23, 59, 59, 500)});
  ASSERT_TRUE(moved);
  EXPECT_EQ(sentences(moved->text), (std::vector<std::string>{
                                        "GPZDA,235959.0,31,12,2027,00,00",
                                        "GPGLL,3900.000000,N,11700.000000,E,235959.5,A,A",
                                        "GPZDA,000000.5,01,01,2028,00,00",
                                        "GNGNS,000001.5,3900.000000,N,11700.000000,E,AA,12,0.9,500.0,47.0,,",
                                        "GPRMC,000001.5,A,3900.000000,N,11700.000000,E,,,010128,,,A",
                                    }));
}

TEST(MoveLog, KeepsAGapOfDays) {
  const auto moved = move_log(with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A") +
                                  with_checksum("GPRMC,100500,A,4800.0000,N,01100.0000,E,,,030619,,,A"),
                              {.to = geo_point(39, 117), .start = at(2026, 11, 22, 8, 0, 0)});
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->last_at - moved->first_at, std::chrono::hours{48} + std::chrono::minutes{5});
}

TEST(MoveLog, WritesMoreDecimalsWhenTheTimeNeedsThem) {
  const auto moved = move_log(with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A"),
                              {.to = geo_point(39, 117), .start = at(2026, 11, 22, 8, 0, 0, 7)});
  ASSERT_TRUE(moved);
  EXPECT_EQ(fields_of(sentences(moved->text).at(0)).at(1), "080000.007");
}

TEST(MoveLog, PutsTheSearchBeforeTheStartAndEmptiesPlaceholders) {
  const auto moved = move_log(with_checksum("GPRMC,095950,V,8960.0000,N,00000.0000,E,,,050180,,,N") +
                                  with_checksum("GPGGA,095955,0000.0000,N,00000.0000,E,0,00,,,M,,M,,") +
                                  with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A"),
                              {.to = geo_point(39, 117), .start = at(2026, 11, 22, 8, 0, 0)});
  ASSERT_TRUE(moved);
  EXPECT_EQ(sentences(moved->text), (std::vector<std::string>{
                                        "GPRMC,075950,V,,,,,,,221126,,,N",
                                        "GPGGA,075955,,,,,0,00,,,M,,M,,",
                                        "GPRMC,080000,A,3900.000000,N,11700.000000,E,,,221126,,,A",
                                    }));
  EXPECT_EQ(moved->first_at, at(2026, 11, 22, 7, 59, 50));
}

TEST(MoveLog, KeepsWhatNamesNoPlaceAndDropsWhatDoes) {
  const std::string fix = with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A");
  const auto moved = move_log(
      "# Location: 48N 11E $GPRMC,1,2,3\r\n" + fix + with_checksum("GPGSA,A,3,01,02,,,,,,,,,,,2,1,1") +
          with_checksum("PMTK001,604,1") + "$POLYN,TIME,RESTART_OCCURRED\r\n" +
          with_checksum("GPVTG,0.00,T,,M,10.80,N,0.10,K,N") + with_checksum("GPWPL,4800.0000,N,01100.0000,E,HOME") +
          with_checksum("PGRMF,1,2,3,4,5,4800.0000,N,01100.0000,E,A,2,0,0,1,1") +
          with_checksum("PUBX,04,100000,010619,1,2,3") + "$GPGSV,1,1,00*00\r\n" +
          "$GPGLL,4800.0000,N,01100.0000,E,1000",
      kTown);
  ASSERT_TRUE(moved);
  EXPECT_EQ(sentences(moved->text), (std::vector<std::string>{
                                        "GPRMC,083000,A,3914.472000,N,11750.526000,E,,,221126,,,A",
                                        "GPGSA,A,3,01,02,,,,,,,,,,,2,1,1",
                                        "PMTK001,604,1",
                                        "POLYN,TIME,RESTART_OCCURRED",
                                        "GPVTG,0.00,T,,M,10.80,N,0.10,K,N",
                                    }));
  EXPECT_EQ(moved->kept, 4U);
  EXPECT_EQ(moved->dropped, 6U);
}

TEST(MoveLog, FindsSentencesInGarbage) {
  const std::string noise("\x00\xff$\x01\xa0\xa2$$$,,*\r\n$G\x80", 16);
  const std::string fix = with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A");
  const auto moved = move_log(noise + fix + noise + "$" + fix + noise, kTown);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->fixes, 2U);
  EXPECT_EQ(sentences(moved->text).size(), 2U);
}

TEST(MoveLog, SurvivesBrokenLogs) {
  std::string log;
  for (const char* name : {"gpsd__nmea-fuzzy-cases.log", "gpsd__st-teseo-liv4f.log", "gpsd__garmin-geko201.log"}) {
    if (std::filesystem::exists(nmea_folder() / name)) log += read_file(nmea_folder() / name);
  }
  if (log.empty()) GTEST_SKIP() << "no receiver logs here";
  std::mt19937 random(7);
  std::size_t passed = 0;
  for (int round = 0; round < 40; ++round) {
    std::string broken = log;
    for (int i = 0; i < 200; ++i) {
      const auto where = random() % broken.size();
      switch (random() % 3) {
        case 0:
          broken[where] = static_cast<char>(random());
          break;
        case 1:
          broken.erase(where, random() % 40);
          break;
        default:
          broken.insert(where, broken.substr(random() % broken.size(), random() % 40));
      }
    }
    const auto moved = move_log(broken, kTown);
    if (!moved) continue;
    ++passed;
    sentences(moved->text);
  }
  EXPECT_GT(passed, 30U);
}

// Checksums do not protect from nonsense in the fields.
TEST(MoveLog, SurvivesNonsenseWithRightChecksums) {
  const std::array<std::string, 14> values{"",          "A",  "V", "99999999999999999999999", "-1",     "1e9",
                                           "4800.0000", "N",  "E", "235960.9999999999",       "240000", "310299",
                                           "....",      "nan"};
  const std::array<std::string, 8> types{"RMC", "GGA", "GLL", "GNS", "ZDA", "GST", "GBS", "GSV"};
  std::mt19937 random(11);
  std::string log = with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A");
  for (int i = 0; i < 20'000; ++i) {
    std::string body = "GP" + types[random() % types.size()];
    for (auto count = random() % 16; count > 0; --count) body += "," + values[random() % values.size()];
    log += with_checksum(body);
  }
  const auto moved = move_log(log, kTown);
  ASSERT_TRUE(moved);
  EXPECT_GT(sentences(moved->text).size(), 5'000U);
}

TEST(MoveLog, RefusesWhatItCannotMove) {
  EXPECT_EQ(move_log("", kTown).error().code, ErrorCode::position_unavailable);
  EXPECT_EQ(move_log(with_checksum("GPRMC,100000,V,,,,,,,010619,,,N"), kTown).error().code,
            ErrorCode::position_unavailable);
  EXPECT_EQ(move_log(std::string(kMaxLogBytes + 1, '$'), kTown).error().code, ErrorCode::too_large);
  EXPECT_EQ(move_log("", {.to = {.lat_e7 = 900'000'001, .lon_e7 = 0}, .start = kTown.start}).error().field, "to");
  EXPECT_EQ(move_log("", {.to = kTown.to, .start = at(2080, 1, 1, 0, 0, 0)}).error().field, "start");
  EXPECT_EQ(move_log("", {.to = kTown.to, .start = at(1999, 12, 31, 23, 59, 59)}).error().field, "start");
}

TEST(MoveLog, TakesTheLargestLog) {
  std::string log(kMaxLogBytes, 'x');
  // Where every second byte may begin a sentence.
  for (std::size_t i = 0; i < 2'000'000; i += 2) log[i] = '$';
  const std::string fix = with_checksum("GPRMC,100000,A,4800.0000,N,01100.0000,E,,,010619,,,A");
  log.replace(log.size() - fix.size(), fix.size(), fix);
  ASSERT_EQ(log.size(), kMaxLogBytes);
  const auto moved = move_log(log, kTown);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->fixes, 1U);
}

TEST(NmeaSentences, SayWhereAndWhen) {
  ReceiverFix fix{.at = at(2026, 12, 31, 23, 59, 59, 250), .point = geo_point(39.2412, 117.8421)};
  fix.speed_mps = 1.2;
  fix.course_deg = -90;
  fix.altitude_m = 3.4;
  EXPECT_EQ(sentences(nmea_sentences(fix)),
            (std::vector<std::string>{
                "GNRMC,235959.250,A,3914.472000,N,11750.526000,E,2.333,270.00,311226,,,A",
                "GNGGA,235959.250,3914.472000,N,11750.526000,E,1,09,1.0,3.4,M,,M,,",
                "GNGSA,A,3,03,05,07,09,11,13,15,17,19,,,,1.8,1.0,1.5",
                "GNGST,235959.250,5.0,5.0,5.0,0.0,5.0,5.0,7.5",
            }));
  fix.point = geo_point(-0.5, -179.9999999);
  EXPECT_EQ(fields_of(sentences(nmea_sentences(fix)).at(0)).at(3), "0030.000000");
  EXPECT_EQ(fields_of(sentences(nmea_sentences(fix)).at(0)).at(4), "S");
  EXPECT_EQ(fields_of(sentences(nmea_sentences(fix)).at(0)).at(5), "17959.999994");
  EXPECT_EQ(fields_of(sentences(nmea_sentences(fix)).at(0)).at(6), "W");
}

TEST(NmeaSentences, SayThatThereIsNoFix) {
  EXPECT_EQ(sentences(nmea_sentences({.at = at(2026, 1, 2, 3, 4, 5), .point = std::nullopt})),
            (std::vector<std::string>{"GNRMC,030405.000,V,,,,,,,020126,,,N", "GNGGA,030405.000,,,,,0,00,,,M,,M,,",
                                      "GNGSA,A,1,,,,,,,,,,,,,,,"}));
}

TEST(NmeaSentences, AreALogThatCanBeMoved) {
  std::string log;
  for (int i = 0; i < 30; ++i) {
    log += nmea_sentences(
        {.at = at(2026, 12, 31, 23, 59, 50 + 0) + std::chrono::seconds{i}, .point = geo_point(39.0 + i * 1e-5, 117.0)});
  }
  const auto moved = move_log(log, kTown);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->fixes, 60U);
  EXPECT_EQ(moved->last_at - moved->first_at, std::chrono::seconds{29});
  const auto fixes = fixes_of(moved->text);
  ASSERT_EQ(fixes.size(), 60U);
  EXPECT_NEAR(metres(fixes.front(), fixes.back()), 29e-5 * std::numbers::pi / 180 * 6'371'008.8, 0.02);
}

}  // namespace
}  // namespace gridward::sim
