#pragma once

#include <cstdint>
#include <string>

namespace gridward::bench {

struct Options {
  std::string url;
  std::string policy;
  std::uint64_t cases = 1'000'000;
  std::int64_t now_ms = 0;
};
int seed(const Options& options);   // cases of two years; prints one JSON line
int sweep(const Options& options);  // cases whose clock is past its due, and the sweep of them; prints one JSON line

}  // namespace gridward::bench
