#include "json_tree.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

namespace gridward::importing {
namespace {

// The parser tells no line with its events, so the bytes it has taken are counted as it takes them.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::uint32_t* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::uint32_t* line_;
};

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(JsonValue& root, const std::uint32_t& line, Problems& problems)
      : root_(root), line_(line), problems_(problems) {}

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override {
    if (value.size() > kFieldBytes)
      return stop("a text of " + std::to_string(value.size()) + " bytes: at most " + std::to_string(kFieldBytes));
    return add(std::move(value));
  }
  bool binary(binary_t& /*value*/) override { return stop("binary values do not occur in JSON"); }
  bool start_object(std::size_t /*elements*/) override { return open(JsonValue::Object{}); }
  bool start_array(std::size_t /*elements*/) override { return open(JsonValue::Array{}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (value.size() > kFieldBytes) return stop("a name of more than " + std::to_string(kFieldBytes) + " bytes");
    const auto& members = std::get<JsonValue::Object>(open_.back()->data);
    // Two values for one name: which of them counts would be a guess. Objects here are small, a long one is no file of
    // ours.
    if (members.size() >= kMembers) return stop("an object of more than " + std::to_string(kMembers) + " members");
    if (std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.key == value; })) {
      return stop("the name '" + shown(value) + "' is there twice in one object");
    }
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& token,
                   const nlohmann::json::exception& /*problem*/) override {
    return stop("not valid JSON at '" + shown(token) + "'");
  }

 private:
  static constexpr std::size_t kMembers = 256;
  using Data = decltype(JsonValue::data);

  JsonValue* place(Data data) {
    if (++values_ > kJsonValues) {
      stop("more than " + std::to_string(kJsonValues) + " values");
      return nullptr;
    }
    JsonValue value{line_, std::move(data)};
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (auto* array = std::get_if<JsonValue::Array>(&open_.back()->data)) {
      array->push_back(std::move(value));
      return &array->back();
    }
    auto& object = std::get<JsonValue::Object>(open_.back()->data);
    object.push_back({std::move(key_), std::move(value)});
    return &object.back().value;
  }
  bool add(Data data) { return place(std::move(data)) != nullptr; }
  // Pointers to open values stay good: a parent's list does not grow while one of its children is open.
  bool open(Data data) {
    if (open_.size() >= kJsonDepth) return stop("nested deeper than " + std::to_string(kJsonDepth) + " levels");
    auto* value = place(std::move(data));
    if (value != nullptr) open_.push_back(value);
    return value != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool stop(std::string message) {
    problems_.add(line_, {}, std::move(message));
    return false;
  }

  JsonValue& root_;
  const std::uint32_t& line_;
  Problems& problems_;
  std::vector<JsonValue*> open_;
  std::string key_;
  std::size_t values_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  const auto* members = object();
  if (members == nullptr) return nullptr;
  for (const auto& member : *members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

bool parse_json_tree(std::string_view text, JsonValue& root, Problems& problems) {
  if (text.size() > kFileBytes) {
    problems.add(1, "file", std::to_string(text.size()) + " bytes: at most " + std::to_string(kFileBytes));
    return false;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::uint32_t line = 1;
  Builder builder(root, line, problems);
  const char* begin = std::to_address(text.begin());
  return nlohmann::json::sax_parse(CountingIterator(begin, &line), CountingIterator(begin + text.size(), &line),
                                   &builder);
}

}  // namespace gridward::importing
