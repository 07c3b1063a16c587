// How a fleet is shared among processes, and when those are killed. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <gridward_sim/fleet.hpp>
#include <gridward_sim/random.hpp>
#include <vector>

namespace gridward::sim {

struct Part {
  std::vector<std::size_t> members;  // of the fleet
  double kills_per_h = 0;
};

// At most so many, and at least one for each rate of kills: who is never killed is with nobody who is.
std::vector<Part> share_out(const std::vector<HandheldSpec>& handhelds, unsigned processes);

// The moments at which one process is killed.
class Kills {
 public:
  Kills(std::uint64_t seed, std::size_t part, double per_h);
  std::int64_t next_ms() const { return next_ms_; }  // since the run began; a far day when there is none
  void pass();

 private:
  Random random_;
  double per_h_;
  std::int64_t next_ms_;
};

}  // namespace gridward::sim
