// The rows of app::Tx, on one connection inside one transaction.
#pragma once

#include <gridward/app/store.hpp>

#include "connection.hpp"
#include "write_state.hpp"

namespace gridward::storage {

// "a/b" as the range of its subtree: texts from `from` to before `to`. An empty path is everything.
struct Subtree {
  explicit Subtree(std::string_view path);
  std::string from;
  std::string to;
};
std::string scope_text(std::string_view path);  // "a/b" -> "a/b/"
std::string path_of(std::string scope);         // and back
std::string area_of(std::string_view path);     // the first two parts, as a scope

class SqlTx final : public app::Tx {
 public:
  // state: the writer's; a reader has none.
  explicit SqlTx(Connection& connection, WriteState* state = nullptr) : db_(connection), state_(state) {}

  void upsert_org(const app::OrgNode& node) override;
  std::optional<app::OrgNode> find_org(std::string_view code) override;
  std::vector<app::OrgNode> orgs_below(std::string_view path) override;
  std::uint64_t org_revision() override;

  Uuid generation() override;
  std::uint64_t backup_reach(std::string_view device, const Uuid& epoch) override;
  std::vector<app::StreamReach> reach(std::span<const Sha256> absent) override;
  void raise_backup_reach(std::span<const app::StreamReach> reach) override;
  void begin_generation(const Uuid& generation, std::span<const app::StreamReach> held) override;
  void prove_writable(UnixMs now) override;

  void upsert_user(const app::User& user) override;
  std::optional<app::User> find_user(std::string_view login) override;
  std::vector<app::User> users_below(std::string_view path) override;
  void insert_session(const app::Session& session) override;
  std::optional<app::Session> find_session(const Sha256& token_hash) override;
  void delete_session(const Sha256& token_hash) override;
  void purge_sessions(UnixMs now) override;
  bool knows_place(std::string_view login, const Sha256& place) override;
  void note_place(std::string_view login, const Sha256& place, UnixMs now) override;
  void purge_places(UnixMs before) override;

  void upsert_device(const app::Device& device) override;
  std::optional<app::Device> find_device(std::string_view id) override;
  std::vector<app::Device> devices_below(std::string_view path) override;
  void touch_device(std::string_view id, UnixMs seen, const std::optional<StatusBody>& status) override;
  app::Handed handed(std::string_view device) override;
  void set_handed(std::string_view device, const app::Handed& handed) override;
  std::optional<std::string> device_of(std::string_view login) override;
  void note_device(std::string_view login, std::string_view device, UnixMs at) override;

  app::Inserted insert_record(app::StoredRecord& record) override;
  std::uint64_t contiguous_seq(std::string_view device, const Uuid& epoch) override;
  void hold_record(std::int64_t row) override;
  std::vector<app::StoredRecord> held_records(std::string_view device, const Uuid& epoch, std::uint64_t seq) override;
  bool has_held(std::string_view device, const Uuid& epoch) override;
  void release_record(std::int64_t row, bool forget_bytes) override;
  void refuse_record(std::int64_t row, const Error& error) override;
  std::optional<Error> refusal(std::int64_t row) override;
  void reopen_record(const app::StoredRecord& record) override;
  void flag_records(std::string_view device, const Uuid& epoch, std::span<const Uuid> records,
                    std::string_view flag) override;
  void quarantine(const app::QuarantineRow& row) override;
  void leave_quarantine(std::string_view device, const Sha256& hash) override;
  std::vector<app::QuarantineRow> quarantined(std::size_t limit) override;
  std::vector<app::QuarantineRow> quarantined_of(std::string_view device, std::size_t limit) override;
  std::map<std::string, app::QuarantineCounts> quarantine_counts(std::string_view path) override;
  std::map<std::string, app::FlagCounts> flag_counts(std::string_view path) override;
  std::vector<app::FlaggedRecord> flagged(std::string_view device, std::size_t limit) override;
  void add_signature_job(const app::SignatureJob& job) override;
  std::vector<app::SignatureJob> signature_jobs(std::size_t limit) override;
  void finish_signature_job(std::int64_t row) override;

  std::string next_case_number(std::string_view town, std::string_view yyyymmdd) override;
  bool insert_case(const domain::CaseRecord& record, std::string_view org_path,
                   std::optional<UnixMs> next_alarm) override;
  bool update_case(const domain::CaseRecord& record, std::uint64_t expected_version,
                   std::optional<UnixMs> next_alarm) override;
  void move_case(const Uuid& id, std::string_view org_path) override;
  std::optional<domain::CaseRecord> find_case(const Uuid& id) override;
  std::string case_org_path(const Uuid& id) override;
  app::CasePage list_cases(const app::CaseFilter& filter) override;
  app::CaseCounts count_cases(const app::CaseFilter& filter) override;
  std::vector<Uuid> alarmed_cases(UnixMs now, std::size_t limit) override;
  void set_alarm(const Uuid& id, std::optional<UnixMs> next_alarm) override;
  std::optional<Uuid> find_reference(std::string_view channel, std::string_view reference) override;
  bool insert_reference(std::string_view channel, std::string_view reference, const Uuid& id) override;
  void append_events(const Uuid& case_id, std::uint64_t first_n, std::span<const domain::CaseEvent> events,
                     std::optional<std::int64_t> record) override;
  std::vector<app::StoredEvent> case_events(const Uuid& case_id) override;
  bool erase_event(const Uuid& case_id, std::uint64_t n) override;
  app::ErasedPerson erase_person(std::string_view login) override;
  void note_erasure(const app::ErasureNote& note) override;
  std::vector<app::ErasureNote> erasures() override;
  void insert_task(const app::VerifyTask& task) override;
  std::optional<app::VerifyTask> find_task(const Uuid& id) override;
  void update_task(const app::VerifyTask& task) override;

