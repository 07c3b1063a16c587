// A value of a profile with the path that leads to it, so that every problem can say where it is.
#pragma once

#include <cstdint>
#include <functional>
#include <gridward/shared/error.hpp>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::profile {

using Problems = std::vector<Error>;

// A view: the value and the problems outlive it. What is wrong goes to the problems, and reading goes on with a
// default.
class Node {
 public:
  Node(const nlohmann::ordered_json& value, std::string path, Problems& problems)
      : value_(&value), path_(std::move(path)), problems_(&problems) {}

  void problem(std::string detail) const;
  // Of something below this value, whose own path it has: "list[2].name" for what is in a list.
  void problem_in(const Error& error) const;

  // An object that has only these members; nothing is said twice when it is no object.
  bool object(std::initializer_list<std::string_view> known = {}) const;
  bool array(std::size_t least) const;

  std::optional<Node> member(const std::string& name, bool required = true) const;
  Node element(std::size_t i) const;
  std::size_t size() const;
  void each_member(const std::function<void(const std::string& name, const Node&)>& each) const;
  void each_element(const std::function<void(const Node&)>& each) const;

  std::string text(bool may_be_empty = false) const;
  std::string name() const;                                              // a text that fits where names are kept
  std::int64_t number(std::int64_t least, std::int64_t greatest) const;  // inclusive
  // A number of no more than two decimals as hundredths; the limits are whole and inclusive.
  std::int64_t hundredths(std::int64_t least, std::int64_t greatest) const;
  bool flag() const;

 private:
  std::string join(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

  const nlohmann::ordered_json* value_;
  std::string path_;
  Problems* problems_;
};

}  // namespace gridward::profile
