#include <charconv>
#include <gridward/shared/limits.hpp>
#include <utility>

#include "chain.hpp"
#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

constexpr std::size_t kPage = 200;
constexpr std::size_t kCounted = 10'000;

constexpr std::string_view kColumns =
    "cases.id, number, process, stage, step, ends, town, grid, category, channel, holder, cases.unit, version, "
    "cases.updated_at, text, data";
constexpr std::size_t kColumnCount = 16;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::int64_t number_of(std::string_view text) {
  const auto number = parse_number(text);
  if (!number) unreadable("number", text);
  return *number;
}

domain::CaseRecord case_of(const std::vector<std::string>& row) {
  domain::CaseRecord record;
  record.id = uuid_of(row[0]);
  record.number = row[1];
  record.process = row[2];
  record.stage = row[3];
  record.step = row[4];
  record.ends = number_of(row[5]) != 0;
  record.town = row[6];
  record.grid = row[7];
  record.category = row[8];
  record.channel = row[9];
  record.holder = row[10];
  record.unit = row[11];
  record.version = static_cast<std::uint64_t>(number_of(row[12]));
  record.updated_at = from_unix_ms(number_of(row[13]));
  record.text = row[14];
  read_case_text(row[15], record);
  return record;
}

std::optional<std::int64_t> ms_of(const std::optional<UnixMs>& at) {
  return at ? std::optional(to_unix_ms(*at)) : std::nullopt;
}

// "%", "_" and the escape itself stand for themselves.
std::string like_text(std::string_view text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  out += '%';
  return out;
}

// Where a page ends: the value the list is ordered by, and the id.
struct Cursor {
  std::int64_t at = 0;
  std::string id;
};
std::string cursor_text(std::int64_t at, const Uuid& id) { return std::to_string(at) + "_" + uuid_text(id); }
std::optional<Cursor> cursor_of(std::string_view text) {
  const auto border = text.find('_');
  if (border == std::string_view::npos) return std::nullopt;
  const auto at = parse_number(text.substr(0, border));
  const auto id = from_hex(text.substr(border + 1));
  if (!at || !id || id->size() != 16) return std::nullopt;
  return Cursor{*at, to_hex(*id)};
}

struct Where {
  std::string sql = " WHERE 1 = 1";
  bool of_unit = false;  // the list of a unit, from case_units
  std::vector<Parameter> parameters;

  void add(const std::string& condition, std::initializer_list<Parameter> values) {
    sql += " AND ";
    sql += condition;
    parameters.insert(parameters.end(), values);
  }
};

Where where_of(const app::CaseFilter& filter) {
  Where where;
  if (!filter.subtree.empty()) {
    const Subtree range(filter.subtree);
    const auto area = area_of(filter.subtree);
    const auto parts = std::ranges::count(filter.subtree, '/') + 1;
    // A town and what is below it is found by its area, in the order of the list; the rest of the path only filters.
    // As an expression, so that no index on it tempts the planner to sort the whole subtree instead.
    if (parts >= 2) where.add("area = :area", {area});
    if (parts != 2) where.add("org_path || '' >= :from AND org_path || '' < :to", {range.from, range.to});
  }
  if (!filter.unit.empty()) {
    where.of_unit = true;
    where.add("case_units.unit = :unit", {filter.unit});
  }
  if (!filter.reporter.empty()) where.add("reporter = :reporter", {filter.reporter});
  if (!filter.process.empty()) where.add("process = :process", {filter.process});
  if (filter.overdue) where.add("overdue = 1 AND ends = 0 AND cases.due_at IS NOT NULL", {});
  if (!filter.grid.empty()) where.add("grid = :grid", {filter.grid});
  if (!filter.stages.empty()) {
    std::string in;
    for (std::size_t i = 0; i < filter.stages.size(); ++i) {
      in += (i == 0 ? ":s" : ", :s") + std::to_string(i);
      where.parameters.emplace_back(filter.stages[i]);
    }
    where.sql += " AND stage IN (" + in + ")";
  }
  if (!filter.text.empty()) {
    const auto pattern = like_text(filter.text);
    where.add("(LOWER(number) LIKE LOWER(:number) ESCAPE '!' OR LOWER(text) LIKE LOWER(:text) ESCAPE '!')",
              {pattern, pattern});
  }
  return where;
}

