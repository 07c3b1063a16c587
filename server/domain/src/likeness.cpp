#include <gridward/domain/likeness.hpp>

namespace gridward::domain {

std::string_view to_string(LikenessKind kind) {
  switch (kind) {
    case LikenessKind::reused:
      return "reused";
    case LikenessKind::other_place:
      return "other_place";
    case LikenessKind::blurred:
      return "blurred";
    case LikenessKind::same_place:
      return "same_place";
  }
  return "";
}

}  // namespace gridward::domain
