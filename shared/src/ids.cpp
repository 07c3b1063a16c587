#include <gridward/shared/ids.hpp>

namespace gridward {

Uuid make_uuid_v7(UnixMs at, const std::array<std::uint8_t, 10>& random) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(to_unix_ms(at));
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i) & 0xFF);
  for (std::size_t i = 0; i < random.size(); ++i) id.bytes[6 + i] = random[i];
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0F));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

std::string to_string(const Uuid& id) {
  std::string text = to_hex(id.bytes);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

Result<Uuid> uuid_from_string(std::string_view s) {
  const auto wrong = [] { return fail(ErrorCode::malformed, "", "not a UUID"); };
  if (s.size() != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-') return wrong();
  std::string hex;
  hex.reserve(32);
  for (const auto part : {s.substr(0, 8), s.substr(9, 4), s.substr(14, 4), s.substr(19, 4), s.substr(24)}) hex += part;
  const auto bytes = from_hex(hex);
  if (!bytes) return wrong();
  Uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = (*bytes)[i];
  return id;
}

}  // namespace gridward
