// The store as the use cases see it: rows in, rows out, inside a transaction.
#pragma once

#include <functional>
#include <gridward/app/ports.hpp>
#include <gridward/domain/access.hpp>
#include <gridward/domain/case.hpp>
#include <gridward/domain/duty.hpp>
#include <gridward/domain/likeness.hpp>
#include <gridward/shared/clock.hpp>
#include <gridward/shared/message.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gridward::app {

enum class OrgKind : std::uint8_t { district, town, village, grid, unit };
std::string_view to_string(OrgKind kind);
std::optional<OrgKind> org_kind_from_string(std::string_view text);

struct OrgNode {
  std::string code;
  std::string parent;  // empty for the root
  std::string path;    // "120116/120116115/120116115201/120116115201001"
  OrgKind kind = OrgKind::district;
  std::string name;
  std::optional<Polygon> outline;
  bool operator==(const OrgNode&) const = default;
};

struct User {
  std::string login;
  std::string name;
  domain::Role role = domain::Role::grid_member;
  std::string org;       // code of the node they belong to
  std::string org_path;  // filled by the store on reading
  std::string password_hash;
  bool active = true;
};

struct Device {
  std::string id;
  std::string town;
  std::string holder;  // login of the member it was handed to, may be empty
  PublicKey public_key{};
  bool revoked = false;
  std::optional<UnixMs> last_seen;
  std::optional<StatusBody> status;
};

// Which settings and matter list a device was given last, by their rev, and in which epoch: one that was wiped has
// neither.
struct Handed {
  Uuid epoch;  // nil: nothing, or nothing that still counts
  std::string settings;
  std::string categories;
  bool operator==(const Handed&) const = default;
};

struct Session {
  Sha256 token_hash{};
  std::string login;
  UnixMs created{};
  UnixMs expires{};
};

enum class Inserted { fresh, same_again, id_conflict, seq_conflict };

struct StoredRecord {
  std::int64_t row = 0;  // filled by insert_record
  std::string device;
  std::string town;
  Uuid epoch;
  Uuid id;
  std::uint64_t seq = 0;
  std::string kind;
  std::string actor;
  UnixMs at{};
  UnixMs received{};
  Sha256 hash{};
  Bytes bytes;
};

// Refused for what the county, or a newer program, can put right: the same record may be taken later.
bool may_be_mended(ErrorCode refusal);

// What was refused: one row for the same bytes of a device, however often they come.
struct QuarantineRow {
  std::int64_t row = 0;
  std::string device;
  std::string topic;
  // What could be told of a record; a whole message that cannot be read has none of it.
  std::optional<Uuid> record;
  std::optional<Uuid> epoch;
  std::optional<std::uint64_t> seq;
  std::string kind;
  Sha256 hash{};         // of the bytes as they came; zeros in rows of before version 7
  std::size_t size = 0;  // of the bytes as they came
  UnixMs received{};     // the first time
  UnixMs last{};         // filled by the store, like `times`
  std::uint64_t times = 1;
  Error error;  // of the last time
  Bytes raw;    // all of the bytes, or none
};
// A broken handheld fills no disk: what it may have in quarantine. A whole message of refused records fits.
inline constexpr std::size_t kQuarantineRows = 256;
inline constexpr std::size_t kQuarantineBytes = 4 * 1024 * 1024;
struct QuarantineCounts {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // kept
  // Refusals whose row, or whose bytes, the budget did not hold.
  std::uint64_t overflow = 0;
  std::uint64_t overflow_bytes = 0;
  bool operator==(const QuarantineCounts&) const = default;
};

// Records that were taken although their signature is wrong or missing.
struct FlagCounts {
  std::uint64_t records = 0;
  std::optional<UnixMs> last;  // when the last of them was received
  bool operator==(const FlagCounts&) const = default;
};
struct FlaggedRecord {
  Uuid id;
  std::uint64_t seq = 0;
  std::string kind;
  UnixMs at{};
  UnixMs received{};
  std::vector<std::string> flags;  // "unsigned", "bad_signature"
};

// What a desk told handhelds.
struct NoticeRow {
  Uuid id;
  UnixMs at{};
  std::string by;    // login, empty when they were erased
  Sha256 request{};  // of what was asked for, so that the same again is known
  std::string text;
  std::vector<std::string> devices;
};

