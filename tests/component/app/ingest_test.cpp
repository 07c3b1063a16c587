#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <gridward/test/gate.hpp>
#include <gridward/test/server_world.hpp>
#include <set>

#include "sql.hpp"

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;

std::vector<app::QuarantineRow> quarantined(ServerWorld& world) {
  return world.read([](app::Tx& tx) { return tx.quarantined(100); });
}
std::optional<domain::CaseRecord> case_of(ServerWorld& world, const Uuid& id) {
  return world.read([&](app::Tx& tx) { return tx.find_case(id); });
}

TEST(Ingest, AReportBecomesACaseAndIsReceipted) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto record = hh.report("路面有坑");
  world.clock.advance(90s);
  const auto receipt = hh.receipt({record});
  EXPECT_EQ(receipt.ok, std::vector{record.id});
  EXPECT_TRUE(receipt.bad.empty());
  EXPECT_EQ(receipt.now, world.clock.now());
  EXPECT_EQ(receipt.epoch, hh.epoch);

  const auto state = case_of(world, record.id);
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->number, "120116115-20260312-0001");
  EXPECT_EQ(state->town, kTown);
  EXPECT_EQ(state->grid, "G1");
  EXPECT_EQ(state->text, "路面有坑");
  EXPECT_EQ(state->reporter, world.actor("m1"));
  EXPECT_EQ(state->captured_at, record.at);
  EXPECT_EQ(state->reported_at, record.at + 90s);
  EXPECT_EQ(state->step, "awaiting_review");
  EXPECT_EQ(state->place, record.fix);
  const auto live = world.live.take();
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].kind, "case");
  EXPECT_EQ(live[0].id, to_string(record.id));
  EXPECT_EQ(live[0].org_path, "120116/120116115/V1/G1");
  EXPECT_EQ(live[0].version, 1u);
  EXPECT_EQ(must(world.store->verify_case_chains()), 1u);
}

TEST(Ingest, ThePlaceDecidesTheGridAndNoPlaceIsNoGrid) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto in_g2 = hh.report("东边", geo_point(39.205, 117.815));
  const auto outside = hh.report("外面", geo_point(39.5, 117.9));
  const auto nowhere = hh.report("没有定位", std::nullopt);
  EXPECT_EQ(hh.receipt({in_g2, outside, nowhere}).ok.size(), 3u);
  EXPECT_EQ(case_of(world, in_g2.id)->grid, "G2");
  EXPECT_EQ(case_of(world, outside.id)->grid, "");
  EXPECT_EQ(case_of(world, nowhere.id)->grid, "");
  EXPECT_EQ(case_of(world, nowhere.id)->number, "120116115-20260312-0003");
  EXPECT_EQ(world.read([&](app::Tx& tx) { return tx.case_org_path(nowhere.id); }), "120116/120116115");
}

TEST(Ingest, ARedrawnGridCountsFromTheNextSecond) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto point = geo_point(39.25, 117.805);
  const auto before = hh.report("前", point);
  EXPECT_EQ(hh.receipt({before}).ok.size(), 1u);
  app::ImportBatch batch;
  batch.outlines.push_back({"grids.geojson", 1, "G1", box(39.20, 117.80, 39.30, 117.81)});
  ASSERT_TRUE(app::run_import(world.services(), batch).problems.empty());
  world.clock.advance(1s);
  const auto after = hh.report("后", point);
  EXPECT_EQ(hh.receipt({after}).ok.size(), 1u);
  EXPECT_EQ(case_of(world, before.id)->grid, "");
  EXPECT_EQ(case_of(world, after.id)->grid, "G1");
}

TEST(Ingest, TheSameAgainGetsTheSameReceiptAndNoSecondCase) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto record = hh.report("一次");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(hh.receipt({record}).ok, std::vector{record.id});
  EXPECT_EQ(must(world.cases->list(world.actor("op"), {})).total, 1u);
}

TEST(Ingest, WhatIsCommittedTogetherIsReceiptedTogether) {
  ServerWorld world;
  Handheld one(world, "hh-1", "m1"), two(world, "hh-2", "m2");
  Gate gate(*world.store);
  std::vector<Uuid> sent;
  constexpr int kMessages = 70;  // more than one receipt may name
  for (int i = 0; i < kMessages; ++i) {
    auto report = one.report("第" + std::to_string(i));
    if (i == 3) report.actor = "nobody";
    sent.push_back(report.id);
    world.ingest->up(one.topic(), encode_up(one.message({report})));
  }
  const auto other = two.report("另一台");
  world.ingest->up(two.topic(), encode_up(two.message({other})));
  Handheld wiped(world, "hh-1", "m1");  // the same device in a new epoch
  const auto anew = wiped.report("重装以后");
  world.ingest->up(wiped.topic(), encode_up(wiped.message({anew})));
  gate.open();

  world.ingest->wait_idle();
  std::vector<Receipt> receipts, others;
  for (const auto& sent_down : world.devices.take()) {
    (sent_down.device == "hh-1" ? receipts : others).push_back(std::get<Receipt>(sent_down.message));
  }
  ASSERT_EQ(receipts.size(), 3u) << "64, what did not fit, and another epoch";
  EXPECT_EQ(receipts[0].ok.size() + receipts[0].bad.size(), limits::kRecordsPerMessage);
  std::vector<Uuid> ok = receipts[0].ok;
  ok.insert(ok.end(), receipts[1].ok.begin(), receipts[1].ok.end());
  ASSERT_EQ(receipts[0].bad.size(), 1u);
  EXPECT_EQ(receipts[0].bad[0].id, sent[3]);
  sent.erase(sent.begin() + 3);
  EXPECT_EQ(ok, sent);
  EXPECT_EQ(receipts[0].epoch, one.epoch);
  EXPECT_EQ(receipts[1].epoch, one.epoch);
  EXPECT_EQ(receipts[2].epoch, wiped.epoch);
  EXPECT_EQ(receipts[2].ok, std::vector<Uuid>{anew.id});
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0].ok, std::vector<Uuid>{other.id});
}

