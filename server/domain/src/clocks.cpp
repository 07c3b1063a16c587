#include <algorithm>
#include <array>
#include <gridward/domain/clocks.hpp>
#include <limits>
#include <utility>

namespace gridward::domain {
namespace {

using std::chrono::minutes;
using std::chrono::sys_days;

constexpr std::array<std::pair<ClockUnit, std::string_view>, 6> kUnits{{
    {ClockUnit::natural_minutes, "natural_minutes"},
    {ClockUnit::natural_days, "natural_days"},
    {ClockUnit::duty_minutes, "duty_minutes"},
    {ClockUnit::working_minutes, "working_minutes"},
    {ClockUnit::working_days, "working_days"},
    {ClockUnit::on_the_spot, "on_the_spot"},
}};

constexpr minutes kWholeDay{24 * 60};
constexpr UnixMs kFarAway{Millis{std::int64_t{1} << 53}};  // no sum or difference with it overflows
constexpr int kYellowAfter = 800;
constexpr int kAll = 1000;
constexpr std::int64_t kMostPerMille = std::numeric_limits<int>::max();

struct Span {
  UnixMs from{};
  UnixMs to{};  // exclusive
};

class Steps {
 public:
  explicit Steps(std::vector<DueStep>* steps) : steps_(steps) {}
  void add(UnixMs at, std::string text) const {
    if (steps_ != nullptr) steps_->push_back({at, std::move(text)});
  }

 private:
  std::vector<DueStep>* steps_;
};

UnixMs instant(const WorkCalendar& calendar, sys_days local, minutes of_day) {
  return std::chrono::time_point_cast<Millis>(local + of_day) - calendar.utc_offset;
}

// 民法典 第二百零三条: where there are business hours the period ends with them, else with the day.
UnixMs office_close(const WorkCalendar& calendar, sys_days local) {
  return instant(calendar, local, calendar.hours.empty() ? kWholeDay : calendar.hours.back().to);
}
UnixMs midnight_after(const WorkCalendar& calendar, sys_days local) { return instant(calendar, local, kWholeDay); }

bool is_known(const WorkCalendar& calendar, sys_days local) {
  return calendar.known_to && Date{local}.year() <= *calendar.known_to;
}

// The closed pauses after `start`, in order and not overlapping.
std::vector<Span> standstills(UnixMs start, std::span<const Pause> pauses) {
  std::vector<Span> spans;
  for (const auto& pause : pauses) {
    if (pause.to && std::max(pause.from, start) < *pause.to) spans.push_back({std::max(pause.from, start), *pause.to});
  }
  std::ranges::sort(spans, {}, &Span::from);
  std::vector<Span> merged;
  for (const auto& span : spans) {
    if (!merged.empty() && span.from <= merged.back().to) {
      merged.back().to = std::max(merged.back().to, span.to);
    } else {
      merged.push_back(span);
    }
  }
  return merged;
}

// each(Span) → bool, whether to go on, for what is left of `whole` without the standstills.
template <class Each>
bool without(const Span& whole, std::span<const Span> stopped, Each each) {
  auto from = whole.from;
  for (const auto& stop : stopped) {
    if (stop.to <= from) continue;
    if (stop.from >= whole.to) break;
    if (stop.from > from && !each(Span{from, stop.from})) return false;
    from = stop.to;
  }
  return from >= whole.to || each(Span{from, whole.to});
}

// each(Span) → bool, whether to go on, for the office hours from `from` on. They have no end, so `each` must.
template <class Each>
void for_office_hours(const WorkCalendar& calendar, UnixMs from, Each each) {
  static const std::vector<OfficeSpan> kNoHours{{minutes{0}, kWholeDay}};
  const auto& hours = calendar.hours.empty() ? kNoHours : calendar.hours;
  for (auto day = local_day(calendar, from);; day += std::chrono::days{1}) {
    if (!is_working_day(calendar, day)) continue;
    for (const auto& office : hours) {
      const Span span{std::max(instant(calendar, day, office.from), from), instant(calendar, day, office.to)};
      if (span.from < span.to && !each(span)) return;
    }
  }
}

bool runs_in_office_hours(ClockUnit unit) {
  return unit == ClockUnit::working_minutes || unit == ClockUnit::working_days;
}

// The first instant that counts.
UnixMs begin_of(const WorkCalendar& calendar, ClockUnit unit, UnixMs start) {
  switch (unit) {
    case ClockUnit::natural_days:
    case ClockUnit::working_days:
      return midnight_after(calendar, local_day(calendar, start));
    case ClockUnit::duty_minutes:
    case ClockUnit::working_minutes: {
      auto begin = start;
      for_office_hours(calendar, start, [&](const Span& office) {
        begin = office.from;
        return false;
      });
      return begin;
    }
    case ClockUnit::natural_minutes:
    case ClockUnit::on_the_spot:
      break;
  }
  return start;
}

// each(Span) → bool, whether to go on, for the time in which the clock runs.
template <class Each>
void for_running_time(const WorkCalendar& calendar, ClockUnit unit, UnixMs begin, std::span<const Span> stopped,
                      Each each) {
  if (runs_in_office_hours(unit)) {
    for_office_hours(calendar, begin, [&](const Span& office) { return without(office, stopped, each); });
  } else {
    without({begin, kFarAway}, stopped, each);
  }
}

Millis running_time(const WorkCalendar& calendar, ClockUnit unit, UnixMs begin, UnixMs to,
                    std::span<const Span> stopped) {
  Millis sum{0};
  if (to <= begin) return sum;
  for_running_time(calendar, unit, begin, stopped, [&](const Span& span) {
    if (span.from < to) sum += std::min(span.to, to) - span.from;
    return span.to < to;
  });
  return sum;
}

std::string minutes_text(Millis span) {
  const auto whole = std::chrono::floor<minutes>(span);
  auto text = std::to_string(whole.count()) + " min";
  if (whole != span) text += " " + std::to_string((span - whole).count()) + " ms";
  return text;
}

std::string rule_text(const ClockRule& rule) {
  std::string text = "starts: " + rule.key + ", ";
  if (rule.unit != ClockUnit::on_the_spot) text += std::to_string(std::max(rule.amount, 1)) + " ";
  text += to_string(rule.unit);
  return rule.article.empty() ? text : text + " (" + rule.article + ")";
}

Due minutes_due(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, std::span<const Span> stopped,
                const Steps& steps) {
  const auto begin = begin_of(calendar, rule.unit, start);
  if (begin > start) steps.add(begin, "outside office hours until here: the first minute that counts");
  Millis left = minutes{std::max(rule.amount, 1)};
  UnixMs end{};
  for_running_time(calendar, rule.unit, begin, stopped, [&](const Span& span) {
    const auto used = std::min(span.to - span.from, left);
    left -= used;
    end = span.from + used;
    steps.add(span.from, "runs for " + minutes_text(used) + ", " + minutes_text(left) + " left");
    return left > Millis{0};
  });
  steps.add(end, "ends");
  const bool by_calendar = rule.unit != ClockUnit::natural_minutes;
  // Of duty minutes only the beginning is a matter of the calendar; 24:00 belongs to the day it ends.
  const auto last = rule.unit == ClockUnit::duty_minutes ? begin : end - Millis{1};
  return {end, by_calendar && !is_known(calendar, local_day(calendar, last))};
}

// The last day of a day clock, moved on day by day.
class DayCount {
 public:
  DayCount(const WorkCalendar& calendar, ClockUnit unit, UnixMs start, const Steps& steps)
      : calendar_(&calendar), unit_(unit), steps_(&steps), day_(local_day(calendar, start)) {}

