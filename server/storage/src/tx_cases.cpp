#include <algorithm>
#include <utility>

#include "case_row.hpp"
#include "chain.hpp"
#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

std::optional<std::int64_t> ms_of(const std::optional<UnixMs>& at) {
  return at ? std::optional(to_unix_ms(*at)) : std::nullopt;
}

std::vector<std::pair<std::string, bool>> units_of(const domain::CaseRecord& record) {
  std::map<std::string, bool> units;
  for (const auto& unit : record.assisting_units) units.emplace(unit, false);
  if (!record.unit.empty()) units[record.unit] = true;
  return {units.begin(), units.end()};
}

// When it is open and past a due.
std::optional<std::int64_t> overdue_at(const domain::CaseRecord& record) {
  return record.overdue() && !record.ends ? ms_of(record.due_at()) : std::nullopt;
}

}  // namespace

std::string SqlTx::next_case_number(std::string_view town, std::string_view yyyymmdd) {
  const auto n = count_up("case/" + std::string(town) + "/" + std::string(yyyymmdd));
  auto digits = std::to_string(n);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return std::string(town) + "-" + std::string(yyyymmdd) + "-" + digits;
}

void SqlTx::count_by(const std::string& scope, const Counted& counted, std::int64_t by) {
  db_.change(
      "INSERT INTO case_counters (scope, process, stage, n) VALUES (:s, :p, :g, :n) "
      "ON CONFLICT (scope, process, stage) DO UPDATE SET n = case_counters.n + excluded.n",
      scope, counted.process, counted.stage, by);
}

void SqlTx::recount(const Uuid& id, const Counted& before, const Counted& after, std::int64_t updated_at) {
  const auto id_text = uuid_text(id);
  const bool same_units = before.units == after.units;
  const bool same_sort = before.area == after.area && before.process == after.process && before.stage == after.stage;
  if (!same_units || !same_sort) {
    // A new case has no area before; codes of units have no slash, and areas end with one.
    if (!same_sort && !before.area.empty()) count_by(before.area, before, -1);
    if (!same_sort && !after.area.empty()) count_by(after.area, after, 1);
    for (const auto& [unit, ignored] : before.units) count_by(unit, before, -1);
    for (const auto& [unit, ignored] : after.units) count_by(unit, after, 1);
  }
  if (same_units) {
    if (after.units.empty()) return;
    if (same_sort && before.overdue_at == after.overdue_at) {
      db_.change("UPDATE case_units SET updated_at = :u WHERE case_id = :i", updated_at, id_text);
    } else {
      db_.change(
          "UPDATE case_units SET updated_at = :u, area = :a, process = :p, stage = :s, overdue_at = :o "
          "WHERE case_id = :i",
          updated_at, after.area, after.process, after.stage, after.overdue_at, id_text);
    }
    return;
  }
  if (!before.units.empty()) db_.change("DELETE FROM case_units WHERE case_id = :i", id_text);
  for (const auto& [unit, leads] : after.units) {
    db_.change(
        "INSERT INTO case_units (case_id, unit, part, updated_at, area, process, stage, overdue_at) "
        "VALUES (:i, :u, :p, :m, :a, :pr, :s, :o)",
        id_text, unit, leads ? "lead" : "assisting", updated_at, after.area, after.process, after.stage,
        after.overdue_at);
  }
}

bool SqlTx::insert_case(const domain::CaseRecord& record, std::string_view org_path, std::optional<UnixMs> next_alarm) {
  const auto updated_at = to_unix_ms(record.updated_at);
  const bool fresh =
      db_.change(
          "INSERT INTO cases (id, number, process, stage, step, ends, town, grid, category, channel, holder, unit, "
          "reporter, org_path, area, version, updated_at, due_at, overdue, next_alarm, text, data) VALUES (:i, :n, "
          ":pr, :s, :p, :e, :t, :g, :c, :ch, :ho, :u, :r, :o, :a, :v, :m, :du, :ov, :al, :x, :d) ON CONFLICT (id) DO "
          "NOTHING",
          uuid_text(record.id), record.number, record.process, record.stage, record.step, record.ends ? 1 : 0,
          record.town, record.grid, record.category, record.channel, record.holder, record.unit, record.reporter.login,
          scope_text(org_path), area_of(org_path), record.version, updated_at, ms_of(record.due_at()),
          record.overdue() ? 1 : 0, ms_of(next_alarm), record.text, case_text(record)) == 1;
  if (fresh) {
    recount(record.id, {}, {area_of(org_path), record.process, record.stage, units_of(record), overdue_at(record)},
            updated_at);
  }
  return fresh;
}

