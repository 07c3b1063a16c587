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

std::string encode_item(const TaskItem& item);
std::string encode_item(const TaskCancelledItem& item);
std::string encode_item(const ProgressItem& item);
std::string encode_item(const NoticeItem& item);
// Errors: malformed, too_large, too_deep, missing_field, bad_type, out_of_range, each with the field.
Result<TaskItem> decode_task_item(std::string_view body);
Result<TaskCancelledItem> decode_task_cancelled_item(std::string_view body);
Result<ProgressItem> decode_progress_item(std::string_view body);
Result<NoticeItem> decode_notice_item(std::string_view body);

}  // namespace gridward
