// Reading and writing the parts of an NMEA sentence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <gridward/shared/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::sim::nmea {

// One sentence without '$', checksum and line end: "GPRMC,…".
struct Sentence {
  std::string_view body;
};

// Finds the sentences of a log that may hold anything else between them.
class Scanner {
 public:
  explicit Scanner(std::string_view log) : log_(log) {}
  std::optional<Sentence> next();
  std::size_t dropped() const { return dropped_; }  // lines that begin as a sentence and are none

 private:
  std::string_view log_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;  // where the printable line at at_ begins
  std::size_t dropped_ = 0;
};

std::vector<std::string_view> split(std::string_view body);
std::uint8_t checksum(std::string_view body);
void append_sentence(std::string& out, std::string_view body);

struct Clock {
  std::int64_t ms = 0;     // of the day
  std::size_t digits = 0;  // decimals of the second, as written
};
std::optional<Clock> read_clock(std::string_view text);
// At least `digits` decimals, and 3 when fewer would lose something.
std::string write_clock(UnixMs at, std::size_t digits);

std::optional<std::chrono::sys_days> read_ddmmyy(std::string_view text);
std::optional<std::chrono::sys_days> read_date(std::string_view day, std::string_view month, std::string_view year);
std::string write_ddmmyy(UnixMs at);

// Degrees, negative to the south and west.
std::optional<double> read_angle(std::string_view text, std::string_view hemisphere, bool latitude);
struct AngleText {
  std::string value;
  std::string hemisphere;
};
AngleText write_angle(double degrees, bool latitude, std::size_t decimals);
std::size_t decimals_of(std::string_view number);

}  // namespace gridward::sim::nmea
