// A configured data folder and the program, beside a real broker and the test's server.
#pragma once

#include <gridward/device.h>
#include <gtest/gtest.h>

#include <gridward/test/mosquitto.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/test_server.hpp>
#include <nlohmann/json.hpp>
#include <random>

namespace gridward::test {

inline constexpr const char* kTown = "120116115";
inline constexpr const char* kDevice = "hh-0001";

// As scripts/run configures the broker: a device writes and reads its own topics only.
inline MosquittoOptions broker_options() {
  MosquittoOptions options;
  options.tls = true;
  options.users = {{kDevice, "device-secret"}, {"server", "server-secret"}};
  options.acl =
      "user server\ntopic readwrite gridward/1/#\n\n"
      "pattern write gridward/1/up/+/%u\npattern write gridward/1/media/+/%u\npattern read gridward/1/down/+/%u\n";
  return options;
}

class DeviceTest : public ::testing::Test {
 protected:
  static std::string program() { return test::program("device/gridward-device").string(); }

  void configure(const std::string& broker, const std::string& ca, nlohmann::json more = nlohmann::json::object()) {
    nlohmann::json config{{"broker", broker},  {"device", kDevice}, {"town", kTown},      {"password", "device-secret"},
                          {"actor", "wg0001"}, {"data_dir", "box"}, {"heartbeat_ms", -1}, {"min_free_bytes", 0}};
    if (!ca.empty()) config["ca_file"] = ca;
    config.update(more);
    write_file(config_file(), config.dump());
    const auto made = command({"init"});
    ASSERT_EQ(made.status, 0) << made.output;
    public_key_ = made.output.substr(0, 64);
  }
  std::string config_file() const { return (dir_ / "device.json").string(); }

  RunResult command(std::vector<std::string> words) {
    words.insert(words.begin(), {program(), "--lang", "en", "--config", config_file()});
    return run_command(std::move(words));
  }
  nlohmann::json status() {
    const auto result = command({"status", "--json"});
    EXPECT_EQ(result.status, 0) << result.output;
    return nlohmann::json::parse(result.output);
  }
  std::unique_ptr<Process> agent() {
    return std::make_unique<Process>(
        std::vector<std::string>{program(), "--lang", "en", "--config", config_file(), "run"}, dir_ / "agent.log");
  }
  std::string agent_log() const { return read_file(dir_ / "agent.log"); }

  // JPEG by its first bytes; the device does not look further.
  std::string photo(const std::string& name, std::size_t size, unsigned seed = 1) {
    std::string data = "\xFF\xD8\xFF\xE0";
    std::mt19937 random(seed);
    while (data.size() < size) data.push_back(static_cast<char>(random()));
    write_file(dir_ / name, data);
    return (dir_ / name).string();
  }
  Sha256 hash_of(const std::string& file) {
    const auto data = read_file(file);
    return sha256(as_bytes(data));
  }
  PublicKey key() const {
    const auto bytes = from_hex(public_key_).value();
    PublicKey result{};
    std::copy(bytes.begin(), bytes.end(), result.begin());
    return result;
  }

  TempDir dir_;
  std::string public_key_;
};

}  // namespace gridward::test
