#pragma once

#ifndef GRIDWARD_DEVICE_VERSION
#define GRIDWARD_DEVICE_VERSION "0.0.0"
#endif

namespace gridward::device {

inline constexpr const char* kVersion = GRIDWARD_DEVICE_VERSION;

}  // namespace gridward::device
