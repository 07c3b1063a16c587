#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <gridward/http/decode.hpp>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/ids.hpp>
#include <gridward/shared/limits.hpp>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace gridward::http {
namespace {

using nlohmann::json;

constexpr std::size_t kSegments = 32;
constexpr std::size_t kParameters = 64;
constexpr int kJsonDepth = 8;
constexpr std::size_t kAddressCharacters = 210;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space, std::string_view what) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return fail(ErrorCode::malformed, std::string(what), "an escape without two digits");
      const int a = hex_digit(text[i + 1]);
      const int b = hex_digit(text[i + 2]);
      if (a < 0 || b < 0) return fail(ErrorCode::malformed, std::string(what), "an escape without two digits");
      c = static_cast<char>(a * 16 + b);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return fail(ErrorCode::malformed, std::string(what), "a control character");
    out += c;
  }
  if (!valid_utf8(out)) return fail(ErrorCode::malformed, std::string(what), "not valid UTF-8");
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `each` with every trimmed part; an empty text has none.
template <class Each>
void split(std::string_view text, char separator, Each each) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    each(trim(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Result<json> decode_object(std::string_view body, std::initializer_list<std::string_view> fields) {
  bool too_deep = false;
  bool twice = false;
  std::vector<std::string> seen;
  std::vector<std::string> seen_below;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kJsonDepth) too_deep = true;
    // A body has objects at two depths, and of the deeper ones one at a time.
    if (event == json::parse_event_t::key && depth <= 2) {
      const auto& name = value.get_ref<const std::string&>();
      auto& there = depth == 1 ? seen : seen_below;
      twice = twice || std::ranges::find(there, name) != there.end();
      if (there.size() <= std::max(fields.size(), domain::kFields)) there.push_back(name);
      if (depth == 1) seen_below.clear();
    }
    return !too_deep;  // what is too deep is dropped while the rest is read
  };
  const auto value = json::parse(body.begin(), body.end(), watch, false);
  if (too_deep) {
    return fail(ErrorCode::too_deep, "body", "more than " + std::to_string(kJsonDepth) + " levels");
  }
  if (value.is_discarded()) return fail(ErrorCode::malformed, "body", "not valid JSON");
  if (!value.is_object()) return fail(ErrorCode::bad_type, "body", "not an object");
  if (twice) return fail(ErrorCode::malformed, "body", "a field stands there twice");
  for (const auto& [name, ignored] : value.items()) {
    if (std::ranges::find(fields, name) == fields.end()) {
      return fail(ErrorCode::unknown_kind, name.substr(0, 64), "no such field");
    }
  }
  return value;
}

