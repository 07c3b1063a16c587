#pragma once

#include <gridward/shared/bytes.hpp>

#include "canvas.hpp"

namespace gridward::sim {

// orientation: 0 for none, 1 to 8 for EXIF's, with the pixels stored so that a viewer who obeys it sees them upright.
Result<Bytes> encode_jpeg(Canvas& upright, int quality, int orientation);

}  // namespace gridward::sim
