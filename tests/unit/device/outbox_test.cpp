#include <gridward/device.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <gridward/shared/limits.hpp>
#include <gridward/test/process.hpp>
#include <gridward_device/outbox.hpp>

namespace gridward::device {
namespace {

namespace fs = std::filesystem;

const UnixMs kNow = from_unix_ms(1'790'000'000'000);
const Uuid kStore = make_uuid_v7(kNow, {});
const Uuid kOtherStore = make_uuid_v7(kNow + Millis{1}, {});

class OutboxTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(Outbox::create(box(), options(), kNow)); }

  fs::path box() const { return dir_ / "box"; }
  OutboxOptions options() {
    OutboxOptions result;
    result.min_free_bytes = 0;
    result.new_id = [this](UnixMs) { return next_id(); };
    return result;
  }
  Uuid next_id() {
    Uuid id;
    const auto n = ++ids_;
    for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    id.bytes[6] = 0x70;
    id.bytes[8] = 0x80;
    return id;
  }
  Outbox open() { return open(options()); }
  Outbox open(OutboxOptions with) {
    auto outbox = Outbox::open(box(), std::move(with));
    if (!outbox) throw std::runtime_error(to_string(outbox.error()));
    return std::move(*outbox);
  }
  Draft draft(RecordBody body, UnixMs at = kNow) {
    Draft d;
    d.id = next_id();
    d.actor = "wg0001";
    d.at = at;
    d.mono = Millis{1'000};
    d.boot = id(9);
    d.body = std::move(body);
    return d;
  }
  static Uuid id(std::uint8_t n) {
    Uuid u;
    u.bytes.fill(n);
    return u;
  }
  Draft report(const std::string& text = "井盖破损") { return draft(ReportBody{"A01", text}); }
  fs::path jpeg(const std::string& name, const std::string& content = "a picture") {
    test::write_file(dir_ / name, "\xFF\xD8\xFF\xE0" + content);
    return dir_ / name;
  }
  static Record decoded(Outbox& outbox, std::uint64_t seq) {
    const auto bytes = outbox.load({seq});
    auto record = decode_record(bytes.at(0));
    if (!record) throw std::runtime_error(to_string(record.error()));
    return *record;
  }
  Saved must(Outbox& outbox, const Draft& d) {
    auto saved = outbox.append(d);
    if (!saved) throw std::runtime_error(to_string(saved.error()));
    return *saved;
  }
  void receipt(Outbox& outbox, const std::vector<Uuid>& ids) {
    outbox.transaction([&] { outbox.mark_receipted(ids, kNow); });
  }
  std::size_t media_files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(box() / "media"), fs::directory_iterator{}));
  }

  test::TempDir dir_;
  std::uint64_t ids_ = 0;
};

