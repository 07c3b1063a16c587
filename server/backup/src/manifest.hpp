// What a backup's folder holds: gridward.db, photos/ab/<sha256> and this list of them, MANIFEST, which is written last.
// A folder without it is no backup.
#pragma once

#include <filesystem>
#include <gridward/platform/files.hpp>
#include <string>
#include <vector>

namespace gridward::backup {

inline constexpr const char* kManifest = "MANIFEST";
inline constexpr const char* kDatabase = "gridward.db";

struct Photo {
  Sha256 sha256{};
  std::uint64_t size = 0;
};
struct Manifest {
  platform::FileHash database;
  std::vector<Photo> photos;
  std::vector<Sha256> missing;  // sealed in the database, not here
};

std::filesystem::path photo_path(const std::filesystem::path& folder, const Sha256& sha);
Result<void> write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
// Errors: not_found, malformed, storage_failed.
Result<Manifest> read_manifest(const std::filesystem::path& folder);

}  // namespace gridward::backup