bool SqlTx::update_case(const domain::CaseRecord& record, std::uint64_t expected_version,
                        std::optional<UnixMs> next_alarm) {
  const auto id = uuid_text(record.id);
  std::optional<Counted> before;
  bool same_place = false;
  db_.each<std::string, std::string, std::string, std::string, std::string, std::string, std::string,
           std::optional<std::int64_t>, std::int64_t, std::int64_t>(
      "SELECT area, process, stage, number, town, grid, reporter, due_at, overdue, ends FROM cases "
      "WHERE id = :i AND version = :e",
      [&](std::string area, std::string process, std::string stage, const std::string& number, const std::string& town,
          const std::string& grid, const std::string& reporter, std::optional<std::int64_t> due, std::int64_t late,
          std::int64_t ends) {
        same_place = process == record.process && stage == record.stage && number == record.number &&
                     town == record.town && grid == record.grid && reporter == record.reporter.login;
        before = {
            std::move(area), std::move(process), std::move(stage), {}, late != 0 && ends == 0 ? due : std::nullopt};
      },
      id, expected_version);
  if (!before) return false;
  db_.each<std::string, std::string>(
      "SELECT unit, part FROM case_units WHERE case_id = :i ORDER BY unit",
      [&](std::string unit, const std::string& part) { before->units.emplace_back(std::move(unit), part == "lead"); },
      id);
  const auto updated_at = to_unix_ms(record.updated_at);
  // What an index goes by is only written when it changed: SQLite takes each such row out of the index and puts it in
  // again.
  const auto changed =
      same_place
          ? db_.change(
                "UPDATE cases SET step = :p, ends = :en, category = :c, channel = :ch, holder = :ho, unit = :u, "
                "version = :v, updated_at = :m, due_at = :du, overdue = :ov, next_alarm = :al, text = :x, data = :d "
                "WHERE id = :i AND version = :e",
                record.step, record.ends ? 1 : 0, record.category, record.channel, record.holder, record.unit,
                record.version, updated_at, ms_of(record.due_at()), record.overdue() ? 1 : 0, ms_of(next_alarm),
                record.text, case_text(record), id, expected_version)
          : db_.change(
                "UPDATE cases SET number = :n, process = :pr, stage = :s, step = :p, ends = :en, town = :t, grid = :g, "
                "category = :c, channel = :ch, holder = :ho, unit = :u, reporter = :r, version = :v, updated_at = :m, "
                "due_at = :du, overdue = :ov, next_alarm = :al, text = :x, data = :d WHERE id = :i AND version = :e",
                record.number, record.process, record.stage, record.step, record.ends ? 1 : 0, record.town, record.grid,
                record.category, record.channel, record.holder, record.unit, record.reporter.login, record.version,
                updated_at, ms_of(record.due_at()), record.overdue() ? 1 : 0, ms_of(next_alarm), record.text,
                case_text(record), id, expected_version);
  if (changed != 1) return false;
  recount(record.id, *before, {before->area, record.process, record.stage, units_of(record), overdue_at(record)},
          updated_at);
  return true;
}

void SqlTx::move_case(const Uuid& id, std::string_view org_path) {
  const auto record = find_case(id);
  if (!record) return;
  const auto before = area_of(case_org_path(id));
  const auto after = area_of(org_path);
  db_.change("UPDATE cases SET org_path = :o, area = :a WHERE id = :i", scope_text(org_path), after, uuid_text(id));
  if (before == after) return;
  db_.change("UPDATE case_units SET area = :a WHERE case_id = :i", after, uuid_text(id));
  const Counted counted{{}, record->process, record->stage, {}, {}};
  if (!before.empty()) count_by(before, counted, -1);
  if (!after.empty()) count_by(after, counted, 1);
}

std::optional<domain::CaseRecord> SqlTx::find_case(const Uuid& id) {
  std::optional<domain::CaseRecord> found;
  static const std::string kSql = "SELECT " + std::string(kCaseColumns) + " FROM cases WHERE id = :i";
  db_.each_text(kSql, {uuid_text(id)}, kCaseColumnCount, [&](const auto& row) { found = case_of(row); });
  return found;
}

std::string SqlTx::case_org_path(const Uuid& id) {
  return path_of(db_.value<std::string>("SELECT org_path FROM cases WHERE id = :i", uuid_text(id)).value_or(""));
}

