#include "connection.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "sqlite_process.hpp"

namespace gridward::storage {
namespace {

// Every parameter and column in places that do not move.
struct Pieced final : AnyStatement {
  Pieced(soci::session& session, const std::string& sql, const std::vector<Parameter>& parameters, std::size_t columns)
      : row(columns), texts(parameters.size()), numbers(parameters.size()), out(columns), statement(session) {
    statement.alloc();
    for (auto& slot : out) statement.exchange(soci::into(slot.value, slot.state));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (std::holds_alternative<std::string>(parameters[i])) {
        statement.exchange(soci::use(std::as_const(texts[i].value), texts[i].state));
      } else {
        statement.exchange(soci::use(std::as_const(numbers[i].value), numbers[i].state));
      }
    }
    statement.prepare(sql);
    statement.define_and_bind();
  }
  bool run(const std::vector<Parameter>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (const auto* text = std::get_if<std::string>(&parameters[i])) {
        put(texts[i], *text);
      } else {
        put(numbers[i], std::get<long long>(parameters[i]));
      }
    }
    return statement.execute(true);
  }

  std::vector<std::string> row;
  std::vector<Slot<std::string>> texts;
  std::vector<Slot<long long>> numbers;
  std::vector<Slot<std::string>> out;
  soci::statement statement;
};

}  // namespace

Result<Address> parse_url(std::string_view url) {
  constexpr std::string_view kSqlite = "sqlite://";
  if (url.starts_with(kSqlite)) {
    const auto path = url.substr(kSqlite.size());
    if (!path.starts_with('/')) return fail(ErrorCode::config_invalid, "url", "sqlite:// and an absolute path");
    // SOCI takes a text with "=" for a list of options.
    if (path.find('=') != std::string_view::npos || path.find('\0') != std::string_view::npos) {
      return fail(ErrorCode::config_invalid, "url", "the path of a SQLite database cannot hold \"=\"");
    }
    return Address{Database::sqlite, std::string(path)};
  }
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    return Address{Database::postgresql, std::string(url)};
  }
  return fail(ErrorCode::config_invalid, "url", "sqlite:///path or postgresql://…");
}

bool is_our_bug(const soci::soci_error& problem) {
  // SOCI's category is not told for SQLite.
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&problem)) {
    switch (sqlite->result() & 0xFF) {
      case SQLITE_ERROR:
      case SQLITE_TOOBIG:
      case SQLITE_CONSTRAINT:
      case SQLITE_MISMATCH:
      case SQLITE_MISUSE:
      case SQLITE_RANGE:
        return true;
      default:
        return false;
    }
  }
  const auto category = problem.get_error_category();
  return category == soci::soci_error::constraint_violation || category == soci::soci_error::invalid_statement;
}

Connection::Connection(soci::session& session, Address address, Role role)
    : session_(session), address_(std::move(address)), role_(role) {
  open();
}

Connection::~Connection() {
  statements_.clear();
  broken_.clear();
}

void Connection::open() {
  if (address_.database == Database::sqlite) set_up_sqlite();
  const soci::backend_factory& factory = address_.database == Database::sqlite
                                             ? static_cast<const soci::backend_factory&>(soci::sqlite3)
                                             : static_cast<const soci::backend_factory&>(soci::postgresql);
  session_.open(factory, address_.connect);
  set_up();
}

void Connection::once(const std::string& sql) {
  soci::statement statement(session_);
  statement.alloc();
  statement.prepare(sql, soci::details::st_one_time_query);
  statement.define_and_bind();
  bool got = statement.execute(true);
  while (got) got = statement.fetch();
}

void Connection::set_up() {
  if (address_.database == Database::sqlite) {
    once("PRAGMA busy_timeout = 10000");
    // Of a new database: a row has half a kilobyte, and what a transaction changes lies on fewer pages.
    once("PRAGMA page_size = 8192");
    // Readers go on while the writer writes; FULL makes a commit outlive a power cut.
    once("PRAGMA journal_mode = WAL");
    once("PRAGMA synchronous = FULL");
    once("PRAGMA foreign_keys = ON");
    once("PRAGMA temp_store = MEMORY");
    once("PRAGMA cache_size = -65536");
    if (role_ == Role::writer) {
      // Fewer checkpoints, each of which costs a sync of the database beside the log's. Most is done beside the writer.
      once("PRAGMA wal_autocheckpoint = 8000");
    } else {
      once("PRAGMA query_only = ON");
    }
  } else {
    once("SET client_encoding TO 'UTF8'");
    once("SET standard_conforming_strings TO on");
    once("SET client_min_messages TO warning");
    once("SET synchronous_commit TO on");
  }
}

bool Connection::alive() const { return session_.is_connected(); }

void Connection::reconnect() {
  statements_.clear();
  broken_.clear();
  session_.close();
  open();
}

void Connection::begin() {
  broken_.clear();
  if (address_.database == Database::sqlite) {
    // Immediate: a writer that begins as a reader can find the database changed under it and fail half way.
    change(role_ == Role::writer ? "BEGIN IMMEDIATE" : "BEGIN");
  } else {
    change(role_ == Role::writer ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }
}

void Connection::commit() { change("COMMIT"); }

void Connection::rollback() noexcept {
  try {
    once("ROLLBACK");
  } catch (...) {
    // Either the database has rolled back by itself, or it is gone and nothing of it was kept.
    (void)std::current_exception();
  }
  try {
    broken_.clear();
  } catch (...) {
    (void)std::current_exception();
  }
}

void Connection::undo() {
  change("ROLLBACK TO SAVEPOINT unit");
  release();
  broken_.clear();
}

void Connection::checkpoint() { once("PRAGMA wal_checkpoint(PASSIVE)"); }

void Connection::vacuum_into(const std::string& path) {
  std::string quoted = "'";
  for (const char c : path) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  quoted += '\'';
  once("VACUUM INTO " + quoted);
}

void Connection::wipe_what_is_removed() {
  if (address_.database == Database::sqlite) once("PRAGMA secure_delete = ON");
}

void Connection::drop(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found == statements_.end()) return;
  broken_.push_back(std::move(found->second));
  statements_.erase(found);
}

void Connection::each_text(const std::string& sql, const std::vector<Parameter>& parameters, std::size_t columns,
                           const std::function<void(const std::vector<std::string>&)>& f) {
  guarded(sql, [&] {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      if (statements_.size() >= kStatements) statements_.clear();
      found = statements_.emplace(sql, std::make_unique<Pieced>(session_, sql, parameters, columns)).first;
    }
    auto& prepared = dynamic_cast<Pieced&>(*found->second);
    for (bool got = prepared.run(parameters); got; got = prepared.statement.fetch()) {
      for (std::size_t i = 0; i < columns; ++i) prepared.row[i] = taken<std::string>(prepared.out[i]);
      f(prepared.row);
    }
    return 0;
  });
}

}  // namespace gridward::storage
