#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>
#include <nlohmann/json.hpp>

#include "document.hpp"
#include "samples.hpp"

namespace gridward {
namespace {

using nlohmann::json;

Record sample(std::string_view name) {
  for (auto& one : samples::records()) {
    if (one.name == name) return one.record;
  }
  throw std::logic_error("no such sample");
}

UpMessage up_sample() {
  UpMessage message{samples::uuid(200), {}, Signature{1, 2, 3}, 7, true, samples::uuid(201)};
  for (const auto& [name, record] : samples::records()) {
    if (name != "track") message.records.push_back(encode_record(record));
  }
  return message;
}

MediaPiece piece_sample() { return {Sha256{9}, 1000, 900, Bytes(100, 0x5A)}; }

// What is wrong with the bytes: "too_large body.text".
template <class T>
std::string verdict(const Result<T>& result) {
  if (result) return "taken";
  const std::string name{error_info(result.error().code).name};
  return result.error().field.empty() ? name : name + " " + result.error().field;
}

// A wire document with one part of it changed.
Bytes changed(const Bytes& bytes, const std::function<void(json&)>& change) {
  auto document = json::from_cbor(bytes);
  change(document);
  return json::to_cbor(document);
}

TEST(RecordCodec, EveryKindRoundTrips) {
  for (const auto& [name, record] : samples::records()) {
    const auto bytes = encode_record(record);
    const auto back = decode_record(bytes);
    ASSERT_TRUE(back) << name << ": " << to_string(back.error());
    EXPECT_EQ(*back, record) << name;
    EXPECT_EQ(encode_record(*back), bytes) << name;
    EXPECT_TRUE(validate(record)) << name;
    EXPECT_EQ(peek_record_id(bytes), record.id) << name;
    EXPECT_TRUE(name.starts_with(kind_name(record.body))) << name;
  }
}

TEST(RecordCodec, ATrackOfTwoHundredPointsIsSmall) { EXPECT_LE(encode_record(sample("track")).size(), 2800U); }

TEST(RecordCodec, UnknownKeysAreIgnored) {
  const auto record = sample("patrol");
  const auto bytes = changed(encode_record(record), [](json& map) {
    map["weather"] = {{"wind", 3.5}, {"list", {1, nullptr, json::binary({1, 2})}}};
    map["clock"]["leap"] = true;
    map["body"]["checks"][0]["colour"] = "red";
  });
  EXPECT_EQ(decode_record(bytes), record);
}

TEST(RecordCodec, ValidateFindsEveryLimit) {
  const auto text = [](std::size_t characters) {
    std::string out;
    for (std::size_t i = 0; i < characters; ++i) out += "网";
    return out;
  };
  const struct {
    const char* sample;
    std::function<void(Record&)> change;
    const char* expected;
  } table[] = {
      {"report", [](Record& r) { r.id = {}; }, "out_of_range id"},
      {"report", [](Record& r) { r.id.bytes[6] = 0x4F; }, "out_of_range id"},
      {"report", [](Record& r) { r.id.bytes[8] = 0x3F; }, "out_of_range id"},
      {"report", [](Record& r) { r.epoch = {}; }, "out_of_range epoch"},
      {"report", [](Record& r) { r.boot = {}; }, "out_of_range boot"},
      {"report", [](Record& r) { r.actor.clear(); }, "out_of_range actor"},
      {"report", [&](Record& r) { r.actor = text(64); }, "taken"},
      {"report", [&](Record& r) { r.actor = text(65); }, "too_large actor"},
      {"report", [](Record& r) { r.actor = "\xFF"; }, "bad_utf8 actor"},
      {"report", [](Record& r) { r.seq = 0; }, "out_of_range seq"},
      {"report", [](Record& r) { r.seq = limits::kCounter; }, "taken"},
      {"report", [](Record& r) { r.seq = limits::kCounter + 1; }, "out_of_range seq"},
      {"report", [](Record& r) { r.at = from_unix_ms(limits::kEarliestMs); }, "taken"},
      {"report", [](Record& r) { r.at = from_unix_ms(limits::kEarliestMs - 1); }, "out_of_range at"},
      {"report", [](Record& r) { r.at = from_unix_ms(limits::kLatestMs); }, "taken"},
      {"report", [](Record& r) { r.at = from_unix_ms(limits::kLatestMs + 1); }, "out_of_range at"},
      {"report", [](Record& r) { r.mono = Millis{-1}; }, "out_of_range mono"},
      {"report", [](Record& r) { r.clock.source = static_cast<ClockSource>(9); }, "out_of_range clock.src"},
      {"report", [](Record& r) { r.fix->point.lat_e7 = 900'000'001; }, "out_of_range fix.lat"},
      {"report", [](Record& r) { r.fix->point.lon_e7 = -1'800'000'001; }, "out_of_range fix.lon"},
      {"report", [](Record& r) { r.fix->at = from_unix_ms(limits::kLatestMs + 1); }, "out_of_range fix.at"},
      {"report", [](Record& r) { r.fix->accuracy_cm = 0xFFFF'FFFF; }, "taken"},
      {"report", [](Record& r) { r.media.resize(limits::kMediaPerRecord, r.media[0]); }, "taken"},
      {"report", [](Record& r) { r.media.resize(limits::kMediaPerRecord + 1, r.media[0]); }, "too_large media"},
      {"report", [](Record& r) { r.media[1].size = 0; }, "out_of_range media[1].size"},
      {"report", [](Record& r) { r.media[1].size = limits::kMediaBytes; }, "taken"},
      {"report", [](Record& r) { r.media[1].size = limits::kMediaBytes + 1; }, "out_of_range media[1].size"},
      {"report", [](Record& r) { r.media[0].type = "image/heic"; }, "media_type media[0].type"},
      {"report", [](Record& r) { r.media[0].type = ""; }, "out_of_range media[0].type"},
      {"report", [](Record& r) { std::get<ReportBody>(r.body).category.clear(); }, "out_of_range body.cat"},
      {"report", [&](Record& r) { std::get<ReportBody>(r.body).category = text(65); }, "too_large body.cat"},
      {"report", [&](Record& r) { std::get<ReportBody>(r.body).text = text(2000); }, "taken"},
      {"report", [&](Record& r) { std::get<ReportBody>(r.body).text = text(2001); }, "too_large body.text"},
      {"report", [](Record& r) { std::get<ReportBody>(r.body).text = std::string(1, '\0'); }, "out_of_range body.text"},
      {"report", [](Record& r) { std::get<ReportBody>(r.body).text = "\xED\xA0\x80"; }, "bad_utf8 body.text"},
      {"sign", [](Record& r) { std::get<SignBody>(r.body).act = static_cast<SignAct>(2); }, "out_of_range body.act"},
      {"patrol", [](Record& r) { std::get<PatrolBody>(r.body).patrol = {}; }, "out_of_range body.patrol"},
      {"patrol", [&](Record& r) { std::get<PatrolBody>(r.body).text = text(2001); }, "too_large body.text"},
      {"patrol", [](Record& r) { std::get<PatrolBody>(r.body).checks.resize(64, {"x", true, ""}); }, "taken"},
      {"patrol", [](Record& r) { std::get<PatrolBody>(r.body).checks.resize(65, {"x", true, ""}); },
       "too_large body.checks"},
      {"patrol", [](Record& r) { std::get<PatrolBody>(r.body).checks[1].item.clear(); },
       "out_of_range body.checks[1].item"},
      {"patrol", [&](Record& r) { std::get<PatrolBody>(r.body).checks[1].item = text(65); },
       "too_large body.checks[1].item"},
      {"patrol", [&](Record& r) { std::get<PatrolBody>(r.body).checks[0].note = text(2001); },
       "too_large body.checks[0].note"},
      {"patrol", [&](Record& r) { std::get<PatrolBody>(r.body).checks.resize(64, {"x", true, text(2000)}); },
       "too_large"},
      {"track", [](Record& r) { std::get<TrackBody>(r.body).points.clear(); }, "out_of_range body.pts"},
      {"track", [](Record& r) { std::get<TrackBody>(r.body).points = samples::walk(360); }, "taken"},
      {"track", [](Record& r) { std::get<TrackBody>(r.body).points = samples::walk(362); }, "out_of_range body.pts"},
      {"track", [](Record& r) { std::get<TrackBody>(r.body).points.assign(600, samples::walk(1)[0]); }, "taken"},
      {"track", [](Record& r) { std::get<TrackBody>(r.body).points.assign(601, samples::walk(1)[0]); },
       "too_large body.pts"},
      {"track",
       [](Record& r) { std::swap(std::get<TrackBody>(r.body).points[3], std::get<TrackBody>(r.body).points[4]); },
       "out_of_range body.pts[4].at"},
      {"track", [](Record& r) { std::get<TrackBody>(r.body).points[5].point.lat_e7 = -900'000'001; },
       "out_of_range body.pts[5].lat"},
      {"task_result", [](Record& r) { std::get<TaskResultBody>(r.body).task = {}; }, "out_of_range body.task"},
      {"task_result", [&](Record& r) { std::get<TaskResultBody>(r.body).text = text(2001); }, "too_large body.text"},
      {"status", [](Record& r) { std::get<StatusBody>(r.body).battery_percent = 100; }, "taken"},
      {"status", [](Record& r) { std::get<StatusBody>(r.body).battery_percent = 101; }, "out_of_range body.bat"},
      {"status", [](Record& r) { std::get<StatusBody>(r.body).waiting_bytes = limits::kCounter + 1; },
       "out_of_range body.bytes"},
      {"status", [&](Record& r) { std::get<StatusBody>(r.body).version = text(65); }, "too_large body.ver"},
  };
  for (const auto& row : table) {
    auto record = sample(row.sample);
    row.change(record);
    EXPECT_EQ(verdict(validate(record)), row.expected) << row.sample << " row " << &row - table;
  }
}

TEST(RecordCodec, ErrorsSayValueAndLimit) {
  auto record = sample("report");
  std::get<ReportBody>(record.body).text = std::string(5000, 'x');
  EXPECT_EQ(to_string(validate(record).error()), "too_large (1002) body.text: 5000 characters, at most 2000");
  EXPECT_EQ(to_string(decode_record(Bytes(65'537)).error()), "too_large (1002): 65537 bytes, at most 65536");
  record = sample("report");
  record.fix->point.lat_e7 = 900'000'001;
  EXPECT_EQ(to_string(validate(record).error()),
            "out_of_range (1006) fix.lat: 900000001, from -900000000 to 900000000");
}

TEST(RecordCodec, PeekFindsTheIdOfARecordThatIsRefused) {
  const auto good = sample("report");
  const auto wrong_kind = changed(encode_record(good), [](json& map) { map["kind"] = "dance"; });
  EXPECT_EQ(verdict(decode_record(wrong_kind)), "unknown_kind kind");
  EXPECT_EQ(peek_record_id(wrong_kind), good.id);
  const auto too_long = changed(encode_record(good), [](json& map) { map["pad"] = std::string(70'000, 'x'); });
  EXPECT_EQ(verdict(decode_record(too_long)), "too_large");
  EXPECT_EQ(peek_record_id(too_long), good.id);
  EXPECT_EQ(peek_record_id({}), std::nullopt);
  EXPECT_EQ(peek_record_id(json::to_cbor({{"id", "text"}})), std::nullopt);
  EXPECT_EQ(peek_record_id(json::to_cbor({{"id", json::binary({1, 2})}})), std::nullopt);
  EXPECT_EQ(peek_record_id(json::to_cbor(json::array({1}))), std::nullopt);
}

TEST(RecordCodec, PeekTellsEachFieldByItself) {
  const auto good = sample("report");
  const auto peek = peek_record(encode_record(good));
  EXPECT_EQ(peek.id, good.id);
  EXPECT_EQ(peek.epoch, good.epoch);
  EXPECT_EQ(peek.seq, good.seq);
  EXPECT_EQ(peek.kind, "report");
  const auto without = [&](const char* key, const json& value) {
    return peek_record(changed(encode_record(good), [&](json& map) { map[key] = value; }));
  };
  EXPECT_EQ(without("seq", 0).seq, std::nullopt);
  EXPECT_EQ(without("seq", 0).id, good.id);
  EXPECT_EQ(without("seq", limits::kCounter + 1).seq, std::nullopt);
  EXPECT_EQ(without("seq", "7").seq, std::nullopt);
  EXPECT_EQ(without("epoch", json::binary(Bytes(16))).epoch, std::nullopt);
  EXPECT_EQ(without("epoch", 5).seq, good.seq);
  EXPECT_EQ(without("id", json::binary(Bytes(3))).id, std::nullopt);
  EXPECT_EQ(without("kind", "dance").kind, "") << "a kind that is not known here";
  EXPECT_EQ(without("kind", 3).kind, "");
  EXPECT_EQ(without("body", "nothing").kind, "report");
  EXPECT_EQ(peek_record(encode_record(sample("track"))).kind, "track");
  auto cut = encode_record(good);
  cut.pop_back();
  EXPECT_EQ(peek_record(cut).id, std::nullopt);
  EXPECT_EQ(peek_record(cut).kind, "");
  EXPECT_EQ(peek_record(Bytes(limits::kUpMessageBytes + 1, 0x9F)).seq, std::nullopt);
}

TEST(UpCodec, PeekFindsTheRecordsOfAMessageThatIsRefused) {
  UpMessage message;
  message.epoch = sample("report").epoch;
  message.records = {encode_record(sample("report")), {1, 2}};
  const auto peek = [&](auto change) { return peek_up_records(changed(encode_up(message), change)); };
  EXPECT_EQ(peek([](json& map) { map["v"] = 2; }), message.records);
  EXPECT_EQ(peek([](json& map) { map["ack"] = -1; }), message.records);
  EXPECT_EQ(peek([](json& map) { map.erase("r"); }), std::vector<Bytes>());
  EXPECT_EQ(peek([](json& map) { map["r"].push_back("text"); }), std::nullopt);
  EXPECT_EQ(peek([](json& map) { map["r"] = 1; }), std::nullopt);
  auto many = message;
  many.records.assign(limits::kRecordsPerMessage + 1, Bytes{7});
  EXPECT_EQ(peek_up_records(encode_up(many)), many.records) << "one too many is refused, but it can be told what it is";
  EXPECT_EQ(peek_up_records({}), std::nullopt);
  EXPECT_EQ(peek_up_records(Bytes(limits::kUpMessageBytes + 1)), std::nullopt);
}

TEST(UpCodec, RoundTrips) {
  EXPECT_EQ(decode_up(encode_up(up_sample())), up_sample());
  const UpMessage bare{samples::uuid(1), {}, std::nullopt, std::nullopt, false, std::nullopt};
  EXPECT_EQ(decode_up(encode_up(bare)), bare);
  const UpMessage ack{samples::uuid(1), {}, std::nullopt, 0, false, std::nullopt};
  EXPECT_EQ(decode_up(encode_up(ack)), ack);
}

TEST(UpCodec, Limits) {
  auto message = up_sample();
  message.records.assign(limits::kRecordsPerMessage, Bytes{1});
  EXPECT_EQ(verdict(decode_up(encode_up(message))), "taken");
  message.records.emplace_back();
  EXPECT_EQ(verdict(decode_up(encode_up(message))), "too_large r");
  message = up_sample();
  message.records.assign(2, Bytes(140'000));
  const auto large = decode_up(encode_up(message));
  EXPECT_EQ(verdict(large), "too_large");
  EXPECT_NE(large.error().detail.find("at most 262144"), std::string::npos) << large.error().detail;
  message = up_sample();
  message.ack = limits::kCounter + 1;
  EXPECT_EQ(verdict(decode_up(encode_up(message))), "out_of_range ack");
  message = up_sample();
  message.generation = Uuid{};
  EXPECT_EQ(verdict(decode_up(encode_up(message))), "out_of_range gen");
}

TEST(UpCodec, OneRecordOverItsLimitDoesNotTakeTheOthersWithIt) {
  auto message = up_sample();
  message.records.emplace_back(limits::kRecordBytes + 1);
  const auto back = decode_up(encode_up(message));
  ASSERT_TRUE(back);
  EXPECT_EQ(verdict(decode_record(back->records.back())), "too_large");
  EXPECT_EQ(verdict(decode_record(back->records.front())), "taken");
}

TEST(MediaCodec, RoundTripsAndLimits) {
  EXPECT_EQ(decode_media_piece(encode_media_piece(piece_sample())), piece_sample());
  MediaPiece piece{Sha256{1}, limits::kMediaBytes, limits::kMediaBytes - limits::kMediaPieceBytes,
                   Bytes(limits::kMediaPieceBytes)};
  EXPECT_EQ(decode_media_piece(encode_media_piece(piece)), piece);
  piece.offset += 1;
  EXPECT_EQ(verdict(decode_media_piece(encode_media_piece(piece))), "media_range off");
  piece.offset = limits::kMediaBytes + 1;
  EXPECT_EQ(verdict(decode_media_piece(encode_media_piece(piece))), "out_of_range off");
  piece = {Sha256{1}, limits::kMediaBytes, 0, Bytes(limits::kMediaPieceBytes + 1)};
  EXPECT_EQ(verdict(decode_media_piece(encode_media_piece(piece))), "too_large data");
  piece = {Sha256{1}, limits::kMediaBytes + 1, 0, {}};
  EXPECT_EQ(verdict(decode_media_piece(encode_media_piece(piece))), "out_of_range size");
  piece = {Sha256{1}, 0, 0, {}};
  EXPECT_EQ(verdict(decode_media_piece(encode_media_piece(piece))), "out_of_range size");
  piece = {Sha256{1}, 1000, 1000, {}};
  EXPECT_EQ(decode_media_piece(encode_media_piece(piece)), piece);
  EXPECT_EQ(verdict(decode_media_piece(Bytes(limits::kMediaMessageBytes + 1))), "too_large");
}

TEST(DownCodec, EveryMessageRoundTrips) {
  for (const auto& message : samples::downs()) {
    const auto back = decode_down(encode_down(message));
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_EQ(*back, message);
  }
}

TEST(DownCodec, Limits) {
  MediaState state{Sha256{1}, false, std::vector<ByteRange>(kMissingRanges, {0, 1}), std::nullopt};
  EXPECT_EQ(verdict(decode_down(encode_down(state))), "taken");
  state.missing.push_back({0, 1});
  EXPECT_EQ(verdict(decode_down(encode_down(state))), "too_large miss");
  EXPECT_EQ(verdict(decode_down(encode_down(Busy{Millis{-1}}))), "out_of_range ms");
  EXPECT_EQ(verdict(decode_down(encode_down(Busy{Millis{limits::kRetryAfterMs}}))), "taken");
  EXPECT_EQ(verdict(decode_down(encode_down(Busy{Millis{limits::kRetryAfterMs + 1}}))), "out_of_range ms");
  EXPECT_EQ(verdict(decode_down(encode_down(DownItem{0, "notice", "{}"}))), "out_of_range n");
  EXPECT_EQ(verdict(decode_down(encode_down(DownItem{1, "", "{}"}))), "out_of_range kind");
  EXPECT_EQ(verdict(decode_down(encode_down(DownItem{1, "notice", "{}", 0}))), "out_of_range first");
  EXPECT_EQ(verdict(decode_down(encode_down(DownItem{1, "notice", "{}", limits::kCounter + 1}))), "out_of_range first");
  EXPECT_EQ(verdict(decode_down(encode_down(DownItem{1, std::string(65, 'k'), "{}"}))), "too_large kind");
  EXPECT_EQ(verdict(decode_down(encode_down(DownItem{1, "notice", std::string(limits::kDownMessageBytes, 'x')}))),
            "too_large");
  Receipt receipt{
      {}, {{samples::uuid(1), ErrorCode::busy, std::string(2001, 'x')}}, {}, samples::uuid(2), 0, samples::uuid(3)};
  EXPECT_EQ(verdict(decode_down(encode_down(receipt))), "too_large bad[0].msg");
  receipt.bad[0] = {samples::uuid(1), static_cast<ErrorCode>(9999), "a code of a newer server"};
  EXPECT_EQ(verdict(decode_down(encode_down(receipt))), "taken");
}

TEST(Signing, InputIsPrefixEpochAndHashesInOrder) {
  const auto epoch = samples::uuid(5);
  const std::vector<Sha256> hashes{Sha256{1}, Sha256{2}};
  Bytes expected;
  const auto add = [&](ByteView bytes) { expected.insert(expected.end(), bytes.begin(), bytes.end()); };
  add(as_bytes("gridward/1/up"));
  add(epoch.bytes);
  add(hashes[0]);
  add(hashes[1]);
  EXPECT_EQ(signing_input(epoch, hashes), expected);
  EXPECT_EQ(signing_input(epoch, {}).size(), 13U + 16U);
}

// Hostile bytes.

constexpr std::size_t kMillion = 1'000'000;

TEST(Hostile, AMillionNestedLevels) {
  for (const std::uint8_t head : Bytes{0x81, 0x9F, 0xBF, 0x7F, 0x5F, 0xC0}) {
    const Bytes bytes(kMillion, head);
    EXPECT_EQ(verdict(decode_up(bytes)), "too_large");
    EXPECT_EQ(verdict(decode_record(bytes)), "too_large");
    EXPECT_EQ(verdict(decode_media_piece(bytes)), "too_large");
    EXPECT_EQ(verdict(decode_down(bytes)), "too_large");
    EXPECT_EQ(peek_record_id(bytes), std::nullopt);
    // The reader itself, with the size limit out of the way.
    EXPECT_EQ(verdict(document::parse_cbor(bytes, bytes.size())), head == 0x81 ? "too_deep" : "malformed");
    EXPECT_EQ(verdict(decode_record(ByteView(bytes).first(60'000))), head == 0x81 ? "too_deep" : "malformed");
  }
  Bytes maps;
  for (std::size_t i = 0; i < kMillion; ++i) maps.insert(maps.end(), {0xA1, 0x61, 'a'});
  EXPECT_EQ(verdict(document::parse_cbor(maps, maps.size())), "too_deep");
  EXPECT_EQ(verdict(document::parse_json(std::string(kMillion, '['), kMillion)).substr(0, 8), "too_deep");
}

TEST(Hostile, SixteenLevelsAreTakenSeventeenNot) {
  const auto nested = [](std::size_t levels) {
    json value = 1;
    for (std::size_t i = 0; i < levels; ++i) value = json::array({std::move(value)});
    return value;
  };
  const auto bytes = encode_record(sample("report_bare"));
  EXPECT_EQ(verdict(decode_record(changed(bytes, [&](json& map) { map["x"] = nested(15); }))), "taken");
  EXPECT_EQ(verdict(decode_record(changed(bytes, [&](json& map) { map["x"] = nested(16); }))), "too_deep");
}

TEST(Hostile, ClaimedLengthsAllocateNothing) {
  for (const int major : {2, 3, 4, 5}) {
    for (const int width : {24, 25, 26, 27}) {
      for (const std::uint8_t fill : Bytes{0xFF, 0x7F, 0x80}) {
        Bytes bytes{static_cast<std::uint8_t>(major << 5 | width)};
        bytes.insert(bytes.end(), std::size_t{1} << (width - 24), fill);
        EXPECT_EQ(verdict(decode_record(bytes)), "malformed") << to_hex(bytes);
        EXPECT_EQ(verdict(decode_up(bytes)), "malformed") << to_hex(bytes);
      }
    }
  }
}

TEST(Hostile, ItemsAreCounted) {
  auto many = json::array();
  for (std::size_t i = 0; i < limits::kCborItems; ++i) many.push_back(0);
  EXPECT_EQ(verdict(decode_up(json::to_cbor(many))), "too_large");
  many.erase(many.begin());
  EXPECT_EQ(verdict(decode_up(json::to_cbor(many))), "bad_type");
}

TEST(Hostile, EveryPrefixIsAnError) {
  const auto check = [](const Bytes& bytes, const auto& decode) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto result = decode(ByteView(bytes).first(size));
      ASSERT_FALSE(result) << size;
      EXPECT_EQ(result.error().code, ErrorCode::malformed) << size;
    }
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(verdict(decode(longer)), "trailing_bytes");
  };
  for (const auto& one : samples::records()) check(encode_record(one.record), decode_record);
  check(encode_up(up_sample()), decode_up);
  check(encode_media_piece(piece_sample()), decode_media_piece);
  for (const auto& message : samples::downs()) check(encode_down(message), decode_down);
}

// Whatever a changed byte makes of a message: an error, or contents that survive another round.
template <class Decode, class Encode>
void flip_bytes(const Bytes& bytes, Decode decode, Encode encode) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto other = bytes;
      other[at] = static_cast<std::uint8_t>(other[at] ^ (1U << bit));
      const auto result = decode(other);
      if (!result) continue;
      const auto again = decode(encode(*result));
      ASSERT_TRUE(again) << at << "." << bit << " " << to_string(again.error());
      EXPECT_EQ(*again, *result) << at << "." << bit;
    }
  }
}

TEST(Hostile, EveryChangedBitIsAnErrorOrValid) {
  for (const auto& one : samples::records()) {
    if (one.name != "track") flip_bytes(encode_record(one.record), decode_record, encode_record);
  }
  auto short_track = sample("track");
  std::get<TrackBody>(short_track.body).points.resize(5);
  flip_bytes(encode_record(short_track), decode_record, encode_record);
  auto up = up_sample();
  up.records.resize(2);
  flip_bytes(encode_up(up), decode_up, encode_up);
  flip_bytes(encode_media_piece(piece_sample()), decode_media_piece, encode_media_piece);
  for (const auto& message : samples::downs()) flip_bytes(encode_down(message), decode_down, encode_down);
}

}  // namespace
}  // namespace gridward
