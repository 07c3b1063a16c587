#include "media_intake.hpp"

#include <algorithm>

#include "busy.hpp"

namespace gridward::app {
namespace {

// A device sends pieces in order, a few at a time. More holes than this is somebody filling the row.
constexpr std::size_t kMostRanges = 256;

MediaState complete(const Sha256& sha) { return {sha, true, {}, std::nullopt}; }
MediaState refused(const Sha256& sha, ErrorCode code) { return {sha, false, {}, code}; }

bool whole(const MediaRow& row) {
  return row.have.size() == 1 && row.have.front().offset == 0 && row.have.front().length == row.size;
}

// The original is on the disk under its hash, whatever became of its smaller sizes.
bool sealed(const MediaRow& row) {
  return row.status == MediaStatus::sealed || row.status == MediaStatus::derived || row.status == MediaStatus::refused;
}

}  // namespace

void merge_range(std::vector<ByteRange>& have, ByteRange range) {
  if (range.length == 0) return;
  have.push_back(range);
  std::sort(have.begin(), have.end());
  std::vector<ByteRange> merged;
  for (const auto& next : have) {
    if (!merged.empty() && next.offset <= merged.back().offset + merged.back().length) {
      const auto end = std::max(merged.back().offset + merged.back().length, next.offset + next.length);
      merged.back().length = end - merged.back().offset;
    } else {
      merged.push_back(next);
    }
  }
  have = std::move(merged);
}

std::vector<ByteRange> missing_ranges(const std::vector<ByteRange>& have, std::uint64_t size, std::size_t limit) {
  std::vector<ByteRange> missing;
  std::uint64_t at = 0;
  for (const auto& range : have) {
    if (range.offset > at && missing.size() < limit) missing.push_back({at, range.offset - at});
    at = std::max(at, range.offset + range.length);
  }
  if (at < size && missing.size() < limit) missing.push_back({at, size - at});
  return missing;
}

DownMessage MediaIntake::take(const Topic& topic, const MediaPiece& piece) {
  const std::scoped_lock lock(stripes_[piece.sha256[0] % stripes_.size()]);
  auto known = look(topic, piece);
  if (!known) return make_busy();
  if (known->answer) return *known->answer;
  auto row = std::move(known->row);
  if (!piece.data.empty()) {
    auto after = row.have;
    merge_range(after, {piece.offset, piece.data.size()});
    if (after.size() > kMostRanges) return refused(piece.sha256, ErrorCode::media_limits);
    const auto written = services_.photos.write_piece(piece.sha256, piece.size, piece.offset, piece.data);
    if (!written && written.error().code == ErrorCode::media_range)
      return refused(piece.sha256, ErrorCode::media_range);
    if (!written) return make_busy();
    auto merged = merge(piece);
    if (!merged) return make_busy();
    row = std::move(*merged);
  }
  // Also when nothing came with it: a server that died between the last piece and the seal is asked again.
  if (whole(row)) return seal(piece);
  return MediaState{piece.sha256, false, missing_ranges(row.have, row.size, kMissingRanges), std::nullopt};
}

Result<MediaIntake::Known> MediaIntake::look(const Topic& topic, const MediaPiece& piece) {
  Known known;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    const auto device = tx.find_device(topic.device);
    const auto refuse = [&](ErrorCode code) -> Result<void> {
      known.answer = refused(piece.sha256, code);
      return {};
    };
    if (!device) return refuse(ErrorCode::unknown_device);
    if (device->revoked) return refuse(ErrorCode::revoked_device);
    if (device->town != topic.town) return refuse(ErrorCode::wrong_town);
    const auto row = tx.find_media(piece.sha256);
    // The record that names the file may still be on its way. The same answer when somebody else's record names it:
    // who does not own the photo does not learn whether we have it.
    if (!row || !tx.device_named_media(topic.device, piece.sha256)) {
      known.answer = make_busy();
      return {};
    }
    if (row->size != piece.size) return refuse(ErrorCode::media_range);
    if (sealed(*row)) known.answer = complete(piece.sha256);
    known.row = *row;
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return known;
}

Result<MediaRow> MediaIntake::merge(const MediaPiece& piece) {
  MediaRow row;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    const auto now = tx.find_media(piece.sha256);
    if (!now) return fail(ErrorCode::not_found, "sha256", to_hex(piece.sha256));
    row = *now;
    if (sealed(row)) return {};
    merge_range(row.have, {piece.offset, piece.data.size()});
    row.status = MediaStatus::partial;
    tx.update_media(row);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  return row;
}

DownMessage MediaIntake::seal(const MediaPiece& piece) {
  const auto sealed_now = services_.photos.seal(piece.sha256, piece.size);
  if (!sealed_now) {
    const auto code = sealed_now.error().code;
    if (code != ErrorCode::media_hash_mismatch && code != ErrorCode::media_range) return make_busy();
    if (!start_again(piece.sha256)) return make_busy();
    // A part that is too short is our own loss: ask for it again. Wrong contents are the device's.
    if (code == ErrorCode::media_range) return MediaState{piece.sha256, false, {{0, piece.size}}, std::nullopt};
    return refused(piece.sha256, code);
  }
  std::vector<LiveEvent> live;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    auto row = tx.find_media(piece.sha256);
    if (!row) return fail(ErrorCode::not_found, "sha256", to_hex(piece.sha256));
    if (sealed(*row)) return {};
    row->status = MediaStatus::sealed;
    row->have.clear();
    row->problem.clear();
    tx.update_media(*row);
    tx.add_photo_job(piece.sha256);
    for (const auto& id : tx.media_cases(piece.sha256)) {
      live.push_back({"photo", to_hex(piece.sha256), tx.case_org_path(id), 0});
    }
    return {};
  });
  if (!written) return make_busy();
  for (const auto& event : live) services_.live.publish(event);
  return complete(piece.sha256);
}

Result<void> MediaIntake::start_again(const Sha256& sha) {
  return services_.store.write([&](Tx& tx) -> Result<void> {
    auto row = tx.find_media(sha);
    if (!row || sealed(*row)) return {};
    row->status = MediaStatus::expected;
    row->have.clear();
    tx.update_media(*row);
    return {};
  });
}

}  // namespace gridward::app
