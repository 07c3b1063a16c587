// What gw_config and the configuration file say, checked. docs: device/README.md.
#pragma once

#include <gridward/device.h>

#include <filesystem>
#include <gridward/shared/error.hpp>
#include <gridward/shared/time.hpp>
#include <gridward_device/outbox.hpp>
#include <gridward_device/ports.hpp>
#include <gridward_device/transport.hpp>
#include <string>

namespace gridward::device {

struct Config {
  std::filesystem::path data_dir;
  std::filesystem::path key_file;
  std::string actor;
  TransportConfig transport;
  BuiltinConfig builtin;
  Millis position_wait{5'000};
  Millis track_interval{10'000};
  Millis track_batch{60'000};
  Millis heartbeat{300'000};  // negative: none
  std::uint64_t outbox_bytes = 2ULL << 30;
  std::uint64_t min_free_bytes = 64ULL << 20;
  bool duty_by_patrol = false;
  bool no_watch = false;
};

// config_invalid, with the member's name.
Result<Config> config_from(const gw_config& config);
// The same from the JSON file: an unknown key, a wrong type and a value out of range are named.
Result<Config> config_from_file(const std::filesystem::path& file);

}  // namespace gridward::device
