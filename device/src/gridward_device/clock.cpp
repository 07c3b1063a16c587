#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <gridward_device/clock.hpp>

namespace gridward::device {
namespace {

constexpr Millis kAgrees{2'000};
constexpr UnixMs kWritten{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

// The bounds of `other` and what the wall clock differs from it.
ClockReading judged(UnixMs wall, const ClockReading& other) {
  const auto off = std::chrono::abs(wall - other.at);
  const Millis error{other.quality.error_ms};
  if (off <= error + kAgrees) return {wall, other.mono, {other.quality.source, bound_ms(off + error), 0}};
  auto corrected = other;
  corrected.quality.error_ms = bound_ms(error);
  corrected.quality.offset_ms = (other.at - wall).count();
  return corrected;
}

}  // namespace

std::uint32_t bound_ms(Millis error) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(error.count(), 1, UINT32_MAX));
}

bool tells_time(const gw_fix& fix) {
  return fix.at_ms != 0 && fix.at_ms >= limits::kEarliestMs && fix.at_ms <= limits::kLatestMs;
}

ClockReading read_clock(UnixMs wall, Millis mono, const Uuid& boot, const std::optional<gw_fix>& fix,
                        const std::optional<ServerTime>& server) {
  std::optional<ClockReading> by_server;
  if (server && server->boot == boot && mono >= server->mono) by_server = carried(server->reading(), mono);
  if (fix && tells_time(*fix) && fix->source == GW_FIX_GNSS && fix->mock == 0) {
    const ClockReading told{from_unix_ms(fix->at_ms), Millis{fix->mono_ms}, {ClockSource::gnss, 0, 0}};
    auto by_receiver = carried(told, mono);
    const auto agrees = [&](UnixMs at, Millis error) {
      return std::chrono::abs(by_receiver.at - at) <= error + kAgrees;
    };
    const bool believed =
        by_server ? agrees(by_server->at, Millis{by_server->quality.error_ms}) : by_receiver.at >= kWritten;
    if (believed) {
      // How late a receiver may speak, when there is no wall clock beside it.
      if (!agrees(wall, Millis{0})) by_receiver.quality.error_ms = static_cast<std::uint32_t>(kAgrees.count());
      return judged(wall, by_receiver);
    }
  }
  if (by_server) return judged(wall, *by_server);
  return {wall, mono, {ClockSource::local, 0, 0}};
}

}  // namespace gridward::device
