// The use cases. Every method is thread-safe and blocks until the answer is known (writes: until the commit), so call
// them from a worker thread, never from an I/O thread or the writer's. Errors are values, also of a lost database
// (storage_failed, unavailable); a throw means a bug.
#pragma once

#include <atomic>
#include <gridward/app/ports.hpp>
#include <gridward/app/store.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gridward::app {

struct Services {  // what every use case is given
  Store& store;
  Clock& clock;
  Crypto& crypto;
  LivePublisher& live;
  DevicePublisher& devices;
  PhotoStore& photos;
  const domain::Policy& policy;
};

// ---- people -------------------------------------------------------------------------------------------------------
struct Login {
  std::string token;  // 32 random bytes in base64url; only its hash is stored
  domain::Actor actor;
  UnixMs expires{};
};
class Auth {
 public:
  explicit Auth(Services services);
  ~Auth();
  // address: where the asker is, as any text that is the same for the same place. Errors: bad_credentials (also for an
  // unknown login, in the same time); too_many_attempts: a growing wait after 5 in a row at a login or 30 from an
  // address. An address that the login came in from before (within 90 days) is counted for itself alone.
  Result<Login> login(std::string_view login, std::string_view password, std::string_view address);
  Result<domain::Actor> actor(std::string_view token);  // not_logged_in
  Result<void> logout(std::string_view token);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- cases --------------------------------------------------------------------------------------------------------
// Of another case nothing is shown to whom it does not concern.
struct PhotoFlag {
  domain::LikenessKind kind = domain::LikenessKind::reused;
  std::uint32_t score = 0;  // 0..1000
  std::optional<Sha256> other;
  std::optional<Uuid> other_case;
};
struct MediaView {
  Sha256 sha256{};
  MediaRole role = MediaRole::scene;
  MediaStatus status = MediaStatus::expected;
  std::uint64_t size = 0;
  std::uint64_t have = 0;  // bytes here
  std::string problem;
  std::optional<PhotoNumbers> numbers;
  std::vector<PhotoFlag> flags;
};
struct CaseView {
  domain::CaseRecord record;
  std::string category_name;
  std::string grid_name;
  std::string unit_name;
  std::optional<OrgNode> grid;  // with outline
  std::vector<StoredEvent> events;
  std::vector<MediaView> media;
  std::vector<domain::Offer> offers;  // what the asking actor may do, now or in principle
  UnixMs now{};                       // of the answer: how far the clocks are
};
struct ActRequest {
  domain::Action action = domain::Action::accept;
  std::uint64_t version = 0;  // the version the page showed
  std::string note;
  // Codes and logins as the page chose them; the use case looks them up. assignee of request_verify, empty: the member
  // of the case's grid, else the reporter. holder of escalate and assign_down, empty: the next desk.
  domain::FieldMap fields;
  std::vector<domain::EvidenceRef> media;
};
// What a desk or a channel's system hands in.
struct CaseRequest {
  std::string text;
  std::string address;  // in words, added to the text
  std::optional<GeoPoint> place;
  domain::FieldMap fields;  // channel, category, town or grid, petitioner, …
};
class Cases {
 public:
  explicit Cases(Services services);
  // filter.subtree/unit/reporter are narrowed to what the actor may see.
  Result<CasePage> list(const domain::Actor& actor, CaseFilter filter);
  Result<CaseCounts> counts(const domain::Actor& actor);
  Result<CaseView> get(const domain::Actor& actor, const Uuid& id);  // not_found, forbidden
  // Errors of domain::decide, not_found, forbidden. Closing assesses at once.
  Result<CaseView> act(const domain::Actor& actor, const Uuid& id, const ActRequest& request);
  // A new case by the process of its channel. The same channel and channel_reference again: the case that is there.
  // Errors of domain::decide, out_of_range (fields.town, fields.grid, fields.channel), forbidden.
  Result<CaseView> register_request(const domain::Actor& actor, const CaseRequest& request);
  // The first photo of each case, for a list. Of cases that list() gave.
  Result<std::map<Uuid, Sha256>> thumbs(std::span<const Uuid> cases);
  // May this actor see this photo (through a case they may see)?
  Result<MediaRow> media(const domain::Actor& actor, const Sha256& sha);

  // For ingest, inside its unit: the command of a handheld. Live events and down items to send after the commit are
  // added.
  struct Effects {
    std::vector<LiveEvent> live;
    std::vector<std::string> devices;  // have new down items
  };
  // row: the record's, whose media become the case's.
  Result<Uuid> report(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device& device,
                      Effects& effects);
  Result<void> task_result(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device& device,
                           Effects& effects);

