#include "verify.hpp"

#include "chain.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

constexpr std::int64_t kAtOnce = 500;

Error broken(const std::string& id, std::uint64_t n, std::string_view what) {
  return {ErrorCode::storage_failed, "case_events",
          "case " + id + ", event " + std::to_string(n) + ": " + std::string(what)};
}

Result<void> verify_case(Connection& connection, app::Tx& tx, const std::string& id_text) {
  const auto id = uuid_of(id_text);
  const auto name = to_string(id);
  Sha256 hash = chain_start(id);
  std::vector<domain::CaseEvent> plain;
  std::optional<Error> problem;
  try {
    each_event(connection, id, [&](app::StoredEvent event, const EventSecrets& secrets) {
      if (problem) return;
      const auto expected = plain.size() + 1;
      if (event.n != expected) {
        problem = broken(name, expected, "it is missing");
        return;
      }
      for (const auto field : domain::kPersonal) {
        if (event.event.erased[domain::index_of(field)] && domain::holds(event.event, field)) {
          problem = broken(name, event.n, "\"" + std::string(domain::to_string(field)) + "\" was erased and is there");
          return;
        }
      }
      hash = chain_next(hash, event.event, secrets);
      if (event.hash != hash) {
        problem = broken(name, event.n, "its hash is not that of the chain");
        return;
      }
      plain.push_back(std::move(event.event));
    });
  } catch (const soci::soci_error&) {
    throw;
  } catch (const std::exception& unreadable_event) {
    return fail(ErrorCode::storage_failed, "case_events",
                "case " + name + ", event " + std::to_string(plain.size() + 1) + ": " + unreadable_event.what());
  }
  if (problem) return tl::unexpected(*problem);
  std::optional<domain::CaseRecord> row;
  std::string reporter;
  std::optional<std::int64_t> due;
  bool overdue = false;
  try {
    row = tx.find_case(id);
    connection.each<std::string, std::optional<std::int64_t>, std::int64_t>(
        "SELECT reporter, due_at, overdue FROM cases WHERE id = :i",
        [&](std::string who, std::optional<std::int64_t> at, std::int64_t late) {
          reporter = std::move(who);
          due = at;
          overdue = late != 0;
        },
        id_text);
  } catch (const soci::soci_error&) {
    throw;
  } catch (const std::exception& unreadable_row) {
    return fail(ErrorCode::storage_failed, "cases", "case " + name + ": " + unreadable_row.what());
  }
  if (!row) return fail(ErrorCode::storage_failed, "cases", "case " + name + " has events and no row");
  if (row->version > plain.size()) return tl::unexpected(broken(name, plain.size() + 1, "it is missing"));
  const auto due_at = row->due_at();
  if (*row != domain::replay(id, row->number, plain) || reporter != row->reporter.login ||
      due != (due_at ? std::optional<std::int64_t>(to_unix_ms(*due_at)) : std::nullopt) || overdue != row->overdue()) {
    return fail(ErrorCode::storage_failed, "cases", "case " + name + ": the row is not the replay of its events");
  }
  return {};
}

}  // namespace

Result<std::size_t> verify_cases(Connection& connection, app::Tx& tx) {
  std::size_t count = 0;
  std::string after;
  while (true) {
    std::vector<std::string> ids;
    // Limited inside too, or each page would gather everything that is left.
    connection.each<std::string>(
        "SELECT id FROM (SELECT id FROM (SELECT id FROM cases WHERE id > :a ORDER BY id LIMIT :k) c UNION "
        "SELECT case_id FROM (SELECT DISTINCT case_id FROM case_events WHERE case_id > :b ORDER BY case_id LIMIT :l) "
        "e) "
        "every ORDER BY id LIMIT :m",
        [&](std::string id) { ids.push_back(std::move(id)); }, after, kAtOnce, after, kAtOnce, kAtOnce);
    if (ids.empty()) return count;
    for (const auto& id : ids) {
      const auto result = verify_case(connection, tx, id);
      if (!result) return tl::unexpected(result.error());
      ++count;
    }
    after = ids.back();
  }
}

}  // namespace gridward::storage