TEST(Ingest, TheSameIdWithOtherBytesGoesToQuarantine) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto record = hh.report("真的");
  EXPECT_EQ(hh.receipt({record}).ok.size(), 1u);
  auto forged = record;
  std::get<ReportBody>(forged.body).text = "改过的";
  const auto receipt = hh.receipt({forged});
  ASSERT_EQ(receipt.bad.size(), 1u);
  EXPECT_EQ(receipt.bad[0].id, record.id);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::id_conflict);
  EXPECT_NE(receipt.bad[0].message.find("同一编号已有不同内容"), std::string::npos) << receipt.bad[0].message;
  const auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].raw, encode_record(forged));
  EXPECT_EQ(rows[0].record, record.id);
  EXPECT_EQ(case_of(world, record.id)->text, "真的");
  EXPECT_EQ(hh.receipt({record}).ok.size(), 1u) << "the true one is still good";

  auto other = hh.report("另一个");
  other.seq = record.seq;
  EXPECT_EQ(hh.receipt({other}).bad.at(0).code, ErrorCode::seq_conflict);
}

TEST(Ingest, EachRecordOfAMessageHasItsOwnOutcome) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto good = hh.report("好");
  auto no_category = hh.report("没有这个类别");
  std::get<ReportBody>(no_category.body).category = "9999";
  auto stranger = hh.report("陌生人");
  stranger.actor = "m3";  // of the other town
  const auto no_task = hh.record(TaskResultBody{hh.fresh_id(), TaskOutcome::confirmed, ""});
  const auto last = hh.report("也好");
  const auto receipt = hh.receipt({good, no_category, stranger, no_task, last});
  EXPECT_EQ(receipt.ok, (std::vector{good.id, last.id}));
  ASSERT_EQ(receipt.bad.size(), 3u);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::unknown_category);
  EXPECT_EQ(receipt.bad[1].code, ErrorCode::unknown_actor);
  EXPECT_EQ(receipt.bad[2].code, ErrorCode::unknown_task);
  auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].raw, encode_record(no_category)) << "newest first";
  EXPECT_FALSE(case_of(world, no_category.id).has_value());
  // A lost receipt: the refused ones are refused again with the same words, and are not kept twice.
  const auto again = hh.receipt({good, no_category, stranger, no_task, last});
  EXPECT_EQ(again.ok, receipt.ok);
  EXPECT_EQ(again.bad, receipt.bad);
  rows = quarantined(world);
  ASSERT_EQ(rows.size(), 3u);
  for (const auto& row : rows) EXPECT_EQ(row.times, 2u);
}

TEST(Ingest, WhatTheCountyHasMendedIsTakenWhenItComesAgain) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "new");
  const auto in = hh.record(SignBody{SignAct::in});
  auto report = hh.report("类别还没有");
  std::get<ReportBody>(report.body).category = "0202";
  TrackBody body;
  body.points = {{world.clock.now(), geo_point(39.205, 117.805), 0}};
  const auto walked = hh.record(body);
  EXPECT_EQ(hh.receipt({in, report, walked}).bad.size(), 3u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.quarantined(9); }).size(), 3u);

  must(world.store->write([](app::Tx& tx) -> Result<void> {
    auto user = tx.find_user("m1").value();
    user.login = "new";
    tx.upsert_user(user);
    return {};
  }));
  world.clock.advance(3s);
  auto receipt = hh.receipt({in, report, walked});
  EXPECT_EQ(receipt.ok, (std::vector{in.id, walked.id}));
  ASSERT_EQ(receipt.bad.size(), 1u);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::unknown_category) << "the reason is today's";
  EXPECT_EQ(world.read([&](app::Tx& tx) { return tx.tracks_of("new", walked.at, walked.at + 1s); }).size(), 1u)
      << "its seq counted long ago, so nothing else would bring it out";
  const auto left = quarantined(world);
  ASSERT_EQ(left.size(), 1u) << "what was taken is no longer refused";
  EXPECT_EQ(left[0].times, 2u);

  world.policy.categories["0202"] = {"0202", "井盖", "limits.general", ""};
  EXPECT_EQ(hh.receipt({in, report, walked}).ok.size(), 3u);
  EXPECT_EQ(case_of(world, report.id)->text, "类别还没有");
  EXPECT_EQ(hh.receipt({in, report, walked}).ok.size(), 3u);
  EXPECT_EQ(must(world.cases->list(world.actor("op"), {})).total, 1u) << "once";
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.punches_of("new", {}, UnixMs::max()); }).size(), 1u);
  EXPECT_TRUE(quarantined(world).empty());
  EXPECT_EQ(sql_text(world, "SELECT COUNT(*) FROM records WHERE refused_code <> 0"), "0");
  EXPECT_EQ(sql_text(world, "SELECT COUNT(*) FROM records WHERE kind = 'report' AND bytes <> ''"), "1")
      << "its bytes are evidence now";
}

