// Pieces of files from the devices: to the disk, into the row, and sealed when whole.
#pragma once

#include <array>
#include <gridward/app/services.hpp>
#include <gridward/shared/topics.hpp>
#include <mutex>

namespace gridward::app {

// Adds a range to a sorted, merged list.
void merge_range(std::vector<ByteRange>& have, ByteRange range);
// What is not covered of [0, size), at most `limit` ranges.
std::vector<ByteRange> missing_ranges(const std::vector<ByteRange>& have, std::uint64_t size, std::size_t limit);

// Thread-safe; blocks on the disk and on the commit.
class MediaIntake {
 public:
  explicit MediaIntake(Services services) : services_(services) {}
  // The answer to send. Throws when the database is lost.
  DownMessage take(const Topic& topic, const MediaPiece& piece);

 private:
  struct Known {
    std::optional<DownMessage> answer;  // nothing more to do
    Upload upload;
  };
  Result<Known> look(const Topic& topic, const MediaPiece& piece);
  DownMessage from_the_start(const std::string& device, const MediaPiece& piece, UploadState state);
  DownMessage seal(const std::string& device, const MediaPiece& piece, UploadState before);
  Result<void> set(const std::string& device, const Sha256& sha, UploadState state, std::vector<ByteRange> have);

  Services services_;
  // Two devices may send the same photo: one thread at a time works on one file.
  std::array<std::mutex, 16> stripes_;
};

}  // namespace gridward::app
