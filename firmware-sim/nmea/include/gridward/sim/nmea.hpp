// NMEA 0183 for the simulated receiver: a recorded log taken to another place and day, and sentences made from a walk.
// Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <gridward/shared/error.hpp>
#include <gridward/shared/geo.hpp>
#include <gridward/shared/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::sim {

inline constexpr std::size_t kMaxLogBytes = std::size_t{64} * 1024 * 1024;

struct MoveOptions {
  GeoPoint to;   // where the first fix shall lie
  UnixMs start;  // and when; a year from 2000 to 2079, which is what a two-digit year can say
};

struct MovedLog {
  std::string text;  // CR LF line ends
  std::size_t moved = 0;
  std::size_t kept = 0;
  std::size_t dropped = 0;
  std::size_t fixes = 0;  // sentences that claim a fix and say where
  UnixMs first_at;        // the earliest and the latest time that is written, both `start` when the log has no time
  UnixMs last_at;
};

// Takes the log to another place and time. The movement stays as it was, in metres: the sphere of distance_m() is
// turned until the first fix lies at `to`, with north still north. The steps between times stay as they were, over
// midnight too; what was sent before the first fix lies before `start`. Checksums are made anew.
//   moved:   RMC GGA GLL GNS ZDA GST GBS GRS. The places are written with 6 decimals of a minute (2 mm) or more, the
//            times with the recorded decimals, or 3 where those cannot hold the time. A place or a time that cannot be
//            read, or a place without a fix over 100 km off (a receiver's placeholder), is left empty; so is the
//            magnetic variation, which belonged to the old place.
//   kept:    other sentences (GSA, GSV, VTG, TXT, a maker's own).
//   dropped: what is not a sentence (comments, binary garbage, a wrong checksum, over 512 characters; without a
//            checksum only a whole line passes), and sentences that would name the old place or time (waypoints and
//            routes, PUBX, PASHR, any other with a latitude and a longitude).
// too_large over kMaxLogBytes; out_of_range for a place or a start outside of what NMEA can say; position_unavailable
// when no sentence claims a fix, as in a log of a binary protocol.
Result<MovedLog> move_log(std::string_view log, const MoveOptions& options);

struct LogFix {
  std::int64_t at_ms = 0;  // since the first
  GeoPoint point;
  double accuracy_m = 0;  // 1 sigma, from the dilution; 0: the log does not say
};
// Where the receiver was: a fix for each time that has one (RMC, GGA, GNS, GLL), in order of time.
std::vector<LogFix> read_fixes(std::string_view log);

// What the receiver knows at one moment. Not finite numbers are written as unknown.
struct ReceiverFix {
  UnixMs at{};
  std::optional<GeoPoint> point;  // absent: the receiver looks for satellites
  double speed_mps = 0;
  double course_deg = 0;  // from true north, clockwise
  double altitude_m = 0;
  double accuracy_m = 5;  // 1 sigma of each axis; the dilution and the error statistics are made from it
  int satellites = 9;     // used; 0 to 12
};

// RMC, GGA, GSA and, with a position, GST, with CR LF line ends: one epoch as a receiver sends it.
std::string nmea_sentences(const ReceiverFix& fix);

}  // namespace gridward::sim
