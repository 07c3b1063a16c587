// The store of app/store.hpp on SQLite or PostgreSQL. What the tables mean and what is promised: ../../../README.md.
#pragma once

#include <cstddef>
#include <functional>
#include <gridward/app/store.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace gridward::storage {

struct StoreOptions {
  // "sqlite:///var/lib/gridward/gridward.db" (an absolute path; the file is made when it is missing) or
  // "postgresql://user:password@host/database" (UTF-8; anything libpq takes behind the scheme).
  std::string url{};
  std::size_t queue_limit = 8192;  // units waiting; then submit says busy
  // What units may hold in memory until their `done`, by their own account; then submit says busy. One alone is always
  // taken.
  std::size_t queue_bytes = 64 * 1024 * 1024;
  std::size_t batch_limit = 256;  // units in one transaction
  std::size_t readers = 4;        // connections for read()
  bool commit_each = false;       // one transaction a unit; only to show what the commit queue is worth
  // Told of lost and regained databases and of callbacks that threw. Any thread; must not throw.
  std::function<void(std::string_view)> log{};
};

struct StoreCounters {
  std::size_t waiting = 0;  // units in the queue now
  std::size_t bytes = 0;    // of those, and of the ones that are being committed
  std::uint64_t units = 0;  // since the start: units committed
  std::uint64_t failed = 0;
  std::uint64_t commits = 0;
};

// Thread-safe, but for stop() and the destructor.
class StoreWithControl : public app::Store {
 public:
  // Takes no more (submit and read say unavailable), commits what is waiting, calls its `done`s, and returns. The
  // destructor does the same. Not on the writer's thread.
  virtual void stop() = 0;
  virtual StoreCounters counters() const = 0;
  // Every case's chain, and that its row is the replay of its events. Gives the number of cases. Error: storage_failed
  // with the field "case_events" or "cases" and the first broken event or row in the detail.
  virtual Result<std::size_t> verify_case_chains() = 0;
  // A consistent copy of the database while it is in use, into a new file, itself synced. A failure may leave a piece
  // of it. Errors: storage_failed; already_exists; unavailable on PostgreSQL, which has its own tools.
  virtual Result<void> snapshot(const std::string& path) = 0;
};

// Opens, migrates to the newest version, and starts the writer. Errors: config_invalid (the url), newer_database,
// storage_failed.
Result<std::unique_ptr<StoreWithControl>> open_store(StoreOptions options);

}  // namespace gridward::storage
