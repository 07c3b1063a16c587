#include <gridward/backup/backup.hpp>
#include <gridward/platform/crypto.hpp>

#include "manifest.hpp"

namespace gridward::backup {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFolderMode = 0700;
constexpr std::size_t kPhotosAtOnce = 1000;

tl::unexpected<Error> damaged(const fs::path& file) {
  return fail(ErrorCode::storage_failed, file.string(),
              "damaged in the backup: its contents are not what the manifest says");
}

// Its folder, and those above it below `root`, made where they are missing.
Result<void> make_folders(const fs::path& root, const fs::path& folder) {
  fs::path at = root;
  for (const auto& part : folder.lexically_relative(root)) {
    at /= part;
    if (auto made = platform::make_folder(at); !made) return made;
  }
  return {};
}

// True: the photo is in its place. False: it is damaged in the backup.
Result<bool> bring_photo(const fs::path& from, const fs::path& data_dir, const fs::path& to,
                         const platform::FileHash& expected) {
  std::error_code error;
  if (fs::exists(to, error)) {
    // Photos that outlived the database, or a restore that was cut off.
    const auto there = platform::hash_file(to);
    if (there && *there == expected) return true;
    fs::remove(to, error);
  }
  if (!fs::exists(from, error)) return false;
  if (auto made = make_folders(data_dir, to.parent_path()); !made) return tl::unexpected(made.error());
  const fs::path unfinished = to.string() + ".part";
  fs::remove(unfinished, error);
  const auto copied = platform::copy_file(from, unfinished);
  if (!copied) return tl::unexpected(copied.error());
  if (*copied != expected) {
    fs::remove(unfinished, error);
    return false;
  }
  if (auto moved = platform::move_file(unfinished, to); !moved) return tl::unexpected(moved.error());
  return true;
}

}  // namespace

fs::path restore_folder(const fs::path& data_dir) { return data_dir / "restore.part"; }

Result<Settled> settle(storage::StoreWithControl& store, app::PhotoStore& photos) {
  Settled settled;
  std::error_code error;
  const auto written = store.write([&](app::Tx& tx) -> Result<void> {
    settled = {};
    Sha256 after{};
    for (auto rows = tx.sealed_media(after, kPhotosAtOnce); !rows.empty();
         rows = tx.sealed_media(after, kPhotosAtOnce)) {
      after = rows.back().sha256;
      for (auto& row : rows) {
        if (!photos.has_original(row.sha256)) {
          tx.lose_original(row.sha256);
          settled.missing.push_back(row.sha256);
          continue;
        }
        if (row.status == app::MediaStatus::refused) continue;
        if (row.status == app::MediaStatus::derived) {
          if (fs::exists(photos.path(row.sha256, app::PhotoSize::preview), error) &&
              fs::exists(photos.path(row.sha256, app::PhotoSize::thumb), error)) {
            continue;
          }
          row.status = app::MediaStatus::sealed;
          tx.update_media(row);
        }
        tx.add_photo_job(row.sha256);
        ++settled.derive_again;
      }
    }
    tx.forget_pieces();
    Uuid generation;
    platform::random_bytes(generation.bytes);
    tx.begin_generation(generation, tx.reach({}));
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  return settled;
}

Result<Settled> restore(const fs::path& given, app::PhotoStore& photos, const RestoreOptions& options) {
  const auto folder = fs::absolute(given).lexically_normal();
  const auto data_dir = fs::absolute(options.data_dir).lexically_normal();
  const auto database = data_dir / kDatabase;
  std::error_code error;
  // A log without its database would be taken for the new one's.
  for (const char* end : {"", "-wal", "-shm", "-journal"}) {
    if (fs::exists(database.string() + end, error)) {
      return fail(ErrorCode::already_exists, database.string() + end,
                  "a restore never writes over a database: stop the server and move the folder away first");
    }
  }
  const auto manifest = read_manifest(folder);
  if (!manifest) return tl::unexpected(manifest.error());
  const auto unfinished = restore_folder(data_dir);
  if (fs::create_directories(data_dir.parent_path(), error); error) {
    return fail(ErrorCode::storage_failed, "mkdir", data_dir.parent_path().string() + ": " + error.message());
  }
  if (auto made = platform::make_folder(data_dir, kFolderMode); !made) return tl::unexpected(made.error());
  if (fs::remove_all(unfinished, error); error) {
    return fail(ErrorCode::storage_failed, "remove", unfinished.string() + ": " + error.message());
  }
  if (auto made = platform::make_folder(unfinished, kFolderMode); !made) return tl::unexpected(made.error());

  const auto copied = platform::copy_file(folder / kDatabase, unfinished / kDatabase);
  if (!copied) return tl::unexpected(copied.error());
  if (*copied != manifest->database) return damaged(folder / kDatabase);
  for (const auto& photo : manifest->photos) {
    const auto from = photo_path(folder, photo.sha256);
    const auto done =
        bring_photo(from, data_dir, photos.path(photo.sha256, app::PhotoSize::original), {photo.sha256, photo.size});
    if (!done) return tl::unexpected(done.error());
    if (!*done && !options.skip_damaged) return damaged(from);
  }
  // The disk did not have them right when the backup was made, and may be the same disk.
  for (const auto& sha : manifest->missing) {
    const fs::path there = photos.path(sha, app::PhotoSize::original);
    const auto hash = fs::exists(there, error) ? platform::hash_file(there) : Result<platform::FileHash>{};
    if (!hash || hash->sha256 != sha) fs::remove(there, error);
  }
  Result<Settled> settled;
  {
    auto store = storage::open_store({.url = "sqlite://" + (unfinished / kDatabase).string(), .readers = 1});
    if (!store) return tl::unexpected(store.error());
    settled = settle(**store, photos);
    if (!settled) return settled;
  }
  if (fs::exists((unfinished / kDatabase).string() + "-wal")) {
    return fail(ErrorCode::storage_failed, "database", "the copy could not be closed");
  }
  // With the photos, which an earlier run that was killed may have brought: the database says that they are here.
  if (auto synced = platform::sync_file_system(data_dir); !synced) return tl::unexpected(synced.error());
  if (auto moved = platform::move_file(unfinished / kDatabase, database); !moved) {
    return tl::unexpected(moved.error());
  }
  fs::remove_all(unfinished, error);
  return settled;
}

}  // namespace gridward::backup
