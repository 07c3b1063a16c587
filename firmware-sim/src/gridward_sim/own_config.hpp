// A handheld's configuration, changed for a scenario: another way to the broker, a small disk.
#pragma once

#include <filesystem>
#include <gridward/shared/error.hpp>
#include <gridward_sim/scenario.hpp>
#include <string>

namespace gridward::sim {

// The port of its broker, which must be on this machine: the link of a scenario is a relay on the loopback.
// config_invalid.
Result<std::uint16_t> broker_port(const std::filesystem::path& config);

// Writes the configuration of `config` to `to`, for its owner alone: it holds a password. link_port: where the broker
// is found, 0: where it was. config_invalid, storage_failed.
Result<void> write_config(const std::filesystem::path& config, const Circumstances& circumstances,
                          std::uint16_t link_port, const std::filesystem::path& to);

}  // namespace gridward::sim
