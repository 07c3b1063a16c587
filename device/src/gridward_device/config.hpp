// What gw_config and the configuration file say, checked. docs: device/README.md.
#pragma once

#include <gridward/device.h>

#include <filesystem>
#include <gridward/shared/error.hpp>
#include <gridward/shared/time.hpp>
#include <gridward_device/outbox.hpp>
#include <gridward_device/ports.hpp>
#include <gridward_device/transport.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::device {

struct Config {
  std::filesystem::path data_dir;
  std::filesystem::path key_file;
  std::string actor;
  TransportConfig transport;
  BuiltinConfig builtin;
  Millis position_wait{5'000};
  // Nothing: as the town's settings say.
  std::optional<Millis> track_interval;
  std::optional<Millis> track_batch;
  std::optional<Millis> heartbeat;       // negative: none
  std::optional<std::int32_t> photo_px;  // negative: never reduced
  std::optional<std::int32_t> photo_quality;
  std::uint64_t outbox_bytes = 2ULL << 30;
  std::uint64_t min_free_bytes = 64ULL << 20;
  bool duty_by_patrol = false;
  bool no_watch = false;
};

// What holds: the configuration's value, else the town's, else the one here.
struct Settings {
  Millis track_interval{10'000};
  Millis track_batch{60'000};
  Millis heartbeat{300'000};  // negative: none
  PhotoLimit photo;
};
Settings settings_of(const Config& config, const std::optional<SettingsItem>& town);

// config_invalid, with the member's name.
Result<Config> config_from(const gw_config& config);
// The same from the JSON file: an unknown key, a wrong type and a value out of range are named.
Result<Config> config_from_file(const std::filesystem::path& file);
// Its text alone; `file`, absolute, is where relative paths count from.
Result<Config> config_from_text(std::string_view text, const std::filesystem::path& file);

}  // namespace gridward::device
