// Lists and counts of cases. Each list goes along one index in its order (its drive); what it is filtered by beside
// stands in that index, as an expression, so that the planner is not tempted to another one and to sorting.
#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <map>
#include <utility>

#include "case_row.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

constexpr std::size_t kPage = 200;
constexpr std::size_t kCounted = 10'000;
// Of a search in texts: how many cases one page looks at. The next page goes on behind them.
constexpr std::size_t kSearched = 5000;
// What fits more numbers than this (a busy day of a district) is no search for a number.
constexpr std::size_t kNumbered = 4000;
constexpr std::size_t kLeastDigits = 8;  // a day

// SQL with a "?" for each of its values.
struct Piece {
  std::string sql;
  std::vector<Parameter> values{};
};

class Sql {
 public:
  Sql& operator<<(std::string_view text) {
    text_ += text;
    return *this;
  }
  Sql& operator<<(const Piece& piece) {
    auto value = piece.values.begin();
    for (const char c : piece.sql) {
      if (c != '?') {
        text_ += c;
        continue;
      }
      text_ += ":p" + std::to_string(values_.size());
      values_.push_back(*value++);
    }
    return *this;
  }
  const std::string& text() const { return text_; }
  const std::vector<Parameter>& values() const { return values_; }

 private:
  std::string text_;
  std::vector<Parameter> values_;
};

using Pieces = std::vector<Piece>;

