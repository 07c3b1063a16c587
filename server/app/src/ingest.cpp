#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <gridward/app/services.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/topics.hpp>
#include <mutex>
#include <unordered_map>

#include "busy.hpp"
#include "clocks.hpp"
#include "down.hpp"
#include "handouts.hpp"
#include "media_intake.hpp"

namespace gridward::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTrackedDevices = 20'000;
constexpr auto kDirectoryLife = 2s;
constexpr auto kTouchEvery = 5s;
constexpr std::uint64_t kHeldStep = 256;

// One record of a message, read before the unit starts: the writer's thread does no decoding.
struct Arrived {
  Bytes bytes;
  Sha256 hash{};
  Result<Record> record = fail(ErrorCode::internal);
  RecordPeek peek;  // also of a record that cannot be read, as far as it can be told
};

// Everything one up message does; shared between the unit's work and what follows its commit.
struct Job {
  Topic topic;
  std::string topic_text;
  UpMessage message;
  std::vector<Arrived> records;
  UnixMs received{};

  // Made anew by each run of the work: a unit may be run again after a serialisation failure.
  Receipt receipt;
  bool reopened = false;  // a refused record was taken after all: what it holds is not behind any gap
  Cases::Effects effects;
  std::vector<Outgoing> outgoing;
  bool touched = false;
  std::optional<std::uint64_t> settled;  // nothing of this outbox is held; as of its n-th hold
};

std::string text_for_member(const Error& error) {
  std::string text{error_info(error.code).zh};
  if (!error.field.empty()) text += "（" + error.field + "）";
  if (!error.detail.empty()) text += "：" + error.detail;
  // A receipt with a text over the limit would be refused by the device, and the record sent for ever.
  constexpr std::size_t kBytes = 300;
  if (text.size() > kBytes) {
    auto end = kBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  return text;
}

// Ours to solve, not the device's: the message is to come again.
bool ours(ErrorCode code) {
  return code == ErrorCode::storage_failed || code == ErrorCode::internal || code == ErrorCode::busy ||
         code == ErrorCode::unavailable;
}

RecordPeek peek_of(const Record& record) {
  return {record.id, record.epoch, record.seq, std::string(kind_name(record.body))};
}

// Where a member walked is kept for their time on duty only, and what is refused is in no duty window. A `status` has
// the position of somebody who may be off duty, and what cannot be told, or is of a kind that only a newer version
// knows, may be a track. The handheld still has what is not kept here.
bool may_keep_bytes(std::string_view kind) { return !kind.empty() && kind != "track" && kind != "status"; }

// A message that cannot be read is kept only when each of its records may be.
bool may_keep_message(const Bytes& payload) {
  const auto records = peek_up_records(payload);
  return records && std::ranges::all_of(*records, [](const Bytes& r) { return may_keep_bytes(peek_record(r).kind); });
}

}  // namespace

struct Ingest::Impl {
  Services services;
  Cases& cases;
  Duty& duty;
  MediaIntake intake;
  const Handouts handouts;

  std::mutex idle_mutex;
  std::condition_variable idle;
  std::size_t under_way = 0;

  std::atomic<std::uint64_t> messages{0}, ok{0}, bad{0}, undecodable{0}, busy{0}, pieces{0};

  // Who is who, for a moment: a message costs the store its own rows, not the same look-ups again. A revoked device is
  // served two seconds longer.
  struct KnownDevice {
    Device device;
    std::string town_path;
    Uuid epoch;
    std::uint64_t safe = 0;  // how far the backup reaches in this epoch
    UnixMs until{};
    UnixMs touched{};
  };
  struct KnownUser {
    User user;
    UnixMs until{};
  };
  std::mutex directory_mutex;
  std::unordered_map<std::string, KnownDevice> devices;
  std::unordered_map<std::string, KnownUser> users;
  // The writer's. Another one is given to a store that no server has open (a restore), so one look is enough.
  std::optional<Uuid> generation;

  Impl(Services s, Cases& c, Duty& d) : services(s), cases(c), duty(d), intake(s), handouts(s.policy, s.crypto) {}

