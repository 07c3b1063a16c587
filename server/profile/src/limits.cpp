#include "sections.hpp"

namespace gridward::profile {
namespace {

using domain::ClockUnit;

constexpr int kMostDays = 366;
constexpr int kMostMinutes = kMostDays * 24 * 60;

std::optional<ClockUnit> read_unit(const Node& node) {
  const auto text = node.text();
  const auto unit = domain::clock_unit_from_string(text);
  if (!text.empty() && !unit) {
    node.problem("\"" + text +
                 "\", one of natural_minutes natural_days duty_minutes working_minutes working_days on_the_spot");
  }
  return unit;
}

int most_of(std::optional<ClockUnit> unit) {
  const bool days = unit == ClockUnit::natural_days || unit == ClockUnit::working_days;
  return days ? kMostDays : kMostMinutes;
}

void read_limit(const std::string& key, const Node& row, domain::Policy& policy) {
  domain::ClockRule& rule = policy.limits[key];  // there even when it is wrong, so that who names it is not told so
  rule.key = "limits." + key;
  if (!row.object({"unit", "amount", "article"})) return;
  std::optional<ClockUnit> unit;
  if (const auto node = row.member("unit")) unit = read_unit(*node);
  rule.unit = unit.value_or(ClockUnit::working_days);
  const bool measured = unit != ClockUnit::on_the_spot;
  if (const auto amount = row.member("amount", measured)) {
    if (!measured) {
      amount->problem("on_the_spot has no amount");
    } else {
      rule.amount = static_cast<int>(amount->number(1, most_of(unit)));
    }
  }
  if (const auto article = row.member("article")) rule.article = article->text();
}

}  // namespace

void read_limits(const Node& table, domain::Policy& policy) {
  if (!table.object()) return;
  table.each_member([&](const std::string& key, const Node& row) { read_limit(key, row, policy); });
  if (policy.limits.empty()) table.problem("empty");
}

}  // namespace gridward::profile
