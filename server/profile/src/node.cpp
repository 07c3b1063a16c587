#include "node.hpp"

#include <algorithm>
#include <cmath>
#include <gridward/shared/limits.hpp>
#include <nlohmann/json.hpp>

namespace gridward::profile {

void Node::problem(std::string detail) const {
  problems_->push_back({ErrorCode::config_invalid, path_, std::move(detail)});
}

void Node::problem_in(const Error& error) const {
  const auto below = error.field.find_first_of("[.");
  const auto path = below == std::string::npos ? path_ : path_ + error.field.substr(below);
  problems_->push_back({ErrorCode::config_invalid, path, error.detail});
}

bool Node::object(std::initializer_list<std::string_view> known) const {
  if (!value_->is_object()) {
    problem("not an object");
    return false;
  }
  for (const auto& [name, ignored] : value_->items()) {
    bool found = known.size() == 0;
    for (const auto& entry : known) found = found || entry == name;
    if (!found) Node(*value_, join(name), *problems_).problem("no such field");
  }
  return true;
}

bool Node::array(std::size_t least) const {
  if (!value_->is_array()) {
    problem("not a list");
    return false;
  }
  if (value_->size() < least) problem("empty");
  return true;
}

std::optional<Node> Node::member(const std::string& name, bool required) const {
  const auto found = value_->find(name);
  if (found == value_->end()) {
    if (required) Node(*value_, join(name), *problems_).problem("missing");
    return std::nullopt;
  }
  return Node(*found, join(name), *problems_);
}

Node Node::element(std::size_t i) const { return {value_->at(i), path_ + "[" + std::to_string(i) + "]", *problems_}; }

std::size_t Node::size() const { return value_->size(); }

void Node::each_member(const std::function<void(const std::string& name, const Node&)>& each) const {
  for (const auto& [name, value] : value_->items()) each(name, Node(value, join(name), *problems_));
}

void Node::each_element(const std::function<void(const Node&)>& each) const {
  for (std::size_t i = 0; i < size(); ++i) each(element(i));
}

std::string Node::text(bool may_be_empty) const {
  if (!value_->is_string()) {
    problem(value_->dump() + " is not a text");
    return {};
  }
  auto result = value_->get<std::string>();
  if (result.empty() && !may_be_empty) problem("empty");
  return result;
}

std::int64_t Node::number(std::int64_t least, std::int64_t greatest) const {
  if (!value_->is_number_integer()) {
    problem(value_->dump() + " is not a whole number");
    return least;
  }
  const bool huge = value_->is_number_unsigned() && value_->get<std::uint64_t>() > std::uint64_t{1} << 62;
  const auto number = huge ? std::int64_t{1} << 62 : value_->get<std::int64_t>();
  if (number < least) problem(value_->dump() + ", at least " + std::to_string(least));
  if (number > greatest) problem(value_->dump() + ", at most " + std::to_string(greatest));
  return number;
}

std::string Node::name() const {
  auto result = text();
  const auto characters = static_cast<std::size_t>(
      std::ranges::count_if(result, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  if (characters > limits::kNameCharacters) {
    problem(std::to_string(characters) + " characters, at most " + std::to_string(limits::kNameCharacters));
  }
  return result;
}

std::int64_t Node::hundredths(std::int64_t least, std::int64_t greatest) const {
  if (!value_->is_number_float()) return number(least, greatest) * 100;
  const auto value = value_->get<double>();
  const auto all = std::round(value * 100);
  if (value < static_cast<double>(least)) {
    problem(value_->dump() + ", at least " + std::to_string(least));
  } else if (value > static_cast<double>(greatest)) {
    problem(value_->dump() + ", at most " + std::to_string(greatest));
  } else if (std::abs(value * 100 - all) > 1e-6) {
    problem(value_->dump() + " has more than two decimals");
  } else {
    return static_cast<std::int64_t>(all);
  }
  return least * 100;
}

bool Node::flag() const {
  if (!value_->is_boolean()) {
    problem(value_->dump() + " is neither true nor false");
    return false;
  }
  return value_->get<bool>();
}

}  // namespace gridward::profile
