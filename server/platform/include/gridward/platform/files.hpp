// Files that must outlive a power cut. A file is durable when itself and the folder that names it were synced: each
// function says which of the two it does. Thread-safe. Error: storage_failed, with what was tried and the path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/error.hpp>
#include <string_view>

namespace gridward::platform {

Result<void> sync_file(const std::filesystem::path& path);
Result<void> sync_folder(const std::filesystem::path& path);
// Everything on the file system that the folder lies on, the names of the folders above it included. What a process
// that was killed had written is seen by the next one and need not be on the disk: for the moments before it is built
// on.
Result<void> sync_file_system(const std::filesystem::path& folder);
// Makes one folder and syncs the one above it; the same again is ok. `mode` as in mkdir(2). Not the same folder by two
// threads at a time: the second would build on what the first has not synced yet.
Result<void> make_folder(const std::filesystem::path& path, unsigned mode = 0750);

struct FileHash {
  Sha256 sha256{};
  std::uint64_t size = 0;  // bytes
  bool operator==(const FileHash&) const = default;
};
Result<FileHash> hash_file(const std::filesystem::path& path);
// A new file with the same bytes, itself synced. Gives what was read, so that a copy can be checked on its way.
// Error too: already_exists.
Result<FileHash> copy_file(const std::filesystem::path& from, const std::filesystem::path& to);
// A new file, itself synced. Error too: already_exists.
Result<void> write_new_file(const std::filesystem::path& path, std::string_view text);
// Within one file system; the folder it goes to is synced.
Result<void> move_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace gridward::platform
