#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

std::string stream_key(std::string_view device, const std::string& epoch) {
  std::string key;
  key.reserve(device.size() + epoch.size() + 1);
  key += epoch;
  key += device;
  return key;
}

std::int64_t limit_number(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000));
}

// Ids or hashes one behind the other: their length is fixed.
template <class T>
std::string joined(const std::vector<T>& values) {
  Bytes all;
  for (const auto& value : values) {
    if constexpr (requires { value.bytes; }) {
      all.insert(all.end(), value.bytes.begin(), value.bytes.end());
    } else {
      all.insert(all.end(), value.begin(), value.end());
    }
  }
  return to_base64(all);
}

template <std::size_t N, class F>
void split(std::string_view text, F&& f) {
  const auto all = bytes_of(text);
  if (all.size() % N != 0) unreadable("list of fixed length", text);
  for (std::size_t i = 0; i < all.size(); i += N) f(fixed_of<N>(ByteView(all).subspan(i, N)));
}

// rest: the column `raw`, or '', and where from.
template <class... Args>
std::vector<app::QuarantineRow> read_quarantine(Connection& db, const std::string& rest, const Args&... args) {
  std::vector<app::QuarantineRow> rows;
  db.each<std::int64_t, std::string, std::string, std::optional<std::string>, std::optional<std::string>,
          std::optional<std::int64_t>, std::string, std::optional<std::string>, std::int64_t, std::int64_t,
          std::int64_t, std::int64_t, std::int64_t, std::string, std::string, std::string>(
      "SELECT quarantined, device, topic, record, epoch, seq, kind, hash, size, received, last_at, times, error_code, "
      "error_field, error_detail, " +
          rest,
      [&](std::int64_t number, std::string device, std::string topic, const std::optional<std::string>& record,
          const std::optional<std::string>& epoch, std::optional<std::int64_t> seq, std::string kind,
          const std::optional<std::string>& hash, std::int64_t size, std::int64_t received, std::int64_t last,
          std::int64_t times, std::int64_t code, std::string field, std::string detail, const std::string& raw) {
        app::QuarantineRow row;
        row.row = number;
        row.device = std::move(device);
        row.topic = std::move(topic);
        if (record) row.record = uuid_of(*record);
        if (epoch) row.epoch = uuid_of(*epoch);
        if (seq) row.seq = static_cast<std::uint64_t>(*seq);
        row.kind = std::move(kind);
        if (hash) row.hash = sha256_of(*hash);
        row.size = static_cast<std::size_t>(size);
        row.received = from_unix_ms(received);
        row.last = from_unix_ms(last);
        row.times = static_cast<std::uint64_t>(times);
        row.error = {static_cast<ErrorCode>(code), std::move(field), std::move(detail)};
        row.raw = bytes_of(raw);
        rows.push_back(std::move(row));
      },
      args...);
  return rows;
}

// ",a,b,"
std::vector<std::string> flag_words(std::string_view flags) {
  std::vector<std::string> words;
  while (!flags.empty()) {
    const auto end = std::min(flags.find(','), flags.size());
    if (end > 0) words.emplace_back(flags.substr(0, end));
    flags.remove_prefix(std::min(end + 1, flags.size()));
  }
  return words;
}

}  // namespace

std::optional<StreamState> SqlTx::stream_row(std::string_view device, const std::string& epoch) {
  std::optional<StreamState> found;
  db_.each<std::int64_t, std::int64_t, std::int64_t>(
      "SELECT stream, contiguous, newest FROM streams WHERE device = :d AND epoch = :e",
      [&](std::int64_t stream, std::int64_t contiguous, std::int64_t newest) {
        found = StreamState{stream, static_cast<std::uint64_t>(contiguous), static_cast<std::uint64_t>(newest)};
      },
      device, epoch);
  return found;
}

