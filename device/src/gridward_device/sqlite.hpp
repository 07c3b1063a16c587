// A thin skin over SQLite's C API. Failures are StorageError: what was begun did not happen.
// Not thread-safe.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <gridward/shared/bytes.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gridward::device {

struct StorageError : std::runtime_error {
  StorageError(int sqlite_code, const std::string& what) : std::runtime_error(what), code(sqlite_code) {}
  int code;  // SQLITE_FULL: the disk is full
  // Not for a full disk, a card that was pulled or a lock; the file itself is none of ours.
  bool lasting() const { return code == SQLITE_CORRUPT || code == SQLITE_NOTADB; }
};

class Statement {
 public:
  Statement(sqlite3* db, std::string_view sql);

  // Parameters count from 1. Text and blobs are not copied: they must live until the last step.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, ByteView blob);
  Statement& bind_null(int index);

  bool step();  // true: a row is there
  void run();   // to the end

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  Bytes blob(int column) const;
  bool null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // Waits up to busy_ms for another process's write.
  Database(const std::filesystem::path& file, bool create, int busy_ms);
  Statement prepare(std::string_view sql) { return {db_.get(), sql}; }
  void exec(const char* sql);
  // The last process to leave neither checkpoints nor removes the WAL.
  void keep_wal();
  std::int64_t changes() const { return sqlite3_changes64(db_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

// BEGIN IMMEDIATE: the write lock is taken at once, so a transaction that has begun does not fail for being late.
// Rolls back unless commit() was reached.
class Transaction {
 public:
  explicit Transaction(Database& db);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& db_;
  bool open_ = true;
};

}  // namespace gridward::device
