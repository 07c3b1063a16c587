#include <gtest/gtest.h>

#include <gridward/shared/limits.hpp>
#include <gridward/test/server_world.hpp>

namespace gridward {
namespace {

using namespace test;

Bytes file_of(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<std::uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
  return bytes;
}

struct Photo {
  explicit Photo(std::size_t size, unsigned seed = 1)
      : bytes(file_of(size, seed)), ref{platform::sha256(bytes), size, "image/jpeg", MediaRole::scene} {}
  MediaPiece piece(std::uint64_t offset, std::size_t length) const {
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return {ref.sha256, bytes.size(), offset, Bytes(from, from + static_cast<std::ptrdiff_t>(length))};
  }
  MediaPiece question() const { return {ref.sha256, bytes.size(), 0, {}}; }
  Bytes bytes;
  MediaRef ref;
};

Record with_photo(Handheld& hh, const Photo& photo) {
  auto record = hh.report("有照片");
  record.media.push_back(photo.ref);
  return record;
}

MediaState state_of(const std::vector<DownMessage>& answers) {
  if (answers.size() != 1) throw std::runtime_error(std::to_string(answers.size()) + " answers");
  return std::get<MediaState>(answers[0]);
}
app::MediaRow row_of(ServerWorld& world, const Sha256& sha) {
  return world.read([&](app::Tx& tx) { return tx.find_media(sha); }).value();
}

TEST(Media, PiecesInAnyOrderResumeAndSeal) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(700'000);
  const auto record = with_photo(hh, photo);
  ASSERT_EQ(hh.receipt({record}).ok.size(), 1u);
  EXPECT_EQ(row_of(world, photo.ref.sha256).status, app::MediaStatus::expected);

  EXPECT_EQ(state_of(hh.send_piece(photo.question())).missing, (std::vector<ByteRange>{{0, 700'000}}));
  EXPECT_EQ(state_of(hh.send_piece(photo.piece(200'000, 200'000))).missing,
            (std::vector<ByteRange>{{0, 200'000}, {400'000, 300'000}}));
  EXPECT_EQ(state_of(hh.send_piece(photo.piece(200'000, 200'000))).missing.size(), 2u) << "the same again";
  EXPECT_EQ(state_of(hh.send_piece(photo.piece(0, 250'000))).missing, (std::vector<ByteRange>{{400'000, 300'000}}));
  const auto view = must(world.cases->get(world.actor("op"), record.id));
  ASSERT_EQ(view.media.size(), 1u);
  EXPECT_EQ(view.media[0].have, 400'000u);
  EXPECT_EQ(view.media[0].status, app::MediaStatus::partial);

  EXPECT_FALSE(state_of(hh.send_piece(photo.piece(400'000, 250'000))).complete);
  const auto done = state_of(hh.send_piece(photo.piece(650'000, 50'000)));
  EXPECT_TRUE(done.complete);
  EXPECT_TRUE(done.missing.empty());
  EXPECT_TRUE(world.photos->has_original(photo.ref.sha256));
  EXPECT_EQ(read_file(world.photos->path(photo.ref.sha256, app::PhotoSize::original)),
            std::string(photo.bytes.begin(), photo.bytes.end()));
  EXPECT_EQ(row_of(world, photo.ref.sha256).status, app::MediaStatus::sealed);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.photo_jobs(10); }).size(), 1u);
  // Once sealed, anything about it is answered "complete", and there is one job only.
  EXPECT_TRUE(state_of(hh.send_piece(photo.question())).complete);
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.photo_jobs(10); }).size(), 1u);
}

TEST(Media, AFileThatNoRecordNamedWaits) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  auto answers = hh.send_piece(photo.piece(0, 1000));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Busy>(answers[0])) << "its record may still be on the way";
  EXPECT_FALSE(std::filesystem::exists(world.photos->path(photo.ref.sha256, app::PhotoSize::original)));
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
}

TEST(Media, WhetherWeHaveAPhotoIsToldToItsSenderOnly) {
  ServerWorld world;
  Handheld owner(world, "hh-1", "m1");
  Handheld curious(world, "hh-2", "m2");
  const Photo photo(1000);
  ASSERT_EQ(owner.receipt({with_photo(owner, photo)}).ok.size(), 1u);
  ASSERT_TRUE(state_of(owner.send_piece(photo.piece(0, 1000))).complete);
  const Photo absent(1000, 2);
  for (const auto* asked : {&photo, &absent}) {
    const auto answers = curious.send_piece(asked->question());
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<Busy>(answers[0])) << "the same for there and not there";
  }
  // When it names the photo itself (the same picture, captured twice) it is told at once.
  ASSERT_EQ(curious.receipt({with_photo(curious, photo)}).ok.size(), 1u);
  EXPECT_TRUE(state_of(curious.send_piece(photo.question())).complete);
}

TEST(Media, WrongContentsAreRefusedAndStartAgain) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(300'000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  auto spoilt = photo.piece(0, 200'000);
  spoilt.data[77] ^= 1;
  EXPECT_FALSE(state_of(hh.send_piece(spoilt)).complete);
  const auto refused = state_of(hh.send_piece(photo.piece(200'000, 100'000)));
  EXPECT_FALSE(refused.complete);
  EXPECT_EQ(refused.refused, ErrorCode::media_hash_mismatch);
  EXPECT_FALSE(world.photos->has_original(photo.ref.sha256));
  EXPECT_EQ(state_of(hh.send_piece(photo.question())).missing, (std::vector<ByteRange>{{0, 300'000}}));
  EXPECT_FALSE(state_of(hh.send_piece(photo.piece(0, 200'000))).complete);
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(200'000, 100'000))).complete);
}

TEST(Media, AnotherSizeThanTheRecordSaidIsRefused) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  auto piece = photo.piece(0, 1000);
  piece.size = 2000;
  EXPECT_EQ(state_of(hh.send_piece(piece)).refused, ErrorCode::media_range);
}

TEST(Media, ManyHolesDoNotFillTheRow) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(10'000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  std::optional<ErrorCode> refused;
  for (std::uint64_t at = 0; at < 600 && !refused; at += 2)
    refused = state_of(hh.send_piece(photo.piece(at, 1))).refused;
  EXPECT_EQ(refused, ErrorCode::media_limits);
  EXPECT_LE(row_of(world, photo.ref.sha256).have.size(), 256u);
  const auto state = state_of(hh.send_piece(photo.question()));
  EXPECT_EQ(state.missing.size(), kMissingRanges);
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 10'000))).complete) << "an honest piece mends it";
}

TEST(Media, AServerThatDiedBeforeTheSealSealsWhenAsked) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  // What is there when the process ends between the last piece's commit and the seal.
  must(world.photos->write_piece(photo.ref.sha256, 1000, 0, photo.bytes));
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    auto row = tx.find_media(photo.ref.sha256).value();
    row.status = app::MediaStatus::partial;
    row.have = {{0, 1000}};
    tx.update_media(row);
    return {};
  }));
  EXPECT_TRUE(state_of(hh.send_piece(photo.question())).complete);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.photo_jobs(10); }).size(), 1u);
}

TEST(Media, APartThatIsGoneIsAskedForAgain) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    auto row = tx.find_media(photo.ref.sha256).value();
    row.status = app::MediaStatus::partial;
    row.have = {{0, 1000}};
    tx.update_media(row);
    return {};
  }));
  const auto state = state_of(hh.send_piece(photo.question()));
  EXPECT_EQ(state.missing, (std::vector<ByteRange>{{0, 1000}}));
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
}

