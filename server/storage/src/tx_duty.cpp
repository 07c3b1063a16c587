#include <gridward/shared/limits.hpp>

#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

template <class... Args>
std::vector<app::PunchRow> read_punches(Connection& db, const std::string& where, const Args&... args) {
  std::vector<app::PunchRow> rows;
  db.each<std::int64_t, std::string, std::string, std::optional<std::string>, std::string, std::int64_t, std::int64_t,
          std::int64_t, std::string, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::string, std::int64_t,
          std::string>(
      "SELECT p.punch, p.record, p.actor, u.name, p.device, p.act, p.at, p.received, p.boot, p.mono, p.clock_source, "
      "p.clock_error_ms, p.clock_offset_ms, p.fix, p.place, p.grid FROM punches p LEFT JOIN users u ON "
      "u.login = p.actor WHERE " +
          where + " ORDER BY p.at, p.punch",
      [&](std::int64_t punch, const std::string& record, std::string actor, std::optional<std::string> name,
          std::string device, std::int64_t act, std::int64_t at, std::int64_t received, const std::string& boot,
          std::int64_t mono, std::int64_t clock_source, std::int64_t clock_error, std::int64_t clock_offset,
          const std::string& fix, std::int64_t place, std::string grid) {
        app::PunchRow row;
        row.row = punch;
        row.record = uuid_of(record);
        row.actor = std::move(actor);
        row.actor_name = std::move(name).value_or("");
        row.device = std::move(device);
        row.act = enum_of(act, SignAct::out);
        row.at = from_unix_ms(at);
        row.received = from_unix_ms(received);
        row.boot = uuid_of(boot);
        row.mono = Millis{mono};
        row.clock = {enum_of(clock_source, ClockSource::gnss), static_cast<std::uint32_t>(clock_error), clock_offset};
        row.fix = fix_of(fix);
        row.place = enum_of(place, domain::PlaceJudgement::outside);
        row.grid = std::move(grid);
        rows.push_back(std::move(row));
      },
      args...);
  return rows;
}

template <class... Args>
std::vector<app::PatrolRow> read_patrols(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::PatrolRow> rows;
  db.each<std::string, std::string, std::string, std::int64_t, std::optional<std::int64_t>, std::string, std::string>(
      sql,
      [&](const std::string& patrol, std::string actor, std::string device, std::int64_t started,
          std::optional<std::int64_t> ended, std::string text, const std::string& checks) {
        app::PatrolRow row;
        row.patrol = uuid_of(patrol);
        row.actor = std::move(actor);
        row.device = std::move(device);
        row.started = from_unix_ms(started);
        if (ended) row.ended = from_unix_ms(*ended);
        row.text = std::move(text);
        row.checks = checks_of(checks);
        rows.push_back(std::move(row));
      },
      args...);
  return rows;
}

}  // namespace

void SqlTx::insert_punch(const app::PunchRow& punch) {
  const auto scope = db_.value<std::string>(
      "SELECT o.scope FROM users u JOIN orgs o ON o.code = u.org WHERE u.login = :l", punch.actor);
  db_.change(
      "INSERT INTO punches (record, actor, scope, device, act, at, received, boot, mono, clock_source, clock_error_ms, "
      "clock_offset_ms, fix, place, grid) VALUES (:i, :a, :s, :d, :c, :t, :r, :b, :m, :o, :e, :z, :f, :p, :g)",
      uuid_text(punch.record), punch.actor, scope.value_or(""), punch.device, static_cast<std::int64_t>(punch.act),
      to_unix_ms(punch.at), to_unix_ms(punch.received), uuid_text(punch.boot), punch.mono.count(),
      static_cast<std::int64_t>(punch.clock.source), punch.clock.error_ms, punch.clock.offset_ms, fix_text(punch.fix),
      static_cast<std::int64_t>(punch.place), punch.grid);
}

std::vector<app::PunchRow> SqlTx::punches_of(std::string_view actor, UnixMs from, UnixMs to) {
  return read_punches(db_, "p.actor = :a AND p.at >= :f AND p.at < :t", actor, to_unix_ms(from), to_unix_ms(to));
}

std::vector<app::PunchRow> SqlTx::punches_below(std::string_view path, UnixMs from, UnixMs to) {
  const Subtree range(path);
  return read_punches(db_, "p.at >= :f AND p.at < :t AND p.scope >= :s AND p.scope < :e", to_unix_ms(from),
                      to_unix_ms(to), range.from, range.to);
}

std::vector<app::PunchRow> SqlTx::unconfirmed_punches(std::string_view device, const Uuid& boot) {
  // 0 is ClockSource::local; written out, so that the index serves.
  return read_punches(db_, "p.device = :d AND p.boot = :b AND p.clock_source = 0", device, uuid_text(boot));
}

void SqlTx::time_punch(const app::PunchRow& punch) {
  db_.change(
      "UPDATE punches SET at = :t, clock_source = :s, clock_error_ms = :e, clock_offset_ms = :o WHERE punch = :p",
      to_unix_ms(punch.at), static_cast<std::int64_t>(punch.clock.source), punch.clock.error_ms, punch.clock.offset_ms,
      punch.row);
}

