#pragma once

#include <array>
#include <cstdint>
#include <gridward/shared/error.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using Sha256 = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;  // Ed25519
using PublicKey = std::array<std::uint8_t, 32>;  // Ed25519

std::string to_hex(ByteView bytes);            // lower case
Result<Bytes> from_hex(std::string_view hex);  // malformed on an odd length or another character
Result<Sha256> sha256_from_hex(std::string_view hex);
std::string to_base64(ByteView bytes);  // RFC 4648, padded
Result<Bytes> from_base64(std::string_view text);
bool valid_utf8(std::string_view text);
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace gridward
