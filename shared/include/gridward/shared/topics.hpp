#pragma once

#include <gridward/shared/error.hpp>
#include <string>
#include <string_view>

namespace gridward {

enum class TopicKind { up, media, down };
struct Topic {
  TopicKind kind = TopicKind::up;
  std::string town;    // division code of 6, 9 or 12 digits, the partition key
  std::string device;  // 1 to 64 of [A-Za-z0-9_-]
  bool operator==(const Topic&) const = default;
};

std::string to_string(const Topic& topic);                        // "gridward/1/up/120116115/hh-0001"
Result<Topic> topic_from_string(std::string_view text);           // malformed, unsupported_version
std::string topic_filter(TopicKind kind, std::string_view town);  // "gridward/1/up/120116115/+": all its devices
bool valid_town(std::string_view town);
bool valid_device_id(std::string_view id);

}  // namespace gridward
