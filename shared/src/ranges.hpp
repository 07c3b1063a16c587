// Ranges of values that more than one decoder checks.
#pragma once

#include <cstdint>
#include <gridward/shared/limits.hpp>

namespace gridward::ranges {

struct Range {
  std::int64_t min;
  std::int64_t max;
  constexpr bool holds(std::int64_t value) const { return value >= min && value <= max; }
};

inline constexpr Range kTime{limits::kEarliestMs, limits::kLatestMs};
inline constexpr Range kLat{-900'000'000, 900'000'000};
inline constexpr Range kLon{-1'800'000'000, 1'800'000'000};
inline constexpr Range kCounter{0, static_cast<std::int64_t>(limits::kCounter)};
inline constexpr Range kFromOne{1, static_cast<std::int64_t>(limits::kCounter)};
inline constexpr std::uint64_t kAccuracyCm = 0xFFFF'FFFF;

}  // namespace gridward::ranges
