// The reduction of a photo on the handheld. The first two bytes: the longest side, and the quality.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <gridward/shared/bytes.hpp>
#include <gridward_device/file.hpp>
#include <gridward_device/photo.hpp>
#include <string>

namespace {

using namespace gridward;

constexpr std::size_t kPixels = 1U << 18;  // a few bytes may tell of a picture that takes seconds

// Anything that could be a frame header of a greater picture, wherever it stands.
bool too_large(ByteView jpeg) {
  for (std::size_t i = 0; i + 8 < jpeg.size(); ++i) {
    if (jpeg[i] != 0xFF || jpeg[i + 1] < 0xC0 || jpeg[i + 1] > 0xCF) continue;
    const std::size_t height = jpeg[i + 5] * 256U + jpeg[i + 6];
    const std::size_t width = jpeg[i + 7] * 256U + jpeg[i + 8];
    if (height * width > kPixels) return true;
  }
  return false;
}

int emptied(int fd) {
  if (::ftruncate(fd, 0) != 0 || ::lseek(fd, 0, SEEK_SET) != 0) std::abort();
  return fd;
}

Bytes content(int fd) {
  Bytes bytes(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)));
  if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const device::Descriptor in(::memfd_create("in", 0));
  static const device::Descriptor out(::memfd_create("out", 0));
  static const device::Descriptor none(::memfd_create("none", 0));
  const ByteView jpeg(data + 2, size - 2);
  if (too_large(jpeg)) return 0;
  const device::PhotoLimit limit{data[0], 1 + data[1] % 100};
  if (!device::write_all(emptied(in.get()), jpeg)) std::abort();
  if (!device::reduce_photo(in.get(), emptied(out.get()), limit)) return 0;
  const auto made = content(out.get());
  if (limit.px == 0 || made.size() < 4 || made.size() >= jpeg.size()) std::abort();
  if (made[0] != 0xFF || made[1] != 0xD8 || made[made.size() - 2] != 0xFF || made.back() != 0xD9) std::abort();
  // What was made is small enough: there is nothing left to do.
  if (device::reduce_photo(out.get(), emptied(none.get()), limit)) std::abort();
  return 0;
}
