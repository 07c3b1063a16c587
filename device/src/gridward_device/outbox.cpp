#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <gridward/shared/limits.hpp>
#include <gridward_device/file.hpp>
#include <gridward_device/outbox.hpp>

namespace gridward::device {
namespace {

constexpr int kSchema = 4;
constexpr int kBusyMs = 10'000;
constexpr const char* kDatabase = "outbox.db";
constexpr const char* kMediaFolder = "media";
constexpr const char* kMediaLock = "media.lock";
constexpr const char* kCamera = "camera-";
constexpr const char* kCategories = "categories";
constexpr std::uint64_t kDownKept = 500;  // acknowledged items kept to be looked at
// A photo without a record is a capture that was killed before its commit; younger ones are left alone: it may be
// about to commit, or a clock jumped.
constexpr std::int64_t kOrphanAgeS = 600;

constexpr const char* kSchemaSql = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE record(
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  lane INTEGER NOT NULL,
  at INTEGER NOT NULL,
  size INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  bytes BLOB NOT NULL,
  done_at INTEGER,
  code INTEGER,
  reason TEXT);
CREATE INDEX record_waiting ON record(lane, seq, size, id, at) WHERE state = 0;
CREATE INDEX record_refused ON record(seq) WHERE state = 2;
CREATE TABLE media(
  sha BLOB PRIMARY KEY,
  size INTEGER NOT NULL,
  type TEXT NOT NULL,
  created INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  started INTEGER NOT NULL DEFAULT 0,
  restarted INTEGER NOT NULL DEFAULT 0,
  kept INTEGER NOT NULL DEFAULT 1,
  done_at INTEGER,
  code INTEGER) WITHOUT ROWID;
CREATE INDEX media_waiting ON media(created, sha, size, started, restarted) WHERE state = 0;
CREATE TABLE record_media(seq INTEGER NOT NULL, sha BLOB NOT NULL, PRIMARY KEY(seq, sha)) WITHOUT ROWID;
CREATE INDEX record_media_sha ON record_media(sha);
CREATE TABLE track_point(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, lat INTEGER NOT NULL, lon INTEGER NOT NULL,
  accuracy INTEGER NOT NULL, mono INTEGER NOT NULL DEFAULT 0, boot BLOB NOT NULL DEFAULT X'',
  source INTEGER NOT NULL DEFAULT 0, error INTEGER NOT NULL DEFAULT 0, off INTEGER NOT NULL DEFAULT 0);
CREATE TABLE down(n INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE task(id BLOB PRIMARY KEY, n INTEGER NOT NULL, body TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,
  result BLOB, cancelled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX task_open ON task(n) WHERE state = 0;
)sql";
// The newest settings and the newest category list that could be read.
constexpr const char* kStandingSql =
    "CREATE TABLE standing(kind TEXT PRIMARY KEY, n INTEGER NOT NULL, rev TEXT NOT NULL, body TEXT NOT NULL)";

// From the schema of the index to the next.
constexpr std::array<const char*, kSchema> kUpgrades{
    nullptr,
    // Which record answered a task, and whether the server took the task back in spite of it.
    "ALTER TABLE task ADD COLUMN result BLOB; ALTER TABLE task ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0",
    kStandingSql,
    // By which clock a pending point was told; of those from before nobody knows.
    "ALTER TABLE track_point ADD COLUMN mono INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE track_point ADD COLUMN boot BLOB NOT NULL DEFAULT X'';"
    "ALTER TABLE track_point ADD COLUMN source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE track_point ADD COLUMN error INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE track_point ADD COLUMN off INTEGER NOT NULL DEFAULT 0",
};

enum State : std::int64_t { kWaiting = 0, kDone = 1, kRefused = 2 };
enum TaskState : std::int64_t { kTaskOpen = 0, kTaskDone = 1, kTaskCancelled = 2 };

ByteView view(const Uuid& id) { return id.bytes; }

Uuid uuid_of(const Bytes& bytes) {
  Uuid id;
  if (bytes.size() == id.bytes.size()) std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
  return id;
}

Sha256 sha_of(const Bytes& bytes) {
  Sha256 sha{};
  if (bytes.size() == sha.size()) std::copy(bytes.begin(), bytes.end(), sha.begin());
  return sha;
}

std::string_view photo_type(ByteView head) {
  const auto starts = [&](std::size_t at, std::string_view magic) {
    return head.size() >= at + magic.size() && std::memcmp(head.data() + at, magic.data(), magic.size()) == 0;
  };
  if (starts(0, "\xFF\xD8\xFF")) return "image/jpeg";
  if (starts(0, "\x89PNG\r\n\x1A\n")) return "image/png";
  if (starts(0, "RIFF") && starts(8, "WEBP")) return "image/webp";
  return {};
}

}  // namespace

namespace {

struct PendingPoint {
  TrackPoint point;
  PointClock clock;
};

// A batch is of one boot and in order of time: without a boot, a wall clock that jumped back begins another one.
bool continues(const std::vector<PendingPoint>& batch, const PendingPoint& next) {
  if (batch.size() >= limits::kTrackPoints || next.clock.boot != batch.back().clock.boot) return false;
  const auto since = [&](const PendingPoint& earlier) {
    return next.clock.boot.is_nil() ? next.point.at - earlier.point.at : next.clock.mono - earlier.clock.mono;
  };
  return since(batch.back()) >= Millis{0} && since(batch.front()).count() <= limits::kTrackSpanMs;
}

}  // namespace

// Asked of the codec, so that there is one table of the ranges.
bool on_the_wire(const TrackPoint& point) { return unpack_track(pack_track({&point, 1})).has_value(); }

Lane lane_of(const RecordBody& body) {
  const bool bulk = std::holds_alternative<TrackBody>(body) || std::holds_alternative<StatusBody>(body);
  return bulk ? Lane::bulk : Lane::urgent;
}

// ---- opening ----

Result<void> Outbox::create(const std::filesystem::path& dir, const OutboxOptions& options, UnixMs now) {
  std::error_code error;
  std::filesystem::create_directories(dir / kMediaFolder, error);
  if (error) return fail(ErrorCode::storage_failed, dir.string(), error.message());
  const Descriptor lock(::open((dir / kMediaLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail(ErrorCode::storage_failed, dir.string(), std::strerror(errno));

  Database db(dir / kDatabase, true, kBusyMs);
  db.exec("PRAGMA journal_mode=WAL");
  db.exec("PRAGMA synchronous=FULL");
  Transaction transaction(db);
  auto version = db.prepare("PRAGMA user_version");
  version.step();
  if (version.integer(0) == 0) {
    db.exec(kSchemaSql);
    db.exec(kStandingSql);
    const Uuid epoch = options.new_id(now);
    db.prepare("INSERT INTO meta(key, value) VALUES('epoch', ?)").bind(1, view(epoch)).run();
    db.exec(("PRAGMA user_version=" + std::to_string(kSchema)).c_str());
  }
  transaction.commit();
  // With the folders above, which may have been made here or by an `init` that was killed.
  if (!sync_file_system(dir)) return fail(ErrorCode::storage_failed, dir.string(), "syncfs");
  return {};
}

Result<Outbox> Outbox::open(const std::filesystem::path& dir, OutboxOptions options) {
  if (!std::filesystem::exists(dir / kDatabase)) return fail(ErrorCode::not_enrolled, dir.string());
  Outbox outbox(dir, std::move(options));
  auto version = outbox.db_.prepare("PRAGMA user_version");
  version.step();
  if (version.integer(0) == 0) return fail(ErrorCode::not_enrolled, dir.string(), "init did not finish");
  if (version.integer(0) > kSchema) {
    return fail(ErrorCode::newer_database, dir.string(),
                "schema " + version.text(0) + ", this program knows " + std::to_string(kSchema));
  }
  if (version.integer(0) < kSchema) outbox.upgrade();
  outbox.epoch_ = uuid_of(outbox.meta_blob("epoch"));
  return outbox;
}

void Outbox::upgrade() {
  Transaction transaction(db_);
  // Another process may have been faster.
  auto version = db_.prepare("PRAGMA user_version");
  version.step();
  for (auto from = version.integer(0); from < kSchema; ++from) db_.exec(kUpgrades.at(static_cast<std::size_t>(from)));
  db_.exec(("PRAGMA user_version=" + std::to_string(kSchema)).c_str());
  transaction.commit();
}

Outbox::Outbox(std::filesystem::path dir, OutboxOptions options)
    : dir_(std::move(dir)), options_(std::move(options)), db_(dir_ / kDatabase, false, kBusyMs) {
  db_.exec("PRAGMA synchronous=FULL");
  db_.exec("PRAGMA cache_size=-256");  // KiB: the device's memory is small, the tables are read by index
  // The WAL stays when the last process leaves: no checkpoint in a short command, no file made anew by the next.
  db_.keep_wal();
}

void Outbox::make_durable() {
  // A commit syncs the whole log, also what others wrote to it; one that changes nothing would write and sync nothing.
  Transaction transaction(db_);
  set_meta("synced", meta("synced", 0) + 1);
  transaction.commit();
}

// ---- small things ----

std::int64_t Outbox::meta(const char* key, std::int64_t fallback) {
  auto q = db_.prepare("SELECT value FROM meta WHERE key=?");
  return q.bind(1, key).step() ? q.integer(0) : fallback;
}
bool Outbox::has_meta(const char* key) { return db_.prepare("SELECT 1 FROM meta WHERE key=?").bind(1, key).step(); }
void Outbox::set_meta(const char* key, std::int64_t value) {
  db_.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)").bind(1, key).bind(2, value).run();
}
Bytes Outbox::meta_blob(const char* key) {
  auto q = db_.prepare("SELECT value FROM meta WHERE key=?");
  return q.bind(1, key).step() ? q.blob(0) : Bytes{};
}
void Outbox::set_meta_blob(const char* key, ByteView value) {
  db_.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)").bind(1, key).bind(2, value).run();
}
std::string Outbox::meta_text(const char* key) {
  auto q = db_.prepare("SELECT value FROM meta WHERE key=?");
  return q.bind(1, key).step() ? q.text(0) : std::string();
}
void Outbox::set_meta_text(const char* key, std::string_view value) {
  db_.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)").bind(1, key).bind(2, value).run();
}
void Outbox::clear_meta(const char* key) { db_.prepare("DELETE FROM meta WHERE key=?").bind(1, key).run(); }

std::int64_t Outbox::data_version() {
  auto q = db_.prepare("PRAGMA data_version");
  q.step();
  return q.integer(0);
}

std::filesystem::path Outbox::media_path(const Sha256& sha256) const { return dir_ / kMediaFolder / to_hex(sha256); }

// ---- room ----

std::uint64_t Outbox::free_bytes() const {
  struct statvfs info{};
  if (::statvfs(dir_.c_str(), &info) != 0) return UINT64_MAX;  // unknown: the write itself will tell
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Outbox::Waiting Outbox::what_waits() {
  Waiting waiting;
  const auto number = [](Statement& q, int column) { return static_cast<std::uint64_t>(q.integer(column)); };
  auto records = db_.prepare("SELECT count(*), coalesce(sum(size), 0), min(at) FROM record WHERE state=0");
  records.step();
  waiting.records = number(records, 0);
  waiting.bytes = number(records, 1);
  if (!records.null(2)) waiting.oldest = from_unix_ms(records.integer(2));
  // A photo of a refused record waits for nothing.
  auto media = db_.prepare(
      "SELECT count(*), coalesce(sum(size), 0), min(created) FROM media WHERE state=0 AND EXISTS (SELECT 1 FROM "
      "record_media rm JOIN record r ON r.seq=rm.seq WHERE rm.sha=media.sha AND r.state<>2)");
  media.step();
  waiting.media = number(media, 0);
  waiting.bytes += number(media, 1);
  if (!media.null(2)) {
    const auto oldest = from_unix_ms(media.integer(2));
    waiting.oldest = waiting.oldest ? std::min(*waiting.oldest, oldest) : oldest;
  }
  return waiting;
}

Result<void> Outbox::ensure_room(std::uint64_t bytes) {
  const std::uint64_t waiting = what_waits().bytes;
  if (waiting + bytes > options_.max_waiting_bytes) {
    return fail(ErrorCode::outbox_full, "outbox_bytes",
                std::to_string(waiting + bytes) + " bytes, at most " + std::to_string(options_.max_waiting_bytes));
  }
  if (free_bytes() >= options_.min_free_bytes + bytes) return {};
  make_room();
  if (const auto free = free_bytes(); free < options_.min_free_bytes + bytes) {
    return fail(
        ErrorCode::outbox_full, "min_free_bytes",
        std::to_string(free) + " bytes are free, " + std::to_string(options_.min_free_bytes + bytes) + " are needed");
  }
  return {};
}

// The server has these; the device kept them only for the case that the server loses its disk before a backup.
void Outbox::make_room() {
  std::vector<Sha256> files;
  {
    Transaction transaction(db_);
    auto q = db_.prepare("SELECT sha FROM media WHERE state=1 AND kept=1");
    while (q.step()) files.push_back(sha_of(q.blob(0)));
    db_.exec("UPDATE media SET kept=0 WHERE state=1");
    db_.exec(
        "DELETE FROM record WHERE state=1 AND NOT EXISTS (SELECT 1 FROM record_media rm JOIN media m ON m.sha=rm.sha "
        "WHERE rm.seq=record.seq AND m.state<>1)");
    db_.exec("DELETE FROM record_media WHERE seq NOT IN (SELECT seq FROM record)");
    transaction.commit();
  }
  remove_media_files(files);
}

Outbox::MediaLease::~MediaLease() {
  if (fd_ >= 0) ::close(fd_);
}

Outbox::MediaLease Outbox::media_lease() const {
  const int fd = ::open((dir_ / kMediaLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw StorageError(SQLITE_CANTOPEN, std::string("media.lock: ") + std::strerror(errno));
  while (::flock(fd, LOCK_SH) != 0) {
    if (errno != EINTR) {
      ::close(fd);
      throw StorageError(SQLITE_IOERR, std::string("media.lock: ") + std::strerror(errno));
    }
  }
  return MediaLease(fd);
}

void Outbox::remove_media_files(const std::vector<Sha256>& files) {
  if (files.empty()) return;
  const Descriptor lock(::open((dir_ / kMediaLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  // A capture is just using the folder: the files are found again by prune().
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;
  for (const auto& sha : files) {
    // A capture that finished before the lock may have brought the photo back.
    auto q = db_.prepare("SELECT 1 FROM media WHERE sha=? AND kept=1");
    if (!q.bind(1, ByteView(sha)).step()) ::unlink(media_path(sha).c_str());
  }
}

// ---- capture ----

std::filesystem::path Outbox::camera_path(const Uuid& id) const { return dir_ / (kCamera + to_string(id)); }

namespace {

using Hash = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
Hash begin_hash() {
  Hash hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  return hash;
}
constexpr std::size_t kReadAtOnce = 256 * 1024;

struct Hashed {
  Sha256 sha256{};
  std::uint64_t size = 0;
};
// Nothing: errno.
std::optional<Hashed> hash_of(int fd) {
  const auto hash = begin_hash();
  Hashed result;
  Bytes buffer(kReadAtOnce);
  for (;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(result.size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    EVP_DigestUpdate(hash.get(), buffer.data(), static_cast<std::size_t>(got));
    result.size += static_cast<std::uint64_t>(got);
  }
  EVP_DigestFinal_ex(hash.get(), result.sha256.data(), nullptr);
  return result;
}

// Fills in type, size and hash. The detail of an error is for give_up().
Result<void> copy_photo(int in, int out, const std::string& name, MediaRef& ref) {
  const auto hash = begin_hash();
  Bytes buffer(kReadAtOnce);
  for (;;) {
    const ssize_t got = ::read(in, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::not_found, "photo", std::strerror(errno));
    if (got == 0) break;
    const ByteView piece(buffer.data(), static_cast<std::size_t>(got));
    if (ref.size == 0) {
      ref.type = photo_type(piece);
      if (ref.type.empty()) return fail(ErrorCode::media_type, "photo", name + ": not JPEG, PNG or WebP");
    }
    ref.size += piece.size();
    // The file may grow while it is read.
    if (ref.size > limits::kMediaBytes) return fail(ErrorCode::media_limits, "photo", name + " grows");
    EVP_DigestUpdate(hash.get(), piece.data(), piece.size());
    if (!write_all(out, piece)) {
      const bool full = errno == ENOSPC || errno == EDQUOT;
      return fail(full ? ErrorCode::outbox_full : ErrorCode::storage_failed, "photo", std::strerror(errno));
    }
  }
  if (ref.size == 0) return fail(ErrorCode::media_limits, "photo", name + " is empty");
  EVP_DigestFinal_ex(hash.get(), ref.sha256.data(), nullptr);
  return {};
}

}  // namespace

Result<MediaRef> Outbox::import_photo(const std::filesystem::path& source, MediaRole role, const PhotoLimit& limit) {
  const Descriptor in(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return fail(ErrorCode::not_found, "photo", source.string() + ": " + std::strerror(errno));
  struct stat info{};
  if (::fstat(in.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(ErrorCode::not_found, "photo", source.string() + ": not a file");
  }
  if (info.st_size == 0 || static_cast<std::uint64_t>(info.st_size) > limits::kMediaBytes) {
    return fail(ErrorCode::media_limits, "photo",
                std::to_string(info.st_size) + " bytes, 1 to " + std::to_string(limits::kMediaBytes));
  }

  std::string temporary = (dir_ / kMediaFolder / "tmp-XXXXXX").string();
  const Descriptor out(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!out) return fail(ErrorCode::storage_failed, "photo", std::strerror(errno));
  const auto give_up = [&](ErrorCode code, const std::string& detail) -> tl::unexpected<Error> {
    ::unlink(temporary.c_str());
    return fail(code, "photo", detail);
  };

  MediaRef ref;
  ref.role = role;
  if (reduce_photo(in.get(), out.get(), limit)) {
    const auto original = hash_of(in.get());
    const auto smaller = hash_of(out.get());
    if (!original || !smaller) return give_up(ErrorCode::storage_failed, std::strerror(errno));
    ref.type = "image/jpeg";
    ref.sha256 = smaller->sha256;
    ref.size = smaller->size;
    ref.original = original->sha256;
  } else {
    if (::ftruncate(out.get(), 0) != 0 || ::lseek(out.get(), 0, SEEK_SET) != 0 || ::lseek(in.get(), 0, SEEK_SET) != 0) {
      return give_up(ErrorCode::storage_failed, std::strerror(errno));
    }
    if (auto copied = copy_photo(in.get(), out.get(), source.string(), ref); !copied) {
      return give_up(copied.error().code, copied.error().detail);
    }
  }

  const auto final_path = media_path(ref.sha256);
  if (::fsync(out.get()) != 0) return give_up(ErrorCode::storage_failed, std::strerror(errno));
  if (::rename(temporary.c_str(), final_path.c_str()) != 0) {
    return give_up(ErrorCode::storage_failed, std::strerror(errno));
  }
  if (!sync_folder(dir_ / kMediaFolder)) return fail(ErrorCode::storage_failed, "photo", std::strerror(errno));
  return ref;
}

DutyState Outbox::duty() {
  DutyState state;
  state.on_duty = meta("duty", 0) != 0;
  state.actor = meta_text("duty_actor");
  state.patrol = uuid_of(meta_blob("patrol"));
  return state;
}

PointStored Outbox::add_track_point(const TrackPoint& point, const PointClock& clock) {
  // A point is worth no flash write of its own: in WAL mode NORMAL keeps the database whole, and the next FULL commit
  // (every record) brings the points to the disk with it.
  db_.exec("PRAGMA synchronous=NORMAL");
  auto stored = PointStored::off_duty;
  try {
    Transaction transaction(db_);
    if (meta("duty", 0) != 0) {
      if (on_the_wire(point)) {
        db_.prepare(
               "INSERT INTO track_point(at, lat, lon, accuracy, mono, boot, source, error, off) "
               "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(1, to_unix_ms(point.at))
            .bind(2, point.point.lat_e7)
            .bind(3, point.point.lon_e7)
            .bind(4, point.accuracy_cm)
            .bind(5, clock.mono.count())
            .bind(6, clock.boot.is_nil() ? ByteView() : view(clock.boot))
            .bind(7, static_cast<std::int64_t>(clock.quality.source))
            .bind(8, clock.quality.error_ms)
            .bind(9, clock.quality.offset_ms)
            .run();
        stored = PointStored::kept;
      } else {
        drop_points(1);
        stored = PointStored::refused;
      }
    }
    transaction.commit();
  } catch (...) {
    db_.exec("PRAGMA synchronous=FULL");
    throw;
  }
  db_.exec("PRAGMA synchronous=FULL");
  return stored;
}

void Outbox::drop_points(std::size_t count) {
  if (count > 0) set_meta("dropped_points", meta("dropped_points", 0) + static_cast<std::int64_t>(count));
}

std::optional<UnixMs> Outbox::first_pending_point() {
  auto q = db_.prepare("SELECT at FROM track_point ORDER BY id LIMIT 1");
  if (!q.step()) return std::nullopt;
  return from_unix_ms(q.integer(0));
}

std::size_t Outbox::close_track(const Draft& stamp) {
  Transaction transaction(db_);
  const auto records = fold_track(stamp);
  transaction.commit();
  return records;
}

std::size_t Outbox::fold_track(const Draft& stamp) {
  std::vector<std::vector<PendingPoint>> batches;
  std::size_t dropped = 0;
  auto q = db_.prepare("SELECT at, lat, lon, accuracy, mono, boot, source, error, off FROM track_point ORDER BY id");
  while (q.step()) {
    PendingPoint pending;
    pending.point.at = from_unix_ms(q.integer(0));
    pending.point.point = {static_cast<std::int32_t>(q.integer(1)), static_cast<std::int32_t>(q.integer(2))};
    pending.point.accuracy_cm = static_cast<std::uint32_t>(q.integer(3));
    pending.clock.mono = Millis{q.integer(4)};
    pending.clock.boot = uuid_of(q.blob(5));
    pending.clock.quality = {static_cast<ClockSource>(std::clamp<std::int64_t>(q.integer(6), 0, 2)),
                             static_cast<std::uint32_t>(q.integer(7)), q.integer(8)};
    // An earlier version took what it got.
    if (!on_the_wire(pending.point)) {
      ++dropped;
      continue;
    }
    if (batches.empty() || !continues(batches.back(), pending)) batches.emplace_back();
    batches.back().push_back(pending);
  }
  const Uuid patrol = uuid_of(meta_blob("patrol"));
  std::size_t records = 0;
  for (const auto& batch : batches) {
    Draft draft = stamp;
    draft.id = options_.new_id(stamp.at);
    draft.fix.reset();
    draft.media.clear();
    if (const auto actor = meta_text("duty_actor"); !actor.empty()) draft.actor = actor;
    const auto& last = batch.back();
    const bool timed = !last.clock.boot.is_nil();
    if (timed) {
      draft.at = last.point.at;
      draft.mono = last.clock.mono;
      draft.boot = last.clock.boot;
      draft.clock = last.clock.quality;
    }
    TrackBody body{patrol, {}};
    for (const auto& pending : batch) {
      body.points.push_back(pending.point);
      // One clock for all: what was known of it may have changed on the way.
      if (timed) body.points.back().at = last.point.at - (last.clock.mono - pending.clock.mono);
    }
    draft.body = std::move(body);
    // Our own decoder takes it, or a bug costs this batch: whatever follows, a sign-out above all, must not wait for
    // it.
    if (insert(draft)) {
      ++records;
    } else {
      dropped += batch.size();
    }
  }
  drop_points(dropped);
  db_.exec("DELETE FROM track_point");
  return records;
}

// What a record changes besides itself, and what must be closed before it.
Result<void> Outbox::follow(const Draft& draft, Draft& adjusted) {
  const auto state = duty();
  if (adjusted.actor.empty()) adjusted.actor = state.actor;
  if (const auto* sign = std::get_if<SignBody>(&draft.body)) {
    if (sign->act == SignAct::in) {
      if (state.on_duty) return fail(ErrorCode::already_on_duty, "actor", state.actor);
      // Points cannot be there: none is taken off duty, and a sign-out closed its own.
      set_meta("duty", 1);
      set_meta_text("duty_actor", adjusted.actor);
      return {};
    }
    if (!state.on_duty) return fail(ErrorCode::not_on_duty);
    if (draft.actor.empty()) adjusted.actor = state.actor;
    fold_track(adjusted);
    if (!state.patrol.is_nil()) {
      Draft stop = adjusted;
      stop.id = options_.new_id(adjusted.at);
      stop.media.clear();
      stop.body = PatrolBody{PatrolAct::stop, state.patrol, {}, {}};
      if (auto saved = insert(stop); !saved) return tl::unexpected(saved.error());
      clear_meta("patrol");
    }
    set_meta("duty", 0);
    clear_meta("duty_actor");
    return {};
  }
  if (const auto* patrol = std::get_if<PatrolBody>(&draft.body)) {
    if (patrol->act == PatrolAct::start) {
      if (!state.on_duty && !options_.duty_by_patrol) return fail(ErrorCode::not_on_duty);
      if (!state.patrol.is_nil()) return fail(ErrorCode::already_exists, "patrol", to_string(state.patrol));
      fold_track(adjusted);
      set_meta_blob("patrol", view(patrol->patrol));
      if (!state.on_duty) {
        set_meta("duty", 1);
        set_meta_text("duty_actor", adjusted.actor);
      }
      return {};
    }
    if (state.patrol.is_nil()) return fail(ErrorCode::not_found, "patrol", "none is going on");
    fold_track(adjusted);
    std::get<PatrolBody>(adjusted.body).patrol = state.patrol;
    clear_meta("patrol");
    if (options_.duty_by_patrol) {
      set_meta("duty", 0);
      clear_meta("duty_actor");
    }
    return {};
  }
  if (const auto* result = std::get_if<TaskResultBody>(&draft.body)) {
    auto q = db_.prepare("SELECT state FROM task WHERE id=?");
    if (!q.bind(1, view(result->task)).step()) {
      return fail(ErrorCode::unknown_task, "task", to_string(result->task));
    }
    if (q.integer(0) == kTaskCancelled) return fail(ErrorCode::illegal_transition, "task", "cancelled");
    if (q.integer(0) == kTaskDone) return fail(ErrorCode::already_exists, "task", "done already");
    db_.prepare("UPDATE task SET state=?, result=? WHERE id=?")
        .bind(1, kTaskDone)
        .bind(2, view(draft.id))
        .bind(3, view(result->task))
        .run();
  }
  return {};
}

Result<Saved> Outbox::insert(const Draft& draft) {
  Record record;
  record.id = draft.id;
  record.epoch = epoch_;
  record.actor = draft.actor;
  record.seq = static_cast<std::uint64_t>(meta("next_seq", 1));
  record.at = draft.at;
  record.mono = draft.mono;
  record.boot = draft.boot;
  record.clock = draft.clock;
  record.fix = draft.fix;
  record.media = draft.media;
  record.body = draft.body;
  const Bytes bytes = encode_record(record);
  // The server's own decoder says now what it would say later, while the member can still correct it.
  if (const auto checked = decode_record(bytes); !checked) return tl::unexpected(checked.error());

  set_meta("next_seq", static_cast<std::int64_t>(record.seq) + 1);
  set_meta("clock_source", static_cast<std::int64_t>(record.clock.source));
  set_meta("clock_error", record.clock.error_ms);
  db_.prepare("INSERT INTO record(seq, id, kind, lane, at, size, bytes) VALUES(?, ?, ?, ?, ?, ?, ?)")
      .bind(1, static_cast<std::int64_t>(record.seq))
      .bind(2, view(record.id))
      .bind(3, kind_name(record.body))
      .bind(4, static_cast<std::int64_t>(lane_of(record.body)))
      .bind(5, to_unix_ms(record.at))
      .bind(6, static_cast<std::int64_t>(bytes.size()))
      .bind(7, ByteView(bytes))
      .run();
  for (const auto& media : record.media) {
    // The same photo again: what is complete stays complete, what was refused gets another chance.
    db_.prepare(
           "INSERT INTO media(sha, size, type, created) VALUES(?, ?, ?, ?) ON CONFLICT(sha) DO UPDATE SET kept=1, "
           "state=CASE state WHEN 2 THEN 0 ELSE state END, restarted=CASE state WHEN 2 THEN 0 ELSE restarted END")
        .bind(1, ByteView(media.sha256))
        .bind(2, static_cast<std::int64_t>(media.size))
        .bind(3, media.type)
        .bind(4, to_unix_ms(record.at))
        .run();
    db_.prepare("INSERT OR IGNORE INTO record_media(seq, sha) VALUES(?, ?)")
        .bind(1, static_cast<std::int64_t>(record.seq))
        .bind(2, ByteView(media.sha256))
        .run();
  }
  return Saved{record.id, record.seq};
}

Result<Saved> Outbox::append(const Draft& draft) {
  try {
    Transaction transaction(db_);
    Draft adjusted = draft;
    if (auto done = follow(draft, adjusted); !done) return tl::unexpected(done.error());
    auto saved = insert(adjusted);
    if (!saved) return saved;
    transaction.commit();
    return saved;
  } catch (const StorageError& error) {
    if (error.code == SQLITE_FULL) return fail(ErrorCode::outbox_full, "disk", error.what());
    throw;
  }
}

// ---- sending ----

std::vector<RecordInfo> Outbox::waiting(Lane lane, std::uint64_t after_seq, std::size_t max_records,
                                        std::size_t max_bytes) {
  std::vector<RecordInfo> found;
  auto q = db_.prepare("SELECT seq, id, size FROM record WHERE state=0 AND lane=? AND seq>? ORDER BY seq LIMIT ?");
  q.bind(1, static_cast<std::int64_t>(lane))
      .bind(2, static_cast<std::int64_t>(after_seq))
      .bind(3, static_cast<std::int64_t>(max_records));
  std::size_t bytes = 0;
  while (q.step()) {
    RecordInfo info{static_cast<std::uint64_t>(q.integer(0)), uuid_of(q.blob(1)),
                    static_cast<std::size_t>(q.integer(2))};
    bytes += info.size;
    if (!found.empty() && bytes > max_bytes) break;
    found.push_back(info);
  }
  return found;
}

std::vector<Bytes> Outbox::load(const std::vector<std::uint64_t>& seqs) {
  std::vector<Bytes> records;
  records.reserve(seqs.size());
  for (const auto seq : seqs) {
    auto q = db_.prepare("SELECT bytes FROM record WHERE seq=?");
    if (q.bind(1, static_cast<std::int64_t>(seq)).step()) records.push_back(q.blob(0));
  }
  return records;
}

std::vector<MediaInfo> Outbox::waiting_media(const std::vector<Sha256>& except, std::size_t max) {
  std::vector<MediaInfo> found;
  auto q = db_.prepare(
      "SELECT sha, size, started, restarted FROM media WHERE state=0 AND EXISTS (SELECT 1 FROM record_media rm JOIN "
      "record r ON r.seq=rm.seq WHERE rm.sha=media.sha AND r.state=1) ORDER BY created");
  while (found.size() < max && q.step()) {
    MediaInfo info{sha_of(q.blob(0)), static_cast<std::uint64_t>(q.integer(1)), q.integer(2) != 0, q.integer(3) != 0};
    if (std::find(except.begin(), except.end(), info.sha256) == except.end()) found.push_back(info);
  }
  return found;
}

Result<Bytes> Outbox::load_piece(const Sha256& sha256, std::uint64_t offset, std::uint64_t length) const {
  const Descriptor in(::open(media_path(sha256).c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return fail(ErrorCode::not_found, to_hex(sha256), std::strerror(errno));
  Bytes data(static_cast<std::size_t>(length));
  std::size_t have = 0;
  while (have < data.size()) {
    const ssize_t got = ::pread(in.get(), data.data() + have, data.size() - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::storage_failed, to_hex(sha256), "the file is shorter than its record says");
    have += static_cast<std::size_t>(got);
  }
  return data;
}

void Outbox::transaction(const std::function<void()>& changes) {
  Transaction transaction(db_);
  changes();
  transaction.commit();
}

std::vector<Uuid> Outbox::mark_receipted(const std::vector<Uuid>& ids, UnixMs at) {
  std::vector<Uuid> changed;
  for (const auto& id : ids) {
    // A record that was refused and is taken now (the server was corrected) is receipted, too.
    db_.prepare("UPDATE record SET state=1, done_at=?, code=NULL, reason=NULL WHERE id=? AND state<>1")
        .bind(1, to_unix_ms(at))
        .bind(2, view(id))
        .run();
    if (db_.changes() == 0) continue;
    changed.push_back(id);
    db_.prepare("UPDATE task SET state=1 WHERE result=? AND state=0").bind(1, view(id)).run();
  }
  if (!ids.empty()) set_meta("last_receipt", to_unix_ms(at));
  return changed;
}

RefusalStored Outbox::mark_refused(const BadRecord& bad, UnixMs at) {
  RefusalStored stored;
  db_.prepare("UPDATE record SET state=2, done_at=?, code=?, reason=? WHERE id=? AND state=0")
      .bind(1, to_unix_ms(at))
      .bind(2, static_cast<std::int64_t>(bad.code))
      .bind(3, bad.message)
      .bind(4, view(bad.id))
      .run();
  stored.changed = db_.changes() > 0;
  set_meta("last_receipt", to_unix_ms(at));
  if (!stored.changed) return stored;
  // The server still waits for an answer to the task, unless this was not the last one or it took the task back.
  auto q = db_.prepare("SELECT id FROM task WHERE result=? AND state=1 AND cancelled=0");
  if (q.bind(1, view(bad.id)).step()) stored.reopened = uuid_of(q.blob(0));
  db_.prepare("UPDATE task SET state=CASE cancelled WHEN 1 THEN 2 ELSE 0 END WHERE result=? AND state=1")
      .bind(1, view(bad.id))
      .run();
  return stored;
}

void Outbox::mark_media_started(const Sha256& sha256) {
  db_.prepare("UPDATE media SET started=1 WHERE sha=?").bind(1, ByteView(sha256)).run();
}

bool Outbox::mark_media_complete(const Sha256& sha256) {
  db_.prepare("UPDATE media SET state=1 WHERE sha=? AND state<>1").bind(1, ByteView(sha256)).run();
  return db_.changes() > 0;
}

void Outbox::mark_media_restarted(const Sha256& sha256) {
  db_.prepare("UPDATE media SET restarted=1 WHERE sha=?").bind(1, ByteView(sha256)).run();
}

void Outbox::mark_media_refused(const Sha256& sha256, ErrorCode code, UnixMs at) {
  db_.prepare("UPDATE media SET state=2, code=?, done_at=? WHERE sha=? AND state=0")
      .bind(1, static_cast<std::int64_t>(code))
      .bind(2, to_unix_ms(at))
      .bind(3, ByteView(sha256))
      .run();
}

void Outbox::save_server_time(const ServerTime& time) {
  set_meta("server_now", to_unix_ms(time.now));
  set_meta("server_mono", time.mono.count());
  set_meta("server_error", time.error_ms);
  set_meta_blob("server_boot", view(time.boot));
}

std::optional<ServerTime> Outbox::server_time() {
  if (!has_meta("server_now")) return std::nullopt;
  ServerTime time;
  time.now = from_unix_ms(meta("server_now", 0));
  time.mono = Millis{meta("server_mono", 0)};
  time.error_ms = static_cast<std::uint32_t>(meta("server_error", 0));
  time.boot = uuid_of(meta_blob("server_boot"));
  return time;
}

std::optional<Uuid> Outbox::generation() {
  if (!has_meta("generation")) return std::nullopt;
  return uuid_of(meta_blob("generation"));
}

void Outbox::save_safe(const Uuid& generation, std::uint64_t safe) {
  const auto number = static_cast<std::int64_t>(safe);
  const auto known = this->generation();
  if (known == generation) {
    if (number > meta("safe", 0)) set_meta("safe", number);
    return;
  }
  if (known) {
    wait_again(false, safe);
    // The restored server numbers anew what comes after our ack: what came ahead of a gap had numbers of the lost
    // store.
    const auto ack = static_cast<std::int64_t>(down_ack().value_or(0));
    db_.prepare("DELETE FROM down WHERE n>?").bind(1, ack).run();
    db_.prepare("UPDATE standing SET n=? WHERE n>?").bind(1, ack).bind(2, ack).run();
  }
  set_meta_blob("generation", view(generation));
  set_meta("safe", number);
}

std::int64_t Outbox::wait_again(bool refused_only, std::uint64_t seq) {
  const auto above = static_cast<std::int64_t>(seq);
  const std::int64_t from = refused_only ? kRefused : kDone;
  // A refused answer to a task that waits again is the answer again, unless there is a later one.
  db_.prepare("UPDATE task SET state=1 WHERE state=0 AND result IN (SELECT id FROM record WHERE state=2 AND seq>?)")
      .bind(1, above)
      .run();
  db_.prepare("UPDATE record SET state=0, done_at=NULL, code=NULL, reason=NULL WHERE state>=? AND seq>?")
      .bind(1, from)
      .bind(2, above)
      .run();
  auto count = db_.changes();
  // A photo that was thinned cannot come again; its record still does, and shows what is missing.
  db_.prepare(
         "UPDATE media SET state=0, started=1, restarted=0, code=NULL, done_at=NULL WHERE state>=? AND kept=1 AND sha "
         "IN "
         "(SELECT sha FROM record_media WHERE seq>?)")
      .bind(1, from)
      .bind(2, above)
      .run();
  count += db_.changes();
  if (count > 0) set_meta("rewinds", rewinds() + 1);
  return count;
}

std::size_t Outbox::retry_refused() {
  Transaction transaction(db_);
  const auto count = wait_again(true, 0);
  transaction.commit();
  return static_cast<std::size_t>(count);
}

std::int64_t Outbox::rewinds() { return meta("rewinds", 0); }

namespace {
// The revision of what replaces the one before as a whole. Nothing: another kind, or a body that cannot be read.
std::optional<std::string> standing_rev(const DownItem& item) {
  if (item.kind == kSettings) {
    if (auto settings = decode_settings_item(item.body)) return std::move(settings->rev);
  } else if (item.kind == kCategories) {
    if (auto categories = decode_categories_item(item.body)) return std::move(categories->rev);
  }
  return std::nullopt;
}
}  // namespace

bool Outbox::store_down(const DownItem& item, UnixMs at) {
  // Below the first one that was counted nothing is known but by its row: one that was overtaken comes late.
  const auto first = static_cast<std::uint64_t>(meta("down_first", 1));
  if (const auto ack = down_ack(); ack && item.n <= *ack && item.n >= first) return false;
  const auto rev = standing_rev(item);
  db_.prepare("INSERT OR IGNORE INTO down(n, kind, body, at) VALUES(?, ?, ?, ?)")
      .bind(1, static_cast<std::int64_t>(item.n))
      .bind(2, item.kind)
      .bind(3, rev ? std::string() : item.body)  // it is kept once, and a list is large
      .bind(4, to_unix_ms(at))
      .run();
  if (db_.changes() == 0) return false;
  if (rev) {
    // Items come in any order: an older one changes nothing.
    db_.prepare(
           "INSERT INTO standing(kind, n, rev, body) VALUES(?, ?, ?, ?) ON CONFLICT(kind) DO UPDATE SET n=excluded.n, "
           "rev=excluded.rev, body=excluded.body WHERE excluded.n>n")
        .bind(1, item.kind)
        .bind(2, static_cast<std::int64_t>(item.n))
        .bind(3, *rev)
        .bind(4, item.body)
        .run();
  }
  if (item.kind == "task") {
    // A body that cannot be read stays among the down items; the next version of this program may know it.
    if (const auto task = decode_task_item(item.body)) {
      db_.prepare(
             "INSERT INTO task(id, n, body) VALUES(?, ?, ?) ON CONFLICT(id) DO UPDATE SET n=excluded.n, "
             "body=excluded.body")
          .bind(1, view(task->task))
          .bind(2, static_cast<std::int64_t>(item.n))
          .bind(3, item.body)
          .run();
    }
  } else if (item.kind == "task_cancelled") {
    if (const auto cancelled = decode_task_cancelled_item(item.body)) {
      // Entered even when the task itself has not come yet: it must not open afterwards.
      db_.prepare(
             "INSERT INTO task(id, n, body, state, cancelled) VALUES(?, ?, '', 2, 1) ON CONFLICT(id) DO UPDATE SET "
             "state=CASE state WHEN 0 THEN 2 ELSE state END, cancelled=1")
          .bind(1, view(cancelled->task))
          .bind(2, static_cast<std::int64_t>(item.n))
          .run();
    }
  }
  advance_ack();
  return true;
}

std::optional<std::uint64_t> Outbox::down_ack() {
  if (!has_meta("down_ack")) return std::nullopt;
  return static_cast<std::uint64_t>(meta("down_ack", 0));
}

void Outbox::set_down_baseline(std::uint64_t first) {
  if (has_meta("down_ack")) return;
  set_meta("down_first", static_cast<std::int64_t>(first));
  set_meta("down_ack", static_cast<std::int64_t>(first) - 1);
  advance_ack();
}

void Outbox::advance_ack() {
  const auto ack = down_ack();
  if (!ack) return;
  std::uint64_t reached = *ack;
  auto q = db_.prepare("SELECT n FROM down WHERE n>? ORDER BY n");
  q.bind(1, static_cast<std::int64_t>(reached));
  while (q.step() && static_cast<std::uint64_t>(q.integer(0)) == reached + 1) ++reached;
  if (reached == *ack) return;
  set_meta("down_ack", static_cast<std::int64_t>(reached));
  if (reached > kDownKept) {
    db_.prepare("DELETE FROM down WHERE n<=?").bind(1, static_cast<std::int64_t>(reached - kDownKept)).run();
  }
}

void Outbox::prune() {
  std::vector<Sha256> files;
  {
    Transaction transaction(db_);
    db_.prepare(
           "DELETE FROM record WHERE state=1 AND seq<=? AND NOT EXISTS (SELECT 1 FROM record_media rm JOIN media m ON "
           "m.sha=rm.sha WHERE rm.seq=record.seq AND m.state<>1)")
        .bind(1, meta("safe", 0))
        .run();
    db_.exec("DELETE FROM record_media WHERE seq NOT IN (SELECT seq FROM record)");
    auto q = db_.prepare("SELECT sha FROM media WHERE state=1 AND sha NOT IN (SELECT sha FROM record_media)");
    while (q.step()) files.push_back(sha_of(q.blob(0)));
    db_.exec("DELETE FROM media WHERE state=1 AND sha NOT IN (SELECT sha FROM record_media)");
    transaction.commit();
  }
  remove_media_files(files);

  const Descriptor lock(::open((dir_ / kMediaLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;
  const auto left_behind = [](const std::filesystem::path& file) {
    struct stat info{};
    return ::stat(file.c_str(), &info) == 0 && ::time(nullptr) - info.st_mtime >= kOrphanAgeS;
  };
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir_, error)) {
    if (entry.path().filename().string().starts_with(kCamera) && left_behind(entry.path())) {
      ::unlink(entry.path().c_str());
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / kMediaFolder, error)) {
    if (!left_behind(entry.path())) continue;
    const auto sha = sha256_from_hex(entry.path().filename().string());
    auto q = db_.prepare("SELECT 1 FROM media WHERE sha=? AND kept=1");
    if (!sha || !q.bind(1, ByteView(*sha)).step()) ::unlink(entry.path().c_str());
  }
}

// ---- what the town set ----

std::string Outbox::standing(const char* kind, const char* column) {
  auto q = db_.prepare(std::string("SELECT ") + column + " FROM standing WHERE kind=?");
  return q.bind(1, kind).step() ? q.text(0) : std::string();
}

std::optional<SettingsItem> Outbox::settings() {
  const auto item = decode_settings_item(standing(kSettings, "body"));
  return item ? std::optional(*item) : std::nullopt;
}

std::vector<CategoriesItem::Category> Outbox::categories() {
  auto item = decode_categories_item(standing(kCategories, "body"));
  return item ? std::move(item->list) : std::vector<CategoriesItem::Category>();
}

// ---- looking ----

std::vector<TaskRow> Outbox::tasks(bool all) {
  std::vector<TaskRow> rows;
  auto q = db_.prepare(all ? "SELECT body, state FROM task WHERE body<>'' ORDER BY n"
                           : "SELECT body, state FROM task WHERE state=0 ORDER BY n");
  while (q.step()) {
    if (auto item = decode_task_item(q.text(0))) {
      rows.push_back({std::move(*item), static_cast<int>(q.integer(1))});
    }
  }
  return rows;
}

std::vector<Refusal> Outbox::refused() {
  std::vector<Refusal> rows;
  auto q = db_.prepare("SELECT id, kind, done_at, code, reason FROM record WHERE state=2 ORDER BY seq DESC");
  while (q.step()) {
    rows.push_back({to_string(uuid_of(q.blob(0))), q.text(1), from_unix_ms(q.integer(2)),
                    static_cast<ErrorCode>(q.integer(3)), q.text(4)});
  }
  auto m = db_.prepare("SELECT sha, done_at, code FROM media WHERE state=2 ORDER BY done_at DESC");
  while (m.step()) {
    const auto code = static_cast<ErrorCode>(m.integer(2));
    rows.push_back(
        {to_hex(sha_of(m.blob(0))), "media", from_unix_ms(m.integer(1)), code, std::string(error_info(code).zh)});
  }
  return rows;
}

Summary Outbox::summary() {
  Summary s;
  const auto number = [](Statement& q, int column) { return static_cast<std::uint64_t>(q.integer(column)); };
  const auto waiting = what_waits();
  s.waiting_records = waiting.records;
  s.waiting_media = waiting.media;
  s.waiting_bytes = waiting.bytes;
  s.oldest = waiting.oldest;
  auto rest = db_.prepare(
      "SELECT (SELECT count(*) FROM record WHERE state=2) + (SELECT count(*) FROM media WHERE state=2), "
      "(SELECT count(*) FROM record), (SELECT count(*) FROM track_point), (SELECT count(*) FROM task WHERE state=0)");
  rest.step();
  s.refused = number(rest, 0);
  s.stored_records = number(rest, 1);
  s.pending_points = number(rest, 2);
  s.open_tasks = static_cast<int>(rest.integer(3));
  if (has_meta("last_receipt")) s.last_receipt = from_unix_ms(meta("last_receipt", 0));
  s.next_seq = static_cast<std::uint64_t>(meta("next_seq", 1));
  s.safe = static_cast<std::uint64_t>(meta("safe", 0));
  s.dropped_points = static_cast<std::uint64_t>(meta("dropped_points", 0));
  s.settings_rev = standing(kSettings, "rev");
  s.categories_rev = standing(kCategories, "rev");
  s.clock.source = static_cast<ClockSource>(meta("clock_source", 0));
  s.clock.error_ms = static_cast<std::uint32_t>(meta("clock_error", 0));
  return s;
}

}  // namespace gridward::device
