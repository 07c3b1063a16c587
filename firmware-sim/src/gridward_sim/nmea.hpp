// A recorded NMEA 0183 log moved to another place and time, each checksum made anew. Pure.
#pragma once

#include <cstdint>
#include <gridward/shared/error.hpp>
#include <gridward/shared/geo.hpp>
#include <gridward/shared/time.hpp>
#include <string>
#include <string_view>

namespace gridward::sim {

struct NmeaMove {
  GeoPoint to;                 // where the first fix will be
  UnixMs at{};                 // when
  double within_m = 0;         // shrink the walk so that it stays this near to `to`; 0: as recorded
  bool from_first_fix = true;  // leave out what the receiver said before it had one
};

struct NmeaResult {
  std::string text;  // with CRLF
  int sentences = 0;
  int dropped = 0;  // wrong checksum, proprietary, or not NMEA
  int fixes = 0;
  double span_s = 0;
};

// malformed: the log holds no fix.
Result<NmeaResult> move_nmea(std::string_view log, const NmeaMove& move);
// "$" + body + "*" + its checksum.
std::string nmea_sentence(std::string_view body);

}  // namespace gridward::sim
