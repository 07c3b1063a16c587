#pragma once

#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <gridward/vision/photo_header.hpp>

namespace gridward::vision {

struct EncodedPicture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Bytes jpeg;
};

struct Derivatives {
  PhotoHeader header;
  std::uint32_t width = 0;  // of the original, upright
  std::uint32_t height = 0;
  EncodedPicture preview;
  EncodedPicture thumb;
  Bytes description;  // photo_description.hpp
  double sharpness = 0;
  double brightness = 0;
  std::uint64_t likeness = 0;
  bool truncated = false;
};

// Both derivatives, the description and the numbers of one photo. Errors: media_type, media_dimensions,
// media_undecodable, media_limits.
Result<Derivatives> derive(ByteView file);

}  // namespace gridward::vision
