// The sync machine: what to send, when to wait, what a reply means. Pure: it reads no clock, no disk and no socket.
// An input goes in with the monotonic time, outputs come out; whoever runs it does them in order and feeds back what
// they bring (loaded records, a stored down item). Random numbers come from the seed. Not thread-safe.
#pragma once

#include <array>
#include <deque>
#include <gridward/shared/message.hpp>
#include <gridward_device/outbox.hpp>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gridward::device {

struct SyncOptions {
  std::size_t window = 8;                  // unreceipted messages, pieces included
  std::size_t first_window = 2;            // after a connect; 1 after a timeout. Grows by one a reply.
  std::size_t message_records = 64;        // at most limits::kRecordsPerMessage
  std::size_t message_bytes = 192 * 1024;  // records of one message, at most limits::kUpMessageBytes less its frame
  std::size_t message_least = 16 * 1024;   // on a slow link
  Millis answer_wait{10'000};              // for a receipt; doubles for each try in a row
  Millis answer_wait_max{60'000};
  // For the greeting's answer, and for the word where the items' numbers begin; doubles, too. A server that starts
  // after us is found soon.
  Millis hello_wait{2'000};
  Millis ack_delay{100};  // so that one acknowledgement speaks for several items
  Millis reconnect_first{2'000};
  Millis reconnect_max{60'000};
  Millis healthy_after{60'000};  // a connection that lasted this long resets the backoff
  Millis refused_first{30'000};  // the broker refuses a publish
  Millis refused_max{3'600'000};
  // What is sent at a time, a piece of a photo or the records of a message, follows the link's pace.
  std::size_t portion_first = 64 * 1024;
  std::size_t portion_min = 4 * 1024;
  std::size_t portion_max = 256 * 1024;  // at most limits::kMediaPieceBytes
  Millis reply_fast{400};                // a reply within this doubles the portion
  Millis reply_slow{2'500};              // a reply after this, or none, halves it
  std::size_t active_media = 3;          // photos under way at once
};

namespace in {
struct Start {};      // connect now
struct Stop {};       // do not connect again
struct Connected {};  // and subscribed
struct ConnectFailed {};
struct Disconnected {};
struct NetworkChanged {};  // a connectivity event of the system
struct WorkAdded {};       // the outbox has new records
struct Rewound {};         // records and photos that were done wait again: begin from the first
struct RecordsLoaded {     // the answer to out::LoadRecords
  Lane lane = Lane::urgent;
  std::vector<RecordInfo> records;
};
struct MediaLoaded {  // the answer to out::LoadMedia
  std::vector<MediaInfo> media;
};
struct MediaUnreadable {  // the file is gone or short
  Sha256 sha256{};
};
struct Down {
  DownMessage message;
};
struct DownStored {  // committed; what may be acknowledged
  std::optional<std::uint64_t> ack;
};
struct PublishRefused {  // PUBACK with a reason code of 0x80 or more
  std::uint64_t token = 0;
  int reason = 0;
};
struct Tick {};
}  // namespace in
using SyncInput = std::variant<in::Start, in::Stop, in::Connected, in::ConnectFailed, in::Disconnected,
                               in::NetworkChanged, in::WorkAdded, in::Rewound, in::RecordsLoaded, in::MediaLoaded,
                               in::MediaUnreadable, in::Down, in::DownStored, in::PublishRefused, in::Tick>;

namespace out {
struct Connect {};
struct Disconnect {};
struct LoadRecords {  // waiting ones of a lane, in order
  Lane lane = Lane::urgent;
  std::uint64_t after_seq = 0;
  std::size_t max_records = 0;
  std::size_t max_bytes = 0;
  bool operator==(const LoadRecords&) const = default;
};
struct LoadMedia {
  std::vector<Sha256> except;
  std::size_t max = 0;
  bool operator==(const LoadMedia&) const = default;
};
struct PublishUp {
  std::uint64_t token = 0;
  std::vector<std::uint64_t> seqs;  // in this order
  std::optional<std::uint64_t> ack;
  bool hello = false;
  std::optional<Uuid> generation;  // with ack or hello: the store that they speak to, as it was when they were said
  bool operator==(const PublishUp&) const = default;
};
struct PublishPiece {  // length 0: asks what is missing
  std::uint64_t token = 0;
  Sha256 sha256{};
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const PublishPiece&) const = default;
};
struct Receipted {
  std::vector<Uuid> ids;
  bool operator==(const Receipted&) const = default;
};
struct Refused {
  BadRecord bad;
  bool operator==(const Refused&) const = default;
};
struct ServerNow {
  UnixMs now{};
  Millis uncertainty{};  // between our first word that this may answer, and it
  bool operator==(const ServerNow&) const = default;
};
struct Safe {  // of which generation of the server's store; before the ids of the same receipt
  Uuid generation;
  std::uint64_t safe = 0;
  bool operator==(const Safe&) const = default;
};
struct MediaStarted {
  Sha256 sha256{};
  bool operator==(const MediaStarted&) const = default;
};
struct MediaComplete {
  Sha256 sha256{};
  bool operator==(const MediaComplete&) const = default;
};
struct MediaRestarted {
  Sha256 sha256{};
  bool operator==(const MediaRestarted&) const = default;
};
struct MediaRefused {
  Sha256 sha256{};
  ErrorCode code = ErrorCode::internal;
  bool operator==(const MediaRefused&) const = default;
};
struct StoreDown {  // then feed in::DownStored
  DownItem item;
  bool operator==(const StoreDown&) const = default;
};
struct DownBaseline {  // where the count begins, while there is no acknowledgement; then feed in::DownStored
  std::uint64_t first = 0;
  bool operator==(const DownBaseline&) const = default;
};
struct LinkRefused {  // for the member: the broker does not let this device publish
  int reason = 0;
  bool operator==(const LinkRefused&) const = default;
};
struct Waiting {  // for the member: the server asked for a pause
  Millis wait{};
  bool operator==(const Waiting&) const = default;
};
struct Restored {  // for the member: the server came back from a backup, the machine connects anew
  bool operator==(const Restored&) const = default;
};
inline bool operator==(const Connect&, const Connect&) { return true; }
inline bool operator==(const Disconnect&, const Disconnect&) { return true; }
}  // namespace out
using SyncOutput = std::variant<out::Connect, out::Disconnect, out::LoadRecords, out::LoadMedia, out::PublishUp,
                                out::PublishPiece, out::Receipted, out::Refused, out::ServerNow, out::Safe,
                                out::MediaStarted, out::MediaComplete, out::MediaRestarted, out::MediaRefused,
                                out::StoreDown, out::DownBaseline, out::LinkRefused, out::Waiting, out::Restored>;

// What the outbox knows when the machine begins.
struct SyncKnown {
  Uuid epoch;
  std::optional<std::uint64_t> ack;  // what it acknowledges already
  std::optional<Uuid> generation;    // of the server's store
};

class SyncMachine {
 public:
  SyncMachine(SyncOptions options, const SyncKnown& known, std::uint64_t seed);

  std::vector<SyncOutput> handle(const SyncInput& input, Millis now);
  // When in::Tick is due; nothing: no time limit.
  std::optional<Millis> next_timer() const;

  bool greeted() const { return state_ == State::greeted; }
  // Messages, pieces and questions without a reply.
  std::size_t in_flight() const;

 private:
  enum class State { idle, waiting, connecting, connected, greeted };
  struct Message {
    std::uint64_t token = 0;
    Lane lane = Lane::urgent;
    std::vector<RecordInfo> records;
    std::size_t bytes = 0;
    bool again = false;  // a record of it was sent before: a reply says nothing about the link's pace
    bool late = false;   // no reply in time
    Millis sent{};
    Millis until{};
  };
  struct Piece {
    std::uint64_t token = 0;
    ByteRange range;
    bool again = false;
    Millis sent{};
  };
  struct Media {
    MediaInfo info;
    bool ask = false;               // before anything else
    std::optional<Piece> question;  // asked, no reply yet
    std::vector<ByteRange> todo;
    std::vector<Piece> flying;
    std::uint64_t sent_to = 0;  // every byte below has been in the air
    Millis until{};             // of the oldest unanswered
    Millis not_before{};        // backoff after a timeout
    unsigned tries = 0;
  };
  struct LaneQueue {
    Lane lane;
    std::deque<RecordInfo> ready;  // loaded or to be sent again, in order
    std::uint64_t cursor = 0;      // the highest seq loaded
    bool more = true;              // the outbox may have more behind the cursor
    bool loading = false;
  };

  void on(const in::Start&);
  void on(const in::Stop&);
  void on(const in::Connected&);
  void on(const in::ConnectFailed&);
  void on(const in::Disconnected&);
  void on(const in::NetworkChanged&);
  void on(const in::WorkAdded&);
  void on(const in::Rewound&);
  void on(const in::RecordsLoaded&);
  void on(const in::MediaLoaded&);
  void on(const in::MediaUnreadable&);
  void on(const in::Down&);
  void on(const in::DownStored&);
  void on(const in::PublishRefused&);
  void on(const in::Tick&);
  void received(const Receipt&);
  void received(const MediaState&);
  void received(const DownItem&);
  void received(const Busy&);

  void pump();
  bool pump_records(LaneQueue& lane);
  bool pump_media();
  void say_hello();
  void greet();
  void ask_for_first();
  void take_back(const Message& message);
  void forget(const Uuid& id, std::optional<Millis>& sent);
  void ask_again(Media& media);
  void hold_for(Millis wait);
  void take_back_everything();
  void begin_from_the_first();
  void begin_wait();
  void connect_now();
  void grow();
  void arrived(const Piece& piece);
  void quick(std::size_t bytes, Millis time);
  void slow_down();
  std::size_t media_slots() const;
  Millis answer_wait(unsigned tries);
  Millis jitter(Millis most);  // 0 to most, evenly
  LaneQueue& queue(Lane lane) { return lane == Lane::urgent ? lanes_[0] : lanes_[1]; }
  Media* find_media(const Sha256& sha256);
  void drop_media(const Sha256& sha256);
  template <class Output>
  void emit(Output output) {
    outputs_.emplace_back(std::move(output));
  }

  SyncOptions options_;
  Uuid epoch_;
  std::optional<Uuid> generation_;
  std::uint64_t random_;
  State state_ = State::idle;
  Millis now_{};
  std::vector<SyncOutput> outputs_;
  std::uint64_t next_token_ = 1;

  unsigned connect_tries_ = 0;
  Millis connected_at_{};
  std::optional<Millis> connect_at_;

  std::optional<Millis> hello_until_;
  std::optional<Millis> hello_sent_;  // the first one without an answer
  unsigned hello_tries_ = 0;

  std::size_t window_ = 1;
  unsigned silent_ = 0;   // timeouts in a row
  unsigned refused_ = 0;  // publishes refused in a row
  unsigned busy_ = 0;     // such answers in a row
  bool greet_due_ = false;
  Millis hold_{};  // send nothing before
  std::array<LaneQueue, 2> lanes_;
  std::vector<Message> messages_;
  // Late messages may still be on their way. A greeting follows them, and only when its answer is there before theirs
  // do they go again: over a slow link a copy would only stand in line behind its original.
  std::deque<Millis> probes_;  // sent, without an answer
  Millis probe_until_{};
  std::map<std::uint64_t, Millis> first_sent_;  // seq: when an unreceipted record was sent for the first time
  std::vector<Media> media_;
  bool media_more_ = true;
  bool loading_media_ = false;
  std::size_t portion_;
  Millis piece_time_{};  // what the last piece took

  std::optional<std::uint64_t> ack_;
  bool ack_due_ = false;
  Millis ack_at_{};
  bool item_came_ = false;          // since the last acknowledgement
  std::optional<Millis> first_at_;  // items have come, and nobody has said where their numbers begin: ask
  unsigned first_tries_ = 0;
};

}  // namespace gridward::device
