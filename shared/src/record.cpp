#include <array>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/shared/record.hpp>
#include <utility>

#include "document.hpp"

namespace gridward {
namespace {

using document::Fields;
using nlohmann::json;

// Words by the enum's number.
constexpr std::array<std::string_view, 6> kKinds{"report", "sign", "patrol", "track", "task_result", "status"};
constexpr std::array<std::string_view, 3> kClockSources{"local", "server", "gnss"};
constexpr std::array<std::string_view, 3> kFixSources{"gnss", "network", "manual"};
constexpr std::array<std::string_view, 2> kDatums{"wgs84", "gcj02"};
constexpr std::array<std::string_view, 5> kRoles{"scene", "before", "after", "selfie", "scan"};
constexpr std::array<std::string_view, 3> kMediaTypes{"image/jpeg", "image/png", "image/webp"};
constexpr std::array<std::string_view, 2> kSignActs{"in", "out"};
constexpr std::array<std::string_view, 2> kPatrolActs{"start", "stop"};
constexpr std::array<std::string_view, 3> kOutcomes{"confirmed", "not_rectified", "cannot_check"};

constexpr ranges::Range kUint32{0, 0xFFFF'FFFF};
// Between any two times that the wire takes.
constexpr ranges::Range kOffset{limits::kEarliestMs - limits::kLatestMs, limits::kLatestMs - limits::kEarliestMs};

static_assert(std::variant_size_v<RecordBody> == kKinds.size());

template <class Words, class Enum>
std::string word_of(const Words& words, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < words.size() ? std::string(words[index]) : std::string();
}

template <class Enum, class Words>
Enum read_word(const Fields& map, std::string_view key, const Words& words) {
  return static_cast<Enum>(map.word(key, words));
}

json blob(ByteView bytes) { return json::binary(Bytes(bytes.begin(), bytes.end())); }
json blob(const Uuid& id) { return blob(ByteView(id.bytes)); }

void put_text(json& map, const char* key, const std::string& text) {
  if (!text.empty()) map[key] = text;
}

json to_json(const ClockQuality& clock) {
  json map{{"src", word_of(kClockSources, clock.source)}};
  if (clock.error_ms != 0) map["err"] = clock.error_ms;
  if (clock.offset_ms != 0) map["off"] = clock.offset_ms;
  return map;
}

ClockQuality read_clock(const Fields& map) {
  return {read_word<ClockSource>(map, "src", kClockSources),
          static_cast<std::uint32_t>(map.optional_integer("err", kUint32).value_or(0)),
          map.optional_integer("off", kOffset).value_or(0)};
}

json to_json(const Fix& fix) {
  json map{{"lat", fix.point.lat_e7},
           {"lon", fix.point.lon_e7},
           {"src", word_of(kFixSources, fix.source)},
           {"at", to_unix_ms(fix.at)}};
  if (fix.accuracy_cm) map["acc"] = *fix.accuracy_cm;
  if (fix.datum != Datum::wgs84) map["datum"] = word_of(kDatums, fix.datum);
  if (fix.mock) map["mock"] = true;
  return map;
}

Fix read_fix(const Fields& map) {
  Fix fix;
  fix.point.lat_e7 = static_cast<std::int32_t>(map.integer("lat", ranges::kLat));
  fix.point.lon_e7 = static_cast<std::int32_t>(map.integer("lon", ranges::kLon));
  if (const auto accuracy = map.optional_integer("acc", kUint32)) {
    fix.accuracy_cm = static_cast<std::uint32_t>(*accuracy);
  }
  fix.source = read_word<FixSource>(map, "src", kFixSources);
  if (map.has("datum")) fix.datum = read_word<Datum>(map, "datum", kDatums);
  fix.mock = map.flag("mock");
  fix.at = map.time("at");
  return fix;
}

json to_json(const MediaRef& media) {
  json map{{"sha256", blob(media.sha256)},
           {"size", media.size},
           {"type", media.type},
           {"role", word_of(kRoles, media.role)}};
  if (media.original) map["orig"] = blob(*media.original);
  return map;
}

MediaRef read_media(const Fields& map) {
  MediaRef media;
  media.sha256 = map.bytes_of<32>("sha256");
  media.size = map.counter("size", {1, static_cast<std::int64_t>(limits::kMediaBytes)});
  media.type = map.text("type", 1, limits::kNameCharacters);
  if (std::ranges::find(kMediaTypes, media.type) == kMediaTypes.end()) {
    map.fail_at(ErrorCode::media_type, "type", "image/jpeg, image/png or image/webp");
  }
  media.role = read_word<MediaRole>(map, "role", kRoles);
  if (map.has("orig")) media.original = map.bytes_of<32>("orig");
  return media;
}

json to_json(const ReportBody& body) {
  json map{{"cat", body.category}};
  put_text(map, "text", body.text);
  return map;
}
json to_json(const SignBody& body) { return {{"act", word_of(kSignActs, body.act)}}; }
json to_json(const PatrolBody& body) {
  json map{{"act", word_of(kPatrolActs, body.act)}, {"patrol", blob(body.patrol)}};
  put_text(map, "text", body.text);
  if (!body.checks.empty()) {
    auto& list = map["checks"] = json::array();
    for (const auto& check : body.checks) {
      json item{{"item", check.item}, {"ok", check.ok}};
      put_text(item, "note", check.note);
      list.push_back(std::move(item));
    }
  }
  return map;
}
json to_json(const TrackBody& body) {
  json map{{"pts", blob(pack_track(body.points))}};
  if (!body.patrol.is_nil()) map["patrol"] = blob(body.patrol);
  return map;
}
json to_json(const TaskResultBody& body) {
  json map{{"task", blob(body.task)}, {"outcome", word_of(kOutcomes, body.outcome)}};
  put_text(map, "text", body.text);
  return map;
}
json to_json(const StatusBody& body) {
  json map{{"recs", body.waiting_records}, {"bytes", body.waiting_bytes}, {"oldest", body.oldest_age_s}};
  if (body.battery_percent) map["bat"] = *body.battery_percent;
  put_text(map, "ver", body.version);
  return map;
}

void read_body(const Fields& map, ReportBody& body) {
  body.category = map.text("cat", 1, limits::kNameCharacters);
  body.text = map.optional_text("text", limits::kTextCharacters);
}
void read_body(const Fields& map, SignBody& body) { body.act = read_word<SignAct>(map, "act", kSignActs); }
void read_body(const Fields& map, PatrolBody& body) {
  body.act = read_word<PatrolAct>(map, "act", kPatrolActs);
  body.patrol = map.uuid("patrol");
  body.text = map.optional_text("text", limits::kTextCharacters);
  map.list("checks", limits::kCheckItems, [&](const json& node, std::string path) {
    const Fields check(node, std::move(path), map.error());
    body.checks.push_back({check.text("item", 1, limits::kNameCharacters), check.required_flag("ok"),
                           check.optional_text("note", limits::kTextCharacters)});
  });
}
void read_body(const Fields& map, TrackBody& body) {
  body.patrol = map.uuid_or_nil("patrol");
  const auto packed = map.bytes("pts", limits::kRecordBytes);
  if (map.error()) return;
  auto points = unpack_track(packed);
  if (!points)
    return map.fail_path(points.error().code, map.field("pts") + points.error().field, points.error().detail);
  body.points = std::move(*points);
  if (body.points.empty()) return map.fail_at(ErrorCode::out_of_range, "pts", "no points");
  for (std::size_t i = 1; i < body.points.size(); ++i) {
    if (body.points[i].at < body.points[i - 1].at) {
      return map.fail_path(ErrorCode::out_of_range, map.field("pts") + "[" + std::to_string(i) + "].at",
                           "before the point in front of it");
    }
  }
  const auto span = (body.points.back().at - body.points.front().at).count();
  if (span > limits::kTrackSpanMs) {
    map.fail_at(ErrorCode::out_of_range, "pts",
                document::at_most(static_cast<std::uint64_t>(span), limits::kTrackSpanMs, "ms from first to last"));
  }
}
void read_body(const Fields& map, TaskResultBody& body) {
  body.task = map.uuid("task");
  body.outcome = read_word<TaskOutcome>(map, "outcome", kOutcomes);
  body.text = map.optional_text("text", limits::kTextCharacters);
}
void read_body(const Fields& map, StatusBody& body) {
  body.waiting_records = static_cast<std::uint32_t>(map.integer("recs", kUint32));
  body.waiting_bytes = map.counter("bytes");
  body.oldest_age_s = map.counter("oldest");
  if (const auto percent = map.optional_integer("bat", {0, 100})) {
    body.battery_percent = static_cast<std::uint8_t>(*percent);
  }
  body.version = map.optional_text("ver", limits::kNameCharacters);
}

// A body of the alternative that `kind` names, still empty.
template <std::size_t... I>
RecordBody empty_body(std::size_t kind, std::index_sequence<I...> /*kinds*/) {
  RecordBody body;
  ((kind == I ? (body.emplace<I>(), 0) : 0), ...);
  return body;
}

}  // namespace

std::string_view kind_name(const RecordBody& body) { return kKinds[body.index()]; }

Bytes encode_record(const Record& record) {
  json map{{"id", blob(record.id)},
           {"epoch", blob(record.epoch)},
           {"actor", record.actor},
           {"seq", record.seq},
           {"kind", kind_name(record.body)},
           {"at", to_unix_ms(record.at)},
           {"mono", record.mono.count()},
           {"boot", blob(record.boot)},
           {"clock", to_json(record.clock)},
           {"body", std::visit([](const auto& body) { return to_json(body); }, record.body)}};
  if (record.fix) map["fix"] = to_json(*record.fix);
  if (!record.media.empty()) {
    auto& list = map["media"] = json::array();
    for (const auto& media : record.media) list.push_back(to_json(media));
  }
  return document::write_cbor(map);
}

Result<Record> decode_record(ByteView bytes) {
  const auto root = document::parse_cbor(bytes, limits::kRecordBytes);
  if (!root) return tl::unexpected(root.error());
  std::optional<Error> error;
  const Fields map(*root, "", error);
  Record record;
  record.id = map.uuid_v7("id");
  record.epoch = map.uuid("epoch");
  record.seq = map.counter("seq", ranges::kFromOne);
  const auto kind_text = map.text("kind", 1, limits::kNameCharacters);
  const auto kind = std::ranges::find(kKinds, kind_text);
  if (kind == kKinds.end()) map.fail_at(ErrorCode::unknown_kind, "kind", kind_text);
  if (error) return tl::unexpected(std::move(*error));
  record.actor = map.text("actor", 1, limits::kNameCharacters);
  record.at = map.time("at");
  record.mono = Millis{map.integer("mono", ranges::kCounter)};
  record.boot = map.uuid("boot");
  record.clock = read_clock(map.map("clock"));
  if (map.has("fix")) record.fix = read_fix(map.map("fix"));
  map.list("media", limits::kMediaPerRecord, [&](const json& node, std::string path) {
    record.media.push_back(read_media(Fields(node, std::move(path), error)));
  });
  record.body = empty_body(static_cast<std::size_t>(kind - kKinds.begin()), std::make_index_sequence<kKinds.size()>());
  std::visit([&](auto& body) { read_body(map.map("body"), body); }, record.body);
  if (error) return tl::unexpected(std::move(*error));
  return record;
}

Result<void> validate(const Record& record) {
  if (auto decoded = decode_record(encode_record(record)); !decoded) return tl::unexpected(std::move(decoded.error()));
  return {};
}

RecordPeek peek_record(ByteView bytes) {
  RecordPeek peek;
  // A record over its own limit is refused too, and its refusal must name it.
  const auto root = document::parse_cbor(bytes, limits::kUpMessageBytes);
  if (!root) return peek;
  // Each with an error of its own: what is wrong with one says nothing of the others.
  const auto field = [&](auto read) -> std::optional<decltype(read(std::declval<const Fields&>()))> {
    std::optional<Error> error;
    auto value = read(Fields(*root, "", error));
    if (error) return std::nullopt;
    return value;
  };
  peek.id = field([](const Fields& map) { return map.uuid("id"); });
  peek.epoch = field([](const Fields& map) { return map.uuid("epoch"); });
  peek.seq = field([](const Fields& map) { return map.counter("seq", ranges::kFromOne); });
  if (const auto kind = field([](const Fields& map) { return map.word("kind", kKinds); })) peek.kind = kKinds[*kind];
  return peek;
}

std::optional<Uuid> peek_record_id(ByteView bytes) { return peek_record(bytes).id; }

}  // namespace gridward
