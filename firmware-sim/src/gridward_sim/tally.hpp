// What all handhelds of a process did. Any thread, and any process: a family shares its tallies through a file.
#pragma once

#include <atomic>
#include <cstdint>

namespace gridward::sim {

struct Tally {
  using Count = std::atomic<std::uint64_t>;
  Count connected{0};
  Count on_duty{0};
  Count reports{0};
  Count photos{0};
  Count photos_delivered{0};
  Count tasks_verified{0};
  Count track_points{0};
  Count receipted{0};
  Count refusals{0};
  Count full{0};    // captures that found no room: nobody was told "saved"
  Count failed{0};  // what else the library refused
  Count reboots{0};
  Count kills{0};
  Count power_cuts{0};
  Count duplicated{0};
  Count reordered{0};
  Count dropped{0};
  // At the end:
  Count records{0};
  Count waiting{0};
  Count waiting_photos{0};
  Count refused{0};
};
static_assert(Tally::Count::is_always_lock_free);

}  // namespace gridward::sim
