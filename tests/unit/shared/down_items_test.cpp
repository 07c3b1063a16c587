#include <gtest/gtest.h>

#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>

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
