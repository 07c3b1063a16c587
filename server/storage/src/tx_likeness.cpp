#include <algorithm>

#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

constexpr auto kDelivered = static_cast<std::int64_t>(app::UploadState::delivered);
constexpr auto kDerived = static_cast<std::int64_t>(app::MediaStatus::derived);
// What this many photos have in common tells none of them: it is not searched by.
constexpr std::int64_t kMostOfOneMark = 256;

std::int64_t as_limit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000));
}

template <class... Args>
std::vector<app::PhotoUse> read_uses(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::PhotoUse> uses;
  db.each<std::string, std::string, std::int64_t, std::int64_t, std::int64_t>(
      sql,
      [&](const std::string& sha, const std::string& case_id, std::int64_t link, std::int64_t record,
          std::int64_t role) {
        uses.push_back({sha256_of(sha), uuid_of(case_id), link, record, enum_of(role, MediaRole::scan)});
      },
      args...);
  return uses;
}

}  // namespace

void SqlTx::add_likeness_job(const Sha256& sha) {
  // Again from the first try, and before what is late.
  db_.change(
      "INSERT INTO likeness_jobs (media, late, attempts) SELECT media, 0, 0 FROM media WHERE sha256 = :h "
      "ON CONFLICT (media) DO UPDATE SET late = 0, attempts = 0",
      to_hex(sha));
}

std::vector<app::LikenessJob> SqlTx::likeness_jobs(std::size_t limit) {
  std::vector<app::LikenessJob> jobs;
  db_.each<std::string, std::int64_t>(
      "SELECT m.sha256, j.attempts FROM likeness_jobs j JOIN media m ON m.media = j.media "
      "ORDER BY j.attempts, j.late, j.media LIMIT :l",
      [&](const std::string& sha, std::int64_t attempts) {
        jobs.push_back({sha256_of(sha), static_cast<int>(attempts)});
      },
      as_limit(limit));
  return jobs;
}

void SqlTx::retry_likeness_job(const Sha256& sha) {
  db_.change(
      "UPDATE likeness_jobs SET attempts = attempts + 1 WHERE media IN (SELECT media FROM media WHERE sha256 = :h)",
      to_hex(sha));
}

void SqlTx::finish_likeness_job(const Sha256& sha) {
  db_.change("DELETE FROM likeness_jobs WHERE media IN (SELECT media FROM media WHERE sha256 = :h)", to_hex(sha));
}

void SqlTx::set_photo_keys(const Sha256& sha, std::span<const std::int64_t> keys) {
  const auto media = db_.value<std::int64_t>("SELECT media FROM media WHERE sha256 = :h", to_hex(sha));
  if (!media) return;
  db_.change("DELETE FROM photo_keys WHERE media = :m", *media);
  for (const auto key : keys) {
    // One more than is searched by, so that a search sees that it is too many.
    db_.change(
        "INSERT INTO photo_keys (mark, media) SELECT CAST(:k AS BIGINT), CAST(:m AS BIGINT) "
        "WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM photo_keys WHERE mark = :n LIMIT :l) few) < :o "
        "ON CONFLICT DO NOTHING",
        key, *media, key, kMostOfOneMark, kMostOfOneMark);
  }
}

std::vector<Sha256> SqlTx::alike_photos(std::span<const std::int64_t> keys, const Sha256& without, std::size_t limit) {
  // A statement a key: each reads a range of the index, and a mark has at most kMostOfOneMark rows.
  std::map<std::int64_t, int> shared;
  for (const auto key : keys) {
    db_.each<std::int64_t>(
        "SELECT media FROM photo_keys WHERE mark = :k", [&](std::int64_t media) { ++shared[media]; }, key);
  }
  std::vector<std::pair<std::int64_t, int>> order(shared.begin(), shared.end());
  // By how much they share; the oldest first among equals.
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<Sha256> photos;
  for (const auto& [media, count] : order) {
    if (photos.size() == limit) break;
    const auto sha =
        db_.value<std::string>("SELECT sha256 FROM media WHERE media = :m AND status = :s", media, kDerived);
    if (sha && sha256_of(*sha) != without) photos.push_back(sha256_of(*sha));
  }
  return photos;
}

