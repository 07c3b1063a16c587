#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <gridward/platform/files.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/vision/photo_store.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "descriptor.hpp"

namespace gridward::vision {
namespace {

namespace fs = std::filesystem;
using platform::make_folder;
using platform::sync_folder;

constexpr mode_t kFileMode = 0640;

tl::unexpected<Error> storage_failed(std::string_view what, const fs::path& path, int error) {
  return fail(ErrorCode::storage_failed, std::string(what),
              path.string() + ": " + std::generic_category().message(error));
}

std::optional<std::uint64_t> regular_size(const fs::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace

FilePhotoStore::FilePhotoStore(fs::path root) : root_(std::move(root)) {}

Result<std::unique_ptr<FilePhotoStore>> FilePhotoStore::open(const fs::path& root) {
  auto store = beside(root);
  if (auto ready = store->prepare(); !ready) return tl::unexpected(ready.error());
  return store;
}

std::unique_ptr<FilePhotoStore> FilePhotoStore::beside(const fs::path& root) {
  return std::unique_ptr<FilePhotoStore>(new FilePhotoStore(fs::absolute(root).lexically_normal()));
}

Result<void> FilePhotoStore::prepare() {
  std::error_code error;
  fs::create_directories(root_.parent_path(), error);
  if (error) return storage_failed("mkdir", root_.parent_path(), error.value());
  for (const auto& folder : {root_, root_ / "original", root_ / "preview", root_ / "thumb", root_ / "likeness",
                             root_ / "part", root_ / "tmp"}) {
    if (auto made = make_folder(folder); !made) return made;
  }
  for (const auto& entry : fs::directory_iterator(root_ / "tmp", error)) fs::remove(entry.path(), error);
  for (const auto& entry : fs::directory_iterator(root_ / "part", error)) {
    const auto name = entry.path().filename().string();
    const auto sha = sha256_from_hex(name.substr(0, name.find('-')));
    if (sha && has_original(*sha)) fs::remove(entry.path(), error);
  }
  return platform::sync_file_system(root_);
}

std::string FilePhotoStore::path(const Sha256& sha, app::PhotoSize size) const {
  const std::string hex = to_hex(sha);
  const std::string fan = hex.substr(0, 2);
  switch (size) {
    case app::PhotoSize::original:
      return root_ / "original" / fan / hex;
    case app::PhotoSize::preview:
      return root_ / "preview" / fan / (hex + ".jpg");
    case app::PhotoSize::thumb:
      return root_ / "thumb" / fan / (hex + ".jpg");
  }
  return {};
}

fs::path FilePhotoStore::description(const Sha256& sha) const {
  const std::string hex = to_hex(sha);
  return root_ / "likeness" / hex.substr(0, 2) / hex;
}

bool FilePhotoStore::has_original(const Sha256& sha) {
  return regular_size(path(sha, app::PhotoSize::original)).has_value();
}

fs::path FilePhotoStore::part(const Sha256& sha, std::string_view device) const {
  return root_ / "part" / (to_hex(sha) + "-" + to_hex(as_bytes(device)));
}

Result<void> FilePhotoStore::write_piece(const Sha256& sha, std::string_view device, std::uint64_t size,
                                         std::uint64_t offset, ByteView data, bool first) {
  if (size == 0 || size > limits::kMediaBytes) {
    return fail(ErrorCode::media_range, "size",
                std::to_string(size) + " bytes, 1 to " + std::to_string(limits::kMediaBytes));
  }
  if (data.empty() || offset >= size || data.size() > size - offset) {
    return fail(ErrorCode::media_range, "off",
                std::to_string(data.size()) + " bytes at " + std::to_string(offset) + " of " + std::to_string(size));
  }
  const std::scoped_lock lock(stripe_of(sha));
  const auto file = part(sha, device);
  Descriptor fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  bool created = false;
  if (!fd && errno == ENOENT) {
    // In a new file the pieces that came before would be holes, and nobody would know before the hash is wrong.
    if (!first) return fail(ErrorCode::not_found, "off", "the pieces before it are gone");
    fd = Descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kFileMode));
    created = true;
  }
  if (!fd) return storage_failed("open", file, errno);
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t put = ::pwrite(fd.get(), data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return storage_failed("write", file, put < 0 ? errno : EIO);
    done += static_cast<std::size_t>(put);
  }
  if (::fdatasync(fd.get()) != 0) return storage_failed("fdatasync", file, errno);
  if (created) return sync_folder(root_ / "part");
  return {};
}

Result<void> FilePhotoStore::seal(const Sha256& sha, std::string_view device, std::uint64_t size) {
  // A piece that came between hashing and renaming would change what was hashed.
  const std::scoped_lock lock(stripe_of(sha));
  const fs::path original = path(sha, app::PhotoSize::original);
  const auto file = part(sha, device);
  const auto present = regular_size(file);
  if (!present) return fail(ErrorCode::media_range, "size", "no piece has come");
  if (*present < size) {
    return fail(ErrorCode::media_range, "size", std::to_string(*present) + " of " + std::to_string(size) + " bytes");
  }
  const auto read = platform::hash_file(file);
  if (!read) return tl::unexpected(read.error());
  const bool right = *present == size && read->sha256 == sha;
  if (!right || regular_size(original) == size) {
    // From another device, or from an earlier try whose sync after the move failed.
    if (right) {
      if (auto synced = sync_folder(original.parent_path()); !synced) return synced;
    }
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return storage_failed("unlink", file, errno);
    if (right) return {};
    return fail(ErrorCode::media_hash_mismatch, "sha256", "the pieces are " + to_hex(read->sha256));
  }
  if (auto synced = platform::sync_file(file); !synced) return synced;
  if (auto moved = move_durably(file, original); !moved) return moved;
  return sync_folder(root_ / "part");
}

Result<void> FilePhotoStore::move_durably(const fs::path& from, const fs::path& to) const {
  if (auto made = make_folder(to.parent_path()); !made) return made;
  return platform::move_file(from, to);
}

FilePhotoStore::Draft FilePhotoStore::draft(const Sha256& sha) {
  const std::string name = to_hex(sha) + "-" + std::to_string(drafts_.fetch_add(1, std::memory_order_relaxed));
  return {root_ / "tmp" / (name + ".preview"), root_ / "tmp" / (name + ".thumb"), root_ / "tmp" / (name + ".likeness")};
}

Result<void> FilePhotoStore::publish(const Sha256& sha, const Draft& draft) {
  const std::scoped_lock lock(stripe_of(sha));
  auto done = move_durably(draft.description, description(sha));
  if (done) done = move_durably(draft.preview, path(sha, app::PhotoSize::preview));
  if (done) done = move_durably(draft.thumb, path(sha, app::PhotoSize::thumb));
  if (!done) {
    ::unlink(draft.preview.c_str());
    ::unlink(draft.thumb.c_str());
    ::unlink(draft.description.c_str());
  }
  return done;
}

}  // namespace gridward::vision
