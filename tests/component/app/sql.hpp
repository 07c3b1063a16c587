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

}  // namespace gridward::test
