#include <bit>

#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

template <class... Args>
std::vector<app::MediaRow> read_media(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::MediaRow> rows;
  db.each<std::string, std::int64_t, std::string, std::int64_t, std::string, std::string>(
      sql,
      [&](const std::string& sha, std::int64_t size, std::string type, std::int64_t status, const std::string& have,
          std::string problem) {
        app::MediaRow row;
        row.sha256 = sha256_of(sha);
        row.size = static_cast<std::uint64_t>(size);
        row.type = std::move(type);
        row.status = enum_of(status, app::MediaStatus::refused);
        row.have = ranges_of(have);
        row.problem = std::move(problem);
        rows.push_back(std::move(row));
      },
      args...);
  return rows;
}

}  // namespace

void SqlTx::expect_media(const MediaRef& media, const Uuid& record, const std::optional<Uuid>& case_id) {
  const auto sha = to_hex(media.sha256);
  auto row = state().next_media(db_);
  // The first record that names a file says its size and type.
  const auto first = db_.change(
      "INSERT INTO media (media, sha256, size, type, status, have, problem) VALUES (:m, :h, :s, :t, 0, '', '') "
      "ON CONFLICT DO NOTHING",
      row, sha, media.size, media.type);
  if (first == 0) row = db_.value<std::int64_t>("SELECT media FROM media WHERE sha256 = :h", sha).value();
  const auto record_text = uuid_text(record);
  const auto case_text = case_id ? std::optional(uuid_text(*case_id)) : std::nullopt;
  const auto linked = db_.change(
      "INSERT INTO media_links (media, record, role, case_id) VALUES (:m, :r, :o, :c) ON CONFLICT DO NOTHING", row,
      record_text, static_cast<std::int64_t>(media.role), case_text);
  if (linked == 0 && case_text) {
    db_.change("UPDATE media_links SET case_id = :c WHERE media = :m AND record = :r", *case_text, row, record_text);
  }
}

std::optional<app::MediaRow> SqlTx::find_media(const Sha256& sha) {
  auto rows =
      read_media(db_, "SELECT sha256, size, type, status, have, problem FROM media WHERE sha256 = :h", to_hex(sha));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::vector<app::MediaRow> SqlTx::case_media(const Uuid& case_id) {
  return read_media(db_,
                    "SELECT m.sha256, m.size, m.type, m.status, m.have, m.problem FROM "
                    "(SELECT media, MIN(link) AS link FROM media_links WHERE case_id = :c GROUP BY media) l "
                    "JOIN media m ON m.media = l.media ORDER BY l.link",
                    uuid_text(case_id));
}

std::vector<Uuid> SqlTx::media_cases(const Sha256& sha) {
  std::vector<Uuid> cases;
  db_.each<std::string>(
      "SELECT DISTINCT l.case_id FROM media m JOIN media_links l ON l.media = m.media "
      "WHERE m.sha256 = :h AND l.case_id IS NOT NULL ORDER BY l.case_id",
      [&](const std::string& id) { cases.push_back(uuid_of(id)); }, to_hex(sha));
  return cases;
}

bool SqlTx::device_named_media(std::string_view device, const Sha256& sha) {
  return db_
      .value<std::int64_t>(
          "SELECT 1 FROM media m JOIN media_links l ON l.media = m.media JOIN streams s ON s.device = :d "
          "JOIN records r ON r.stream = s.stream AND r.id = l.record WHERE m.sha256 = :h LIMIT 1",
          device, to_hex(sha))
      .has_value();
}

void SqlTx::update_media(const app::MediaRow& row) {
  db_.change("UPDATE media SET size = :s, type = :t, status = :a, have = :v, problem = :p WHERE sha256 = :h", row.size,
             row.type, static_cast<std::int64_t>(row.status), ranges_text(row.have), row.problem, to_hex(row.sha256));
}

std::vector<app::MediaRow> SqlTx::sealed_media(const Sha256& after, std::size_t limit) {
  return read_media(db_,
                    "SELECT sha256, size, type, status, have, problem FROM media WHERE sha256 > :a AND status >= :s "
                    "ORDER BY sha256 LIMIT :l",
                    to_hex(after), static_cast<std::int64_t>(app::MediaStatus::sealed),
                    static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000)));
}

