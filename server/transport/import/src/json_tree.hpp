// A JSON document with the line of each value; depth and size are limited while it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rows.hpp"

namespace gridward::importing {

struct JsonMember;
struct JsonValue {
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;
  std::uint32_t line = 1;
  std::variant<std::monostate, bool, double, std::string, Array, Object> data;

  const Array* array() const { return std::get_if<Array>(&data); }
  const Object* object() const { return std::get_if<Object>(&data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
  const double* number() const { return std::get_if<double>(&data); }
  bool null() const { return std::holds_alternative<std::monostate>(data); }
  const JsonValue* find(std::string_view key) const;  // of an object; null when it has none
};
struct JsonMember {
  std::string key;
  JsonValue value;
};

// false: the problem has been added.
bool parse_json_tree(std::string_view text, JsonValue& root, Problems& problems);

}  // namespace gridward::importing