std::string from_of(const Where& where) {
  if (!where.of_unit) return " FROM cases" + where.sql;
  return " FROM case_units JOIN cases ON cases.id = case_units.case_id" + where.sql;
}

std::vector<std::pair<std::string, bool>> units_of(const domain::CaseRecord& record) {
  std::map<std::string, bool> units;
  for (const auto& unit : record.assisting_units) units.emplace(unit, false);
  if (!record.unit.empty()) units[record.unit] = true;
  return {units.begin(), units.end()};
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
  if (before != after) {
    // A new case has no area before; codes of units have no slash, and areas end with one.
    if (!before.area.empty()) count_by(before.area, before, -1);
    if (!after.area.empty()) count_by(after.area, after, 1);
    for (const auto& [unit, ignored] : before.units) count_by(unit, before, -1);
    for (const auto& [unit, ignored] : after.units) count_by(unit, after, 1);
  }
  if (before.units == after.units) {
    if (!after.units.empty())
      db_.change("UPDATE case_units SET updated_at = :u WHERE case_id = :i", updated_at, id_text);
    return;
  }
  if (!before.units.empty()) db_.change("DELETE FROM case_units WHERE case_id = :i", id_text);
  for (const auto& [unit, leads] : after.units) {
    db_.change("INSERT INTO case_units (case_id, unit, part, updated_at) VALUES (:i, :u, :p, :m)", id_text, unit,
               leads ? "lead" : "assisting", updated_at);
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
  if (fresh) recount(record.id, {}, {area_of(org_path), record.process, record.stage, units_of(record)}, updated_at);
  return fresh;
}

bool SqlTx::update_case(const domain::CaseRecord& record, std::uint64_t expected_version,
                        std::optional<UnixMs> next_alarm) {
  const auto id = uuid_text(record.id);
  std::optional<Counted> before;
  db_.each<std::string, std::string, std::string>(
      "SELECT area, process, stage FROM cases WHERE id = :i AND version = :e",
      [&](std::string area, std::string process, std::string stage) {
        before = {std::move(area), std::move(process), std::move(stage), {}};
      },
      id, expected_version);
  if (!before) return false;
  db_.each<std::string, std::string>(
      "SELECT unit, part FROM case_units WHERE case_id = :i ORDER BY unit",
      [&](std::string unit, const std::string& part) { before->units.emplace_back(std::move(unit), part == "lead"); },
      id);
  const auto updated_at = to_unix_ms(record.updated_at);
  const bool changed =
      db_.change(
          "UPDATE cases SET number = :n, process = :pr, stage = :s, step = :p, ends = :en, town = :t, grid = :g, "
          "category = :c, channel = :ch, holder = :ho, unit = :u, reporter = :r, version = :v, updated_at = :m, due_at "
          "= :du, overdue = :ov, next_alarm = :al, text = :x, data = :d WHERE id = :i AND version = :e",
          record.number, record.process, record.stage, record.step, record.ends ? 1 : 0, record.town, record.grid,
          record.category, record.channel, record.holder, record.unit, record.reporter.login, record.version,
          updated_at, ms_of(record.due_at()), record.overdue() ? 1 : 0, ms_of(next_alarm), record.text,
          case_text(record), id, expected_version) == 1;
  if (changed) recount(record.id, *before, {before->area, record.process, record.stage, units_of(record)}, updated_at);
  return changed;
}

void SqlTx::move_case(const Uuid& id, std::string_view org_path) {
  const auto record = find_case(id);
  if (!record) return;
  const auto before = area_of(case_org_path(id));
  const auto after = area_of(org_path);
  db_.change("UPDATE cases SET org_path = :o, area = :a WHERE id = :i", scope_text(org_path), after, uuid_text(id));
  if (before == after) return;
  const Counted counted{{}, record->process, record->stage, {}};
  if (!before.empty()) count_by(before, counted, -1);
  if (!after.empty()) count_by(after, counted, 1);
}

std::optional<domain::CaseRecord> SqlTx::find_case(const Uuid& id) {
  std::optional<domain::CaseRecord> found;
  static const std::string kSql = "SELECT " + std::string(kColumns) + " FROM cases WHERE id = :i";
  db_.each_text(kSql, {uuid_text(id)}, kColumnCount, [&](const auto& row) { found = case_of(row); });
  return found;
}

std::string SqlTx::case_org_path(const Uuid& id) {
  return path_of(db_.value<std::string>("SELECT org_path FROM cases WHERE id = :i", uuid_text(id)).value_or(""));
}

app::CasePage SqlTx::list_cases(const app::CaseFilter& filter) {
  app::CasePage page;
  // Longer than any text that could hold it, and than what SQLite takes as a pattern.
  if (filter.text.size() > 4 * limits::kTextCharacters) return page;
  const auto where = where_of(filter);
  const auto limit = std::clamp<std::size_t>(filter.limit, 1, kPage);

  db_.each_text(
      "SELECT COUNT(*) FROM (SELECT 1 AS one" + from_of(where) + " LIMIT " + std::to_string(kCounted + 1) + ") counted",
      where.parameters, 1, [&](const auto& row) { page.total = static_cast<std::size_t>(number_of(row[0])); });

  // A unit's list goes by the rows of case_units, which have the same time.
  const std::string table = where.of_unit && !filter.overdue ? "case_units" : "cases";
  const auto at = filter.overdue ? std::string("cases.due_at") : table + ".updated_at";
  const auto id = table == "cases" ? std::string("cases.id") : std::string("case_units.case_id");
  const std::string order = filter.overdue ? " ASC" : " DESC";
  const std::string beyond = filter.overdue ? " > " : " < ";
  auto from_here = where;
  if (filter.cursor) {
    const auto cursor = cursor_of(*filter.cursor);
    if (!cursor) return page;
    from_here.add(
        at + (filter.overdue ? " >= " : " <= ") + ":at AND (" + at + beyond + ":at2 OR " + id + beyond + ":id)",
        {cursor->at, cursor->at, cursor->id});
  }
  std::int64_t last = 0;
  std::int64_t one_more = 0;
  db_.each_text("SELECT " + std::string(kColumns) + ", " + at + from_of(from_here) + " ORDER BY " + at + order + ", " +
                    id + order + " LIMIT " + std::to_string(limit + 1),
                from_here.parameters, kColumnCount + 1, [&](const auto& row) {
                  last = std::exchange(one_more, number_of(row[kColumnCount]));
                  page.cases.push_back(case_of(row));
                });
  if (page.cases.size() > limit) {
    page.cases.pop_back();
    page.next = cursor_text(last, page.cases.back().id);
  }
  return page;
}

app::CaseCounts SqlTx::count_cases(const app::CaseFilter& filter) {
  app::CaseCounts counts;
  const auto add = [&](const auto& row) {
    const auto n = number_of(row[2]);
    if (n > 0) counts[row[0]][row[1]] += static_cast<std::size_t>(n);
  };
  const auto parts = filter.subtree.empty() ? 0 : std::ranges::count(filter.subtree, '/') + 1;
  const auto kept = [&](const std::string& condition, const std::vector<Parameter>& parameters) {
    db_.each_text("SELECT process, stage, SUM(n) FROM case_counters WHERE " + condition + " GROUP BY process, stage",
                  parameters, 3, add);
  };
  if (filter.reporter.empty() && filter.subtree.empty() && !filter.unit.empty()) {
    kept("scope = :u", {filter.unit});
  } else if (filter.reporter.empty() && filter.unit.empty() && parts <= 2) {
    const Subtree range(filter.subtree);
    if (parts == 0) kept("scope LIKE '%/'", {});
    if (parts == 1) kept("scope >= :f AND scope < :t", {range.from, range.to});
    if (parts == 2) kept("scope = :a", {area_of(filter.subtree)});
  } else {
    // Below a town, or of one person: few.
    app::CaseFilter narrowed;
    narrowed.subtree = filter.subtree;
    narrowed.unit = filter.unit;
    narrowed.reporter = filter.reporter;
    const auto where = where_of(narrowed);
    db_.each_text("SELECT process, stage, COUNT(*)" + from_of(where) + " GROUP BY process, stage", where.parameters, 3,
                  add);
  }
  return counts;
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
