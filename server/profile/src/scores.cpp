#include <array>
#include <set>
#include <utility>

#include "sections.hpp"

namespace gridward::profile {
namespace {

using domain::ScoreCause;

constexpr std::array<std::pair<std::string_view, ScoreCause>, 6> kCauses{{
    {"day_off_report", ScoreCause::day_off_report},
    {"repeated_complaint", ScoreCause::repeated_complaint},
    {"untrue", ScoreCause::untrue},
    {"circular", ScoreCause::circular},
    {"second_time", ScoreCause::second_time},
    {"overdue", ScoreCause::overdue},
}};
constexpr std::int64_t kMostPoints = 100;  // 百分制
constexpr std::int64_t kMostComplaints = 1000;

std::optional<ScoreCause> read_cause(const Node& node) {
  const auto text = node.text();
  std::string known;
  for (const auto& [name, cause] : kCauses) {
    if (name == text) return cause;
    known += ' ';
    known += name;
  }
  if (!text.empty()) node.problem("\"" + text + "\", one of" + known);
  return std::nullopt;
}

domain::ScoreRule read_rule(const Node& row) {
  domain::ScoreRule rule;
  std::optional<ScoreCause> cause;
  if (const auto key = row.member("key")) rule.key = "scores." + key->name();
  if (const auto node = row.member("cause")) cause = read_cause(*node);
  rule.cause = cause.value_or(ScoreCause::second_time);
  if (const auto points = row.member("points")) {
    rule.points = points->hundredths(-kMostPoints, kMostPoints);
    if (rule.points == 0) points->problem("0 scores nothing");
  }
  if (const auto least = row.member("least", cause == ScoreCause::repeated_complaint)) {
    rule.least = least->number(1, kMostComplaints);
    if (cause && cause != ScoreCause::repeated_complaint) least->problem("only repeated_complaint has it");
  }
  if (const auto article = row.member("article")) rule.article = article->text();
  return rule;
}

}  // namespace

void read_scores(const Node& list, domain::Policy& policy) {
  if (!list.array(0)) return;
  std::set<std::string> keys;
  list.each_element([&](const Node& row) {
    if (!row.object({"key", "cause", "points", "least", "article"})) return;
    auto rule = read_rule(row);
    if (!rule.key.empty() && !keys.insert(rule.key).second)
      row.problem("the key of " + rule.key + " stands there twice");
    policy.scores.push_back(std::move(rule));
  });
}

}  // namespace gridward::profile
