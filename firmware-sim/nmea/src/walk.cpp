#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <gridward/sim/nmea.hpp>

#include "sentence.hpp"

namespace gridward::sim {
namespace {

constexpr double kKnotsPerMps = 3600.0 / 1852.0;
constexpr double kRangeErrorM = 5.0;  // of one satellite, the usual figure behind a dilution of precision

std::string decimal(double value, int decimals) {
  if (!std::isfinite(value) || std::abs(value) > 1e6) return {};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string two_digits(int value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%02d", value);
  return text.data();
}

}  // namespace

std::string nmea_sentences(const ReceiverFix& fix) {
  std::string out;
  const std::string clock = nmea::write_clock(fix.at, 3);
  const std::string date = nmea::write_ddmmyy(fix.at);
  if (!fix.point) {
    nmea::append_sentence(out, "GNRMC," + clock + ",V,,,,,,," + date + ",,,N");
    nmea::append_sentence(out, "GNGGA," + clock + ",,,,,0,00,,,M,,M,,");
    nmea::append_sentence(out, "GNGSA,A,1,,,,,,,,,,,,,,,");
    return out;
  }
  const auto lat = nmea::write_angle(lat_deg(*fix.point), true, 6);
  const auto lon = nmea::write_angle(lon_deg(*fix.point), false, 6);
  const std::string place = lat.value + ',' + lat.hemisphere + ',' + lon.value + ',' + lon.hemisphere;
  const double speed = std::max(0.0, fix.speed_mps) * kKnotsPerMps;
  double course = std::isfinite(fix.course_deg) ? std::fmod(fix.course_deg, 360.0) : fix.course_deg;
  if (course < 0) course += 360.0;
  const double accuracy = std::isfinite(fix.accuracy_m) ? std::clamp(fix.accuracy_m, 0.1, 9'999.0) : kRangeErrorM;
  const double hdop = std::clamp(accuracy / kRangeErrorM, 0.1, 99.0);
  const int satellites = std::clamp(fix.satellites, 0, 12);

  nmea::append_sentence(
      out, "GNRMC," + clock + ",A," + place + ',' + decimal(speed, 3) + ',' + decimal(course, 2) + ',' + date + ",,,A");
  nmea::append_sentence(out, "GNGGA," + clock + ',' + place + ",1," + two_digits(satellites) + ',' + decimal(hdop, 1) +
                                 ',' + decimal(fix.altitude_m, 1) + ",M,,M,,");
  std::string used;
  for (int i = 0; i < 12; ++i) used += i < satellites ? ',' + two_digits(i * 2 + 3) : ",";
  nmea::append_sentence(
      out, "GNGSA,A,3" + used + ',' + decimal(hdop * 1.8, 1) + ',' + decimal(hdop, 1) + ',' + decimal(hdop * 1.5, 1));
  const std::string sigma = decimal(accuracy, 1);
  nmea::append_sentence(out, "GNGST," + clock + ',' + sigma + ',' + sigma + ',' + sigma + ",0.0," + sigma + ',' +
                                 sigma + ',' + decimal(accuracy * 1.5, 1));
  return out;
}

}  // namespace gridward::sim
