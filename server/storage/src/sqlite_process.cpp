#include "sqlite_process.hpp"

// Not together with soci-sqlite3.h: both bring SQLite's names, one of them in a namespace.
#include <sqlite3.h>

namespace gridward::storage {

void set_up_sqlite() {
  static const bool done = [] {
    ::sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace gridward::storage