TEST(Ingest, ATaskGoesToTheDeviceThatTheMemberUsedLast) {
  ServerWorld world;
  const auto device_of = [&] { return world.read([](app::Tx& tx) { return tx.device_of("m1").value_or(""); }); };
  Handheld own(world, "hh-1", "m1");
  Handheld other(world, "hh-2", "m1");
  const auto before = own.report("前");
  world.clock.advance(1h);
  const auto after = other.report("后");
  EXPECT_EQ(other.receipt({after}).ok.size(), 1u);
  EXPECT_EQ(device_of(), "hh-2");
  EXPECT_EQ(own.receipt({before}).ok.size(), 1u);
  EXPECT_EQ(device_of(), "hh-2") << "what lay in the first one for an hour is older";

  // A clock in the future counts as now, not for ever.
  auto future = own.report("时钟快了");
  future.at = world.clock.now() + 240h;
  world.clock.advance(1min);
  EXPECT_EQ(own.receipt({future}).ok.size(), 1u);
  EXPECT_EQ(device_of(), "hh-1");
  world.clock.advance(5min);
  EXPECT_EQ(other.receipt({other.report("又用了")}).ok.size(), 1u);
  EXPECT_EQ(device_of(), "hh-2");

  // Nothing that is refused says where a member is: neither another town's device, nor bad contents, nor a status.
  world.clock.advance(1h);
  Handheld far(world, "hh-3", "m1", kOtherTown);
  EXPECT_EQ(far.receipt({far.report("x")}).bad.at(0).code, ErrorCode::unknown_actor);
  auto bad = own.report("x");
  std::get<ReportBody>(bad.body).category = "9999";
  EXPECT_EQ(own.receipt({bad, own.record(StatusBody{})}).bad.size(), 1u);
  EXPECT_EQ(device_of(), "hh-2");
}

TEST(Ingest, AnUnreadableRecordDoesNotTakeTheOthersWithIt) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto good = hh.report("好");
  auto up = hh.message({good}, false);
  auto future = hh.report("x");
  future.seq = 0;  // out of range, but its id can be read
  up.records.push_back(encode_record(future));
  up.records.push_back({0xFF, 0x00, 0x13});
  up.records.push_back(Bytes(limits::kRecordBytes + 1, 0x00));
  const auto receipt = Handheld::receipt_of(hh.send(up));
  EXPECT_EQ(receipt.ok, std::vector{good.id});
  ASSERT_EQ(receipt.bad.size(), 1u) << "only what has a name can be named";
  EXPECT_EQ(receipt.bad[0].id, future.id);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::out_of_range);
  const auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].error.code, ErrorCode::too_large);
  EXPECT_EQ(rows[0].size, limits::kRecordBytes + 1);
  EXPECT_TRUE(rows[0].raw.empty()) << "it cannot be told that it is no track";
  EXPECT_EQ(rows[2].raw, encode_record(future));
  EXPECT_EQ(rows[2].kind, "report");
}

Bytes spoiled(const Record& record, std::string_view from, std::string_view to) {
  auto bytes = encode_record(record);
  const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
  if (at == bytes.end() || from.size() != to.size()) throw std::runtime_error("nothing to spoil");
  std::copy(to.begin(), to.end(), at);
  return bytes;
}

TEST(Ingest, AnUnreadableRecordIsKeptWholeWhateverItsSize) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  auto record = hh.report(std::string(100'000, 'x'));
  auto up = hh.message({record}, false);
  ASSERT_GT(up.records[0].size(), limits::kRecordBytes);
  const auto receipt = Handheld::receipt_of(hh.send(up));
  ASSERT_EQ(receipt.bad.size(), 1u);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::too_large);
  const auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].raw, up.records[0]);
  EXPECT_EQ(rows[0].record, record.id);
  EXPECT_EQ(rows[0].epoch, hh.epoch);
  EXPECT_EQ(rows[0].seq, record.seq);
  EXPECT_EQ(rows[0].hash, platform::sha256(up.records[0]));
}

TEST(Ingest, WhatIsOrMayBeATrackLeavesNoPositionsInQuarantine) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  TrackBody body;
  body.points = {{world.clock.now(), geo_point(39.205, 117.805), 0}};
  const auto walked = hh.record(body);
  auto status = hh.record(StatusBody{});
  status.fix = hh.fix(geo_point(39.205, 117.805));
  auto up = hh.message({}, false);
  up.records.push_back(spoiled(walked, "pts", "pt5"));        // a track whose points are missing
  up.records.push_back(spoiled(walked, "track", "trick"));    // a kind of another version
  up.records.push_back(spoiled(walked, "kind", "kand"));      // no kind
  up.records.push_back(spoiled(status, "oldest", "eldest"));  // of somebody who may be off duty
  auto cut = encode_record(hh.report("断电"));
  cut.resize(cut.size() - 5);
  up.records.push_back(cut);
  hh.send(up);
  const auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 5u);
  for (const auto& row : rows) {
    EXPECT_TRUE(row.raw.empty()) << row.kind << " " << to_string(row.error);
    EXPECT_NE(row.hash, Sha256{});
    EXPECT_GT(row.size, 0u);
  }
  EXPECT_EQ(rows[4].record, walked.id);
  EXPECT_EQ(rows[4].kind, "track");
  EXPECT_EQ(rows[4].seq, walked.seq);
  EXPECT_EQ(sql_text(world, "SELECT COUNT(*) FROM records WHERE bytes <> ''"), "0");
}

