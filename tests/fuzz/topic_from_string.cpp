#include <gridward/shared/topics.hpp>
#include <string_view>

#include "round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto topic = gridward::topic_from_string(text);
  if (topic && gridward::to_string(*topic) != text) std::abort();
  return 0;
}
