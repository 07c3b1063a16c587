// A bad network between handhelds and broker: a TCP relay that delays, throttles, stalls, cuts inside a message and
// goes dead without a word. What TCP does of lost packets is a stall, so there is no loss besides. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <gridward/shared/error.hpp>
#include <gridward_sim/random.hpp>
#include <string>

namespace gridward::sim {

struct LinkOptions {
  std::uint16_t listen = 0;  // on 127.0.0.1
  std::uint16_t to = 0;      // on 127.0.0.1
  std::uint64_t seed = 1;
  double life_s = 20;     // of a connection, on average
  double delay_ms = 300;  // at most, one way
};

// What one connection will meet. Drawn when it is accepted; pure.
struct LinkFate {
  std::int64_t delay_ms = 0;     // each way
  std::int64_t bytes_per_s = 0;  // each way; 0: as fast as it goes
  std::int64_t dies_ms = 0;      // after it began
  bool silent = false;           // it dies without a word: nothing more comes, nothing is closed
  std::int64_t dead_ms = 0;      // how long a silent one stays open
  std::int64_t stall_every_ms = 0;
  std::int64_t stall_ms = 0;
};
LinkFate draw_fate(Random& random, const LinkOptions& options);

struct LinkCounts {
  std::uint64_t connections = 0;
  std::uint64_t cuts = 0;
  std::uint64_t silent = 0;
  std::uint64_t stalls = 0;
  std::uint64_t bytes = 0;
};

// Until `stop`; from `heal` on every connection is a clean one and those that are dead are closed. unavailable: the
// port.
Result<LinkCounts> run_link(const LinkOptions& options, const std::atomic<bool>& stop, const std::atomic<bool>& heal);

}  // namespace gridward::sim