TEST(Ingest, ARecordOfAnotherEpochIsRefused) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  auto record = hh.report("x");
  record.epoch = hh.fresh_id();
  EXPECT_EQ(hh.receipt({record}).bad.at(0).code, ErrorCode::malformed);
}

TEST(Ingest, WrongTownUnknownAndRevokedDevices) {
  ServerWorld world;
  Handheld in_other_topic(world, "hh-1", "m1", kOtherTown);
  const auto record = in_other_topic.report("x");
  EXPECT_EQ(in_other_topic.receipt({record}).bad.at(0).code, ErrorCode::wrong_town);
  EXPECT_FALSE(case_of(world, record.id).has_value());

  world.keys["hh-9"] = platform::make_ed25519_keys();
  Handheld unknown(world, "hh-9", "m1");
  EXPECT_EQ(unknown.receipt({unknown.report("x")}).bad.at(0).code, ErrorCode::unknown_device);

  must(world.store->write([](app::Tx& tx) -> Result<void> {
    auto device = tx.find_device("hh-2").value();
    device.revoked = true;
    tx.upsert_device(device);
    return {};
  }));
  Handheld revoked(world, "hh-2", "m2");
  EXPECT_EQ(revoked.receipt({revoked.report("x")}).bad.at(0).code, ErrorCode::revoked_device);
  EXPECT_EQ(quarantined(world).size(), 3u);

  // Right again: the same record is taken, since nothing of it was stored but the quarantine.
  Handheld right(world, "hh-1", "m1");
  right.epoch = in_other_topic.epoch;
  EXPECT_EQ(right.receipt({record}).ok, std::vector{record.id});
}

TEST(Ingest, AnInactiveMemberIsUnknown) {
  ServerWorld world;
  must(world.store->write([](app::Tx& tx) -> Result<void> {
    auto user = tx.find_user("m1").value();
    user.active = false;
    tx.upsert_user(user);
    return {};
  }));
  Handheld hh(world, "hh-1", "m1");
  EXPECT_EQ(hh.receipt({hh.report("x")}).bad.at(0).code, ErrorCode::unknown_actor);
}

TEST(Ingest, OnlyAMemberReports) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "op");
  EXPECT_EQ(hh.receipt({hh.report("x")}).bad.at(0).code, ErrorCode::forbidden);
}

TEST(Ingest, WhatCannotBeReadIsKeptCappedAndCounted) {
  ServerWorld world;
  const auto topic = to_string(Topic{TopicKind::up, kTown, "hh-1"});
  world.ingest->up(topic, Bytes(1'000'000, 0x9F));  // nested lists, a million deep
  world.ingest->up(topic, {});
  world.ingest->up("somebody/else", {1, 2, 3});
  world.ingest->up(to_string(Topic{TopicKind::media, kTown, "hh-1"}), {1});
  world.ingest->wait_idle();
  EXPECT_TRUE(world.devices.take().empty()) << "there is no id to answer about";
  EXPECT_EQ(world.ingest->counts().undecodable, 4u);
  const auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[1].raw.empty());
  EXPECT_EQ(rows[1].size, 1'000'000u);
  EXPECT_EQ(rows[1].error.code, ErrorCode::too_large);
  for (int i = 0; i < 500; ++i) world.ingest->up(topic, {0xFF});
  world.ingest->wait_idle();
  ASSERT_EQ(quarantined(world).size(), 3u) << "the same again is the same row";
  EXPECT_EQ(quarantined(world)[0].times, 500u);
  for (int i = 0; i < 500; ++i)
    world.ingest->up(topic, {0xFF, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i / 256)});
  world.ingest->wait_idle();
  const auto devices = must(world.organisation->devices(world.actor("op")));
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].quarantine.rows, app::kQuarantineRows) << "a broken device fills no disk";
  EXPECT_EQ(devices[0].quarantine.overflow, 503u - app::kQuarantineRows) << "and it is seen";
  EXPECT_EQ(devices[1].quarantine, app::QuarantineCounts{});
}

TEST(Ingest, AMessageThatCannotBeReadIsKeptWhenNoneOfItsRecordsIsATrack) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto topic = hh.topic();
  std::vector<Record> many;
  for (std::size_t i = 0; i <= limits::kRecordsPerMessage; ++i) many.push_back(hh.report("x"));
  const auto reports = encode_up(hh.message(many));
  world.ingest->up(topic, reports);
  TrackBody body;
  body.points = {{world.clock.now(), geo_point(39.205, 117.805), 0}};
  many.push_back(hh.record(body));
  world.ingest->up(topic, encode_up(hh.message(many)));
  world.ingest->wait_idle();
  EXPECT_EQ(world.ingest->counts().undecodable, 2u);
  const auto rows = quarantined(world);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].raw, reports);
  EXPECT_EQ(rows[1].error.field, "r");
  EXPECT_TRUE(rows[0].raw.empty());
}

