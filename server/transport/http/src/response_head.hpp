#pragma once

#include <chrono>
#include <cstdint>
#include <gridward/http/message.hpp>
#include <optional>
#include <string>

namespace gridward::http {

struct HeadOptions {
  bool keep_alive = true;
  bool tls = false;
  std::optional<std::uint64_t> content_length;  // absent: none is sent (streams, 204, 304)
  std::chrono::sys_seconds date{};
};
// Status line and headers up to the empty line. Adds what every answer carries unless the handler set it: nosniff, no
// frames, a content security policy that fits our own pages. Line breaks in values are dropped.
std::string response_head(const Response& response, const HeadOptions& options);

}  // namespace gridward::http
