#include "args.hpp"

namespace gridward::main_program {

std::string Args::value(const std::string& option) const {
  const auto found = values.find(option);
  return found == values.end() ? std::string() : found->second.back();
}

Result<Args> parse_args(std::span<const std::string> given, const ArgSpec& spec) {
  Args args;
  bool options = true;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& word = given[i];
    if (!options || !word.starts_with("--")) {
      args.words.push_back(word);
      continue;
    }
    if (word == "--") {
      options = false;
      continue;
    }
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    if (spec.flags.contains(name)) {
      if (equals != std::string::npos) return fail(ErrorCode::config_invalid, name, "takes no value");
      args.flags.insert(name);
    } else if (spec.with_value.contains(name)) {
      if (equals != std::string::npos) {
        args.values[name].push_back(word.substr(equals + 1));
      } else if (i + 1 < given.size()) {
        args.values[name].push_back(given[++i]);
      } else {
        return fail(ErrorCode::config_invalid, name, "needs a value");
      }
    } else {
      return fail(ErrorCode::config_invalid, name, "no such option here");
    }
  }
  if (args.words.size() < spec.least_words) return fail(ErrorCode::config_invalid, "", "something is missing");
  if (args.words.size() > spec.most_words) {
    return fail(ErrorCode::config_invalid, args.words[spec.most_words], "one word too many");
  }
  return args;
}

}  // namespace gridward::main_program
