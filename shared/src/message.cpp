#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/message.hpp>

#include "document.hpp"

namespace gridward {
namespace {

using document::Fields;
using nlohmann::json;

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kSigningPrefix = "gridward/1/up";
constexpr ranges::Range kMediaSize{1, static_cast<std::int64_t>(limits::kMediaBytes)};
constexpr ranges::Range kMediaOffset{0, static_cast<std::int64_t>(limits::kMediaBytes)};
constexpr ranges::Range kCode{0, 0xFFFF};

json blob(ByteView bytes) { return json::binary(Bytes(bytes.begin(), bytes.end())); }
json blob(const Uuid& id) { return blob(ByteView(id.bytes)); }

Result<json> parse(ByteView bytes, std::size_t max_bytes) {
  auto root = document::parse_cbor(bytes, max_bytes);
  if (!root) return root;
  std::optional<Error> error;
  const Fields map(*root, "", error);
  const auto version = map.integer("v", {INT64_MIN, INT64_MAX});
  if (error) return tl::unexpected(std::move(*error));
  if (version != kVersion) {
    return fail(ErrorCode::unsupported_version, "v", std::to_string(version) + ", 1 is supported");
  }
  return root;
}

json to_json(const Receipt& receipt) {
  json map{{"t", "receipt"},
           {"now", to_unix_ms(receipt.now)},
           {"epoch", blob(receipt.epoch)},
           {"safe", receipt.safe},
           {"gen", blob(receipt.generation)}};
  if (!receipt.ok.empty()) {
    auto& ok = map["ok"] = json::array();
    for (const auto& id : receipt.ok) ok.push_back(blob(id));
  }
  if (!receipt.bad.empty()) {
    auto& bad = map["bad"] = json::array();
    for (const auto& record : receipt.bad) {
      bad.push_back(
          {{"id", blob(record.id)}, {"code", static_cast<std::uint16_t>(record.code)}, {"msg", record.message}});
    }
  }
  if (receipt.first) map["first"] = *receipt.first;
  return map;
}

json to_json(const MediaState& state) {
  json map{{"t", "media"}, {"sha256", blob(state.sha256)}, {"done", state.complete}};
  if (!state.missing.empty()) {
    auto& missing = map["miss"] = json::array();
    for (const auto& range : state.missing) missing.push_back(json::array({range.offset, range.length}));
  }
  if (state.refused) map["code"] = static_cast<std::uint16_t>(*state.refused);
  return map;
}

json to_json(const DownItem& item) {
  json map{{"t", "item"}, {"n", item.n}, {"kind", item.kind}, {"body", item.body}};
  if (item.first) map["first"] = *item.first;
  return map;
}
json to_json(const Busy& busy) { return {{"t", "busy"}, {"ms", busy.retry_after.count()}}; }

std::optional<std::uint64_t> read_first(const Fields& map) {
  const auto first = map.optional_integer("first", ranges::kFromOne);
  if (!first) return std::nullopt;
  return static_cast<std::uint64_t>(*first);
}

Receipt read_receipt(const Fields& map) {
  Receipt receipt;
  map.list("ok", limits::kCborItems, [&](const json& node, const std::string& path) {
    Uuid id;
    map.copy_exact(&node, path, id.bytes);
    receipt.ok.push_back(id);
  });
  map.list("bad", limits::kCborItems, [&](const json& node, std::string path) {
    const Fields bad(node, std::move(path), map.error());
    receipt.bad.push_back({Uuid{bad.bytes_of<16>("id")}, static_cast<ErrorCode>(bad.integer("code", kCode)),
                           bad.text("msg", 0, limits::kTextCharacters)});
  });
  receipt.now = map.time("now");
  receipt.epoch = Uuid{map.bytes_of<16>("epoch")};
  receipt.safe = map.counter("safe");
  receipt.generation = map.uuid("gen");
  receipt.first = read_first(map);
  return receipt;
}

ByteRange read_range(const Fields& map, const json& node, const std::string& path) {
  if (!node.is_array() || node.size() != 2 || !node[0].is_number_unsigned() || !node[1].is_number_unsigned()) {
    map.fail_path(ErrorCode::bad_type, path, "[offset, length] is needed");
    return {};
  }
  const ByteRange range{node[0].get<std::uint64_t>(), node[1].get<std::uint64_t>()};
  if (range.length == 0 || range.length > limits::kMediaBytes || range.offset > limits::kMediaBytes - range.length) {
    map.fail_path(ErrorCode::media_range, path, "not inside " + std::to_string(limits::kMediaBytes) + " bytes");
  }
  return range;
}

MediaState read_media_state(const Fields& map) {
  MediaState state;
  state.sha256 = map.bytes_of<32>("sha256");
  state.complete = map.required_flag("done");
  map.list("miss", kMissingRanges,
           [&](const json& node, const std::string& path) { state.missing.push_back(read_range(map, node, path)); });
  if (const auto code = map.optional_integer("code", kCode)) state.refused = static_cast<ErrorCode>(*code);
  return state;
}

}  // namespace

Bytes encode_up(const UpMessage& message) {
  json map{{"v", kVersion}, {"epoch", blob(message.epoch)}};
  if (!message.records.empty()) {
    auto& records = map["r"] = json::array();
    for (const auto& record : message.records) records.push_back(json::binary(record));
  }
  if (message.signature) map["sig"] = blob(*message.signature);
  if (message.ack) map["ack"] = *message.ack;
  if (message.hello) map["hello"] = true;
  if (message.generation) map["gen"] = blob(*message.generation);
  return document::write_cbor(map);
}

Result<UpMessage> decode_up(ByteView bytes) {
  const auto root = parse(bytes, limits::kUpMessageBytes);
  if (!root) return tl::unexpected(root.error());
  std::optional<Error> error;
  const Fields map(*root, "", error);
  UpMessage message;
  message.epoch = map.uuid("epoch");
  // A record's own size is decode_record's matter: one that is too large must not take the others with it.
  map.list("r", limits::kRecordsPerMessage, [&](const json& node, std::string path) {
    if (!node.is_binary()) return map.fail_path(ErrorCode::bad_type, std::move(path), "bytes are needed");
    message.records.push_back(node.get_binary());
  });
  if (map.has("sig")) message.signature = map.bytes_of<64>("sig");
  if (const auto ack = map.optional_integer("ack", ranges::kCounter)) message.ack = static_cast<std::uint64_t>(*ack);
  message.hello = map.flag("hello");
  if (map.has("gen")) message.generation = map.uuid("gen");
  if (error) return tl::unexpected(std::move(*error));
  return message;
}

std::optional<std::vector<Bytes>> peek_up_records(ByteView bytes) {
  const auto root = document::parse_cbor(bytes, limits::kUpMessageBytes);
  if (!root) return std::nullopt;
  std::optional<Error> error;
  const Fields map(*root, "", error);
  std::vector<Bytes> records;
  map.list("r", limits::kCborItems, [&](const json& node, std::string path) {
    if (!node.is_binary()) return map.fail_path(ErrorCode::bad_type, std::move(path), "bytes are needed");
    records.push_back(node.get_binary());
  });
  if (error) return std::nullopt;
  return records;
}

Bytes encode_media_piece(const MediaPiece& piece) {
  json map{{"v", kVersion}, {"sha256", blob(piece.sha256)}, {"size", piece.size}, {"off", piece.offset}};
  if (!piece.data.empty()) map["data"] = json::binary(piece.data);
  return document::write_cbor(map);
}

Result<MediaPiece> decode_media_piece(ByteView bytes) {
  const auto root = parse(bytes, limits::kMediaMessageBytes);
  if (!root) return tl::unexpected(root.error());
  std::optional<Error> error;
  const Fields map(*root, "", error);
  MediaPiece piece;
  piece.sha256 = map.bytes_of<32>("sha256");
  piece.size = map.counter("size", kMediaSize);
  piece.offset = map.counter("off", kMediaOffset);
  if (map.has("data")) piece.data = map.bytes("data", limits::kMediaPieceBytes);
  if (piece.offset > piece.size || piece.data.size() > piece.size - piece.offset) {
    map.fail_at(ErrorCode::media_range, "off",
                std::to_string(piece.offset) + " and " + std::to_string(piece.data.size()) + " bytes, of " +
                    std::to_string(piece.size));
  }
  if (error) return tl::unexpected(std::move(*error));
  return piece;
}

Bytes encode_down(const DownMessage& message) {
  json map = std::visit([](const auto& one) { return to_json(one); }, message);
  map["v"] = kVersion;
  return document::write_cbor(map);
}

Result<DownMessage> decode_down(ByteView bytes) {
  const auto root = parse(bytes, limits::kDownMessageBytes);
  if (!root) return tl::unexpected(root.error());
  std::optional<Error> error;
  const Fields map(*root, "", error);
  const auto type = map.text("t", 1, limits::kNameCharacters);
  DownMessage message;
  if (type == "receipt") {
    message = read_receipt(map);
  } else if (type == "media") {
    message = read_media_state(map);
  } else if (type == "item") {
    message = DownItem{map.counter("n", ranges::kFromOne), map.text("kind", 1, limits::kNameCharacters),
                       map.text("body", 1, limits::kDownMessageBytes), read_first(map)};
  } else if (type == "busy") {
    message = Busy{Millis{map.integer("ms", {0, limits::kRetryAfterMs})}};
  } else {
    map.fail_at(ErrorCode::unknown_kind, "t", type);
  }
  if (error) return tl::unexpected(std::move(*error));
  return message;
}

Bytes signing_input(const Uuid& epoch, std::span<const Sha256> record_hashes) {
  Bytes input;
  input.reserve(kSigningPrefix.size() + epoch.bytes.size() + record_hashes.size() * sizeof(Sha256));
  const auto add = [&](ByteView bytes) { input.insert(input.end(), bytes.begin(), bytes.end()); };
  add(as_bytes(kSigningPrefix));
  add(epoch.bytes);
  for (const auto& hash : record_hashes) add(hash);
  return input;
}

}  // namespace gridward
