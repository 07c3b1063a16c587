#include <algorithm>
#include <gridward/shared/clock.hpp>
#include <gridward/shared/limits.hpp>

namespace gridward {

ClockReading carried(const ClockReading& known, Millis mono) {
  const auto between = (mono - known.mono).count();
  ClockReading out;
  out.at = from_unix_ms(std::clamp(to_unix_ms(known.at) + between, limits::kEarliestMs, limits::kLatestMs));
  out.mono = mono;
  out.quality.source = known.quality.source;
  if (known.quality.error_ms != 0) {
    const auto error = known.quality.error_ms + std::abs(between) / kClockDrift;
    out.quality.error_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(error, UINT32_MAX));
  }
  return out;
}

std::optional<ClockReading> told_by(const ClockReading& record, const ClockReading& other) {
  if (record.quality.source != ClockSource::local || other.quality.source == ClockSource::local) return std::nullopt;
  auto told = carried(other, record.mono);
  told.quality.offset_ms = (told.at - record.at).count() + record.quality.offset_ms;
  return told;
}

}  // namespace gridward
