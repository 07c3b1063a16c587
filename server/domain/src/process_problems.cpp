#include <algorithm>
#include <set>

#include "engine.hpp"

namespace gridward::domain {
namespace {

using namespace engine;

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}
bool has(const std::vector<Field>& list, Field field) {
  return std::find(list.begin(), list.end(), field) != list.end();
}

class Checker {
 public:
  explicit Checker(const Process& process) : process_(process) {}

  std::vector<ProcessProblem> run() {
    check_names();
    for (std::size_t i = 0; i < process_.moves.size(); ++i) check_move(i);
    for (std::size_t i = 0; i < process_.moves.size(); ++i) check_twins(i);
    check_answers();
    check_ways();
    return std::move(out_);
  }

 private:
  void add(std::string path, std::string text) { out_.push_back({std::move(path), std::move(text)}); }
  static std::string at(std::size_t i, const char* part) { return "moves[" + std::to_string(i) + "]." + part; }

  void check_names() {
    if (process_.id.empty()) add("id", "must not be empty");
    for (const auto& stage : process_.stages) {
      if (!process_.stage_titles.contains(stage)) add("stage_titles." + stage, "is missing");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < process_.steps.size(); ++i) {
      const auto& step = process_.steps[i];
      const auto path = "steps[" + std::to_string(i) + "].";
      if (step.name.empty() || step.name == "*" || step.name.starts_with('@')) add(path + "name", "is no name");
      if (!names.insert(step.name).second) add(path + "name", step.name + " is there twice");
      if (!has(process_.stages, step.stage)) add(path + "stage", step.stage + " is no stage of the process");
      if (step.ends && step.aside) add(path + "aside", "an end is not put aside");
    }
    for (const auto& move : process_.moves) {
      for (const auto& change : move.clocks) {
        if (change.op == ClockOp::start) started_.insert(change.clock);
      }
    }
  }

  void check_move(std::size_t i) {
    const auto& move = process_.moves[i];
    for (const auto& from : move.from) {
      const auto* step = process_.step(from);
      if (from == "*") continue;
      if (step == nullptr) {
        add(at(i, "from"), from + " is no step");
      } else if (step->ends) {
        add(at(i, "from"), "nothing leads on from the end " + from);
      }
    }
    if (move.from.empty() != begins(move)) {
      add(at(i, "from"), std::string(to_string(move.action)) + " begins no case, so it needs a step to lead from");
    }
    if (move.from.empty() && (move.to.empty() || move.to == "@back")) add(at(i, "to"), "a case begins at a step");
    if (const auto* to = process_.step(move.to); move.from.empty() && to != nullptr && to->aside) {
      add(at(i, "to"), "a case does not begin aside, where nothing leads back to");
    }
    if (!move.to.empty() && move.to != "@back" && process_.step(move.to) == nullptr) {
      add(at(i, "to"), move.to + " is no step");
    }
    if (move.to == "@back") {
      for (const auto& from : move.from) {
        const auto* step = process_.step(from);
        if (step == nullptr || !step->aside)
          add(at(i, "to"), "@back leads out of steps that are aside only, not " + from);
      }
    }
    if (move.roles.empty()) add(at(i, "roles"), "nobody may do it");
    check_fields_of(i, move);
    check_guards_of(i, move);
    check_clocks_of(i, move);
  }

  static bool begins(const Move& move) { return move.from.empty() && begins_a_case(move.action); }

