#include <bit>
#include <map>

#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

template <class... Args>
std::vector<app::MediaRow> read_media(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::MediaRow> rows;
  db.each<std::string, std::int64_t, std::string, std::int64_t, std::string>(
      sql,
      [&](const std::string& sha, std::int64_t size, std::string type, std::int64_t status, std::string problem) {
        rows.push_back({sha256_of(sha), static_cast<std::uint64_t>(size), std::move(type),
                        enum_of(status, app::MediaStatus::refused), std::move(problem)});
      },
      args...);
  return rows;
}

std::uint64_t bytes_in(const std::vector<ByteRange>& ranges) {
  std::uint64_t bytes = 0;
  for (const auto& range : ranges) bytes += range.length;
  return bytes;
}

constexpr auto kDelivered = static_cast<std::int64_t>(app::UploadState::delivered);

}  // namespace

void SqlTx::expect_media(const MediaRef& media, std::int64_t record, const std::optional<Uuid>& case_id) {
  const auto sha = to_hex(media.sha256);
  auto row = state().next_media(db_);
  const auto first = db_.change(
      "INSERT INTO media (media, sha256, size, type, status, problem) VALUES (:m, :h, :s, :t, 0, '') "
      "ON CONFLICT DO NOTHING",
      row, sha, media.size, media.type);
  if (first == 0) row = db_.value<std::int64_t>("SELECT media FROM media WHERE sha256 = :h", sha).value();
  // A record may name a file twice, in two roles: it is one file.
  db_.change(
      "INSERT INTO media_links (media, record, role, size, type, case_id) VALUES (:m, :r, :o, :s, :t, :c) "
      "ON CONFLICT DO NOTHING",
      row, record, static_cast<std::int64_t>(media.role), media.size, media.type,
      case_id ? std::optional(uuid_text(*case_id)) : std::nullopt);
  if (first == 0 && case_id) {
    db_.change(
        "INSERT INTO likeness_jobs (media, late, attempts) SELECT media, 0, 0 FROM media "
        "WHERE media = :m AND status = :s ON CONFLICT (media) DO NOTHING",
        row, static_cast<std::int64_t>(app::MediaStatus::derived));
  }
}

