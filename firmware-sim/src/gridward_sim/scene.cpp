#include <algorithm>
#include <cmath>
#include <cstdio>
// After cstdio, which it needs.
#include <jpeglib.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <gridward_sim/random.hpp>
#include <gridward_sim/scene.hpp>
#include <numbers>

namespace gridward::sim {
namespace {

struct Colour {
  float r = 0, g = 0, b = 0;
};
Colour operator*(Colour c, float k) { return {c.r * k, c.g * k, c.b * k}; }
Colour mix(Colour a, Colour b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

struct Point {
  float x = 0, y = 0;
};

std::uint32_t hash(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  std::uint32_t h = x * 0x85EBCA6BU ^ y * 0xC2B2AE35U ^ seed * 0x27D4EB2FU;
  h ^= h >> 15;
  h *= 0x2C1B3C6DU;
  h ^= h >> 12;
  h *= 0x297A2D39U;
  return h ^ (h >> 15);
}
float grain(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  return static_cast<float>(hash(x, y, seed) & 0xFFFF) / 32768.0F - 1;
}

// Smooth noise of about one bump a unit, -1 to 1.
float noise(float x, float y, std::uint32_t seed) {
  const float fx = std::floor(x);
  const float fy = std::floor(y);
  const auto ix = static_cast<std::uint32_t>(static_cast<std::int32_t>(fx));
  const auto iy = static_cast<std::uint32_t>(static_cast<std::int32_t>(fy));
  const float tx = (x - fx) * (x - fx) * (3 - 2 * (x - fx));
  const float ty = (y - fy) * (y - fy) * (3 - 2 * (y - fy));
  const float top = grain(ix, iy, seed) + (grain(ix + 1, iy, seed) - grain(ix, iy, seed)) * tx;
  const float low = grain(ix, iy + 1, seed) + (grain(ix + 1, iy + 1, seed) - grain(ix, iy + 1, seed)) * tx;
  return top + (low - top) * ty;
}
// Three octaves of it, from a table that is made once: millions of pixels ask. The seed shifts the table.
class Clouds {
 public:
  Clouds() : cells_(kSide * kSide) {
    for (std::uint32_t y = 0; y < kSide; ++y) {
      for (std::uint32_t x = 0; x < kSide; ++x) {
        cells_[y * kSide + x] = octave(x, y, 1, 1) * 0.55F + octave(x, y, 2, 2) * 0.3F + octave(x, y, 4, 3) * 0.15F;
      }
    }
  }
  float at(float x, float y, std::uint32_t seed) const {
    const float u = x * kCellsPerUnit + static_cast<float>(hash(seed, 1, 0) % kSide);
    const float v = y * kCellsPerUnit + static_cast<float>(hash(seed, 2, 0) % kSide);
    const float fu = std::floor(u);
    const float fv = std::floor(v);
    const auto iu = static_cast<std::uint32_t>(static_cast<std::int32_t>(fu)) % kSide;
    const auto iv = static_cast<std::uint32_t>(static_cast<std::int32_t>(fv)) % kSide;
    const std::uint32_t ju = (iu + 1) % kSide;
    const float* row = cells_.data() + iv * kSide;
    const float* next = cells_.data() + (iv + 1) % kSide * kSide;
    const float tu = u - fu;
    const float top = row[iu] + (row[ju] - row[iu]) * tu;
    const float low = next[iu] + (next[ju] - next[iu]) * tu;
    return top + (low - top) * (v - fv);
  }

 private:
  static constexpr std::uint32_t kSide = 512;  // a power of two; the table repeats
  static constexpr float kCellsPerUnit = 16;

  // Smooth noise of `bumps` bumps a unit that fits together at the table's edges.
  static float octave(std::uint32_t x, std::uint32_t y, std::uint32_t bumps, std::uint32_t seed) {
    const std::uint32_t cells = static_cast<std::uint32_t>(kCellsPerUnit) / bumps;
    const std::uint32_t period = kSide / cells;
    const std::uint32_t ix = x / cells;
    const std::uint32_t iy = y / cells;
    const auto smooth = [cells](std::uint32_t i) {
      const float t = static_cast<float>(i % cells) / static_cast<float>(cells);
      return t * t * (3 - 2 * t);
    };
    const float tx = smooth(x);
    const float ty = smooth(y);
    const auto g = [&](std::uint32_t gx, std::uint32_t gy) { return grain(gx % period, gy % period, seed); };
    const float top = g(ix, iy) + (g(ix + 1, iy) - g(ix, iy)) * tx;
    const float low = g(ix, iy + 1) + (g(ix + 1, iy + 1) - g(ix, iy + 1)) * tx;
    return top + (low - top) * ty;
  }

  std::vector<float> cells_;
};

float cloudy(float x, float y, std::uint32_t seed) {
  static const Clouds clouds;
  return clouds.at(x, y, seed);
}

class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width),
        height_(height),
        pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {}
  int width() const { return width_; }
  int height() const { return height_; }
  std::uint8_t* row(int y) {
    return pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) * 3;
  }