  void check_fields_of(std::size_t i, const Move& move) {
    for (const auto field : needs_of(move.action)) {
      if (!has(move.required, field)) {
        add(at(i, "required"), std::string(to_string(move.action)) + " needs " + std::string(to_string(field)));
      }
    }
    for (const auto field : {Field::town, Field::category}) {
      if (move.from.empty() && move.action != Action::draft_list && !has(move.required, field)) {
        add(at(i, "required"), "a report needs " + std::string(to_string(field)));
      }
    }
    std::set<Field> seen;
    for (const auto* list : {&move.required, &move.optional}) {
      for (const auto field : *list) {
        if (!seen.insert(field).second) {
          add(at(i, list == &move.required ? "required" : "optional"),
              std::string(to_string(field)) + " is there twice");
        }
      }
    }
    if (seen.contains(Field::reason) == move.reasons.empty()) {
      add(at(i, "reasons"), "a reason needs the list it is of, and a list a reason");
    }
    // F12: satisfaction comes by the call-back alone, of who did not handle the case.
    if (seen.contains(Field::satisfaction)) {
      if (move.action != Action::call_back) add(at(i, "action"), "satisfaction comes by call_back only");
      if (move.bound != Bound::not_handling) add(at(i, "bound"), "call_back is for not_handling only");
      for (const auto role : {Role::handling_unit, Role::unit_leader}) {
        if (std::find(move.roles.begin(), move.roles.end(), role) != move.roles.end()) {
          add(at(i, "roles"), std::string(to_string(role)) + " does not say how satisfied the citizen is");
        }
      }
    }
    if (seen.contains(Field::on_time)) add(at(i, "optional"), "on_time is reckoned, not entered");
    if (move.action == Action::verify && move.bound != Bound::verifier) {
      add(at(i, "bound"), "verify is for the verifier only");
    }
  }

  void check_guards_of(std::size_t i, const Move& move) {
    for (const auto& guard : move.guards) {
      const auto bad = [&](const char* why) { add(at(i, "guards"), to_string(guard) + ": " + why); };
      switch (guard.kind) {
        case GuardKind::asked:
        case GuardKind::not_asked:
        case GuardKind::confirmed:
        case GuardKind::not_confirmed:
        case GuardKind::other_person:
          if (std::find(kRequests.begin(), kRequests.end(), guard.name) == kRequests.end()) bad("is no request");
          break;
        case GuardKind::in_time:
        case GuardKind::running:
        case GuardKind::days_before:
          if (!started_.contains(guard.name)) bad("no move starts this clock");
          if (guard.kind == GuardKind::days_before && guard.days < 1) bad("needs a number of days");
          break;
        case GuardKind::outcome:
          if (std::find(kOutcomes.begin(), kOutcomes.end(), guard.name) == kOutcomes.end()) bad("is no outcome");
          break;
        case GuardKind::satisfied:
          if (guard.name != "yes" && guard.name != "no") bad("must be yes or no");
          break;
        case GuardKind::from_city:
          if (!guard.name.empty() && guard.name != "yes" && guard.name != "no") bad("must be yes or no");
          break;
        case GuardKind::media:
          if (guard.days < 1) bad("needs a number of files");
          if (!guard.name.empty() &&
              std::find(kMediaRoles.begin(), kMediaRoles.end(), guard.name) == kMediaRoles.end()) {
            bad("is no role of a file");
          }
          break;
        case GuardKind::unlocked:
        case GuardKind::fed_back:
        case GuardKind::unmerged:
          if (!guard.name.empty()) bad("has no name");
          break;
      }
    }
  }

  void check_clocks_of(std::size_t i, const Move& move) {
    for (const auto& change : move.clocks) {
      const auto bad = [&](const char* why) {
        add(at(i, "clocks"), std::string(to_string(change.op)) + " " + change.clock + ": " + why);
      };
      if (change.clock == "*") {
        if (change.op == ClockOp::start || change.op == ClockOp::extend) bad("needs one clock");
      } else if (!started_.contains(change.clock)) {
        bad("no move starts it");
      }
      if (change.op == ClockOp::start && change.limit.empty()) bad("needs a limit");
      if (change.op != ClockOp::start && change.op != ClockOp::extend && !change.limit.empty()) bad("takes no limit");
      if (move.from.empty() && change.op != ClockOp::start) bad("no clock runs before the case");
    }
  }

  bool meet(const Move& a, const Move& b) const {
    if (a.from.empty() && b.from.empty()) return true;
    return std::any_of(process_.steps.begin(), process_.steps.end(),
                       [&](const ProcessStep& step) { return leads_from(a, step) && leads_from(b, step); });
  }

