// A small generator whose numbers are the same everywhere for the same seed (the standard's distributions are not).
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace gridward::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // Of something that has a seed, the stream for one purpose: what is drawn for another does not move it.
  Random(std::uint64_t seed, std::uint64_t purpose) : state_(seed ^ (purpose * 0xD1342543DE82EF95ULL)) { next(); }

  std::uint64_t next() {  // splitmix64
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  double between(double low, double high) { return low + (high - low) * unit(); }
  int below(int count) { return count > 0 ? static_cast<int>(next() % static_cast<std::uint64_t>(count)) : 0; }
  bool chance(double p) { return unit() < p; }
  double exponential(double mean) { return -mean * std::log(1 - unit()); }
  double normal() { return std::sqrt(-2 * std::log(1 - unit())) * std::cos(2 * std::numbers::pi * unit()); }

 private:
  std::uint64_t state_;
};

}  // namespace gridward::sim
