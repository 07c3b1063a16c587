// A case as pure functions over a process that is data: decide(case, command, policy, now) gives events or the reason
// why not; evolve(case, event) gives the next case and needs no policy, because an event says where it led and what it
// did to the clocks. So a profile that changes later changes no past.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <gridward/domain/access.hpp>
#include <gridward/domain/calendar.hpp>
#include <gridward/domain/clocks.hpp>
#include <gridward/domain/fields.hpp>
#include <gridward/domain/process.hpp>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/record.hpp>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::domain {

struct EvidenceRef {
  Sha256 sha256{};
  MediaRole role = MediaRole::scene;
  bool operator==(const EvidenceRef&) const = default;
};

// What of an event is about a person. The chain covers a salted commitment to each and not the value, so that value and
// salt can be erased and the chain still holds (docs/adr/0007-personal-data-in-the-chain.md).
// actor: login and name, not role and node; fields: every field that the table calls personal, together.
enum class Personal : std::uint8_t { actor, note, place, fields };
inline constexpr std::array<Personal, 4> kPersonal{Personal::actor, Personal::note, Personal::place, Personal::fields};
std::string_view to_string(Personal field);
constexpr std::size_t index_of(Personal field) { return static_cast<std::size_t>(field); }
using PersonalSet = std::bitset<kPersonal.size()>;

// What an act did to a clock, with everything that evolve needs.
struct ClockChange {
  std::string clock;  // "handle"
  ClockOp op = ClockOp::start;
  UnixMs at{};
  ClockRule rule;             // start, extend
  std::string unit;           // start: whose clock, empty: the desk's
  std::optional<UnixMs> due;  // start, resume, extend
  bool provisional = false;
  std::optional<bool> kept;  // stop: in time
  bool operator==(const ClockChange&) const = default;
};

// One line of 考核 (D17, D19 to D23). points: hundredths of a point.
struct ScoreLine {
  std::string rule;  // "scores.second_time"
  std::string article;
  bool of_unit = false;  // else of a member
  std::string whom;      // code of the unit or login of the member
  std::int64_t points = 0;
  std::vector<std::uint64_t> causes;  // numbers of the events behind it
  bool operator==(const ScoreLine&) const = default;
};

// One thing that happened. What the act carries beside note, place and files is in `fields`.
struct CaseEvent {
  Action type = Action::report;
  Actor actor;
  UnixMs at{};        // when the act was done (a handheld's own time for what a handheld does)
  UnixMs recorded{};  // when the server took it
  std::optional<Fix> place;
  std::string note;
  FieldMap fields;
  std::string process;  // report: the id of the process
  std::string step;     // where it led
  std::string stage;    // of that step
  bool aside = false;   // that step puts the case aside
  bool ends = false;
  std::string rule;  // article behind the act, empty when the process names none
  std::vector<ClockChange> clocks;
  std::vector<ScoreLine> scores;  // assess
  std::vector<EvidenceRef> media;
  PersonalSet erased;  // had a value, which was erased
  bool operator==(const CaseEvent&) const = default;
};

// A clock of a case: one a name and round.
struct CaseClock {
  std::string name;
  std::uint32_t round = 1;
  std::string unit;
  ClockRule rule;
  UnixMs started{};
  std::optional<UnixMs> due;  // nothing while it is stopped by a pause
  bool provisional = false;
  std::vector<Pause> pauses;
  std::optional<UnixMs> ended;  // stopped or cancelled
  std::optional<bool> kept;     // stopped: in time; nothing: cancelled or running
  bool warned = false;
  bool overdue = false;
  std::vector<ClockRule> extended;  // each counted from the due before it, in order
  bool operator==(const CaseClock&) const = default;
  bool running() const { return !ended; }
};

// Asked for and not answered yet: a return, an extension, a suspension.
struct Request {
  std::string what;
  std::string by;  // login
  std::string confirmed_by;
  FieldMap fields;
  bool operator==(const Request&) const = default;
};

// The projection of a case's events.
struct CaseRecord {
  Uuid id;
  std::string number;  // "120116115-20261122-0001"
  std::string process;
  std::string stage;
  std::string step;
  bool ends = false;
  std::string back;  // where @back leads
  std::string town;
  std::string grid;
  std::string category;
  std::string channel;
  std::string text;
  Actor reporter;
  std::optional<Fix> place;
  std::string holder;  // path of the desk's node; empty: the town's
  std::string unit;    // that has the order
  std::vector<std::string> assisting_units;
  std::vector<std::string> assisting_open;  // that have not fed back in this round
  std::string handler;                      // login of who handled: never verifies its own work
  std::uint32_t round = 1;
  std::uint64_t version = 0;  // number of events
  UnixMs captured_at{};
  UnixMs reported_at{};
  UnixMs updated_at{};
  std::optional<UnixMs> closed_at;
  std::vector<CaseClock> clocks;  // in the order they started
  std::vector<Request> requests;
  std::vector<std::string> past_units;  // that had the order, in order, each time
  bool return_locked = false;           // A21
  Uuid verify_task;
  std::string verifier;
  std::optional<TaskOutcome> verify_outcome;
  std::string feedback;
  FieldMap values;                         // the last value of each field, as long as the table says
  std::map<Action, std::uint32_t> counts;  // how often each act was done
  std::vector<ScoreLine> scores;
  bool operator==(const CaseRecord&) const = default;

  const CaseClock* clock(std::string_view name) const;  // of this name, the last started
  std::optional<UnixMs> due_at() const;                 // the earliest of those that run
  bool overdue() const;                                 // a running clock has passed its due (by its event)
};

