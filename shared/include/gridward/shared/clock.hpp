// When something was captured, whatever a wall clock showed: the rule of docs/protocol.md, section 3. Pure,
// thread-safe.
#pragma once

#include <gridward/shared/record.hpp>
#include <optional>

namespace gridward {

// One part in this many: what a crystal may err (100 ppm).
inline constexpr std::int64_t kClockDrift = 10'000;

// What a record says of its boot's clocks.
struct ClockReading {
  UnixMs at{};
  Millis mono{};
  ClockQuality quality;
  bool operator==(const ClockReading&) const = default;
};

// `known` carried on, or back, to another moment of the same boot: its source, its bound and what the crystal may have
// erred meanwhile. A bound that was unknown stays so. offset_ms is 0: the wall clock of then is not known.
ClockReading carried(const ClockReading& known, Millis mono);

// The time of a record that has only its wall clock, from another one of the same device and boot that knows better.
// Nothing: `record` knows itself, or `other` does not.
std::optional<ClockReading> told_by(const ClockReading& record, const ClockReading& other);

}  // namespace gridward
