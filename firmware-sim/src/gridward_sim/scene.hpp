// Drawn street scenes, so that a demo needs nobody's photographs. The same seed draws the same street; `problem` says
// what is wrong in it, and drawing it again without shows the place after it was mended. No EXIF is written.
#pragma once

#include <cstdint>
#include <gridward/shared/error.hpp>
#include <string>
#include <vector>

namespace gridward::sim {

enum class Problem { none, litter, manhole, pothole, dark_lamp, puddle, parking, stall };

struct SceneOptions {
  int width = 4000;  // 64 to 8000
  int height = 3000;
  std::uint64_t seed = 1;
  Problem problem = Problem::none;
  int quality = 88;
};

// The whole JPEG file. Thread-safe.
std::vector<std::uint8_t> draw_scene(const SceneOptions& options);
// camera_failed when it cannot be written.
Result<void> write_scene(const std::string& path, const SceneOptions& options);

}  // namespace gridward::sim