struct Command {
  Action action = Action::report;
  Actor actor;
  UnixMs at{};                                    // true time of the act; for pages the server's now
  std::optional<std::uint64_t> expected_version;  // absent: no check (handhelds)
  std::optional<Fix> place;
  std::string note;
  FieldMap fields;
  std::string process;      // report
  std::string unit_path;    // transfer, decide_lead: of the unit
  std::string holder_path;  // of the desk that has the case: the case's holder, else the path of its grid or town
  std::vector<EvidenceRef> media;
  // assess: the case's events so far, and what each grid's own member is (a repeated complaint is charged to them).
  std::span<const CaseEvent> history = {};
  std::string grid_member;
};

struct Category {
  std::string code;
  std::string name;
  std::string limit;            // key into Policy::limits
  std::string default_unit;     // suggestion for 转办, may be empty
  bool repeat_penalty = false;  // D20
  bool photo_required = false;  // A44
};

struct Coded {
  std::string text;
  std::string article;
  bool operator==(const Coded&) const = default;
};
using CodeList = std::vector<std::pair<std::string, Coded>>;  // in the profile's order

struct Channel {
  std::string name;
  std::string process;
  bool city = false;  // B8
  std::string article;
};

// When a closed case costs or earns points.
enum class ScoreCause : std::uint8_t {
  day_off_report,      // D17
  repeated_complaint,  // D19
  untrue,              // D21
  circular,            // D22
  second_time,         // D23
  overdue,             // D23
};
struct ScoreRule {
  std::string key;  // "scores.second_time"
  ScoreCause cause = ScoreCause::second_time;
  std::int64_t points = 0;  // hundredths
  std::int64_t least = 1;   // repeated_complaint: from how many on
  std::string article;
};

// What every handheld of the county is told; without rev, which says which of them it is.
struct HandheldRules {
  SettingsItem settings;
  CategoriesItem categories;  // the matter list in the order of the profile
};

struct Policy {
  std::string id;    // "binhai"
  std::string name;  // "滨海新区"
  WorkCalendar calendar;
  std::map<std::string, std::vector<OfficeSpan>> unit_hours;  // units that keep other hours
  std::map<std::string, ClockRule> limits;
  std::map<std::string, Category> categories;
  std::map<std::string, Channel> channels;
  std::map<std::string, CodeList> codes;  // "reject_reasons", "satisfaction", …
  std::map<std::string, Process> processes;
  std::map<std::string, std::string> clock_titles;  // "handle" -> "办结"
  std::vector<ScoreRule> scores;
  std::optional<HandheldRules> handhelds;  // nothing: they are told nothing
};

// The hours that a clock of this unit runs by: its own, else the county's (unit empty: the desk's).
WorkCalendar calendar_of(const Policy& policy, std::string_view unit);

// What the parts of a policy ask of each other: limits and code lists that moves name, processes that channels name, …
std::vector<ProcessProblem> policy_problems(const Policy& policy);

// state == nullptr: only acts that begin a case are possible. Errors: illegal_transition (detail: stage, step, action
// and what is possible instead), forbidden, version_conflict, missing_field, unknown_category, out_of_range (field
// "fields.unit"), bad_type.
Result<std::vector<CaseEvent>> decide(const CaseRecord* state, const Command& command, const Policy& policy,
                                      UnixMs now);
CaseRecord evolve(CaseRecord state, const CaseEvent& event);
CaseRecord replay(const Uuid& id, std::string number, std::span<const CaseEvent> events);

// May this actor see the case, and so act on it within their role? case_path: the path of its grid or town. decide()
// asks about the holder's desk only, because a case does not know the tree: the caller does.
bool concerns(const CaseRecord& state, std::string_view case_path, const Actor& actor);

// What this actor may do to this case now, for the form of a page.
struct Offer {
  Action action = Action::report;
  std::string to;  // step
  bool note = false;
  std::vector<Field> required;
  std::vector<Field> optional;
  std::string reasons;  // name of the code list
  std::string article;
  std::string blocked;  // why not now, though it would be theirs to do: "past the limit of 退单 …"; empty: possible
  bool operator==(const Offer&) const = default;
};
std::vector<Offer> offers(const CaseRecord& state, const Actor& actor, std::string_view holder_path,
                          const Policy& policy, UnixMs now);

// The lines of 考核 for a case that is being assessed.
std::vector<ScoreLine> score_case(const CaseRecord& state, std::span<const CaseEvent> history,
                                  std::string_view grid_member, const Policy& policy);

// The clocks that turn yellow or pass their due at or before `now`: the commands that say so, in order of their time.
// next: when to ask again, nothing when no clock runs.
struct ClockAlarm {
  UnixMs at{};
  Action action = Action::overdue;  // or warn
  std::string clock;
};
std::vector<ClockAlarm> alarms(const CaseRecord& state, const Policy& policy, UnixMs now);
std::optional<UnixMs> next_alarm(const CaseRecord& state, const Policy& policy);

bool holds(const CaseEvent& event, Personal field);  // is there a value?
// Without the values of these fields; those that had one are marked as erased.
CaseEvent erased(CaseEvent event, const PersonalSet& fields);

using Salt = std::array<std::uint8_t, 16>;  // random, another one for each field of each event
// The bytes whose SHA-256 is the commitment to a field: salt ‖ name of the field ‖ its value.
std::string commitment_text(const CaseEvent& event, Personal field, const Salt& salt);
// By the number of the field. Nothing: the event never had a value there.
using Commitments = std::array<std::optional<Sha256>, kPersonal.size()>;

// The bytes that the hash chain covers: every field, length-prefixed, in a fixed order; of a personal one its
// commitment.
std::string canonical_text(const CaseEvent& event, const Commitments& personal);

}  // namespace gridward::domain