  void put(int x, int y, Colour c, float cover) {
    std::uint8_t* p = row(y) + static_cast<std::ptrdiff_t>(x) * 3;
    const auto blend = [cover](std::uint8_t under, float over) {
      const float value =
          static_cast<float>(under) + (std::clamp(over, 0.0F, 1.0F) * 255 - static_cast<float>(under)) * cover;
      return static_cast<std::uint8_t>(value + 0.5F);
    };
    p[0] = blend(p[0], c.r);
    p[1] = blend(p[1], c.g);
    p[2] = blend(p[2], c.b);
  }

  // Coordinates 0 to 1 across the width; y counts in widths, too, so that circles are round. Shade: (x, y) -> colour.
  template <class Shade>
  void polygon(const std::vector<Point>& outline, Shade shade, float opacity = 1) {
    constexpr int kRows = 4;  // sub-scanlines
    const auto scale = static_cast<float>(width_);
    float top = outline[0].y;
    float bottom = outline[0].y;
    for (const auto& p : outline) {
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
    const int from = std::max(0, static_cast<int>(std::floor(top * scale)));
    const int to = std::min(height_ - 1, static_cast<int>(std::floor(bottom * scale)));
    std::vector<float> cover(static_cast<std::size_t>(width_) + 1);
    std::vector<float> crossings;
    for (int y = from; y <= to; ++y) {
      int left = width_;
      int right = -1;
      for (int sub = 0; sub < kRows; ++sub) {
        const float line = (static_cast<float>(y) + (static_cast<float>(sub) + 0.5F) / kRows) / scale;
        crossings.clear();
        for (std::size_t i = 0; i < outline.size(); ++i) {
          const auto& a = outline[i];
          const auto& b = outline[(i + 1) % outline.size()];
          if ((a.y <= line) == (b.y <= line)) continue;
          crossings.push_back((a.x + (line - a.y) / (b.y - a.y) * (b.x - a.x)) * scale);
        }
        std::sort(crossings.begin(), crossings.end());
        for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
          const float begin = std::clamp(crossings[i], 0.0F, scale);
          const float end = std::clamp(crossings[i + 1], 0.0F, scale);
          if (end <= begin) continue;
          const int first = static_cast<int>(begin);
          const int last = std::min(width_ - 1, static_cast<int>(end));
          left = std::min(left, first);
          right = std::max(right, last);
          for (int x = first; x <= last; ++x) {
            const float part = std::min(end, static_cast<float>(x + 1)) - std::max(begin, static_cast<float>(x));
            cover[static_cast<std::size_t>(x)] += std::max(0.0F, part) / kRows;
          }
        }
      }
      for (int x = left; x <= right; ++x) {
        auto& part = cover[static_cast<std::size_t>(x)];
        if (part > 0) {
          put(x, y, shade((static_cast<float>(x) + 0.5F) / scale, (static_cast<float>(y) + 0.5F) / scale),
              std::min(1.0F, part) * opacity);
        }
        part = 0;
      }
    }
  }
  template <class Shade>
  void ellipse(Point centre, float rx, float ry, Shade shade, float opacity = 1, float ragged = 0,
               std::uint32_t seed = 0) {
    std::vector<Point> outline;
    const int corners = rx * static_cast<float>(width_) > 200 ? 96 : 40;
    for (int i = 0; i < corners; ++i) {
      const float angle = 2 * std::numbers::pi_v<float> * static_cast<float>(i) / static_cast<float>(corners);
      const float r = 1 + ragged * noise(std::cos(angle) * 3, std::sin(angle) * 3, seed);
      outline.push_back({centre.x + rx * r * std::cos(angle), centre.y + ry * r * std::sin(angle)});
    }
    polygon(outline, shade, opacity);
  }
  template <class Shade>
  void box(float x0, float y0, float x1, float y1, Shade shade, float opacity = 1) {
    polygon({{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, shade, opacity);
  }

 private:
  int width_;
  int height_;
  std::vector<std::uint8_t> pixels_;
};

// One street in one-point perspective. Ground coordinates: across (m, right of the middle), away (m from the camera).
class Street {
 public:
  Street(Canvas& canvas, const SceneOptions& options)
      : canvas_(canvas),
        random_(options.seed * 2654435761ULL + 17),
        seed_(static_cast<std::uint32_t>(options.seed * 40503 + 7)),
        problem_(options.problem),
        tall_(static_cast<float>(canvas.height()) / static_cast<float>(canvas.width())) {
    horizon_ = tall_ * static_cast<float>(random_.between(0.36, 0.46));
    vanish_ = static_cast<float>(random_.between(0.38, 0.62));
    half_road_ = static_cast<float>(random_.between(3.2, 5.5));
    walk_ = static_cast<float>(random_.between(2.0, 3.6));
    sun_ = static_cast<float>(random_.between(0.75, 1.08));
    warm_ = static_cast<float>(random_.between(-0.04, 0.06));
  }

  void draw() {
    sky();
    ground();
    buildings(-1);
    buildings(1);
    for (float away = 46; away > 5.5F; away -= static_cast<float>(random_.between(6, 9))) {
      if (random_.chance(0.85)) tree(-1, away);
      if (random_.chance(0.85)) tree(1, away + 2);
      if (random_.chance(0.45)) lamp(random_.chance(0.5) ? -1 : 1, away + 3, false);
      if (random_.chance(0.3)) car(random_.chance(0.5) ? -1.0F : 1.0F, away, half_road_ - 1.1F);
    }
    if (random_.chance(0.8)) bin(-1, static_cast<float>(random_.between(7, 12)));
    if (random_.chance(0.8)) bin(1, static_cast<float>(random_.between(7, 14)));
    manhole(static_cast<float>(random_.between(-1.5, 1.5)), static_cast<float>(random_.between(5.2, 6.6)));
    wrong();
    finish();
  }

 private:
  static constexpr float kEye = 1.55F;    // m above the road
  static constexpr float kFocal = 0.92F;  // in widths

  Point at(float across, float away, float up = 0) const {
    return {vanish_ + kFocal * across / away, horizon_ + kFocal * (kEye - up) / away};
  }
  // Where on the ground a point of the picture below the horizon is.
  Point ground_of(float x, float y) const {
    const float away = kFocal * kEye / std::max(1e-4F, y - horizon_);
    return {(x - vanish_) * away / kFocal, away};
  }
  Colour lit(Colour c, float away) const {
    // Far things fade into the haze.
    const Colour haze{0.74F, 0.79F, 0.84F};
    return mix({c.r * sun_ + warm_, c.g * sun_, c.b * sun_ - warm_}, haze, std::clamp(away / 140, 0.0F, 0.7F));
  }
  auto plain(Colour c, float away) const {
    const Colour shown = lit(c, away);
    return [shown](float, float) { return shown; };
  }
  auto rough(Colour c, float away, float amount, float scale) const {
    const Colour shown = lit(c, away);
    const auto seed = seed_;
    return [=](float x, float y) { return shown * (1 + amount * cloudy(x * scale, y * scale, seed)); };
  }

  void sky() {
    const Colour high = mix({0.36F, 0.56F, 0.85F}, {0.72F, 0.75F, 0.79F}, static_cast<float>(random_.unit()));
    const Colour low = mix({0.78F, 0.86F, 0.94F}, {0.86F, 0.86F, 0.86F}, static_cast<float>(random_.unit()));
    const auto cover = static_cast<float>(random_.between(-0.25, 0.35));
    canvas_.box(0, 0, 1, horizon_ + 0.01F, [&](float x, float y) {
      const Colour clear = mix(high, low, std::clamp(y / horizon_, 0.0F, 1.0F));
      const float stretch = 1 + 2 * y / horizon_;
      const float cloud = std::clamp(cloudy(x * 5, y * 7 * stretch, seed_ + 9) * 1.6F + cover, 0.0F, 1.0F);
      return mix(clear, {0.95F, 0.95F, 0.96F}, cloud * 0.85F) * sun_;
    });
  }

  void ground() {
    const Colour asphalt = mix({0.30F, 0.30F, 0.31F}, {0.42F, 0.41F, 0.40F}, static_cast<float>(random_.unit()));
    const Colour slab = mix({0.62F, 0.58F, 0.54F}, {0.55F, 0.56F, 0.58F}, static_cast<float>(random_.unit()));
    const Colour grass{0.33F, 0.42F, 0.22F};
    const bool green = random_.chance(0.5);
    const bool middle_line = random_.chance(0.7);
    canvas_.box(0, horizon_, 1, tall_, [&](float x, float y) {
      const Point g = ground_of(x, y);
      const float side = std::fabs(g.x);
      Colour c;
      if (side < half_road_) {
        // Fine stones near by, patches further on, the tracks of wheels a little darker.
        const float stones =
            g.y < 18 ? grain(static_cast<std::uint32_t>((g.x + 50) * 90), static_cast<std::uint32_t>(g.y * 90), seed_) *
                           0.09F
                     : 0;
        const float patches = cloudy(g.x * 0.7F, g.y * 0.35F, seed_ + 3) * 0.16F;
        const float wheels = -0.05F * std::exp(-std::pow((std::fabs(side - half_road_ / 2) - 0.8F) * 2.2F, 2.0F));
        c = asphalt * (1 + stones + patches + wheels);
        const bool dash = std::fmod(g.y, 6.0F) < 3.2F;
        if (middle_line && side < 0.08F && dash) c = mix(c, {0.88F, 0.87F, 0.80F}, 0.85F);
        if (side > half_road_ - 0.42F && side < half_road_ - 0.30F) c = mix(c, {0.85F, 0.85F, 0.82F}, 0.8F);
        if (side > half_road_ - 0.25F) c = c * 0.82F;  // the gutter
      } else if (side < half_road_ + 0.18F) {
        c = Colour{0.70F, 0.69F, 0.67F} *
            (std::fmod(g.y, 1.0F) < 0.04F ? 0.7F : 1.0F + 0.06F * cloudy(g.x * 6, g.y * 6, seed_));
      } else if (side < half_road_ + walk_) {
        const float row = std::floor(g.y / 0.4F);
        const float shift = std::fmod(row, 2.0F) * 0.2F;
        const bool joint = std::fmod(g.y, 0.4F) < 0.03F || std::fmod(side + shift, 0.4F) < 0.025F;
        const float tint =
            grain(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>((side + shift) / 0.4F), seed_ + 5) *
            0.06F;
        const bool tactile = std::fabs(side - half_road_ - walk_ * 0.45F) < 0.2F;
        c = (tactile ? Colour{0.76F, 0.65F, 0.30F} : slab) * (1 + tint + 0.06F * cloudy(g.x * 3, g.y * 3, seed_ + 6));
        if (joint && g.y < 25) c = c * 0.74F;
      } else {
        c = green ? grass * (1 + 0.35F * cloudy(g.x * 5, g.y * 5, seed_ + 7))
                  : slab * (0.86F + 0.08F * cloudy(g.x, g.y, seed_ + 8));
      }
      return lit(c, g.y);
    });
  }

  void buildings(float side) {
    static constexpr Colour kWalls[] = {{0.80F, 0.72F, 0.60F}, {0.70F, 0.42F, 0.33F}, {0.86F, 0.84F, 0.80F},
                                        {0.62F, 0.65F, 0.68F}, {0.78F, 0.62F, 0.48F}, {0.88F, 0.80F, 0.66F},
                                        {0.56F, 0.60F, 0.56F}};
    const float face = side * (half_road_ + walk_ + static_cast<float>(random_.between(1.0, 4.5)));
    std::vector<std::pair<float, float>> blocks;
    for (float away = 3; away < 90;) {
      const auto deep = static_cast<float>(random_.between(8, 20));
      blocks.emplace_back(away, away + deep);
      away += deep + (random_.chance(0.3) ? static_cast<float>(random_.between(1, 6)) : 0);
    }
    std::reverse(blocks.begin(), blocks.end());
    for (const auto& [near, far] : blocks) {
      const int floors = 1 + random_.below(random_.chance(0.4) ? 7 : 4);
      const float storey = 3.1F;
      const float high = storey * static_cast<float>(floors) + 0.5F;
      const Colour wall = kWalls[random_.below(7)];
      const auto shade_seed = static_cast<std::uint32_t>(random_.next());
      const float shadow = side < 0 ? 1.0F : 0.84F;
      // The front that looks at the road.
      const Colour front = wall * shadow;
      canvas_.polygon({at(face, near), at(face, far), at(face, far, high), at(face, near, high)},
                      rough(front, near, 0.12F, 60));
      // The end wall that looks at us.
      const float back = face + side * 14;
      canvas_.polygon({at(face, near), at(back, near), at(back, near, high), at(face, near, high)},
                      rough(wall * 0.78F, near, 0.1F, 40));
      const bool shop = random_.chance(0.45);
      const auto bay = static_cast<float>(random_.between(2.2, 3.4));
      for (int floor = 0; floor < floors; ++floor) {
        const float base = storey * static_cast<float>(floor);
        for (float away = near + 0.8F; away + bay * 0.6F < far; away += bay) {
          const auto one = hash(static_cast<std::uint32_t>(floor), static_cast<std::uint32_t>(away * 10), shade_seed);
          const float to = away + bay * 0.55F;
          const bool ground_floor = floor == 0;
          const float low = ground_floor ? (shop ? 0.1F : 0.9F) : base + 0.95F;
          const float top = base + (ground_floor && shop ? 2.4F : 2.35F);
          const float glass = static_cast<float>(one % 100) / 100;
          const Colour pane = ground_floor && shop && one % 3 == 0
                                  ? Colour{0.46F, 0.48F, 0.50F}
                                  : mix({0.16F, 0.21F, 0.27F}, {0.55F, 0.66F, 0.76F}, glass * glass);
          canvas_.polygon({at(face, away - 0.08F, low - 0.08F), at(face, to + 0.08F, low - 0.08F),
                           at(face, to + 0.08F, top + 0.08F), at(face, away - 0.08F, top + 0.08F)},
                          plain({0.90F, 0.90F, 0.88F}, away));
          canvas_.polygon({at(face, away, low), at(face, to, low), at(face, to, top), at(face, away, top)},
                          rough(pane, away, 0.25F, 25));
          if (!ground_floor && one % 7 == 0) {  // an air conditioner
            canvas_.polygon(
                {at(face - side * 0.35F, away, base + 0.3F), at(face - side * 0.35F, away + 0.8F, base + 0.3F),
                 at(face - side * 0.35F, away + 0.8F, base + 0.85F), at(face - side * 0.35F, away, base + 0.85F)},
                plain({0.86F, 0.86F, 0.84F}, away));
          }
        }
        if (floor == 0 && shop) {
          const Colour sign = mix({0.75F, 0.14F, 0.12F}, {0.12F, 0.34F, 0.62F}, static_cast<float>(shade_seed % 5) / 4);
          canvas_.polygon({at(face - side * 0.1F, near + 0.5F, 2.55F), at(face - side * 0.1F, far - 0.5F, 2.55F),
                           at(face - side * 0.1F, far - 0.5F, 3.15F), at(face - side * 0.1F, near + 0.5F, 3.15F)},
                          plain(sign, near));
        }
      }
      // A ledge under the sky.
      canvas_.polygon({at(face - side * 0.3F, near, high), at(face - side * 0.3F, far, high),
                       at(face - side * 0.3F, far, high + 0.4F), at(face - side * 0.3F, near, high + 0.4F)},
                      plain(wall * 0.62F, near));
    }
  }

  void shadow(float across, float away, float rx, float rz, float strength) {
    const Point p = at(across, away, 0.0F);
    canvas_.ellipse(p, kFocal * rx / away, kFocal * kEye / away - kFocal * kEye / (away + rz),
                    plain({0.08F, 0.08F, 0.10F}, 0), strength);
  }

  void tree(float side, float away) {
    const float across = side * (half_road_ + 0.9F);
    const auto high = static_cast<float>(random_.between(3.2, 5.4));
    const Colour leaf = mix({0.16F, 0.33F, 0.12F}, {0.42F, 0.47F, 0.17F}, static_cast<float>(random_.unit()));
    shadow(across, away, 1.5F, 1.1F, 0.35F);
    canvas_.polygon({at(across - 0.14F, away), at(across + 0.14F, away), at(across + 0.08F, away, high * 0.65F),
                     at(across - 0.08F, away, high * 0.65F)},
                    rough({0.33F, 0.26F, 0.20F}, away, 0.35F, 180));
    for (int i = 0; i < 26; ++i) {
      const float spread = 1.25F;
      const float dx = static_cast<float>(random_.normal()) * spread * 0.5F;
      const float dy = static_cast<float>(random_.normal()) * 0.65F;
      const auto r = static_cast<float>(random_.between(0.35, 0.75));
      // Lower clumps are in the shade of the upper ones.
      const float bright = 0.72F + 0.30F * (dy + 1.2F) / 2.4F + 0.12F * static_cast<float>(random_.unit());
      canvas_.ellipse(at(across + dx, away, high + dy), kFocal * r / away, kFocal * r * 0.85F / away,
                      rough(leaf * bright, away, 0.55F, 900 / away), 0.92F, 0.22F,
                      seed_ + static_cast<std::uint32_t>(i));
    }
  }

  void lamp(float side, float away, bool dark) {
    const float across = side * (half_road_ + 0.45F);
    const Colour pole{0.48F, 0.50F, 0.52F};
    canvas_.polygon({at(across - 0.06F, away), at(across + 0.06F, away), at(across + 0.04F, away, 6.2F),
                     at(across - 0.04F, away, 6.2F)},
                    plain(pole, away));
    const float over = across - side * 1.3F;
    canvas_.polygon({at(across, away, 6.2F), at(across, away, 6.1F), at(over, away, 6.4F), at(over, away, 6.5F)},
                    plain(pole, away));
    if (dark) {
      // The head hangs from its wire, its glass gone.
      canvas_.polygon({at(over - 0.02F, away, 6.45F), at(over + 0.02F, away, 6.45F), at(over + 0.02F, away, 5.6F),
                       at(over - 0.02F, away, 5.6F)},
                      plain({0.1F, 0.1F, 0.1F}, away));
      canvas_.polygon({at(over - 0.35F, away, 5.75F), at(over + 0.22F, away, 5.5F), at(over + 0.30F, away, 5.3F),
                       at(over - 0.30F, away, 5.5F)},
                      plain({0.16F, 0.16F, 0.17F}, away));
    } else {
      canvas_.ellipse(at(over, away, 6.4F), kFocal * 0.38F / away, kFocal * 0.11F / away,
                      plain({0.93F, 0.93F, 0.86F}, away));
    }
  }

  void bin(float side, float away) {
    const float across = side * (half_road_ + walk_ - 0.4F);
    const Colour body = random_.chance(0.5) ? Colour{0.16F, 0.40F, 0.25F} : Colour{0.20F, 0.33F, 0.52F};
    for (int i = 0; i < 2; ++i) {
      const float x = across + side * 0.7F * static_cast<float>(i);
      shadow(x, away, 0.45F, 0.3F, 0.4F);
      canvas_.polygon(
          {at(x - 0.27F, away), at(x + 0.27F, away), at(x + 0.31F, away, 0.98F), at(x - 0.31F, away, 0.98F)},
          rough(body, away, 0.12F, 70));
      canvas_.polygon({at(x - 0.34F, away, 0.96F), at(x + 0.34F, away, 0.96F), at(x + 0.30F, away, 1.08F),
                       at(x - 0.30F, away, 1.08F)},
                      plain(body * 0.7F, away));
    }
  }

  void car(float side, float away, float across) {
    static constexpr Colour kPaint[] = {{0.85F, 0.85F, 0.86F},
                                        {0.13F, 0.14F, 0.16F},
                                        {0.55F, 0.12F, 0.12F},
                                        {0.25F, 0.33F, 0.46F},
                                        {0.60F, 0.61F, 0.63F}};
    const Colour paint = kPaint[random_.below(5)];
    const float x = side * across;
    shadow(x, away, 1.05F, 0.8F, 0.5F);
    for (const float wheel : {-0.68F, 0.68F}) {
      canvas_.polygon({at(x + wheel - 0.11F, away), at(x + wheel + 0.11F, away), at(x + wheel + 0.11F, away, 0.5F),
                       at(x + wheel - 0.11F, away, 0.5F)},
                      plain({0.07F, 0.07F, 0.08F}, away));
    }
    canvas_.polygon({at(x - 0.86F, away, 0.28F), at(x + 0.86F, away, 0.28F), at(x + 0.88F, away, 0.78F),
                     at(x + 0.66F, away, 0.92F), at(x - 0.66F, away, 0.92F), at(x - 0.88F, away, 0.78F)},
                    rough(paint, away, 0.06F, 30));
    canvas_.polygon({at(x - 0.70F, away, 0.90F), at(x + 0.70F, away, 0.90F), at(x + 0.55F, away, 1.42F),
                     at(x - 0.55F, away, 1.42F)},
                    plain(paint * 0.9F, away));
    canvas_.polygon({at(x - 0.60F, away, 0.95F), at(x + 0.60F, away, 0.95F), at(x + 0.49F, away, 1.36F),
                     at(x - 0.49F, away, 1.36F)},
                    rough({0.24F, 0.31F, 0.37F}, away, 0.3F, 20));
    for (const float light : {-0.66F, 0.66F}) {
      canvas_.ellipse(at(x + light, away, 0.68F), kFocal * 0.13F / away, kFocal * 0.07F / away,
                      plain({0.72F, 0.10F, 0.08F}, away));
    }
    canvas_.box(at(x - 0.22F, away).x, at(x, away, 0.60F).y, at(x + 0.22F, away).x, at(x, away, 0.46F).y,
                plain({0.14F, 0.30F, 0.68F}, away));
  }

  void manhole(float across, float away) {
    place_ = {across, away};
    const float rx = kFocal * 0.38F / away;
    const float ry = kFocal * kEye / (away - 0.38F) - kFocal * kEye / away;
    const Point c = at(across, away);
    canvas_.ellipse(c, rx * 1.16F, ry * 1.16F, rough({0.46F, 0.45F, 0.43F}, away, 0.2F, 60));
    if (problem_ == Problem::manhole) {
      canvas_.ellipse(c, rx, ry, [&](float, float y) {
        return Colour{0.03F, 0.03F, 0.04F} * (1 + std::max(0.0F, (c.y - y) / ry) * 4);
      });
      // The lid lies beside it.
      const Point lid = at(across + 0.95F, away + 0.15F);
      canvas_.ellipse(lid, rx, ry * 0.9F, lid_shade(lid, rx, ry, away));
      return;
    }
    canvas_.ellipse(c, rx, ry, lid_shade(c, rx, ry, away));
  }
  std::function<Colour(float, float)> lid_shade(Point c, float rx, float ry, float away) const {
    const Colour iron = lit({0.27F, 0.26F, 0.25F}, away);
    return [=](float x, float y) {
      const float u = (x - c.x) / rx;
      const float v = (y - c.y) / ry;
      const bool raised = (static_cast<int>((u + 2) * 7) + static_cast<int>((v + 2) * 7)) % 2 == 0;
      const float ring = std::sqrt(u * u + v * v);
      return iron * (ring > 0.86F ? 1.3F : raised ? 1.15F : 0.85F);
    };
  }

  void wrong() {
    const float across = place_.x;
    // On the side with more room in the picture, and as far away as it takes to be in it.
    const float side = vanish_ < 0.5F ? 1.0F : -1.0F;
    const auto in_view = [](float x) { return std::max(5.0F, kFocal * std::fabs(x) / 0.33F); };
    switch (problem_) {
      case Problem::litter: {
        const float x0 = side * (half_road_ + 0.3F);
        const float begin = in_view(x0);
        for (int i = 0; i < 90; ++i) {
          const auto x = x0 + static_cast<float>(random_.normal()) * 0.7F;
          const auto away = begin + static_cast<float>(std::fabs(random_.normal())) * 1.6F;
          const auto size = static_cast<float>(random_.between(0.10, 0.48));
          static constexpr Colour kThings[] = {{0.93F, 0.93F, 0.92F}, {0.10F, 0.10F, 0.11F}, {0.72F, 0.55F, 0.34F},
                                               {0.20F, 0.42F, 0.70F}, {0.78F, 0.20F, 0.18F}, {0.35F, 0.55F, 0.25F}};
          canvas_.ellipse(at(x, away, size * 0.5F), kFocal * size / away, kFocal * size * 0.62F / away,
                          rough(kThings[random_.below(6)], away, 0.4F, 120), 1, 0.5F,
                          static_cast<std::uint32_t>(random_.next()));
        }
        break;
      }
      case Problem::pothole:
        for (int i = 0; i < 3; ++i) {
          const auto x = static_cast<float>(random_.between(-1.6, 1.6));
          const auto away = static_cast<float>(random_.between(4.6, 7.2));
          const auto size = static_cast<float>(random_.between(0.35, 0.8));
          const float ry = (kFocal * kEye / (away - size) - kFocal * kEye / away) * 0.8F;
          const auto shape = static_cast<std::uint32_t>(random_.next());
          canvas_.ellipse(at(x, away), kFocal * size * 1.15F / away, ry * 1.15F,
                          rough({0.36F, 0.33F, 0.29F}, away, 0.5F, 90), 1, 0.35F, shape);
          canvas_.ellipse(at(x, away), kFocal * size / away, ry, rough({0.15F, 0.13F, 0.12F}, away, 0.6F, 70), 1, 0.35F,
                          shape);
        }
        break;
      case Problem::dark_lamp:
        lamp(side, 17, true);
        break;
      case Problem::puddle:
        canvas_.ellipse(
            at(across, 6.2F), 0.22F, 0.035F,
            [&](float x, float y) {
              return lit(
                  mix({0.34F, 0.40F, 0.47F}, {0.75F, 0.80F, 0.86F}, 0.5F + 0.5F * cloudy(x * 9, y * 40, seed_ + 31)),
                  6);
            },
            0.9F, 0.4F, seed_ + 30);
        break;
      case Problem::parking:
        for (int i = 0; i < 3; ++i) car(side, 20.0F - 3.0F * static_cast<float>(i), half_road_ + walk_ * 0.5F);
        break;
      case Problem::stall: {
        const float x = side * (half_road_ + walk_ * 0.4F);
        const float away = in_view(x);
        canvas_.polygon({at(x - 1.3F, away), at(x + 1.3F, away), at(x + 1.3F, away, 0.8F), at(x - 1.3F, away, 0.8F)},
                        rough({0.52F, 0.38F, 0.25F}, away, 0.2F, 60));
        for (int i = 0; i < 40; ++i) {
          static constexpr Colour kFruit[] = {{0.85F, 0.25F, 0.15F}, {0.93F, 0.63F, 0.14F}, {0.45F, 0.62F, 0.20F}};
          canvas_.ellipse(at(x + static_cast<float>(random_.between(-1.2, 1.2)), away,
                             static_cast<float>(random_.between(0.82, 1.02))),
                          0.009F, 0.009F, plain(kFruit[random_.below(3)], away));
        }
        for (int i = 0; i < 6; ++i) {
          const float left = x - 1.6F + 0.53F * static_cast<float>(i);
          canvas_.polygon(
              {at(left, away, 2.0F), at(left + 0.53F, away, 2.0F), at(left + 0.53F, away, 2.5F), at(left, away, 2.5F)},
              plain(i % 2 == 0 ? Colour{0.80F, 0.16F, 0.14F} : Colour{0.93F, 0.92F, 0.90F}, away));
        }
        break;
      }
      case Problem::manhole:
      case Problem::none:
        break;
    }
  }

  // What a small camera adds: darker corners and a little noise.
  void finish() {
    const auto wide = static_cast<float>(canvas_.width());
    const auto high = static_cast<float>(canvas_.height());
    for (int y = 0; y < canvas_.height(); ++y) {
      auto* p = canvas_.row(y);
      const float v = static_cast<float>(y) / high - 0.5F;
      for (int x = 0; x < canvas_.width(); ++x, p += 3) {
        const float u = static_cast<float>(x) / wide - 0.5F;
        const float dim = 1 - 0.35F * (u * u + v * v);
        const float speck = grain(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), seed_ + 77) * 3.0F;
        for (int k = 0; k < 3; ++k) {
          p[k] = static_cast<std::uint8_t>(std::clamp(static_cast<float>(p[k]) * dim + speck, 0.0F, 255.0F));
        }
      }
    }
  }

  Canvas& canvas_;
  Random random_;
  std::uint32_t seed_;
  Problem problem_;
  float tall_;
  float horizon_ = 0;
  float vanish_ = 0;
  float half_road_ = 0;
  float walk_ = 0;
  float sun_ = 1;
  float warm_ = 0;
  Point place_;
};

std::vector<std::uint8_t> encode(Canvas& canvas, int quality) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);  // ends the process on a bug; compression of our own pixels has no other error
  jpeg_create_compress(&jpeg);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &buffer, &size);
  jpeg.image_width = static_cast<JDIMENSION>(canvas.width());
  jpeg.image_height = static_cast<JDIMENSION>(canvas.height());
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = canvas.row(static_cast<int>(jpeg.next_scanline));
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::vector<std::uint8_t> file(buffer, buffer + size);
  std::free(buffer);
  return file;
}

}  // namespace

std::vector<std::uint8_t> draw_scene(const SceneOptions& options) {
  Canvas canvas(std::clamp(options.width, 64, 8'000), std::clamp(options.height, 64, 8'000));
  Street(canvas, options).draw();
  return encode(canvas, options.quality);
}

Result<void> write_scene(const std::string& path, const SceneOptions& options) {
  const auto file = draw_scene(options);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  if (!out.flush()) return fail(ErrorCode::camera_failed, path, "cannot be written");
  return {};
}

}  // namespace gridward::sim
