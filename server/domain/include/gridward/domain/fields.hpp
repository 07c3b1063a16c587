// What an act on a case may carry, as one table: the name in API, profile and store, the type, the limit, whose data it
// is, and how long the case remembers it. Codec, chain, decoder and pages go by the table, so a field is added in one
// place. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <gridward/shared/time.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gridward::domain {

enum class Field : std::uint8_t {
  // what, where, from whom
  town,
  grid,
  category,
  channel,            // how it came in (A4, A5)
  channel_reference,  // the channel's own number of it
  matter_kind,        // F1
  petitioner,         // who asks for help
  petitioner_phone,
  petitioner_kind,  // F25
  importance,       // A38
  urgency,
  grade,   // B24 to B27: which limit counts
  level,   // A59: 1 to 5
  holder,  // path of the node whose desk has the case
  // whom
  unit,
  assisting_units,  // A39
  suggested_unit,   // B12
  assignee,         // login: who checks (request_verify), who handles inside the unit (A48)
  task,
  contact,       // whom one spoke to on the phone (A40, B16)
  participants,  // of a meeting
  // why and how
  reason,  // of the list that the move names
  legal_basis,
  reply,    // what the person is told
  minutes,  // of a meeting
  instruction,
  outcome,          // confirmed, not_rectified, cannot_check
  verify_method,    // A53
  result_kind,      // A34: handled, explained, cannot_resolve
  closing_basis,    // A30
  satisfaction,     // of the code list
  satisfaction_by,  // who said it: operator or citizen (F12)
  valid,            // screening (A63)
  target,           // the case that this one doubles
  supervise_kind,   // normal, yellow, red, two_offices
  trigger,          // A50
  clue_target,      // D36
  talked_at,
  facts,
  // when
  citizen_informed_at,
  unit_informed_at,
  city_informed_at,
  notified_at,  // A24
  signed_by,    // A51: login of the leader in charge
  paper_at,     // A52
  clock,        // the name of a clock: warn, overdue
  on_time,
  complaints,  // how many complaints of one matter (D19)
  evidence,    // F13
};
inline constexpr std::size_t kFields = static_cast<std::size_t>(Field::evidence) + 1;

enum class FieldType : std::uint8_t {
  text,   // free words
  code,   // of the profile's list of this name (reason: of the list the move names)
  name,   // the code, login or path of something outside the case; who calls decide() has looked it up
  names,  // several
  id,     // UUID as text
  flag,
  number,
  time,
};

// How long the case remembers the last value: until its event is past, until the round ends (A55), or for good.
enum class Memory : std::uint8_t { event, round, whole };

using FieldValue = std::variant<std::string, bool, std::int64_t, UnixMs, std::vector<std::string>>;
using FieldMap = std::map<Field, FieldValue>;

struct FieldInfo {
  Field field;
  std::string_view name;
  FieldType type;
  Memory memory;
  bool personal;      // the chain covers a salted commitment, not the value
  std::int64_t most;  // characters of each text, or the greatest number
};

std::span<const FieldInfo> field_table();  // in the order of Field
const FieldInfo& field_info(Field field);
std::string_view to_string(Field field);
std::optional<Field> field_from_string(std::string_view text);
inline constexpr std::size_t kNamesInAField = 32;

// The value, or nothing / empty when it is not there or of another type.
std::string_view text_of(const FieldMap& fields, Field field);
std::optional<std::int64_t> number_of(const FieldMap& fields, Field field);
std::optional<UnixMs> time_of(const FieldMap& fields, Field field);
std::optional<bool> flag_of(const FieldMap& fields, Field field);
std::span<const std::string> names_of(const FieldMap& fields, Field field);

}  // namespace gridward::domain
