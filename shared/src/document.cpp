#include "document.hpp"

#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <vector>

namespace gridward::document {
namespace {

using nlohmann::json;

// The shape only, without recursion and before the library sees a byte: its reader recurses for every nested container
// and for every nested string of indefinite length, and folds integers under -2^63 into other numbers.
Result<void> check_shape(ByteView bytes) {
  std::array<std::uint64_t, limits::kCborDepth> open{};  // items still to come in each open container
  std::size_t depth = 0;
  std::size_t items = 0;
  std::size_t at = 0;
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::malformed, "", std::string(what) + " at byte " + std::to_string(at));
  };
  do {
    if (++items > limits::kCborItems) {
      return fail(ErrorCode::too_large, "", "more than " + std::to_string(limits::kCborItems) + " items");
    }
    if (at == bytes.size()) return wrong("cut off");
    const unsigned major = bytes[at] >> 5;
    const unsigned info = bytes[at] & 31U;
    std::uint64_t argument = info;
    std::size_t head = 1;
    if (info >= 28) return wrong(info == 31 ? "indefinite length" : "reserved head");
    if (info >= 24) {
      head += std::size_t{1} << (info - 24);
      if (bytes.size() - at < head) return wrong("cut off");
      argument = 0;
      for (std::size_t i = 1; i < head; ++i) argument = argument << 8 | bytes[at + i];
    }
    const std::uint64_t left = bytes.size() - at - head;
    std::uint64_t inside = 0;
    switch (major) {
      case 1:
        if (argument > static_cast<std::uint64_t>(INT64_MAX)) {
          return fail(ErrorCode::out_of_range, "", "integer under -2^63 at byte " + std::to_string(at));
        }
        break;
      case 2:
      case 3:
        if (argument > left) return wrong("cut off");
        head += static_cast<std::size_t>(argument);
        break;
      case 4:
      case 5:
        if (depth == limits::kCborDepth) {
          return fail(ErrorCode::too_deep, "", "more than " + std::to_string(limits::kCborDepth) + " levels");
        }
        if (argument > left / (major - 3)) return wrong("cut off");  // every item takes a byte at least
        inside = argument * (major - 3);
        break;
      case 6:
        return wrong("tag");
      case 7:
        // false, true, null, and floats, which no field takes but an unknown one may hold.
        if (info < 20 || info == 23 || info == 24) return wrong("reserved simple value");
        break;
      default:
        break;
    }
    at += head;
    if (depth > 0) --open[depth - 1];
    if (inside > 0) open[depth++] = inside;
    while (depth > 0 && open[depth - 1] == 0) --depth;
  } while (depth > 0);
  if (at != bytes.size()) {
    return fail(ErrorCode::trailing_bytes, "", std::to_string(bytes.size() - at) + " bytes after the end");
  }
  return {};
}

// Builds the document, keeping the path of where it is for the errors.
class Builder : public json::json_sax_t {
 public:
  explicit Builder(json& root) : root_(root) {}

  const std::optional<Error>& error() const { return error_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override {
    return valid_utf8(value) ? add(std::move(value)) : stop(ErrorCode::bad_utf8, "text is not UTF-8");
  }
  bool binary(binary_t& value) override { return add(json::binary(std::move(value))); }

  bool start_object(std::size_t /*claimed*/) override { return open(json::object()); }
  bool start_array(std::size_t /*claimed*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!valid_utf8(name)) {
      error_ = Error{ErrorCode::bad_utf8, path_.back(), "a key is not UTF-8"};
      return false;
    }
    key_ = std::move(name);
    if (open_.back()->contains(key_)) return stop(ErrorCode::malformed, "key twice: " + key_);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const json::exception& /*why*/) override {
    return error_ ? false : stop(ErrorCode::malformed, "at byte " + std::to_string(position));
  }

 private:
  json* place(json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json& slot = parent[key_];
    slot = std::move(value);
    return &slot;
  }
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json container) {
    if (open_.size() == limits::kCborDepth) {
      return stop(ErrorCode::too_deep, "more than " + std::to_string(limits::kCborDepth) + " levels");
    }
    path_.push_back(here());
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    path_.pop_back();
    return true;
  }
  // Of the value that comes next.
  std::string here() const {
    if (open_.empty()) return "";
    if (open_.back()->is_array()) return path_.back() + "[" + std::to_string(open_.back()->size()) + "]";
    return path_.back().empty() ? key_ : path_.back() + "." + key_;
  }
  bool stop(ErrorCode code, std::string detail) {
    error_ = Error{code, here(), std::move(detail)};
    return false;
  }

