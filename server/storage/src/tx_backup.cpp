#include <limits>
#include <map>

#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {

Uuid SqlTx::generation() {
  return uuid_of(db_.value<std::string>("SELECT generation FROM store_generation WHERE one = 1").value());
}

std::uint64_t SqlTx::backup_reach(std::string_view device, const Uuid& epoch) {
  return static_cast<std::uint64_t>(
      db_.value<std::int64_t>("SELECT safe FROM backup_reach WHERE device = :d AND epoch = :e", device,
                              uuid_text(epoch))
          .value_or(0));
}

std::vector<app::StreamReach> SqlTx::reach(std::span<const Sha256> absent) {
  // The first record of each stream that still waits for a file.
  std::map<std::int64_t, std::int64_t> waiting;
  const auto note = [&](std::int64_t stream, std::int64_t seq) {
    auto& first = waiting.try_emplace(stream, seq).first->second;
    first = std::min(first, seq);
  };
  constexpr auto kDelivered = static_cast<std::int64_t>(app::UploadState::delivered);
  constexpr auto kRefused = static_cast<std::int64_t>(app::UploadState::refused);
  db_.each<std::int64_t, std::int64_t>(
      "SELECT r.stream, MIN(r.seq) FROM media_links l JOIN records r ON r.record = l.record "
      "JOIN streams s ON s.stream = r.stream LEFT JOIN media_uploads u ON u.media = l.media AND u.device = s.device "
      "WHERE u.state IS NULL OR u.state NOT IN (:d, :f) GROUP BY r.stream",
      note, kDelivered, kRefused);
  for (const auto& sha : absent) {
    db_.each<std::int64_t, std::int64_t>(
        "SELECT r.stream, MIN(r.seq) FROM media m JOIN media_links l ON l.media = m.media "
        "JOIN records r ON r.record = l.record JOIN streams s ON s.stream = r.stream "
        "JOIN media_uploads u ON u.media = m.media AND u.device = s.device "
        "WHERE m.sha256 = :h AND u.state = :d GROUP BY r.stream",
        note, to_hex(sha), kDelivered);
  }
  db_.each<std::int64_t, std::int64_t, std::int64_t>(
      "SELECT stream, refused_code, MIN(seq) FROM records WHERE refused_code <> 0 GROUP BY stream, refused_code",
      [&](std::int64_t stream, std::int64_t code, std::int64_t seq) {
        if (app::may_be_mended(static_cast<ErrorCode>(code))) note(stream, seq);
      });
  std::vector<app::StreamReach> reach;
  db_.each<std::int64_t, std::string, std::string, std::int64_t>(
      "SELECT stream, device, epoch, contiguous FROM streams ORDER BY device, epoch",
      [&](std::int64_t stream, std::string device, const std::string& epoch, std::int64_t contiguous) {
        const auto first = waiting.find(stream);
        const auto safe = first == waiting.end() ? contiguous : std::min(contiguous, first->second - 1);
        reach.push_back({std::move(device), uuid_of(epoch), static_cast<std::uint64_t>(safe)});
      });
  return reach;
}

void SqlTx::raise_backup_reach(std::span<const app::StreamReach> reach) {
  for (const auto& stream : reach) {
    if (stream.safe == 0) continue;
    db_.change(
        "INSERT INTO backup_reach (device, epoch, safe) VALUES (:d, :e, :s) ON CONFLICT (device, epoch) "
        "DO UPDATE SET safe = excluded.safe WHERE excluded.safe > backup_reach.safe",
        stream.device, uuid_text(stream.epoch), stream.safe);
  }
}

void SqlTx::begin_generation(const Uuid& generation, std::span<const app::StreamReach> held) {
  db_.change("UPDATE store_generation SET generation = :g WHERE one = 1", uuid_text(generation));
  db_.change("DELETE FROM backup_reach");
  raise_backup_reach(held);
  db_.change("DELETE FROM sessions");
  db_.change("UPDATE devices SET handed_epoch = ''");
}

void SqlTx::prove_writable(UnixMs now) {
  db_.change("INSERT INTO counters (name, n) VALUES ('proof', :n) ON CONFLICT (name) DO UPDATE SET n = excluded.n",
             to_unix_ms(now));
}

}  // namespace gridward::storage
