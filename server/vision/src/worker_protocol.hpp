// What the server and its photo worker say to each other over one SOCK_SEQPACKET pair: the worker's descriptor 0.
// Both ends are built together and run on one machine, so a message is a struct. The worker decodes hostile bytes: the
// server believes nothing in an answer that it has not checked.
//   worker → WorkerReady, once, when its sandbox is closed
//   server → WorkerRequest with four descriptors (original to read; preview, thumbnail and description to write)
//   worker → WorkerAnswer
#pragma once

#include <cstdint>
#include <type_traits>

namespace gridward::vision {

inline constexpr std::uint32_t kProtocolMark = 0x47575602;  // "GWV", version 2
inline constexpr int kWorkerChannel = 0;
inline constexpr int kRequestDescriptors = 4;

struct WorkerReady {
  std::uint32_t mark;
  std::uint32_t confined;  // 1: the system call filter is in force
};

struct WorkerRequest {
  std::uint32_t mark;
  std::uint32_t unused;
  std::uint64_t size;  // of the original, bytes
};

struct WorkerAnswer {
  std::uint32_t mark;
  std::uint16_t code;   // 0: done; else an ErrorCode
  std::uint8_t format;  // PhotoFormat
  std::uint8_t orientation;
  std::uint32_t width;
  std::uint32_t height;
  std::uint32_t preview_width;
  std::uint32_t preview_height;
  std::uint32_t thumb_width;
  std::uint32_t thumb_height;
  std::uint64_t preview_bytes;
  std::uint64_t thumb_bytes;
  std::uint64_t description_bytes;
  double sharpness;
  double brightness;
  std::uint64_t likeness;
  std::uint32_t truncated;
  char detail[124];  // zero-terminated
};

static_assert(std::is_trivially_copyable_v<WorkerAnswer> && std::has_unique_object_representations_v<WorkerRequest>);

}  // namespace gridward::vision
