#include <algorithm>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>

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
Result<Item> decode(std::string_view body, Read read) {
  const auto root = document::parse_json(body, limits::kDownMessageBytes);
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

}  // namespace gridward
