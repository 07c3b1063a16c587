// The byte vectors of docs/protocol.md, which every implementation of the protocol runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/test/paths.hpp>
#include <nlohmann/json.hpp>

namespace gridward {
namespace {

using nlohmann::json;

const std::string kFolder = (test::source_dir() / "tests/vectors/").string();

json load(const std::string& name) {
  std::ifstream file(kFolder + name + ".json");
  EXPECT_TRUE(file) << name;
  return json::parse(file).at("vectors");
}

Uuid uuid(const json& text) { return uuid_from_string(text.get<std::string>()).value(); }
Uuid uuid_or_nil(const json& text) { return text.is_null() ? Uuid{} : uuid(text); }
Bytes hex(const json& text) { return from_hex(text.get<std::string>()).value(); }
Sha256 hash(const json& text) { return sha256_from_hex(text.get<std::string>()).value(); }
UnixMs time(const json& ms) { return from_unix_ms(ms.get<std::int64_t>()); }

template <class Enum, std::size_t N>
Enum word(const json& text, const std::array<const char*, N>& words) {
  const auto found = std::ranges::find(words, text.get<std::string>());
  if (found == words.end()) throw std::runtime_error("unknown word " + text.dump());
  return static_cast<Enum>(found - words.begin());
}

std::vector<TrackPoint> points(const json& list) {
  std::vector<TrackPoint> out;
  for (const auto& p : list) {
    out.push_back(
        {time(p.at(0)), {p.at(1).get<std::int32_t>(), p.at(2).get<std::int32_t>()}, p.at(3).get<std::uint32_t>()});
  }
  return out;
}

RecordBody body(const std::string& kind, const json& b) {
  if (kind == "report") return ReportBody{b.at("category"), b.at("text")};
  if (kind == "sign") return SignBody{word<SignAct>(b.at("act"), std::array{"in", "out"})};
  if (kind == "patrol") {
    PatrolBody out{word<PatrolAct>(b.at("act"), std::array{"start", "stop"}), uuid(b.at("patrol")), b.at("text"), {}};
    for (const auto& check : b.at("checks")) out.checks.push_back({check.at("item"), check.at("ok"), check.at("note")});
    return out;
  }
  if (kind == "track") return TrackBody{uuid_or_nil(b.at("patrol")), points(b.at("points"))};
  if (kind == "task_result") {
    return TaskResultBody{uuid(b.at("task")),
                          word<TaskOutcome>(b.at("outcome"), std::array{"confirmed", "not_rectified", "cannot_check"}),
                          b.at("text")};
  }
  StatusBody out{b.at("waiting_records"), b.at("waiting_bytes"), b.at("oldest_age_s"), std::nullopt, b.at("version")};
  if (!b.at("battery_percent").is_null()) out.battery_percent = b.at("battery_percent").get<std::uint8_t>();
  return out;
}

Record record(const json& v) {
  Record out;
  out.id = uuid(v.at("id"));
  out.epoch = uuid(v.at("epoch"));
  out.actor = v.at("actor");
  out.seq = v.at("seq");
  out.at = time(v.at("at"));
  out.mono = Millis{v.at("mono").get<std::int64_t>()};
  out.boot = uuid(v.at("boot"));
  out.clock = {word<ClockSource>(v.at("clock").at("source"), std::array{"local", "server", "gnss"}),
               v.at("clock").at("error_ms"), v.at("clock").at("offset_ms")};
  if (const auto& f = v.at("fix"); !f.is_null()) {
    out.fix = Fix{{f.at("lat_e7"), f.at("lon_e7")},
                  std::nullopt,
                  word<FixSource>(f.at("source"), std::array{"gnss", "network", "manual"}),
                  word<Datum>(f.at("datum"), std::array{"wgs84", "gcj02"}),
                  f.at("mock"),
                  time(f.at("at"))};
    if (!f.at("accuracy_cm").is_null()) out.fix->accuracy_cm = f.at("accuracy_cm").get<std::uint32_t>();
  }
  for (const auto& m : v.at("media")) {
    out.media.push_back({hash(m.at("sha256")), m.at("size"), m.at("type"),
                         word<MediaRole>(m.at("role"), std::array{"scene", "before", "after", "selfie", "scan"}),
                         std::nullopt});
    if (!m.at("original").is_null()) out.media.back().original = hash(m.at("original"));
  }
  out.body = body(v.at("kind"), v.at("body"));
  EXPECT_EQ(kind_name(out.body), v.at("kind").get<std::string>());
  return out;
}

UpMessage up(const json& v) {
  UpMessage out;
  out.epoch = uuid(v.at("epoch"));
  for (const auto& bytes : v.at("records")) out.records.push_back(hex(bytes));
  if (!v.at("signature").is_null()) {
    const auto bytes = hex(v.at("signature"));
    out.signature.emplace();
    EXPECT_EQ(bytes.size(), out.signature->size());
    std::ranges::copy(bytes, out.signature->begin());
  }
  if (!v.at("ack").is_null()) out.ack = v.at("ack").get<std::uint64_t>();
  out.hello = v.at("hello");
  if (!v.at("generation").is_null()) out.generation = uuid(v.at("generation"));
  return out;
}

MediaPiece piece(const json& v) { return {hash(v.at("sha256")), v.at("size"), v.at("offset"), hex(v.at("data"))}; }

std::optional<std::uint64_t> first(const json& v) {
  if (v.at("first").is_null()) return std::nullopt;
  return v.at("first").get<std::uint64_t>();
}

DownMessage down(const json& v) {
  const std::string type = v.at("t");
  if (type == "receipt") {
    Receipt out{{}, {}, time(v.at("now")), uuid(v.at("epoch")), v.at("safe"), uuid(v.at("generation")), first(v)};
    for (const auto& id : v.at("ok")) out.ok.push_back(uuid(id));
    for (const auto& bad : v.at("bad")) {
      out.bad.push_back(
          {uuid(bad.at("id")), static_cast<ErrorCode>(bad.at("code").get<std::uint16_t>()), bad.at("message")});
    }
    return out;
  }
  if (type == "media") {
    MediaState out{hash(v.at("sha256")), v.at("complete"), {}, std::nullopt};
    for (const auto& range : v.at("missing")) out.missing.push_back({range.at(0), range.at(1)});
    if (!v.at("refused").is_null()) out.refused = static_cast<ErrorCode>(v.at("refused").get<std::uint16_t>());
    return out;
  }
  if (type == "item") return DownItem{v.at("n"), v.at("kind"), v.at("body"), first(v)};
  return Busy{Millis{v.at("retry_after_ms").get<std::int64_t>()}};
}

// For a new vector: write its `value` by hand, run with GRIDWARD_UPDATE=1, and look at what changed.
template <class Meaning, class Encode>
void write_hex(const std::string& name, Meaning meaning, Encode encode) {
  std::ifstream in(kFolder + name + ".json");
  auto document = nlohmann::ordered_json::parse(in);
  for (auto& vector : document.at("vectors")) vector["hex"] = to_hex(encode(meaning(json(vector.at("value")))));
  std::ofstream(kFolder + name + ".json") << document.dump(1) << "\n";
}

template <class Meaning, class Encode, class Decode>
void check(const std::string& file, Meaning meaning, Encode encode, Decode decode) {
  if (std::getenv("GRIDWARD_UPDATE") != nullptr) write_hex(file, meaning, encode);
  const auto vectors = load(file);
  EXPECT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const auto value = meaning(vector.at("value"));
    EXPECT_EQ(to_hex(encode(value)), vector.at("hex").get<std::string>());
    const auto decoded = decode(hex(vector.at("hex")));
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    EXPECT_EQ(*decoded, value);
  }
}

TEST(Vectors, Record) { check("record", record, encode_record, decode_record); }
TEST(Vectors, Up) { check("up", up, encode_up, decode_up); }
TEST(Vectors, Media) { check("media", piece, encode_media_piece, decode_media_piece); }
TEST(Vectors, Down) { check("down", down, encode_down, decode_down); }
// Their items' bodies are what the server writes.
TEST(Vectors, ItemBodies) {
  const auto again = [](const std::string& kind, const std::string& body) -> Result<std::string> {
    const auto write = [](const auto& item) -> Result<std::string> { return encode_item(item); };
    if (kind == "task") return decode_task_item(body).and_then(write);
    if (kind == "notice") return decode_notice_item(body).and_then(write);
    if (kind == "settings") return decode_settings_item(body).and_then(write);
    if (kind == "categories") return decode_categories_item(body).and_then(write);
    return fail(ErrorCode::unknown_kind);
  };
  for (const auto& vector : load("down")) {
    const auto& value = vector.at("value");
    if (value.at("t") != "item") continue;
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const auto body = again(value.at("kind"), value.at("body"));
    ASSERT_TRUE(body) << to_string(body.error());
    EXPECT_EQ(*body, value.at("body").get<std::string>());
  }
}
TEST(Vectors, Track) {
  check("track", points, [](const auto& list) { return pack_track(list); }, unpack_track);
}
TEST(Vectors, SigningInput) {
  for (const auto& vector : load("signing")) {
    std::vector<Sha256> hashes;
    for (const auto& text : vector.at("value").at("hashes")) hashes.push_back(hash(text));
    EXPECT_EQ(to_hex(signing_input(uuid(vector.at("value").at("epoch")), hashes)), vector.at("hex").get<std::string>());
  }
}

TEST(Vectors, Refused) {
  const auto error_of = [](const std::string& type, ByteView bytes) -> std::optional<Error> {
    const auto error = [](const auto& result) { return result ? std::nullopt : std::optional(result.error()); };
    if (type == "record") return error(decode_record(bytes));
    if (type == "up") return error(decode_up(bytes));
    if (type == "media") return error(decode_media_piece(bytes));
    if (type == "down") return error(decode_down(bytes));
    if (type == "settings")
      return error(decode_settings_item({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    return error(unpack_track(bytes));
  };
  const auto vectors = load("refused");
  EXPECT_GE(vectors.size(), 100U);
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.at("type").get<std::string>() + ": " + vector.at("name").get<std::string>());
    const auto error = error_of(vector.at("type"), hex(vector.at("hex")));
    ASSERT_TRUE(error) << "was taken";
    EXPECT_EQ(error_info(error->code).name, vector.at("error").at("name").get<std::string>()) << to_string(*error);
    EXPECT_EQ(error->field, vector.at("error").at("field").get<std::string>()) << to_string(*error);
  }
}

TEST(Vectors, Taken) {
  const auto again = [](const std::string& type, ByteView bytes) -> Result<Bytes> {
    if (type == "record") return decode_record(bytes).map(encode_record);
    if (type == "up") return decode_up(bytes).map(encode_up);
    if (type == "media") return decode_media_piece(bytes).map(encode_media_piece);
    return decode_down(bytes).map(encode_down);
  };
  const auto vectors = load("taken");
  EXPECT_FALSE(vectors.empty());
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.at("type").get<std::string>() + ": " + vector.at("name").get<std::string>());
    const auto bytes = again(vector.at("type"), hex(vector.at("hex")));
    ASSERT_TRUE(bytes) << to_string(bytes.error());
    EXPECT_EQ(to_hex(*bytes), vector.at("becomes").get<std::string>());
  }
}

}  // namespace
}  // namespace gridward
