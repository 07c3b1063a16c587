// What time it is, by the best clock that the device knows. Pure: every reading is an argument.
#pragma once

#include <gridward/device.h>

#include <gridward/shared/clock.hpp>
#include <optional>

namespace gridward::device {

struct ServerTime {  // the last receipt's `now`, tied to this device's monotonic clock
  UnixMs now{};
  Millis mono{};
  Uuid boot;
  std::uint32_t error_ms = 0;  // at `mono`
  ClockReading reading() const { return {now, mono, {ClockSource::server, error_ms, 0}}; }
};

std::uint32_t bound_ms(Millis error);  // as the wire has it: at least 1, because 0 means unknown
bool tells_time(const gw_fix& fix);

// The wall clock stands while the best other clock, the receiver's before the server's, agrees within two seconds: it
// runs evenly, and a receiver speaks late. Otherwise the other clock is taken and quality.offset_ms says by how much
// the wall clock is off. The server's time counts in its own boot only. A receiver that contradicts the server, or
// tells a time before this program was written (their weeks are counted modulo 1024), is not believed.
ClockReading read_clock(UnixMs wall, Millis mono, const Uuid& boot, const std::optional<gw_fix>& fix,
                        const std::optional<ServerTime>& server);

}  // namespace gridward::device
