// The numbered errors of both ends, and Result<T>. One table (error.cpp) maps a number to its name, its HTTP status,
// whether trying again can help, and its text in Chinese and English; docs/errors.md is printed from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace gridward {

// Numbers are part of the protocol: never reuse one, never renumber.
enum class ErrorCode : std::uint16_t {
  // 10xx: bytes from outside
  malformed = 1001,
  too_large = 1002,
  too_deep = 1003,
  missing_field = 1004,
  bad_type = 1005,
  out_of_range = 1006,
  bad_utf8 = 1007,
  unknown_kind = 1008,
  unsupported_version = 1009,
  trailing_bytes = 1010,
  // 11xx: a record that can be read but not taken
  id_conflict = 1101,
  seq_conflict = 1102,
  wrong_town = 1103,
  unknown_device = 1104,
  revoked_device = 1105,
  unknown_actor = 1106,
  unknown_category = 1108,
  unknown_task = 1109,
  // 12xx: photos and other media
  media_hash_mismatch = 1201,
  media_type = 1202,
  media_range = 1203,
  media_dimensions = 1204,
  media_undecodable = 1205,
  media_limits = 1206,
  // 20xx: people and what they may do
  not_logged_in = 2001,
  bad_credentials = 2002,
  forbidden = 2003,
  too_many_attempts = 2004,
  // 30xx: cases
  not_found = 3001,
  illegal_transition = 3002,
  version_conflict = 3003,
  already_exists = 3004,
  // 40xx: the service
  busy = 4001,
  storage_failed = 4002,
  newer_database = 4003,
  config_invalid = 4004,
  import_invalid = 4005,
  unavailable = 4006,
  // 50xx: the handheld
  outbox_full = 5001,
  not_on_duty = 5002,
  camera_failed = 5003,
  position_unavailable = 5004,
  not_enrolled = 5005,
  already_on_duty = 5006,
  // 90xx: a bug
  internal = 9001,
};

struct ErrorInfo {
  ErrorCode code;
  std::string_view name;  // snake_case, the identifier used in the API
  int http_status;
  bool retryable;  // true: the same bytes may be taken later
  std::string_view zh;
  std::string_view en;
};

// field names what was wrong ("body.text"); detail gives the value and the limit ("5000 characters, at most 2000").
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string field;
  std::string detail;
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;

// The whole table, in order of number. Thread-safe.
std::span<const ErrorInfo> error_table();
// The row of a code; the row of `internal` for a number that is not in the table.
const ErrorInfo& error_info(ErrorCode code);
// "too_large (1002) body.text: 5000 characters, at most 2000"
std::string to_string(const Error& error);

inline tl::unexpected<Error> fail(ErrorCode code, std::string field = {}, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, std::move(field), std::move(detail)});
}

}  // namespace gridward
