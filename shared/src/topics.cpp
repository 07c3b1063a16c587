#include <algorithm>
#include <array>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/topics.hpp>

namespace gridward {
namespace {

constexpr std::array<std::string_view, 3> kKinds{"up", "media", "down"};  // by TopicKind

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string prefix(TopicKind kind, std::string_view town) {
  std::string text = "gridward/1/";
  text += kKinds[static_cast<std::size_t>(kind)];
  text += '/';
  text += town;
  text += '/';
  return text;
}

}  // namespace

std::string to_string(const Topic& topic) { return prefix(topic.kind, topic.town) + topic.device; }

std::string topic_filter(TopicKind kind, std::string_view town) { return prefix(kind, town) + '+'; }

bool valid_town(std::string_view town) {
  return (town.size() == 6 || town.size() == 9 || town.size() == 12) && std::ranges::all_of(town, is_digit);
}

bool valid_device_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::kNameCharacters && std::ranges::all_of(id, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

Result<Topic> topic_from_string(std::string_view text) {
  std::array<std::string_view, 5> levels;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto slash = text.find('/');
    const bool last = i + 1 == levels.size();
    if (last != (slash == std::string_view::npos)) return fail(ErrorCode::malformed, "topic", "5 levels are needed");
    levels[i] = text.substr(0, slash);
    if (!last) text.remove_prefix(slash + 1);
  }
  if (levels[0] != "gridward") return fail(ErrorCode::malformed, "topic", "does not begin with gridward");
  if (levels[1] != "1") {
    const bool number = !levels[1].empty() && std::ranges::all_of(levels[1], is_digit);
    return fail(number ? ErrorCode::unsupported_version : ErrorCode::malformed, "topic.version", "1 is supported");
  }
  const auto kind = std::ranges::find(kKinds, levels[2]);
  if (kind == kKinds.end()) return fail(ErrorCode::malformed, "topic.kind", "up, media or down");
  if (!valid_town(levels[3])) return fail(ErrorCode::malformed, "topic.town", "a code of 6, 9 or 12 digits");
  if (!valid_device_id(levels[4])) return fail(ErrorCode::malformed, "topic.device", "1 to 64 of A-Z a-z 0-9 _ -");
  return Topic{static_cast<TopicKind>(kind - kKinds.begin()), std::string(levels[3]), std::string(levels[4])};
}

}  // namespace gridward
