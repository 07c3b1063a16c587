// What a profile says: is it right, and when does one of its limits end?
#include <cstdio>
#include <gridward/profile/profile.hpp>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "instant.hpp"

namespace gridward::main_program {
namespace {

using std::chrono::minutes;

int usage(const char* option, std::string detail) {
  return say({ErrorCode::config_invalid, option, std::move(detail)}, kUsage);
}

constexpr const char* kTimeForm = ": write it like 2026-09-28T10:00 or 2026-09-28T10:00:00+08:00";

// FROM/TO; says what is wrong and gives nothing.
std::optional<domain::Pause> read_pause(const std::string& text, minutes zone) {
  const auto stroke = text.find('/');
  if (stroke == std::string::npos) {
    usage("--pause", text + ": write it like FROM/TO");
    return std::nullopt;
  }
  if (stroke + 1 == text.size()) {
    usage("--pause", text + ": has no end, and a clock that stands still has no due time");
    return std::nullopt;
  }
  const auto from = instant_from_string(std::string_view(text).substr(0, stroke), zone);
  const auto to = instant_from_string(std::string_view(text).substr(stroke + 1), zone);
  if (!from || !to) {
    usage("--pause", text + kTimeForm);
    return std::nullopt;
  }
  if (*from >= *to) {
    usage("--pause", text + ": ends before it begins");
    return std::nullopt;
  }
  return domain::Pause{*from, *to};
}

const domain::ClockRule* find_rule(const domain::Policy& policy, std::string key) {
  static constexpr std::string_view kTable = "limits.";
  if (key.starts_with(kTable)) key.erase(0, kTable.size());
  const auto found = policy.limits.find(key);
  if (found != policy.limits.end()) return &found->second;
  std::string known;
  for (const auto& [name, ignored] : policy.limits) known += (known.empty() ? "" : " ") + name;
  usage("--rule", "\"" + key + "\" is not among the limits of " + policy.id + ": " + known);
  return nullptr;
}

std::string hours_text(const domain::WorkCalendar& calendar) {
  std::string text;
  for (const auto& span : calendar.hours) {
    text += " " + to_clock_text(span.from) + "-" + to_clock_text(span.to);
  }
  return text;
}

}  // namespace

int check_profile(const std::string& file, int status_when_wrong) {
  const auto policy = profile::load_policy(file);
  if (!policy) return say(policy.error(), status_when_wrong);
  std::printf(
      "ok: profile %s (%s): %zu limits, %zu categories, %zu processes, %zu units with office hours of their own, "
      "%zu special days, years to %d\n",
      policy->id.c_str(), policy->name.c_str(), policy->limits.size(), policy->categories.size(),
      policy->processes.size(), policy->unit_hours.size(), policy->calendar.exceptions.size(),
      static_cast<int>(policy->calendar.known_to.value_or(std::chrono::year{0})));
  return kDone;
}

int profile_check(const Args& args) { return check_profile(args.words[0], kFailed); }

int due(const Args& args) {
  for (const char* needed : {"--profile", "--rule", "--at"}) {
    if (!args.has(needed)) return usage(needed, "is needed");
  }
  const auto policy = profile::load_policy(args.value("--profile"));
  if (!policy) return say(policy.error(), kBadInput);
  const auto* rule = find_rule(*policy, args.value("--rule"));
  if (rule == nullptr) return kUsage;

  auto zone = policy->calendar.utc_offset;
  if (args.has("--tz")) {
    const auto given = offset_from_string(args.value("--tz"));
    if (!given) return usage("--tz", args.value("--tz") + ": write it like +08:00");
    zone = *given;
  }
  const auto start = instant_from_string(args.value("--at"), zone);
  if (!start) return usage("--at", args.value("--at") + kTimeForm);
  std::vector<domain::Pause> pauses;
  if (const auto given = args.values.find("--pause"); given != args.values.end()) {
    for (const auto& text : given->second) {
      const auto pause = read_pause(text, zone);
      if (!pause) return kUsage;
      pauses.push_back(*pause);
    }
  }

  const auto unit = args.value("--unit");
  const auto calendar = domain::calendar_of(*policy, unit);
  std::printf("office hours of %s:%s\n", policy->unit_hours.contains(unit) ? unit.c_str() : policy->id.c_str(),
              hours_text(calendar).c_str());
  std::vector<domain::DueStep> steps;
  const auto end = domain::clock_due(calendar, *rule, *start, pauses, &steps);
  for (const auto& step : steps) std::printf("%s  %s\n", to_day_text(step.at, zone).c_str(), step.text.c_str());
  if (end.provisional) {
    std::printf("provisional: it rests on a day past %d, whose holidays are not loaded\n",
                static_cast<int>(calendar.known_to.value_or(std::chrono::year{0})));
  }
  const auto yellow = domain::yellow_from(calendar, *rule, *start, end.at, pauses);
  const nlohmann::ordered_json line{{"due", to_iso(end.at, zone)},
                                    {"rule", rule->key},
                                    {"article", rule->article},
                                    {"provisional", end.provisional},
                                    {"yellow_from", to_iso(yellow, zone)}};
  std::printf("%s\n", line.dump().c_str());
  return kDone;
}

}  // namespace gridward::main_program
