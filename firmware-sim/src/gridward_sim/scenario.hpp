// The scenario file: what happens to the handhelds of a fleet. firmware-sim/README.md describes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <gridward/shared/error.hpp>
#include <gridward_sim/link.hpp>
#include <gridward_sim/walk.hpp>
#include <optional>
#include <string>
#include <vector>

namespace gridward::sim {

inline constexpr std::uintmax_t kMaxScenarioBytes = 1 << 20;
inline constexpr std::uintmax_t kMaxReceiverLogBytes = 16 << 20;
inline constexpr unsigned kMaxProcesses = 64;

struct Battery {
  double start_percent = 100;
  double drain_percent_per_h = 8;
  double charge_percent_per_h = 30;
  double back_percent = 15;  // an empty one is switched on again when it has so much
  bool charge_when_off_duty = true;
};

struct DutyWindow {
  std::int64_t from_ms = 0;  // since the run began
  std::int64_t to_ms = 0;
};

struct ClockErrors {
  double skew_ms = 0;
  double drift_ppm = 0;
  double jump_s = 0;  // to at most so far from where it would be, either way; 0: never
  double jump_every_s = 60;
  bool right() const { return skew_ms == 0 && drift_ppm == 0 && jump_s == 0; }
};

// Of each message, up and down.
struct DeliveryOdds {
  double duplicate = 0;
  double reorder = 0;  // held back, so that later ones overtake it
  double drop = 0;
  double hold_ms = 2000;  // at most so long
  bool plain() const { return duplicate == 0 && reorder == 0 && drop == 0; }
};

// What happens to one handheld. The default: nothing.
struct Circumstances {
  WalkKind walk = WalkKind::random;
  std::string log;  // of WalkKind::log: NMEA sentences, as they were recorded
  std::optional<Battery> battery;
  std::vector<DutyWindow> duty;  // empty: the whole run
  ClockErrors clock;
  std::optional<LinkClass> link;
  DeliveryOdds delivery;
  double reboots_per_h = 0;
  double kills_per_h = 0;  // of its process
  std::optional<std::uint64_t> outbox_bytes;
  std::optional<std::uint64_t> min_free_bytes;
  // Its boots are the scenario's and not the machine's.
  bool boots() const { return battery || reboots_per_h > 0; }
};

struct Group {
  std::optional<std::size_t> count;  // neither count nor share: all the rest
  std::optional<double> share;       // of the whole fleet
  std::shared_ptr<const Circumstances> circumstances;
};

struct Scenario {
  int processes = 1;
  std::vector<Group> groups;
};

// config_invalid, with what is wrong where.
Result<Scenario> load_scenario(const std::filesystem::path& file);

// How many of `handhelds`, in the fleet's order, each group has. Those behind the last group are in none.
std::vector<std::size_t> group_sizes(const Scenario& scenario, std::size_t handhelds);

}  // namespace gridward::sim
