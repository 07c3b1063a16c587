#include <algorithm>

#include "engine.hpp"

namespace gridward::domain {

WorkCalendar calendar_of(const Policy& policy, std::string_view unit) {
  WorkCalendar calendar = policy.calendar;
  const auto own = policy.unit_hours.find(std::string(unit));
  if (own != policy.unit_hours.end()) calendar.hours = own->second;
  return calendar;
}

namespace engine {
namespace {

bool open(const CaseClock& clock) { return !clock.pauses.empty() && !clock.pauses.back().to; }

// Nothing happens to a clock before what last happened to it, whatever a handheld or a clock set back says.
UnixMs earliest(const CaseClock& clock) {
  auto at = clock.started;
  for (const auto& pause : clock.pauses) at = std::max({at, pause.from, pause.to.value_or(pause.from)});
  return at;
}

// The due of the first limit, then of each extension from the due before it (B8).
Due due_of(const WorkCalendar& calendar, const CaseClock& clock, std::span<const Pause> pauses) {
  auto due = clock_due(calendar, clock.rule, clock.started, pauses);
  for (const auto& rule : clock.extended) {
    const auto next = clock_due(calendar, rule, due.at, pauses);
    due = {next.at, due.provisional || next.provisional};
  }
  return due;
}

std::vector<Pause> closed(const CaseClock& clock, UnixMs at) {
  auto pauses = clock.pauses;
  if (open(clock)) pauses.back().to = at;
  return pauses;
}

// Whose clock: the unit's when one of its acts stops it or must be within it; else the desk's.
bool of_the_unit(const Process& process, std::string_view clock) {
  return std::any_of(process.moves.begin(), process.moves.end(), [&](const Move& move) {
    if (move.bound != Bound::unit) return false;
    return std::any_of(move.clocks.begin(), move.clocks.end(),
                       [&](const ClockMove& change) { return change.clock == clock && change.op == ClockOp::stop; }) ||
           std::any_of(move.guards.begin(), move.guards.end(),
                       [&](const Guard& guard) { return guard.kind == GuardKind::in_time && guard.name == clock; });
  });
}

// "{limit}": what the case's grade says, else its category; as this act leaves them.
Result<ClockRule> rule_of(const CaseEvent& event, const Scene& scene, const std::string& pattern) {
  std::string limit;
  if (pattern.find("{limit}") != std::string::npos) {
    auto grade = text_of(event.fields, Field::grade);
    if (grade.empty()) grade = text_of(scene.state.values, Field::grade);
    limit = std::string(grade);
    if (limit.empty()) {
      auto category = std::string(text_of(event.fields, Field::category));
      if (category.empty()) category = scene.state.category;
      const auto found = scene.policy.categories.find(category);
      if (found != scene.policy.categories.end()) limit = found->second.limit;
      if (limit.empty()) {
        return fail(ErrorCode::unknown_category, "fields.category",
                    (category.empty() ? "the case" : category) + " has no time limit in " + scene.policy.id);
      }
    }
  }
  const auto name = limit_name(pattern, limit);
  const auto found = scene.policy.limits.find(name);
  if (found != scene.policy.limits.end()) return found->second;
  return fail(ErrorCode::config_invalid, "limits." + name, "is not in the profile " + scene.policy.id);
}

class Changes {
 public:
  Changes(CaseEvent& event, const Scene& scene, const Move& move)
      : event_(event), scene_(scene), move_(move), clocks_(scene.state.clocks) {}

  Result<void> make(const ClockMove& change) {
    if (change.op == ClockOp::start) return start(change);
    for (const auto& name : running(change.clock)) {
      if (auto ok = act(*running_clock(clocks_, name), change); !ok) return ok;
    }
    return {};
  }

  void cancel_all() {
    for (const auto& name : running("*")) {
      ClockChange made;
      made.clock = name;
      made.op = ClockOp::cancel;
      made.at = std::max(event_.recorded, earliest(*running_clock(clocks_, name)));
      add(std::move(made));
    }
  }

 private:
  std::vector<std::string> running(const std::string& which) const {
    std::vector<std::string> names;
    for (const auto& clock : clocks_) {
      if (clock.running() && (which == "*" || which == clock.name)) names.push_back(clock.name);
    }
    return names;
  }

  void add(ClockChange change) {
    apply(clocks_, change, scene_.state.round);
    event_.clocks.push_back(std::move(change));
  }

  Result<void> start(const ClockMove& change) {
    const auto rule = rule_of(event_, scene_, change.limit);
    if (!rule) return tl::unexpected(rule.error());
    // A name runs once: a second order takes the place of the first.
    if (auto ok = make({change.clock, ClockOp::cancel, ""}); !ok) return ok;
    ClockChange made;
    made.clock = change.clock;
    made.op = ClockOp::start;
    made.at = event_.recorded;  // B14: when the unit was told, which the commit of this event does
    made.rule = *rule;
    if (of_the_unit(scene_.process, change.clock)) {
      const auto unit = text_of(event_.fields, Field::unit);
      const bool given = event_.type == Action::transfer || event_.type == Action::decide_lead;
      made.unit = given ? std::string(unit) : scene_.state.unit;
    }
    const CalendarOf calendar(scene_.policy, made.unit);
    const auto due = clock_due(calendar.get(), *rule, made.at);
    made.due = due.at;
    made.provisional = due.provisional;
    add(std::move(made));
    return {};
  }

