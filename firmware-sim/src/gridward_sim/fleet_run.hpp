// `gridward-sim run`: a fleet in one process, or in several that are counted together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gridward::sim {

struct RunOptions {
  std::string fleet;
  std::string scenario;  // empty: none
  std::string photos;    // empty: drawn
  bool unique = false;
  double minutes = 0;  // 0: until a signal
  std::uint64_t seed = 1;
  unsigned threads = 1;    // of each process
  unsigned processes = 0;  // 0: as the scenario says
  int drain_s = 60;
  std::string witness;
  bool quiet = false;
};

// What the first process of several tells each of the others.
struct RunPart {
  std::size_t number = 0;
  std::uint64_t start = 0;    // how often it was begun again
  std::int64_t began_ms = 0;  // the run, by steady_ms()
  std::string tallies;        // the file that they share
};

// The exit status. Prints what goes on and the summary.
int run_fleet(const RunOptions& options, const std::optional<RunPart>& part);

}  // namespace gridward::sim
