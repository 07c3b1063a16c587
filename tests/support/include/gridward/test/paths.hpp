// Where the sources, the build and the data of others are. One compiled file knows it, so that a clean clone finds
// every other test in the compiler cache.
#pragma once

#include <filesystem>

namespace gridward::test {

std::filesystem::path source_dir();
// A program of this build: "server/main/gridward-server".
std::filesystem::path program(const char* below_build_dir);
// GRIDWARD_SHARED_DATA, else ../shared/data beside the checkout. May not be there: skip with a word then.
std::filesystem::path shared_data();

}  // namespace gridward::test
