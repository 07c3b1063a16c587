#include <gridward/shared/limits.hpp>

#include "sections.hpp"

namespace gridward::profile {

void read_device(const Node& section, SettingsItem& settings) {
  if (!section.object({"photo_px", "photo_quality", "track_ms", "batch_ms", "heartbeat_ms"})) return;
  const auto number = [&](const char* name, std::int64_t least, std::int64_t greatest) -> std::optional<std::int64_t> {
    const auto node = section.member(name, false);
    return node ? std::optional(node->number(least, greatest)) : std::nullopt;
  };
  const auto span = [&](const char* name, std::int64_t least, std::int64_t greatest) -> std::optional<Millis> {
    const auto ms = number(name, least, greatest);
    return ms ? std::optional(Millis{*ms}) : std::nullopt;
  };
  const auto px = number("photo_px", 0, 0xFFFF'FFFF).value_or(0);
  if (px > 0 && px < limits::kLeastPhotoPx) {
    section.member("photo_px")
        ->problem(std::to_string(px) + ", 0 or at least " + std::to_string(limits::kLeastPhotoPx));
  }
  settings.photo_px = static_cast<std::uint32_t>(px);
  if (const auto quality = number("photo_quality", 1, limits::kPhotoQuality)) {
    settings.photo_quality = static_cast<std::uint32_t>(*quality);
  }
  settings.track = span("track_ms", limits::kShortestTrackMs, limits::kLongestTrackMs);
  settings.batch = span("batch_ms", limits::kShortestBatchMs, limits::kTrackSpanMs);
  settings.heartbeat = span("heartbeat_ms", limits::kShortestHeartbeatMs, limits::kLongestHeartbeatMs);
}

}  // namespace gridward::profile
