// Straight from the database file: what the store's interface does not tell.
#pragma once

#include <sqlite3.h>

#include <gridward/test/server_world.hpp>
#include <string>

namespace gridward::test {

// The first column of the first row; "?" when there is no row, the message when the statement is wrong.
inline std::string sql_text(const ServerWorld& world, const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_open_v2((world.dir / "world.db").c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
  sqlite3_stmt* statement = nullptr;
  std::string out = "?";
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK) {
    if (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* text = sqlite3_column_text(statement, 0);
      out = text == nullptr ? "" : reinterpret_cast<const char*>(text);
    }
  } else {
    out = sqlite3_errmsg(db);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return out;
}

// Changes it behind the store's back, as another process would.
inline void sql_do(const ServerWorld& world, const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_open_v2((world.dir / "world.db").c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
  sqlite3_busy_timeout(db, 10'000);
  char* problem = nullptr;
  const int result = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &problem);
  const std::string text = problem == nullptr ? "" : problem;
  sqlite3_free(problem);
  sqlite3_close(db);
  if (result != SQLITE_OK) throw std::runtime_error(sql + ": " + text);
}

}  // namespace gridward::test
