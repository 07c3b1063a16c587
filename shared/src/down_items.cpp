#include <algorithm>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>
#include <set>

#include "document.hpp"

namespace gridward {
namespace {

using document::Fields;
using nlohmann::json;

// Replaces what is not UTF-8 instead of throwing: an item must not fail for one odd character.
std::string dump(const json& map) { return map.dump(-1, ' ', false, json::error_handler_t::replace); }

void put_text(json& map, const char* key, const std::string& text) {
  if (!text.empty()) map[key] = text;
}

Uuid read_uuid(const Fields& map, std::string_view key) {
  const auto text = map.text(key, 0, limits::kNameCharacters);
  if (map.error()) return {};
  const auto id = uuid_from_string(text);
  if (!id) map.fail_at(ErrorCode::malformed, key, "not a UUID");
  return id.value_or(Uuid{});
}

std::string name(const Fields& map, std::string_view key) { return map.text(key, 1, limits::kNameCharacters); }

template <class Item, class Read>
Result<Item> decode(std::string_view body, Read read, std::size_t max_bytes = limits::kDownMessageBytes) {
  const auto root = document::parse_json(body, max_bytes);
  if (!root) return tl::unexpected(root.error());
  std::optional<Error> error;
  const Item item = read(Fields(*root, "", error));
  if (error) return tl::unexpected(std::move(*error));
  return item;
}

}  // namespace

std::string encode_item(const TaskItem& item) {
  json map{{"task", to_string(item.task)},
           {"task_kind", item.task_kind},
           {"case", to_string(item.case_id)},
           {"number", item.number},
           {"category", item.category}};
  put_text(map, "text", item.text);
  if (item.point) map["point"] = {{"lat", item.point->lat_e7}, {"lon", item.point->lon_e7}};
  if (!item.before.empty()) {
    auto& list = map["before"] = json::array();
    for (const auto& hash : item.before) list.push_back(to_hex(hash));
  }
  if (item.due) map["due"] = to_unix_ms(*item.due);
  return dump(map);
}

std::string encode_item(const TaskCancelledItem& item) { return dump({{"task", to_string(item.task)}}); }

std::string encode_item(const ProgressItem& item) {
  json map{{"case", to_string(item.case_id)},
           {"number", item.number},
           {"stage", item.stage},
           {"step", item.step},
           {"at", to_unix_ms(item.at)}};
  put_text(map, "text", item.text);
  return dump(map);
}

std::string encode_item(const NoticeItem& item) { return dump({{"text", item.text}}); }

std::string encode_item(const SettingsItem& item) {
  json map{{"rev", item.rev}};
  if (item.photo_px != 0) map["photo_px"] = item.photo_px;
  if (item.photo_quality) map["photo_quality"] = *item.photo_quality;
  if (item.track) map["track_ms"] = item.track->count();
  if (item.batch) map["batch_ms"] = item.batch->count();
  if (item.heartbeat) map["heartbeat_ms"] = item.heartbeat->count();
  return dump(map);
}

Result<std::string> encode_item(const CategoriesItem& item) {
  json map{{"rev", item.rev}, {"list", json::array()}};
  for (const auto& category : item.list) {
    json entry{{"code", category.code}, {"name", category.name}};
    put_text(entry, "group", category.group);
    map["list"].push_back(std::move(entry));
  }
  std::string body = dump(map);
  if (body.size() > limits::kCategoriesBytes) {
    return fail(ErrorCode::too_large, "list", document::at_most(body.size(), limits::kCategoriesBytes, "bytes"));
  }
  if (auto read = decode_categories_item(body); !read) return tl::unexpected(std::move(read.error()));
  return body;
}

Result<TaskItem> decode_task_item(std::string_view body) {
  return decode<TaskItem>(body, [](const Fields& map) {
    TaskItem item;
    item.task = read_uuid(map, "task");
    item.task_kind = name(map, "task_kind");
    item.case_id = read_uuid(map, "case");
    item.number = name(map, "number");
    item.category = name(map, "category");
    item.text = map.optional_text("text", limits::kTextCharacters);
    if (map.has("point")) {
      const Fields point = map.map("point");
      item.point = GeoPoint{static_cast<std::int32_t>(point.integer("lat", ranges::kLat)),
                            static_cast<std::int32_t>(point.integer("lon", ranges::kLon))};
    }
    map.list("before", limits::kTaskPhotos, [&](const json& node, std::string path) {
      const auto* text = node.get_ptr<const std::string*>();
      const auto hash = text == nullptr ? Result<Sha256>(fail(ErrorCode::bad_type)) : sha256_from_hex(*text);
      if (!hash) return map.fail_path(hash.error().code, std::move(path), "a SHA-256 in hex is needed");
      item.before.push_back(*hash);
    });
    if (map.has("due")) item.due = map.time("due");
    return item;
  });
}

Result<TaskCancelledItem> decode_task_cancelled_item(std::string_view body) {
  return decode<TaskCancelledItem>(body, [](const Fields& map) { return TaskCancelledItem{read_uuid(map, "task")}; });
}

Result<ProgressItem> decode_progress_item(std::string_view body) {
  return decode<ProgressItem>(body, [](const Fields& map) {
    ProgressItem item;
    item.case_id = read_uuid(map, "case");
    item.number = name(map, "number");
    item.stage = name(map, "stage");
    item.step = name(map, "step");
    item.at = map.time("at");
    item.text = map.optional_text("text", limits::kTextCharacters);
    return item;
  });
}

Result<NoticeItem> decode_notice_item(std::string_view body) {
  return decode<NoticeItem>(body,
                            [](const Fields& map) { return NoticeItem{map.text("text", 1, limits::kTextCharacters)}; });
}

Result<SettingsItem> decode_settings_item(std::string_view body) {
  return decode<SettingsItem>(body, [](const Fields& map) {
    SettingsItem item;
    item.rev = name(map, "rev");
    const auto number = [&map](std::string_view key, ranges::Range range) -> std::optional<std::uint32_t> {
      const auto read = map.optional_integer(key, range);
      return read ? std::optional(static_cast<std::uint32_t>(*read)) : std::nullopt;
    };
    const auto span = [&map](std::string_view key, ranges::Range range) -> std::optional<Millis> {
      const auto read = map.optional_integer(key, range);
      return read ? std::optional(Millis{*read}) : std::nullopt;
    };
    item.photo_px = number("photo_px", {0, 0xFFFF'FFFF}).value_or(0);
    if (item.photo_px != 0 && item.photo_px < limits::kLeastPhotoPx) {
      map.fail_at(ErrorCode::out_of_range, "photo_px",
                  std::to_string(item.photo_px) + ", 0 or at least " + std::to_string(limits::kLeastPhotoPx));
    }
    item.photo_quality = number("photo_quality", {1, limits::kPhotoQuality});
    item.track = span("track_ms", {limits::kShortestTrackMs, limits::kLongestTrackMs});
    item.batch = span("batch_ms", {limits::kShortestBatchMs, limits::kTrackSpanMs});
    item.heartbeat = span("heartbeat_ms", {limits::kShortestHeartbeatMs, limits::kLongestHeartbeatMs});
    return item;
  });
}

Result<CategoriesItem> decode_categories_item(std::string_view body) {
  const auto read = [](const Fields& map) {
    CategoriesItem item;
    item.rev = name(map, "rev");
    if (!map.has("list")) map.fail_at(ErrorCode::missing_field, "list", "");
    std::set<std::string> codes;
    map.list("list", limits::kCategories, [&](const json& node, std::string path) {
      const Fields entry(node, std::move(path), map.error());
      auto& category = item.list.emplace_back();
      category.code = name(entry, "code");
      category.name = name(entry, "name");
      category.group = entry.optional_text("group", limits::kNameCharacters);
      if (!codes.insert(category.code).second) entry.fail_at(ErrorCode::out_of_range, "code", "stands there twice");
    });
    if (item.list.empty()) map.fail_at(ErrorCode::out_of_range, "list", "empty");
    return item;
  };
  return decode<CategoriesItem>(body, read, limits::kCategoriesBytes);
}

}  // namespace gridward
