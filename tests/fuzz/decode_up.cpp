#include <gridward/shared/message.hpp>

#include "round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = gridward::decode_up({data, size});
  if (message && gridward::peek_up_records({data, size}) != message->records) std::abort();
  gridward::fuzz::round_trip({data, size}, gridward::decode_up, gridward::encode_up);
  return 0;
}
