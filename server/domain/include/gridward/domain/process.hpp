// A process as data: which steps there are, which act leads from where to where, who may do it, what it must say and
// what it does to the clocks. The grid member's case, the hotline's work order and the coordination of several units
// are three of them (滨海新区网格中心职责清单 2.2, 2.3; A1, A2, A8). Pure; thread-safe once built.
#pragma once

#include <cstdint>
#include <gridward/domain/access.hpp>
#include <gridward/domain/fields.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::domain {

// Who, beyond the role.
enum class Bound : std::uint8_t {
  anyone,
  holder,        // of the desk that has the case, or of one above it (A58)
  unit,          // of the unit that has the order
  assisting,     // of one of the assisting units
  verifier,      // the member who has the verify task
  reporter,      // who reported it
  not_handling,  // of no unit that handled it, nor its handler (F12, H8)
};

// What else must be so.
enum class GuardKind : std::uint8_t {
  asked,  // `name` (return, extension, suspension) was asked for and not answered yet
  not_asked,
  confirmed,  // the asked-for was confirmed by a second person
  not_confirmed,
  in_time,       // the clock `name` runs and is not past its due
  days_before,   // at least `days` working days before the due of clock `name`
  running,       // the clock `name` runs
  unlocked,      // no joint meeting has decided (A21)
  other_person,  // not who asked for `name` (B11)
  // These three may also tell apart several moves of one act from one step: the first whose hold is taken.
  outcome,    // the last check (of this round, or this act itself) had this outcome (`name`)
  satisfied,  // the last call-back, or this one, was (`name` = "yes") or was not ("no") satisfied; not reached: neither
  from_city,  // the channel is one of the city's (`name` = "yes" or empty) or not ("no"; B8)
  fed_back,   // feedback, and of every assisting unit too
  media,      // at least `days` files come with the act, of role `name` when given (A11, A54)
  unmerged,   // `target` is another case than this
};
struct Guard {
  GuardKind kind = GuardKind::asked;
  std::string name;
  int days = 0;
  bool operator==(const Guard&) const = default;
};

enum class ClockOp : std::uint8_t {
  start,
  stop,    // met: the time tells whether it was kept
  cancel,  // it no longer counts
  pause,
  resume,
  extend,  // the same limit again from its due (B8), a provisional stop of the old one
};
struct ClockMove {
  std::string clock;  // "handle"; "*": every running one
  ClockOp op = ClockOp::start;
  // start, extend: key into the limits; "{limit}" stands for the case's grade, else its category's limit:
  // "return_{limit}".
  std::string limit;
  bool operator==(const ClockMove&) const = default;
};

struct Move {
  Action action = Action::report;
  std::vector<std::string> from;  // names of steps; "*": every one that is not an end; empty: there is no case yet
  std::string to;                 // "": stays; "@back": where the case was before it was put aside
  std::vector<Role> roles;
  Bound bound = Bound::anyone;
  std::vector<Guard> guards;
  bool note = false;  // the note must be there
  std::vector<Field> required;
  std::vector<Field> optional;
  std::string reasons;  // name of the code list for `reason`
  std::vector<ClockMove> clocks;
  bool own_time = false;  // a handheld's true time counts for the clocks, not the server's
  std::string article;
  bool operator==(const Move&) const = default;
};

struct ProcessStep {
  std::string name;    // "awaiting_take"
  std::string stage;   // "transferred"
  std::string title;   // "待接单"
  bool ends = false;   // nothing leads on (rejected, voided, archived)
  bool aside = false;  // the case is put aside: @back leads out (suspended, whistle, return under review)
  bool operator==(const ProcessStep&) const = default;
};

struct Process {
  std::string id;     // "case"
  std::string title;  // "网格员上报案件"
  std::string article;
  std::vector<std::string> stages;  // in the documents' order
  std::map<std::string, std::string> stage_titles;
  std::vector<ProcessStep> steps;
  std::vector<Move> moves;
  bool operator==(const Process&) const = default;

  const ProcessStep* step(std::string_view name) const;
};

// What is wrong with the graph: an unknown step, a step that cannot be reached or left, no way to an end, a move whose
// built-in needs (process.cpp) are not among its fields, two moves for the same act, role and step that no guard tells
// apart, …
// Each with the path of the value ("moves[3].to").
struct ProcessProblem {
  std::string path;
  std::string text;
};
std::vector<ProcessProblem> process_problems(const Process& process);

std::string_view to_string(Bound bound);
std::optional<Bound> bound_from_string(std::string_view text);
std::string_view to_string(ClockOp op);
std::optional<ClockOp> clock_op_from_string(std::string_view text);
// "in_time:return", "days_before:handle:1", "unlocked"
std::string to_string(const Guard& guard);
std::optional<Guard> guard_from_string(std::string_view text);

}  // namespace gridward::domain
