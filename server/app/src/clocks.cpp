#include "clocks.hpp"

#include <gridward/shared/clock.hpp>

namespace gridward::app {
namespace {

constexpr auto kLongestWait = std::chrono::hours{24};

ClockReading reading_of(const Record& record) { return {record.at, record.mono, record.clock}; }

// An unknown bound is worse than any.
std::uint32_t bound(const ClockQuality& quality) { return quality.error_ms == 0 ? UINT32_MAX : quality.error_ms; }

bool better(const ClockReading& reading, const ClockReading& known) {
  if (reading.quality.source != known.quality.source) return reading.quality.source > known.quality.source;
  return bound(reading.quality) < bound(known.quality);
}

}  // namespace

std::optional<Record> retimed(Tx& tx, std::string_view device, const Record& record) {
  if (record.clock.source != ClockSource::local) return std::nullopt;
  const auto known = tx.clock_of(device, record.boot);
  if (!known) return std::nullopt;
  const auto told = told_by(reading_of(record), *known);
  if (!told) return std::nullopt;
  auto out = record;
  out.at = told->at;
  out.clock = told->quality;
  if (auto* track = std::get_if<TrackBody>(&out.body)) {
    for (auto& point : track->points) point.at += told->at - record.at;
  }
  return out;
}

bool clock_awaited(Tx& tx, std::string_view device, const Record& record, UnixMs received, UnixMs now) {
  return record.clock.source == ClockSource::local && now - received < kLongestWait &&
         !tx.clock_of(device, record.boot);
}

bool tells_clock(Tx& tx, std::string_view device, const Record& record) {
  if (record.clock.source == ClockSource::local) return false;
  const auto reading = reading_of(record);
  if (const auto known = tx.clock_of(device, record.boot); known && !better(reading, *known)) return false;
  tx.put_clock(device, record.boot, reading);
  return true;
}

}  // namespace gridward::app
