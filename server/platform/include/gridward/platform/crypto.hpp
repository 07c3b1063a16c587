// Hashes, random bytes, signatures and password hashes. Thread-safe. Throws std::runtime_error only when the machine's
// crypto library or random source does not work.
#pragma once

#include <array>
#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gridward::platform {

Sha256 sha256(ByteView bytes);

// For what does not fit in memory at once. One thread.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(ByteView bytes);
  Sha256 finish();  // then it can start again

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void random_bytes(std::span<std::uint8_t> out);

// Ed25519 as libsodium keeps it: the secret key is the 32-byte seed followed by the public key.
using SecretKey = std::array<std::uint8_t, 64>;
struct KeyPair {
  PublicKey public_key{};
  SecretKey secret_key{};
};
KeyPair make_ed25519_keys();
KeyPair ed25519_keys_from_seed(const std::array<std::uint8_t, 32>& seed);
Signature sign_ed25519(const SecretKey& key, ByteView message);
bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature);

// argon2id in its encoded form ("$argon2id$v=19$…"). Slow on purpose: tens of milliseconds and 64 MiB each.
std::string hash_password(std::string_view password);
bool verify_password(std::string_view encoded, std::string_view password);

}  // namespace gridward::platform
