// The log in shared memory that the recorder (a preloaded library) writes and the tests read. Nothing here allocates or
// throws: it is compiled into every program under test.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>

namespace gridward::powerloss {

enum class OpKind : std::uint16_t {
  create,    // folder, name, file: a new empty file
  mkdir,     // folder, name, file: a new empty folder
  write,     // file, offset, data
  truncate,  // file, offset: the new size
  rename,    // folder, name, folder2, name2, file
  link,      // folder2, name2, file
  unlink,    // folder, name: also of a folder
  unseen,    // file: somebody may write to it from now on who is not recorded
  sync,      // file: fsync or fdatasync, of a file or a folder
  sync_all,  // sync or syncfs
  sent,      // file: the socket, data: what the kernel took
  said,      // data: what reached the standard output
  mark,      // name: a word of the test's own
};

// Numbers of files are the kernel's (inode), so one may come again when its file is gone.
struct EntryHead {
  std::uint32_t bytes;  // of the whole entry, a multiple of 8
  OpKind kind;
  std::uint16_t name_bytes;
  std::int32_t pid;
  std::uint16_t name2_bytes;
  std::uint16_t unused;
  std::uint64_t file;
  std::uint64_t folder;
  std::uint64_t folder2;
  std::uint64_t offset;
  std::uint64_t data_bytes;
  // then name, name2, data
};

inline constexpr std::uint64_t kLogMagic = 0x67772d706f776572;
inline constexpr std::uint64_t kLogEntries = 8192;  // where they begin
inline constexpr std::uint64_t kNever = UINT64_MAX;
inline constexpr unsigned kSlowSyncUs = 20'000;
inline constexpr const char* kLogVariable = "GRIDWARD_POWERLOSS_LOG";
// Nothing is recorded, and a sync does nothing: for a program that only looks at what the model has put on the disk.
inline constexpr const char* kNoSyncVariable = "GRIDWARD_POWERLOSS_NO_SYNC";

struct LogHeader {
  std::uint64_t magic;
  std::uint64_t capacity;  // bytes of the log file
  // Shared between processes and robust: who holds it does the operation and writes its entry.
  pthread_mutex_t lock;
  std::uint64_t used;   // bytes of entries
  std::uint64_t count;  // entries
  // The process that is about to do operation number kill_at (from 0) is killed instead, and nobody else; or everybody
  // who is about to do it or a later one, as by a power cut.
  std::uint64_t kill_at;
  std::int32_t killed;
  std::int32_t died_at_will;  // the lock's last owner was killed between two entries, as asked
  std::uint32_t kill_everybody;
  // So is the process that is about to sync for the syncs_left-th time (from 0), counted over all of them.
  std::uint64_t syncs_left;
  // A slow disk: a sync of a path that ends with this waits for kSlowSyncUs before it begins.
  char slow_sync[128];
  // A planted fault: a sync of a path that ends with this does nothing and says that it did.
  char skip_sync[128];
  // Another: the next sync of a path that ends with this fails, and then no more.
  char fail_sync[128];
  char root[1024];    // the folder, canonical
  char problem[512];  // what the recorder could not follow; empty: nothing
};
static_assert(sizeof(LogHeader) <= kLogEntries);

}  // namespace gridward::powerloss
