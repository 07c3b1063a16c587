#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <gridward/test/server_world.hpp>
#include <set>

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

app::Upload upload_of(ServerWorld& world, const Sha256& sha) {
  return world.read([&](app::Tx& tx) { return tx.find_upload("hh-1", sha); }).value();
}
void set_have(ServerWorld& world, const Sha256& sha, const std::vector<ByteRange>& have) {
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    tx.set_upload("hh-1", sha, app::UploadState::open, have);
    return {};
  }));
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

// A hash is no secret: it stands in answers of the API. Naming one must not tell whether we have the file, nor open it.
TEST(Media, NamingAForeignHashTellsAndOpensNothing) {
  ServerWorld world;
  Handheld owner(world, "hh-1", "m1");
  Handheld curious(world, "hh-2", "m2");
  const Photo photo(1000);
  const Photo absent(1000, 2);
  ASSERT_EQ(owner.receipt({with_photo(owner, photo)}).ok.size(), 1u);
  ASSERT_TRUE(state_of(owner.send_piece(photo.piece(0, 1000))).complete);
  const auto own = [&](const Photo& p) { return with_photo(curious, p); };
  for (const auto* asked : {&photo, &absent}) {
    const auto answers = curious.send_piece(asked->question());
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<Busy>(answers[0])) << "the same for there and not there";
  }
  const auto record = own(photo);
  ASSERT_EQ(curious.receipt({record, own(absent)}).ok.size(), 2u);
  for (const auto* asked : {&photo, &absent}) {
    const auto state = state_of(curious.send_piece(asked->question()));
    EXPECT_FALSE(state.complete);
    EXPECT_EQ(state.missing, (std::vector<ByteRange>{{0, 1000}}));
    // Guessing ends the same way, too.
    auto guess = asked->piece(0, 1000);
    guess.data[999] ^= 1;
    EXPECT_EQ(state_of(curious.send_piece(guess)).refused, ErrorCode::media_hash_mismatch);
    auto other_size = asked->question();
    other_size.size = 999;
    EXPECT_EQ(state_of(curious.send_piece(other_size)).refused, ErrorCode::media_range);
  }
  const auto view = must(world.cases->get(world.actor("m2"), record.id));
  ASSERT_EQ(view.media.size(), 1u);
  EXPECT_EQ(view.media[0].status, app::MediaStatus::expected);
  EXPECT_EQ(view.media[0].have, 0u);
  EXPECT_EQ(world.cases->media(world.actor("m2"), photo.ref.sha256).error().code, ErrorCode::not_found);
}

