#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <gridward/backup/backup.hpp>
#include <set>

#include "manifest.hpp"

namespace gridward::backup {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFolderMode = 0700;  // personal data lies here
constexpr std::size_t kPhotosAtOnce = 1000;
constexpr std::string_view kUnfinished = ".part";

tl::unexpected<Error> cannot(std::string_view what, const fs::path& path, const std::error_code& error) {
  return fail(ErrorCode::storage_failed, std::string(what), path.string() + ": " + error.message());
}

// One backup at a time into a folder: the second would take the first one's work for something left behind.
class Lock {
 public:
  explicit Lock(const fs::path& dir) : fd_(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  ~Lock() {
    if (fd_ >= 0) ::close(fd_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  bool held() const { return held_; }

 private:
  int fd_;
  bool held_ = false;
};

std::string name_of(UnixMs at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

// Only what this program names so.
bool is_ours(std::string_view name) {
  return name.size() >= 16 && name[8] == 'T' && name[15] == 'Z' &&
         std::ranges::all_of(name.substr(0, 8), [](char c) { return c >= '0' && c <= '9'; });
}

struct Beside {
  std::vector<fs::path> whole;       // newest first
  std::vector<fs::path> unfinished;  // of a run that was cut off
};
Result<Beside> look(const fs::path& dir) {
  Beside found;
  std::error_code error;
  for (auto entry = fs::directory_iterator(dir, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (!is_ours(name)) continue;
    if (name.ends_with(kUnfinished)) {
      found.unfinished.push_back(entry->path());
    } else if (fs::exists(entry->path() / kManifest)) {
      found.whole.push_back(entry->path());
    }
  }
  if (error) return cannot("list", dir, error);
  std::ranges::sort(found.whole, std::greater<>());
  return found;
}

class Work {
 public:
  Work(fs::path folder, std::vector<fs::path> earlier, const app::PhotoStore& photos)
      : folder_(std::move(folder)), earlier_(std::move(earlier)), photos_(photos) {}

  // Gives how far the copy reaches.
  Result<std::vector<app::StreamReach>> run(storage::StoreWithControl& live, Uuid& generation) {
    if (auto made = platform::make_folder(folder_, kFolderMode); !made) return tl::unexpected(made.error());
    if (auto made = platform::make_folder(folder_ / "photos", kFolderMode); !made) return tl::unexpected(made.error());
    const auto database = folder_ / kDatabase;
    if (auto copied = live.snapshot(database.string()); !copied) return tl::unexpected(copied.error());
    std::vector<app::StreamReach> reach;
    {
      auto copy = storage::open_store({.url = "sqlite://" + database.string(), .readers = 1});
      if (!copy) return tl::unexpected(copy.error());
      if (auto taken = take_photos(**copy); !taken) return tl::unexpected(taken.error());
      const auto read = (*copy)->read([&](app::Tx& tx) -> Result<void> {
        generation = tx.generation();
        reach = tx.reach(manifest.missing);
        return {};
      });
      if (!read) return tl::unexpected(read.error());
    }
    // Opened, it had a log beside it. Closed, it is one file again, and that file is what is kept.
    if (fs::exists(database.string() + "-wal")) {
      return fail(ErrorCode::storage_failed, "database", "the copy could not be closed");
    }
    if (auto synced = platform::sync_file(database); !synced) return tl::unexpected(synced.error());
    const auto hash = platform::hash_file(database);
    if (!hash) return tl::unexpected(hash.error());
    manifest.database = *hash;
    for (const auto& fan : fans_) {
      if (auto synced = platform::sync_folder(fan); !synced) return tl::unexpected(synced.error());
    }
    if (auto written = write_manifest(folder_, manifest); !written) return tl::unexpected(written.error());
    if (auto synced = platform::sync_folder(folder_); !synced) return tl::unexpected(synced.error());
    return reach;
  }

  Manifest manifest;
  std::size_t linked = 0;

 private:
  Result<void> take_photos(app::Store& copy) {
    Sha256 after{};
    while (true) {
      std::vector<app::MediaRow> rows;
      const auto read = copy.read([&](app::Tx& tx) -> Result<void> {
        rows = tx.sealed_media(after, kPhotosAtOnce);
        return {};
      });
      if (!read) return read;
      if (rows.empty()) return {};
      for (const auto& row : rows) {
        if (auto taken = take_photo(row.sha256, row.size); !taken) return taken;
      }
      after = rows.back().sha256;
    }
  }

  Result<void> take_photo(const Sha256& sha, std::uint64_t expected_size) {
    const auto target = photo_path(folder_, sha);
    if (fans_.insert(target.parent_path()).second) {
      if (auto made = platform::make_folder(target.parent_path(), kFolderMode); !made) return made;
    }
    // Originals never change, so two backups may hold one file; not this backup and the photo store, for what damages
    // the one would damage the other.
    std::error_code error;
    for (const auto& earlier : earlier_) {
      const auto there = photo_path(earlier, sha);
      if (fs::file_size(there, error) != expected_size || error) continue;
      fs::create_hard_link(there, target, error);
      if (error) break;  // a file system without links, or no more of this one
      manifest.photos.push_back({sha, expected_size});
      ++linked;
      return {};
    }
    const fs::path original = photos_.path(sha, app::PhotoSize::original);
    if (!fs::exists(original, error)) {
      manifest.missing.push_back(sha);
      return {};
    }
    const auto copied = platform::copy_file(original, target);
    if (!copied) return tl::unexpected(copied.error());
    if (copied->sha256 == sha) {
      manifest.photos.push_back({sha, copied->size});
      return {};
    }
    manifest.missing.push_back(sha);
    if (!fs::remove(target, error) || error) return cannot("remove", target, error);
    return {};
  }

  const fs::path folder_;
  const std::vector<fs::path> earlier_;
  const app::PhotoStore& photos_;
  std::set<fs::path> fans_;
};

}  // namespace

Result<Made> make(storage::StoreWithControl& store, const app::PhotoStore& photos, const fs::path& given, UnixMs now) {
  const auto dir = fs::absolute(given).lexically_normal();
  if (auto made = platform::make_folder(dir, kFolderMode); !made) return tl::unexpected(made.error());
  const Lock lock(dir);
  if (!lock.held()) return fail(ErrorCode::unavailable, dir.string(), "another backup into this folder is under way");
  auto beside = look(dir);
  if (!beside) return tl::unexpected(beside.error());
  std::error_code error;
  for (const auto& unfinished : beside->unfinished) {
    fs::remove_all(unfinished, error);
    if (error) return cannot("remove", unfinished, error);
  }
  auto name = name_of(now);
  for (int n = 2; fs::exists(dir / name, error); ++n) name = name_of(now) + "-" + std::to_string(n);

  Made made;
  made.folder = dir / name;
  const auto unfinished = dir / (name + std::string(kUnfinished));
  Work work(unfinished, std::move(beside->whole), photos);
  Uuid generation;
  const auto reach = work.run(store, generation);
  if (!reach) {
    fs::remove_all(unfinished, error);
    return tl::unexpected(reach.error());
  }
  if (auto moved = platform::move_file(unfinished, made.folder); !moved) return tl::unexpected(moved.error());
  // What it stands on, too: this folder, or a backup beside it whose photos are linked, may be of a run that was killed
  // before it had synced them.
  if (auto synced = platform::sync_file_system(dir); !synced) return tl::unexpected(synced.error());
  made.photos = work.manifest.photos.size();
  made.linked = work.linked;
  made.missing = std::move(work.manifest.missing);
  // The copy is on the disk: from here on handhelds may forget what it holds.
  const auto told = store.write([&](app::Tx& tx) -> Result<void> {
    if (tx.generation() != generation) {
      return fail(ErrorCode::version_conflict, "generation", "the store was restored while it was copied");
    }
    tx.raise_backup_reach(*reach);
    return {};
  });
  if (!told) return tl::unexpected(told.error());
  return made;
}

Result<Checked> verify(const fs::path& folder) {
  const auto manifest = read_manifest(folder);
  if (!manifest) return tl::unexpected(manifest.error());
  Checked checked;
  const auto check = [&](const fs::path& path, const platform::FileHash& expected) -> Result<void> {
    const auto name = path.lexically_relative(folder).string();
    std::error_code error;
    ++checked.files;
    if (!fs::exists(path, error)) {
      checked.damaged.push_back(name + ": is missing");
      return {};
    }
    const auto hash = platform::hash_file(path);
    if (!hash) return tl::unexpected(hash.error());
    checked.bytes += hash->size;
    if (*hash != expected) checked.damaged.push_back(name + ": its contents are others");
    return {};
  };
  if (auto done = check(folder / kDatabase, manifest->database); !done) return tl::unexpected(done.error());
  for (const auto& photo : manifest->photos) {
    if (auto done = check(photo_path(folder, photo.sha256), {photo.sha256, photo.size}); !done) {
      return tl::unexpected(done.error());
    }
  }
  return checked;
}

}  // namespace gridward::backup