struct SignatureJob {
  std::int64_t row = 0;
  std::string device;
  Uuid epoch;
  std::vector<Uuid> records;
  std::vector<Sha256> hashes;
  Signature signature{};
};

// A file by its contents, whoever sends it. partial: only in what case_media gives.
enum class MediaStatus : std::uint8_t { expected, partial, sealed, derived, refused };
struct MediaRow {
  Sha256 sha256{};
  std::uint64_t size = 0;
  std::string type;
  MediaStatus status = MediaStatus::expected;
  std::string problem;  // text of the error that refused or marked it
};

// A file as one device named it and sends it. Only who has delivered all of its bytes is shown it: a hash is no secret,
// and naming one must not open somebody else's photo.
enum class UploadState : std::uint8_t {
  open,
  mismatched,  // all pieces came once, with another hash; it begins again
  delivered,
  refused,  // a second time: the device has given it up
};
struct Upload {
  std::uint64_t size = 0;  // as its record says
  std::string type;
  UploadState state = UploadState::open;
  std::vector<ByteRange> have;  // sorted, merged; empty once delivered
};

// A file of a case, as far as those who named it there have delivered it.
struct CaseMedia {
  MediaRow file;           // expected or partial until one of them has
  std::uint64_t have = 0;  // bytes
};

// How far a copy of the store holds what a device sent in one epoch, files included.
struct StreamReach {
  std::string device;
  Uuid epoch;
  std::uint64_t safe = 0;  // every seq from 1 to this one
  bool operator==(const StreamReach&) const = default;
};

struct CaseFilter {
  std::string subtree;  // path of the actor's node; cases of towns/grids below it
  std::string unit;     // only cases that this handling unit leads or assists, when not empty
  std::string reporter;
  std::string process;              // id, empty: all
  std::vector<std::string> stages;  // names; empty: all
  bool overdue = false;             // open and past a due; then the longest past it first
  std::string grid;
  // A number from its beginning or from its day on, wherever it is. Else a substring of number or text, in the newest
  // cases of the list (the longest overdue ones): each page looks at a bounded number, and the next goes on behind
  // them.
  std::string text;
  std::optional<std::string> cursor;  // of the previous page
  std::size_t limit = 50;             // at most 200
};
struct CasePage {
  std::vector<domain::CaseRecord> cases;  // newest update first
  std::optional<std::string> next;
  std::size_t total = 0;  // exact to 10,000, then 10,001; of a search: found in what its first page looked at
  // A search looked at no case behind this time, and there are some: `next` goes on there.
  std::optional<UnixMs> searched_to;
};
// How many cases: process -> stage -> number.
using CaseCounts = std::map<std::string, std::map<std::string, std::size_t>>;

struct StoredEvent {
  std::uint64_t n = 0;  // from 1
  domain::CaseEvent event;
  Sha256 hash{};  // sha256(previous hash ‖ canonical_text)
};

// What was erased, by whom and why: the trace of what is no longer there.
struct ErasureNote {
  UnixMs at{};
  std::string by;
  std::string what;  // names no person
  std::string reason;
  std::uint64_t events = 0;  // of cases, that lost something
};
struct ErasedPerson {
  std::size_t events = 0;   // of cases, in which they acted or were named
  std::size_t records = 0;  // of their handhelds
  std::size_t duty = 0;     // punches, patrols, tracks
  bool known = false;       // was on the roll
};

struct VerifyTask {
  Uuid id;
  Uuid case_id;
  std::string assignee;
  std::string device;
  UnixMs created{};
  std::optional<UnixMs> done;
  bool cancelled = false;
};

struct PunchRow {
  Uuid record;
  std::string actor;
  std::string actor_name;  // filled on reading
  std::string device;
  SignAct act = SignAct::in;
  UnixMs at{};
  UnixMs received{};
  Uuid boot;
  Millis mono{};
  ClockQuality clock;
  std::optional<Fix> fix;
  domain::PlaceJudgement place = domain::PlaceJudgement::unknown;
  std::string grid;      // the grid it was judged against
  std::int64_t row = 0;  // filled on reading
};

struct PatrolRow {
  Uuid patrol;
  std::string actor;
  std::string device;
  UnixMs started{};
  std::optional<UnixMs> ended;
  std::string text;
  std::vector<CheckItem> checks;
};

