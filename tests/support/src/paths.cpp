#include <cstdlib>
#include <gridward/test/paths.hpp>

namespace gridward::test {

std::filesystem::path source_dir() { return GRIDWARD_SOURCE_DIR; }

std::filesystem::path program(const char* below_build_dir) {
  return std::filesystem::path(GRIDWARD_BINARY_DIR) / below_build_dir;
}

std::filesystem::path shared_data() {
  if (const char* given = std::getenv("GRIDWARD_SHARED_DATA")) return given;
  return source_dir() / ".." / "shared" / "data";
}

}  // namespace gridward::test
