#include <cstdint>
#include <cstdlib>
#include <gridward/shared/limits.hpp>
#include <gridward/vision/photo_header.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gridward;
  const ByteView bytes(data, size);
  const auto orientation = vision::read_exif_orientation(bytes);
  if (orientation < 1 || orientation > 8) std::abort();
  if (const auto header = vision::read_photo_header(bytes)) {
    if (header->width == 0 || header->height == 0 || header->width > limits::kPhotoSide ||
        header->height > limits::kPhotoSide || std::uint64_t{header->width} * header->height > limits::kPhotoPixels ||
        header->orientation < 1 || header->orientation > 8) {
      std::abort();
    }
  }
  return 0;
}