void SqlTx::forget_pieces() {
  db_.change("UPDATE media SET status = :e, have = '' WHERE status = :p",
             static_cast<std::int64_t>(app::MediaStatus::expected),
             static_cast<std::int64_t>(app::MediaStatus::partial));
}

void SqlTx::lose_original(const Sha256& sha) {
  const auto hash = to_hex(sha);
  db_.change("UPDATE media SET status = :e, have = '', problem = '' WHERE sha256 = :h",
             static_cast<std::int64_t>(app::MediaStatus::expected), hash);
  db_.change("DELETE FROM photo_numbers WHERE media IN (SELECT media FROM media WHERE sha256 = :h)", hash);
  db_.change("DELETE FROM photo_jobs WHERE sha256 = :h", hash);
}

void SqlTx::set_photo_numbers(const Sha256& sha, const app::PhotoNumbers& numbers) {
  db_.change(
      "INSERT INTO photo_numbers (media, width, height, orientation, truncated, sharpness, brightness, likeness) "
      "SELECT media, CAST(:w AS INTEGER), CAST(:g AS INTEGER), CAST(:o AS INTEGER), CAST(:t AS INTEGER), "
      "CAST(:s AS DOUBLE PRECISION), CAST(:b AS DOUBLE PRECISION), CAST(:l AS BIGINT) FROM media WHERE sha256 = :h "
      "ON CONFLICT (media) DO UPDATE SET width = excluded.width, height = excluded.height, "
      "orientation = excluded.orientation, truncated = excluded.truncated, sharpness = excluded.sharpness, "
      "brightness = excluded.brightness, likeness = excluded.likeness",
      numbers.width, numbers.height, numbers.orientation, numbers.truncated, numbers.sharpness, numbers.brightness,
      std::bit_cast<std::int64_t>(numbers.likeness), to_hex(sha));
}

std::optional<app::PhotoNumbers> SqlTx::photo_numbers(const Sha256& sha) {
  std::optional<app::PhotoNumbers> found;
  db_.each<std::int64_t, std::int64_t, std::int64_t, std::int64_t, double, double, std::int64_t>(
      "SELECT p.width, p.height, p.orientation, p.truncated, p.sharpness, p.brightness, p.likeness FROM media m "
      "JOIN photo_numbers p ON p.media = m.media WHERE m.sha256 = :h",
      [&](std::int64_t width, std::int64_t height, std::int64_t orientation, std::int64_t truncated, double sharpness,
          double brightness, std::int64_t likeness) {
        app::PhotoNumbers numbers;
        numbers.width = static_cast<std::uint32_t>(width);
        numbers.height = static_cast<std::uint32_t>(height);
        numbers.orientation = static_cast<std::uint8_t>(orientation);
        numbers.truncated = truncated != 0;
        numbers.sharpness = sharpness;
        numbers.brightness = brightness;
        numbers.likeness = std::bit_cast<std::uint64_t>(likeness);
        found = numbers;
      },
      to_hex(sha));
  return found;
}

void SqlTx::add_photo_job(const Sha256& sha) {
  db_.change("INSERT INTO photo_jobs (sha256, attempts) VALUES (:h, 0) ON CONFLICT DO NOTHING", to_hex(sha));
}

std::vector<app::PhotoJob> SqlTx::photo_jobs(std::size_t limit) {
  std::vector<app::PhotoJob> jobs;
  // A photo that fails again and again waits behind the others.
  db_.each<std::int64_t, std::string, std::int64_t>(
      "SELECT job, sha256, attempts FROM photo_jobs ORDER BY attempts, job LIMIT :l",
      [&](std::int64_t job, const std::string& sha, std::int64_t attempts) {
        jobs.push_back({job, sha256_of(sha), static_cast<int>(attempts)});
      },
      static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000)));
  return jobs;
}

void SqlTx::retry_photo_job(std::int64_t row) {
  db_.change("UPDATE photo_jobs SET attempts = attempts + 1 WHERE job = :j", row);
}

void SqlTx::finish_photo_job(std::int64_t row) { db_.change("DELETE FROM photo_jobs WHERE job = :j", row); }

}  // namespace gridward::storage
