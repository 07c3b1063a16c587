// The bodies of down items (JSON text inside DownItem::body), one struct a kind. Thread-safe.
#pragma once

#include <gridward/shared/record.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridward {

struct TaskItem {  // kind "task"
  Uuid task;
  std::string task_kind;  // "verify"
  Uuid case_id;
  std::string number;
  std::string category;  // its name, for the member
  std::string text;
  std::optional<GeoPoint> point;
  std::vector<Sha256> before;
  std::optional<UnixMs> due;
  bool operator==(const TaskItem&) const = default;
};
struct TaskCancelledItem {  // kind "task_cancelled"
  Uuid task;
  bool operator==(const TaskCancelledItem&) const = default;
};
struct ProgressItem {  // kind "progress"
  Uuid case_id;
  std::string number;
  std::string stage;
  std::string step;
  UnixMs at{};
  std::string text;
  bool operator==(const ProgressItem&) const = default;
};
struct NoticeItem {  // kind "notice"
  std::string text;
  bool operator==(const NoticeItem&) const = default;
};
// What the town's profile sets on its handhelds. Of several, the one of the highest n holds. Absent: the handheld's
// own.
struct SettingsItem {  // kind "settings"
  std::string rev;
  // Longest side to which a photo is reduced before it is stored, from kLeastPhotoPx; 0: never.
  std::uint32_t photo_px = 0;
  std::optional<std::uint32_t> photo_quality;
  std::optional<Millis> track;  // between two fixes of a track
  std::optional<Millis> batch;  // of a track that one record takes
  std::optional<Millis> heartbeat;
  bool operator==(const SettingsItem&) const = default;
};
struct CategoriesItem {  // kind "categories"
  struct Category {
    std::string code;
    std::string name;
    std::string group;  // may be empty
    bool operator==(const Category&) const = default;
  };
  std::string rev;
  std::vector<Category> list;
  bool operator==(const CategoriesItem&) const = default;
};

std::string encode_item(const TaskItem& item);
std::string encode_item(const TaskCancelledItem& item);
std::string encode_item(const ProgressItem& item);
std::string encode_item(const NoticeItem& item);
std::string encode_item(const SettingsItem& item);
// Refuses what no handheld would read. Errors: those of its decoder; too_large (list) for a body over kCategoriesBytes.
Result<std::string> encode_item(const CategoriesItem& item);
// Errors: malformed, too_large, too_deep, missing_field, bad_type, out_of_range, each with the field.
Result<TaskItem> decode_task_item(std::string_view body);
Result<TaskCancelledItem> decode_task_cancelled_item(std::string_view body);
Result<ProgressItem> decode_progress_item(std::string_view body);
Result<NoticeItem> decode_notice_item(std::string_view body);
Result<SettingsItem> decode_settings_item(std::string_view body);
Result<CategoriesItem> decode_categories_item(std::string_view body);

}  // namespace gridward
