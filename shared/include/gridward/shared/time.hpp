// Time is an argument: nothing in shared/ or server/domain/ reads a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace gridward {

using Millis = std::chrono::milliseconds;
using UnixMs = std::chrono::sys_time<Millis>;  // wall clock, UTC, milliseconds since 1970

inline UnixMs from_unix_ms(std::int64_t ms) { return UnixMs{Millis{ms}}; }
inline std::int64_t to_unix_ms(UnixMs at) { return at.time_since_epoch().count(); }

}  // namespace gridward