TEST(Media, RubbishIsCountedAndNotAnswered) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  world.ingest->media(hh.topic(TopicKind::media), Bytes(limits::kMediaMessageBytes + 1, 0));
  world.ingest->media(hh.topic(TopicKind::media), {0xFF});
  world.ingest->media(hh.topic(TopicKind::up), encode_media_piece(Photo(10).question()));
  EXPECT_TRUE(hh.answers().empty());
  EXPECT_EQ(world.ingest->counts().undecodable, 3u);
}

TEST(Media, AWrongTownOrUnknownDeviceIsRefused) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1", kOtherTown);
  EXPECT_EQ(state_of(hh.send_piece(Photo(10).question())).refused, ErrorCode::wrong_town);
  Handheld unknown(world, "hh-9", "m1");
  EXPECT_EQ(state_of(unknown.send_piece(Photo(10).question())).refused, ErrorCode::unknown_device);
}

TEST(Media, WhoMaySeeThePhoto) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  EXPECT_TRUE(world.cases->media(world.actor("op"), photo.ref.sha256).has_value());
  EXPECT_TRUE(world.cases->media(world.actor("boss"), photo.ref.sha256).has_value());
  EXPECT_TRUE(world.cases->media(world.actor("m1"), photo.ref.sha256).has_value());
  const auto not_yours = world.cases->media(world.actor("op2"), photo.ref.sha256);
  const auto not_there = world.cases->media(world.actor("op2"), Sha256{9});
  EXPECT_EQ(not_yours.error().code, ErrorCode::not_found);
  EXPECT_EQ(not_there.error().code, ErrorCode::not_found);
  EXPECT_EQ(world.cases->media(world.actor("u1"), photo.ref.sha256).error().code, ErrorCode::not_found);
  EXPECT_EQ(world.cases->media(world.actor("m2"), photo.ref.sha256).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace gridward
