// What the load and the floor's consumer read.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace gridward::bench {

inline nlohmann::json read_json(const std::string& path) {
  std::ifstream in(path);
  auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object()) throw std::runtime_error("cannot read " + path);
  return json;
}

}  // namespace gridward::bench
