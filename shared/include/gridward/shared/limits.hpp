// Every limit of the wire, with its number. docs/protocol.md repeats them; tests exceed each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gridward::limits {

inline constexpr std::size_t kUpMessageBytes = 256 * 1024;  // one MQTT payload on …/up
inline constexpr std::size_t kRecordsPerMessage = 64;
inline constexpr std::size_t kRecordBytes = 64 * 1024;
inline constexpr std::size_t kMediaMessageBytes = 300 * 1024;  // one MQTT payload on …/media
inline constexpr std::size_t kMediaPieceBytes = 256 * 1024;
inline constexpr std::uint64_t kMediaBytes = 64ULL * 1024 * 1024;  // one photo, recording or scan
inline constexpr std::size_t kMediaPerRecord = 16;
inline constexpr std::size_t kDownMessageBytes = 256 * 1024;
inline constexpr std::size_t kCborDepth = 16;
inline constexpr std::size_t kCborItems = 16'384;                // keys and values of one document, all levels together
inline constexpr std::uint64_t kCounter = (1ULL << 53) - 1;      // seq, ack, n, sizes: what a JavaScript number holds
inline constexpr std::int64_t kEarliestMs = -3'155'673'600'000;  // 1870-01-01: a wrong clock must not lose a record
inline constexpr std::int64_t kLatestMs = 9'467'107'200'000;     // 2270-01-01 (UTC)
inline constexpr std::int64_t kRetryAfterMs = 24LL * 3600 * 1000;
inline constexpr std::size_t kTextCharacters = 2000;  // code points of a report's or note's text
inline constexpr std::size_t kNameCharacters = 64;    // ids, categories, actor names
inline constexpr std::size_t kCheckItems = 64;
inline constexpr std::size_t kTaskPhotos = 64;  // before-photos that a task names
inline constexpr std::size_t kCategories = 2048;
inline constexpr std::size_t kCategoriesBytes = kDownMessageBytes - 64;  // the body; the rest is its message's
inline constexpr std::uint32_t kLeastPhotoPx = 640;  // the original is gone: a digit left out must not cost evidence
inline constexpr std::uint32_t kPhotoQuality = 100;
inline constexpr std::int64_t kShortestTrackMs = 1000;  // between two fixes of a track
inline constexpr std::int64_t kLongestTrackMs = 3600 * 1000;
inline constexpr std::int64_t kShortestBatchMs = 1000;  // the longest is kTrackSpanMs
inline constexpr std::int64_t kShortestHeartbeatMs = 10 * 1000;
inline constexpr std::int64_t kLongestHeartbeatMs = 24LL * 3600 * 1000;
inline constexpr std::size_t kTrackPoints = 600;              // points of one batch
inline constexpr std::int64_t kTrackSpanMs = 30 * 60 * 1000;  // first to last point of one batch
inline constexpr std::uint32_t kPhotoSide = 16'384;           // pixels, either side
inline constexpr std::uint64_t kPhotoPixels = 64ULL * 1000 * 1000;

}  // namespace gridward::limits