void where(Sql& sql, const Pieces& pieces) {
  sql << " WHERE 1 = 1";
  for (const auto& piece : pieces) sql << " AND " << piece;
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
struct Place {
  std::int64_t at = 0;
  std::string id;
  auto operator<=>(const Place&) const = default;
};
std::string cursor_text(const Place& place) { return std::to_string(place.at) + "_" + place.id; }
std::optional<Place> cursor_of(std::string_view text) {
  const auto border = text.find('_');
  if (border == std::string_view::npos) return std::nullopt;
  const auto at = parse_number(text.substr(0, border));
  const auto id = from_hex(text.substr(border + 1));
  if (!at || !id || id->size() != 16) return std::nullopt;
  return Place{*at, to_hex(*id)};
}

std::ptrdiff_t parts_of(std::string_view path) { return path.empty() ? 0 : std::ranges::count(path, '/') + 1; }

Piece one_of(const std::string& column, const std::vector<std::string>& names) {
  Piece piece{column + " IN ("};
  for (const auto& name : names) {
    piece.sql += piece.values.empty() ? "?" : ", ?";
    piece.values.emplace_back(name);
  }
  piece.sql += ")";
  return piece;
}

Piece text_matches(std::string_view text) {
  const auto pattern = like_text(text);
  // LIKE folds ASCII on SQLite and not on PostgreSQL; without a letter there is nothing to fold.
  const bool letters =
      std::ranges::any_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
  if (letters) {
    return {"(LOWER(cases.number) LIKE LOWER(?) ESCAPE '!' OR LOWER(cases.text) LIKE LOWER(?) ESCAPE '!')",
            {pattern, pattern}};
  }
  return {"(cases.number LIKE ? ESCAPE '!' OR cases.text LIKE ? ESCAPE '!')", {pattern, pattern}};
}

struct List {
  std::string from;  // " FROM cases"
  std::string at;    // column of the order
  std::string id;
  bool oldest_first = false;
  Pieces drive;  // what the index is entered with
  Pieces rest;

  Pieces all() const {
    auto pieces = drive;
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    return pieces;
  }
  Piece behind(const Place& place) const {
    const std::string sign = oldest_first ? ">" : "<";
    return {at + " " + sign + "= ? AND (" + at + " " + sign + " ? OR " + id + " " + sign + " ?)",
            {place.at, place.at, place.id}};
  }
  std::string order() const {
    const std::string way = oldest_first ? " ASC" : " DESC";
    return " ORDER BY " + at + way + ", " + id + way;
  }
};

enum class Drive { index, number };

// Everything but the text.
List list_of(const app::CaseFilter& filter, Drive drive = Drive::index) {
  const bool index = drive == Drive::index;
  const bool of_unit = index && !filter.unit.empty();
  const auto parts = parts_of(filter.subtree);
  List list;
  const std::string table = of_unit ? "case_units." : "cases.";
  list.oldest_first = filter.overdue;
  list.id = of_unit ? "case_units.case_id" : "cases.id";
  list.at = table + (!filter.overdue ? "updated_at" : of_unit ? "overdue_at" : "due_at");

  bool by_area = false, by_reporter = false, by_grid = false;
  if (of_unit) {
    list.drive.push_back({"case_units.unit = ?", {filter.unit}});
    if (filter.overdue) list.drive.push_back({"case_units.overdue_at IS NOT NULL"});
  } else {
    if (filter.overdue) list.drive.push_back({"overdue = 1 AND ends = 0 AND due_at IS NOT NULL"});
    if (!index) {
      // by its number
    } else if (!filter.overdue && !filter.reporter.empty()) {
      by_reporter = true;
      list.drive.push_back({"reporter = ?", {filter.reporter}});
    } else if (!filter.overdue && !filter.grid.empty()) {
      by_grid = true;
      list.drive.push_back({"grid = ?", {filter.grid}});
    } else if (parts >= 2) {
      by_area = true;
      list.drive.push_back({"area = ?", {area_of(filter.subtree)}});
    }
    if (!index && !filter.unit.empty()) {
      list.rest.push_back(
          {"EXISTS (SELECT 1 FROM case_units u WHERE u.case_id = cases.id AND u.unit = ?)", {filter.unit}});
    }
  }

  if (parts == 1) {
    const Subtree range(filter.subtree);
    list.rest.push_back({table + "area || '' >= ? AND " + table + "area || '' < ?", {range.from, range.to}});
  } else if (parts >= 2 && !by_area) {
    list.rest.push_back({table + "area || '' = ?", {area_of(filter.subtree)}});
  }
  if (!filter.process.empty()) list.rest.push_back({table + "process || '' = ?", {filter.process}});
  if (!filter.stages.empty()) list.rest.push_back(one_of(table + "stage || ''", filter.stages));
  // These are the row's alone.
  const auto own = list.rest.size();
  if (parts > 2) {
    const Subtree range(filter.subtree);
    list.rest.push_back({"cases.org_path || '' >= ? AND cases.org_path || '' < ?", {range.from, range.to}});
  }
  if (!filter.reporter.empty() && !by_reporter) list.rest.push_back({"cases.reporter || '' = ?", {filter.reporter}});
  if (!filter.grid.empty() && !by_grid) list.rest.push_back({"cases.grid || '' = ?", {filter.grid}});
  const bool rows = list.rest.size() > own || !filter.text.empty();
  list.from = !of_unit ? " FROM cases"
              : rows   ? " FROM case_units JOIN cases ON cases.id = case_units.case_id"
                       : " FROM case_units";
  return list;
}

std::vector<Place> places(Connection& db, const Sql& sql) {
  std::vector<Place> found;
  db.each_text(sql.text(), sql.values(), 2, [&](const auto& row) { found.push_back({number_of(row[1]), row[0]}); });
  return found;
}

std::size_t count(Connection& db, const List& list, std::size_t most) {
  Sql sql;
  sql << "SELECT COUNT(*) FROM (SELECT 1 AS one" << list.from;
  where(sql, list.all());
  sql << " LIMIT " << std::to_string(most) << ") counted";
  std::size_t n = 0;
  db.each_text(sql.text(), sql.values(), 1, [&](const auto& row) { n = static_cast<std::size_t>(number_of(row[0])); });
  return n;
}

// The first so many, in their order.
void first(Sql& sql, const List& list, const Pieces& pieces, std::size_t limit) {
  sql << "SELECT " << list.id << " AS id, " << list.at << " AS at" << list.from;
  where(sql, pieces);
  sql << list.order() << " LIMIT " << std::to_string(limit);
}

// The cases of a page, in the order of their places.
std::vector<domain::CaseRecord> rows_at(Connection& db, std::span<const Place> page) {
  if (page.empty()) return {};
  // Few texts of the statement, so that it stays prepared.
  std::size_t room = 16;
  while (room < page.size()) room *= 2;
  Piece in{"cases.id IN ("};
  for (std::size_t i = 0; i < room; ++i) {
    in.sql += i == 0 ? "?" : ", ?";
    in.values.emplace_back(page[std::min(i, page.size() - 1)].id);
  }
  in.sql += ")";
  Sql sql;
  sql << "SELECT " << kCaseColumns << " FROM cases WHERE " << in;
  std::map<std::string, domain::CaseRecord> found;
  db.each_text(sql.text(), sql.values(), kCaseColumnCount,
               [&](const auto& row) { found.emplace(row[0], case_of(row)); });
  std::vector<domain::CaseRecord> records;
  for (const auto& place : page) {
    if (const auto one = found.find(place.id); one != found.end()) records.push_back(std::move(one->second));
  }
  return records;
}

// `found`: one more than fit, when there is one.
app::CasePage page_of(Connection& db, std::vector<Place> found, std::size_t limit, std::size_t total) {
  app::CasePage page;
  page.total = std::min(total, kCounted + 1);
  if (found.size() > limit) {
    found.resize(limit);
    page.next = cursor_text(found.back());
  }
  page.cases = rows_at(db, found);
  return page;
}

bool looks_like_a_number(std::string_view text) {
  return text.size() >= kLeastDigits && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
}

// Cases whose number, or its part from the day on, begins so. Nothing: too many, or none.
std::optional<std::vector<Place>> numbered(Connection& db, const app::CaseFilter& filter) {
  std::vector<Place> found;
  bool any = false;
  for (const std::string number : {"number", "SUBSTR(number, LENGTH(town) + 2)"}) {
    const Piece range{number + " >= ? AND " + number + " < ?", {filter.text, filter.text + "~"}};
    List every;
    every.from = " FROM cases";
    every.drive = {range};
    const auto n = count(db, every, kNumbered + 1);
    if (n > kNumbered) return std::nullopt;
    any = any || n > 0;
    if (n == 0) continue;
    auto list = list_of(filter, Drive::number);
    list.drive.push_back(range);
    Sql sql;
    sql << "SELECT cases.id AS id, " << list.at << " AS at FROM cases";
    where(sql, list.all());
    const auto more = places(db, sql);
    found.insert(found.end(), more.begin(), more.end());
  }
  if (!any) return std::nullopt;
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  if (!filter.overdue) std::ranges::reverse(found);
  return found;
}

// How many cases, by the counters: of a town, of all below a district, or of a unit. Nothing: they do not tell.
std::optional<app::CaseCounts> kept_counts(Connection& db, const app::CaseFilter& filter) {
  app::CaseCounts counts;
  const auto parts = parts_of(filter.subtree);
  Piece scope;
  if (!filter.reporter.empty()) return std::nullopt;
  if (filter.subtree.empty() && !filter.unit.empty()) {
    scope = {"scope = ?", {filter.unit}};
  } else if (filter.unit.empty() && parts == 0) {
    scope = {"scope LIKE '%/'"};
  } else if (filter.unit.empty() && parts == 1) {
    const Subtree range(filter.subtree);
    scope = {"scope >= ? AND scope < ?", {range.from, range.to}};
  } else if (filter.unit.empty() && parts == 2) {
    scope = {"scope = ?", {area_of(filter.subtree)}};
  } else {
    return std::nullopt;
  }
  Sql sql;
  sql << "SELECT process, stage, SUM(n) FROM case_counters WHERE " << scope << " GROUP BY process, stage";
  db.each_text(sql.text(), sql.values(), 3, [&](const auto& row) {
    const auto n = number_of(row[2]);
    if (n > 0) counts[row[0]][row[1]] += static_cast<std::size_t>(n);
  });
  return counts;
}

// By process and stage: an index has each pair of them in the order of the list, and the pages are put together.
app::CasePage sorted_page(Connection& db, const app::CaseFilter& filter, const app::CaseCounts& counts,
                          std::size_t limit, const Place* cursor) {
  std::size_t total = 0;
  Sql sql;
  bool more = false;
  for (const auto& [process, stages] : counts) {
    if (!filter.process.empty() && process != filter.process) continue;
    for (const auto& [stage, n] : stages) {
      if (!filter.stages.empty() && std::ranges::find(filter.stages, stage) == filter.stages.end()) continue;
      total += n;
      auto one = filter;
      one.process.clear();
      one.stages.clear();
      auto list = list_of(one);
      list.drive.push_back({"process = ? AND stage = ?", {process, stage}});
      if (cursor != nullptr) list.drive.push_back(list.behind(*cursor));
      sql << (more ? " UNION ALL SELECT id, at FROM (" : "SELECT id, at FROM (");
      first(sql, list, list.all(), limit + 1);
      sql << ") a";
      more = true;
    }
  }
  if (!more) return {};
  sql << " ORDER BY at DESC, id DESC LIMIT " << std::to_string(limit + 1);
  return page_of(db, places(db, sql), limit, total);
}

// A search for a number by its indexes; for anything else in the newest cases of the list, page by page.
app::CasePage searched_page(Connection& db, const app::CaseFilter& filter, std::size_t limit, const Place* cursor) {
  if (looks_like_a_number(filter.text)) {
    if (auto found = numbered(db, filter)) {
      const auto total = found->size();
      if (cursor != nullptr) {
        std::erase_if(*found, [&](const Place& one) { return filter.overdue ? one <= *cursor : one >= *cursor; });
      }
      return page_of(db, std::move(*found), limit, total);
    }
  }
  const auto list = list_of(filter);
  auto matches = list.rest;
  matches.push_back(text_matches(filter.text));
  const auto search = [&](const Place* from) {
    auto drive = list.drive;
    if (from != nullptr) drive.push_back(list.behind(*from));
    Sql sql;
    sql << "SELECT id, at FROM (SELECT " << list.id << " AS id, " << list.at << " AS at, CASE WHEN 1 = 1";
    for (const auto& piece : matches) sql << " AND " << piece;
    sql << " THEN 1 ELSE 0 END AS hit" << list.from;
    where(sql, drive);
    sql << list.order() << " LIMIT " << std::to_string(kSearched) << ") seen WHERE hit = 1 ORDER BY at"
        << (list.oldest_first ? " ASC, id ASC" : " DESC, id DESC");
    return places(db, sql);
  };
  auto found = search(cursor);
  // The total is of the first look, and the same on each page.
  auto page = page_of(db, found, limit, cursor == nullptr ? found.size() : search(nullptr).size());

  const auto last_seen = [&](const Place* from) -> std::optional<Place> {
    auto drive = list.drive;
    if (from != nullptr) drive.push_back(list.behind(*from));
    Sql sql;
    sql << "SELECT " << list.id << " AS id, " << list.at << " AS at" << list.from;
    where(sql, drive);
    sql << list.order() << " LIMIT 2 OFFSET " << std::to_string(kSearched - 1);
    const auto border = places(db, sql);
    if (border.size() < 2) return std::nullopt;  // nothing behind it
    return border.front();
  };
  const auto border = last_seen(cursor);
  if (border) page.searched_to = from_unix_ms(border->at);
  if (!page.next && border) page.next = cursor_text(*border);
  return page;
}

}  // namespace