StreamState SqlTx::stream_for_writing(const std::string& key, std::string_view device, const std::string& epoch) {
  if (const auto* known = state().find_stream(key)) return *known;
  auto stream = stream_row(device, epoch);
  if (!stream) {
    const auto made = db_.value<std::int64_t>(
        "INSERT INTO streams (device, epoch, contiguous, newest) VALUES (:d, :e, 0, 0) RETURNING stream", device,
        epoch);
    stream = StreamState{made.value(), 0, 0};
  }
  state().set_stream(key, *stream, false);
  return *stream;
}

app::Inserted SqlTx::insert_record(app::StoredRecord& record) {
  const auto epoch = uuid_text(record.epoch);
  const auto key = stream_key(record.device, epoch);
  auto stream = stream_for_writing(key, record.device, epoch);
  const auto id = uuid_text(record.id);
  const auto hash = to_hex(record.hash);
  const auto row = state().next_record(db_);
  const auto inserted = db_.change(
      "INSERT INTO records (record, stream, id, seq, town, kind, actor, at, received, hash, bytes) "
      "VALUES (:w, :s, :i, :q, :t, :k, :a, :at, :r, :h, :b) ON CONFLICT DO NOTHING",
      row, stream.stream, id, record.seq, record.town, record.kind, record.actor, to_unix_ms(record.at),
      to_unix_ms(record.received), hash, to_base64(record.bytes));
  if (inserted == 0) {
    app::Inserted result = app::Inserted::seq_conflict;
    db_.each<std::int64_t, std::string>(
        "SELECT record, hash FROM records WHERE stream = :s AND id = :i",
        [&](std::int64_t there, const std::string& there_hash) {
          record.row = there;
          result = there_hash == hash ? app::Inserted::same_again : app::Inserted::id_conflict;
        },
        stream.stream, id);
    return result;
  }
  record.row = row;

  stream.newest = std::max(stream.newest, record.seq);
  if (record.seq == stream.contiguous + 1) {
    stream.contiguous = record.seq;
    // Behind a gap that closes now, what came earlier counts too; each record is passed once in its life.
    while (stream.contiguous < stream.newest) {
      const auto before = stream.contiguous;
      bool gap = false;
      db_.each<std::int64_t>(
          "SELECT seq FROM records WHERE stream = :s AND seq > :c AND seq <= :e ORDER BY seq",
          [&](std::int64_t seq) {
            gap = gap || static_cast<std::uint64_t>(seq) != stream.contiguous + 1;
            if (!gap) stream.contiguous = static_cast<std::uint64_t>(seq);
          },
          // One row when the gap is still open at its other end, more and more when it is not.
          stream.stream, before, before + 1 + std::min<std::uint64_t>(before - record.seq, 255));
      if (stream.contiguous == before) break;
    }
  }
  state().set_stream(key, stream, true);
  return app::Inserted::fresh;
}

std::optional<std::int64_t> SqlTx::stream_of(std::string_view device, const Uuid& epoch) {
  const auto epoch_text = uuid_text(epoch);
  if (state_ != nullptr) {
    if (const auto* known = state_->find_stream(stream_key(device, epoch_text))) return known->stream;
  }
  const auto stream = stream_row(device, epoch_text);
  return stream ? std::optional(stream->stream) : std::nullopt;
}

std::uint64_t SqlTx::contiguous_seq(std::string_view device, const Uuid& epoch) {
  const auto epoch_text = uuid_text(epoch);
  if (state_ != nullptr) {
    if (const auto* known = state_->find_stream(stream_key(device, epoch_text))) return known->contiguous;
  }
  const auto stream = stream_row(device, epoch_text);
  return stream ? stream->contiguous : 0;
}

void SqlTx::hold_record(std::int64_t row) { db_.change("UPDATE records SET held = 1 WHERE record = :r", row); }

