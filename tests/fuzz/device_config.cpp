// The handheld's configuration file.
#include <cstdlib>
#include <gridward/shared/bytes.hpp>
#include <gridward_device/config.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gridward;
  const auto config =
      device::config_from_text({reinterpret_cast<const char*>(data), size}, "/etc/gridward/device.json");
  if (!config) {
    // Whoever mends it is told what and where, in text.
    if (config.error().code != ErrorCode::config_invalid || config.error().detail.empty() ||
        !valid_utf8(to_string(config.error()))) {
      std::abort();
    }
    return 0;
  }
  const auto settings = device::settings_of(*config, std::nullopt);
  if (config->data_dir.empty() || config->key_file.empty() || config->transport.user.empty() ||
      config->position_wait < Millis{0} || config->builtin.max_age <= Millis{0} ||
      settings.track_interval < Millis{1'000} || settings.track_batch < settings.track_interval ||
      settings.photo.quality < 1 || settings.photo.quality > 100) {
    std::abort();
  }
  return 0;
}
