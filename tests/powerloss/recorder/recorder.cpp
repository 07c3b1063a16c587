// Preloaded into the programs under test: every call that changes a file below one folder, every byte that leaves by a
// socket and every text on the standard output becomes an entry of one log, in the order in which they happened in all
// processes. An operation and its entry are one step under the log's lock. Syncs only become entries: what they would
// have saved is the business of the disk model, and the test does not wait for a real disk.
//
// It follows descriptors by what the kernel says they are (/proc/self/fd), so duplicated, inherited and received ones
// are followed too. What it cannot follow (a file mapped for writing, a move over the border of the folder) is noted as
// a problem, and the test fails. Whoever reads the log compares the files at the end, so that a call missed here shows.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gridward/powerloss/log_format.hpp>

namespace {

using namespace gridward::powerloss;

LogHeader* log_header = nullptr;
bool no_syncs = false;

// ---- what the kernel says of a descriptor ----

enum class Is { nothing, file, socket };

struct Where {
  Is is = Is::nothing;
  std::uint64_t number = 0;  // inode
  char path[PATH_MAX] = "";
};

bool ends_with(const char* text, const char* end) {
  const std::size_t n = std::strlen(text);
  const std::size_t m = std::strlen(end);
  return n >= m && std::memcmp(text + n - m, end, m) == 0;
}

// SQLite makes this one anew after a crash, whatever is in it.
bool is_shared_memory(const char* path) { return ends_with(path, "-shm"); }

bool below_root(const char* path) {
  const std::size_t n = std::strlen(log_header->root);
  return std::strncmp(path, log_header->root, n) == 0 && (path[n] == '/' || path[n] == 0);
}

bool name_of(int fd, char (&path)[PATH_MAX]) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long got = ::syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (got < 0) return false;
  path[got] = 0;
  constexpr const char* kGone = " (deleted)";
  if (ends_with(path, kGone)) path[static_cast<std::size_t>(got) - std::strlen(kGone)] = 0;
  return true;
}

// Of a descriptor that is nothing to us no lock is ever taken: a signal handler may write to one.
Where where(int fd) {
  Where found;
  if (log_header == nullptr || fd < 0) return found;
  const int before = errno;
  if (name_of(fd, found.path)) {
    if (std::strncmp(found.path, "socket:[", 8) == 0) {
      found.is = Is::socket;
      found.number = std::strtoull(found.path + 8, nullptr, 10);
    } else if (below_root(found.path) && !is_shared_memory(found.path)) {
      struct stat info{};
      if (::fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))) {
        found.is = Is::file;
        found.number = info.st_ino;
      }
    }
  }
  errno = before;
  return found;
}

// A name in a folder that is ours.
struct Place {
  bool ours = false;
  std::uint64_t folder = 0;
  char name[NAME_MAX + 1] = "";
};

Place place(int dirfd, const char* path) {
  Place found;
  if (log_header == nullptr) return found;
  const int before = errno;
  char parent[PATH_MAX];
  const std::size_t length = std::strlen(path);
  std::size_t end = length;
  while (end > 1 && path[end - 1] == '/') --end;
  std::size_t begin = end;
  while (begin > 0 && path[begin - 1] != '/') --begin;
  const std::size_t name_length = end - begin;
  if (length < sizeof parent && name_length > 0 && name_length <= NAME_MAX) {
    std::memcpy(parent, path, begin);
    parent[begin] = 0;
    std::memcpy(found.name, path + begin, name_length);
    found.name[name_length] = 0;
    const long fd = ::syscall(SYS_openat, dirfd, begin > 0 ? parent : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
      char canonical[PATH_MAX];
      struct stat info{};
      if (name_of(static_cast<int>(fd), canonical) && below_root(canonical) && !is_shared_memory(found.name) &&
          ::fstat(static_cast<int>(fd), &info) == 0) {
        found.ours = true;
        found.folder = info.st_ino;
      }
      ::syscall(SYS_close, fd);
    }
  }
  errno = before;
  return found;
}

// ---- the log ----

void problem(const char* what, const char* path) {
  if (log_header->problem[0] != 0) return;
  std::snprintf(log_header->problem, sizeof log_header->problem, "%s: %.400s", what, path);
}

