#pragma once

#include <string>
#include <string_view>

namespace gridward::sim {

// The log from its first sentence with a valid position (RMC, GGA, GNS, GLL): a demo does not wait while a receiver
// looked for satellites years ago. Empty when there is none. Pure.
std::string_view from_first_fix(std::string_view log);

}  // namespace gridward::sim
