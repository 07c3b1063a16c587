#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/error.hpp>
#include <gridward/shared/time.hpp>
#include <string>
#include <string_view>

namespace gridward {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
};

// RFC 9562 version 7: 48 bits of Unix milliseconds, then 74 random bits (the first 10 of `random` are used).
Uuid make_uuid_v7(UnixMs at, const std::array<std::uint8_t, 10>& random);
std::string to_string(const Uuid& id);              // 8-4-4-4-12, lower case
Result<Uuid> uuid_from_string(std::string_view s);  // malformed

}  // namespace gridward

template <>
struct std::hash<gridward::Uuid> {
  std::size_t operator()(const gridward::Uuid& id) const noexcept {
    std::size_t h = 1469598103934665603ULL;
    for (auto b : id.bytes) h = (h ^ b) * 1099511628211ULL;
    return h;
  }
};