  json& root_;
  std::vector<json*> open_;
  std::vector<std::string> path_;
  std::string key_;
  std::optional<Error> error_;
};

const json kEmptyMap = json::object();

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

template <class Input>
Result<json> build(const Input& input, json::input_format_t format) {
  json root;
  Builder builder(root);
  if (!json::sax_parse(input.begin(), input.end(), &builder, format)) {
    return tl::unexpected(builder.error().value_or(Error{ErrorCode::malformed, "", ""}));
  }
  return root;
}

}  // namespace

std::string at_most(std::uint64_t value, std::uint64_t limit, std::string_view unit) {
  std::string text = std::to_string(value) + " ";
  text += unit;
  return text + ", at most " + std::to_string(limit);
}

Result<json> parse_cbor(ByteView bytes, std::size_t max_bytes) {
  if (bytes.size() > max_bytes) return fail(ErrorCode::too_large, "", at_most(bytes.size(), max_bytes, "bytes"));
  if (auto shape = check_shape(bytes); !shape) return tl::unexpected(std::move(shape.error()));
  return build(bytes, json::input_format_t::cbor);
}

Bytes write_cbor(const json& value) { return json::to_cbor(value); }

Result<json> parse_json(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) return fail(ErrorCode::too_large, "", at_most(text.size(), max_bytes, "bytes"));
  return build(text, json::input_format_t::json);
}

Fields::Fields(const json& map, std::string path, std::optional<Error>& error)
    : map_(map.is_object() ? map : kEmptyMap), path_(std::move(path)), error_(error) {
  if (!map.is_object()) fail_path(ErrorCode::bad_type, path_, "a map is needed");
}

