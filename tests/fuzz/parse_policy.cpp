// A county's profile, and its holidays: two texts, divided by the first NUL.
#include <cstdlib>
#include <gridward/profile/profile.hpp>
#include <gridward/shared/bytes.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\0');
  const auto holidays = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  const auto policy = gridward::profile::parse_policy(text.substr(0, end), holidays);
  if (policy) return 0;
  // Whoever mends it is told what and where, in text.
  if (policy.error().empty()) std::abort();
  for (const auto& problem : policy.error()) {
    if (!gridward::valid_utf8(gridward::to_string(problem))) std::abort();
  }
  return 0;
}
