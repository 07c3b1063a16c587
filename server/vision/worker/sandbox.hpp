// The walls around the decoders. What they stop is listed in docs/adr/0003-photo-worker.md.
#pragma once

#include <string>

namespace gridward::vision {

// True in builds whose sanitizer needs its own memory map and system calls: no memory limit, no filter.
bool is_sanitizer_build();

// Limits on memory, file size, descriptors; no core file, no new privileges. Empty text: done; else what failed.
std::string limit_resources();

// From here on: no file can be opened, no socket made, no program or thread started, no memory made executable.
// Empty text: done; else what failed.
std::string confine_system_calls();

}  // namespace gridward::vision