std::optional<ClockReading> SqlTx::clock_of(std::string_view device, const Uuid& boot) {
  std::optional<ClockReading> known;
  db_.each<std::int64_t, std::int64_t, std::int64_t, std::int64_t>(
      "SELECT at, mono, source, error_ms FROM clocks WHERE device = :d AND boot = :b",
      [&](std::int64_t at, std::int64_t mono, std::int64_t source, std::int64_t error) {
        known = ClockReading{
            from_unix_ms(at), Millis{mono}, {enum_of(source, ClockSource::gnss), static_cast<std::uint32_t>(error), 0}};
      },
      device, uuid_text(boot));
  return known;
}

void SqlTx::put_clock(std::string_view device, const Uuid& boot, const ClockReading& reading) {
  db_.change(
      "INSERT INTO clocks (device, boot, at, mono, source, error_ms) VALUES (:d, :b, :a, :m, :s, :e) "
      "ON CONFLICT (device, boot) DO UPDATE SET at = excluded.at, mono = excluded.mono, source = excluded.source, "
      "error_ms = excluded.error_ms",
      device, uuid_text(boot), to_unix_ms(reading.at), reading.mono.count(),
      static_cast<std::int64_t>(reading.quality.source), reading.quality.error_ms);
}

void SqlTx::upsert_patrol(const app::PatrolRow& patrol) {
  db_.change(
      "INSERT INTO patrols (patrol, actor, device, started, ended, text, checks) VALUES (:p, :a, :d, :s, :e, :t, :c) "
      "ON CONFLICT (patrol) DO UPDATE SET actor = excluded.actor, device = excluded.device, "
      "started = excluded.started, ended = excluded.ended, text = excluded.text, checks = excluded.checks",
      uuid_text(patrol.patrol), patrol.actor, patrol.device, to_unix_ms(patrol.started),
      patrol.ended ? std::optional(to_unix_ms(*patrol.ended)) : std::nullopt, patrol.text, checks_text(patrol.checks));
}

std::optional<app::PatrolRow> SqlTx::find_patrol(const Uuid& patrol) {
  auto rows =
      read_patrols(db_, "SELECT patrol, actor, device, started, ended, text, checks FROM patrols WHERE patrol = :p",
                   uuid_text(patrol));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::vector<app::PatrolRow> SqlTx::patrols_of(std::string_view actor, UnixMs from, UnixMs to) {
  return read_patrols(db_,
                      "SELECT patrol, actor, device, started, ended, text, checks FROM patrols "
                      "WHERE actor = :a AND started >= :f AND started < :t ORDER BY started, patrol",
                      actor, to_unix_ms(from), to_unix_ms(to));
}

void SqlTx::insert_track(const app::TrackRow& track) {
  if (track.points.empty()) return;
  const auto [first, last] = std::ranges::minmax(track.points, {}, &TrackPoint::at);
  db_.change(
      "INSERT INTO tracks (record, actor, device, patrol, first_at, last_at, points) "
      "VALUES (:r, :a, :d, :p, :f, :l, :b)",
      uuid_text(track.record), track.actor, track.device, uuid_text(track.patrol), to_unix_ms(first.at),
      to_unix_ms(last.at), to_base64(pack_track(track.points)));
}

std::vector<app::TrackRow> SqlTx::tracks_of(std::string_view actor, UnixMs from, UnixMs to) {
  std::vector<app::TrackRow> rows;
  // first_at also from below, so that the index gives a day instead of everything before it: no batch is longer.
  db_.each<std::int64_t, std::string, std::string, std::string, std::string, std::string>(
      "SELECT track, record, actor, device, patrol, points FROM tracks "
      "WHERE actor = :a AND first_at >= :s AND first_at < :t AND last_at >= :f ORDER BY first_at, track",
      [&](std::int64_t track, const std::string& record, std::string who, std::string device, const std::string& patrol,
          const std::string& points) {
        app::TrackRow row;
        row.row = track;
        row.record = uuid_of(record);
        row.actor = std::move(who);
        row.device = std::move(device);
        row.patrol = uuid_of(patrol);
        auto unpacked = unpack_track(bytes_of(points));
        if (!unpacked) unreadable("track", to_string(unpacked.error()));
        row.points = std::move(*unpacked);
        rows.push_back(std::move(row));
      },
      actor, to_unix_ms(from) - limits::kTrackSpanMs, to_unix_ms(to), to_unix_ms(from));
  return rows;
}

void SqlTx::update_track(const app::TrackRow& track) {
  if (track.points.empty()) {
    db_.change("DELETE FROM tracks WHERE track = :t", track.row);
    return;
  }
  const auto [first, last] = std::ranges::minmax(track.points, {}, &TrackPoint::at);
  db_.change("UPDATE tracks SET first_at = :f, last_at = :l, points = :b WHERE track = :t", to_unix_ms(first.at),
             to_unix_ms(last.at), to_base64(pack_track(track.points)), track.row);
}

void SqlTx::count_dropped_points(std::string_view device, std::string_view yyyymmdd, std::size_t points) {
  db_.change(
      "INSERT INTO dropped_points (device, day, points) VALUES (:d, :y, :p) "
      "ON CONFLICT (device, day) DO UPDATE SET points = dropped_points.points + excluded.points",
      device, yyyymmdd, points);
}

std::uint64_t SqlTx::dropped_points(std::string_view device) {
  // SUM of BIGINT is NUMERIC on PostgreSQL.
  return static_cast<std::uint64_t>(
      db_.value<std::int64_t>("SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM dropped_points WHERE device = :d",
                              device)
          .value_or(0));
}

}  // namespace gridward::storage