TEST(Ingest, SignaturesAreKeptToBeCheckedAndMissingOnesFlagged) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto with = hh.report("有签名");
  const auto without = hh.report("无签名");
  EXPECT_EQ(hh.receipt({with}).ok.size(), 1u);
  EXPECT_EQ(Handheld::receipt_of(hh.send(hh.message({without}, false))).ok.size(), 1u) << "flagged, not refused";
  const auto jobs = world.read([](app::Tx& tx) { return tx.signature_jobs(10); });
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].records, std::vector{with.id});
  EXPECT_EQ(jobs[0].hashes, std::vector{platform::sha256(encode_record(with))});
  const auto flags = [&](const Record& record) {
    return sql_text(world, "SELECT flags FROM records WHERE seq = " + std::to_string(record.seq));
  };
  EXPECT_EQ(flags(with), "");
  EXPECT_NE(flags(without).find("unsigned"), std::string::npos) << flags(without);
  // The same again adds no second job.
  EXPECT_EQ(hh.receipt({with}).ok.size(), 1u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.signature_jobs(10); }).size(), 1u);
}

TEST(Ingest, StatusTellsAboutTheDeviceAndLeavesNoPosition) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  auto record = hh.record(StatusBody{3, 4096, 60, 77, "0.1.0"});
  record.fix = hh.fix(geo_point(39.205, 117.805));
  EXPECT_EQ(hh.receipt({record}).ok.size(), 1u);
  const auto device = world.read([](app::Tx& tx) { return tx.find_device("hh-1"); }).value();
  ASSERT_TRUE(device.status.has_value());
  EXPECT_EQ(device.status->battery_percent, 77);
  EXPECT_EQ(device.last_seen, world.clock.now());
  EXPECT_EQ(sql_text(world, "SELECT bytes FROM records"), "");
  EXPECT_EQ(world.live.take().at(0).kind, "device");
}

TEST(Ingest, HelloBringsAReceiptAndWhatIsWaiting) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    for (int i = 0; i < 40; ++i)
      tx.enqueue_down("hh-1", "notice", "{\"text\":\"" + std::to_string(i) + "\"}", world.clock.now());
    return {};
  }));
  auto answers = hh.send(hh.hello());
  ASSERT_EQ(answers.size(), 33u) << "a receipt and a bounded number of items";
  EXPECT_EQ(Handheld::receipt_of(answers).now, world.clock.now());
  EXPECT_EQ(std::get<DownItem>(answers[1]).n, 1u);
  EXPECT_EQ(std::get<DownItem>(answers[32]).n, 32u);

  answers = hh.send(hh.ack(32));
  ASSERT_EQ(answers.size(), 8u) << "the rest, and no receipt for no record";
  EXPECT_EQ(std::get<DownItem>(answers[0]).n, 33u);
  EXPECT_TRUE(hh.send(hh.ack(40)).empty());
  EXPECT_EQ(hh.send(hh.hello()).size(), 1u);
}

TEST(Ingest, ADeviceIsToldWhereTheNumbersBegin) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto give = [&](int items) {
    must(world.store->write([&](app::Tx& tx) -> Result<void> {
      for (int i = 0; i < items; ++i) tx.enqueue_down("hh-1", "notice", "{}", world.clock.now());
      return {};
    }));
  };
  const auto firsts = [](const std::vector<DownMessage>& answers) {
    std::set<std::uint64_t> found;
    for (const auto& answer : answers) {
      if (const auto* item = std::get_if<DownItem>(&answer)) found.insert(item->first.value());
    }
    return found;
  };
  EXPECT_EQ(Handheld::receipt_of(hh.send(hh.hello())).first, 1U) << "nothing was given yet";
  give(4);
  auto answers = hh.send(hh.hello());
  EXPECT_EQ(Handheld::receipt_of(answers).first, 1U);
  EXPECT_EQ(firsts(answers), (std::set<std::uint64_t>{1}));
  answers = hh.send(hh.ack(2));
  EXPECT_EQ(firsts(answers), (std::set<std::uint64_t>{3})) << "that went before 3 was acknowledged";
  hh.send(hh.ack(4));
  // Wiped: nothing waits, and the next number is not 1.
  hh.epoch = hh.fresh_id();
  hh.seq = 0;
  answers = hh.send(hh.hello());
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_EQ(Handheld::receipt_of(answers).first, 5U);
  give(2);
  answers = hh.send(hh.hello());
  EXPECT_EQ(Handheld::receipt_of(answers).first, 5U);
  EXPECT_EQ(firsts(answers), (std::set<std::uint64_t>{5}));
  EXPECT_FALSE(Handheld::receipt_of(hh.send({hh.report("x")})).first) << "only a hello asks";
}

TEST(Ingest, AHelloAboveEveryNumberGoesOnFromThere) {
  // The server was restored: the device has numbers that this one has not given, or gave to something else.
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    for (const char* text : {"1", "2", "3"}) tx.enqueue_down("hh-1", "notice", text, world.clock.now());
    return {};
  }));
  const auto answers = hh.send(hh.hello(17));
  ASSERT_EQ(answers.size(), 4u) << "none is taken for acknowledged";
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(std::get<DownItem>(answers[i]), (DownItem{17 + i, "notice", std::to_string(i), 18}));
  }
  EXPECT_TRUE(hh.send(hh.ack(20)).empty());
  EXPECT_EQ(hh.send(hh.hello(17)).size(), 1u) << "an old hello that comes late";
}