class Locked {
 public:
  Locked() {
    if (::pthread_mutex_lock(&log_header->lock) == EOWNERDEAD) {
      ::pthread_mutex_consistent(&log_header->lock);
      if (log_header->died_at_will == 0) problem("killed in the middle of an entry", "");
      log_header->died_at_will = 0;
    }
    if (log_header->count < log_header->kill_at) return;
    const auto self = static_cast<std::int32_t>(::syscall(SYS_getpid));
    if (log_header->kill_everybody == 0 && log_header->killed != 0 && log_header->killed != self) return;
    end_process();
  }
  ~Locked() {
    errno = result_;
    ::pthread_mutex_unlock(&log_header->lock);
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

  [[noreturn]] static void end_process() {
    const auto self = static_cast<std::int32_t>(::syscall(SYS_getpid));
    log_header->killed = self;
    // With the lock: another thread that took it before the kill comes would die with it, in the middle of nothing.
    log_header->died_at_will = 1;
    ::syscall(SYS_kill, self, SIGKILL);
    for (;;) ::pause();
  }

  // errno of the operation itself, which the caller sees.
  void keep_errno() { result_ = errno; }

  void add(OpKind kind, std::uint64_t file, std::uint64_t folder = 0, const char* name = "", std::uint64_t folder2 = 0,
           const char* name2 = "", std::uint64_t offset = 0, const iovec* data = nullptr, std::size_t bytes = 0) {
    EntryHead head{};
    head.kind = kind;
    head.name_bytes = static_cast<std::uint16_t>(std::strlen(name));
    head.name2_bytes = static_cast<std::uint16_t>(std::strlen(name2));
    head.pid = static_cast<std::int32_t>(::syscall(SYS_getpid));
    head.file = file;
    head.folder = folder;
    head.folder2 = folder2;
    head.offset = offset;
    head.data_bytes = bytes;
    const std::uint64_t whole = (sizeof head + head.name_bytes + head.name2_bytes + bytes + 7) / 8 * 8;
    if (whole > UINT32_MAX || kLogEntries + log_header->used + whole > log_header->capacity) {
      problem("the log is full", "");
      return;
    }
    head.bytes = static_cast<std::uint32_t>(whole);
    auto* at = reinterpret_cast<char*>(log_header) + kLogEntries + log_header->used;
    std::memcpy(at, &head, sizeof head);
    at += sizeof head;
    std::memcpy(at, name, head.name_bytes);
    at += head.name_bytes;
    std::memcpy(at, name2, head.name2_bytes);
    at += head.name2_bytes;
    for (std::size_t left = bytes; left > 0; ++data) {
      const std::size_t now = data->iov_len < left ? data->iov_len : left;
      std::memcpy(at, data->iov_base, now);
      at += now;
      left -= now;
    }
    log_header->used += whole;
    // Somebody outside the lock may look how far it is.
    __atomic_store_n(&log_header->count, log_header->count + 1, __ATOMIC_RELEASE);
  }

 private:
  int result_ = errno;
};

// ---- files that somebody writes unseen ----

// A FILE writes inside the C library, and a descriptor that was handed to another process (the photo worker is confined
// and not recorded) is written there. What is in such a file is looked at when it matters.
constexpr int kMostUnseen = 256;
std::uint64_t unseen[kMostUnseen];
int unseen_count = 0;

bool is_unseen(std::uint64_t number) {
  for (int i = 0; i < unseen_count; ++i) {
    if (unseen[i] == number) return true;
  }
  return false;
}
void add_unseen(Locked& lock, std::uint64_t number) {
  lock.add(OpKind::unseen, number);
  if (is_unseen(number)) return;
  if (unseen_count == kMostUnseen) {
    problem("too many files are written unseen", "");
    return;
  }
  unseen[unseen_count++] = number;
}
void look_at(Locked& lock, std::uint64_t number, int dirfd, const char* path) {
  if (!is_unseen(number)) return;
  const long fd = ::syscall(SYS_openat, dirfd, path, O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (fd < 0 || ::fstat(static_cast<int>(fd), &info) != 0 || info.st_ino != number) {
    problem("cannot be looked at", path);
  } else {
    static char buffer[std::size_t{256} * 1024];
    std::uint64_t at = 0;
    for (;;) {
      const ssize_t got = ::pread(static_cast<int>(fd), buffer, sizeof buffer, static_cast<off_t>(at));
      if (got <= 0) break;
      const iovec piece{buffer, static_cast<std::size_t>(got)};
      lock.add(OpKind::write, number, 0, "", 0, "", at, &piece, piece.iov_len);
      at += static_cast<std::uint64_t>(got);
    }
    lock.add(OpKind::truncate, number, 0, "", 0, "", at);
  }
  if (fd >= 0) ::syscall(SYS_close, fd);
}

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

// ---- the standard output ----

ssize_t say(void*, const char* text, std::size_t size) {
  Locked lock;
  std::size_t done = 0;
  while (done < size) {
    const long put = ::syscall(SYS_write, STDOUT_FILENO, text + done, size - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return 0;
    done += static_cast<std::size_t>(put);
  }
  const iovec all{const_cast<char*>(text), size};
  lock.add(OpKind::said, 0, 0, "", 0, "", 0, &all, size);
  return static_cast<ssize_t>(size);
}

__attribute__((constructor)) void begin() {
  no_syncs = std::getenv(kNoSyncVariable) != nullptr;
  const char* path = std::getenv(kLogVariable);
  if (path == nullptr) return;
  const long fd = ::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  LogHeader head{};
  if (fd < 0 || ::pread(static_cast<int>(fd), &head, sizeof head, 0) != sizeof head || head.magic != kLogMagic) {
    std::fprintf(stderr, "recorder: %s is no log\n", path);
    ::_exit(125);
  }
  void* map =
      reinterpret_cast<void*>(::syscall(SYS_mmap, nullptr, head.capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  ::syscall(SYS_close, fd);
  if (map == MAP_FAILED) {
    std::fprintf(stderr, "recorder: %s cannot be mapped\n", path);
    ::_exit(125);
  }
  log_header = static_cast<LogHeader*>(map);
  // printf writes inside the C library; through this it comes out where it can be seen.
  if (std::FILE* out = ::fopencookie(nullptr, "w", {nullptr, say, nullptr, nullptr})) stdout = out;
}

// ---- opening ----

int opened(int dirfd, const char* path, int flags, mode_t mode) {
  constexpr int kChanges = O_CREAT | O_TRUNC | O_DSYNC | __O_TMPFILE;
  const Place at = (flags & kChanges) != 0 ? place(dirfd, path) : Place{};
  if (!at.ours) return static_cast<int>(::syscall(SYS_openat, dirfd, path, flags, mode));
  if ((flags & (O_DSYNC | __O_TMPFILE)) != 0 && (flags & O_DIRECTORY) == 0) problem("opened with O_SYNC", path);
  if ((flags & O_TMPFILE) == O_TMPFILE) problem("opened with O_TMPFILE", path);
  Locked lock;
  struct stat info{};
  const bool existed = ::fstatat(dirfd, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (existed && S_ISLNK(info.st_mode)) problem("a symbolic link", path);
  const int fd = static_cast<int>(::syscall(SYS_openat, dirfd, path, flags, mode));
  lock.keep_errno();
  if (fd < 0 || ::fstat(fd, &info) != 0) return fd;
  if (!existed) {
    lock.add(OpKind::create, info.st_ino, at.folder, at.name);
  } else if ((flags & O_TRUNC) != 0) {
    lock.add(OpKind::truncate, info.st_ino);
  }
  return fd;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

// ---- writing ----

template <class F>
ssize_t written(int fd, const iovec* parts, std::int64_t offset, F&& write) {
  const Where at = where(fd);
  if (at.is == Is::nothing) return write();
  Locked lock;
  const ssize_t put = write();
  lock.keep_errno();
  if (put <= 0) return put;
  const auto bytes = static_cast<std::size_t>(put);
  if (at.is == Is::socket) {
    lock.add(OpKind::sent, at.number, 0, "", 0, "", 0, parts, bytes);
    return put;
  }
  if (offset < 0) offset = ::lseek(fd, 0, SEEK_CUR) - put;  // also after an append
  lock.add(OpKind::write, at.number, 0, "", 0, "", static_cast<std::uint64_t>(offset), parts, bytes);
  return put;
}

template <class F>
auto refused(int fd, const char* what, F&& call) {
  const Where at = where(fd);
  if (at.is == Is::file) problem(what, at.path);
  return call();
}

int resized(int fd, const char* what, int (*call)(int, off_t, off_t), off_t a, off_t b) {
  const Where at = where(fd);
  if (at.is != Is::file) return call(fd, a, b);
  Locked lock;
  struct stat before{};
  struct stat after{};
  ::fstat(fd, &before);
  const int result = call(fd, a, b);
  lock.keep_errno();
  if (result != 0) return result;
  if (::fstat(fd, &after) != 0) problem(what, at.path);
  if (after.st_size != before.st_size) {
    lock.add(OpKind::truncate, at.number, 0, "", 0, "", static_cast<std::uint64_t>(after.st_size));
  }
  return result;
}

int allocated(int fd, off_t begin, off_t length) {
  return static_cast<int>(::syscall(SYS_fallocate, fd, 0, begin, length));
}
int cut(int fd, off_t size, off_t) { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); }

int synced(int fd, long call) {
  if (no_syncs) return 0;
  const Where at = where(fd);
  if (at.is != Is::file) return static_cast<int>(::syscall(call, fd));
  if (log_header->slow_sync[0] != 0 && ends_with(at.path, log_header->slow_sync)) ::usleep(kSlowSyncUs);
  Locked lock;
  if (log_header->syncs_left != kNever && log_header->syncs_left-- == 0) Locked::end_process();
  if (log_header->fail_sync[0] != 0 && ends_with(at.path, log_header->fail_sync)) {
    log_header->fail_sync[0] = 0;
    errno = EIO;
    lock.keep_errno();
    return -1;
  }
  if (log_header->skip_sync[0] != 0 && ends_with(at.path, log_header->skip_sync)) return 0;
  if (call == SYS_syncfs) {
    lock.add(OpKind::sync_all, 0);
    return 0;
  }
  char self[64];
  std::snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  look_at(lock, at.number, AT_FDCWD, self);
  lock.add(OpKind::sync, at.number);
  return 0;
}

// ---- names ----

int renamed(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  const Place a = place(from_dir, from);
  const Place b = place(to_dir, to);
  if (!a.ours && !b.ours) return static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to, flags));
  if (!a.ours || !b.ours) problem("moved over the border of the folder", from);
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) problem("renameat2 with flags", from);
  Locked lock;
  struct stat info{};
  if (::fstatat(from_dir, from, &info, AT_SYMLINK_NOFOLLOW) == 0) look_at(lock, info.st_ino, from_dir, from);
  const int result = static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to, flags));
  lock.keep_errno();
  if (result == 0) lock.add(OpKind::rename, info.st_ino, a.folder, a.name, b.folder, b.name);
  return result;
}

int linked(int from_dir, const char* from, int to_dir, const char* to, int flags) {
  const Place b = place(to_dir, to);
  if (!b.ours) return static_cast<int>(::syscall(SYS_linkat, from_dir, from, to_dir, to, flags));
  if (!place(from_dir, from).ours) problem("linked over the border of the folder", from);
  Locked lock;
  struct stat info{};
  if (::fstatat(from_dir, from, &info, AT_SYMLINK_NOFOLLOW) == 0) look_at(lock, info.st_ino, from_dir, from);
  const int result = static_cast<int>(::syscall(SYS_linkat, from_dir, from, to_dir, to, flags));
  lock.keep_errno();
  if (result == 0) lock.add(OpKind::link, info.st_ino, 0, "", b.folder, b.name);
  return result;
}

int unlinked(int dirfd, const char* path, int flags) {
  const Place at = place(dirfd, path);
  if (!at.ours) return static_cast<int>(::syscall(SYS_unlinkat, dirfd, path, flags));
  Locked lock;
  const int result = static_cast<int>(::syscall(SYS_unlinkat, dirfd, path, flags));
  lock.keep_errno();
  if (result == 0) lock.add(OpKind::unlink, 0, at.folder, at.name);
  return result;
}

int folder_made(int dirfd, const char* path, mode_t mode) {
  const Place at = place(dirfd, path);
  if (!at.ours) return static_cast<int>(::syscall(SYS_mkdirat, dirfd, path, mode));
  Locked lock;
  const int result = static_cast<int>(::syscall(SYS_mkdirat, dirfd, path, mode));
  lock.keep_errno();
  struct stat info{};
  if (result == 0 && ::fstatat(dirfd, path, &info, AT_SYMLINK_NOFOLLOW) == 0) {
    lock.add(OpKind::mkdir, info.st_ino, at.folder, at.name);
  }
  return result;
}

int linked_softly(const char* target, int dirfd, const char* path) {
  if (place(dirfd, path).ours) problem("a symbolic link", path);
  return static_cast<int>(::syscall(SYS_symlinkat, target, dirfd, path));
}

int temporary_made(char* pattern, int flags) {
  static const auto real = next<int (*)(char*, int)>("mkostemp");
  const Place at = place(AT_FDCWD, pattern);
  if (!at.ours) return real(pattern, flags);
  Locked lock;
  const int fd = real(pattern, flags);
  lock.keep_errno();
  struct stat info{};
  if (fd < 0 || ::fstat(fd, &info) != 0) return fd;
  const char* name = std::strrchr(pattern, '/');
  lock.add(OpKind::create, info.st_ino, at.folder, name != nullptr ? name + 1 : pattern);
  return fd;
}

std::FILE* file_opened(const char* path, const char* mode, const char* symbol) {
  using Open = std::FILE* (*)(const char*, const char*);
  const bool changes = std::strpbrk(mode, "wa+") != nullptr;
  if (!changes || !place(AT_FDCWD, path).ours) return next<Open>(symbol)(path, mode);
  const bool both = std::strchr(mode, '+') != nullptr;
  int flags = both ? O_RDWR : O_WRONLY;
  if (mode[0] == 'w') flags |= O_CREAT | O_TRUNC;
  if (mode[0] == 'a') flags |= O_CREAT | O_APPEND;
  if (std::strchr(mode, 'x') != nullptr) flags |= O_EXCL;
  if (std::strchr(mode, 'e') != nullptr) flags |= O_CLOEXEC;
  const int fd = opened(AT_FDCWD, path, flags, 0666);
  if (fd < 0) return nullptr;
  struct stat info{};
  if (::fstat(fd, &info) == 0) {
    Locked lock;
    add_unseen(lock, info.st_ino);
  }
  return ::fdopen(fd, mode);
}

std::int64_t bytes_in(const msghdr* message) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) bytes += static_cast<std::int64_t>(message->msg_iov[i].iov_len);
  return bytes;
}

