// One connection, its prepared statements and the words in which the two databases differ. One thread at a time.
#pragma once

#include <functional>
#include <gridward/shared/error.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "statement.hpp"

namespace gridward::storage {

enum class Database { sqlite, postgresql };

struct Address {
  Database database = Database::sqlite;
  std::string connect;  // what SOCI's backend takes
};
Result<Address> parse_url(std::string_view url);  // config_invalid

// A rule that the database holds, or SQL that it does not understand: a bug of ours. Everything else (a full disk, a
// cut connection, a lock) is the database's.
bool is_our_bug(const soci::soci_error& problem);

using Parameter = std::variant<std::string, long long>;

enum class Role { writer, reader };

class Connection {
 public:
  // Opens; throws soci::soci_error. The session is another's, and outlives this.
  Connection(soci::session& session, Address address, Role role);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Database database() const { return address_.database; }
  bool alive() const;
  void reconnect();  // throws when there is still nobody

  void begin();
  void commit();
  void rollback() noexcept;  // whatever state it is in
  void savepoint() { change("SAVEPOINT unit"); }
  void release() { change("RELEASE SAVEPOINT unit"); }
  void undo();
  void vacuum_into(const std::string& path);  // SQLite: a consistent copy; outside a transaction
  void checkpoint();                          // SQLite: as much of the log as nobody needs; waits for nobody
  void wipe_what_is_removed();  // SQLite: removed values are overwritten from now on; PostgreSQL: VACUUM does it

  // Gives the number of rows changed.
  template <class... Args>
  std::size_t change(std::string_view sql, const Args&... args) {
    using Statement = Prepared<std::tuple<KeptType<Args>...>, std::tuple<>>;
    return guarded(sql, [&] {
      auto& prepared = find<Statement>(sql);
      prepared.run(args...);
      return static_cast<std::size_t>(std::max(0LL, prepared.statement.get_affected_rows()));
    });
  }

  // Calls f with each row's columns, as the types Row says. f must not use this same SQL.
  template <class... Row, class F, class... Args>
  void each(std::string_view sql, F&& f, const Args&... args) {
    using Statement = Prepared<std::tuple<KeptType<Args>...>, std::tuple<KeptType<Row>...>>;
    guarded(sql, [&] {
      auto& prepared = find<Statement>(sql);
      // To the end always: SQLite finishes INSERT … RETURNING, and lets go of what it read, only then.
      for (bool got = prepared.run(args...); got; got = prepared.statement.fetch()) {
        deliver<Row...>(prepared.out, f, std::index_sequence_for<Row...>{});
      }
      return 0;
    });
  }

  template <class T, class... Args>
  std::optional<T> value(std::string_view sql, const Args&... args) {
    std::optional<T> found;
    each<T>(sql, [&](T value) { found = std::move(value); }, args...);
    return found;
  }

  // For SQL put together from pieces: every column is read as text.
  void each_text(const std::string& sql, const std::vector<Parameter>& parameters, std::size_t columns,
                 const std::function<void(const std::vector<std::string>&)>& f);

 private:
  template <class Statement>
  Statement& find(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      if (statements_.size() >= kStatements) statements_.clear();
      std::string text(sql);
      auto made = std::make_unique<Statement>(session_, text);
      found = statements_.emplace(std::move(text), std::move(made)).first;
    }
    auto* statement = dynamic_cast<Statement*>(found->second.get());
    if (statement == nullptr) throw std::logic_error("the same SQL with other types: " + std::string(sql));
    return *statement;
  }

  // A statement that failed is not used again, and is only let go of when no transaction is in the way.
  template <class F>
  auto guarded(std::string_view sql, F&& f) {
    try {
      return f();
    } catch (...) {
      drop(sql);
      throw;
    }
  }
  void drop(std::string_view sql);

  template <class... Row, class Out, class F, std::size_t... I>
  static void deliver(Out& out, F& f, std::index_sequence<I...>) {
    f(taken<Row>(std::get<I>(out))...);
  }

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  static constexpr std::size_t kStatements = 512;

  void open();
  void set_up();
  void once(const std::string& sql);

  soci::session& session_;
  Address address_;
  Role role_;
  std::unordered_map<std::string, std::unique_ptr<AnyStatement>, Hash, std::equal_to<>> statements_;
  std::vector<std::unique_ptr<AnyStatement>> broken_;
};

}  // namespace gridward::storage
