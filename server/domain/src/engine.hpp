// What decide() and offers() share: the scene of an act, the choice of its move, and what must be so for it.
#pragma once

#include <array>
#include <gridward/domain/case.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gridward::domain::engine {

// Who wants to act on what, when. command is null for an offer: what only the command tells is not asked then.
struct Scene {
  const CaseRecord& state;  // version 0: no case yet
  const Process& process;
  const Policy& policy;
  const Actor& actor;
  std::string_view holder_path;
  UnixMs now{};
  const Command* command = nullptr;

  bool begins() const { return state.version == 0; }
};

// process.cpp: what the engine itself asks for an act, whatever the profile says.
std::span<const Field> needs_of(Action action);
const std::vector<Guard>& own_guards_of(Action action);
bool begins_a_case(Action action);
bool tells_apart(GuardKind kind);  // several moves of one act from one step
bool leads_from(const Move& move, const ProcessStep& step);
const Move* clock_move(Action action);  // warn, overdue: of every process; else null
bool satisfied(std::string_view code);  // "satisfied", "very_satisfied", …; what is neither, was not reached
bool dissatisfied(std::string_view code);
inline constexpr std::array<std::string_view, 3> kRequests{"return", "extension", "suspension"};
std::string_view request_of(Action action);  // "return" for every act that asks for or answers a return; else empty

// By MediaRole, as in a guard.
inline constexpr std::array<std::string_view, 5> kMediaRoles{"scene", "before", "after", "selfie", "scan"};

// guards.cpp
// Errors: illegal_transition, which names what is possible instead; forbidden when others could do it here.
Result<const Move*> find_move(const Scene& scene, Action action);
Result<void> check_bound(const Scene& scene, const Move& move);
Result<void> check_guard(const Scene& scene, const Move& move, const Guard& guard);
Result<void> check_guards(const Scene& scene, const Move& move);
const Request* find_request(const CaseRecord& state, std::string_view what);
tl::unexpected<Error> refused(const Scene& scene, const std::string& why);

// check_fields.cpp
Result<void> check_fields(const Scene& scene, const Move& move);  // also note and files
// built_in.cpp: what holds between the fields of an act and the case, whatever the profile says.
Result<void> check_built_in(const Scene& scene, const Move& move);
Result<void> check_state(const Scene& scene, const Move& move);  // of that what needs no command: offers ask it too
inline constexpr std::array<std::string_view, 4> kOutcomes{"confirmed", "not_rectified", "cannot_check", "untrue"};
std::optional<TaskOutcome> task_outcome(std::string_view code);  // untrue: not_rectified
bool blank(std::string_view text);

// clock_moves.cpp
Result<void> fill_clocks(CaseEvent& event, const Scene& scene, const Move& move);
// The running clock of this name, else null.
CaseClock* running_clock(std::vector<CaseClock>& clocks, std::string_view name);
const CaseClock* running_clock(const std::vector<CaseClock>& clocks, std::string_view name);
void apply(std::vector<CaseClock>& clocks, const ClockChange& change, std::uint32_t round);
std::string limit_name(const std::string& pattern, std::string_view limit);  // "{limit}" filled in
std::string rule_text(const ClockRule& rule);  // "limits.general 津滨政办发〔2020〕10号 第二十五条（二）"
std::string local_text(const WorkCalendar& calendar, UnixMs at);  // "2026-03-10 17:30"

// A unit's own calendar, copied only where it keeps other hours.
class CalendarOf {
 public:
  CalendarOf(const Policy& policy, std::string_view unit);
  const WorkCalendar& get() const { return own_ ? *own_ : shared_; }

 private:
  const WorkCalendar& shared_;
  std::optional<WorkCalendar> own_;
};

}  // namespace gridward::domain::engine
