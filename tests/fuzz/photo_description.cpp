#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <gridward/vision/photo_description.hpp>

// What is taken is written again to the same bytes, and can be searched and compared.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gridward;
  const ByteView bytes(data, size);
  const auto parsed = vision::parse_description(bytes);
  if (!parsed) return 0;
  const auto again = vision::encode_description(*parsed);
  if (!std::ranges::equal(again, bytes)) std::abort();
  if (vision::keys_of(*parsed).size() > vision::kMostKeys) std::abort();
  const auto likeness = vision::compare(*parsed, *parsed);
  if (likeness.place > 1000 || likeness.copy > 1000) std::abort();
  return 0;
}
