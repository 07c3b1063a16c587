// Exponential with full jitter: after a broker's restart a thousand clients do not come back in the same instant.
#pragma once

#include <algorithm>
#include <gridward/shared/time.hpp>
#include <random>

namespace gridward::mqtt {

// One thread.
class Backoff {
 public:
  Backoff(Millis first, Millis most, std::uint32_t seed) : first_(first), most_(most), random_(seed) {}
  Millis next() {
    const auto ceiling = std::min<Millis>(most_, first_ * (std::int64_t{1} << std::min(failures_, 20)));
    ++failures_;
    return Millis{std::uniform_int_distribution<std::int64_t>(0, ceiling.count())(random_)};
  }
  void reset() { failures_ = 0; }

 private:
  Millis first_;
  Millis most_;
  int failures_ = 0;
  std::minstd_rand random_;
};

}  // namespace gridward::mqtt