std::size_t characters_of(std::string_view text) {
  // Every code point has one byte that is not a continuation.
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

Result<void> short_enough(const domain::FieldInfo& info, std::string_view text, const std::string& name) {
  const auto characters = characters_of(text);
  if (info.most <= 0 || characters <= static_cast<std::size_t>(info.most)) return {};
  return fail(ErrorCode::out_of_range, name,
              std::to_string(characters) + " characters, at most " + std::to_string(info.most));
}

// Nothing: the value is empty, which is the same as not there.
Result<std::optional<domain::FieldValue>> field_value(const domain::FieldInfo& info, const json& value,
                                                      const std::string& name) {
  using Value = std::optional<domain::FieldValue>;
  const auto bad = [&](std::string_view what) { return fail(ErrorCode::bad_type, name, "not " + std::string(what)); };
  if (value.is_null()) return Value{};
  switch (info.type) {
    case domain::FieldType::text:
    case domain::FieldType::code:
    case domain::FieldType::name:
    case domain::FieldType::id: {
      const auto* text = value.get_ptr<const std::string*>();
      if (text == nullptr) return bad("a text");
      if (auto ok = short_enough(info, *text, name); !ok) return tl::unexpected(ok.error());
      if (text->empty()) return Value{};
      if (info.type == domain::FieldType::id && !uuid_from_string(*text)) return bad("a UUID");
      return Value{*text};
    }
    case domain::FieldType::names: {
      if (!value.is_array()) return bad("a list");
      if (value.size() > domain::kNamesInAField) {
        return fail(ErrorCode::out_of_range, name,
                    std::to_string(value.size()) + ", at most " + std::to_string(domain::kNamesInAField));
      }
      std::vector<std::string> names;
      for (const auto& one : value) {
        const auto* text = one.get_ptr<const std::string*>();
        const auto here = name + "[" + std::to_string(names.size()) + "]";
        if (text == nullptr) return fail(ErrorCode::bad_type, here, "not a text");
        if (text->empty()) return fail(ErrorCode::missing_field, here);
        if (auto ok = short_enough(info, *text, here); !ok) return tl::unexpected(ok.error());
        names.push_back(*text);
      }
      if (names.empty()) return Value{};
      return Value{std::move(names)};
    }
    case domain::FieldType::flag:
      if (!value.is_boolean()) return bad("true or false");
      return Value{value.get<bool>()};
    case domain::FieldType::number:
    case domain::FieldType::time: {
      const bool time = info.type == domain::FieldType::time;
      if (!value.is_number_integer()) return bad("a whole number");
      const auto most = time ? static_cast<std::uint64_t>(limits::kCounter) : static_cast<std::uint64_t>(info.most);
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
        return fail(ErrorCode::out_of_range, name, value.dump() + ", 0 to " + std::to_string(most));
      }
      const auto number = value.get<std::int64_t>();
      if (time) return Value{from_unix_ms(number)};
      return Value{number};
    }
  }
  return bad("known");
}

Result<domain::FieldMap> fields_member(const json& object) {
  domain::FieldMap fields;
  const auto found = object.find("fields");
  if (found == object.end() || found->is_null()) return fields;
  if (!found->is_object()) return fail(ErrorCode::bad_type, "fields", "not an object");
  for (const auto& [key, value] : found->items()) {
    const auto name = "fields." + key.substr(0, 64);
    const auto field = domain::field_from_string(key);
    if (!field) return fail(ErrorCode::unknown_kind, name, "no such field");
    auto read = field_value(domain::field_info(*field), value, name);
    if (!read) return tl::unexpected(read.error());
    if (*read) fields.emplace(*field, std::move(**read));
  }
  return fields;
}

Result<void> text_field(const json& object, const char* name, bool required, std::size_t most_characters,
                        std::string& into) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    if (required) return fail(ErrorCode::missing_field, name);
    return {};
  }
  if (!found->is_string()) return fail(ErrorCode::bad_type, name, "not a text");
  const auto& text = found->get_ref<const std::string&>();
  const auto characters = characters_of(text);
  if (characters > most_characters) {
    return fail(ErrorCode::out_of_range, name,
                std::to_string(characters) + " characters, at most " + std::to_string(most_characters));
  }
  if (required && text.empty()) return fail(ErrorCode::missing_field, name);
  into = text;
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return fail(ErrorCode::malformed, "path", "does not begin with /");
  Target out;
  const auto question = std::min(target.find('?'), target.size());
  auto path = target.substr(1, question - 1);
  auto query = target.substr(std::min(question + 1, target.size()));
  for (;;) {
    const auto slash = std::min(path.find('/'), path.size());
    auto segment = percent_decode(path.substr(0, slash), false, "path");
    if (!segment) return tl::unexpected(segment.error());
    if (*segment == "." || *segment == ".." || segment->find_first_of("/\\") != std::string::npos) {
      return fail(ErrorCode::malformed, "path", "a segment that is not plain");
    }
    if (out.segments.size() == kSegments) {
      return fail(ErrorCode::too_large, "path", "more than " + std::to_string(kSegments) + " segments");
    }
    out.segments.push_back(std::move(*segment));
    if (slash == path.size()) break;
    path.remove_prefix(slash + 1);
  }
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true, "query");
    if (!name) return tl::unexpected(name.error());
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, "query");
    if (!value) return tl::unexpected(value.error());
    if (out.query.size() == kParameters) {
      return fail(ErrorCode::too_large, "query", "more than " + std::to_string(kParameters) + " parameters");
    }
    out.query.push_back({std::move(*name), std::move(*value)});
  }
  return out;
}