struct TrackRow {
  Uuid record;
  std::string actor;
  std::string device;
  Uuid patrol;
  std::vector<TrackPoint> points;
  std::int64_t row = 0;  // filled on reading
};

struct PhotoJob {
  std::int64_t row = 0;
  Sha256 sha256{};
  int attempts = 0;
};

struct LikenessJob {
  Sha256 sha256{};
  int attempts = 0;
};
// A photo in a case, named there by who delivered it.
struct PhotoUse {
  Sha256 sha256{};
  Uuid case_id;
  std::int64_t link = 0;  // grows in the order in which records came
  std::int64_t record = 0;
  MediaRole role = MediaRole::scene;
};
// One of a kind for each photo of a case.
struct LikenessFinding {
  Uuid case_id;
  Sha256 sha256{};
  domain::LikenessKind kind = domain::LikenessKind::reused;
  std::uint32_t score = 0;      // 0..1000; 0 for a blurred one
  std::optional<Sha256> other;  // which it is like, or unlike
  std::optional<Uuid> other_case;
  UnixMs made_at{};
  bool operator==(const LikenessFinding&) const = default;
};

// One transaction. Used on the thread that was given it, never kept. Throws only when the database is lost;
// everything a caller can cause comes back as a value.
class Tx {
 public:
  virtual ~Tx() = default;

  // organisation
  virtual void upsert_org(const OrgNode& node) = 0;
  virtual std::optional<OrgNode> find_org(std::string_view code) = 0;
  virtual std::vector<OrgNode> orgs_below(std::string_view path) = 0;  // the node itself too; ordered by path
  virtual std::uint64_t org_revision() = 0;                            // grows with every upsert_org

  // the store itself
  virtual Uuid generation() = 0;  // another one after a restore from a backup
  // Up to which seq the last backup holds this stream, files included.
  virtual std::uint64_t backup_reach(std::string_view device, const Uuid& epoch) = 0;
  // What is here now, of every stream: each seq up to it is stored, and each file that those records name was delivered
  // by this device, or refused for good, and is not one of `absent`. It ends before a record that was refused for a
  // cause the county can mend: that one may be taken later, and must not be forgotten then. Ordered by device and
  // epoch.
  virtual std::vector<StreamReach> reach(std::span<const Sha256> absent) = 0;
  virtual void raise_backup_reach(std::span<const StreamReach> reach) = 0;  // never lowers one
  // After a restore: what the backup held, no more. Everybody logs in again, for a session that was ended since would
  // be back; and each device is handed everything again, for what it got since is not known.
  virtual void begin_generation(const Uuid& generation, std::span<const StreamReach> held) = 0;
  virtual void prove_writable(UnixMs now) = 0;  // changes a row of its own, so that a commit has something to write

  // people
  virtual void upsert_user(const User& user) = 0;
  virtual std::optional<User> find_user(std::string_view login) = 0;
  virtual std::vector<User> users_below(std::string_view path) = 0;
  virtual void insert_session(const Session& session) = 0;
  virtual std::optional<Session> find_session(const Sha256& token_hash) = 0;
  virtual void delete_session(const Sha256& token_hash) = 0;
  virtual void purge_sessions(UnixMs now) = 0;
  // Addresses that a login came in from; place: their hash.
  virtual bool knows_place(std::string_view login, const Sha256& place) = 0;
  virtual void note_place(std::string_view login, const Sha256& place, UnixMs now) = 0;
  virtual void purge_places(UnixMs before) = 0;

  // devices
  virtual void upsert_device(const Device& device) = 0;
  virtual std::optional<Device> find_device(std::string_view id) = 0;
  virtual std::vector<Device> devices_below(std::string_view path) = 0;
  virtual void touch_device(std::string_view id, UnixMs seen, const std::optional<StatusBody>& status) = 0;
  virtual Handed handed(std::string_view device) = 0;
  virtual void set_handed(std::string_view device, const Handed& handed) = 0;
  // The device a member used last, else the one they hold.
  virtual std::optional<std::string> device_of(std::string_view login) = 0;
  // The member used this device then. Only a newer use counts, to the minute.
  virtual void note_device(std::string_view login, std::string_view device, UnixMs at) = 0;

