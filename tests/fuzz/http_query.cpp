// What a client may spell: targets, cookies, lists of tags and codings, JSON bodies. The first byte chooses.
#include <cstdlib>
#include <gridward/http/decode.hpp>
#include <gridward/shared/bytes.hpp>
#include <string>

namespace http = gridward::http;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_target(std::string_view text) {
  const auto target = http::parse_target(text);
  if (!target) return;
  require(!target->segments.empty());
  for (const auto& segment : target->segments) {
    require(segment != "." && segment != ".." && segment.find_first_of("/\\") == std::string::npos);
    require(gridward::valid_utf8(segment));
    for (const char c : segment) require(static_cast<unsigned char>(c) >= 0x20);
  }
  for (const auto& [name, value] : target->query) require(gridward::valid_utf8(name) && gridward::valid_utf8(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      check_target(text);
      break;
    case 'c':
      if (const auto value = http::cookie_value(text, "gridward_session")) require(value->size() <= text.size());
      break;
    case 'x': {
      const auto place = http::client_place("10.0.0.1", text, "10.0.0.1");
      require(place.size() >= 4 && place.size() < 64);
      break;
    }
    case 'h':
      static_cast<void>(http::etag_matches(text, "\"a\""));
      static_cast<void>(http::accepts_encoding(text, "br"));
      break;
    case 'l':
      if (const auto input = http::decode_login(text)) {
        require(!input->login.empty() && gridward::valid_utf8(input->login) && gridward::valid_utf8(input->password));
      }
      break;
    case 'n':
      if (const auto number = http::decode_number("n", text, 1, 200)) require(*number >= 1 && *number <= 200);
      break;
    case 'd':
      if (const auto input = http::decode_notice(text)) {
        require(!input->id.empty() && gridward::valid_utf8(input->id));
        require(!input->text.empty() && gridward::valid_utf8(input->text));
        for (const auto& device : input->devices) require(gridward::valid_utf8(device));
      }
      break;
    default:
      if (const auto input = http::decode_act(text)) {
        require(!input->action.empty() && gridward::valid_utf8(input->note));
        for (const auto& [field, value] : input->fields) {
          if (const auto* text = std::get_if<std::string>(&value))
            require(!text->empty() && gridward::valid_utf8(*text));
        }
      }
      break;
  }
  return 0;
}
