// Copies of what must not be lost, and the way back. What a backup holds is told to the handhelds as `safe`: they
// forget a record and its files only then (docs/protocol.md, section 5), so a copy is told of only when it is on the
// disk. docs/operations.md is the operator's page. Not thread-safe; every function blocks on the disk for long.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <gridward/app/ports.hpp>
#include <gridward/app/store.hpp>
#include <gridward/storage/store.hpp>
#include <string>
#include <vector>

namespace gridward::backup {

struct Made {
  std::filesystem::path folder;
  std::size_t photos = 0;
  std::size_t linked = 0;       // of them, those that an earlier backup beside had: not copied again
  std::vector<Sha256> missing;  // sealed in the database, and gone or damaged on the disk
};
// Makes dir/<UTC time>, also while a server runs: the SQLite database, and the originals of the photos that this copy
// of the database calls sealed. Then it raises backup_reach in the store. An earlier run that was cut off is removed.
// Errors: unavailable (PostgreSQL, or another backup into this folder is under way), storage_failed.
Result<Made> make(storage::StoreWithControl& store, const app::PhotoStore& photos, const std::filesystem::path& dir,
                  UnixMs now);

struct Checked {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> damaged;  // names in the backup, with what is wrong
};
// Reads the whole backup against its manifest. Errors: not_found (no whole backup), malformed (the manifest),
// storage_failed.
Result<Checked> verify(const std::filesystem::path& folder);

struct Settled {
  std::size_t derive_again = 0;  // photos whose smaller sizes are made again
  std::vector<Sha256> missing;   // no longer here: handhelds that still have them send them again
};
// For a database that came back from a backup, before a server runs on it: looks which originals are here, gives the
// store another generation, and says how far it reaches. All in one transaction.
Result<Settled> settle(storage::StoreWithControl& store, app::PhotoStore& photos);

struct RestoreOptions {
  std::filesystem::path data_dir;
  // Goes on without photos that are damaged in the backup. A damaged database is always refused.
  bool skip_damaged = false;
};
// Brings a backup to data_dir/gridward.db and `photos`, and settles it. The database comes to its place last, so until
// then there is none; a run that was cut off is taken up again by the next. Errors: already_exists (there is a
// database), not_found, malformed, storage_failed (field: the damaged file).
Result<Settled> restore(const std::filesystem::path& folder, app::PhotoStore& photos, const RestoreOptions& options);
// Where a restore that was cut off has left its work; then no server may begin a database there.
std::filesystem::path restore_folder(const std::filesystem::path& data_dir);

// For copies that somebody else's tools make (PostgreSQL). mark writes down how far the store reaches now; what is
// copied afterwards holds at least that; confirm raises backup_reach by it. Errors: already_exists, not_found,
// malformed, version_conflict (the store was restored since), storage_failed.
Result<void> mark(storage::StoreWithControl& store, app::PhotoStore& photos, const std::filesystem::path& file);
Result<std::size_t> confirm(storage::StoreWithControl& store, const std::filesystem::path& file);  // streams

}  // namespace gridward::backup