std::vector<app::PhotoUse> SqlTx::photo_uses(const Sha256& sha) {
  return read_uses(db_,
                   "SELECT m.sha256, l.case_id, l.link, l.record, l.role FROM media m "
                   "JOIN media_links l ON l.media = m.media JOIN records r ON r.record = l.record "
                   "JOIN streams s ON s.stream = r.stream "
                   "JOIN media_uploads u ON u.media = m.media AND u.device = s.device "
                   "WHERE m.sha256 = :h AND l.case_id IS NOT NULL AND u.state = :d AND m.status = :a ORDER BY l.link",
                   to_hex(sha), kDelivered, kDerived);
}

std::vector<app::PhotoUse> SqlTx::case_photos(const Uuid& case_id) {
  return read_uses(db_,
                   "SELECT m.sha256, l.case_id, l.link, l.record, l.role FROM media_links l "
                   "JOIN media m ON m.media = l.media JOIN records r ON r.record = l.record "
                   "JOIN streams s ON s.stream = r.stream "
                   "JOIN media_uploads u ON u.media = m.media AND u.device = s.device "
                   "WHERE l.case_id = :c AND u.state = :d AND m.status = :a ORDER BY l.link",
                   uuid_text(case_id), kDelivered, kDerived);
}

bool SqlTx::put_finding(const app::LikenessFinding& finding) {
  const auto other = finding.other ? std::optional(to_hex(*finding.other)) : std::nullopt;
  const auto other_case = finding.other_case ? std::optional(uuid_text(*finding.other_case)) : std::nullopt;
  // Said before with the same: nothing changed, and its time stays.
  return db_.change(
             "INSERT INTO likeness_findings (case_id, media, kind, score, other, other_case, made_at) "
             "SELECT CAST(:c AS TEXT), m.media, CAST(:k AS INTEGER), CAST(:s AS INTEGER), "
             "(SELECT o.media FROM media o WHERE o.sha256 = :o), CAST(:p AS TEXT), CAST(:t AS BIGINT) "
             "FROM media m WHERE m.sha256 = :h "
             "ON CONFLICT (case_id, media, kind) DO UPDATE SET score = excluded.score, other = excluded.other, "
             "other_case = excluded.other_case, made_at = excluded.made_at "
             "WHERE likeness_findings.score <> excluded.score "
             "OR COALESCE(likeness_findings.other, 0) <> COALESCE(excluded.other, 0) "
             "OR COALESCE(likeness_findings.other_case, '') <> COALESCE(excluded.other_case, '')",
             uuid_text(finding.case_id), static_cast<std::int64_t>(finding.kind), finding.score, other, other_case,
             to_unix_ms(finding.made_at), to_hex(finding.sha256)) > 0;
}

bool SqlTx::remove_finding(const Uuid& case_id, const Sha256& sha, domain::LikenessKind kind) {
  return db_.change(
             "DELETE FROM likeness_findings WHERE case_id = :c AND kind = :k "
             "AND media IN (SELECT media FROM media WHERE sha256 = :h)",
             uuid_text(case_id), static_cast<std::int64_t>(kind), to_hex(sha)) > 0;
}

std::vector<app::LikenessFinding> SqlTx::case_findings(const Uuid& case_id) {
  std::vector<app::LikenessFinding> findings;
  db_.each<std::string, std::int64_t, std::int64_t, std::optional<std::string>, std::optional<std::string>,
           std::int64_t>(
      "SELECT m.sha256, f.kind, f.score, o.sha256, f.other_case, f.made_at FROM likeness_findings f "
      "JOIN media m ON m.media = f.media LEFT JOIN media o ON o.media = f.other "
      "WHERE f.case_id = :c ORDER BY f.media, f.kind",
      [&](const std::string& sha, std::int64_t kind, std::int64_t score, const std::optional<std::string>& other,
          const std::optional<std::string>& other_case, std::int64_t made_at) {
        app::LikenessFinding finding;
        finding.case_id = case_id;
        finding.sha256 = sha256_of(sha);
        finding.kind = enum_of(kind, domain::LikenessKind::same_place);
        finding.score = static_cast<std::uint32_t>(score);
        if (other) finding.other = sha256_of(*other);
        if (other_case) finding.other_case = uuid_of(*other_case);
        finding.made_at = from_unix_ms(made_at);
        findings.push_back(std::move(finding));
      },
      uuid_text(case_id));
  return findings;
}

}  // namespace gridward::storage
