#include <algorithm>
#include <utility>

#include "sections.hpp"

namespace gridward::profile {
namespace {

using domain::Move;
using domain::Process;
using domain::ProcessStep;

// One of the domain's words, or a problem that says what kind of word was wanted.
template <class Value>
std::optional<Value> read_word(const Node& node, std::optional<Value> (*from_string)(std::string_view),
                               const char* kind) {
  const auto text = node.text();
  auto value = from_string(text);
  if (!value && !text.empty()) node.problem("\"" + text + "\" is not " + kind);
  return value;
}

template <class Value>
std::vector<Value> read_words(const Node& list, std::optional<Value> (*from_string)(std::string_view),
                              const char* kind) {
  std::vector<Value> values;
  if (!list.array(1)) return values;
  list.each_element([&](const Node& element) {
    auto value = read_word(element, from_string, kind);
    if (!value) return;
    if (std::ranges::find(values, *value) != values.end()) {
      element.problem("\"" + element.text() + "\" stands there twice");
    }
    values.push_back(*std::move(value));
  });
  return values;
}

// "start:handle={limit}", "stop:accept", "pause:*"
std::optional<domain::ClockMove> clock_move_from_string(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto op = domain::clock_op_from_string(text.substr(0, colon));
  const auto rest = text.substr(colon + 1);
  const auto equals = rest.find('=');
  domain::ClockMove move;
  move.clock = rest.substr(0, equals);
  if (equals != std::string_view::npos) move.limit = rest.substr(equals + 1);
  if (!op || move.clock.empty()) return std::nullopt;
  move.op = *op;
  const bool limited = move.op == domain::ClockOp::start || move.op == domain::ClockOp::extend;
  const bool all = move.clock == "*";
  if (limited == move.limit.empty() || (limited && all) || (!limited && equals != std::string_view::npos)) {
    return std::nullopt;
  }
  return move;
}

void read_stages(const Node& table, Process& process) {
  if (!table.object()) return;
  table.each_member([&](const std::string& name, const Node& title) {
    process.stages.push_back(name);
    process.stage_titles.emplace(name, title.name());
  });
  if (process.stages.empty()) table.problem("empty");
}

void read_steps(const Node& table, Process& process) {
  if (!table.object()) return;
  table.each_member([&](const std::string& name, const Node& row) {
    ProcessStep step;
    step.name = name;
    if (row.object({"stage", "title", "ends", "aside"})) {
      if (const auto stage = row.member("stage")) step.stage = stage->name();
      if (const auto title = row.member("title")) step.title = title->name();
      if (const auto ends = row.member("ends", false)) step.ends = ends->flag();
      if (const auto aside = row.member("aside", false)) step.aside = aside->flag();
    }
    process.steps.push_back(std::move(step));
  });
  if (process.steps.empty()) table.problem("empty");
}

void read_from(const Node& list, Move& move) {
  if (!list.array(0)) return;
  list.each_element([&](const Node& step) {
    auto name = step.name();
    if (std::ranges::find(move.from, name) != move.from.end()) step.problem("\"" + name + "\" stands there twice");
    move.from.push_back(std::move(name));
  });
}

Move read_move(const Node& row) {
  Move move;
  if (!row.object({"action", "from", "to", "roles", "bound", "when", "note", "require", "allow", "reasons", "clocks",
                   "own_time", "article"})) {
    return move;
  }
  if (const auto node = row.member("action")) {
    move.action = read_word(*node, domain::action_from_string, "an act").value_or(move.action);
  }
  if (const auto node = row.member("from")) read_from(*node, move);
  if (const auto node = row.member("to", false)) move.to = node->name();
  if (const auto node = row.member("roles")) move.roles = read_words(*node, domain::role_from_string, "a role");
  if (const auto node = row.member("bound", false)) {
    move.bound = read_word(*node, domain::bound_from_string, "who, beyond the role").value_or(move.bound);
  }
  if (const auto node = row.member("when", false)) {
    move.guards = read_words(*node, domain::guard_from_string, "a condition");
  }
  if (const auto node = row.member("note", false)) move.note = node->flag();
  if (const auto node = row.member("require", false)) {
    move.required = read_words(*node, domain::field_from_string, "a field");
  }
  if (const auto node = row.member("allow", false)) {
    move.optional = read_words(*node, domain::field_from_string, "a field");
  }
  if (const auto node = row.member("reasons", false)) move.reasons = node->name();
  if (const auto node = row.member("clocks", false)) {
    move.clocks = read_words(*node, clock_move_from_string, "like start:handle=general, stop:handle or pause:*");
  }
  if (const auto node = row.member("own_time", false)) move.own_time = node->flag();
  if (const auto node = row.member("article")) move.article = node->text();
  return move;
}

Process read_process(const std::string& id, const Node& node) {
  Process process;
  process.id = id;
  if (!node.object({"title", "article", "stages", "steps", "moves"})) return process;
  if (const auto title = node.member("title")) process.title = title->name();
  if (const auto article = node.member("article")) process.article = article->text();
  if (const auto stages = node.member("stages")) read_stages(*stages, process);
  if (const auto steps = node.member("steps")) read_steps(*steps, process);
  if (const auto moves = node.member("moves"); moves && moves->array(1)) {
    moves->each_element([&](const Node& row) { process.moves.push_back(read_move(row)); });
  }
  return process;
}

}  // namespace

void read_processes(const Node& table, domain::Policy& policy) {
  if (!table.object()) return;
  table.each_member(
      [&](const std::string& id, const Node& process) { policy.processes.emplace(id, read_process(id, process)); });
  if (policy.processes.empty()) table.problem("empty");
}

}  // namespace gridward::profile
