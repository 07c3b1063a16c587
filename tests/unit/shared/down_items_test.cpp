#include <gtest/gtest.h>

#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>

#include "samples.hpp"

namespace gridward {
namespace {

TaskItem task() {
  return {samples::uuid(1),
          "verify",
          samples::uuid(2),
          "120116115-20261122-0001",
          "暴露垃圾",
          "请到现场核查",
          GeoPoint{391'123'456, -1'178'765'432},
          {Sha256{1}, Sha256{2}},
          from_unix_ms(1'795'323'600'000)};
}

TEST(DownItems, RoundTrip) {
  EXPECT_EQ(decode_task_item(encode_item(task())), task());
  TaskItem bare = task();
  bare.text.clear();
  bare.point.reset();
  bare.before.clear();
  bare.due.reset();
  EXPECT_EQ(decode_task_item(encode_item(bare)), bare);
  const TaskCancelledItem cancelled{samples::uuid(3)};
  EXPECT_EQ(decode_task_cancelled_item(encode_item(cancelled)), cancelled);
  const ProgressItem progress{samples::uuid(2), "n-1", "accepted", "awaiting_transfer", from_unix_ms(5), "已受理"};
  EXPECT_EQ(decode_progress_item(encode_item(progress)), progress);
  const NoticeItem notice{"明日大风"};
  EXPECT_EQ(decode_notice_item(encode_item(notice)), notice);
  const SettingsItem settings{"r1", 2048, 85, Millis{5000}, Millis{120'000}, Millis{60'000}};
  EXPECT_EQ(decode_settings_item(encode_item(settings)), settings);
  SettingsItem silent;
  silent.rev = "r1";
  EXPECT_EQ(decode_settings_item(R"({"rev":"r1","photo_px":0})"), silent);
  EXPECT_EQ(encode_item(silent), R"({"rev":"r1"})");
  const CategoriesItem categories{"r2", {{"road", "道路破损", "公共设施"}, {"noise", "噪声扰民", ""}}};
  EXPECT_EQ(decode_categories_item(encode_item(categories).value()), categories);
}

TEST(DownItems, UnknownKeysAreIgnored) {
  EXPECT_EQ(decode_notice_item(R"({"text":"a","later":[1,{"x":null}]})"), NoticeItem{"a"});
}

TEST(DownItems, TextThatIsNotUtf8DoesNotThrow) {
  EXPECT_EQ(decode_notice_item(encode_item(NoticeItem{"a\xFF"})), NoticeItem{"a\xEF\xBF\xBD"});
}

TEST(DownItems, Refused) {
  const std::string id = R"("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")";
  const struct {
    std::string body;
    ErrorCode code;
    std::string field;
  } progress[] = {
      {"", ErrorCode::malformed, ""},
      {"{", ErrorCode::malformed, ""},
      {"{} {}", ErrorCode::malformed, ""},
      {"[]", ErrorCode::bad_type, ""},
      {"{\"case\":\"\xFF\"}", ErrorCode::malformed, "case"},
      {std::string(100'000, '['), ErrorCode::too_deep, ""},
      {std::string(limits::kDownMessageBytes + 1, ' '), ErrorCode::too_large, ""},
      {"{}", ErrorCode::missing_field, "case"},
      {R"({"case":1})", ErrorCode::bad_type, "case"},
      {R"({"case":"x"})", ErrorCode::malformed, "case"},
      {R"({"case":)" + id + R"(,"case":)" + id + "}", ErrorCode::malformed, "case"},
      {R"({"case":)" + id + R"(,"number":"","stage":"s","step":"t","at":1})", ErrorCode::out_of_range, "number"},
      {R"({"case":)" + id + R"(,"number":"n","stage":"s","step":"t","at":1.5})", ErrorCode::bad_type, "at"},
      {R"({"case":)" + id + R"(,"number":"n","stage":"s","step":"t","at":1e30})", ErrorCode::bad_type, "at"},
  };
  for (const auto& row : progress) {
    const auto item = decode_progress_item(row.body);
    ASSERT_FALSE(item) << row.body.substr(0, 80);
    EXPECT_EQ(item.error().code, row.code) << row.body.substr(0, 80);
    if (row.code == ErrorCode::too_deep) continue;  // its field is the whole way down
    EXPECT_EQ(item.error().field, row.field) << row.body.substr(0, 80);
  }
}

TEST(DownItems, LimitsOfSettings) {
  const auto verdict = [](const std::string& field) {
    const auto item = decode_settings_item(R"({"rev":"a",)" + field + "}");
    return item ? "taken" : std::string(error_info(item.error().code).name) + " " + item.error().field;
  };
  EXPECT_EQ(decode_settings_item("{}").error().field, "rev");
  EXPECT_EQ(verdict(R"("photo_px":4294967295)"), "taken");
  EXPECT_EQ(verdict(R"("photo_px":4294967296)"), "out_of_range photo_px");
  EXPECT_EQ(verdict(R"("photo_px":-1)"), "out_of_range photo_px");
  EXPECT_EQ(verdict(R"("photo_px":0)"), "taken");
  EXPECT_EQ(verdict(R"("photo_px":640)"), "taken");
  EXPECT_EQ(verdict(R"("photo_px":639)"), "out_of_range photo_px");
  EXPECT_EQ(verdict(R"("photo_px":1)"), "out_of_range photo_px");
  EXPECT_EQ(verdict(R"("photo_quality":null)"), "bad_type photo_quality");
  const struct {
    std::string key;
    std::int64_t least;
    std::int64_t most;
  } rows[] = {{"photo_quality", 1, 100},
              {"track_ms", 1000, 3'600'000},
              {"batch_ms", 1000, 1'800'000},
              {"heartbeat_ms", 10'000, 86'400'000}};
  for (const auto& row : rows) {
    const auto with = [&](std::int64_t value) { return "\"" + row.key + "\":" + std::to_string(value); };
    EXPECT_EQ(verdict(with(row.least)), "taken") << row.key;
    EXPECT_EQ(verdict(with(row.most)), "taken") << row.key;
    EXPECT_EQ(verdict(with(row.least - 1)), "out_of_range " + row.key);
    EXPECT_EQ(verdict(with(row.most + 1)), "out_of_range " + row.key);
  }
}

TEST(DownItems, LimitsOfCategories) {
  const auto verdict = [](const CategoriesItem& item) {
    const auto body = encode_item(item);
    return body ? "taken" : std::string(error_info(body.error().code).name) + " " + body.error().field;
  };
  const auto list = [](std::size_t size) {
    CategoriesItem item{"r", {}};
    for (std::size_t i = 0; i < size; ++i) item.list.push_back({"c" + std::to_string(i), "井盖缺失破损", "公共设施"});
    return item;
  };
  EXPECT_EQ(verdict(list(0)), "out_of_range list");
  EXPECT_EQ(verdict(list(limits::kCategories)), "taken");
  EXPECT_EQ(verdict(list(limits::kCategories + 1)), "too_large list");
  auto item = list(3);
  item.list[2].code = "c1";
  EXPECT_EQ(verdict(item), "out_of_range list[2].code");
  item.list[2] = {"c2", "", ""};
  EXPECT_EQ(verdict(item), "out_of_range list[2].name");
  item.list[2] = {"c2", "n", std::string(limits::kNameCharacters + 1, 'g')};
  EXPECT_EQ(verdict(item), "too_large list[2].group");
  EXPECT_EQ(decode_categories_item(R"({"rev":"r"})").error().code, ErrorCode::missing_field);
}

// Of long names fewer fit than the list may have: what is made must fit the message that takes it.
TEST(DownItems, CategoriesFitTheirMessage) {
  std::string face;
  for (std::size_t i = 0; i < limits::kNameCharacters; ++i) face += "\xF0\x9F\x98\x80";
  CategoriesItem item{"r", {}};
  Result<std::string> body;
  for (std::string last;; last = *body) {
    item.list.push_back({std::to_string(item.list.size()), face, face});
    body = encode_item(item);
    if (body) continue;
    EXPECT_EQ(body.error().code, ErrorCode::too_large);
    EXPECT_EQ(body.error().field, "list");
    EXPECT_NE(body.error().detail.find("at most " + std::to_string(limits::kCategoriesBytes)), std::string::npos);
    ASSERT_GT(last.size(), limits::kCategoriesBytes - 1000);
    last.append(limits::kCategoriesBytes - last.size(), ' ');
    const auto message = encode_down(DownItem{limits::kCounter, "categories", last, limits::kCounter});
    EXPECT_LE(message.size(), limits::kDownMessageBytes);
    EXPECT_TRUE(decode_down(message));
    EXPECT_TRUE(decode_categories_item(last));
    EXPECT_EQ(decode_categories_item(last + " ").error().code, ErrorCode::too_large);
    return;
  }
}

TEST(DownItems, LimitsOfATask) {
  auto item = task();
  item.before.resize(limits::kTaskPhotos + 1);
  EXPECT_EQ(decode_task_item(encode_item(item)).error().field, "before");
  item = task();
  item.text = std::string(limits::kTextCharacters + 1, 'x');
  EXPECT_EQ(decode_task_item(encode_item(item)).error().code, ErrorCode::too_large);
  item = task();
  item.point->lat_e7 = 900'000'001;
  EXPECT_EQ(decode_task_item(encode_item(item)).error().field, "point.lat");
}

}  // namespace
}  // namespace gridward
