// What the use cases need from outside. Implementations: storage/, vision/, platform/, transport/; put together in
// main/.
#pragma once

#include <array>
#include <functional>
#include <gridward/domain/case.hpp>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/shared/time.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gridward::app {

// All thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMs now() = 0;
};

class Crypto {
 public:
  virtual ~Crypto() = default;
  virtual Sha256 sha256(ByteView bytes) = 0;
  virtual void random(std::span<std::uint8_t> out) = 0;
  virtual bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature) = 0;
  virtual std::string hash_password(std::string_view password) = 0;  // argon2id, the encoded form; slow on purpose
  virtual bool verify_password(std::string_view encoded, std::string_view password) = 0;
};

// Sends to a device, after the commit. Never blocks, never throws; what it cannot send is sent again later (down items)
// or asked for again by the device (receipts).
class DevicePublisher {
 public:
  virtual ~DevicePublisher() = default;
  virtual void send(const std::string& town, const std::string& device, const DownMessage& message) = 0;
};

// Tells open pages that something changed; they fetch what they may see.
struct LiveEvent {
  std::string kind;      // "case", "duty", "photo", "device"
  std::string id;        // case id, member login, case id, device id; never a photo's hash, for many hear it
  std::string org_path;  // only sessions whose subtree holds it are told
  std::uint64_t version = 0;
};
class LivePublisher {
 public:
  virtual ~LivePublisher() = default;
  virtual void publish(const LiveEvent& event) = 0;
};

// The files of photos. Errors: media_range, media_hash_mismatch, storage_failed.
enum class PhotoSize { original, preview, thumb };
class PhotoStore {
 public:
  virtual ~PhotoStore() = default;
  // Each device's pieces are kept apart, so that nobody can spoil, or finish, what another sends. Returns after the
  // bytes are on the disk (fdatasync). first: no other piece is counted on; without it, not_found when those that came
  // before are gone.
  virtual Result<void> write_piece(const Sha256& sha, std::string_view device, std::uint64_t size, std::uint64_t offset,
                                   ByteView data, bool first) = 0;
  // Checks size and hash of this device's pieces; then they are the original, or go when it is there. File and folders
  // are fsynced. media_range: pieces are missing, also when a seal before was not heard of.
  virtual Result<void> seal(const Sha256& sha, std::string_view device, std::uint64_t size) = 0;
  virtual bool has_original(const Sha256& sha) = 0;
  virtual std::string path(const Sha256& sha, PhotoSize size) const = 0;
};

struct PhotoNumbers {
  std::uint32_t width = 0;  // upright, pixels
  std::uint32_t height = 0;
  std::uint8_t orientation = 1;  // EXIF 1..8 of the original
  bool truncated = false;
  double sharpness = 0;        // variance of the Laplacian of the preview's luma
  double brightness = 0;       // mean luma, 0..255
  std::uint64_t likeness = 0;  // perceptual hash
};
class PhotoDeriver {
 public:
  virtual ~PhotoDeriver() = default;
  // Makes preview, thumbnail and what a PhotoComparer reads beside the original and returns when all are on the disk.
  // Errors: media_type, media_dimensions, media_undecodable, media_limits: final for this photo. unavailable: try
  // again.
  virtual Result<PhotoNumbers> derive(const Sha256& sha) = 0;
};

struct PhotoLikeness {
  std::uint32_t place = 0;  // 0..1000: how much of one place both show
  std::uint32_t copy = 0;  // 0..1000: how much of the later one is the very picture of the earlier one, or a part of it
  bool judged = false;     // false: one of them shows too little to say anything of places
};
// Of photos that were derived. Errors: not_found (not derived, or by a program of before), storage_failed.
class PhotoComparer {
 public:
  virtual ~PhotoComparer() = default;
  // Under which it is looked for: a copy of a photo shares some of its keys. None negative; a hundred at most.
  virtual Result<std::vector<std::int64_t>> keys(const Sha256& sha) = 0;
  virtual Result<PhotoLikeness> compare(const Sha256& earlier, const Sha256& later) = 0;
};

}  // namespace gridward::app
