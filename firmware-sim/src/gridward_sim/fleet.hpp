// The fleet file: which handhelds there are, where each member's grid is, how they behave. firmware-sim/README.md
// describes it.
#pragma once

#include <filesystem>
#include <gridward/shared/error.hpp>
#include <gridward/shared/geo.hpp>
#include <gridward/shared/time.hpp>
#include <gridward_sim/scenario.hpp>
#include <gridward_sim/walk.hpp>
#include <memory>
#include <string>
#include <vector>

namespace gridward::sim {

struct Behaviour {
  bool sign_in = true;
  bool patrol = true;
  double start_within_s = 3;  // so that not all sign in at the same moment
  double report_min_s = 20;   // between two reports
  double report_max_s = 60;
  int max_reports = -1;     // of one handheld; negative: no end
  int photos = 1;           // of each report, 0 to 4
  double verify_min_s = 3;  // looking around at the place of a task
  double verify_max_s = 8;
  double not_rectified = 0;  // share of tasks that find the problem still there
  WalkOptions walk;
};

struct HandheldSpec {
  std::filesystem::path config;  // of gridward-device
  Polygon grid;
  Behaviour behaviour;
  std::shared_ptr<const Circumstances> circumstances;  // null: nothing happens to it
};

struct Fleet {
  std::vector<HandheldSpec> handhelds;
  std::vector<std::string> categories;  // codes to choose from; empty: the simulator's own
};

// config_invalid, with what is wrong where.
Result<Fleet> load_fleet(const std::filesystem::path& file);

// Each of them gets what its group has. now: for receiver logs. config_invalid: a log that cannot be moved to a grid.
Result<void> apply(const Scenario& scenario, Fleet& fleet, UnixMs now);

}  // namespace gridward::sim
