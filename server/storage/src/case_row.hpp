// A case from its row.
#pragma once

#include <charconv>
#include <gridward/domain/case.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec.hpp"

namespace gridward::storage {

inline constexpr std::string_view kCaseColumns =
    "cases.id, number, process, stage, step, ends, town, grid, category, channel, holder, cases.unit, version, "
    "cases.updated_at, text, data";
inline constexpr std::size_t kCaseColumnCount = 16;

inline std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::int64_t number_of(std::string_view text) {
  const auto number = parse_number(text);
  if (!number) unreadable("number", text);
  return *number;
}

inline domain::CaseRecord case_of(const std::vector<std::string>& row) {
  domain::CaseRecord record;
  record.id = uuid_of(row[0]);
  record.number = row[1];
  record.process = row[2];
  record.stage = row[3];
  record.step = row[4];
  record.ends = number_of(row[5]) != 0;
  record.town = row[6];
  record.grid = row[7];
  record.category = row[8];
  record.channel = row[9];
  record.holder = row[10];
  record.unit = row[11];
  record.version = static_cast<std::uint64_t>(number_of(row[12]));
  record.updated_at = from_unix_ms(number_of(row[13]));
  record.text = row[14];
  read_case_text(row[15], record);
  return record;
}

}  // namespace gridward::storage
