#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <gridward/http/decode.hpp>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/limits.hpp>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace gridward::http {
namespace {

using nlohmann::json;

constexpr std::size_t kSegments = 32;
constexpr std::size_t kParameters = 64;
constexpr int kJsonDepth = 8;

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
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > kJsonDepth) too_deep = true;
    if (event == json::parse_event_t::key && depth == 1) {
      const auto& name = value.get_ref<const std::string&>();
      twice = twice || std::ranges::find(seen, name) != seen.end();
      if (seen.size() <= fields.size()) seen.push_back(name);
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

Result<void> text_field(const json& object, const char* name, bool required, std::size_t most_characters,
                        std::string& into) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    if (required) return fail(ErrorCode::missing_field, name);
    return {};
  }
  if (!found->is_string()) return fail(ErrorCode::bad_type, name, "not a text");
  const auto& text = found->get_ref<const std::string&>();
  // Every code point has one byte that is not a continuation.
  const auto characters = static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
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
  const auto object = decode_object(body, {"action", "version", "note", "unit", "reason", "assignee"});
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
  if (done) done = text("unit", false, limits::kNameCharacters, input.unit);
  if (done) done = text("reason", false, limits::kNameCharacters, input.reason);
  if (done) done = text("assignee", false, limits::kNameCharacters, input.assignee);
  if (!done) return tl::unexpected(done.error());
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