  std::optional<KnownDevice> device_of(Tx& tx, const std::string& id, const Uuid& epoch, UnixMs now) {
    {
      const std::scoped_lock lock(directory_mutex);
      const auto known = devices.find(id);
      if (known != devices.end() && now < known->second.until && known->second.epoch == epoch) return known->second;
    }
    auto device = tx.find_device(id);
    if (!device) return std::nullopt;
    const auto town = tx.find_org(device->town);
    const auto safe = tx.backup_reach(id, epoch);
    const std::scoped_lock lock(directory_mutex);
    if (devices.size() >= kTrackedDevices) devices.clear();
    auto& entry = devices[id];
    const auto touched = entry.touched;
    entry = {std::move(*device), town ? town->path : std::string(), epoch, safe, now + kDirectoryLife, touched};
    return entry;
  }

  std::optional<User> user_of(Tx& tx, const std::string& login, UnixMs now) {
    {
      const std::scoped_lock lock(directory_mutex);
      const auto known = users.find(login);
      if (known != users.end() && now < known->second.until) return known->second.user;
    }
    auto user = tx.find_user(login);
    if (!user) return std::nullopt;
    const std::scoped_lock lock(directory_mutex);
    if (users.size() >= kTrackedDevices) users.clear();
    users[login] = {*user, now + kDirectoryLife};
    return user;
  }

  void begin() {
    const std::scoped_lock lock(idle_mutex);
    ++under_way;
  }
  void end() {
    const std::scoped_lock lock(idle_mutex);
    if (--under_way == 0) idle.notify_all();
  }
  struct Ended {
    Impl& impl;
    ~Ended() { impl.end(); }
  };

  void say_busy(const Topic& topic) {
    busy.fetch_add(1, std::memory_order_relaxed);
    services.devices.send(topic.town, topic.device, make_busy());
  }

