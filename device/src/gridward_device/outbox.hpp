// The outbox: everything captured and not yet safe at the server, everything that came down, the duty state.
// One SQLite database (WAL, synchronous=FULL) and a folder of photos; several processes use it at once.
// Errors a caller can act on are Result; a broken disk is StorageError. An object belongs to one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/message.hpp>
#include <gridward_device/clock.hpp>
#include <gridward_device/photo.hpp>
#include <gridward_device/sqlite.hpp>
#include <optional>
#include <string>
#include <vector>

namespace gridward::device {

inline constexpr const char* kSettings = "settings";  // the kind of a down item

enum class Lane : int { urgent = 0, bulk = 2 };  // photos go between the two
Lane lane_of(const RecordBody& body);
bool on_the_wire(const TrackPoint& point);  // within the ranges that the protocol has for one

// A record before it has its epoch and its number.
struct Draft {
  Uuid id;
  std::string actor;
  UnixMs at{};
  Millis mono{};
  Uuid boot;
  ClockQuality clock;
  std::optional<Fix> fix;
  std::vector<MediaRef> media;
  RecordBody body;
};

struct Saved {
  Uuid id;
  std::uint64_t seq = 0;
};

struct DutyState {
  bool on_duty = false;
  std::string actor;
  Uuid patrol;  // nil: none
  bool operator==(const DutyState&) const = default;
};

struct PointClock {
  Millis mono{};
  Uuid boot;  // nil: not known
  ClockQuality quality;
};

struct RecordInfo {
  std::uint64_t seq = 0;
  Uuid id;
  std::size_t size = 0;  // bytes
  bool operator==(const RecordInfo&) const = default;
};

struct MediaInfo {
  Sha256 sha256{};
  std::uint64_t size = 0;
  bool started = false;    // the server may have a part of it: ask before sending
  bool restarted = false;  // sent a second time after a wrong hash
  bool operator==(const MediaInfo&) const = default;
};

enum class PointStored {
  kept,
  off_duty,  // nothing kept
  refused,   // outside the ranges of the wire: counted, not kept
};

struct RefusalStored {
  bool changed = false;          // it was still waiting
  std::optional<Uuid> reopened;  // the task that it had answered is open again
};

struct TaskRow {
  TaskItem item;
  int state = 0;  // gw_task_state
};

struct Refusal {
  std::string id;
  std::string kind;
  UnixMs at{};
  ErrorCode code = ErrorCode::internal;
  std::string reason;
};

struct Summary {
  std::uint64_t waiting_records = 0;
  std::uint64_t waiting_media = 0;
  std::uint64_t waiting_bytes = 0;
  std::optional<UnixMs> oldest;
  std::optional<UnixMs> last_receipt;
  std::uint64_t refused = 0;
  std::uint64_t stored_records = 0;
  std::uint64_t next_seq = 1;
  std::uint64_t safe = 0;
  std::uint64_t pending_points = 0;
  std::uint64_t dropped_points = 0;  // since the outbox was made
  int open_tasks = 0;
  ClockQuality clock;
  std::string settings_rev;  // empty: none
  std::string categories_rev;
};

struct OutboxOptions {
  std::uint64_t max_waiting_bytes = 2ULL << 30;
  std::uint64_t min_free_bytes = 64ULL << 20;
  bool duty_by_patrol = false;  // a patrol opens and closes the duty window
  std::function<Uuid(UnixMs)> new_id;
};

class Outbox {
 public:
  // Makes the folder and an empty outbox with a new epoch; nothing happens when there is one. StorageError.
  static Result<void> create(const std::filesystem::path& dir, const OutboxOptions& options, UnixMs now);
  // not_enrolled: there is none. newer_database: a later version wrote it.
  static Result<Outbox> open(const std::filesystem::path& dir, OutboxOptions options);

  // What a command that was killed had written and not synced is seen by the next process, and a power cut would take
  // it back. After this all that is seen stays: ask before anything of it is sent.
  void make_durable();

  // Who makes the ids of records that follow from others (a closed track batch). Before the first append.
  void use_ids(std::function<Uuid(UnixMs)> new_id) { options_.new_id = std::move(new_id); }

  const Uuid& epoch() const { return epoch_; }
  const std::filesystem::path& dir() const { return dir_; }

  // ---- capture ----

  // While one lives, no photo is removed from the folder: hold it from import_photo until append.
  class MediaLease {
   public:
    ~MediaLease();
    MediaLease(MediaLease&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    MediaLease(const MediaLease&) = delete;
    MediaLease& operator=(const MediaLease&) = delete;

   private:
    friend class Outbox;
    explicit MediaLease(int fd) : fd_(fd) {}
    int fd_;
  };
  MediaLease media_lease() const;
  // Deletes what the server has when the disk is short of room for `bytes` more; outbox_full when that is not enough.
  // Do not hold a lease.
  Result<void> ensure_room(std::uint64_t bytes);
  // Where the camera may write; removed by prune() when its capture was killed.
  std::filesystem::path camera_path(const Uuid& id) const;
  // Copies the photo into the outbox, made smaller when it is a JPEG over the limit, down to the disk. media_type,
  // media_limits, not_found, outbox_full.
  Result<MediaRef> import_photo(const std::filesystem::path& source, MediaRole role, const PhotoLimit& limit = {});