TEST(Ingest, ARestoredServersOwnItemsWaitForTheDevicesNumber) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  sql_do(world, "UPDATE store_generation SET generation = '018f00000000700080000000000000aa'");
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    for (const char* text : {"1", "2", "3"}) tx.enqueue_down("hh-1", "notice", text, world.clock.now());
    return {};
  }));
  const auto answers = hh.send(hh.ack(2));  // of before the restore: other items
  ASSERT_EQ(answers.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::get<DownItem>(answers[i]), (DownItem{3 + i, "notice", std::to_string(i + 1), 3}));
  }
}

TEST(Ingest, WhatWasSentBeforeARestoreSaysNothingOfItemsAfterIt) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto give = [&](std::initializer_list<const char*> texts) {
    must(world.store->write([&](app::Tx& tx) -> Result<void> {
      for (const char* text : texts) tx.enqueue_down("hh-1", "notice", text, world.clock.now());
      return {};
    }));
  };
  give({"1", "2"});
  // Held up on their way, while the device got five more from the store that is lost.
  const std::vector<UpMessage> late{hh.hello(2), hh.ack(2)};
  auto unnamed = hh.ack(2);
  unnamed.generation.reset();
  auto unnamed_hello = hh.hello(2);
  unnamed_hello.generation.reset();
  auto first = hh.hello();  // of a device that knew the generation and had no item yet
  first.generation = late[0].generation;
  const auto first_of_all = hh.hello();  // and of one that knew nothing
  ASSERT_FALSE(first_of_all.generation);
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    tx.begin_generation(hh.fresh_id(), {});
    return {};
  }));
  world.ingest = std::make_unique<app::Ingest>(world.services(), *world.cases, *world.duty);
  give({"3", "4", "5"});

  for (const auto& stale : {late[0], unnamed_hello, first, first_of_all}) {
    const auto answers = hh.send(stale);
    ASSERT_EQ(answers.size(), 1U) << "the receipt alone";
    EXPECT_FALSE(Handheld::receipt_of(answers).first) << "numbers of another store";
    EXPECT_EQ(Handheld::receipt_of(answers).generation, hh.ack(0).generation) << "by which it says hello again";
  }
  EXPECT_TRUE(hh.send(late[1]).empty());
  EXPECT_TRUE(hh.send(unnamed).empty());
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.pending_down("hh-1", 9); }).size(), 2U) << "its own are kept back";
  // With records it is no other.
  auto carrying = hh.message({hh.report("x")});
  carrying.ack = 2;
  carrying.generation = late[1].generation;
  EXPECT_EQ(Handheld::receipt_of(hh.send(carrying)).ok.size(), 1U);

  const auto answers = hh.send(hh.hello(7));
  ASSERT_EQ(answers.size(), 4U);
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(std::get<DownItem>(answers[i]), (DownItem{7 + i, "notice", std::to_string(2 + i), 8}));
  }
  EXPECT_EQ(hh.send(late[0]).size(), 1U);
  EXPECT_TRUE(hh.send(hh.ack(10)).empty());
  EXPECT_EQ(hh.send(hh.hello(10)).size(), 1U);
}

TEST(Ingest, TheReachOfABackupIsToldWithinSeconds) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  EXPECT_EQ(hh.receipt({hh.report("x")}).safe, 0u);
  std::string epoch = to_string(hh.epoch);
  std::erase(epoch, '-');
  sql_do(world, "INSERT INTO backup_reach (device, epoch, safe) VALUES ('hh-1', '" + epoch + "', 1)");
  EXPECT_EQ(hh.receipt({hh.report("x")}).safe, 0u) << "a message does not ask for it";
  world.clock.advance(2s);
  EXPECT_EQ(hh.receipt({hh.report("x")}).safe, 1u);
  hh.epoch = hh.fresh_id();
  hh.seq = 0;
  EXPECT_EQ(hh.receipt({hh.report("x")}).safe, 0u) << "of this epoch nothing is safe";
}

