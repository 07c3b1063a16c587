#include <gridward/shared/down_items.hpp>
#include <string_view>

#include "round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto check = [&](auto decode) {
    const auto item = decode(body);
    if (!item) return;
    const gridward::Result<std::string> written = gridward::encode_item(*item);
    if (!written) std::abort();
    const auto again = decode(*written);
    if (!again || !(*again == *item)) std::abort();
  };
  check(gridward::decode_task_item);
  check(gridward::decode_task_cancelled_item);
  check(gridward::decode_progress_item);
  check(gridward::decode_notice_item);
  check(gridward::decode_settings_item);
  check(gridward::decode_categories_item);
  return 0;
}
