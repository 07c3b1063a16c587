#include <algorithm>
#include <set>

#include "engine.hpp"

namespace gridward::domain {
namespace {

using namespace engine;

constexpr std::string_view kLimitMark = "{limit}";

class PolicyChecker {
 public:
  explicit PolicyChecker(const Policy& policy) : policy_(policy) {}

  std::vector<ProcessProblem> run() {
    for (const auto& [code, category] : policy_.categories) {
      if (!policy_.limits.contains(category.limit))
        add("categories." + code + ".limit", category.limit + " is no limit");
    }
    for (const auto& [code, channel] : policy_.channels) {
      if (!policy_.processes.contains(channel.process)) {
        add("channels." + code + ".process", channel.process + " is no process");
      }
    }
    for (const auto& [name, list] : policy_.codes) check_list(name, list);
    for (const auto& [id, process] : policy_.processes) {
      const auto path = "processes." + id + ".";
      if (process.id != id) add(path + "id", "must be " + id);
      for (auto& problem : process_problems(process)) add(path + problem.path, std::move(problem.text));
      for (std::size_t i = 0; i < process.moves.size(); ++i) {
        check_move(process.moves[i], path + "moves[" + std::to_string(i) + "].");
      }
    }
    std::set<std::string> keys;
    for (std::size_t i = 0; i < policy_.scores.size(); ++i) {
      const auto& rule = policy_.scores[i];
      if (!keys.insert(rule.key).second) add("scores[" + std::to_string(i) + "].key", rule.key + " is there twice");
    }
    return std::move(out_);
  }

 private:
  void add(std::string path, std::string text) { out_.push_back({std::move(path), std::move(text)}); }

  void check_list(const std::string& name, const CodeList& list) {
    std::set<std::string> codes;
    for (const auto& [code, coded] : list) {
      if (!codes.insert(code).second) add("codes." + name, code + " is there twice");
      if (name == "grade" && !policy_.limits.contains(code)) add("codes.grade", code + " is no limit");
    }
    if (name != "satisfaction") return;
    if (std::none_of(codes.begin(), codes.end(), [](const auto& code) { return satisfied(code); }) ||
        std::none_of(codes.begin(), codes.end(), [](const auto& code) { return dissatisfied(code); })) {
      add("codes.satisfaction", "needs a code for satisfied and one for dissatisfied");
    }
  }

  void need_list(const std::string& name, const std::string& path) {
    const auto found = policy_.codes.find(name);
    if (found == policy_.codes.end() || found->second.empty()) add(path, "needs the code list " + name);
  }

  void check_move(const Move& move, const std::string& path) {
    for (const auto* fields : {&move.required, &move.optional}) {
      for (const auto field : *fields) {
        if (field_info(field).type != FieldType::code) continue;
        if (field == Field::outcome || field == Field::reason) continue;
        const auto where = path + (fields == &move.required ? "required" : "optional");
        if (field == Field::category || field == Field::channel) {
          const bool empty = field == Field::category ? policy_.categories.empty() : policy_.channels.empty();
          if (empty) add(where, "needs the list of " + std::string(to_string(field)));
          continue;
        }
        need_list(std::string(to_string(field)), where);
      }
    }
    if (!move.reasons.empty()) need_list(move.reasons, path + "reasons");
    for (const auto& change : move.clocks) {
      if (change.clock != "*" && !policy_.clock_titles.contains(change.clock)) {
        add("clock_titles." + change.clock, "is missing");
      }
      if (!change.limit.empty()) check_limit(change.limit, path + "clocks");
    }
  }

  // With the mark: for every limit that a category or a grade may put there.
  void check_limit(const std::string& pattern, const std::string& path) {
    std::set<std::string> names;
    if (pattern.find(kLimitMark) == std::string::npos) {
      names.insert(pattern);
    } else {
      for (const auto& [code, category] : policy_.categories) names.insert(limit_name(pattern, category.limit));
      if (const auto grades = policy_.codes.find("grade"); grades != policy_.codes.end()) {
        for (const auto& [code, coded] : grades->second) names.insert(limit_name(pattern, code));
      }
    }
    for (const auto& name : names) {
      if (!policy_.limits.contains(name)) add(path, name + " is no limit");
    }
  }

  const Policy& policy_;
  std::vector<ProcessProblem> out_;
};

}  // namespace

std::vector<ProcessProblem> policy_problems(const Policy& policy) { return PolicyChecker(policy).run(); }

}  // namespace gridward::domain