TEST(Ingest, AQueueOfTooManyBytesSaysBusy) {
  ServerWorld world({.queue_bytes = 300'000});
  Handheld hh(world, "hh-1", "m1");
  const auto big = [&] {
    auto record = hh.report("大");
    record.media.clear();
    auto up = hh.message({record}, false);
    up.records.assign(4, Bytes(50'000, 0));
    return encode_up(up);
  };
  Gate gate(*world.store);
  world.ingest->up(hh.topic(), big());
  EXPECT_EQ(world.ingest->counts().busy, 1u) << "200 kB of records are held twice";
  world.ingest->up(hh.topic(), encode_up(hh.message({hh.report("小")})));
  EXPECT_EQ(world.ingest->counts().busy, 1u);
  gate.open();
  world.ingest->wait_idle();
  world.ingest->up(hh.topic(), big());
  world.ingest->wait_idle();
  EXPECT_EQ(world.ingest->counts().busy, 1u);
}

TEST(Ingest, AFullQueueSaysBusyAtOnceAndTheRecordIsTakenLater) {
  ServerWorld world({.queue_limit = 1});
  Handheld hh(world, "hh-1", "m1");
  const auto first = hh.report("先");
  const auto second = hh.report("后");
  const auto third = hh.report("再后");
  Gate gate(*world.store);
  std::vector<DownMessage> refused;
  for (const auto& record : {first, second, third}) {
    world.ingest->up(hh.topic(), encode_up(hh.message({record})));
    for (auto& sent : world.devices.take()) refused.push_back(std::move(sent.message));
  }
  gate.open();
  ASSERT_GE(refused.size(), 1u) << "the writer stands, one may wait";
  for (const auto& message : refused) {
    ASSERT_TRUE(std::holds_alternative<Busy>(message));
    const auto wait = std::get<Busy>(message).retry_after;
    EXPECT_GE(wait, 500ms);
    EXPECT_LE(wait, 2000ms);
  }
  EXPECT_EQ(world.ingest->counts().busy, refused.size());
  world.ingest->wait_idle();
  world.devices.take();
  for (const auto& record : {first, second, third}) EXPECT_EQ(hh.receipt({record}).ok, std::vector{record.id});
  EXPECT_EQ(must(world.cases->list(world.actor("op"), {})).total, 3u) << "none lost, none twice";
}

TEST(Ingest, AnotherDevicesRecordIdDoesNotTouchTheFirstCase) {
  ServerWorld world;
  Handheld one(world, "hh-1", "m1");
  Handheld two(world, "hh-2", "m2");
  const auto record = one.report("甲的");
  EXPECT_EQ(one.receipt({record}).ok.size(), 1u);
  auto copy = two.report("乙的");
  copy.id = record.id;
  EXPECT_EQ(two.receipt({copy}).ok, std::vector{record.id});
  EXPECT_EQ(case_of(world, record.id)->text, "甲的");
  EXPECT_EQ(must(world.cases->list(world.actor("op"), {})).total, 2u);
}

// ---- tracks ---------------------------------------------------------------------------------------------------------

TrackBody track(UnixMs from, int points, std::chrono::seconds every = 10s) {
  TrackBody body;
  for (int i = 0; i < points; ++i) {
    body.points.push_back({from + every * i, geo_point(39.205 + i * 1e-5, 117.805), 500});
  }
  return body;
}

std::size_t stored_points(ServerWorld& world) {
  std::size_t n = 0;
  const auto from = world.clock.now() - 24h;
  for (const auto& row : world.read([&](app::Tx& tx) { return tx.tracks_of("m1", from, from + 48h); })) {
    n += row.points.size();
  }
  return n;
}

TEST(IngestTrack, PointsAfterSigningOutAreCountedAndNotStored) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto in = hh.record(SignBody{SignAct::in});
  const auto from = world.clock.now();
  world.clock.advance(60s);
  const auto out = hh.record(SignBody{SignAct::out});
  // 0 to 90 s: 0 10 … 60 are on duty.
  const auto walked = hh.record(track(from, 10));
  const auto receipt = hh.receipt({in, out, walked});
  EXPECT_EQ(receipt.ok.size(), 3u);
  EXPECT_EQ(stored_points(world), 7u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.dropped_points("hh-1"); }), 3u);
  EXPECT_EQ(sql_text(world, "SELECT bytes FROM records WHERE kind = 'track'"), "") << "no copy in the raw bytes";
  EXPECT_EQ(sql_text(world, "SELECT count(*) FROM quarantine"), "0");
  EXPECT_EQ(hh.receipt({walked}).ok.size(), 1u) << "the same again is still known";
  EXPECT_EQ(stored_points(world), 7u);
}

TEST(IngestTrack, WithoutASignInNothingIsStored) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  EXPECT_EQ(hh.receipt({hh.record(track(world.clock.now(), 25))}).ok.size(), 1u);
  EXPECT_EQ(stored_points(world), 0u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.dropped_points("hh-1"); }), 25u);
}

TEST(IngestTrack, WaitsForTheSignOutThatALaneBroughtLate) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto from = world.clock.now();
  const auto in = hh.record(SignBody{SignAct::in});
  world.clock.advance(60s);
  const auto out = hh.record(SignBody{SignAct::out});
  const auto walked = hh.record(track(from, 10));
  EXPECT_EQ(hh.receipt({in}).ok.size(), 1u);
  EXPECT_EQ(hh.receipt({walked}).ok.size(), 1u) << "receipted: it is stored, only not applied";
  EXPECT_EQ(stored_points(world), 0u) << "applied now it would keep what lies after the sign-out";
  EXPECT_EQ(hh.receipt({out}).ok.size(), 1u);
  EXPECT_EQ(stored_points(world), 7u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.dropped_points("hh-1"); }), 3u);
}

TEST(IngestTrack, ALongGapThatClosesAppliesAll) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  auto from = world.clock.now();
  const auto in = hh.record(SignBody{SignAct::in});
  std::vector<Record> tracks;
  for (int i = 0; i < 700; ++i) {
    tracks.push_back(hh.record(track(from, 2)));
    from += 20s;
  }
  for (std::size_t i = 0; i < tracks.size(); i += 50) {
    EXPECT_EQ(hh.receipt({tracks.begin() + static_cast<std::ptrdiff_t>(i),
                          tracks.begin() + static_cast<std::ptrdiff_t>(i) + 50})
                  .ok.size(),
              50u);
  }
  EXPECT_EQ(stored_points(world), 0u);
  EXPECT_EQ(hh.receipt({in}).ok.size(), 1u);
  EXPECT_EQ(stored_points(world), 1400u);
}

TEST(IngestTrack, ARefusedRecordDoesNotHoldTracksForEver) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto in = hh.record(SignBody{SignAct::in});
  auto bad = hh.report("x");
  std::get<ReportBody>(bad.body).category = "9999";
  const auto walked = hh.record(track(world.clock.now(), 5));
  EXPECT_EQ(hh.receipt({in, walked}).ok.size(), 2u);
  EXPECT_EQ(stored_points(world), 0u);
  EXPECT_EQ(hh.receipt({bad}).bad.size(), 1u);
  EXPECT_EQ(stored_points(world), 5u);
}