  bool counts(sys_days day) const { return unit_ != ClockUnit::working_days || is_working_day(*calendar_, day); }

  void go_on(int count) {
    for (int left = count; left > 0;) {
      day_ += std::chrono::days{1};
      const bool counted = counts(day_);
      if (counted) --left;
      tell(counted);
    }
  }

  sys_days last_day() const {
    auto day = day_;
    // 民法典 第二百零三条: a period does not end on a day off, but with the day after it.
    while (unit_ == ClockUnit::natural_days && !is_working_day(*calendar_, day)) day += std::chrono::days{1};
    return day;
  }
  bool moved() const { return last_day() != day_; }
  UnixMs end() const {
    return unit_ == ClockUnit::working_days ? office_close(*calendar_, last_day())
                                            : midnight_after(*calendar_, last_day());
  }

 private:
  void tell(bool counted) {
    if (counted) ++told_;
    const bool listed = calendar_->exceptions.contains(day_);
    std::string text = "does not count: a day off";
    if (counted) text = "day " + std::to_string(told_);
    if (counted && unit_ == ClockUnit::working_days && listed) text += ", a make-up working day";
    if (!counted && listed) text += " of the State Council's list";
    steps_->add(instant(*calendar_, day_, minutes{0}), std::move(text));
  }

  const WorkCalendar* calendar_;
  ClockUnit unit_;
  const Steps* steps_;
  sys_days day_;
  int told_ = 0;
};

Due days_due(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, std::span<const Span> stopped,
             const Steps& steps) {
  DayCount count(calendar, rule.unit, start, steps);
  if (rule.unit != ClockUnit::on_the_spot) {
    steps.add(start, "the starting day does not count (民法典 第二百零一条)");
    count.go_on(std::max(rule.amount, 1));
  }
  for (const auto& stop : stopped) {
    if (stop.from >= count.end()) break;
    steps.add(stop.from, "the clock stops");
    const auto to = local_day(calendar, stop.to);
    int longer = 0;
    for (auto day = local_day(calendar, stop.from) + std::chrono::days{1}; day <= to; day += std::chrono::days{1})
      longer += count.counts(day);
    steps.add(stop.to, "the clock goes on, " + std::to_string(longer) + " days longer");
    count.go_on(longer);
    // It went on after the end of its last day: what stands still does not run out.
    while (count.end() <= stop.to) count.go_on(1);
  }
  if (count.moved()) steps.add(count.end(), "the last day is a day off: the day after it (民法典 第二百零三条)");
  const bool office = rule.unit == ClockUnit::working_days && !calendar.hours.empty();
  steps.add(count.end(), office ? "ends with the office hours of the last day (民法典 第二百零三条)"
                                : "ends with the last day (民法典 第二百零三条)");
  return {count.end(), rule.unit != ClockUnit::on_the_spot && !is_known(calendar, count.last_day())};
}

}  // namespace

std::string_view to_string(ClockUnit unit) {
  for (const auto& [value, name] : kUnits) {
    if (value == unit) return name;
  }
  return "unknown";
}

std::optional<ClockUnit> clock_unit_from_string(std::string_view text) {
  for (const auto& [value, name] : kUnits) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::string_view to_string(Light light) {
  switch (light) {
    case Light::green:
      return "green";
    case Light::yellow:
      return "yellow";
    case Light::red:
      return "red";
  }
  return "unknown";
}

Due clock_due(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, std::span<const Pause> pauses,
              std::vector<DueStep>* steps) {
  const auto stopped = standstills(start, pauses);
  const Steps told(steps);
  told.add(start, rule_text(rule));
  switch (rule.unit) {
    case ClockUnit::natural_minutes:
    case ClockUnit::duty_minutes:
    case ClockUnit::working_minutes:
      return minutes_due(calendar, rule, start, stopped, told);
    case ClockUnit::natural_days:
    case ClockUnit::working_days:
    case ClockUnit::on_the_spot:
      break;
  }
  return days_due(calendar, rule, start, stopped, told);
}

int clock_progress(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, UnixMs due,
                   std::span<const Pause> pauses, UnixMs now) {
  for (const auto& pause : pauses) {
    if (!pause.to) now = std::min(now, pause.from);
  }
  if (now == due) return kAll;
  const auto stopped = standstills(start, pauses);
  const auto begin = begin_of(calendar, rule.unit, start);
  const auto whole = running_time(calendar, rule.unit, begin, due, stopped).count();
  if (whole <= 0) return now < due ? 0 : kAll + 1;
  const auto used = running_time(calendar, rule.unit, begin, now, stopped).count();
  // Rounded up, so that the light changes with the millisecond and not a thousandth of the limit later.
  const auto exact = (used * kAll + whole - 1) / whole;
  const auto per_mille = static_cast<int>(std::min(exact, kMostPerMille));
  // Past the end it is overdue, although no office hour may have gone by since.
  return now < due ? std::min(per_mille, kAll) : std::max(per_mille, kAll + 1);
}

Light light_of(int per_mille) {
  if (per_mille <= kYellowAfter) return Light::green;
  return per_mille <= kAll ? Light::yellow : Light::red;
}

UnixMs yellow_from(const WorkCalendar& calendar, const ClockRule& rule, UnixMs start, UnixMs due,
                   std::span<const Pause> pauses) {
  const auto stopped = standstills(start, pauses);
  const auto begin = begin_of(calendar, rule.unit, start);
  const auto whole = running_time(calendar, rule.unit, begin, due, stopped);
  if (whole <= Millis{0}) return due;
  auto left = whole * kYellowAfter / kAll + Millis{1};
  auto at = due;
  for_running_time(calendar, rule.unit, begin, stopped, [&](const Span& span) {
    const auto used = std::min(span.to - span.from, left);
    left -= used;
    at = span.from + used;
    return left > Millis{0};
  });
  return std::min(at, due);
}

UnixMs working_days_before(const WorkCalendar& calendar, UnixMs at, int days) {
  const auto day = local_day(calendar, at);
  auto earlier = day;
  for (int left = days; left > 0;) {
    earlier -= std::chrono::days{1};
    if (is_working_day(calendar, earlier)) --left;
  }
  return at - (day - earlier);
}

}  // namespace gridward::domain