std::vector<Uuid> SqlTx::alarmed_cases(UnixMs now, std::size_t limit) {
  std::vector<Uuid> ids;
  db_.each<std::string>(
      "SELECT id FROM cases WHERE next_alarm <= :n AND next_alarm IS NOT NULL ORDER BY next_alarm, id LIMIT :l",
      [&](const std::string& id) { ids.push_back(uuid_of(id)); }, to_unix_ms(now), limit);
  return ids;
}

void SqlTx::set_alarm(const Uuid& id, std::optional<UnixMs> next_alarm) {
  db_.change("UPDATE cases SET next_alarm = :n WHERE id = :i", ms_of(next_alarm), uuid_text(id));
}

std::optional<Uuid> SqlTx::find_reference(std::string_view channel, std::string_view reference) {
  const auto id = db_.value<std::string>("SELECT case_id FROM case_references WHERE channel = :c AND reference = :r",
                                         channel, reference);
  return id ? std::optional(uuid_of(*id)) : std::nullopt;
}

bool SqlTx::insert_reference(std::string_view channel, std::string_view reference, const Uuid& id) {
  return db_.change(
             "INSERT INTO case_references (channel, reference, case_id) VALUES (:c, :r, :i) "
             "ON CONFLICT (channel, reference) DO NOTHING",
             channel, reference, uuid_text(id)) == 1;
}

void SqlTx::append_events(const Uuid& case_id, std::uint64_t first_n, std::span<const domain::CaseEvent> events,
                          std::optional<std::int64_t> record) {
  if (events.empty()) return;
  const auto id = uuid_text(case_id);
  Sha256 hash{};
  if (first_n == 1) {
    hash = chain_start(case_id);
  } else {
    const auto before =
        db_.value<std::string>("SELECT hash FROM case_events WHERE case_id = :i AND n = :n", id, first_n - 1);
    if (!before) throw std::logic_error("event " + std::to_string(first_n) + " without the one before it");
    hash = sha256_of(*before);
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& event = events[i];
    const auto secrets = draw_salts(event);
    hash = chain_next(hash, event, secrets);
    db_.change(
        "INSERT INTO case_events (case_id, n, type, actor, at, recorded, data, hash, record) "
        "VALUES (:i, :n, :t, :a, :at, :r, :d, :h, :w)",
        id, first_n + i, domain::to_string(event.type), event.actor.login, to_unix_ms(event.at),
        to_unix_ms(event.recorded), event_text(event, secrets), to_hex(hash), record);
  }
}

std::vector<app::StoredEvent> SqlTx::case_events(const Uuid& case_id) {
  std::vector<app::StoredEvent> events;
  each_event(db_, case_id, [&](app::StoredEvent event, const EventSecrets&) { events.push_back(std::move(event)); });
  return events;
}

void SqlTx::insert_task(const app::VerifyTask& task) {
  db_.change(
      "INSERT INTO verify_tasks (id, case_id, assignee, device, created, done, cancelled) "
      "VALUES (:i, :c, :a, :d, :t, :o, :x)",
      uuid_text(task.id), uuid_text(task.case_id), task.assignee, task.device, to_unix_ms(task.created),
      task.done ? std::optional(to_unix_ms(*task.done)) : std::nullopt, task.cancelled);
}

std::optional<app::VerifyTask> SqlTx::find_task(const Uuid& id) {
  std::optional<app::VerifyTask> found;
  db_.each<std::string, std::string, std::string, std::int64_t, std::optional<std::int64_t>, std::int64_t>(
      "SELECT case_id, assignee, device, created, done, cancelled FROM verify_tasks WHERE id = :i",
      [&](const std::string& case_id, std::string assignee, std::string device, std::int64_t created,
          std::optional<std::int64_t> done, std::int64_t cancelled) {
        app::VerifyTask task;
        task.id = id;
        task.case_id = uuid_of(case_id);
        task.assignee = std::move(assignee);
        task.device = std::move(device);
        task.created = from_unix_ms(created);
        if (done) task.done = from_unix_ms(*done);
        task.cancelled = cancelled != 0;
        found = std::move(task);
      },
      uuid_text(id));
  return found;
}

void SqlTx::update_task(const app::VerifyTask& task) {
  db_.change(
      "UPDATE verify_tasks SET case_id = :c, assignee = :a, device = :d, created = :t, done = :o, cancelled = :x "
      "WHERE id = :i",
      uuid_text(task.case_id), task.assignee, task.device, to_unix_ms(task.created),
      task.done ? std::optional(to_unix_ms(*task.done)) : std::nullopt, task.cancelled, uuid_text(task.id));
}

}  // namespace gridward::storage