  // records
  virtual Inserted insert_record(StoredRecord& record) = 0;
  // Every seq from 1 to this one is there (of this device and epoch).
  virtual std::uint64_t contiguous_seq(std::string_view device, const Uuid& epoch) = 0;
  // Records held back until the seq before them is complete, up to and with `seq`, in order of seq.
  virtual void hold_record(std::int64_t row) = 0;
  virtual std::vector<StoredRecord> held_records(std::string_view device, const Uuid& epoch, std::uint64_t seq) = 0;
  virtual bool has_held(std::string_view device, const Uuid& epoch) = 0;
  // Applied. forget_bytes: keep only its identity and hash (positions, for privacy).
  virtual void release_record(std::int64_t row, bool forget_bytes) = 0;
  // Read but not taken (an unknown category, …): its seq counts and its identity stays, its bytes are in quarantine.
  // The same again must get the same answer, so the reason is kept beside it; insert_record fills `row` for same_again
  // too.
  virtual void refuse_record(std::int64_t row, const Error& error) = 0;
  virtual std::optional<Error> refusal(std::int64_t row) = 0;
  // A refused record that is looked at again, as if it had come only now: its row gets its bytes back and is refused no
  // longer.
  virtual void reopen_record(const StoredRecord& record) = 0;
  virtual void flag_records(std::string_view device, const Uuid& epoch, std::span<const Uuid> records,
                            std::string_view flag) = 0;
  // Within the budget of its device; beyond it the row, or its bytes, are counted and not kept.
  virtual void quarantine(const QuarantineRow& row) = 0;
  virtual void leave_quarantine(std::string_view device, const Sha256& hash) = 0;  // it was taken after all
  virtual std::vector<QuarantineRow> quarantined(std::size_t limit) = 0;           // newest first
  virtual std::vector<QuarantineRow> quarantined_of(std::string_view device, std::size_t limit) = 0;  // without `raw`
  // Of the registered devices of this subtree; who has nothing is left out.
  virtual std::map<std::string, QuarantineCounts> quarantine_counts(std::string_view path) = 0;
  // The same for flags.
  virtual std::map<std::string, FlagCounts> flag_counts(std::string_view path) = 0;
  virtual std::vector<FlaggedRecord> flagged(std::string_view device, std::size_t limit) = 0;  // newest first
  virtual void add_signature_job(const SignatureJob& job) = 0;
  virtual std::vector<SignatureJob> signature_jobs(std::size_t limit) = 0;  // oldest first
  virtual void finish_signature_job(std::int64_t row) = 0;

  // cases
  virtual std::string next_case_number(std::string_view town, std::string_view yyyymmdd) = 0;
  // next_alarm: when a clock of it turns yellow or passes its due, which the case alone does not know.
  // False: there is a case of this id, and nothing was done.
  virtual bool insert_case(const domain::CaseRecord& record, std::string_view org_path,
                           std::optional<UnixMs> next_alarm) = 0;
  // false: somebody else changed it (the stored version is not expected_version).
  virtual bool update_case(const domain::CaseRecord& record, std::uint64_t expected_version,
                           std::optional<UnixMs> next_alarm) = 0;
  virtual void move_case(const Uuid& id, std::string_view org_path) = 0;  // it is another node's now
  virtual std::optional<domain::CaseRecord> find_case(const Uuid& id) = 0;
  virtual std::string case_org_path(const Uuid& id) = 0;
  virtual CasePage list_cases(const CaseFilter& filter) = 0;
  // With the filter's subtree, unit and reporter.
  virtual CaseCounts count_cases(const CaseFilter& filter) = 0;
  // Whose next alarm is due, in its order.
  virtual std::vector<Uuid> alarmed_cases(UnixMs now, std::size_t limit) = 0;
  virtual void set_alarm(const Uuid& id, std::optional<UnixMs> next_alarm) = 0;
  // A channel's own number of a request belongs to one case. False: to another already.
  virtual std::optional<Uuid> find_reference(std::string_view channel, std::string_view reference) = 0;
  virtual bool insert_reference(std::string_view channel, std::string_view reference, const Uuid& id) = 0;
  // record: the row of the record that caused them, when a handheld did.
  virtual void append_events(const Uuid& case_id, std::uint64_t first_n, std::span<const domain::CaseEvent> events,
                             std::optional<std::int64_t> record) = 0;
  virtual std::vector<StoredEvent> case_events(const Uuid& case_id) = 0;
  // Every personal field of one event, and the bytes of the record that it came from. The chain holds as before. False:
  // no such event.
  virtual bool erase_event(const Uuid& case_id, std::uint64_t n) = 0;
  // Who they are, wherever their login stands, and all that is of them alone. What a case is about (note, place) stays.
  virtual ErasedPerson erase_person(std::string_view login) = 0;
  virtual void note_erasure(const ErasureNote& note) = 0;
  virtual std::vector<ErasureNote> erasures() = 0;  // newest first
  virtual void insert_task(const VerifyTask& task) = 0;
  virtual std::optional<VerifyTask> find_task(const Uuid& id) = 0;
  virtual void update_task(const VerifyTask& task) = 0;