// Another process may write to a descriptor that it is given.
void look_for_descriptors(const msghdr* message) {
  if (log_header == nullptr || message->msg_controllen == 0) return;
  auto* changeable = const_cast<msghdr*>(message);
  for (cmsghdr* part = CMSG_FIRSTHDR(changeable); part != nullptr; part = CMSG_NXTHDR(changeable, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      const Where at = where(fd);
      if (at.is != Is::file || (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) continue;
      Locked lock;
      add_unseen(lock, at.number);
    }
  }
}

void* mapped(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) {
  if ((flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0) {
    const Where file = where(fd);
    if (file.is == Is::file) problem("mapped for writing", file.path);
  }
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, fd, offset));
}

}  // namespace

// ---- what is taken the place of ----

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return opened(AT_FDCWD, path, flags, mode);
}
int openat(int dirfd, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return opened(dirfd, path, flags, mode);
}
int openat64(int dirfd, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return opened(dirfd, path, flags, mode);
}
int creat(const char* path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int mkstemp(char* pattern) { return temporary_made(pattern, 0); }
int mkstemp64(char* pattern) { return temporary_made(pattern, 0); }
int mkostemp(char* pattern, int flags) { return temporary_made(pattern, flags); }
int mkostemp64(char* pattern, int flags) { return temporary_made(pattern, flags); }
std::FILE* fopen(const char* path, const char* mode) { return file_opened(path, mode, "fopen"); }
std::FILE* fopen64(const char* path, const char* mode) { return file_opened(path, mode, "fopen64"); }
int fclose(std::FILE* file) {
  const int fd = log_header != nullptr ? ::fileno(file) : -1;
  const Where at = where(fd);
  if (at.is == Is::file) {
    std::fflush(file);
    char self[64];
    std::snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    Locked lock;
    look_at(lock, at.number, AT_FDCWD, self);
  }
  return next<int (*)(std::FILE*)>("fclose")(file);
}

ssize_t write(int fd, const void* data, size_t size) {
  const iovec part{const_cast<void*>(data), size};
  return written(fd, &part, -1, [&] { return ::syscall(SYS_write, fd, data, size); });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const iovec part{const_cast<void*>(data), size};
  return written(fd, &part, offset, [&] { return ::syscall(SYS_pwrite64, fd, data, size, offset); });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }
ssize_t writev(int fd, const iovec* parts, int count) {
  return written(fd, parts, -1, [&] { return ::syscall(SYS_writev, fd, parts, count); });
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  return written(fd, parts, offset, [&] { return ::syscall(SYS_pwritev, fd, parts, count, offset, 0); });
}
ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }
ssize_t send(int fd, const void* data, size_t size, int flags) {
  const iovec part{const_cast<void*>(data), size};
  return written(fd, &part, -1, [&] { return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0); });
}
ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
  const iovec part{const_cast<void*>(data), size};
  return written(fd, &part, -1, [&] { return ::syscall(SYS_sendto, fd, data, size, flags, to, to_size); });
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  look_for_descriptors(message);
  return written(fd, message->msg_iov, bytes_in(message), [&] { return ::syscall(SYS_sendmsg, fd, message, flags); });
}

