// What happens to one handheld in its scenario, as time goes on: its duty, its battery, its boots. The same for the
// same seed, however often it is asked. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <gridward_sim/random.hpp>
#include <gridward_sim/scenario.hpp>
#include <memory>
#include <vector>

namespace gridward::sim {

class Timeline {
 public:
  enum class What { duty_begins, duty_ends, reboots, power_cut, switched_on };
  struct Happening {
    std::int64_t at_ms = 0;  // since the run began
    What what = What::duty_begins;
    bool operator==(const Happening&) const = default;
  };

  // Begins switched on, at 0, on duty if a window begins there.
  Timeline(std::shared_ptr<const Circumstances> circumstances, std::uint64_t seed);

  // Everything after the last one, up to this moment. A time that is past gives nothing.
  std::vector<Happening> advance(std::int64_t to_ms);

  bool on_duty() const { return on_duty_; }
  bool switched_on() const { return on_; }
  double battery_percent() const;  // at the time advanced to; 100 without a battery in the scenario
  std::int64_t next_ms() const;    // of the next happening; a far day when there is none

 private:
  double level_at(std::int64_t ms) const;
  double percent_per_ms() const;
  std::int64_t duty_changes_ms() const;
  std::int64_t battery_changes_ms() const;
  void rebase(std::int64_t at_ms);

  std::shared_ptr<const Circumstances> circumstances_;
  Random random_;
  std::int64_t now_ = 0;
  std::size_t window_ = 0;  // the one that goes on or comes next
  bool on_duty_ = false;
  bool on_ = true;
  bool empty_ = false;  // the battery switched it off
  double level_ = 100;  // at level_since_: what goes linearly from there
  std::int64_t level_since_ = 0;
  std::int64_t reboot_at_;
  std::int64_t booted_at_;  // a reboot goes on until then
};

}  // namespace gridward::sim
