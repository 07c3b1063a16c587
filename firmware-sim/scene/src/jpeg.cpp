#include "jpeg.hpp"

#include <cstddef>
#include <cstdio>
// jpeglib.h wants the two above.
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <cstring>

namespace gridward::sim {
namespace {

struct Failure {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> text{};
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto& failure = *reinterpret_cast<Failure*>(info->err);
  failure.manager.format_message(info, failure.text.data());
  std::longjmp(failure.back, 1);
}

// The pixels as a camera held another way would have stored them.
Canvas stored_for(Canvas& upright, int orientation) {
  const int w = upright.width();
  const int h = upright.height();
  const bool turned = orientation >= 5;
  Canvas stored(turned ? h : w, turned ? w : h);
  // Squares, or every pixel of a turned row would miss the cache.
  constexpr int kTile = 32;
  for (int tile_y = 0; tile_y < stored.height(); tile_y += kTile) {
    for (int tile_x = 0; tile_x < stored.width(); tile_x += kTile) {
      for (int sy = tile_y; sy < std::min(tile_y + kTile, stored.height()); ++sy) {
        auto* to = stored.row(sy).data();
        for (int sx = tile_x; sx < std::min(tile_x + kTile, stored.width()); ++sx) {
          int x = turned ? sy : sx;
          int y = turned ? sx : sy;
          if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7) x = w - 1 - x;
          if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) y = h - 1 - y;
          std::memcpy(to + static_cast<std::ptrdiff_t>(sx) * 4,
                      upright.row(y).data() + static_cast<std::ptrdiff_t>(x) * 4, 4);
        }
      }
    }
  }
  return stored;
}

// EXIF with nothing but the orientation: a little-endian TIFF with one entry.
std::array<std::uint8_t, 32> exif(int orientation) {
  return {'E',  'x', 'i', 'f', 0, 0,                                                // of APP1
          'I',  'I', 42,  0,   8, 0, 0, 0,                                          // the first directory is at 8
          1,    0,                                                                  // one entry:
          0x12, 1,   3,   0,   1, 0, 0, 0, static_cast<std::uint8_t>(orientation),  // tag 0x0112, one short
          0,    0,   0,   0,   0, 0, 0};
}

struct Encoder {
  jpeg_compress_struct info{};
  Failure failure;
  unsigned char* data = nullptr;
  unsigned long size = 0;
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(data);  // NOLINT: libjpeg's malloc
  }
};

// Owns nothing: an error of libjpeg leaves it by longjmp.
bool run(Encoder& encoder, std::uint8_t* pixels, int width, int height, int quality, const std::uint8_t* app1,
         unsigned app1_size) {
  auto& info = encoder.info;
  info.err = jpeg_std_error(&encoder.failure.manager);
  encoder.failure.manager.error_exit = on_error;
  if (setjmp(encoder.failure.back) != 0) return false;  // NOLINT
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &encoder.data, &encoder.size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = 4;
  info.in_color_space = JCS_EXT_RGBX;
  jpeg_set_defaults(&info);  // YCbCr 4:2:0
  jpeg_set_quality(&info, quality, TRUE);
  info.dct_method = JDCT_ISLOW;
  // EXIF asks to be the first segment.
  info.write_JFIF_header = app1 == nullptr ? TRUE : FALSE;
  jpeg_start_compress(&info, TRUE);
  if (app1 != nullptr) jpeg_write_marker(&info, JPEG_APP0 + 1, app1, app1_size);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = pixels + static_cast<std::size_t>(info.next_scanline) * static_cast<std::size_t>(width) * 4;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

Result<Bytes> encode_jpeg(Canvas& upright, int quality, int orientation) {
  Encoder encoder;
  bool done = false;
  if (orientation == 0) {
    done = run(encoder, upright.row(0).data(), upright.width(), upright.height(), quality, nullptr, 0);
  } else {
    const auto app1 = exif(orientation);
    if (orientation == 1) {
      done = run(encoder, upright.row(0).data(), upright.width(), upright.height(), quality, app1.data(),
                 static_cast<unsigned>(app1.size()));
    } else {
      Canvas stored = stored_for(upright, orientation);
      done = run(encoder, stored.row(0).data(), stored.width(), stored.height(), quality, app1.data(),
                 static_cast<unsigned>(app1.size()));
    }
  }
  if (!done) return fail(ErrorCode::camera_failed, "jpeg", encoder.failure.text.data());
  return Bytes(encoder.data, encoder.data + encoder.size);
}

}  // namespace gridward::sim