  Result<void> act(const CaseClock& clock, const ClockMove& change) {
    const CalendarOf calendar(scene_.policy, clock.unit);
    ClockChange made;
    made.clock = clock.name;
    made.op = change.op;
    made.at = std::max(event_.recorded, earliest(clock));
    if (change.op == ClockOp::stop) {
      if (move_.own_time) made.at = std::max(std::min(event_.at, event_.recorded), earliest(clock));
      const auto due = clock.due ? *clock.due : due_of(calendar.get(), clock, closed(clock, made.at)).at;
      made.kept = made.at <= due;
    } else if (change.op == ClockOp::pause) {
      if (open(clock)) return {};
    } else if (change.op == ClockOp::resume) {
      if (!open(clock)) return {};
      const auto due = due_of(calendar.get(), clock, closed(clock, made.at));
      made.due = due.at;
      made.provisional = due.provisional;
    } else if (change.op == ClockOp::extend) {
      made.rule = clock.rule;
      if (!change.limit.empty()) {
        const auto rule = rule_of(event_, scene_, change.limit);
        if (!rule) return tl::unexpected(rule.error());
        made.rule = *rule;
      }
      if (clock.due) {
        const auto due = clock_due(calendar.get(), made.rule, *clock.due, clock.pauses);
        made.due = due.at;
        made.provisional = clock.provisional || due.provisional;
      }
    }
    add(std::move(made));
    return {};
  }

  CaseEvent& event_;
  const Scene& scene_;
  const Move& move_;
  std::vector<CaseClock> clocks_;
};

}  // namespace

CalendarOf::CalendarOf(const Policy& policy, std::string_view unit) : shared_(policy.calendar) {
  if (!unit.empty() && policy.unit_hours.contains(std::string(unit))) own_ = calendar_of(policy, unit);
}

CaseClock* running_clock(std::vector<CaseClock>& clocks, std::string_view name) {
  for (auto clock = clocks.rbegin(); clock != clocks.rend(); ++clock) {
    if (clock->name == name && clock->running()) return &*clock;
  }
  return nullptr;
}

const CaseClock* running_clock(const std::vector<CaseClock>& clocks, std::string_view name) {
  for (auto clock = clocks.rbegin(); clock != clocks.rend(); ++clock) {
    if (clock->name == name && clock->running()) return &*clock;
  }
  return nullptr;
}

void apply(std::vector<CaseClock>& clocks, const ClockChange& change, std::uint32_t round) {
  if (change.op == ClockOp::start) {
    CaseClock clock;
    clock.name = change.clock;
    clock.round = round;
    clock.unit = change.unit;
    clock.rule = change.rule;
    clock.started = change.at;
    clock.due = change.due;
    clock.provisional = change.provisional;
    clocks.push_back(std::move(clock));
    return;
  }
  auto* clock = running_clock(clocks, change.clock);
  if (clock == nullptr) return;
  switch (change.op) {
    case ClockOp::start:
      break;
    case ClockOp::stop:
    case ClockOp::cancel:
      if (open(*clock)) clock->pauses.back().to = change.at;
      clock->ended = change.at;
      clock->kept = change.kept;
      break;
    case ClockOp::pause:
      clock->pauses.push_back({change.at, std::nullopt});
      clock->due.reset();
      break;
    case ClockOp::resume:
      if (open(*clock)) clock->pauses.back().to = change.at;
      clock->due = change.due;
      clock->provisional = change.provisional;
      break;
    case ClockOp::extend:
      clock->extended.push_back(change.rule);
      clock->due = change.due;
      clock->provisional = change.provisional || clock->provisional;
      clock->warned = false;  // the new due has its own warning, and is not past because the old one was
      clock->overdue = false;
      break;
  }
}

std::string limit_name(const std::string& pattern, std::string_view limit) {
  constexpr std::string_view mark = "{limit}";
  const auto at = pattern.find(mark);
  if (at == std::string::npos) return pattern;
  return pattern.substr(0, at) + std::string(limit) + pattern.substr(at + mark.size());
}

std::string rule_text(const ClockRule& rule) { return rule.article.empty() ? rule.key : rule.key + " " + rule.article; }

std::string local_text(const WorkCalendar& calendar, UnixMs at) {
  const auto local = std::chrono::floor<std::chrono::minutes>(at + calendar.utc_offset);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const Date date{day};
  const auto minutes = (local - day).count();
  const auto two = [](auto n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) + "-" +
         two(static_cast<unsigned>(date.day())) + " " + two(minutes / 60) + ":" + two(minutes % 60);
}

Result<void> fill_clocks(CaseEvent& event, const Scene& scene, const Move& move) {
  Changes changes(event, scene, move);
  for (const auto& change : move.clocks) {
    if (change.op == ClockOp::start) continue;
    if (auto ok = changes.make(change); !ok) return ok;
  }
  // A new round has new clocks (A55), and nothing runs on at an end.
  if (event.type == Action::rework || event.ends) changes.cancel_all();
  for (const auto& change : move.clocks) {
    if (change.op != ClockOp::start || event.ends) continue;
    if (auto ok = changes.make(change); !ok) return ok;
  }
  return {};
}

}  // namespace engine
}  // namespace gridward::domain
