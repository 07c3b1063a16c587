// Photos as files: part/<sha256>-<device in hex> while pieces arrive, original/ab/<sha256> once sealed, preview/ and
// thumb/ and likeness/ beside it, tmp/ for what is being made. Whatever a call has returned survives power loss.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <gridward/app/ports.hpp>
#include <memory>
#include <mutex>

namespace gridward::vision {

// Thread-safe. Names are hex digits, never a text of a request.
class FilePhotoStore final : public app::PhotoStore {
 public:
  // Makes the folders, empties tmp/ and removes parts whose original is sealed: most are left from a stop between the
  // seal and its commit, and the few others come again. Syncs the whole file system once, so that nothing is built on
  // what a killed process had not synced. Error: storage_failed.
  static Result<std::unique_ptr<FilePhotoStore>> open(const std::filesystem::path& root);
  // For a tool that looks while a server runs: makes and removes nothing.
  static std::unique_ptr<FilePhotoStore> beside(const std::filesystem::path& root);

  // Errors: media_range (empty, outside `size`, or `size` over limits::kMediaBytes), not_found (pieces came before this
  // one and are gone), storage_failed.
  Result<void> write_piece(const Sha256& sha, std::string_view device, std::uint64_t size, std::uint64_t offset,
                           ByteView data, bool first) override;
  // Errors: media_range (pieces are missing; the part stays), media_hash_mismatch (the part is removed, all pieces must
  // come again), storage_failed.
  Result<void> seal(const Sha256& sha, std::string_view device, std::uint64_t size) override;
  bool has_original(const Sha256& sha) override;
  std::string path(const Sha256& sha, app::PhotoSize size) const override;
  std::filesystem::path description(const Sha256& sha) const;  // what photo_description.hpp reads

  // Where the derivatives of one run are made. Each call gives other names.
  struct Draft {
    std::filesystem::path preview;
    std::filesystem::path thumb;
    std::filesystem::path description;
  };
  Draft draft(const Sha256& sha);
  // Moves a draft, its contents already on the disk, to its place. Error: storage_failed.
  Result<void> publish(const Sha256& sha, const Draft& draft);

 private:
  explicit FilePhotoStore(std::filesystem::path root);
  Result<void> prepare();
  std::mutex& stripe_of(const Sha256& sha) { return stripes_[sha[0] % stripes_.size()]; }
  std::filesystem::path part(const Sha256& sha, std::string_view device) const;
  Result<void> move_durably(const std::filesystem::path& from, const std::filesystem::path& to) const;

  std::filesystem::path root_;
  std::atomic<std::uint64_t> drafts_{0};
  std::array<std::mutex, 16> stripes_;  // by the photo's first byte, so that one folder has one thread at a time
};

}  // namespace gridward::vision