std::vector<app::StoredRecord> SqlTx::held_records(std::string_view device, const Uuid& epoch, std::uint64_t seq) {
  std::vector<app::StoredRecord> records;
  const auto upto = static_cast<std::int64_t>(std::min<std::uint64_t>(seq, INT64_MAX));
  const auto add = [&](std::int64_t row, const std::string& id, std::int64_t number, std::string town, std::string kind,
                       std::string actor, std::int64_t at, std::int64_t received, const std::string& hash,
                       const std::string& bytes) {
    app::StoredRecord record;
    record.row = row;
    record.device = device;
    record.town = std::move(town);
    record.epoch = epoch;
    record.id = uuid_of(id);
    record.seq = static_cast<std::uint64_t>(number);
    record.kind = std::move(kind);
    record.actor = std::move(actor);
    record.at = from_unix_ms(at);
    record.received = from_unix_ms(received);
    record.hash = sha256_of(hash);
    record.bytes = bytes_of(bytes);
    records.push_back(std::move(record));
  };
  const auto stream = stream_of(device, epoch);
  if (!stream) return records;
  db_.each<std::int64_t, std::string, std::int64_t, std::string, std::string, std::string, std::int64_t, std::int64_t,
           std::string, std::string>(
      "SELECT record, id, seq, town, kind, actor, at, received, hash, bytes FROM records "
      "WHERE stream = :s AND held = 1 AND seq <= :q ORDER BY seq",
      add, *stream, upto);
  return records;
}

bool SqlTx::has_held(std::string_view device, const Uuid& epoch) {
  const auto stream = stream_of(device, epoch);
  return stream &&
         db_.value<std::int64_t>("SELECT 1 FROM records WHERE stream = :s AND held = 1 LIMIT 1", *stream).has_value();
}

void SqlTx::release_record(std::int64_t row, bool forget_bytes) {
  if (forget_bytes) {
    db_.change("UPDATE records SET held = 0, forgotten = 1, bytes = '' WHERE record = :r", row);
  } else {
    db_.change("UPDATE records SET held = 0 WHERE record = :r AND held = 1", row);
  }
}

void SqlTx::refuse_record(std::int64_t row, const Error& error) {
  db_.change(
      "UPDATE records SET held = 0, bytes = '', refused_code = :c, refused_field = :f, refused_detail = :d "
      "WHERE record = :r",
      static_cast<std::int64_t>(error.code), error.field, error.detail, row);
}

std::optional<Error> SqlTx::refusal(std::int64_t row) {
  std::optional<Error> found;
  db_.each<std::int64_t, std::string, std::string>(
      "SELECT refused_code, refused_field, refused_detail FROM records WHERE record = :r AND refused_code <> 0",
      [&](std::int64_t code, std::string field, std::string detail) {
        found = Error{static_cast<ErrorCode>(code), std::move(field), std::move(detail)};
      },
      row);
  return found;
}

void SqlTx::reopen_record(const app::StoredRecord& record) {
  db_.change(
      "UPDATE records SET kind = :k, actor = :a, at = :t, bytes = :b, forgotten = 0, refused_code = 0, "
      "refused_field = '', refused_detail = '' WHERE record = :r",
      record.kind, record.actor, to_unix_ms(record.at), to_base64(record.bytes), record.row);
}

void SqlTx::flag_records(std::string_view device, const Uuid& epoch, std::span<const Uuid> records,
                         std::string_view flag) {
  const auto stream = stream_row(device, uuid_text(epoch));
  if (!stream) return;
  // ",a,b,": a flag is there once.
  const std::string word = "," + std::string(flag) + ",";
  for (const auto& id : records) {
    const auto id_text = uuid_text(id);
    const auto flags =
        db_.value<std::string>("SELECT flags FROM records WHERE stream = :s AND id = :i", stream->stream, id_text);
    if (!flags || flags->find(word) != std::string::npos) continue;
    db_.change("UPDATE records SET flags = :f WHERE stream = :s AND id = :i",
               flags->empty() ? word : *flags + word.substr(1), stream->stream, id_text);
  }
}