std::string Fields::field(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Fields::fail_path(ErrorCode code, std::string path, std::string detail) const {
  if (!error_) error_ = Error{code, std::move(path), std::move(detail)};
}

void Fields::fail_at(ErrorCode code, std::string_view key, std::string detail) const {
  fail_path(code, field(key), std::move(detail));
}

const json* Fields::find(std::string_view key) const {
  const auto found = map_.find(key);
  return found == map_.end() ? nullptr : &*found;
}

const json* Fields::find_required(std::string_view key) const {
  const auto* node = find(key);
  if (node == nullptr) fail_at(ErrorCode::missing_field, key, "");
  return node;
}

std::optional<std::int64_t> Fields::to_integer(const json& node, std::string_view key, ranges::Range range) const {
  if (!node.is_number_integer()) {
    fail_at(ErrorCode::bad_type, key, "an integer is needed");
    return std::nullopt;
  }
  const bool fits = !node.is_number_unsigned() || node.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
  if (!fits || !range.holds(node.get<std::int64_t>())) {
    fail_at(ErrorCode::out_of_range, key,
            node.dump() + ", from " + std::to_string(range.min) + " to " + std::to_string(range.max));
    return std::nullopt;
  }
  return node.get<std::int64_t>();
}

std::int64_t Fields::integer(std::string_view key, ranges::Range range) const {
  const auto* node = find_required(key);
  return node == nullptr ? range.min : to_integer(*node, key, range).value_or(range.min);
}

std::optional<std::int64_t> Fields::optional_integer(std::string_view key, ranges::Range range) const {
  const auto* node = find(key);
  return node == nullptr ? std::nullopt : to_integer(*node, key, range);
}

std::uint64_t Fields::counter(std::string_view key, ranges::Range range) const {
  return static_cast<std::uint64_t>(integer(key, range));
}

bool Fields::flag(std::string_view key) const { return find(key) != nullptr && required_flag(key); }

bool Fields::required_flag(std::string_view key) const {
  const auto* node = find_required(key);
  if (node == nullptr) return false;
  if (node->is_boolean()) return node->get<bool>();
  fail_at(ErrorCode::bad_type, key, "true or false is needed");
  return false;
}

std::string Fields::to_text(const json& node, std::string_view key, std::size_t min, std::size_t max) const {
  const auto* text = node.get_ptr<const std::string*>();
  if (text == nullptr) {
    fail_at(ErrorCode::bad_type, key, "text is needed");
    return {};
  }
  const auto length = code_points(*text);
  if (length > max) {
    fail_at(ErrorCode::too_large, key, at_most(length, max, "characters"));
    return {};
  }
  if (length < min) fail_at(ErrorCode::out_of_range, key, "empty");
  if (text->find('\0') != std::string::npos) fail_at(ErrorCode::out_of_range, key, "holds U+0000");
  return *text;
}

std::string Fields::text(std::string_view key, std::size_t min, std::size_t max) const {
  const auto* node = find_required(key);
  return node == nullptr ? std::string() : to_text(*node, key, min, max);
}

std::string Fields::optional_text(std::string_view key, std::size_t max) const {
  const auto* node = find(key);
  return node == nullptr ? std::string() : to_text(*node, key, 0, max);
}

Bytes Fields::bytes(std::string_view key, std::size_t max) const {
  const auto* node = find_required(key);
  if (node == nullptr) return {};
  if (!node->is_binary()) {
    fail_at(ErrorCode::bad_type, key, "bytes are needed");
    return {};
  }
  const auto& bytes = node->get_binary();
  if (bytes.size() > max) {
    fail_at(ErrorCode::too_large, key, at_most(bytes.size(), max, "bytes"));
    return {};
  }
  return bytes;
}

void Fields::copy_exact(const json* node, const std::string& path, std::span<std::uint8_t> out) const {
  if (node == nullptr) return;
  if (!node->is_binary()) return fail_path(ErrorCode::bad_type, path, "bytes are needed");
  const auto& bytes = node->get_binary();
  if (bytes.size() != out.size()) {
    return fail_path(ErrorCode::out_of_range, path,
                     std::to_string(bytes.size()) + " bytes, exactly " + std::to_string(out.size()));
  }
  std::ranges::copy(bytes, out.begin());
}

Uuid Fields::uuid(std::string_view key) const {
  Uuid id{bytes_of<16>(key)};
  if (id.is_nil()) fail_at(ErrorCode::out_of_range, key, "nil");
  return id;
}

Uuid Fields::uuid_v7(std::string_view key) const {
  Uuid id{bytes_of<16>(key)};
  if (id.bytes[6] >> 4 != 7 || id.bytes[8] >> 6 != 2) fail_at(ErrorCode::out_of_range, key, "not a UUID of version 7");
  return id;
}

Uuid Fields::uuid_or_nil(std::string_view key) const { return has(key) ? uuid(key) : Uuid{}; }

UnixMs Fields::time(std::string_view key) const { return from_unix_ms(integer(key, ranges::kTime)); }

Fields Fields::map(std::string_view key) const {
  const auto* node = find_required(key);
  return {node == nullptr ? kEmptyMap : *node, field(key), error_};
}

bool Fields::check_list(const json& node, std::string_view key, std::size_t max) const {
  if (!node.is_array()) {
    fail_at(ErrorCode::bad_type, key, "an array is needed");
    return false;
  }
  if (node.size() > max) {
    fail_at(ErrorCode::too_large, key, at_most(node.size(), max, "items"));
    return false;
  }
  return true;
}

}  // namespace gridward::document
