#pragma once

namespace gridward::storage {

// Once, before the first connection of the process: each connection is used by one thread at a time, so SQLite need not
// lock it, and it need not count its memory under a lock of all threads. Too late is no error, only slower.
void set_up_sqlite();

}  // namespace gridward::storage