void SqlTx::quarantine(const app::QuarantineRow& row) {
  const auto hash = to_hex(row.hash);
  const auto now = to_unix_ms(row.received);
  const auto code = static_cast<std::int64_t>(row.error.code);
  const auto again = db_.change(
      "UPDATE quarantine SET times = times + 1, last_at = :t, topic = :o, error_code = :c, error_field = :f, "
      "error_detail = :x WHERE device = :d AND hash = :h",
      now, row.topic, code, row.error.field, row.error.detail, row.device, hash);
  if (again > 0) return;
  std::size_t rows = 0;
  std::size_t kept = 0;
  // Of one device there are no more rows than the budget has.
  db_.each<std::int64_t, std::int64_t>(
      "SELECT COUNT(*), CAST(COALESCE(SUM(kept), 0) AS BIGINT) FROM quarantine WHERE device = :d",
      [&](std::int64_t count, std::int64_t bytes) {
        rows = static_cast<std::size_t>(count);
        kept = static_cast<std::size_t>(bytes);
      },
      row.device);
  const bool row_fits = rows < app::kQuarantineRows;
  const bool bytes_fit = kept + row.raw.size() <= app::kQuarantineBytes;
  if (!row_fits || !bytes_fit) {
    db_.change(
        "INSERT INTO quarantine_overflow (device, records, bytes, last_at) VALUES (:d, 1, :b, :t) "
        "ON CONFLICT (device) DO UPDATE SET records = quarantine_overflow.records + 1, "
        "bytes = quarantine_overflow.bytes + excluded.bytes, last_at = excluded.last_at",
        row.device, row.raw.size(), now);
  }
  if (!row_fits) return;
  const Bytes none;
  const auto& raw = bytes_fit ? row.raw : none;
  db_.change(
      "INSERT INTO quarantine (device, topic, record, epoch, seq, kind, hash, size, kept, received, last_at, "
      "error_code, error_field, error_detail, raw) "
      "VALUES (:d, :o, :r, :e, :q, :k, :h, :s, :n, :t, :l, :c, :f, :x, :b)",
      row.device, row.topic, row.record ? std::optional(uuid_text(*row.record)) : std::nullopt,
      row.epoch ? std::optional(uuid_text(*row.epoch)) : std::nullopt, row.seq, row.kind, hash, row.size, raw.size(),
      now, now, code, row.error.field, row.error.detail, to_base64(raw));
}

void SqlTx::leave_quarantine(std::string_view device, const Sha256& hash) {
  db_.change("DELETE FROM quarantine WHERE device = :d AND hash = :h", device, to_hex(hash));
}

std::vector<app::QuarantineRow> SqlTx::quarantined(std::size_t limit) {
  return read_quarantine(db_, "raw FROM quarantine ORDER BY quarantined DESC LIMIT :l", limit_number(limit));
}

std::vector<app::QuarantineRow> SqlTx::quarantined_of(std::string_view device, std::size_t limit) {
  return read_quarantine(db_, "'' FROM quarantine WHERE device = :d ORDER BY last_at DESC, quarantined DESC LIMIT :l",
                         device, limit_number(limit));
}

