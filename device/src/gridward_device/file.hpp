// Files that must be on the disk when a function returns. Thread-safe.
#pragma once

#include <filesystem>
#include <gridward/shared/bytes.hpp>
#include <utility>

namespace gridward::device {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool write_all(int fd, ByteView data);  // false: errno says why
bool sync_folder(const std::filesystem::path& folder);
// Everything on the file system that the folder lies on, the names of the folders above it included: for rare moments.
bool sync_file_system(const std::filesystem::path& folder);
// Writes beside, fsyncs, renames, fsyncs the folder. mode as for open().
bool write_durably(const std::filesystem::path& file, ByteView data, unsigned mode);
// Nothing when it cannot be read or is longer than max_bytes.
std::string read_small_file(const std::filesystem::path& file, std::size_t max_bytes);

}  // namespace gridward::device
