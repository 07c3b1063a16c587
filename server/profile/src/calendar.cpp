#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "sections.hpp"

namespace gridward::profile {
namespace {

std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  int number = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

// "08:30"; "24:00" is the end of a day.
std::optional<std::chrono::minutes> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = digits(text, 0, 2);
  const auto minutes = digits(text, 3, 2);
  if (!hours || !minutes || *minutes > 59 || *hours * 60 + *minutes > 24 * 60) return std::nullopt;
  return std::chrono::minutes{*hours * 60 + *minutes};
}

std::optional<std::chrono::sys_days> date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto y = digits(text, 0, 4);
  const auto m = digits(text, 5, 2);
  const auto d = digits(text, 8, 2);
  if (!y || !m || !d) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                                        std::chrono::day{static_cast<unsigned>(*d)}};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days{day};
}

}  // namespace

void read_office_hours(const Node& list, std::vector<domain::OfficeSpan>& hours) {
  if (!list.array(1)) return;
  list.each_element([&](const Node& span) {
    if (!span.array(0)) return;
    if (span.size() != 2) {
      span.problem("not a pair of times");
      return;
    }
    std::array<std::optional<std::chrono::minutes>, 2> times;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto entry = span.element(i);
      const auto text = entry.text();
      times.at(i) = time_of_day(text);
      if (!text.empty() && !times.at(i)) entry.problem("\"" + text + "\", write it like 08:30");
    }
    if (!times[0] || !times[1]) return;
    if (*times[0] >= *times[1]) {
      span.problem("ends before it begins");
    } else if (!hours.empty() && hours.back().to > *times[0]) {
      span.problem("begins before the span above it ends");
    } else {
      hours.push_back({*times[0], *times[1]});
    }
  });
}

void read_unit_hours(const Node& list, domain::Policy& policy) {
  if (!list.array(0)) return;
  list.each_element([&](const Node& row) {
    if (!row.object({"unit", "office_hours", "article"})) return;
    std::string unit;
    std::vector<domain::OfficeSpan> hours;
    if (const auto member = row.member("unit")) unit = member->text();
    if (const auto member = row.member("office_hours")) read_office_hours(*member, hours);
    if (const auto member = row.member("article", false)) member->text();
    if (!unit.empty() && policy.unit_hours.contains(unit)) row.problem("the unit " + unit + " stands there twice");
    policy.unit_hours.emplace(std::move(unit), std::move(hours));
  });
}

void read_holidays(const Node& root, domain::WorkCalendar& calendar) {
  if (!root.object({"origin", "licence", "known_to", "days"})) return;
  if (const auto year = root.member("known_to")) {
    calendar.known_to = std::chrono::year{static_cast<int>(year->number(1949, 9999))};
  }
  const auto days = root.member("days");
  if (!days || !days->object()) return;
  days->each_member([&](const std::string& name, const Node& kind) {
    const auto day = date(name);
    const auto text = kind.text();
    if (!day) {
      kind.problem("the day is not like 2026-10-01");
    } else if (text != "work" && text != "off") {
      kind.problem("\"" + text + "\", one of off work");
    } else {
      calendar.exceptions.emplace(*day, text == "work");
    }
  });
}

}  // namespace gridward::profile
