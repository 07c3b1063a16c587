// What is kept of a photo so that it can be compared with others without decoding either again: two hashes, a small
// grey picture, and up to 480 corners with what surrounds them. Made in the worker; read, searched and compared here in
// plain code. The bytes come out of a process that decodes hostile photos, so they are hostile, too. Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <vector>

namespace gridward::vision {

inline constexpr std::size_t kDescriptionBytes = 32 * 1024;
inline constexpr std::uint32_t kDescribedSide = 800;  // pixels of the longer side of the picture that is described
inline constexpr std::size_t kGridSide = 96;          // cells of the longer side of the small picture
inline constexpr std::size_t kMostCorners = 480;
inline constexpr std::uint8_t kOctaves = 8;
inline constexpr std::uint16_t kSubPixels = 32;  // of a corner's position

struct Corner {
  std::uint16_t x = 0;  // 1/kSubPixels pixels of the described picture
  std::uint16_t y = 0;
  std::uint8_t angle = 0;  // 256 are a turn
  std::uint8_t octave = 0;
  std::array<std::uint64_t, 4> bits{};  // ORB's 256
  bool operator==(const Corner&) const = default;
};

struct PhotoDescription {
  std::uint16_t width = 0;  // of the described picture, 1 to kDescribedSide
  std::uint16_t height = 0;
  std::uint8_t grid_width = 0;  // 1 to kGridSide
  std::uint8_t grid_height = 0;
  std::uint64_t likeness = 0;    // by the lowest frequencies
  std::uint64_t difference = 0;  // by which of two neighbours is brighter
  Bytes grid;                    // luma, by rows
  std::vector<Corner> corners;   // the strongest first
  bool operator==(const PhotoDescription&) const = default;
};

// At most kDescriptionBytes; what is over a limit is a bug of the caller's.
Bytes encode_description(const PhotoDescription& description);
// Only what encode_description gives, to the last byte. Error: malformed.
Result<PhotoDescription> parse_description(ByteView bytes);

// Under which the photo is looked for among all others: bands of both hashes, and words of its strongest corners. A
// copy, also a cut or compressed one, shares some with its original. Sorted, each once, at most kMostKeys, none
// negative.
inline constexpr std::size_t kMostKeys = 104;
std::vector<std::int64_t> keys_of(const PhotoDescription& description);

struct Likeness {
  std::uint32_t place = 0;    // 0..1000: how much of the same place both show
  std::uint32_t copy = 0;     // 0..1000: how much of `later` is the very picture `earlier`, or a part of it
  bool judged = false;        // false: one of the two shows too little (dark, blank, blurred) to say anything of places
  std::uint32_t corners = 0;  // that agree on one movement of the camera; what `place` is made of
};
// Deterministic; about a millisecond.
Likeness compare(const PhotoDescription& earlier, const PhotoDescription& later);

}  // namespace gridward::vision