  // media
  // record: the row, for two devices may use one id. Of a photo that is derived already a likeness job is added.
  virtual void expect_media(const MediaRef& media, std::int64_t record, const std::optional<Uuid>& case_id) = 0;
  virtual std::optional<MediaRow> find_media(const Sha256& sha) = 0;
  virtual std::vector<CaseMedia> case_media(const Uuid& case_id) = 0;  // in the order they were named
  virtual std::vector<Uuid> media_cases(const Sha256& sha) = 0;        // where it was named by who delivered it
  // Nothing: no record of this device names the file.
  virtual std::optional<Upload> find_upload(std::string_view device, const Sha256& sha) = 0;
  virtual void set_upload(std::string_view device, const Sha256& sha, UploadState state,
                          const std::vector<ByteRange>& have) = 0;
  virtual void update_media(const MediaRow& row) = 0;
  // Whose original is on the disk, in order of their hash, after this one.
  virtual std::vector<MediaRow> sealed_media(const Sha256& after, std::size_t limit) = 0;
  virtual void forget_pieces() = 0;                   // of every upload that is under way
  virtual void lose_original(const Sha256& sha) = 0;  // sealed once and gone: expected again, of everybody
  virtual void set_photo_numbers(const Sha256& sha, const PhotoNumbers& numbers) = 0;
  virtual std::optional<PhotoNumbers> photo_numbers(const Sha256& sha) = 0;
  virtual void add_photo_job(const Sha256& sha) = 0;  // the same again is ok
  virtual std::vector<PhotoJob> photo_jobs(std::size_t limit) = 0;
  virtual void retry_photo_job(std::int64_t row) = 0;  // attempts + 1
  virtual void finish_photo_job(std::int64_t row) = 0;

  // likeness
  virtual void add_likeness_job(const Sha256& sha) = 0;  // the same again is ok
  virtual std::vector<LikenessJob> likeness_jobs(std::size_t limit) = 0;
  virtual void retry_likeness_job(const Sha256& sha) = 0;  // attempts + 1
  virtual void finish_likeness_job(const Sha256& sha) = 0;
  virtual void set_photo_keys(const Sha256& sha, std::span<const std::int64_t> keys) = 0;
  // Derived photos that share some of these keys, those with the most first. Reads what shares something, no more.
  virtual std::vector<Sha256> alike_photos(std::span<const std::int64_t> keys, const Sha256& without,
                                           std::size_t limit) = 0;
  virtual std::vector<PhotoUse> photo_uses(const Sha256& sha) = 0;     // in cases, once derived; in order of link
  virtual std::vector<PhotoUse> case_photos(const Uuid& case_id) = 0;  // the same of a case
  // False: it was said before.
  virtual bool put_finding(const LikenessFinding& finding) = 0;
  virtual bool remove_finding(const Uuid& case_id, const Sha256& sha, domain::LikenessKind kind) = 0;
  virtual std::vector<LikenessFinding> case_findings(const Uuid& case_id) = 0;