TEST(IngestTrack, AnUnreadableRecordDoesNotHoldTracksForEver) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto in = hh.record(SignBody{SignAct::in});
  const auto bad = hh.report("x");
  const auto walked = hh.record(track(world.clock.now(), 5));
  EXPECT_EQ(hh.receipt({in, walked}).ok.size(), 2u);
  EXPECT_EQ(stored_points(world), 0u);
  auto up = hh.message({}, false);
  up.records.push_back(spoiled(bad, "cat", "cut"));
  const auto receipt = Handheld::receipt_of(hh.send(up));
  ASSERT_EQ(receipt.bad.size(), 1u);
  EXPECT_EQ(receipt.bad[0].code, ErrorCode::missing_field);
  EXPECT_EQ(stored_points(world), 5u);
  EXPECT_EQ(Handheld::receipt_of(hh.send(up)).bad, receipt.bad);
  // Its place is taken: the id with other bytes is not the same record.
  EXPECT_EQ(hh.receipt({bad}).bad.at(0).code, ErrorCode::id_conflict);
  // An epoch that is not the message's says nothing of this outbox.
  auto foreign = hh.report("x");
  foreign.epoch = hh.fresh_id();
  up.records = {spoiled(foreign, "cat", "cut")};
  EXPECT_EQ(Handheld::receipt_of(hh.send(up)).bad.size(), 1u);
  EXPECT_EQ(world.read([&](app::Tx& tx) { return tx.contiguous_seq("hh-1", hh.epoch); }), 3u);
}

TEST(IngestTrack, ASignOutThatAnotherDeviceBringsLateEndsTheWindow) {
  ServerWorld world;
  Handheld one(world, "hh-1", "m1");
  Handheld two(world, "hh-2", "m1");
  const auto from = world.clock.now();
  EXPECT_EQ(one.receipt({one.record(SignBody{SignAct::in})}).ok.size(), 1u);
  world.clock.advance(60s);
  const auto out = two.record(SignBody{SignAct::out});
  world.clock.advance(60s);
  // 0 to 90 s: across the sign-out; 100 to 140 s: behind it; 10 h later, on duty again.
  EXPECT_EQ(one.receipt({one.record(track(from, 10)), one.record(track(from + 100s, 5))}).ok.size(), 2u);
  world.clock.advance(10h);
  const auto later = world.clock.now();
  EXPECT_EQ(one.receipt({one.record(SignBody{SignAct::in}), one.record(track(later, 3))}).ok.size(), 2u);
  EXPECT_EQ(stored_points(world), 18u) << "so far nobody knows of the sign-out";
  EXPECT_EQ(two.receipt({out}).ok.size(), 1u);
  EXPECT_EQ(stored_points(world), 7u + 3u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.dropped_points("hh-1"); }), 8u)
      << "counted at the device that walked";
  EXPECT_EQ(sql_text(world, "SELECT COUNT(*) FROM tracks"), "2");
}

TEST(IngestTrack, WhatIsHeldSurvivesARestart) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto from = world.clock.now();
  const auto in = hh.record(SignBody{SignAct::in});
  const auto gap = hh.report("x");
  const auto walked = hh.record(track(from, 5));
  EXPECT_EQ(hh.receipt({in}).ok.size(), 1u);
  EXPECT_EQ(hh.receipt({walked}).ok.size(), 1u);
  world.ingest = std::make_unique<app::Ingest>(world.services(), *world.cases, *world.duty);
  EXPECT_EQ(hh.receipt({gap}).ok.size(), 1u);
  EXPECT_EQ(stored_points(world), 5u);
}

TEST(IngestTrack, HoldingAgainAndAgain) {
  // Every second round leaves a track behind a gap that the next round closes.
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  EXPECT_EQ(hh.receipt({hh.record(SignBody{SignAct::in})}).ok.size(), 1u);
  std::size_t expected = 0;
  for (int round = 0; round < 20; ++round) {
    world.clock.advance(60s);
    const auto gap = hh.report("x");
    const auto walked = hh.record(track(world.clock.now(), 2));
    const auto plain = hh.report("y");
    if (round % 2 == 0) {
      EXPECT_EQ(hh.receipt({walked, plain}).ok.size(), 2u);
      EXPECT_EQ(stored_points(world), expected);
      EXPECT_EQ(hh.receipt({gap}).ok.size(), 1u);
    } else {
      EXPECT_EQ(hh.receipt({gap, walked, plain}).ok.size(), 3u);
    }
    expected += 2;
    ASSERT_EQ(stored_points(world), expected) << round;
    EXPECT_EQ(hh.receipt({hh.report("z")}).ok.size(), 1u);
  }
}

TEST(IngestTrack, OfAnUnknownMemberKeepsNoPositions) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "nobody");
  const auto receipt = hh.receipt({hh.record(track(world.clock.now(), 5))});
  EXPECT_EQ(receipt.bad.at(0).code, ErrorCode::unknown_actor);
  EXPECT_EQ(sql_text(world, "SELECT raw FROM quarantine"), "");
  EXPECT_EQ(sql_text(world, "SELECT bytes FROM records"), "");
}

}  // namespace
}  // namespace gridward
