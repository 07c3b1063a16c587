#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <gridward_device/file.hpp>

namespace gridward::device {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool write_all(int fd, ByteView data) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    data = data.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

bool sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0;
}

bool sync_file_system(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::syncfs(fd.get()) == 0;
}

bool write_durably(const std::filesystem::path& file, ByteView data, unsigned mode) {
  const auto temporary = file.string() + ".new";
  const Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!out || !write_all(out.get(), data) || ::fsync(out.get()) != 0) return false;
  return ::rename(temporary.c_str(), file.c_str()) == 0 && sync_folder(file.parent_path());
}

std::string read_small_file(const std::filesystem::path& file, std::size_t max_bytes) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return {};
  std::string text(max_bytes + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::read(in.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > max_bytes) return {};
  text.resize(have);
  return text;
}

}  // namespace gridward::device
