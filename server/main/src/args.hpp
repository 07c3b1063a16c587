// The command line: words, options with a value, flags. Errors name the option.
#pragma once

#include <gridward/shared/error.hpp>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace gridward::main_program {

struct Args {
  std::vector<std::string> words;
  std::map<std::string, std::vector<std::string>> values;  // "--set" -> every value, in order
  std::set<std::string> flags;

  bool has(const std::string& option) const { return values.contains(option) || flags.contains(option); }
  std::string value(const std::string& option) const;  // the last one; empty when absent
};

struct ArgSpec {
  std::set<std::string> with_value;
  std::set<std::string> flags;
  std::size_t least_words = 0;
  std::size_t most_words = 0;
};

// "--option value", "--option=value"; "--" ends the options. config_invalid, with the option as the field.
Result<Args> parse_args(std::span<const std::string> given, const ArgSpec& spec);

}  // namespace gridward::main_program
