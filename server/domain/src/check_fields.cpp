#include <algorithm>
#include <gridward/shared/limits.hpp>

#include "engine.hpp"

namespace gridward::domain::engine {
namespace {

std::string path_of(Field field) { return "fields." + std::string(to_string(field)); }

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

Result<void> at_most(std::string_view text, const std::string& path, std::int64_t most) {
  const auto count = characters(text);
  if (count <= most) return {};
  return fail(ErrorCode::out_of_range, path, std::to_string(count) + " characters, at most " + std::to_string(most));
}

tl::unexpected<Error> missing(const std::string& path) {
  return fail(ErrorCode::missing_field, path, "must not be empty");
}

// A code is of the profile's list that has the field's name. Four fields have a list of their own: category (the matter
// list), channel (the channels), reason (the list that the move names) and outcome (which the engine understands).
Result<void> check_code(const Scene& scene, const Move& move, Field field, const std::string& code) {
  const auto refuse = [&](const std::string& list) -> Result<void> {
    return fail(ErrorCode::out_of_range, path_of(field), code + " is not in " + list + " of " + scene.policy.id);
  };
  const auto& policy = scene.policy;
  if (field == Field::category) {
    if (policy.categories.contains(code)) return {};
    return fail(ErrorCode::unknown_category, path_of(field), code + " is not in the matter list of " + policy.id);
  }
  if (field == Field::channel) return policy.channels.contains(code) ? Result<void>{} : refuse("channels");
  if (field == Field::outcome) {
    const bool known = std::find(kOutcomes.begin(), kOutcomes.end(), code) != kOutcomes.end();
    // A handheld says what it sees; that a result is untrue is a finding of the center (D21).
    if (known && !(code == "untrue" && move.action == Action::verify)) return {};
    return fail(ErrorCode::out_of_range, path_of(field),
                code + " is no outcome of " + std::string(to_string(move.action)));
  }
  const std::string list = field == Field::reason ? move.reasons : std::string(to_string(field));
  const auto found = policy.codes.find(list);
  if (found == policy.codes.end()) return refuse(list);
  for (const auto& [known, text] : found->second) {
    if (known == code) return {};
  }
  return refuse(list);
}

Result<void> check_text(const Scene& scene, const Move& move, const FieldInfo& info, const std::string& text) {
  if (blank(text)) return missing(path_of(info.field));
  if (auto ok = at_most(text, path_of(info.field), info.most); !ok) return ok;
  if (info.type == FieldType::code) return check_code(scene, move, info.field, text);
  if (info.type == FieldType::id) {
    const auto id = uuid_from_string(text);
    if (!id || to_string(*id) != text) return fail(ErrorCode::bad_type, path_of(info.field), "is not an id");
    if (id->is_nil()) return missing(path_of(info.field));
  }
  return {};
}

Result<void> check_names(const FieldInfo& info, const std::vector<std::string>& names) {
  if (names.empty()) return missing(path_of(info.field));
  if (names.size() > kNamesInAField) {
    return fail(ErrorCode::out_of_range, path_of(info.field),
                std::to_string(names.size()) + " names, at most " + std::to_string(kNamesInAField));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto path = path_of(info.field) + "[" + std::to_string(i) + "]";
    if (blank(names[i])) return missing(path);
    if (auto ok = at_most(names[i], path, info.most); !ok) return ok;
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      return fail(ErrorCode::out_of_range, path, names[i] + " is there twice");
    }
  }
  return {};
}

std::size_t alternative_of(FieldType type) {
  switch (type) {
    case FieldType::flag:
      return 1;
    case FieldType::number:
      return 2;
    case FieldType::time:
      return 3;
    case FieldType::names:
      return 4;
    default:
      return 0;
  }
}

constexpr std::array<std::string_view, 5> kAlternatives{"text", "true or false", "a number", "a time",
                                                        "a list of names"};

Result<void> check_value(const Scene& scene, const Move& move, Field field, const FieldValue& value) {
  const auto& info = field_info(field);
  const auto wanted = alternative_of(info.type);
  if (value.index() != wanted) {
    return fail(ErrorCode::bad_type, path_of(field),
                "is " + std::string(kAlternatives[value.index()]) + ", must be " + std::string(kAlternatives[wanted]));
  }
  if (const auto* text = std::get_if<std::string>(&value)) return check_text(scene, move, info, *text);
  if (const auto* names = std::get_if<std::vector<std::string>>(&value)) return check_names(info, *names);
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number >= 1 && *number <= info.most) return {};
    return fail(ErrorCode::out_of_range, path_of(field),
                std::to_string(*number) + ", must be 1 to " + std::to_string(info.most));
  }
  if (const auto* at = std::get_if<UnixMs>(&value)) {
    // Each of them is something that was done before the act.
    if (to_unix_ms(*at) < limits::kEarliestMs) return fail(ErrorCode::out_of_range, path_of(field), "is too early");
    if (*at > scene.now) return fail(ErrorCode::out_of_range, path_of(field), "lies in the future");
  }
  return {};
}

bool lists(const std::vector<Field>& fields, Field field) {
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

}  // namespace

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

Result<void> check_fields(const Scene& scene, const Move& move) {
  const auto& command = *scene.command;
  if (auto ok = at_most(command.note, "note", limits::kTextCharacters); !ok) return ok;
  if (command.media.size() > limits::kMediaPerRecord) {
    return fail(ErrorCode::out_of_range, "media",
                std::to_string(command.media.size()) + " files, at most " + std::to_string(limits::kMediaPerRecord));
  }
  for (const auto& [field, value] : command.fields) {
    if (!lists(move.required, field) && !lists(move.optional, field)) {
      return fail(ErrorCode::out_of_range, path_of(field), "not asked for here");
    }
    if (auto ok = check_value(scene, move, field, value); !ok) return ok;
  }
  for (const auto field : move.required) {
    if (!command.fields.contains(field)) return missing(path_of(field));
  }
  for (const auto field : needs_of(move.action)) {
    if (!command.fields.contains(field)) return missing(path_of(field));
  }
  if (move.note && blank(command.note)) return missing("note");
  return {};
}

}  // namespace gridward::domain::engine