namespace {

using Ip = std::array<std::uint8_t, 16>;  // IPv4 inside ::ffff:0:0/96

std::optional<Ip> ip_of(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  Ip ip{};
  if (::inet_pton(AF_INET6, terminated.c_str(), ip.data()) == 1) return ip;
  ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0};
  if (::inet_pton(AF_INET, terminated.c_str(), ip.data() + 12) == 1) return ip;
  return std::nullopt;
}

std::string place_of(Ip ip) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  constexpr Ip kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(ip.begin(), ip.begin() + 12, kMapped.begin())) {
    ::inet_ntop(AF_INET, ip.data() + 12, text.data(), text.size());
    return text.data();
  }
  std::fill(ip.begin() + 8, ip.end(), std::uint8_t{0});
  ::inet_ntop(AF_INET6, ip.data(), text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace

bool is_ip_address(std::string_view text) { return ip_of(text).has_value(); }

std::string client_place(std::string_view peer, std::string_view forwarded_for, std::string_view proxy) {
  const auto from = ip_of(peer);
  if (!from) return {};
  if (from == ip_of(proxy)) {
    const auto comma = forwarded_for.rfind(',');
    const auto last = comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
    if (const auto client = ip_of(last)) return place_of(*client);
  }
  return place_of(*from);
}

std::optional<std::string> cookie_value(std::string_view header, std::string_view name) {
  std::optional<std::string> value;
  bool ambiguous = false;
  split(header, ';', [&](std::string_view pair) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) return;
    const auto text = trim(pair.substr(equals + 1));
    if (value && *value != text) ambiguous = true;
    value = std::string(text);
  });
  if (ambiguous) return std::nullopt;
  return value;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  bool matches = false;
  split(if_none_match, ',', [&](std::string_view tag) {
    if (tag == "*") matches = true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) matches = true;
  });
  return matches;
}

bool accepts_encoding(std::string_view accept_encoding, std::string_view coding) {
  bool accepts = false;
  split(accept_encoding, ',', [&](std::string_view entry) {
    const auto semicolon = std::min(entry.find(';'), entry.size());
    if (trim(entry.substr(0, semicolon)) != coding) return;
    accepts = true;
    split(entry.substr(semicolon), ';', [&](std::string_view parameter) {
      // q=0, q=0.0, q=0.000: refused.
      if (parameter.starts_with("q=") && parameter.find_first_not_of("0.", 2) == std::string_view::npos) {
        accepts = false;
      }
    });
  });
  return accepts;
}

Result<LoginInput> decode_login(std::string_view body) {
  const auto object = decode_object(body, {"login", "password"});
  if (!object) return tl::unexpected(object.error());
  LoginInput input;
  if (auto r = text_field(*object, "login", true, limits::kNameCharacters, input.login); !r) {
    return tl::unexpected(r.error());
  }
  if (auto r = text_field(*object, "password", true, 256, input.password); !r) return tl::unexpected(r.error());
  return input;
}