  // Gives the record its number and commits it with everything that follows from it: sign-in and sign-out change the
  // duty state, and what was still pending of a track is closed before them. On return it is on the disk.
  Result<Saved> append(const Draft& draft);

  DutyState duty();
  // The point is durable with the next append, not at once. clock: by which its time was told; without a boot it stands
  // as it is.
  PointStored add_track_point(const TrackPoint& point, const PointClock& clock = {});
  std::optional<UnixMs> first_pending_point();
  // Makes a record (or several) of the pending points, if any; a point or batch that the wire does not take is counted
  // and left out. Each record is of one boot and has the clock of its last point, by which all of its points are told.
  // stamp: the actor, and the time of points without a boot.
  std::size_t close_track(const Draft& stamp);

  // ---- sending ----

  std::vector<RecordInfo> waiting(Lane lane, std::uint64_t after_seq, std::size_t max_records, std::size_t max_bytes);
  std::vector<Bytes> load(const std::vector<std::uint64_t>& seqs);
  // Photos whose record the server has, oldest first.
  std::vector<MediaInfo> waiting_media(const std::vector<Sha256>& except, std::size_t max);
  Result<Bytes> load_piece(const Sha256& sha256, std::uint64_t offset, std::uint64_t length) const;
  std::filesystem::path media_path(const Sha256& sha256) const;

  // Several changes, one commit. Only the functions of this section may be called inside.
  void transaction(const std::function<void()>& changes);
  std::vector<Uuid> mark_receipted(const std::vector<Uuid>& ids, UnixMs at);  // those that were still waiting
  // Opens the task again that the record had answered.
  RefusalStored mark_refused(const BadRecord& bad, UnixMs at);
  void mark_media_started(const Sha256& sha256);
  bool mark_media_complete(const Sha256& sha256);
  void mark_media_restarted(const Sha256& sha256);
  void mark_media_refused(const Sha256& sha256, ErrorCode code, UnixMs at);
  void save_server_time(const ServerTime& time);
  // How far the backup of the server's store reaches. Within a generation an old word never lowers it. Another
  // generation is a server restored from a backup: what is above `safe` is gone there and waits again.
  void save_safe(const Uuid& generation, std::uint64_t safe);
  // False: it was there already. Tasks are entered and cancelled here, settings and category list replaced, so what is
  // stored is what is shown.
  bool store_down(const DownItem& item, UnixMs at);
  // Below `first`, from 1, the server has nothing any more: acknowledge from there. Once there is an acknowledgement
  // this does nothing.
  void set_down_baseline(std::uint64_t first);

  std::optional<std::uint64_t> down_ack();
  std::optional<Uuid> generation();  // nothing: no receipt yet
  std::optional<ServerTime> server_time();
  // What was refused waits again, because the reason was mended elsewhere; how many.
  std::size_t retry_refused();
  // Grows when something that was done waits again.
  std::int64_t rewinds();
  // Records and photos that the server's backup holds, and files of captures that never were committed.
  void prune();

  // ---- what the town set ----

  std::optional<SettingsItem> settings();
  std::vector<CategoriesItem::Category> categories();

  // ---- looking ----

  std::vector<TaskRow> tasks(bool all);
  std::vector<Refusal> refused();
  Summary summary();
  // Changes when another connection has committed.
  std::int64_t data_version();

 private:
  Outbox(std::filesystem::path dir, OutboxOptions options);
  void upgrade();
  std::int64_t meta(const char* key, std::int64_t fallback);
  bool has_meta(const char* key);
  void set_meta(const char* key, std::int64_t value);
  Bytes meta_blob(const char* key);
  void set_meta_blob(const char* key, ByteView value);
  void clear_meta(const char* key);
  std::string meta_text(const char* key);
  void set_meta_text(const char* key, std::string_view value);
  std::string standing(const char* kind, const char* column);

  Result<Saved> insert(const Draft& draft);
  std::size_t fold_track(const Draft& stamp);
  Result<void> follow(const Draft& draft, Draft& adjusted);
  struct Waiting {
    std::uint64_t records = 0;
    std::uint64_t media = 0;
    std::uint64_t bytes = 0;
    std::optional<UnixMs> oldest;
  };
  Waiting what_waits();
  void drop_points(std::size_t count);
  void advance_ack();
  // Records and photos above `seq` that are done (or only the refused ones) wait again; how many.
  std::int64_t wait_again(bool refused_only, std::uint64_t seq);
  void remove_media_files(const std::vector<Sha256>& files);
  std::uint64_t free_bytes() const;
  void make_room();

  std::filesystem::path dir_;
  OutboxOptions options_;
  Database db_;
  Uuid epoch_;
};

}  // namespace gridward::device