  // from_city alone is from_city:yes.
  static std::string_view meaning(const Guard& guard) {
    return guard.kind == GuardKind::from_city && guard.name.empty() ? "yes" : std::string_view(guard.name);
  }

  static bool told_apart(const Move& a, const Move& b) {
    for (const auto& one : a.guards) {
      for (const auto& other : b.guards) {
        if (one.kind != other.kind || !tells_apart(one.kind)) continue;
        if (meaning(one) != meaning(other)) return true;
      }
    }
    return false;
  }

  void check_twins(std::size_t i) {
    const auto& move = process_.moves[i];
    for (std::size_t k = 0; k < i; ++k) {
      const auto& other = process_.moves[k];
      if (other.action != move.action || !meet(move, other) || told_apart(move, other)) continue;
      const bool role = std::any_of(move.roles.begin(), move.roles.end(), [&](Role one) {
        return std::find(other.roles.begin(), other.roles.end(), one) != other.roles.end();
      });
      if (role) {
        add(at(i, "action"), std::string(to_string(move.action)) +
                                 " of the same role leads from the same step as in moves[" + std::to_string(k) + "]");
      }
    }
  }

  // What can be asked for can be granted and refused.
  void check_answers() {
    std::set<Action> actions;
    for (const auto& move : process_.moves) actions.insert(move.action);
    const std::pair<Action, std::vector<Action>> rows[] = {
        {Action::request_return, {Action::confirm_return, Action::grant_return, Action::refuse_return}},
        {Action::request_extension, {Action::grant_extension, Action::refuse_extension}},
        {Action::request_suspension, {Action::grant_suspension, Action::refuse_suspension}},
        {Action::grant_suspension, {Action::resume}},
        {Action::whistle, {Action::decide_lead}},
        {Action::request_verify, {Action::verify}},
        {Action::verify, {Action::request_verify}}};
    for (const auto& [asks, answers] : rows) {
      if (!actions.contains(asks)) continue;
      for (const auto answer : answers) {
        if (actions.contains(answer)) continue;
        add("moves", std::string(to_string(asks)) + " needs " + std::string(to_string(answer)));
      }
    }
  }

  std::set<std::string> targets(const Move& move, const ProcessStep& from) const {
    if (move.to.empty()) return {from.name};
    if (move.to != "@back") return {move.to};
    std::set<std::string> out;
    for (const auto& other : process_.moves) {
      const auto* to = process_.step(other.to);
      if (to == nullptr || !to->aside) continue;
      for (const auto& step : process_.steps) {
        if (!step.aside && leads_from(other, step)) out.insert(step.name);
      }
    }
    return out;
  }

  void check_ways() {
    std::map<std::string, std::set<std::string>> next;
    std::set<std::string> reached;
    for (const auto& move : process_.moves) {
      if (move.from.empty() && process_.step(move.to) != nullptr) reached.insert(move.to);
      for (const auto& step : process_.steps) {
        if (leads_from(move, step)) next[step.name].merge(targets(move, step));
      }
    }
    if (reached.empty()) add("moves", "no move begins a case");
    std::set<std::string> home;
    for (const auto& step : process_.steps) {
      if (step.ends) home.insert(step.name);
    }
    for (bool more = true; more;) {
      more = false;
      for (const auto& [from, targets_of] : next) {
        for (const auto& to : targets_of) {
          if (reached.contains(from)) more |= reached.insert(to).second;
          if (home.contains(to)) more |= home.insert(from).second;
        }
      }
    }
    for (std::size_t i = 0; i < process_.steps.size(); ++i) {
      const auto& step = process_.steps[i];
      const auto path = "steps[" + std::to_string(i) + "]";
      if (!reached.contains(step.name)) add(path, step.name + " cannot be reached");
      if (!home.contains(step.name)) add(path, "no way leads from " + step.name + " to an end");
    }
  }

  const Process& process_;
  std::set<std::string> started_;
  std::vector<ProcessProblem> out_;
};

}  // namespace

std::vector<ProcessProblem> process_problems(const Process& process) { return Checker(process).run(); }

}  // namespace gridward::domain