Result<ActInput> decode_act(std::string_view body) {
  const auto object = decode_object(body, {"action", "version", "note", "fields"});
  if (!object) return tl::unexpected(object.error());
  ActInput input;
  const auto version = object->find("version");
  if (version == object->end()) return fail(ErrorCode::missing_field, "version");
  if (!version->is_number_unsigned()) return fail(ErrorCode::bad_type, "version", "not a whole number from 0");
  input.version = version->get<std::uint64_t>();
  if (input.version > limits::kCounter) {
    return fail(ErrorCode::out_of_range, "version",
                std::to_string(input.version) + ", at most " + std::to_string(limits::kCounter));
  }
  const auto text = [&](const char* name, bool required, std::size_t most, std::string& into) {
    return text_field(*object, name, required, most, into);
  };
  auto done = text("action", true, limits::kNameCharacters, input.action);
  if (done) done = text("note", false, limits::kTextCharacters, input.note);
  if (!done) return tl::unexpected(done.error());
  auto fields = fields_member(*object);
  if (!fields) return tl::unexpected(fields.error());
  input.fields = std::move(*fields);
  return input;
}

Result<RequestInput> decode_request(std::string_view body) {
  const auto object = decode_object(body, {"text", "address", "place", "fields"});
  if (!object) return tl::unexpected(object.error());
  RequestInput input;
  // Together they are the case's text.
  auto done = text_field(*object, "text", false, limits::kTextCharacters - kAddressCharacters, input.text);
  if (done) done = text_field(*object, "address", false, kAddressCharacters - 10, input.address);
  if (!done) return tl::unexpected(done.error());
  if (const auto place = object->find("place"); place != object->end() && !place->is_null()) {
    if (!place->is_object()) return fail(ErrorCode::bad_type, "place", "not an object");
    std::array<double, 2> degrees{};
    constexpr std::array<std::pair<const char*, double>, 2> kAxes{{{"lat", 90}, {"lon", 180}}};
    for (std::size_t i = 0; i < kAxes.size(); ++i) {
      const auto& [axis, most] = kAxes[i];
      const auto field = std::string("place.") + axis;
      const auto found = place->find(axis);
      if (found == place->end()) return fail(ErrorCode::missing_field, field);
      if (!found->is_number()) return fail(ErrorCode::bad_type, field, "not a number");
      degrees[i] = found->get<double>();
      if (!(degrees[i] >= -most && degrees[i] <= most)) return fail(ErrorCode::out_of_range, field, found->dump());
    }
    if (place->size() != 2) return fail(ErrorCode::unknown_kind, "place", "lat and lon are all it has");
    input.place = geo_point(degrees[0], degrees[1]);
  }
  auto fields = fields_member(*object);
  if (!fields) return tl::unexpected(fields.error());
  input.fields = std::move(*fields);
  return input;
}

Result<NoticeInput> decode_notice(std::string_view body) {
  const auto object = decode_object(body, {"id", "text", "devices", "all"});
  if (!object) return tl::unexpected(object.error());
  NoticeInput input;
  auto done = text_field(*object, "id", true, limits::kNameCharacters, input.id);
  if (done) done = text_field(*object, "text", true, limits::kTextCharacters, input.text);
  if (!done) return tl::unexpected(done.error());
  if (const auto devices = object->find("devices"); devices != object->end()) {
    if (!devices->is_array()) return fail(ErrorCode::bad_type, "devices", "not a list");
    for (const auto& device : *devices) {
      const auto* id = device.get_ptr<const std::string*>();
      if (id == nullptr) {
        return fail(ErrorCode::bad_type, "devices[" + std::to_string(input.devices.size()) + "]", "not a text");
      }
      input.devices.push_back(*id);
    }
  }
  if (const auto all = object->find("all"); all != object->end()) {
    if (!all->is_boolean()) return fail(ErrorCode::bad_type, "all", "neither true nor false");
    input.all = all->get<bool>();
  }
  return input;
}

Result<std::uint64_t> decode_number(std::string_view field, std::string_view text, std::uint64_t least,
                                    std::uint64_t greatest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return fail(ErrorCode::bad_type, std::string(field), "not a whole number");
  }
  if (error != std::errc{} || number < least || number > greatest) {
    return fail(ErrorCode::out_of_range, std::string(field),
                std::string(text.substr(0, 24)) + ", " + std::to_string(least) + " to " + std::to_string(greatest));
  }
  return number;
}

}  // namespace gridward::http
