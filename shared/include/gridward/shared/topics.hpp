#pragma once

#include <string>
#include <string_view>

#include <gridward/shared/error.hpp>

namespace gridward {

enum class TopicKind { up, media, down };
struct Topic {
  TopicKind kind = TopicKind::up;
  std::string town;    // division code, the partition key
  std::string device;  // 1 to 64 of [A-Za-z0-9_-]
  bool operator==(const Topic&) const = default;
};

std::string to_string(const Topic& topic);             // "gridward/1/up/120116115/hh-0001"
Result<Topic> topic_from_string(std::string_view text);  // malformed, unsupported_version
bool valid_device_id(std::string_view id);

}  // namespace gridward
