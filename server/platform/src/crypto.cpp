#include <openssl/evp.h>
#include <sodium.h>

#include <gridward/platform/crypto.hpp>
#include <stdexcept>

namespace gridward::platform {
namespace {

void need_sodium() {
  static const int ready = ::sodium_init();
  if (ready < 0) throw std::runtime_error("libsodium does not start");
}

// Fetched once: EVP_sha256() would be looked up again for every hash in OpenSSL 3.
const EVP_MD* sha256_algorithm() {
  static EVP_MD* const algorithm = ::EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (algorithm == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
  return algorithm;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context make_context() {
  Context context(::EVP_MD_CTX_new());
  if (!context) throw std::runtime_error("OpenSSL gives no digest context");
  return context;
}

void must(int openssl_result) {
  if (openssl_result != 1) throw std::runtime_error("OpenSSL digest failed");
}

}  // namespace

Sha256 sha256(ByteView bytes) {
  thread_local const Context context = make_context();
  Sha256 out{};
  must(::EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr));
  must(::EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()));
  must(::EVP_DigestFinal_ex(context.get(), out.data(), nullptr));
  return out;
}

struct Sha256Stream::Impl {
  Context context = make_context();
};

Sha256Stream::Sha256Stream() : impl_(std::make_unique<Impl>()) {
  must(::EVP_DigestInit_ex2(impl_->context.get(), sha256_algorithm(), nullptr));
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::update(ByteView bytes) {
  must(::EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()));
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  must(::EVP_DigestFinal_ex(impl_->context.get(), out.data(), nullptr));
  must(::EVP_DigestInit_ex2(impl_->context.get(), sha256_algorithm(), nullptr));
  return out;
}

void random_bytes(std::span<std::uint8_t> out) {
  need_sodium();
  ::randombytes_buf(out.data(), out.size());
}

KeyPair make_ed25519_keys() {
  need_sodium();
  KeyPair keys;
  ::crypto_sign_keypair(keys.public_key.data(), keys.secret_key.data());
  return keys;
}

KeyPair ed25519_keys_from_seed(const std::array<std::uint8_t, 32>& seed) {
  need_sodium();
  KeyPair keys;
  ::crypto_sign_seed_keypair(keys.public_key.data(), keys.secret_key.data(), seed.data());
  return keys;
}

Signature sign_ed25519(const SecretKey& key, ByteView message) {
  need_sodium();
  Signature signature{};
  ::crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), key.data());
  return signature;
}

bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature) {
  need_sodium();
  return ::crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.data()) == 0;
}

std::string hash_password(std::string_view password) {
  need_sodium();
  std::array<char, crypto_pwhash_STRBYTES> encoded{};
  if (::crypto_pwhash_str_alg(encoded.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::runtime_error("no memory for a password hash");
  }
  return std::string(encoded.data());
}

bool verify_password(std::string_view encoded, std::string_view password) {
  need_sodium();
  // libsodium reads a fixed-size C string, and a NUL inside would cut it short unseen.
  if (encoded.size() >= crypto_pwhash_STRBYTES || encoded.find('\0') != std::string_view::npos) return false;
  const std::string text(encoded);
  return ::crypto_pwhash_str_verify(text.c_str(), password.data(), password.size()) == 0;
}

}  // namespace gridward::platform
