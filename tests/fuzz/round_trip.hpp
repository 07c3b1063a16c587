#pragma once

#include <cstdlib>
#include <gridward/shared/bytes.hpp>

namespace gridward::fuzz {

// What was taken must come through another round unchanged: else a decoder let pass what no sender can have meant.
template <class Decode, class Encode>
void round_trip(ByteView bytes, Decode decode, Encode encode) {
  const auto first = decode(bytes);
  if (!first) return;
  const auto second = decode(encode(*first));
  if (!second || !(*second == *first)) std::abort();
}

}  // namespace gridward::fuzz