std::map<std::string, app::QuarantineCounts> SqlTx::quarantine_counts(std::string_view path) {
  const Subtree range(path);
  std::map<std::string, app::QuarantineCounts> counts;
  db_.each<std::string, std::int64_t, std::int64_t>(
      "SELECT q.device, COUNT(*), CAST(SUM(q.kept) AS BIGINT) FROM orgs o JOIN devices d ON d.town = o.code "
      "JOIN quarantine q ON q.device = d.id WHERE o.scope >= :f AND o.scope < :t GROUP BY q.device",
      [&](const std::string& device, std::int64_t rows, std::int64_t bytes) {
        counts[device].rows = static_cast<std::uint64_t>(rows);
        counts[device].bytes = static_cast<std::uint64_t>(bytes);
      },
      range.from, range.to);
  db_.each<std::string, std::int64_t, std::int64_t>(
      "SELECT q.device, q.records, q.bytes FROM orgs o JOIN devices d ON d.town = o.code "
      "JOIN quarantine_overflow q ON q.device = d.id WHERE o.scope >= :f AND o.scope < :t",
      [&](const std::string& device, std::int64_t records, std::int64_t bytes) {
        counts[device].overflow = static_cast<std::uint64_t>(records);
        counts[device].overflow_bytes = static_cast<std::uint64_t>(bytes);
      },
      range.from, range.to);
  return counts;
}

std::map<std::string, app::FlagCounts> SqlTx::flag_counts(std::string_view path) {
  const Subtree range(path);
  std::map<std::string, app::FlagCounts> counts;
  db_.each<std::string, std::int64_t, std::int64_t>(
      "SELECT s.device, COUNT(*), MAX(r.received) FROM orgs o JOIN devices d ON d.town = o.code "
      "JOIN streams s ON s.device = d.id JOIN records r ON r.stream = s.stream AND r.flags <> '' "
      "WHERE o.scope >= :f AND o.scope < :t GROUP BY s.device",
      [&](const std::string& device, std::int64_t records, std::int64_t last) {
        counts[device] = {static_cast<std::uint64_t>(records), from_unix_ms(last)};
      },
      range.from, range.to);
  return counts;
}

std::vector<app::FlaggedRecord> SqlTx::flagged(std::string_view device, std::size_t limit) {
  std::vector<app::FlaggedRecord> records;
  db_.each<std::string, std::int64_t, std::string, std::int64_t, std::int64_t, std::string>(
      "SELECT r.id, r.seq, r.kind, r.at, r.received, r.flags FROM streams s "
      "JOIN records r ON r.stream = s.stream AND r.flags <> '' WHERE s.device = :d "
      "ORDER BY r.received DESC, r.record DESC LIMIT :l",
      [&](const std::string& id, std::int64_t seq, std::string kind, std::int64_t at, std::int64_t received,
          const std::string& flags) {
        records.push_back({uuid_of(id), static_cast<std::uint64_t>(seq), std::move(kind), from_unix_ms(at),
                           from_unix_ms(received), flag_words(flags)});
      },
      device, limit_number(limit));
  return records;
}

void SqlTx::add_signature_job(const app::SignatureJob& job) {
  db_.change("INSERT INTO signature_jobs (device, epoch, records, hashes, signature) VALUES (:d, :e, :r, :h, :s)",
             job.device, uuid_text(job.epoch), joined(job.records), joined(job.hashes), to_base64(job.signature));
}

std::vector<app::SignatureJob> SqlTx::signature_jobs(std::size_t limit) {
  std::vector<app::SignatureJob> jobs;
  db_.each<std::int64_t, std::string, std::string, std::string, std::string, std::string>(
      "SELECT job, device, epoch, records, hashes, signature FROM signature_jobs ORDER BY job LIMIT :l",
      [&](std::int64_t number, std::string device, const std::string& epoch, const std::string& records,
          const std::string& hashes, const std::string& signature) {
        app::SignatureJob job;
        job.row = number;
        job.device = std::move(device);
        job.epoch = uuid_of(epoch);
        split<16>(records, [&](const auto& id) { job.records.push_back(Uuid{id}); });
        split<32>(hashes, [&](const auto& hash) { job.hashes.push_back(hash); });
        job.signature = fixed_of<64>(bytes_of(signature));
        jobs.push_back(std::move(job));
      },
      limit_number(limit));
  return jobs;
}

void SqlTx::finish_signature_job(std::int64_t row) { db_.change("DELETE FROM signature_jobs WHERE job = :j", row); }

}  // namespace gridward::storage