 private:
  class GridIndex;
  struct Placed {
    std::string town;
    std::string grid;  // empty: in none
    std::string path;
  };
  Result<Placed> place_of(Tx& tx, const domain::Actor& actor, const CaseRequest& request, UnixMs now);

  Services services_;
  std::shared_ptr<GridIndex> grids_;
};

// ---- organisation -------------------------------------------------------------------------------------------------
struct OrgView {
  std::vector<OrgNode> nodes;  // the actor's subtree, outlines included
};
class Organisation {
 public:
  explicit Organisation(Services services);
  Result<OrgView> tree(const domain::Actor& actor);
  Result<std::vector<OrgNode>> units(const domain::Actor& actor);  // handling units this actor may name
  // Whom this actor may name: a desk the grid members of its subtree, a unit its own people. Password hashes empty.
  Result<std::vector<User>> members(const domain::Actor& actor);
  struct DeviceView {
    Device device;
    QuarantineCounts quarantine;
    FlagCounts flagged;
  };
  Result<std::vector<DeviceView>> devices(const domain::Actor& actor);
  // What is behind the counts, newest first, at most kTroubles of each. not_found: no device of this subtree.
  static constexpr std::size_t kTroubles = 200;
  struct DeviceTroubles {
    std::vector<FlaggedRecord> flagged;
    std::vector<QuarantineRow> quarantined;  // without their bytes
  };
  Result<DeviceTroubles> device_troubles(const domain::Actor& actor, const std::string& device);
  // code -> name, for rows that hold codes of any node; codes that do not exist are left out.
  Result<std::map<std::string, std::string>> names(std::span<const std::string> codes);

 private:
  Services services_;
};

// ---- notices ------------------------------------------------------------------------------------------------------
struct NoticeRequest {
  Uuid id;  // the asker's own: the same request again is answered as before and sent once
  std::string text;
  std::vector<std::string> devices;
  bool all = false;  // every device of the actor's subtree that is not revoked, instead of `devices`
};
class Notices {
 public:
  static constexpr std::size_t kDevices = 1000;  // named one by one

  explicit Notices(Services services) : services_(services) {}
  // To how many devices it goes. Errors: forbidden, not_found (devices[i], or devices when there are none at all),
  // revoked_device, out_of_range, missing_field, too_large (text), id_conflict (another request of this id).
  Result<std::size_t> send(const domain::Actor& actor, NoticeRequest request);

 private:
  Services services_;
};

// ---- duty ---------------------------------------------------------------------------------------------------------
struct MemberDay {
  std::string login;
  std::string name;
  std::string grid;
  std::vector<PunchRow> punches;
  std::vector<domain::DutyWindow> windows;
  std::vector<PatrolRow> patrols;
  std::vector<TrackRow> tracks;
  double track_m = 0;
  std::optional<OrgNode> grid_node;
};
class Duty {
 public:
  explicit Duty(Services services);
  // day: local day of the policy's calendar, "2026-11-22"; out_of_range, bad_type.
  Result<std::vector<PunchRow>> punches(const domain::Actor& actor, std::string_view day);
  Result<MemberDay> member_day(const domain::Actor& actor, std::string_view login, std::string_view day);

  // For ingest, inside its unit.
  Result<void> sign(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device& device,
                    Cases::Effects& effects);
  Result<void> patrol(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device& device,
                      Cases::Effects& effects);
  Result<void> track(Tx& tx, const Record& record, const User& member, const Device& device, Cases::Effects& effects);
  // Punches that had nothing but the wall clock of this boot get their true time.
  void retime(Tx& tx, const Device& device, const Uuid& boot, const ClockReading& known, Cases::Effects& effects);

 private:
  Services services_;
};

// ---- ingest -------------------------------------------------------------------------------------------------------
// Bytes from the broker to committed rows and receipts. Does not block and does not throw: queues units of work and
// answers through Services::devices after the commit (busy at once when the queue is full).
class Ingest {
 public:
  Ingest(Services services, Cases& cases, Duty& duty);
  ~Ingest();
  void up(std::string_view topic, Bytes payload);
  void media(std::string_view topic, Bytes payload);  // writes files: call from a thread that may wait for the disk
  void wait_idle();  // until everything taken is committed and answered; for a graceful stop

  struct Counts {  // since the start
    std::uint64_t messages = 0;
    std::uint64_t records_ok = 0;
    std::uint64_t records_bad = 0;
    std::uint64_t undecodable = 0;  // whole messages without anybody to answer to
    std::uint64_t busy = 0;         // dropped unreceipted
    std::uint64_t pieces = 0;
  };
  Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- health --------------------------------------------------------------------------------------------------------
// Can the store commit? Known from its last proof while that is fresh; else the asker has one made, and waits for it a
// moment. One is under way at a time, so asking often costs no more.
class StoreProof {
 public:
  explicit StoreProof(Services services);
  bool writable();