int ftruncate(int fd, off_t size) noexcept { return resized(fd, "ftruncate", cut, size, 0); }
int ftruncate64(int fd, off64_t size) noexcept { return resized(fd, "ftruncate", cut, size, 0); }
int truncate(const char* path, off_t size) noexcept {
  const long fd = ::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const int result = resized(static_cast<int>(fd), "truncate", cut, size, 0);
  const int number = errno;
  ::syscall(SYS_close, fd);
  errno = number;
  return result;
}
int truncate64(const char* path, off64_t size) noexcept { return truncate(path, size); }
int fallocate(int fd, int mode, off_t offset, off_t length) {
  if (mode == 0) return resized(fd, "fallocate", allocated, offset, length);
  return refused(fd, "fallocate with a mode",
                 [&] { return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, length)); });
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return fallocate(fd, mode, offset, length); }
int posix_fallocate(int fd, off_t offset, off_t length) {
  return resized(fd, "posix_fallocate", allocated, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return posix_fallocate(fd, offset, length); }
ssize_t sendfile(int out, int in, off_t* offset, size_t count) noexcept {
  return refused(out, "sendfile", [&] { return ::syscall(SYS_sendfile, out, in, offset, count); });
}
ssize_t sendfile64(int out, int in, off64_t* offset, size_t count) noexcept { return sendfile(out, in, offset, count); }
ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t count, unsigned flags) {
  return refused(out, "copy_file_range",
                 [&] { return ::syscall(SYS_copy_file_range, in, in_offset, out, out_offset, count, flags); });
}
ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t count, unsigned flags) {
  return refused(out, "splice", [&] { return ::syscall(SYS_splice, in, in_offset, out, out_offset, count, flags); });
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
int syncfs(int fd) noexcept { return synced(fd, SYS_syncfs); }
void sync() noexcept {
  if (log_header == nullptr) {
    ::syscall(SYS_sync);
    return;
  }
  Locked lock;
  lock.add(OpKind::sync_all, 0);
}

int rename(const char* from, const char* to) noexcept { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_dir, const char* from, int to_dir, const char* to) noexcept {
  return renamed(from_dir, from, to_dir, to, 0);
}
int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
  return renamed(from_dir, from, to_dir, to, flags);
}
int link(const char* from, const char* to) noexcept { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) noexcept {
  return linked(from_dir, from, to_dir, to, flags);
}
int symlink(const char* target, const char* path) noexcept { return linked_softly(target, AT_FDCWD, path); }
int symlinkat(const char* target, int dirfd, const char* path) noexcept { return linked_softly(target, dirfd, path); }
int unlink(const char* path) noexcept { return unlinked(AT_FDCWD, path, 0); }
int unlinkat(int dirfd, const char* path, int flags) noexcept { return unlinked(dirfd, path, flags); }
int rmdir(const char* path) noexcept { return unlinked(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) noexcept {
  const int result = unlinked(AT_FDCWD, path, 0);
  if (result == 0 || (errno != EISDIR && errno != EPERM)) return result;
  return unlinked(AT_FDCWD, path, AT_REMOVEDIR);
}
int mkdir(const char* path, mode_t mode) noexcept { return folder_made(AT_FDCWD, path, mode); }
int mkdirat(int dirfd, const char* path, mode_t mode) noexcept { return folder_made(dirfd, path, mode); }

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  return mapped(at, size, protection, flags, fd, offset);
}
void* mmap64(void* at, size_t size, int protection, int flags, int fd, off64_t offset) noexcept {
  return mapped(at, size, protection, flags, fd, offset);
}

}  // extern "C"
