// Photos made smaller before they are stored. Pure but for the two files; any thread.
#pragma once

#include <cstdint>

namespace gridward::device {

struct PhotoLimit {
  std::uint32_t px = 0;  // longest side; 0: none
  int quality = 85;      // of JPEG, 1 to 100
};

// Writes to the descriptor `out` the JPEG of `in` with at most limit.px on its longest side, with its Exif block, so
// that it is shown upright, and its colour profile. A few rows are in memory at a time. False: there is nothing better
// than the file as it is (no JPEG, damaged, small enough, not smaller as bytes, or so made that the whole picture would
// have to be in memory), or `out` takes no more. What `out` then has is waste.
bool reduce_photo(int in, int out, const PhotoLimit& limit);

}  // namespace gridward::device