  // down
  virtual std::uint64_t enqueue_down(std::string_view device, std::string_view kind, std::string_view body,
                                     UnixMs now) = 0;  // gives its number, from 1 per device
  // Not acknowledged, lowest number first. A restored store keeps back what it numbered since, until agree_down.
  virtual std::vector<DownItem> pending_down(std::string_view device, std::size_t limit) = 0;
  // The lowest number not acknowledged, kept back or not, or else the one that comes next: nothing below it is sent any
  // more. After agree_down, which may give new numbers.
  virtual std::uint64_t first_down(std::string_view device) = 0;
  // The highest of a kind that is not acknowledged, kept back or not.
  virtual std::optional<DownItem> last_pending_down(std::string_view device, std::string_view kind) = 0;
  // Devices not revoked and seen at `seen_since` or later whose lowest of these was last sent (or made) at `before` or
  // earlier; who waits longest first. What is sent is sent from the lowest on, so none above it waits longer.
  virtual std::vector<std::string> overdue_devices(UnixMs before, UnixMs seen_since, std::size_t limit) = 0;
  virtual void sent_down(std::string_view device, std::uint64_t from, std::uint64_t to, UnixMs now) = 0;
  // The device has everything up to `ack`; nothing: it was wiped, or never had an item. Of a store that was put back
  // the device may have more numbers than were given here: what it cannot have is numbered anew above its `ack`.
  virtual void agree_down(std::string_view device, std::optional<std::uint64_t> ack) = 0;
  // Nothing is kept back: the store was not restored, or agree_down has been since.
  virtual bool down_agreed(std::string_view device) = 0;

  virtual void insert_notice(const NoticeRow& notice) = 0;
  virtual std::optional<NoticeRow> find_notice(const Uuid& id) = 0;

  // duty
  virtual void insert_punch(const PunchRow& punch) = 0;
  virtual std::vector<PunchRow> punches_of(std::string_view actor, UnixMs from, UnixMs to) = 0;    // order of at
  virtual std::vector<PunchRow> punches_below(std::string_view path, UnixMs from, UnixMs to) = 0;  // order of at
  // Those that have nothing but the device's wall clock of that boot.
  virtual std::vector<PunchRow> unconfirmed_punches(std::string_view device, const Uuid& boot) = 0;
  virtual void time_punch(const PunchRow& punch) = 0;  // its row gets another `at` and clock
  // What is known of a boot's clocks: one reading, from which every moment of it can be told (shared/clock.hpp).
  virtual std::optional<ClockReading> clock_of(std::string_view device, const Uuid& boot) = 0;
  virtual void put_clock(std::string_view device, const Uuid& boot, const ClockReading& reading) = 0;
  virtual void upsert_patrol(const PatrolRow& patrol) = 0;
  virtual std::optional<PatrolRow> find_patrol(const Uuid& patrol) = 0;
  virtual std::vector<PatrolRow> patrols_of(std::string_view actor, UnixMs from, UnixMs to) = 0;
  virtual void insert_track(const TrackRow& track) = 0;
  virtual std::vector<TrackRow> tracks_of(std::string_view actor, UnixMs from, UnixMs to) = 0;
  virtual void update_track(const TrackRow& track) = 0;  // without points: removes it
  virtual void count_dropped_points(std::string_view device, std::string_view yyyymmdd, std::size_t points) = 0;
  virtual std::uint64_t dropped_points(std::string_view device) = 0;
};

struct Unit {
  std::function<Result<void>(Tx&)> work;          // an error rolls back this unit alone
  std::function<void(const Result<void>&)> done;  // on the writer's thread, after the commit (or the failure)
  // The work may be run again after its first run was rolled back: what it keeps outside the Tx it makes anew. Such
  // units share a transaction without a savepoint each, which is a third of what a small unit costs SQLite.
  bool repeatable = false;
  // What it holds in memory until `done`, about: the store takes no more units than it has room for.
  std::size_t bytes = 1024;
  // After the `done` of every unit of the same transaction, on the writer's thread: what several of them say to the
  // same listener can be said once. Called once for each unit that has one.
  std::function<void()> after = {};
};

// Thread-safe.
class Store {
 public:
  virtual ~Store() = default;
  // Runs on the caller's thread with a reader's connection; blocks while all are taken.
  virtual Result<void> read(const std::function<Result<void>(Tx&)>& work) = 0;
  // Error: busy when the queue is full, in units or in bytes; then `done` is not called.
  virtual Result<void> submit(Unit unit) = 0;
  // No unit waits or is being written at this moment.
  virtual bool idle() const = 0;
  // submit, and wait for the commit. Not on the writer's thread.
  Result<void> write(std::function<Result<void>(Tx&)> work);
};

}  // namespace gridward::app
