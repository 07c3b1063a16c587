// What the likeness of two photos means for a reviewer. Flags, never a refusal (docs/adr/0011-photo-likeness.md tells
// how the limits were found). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gridward::domain {

enum class LikenessKind : std::uint8_t {
  reused,       // it is an earlier photo, or a part of one, once more
  other_place,  // an after-photo that shows nothing of what the before-photos show
  blurred,
  same_place,  // no flag: what speaks for an after-photo
};
std::string_view to_string(LikenessKind kind);

inline constexpr std::uint32_t kCopyLikeness = 960;        // of 1000, from here on: the same picture
inline constexpr std::uint32_t kOtherPlaceLikeness = 300;  // of 1000, below: nothing of the place is seen
inline constexpr double kBlurredSharpness = 40;            // variance of the Laplacian, below

// With the before-photo that it resembles most; nothing when that cannot be said.
constexpr std::optional<LikenessKind> judge_place(bool judged, std::uint32_t place) {
  if (!judged) return std::nullopt;
  return place < kOtherPlaceLikeness ? LikenessKind::other_place : LikenessKind::same_place;
}
constexpr bool is_copy(std::uint32_t copy) { return copy >= kCopyLikeness; }
constexpr bool is_blurred(double sharpness) { return sharpness < kBlurredSharpness; }

}  // namespace gridward::domain