app::CasePage SqlTx::list_cases(const app::CaseFilter& filter) {
  // Longer than any text that could hold it, and than what SQLite takes as a pattern.
  if (filter.text.size() > 4 * limits::kTextCharacters) return {};
  const auto limit = std::clamp<std::size_t>(filter.limit, 1, kPage);
  std::optional<Place> from;
  if (filter.cursor) {
    from = cursor_of(*filter.cursor);
    if (!from) return {};
  }
  const auto* cursor = from ? &*from : nullptr;
  if (!filter.text.empty()) return searched_page(db_, filter, limit, cursor);
  const bool sorted = !filter.process.empty() || !filter.stages.empty();
  if (sorted && !filter.overdue && filter.unit.empty() && filter.grid.empty()) {
    if (const auto counts = kept_counts(db_, filter)) return sorted_page(db_, filter, *counts, limit, cursor);
  }
  const auto list = list_of(filter);
  auto pieces = list.all();
  if (cursor != nullptr) pieces.push_back(list.behind(*cursor));
  Sql sql;
  first(sql, list, pieces, limit + 1);
  return page_of(db_, places(db_, sql), limit, count(db_, list, kCounted + 1));
}

app::CaseCounts SqlTx::count_cases(const app::CaseFilter& filter) {
  app::CaseFilter narrowed;
  narrowed.subtree = filter.subtree;
  narrowed.unit = filter.unit;
  narrowed.reporter = filter.reporter;
  if (auto counts = kept_counts(db_, narrowed)) return std::move(*counts);
  // Below a town, or of one person: few.
  app::CaseCounts counts;
  const auto list = list_of(narrowed);
  const std::string table = narrowed.unit.empty() ? "cases." : "case_units.";
  Sql sql;
  sql << "SELECT " << table << "process, " << table << "stage, COUNT(*)" << list.from;
  where(sql, list.all());
  sql << " GROUP BY " << table << "process, " << table << "stage";
  db_.each_text(sql.text(), sql.values(), 3,
                [&](const auto& row) { counts[row[0]][row[1]] += static_cast<std::size_t>(number_of(row[2])); });
  return counts;
}

}  // namespace gridward::storage
