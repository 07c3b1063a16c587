#pragma once

#include <gridward/sim/nmea.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::sim {

// The log from its first sentence with a valid position (RMC, GGA, GNS, GLL): a demo does not wait while a receiver
// looked for satellites years ago. Empty when there is none. Pure.
std::string_view from_first_fix(std::string_view log);

// Its fixes, the first of them at `to`. The errors of move_log(); position_unavailable with fewer than two.
Result<std::vector<LogFix>> fixes_at(std::string_view log, const MoveOptions& to);

}  // namespace gridward::sim