TEST_F(OutboxTest, NumbersWithoutGapsAlsoAcrossHandlesAndFailures) {
  auto a = open();
  auto b = open();
  EXPECT_EQ(must(a, report()).seq, 1U);
  EXPECT_EQ(must(b, report()).seq, 2U);
  EXPECT_FALSE(a.append(report(std::string(7'000, 'x'))));  // too long: takes no number
  EXPECT_EQ(must(a, report()).seq, 3U);
  EXPECT_EQ(open().summary().next_seq, 4U);
  EXPECT_EQ(a.epoch(), b.epoch());
}

TEST_F(OutboxTest, CreateAgainChangesNothing) {
  const auto epoch = open().epoch();
  {
    auto outbox = open();
    must(outbox, report());
  }
  ASSERT_TRUE(Outbox::create(box(), options(), kNow));
  EXPECT_EQ(open().epoch(), epoch);
  EXPECT_EQ(open().summary().waiting_records, 1U);
}

TEST_F(OutboxTest, MissingOrNewerIsRefused) {
  EXPECT_EQ(Outbox::open(dir_ / "nothing", options()).error().code, ErrorCode::not_enrolled);
  {
    Database db(box() / "outbox.db", false, 100);
    db.exec("PRAGMA user_version=99");
  }
  EXPECT_EQ(Outbox::open(box(), options()).error().code, ErrorCode::newer_database);
}

TEST_F(OutboxTest, AnOutboxOfTheFirstSchemaIsUpgraded) {
  {
    auto outbox = open();
    must(outbox, draft(SignBody{SignAct::in}));
    outbox.add_track_point({kNow, {1, 1}, 0});
    Database db(box() / "outbox.db", false, 100);
    for (const auto* column : {"mono", "boot", "source", "error", "off"}) {
      db.exec((std::string("ALTER TABLE track_point DROP COLUMN ") + column).c_str());
    }
    db.exec("ALTER TABLE task DROP COLUMN result");
    db.exec("ALTER TABLE task DROP COLUMN cancelled");
    db.exec("DROP TABLE standing");
    db.exec("PRAGMA user_version=1");
  }
  auto outbox = open();
  EXPECT_EQ(outbox.summary().waiting_records, 1U);
  outbox.transaction([&] { outbox.store_down({1, "task_cancelled", encode_item(TaskCancelledItem{id(6)})}, kNow); });
  EXPECT_EQ(outbox.append(draft(TaskResultBody{id(6), TaskOutcome::confirmed, "好"})).error().code,
            ErrorCode::illegal_transition);
  SettingsItem settings;
  settings.rev = "s1";
  outbox.transaction([&] { outbox.store_down({2, "settings", encode_item(settings)}, kNow); });
  EXPECT_EQ(open().settings(), settings);
  EXPECT_EQ(open().epoch(), outbox.epoch());
  EXPECT_EQ(outbox.close_track(draft(TrackBody{})), 1U);
  EXPECT_EQ(std::get<TrackBody>(decoded(outbox, 2).body).points.at(0).at, kNow);
}

TEST_F(OutboxTest, KeepsTheExactBytesOfARecord) {
  auto outbox = open();
  auto d = report("路灯不亮");
  d.fix = Fix{{390'000'001, 1'177'000'001}, 350, FixSource::gnss, Datum::wgs84, false, kNow};
  d.clock = {ClockSource::gnss, 40};
  const auto saved = must(outbox, d);
  const auto record = decoded(outbox, saved.seq);
  EXPECT_EQ(record.id, d.id);
  EXPECT_EQ(record.epoch, outbox.epoch());
  EXPECT_EQ(record.seq, 1U);
  EXPECT_EQ(record.actor, "wg0001");
  EXPECT_EQ(record.fix, d.fix);
  EXPECT_EQ(record.clock, d.clock);
  EXPECT_EQ(std::get<ReportBody>(record.body).text, "路灯不亮");
}

TEST_F(OutboxTest, WhatTheServerWouldRefuseIsRefusedHere) {
  auto outbox = open();
  std::string text;
  for (std::size_t i = 0; i <= limits::kTextCharacters; ++i) text += "字";
  const auto refused = outbox.append(report(text));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  EXPECT_EQ(outbox.append(report("\xFF\xFE")).error().code, ErrorCode::bad_utf8);
  EXPECT_EQ(outbox.summary().waiting_records, 0U);
}

// ---- duty ----

TEST_F(OutboxTest, SignInAndOutMustAlternate) {
  auto outbox = open();
  EXPECT_EQ(outbox.append(draft(SignBody{SignAct::out})).error().code, ErrorCode::not_on_duty);
  must(outbox, draft(SignBody{SignAct::in}));
  EXPECT_TRUE(outbox.duty().on_duty);
  EXPECT_EQ(outbox.duty().actor, "wg0001");
  EXPECT_EQ(outbox.append(draft(SignBody{SignAct::in})).error().code, ErrorCode::already_on_duty);
  must(outbox, draft(SignBody{SignAct::out}));
  EXPECT_FALSE(outbox.duty().on_duty);
  EXPECT_EQ(outbox.summary().next_seq, 3U);
}

TEST_F(OutboxTest, PointsAreKeptOnDutyOnly) {
  auto outbox = open();
  const TrackPoint point{kNow, {390'000'000, 1'177'000'000}, 300};
  EXPECT_EQ(outbox.add_track_point(point), PointStored::off_duty);
  must(outbox, draft(SignBody{SignAct::in}));
  EXPECT_EQ(outbox.add_track_point(point), PointStored::kept);
  must(outbox, draft(SignBody{SignAct::out}));
  EXPECT_EQ(outbox.add_track_point(point), PointStored::off_duty);
  EXPECT_EQ(outbox.summary().pending_points, 0U);
}

TEST_F(OutboxTest, ASignOutFromAnotherProcessClosesTheTrackBeforeItself) {
  auto agent = open();
  must(agent, draft(SignBody{SignAct::in}));
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(agent.add_track_point({kNow + Millis{i * 1'000}, {390'000'000 + i, 1'177'000'000}, 300}),
              PointStored::kept);
  }
  auto command = open();
  const auto out = must(command, draft(SignBody{SignAct::out}, kNow + Millis{9'000}));
  EXPECT_EQ(out.seq, 3U);
  const auto track = decoded(command, 2);
  const auto& body = std::get<TrackBody>(track.body);
  EXPECT_EQ(body.points.size(), 5U);
  EXPECT_TRUE(body.patrol.is_nil());
  EXPECT_EQ(track.actor, "wg0001");
  EXPECT_EQ(command.summary().pending_points, 0U);
  // The agent, a moment late:
  EXPECT_EQ(agent.add_track_point({kNow + Millis{10'000}, {390'000'000, 1'177'000'000}, 300}), PointStored::off_duty);
}

TEST_F(OutboxTest, APatrolHasItsOwnBatchesAndEndsWithTheDuty) {
  auto outbox = open();
  EXPECT_EQ(outbox.append(draft(PatrolBody{PatrolAct::start, id(5), {}, {}})).error().code, ErrorCode::not_on_duty);
  must(outbox, draft(SignBody{SignAct::in}));
  outbox.add_track_point({kNow, {1, 1}, 0});
  must(outbox, draft(PatrolBody{PatrolAct::start, id(5), {}, {}}));
  EXPECT_EQ(outbox.append(draft(PatrolBody{PatrolAct::start, id(6), {}, {}})).error().code, ErrorCode::already_exists);
  outbox.add_track_point({kNow, {2, 2}, 0});
  must(outbox, draft(SignBody{SignAct::out}));
  // 1 in, 2 track before the patrol, 3 start, 4 track of the patrol, 5 stop, 6 out
  EXPECT_TRUE(std::get<TrackBody>(decoded(outbox, 2).body).patrol.is_nil());
  EXPECT_EQ(std::get<TrackBody>(decoded(outbox, 4).body).patrol, id(5));
  const auto stop = std::get<PatrolBody>(decoded(outbox, 5).body);
  EXPECT_EQ(stop.act, PatrolAct::stop);
  EXPECT_EQ(stop.patrol, id(5));
  EXPECT_EQ(std::get<SignBody>(decoded(outbox, 6).body).act, SignAct::out);
  EXPECT_TRUE(outbox.duty().patrol.is_nil());
}

TEST_F(OutboxTest, PatrolStopCarriesTheLogAndTheRightPatrol) {
  auto outbox = open();
  EXPECT_EQ(outbox.append(draft(PatrolBody{PatrolAct::stop, {}, {}, {}})).error().code, ErrorCode::not_found);
  must(outbox, draft(SignBody{SignAct::in}));
  must(outbox, draft(PatrolBody{PatrolAct::start, id(5), {}, {}}));
  const auto saved = must(outbox, draft(PatrolBody{PatrolAct::stop, {}, "一切正常", {{"消防栓", true, ""}}}));
  const auto stop = std::get<PatrolBody>(decoded(outbox, saved.seq).body);
  EXPECT_EQ(stop.patrol, id(5));
  EXPECT_EQ(stop.text, "一切正常");
  ASSERT_EQ(stop.checks.size(), 1U);
}

TEST_F(OutboxTest, WhereThereIsNoSignInThePatrolIsTheDuty) {
  auto with = options();
  with.duty_by_patrol = true;
  auto outbox = open(with);
  must(outbox, draft(PatrolBody{PatrolAct::start, id(5), {}, {}}));
  EXPECT_EQ(outbox.add_track_point({kNow, {2, 2}, 0}), PointStored::kept);
  must(outbox, draft(PatrolBody{PatrolAct::stop, {}, {}, {}}));
  EXPECT_EQ(outbox.add_track_point({kNow, {2, 2}, 0}), PointStored::off_duty);
  EXPECT_EQ(std::get<TrackBody>(decoded(outbox, 2).body).patrol, id(5));
}

// The wall clock is three hours slow until the receiver tells better on the way; then the device starts anew.
TEST_F(OutboxTest, ABatchIsOfOneBootAndHasItsLastPointsClock) {
  auto outbox = open();
  must(outbox, draft(SignBody{SignAct::in}));
  const auto slow = kNow - Millis{3 * 3'600'000};
  const PointClock not_known{Millis{10'000}, id(1), {}};
  const PointClock known{Millis{20'000}, id(1), {ClockSource::gnss, 2'000, 3 * 3'600'000}};
  const PointClock other{Millis{500}, id(2), {ClockSource::server, 70, 0}};
  outbox.add_track_point({slow, {1, 1}, 0}, not_known);
  outbox.add_track_point({kNow + Millis{10'000}, {2, 2}, 0}, known);
  outbox.add_track_point({kNow + Millis{60'000}, {3, 3}, 0}, other);
  auto closing = draft(TrackBody{}, kNow + Millis{90'000});
  closing.boot = id(2);
  EXPECT_EQ(outbox.close_track(closing), 2U);
  const auto first = decoded(outbox, 2);
  EXPECT_EQ(first.at, kNow + Millis{10'000});
  EXPECT_EQ(first.mono, known.mono);
  EXPECT_EQ(first.boot, known.boot);
  EXPECT_EQ(first.clock, known.quality);
  const auto& points = std::get<TrackBody>(first.body).points;
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].at, kNow) << "ten seconds before the next, whatever the wall clock said";
  EXPECT_EQ(points[1].at, kNow + Millis{10'000});
  const auto second = decoded(outbox, 3);
  EXPECT_EQ(second.boot, other.boot);
  EXPECT_EQ(second.clock, other.quality);
  EXPECT_EQ(std::get<TrackBody>(second.body).points.at(0).at, kNow + Millis{60'000});
}

TEST_F(OutboxTest, ABatchIsInOrderOfTimeAndLimited) {
  auto outbox = open();
  must(outbox, draft(SignBody{SignAct::in}));
  const int many = static_cast<int>(limits::kTrackPoints) + 10;
  for (int i = 0; i < many; ++i) outbox.add_track_point({kNow + Millis{i * 1'000}, {1, 1}, 0});
  outbox.add_track_point({kNow - Millis{3'600'000}, {1, 1}, 0});  // the wall clock was set back
  outbox.add_track_point({kNow + Millis{7'200'000}, {1, 1}, 0});  // and two hours on
  EXPECT_EQ(outbox.close_track(draft(TrackBody{})), 4U);
  std::size_t points = 0;
  for (std::uint64_t seq = 2; seq <= 5; ++seq) points += std::get<TrackBody>(decoded(outbox, seq).body).points.size();
  EXPECT_EQ(points, static_cast<std::size_t>(many) + 2);
  EXPECT_EQ(outbox.close_track(draft(TrackBody{})), 0U);
}

TEST_F(OutboxTest, APointThatTheWireDoesNotTakeIsCountedAndStopsNothing) {
  auto outbox = open();
  must(outbox, draft(SignBody{SignAct::in}));
  const std::vector<TrackPoint> bad{
      {from_unix_ms(limits::kLatestMs + 1), {1, 1}, 0},
      {from_unix_ms(limits::kEarliestMs - 1), {1, 1}, 0},
      {kNow, {900'000'001, 1}, 0},
      {kNow, {-900'000'001, 1}, 0},
      {kNow, {1, 1'800'000'001}, 0},
      {kNow, {1, -1'800'000'001}, 0},
      {from_unix_ms(INT64_MIN), {1, 1}, 0},
      {from_unix_ms(INT64_MAX), {1, 1}, 0},
  };
  for (const auto& point : bad) {
    EXPECT_EQ(outbox.add_track_point(point), PointStored::refused);
    EXPECT_EQ(outbox.add_track_point({kNow, {1, 1}, 0}), PointStored::kept);
  }
  EXPECT_EQ(outbox.add_track_point({from_unix_ms(limits::kLatestMs), {900'000'000, -1'800'000'000}, UINT32_MAX}),
            PointStored::kept);
  EXPECT_EQ(outbox.summary().dropped_points, bad.size());
  must(outbox, draft(SignBody{SignAct::out}));
  EXPECT_FALSE(outbox.duty().on_duty);
  EXPECT_EQ(std::get<TrackBody>(decoded(outbox, 2).body).points.size(), bad.size());
}

// What an earlier version took, or a byte that went wrong on the card.
TEST_F(OutboxTest, ABadPointThatIsThereAlreadyDoesNotBlockTheSignOut) {
  auto outbox = open();
  must(outbox, draft(SignBody{SignAct::in}));
  EXPECT_EQ(outbox.add_track_point({kNow, {1, 1}, 0}), PointStored::kept);
  {
    Database db(box() / "outbox.db", false, 100);
    db.exec(
        "INSERT INTO track_point(at, lat, lon, accuracy) VALUES(9223372036854775807, 1, 1, 0), (0, 2000000000, 1, 0)");
  }
  EXPECT_EQ(outbox.add_track_point({kNow + Millis{1}, {1, 1}, 0}), PointStored::kept);
  const auto out = must(outbox, draft(SignBody{SignAct::out}));
  EXPECT_EQ(out.seq, 3U);
  EXPECT_EQ(std::get<TrackBody>(decoded(outbox, 2).body).points.size(), 2U);
  EXPECT_EQ(outbox.summary().dropped_points, 2U);
  EXPECT_EQ(outbox.summary().pending_points, 0U);
}

TEST_F(OutboxTest, ABatchThatCannotBeARecordDoesNotBlockTheSignOut) {
  auto outbox = open();
  must(outbox, draft(SignBody{SignAct::in}));
  EXPECT_EQ(outbox.add_track_point({kNow, {1, 1}, 0}), PointStored::kept);
  {
    Database db(box() / "outbox.db", false, 100);
    // The track is the member's who signed in; this is no name.
    db.prepare("UPDATE meta SET value=? WHERE key='duty_actor'").bind(1, std::string(200, 'x')).run();
  }
  must(outbox, draft(SignBody{SignAct::out}));
  EXPECT_FALSE(outbox.duty().on_duty);
  EXPECT_EQ(outbox.summary().dropped_points, 1U);
}

// ---- photos ----

TEST_F(OutboxTest, APhotoIsCopiedAndSurvivesItsSource) {
  auto outbox = open();
  const auto source = jpeg("a.jpg", "content");
  auto media = outbox.import_photo(source, MediaRole::scene);
  ASSERT_TRUE(media) << to_string(media.error());
  fs::remove(source);
  EXPECT_EQ(media->type, "image/jpeg");
  EXPECT_EQ(media->size, 11U);
  const auto piece = outbox.load_piece(media->sha256, 4, 7);
  ASSERT_TRUE(piece);
  EXPECT_EQ(std::string(piece->begin(), piece->end()), "content");
  EXPECT_FALSE(outbox.load_piece(media->sha256, 8, 7));  // shorter than asked
}

TEST_F(OutboxTest, OnlyPhotosOfTheThreeKindsAndTheRightSize) {
  auto outbox = open();
  test::write_file(dir_ / "x.txt", "GIF89a, or anything else");
  EXPECT_EQ(outbox.import_photo(dir_ / "x.txt", MediaRole::scene).error().code, ErrorCode::media_type);
  test::write_file(dir_ / "empty.jpg", "");
  EXPECT_EQ(outbox.import_photo(dir_ / "empty.jpg", MediaRole::scene).error().code, ErrorCode::media_limits);
  EXPECT_EQ(outbox.import_photo(dir_ / "absent.jpg", MediaRole::scene).error().code, ErrorCode::not_found);
  EXPECT_EQ(outbox.import_photo(dir_.path(), MediaRole::scene).error().code, ErrorCode::not_found);
  jpeg("big.jpg");
  fs::resize_file(dir_ / "big.jpg", limits::kMediaBytes + 1);
  EXPECT_EQ(outbox.import_photo(dir_ / "big.jpg", MediaRole::scene).error().code, ErrorCode::media_limits);
  EXPECT_EQ(media_files(), 0U);
}

TEST_F(OutboxTest, APhotoWaitsForItsRecordsReceipt) {
  auto outbox = open();
  auto d = report();
  d.media.push_back(*outbox.import_photo(jpeg("a.jpg"), MediaRole::scene));
  must(outbox, d);
  EXPECT_TRUE(outbox.waiting_media({}, 10).empty());
  receipt(outbox, {d.id});
  const auto waiting = outbox.waiting_media({}, 10);
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].sha256, d.media[0].sha256);
  EXPECT_FALSE(waiting[0].started);
  EXPECT_TRUE(outbox.waiting_media({d.media[0].sha256}, 10).empty());
  outbox.transaction([&] { outbox.mark_media_started(d.media[0].sha256); });
  EXPECT_TRUE(outbox.waiting_media({}, 10)[0].started);
  outbox.transaction([&] { EXPECT_TRUE(outbox.mark_media_complete(d.media[0].sha256)); });
  EXPECT_TRUE(outbox.waiting_media({}, 10).empty());
}

TEST_F(OutboxTest, ARefusedPhotoGetsAnotherChanceWithAnotherRecord) {
  auto outbox = open();
  auto first = report();
  first.media.push_back(*outbox.import_photo(jpeg("a.jpg"), MediaRole::scene));
  must(outbox, first);
  receipt(outbox, {first.id});
  outbox.transaction([&] { outbox.mark_media_refused(first.media[0].sha256, ErrorCode::media_hash_mismatch, kNow); });
  ASSERT_EQ(outbox.refused().size(), 1U);
  EXPECT_EQ(outbox.refused()[0].kind, "media");
  auto second = report();
  second.media = first.media;
  must(outbox, second);
  receipt(outbox, {second.id});
  EXPECT_EQ(outbox.waiting_media({}, 10).size(), 1U);
  EXPECT_TRUE(outbox.refused().empty());
}

// ---- receipts, safe, room ----

TEST_F(OutboxTest, AReceiptStopsTheSendingDeletionWaitsForSafe) {
  auto outbox = open();
  auto d = report();
  d.media.push_back(*outbox.import_photo(jpeg("a.jpg"), MediaRole::scene));
  must(outbox, d);
  const auto second = must(outbox, report());
  receipt(outbox, {d.id});
  EXPECT_EQ(outbox.waiting(Lane::urgent, 0, 10, 10'000).size(), 1U);
  outbox.transaction([&] { outbox.save_safe(kStore, 1); });
  outbox.prune();
  EXPECT_EQ(outbox.summary().stored_records, 2U);  // its photo is still on the way
  outbox.transaction([&] { outbox.mark_media_complete(d.media[0].sha256); });
  outbox.prune();
  EXPECT_EQ(outbox.summary().stored_records, 1U);
  EXPECT_EQ(media_files(), 0U);
  receipt(outbox, {second.id});
  outbox.prune();
  EXPECT_EQ(outbox.summary().stored_records, 1U);  // above safe
}

TEST_F(OutboxTest, APhotoThatWasRefusedKeepsItsRecordAndItself) {
  auto outbox = open();
  auto d = report();
  d.media.push_back(*outbox.import_photo(jpeg("a.jpg"), MediaRole::scene));
  must(outbox, d);
  receipt(outbox, {d.id});
  outbox.transaction([&] {
    outbox.mark_media_refused(d.media[0].sha256, ErrorCode::media_hash_mismatch, kNow);
    outbox.save_safe(kStore, 1);
  });
  outbox.prune();
  auto with = options();
  with.min_free_bytes = UINT64_MAX / 2;  // more than any disk has
  EXPECT_FALSE(open(with).ensure_room(1));
  EXPECT_EQ(outbox.summary().stored_records, 1U);
  EXPECT_EQ(media_files(), 1U);
  ASSERT_EQ(outbox.refused().size(), 1U);
  EXPECT_EQ(outbox.retry_refused(), 1U);
  EXPECT_EQ(outbox.waiting_media({}, 10).size(), 1U);
}

TEST_F(OutboxTest, UnsafeRecordsAreNeverPruned) {
  auto outbox = open();
  const auto saved = must(outbox, report());
  outbox.transaction([&] { outbox.save_safe(kStore, 1'000); });  // a server that is wrong about us
  outbox.prune();
  EXPECT_EQ(outbox.load({saved.seq}).size(), 1U);
}

// The restored server numbers anew what comes after our ack: 2 is another item there, and 3 came ahead of it.
TEST_F(OutboxTest, WhatCameAheadOfAGapIsForgottenWithItsStore) {
  auto outbox = open();
  SettingsItem lost;
  lost.rev = "of the lost store";
  auto given = lost;
  given.rev = "of the restored one";
  const auto store = [&](std::uint64_t n, const std::string& kind, const std::string& body) {
    bool stored = false;
    outbox.transaction([&] { stored = outbox.store_down({n, kind, body}, kNow); });
    return stored;
  };
  outbox.transaction([&] { outbox.save_safe(kStore, 0); });
  ASSERT_TRUE(store(1, "notice", encode_item(NoticeItem{"一"})));
  outbox.transaction([&] { outbox.set_down_baseline(1); });
  ASSERT_TRUE(store(3, "settings", encode_item(lost)));
  ASSERT_EQ(outbox.down_ack(), 1U);
  outbox.transaction([&] { outbox.save_safe(kOtherStore, 0); });
  EXPECT_EQ(outbox.down_ack(), 1U);
  EXPECT_FALSE(store(1, "notice", encode_item(NoticeItem{"一"}))) << "acknowledged, and known by both stores";
  EXPECT_TRUE(store(2, "settings", encode_item(given)));
  EXPECT_TRUE(store(3, "notice", encode_item(NoticeItem{"三"})));
  EXPECT_EQ(outbox.down_ack(), 3U);
  ASSERT_TRUE(outbox.settings());
  EXPECT_EQ(outbox.settings()->rev, given.rev);
}

class Restored : public OutboxTest {
 protected:
  // 1 and 2 are receipted, 2 with its photo; 3 is refused; 4 waits. safe is 1.
  void SetUp() override {
    OutboxTest::SetUp();
    first_ = report();
    second_ = report();
    auto outbox = open();
    second_.media.push_back(*outbox.import_photo(jpeg("a.jpg"), MediaRole::scene));
    must(outbox, first_);
    must(outbox, second_);
    third_ = must(outbox, report()).id;
    must(outbox, report());
    receipt(outbox, {first_.id, second_.id});
    outbox.transaction([&] {
      outbox.mark_media_complete(second_.media[0].sha256);
      outbox.mark_refused({third_, ErrorCode::unknown_actor, "不在名册"}, kNow);
      outbox.save_safe(kStore, 1);
    });
  }
  static std::vector<std::uint64_t> waiting(Outbox& outbox) {
    std::vector<std::uint64_t> seqs;
    for (const auto& record : outbox.waiting(Lane::urgent, 0, 10, 10'000)) seqs.push_back(record.seq);
    return seqs;
  }
  Draft first_;
  Draft second_;
  Uuid third_;
};

// The backup is as far as the device knew it to be: the same `safe` as ever, and yet all above it is gone.
TEST_F(Restored, WithTheSameSafeEverythingAboveItWaitsAgain) {
  auto outbox = open();
  EXPECT_EQ(waiting(outbox), (std::vector<std::uint64_t>{4}));
  const auto before = outbox.rewinds();
  outbox.transaction([&] { outbox.save_safe(kOtherStore, 1); });
  EXPECT_EQ(outbox.rewinds(), before + 1);
  EXPECT_EQ(waiting(outbox), (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_TRUE(outbox.refused().empty());              // the refusal is gone there, too
  EXPECT_TRUE(outbox.waiting_media({}, 10).empty());  // its record first
  outbox.transaction([&] { outbox.mark_receipted({second_.id}, kNow); });
  ASSERT_EQ(outbox.waiting_media({}, 10).size(), 1U);
  EXPECT_TRUE(outbox.waiting_media({}, 10)[0].started);  // ask: the photo store may have it
  EXPECT_EQ(open().generation(), kOtherStore);
  // The same again changes nothing.
  outbox.transaction([&] { outbox.save_safe(kOtherStore, 1); });
  EXPECT_EQ(outbox.rewinds(), before + 1);
  EXPECT_EQ(waiting(outbox), (std::vector<std::uint64_t>{3, 4}));
}

TEST_F(Restored, AnEarlierBackupReachesLess) {
  auto outbox = open();
  outbox.transaction([&] { outbox.save_safe(kOtherStore, 0); });
  EXPECT_EQ(waiting(outbox), (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(outbox.summary().safe, 0U);
  outbox.prune();
  EXPECT_EQ(outbox.summary().stored_records, 4U);
}

TEST_F(Restored, TheIdsOfTheReceiptThatTellsItCount) {
  auto outbox = open();
  outbox.transaction([&] {
    outbox.save_safe(kOtherStore, 1);
    outbox.mark_receipted({second_.id}, kNow);
  });
  EXPECT_EQ(waiting(outbox), (std::vector<std::uint64_t>{3, 4}));
}

TEST_F(Restored, AnOldReceiptOfTheSameStoreLowersNothing) {
  auto outbox = open();
  outbox.transaction([&] {
    outbox.save_safe(kStore, 2);
    outbox.save_safe(kStore, 1);
  });
  EXPECT_EQ(outbox.summary().safe, 2U);
  EXPECT_EQ(waiting(outbox), (std::vector<std::uint64_t>{4}));
}

TEST_F(OutboxTest, TheFirstGenerationIsOnlyStored) {
  auto outbox = open();
  EXPECT_FALSE(outbox.generation());
  const auto saved = must(outbox, report());
  receipt(outbox, {saved.id});
  outbox.transaction([&] { outbox.save_safe(kStore, 0); });
  EXPECT_EQ(open().generation(), kStore);
  EXPECT_TRUE(outbox.waiting(Lane::urgent, 0, 10, 10'000).empty());
}

TEST_F(OutboxTest, WhatWasRefusedMayTryAgain) {
  auto outbox = open();
  EXPECT_EQ(outbox.retry_refused(), 0U);
  const auto saved = must(outbox, report());
  outbox.transaction([&] { outbox.mark_refused({saved.id, ErrorCode::unknown_actor, "不在名册"}, kNow); });
  const auto before = outbox.rewinds();
  EXPECT_EQ(outbox.retry_refused(), 1U);
  EXPECT_NE(outbox.rewinds(), before);
  EXPECT_TRUE(outbox.refused().empty());
  EXPECT_EQ(outbox.waiting(Lane::urgent, 0, 10, 10'000).size(), 1U);
}

TEST_F(OutboxTest, BadIsKeptWithItsReason) {
  auto outbox = open();
  const auto saved = must(outbox, report());
  outbox.transaction([&] {
    EXPECT_TRUE(outbox.mark_refused({saved.id, ErrorCode::unknown_category, "没有这个类别"}, kNow).changed);
    EXPECT_FALSE(outbox.mark_refused({saved.id, ErrorCode::unknown_category, "没有这个类别"}, kNow).changed);
  });
  ASSERT_EQ(outbox.refused().size(), 1U);
  EXPECT_EQ(outbox.refused()[0].reason, "没有这个类别");
  EXPECT_EQ(outbox.refused()[0].code, ErrorCode::unknown_category);
  EXPECT_EQ(outbox.refused()[0].kind, "report");
  EXPECT_TRUE(outbox.waiting(Lane::urgent, 0, 10, 10'000).empty());
  EXPECT_EQ(outbox.load({saved.seq}).size(), 1U);
  // Taken after all.
  receipt(outbox, {saved.id});
  EXPECT_TRUE(outbox.refused().empty());
}

TEST_F(OutboxTest, FullIsToldAndNothingIsDropped) {
  auto with = options();
  with.max_waiting_bytes = 1'000;
  auto outbox = open(with);
  must(outbox, report());
  EXPECT_TRUE(outbox.ensure_room(500));
  EXPECT_EQ(outbox.ensure_room(1'000).error().code, ErrorCode::outbox_full);
  EXPECT_EQ(outbox.summary().waiting_records, 1U);
}

TEST_F(OutboxTest, WhatWaitsIsCountedInOneWay) {
  auto with = options();
  auto outbox = open(with);
  auto d = report();
  d.media.push_back(*outbox.import_photo(jpeg("a.jpg", std::string(5'000, 'x')), MediaRole::scene));
  const auto refused = must(outbox, d);
  must(outbox, report());
  const auto all = outbox.summary().waiting_bytes;
  EXPECT_GT(all, 5'000U);
  outbox.transaction([&] { outbox.mark_refused({refused.id, ErrorCode::unknown_actor, "不在名册"}, kNow); });
  const auto rest = outbox.summary();
  EXPECT_EQ(rest.waiting_media, 0U);
  EXPECT_LT(rest.waiting_bytes, 1'000U);
  // The limit is for the same bytes.
  with.max_waiting_bytes = rest.waiting_bytes + 100;
  EXPECT_TRUE(open(with).ensure_room(100));
  EXPECT_FALSE(open(with).ensure_room(101));
}

TEST_F(OutboxTest, AShortDiskThinsWhatTheServerHasFirst) {
  auto outbox = open();
  auto done = report();
  done.media.push_back(*outbox.import_photo(jpeg("a.jpg", "one"), MediaRole::scene));
  must(outbox, done);
  auto waiting = report();
  waiting.media.push_back(*outbox.import_photo(jpeg("b.jpg", "two"), MediaRole::scene));
  const auto second = must(outbox, waiting);
  receipt(outbox, {done.id});
  outbox.transaction([&] { outbox.mark_media_complete(done.media[0].sha256); });
  auto with = options();
  with.min_free_bytes = UINT64_MAX / 2;  // more than any disk has
  auto short_of_room = open(with);
  EXPECT_EQ(short_of_room.ensure_room(1).error().code, ErrorCode::outbox_full);
  EXPECT_FALSE(fs::exists(outbox.media_path(done.media[0].sha256)));
  EXPECT_TRUE(fs::exists(outbox.media_path(waiting.media[0].sha256)));
  EXPECT_EQ(outbox.load({second.seq}).size(), 1U);
  EXPECT_EQ(outbox.summary().stored_records, 1U);
}

TEST_F(OutboxTest, PhotosOfCapturesThatNeverCommittedGoAfterAWhile) {
  auto outbox = open();
  const auto orphan = *outbox.import_photo(jpeg("a.jpg", "one"), MediaRole::scene);
  auto kept = report();
  kept.media.push_back(*outbox.import_photo(jpeg("b.jpg", "two"), MediaRole::scene));
  must(outbox, kept);
  outbox.prune();
  EXPECT_EQ(media_files(), 2U);  // younger than ten minutes: its capture may be about to commit
  for (const auto& media : {orphan, kept.media[0]}) {
    timespec old[2] = {{1'000'000, 0}, {1'000'000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, outbox.media_path(media.sha256).c_str(), old, 0), 0);
  }
  {
    const auto capture = outbox.media_lease();
    auto other = open();
    other.prune();
    EXPECT_EQ(media_files(), 2U);  // never while a capture holds its lease
  }
  outbox.prune();
  EXPECT_EQ(media_files(), 1U);
  EXPECT_TRUE(fs::exists(outbox.media_path(kept.media[0].sha256)));
}

TEST_F(OutboxTest, PicturesOfTheCameraThatNoCaptureFinishedGoAfterAWhile) {
  auto outbox = open();
  const auto young = outbox.camera_path(next_id());
  const auto old = outbox.camera_path(next_id());
  for (const auto& file : {young, old}) test::write_file(file, "half a picture");
  timespec long_ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, old.c_str(), long_ago, 0), 0);
  ASSERT_EQ(::utimensat(AT_FDCWD, (box() / "outbox.db").c_str(), long_ago, 0), 0);
  outbox.prune();
  EXPECT_TRUE(fs::exists(young));  // somebody may be taking it
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(box() / "outbox.db"));
}

// ---- down ----

DownItem notice(std::uint64_t n) { return {n, "notice", R"({"text":"注意"})"}; }

TEST_F(OutboxTest, TheAcknowledgementHasNoGaps) {
  auto outbox = open();
  const auto store = [&](const DownItem& item) {
    bool stored = false;
    outbox.transaction([&] { stored = outbox.store_down(item, kNow); });
    return stored;
  };
  EXPECT_TRUE(store(notice(7)));
  EXPECT_FALSE(outbox.down_ack());
  outbox.transaction([&] { outbox.set_down_baseline(7); });
  EXPECT_EQ(outbox.down_ack(), 7U);
  EXPECT_TRUE(store(notice(9)));
  EXPECT_EQ(outbox.down_ack(), 7U);
  EXPECT_FALSE(store(notice(9)));
  EXPECT_TRUE(store(notice(8)));
  EXPECT_EQ(outbox.down_ack(), 9U);
  EXPECT_FALSE(store(notice(8)));  // long acknowledged
  outbox.transaction([&] { outbox.set_down_baseline(12); });
  EXPECT_EQ(open().down_ack(), 9U);
}

TEST_F(OutboxTest, AfterAWipeTheServersFirstNumberCountsAndAnOvertakenOneIsKept) {
  auto outbox = open();
  const auto store = [&](const DownItem& item) {
    bool stored = false;
    outbox.transaction([&] { stored = outbox.store_down(item, kNow); });
    return stored;
  };
  for (const std::uint64_t n : {60, 58, 62}) EXPECT_TRUE(store(notice(n)));
  EXPECT_FALSE(outbox.down_ack());
  outbox.transaction([&] { outbox.set_down_baseline(59); });
  EXPECT_EQ(outbox.down_ack(), 58U) << "59 was lost on its way: nothing behind it is acknowledged";
  EXPECT_TRUE(store(notice(57)));  // acknowledged by whoever had the device before: kept all the same
  EXPECT_FALSE(store(notice(57)));
  EXPECT_FALSE(store(notice(58)));
  EXPECT_TRUE(store(notice(59)));
  EXPECT_EQ(outbox.down_ack(), 60U);
  EXPECT_FALSE(store(notice(59)));
  EXPECT_TRUE(store(notice(61)));
  EXPECT_EQ(open().down_ack(), 62U);
}

// A wiped device whose former outbox acknowledged 1 to 4.
TEST_F(OutboxTest, WithoutAnItemTheFirstNumberIsTheBaseline) {
  auto outbox = open();
  outbox.transaction([&] { outbox.set_down_baseline(5); });
  EXPECT_EQ(outbox.down_ack(), 4U);
  outbox.transaction([&] {
    outbox.set_down_baseline(1);
    outbox.store_down(notice(6), kNow);
  });
  EXPECT_EQ(outbox.down_ack(), 4U);
  outbox.transaction([&] { outbox.store_down(notice(5), kNow); });
  EXPECT_EQ(open().down_ack(), 6U);
  // A new one, whose server has given nothing.
  const auto other = dir_ / "new";
  ASSERT_TRUE(Outbox::create(other, options(), kNow));
  auto fresh = Outbox::open(other, options()).value();
  fresh.transaction([&] { fresh.set_down_baseline(1); });
  EXPECT_EQ(fresh.down_ack(), 0U);
}

TEST_F(OutboxTest, TasksOpenAreDoneAndAreCancelled) {
  auto outbox = open();
  TaskItem item;
  item.task = id(7);
  item.task_kind = "verify";
  item.case_id = id(8);
  item.number = "YJB-20260101-0001";
  item.category = "道路破损";
  item.text = "请核查";
  item.point = GeoPoint{390'000'000, 1'177'000'000};
  outbox.transaction([&] {
    outbox.store_down({1, "task", encode_item(item)}, kNow);
    outbox.set_down_baseline(1);
  });
  ASSERT_EQ(outbox.tasks(false).size(), 1U);
  EXPECT_EQ(outbox.tasks(false)[0].item, item);
  EXPECT_EQ(outbox.append(draft(TaskResultBody{id(1), TaskOutcome::confirmed, "好"})).error().code,
            ErrorCode::unknown_task);
  must(outbox, draft(TaskResultBody{id(7), TaskOutcome::confirmed, "已修复"}));
  EXPECT_TRUE(outbox.tasks(false).empty());
  EXPECT_EQ(outbox.tasks(true)[0].state, 1);
  EXPECT_EQ(outbox.append(draft(TaskResultBody{id(7), TaskOutcome::confirmed, "再来"})).error().code,
            ErrorCode::already_exists);

  // Cancelled before it came, by a reordered delivery.
  item.task = id(6);
  outbox.transaction([&] {
    outbox.store_down({3, "task_cancelled", encode_item(TaskCancelledItem{id(6)})}, kNow);
    outbox.store_down({2, "task", encode_item(item)}, kNow);
  });
  EXPECT_TRUE(outbox.tasks(false).empty());
  EXPECT_EQ(outbox.append(draft(TaskResultBody{id(6), TaskOutcome::confirmed, "好"})).error().code,
            ErrorCode::illegal_transition);
  EXPECT_EQ(outbox.down_ack(), 3U);
}

class Answered : public OutboxTest {
 protected:
  // One task, answered.
  void SetUp() override {
    OutboxTest::SetUp();
    auto outbox = open();
    outbox.transaction([&] { outbox.store_down({1, "task", encode_item(task())}, kNow); });
    answer_ = must(outbox, draft(TaskResultBody{id(7), TaskOutcome::confirmed, "好"})).id;
  }
  static TaskItem task() {
    TaskItem item;
    item.task = id(7);
    item.task_kind = "verify";
    item.case_id = id(8);
    item.number = "YJB-20260101-0001";
    item.category = "道路破损";
    return item;
  }
  std::optional<Uuid> refuse(Outbox& outbox, const Uuid& record) {
    RefusalStored stored;
    outbox.transaction([&] { stored = outbox.mark_refused({record, ErrorCode::unknown_actor, "不在名册"}, kNow); });
    return stored.reopened;
  }
  int state(Outbox& outbox) { return outbox.tasks(true).at(0).state; }
  Uuid answer_;
};

TEST_F(Answered, ARefusedAnswerOpensTheTaskAgain) {
  auto outbox = open();
  EXPECT_EQ(state(outbox), GW_TASK_DONE);
  EXPECT_EQ(refuse(outbox, answer_), id(7));
  EXPECT_EQ(state(outbox), GW_TASK_OPEN);
  EXPECT_EQ(refuse(outbox, answer_), std::nullopt);  // told once
  // Answered anew; the first answer's refusal has nothing to say any more.
  const auto second = must(outbox, draft(TaskResultBody{id(7), TaskOutcome::not_rectified, "还在"})).id;
  EXPECT_EQ(state(outbox), GW_TASK_DONE);
  EXPECT_EQ(outbox.retry_refused(), 1U);
  EXPECT_EQ(refuse(outbox, answer_), std::nullopt);
  EXPECT_EQ(state(outbox), GW_TASK_DONE);
  EXPECT_EQ(refuse(outbox, second), id(7));
  EXPECT_EQ(state(outbox), GW_TASK_OPEN);
}

TEST_F(Answered, ARefusedAnswerThatWaitsAgainOrIsTakenAfterAllIsTheAnswer) {
  auto outbox = open();
  refuse(outbox, answer_);
  outbox.retry_refused();
  EXPECT_EQ(state(outbox), GW_TASK_DONE);
  refuse(outbox, answer_);
  EXPECT_EQ(state(outbox), GW_TASK_OPEN);
  receipt(outbox, {answer_});
  EXPECT_EQ(state(outbox), GW_TASK_DONE);
}

TEST_F(Answered, ATaskThatWasTakenBackStaysSo) {
  auto outbox = open();
  outbox.transaction([&] { outbox.store_down({2, "task_cancelled", encode_item(TaskCancelledItem{id(7)})}, kNow); });
  EXPECT_EQ(state(outbox), GW_TASK_DONE);
  EXPECT_EQ(refuse(outbox, answer_), std::nullopt);
  EXPECT_EQ(state(outbox), GW_TASK_CANCELLED);
}

TEST_F(OutboxTest, TheNewestSettingsAndCategoriesHoldAcrossARestart) {
  SettingsItem settings;
  settings.rev = "s1";
  settings.track = Millis{5'000};
  settings.photo_px = 1600;
  CategoriesItem categories;
  categories.rev = "c1";
  categories.list = {{"B02", "井盖破损", "市政"}, {"A01", "暴露垃圾", ""}};
  {
    auto outbox = open();
    EXPECT_FALSE(outbox.settings());
    EXPECT_TRUE(outbox.categories().empty());
    EXPECT_EQ(outbox.summary().settings_rev, "");
    outbox.transaction([&] {
      outbox.store_down({5, "settings", encode_item(settings)}, kNow);
      outbox.store_down({6, "categories", encode_item(categories).value()}, kNow);
      outbox.set_down_baseline(5);
    });
  }
  auto outbox = open();
  EXPECT_EQ(outbox.settings(), settings);
  EXPECT_EQ(outbox.categories(), categories.list);  // in the order in which they came
  EXPECT_EQ(outbox.summary().settings_rev, "s1");
  EXPECT_EQ(outbox.summary().categories_rev, "c1");
  EXPECT_EQ(outbox.down_ack(), 6U);
  // An older one that comes late, one that came already, and one that comes with another body under its number.
  auto other = settings;
  other.rev = "s0";
  auto shorter = categories;
  shorter.rev = "c0";
  shorter.list.pop_back();
  outbox.transaction([&] {
    outbox.store_down({4, "settings", encode_item(other)}, kNow);
    outbox.store_down({3, "categories", encode_item(shorter).value()}, kNow);
    outbox.store_down({5, "settings", encode_item(other)}, kNow);
  });
  EXPECT_EQ(outbox.settings(), settings);
  EXPECT_EQ(outbox.categories().size(), 2U);
  // A newer one replaces it as a whole.
  SettingsItem bare;
  bare.rev = "s2";
  outbox.transaction([&] {
    outbox.store_down({8, "settings", encode_item(bare)}, kNow);
    outbox.store_down({7, "categories", encode_item(shorter).value()}, kNow);
  });
  EXPECT_EQ(outbox.settings(), bare);
  EXPECT_EQ(outbox.categories(), shorter.list);
  EXPECT_EQ(outbox.summary().categories_rev, "c0");
  EXPECT_EQ(open().down_ack(), 8U);
}

TEST_F(OutboxTest, SettingsThatCannotBeReadAreAcknowledgedAndNotShown) {
  SettingsItem settings;
  settings.rev = "s1";
  auto outbox = open();
  outbox.transaction([&] {
    outbox.store_down({1, "settings", encode_item(settings)}, kNow);
    outbox.store_down({2, "settings", R"({"rev":"s2","track_ms":1})"}, kNow);  // out of range
    outbox.store_down({3, "settings", R"({"photo_px":1000})"}, kNow);          // no rev
    outbox.store_down({4, "categories", R"({"rev":"c1","list":[]})"}, kNow);   // empty
    outbox.store_down({5, "categories", R"({"rev":"c1","list":[{"code":1}]})"}, kNow);
    outbox.store_down({6, "categories", "{not json"}, kNow);
    outbox.set_down_baseline(1);
  });
  EXPECT_EQ(outbox.down_ack(), 6U);
  EXPECT_EQ(outbox.settings(), settings);
  EXPECT_TRUE(outbox.categories().empty());
  EXPECT_EQ(outbox.summary().categories_rev, "");
  // Kept for a version that may know them.
  Database db(box() / "outbox.db", false, 1'000);
  auto q = db.prepare("SELECT body FROM down WHERE n=2");
  ASSERT_TRUE(q.step());
  EXPECT_EQ(q.text(0), R"({"rev":"s2","track_ms":1})");
}

TEST_F(OutboxTest, ACategoryListIsKeptOnce) {
  CategoriesItem large;
  large.rev = "c1";
  for (int i = 0; i < 2048; ++i) large.list.push_back({"C" + std::to_string(i), std::string(60, 'n'), ""});
  auto outbox = open();
  for (std::uint64_t n = 1; n <= 20; ++n) {
    outbox.transaction([&] { outbox.store_down({n, "categories", encode_item(large).value()}, kNow); });
  }
  EXPECT_EQ(outbox.categories().size(), 2048U);
  Database db(box() / "outbox.db", false, 1'000);
  auto q = db.prepare("SELECT (SELECT sum(length(body)) FROM down), (SELECT sum(length(body)) FROM standing)");
  ASSERT_TRUE(q.step());
  EXPECT_EQ(q.integer(0), 0);
  EXPECT_EQ(q.integer(1), static_cast<std::int64_t>(encode_item(large).value().size()));
}

TEST_F(OutboxTest, AnItemThatCannotBeReadIsKeptAndAcknowledged) {
  auto outbox = open();
  outbox.transaction([&] {
    outbox.store_down({1, "task", "{not json"}, kNow);
    outbox.store_down({2, "new_kind_of_the_future", "{}"}, kNow);
    outbox.set_down_baseline(1);
  });
  EXPECT_EQ(outbox.down_ack(), 2U);
  EXPECT_TRUE(outbox.tasks(true).empty());
}

TEST_F(OutboxTest, AnotherConnectionsCommitIsSeen) {
  auto agent = open();
  const auto before = agent.data_version();
  must(agent, report());
  EXPECT_EQ(agent.data_version(), before);  // our own
  auto command = open();
  must(command, report());
  EXPECT_NE(agent.data_version(), before);
}

TEST_F(OutboxTest, ATransactionThatFailsLeavesNothing) {
  auto outbox = open();
  const auto saved = must(outbox, report());
  EXPECT_THROW(outbox.transaction([&] {
    outbox.mark_receipted({saved.id}, kNow);
    throw StorageError(SQLITE_IOERR, "planted");
  }),
               StorageError);
  EXPECT_EQ(outbox.waiting(Lane::urgent, 0, 10, 10'000).size(), 1U);
}

TEST_F(OutboxTest, LanesAndLimitsOfALoad) {
  auto outbox = open();
  must(outbox, draft(SignBody{SignAct::in}));
  for (int i = 0; i < 5; ++i) must(outbox, report());
  must(outbox, draft(StatusBody{1, 2, 3, std::nullopt, "1"}));
  EXPECT_EQ(outbox.waiting(Lane::urgent, 0, 100, 1'000'000).size(), 6U);
  EXPECT_EQ(outbox.waiting(Lane::bulk, 0, 100, 1'000'000).size(), 1U);
  EXPECT_EQ(outbox.waiting(Lane::urgent, 4, 100, 1'000'000).size(), 2U);
  EXPECT_EQ(outbox.waiting(Lane::urgent, 0, 2, 1'000'000).size(), 2U);
  EXPECT_EQ(outbox.waiting(Lane::urgent, 0, 100, 1).size(), 1U);  // at least one
}

}  // namespace
}  // namespace gridward::device
