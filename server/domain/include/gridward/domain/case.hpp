// The case pipeline 上报→受理→转办→核查→结案→考核 (滨海新区网格中心职责清单 2.3; A1) as pure functions:
// decide(case, command, policy, now) gives events or the reason why not; evolve(case, event) gives the next case.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <gridward/domain/access.hpp>
#include <gridward/domain/calendar.hpp>
#include <gridward/domain/clocks.hpp>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/record.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::domain {

enum class Stage : std::uint8_t { reported, accepted, transferred, verified, closed, assessed };

enum class Step : std::uint8_t {
  awaiting_review,    // reported
  rejected,           // reported, ended: 不予受理
  awaiting_transfer,  // accepted (also after rework)
  awaiting_take,      // transferred: the unit has it, nobody took it
  taken,
  arrived,
  handled,
  awaiting_verify,  // feedback given: the center asks for the check
  verifying,        // a verify task is on a member's handheld
  verify_passed,    // verified
  verify_failed,    // verified, not rectified or could not be checked: rework or ask again
  awaiting_assess,  // closed
  done,             // assessed
};

std::string_view to_string(Stage stage);
std::string_view to_string(Step step);
std::optional<Stage> stage_from_string(std::string_view text);
std::optional<Step> step_from_string(std::string_view text);

struct EvidenceRef {
  Sha256 sha256{};
  MediaRole role = MediaRole::scene;
  bool operator==(const EvidenceRef&) const = default;
};

// What of an event is about a person. The chain covers a salted commitment to each and not the value, so that value and
// salt can be erased and the chain still holds (docs/adr/0007-personal-data-in-the-chain.md).
enum class Personal : std::uint8_t { actor, note, place, assignee };  // actor: login and name; not role and node
inline constexpr std::array<Personal, 4> kPersonal{Personal::actor, Personal::note, Personal::place,
                                                   Personal::assignee};
std::string_view to_string(Personal field);
constexpr std::size_t index_of(Personal field) { return static_cast<std::size_t>(field); }
using PersonalSet = std::bitset<kPersonal.size()>;

// One thing that happened. The type is the action that caused it; fields that the type does not use stay empty.
struct CaseEvent {
  Action type = Action::report;
  Actor actor;
  UnixMs at{};        // when the act was done (a handheld's own time for report and verify)
  UnixMs recorded{};  // when the server took it
  std::optional<Fix> place;
  std::string note;                    // report: the text; reject: the explanation; feedback: the reply; …
  std::string category;                // report
  std::string grid;                    // report: the grid the place lies in, empty when in none
  std::string town;                    // report
  std::string unit;                    // transfer: the handling unit's code
  std::string reason;                  // reject, rework: code
  Uuid task;                           // request_verify, verify
  std::string assignee;                // request_verify: login of the member who checks
  std::optional<TaskOutcome> outcome;  // verify
  std::optional<UnixMs> due_at;        // transfer
  bool due_provisional = false;        // transfer
  std::optional<bool> on_time;         // assess
  std::string rule;                    // transfer, assess: key and article of the rule applied
  std::vector<EvidenceRef> media;
  PersonalSet erased;  // had a value, which was erased
  bool operator==(const CaseEvent&) const = default;
};

// The projection of a case's events.
struct CaseRecord {
  Uuid id;
  std::string number;  // "120116115-20261122-0001"
  std::string town;
  std::string grid;
  std::string category;
  std::string text;
  Actor reporter;
  std::optional<Fix> place;
  Stage stage = Stage::reported;
  Step step = Step::awaiting_review;
  std::string unit;
  std::string handler;  // login of who handled: never verifies its own work
  std::uint32_t round = 1;
  std::uint64_t version = 0;  // number of events
  UnixMs captured_at{};
  UnixMs reported_at{};
  UnixMs updated_at{};
  std::optional<UnixMs> clock_started_at;  // when the order reached the unit (B14)
  std::optional<UnixMs> due_at;
  std::optional<UnixMs> handled_at;
  std::optional<UnixMs> closed_at;
  std::optional<bool> on_time;
  Uuid verify_task;
  std::string verifier;
  std::optional<TaskOutcome> verify_outcome;
  std::string feedback;
  bool operator==(const CaseRecord&) const = default;
};

struct Command {
  Action action = Action::report;
  Actor actor;
  UnixMs at{};                                    // true time of the act; for pages the server's now
  std::optional<std::uint64_t> expected_version;  // absent: no check (handhelds)
  std::optional<Fix> place;
  std::string note;
  std::string category;
  std::string grid;
  std::string town;
  std::string unit;
  std::string unit_path;
  std::string reason;
  Uuid task;
  std::string assignee;
  std::optional<TaskOutcome> outcome;
  std::vector<EvidenceRef> media;
};

struct Category {
  std::string code;
  std::string name;
  std::string limit;         // key into Policy::limits
  std::string default_unit;  // suggestion for 转办, may be empty
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
  std::map<std::string, std::vector<OfficeSpan>> unit_hours;  // code of a unit whose office hours differ
  std::map<std::string, ClockRule> limits;
  std::map<std::string, Category> categories;
  std::map<std::string, std::string> reject_reasons;  // code -> text
  std::optional<HandheldRules> handhelds;             // nothing: they are told nothing
};

// The calendar that a unit's clocks run by: the county's, with the unit's own office hours where it has such.
WorkCalendar calendar_of(const Policy& policy, std::string_view unit);

// state == nullptr: only `report` is possible. Errors: illegal_transition (detail: stage, action and what is possible
// instead), forbidden, version_conflict, missing_field, unknown_category, out_of_range.
Result<std::vector<CaseEvent>> decide(const CaseRecord* state, const Command& command, const Policy& policy,
                                      UnixMs now);
CaseRecord evolve(CaseRecord state, const CaseEvent& event);
CaseRecord replay(const Uuid& id, std::string number, std::span<const CaseEvent> events);

// May this actor see the case, and so act on it within their role? case_path: the path of its grid or town. decide()
// does not ask this, because a case does not know the tree: the caller does.
bool concerns(const CaseRecord& state, std::string_view case_path, const Actor& actor);

// What this actor may do to this case now, for the buttons of a page.
std::vector<Action> allowed_actions(const CaseRecord& state, const Actor& actor);

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
