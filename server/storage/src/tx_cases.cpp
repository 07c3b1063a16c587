#include <charconv>
#include <gridward/shared/limits.hpp>

#include "chain.hpp"
#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

constexpr std::size_t kPage = 200;
constexpr std::size_t kCounted = 10'000;

constexpr std::string_view kColumns =
    "id, number, town, grid, category, stage, step, unit, version, updated_at, text, data";
constexpr std::size_t kColumnCount = 12;

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

domain::CaseRecord case_of(const std::string& id, std::string number, std::string town, std::string grid,
                           std::string category, const std::string& stage, const std::string& step, std::string unit,
                           std::int64_t version, std::int64_t updated_at, std::string text, const std::string& data) {
  domain::CaseRecord record;
  record.id = uuid_of(id);
  record.number = std::move(number);
  record.town = std::move(town);
  record.grid = std::move(grid);
  record.category = std::move(category);
  const auto known_stage = domain::stage_from_string(stage);
  const auto known_step = domain::step_from_string(step);
  if (!known_stage) unreadable("stage", stage);
  if (!known_step) unreadable("step", step);
  record.stage = *known_stage;
  record.step = *known_step;
  record.unit = std::move(unit);
  record.version = static_cast<std::uint64_t>(version);
  record.updated_at = from_unix_ms(updated_at);
  record.text = std::move(text);
  read_case_text(data, record);
  return record;
}

domain::CaseRecord case_of(const std::vector<std::string>& row) {
  return case_of(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], number_of(row[8]), number_of(row[9]),
                 row[10], row[11]);
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

struct Cursor {
  std::int64_t updated_at = 0;
  std::string id;
};
std::string cursor_text(const domain::CaseRecord& last) {
  return std::to_string(to_unix_ms(last.updated_at)) + "_" + uuid_text(last.id);
}
std::optional<Cursor> cursor_of(std::string_view text) {
  const auto border = text.find('_');
  if (border == std::string_view::npos) return std::nullopt;
  const auto updated_at = parse_number(text.substr(0, border));
  const auto id = from_hex(text.substr(border + 1));
  if (!updated_at || !id || id->size() != 16) return std::nullopt;
  return Cursor{*updated_at, to_hex(*id)};
}

struct Where {
  std::string sql = " WHERE 1 = 1";
  std::vector<Parameter> parameters;

  void add(std::string_view condition, std::initializer_list<Parameter> values) {
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
  if (!filter.unit.empty()) where.add("unit = :unit AND unit <> ''", {filter.unit});
  if (!filter.reporter.empty()) where.add("reporter = :reporter", {filter.reporter});
  if (!filter.grid.empty()) where.add("grid = :grid", {filter.grid});
  if (!filter.stages.empty()) {
    std::string in;
    for (std::size_t i = 0; i < filter.stages.size(); ++i) {
      in += (i == 0 ? ":s" : ", :s") + std::to_string(i);
      where.parameters.emplace_back(std::string(domain::to_string(filter.stages[i])));
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

}  // namespace

std::string SqlTx::next_case_number(std::string_view town, std::string_view yyyymmdd) {
  const auto n = count_up("case/" + std::string(town) + "/" + std::string(yyyymmdd));
  auto digits = std::to_string(n);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return std::string(town) + "-" + std::string(yyyymmdd) + "-" + digits;
}

bool SqlTx::insert_case(const domain::CaseRecord& record, std::string_view org_path) {
  return db_.change(
             "INSERT INTO cases (id, number, town, grid, category, stage, step, unit, reporter, org_path, area, "
             "version, "
             "updated_at, text, data) VALUES (:i, :n, :t, :g, :c, :s, :p, :u, :r, :o, :a, :v, :m, :x, :d) ON CONFLICT "
             "(id) DO NOTHING",
             uuid_text(record.id), record.number, record.town, record.grid, record.category,
             domain::to_string(record.stage), domain::to_string(record.step), record.unit, record.reporter.login,
             scope_text(org_path), area_of(org_path), record.version, to_unix_ms(record.updated_at), record.text,
             case_text(record)) == 1;
}

bool SqlTx::update_case(const domain::CaseRecord& record, std::uint64_t expected_version) {
  return db_.change(
             "UPDATE cases SET number = :n, town = :t, grid = :g, category = :c, stage = :s, step = :p, unit = :u, "
             "reporter = :r, version = :v, updated_at = :m, text = :x, data = :d WHERE id = :i AND version = :e",
             record.number, record.town, record.grid, record.category, domain::to_string(record.stage),
             domain::to_string(record.step), record.unit, record.reporter.login, record.version,
             to_unix_ms(record.updated_at), record.text, case_text(record), uuid_text(record.id),
             expected_version) == 1;
}

std::optional<domain::CaseRecord> SqlTx::find_case(const Uuid& id) {
  std::optional<domain::CaseRecord> found;
  const auto id_text = uuid_text(id);
  static const std::string kSql = "SELECT " + std::string(kColumns) + " FROM cases WHERE id = :i";
  db_.each<std::string, std::string, std::string, std::string, std::string, std::string, std::string, std::string,
           std::int64_t, std::int64_t, std::string, std::string>(
      kSql,
      [&](const std::string& there, std::string number, std::string town, std::string grid, std::string category,
          const std::string& stage, const std::string& step, std::string unit, std::int64_t version,
          std::int64_t updated_at, std::string text, const std::string& data) {
        found = case_of(there, std::move(number), std::move(town), std::move(grid), std::move(category), stage, step,
                        std::move(unit), version, updated_at, std::move(text), data);
      },
      id_text);
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

  db_.each_text("SELECT COUNT(*) FROM (SELECT 1 AS one FROM cases" + where.sql + " LIMIT " +
                    std::to_string(kCounted + 1) + ") counted",
                where.parameters, 1,
                [&](const auto& row) { page.total = static_cast<std::size_t>(number_of(row[0])); });

  auto from_here = where;
  if (filter.cursor) {
    const auto cursor = cursor_of(*filter.cursor);
    if (!cursor) return page;
    from_here.add("updated_at <= :at AND (updated_at < :at2 OR id < :id)",
                  {cursor->updated_at, cursor->updated_at, cursor->id});
  }
  db_.each_text("SELECT " + std::string(kColumns) + " FROM cases" + from_here.sql +
                    " ORDER BY updated_at DESC, id DESC LIMIT " + std::to_string(limit + 1),
                from_here.parameters, kColumnCount, [&](const auto& row) { page.cases.push_back(case_of(row)); });
  if (page.cases.size() > limit) {
    page.cases.pop_back();
    page.next = cursor_text(page.cases.back());
  }
  return page;
}

std::map<domain::Stage, std::size_t> SqlTx::count_cases(const app::CaseFilter& filter) {
  app::CaseFilter narrowed;
  narrowed.subtree = filter.subtree;
  narrowed.unit = filter.unit;
  narrowed.reporter = filter.reporter;
  const auto where = where_of(narrowed);
  std::map<domain::Stage, std::size_t> counts;
  db_.each_text("SELECT stage, COUNT(*) FROM cases" + where.sql + " GROUP BY stage", where.parameters, 2,
                [&](const auto& row) {
                  const auto stage = domain::stage_from_string(row[0]);
                  if (!stage) unreadable("stage", row[0]);
                  counts[*stage] = static_cast<std::size_t>(number_of(row[1]));
                });
  return counts;
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
