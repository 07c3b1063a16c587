// The bounded reading of CBOR, and typed access to what was read. Used by the decoders only; nothing here is
// thread-bound.
#pragma once

#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/error.hpp>
#include <gridward/shared/ids.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ranges.hpp"

namespace gridward::document {

// Definite lengths, text keys, no tags; depth, items and UTF-8 checked. Errors: too_large, too_deep, malformed,
// trailing_bytes, bad_utf8, out_of_range (an integer that 64 bits do not hold).
Result<nlohmann::json> parse_cbor(ByteView bytes, std::size_t max_bytes);
Bytes write_cbor(const nlohmann::json& value);
// The same depth. Errors: too_large, too_deep, malformed (also for bytes that are not UTF-8).
Result<nlohmann::json> parse_json(std::string_view text, std::size_t max_bytes);

// A map's fields by key. The first error is kept in the place that all readers of one document share, and a reader goes
// on with defaults: the caller looks once, at the end. Unknown keys are never looked at, so newer senders stay
// readable.
class Fields {
 public:
  // path: of the map itself, empty for the root.
  Fields(const nlohmann::json& map, std::string path, std::optional<Error>& error);

  bool has(std::string_view key) const { return find(key) != nullptr; }

  std::int64_t integer(std::string_view key, ranges::Range range) const;
  std::optional<std::int64_t> optional_integer(std::string_view key, ranges::Range range) const;
  std::uint64_t counter(std::string_view key, ranges::Range range = ranges::kCounter) const;
  bool flag(std::string_view key) const;  // false when absent
  bool required_flag(std::string_view key) const;
  // Length in code points; U+0000 is refused, no store keeps it.
  std::string text(std::string_view key, std::size_t min, std::size_t max) const;
  std::string optional_text(std::string_view key, std::size_t max) const;  // empty when absent
  Bytes bytes(std::string_view key, std::size_t max) const;
  template <std::size_t N>
  std::array<std::uint8_t, N> bytes_of(std::string_view key) const {
    std::array<std::uint8_t, N> out{};
    copy_exact(find_required(key), field(key), out);
    return out;
  }
  Uuid uuid(std::string_view key) const;  // not nil
  Uuid uuid_v7(std::string_view key) const;
  Uuid uuid_or_nil(std::string_view key) const;  // nil when absent
  UnixMs time(std::string_view key) const;
  // The index of the word in `words`.
  template <class Words>
  std::size_t word(std::string_view key, const Words& words) const {
    const std::string got = text(key, 1, limits::kNameCharacters);
    std::size_t index = 0;
    for (const std::string_view known : words) {
      if (known == got) return index;
      ++index;
    }
    fail_at(ErrorCode::out_of_range, key, "unknown word");
    return 0;
  }
  Fields map(std::string_view key) const;
  // Calls with each element and its path ("media[2]"); nothing when absent.
  template <class Each>
  void list(std::string_view key, std::size_t max, Each each) const {
    const auto* node = find(key);
    if (node == nullptr || !check_list(*node, key, max)) return;
    std::size_t index = 0;
    for (const auto& item : *node) each(item, field(key) + "[" + std::to_string(index++) + "]");
  }
  void copy_exact(const nlohmann::json* node, const std::string& path, std::span<std::uint8_t> out) const;

  std::string field(std::string_view key) const;
  void fail_at(ErrorCode code, std::string_view key, std::string detail) const;
  void fail_path(ErrorCode code, std::string path, std::string detail) const;
  std::optional<Error>& error() const { return error_; }

 private:
  const nlohmann::json* find(std::string_view key) const;
  const nlohmann::json* find_required(std::string_view key) const;
  std::optional<std::int64_t> to_integer(const nlohmann::json& node, std::string_view key, ranges::Range range) const;
  std::string to_text(const nlohmann::json& node, std::string_view key, std::size_t min, std::size_t max) const;
  bool check_list(const nlohmann::json& node, std::string_view key, std::size_t max) const;

  const nlohmann::json& map_;
  std::string path_;
  std::optional<Error>& error_;
};

std::string at_most(std::uint64_t value, std::uint64_t limit,
                    std::string_view unit);  // "5000 characters, at most 2000"

}  // namespace gridward::document
