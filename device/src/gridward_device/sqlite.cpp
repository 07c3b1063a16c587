#include <cerrno>
#include <gridward_device/sqlite.hpp>

namespace gridward::device {
namespace {

// SQLite says FULL where a write finds no room, but IOERR where its index file cannot grow.
bool no_room(sqlite3* db, int code) {
  if ((code & 0xFF) != SQLITE_IOERR || db == nullptr) return false;
  const int why = sqlite3_system_errno(db);
  return why == ENOSPC || why == EDQUOT;
}

[[noreturn]] void raise(sqlite3* db, int code, const char* doing) {
  if (no_room(db, code)) throw StorageError(SQLITE_FULL, std::string(doing) + ": " + sqlite3_errstr(SQLITE_FULL));
  throw StorageError(code, std::string(doing) + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
}

}  // namespace

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  statement_.reset(raw);
  if (code != SQLITE_OK) raise(db, code, "prepare");
}

Statement& Statement::bind(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_.get(), index, value); code != SQLITE_OK) raise(db_, code, "bind");
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL, an empty view may have one.
  const char* data = text.data() != nullptr ? text.data() : "";
  const int code = sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) raise(db_, code, "bind");
  return *this;
}

Statement& Statement::bind(int index, ByteView blob) {
  static constexpr char kEmpty = 0;
  const void* data = blob.data() != nullptr ? static_cast<const void*>(blob.data()) : &kEmpty;
  const int code = sqlite3_bind_blob64(statement_.get(), index, data, blob.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) raise(db_, code, "bind");
  return *this;
}

Statement& Statement::bind_null(int index) {
  if (const int code = sqlite3_bind_null(statement_.get(), index); code != SQLITE_OK) raise(db_, code, "bind");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  raise(db_, code, "step");
}

void Statement::run() {
  while (step()) {
  }
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* data = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Bytes Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return {data, data + size};
}

bool Statement::null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

Database::Database(const std::filesystem::path& file, bool create, int busy_ms) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  db_.reset(raw);
  if (code != SQLITE_OK) raise(raw, code, "open");
  sqlite3_extended_result_codes(raw, 0);
  sqlite3_busy_timeout(raw, busy_ms);
}

void Database::exec(const char* sql) {
  if (const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) {
    raise(db_.get(), code, "exec");
  }
}

void Database::keep_wal() {
  int on = 1;
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Transaction::Transaction(Database& db) : db_(db) { db_.exec("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (!open_) return;
  try {
    db_.exec("ROLLBACK");
  } catch (const StorageError&) {
    // SQLite rolled back by itself already (disk full, I/O error).
  }
}

void Transaction::commit() {
  db_.exec("COMMIT");
  open_ = false;
}

}  // namespace gridward::device