  void expect_media(const MediaRef& media, std::int64_t record, const std::optional<Uuid>& case_id) override;
  std::optional<app::MediaRow> find_media(const Sha256& sha) override;
  std::vector<app::CaseMedia> case_media(const Uuid& case_id) override;
  std::vector<Uuid> media_cases(const Sha256& sha) override;
  std::optional<app::Upload> find_upload(std::string_view device, const Sha256& sha) override;
  void set_upload(std::string_view device, const Sha256& sha, app::UploadState state,
                  const std::vector<ByteRange>& have) override;
  void update_media(const app::MediaRow& row) override;
  std::vector<app::MediaRow> sealed_media(const Sha256& after, std::size_t limit) override;
  void forget_pieces() override;
  void lose_original(const Sha256& sha) override;
  void set_photo_numbers(const Sha256& sha, const app::PhotoNumbers& numbers) override;
  std::optional<app::PhotoNumbers> photo_numbers(const Sha256& sha) override;
  void add_photo_job(const Sha256& sha) override;
  std::vector<app::PhotoJob> photo_jobs(std::size_t limit) override;
  void retry_photo_job(std::int64_t row) override;
  void finish_photo_job(std::int64_t row) override;

  void add_likeness_job(const Sha256& sha) override;
  std::vector<app::LikenessJob> likeness_jobs(std::size_t limit) override;
  void retry_likeness_job(const Sha256& sha) override;
  void finish_likeness_job(const Sha256& sha) override;
  void set_photo_keys(const Sha256& sha, std::span<const std::int64_t> keys) override;
  std::vector<Sha256> alike_photos(std::span<const std::int64_t> keys, const Sha256& without,
                                   std::size_t limit) override;
  std::vector<app::PhotoUse> photo_uses(const Sha256& sha) override;
  std::vector<app::PhotoUse> case_photos(const Uuid& case_id) override;
  bool put_finding(const app::LikenessFinding& finding) override;
  bool remove_finding(const Uuid& case_id, const Sha256& sha, domain::LikenessKind kind) override;
  std::vector<app::LikenessFinding> case_findings(const Uuid& case_id) override;

  std::uint64_t enqueue_down(std::string_view device, std::string_view kind, std::string_view body,
                             UnixMs now) override;
  std::vector<DownItem> pending_down(std::string_view device, std::size_t limit) override;
  std::uint64_t first_down(std::string_view device) override;
  std::optional<DownItem> last_pending_down(std::string_view device, std::string_view kind) override;
  std::vector<std::string> overdue_devices(UnixMs before, UnixMs seen_since, std::size_t limit) override;
  void sent_down(std::string_view device, std::uint64_t from, std::uint64_t to, UnixMs now) override;
  void agree_down(std::string_view device, std::optional<std::uint64_t> ack) override;
  bool down_agreed(std::string_view device) override { return !unagreed_generation(device); }
  void insert_notice(const app::NoticeRow& notice) override;
  std::optional<app::NoticeRow> find_notice(const Uuid& id) override;

  void insert_punch(const app::PunchRow& punch) override;
  std::vector<app::PunchRow> punches_of(std::string_view actor, UnixMs from, UnixMs to) override;
  std::vector<app::PunchRow> punches_below(std::string_view path, UnixMs from, UnixMs to) override;
  std::vector<app::PunchRow> unconfirmed_punches(std::string_view device, const Uuid& boot) override;
  void time_punch(const app::PunchRow& punch) override;
  std::optional<ClockReading> clock_of(std::string_view device, const Uuid& boot) override;
  void put_clock(std::string_view device, const Uuid& boot, const ClockReading& reading) override;
  void upsert_patrol(const app::PatrolRow& patrol) override;
  std::optional<app::PatrolRow> find_patrol(const Uuid& patrol) override;
  std::vector<app::PatrolRow> patrols_of(std::string_view actor, UnixMs from, UnixMs to) override;
  void insert_track(const app::TrackRow& track) override;
  std::vector<app::TrackRow> tracks_of(std::string_view actor, UnixMs from, UnixMs to) override;
  void update_track(const app::TrackRow& track) override;
  void count_dropped_points(std::string_view device, std::string_view yyyymmdd, std::size_t points) override;
  std::uint64_t dropped_points(std::string_view device) override;

 private:
  WriteState& state();
  void erase_in_case(const Uuid& case_id, const std::function<domain::PersonalSet(const app::StoredEvent&)>& fields_of,
                     std::size_t& erased);
  // What a case counts among: changed with its row, in one transaction.
  struct Counted {
    std::string area;
    std::string process;
    std::string stage;
    std::vector<std::pair<std::string, bool>> units;  // code, leads it?
    std::optional<std::int64_t> overdue_at;           // its due, when it is open and past it
  };
  void recount(const Uuid& id, const Counted& before, const Counted& after, std::int64_t updated_at);
  void count_by(const std::string& scope, const Counted& counted, std::int64_t by);
  std::optional<StreamState> stream_row(std::string_view device, const std::string& epoch);
  StreamState stream_for_writing(const std::string& key, std::string_view device, const std::string& epoch);
  std::optional<std::int64_t> stream_of(std::string_view device, const Uuid& epoch);
  std::int64_t counter(const std::string& name);
  std::int64_t count_up(const std::string& name);
  std::optional<std::string> unagreed_generation(std::string_view device);
  void renumber_down(std::string_view device, std::int64_t from, std::int64_t last);
  void overlay(app::Device& device) const;

  Connection& db_;
  WriteState* state_;
};

}  // namespace gridward::storage
