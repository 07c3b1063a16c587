#pragma once

#include <gtest/gtest.h>

#include <gridward/import/import_files.hpp>
#include <string>
#include <string_view>

namespace gridward::importing {

inline Parsed csv(std::string_view text) {
  Parsed out;
  parse_csv("a.csv", text, out);
  return out;
}
inline Parsed json(std::string_view text) {
  Parsed out;
  parse_json("a.json", text, out);
  return out;
}

// "a.csv:3 kind: message" of each problem, a line each.
inline std::string told(const Parsed& parsed) {
  std::string text;
  for (const auto& p : parsed.problems) {
    text += p.file + ":" + std::to_string(p.line) + " " + p.field + ": " + p.message + "\n";
  }
  return text;
}

inline ::testing::AssertionResult says(const Parsed& parsed, std::string_view words) {
  if (told(parsed).find(words) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "no '" << words << "' in:\n" << told(parsed);
}

inline const std::string kKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

}  // namespace gridward::importing
