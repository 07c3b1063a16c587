// Drawn photographs of a street, for the simulated camera: something is wrong there, or the same place put right.
#pragma once

#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace gridward::sim {

enum class Subject : std::uint8_t {
  manhole,  // open, its cover beside it
  rubbish,  // a heap beside the bins
  lamp,     // bent, its head hanging
  parking,  // a car on the pavement
  leak,     // a burst pipe and its puddle
  tree,     // a branch across the pavement
};
std::span<const Subject> subjects();
std::string_view name_of(Subject subject);  // "manhole"
std::optional<Subject> subject_named(std::string_view name);

struct SceneOptions {
  std::uint64_t seed = 1;  // the place: the same seed has the same houses, trees and colours
  int width = 4000;        // as seen upright, 64 to 8192
  int height = 3000;
  Subject subject = Subject::manhole;
  bool repaired = false;  // the same place later, from nearly the same point, with the fault gone
  // Another visit to the place: from a step beside, aimed and zoomed a little otherwise, in other light and weather. 0
  // is the first, from where it was always drawn.
  std::uint32_t visit = 0;
  int quality = 90;          // of JPEG, 1 to 100; 4000x3000 at 90 is about 3 MB, as a phone's
  int exif_orientation = 0;  // 0: no EXIF; 1 to 8: EXIF with this value, the pixels stored turned accordingly
};

// A baseline JPEG, RGB photographed as YCbCr 4:2:0, the same bytes for the same options on one build of libjpeg.
// out_of_range names the field of the options. Thread-safe; takes 4 bytes a pixel, and under half a second of one core
// for 12 megapixels.
Result<Bytes> draw_scene(const SceneOptions& options);

}  // namespace gridward::sim