  // ---- up ----------------------------------------------------------------------------------------------------------
  void up(std::string_view topic_text, Bytes payload) {
    messages.fetch_add(1, std::memory_order_relaxed);
    auto topic = topic_from_string(topic_text);
    if (!topic || topic->kind != TopicKind::up) {
      undecodable.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    auto message = decode_up(payload);
    if (!message) return keep_unreadable(*topic, topic_text, std::move(payload), message.error());
    // Twice: the bytes of its records, and what was read of them.
    const auto held = sizeof(Job) + 2 * payload.size();
    payload = {};

    auto job = std::make_shared<Job>();
    job->topic = std::move(*topic);
    job->topic_text = topic_text;
    job->received = services.clock.now();
    job->message = std::move(*message);
    job->records.reserve(job->message.records.size());
    for (auto& bytes : job->message.records) {
      Arrived one;
      one.hash = services.crypto.sha256(bytes);
      one.record = bytes.size() > limits::kRecordBytes
                       ? fail(ErrorCode::too_large, "record",
                              std::to_string(bytes.size()) + " bytes, at most " + std::to_string(limits::kRecordBytes))
                       : decode_record(bytes);
      one.peek = one.record ? peek_of(*one.record) : peek_record(bytes);
      if (one.record && one.record->epoch != job->message.epoch) {
        one.record = fail(ErrorCode::malformed, "epoch", "another than the message's");
      }
      one.bytes = std::move(bytes);
      job->records.push_back(std::move(one));
    }
    job->message.records.clear();
    if (job->records.empty() && !job->message.ack && !job->message.hello) return;

    if (!queue({[this, job](Tx& tx) { return work(tx, *job); },
                [this, job](const Result<void>& result) { finish(job, result); }, true, held, [this] { answer(); }})) {
      say_busy(job->topic);
    }
  }

  // The unit's `done`, or its answer(), ends what begins here; when it was not taken, nothing began.
  bool queue(Unit unit) {
    begin();
    bool taken = false;
    try {
      taken = services.store.submit(std::move(unit)).has_value();
    } catch (const std::exception&) {
      // No writer left. The device keeps what it has.
    }
    if (!taken) end();
    return taken;
  }

  void keep_unreadable(const Topic& topic, std::string_view topic_text, Bytes payload, const Error& error) {
    undecodable.fetch_add(1, std::memory_order_relaxed);
    QuarantineRow row;
    row.device = topic.device;
    row.topic = topic_text;
    row.hash = services.crypto.sha256(payload);
    row.size = payload.size();
    row.received = services.clock.now();
    row.error = error;
    if (may_keep_message(payload)) row.raw = std::move(payload);
    const auto held = sizeof(row) + row.raw.size();
    queue({[row = std::move(row)](Tx& tx) -> Result<void> {
             tx.quarantine(row);
             return {};
           },
           [this](const Result<void>&) { end(); }, true, held});
  }

  Result<void> work(Tx& tx, Job& job) {
    job.receipt = {};
    job.receipt.now = job.received;
    job.receipt.epoch = job.message.epoch;
    if (!generation) generation = tx.generation();
    job.receipt.generation = *generation;
    job.reopened = false;
    job.effects = {};
    job.outgoing.clear();
    job.touched = false;
    job.settled.reset();

    const auto known = device_of(tx, job.topic.device, job.message.epoch, job.received);
    if (auto refusal = refuse_device(known, job.topic)) {
      for (const auto& one : job.records) refuse(tx, job, one, *refusal, std::nullopt);
      return {};
    }
    const auto& device = known->device;
    job.receipt.safe = known->safe;

    std::vector<Uuid> fresh;
    std::optional<StatusBody> status;
    const auto complete_before = tx.contiguous_seq(device.id, job.message.epoch);
    for (const auto& one : job.records) {
      if (!one.record) {
        refuse_unreadable(tx, job, one, device);
        continue;
      }
      auto done = take(tx, job, one, *known, fresh);
      if (!done) return done;
      if (const auto* body = std::get_if<StatusBody>(&one.record->body)) status = *body;
    }
    if (auto ok_held = apply_held(tx, job, device, complete_before); !ok_held) return ok_held;
    const bool flagged = sign_off(tx, job, device, fresh);
    if (status || job.received >= known->touched + kTouchEvery) {
      tx.touch_device(device.id, job.received, status);
      job.touched = true;
    }
    if (status || job.message.hello || flagged || !job.receipt.bad.empty())
      job.effects.live.push_back({"device", device.id, known->town_path, 0});
    if (speaks_of_items(tx, device.id, job.message)) {
      tx.agree_down(device.id, job.message.ack);
      if (job.message.hello) {
        handouts.give(tx, device.id, job.message.epoch, job.received);
        job.receipt.first = tx.first_down(device.id);
      }
      job.effects.devices.push_back(device.id);
    }
    collect_pending(tx, job.effects.devices, job.received, job.outgoing);
    return {};
  }

  // Numbers of items hold within a generation. What was sent before a restore may come after it: its `ack` counts other
  // items, and taken for the device's answer to this store it would end the wait for the true one. So would the first
  // hello of all, which names none: a device that hears of the store by its receipt says it again, with the name.
  bool speaks_of_items(Tx& tx, std::string_view device, const UpMessage& message) const {
    if (message.generation) return (message.ack || message.hello) && message.generation == generation;
    return message.hello && !message.ack && tx.down_agreed(device);  // never heard of this server
  }

  static std::optional<Error> refuse_device(const std::optional<KnownDevice>& known, const Topic& topic) {
    if (!known) return Error{ErrorCode::unknown_device, "device", topic.device};
    if (known->device.revoked) return Error{ErrorCode::revoked_device, "device", topic.device};
    if (known->device.town != topic.town) return Error{ErrorCode::wrong_town, "topic", topic.town};
    return std::nullopt;
  }

  // row: of a record whose identity is stored already.
  void refuse(Tx& tx, Job& job, const Arrived& one, const Error& error, std::optional<std::int64_t> row) {
    QuarantineRow kept;
    kept.device = job.topic.device;
    kept.topic = job.topic_text;
    kept.record = one.peek.id;
    kept.epoch = one.peek.epoch;
    kept.seq = one.peek.seq;
    kept.kind = one.peek.kind;
    kept.hash = one.hash;
    kept.size = one.bytes.size();
    kept.received = job.received;
    kept.error = error;
    if (may_keep_bytes(one.peek.kind)) kept.raw = one.bytes;
    tx.quarantine(kept);
    if (row) tx.refuse_record(*row, error);
    if (one.peek.id) job.receipt.bad.push_back({*one.peek.id, error.code, text_for_member(error)});
  }

  // Its seq counts when it can be told: what lies behind it must not wait for a record that will never be another.
  void refuse_unreadable(Tx& tx, Job& job, const Arrived& one, const Device& device) {
    std::optional<std::int64_t> row;
    if (one.peek.id && one.peek.seq && one.peek.epoch == job.message.epoch) {
      StoredRecord stored;
      stored.device = device.id;
      stored.town = device.town;
      stored.epoch = job.message.epoch;
      stored.id = *one.peek.id;
      stored.seq = *one.peek.seq;
      stored.kind = one.peek.kind;
      stored.at = job.received;
      stored.received = job.received;
      stored.hash = one.hash;
      const auto inserted = tx.insert_record(stored);
      if (inserted == Inserted::fresh || inserted == Inserted::same_again) row = stored.row;
    }
    refuse(tx, job, one, one.record.error(), row);
  }

  // An error here is ours and takes the whole unit back; what is wrong with the record ends in the receipt.
  Result<void> take(Tx& tx, Job& job, const Arrived& one, const KnownDevice& known, std::vector<Uuid>& fresh) {
    const auto& record = *one.record;
    StoredRecord stored;
    stored.device = known.device.id;
    stored.town = known.device.town;
    stored.epoch = record.epoch;
    stored.id = record.id;
    stored.seq = record.seq;
    stored.kind = kind_name(record.body);
    stored.actor = record.actor;
    stored.at = record.at;
    stored.received = job.received;
    stored.hash = one.hash;
    stored.bytes = one.bytes;
    bool again = false;
    switch (tx.insert_record(stored)) {
      case Inserted::same_again:
        if (!tx.refusal(stored.row)) {
          job.receipt.ok.push_back(record.id);
          return {};
        }
        // The cause may be mended: somebody is on the roll now, a category is on the list. Nothing of it was applied.
        tx.reopen_record(stored);
        again = true;
        break;
      case Inserted::id_conflict:
        refuse(tx, job, one, {ErrorCode::id_conflict, "id", to_string(record.id)}, std::nullopt);
        return {};
      case Inserted::seq_conflict:
        refuse(tx, job, one, {ErrorCode::seq_conflict, "seq", std::to_string(record.seq)}, std::nullopt);
        return {};
      case Inserted::fresh:
        break;
    }
    const auto better = retimed(tx, known.device.id, record);
    const auto& timed = better ? *better : record;
    const auto applied = apply(tx, job, timed, stored.row, known);
    if (!applied && ours(applied.error().code)) return applied;
    if (!applied) {
      refuse(tx, job, one, applied.error(), stored.row);
      return {};
    }
    if (again) {
      tx.leave_quarantine(stored.device, stored.hash);
      job.reopened = true;
    }
    // Where a task for this member should go: the device they used last by its own clock, for what comes late was
    // captured before. But never later than now, or a clock in the future would keep all tasks for ever. A status is no
    // sign of use. The town holds the member: apply() has looked.
    if (!std::holds_alternative<StatusBody>(record.body)) {
      tx.note_device(record.actor, known.device.id, std::min(timed.at, job.received));
    }
    // Heartbeats and duty are enough to know each boot by; looking at every report would cost one.
    const bool asked =
        !std::holds_alternative<ReportBody>(record.body) && !std::holds_alternative<TaskResultBody>(record.body);
    if (asked && tells_clock(tx, known.device.id, record)) {
      duty.retime(tx, known.device, record.boot, {record.at, record.mono, record.clock}, job.effects);
    }
    fresh.push_back(record.id);
    job.receipt.ok.push_back(record.id);
    return {};
  }

  Result<void> apply(Tx& tx, Job& job, const Record& record, std::int64_t row, const KnownDevice& known) {
    if (std::holds_alternative<StatusBody>(record.body)) {
      // Nobody's evidence, and its place may be of somebody off duty: nothing of it is kept but the device's row.
      tx.release_record(row, true);
      return {};
    }
    const auto member = user_of(tx, record.actor, job.received);
    if (!member || !member->active || !domain::within(known.town_path, member->org_path)) {
      return fail(ErrorCode::unknown_actor, "actor", record.actor);
    }
    if (std::holds_alternative<ReportBody>(record.body)) {
      const auto id = cases.report(tx, record, row, *member, known.device, job.effects);
      if (!id) return tl::unexpected(id.error());
      return {};
    }
    if (std::holds_alternative<TaskResultBody>(record.body)) {
      return cases.task_result(tx, record, row, *member, known.device, job.effects);
    }
    if (std::holds_alternative<SignBody>(record.body)) {
      return duty.sign(tx, record, row, *member, known.device, job.effects);
    }
    if (std::holds_alternative<PatrolBody>(record.body) &&
        !clock_awaited(tx, known.device.id, record, job.received, job.received)) {
      return duty.patrol(tx, record, row, *member, known.device, job.effects);
    }
    // A track waits for everything before it: the sign-out that ends it may come later in another lane. A patrol waits
    // for its time alone.
    tx.hold_record(row);
    unsettle(outbox_of(job));
    return {};
  }

  // ---- what waits for its seq --------------------------------------------------------------------------------------
  // Most outboxes hold nothing most of the time, and asking the store each time would be a tenth of a report's cost. An
  // outbox not known here may hold something: the server was restarted, or this was forgotten.
  struct Holds {
    std::uint64_t n = 1;  // grows with every hold, also of a unit that is rolled back
    bool settled = false;
  };
  std::mutex holds_mutex;
  std::unordered_map<std::string, Holds> holds;

  static std::string outbox_of(const Job& job) { return job.topic.device + "/" + to_string(job.message.epoch); }
  bool settled(const std::string& outbox) {
    const std::scoped_lock lock(holds_mutex);
    const auto known = holds.find(outbox);
    return known != holds.end() && known->second.settled;
  }
  void unsettle(const std::string& outbox) {
    const std::scoped_lock lock(holds_mutex);
    auto& known = holds[outbox];
    known.settled = false;
    ++known.n;
  }
  std::uint64_t hold_count(const std::string& outbox) {
    const std::scoped_lock lock(holds_mutex);
    if (holds.size() >= kTrackedDevices) holds.clear();
    return holds[outbox].n;
  }
  // Only after the commit, and only when no other unit has held something since.
  void settle(const std::string& outbox, std::uint64_t n) {
    const std::scoped_lock lock(holds_mutex);
    const auto known = holds.find(outbox);
    if (known != holds.end() && known->second.n == n) known->second.settled = true;
  }

  Result<void> apply_held(Tx& tx, Job& job, const Device& device, std::uint64_t before) {
    const auto complete = tx.contiguous_seq(device.id, job.message.epoch);
    const auto outbox = outbox_of(job);
    if (!job.reopened && (complete == before || settled(outbox))) return {};
    // In steps, so that a gap that closes after a long time does not bring all of it into memory at once.
    for (auto upto = std::min(before + kHeldStep, complete);; upto = std::min(upto + kHeldStep, complete)) {
      for (const auto& stored : tx.held_records(device.id, job.message.epoch, upto)) {
        if (auto ok_one = apply_late(tx, job, stored, device); !ok_one) return ok_one;
      }
      if (upto >= complete) break;
    }
    const auto n = hold_count(outbox);
    if (!tx.has_held(device.id, job.message.epoch)) job.settled = n;
    return {};
  }

  Result<void> apply_late(Tx& tx, Job& job, const StoredRecord& stored, const Device& device) {
    const auto record = decode_record(stored.bytes);
    const auto member = user_of(tx, stored.actor, job.received);
    if (record && clock_awaited(tx, device.id, *record, stored.received, job.received)) return {};
    if (record && member) {
      const auto better = retimed(tx, device.id, *record);
      const auto& timed = better ? *better : *record;
      Result<void> done;
      if (std::holds_alternative<TrackBody>(timed.body)) done = duty.track(tx, timed, *member, device, job.effects);
      if (std::holds_alternative<PatrolBody>(timed.body)) {
        done = duty.patrol(tx, timed, stored.row, *member, device, job.effects);
      }
      // It was receipted; what is wrong with it now is nobody's to mend.
      if (!done && ours(done.error().code)) return done;
    }
    // Of a track nothing is kept but its points on duty.
    tx.release_record(stored.row, !record || !std::holds_alternative<PatrolBody>(record->body));
    return {};
  }

  // ---- evidence ----------------------------------------------------------------------------------------------------
  // Were records flagged? A signature that is there is checked later.
  bool sign_off(Tx& tx, const Job& job, const Device& device, const std::vector<Uuid>& fresh) {
    if (fresh.empty()) return false;
    if (!job.message.signature) {
      tx.flag_records(device.id, job.message.epoch, fresh, "unsigned");
      return true;
    }
    SignatureJob check;
    check.device = device.id;
    check.epoch = job.message.epoch;
    check.records = fresh;
    check.signature = *job.message.signature;
    // All of the message, also what was there already: the signature is over all of it.
    for (const auto& one : job.records) check.hashes.push_back(one.hash);
    tx.add_signature_job(check);
    return false;
  }

  // On the writer's thread, after the commit.
  void finish(const std::shared_ptr<Job>& done, const Result<void>& result) {
    auto& job = *done;
    if (!result) return say_busy(job.topic);
    ok.fetch_add(job.receipt.ok.size(), std::memory_order_relaxed);
    bad.fetch_add(job.receipt.bad.size(), std::memory_order_relaxed);
    if (job.touched) {
      const std::scoped_lock lock(directory_mutex);
      const auto known = devices.find(job.topic.device);
      if (known != devices.end()) known->second.touched = job.received;
    }
    if (job.settled) settle(outbox_of(job), *job.settled);
    unanswered.push_back(done);
  }

  // The writer's: what is committed and not yet answered.
  std::vector<std::shared_ptr<Job>> unanswered;

  // What one transaction took from a handheld is answered together, as long as the receipt does not outgrow that of a
  // full message: a handheld that empties its outbox sends several at a time, and each receipt costs both ends, and the
  // broker, about as much as the record itself.
  //
  // Called for each unit of the transaction, of which the first finds all of them. Each ends its own: whoever waits for
  // the last may then take this away.
  void answer() {
    const Ended ended{*this};  // also when a send throws
    const auto jobs = std::exchange(unanswered, {});
    std::unordered_map<std::string_view, Job*> open;
    const auto named = [](const Receipt& receipt) { return receipt.ok.size() + receipt.bad.size(); };
    const auto send = [this](const Job& job) { services.devices.send(job.topic.town, job.topic.device, job.receipt); };
    std::vector<Job*> order;
    for (const auto& job : jobs) {
      if (job->records.empty() && !job->message.hello) continue;
      auto& before = open[job->topic_text];
      auto& receipt = job->receipt;
      if (before != nullptr && before->receipt.epoch == receipt.epoch &&
          before->receipt.generation == receipt.generation &&
          named(before->receipt) + named(receipt) <= limits::kRecordsPerMessage) {
        auto& all = before->receipt;
        all.ok.insert(all.ok.end(), receipt.ok.begin(), receipt.ok.end());
        std::ranges::move(receipt.bad, std::back_inserter(all.bad));
        all.now = std::max(all.now, receipt.now);
        all.safe = std::max(all.safe, receipt.safe);
        if (receipt.first) all.first = receipt.first;
      } else {
        before = job.get();
        order.push_back(before);
      }
    }
    for (const auto* job : order) send(*job);
    for (const auto& job : jobs) deliver(services, job->effects.live, job->outgoing);
  }

  // ---- media -------------------------------------------------------------------------------------------------------
  void media(std::string_view topic_text, const Bytes& payload) {
    const auto topic = topic_from_string(topic_text);
    if (!topic || topic->kind != TopicKind::media) {
      undecodable.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const auto piece = decode_media_piece(payload);
    if (!piece) {
      undecodable.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    pieces.fetch_add(1, std::memory_order_relaxed);
    DownMessage answer;
    try {
      answer = intake.take(*topic, *piece);
    } catch (const std::exception&) {
      // The database is lost: the device keeps the piece and comes back.
      answer = make_busy();
    }
    if (std::holds_alternative<Busy>(answer)) busy.fetch_add(1, std::memory_order_relaxed);
    services.devices.send(topic->town, topic->device, answer);
  }
};

Ingest::Ingest(Services services, Cases& cases, Duty& duty) : impl_(std::make_unique<Impl>(services, cases, duty)) {}
Ingest::~Ingest() { wait_idle(); }

void Ingest::up(std::string_view topic, Bytes payload) {
  try {
    impl_->up(topic, std::move(payload));
  } catch (const std::exception&) {
    // Out of memory, or a bug in a decoder: this message is dropped unreceipted and comes again.
    impl_->undecodable.fetch_add(1, std::memory_order_relaxed);
  }
}

void Ingest::media(std::string_view topic, Bytes payload) {
  impl_->begin();
  impl_->media(topic, payload);
  impl_->end();
}

void Ingest::wait_idle() {
  std::unique_lock lock(impl_->idle_mutex);
  impl_->idle.wait(lock, [&] { return impl_->under_way == 0; });
}

Ingest::Counts Ingest::counts() const {
  const auto& i = *impl_;
  return {i.messages, i.ok, i.bad, i.undecodable, i.busy, i.pieces};
}

}  // namespace gridward::app
