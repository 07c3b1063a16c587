#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <gridward/platform/crypto.hpp>
#include <gridward/platform/files.hpp>
#include <string>
#include <system_error>

namespace gridward::platform {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0640;
constexpr std::size_t kAtOnce = std::size_t{256} * 1024;

tl::unexpected<Error> failed(std::string_view what, const fs::path& path, int error) {
  const auto code = error == EEXIST ? ErrorCode::already_exists : ErrorCode::storage_failed;
  return fail(code, std::string(what), path.string() + ": " + std::generic_category().message(error));
}

class File {
 public:
  File(const fs::path& path, int flags, mode_t mode = 0)
      : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    error_ = fd_ < 0 ? errno : 0;
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int open_error() const { return error_; }

  Result<std::size_t> read(Bytes& buffer) const {
    while (true) {
      const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return failed("read", path_, errno);
    }
  }
  Result<void> write(ByteView bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return failed("write", path_, put < 0 ? errno : EIO);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
  }
  Result<void> sync() const {
    if (::fsync(fd_) != 0) return failed("fsync", path_, errno);
    return {};
  }
  Result<void> sync_file_system() const {
    if (::syncfs(fd_) != 0) return failed("syncfs", path_, errno);
    return {};
  }

 private:
  const fs::path& path_;
  int fd_;
  int error_ = 0;
};

Result<void> sync(const fs::path& path, int flags) {
  const File file(path, flags);
  if (file.open_error() != 0) return failed("open", path, file.open_error());
  return file.sync();
}

// Reads to the end; every piece also goes to `to`, where there is one.
Result<FileHash> read_through(const fs::path& path, const File* to) {
  const File file(path, O_RDONLY);
  if (file.open_error() != 0) return failed("open", path, file.open_error());
  Sha256Stream hash;
  FileHash result;
  Bytes buffer(kAtOnce);
  while (true) {
    const auto got = file.read(buffer);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) break;
    const auto piece = ByteView(buffer).first(*got);
    hash.update(piece);
    result.size += *got;
    if (to == nullptr) continue;
    if (auto written = to->write(piece); !written) return tl::unexpected(written.error());
  }
  result.sha256 = hash.finish();
  return result;
}

}  // namespace

Result<void> sync_file(const fs::path& path) { return sync(path, O_RDONLY); }
Result<void> sync_folder(const fs::path& path) { return sync(path, O_RDONLY | O_DIRECTORY); }

Result<void> sync_file_system(const fs::path& folder) {
  const File file(folder, O_RDONLY | O_DIRECTORY);
  if (file.open_error() != 0) return failed("open", folder, file.open_error());
  return file.sync_file_system();
}

Result<void> make_folder(const fs::path& path, unsigned mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    if (errno != EEXIST) return failed("mkdir", path, errno);
    return {};
  }
  auto synced = sync_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
  if (!synced) ::rmdir(path.c_str());  // the next call tries again
  return synced;
}

Result<FileHash> hash_file(const fs::path& path) { return read_through(path, nullptr); }

Result<FileHash> copy_file(const fs::path& from, const fs::path& to) {
  const File target(to, O_WRONLY | O_CREAT | O_EXCL, kFileMode);
  if (target.open_error() != 0) return failed("open", to, target.open_error());
  auto hash = read_through(from, &target);
  if (!hash) return hash;
  if (auto synced = target.sync(); !synced) return tl::unexpected(synced.error());
  return hash;
}

Result<void> write_new_file(const fs::path& path, std::string_view text) {
  const File target(path, O_WRONLY | O_CREAT | O_EXCL, kFileMode);
  if (target.open_error() != 0) return failed("open", path, target.open_error());
  if (auto written = target.write(as_bytes(text)); !written) return written;
  return target.sync();
}

Result<void> move_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", to, errno);
  return sync_folder(to.parent_path());
}

}  // namespace gridward::platform