 private:
  struct State;
  Services services_;
  std::shared_ptr<State> state_;
};

// ---- jobs ---------------------------------------------------------------------------------------------------------
// Durable work after the commit. run_once does what is waiting and says whether there was any; call again on `kick` or
// after a while. One thread each.
class PhotoJobs {
 public:
  // parallel: photos in work at a time, each on a thread of its own; as many as the deriver takes.
  PhotoJobs(Services services, PhotoDeriver& deriver, std::size_t parallel = 1);
  bool run_once();

 private:
  bool run(const PhotoJob& job);

  Services services_;
  PhotoDeriver& deriver_;
  const std::size_t parallel_;
};
// Compares each derived photo with those of its case and with all earlier ones. What it finds are flags for a reviewer.
class LikenessJobs {
 public:
  LikenessJobs(Services services, PhotoDeriver& deriver, PhotoComparer& comparer);
  bool run_once();

 private:
  Result<void> run(const Sha256& sha);
  Result<std::vector<std::int64_t>> keys_of(const Sha256& sha);
  Result<void> judge(const Sha256& sha, std::span<const std::int64_t> keys, std::vector<LikenessFinding>& found);
  Result<void> judge_reuse(const Sha256& sha, const std::vector<PhotoUse>& uses,
                           const std::vector<std::vector<PhotoUse>>& others,
                           const std::map<Uuid, std::string>& districts, UnixMs now,
                           std::vector<LikenessFinding>& found);
  Result<void> judge_places(const Sha256& sha, const std::vector<PhotoUse>& photos, UnixMs now,
                            std::vector<LikenessFinding>& found);

  Services services_;
  PhotoDeriver& deriver_;
  PhotoComparer& comparer_;
};
// Evidence that nobody waits for, and a check costs about as much as taking the record in: it gives way to whoever does
// wait, but not for ever.
class SignatureJobs {
 public:
  static constexpr int kMostPutOff = 60;  // passes; half a minute as the server runs them

  explicit SignatureJobs(Services services);
  bool run_once();

 private:
  Services services_;
  int put_off_ = 0;
};

// Clocks that turn yellow or pass their due become events of their cases, in the order of their time: also those of a
// time when no server ran. Each pass is bounded, in one write unit.
class DeadlineJobs {
 public:
  explicit DeadlineJobs(Services services) : services_(services) {}
  bool run_once();

 private:
  Services services_;
};

// Sends down items again that no device has acknowledged: what the broker or the link lost while the device stayed
// connected. Each pass is bounded; what it leaves is the next one's.
class DownJobs {
 public:
  // again_after: since an item was last sent.
  DownJobs(Services services, Millis again_after);
  bool run_once();
  void linked();  // the link to the broker has just come up; thread-safe

 private:
  Services services_;
  const Millis again_after_;
  std::atomic<std::int64_t> linked_at_{0};
};

// ---- erasing -------------------------------------------------------------------------------------------------------
// Personal data out of the store; why and by whom stays. by: who asks, reason: neither may be empty (missing_field).
class Erasing {
 public:
  explicit Erasing(Services services) : services_(services) {}
  Result<void> event(const Uuid& case_id, std::uint64_t n, const std::string& by,
                     const std::string& reason);                                                          // not_found
  Result<ErasedPerson> person(std::string_view login, const std::string& by, const std::string& reason);  // not_found

 private:
  Services services_;
};

// ---- import -------------------------------------------------------------------------------------------------------
// Rows as a file gave them, with the line they stood in. All or nothing; every problem is named, not only the first.
struct ImportProblem {
  std::string file;
  std::size_t line = 0;  // from 1; of a GeoJSON feature: its position in the list
  std::string field;
  std::string message;
};
struct OrgRow {
  std::string file;
  std::size_t line = 0;
  OrgNode node;
};
struct UserRow {
  std::string file;
  std::size_t line = 0;
  User user;
  std::string password;  // empty: keep the one there
};
struct DeviceRow {
  std::string file;
  std::size_t line = 0;
  Device device;
};
struct OutlineRow {
  std::string file;
  std::size_t line = 0;
  std::string code;
  Polygon outline;
};
struct ImportBatch {
  std::vector<OrgRow> orgs;
  std::vector<OutlineRow> outlines;
  std::vector<UserRow> users;
  std::vector<DeviceRow> devices;
};
struct ImportReport {
  std::size_t orgs = 0, outlines = 0, users = 0, devices = 0;
  std::vector<ImportProblem> problems;  // not empty: nothing was taken
};
ImportReport run_import(Services services, const ImportBatch& batch);

}  // namespace gridward::app
