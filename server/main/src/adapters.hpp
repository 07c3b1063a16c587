// Ports whose implementation is one call into the platform.
#pragma once

#include <chrono>
#include <gridward/app/ports.hpp>
#include <gridward/platform/crypto.hpp>
#include <memory>
#include <string>

namespace gridward::main_program {

class SystemClock final : public app::Clock {
 public:
  UnixMs now() override { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }
};

// The system's clock; in a build for tests the moved one when `file` names how far (config key test_clock_file).
Result<std::unique_ptr<app::Clock>> make_clock(const std::string& file);

class PlatformCrypto final : public app::Crypto {
 public:
  Sha256 sha256(ByteView bytes) override { return platform::sha256(bytes); }
  void random(std::span<std::uint8_t> out) override { platform::random_bytes(out); }
  bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature) override {
    return platform::verify_ed25519(key, message, signature);
  }
  std::string hash_password(std::string_view password) override { return platform::hash_password(password); }
  bool verify_password(std::string_view encoded, std::string_view password) override {
    return platform::verify_password(encoded, password);
  }
};

}  // namespace gridward::main_program
