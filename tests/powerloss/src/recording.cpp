#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <gridward/powerloss/recording.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <stdexcept>

namespace gridward::powerloss {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kCapacity = std::uint64_t{1} << 30;  // sparse

bool is_shared_memory(const std::string& path) { return path.ends_with("-shm"); }

std::uint64_t number_of(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) throw std::runtime_error("cannot look at " + path.string());
  return info.st_ino;
}

Bytes bytes_of(const fs::path& path) {
  const auto text = test::read_file(path);
  return {text.begin(), text.end()};
}

void read_folder(Disk& disk, const fs::path& folder, std::uint64_t number) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (is_shared_memory(name)) continue;
    const auto child = number_of(entry.path());
    if (entry.is_directory()) {
      disk.add_folder(number, name, child);
      read_folder(disk, entry.path(), child);
    } else {
      disk.add_file(number, name, child, bytes_of(entry.path()));
    }
  }
}

template <std::size_t N>
void put(char (&target)[N], const std::string& text) {
  if (text.size() >= N) throw std::runtime_error("too long: " + text);
  std::memcpy(target, text.c_str(), text.size() + 1);
}

std::string preload() {
  return "LD_PRELOAD=" + test::program("tests/powerloss/libgridward_powerloss_recorder.so").string();
}

}  // namespace

std::vector<std::string> without_syncs() { return {preload(), std::string(kNoSyncVariable) + "=1"}; }

Disk read_disk(const fs::path& folder) {
  const auto root = number_of(folder);
  Disk disk(root);
  read_folder(disk, folder, root);
  return disk;
}

void write_tree(const Tree& tree, const fs::path& folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  // A set is in order, so the parent comes first.
  for (const auto& path : tree.folders) {
    fs::create_directory(folder / path);
    fs::permissions(folder / path, fs::perms::owner_all);
  }
  for (const auto& [path, content] : tree.files) {
    const int fd = ::open((folder / path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool ok = fd >= 0 && ::write(fd, content->data(), content->size()) == static_cast<ssize_t>(content->size());
    if (fd >= 0) ::close(fd);
    if (!ok) throw std::runtime_error("cannot write " + (folder / path).string());
  }
}

std::string difference(const Tree& tree, const fs::path& folder) {
  std::set<std::string> files;
  std::set<std::string> folders;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto path = fs::relative(entry.path(), folder).string();
    if (is_shared_memory(path)) continue;
    (entry.is_directory() ? folders : files).insert(path);
  }
  for (const auto& path : tree.folders) {
    if (!folders.contains(path)) return path + ": only the log knows this folder";
  }
  for (const auto& path : folders) {
    if (!tree.folders.contains(path)) return path + ": the log does not know this folder";
  }
  for (const auto& path : files) {
    if (!tree.files.contains(path)) return path + ": the log does not know this file";
  }
  for (const auto& [path, content] : tree.files) {
    if (!files.contains(path)) return path + ": only the log knows this file";
    if (tree.unseen.contains(path)) continue;
    const auto real = bytes_of(folder / path);
    if (real == *content) continue;
    const auto at = std::ranges::mismatch(real, *content).in1 - real.begin();
    return path + ": differs from its log at byte " + std::to_string(at) + " (" + std::to_string(real.size()) +
           " bytes, by the log " + std::to_string(content->size()) + ")";
  }
  return {};
}

Recording::Recording(const fs::path& root)
    : root_(fs::canonical(root)), log_(root_.string() + ".log"), begin_(read_disk(root_)) {
  const int fd = ::open(log_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool ok = fd >= 0 && ::ftruncate(fd, static_cast<off_t>(kCapacity)) == 0;
  void* map = ok ? ::mmap(nullptr, kCapacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (fd >= 0) ::close(fd);
  if (map == MAP_FAILED) throw std::runtime_error("cannot make " + log_.string());
  header_ = static_cast<LogHeader*>(map);
  header_->capacity = kCapacity;
  header_->kill_at = kNever;
  put(header_->root, root_.string());
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(&header_->lock, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  header_->magic = kLogMagic;
}

Recording::~Recording() {
  ::munmap(header_, kCapacity);
  std::error_code ignored;
  fs::remove(log_, ignored);
}

std::vector<std::string> Recording::environment() const {
  return {preload(), std::string(kLogVariable) + "=" + log_.string()};
}

std::uint64_t Recording::count() const { return __atomic_load_n(&header_->count, __ATOMIC_ACQUIRE); }

std::vector<Op> Recording::ops() const {
  std::vector<Op> all;
  const auto count = this->count();
  all.reserve(count);
  const auto* at = reinterpret_cast<const char*>(header_) + kLogEntries;
  for (std::uint64_t n = 0; n < count; ++n) {
    EntryHead head{};
    std::memcpy(&head, at, sizeof head);
    const auto* rest = at + sizeof head;
    Op op;
    op.n = n;
    op.kind = head.kind;
    op.pid = head.pid;
    op.file = head.file;
    op.folder = head.folder;
    op.folder2 = head.folder2;
    op.offset = head.offset;
    op.name = {rest, head.name_bytes};
    op.name2 = {rest + head.name_bytes, head.name2_bytes};
    op.data = {reinterpret_cast<const std::uint8_t*>(rest + head.name_bytes + head.name2_bytes), head.data_bytes};
    all.push_back(op);
    at += head.bytes;
  }
  return all;
}

std::string Recording::problem() const {
  if (header_->problem[0] != 0) return header_->problem;
  Disk disk = begin_;
  for (const auto& op : ops()) disk.apply(op);
  return difference(disk.now(), root_);
}

void Recording::kill_at(std::uint64_t n) {
  header_->killed = 0;
  header_->kill_at = n;
}
void Recording::cut_power_at(std::uint64_t n) {
  header_->kill_everybody = 1;
  kill_at(n);
}
bool Recording::killed() const { return header_->killed != 0; }

void Recording::skip_sync(const std::string& path_end) { put(header_->skip_sync, path_end); }
void Recording::fail_sync(const std::string& path_end) { put(header_->fail_sync, path_end); }
void Recording::slow_sync(const std::string& path_end) { put(header_->slow_sync, path_end); }

std::vector<Line> said(const std::vector<Op>& ops) {
  std::vector<Line> lines;
  std::map<int, std::string> open;
  for (const auto& op : ops) {
    if (op.kind != OpKind::said) continue;
    auto& text = open[op.pid];
    text.append(reinterpret_cast<const char*>(op.data.data()), op.data.size());
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
      lines.push_back({op.n, op.pid, text.substr(begin, end - begin)});
    }
    text.erase(0, begin);
  }
  return lines;
}

}  // namespace gridward::powerloss
