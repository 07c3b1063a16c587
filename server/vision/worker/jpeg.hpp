#pragma once

#include <cstdint>
#include <gridward/shared/error.hpp>

#include "planes.hpp"

namespace gridward::vision {

// Decodes at the smallest of 1/8, 1/4, 1/2 and 1 whose longer side still reaches `side`; as stored, not turned.
// Errors: media_undecodable, media_dimensions, media_limits (memory, number of scans).
Result<Decoded> decode_jpeg(ByteView file, std::uint32_t side);

// Baseline, chroma halved in both directions, JFIF header and nothing else beside the picture.
// Planes as `resize` leaves them. Error: media_limits.
Result<Bytes> encode_jpeg(const Planes& planes, int quality);

}  // namespace gridward::vision
