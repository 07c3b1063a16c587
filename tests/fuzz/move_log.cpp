// A receiver's log from wherever. What comes out is a log again: moved once more it loses nothing.
#include <algorithm>
#include <cstdlib>
#include <gridward/sim/nmea.hpp>

constexpr std::size_t kLongest = 512;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  gridward::sim::MoveOptions options;
  options.to = {391'000'000, 1'177'000'000};
  options.start = gridward::from_unix_ms(1'795'323'600'000);
  const auto moved = gridward::sim::move_log(log, options);
  if (!moved) return 0;
  if (moved->fixes == 0) std::abort();
  // A sentence just under the length that is taken may be over it with its new decimals.
  for (std::size_t begin = 0, end = 0; begin < moved->text.size(); begin = end + 1) {
    end = std::min(moved->text.find('\n', begin), moved->text.size());
    if (end - begin > kLongest) return 0;
  }
  const auto again = gridward::sim::move_log(moved->text, options);
  if (!again || again->dropped != 0 || again->moved != moved->moved || again->kept != moved->kept) std::abort();
  return 0;
}
