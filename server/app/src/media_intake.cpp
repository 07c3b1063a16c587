#include "media_intake.hpp"

#include <algorithm>

#include "busy.hpp"

namespace gridward::app {
namespace {

// A device sends pieces in order, a few at a time. More holes than this is somebody filling the row.
constexpr std::size_t kMostRanges = 256;

MediaState complete(const Sha256& sha) { return {sha, true, {}, std::nullopt}; }
MediaState refused(const Sha256& sha, ErrorCode code) { return {sha, false, {}, code}; }

bool whole(const std::vector<ByteRange>& have, std::uint64_t size) {
  return have.size() == 1 && have.front().offset == 0 && have.front().length == size;
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
  auto& upload = known->upload;
  const auto missing = [&] {
    return MediaState{piece.sha256, false, missing_ranges(upload.have, upload.size, kMissingRanges), std::nullopt};
  };
  // When all of it is counted, nothing is written any more: a server that died between the seal and its commit has no
  // part left, and a piece sent again would make one with holes.
  if (!piece.data.empty() && !whole(upload.have, upload.size)) {
    auto after = upload.have;
    merge_range(after, {piece.offset, piece.data.size()});
    // Dropped; the answer says where there is something to fill.
    if (after.size() > kMostRanges) return missing();
    const auto written = services_.photos.write_piece(piece.sha256, topic.device, piece.size, piece.offset, piece.data,
                                                      upload.have.empty());
    if (!written && written.error().code == ErrorCode::not_found)
      return from_the_start(topic.device, piece, upload.state);
    if (!written && written.error().code == ErrorCode::media_range)
      return refused(piece.sha256, ErrorCode::media_range);
    if (!written || !set(topic.device, piece.sha256, upload.state, after)) return make_busy();
    upload.have = std::move(after);
  }
  // Also when nothing came with it: a server that died between the last piece and the seal is asked again.
  if (whole(upload.have, upload.size)) return seal(topic.device, piece, upload.state);
  return missing();
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
    // Only what this device named and sent itself decides the answer: whether the file is here already, from somebody
    // else, is not told, and a hash alone opens nothing.
    auto upload = tx.find_upload(topic.device, piece.sha256);
    if (!upload) {
      // The record that names the file may still be on its way.
      known.answer = make_busy();
      return {};
    }
    if (upload->size != piece.size) return refuse(ErrorCode::media_range);
    if (upload->state == UploadState::delivered) known.answer = complete(piece.sha256);
    known.upload = std::move(*upload);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return known;
}

// What came is gone, by our own fault: it does not count as a wrong try of the device.
DownMessage MediaIntake::from_the_start(const std::string& device, const MediaPiece& piece, UploadState state) {
  if (!set(device, piece.sha256, state, {})) return make_busy();
  return MediaState{piece.sha256, false, {{0, piece.size}}, std::nullopt};
}

DownMessage MediaIntake::seal(const std::string& device, const MediaPiece& piece, UploadState before) {
  const auto sealed_now = services_.photos.seal(piece.sha256, device, piece.size);
  if (!sealed_now) {
    const auto code = sealed_now.error().code;
    if (code == ErrorCode::media_range) return from_the_start(device, piece, before);  // a part that is too short
    if (code != ErrorCode::media_hash_mismatch) return make_busy();
    // Wrong contents are the device's: it sends them once more, then it gives the file up. Should it try again all the
    // same, it may.
    const auto state = before == UploadState::open ? UploadState::mismatched : UploadState::refused;
    if (!set(device, piece.sha256, state, {})) return make_busy();
    return refused(piece.sha256, code);
  }
  std::vector<LiveEvent> live;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    auto row = tx.find_media(piece.sha256);
    const auto upload = tx.find_upload(device, piece.sha256);
    if (!row || !upload) return fail(ErrorCode::not_found, "sha256", to_hex(piece.sha256));
    tx.set_upload(device, piece.sha256, UploadState::delivered, {});
    if (row->status == MediaStatus::expected) {
      row->size = upload->size;
      row->type = upload->type;
      row->status = MediaStatus::sealed;
      tx.update_media(*row);
      tx.add_photo_job(piece.sha256);
    } else if (row->status == MediaStatus::derived) {
      tx.add_likeness_job(piece.sha256);  // somebody else had it before
    }
    for (const auto& id : tx.media_cases(piece.sha256)) {
      live.push_back({"photo", to_string(id), tx.case_org_path(id), 0});
    }
    return {};
  });
  if (!written) return make_busy();
  for (const auto& event : live) services_.live.publish(event);
  return complete(piece.sha256);
}

Result<void> MediaIntake::set(const std::string& device, const Sha256& sha, UploadState state,
                              std::vector<ByteRange> have) {
  return services_.store.write([&, have = std::move(have)](Tx& tx) -> Result<void> {
    tx.set_upload(device, sha, state, have);
    return {};
  });
}

}  // namespace gridward::app
