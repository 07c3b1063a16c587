// Histories of cases as a county's processes really let them go: every event is made by domain::decide from the real
// profile. Places, people and times are stood in for, and put in by `tell`.
#pragma once

#include <gridward/domain/case.hpp>
#include <random>
#include <string>
#include <vector>

namespace gridward::bench {

// Where a case happens and who is there. The story's own is the first one.
struct Place {
  std::string town;  // code
  std::string town_path;
  std::string grid;  // empty: the town's
  std::string path;  // of the grid, else the town's
  std::string unit;  // that gets the order
  std::string unit_path;
  std::string assisting;
  std::string member, member_name;
  std::string desk, desk_name;
  std::string unit_login, unit_name;
};

enum class State : std::uint8_t { finished, open, overdue, due };

struct Story {
  std::vector<domain::CaseEvent> events;
  State state = State::finished;
  bool from_grid = false;  // a grid member's, else a desk's
  double weight = 1;       // among the stories of its state
  UnixMs begin{}, end{};   // of its first and last event
};

// Throws std::runtime_error when the profile does not let a story go as it is told here.
std::vector<Story> write_stories(const domain::Policy& policy, const Place& place, const std::string& district);
// One case whose running clock is past its due by `now`, told yellow and not told overdue.
Story write_due_story(const domain::Policy& policy, const Place& place);

struct Telling {
  const Place& from;
  const Place& to;
  Millis by{};  // later
  std::string text;
  std::string category;
  Uuid task;
};
std::vector<domain::CaseEvent> tell(const Story& story, const Telling& telling);

}  // namespace gridward::bench
