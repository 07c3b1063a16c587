#include <gridward/shared/message.hpp>

#include "round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gridward::fuzz::round_trip({data, size}, gridward::decode_down, gridward::encode_down);
  return 0;
}
