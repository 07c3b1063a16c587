// Text from outside to values. Pure, thread-safe, never throws on what it is given.
#pragma once

#include <cstdint>
#include <gridward/domain/fields.hpp>
#include <gridward/http/message.hpp>
#include <gridward/shared/error.hpp>
#include <gridward/shared/geo.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::http {

struct Target {
  std::vector<std::string> segments;
  std::vector<Param> query;
};
// The request line's target in origin form. A path that is not plain is refused, never repaired: malformed for a bad
// escape, "." and "..", an escaped slash, control characters or a byte sequence that is not UTF-8; too_large for more
// than 32 segments or 64 parameters.
Result<Target> parse_target(std::string_view target);

// The value of the cookie; nothing when it is absent or stands there twice with different values.
std::optional<std::string> cookie_value(std::string_view header, std::string_view name);

// Where a request comes from, for counting attempts: the peer's address, or what the proxy says when the peer is the
// proxy. Only the last part of X-Forwarded-For is the proxy's own word. IPv6 as its network of 64 bits, which is what
// one subscriber has. Empty when the peer is no IP address.
std::string client_place(std::string_view peer, std::string_view forwarded_for, std::string_view proxy);
bool is_ip_address(std::string_view text);

// Does If-None-Match name this entity tag (weak comparison)?
bool etag_matches(std::string_view if_none_match, std::string_view etag);
// Does Accept-Encoding allow this coding (q > 0)? "*" is not looked at.
bool accepts_encoding(std::string_view accept_encoding, std::string_view coding);

struct LoginInput {
  std::string login;
  std::string password;
};
struct ActInput {
  std::string action;
  std::uint64_t version = 0;
  std::string note;
  domain::FieldMap fields;  // without those that were null or empty
};
struct RequestInput {
  std::string text;
  std::string address;
  std::optional<GeoPoint> place;
  domain::FieldMap fields;
};
struct NoticeInput {
  std::string id;
  std::string text;
  std::vector<std::string> devices;
  bool all = false;
};
// Errors: malformed, too_deep, missing_field, bad_type, out_of_range, unknown_kind for a field that does not exist.
// What an act carries goes by the table of domain/fields.hpp, and is named "fields.unit".
Result<LoginInput> decode_login(std::string_view body);
Result<ActInput> decode_act(std::string_view body);
Result<RequestInput> decode_request(std::string_view body);
Result<NoticeInput> decode_notice(std::string_view body);

// A whole decimal number in [least, greatest]; bad_type, out_of_range, with `field` as the error's field.
Result<std::uint64_t> decode_number(std::string_view field, std::string_view text, std::uint64_t least,
                                    std::uint64_t greatest);

}  // namespace gridward::http
