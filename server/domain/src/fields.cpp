#include <array>
#include <gridward/domain/fields.hpp>
#include <gridward/shared/limits.hpp>

namespace gridward::domain {
namespace {

constexpr std::int64_t kName = limits::kNameCharacters;
constexpr std::int64_t kText = limits::kTextCharacters;
constexpr std::int64_t kPath = 256;  // five levels of codes
constexpr std::int64_t kId = 36;

// Free words may name people, so they are personal; codes and times are not. What stays for good is what statistics,
// assessment and the archive ask for after a rework.
constexpr std::array<FieldInfo, kFields> kTable{{
    {Field::town, "town", FieldType::name, Memory::whole, false, kName},
    {Field::grid, "grid", FieldType::name, Memory::whole, false, kName},
    {Field::category, "category", FieldType::code, Memory::whole, false, kName},
    {Field::channel, "channel", FieldType::code, Memory::whole, false, kName},
    {Field::channel_reference, "channel_reference", FieldType::text, Memory::whole, false, kName},
    {Field::matter_kind, "matter_kind", FieldType::code, Memory::whole, false, kName},
    {Field::petitioner, "petitioner", FieldType::text, Memory::whole, true, kName},
    {Field::petitioner_phone, "petitioner_phone", FieldType::text, Memory::whole, true, kName},
    {Field::petitioner_kind, "petitioner_kind", FieldType::code, Memory::whole, false, kName},
    {Field::importance, "importance", FieldType::code, Memory::whole, false, kName},
    {Field::urgency, "urgency", FieldType::code, Memory::whole, false, kName},
    {Field::grade, "grade", FieldType::code, Memory::whole, false, kName},
    {Field::level, "level", FieldType::number, Memory::whole, false, 5},
    {Field::holder, "holder", FieldType::name, Memory::whole, false, kPath},
    {Field::unit, "unit", FieldType::name, Memory::round, false, kName},
    {Field::assisting_units, "assisting_units", FieldType::names, Memory::round, false, kName},
    {Field::suggested_unit, "suggested_unit", FieldType::name, Memory::round, false, kName},
    {Field::assignee, "assignee", FieldType::name, Memory::round, true, kName},
    {Field::task, "task", FieldType::id, Memory::round, false, kId},
    {Field::contact, "contact", FieldType::text, Memory::event, true, kName},
    {Field::participants, "participants", FieldType::names, Memory::whole, false, kName},
    {Field::reason, "reason", FieldType::code, Memory::round, false, kName},
    {Field::legal_basis, "legal_basis", FieldType::text, Memory::round, false, kText},
    {Field::reply, "reply", FieldType::text, Memory::round, true, kText},
    {Field::minutes, "minutes", FieldType::text, Memory::whole, true, kText},
    {Field::instruction, "instruction", FieldType::text, Memory::round, true, kText},
    {Field::outcome, "outcome", FieldType::code, Memory::round, false, kName},
    {Field::verify_method, "verify_method", FieldType::code, Memory::round, false, kName},
    {Field::result_kind, "result_kind", FieldType::code, Memory::round, false, kName},
    {Field::closing_basis, "closing_basis", FieldType::code, Memory::whole, false, kName},
    {Field::satisfaction, "satisfaction", FieldType::code, Memory::round, false, kName},
    {Field::satisfaction_by, "satisfaction_by", FieldType::code, Memory::round, false, kName},
    {Field::valid, "valid", FieldType::flag, Memory::whole, false, 1},
    {Field::target, "target", FieldType::id, Memory::whole, false, kId},
    {Field::supervise_kind, "supervise_kind", FieldType::code, Memory::whole, false, kName},
    {Field::trigger, "trigger", FieldType::code, Memory::whole, false, kName},
    {Field::clue_target, "clue_target", FieldType::code, Memory::whole, false, kName},
    {Field::talked_at, "talked_at", FieldType::time, Memory::whole, false, 0},
    {Field::facts, "facts", FieldType::text, Memory::whole, true, kText},
    {Field::citizen_informed_at, "citizen_informed_at", FieldType::time, Memory::round, false, 0},
    {Field::unit_informed_at, "unit_informed_at", FieldType::time, Memory::round, false, 0},
    {Field::city_informed_at, "city_informed_at", FieldType::time, Memory::round, false, 0},
    {Field::notified_at, "notified_at", FieldType::time, Memory::round, false, 0},
    {Field::signed_by, "signed_by", FieldType::name, Memory::round, true, kName},
    {Field::paper_at, "paper_at", FieldType::time, Memory::round, false, 0},
    {Field::clock, "clock", FieldType::name, Memory::event, false, kName},
    {Field::on_time, "on_time", FieldType::flag, Memory::whole, false, 1},
    {Field::complaints, "complaints", FieldType::number, Memory::whole, false, 1'000'000},
    {Field::evidence, "evidence", FieldType::text, Memory::whole, true, kText},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].field) != i) return false;
  }
  return true;
}
static_assert(in_order());

template <class T>
const T* find(const FieldMap& fields, Field field) {
  const auto found = fields.find(field);
  return found == fields.end() ? nullptr : std::get_if<T>(&found->second);
}

template <class T>
std::optional<T> value_of(const FieldMap& fields, Field field) {
  if (const auto* value = find<T>(fields, field)) return *value;
  return std::nullopt;
}

}  // namespace

std::span<const FieldInfo> field_table() { return kTable; }
const FieldInfo& field_info(Field field) { return kTable[static_cast<std::size_t>(field)]; }
std::string_view to_string(Field field) { return field_info(field).name; }

std::optional<Field> field_from_string(std::string_view text) {
  for (const auto& row : kTable) {
    if (row.name == text) return row.field;
  }
  return std::nullopt;
}

std::string_view text_of(const FieldMap& fields, Field field) {
  const auto* value = find<std::string>(fields, field);
  return value == nullptr ? std::string_view{} : std::string_view{*value};
}
std::optional<std::int64_t> number_of(const FieldMap& fields, Field field) {
  return value_of<std::int64_t>(fields, field);
}
std::optional<UnixMs> time_of(const FieldMap& fields, Field field) { return value_of<UnixMs>(fields, field); }
std::optional<bool> flag_of(const FieldMap& fields, Field field) { return value_of<bool>(fields, field); }
std::span<const std::string> names_of(const FieldMap& fields, Field field) {
  const auto* value = find<std::vector<std::string>>(fields, field);
  return value == nullptr ? std::span<const std::string>{} : std::span<const std::string>{*value};
}

}  // namespace gridward::domain
