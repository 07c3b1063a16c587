// What can be known of a photo without decoding it: format, dimensions, orientation. Bounded, no I/O; the bytes are
// hostile. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <gridward/shared/bytes.hpp>

namespace gridward::vision {

enum class PhotoFormat : std::uint8_t { jpeg = 1, png = 2, webp = 3 };

struct PhotoHeader {
  PhotoFormat format = PhotoFormat::jpeg;
  std::uint32_t width = 0;  // pixels as stored, before the orientation is applied
  std::uint32_t height = 0;
  std::uint8_t orientation = 1;  // EXIF 1..8; 1 where it is absent or unreadable
  std::uint8_t bit_depth = 8;    // of a channel
  bool alpha = false;

  bool operator==(const PhotoHeader&) const = default;
};

// Walks the whole file's segments or chunks, never its picture data, in time linear in its size. Errors: media_type
// (other magic bytes), media_undecodable (no dimensions before the picture data, or zero), media_dimensions (over
// limits::kPhotoSide or limits::kPhotoPixels).
Result<PhotoHeader> read_photo_header(ByteView file);

// The orientation of the first directory of a TIFF block (the payload of EXIF after its "Exif\0\0"); 1 where it is
// absent, unreadable or out of 1..8.
std::uint8_t read_exif_orientation(ByteView tiff);

// True for the four orientations that exchange width and height.
constexpr bool swaps_sides(std::uint8_t orientation) { return orientation >= 5 && orientation <= 8; }

}  // namespace gridward::vision
