// What travels in one MQTT payload, and its CBOR form. Pure: hashing and signing are done by the callers.
// Every decoder checks size, depth, types, ranges and UTF-8, and answers with the field and the limit. Thread-safe.
#pragma once

#include <gridward/shared/record.hpp>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace gridward {

// …/up: the records as their exact bytes, so that nobody re-encodes to check.
struct UpMessage {
  Uuid epoch;
  std::vector<Bytes> records;
  std::optional<Signature> signature;  // over signing_input(); absent when there are no records
  std::optional<std::uint64_t> ack;    // every down item up to this number is stored on the device
  bool hello = false;                  // just connected: send what is not acknowledged, and `safe`
  std::optional<Uuid> generation;      // of the server's store, as the device knows it: what ack and hello speak of
  bool operator==(const UpMessage&) const = default;
};

// …/media
struct MediaPiece {
  Sha256 sha256{};
  std::uint64_t size = 0;  // of the whole
  std::uint64_t offset = 0;
  Bytes data;  // empty: asks what is missing
  bool operator==(const MediaPiece&) const = default;
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  auto operator<=>(const ByteRange&) const = default;
};

// …/down, one of these:
struct BadRecord {
  Uuid id;
  ErrorCode code = ErrorCode::internal;
  std::string message;  // Chinese, for the member, with field and limit
  bool operator==(const BadRecord&) const = default;
};
struct Receipt {
  std::vector<Uuid> ok;
  std::vector<BadRecord> bad;
  UnixMs now{};
  Uuid epoch;                            // which epoch `safe` speaks of
  std::uint64_t safe = 0;                // the server's backup holds every seq up to this one, with its files
  Uuid generation;                       // of the server's store: another one after it was restored from a backup
  std::optional<std::uint64_t> first{};  // of a hello: below this number the server has no item for the device
  bool operator==(const Receipt&) const = default;
};
struct MediaState {
  Sha256 sha256{};
  bool complete = false;             // on disk, hash checked
  std::vector<ByteRange> missing;    // when not complete; at most kMissingRanges, more may be missing behind them
  std::optional<ErrorCode> refused;  // never going to be taken (wrong hash after all pieces: starts again once)
  bool operator==(const MediaState&) const = default;
};
struct DownItem {
  std::uint64_t n = 0;                   // from 1, per device
  std::string kind;                      // "task", "task_cancelled", "progress", "notice", "settings", "categories"
  std::string body;                      // JSON text, as docs/protocol.md says for the kind
  std::optional<std::uint64_t> first{};  // as in Receipt
  bool operator==(const DownItem&) const = default;
};
struct Busy {
  Millis retry_after{};
  bool operator==(const Busy&) const = default;
};
using DownMessage = std::variant<Receipt, MediaState, DownItem, Busy>;
inline constexpr std::size_t kMissingRanges = 64;

// The encoders assume valid contents; from invalid ones they make bytes that the decoder refuses. They never throw for
// what is in a text. Use validate() where a record is made.
Bytes encode_record(const Record& record);
Result<Record> decode_record(ByteView bytes);
// What decode_record would say about the record's bytes, their size included.
Result<void> validate(const Record& record);
// What identifies a record whose other fields may be wrong, each by itself: so that its refusal can name it, its seq
// counts, and what it is can be told. All are absent when the bytes are no CBOR map of at most a message's size.
struct RecordPeek {
  std::optional<Uuid> id;
  std::optional<Uuid> epoch;
  std::optional<std::uint64_t> seq;
  std::string kind;  // one of kind_name(), or empty: missing, or not known here
};
RecordPeek peek_record(ByteView bytes);
std::optional<Uuid> peek_record_id(ByteView bytes);

Bytes encode_up(const UpMessage& message);
Result<UpMessage> decode_up(ByteView bytes);
// The records of a message whose other fields may be wrong; nothing when it cannot be told what they are.
std::optional<std::vector<Bytes>> peek_up_records(ByteView bytes);

Bytes encode_media_piece(const MediaPiece& piece);
Result<MediaPiece> decode_media_piece(ByteView bytes);

Bytes encode_down(const DownMessage& message);
Result<DownMessage> decode_down(ByteView bytes);

// "gridward/1/up" ‖ epoch ‖ sha256 of each record's bytes, in order.
Bytes signing_input(const Uuid& epoch, std::span<const Sha256> record_hashes);

// Delta coding of a batch (zigzag varints: ms, 1e-7 degrees, cm). Used inside the track record and by the store.
Bytes pack_track(std::span<const TrackPoint> points);
Result<std::vector<TrackPoint>> unpack_track(ByteView packed);

}  // namespace gridward
