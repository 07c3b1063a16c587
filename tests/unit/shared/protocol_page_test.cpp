// docs/protocol.md repeats the limits of limits.hpp; this keeps the two together.
#include <gtest/gtest.h>

#include <fstream>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/test/paths.hpp>
#include <sstream>

namespace gridward {
namespace {

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3 && text.size() > 4; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string row_of(const std::string& page, std::string_view what) {
  const auto at = page.find("| " + std::string(what));
  return at == std::string::npos ? "" : page.substr(at, page.find('\n', at) - at);
}

TEST(ProtocolPage, TheTableOfLimitsIsTheHeader) {
  std::ifstream file(test::source_dir() / "docs/protocol.md");
  std::stringstream text;
  text << file.rdbuf();
  const auto limits_at = text.str().find("## 9. Limits");
  ASSERT_NE(limits_at, std::string::npos);
  const auto page = text.str().substr(limits_at);
  const auto items = text.str().substr(0, limits_at);
  const struct {
    const char* what;
    std::vector<std::uint64_t> numbers;
  } rows[] = {
      {"message *up*", {limits::kUpMessageBytes, limits::kDownMessageBytes}},
      {"message *media*", {limits::kMediaMessageBytes, limits::kMediaPieceBytes}},
      {"record |", {limits::kRecordBytes}},
      {"records a message", {limits::kRecordsPerMessage}},
      {"levels", {limits::kCborDepth, limits::kCborItems}},
      {"text; name", {limits::kTextCharacters, limits::kNameCharacters}},
      {"files a record", {limits::kMediaPerRecord, limits::kMediaBytes}},
      {"check items", {limits::kCheckItems}},
      {"points of a track", {limits::kTrackPoints, static_cast<std::uint64_t>(limits::kTrackSpanMs)}},
      {"missing ranges", {kMissingRanges}},
      {"categories", {limits::kCategories, limits::kCategoriesBytes}},
      {"`photo_px` of `settings`", {limits::kLeastPhotoPx}},
      {"photo's side", {limits::kPhotoSide, limits::kPhotoPixels}},
  };
  const auto settings = row_of(items, "`settings`");
  for (const std::int64_t ms : {limits::kShortestTrackMs, limits::kLongestTrackMs, limits::kShortestBatchMs,
                                limits::kTrackSpanMs, limits::kShortestHeartbeatMs, limits::kLongestHeartbeatMs}) {
    EXPECT_NE(settings.find(" " + grouped(static_cast<std::uint64_t>(ms))), std::string::npos) << settings << ms;
  }
  for (const auto& row : rows) {
    const auto line = row_of(page, row.what);
    ASSERT_FALSE(line.empty()) << row.what;
    for (const auto number : row.numbers) {
      EXPECT_NE(line.find(" " + grouped(number)), std::string::npos) << line << " has no " << grouped(number);
    }
  }
}

}  // namespace
}  // namespace gridward