std::optional<app::MediaRow> SqlTx::find_media(const Sha256& sha) {
  auto rows = read_media(db_, "SELECT sha256, size, type, status, problem FROM media WHERE sha256 = :h", to_hex(sha));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::vector<app::CaseMedia> SqlTx::case_media(const Uuid& case_id) {
  std::vector<app::CaseMedia> files;
  std::map<Sha256, std::size_t> places;
  db_.each<std::string, std::int64_t, std::string, std::int64_t, std::string, std::int64_t, std::string,
           std::optional<std::int64_t>, std::optional<std::string>>(
      "SELECT m.sha256, m.size, m.type, m.status, m.problem, l.size, l.type, u.state, u.have FROM media_links l "
      "JOIN media m ON m.media = l.media JOIN records r ON r.record = l.record "
      "JOIN streams s ON s.stream = r.stream LEFT JOIN media_uploads u ON u.media = l.media AND u.device = s.device "
      "WHERE l.case_id = :c ORDER BY l.link",
      [&](const std::string& hex, std::int64_t size, std::string type, std::int64_t status, std::string problem,
          std::int64_t named_size, std::string named_type, std::optional<std::int64_t> upload,
          const std::optional<std::string>& have) {
        app::CaseMedia file;
        file.file.sha256 = sha256_of(hex);
        const auto state = enum_of(upload.value_or(0), app::UploadState::refused);
        if (state == app::UploadState::delivered) {
          file.file.size = static_cast<std::uint64_t>(size);
          file.file.type = std::move(type);
          file.file.status = enum_of(status, app::MediaStatus::refused);
          file.file.problem = std::move(problem);
          file.have = file.file.size;
        } else {
          file.file.size = static_cast<std::uint64_t>(named_size);
          file.file.type = std::move(named_type);
          file.have = bytes_in(ranges_of(have.value_or("")));
          file.file.status = file.have > 0 ? app::MediaStatus::partial : app::MediaStatus::expected;
          if (state == app::UploadState::refused) {
            file.file.status = app::MediaStatus::refused;
            file.file.problem = to_string(Error{ErrorCode::media_hash_mismatch, "sha256", {}});
          }
        }
        const auto [place, fresh] = places.try_emplace(file.file.sha256, files.size());
        if (fresh) {
          files.push_back(std::move(file));
        } else if (state == app::UploadState::delivered) {
          files[place->second] = std::move(file);
        }
      },
      uuid_text(case_id));
  return files;
}

std::vector<Uuid> SqlTx::media_cases(const Sha256& sha) {
  std::vector<Uuid> cases;
  db_.each<std::string>(
      "SELECT DISTINCT l.case_id FROM media m JOIN media_links l ON l.media = m.media "
      "JOIN records r ON r.record = l.record JOIN streams s ON s.stream = r.stream "
      "JOIN media_uploads u ON u.media = m.media AND u.device = s.device "
      "WHERE m.sha256 = :h AND l.case_id IS NOT NULL AND u.state = :d ORDER BY l.case_id",
      [&](const std::string& id) { cases.push_back(uuid_of(id)); }, to_hex(sha), kDelivered);
  return cases;
}

std::optional<app::Upload> SqlTx::find_upload(std::string_view device, const Sha256& sha) {
  std::optional<app::Upload> found;
  // The first record that names it says its size and type.
  db_.each<std::int64_t, std::string, std::optional<std::int64_t>, std::optional<std::string>>(
      "SELECT l.size, l.type, u.state, u.have FROM media m JOIN media_links l ON l.media = m.media "
      "JOIN records r ON r.record = l.record JOIN streams s ON s.stream = r.stream "
      "LEFT JOIN media_uploads u ON u.media = m.media AND u.device = s.device "
      "WHERE m.sha256 = :h AND s.device = :d ORDER BY l.link LIMIT 1",
      [&](std::int64_t size, std::string type, std::optional<std::int64_t> state,
          const std::optional<std::string>& have) {
        found = app::Upload{static_cast<std::uint64_t>(size), std::move(type),
                            enum_of(state.value_or(0), app::UploadState::refused), ranges_of(have.value_or(""))};
      },
      to_hex(sha), device);
  return found;
}

void SqlTx::set_upload(std::string_view device, const Sha256& sha, app::UploadState state,
                       const std::vector<ByteRange>& have) {
  db_.change(
      "INSERT INTO media_uploads (media, device, state, have) SELECT media, CAST(:d AS TEXT), CAST(:s AS INTEGER), "
      "CAST(:v AS TEXT) FROM media WHERE sha256 = :h "
      "ON CONFLICT (media, device) DO UPDATE SET state = excluded.state, have = excluded.have",
      device, static_cast<std::int64_t>(state), ranges_text(have), to_hex(sha));
}

void SqlTx::update_media(const app::MediaRow& row) {
  db_.change("UPDATE media SET size = :s, type = :t, status = :a, problem = :p WHERE sha256 = :h", row.size, row.type,
             static_cast<std::int64_t>(row.status), row.problem, to_hex(row.sha256));
}

std::vector<app::MediaRow> SqlTx::sealed_media(const Sha256& after, std::size_t limit) {
  return read_media(db_,
                    "SELECT sha256, size, type, status, problem FROM media WHERE sha256 > :a AND status >= :s "
                    "ORDER BY sha256 LIMIT :l",
                    to_hex(after), static_cast<std::int64_t>(app::MediaStatus::sealed),
                    static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000)));
}

void SqlTx::forget_pieces() {
  db_.change("UPDATE media_uploads SET have = '' WHERE state <> :d AND have <> ''", kDelivered);
}

void SqlTx::lose_original(const Sha256& sha) {
  const auto hash = to_hex(sha);
  db_.change("UPDATE media SET status = :e, problem = '' WHERE sha256 = :h",
             static_cast<std::int64_t>(app::MediaStatus::expected), hash);
  for (const char* sql : {"DELETE FROM media_uploads WHERE media IN (SELECT media FROM media WHERE sha256 = :h)",
                          "DELETE FROM photo_numbers WHERE media IN (SELECT media FROM media WHERE sha256 = :h)",
                          "DELETE FROM photo_keys WHERE media IN (SELECT media FROM media WHERE sha256 = :h)",
                          "DELETE FROM likeness_jobs WHERE media IN (SELECT media FROM media WHERE sha256 = :h)",
                          "DELETE FROM photo_jobs WHERE sha256 = :h"}) {
    db_.change(sql, hash);
  }
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