TEST(Media, TheSamePictureOfTwoDevicesWorksForBoth) {
  ServerWorld world;
  Handheld first(world, "hh-1", "m1");
  Handheld second(world, "hh-2", "m2");
  const Photo photo(300'000);
  const auto one = with_photo(first, photo);
  const auto two = with_photo(second, photo);
  ASSERT_EQ(first.receipt({one}).ok.size(), 1u);
  ASSERT_EQ(second.receipt({two}).ok.size(), 1u);
  // In turns, each its own pieces.
  EXPECT_FALSE(state_of(first.send_piece(photo.piece(0, 200'000))).complete);
  EXPECT_EQ(state_of(second.send_piece(photo.piece(200'000, 100'000))).missing, (std::vector<ByteRange>{{0, 200'000}}));
  EXPECT_TRUE(state_of(first.send_piece(photo.piece(200'000, 100'000))).complete);
  EXPECT_FALSE(world.cases->media(world.actor("m2"), photo.ref.sha256));
  world.live.take();
  EXPECT_TRUE(state_of(second.send_piece(photo.piece(0, 200'000))).complete);
  EXPECT_TRUE(world.cases->media(world.actor("m2"), photo.ref.sha256));
  for (const auto& record : {one, two}) {
    const auto view = must(world.cases->get(world.actor("op"), record.id));
    EXPECT_EQ(view.media.at(0).status, app::MediaStatus::sealed);
    EXPECT_EQ(view.media.at(0).have, 300'000u);
  }
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.photo_jobs(10); }).size(), 1u) << "one file, derived once";
  // The page of the second is told at once.
  std::set<std::string> told;
  for (const auto& event : world.live.take()) {
    if (event.kind == "photo") told.insert(event.id);
  }
  EXPECT_TRUE(told.contains(to_string(two.id)));
}

TEST(Media, LiveEventsNameCasesAndNoHashes) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  const auto record = with_photo(hh, photo);
  ASSERT_EQ(hh.receipt({record}).ok.size(), 1u);
  ASSERT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
  const auto events = world.live.take();
  ASSERT_FALSE(events.empty());
  EXPECT_TRUE(std::ranges::any_of(events, [](const auto& event) { return event.kind == "photo"; }));
  for (const auto& event : events) EXPECT_EQ(event.id, to_string(record.id)) << event.kind;
}

TEST(Media, EvidenceStaysWithItsCaseWhateverUuidAnotherDeviceUses) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  Handheld thief(world, "hh-2", "m2");
  const Photo photo(1000);
  const auto record = with_photo(hh, photo);
  ASSERT_EQ(hh.receipt({record}).ok.size(), 1u);
  ASSERT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
  auto same_id = with_photo(thief, photo);
  same_id.id = record.id;
  ASSERT_EQ(thief.receipt({same_id}).ok.size(), 1u);
  const auto view = must(world.cases->get(world.actor("op"), record.id));
  ASSERT_EQ(view.media.size(), 1u);
  EXPECT_EQ(view.media[0].status, app::MediaStatus::sealed);
  EXPECT_TRUE(world.cases->media(world.actor("m1"), photo.ref.sha256));
}

TEST(Media, WrongContentsStartAgainOnceThenTheFileIsGivenUp) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(300'000);
  const auto record = with_photo(hh, photo);
  ASSERT_EQ(hh.receipt({record}).ok.size(), 1u);
  const auto state = [&] {
    return world.read([&](app::Tx& tx) { return tx.find_upload("hh-1", photo.ref.sha256); }).value().state;
  };
  const auto send_spoilt = [&] {
    auto spoilt = photo.piece(0, 200'000);
    spoilt.data[77] ^= 1;
    EXPECT_FALSE(state_of(hh.send_piece(spoilt)).complete);
    return state_of(hh.send_piece(photo.piece(200'000, 100'000)));
  };
  EXPECT_EQ(send_spoilt().refused, ErrorCode::media_hash_mismatch);
  EXPECT_EQ(state(), app::UploadState::mismatched);
  EXPECT_FALSE(world.photos->has_original(photo.ref.sha256));
  EXPECT_EQ(state_of(hh.send_piece(photo.question())).missing, (std::vector<ByteRange>{{0, 300'000}}));
  EXPECT_EQ(send_spoilt().refused, ErrorCode::media_hash_mismatch);
  EXPECT_EQ(state(), app::UploadState::refused);
  const auto view = must(world.cases->get(world.actor("op"), record.id));
  EXPECT_EQ(view.media.at(0).status, app::MediaStatus::refused);
  EXPECT_NE(view.media.at(0).problem.find("media_hash_mismatch"), std::string::npos);
  // Should the handheld try again all the same, it may.
  EXPECT_FALSE(state_of(hh.send_piece(photo.piece(0, 200'000))).complete);
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(200'000, 100'000))).complete);
  EXPECT_EQ(state(), app::UploadState::delivered);
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
  for (std::uint64_t at = 0; at < 600; at += 2) {
    const auto state = state_of(hh.send_piece(photo.piece(at, 1)));
    ASSERT_FALSE(state.refused) << "the file is not given up for it";
    ASSERT_EQ(state.missing.empty(), false);
  }
  EXPECT_EQ(upload_of(world, photo.ref.sha256).have.size(), 256u);
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
  must(world.photos->write_piece(photo.ref.sha256, "hh-1", 1000, 0, photo.bytes, true));
  set_have(world, photo.ref.sha256, {{0, 1000}});
  EXPECT_TRUE(state_of(hh.send_piece(photo.question())).complete);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.photo_jobs(10); }).size(), 1u);
}

TEST(Media, AServerThatDiedBetweenTheSealAndItsCommitAsksOnceMore) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  must(world.photos->write_piece(photo.ref.sha256, "hh-1", 1000, 0, photo.bytes, true));
  set_have(world, photo.ref.sha256, {{0, 1000}});
  must(world.photos->seal(photo.ref.sha256, "hh-1", 1000));
  EXPECT_EQ(state_of(hh.send_piece(photo.question())).missing, (std::vector<ByteRange>{{0, 1000}}));
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
  EXPECT_EQ(row_of(world, photo.ref.sha256).status, app::MediaStatus::sealed);
}

TEST(Media, APartThatIsGoneIsAskedForAgain) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  // Also when a piece comes that would stand behind a hole.
  const std::pair<std::vector<ByteRange>, MediaPiece> cases[] = {{{{0, 1000}}, photo.question()},
                                                                 {{{0, 600}}, photo.piece(600, 400)}};
  for (const auto& [have, piece] : cases) {
    set_have(world, photo.ref.sha256, have);
    const auto state = state_of(hh.send_piece(piece));
    ASSERT_FALSE(state.refused);
    EXPECT_EQ(state.missing, (std::vector<ByteRange>{{0, 1000}}));
  }
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
}

// What the device sends after such a death is the last piece as often as a question: in a new part it would stand
// behind a hole, and the device would be told that its photo is wrong.
TEST(Media, APieceAfterADeathBetweenTheSealAndItsCommitMakesNoHole) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const Photo photo(1000);
  ASSERT_EQ(hh.receipt({with_photo(hh, photo)}).ok.size(), 1u);
  for (int death = 0; death < 3; ++death) {  // a device gives a photo up that is called wrong twice
    must(world.photos->write_piece(photo.ref.sha256, "hh-1", 1000, 0, photo.bytes, true));
    set_have(world, photo.ref.sha256, {{0, 1000}});
    must(world.photos->seal(photo.ref.sha256, "hh-1", 1000));
    const auto state = state_of(hh.send_piece(photo.piece(600, 400)));
    ASSERT_FALSE(state.refused);
    ASSERT_EQ(state.missing, (std::vector<ByteRange>{{0, 1000}}));
  }
  EXPECT_FALSE(state_of(hh.send_piece(photo.piece(600, 400))).complete);
  EXPECT_TRUE(state_of(hh.send_piece(photo.piece(0, 600))).complete);
  EXPECT_EQ(row_of(world, photo.ref.sha256).status, app::MediaStatus::sealed);
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
  EXPECT_EQ(world.cases->media(world.actor("op"), photo.ref.sha256).error().code, ErrorCode::not_found)
      << "not here yet";
  ASSERT_TRUE(state_of(hh.send_piece(photo.piece(0, 1000))).complete);
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
