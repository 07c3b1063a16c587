#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>

#include "ranges.hpp"

namespace gridward {
namespace {

// Differences are taken modulo 2^64, so that no input can overflow; the reader checks what comes out.
std::uint64_t zigzag(std::uint64_t difference) { return difference << 1 ^ (0 - (difference >> 63)); }
std::uint64_t unzigzag(std::uint64_t coded) { return coded >> 1 ^ (0 - (coded & 1)); }

void put(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

class Varints {
 public:
  explicit Varints(ByteView bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  Result<std::uint64_t> next() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return fail(ErrorCode::malformed, "", "the track ends inside a number");
      const std::uint64_t byte = rest_.front();
      rest_ = rest_.subspan(1);
      if (shift == 63 && byte > 1) break;
      if (byte == 0 && shift != 0) return fail(ErrorCode::malformed, "", "a number longer than it need be");
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return fail(ErrorCode::malformed, "", "a number over 64 bits");
  }

 private:
  ByteView rest_;
};

struct Row {
  std::uint64_t ms = 0;
  std::uint64_t lat = 0;
  std::uint64_t lon = 0;
  std::uint64_t accuracy = 0;
};

tl::unexpected<Error> out_of_range(std::size_t index, std::string_view name) {
  return fail(ErrorCode::out_of_range, "[" + std::to_string(index) + "]." + std::string(name));
}

}  // namespace

Bytes pack_track(std::span<const TrackPoint> points) {
  Bytes out;
  out.reserve(16 + points.size() * 10);
  put(out, points.size());
  Row before;
  for (const auto& point : points) {
    const Row now{static_cast<std::uint64_t>(to_unix_ms(point.at)),
                  static_cast<std::uint64_t>(std::int64_t{point.point.lat_e7}),
                  static_cast<std::uint64_t>(std::int64_t{point.point.lon_e7}), point.accuracy_cm};
    put(out, zigzag(now.ms - before.ms));
    put(out, zigzag(now.lat - before.lat));
    put(out, zigzag(now.lon - before.lon));
    put(out, zigzag(now.accuracy - before.accuracy));
    before = now;
  }
  return out;
}

Result<std::vector<TrackPoint>> unpack_track(ByteView packed) {
  Varints numbers(packed);
  const auto count = numbers.next();
  if (!count) return tl::unexpected(count.error());
  if (*count > limits::kTrackPoints) {
    return fail(ErrorCode::too_large, "",
                std::to_string(*count) + " points, at most " + std::to_string(limits::kTrackPoints));
  }
  std::vector<TrackPoint> points;
  points.reserve(*count);
  Row row;
  for (std::size_t i = 0; i < *count; ++i) {
    for (auto* part : {&row.ms, &row.lat, &row.lon, &row.accuracy}) {
      const auto difference = numbers.next();
      if (!difference) return tl::unexpected(difference.error());
      *part += unzigzag(*difference);
    }
    const auto ms = static_cast<std::int64_t>(row.ms);
    const auto lat = static_cast<std::int64_t>(row.lat);
    const auto lon = static_cast<std::int64_t>(row.lon);
    if (!ranges::kTime.holds(ms)) return out_of_range(i, "at");
    if (!ranges::kLat.holds(lat)) return out_of_range(i, "lat");
    if (!ranges::kLon.holds(lon)) return out_of_range(i, "lon");
    if (row.accuracy > ranges::kAccuracyCm) return out_of_range(i, "acc");
    points.push_back({from_unix_ms(ms),
                      {static_cast<std::int32_t>(lat), static_cast<std::int32_t>(lon)},
                      static_cast<std::uint32_t>(row.accuracy)});
  }
  if (!numbers.done()) return fail(ErrorCode::trailing_bytes, "", "bytes after the last point");
  return points;
}

}  // namespace gridward
