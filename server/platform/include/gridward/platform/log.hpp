// One line an event on stderr: `2026-11-22T06:15:01.123Z info http_listening port=8080 host="::1"`. Events and keys are
// identifiers; values are quoted when they need it. No personal data: ids and codes, never names, texts or positions.
// Thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <gridward/shared/error.hpp>
#include <gridward/shared/time.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::platform::log {

enum class Level : std::uint8_t { debug, info, warn, error };
std::string_view to_string(Level level);
std::optional<Level> level_from_string(std::string_view text);

struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  Field(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, const Error& v) : key(k), value(gridward::to_string(v)) {}
};

void set_level(Level lowest);  // info at first
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});
inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

// The line that write() would print at this moment, with its line feed.
std::string format(UnixMs at, Level level, std::string_view event, std::initializer_list<Field> fields);

}  // namespace gridward::platform::log
