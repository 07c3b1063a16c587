#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <gridward/platform/crypto.hpp>
#include <gridward/platform/files.hpp>
#include <gridward/storage/migrations.hpp>
#include <gridward/storage/store.hpp>
#include <mutex>
#include <thread>

#include "checkpointer.hpp"
#include "codec.hpp"
#include "connection.hpp"
#include "tx.hpp"
#include "verify.hpp"

namespace gridward::storage {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstRetry{100};
constexpr std::chrono::milliseconds kLastRetry{5000};

Error storage_error(std::string_view problem) {
  return Error{ErrorCode::storage_failed, "database", std::string(problem)};
}

// The error of the exception being handled.
Error current_error() {
  try {
    throw;
  } catch (const soci::soci_error& problem) {
    return is_our_bug(problem) ? Error{ErrorCode::internal, "database", problem.what()} : storage_error(problem.what());
  } catch (const std::exception& problem) {
    return Error{ErrorCode::internal, "", problem.what()};
  } catch (...) {
    return Error{ErrorCode::internal, "", "something that is not an exception was thrown"};
  }
}

class SqlStore final : public StoreWithControl {
 public:
  SqlStore(StoreOptions options, Address address)
      : options_(std::move(options)),
        address_(std::move(address)),
        writer_(writer_session_, address_, storage::Role::writer),
        reader_sessions_(std::max<std::size_t>(1, options_.readers)) {
    options_.batch_limit = std::max<std::size_t>(1, options_.commit_each ? 1 : options_.batch_limit);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.readers); ++i) {
      readers_.push_back(std::make_unique<Connection>(reader_sessions_.at(i), address_, storage::Role::reader));
    }
    if (address_.database == Database::sqlite)
      checkpointer_.emplace(address_, [this](std::string_view text) { log(text); });
    thread_ = std::thread([this] { run(); });
  }
  ~SqlStore() override { SqlStore::stop(); }

  Result<void> read(const std::function<Result<void>(app::Tx&)>& work) override {
    if (stopped_.load(std::memory_order_relaxed)) return fail(ErrorCode::unavailable, "store", "stopped");
    const Lease lease(reader_sessions_);
    return read_on(*readers_[lease.position()], work);
  }

  Result<void> submit(app::Unit unit) override {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return fail(ErrorCode::unavailable, "store", "stopped");
      if (queue_.size() >= options_.queue_limit) {
        return fail(ErrorCode::busy, "store", std::to_string(queue_.size()) + " units are waiting");
      }
      if (bytes_ > 0 && bytes_ + unit.bytes > options_.queue_bytes) {
        return fail(ErrorCode::busy, "store", std::to_string(bytes_) + " bytes are waiting");
      }
      bytes_ += unit.bytes;
      queue_.push_back(std::move(unit));
      wake = waiting_;
    }
    if (wake) arrived_.notify_one();
    return {};
  }

  bool idle() const override {
    const std::lock_guard lock(mutex_);
    return queue_.empty() && bytes_ == 0;
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    arrived_.notify_one();
    if (thread_.joinable()) thread_.join();
    checkpointer_.reset();
    stopped_ = true;
  }

  StoreCounters counters() const override {
    StoreCounters counters;
    {
      const std::lock_guard lock(mutex_);
      counters.waiting = queue_.size();
      counters.bytes = bytes_;
    }
    counters.units = units_;
    counters.failed = failed_;
    counters.commits = commits_;
    return counters;
  }

  Result<std::size_t> verify_case_chains() override {
    Result<std::size_t> result = 0;
    const Lease lease(reader_sessions_);
    auto& connection = *readers_[lease.position()];
    const auto done = read_on(connection, [&](app::Tx& tx) -> Result<void> {
      result = verify_cases(connection, tx);
      return {};
    });
    if (!done) return tl::unexpected(done.error());
    return result;
  }

  Result<void> snapshot(const std::string& path) override {
    if (writer_.database() != Database::sqlite) {
      return fail(ErrorCode::unavailable, "database",
                  "PostgreSQL is copied with its own tools, see docs/operations.md");
    }
    if (std::filesystem::exists(path)) return fail(ErrorCode::already_exists, "database", path);
    try {
      // A connection of its own: a big copy would keep a reader from the pages for long.
      soci::session session;
      Connection connection(session, address_, storage::Role::writer);
      connection.vacuum_into(path);
    } catch (const std::exception& problem) {
      return tl::unexpected(storage_error(problem.what()));
    }
    return platform::sync_file(path);
  }

 private:
  class Lease {
   public:
    explicit Lease(soci::connection_pool& pool) : pool_(pool), position_(pool.lease()) {}
    ~Lease() { pool_.give_back(position_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    std::size_t position() const { return position_; }

   private:
    soci::connection_pool& pool_;
    std::size_t position_;
  };

  Result<void> read_on(Connection& connection, const std::function<Result<void>(app::Tx&)>& work) {
    bool fresh = false;
    try {
      if (!connection.alive()) {
        connection.reconnect();
        fresh = true;
      }
      connection.begin();
    } catch (...) {
      // An idle connection may have been cut since: one new try, before any work was done.
      auto error = current_error();
      if (fresh || connection.alive()) {
        connection.rollback();
        return tl::unexpected(storage_error(error.detail));
      }
      try {
        connection.reconnect();
        connection.begin();
      } catch (...) {
        return tl::unexpected(storage_error(current_error().detail));
      }
    }
    try {
      SqlTx tx(connection);
      auto result = work(tx);
      connection.commit();
      return result;
    } catch (...) {
      auto error = current_error();
      connection.rollback();
      return tl::unexpected(std::move(error));
    }
  }

  void log(std::string_view text) const {
    if (options_.log) options_.log(text);
  }

  void run() {
    std::vector<app::Unit> batch;
    while (take(batch)) {
      commit(batch);
      std::size_t bytes = 0;
      std::vector<std::function<void()>> after;
      for (auto& unit : batch) {
        bytes += unit.bytes;
        if (unit.after) after.push_back(std::move(unit.after));
      }
      batch.clear();
      {
        const std::lock_guard lock(mutex_);
        bytes_ -= bytes;
      }
      // Last, when the room is free again: who hears of it may come with more at once.
      for (const auto& say : after) guarded(say);
    }
  }

  // Blocks for the first unit. False: stopped, and the queue is empty.
  bool take(std::vector<app::Unit>& batch) {
    std::unique_lock lock(mutex_);
    const auto something = [this] { return stopping_ || !queue_.empty(); };
    if (!something()) {
      waiting_ = true;
      arrived_.wait(lock, something);
      waiting_ = false;
    }
    while (!queue_.empty() && batch.size() < options_.batch_limit) {
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return !batch.empty();
  }

  void commit(std::vector<app::Unit>& batch) {
    std::vector<Result<void>> results(batch.size());
    if (auto problem = write(batch, results)) {
      state_.forget_all();
      for (auto& result : results) result = tl::unexpected(*problem);
    }
    for (const auto& result : results) {
      ++(result ? units_ : failed_);
    }
    if (checkpointer_) checkpointer_->committed(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].done) guarded([&] { batch[i].done(results[i]); });
    }
  }

  template <class F>
  void guarded(const F& callback) {
    try {
      callback();
    } catch (const std::exception& problem) {
      log(std::string("a callback after the commit threw: ") + problem.what());
    } catch (...) {
      log("a callback after the commit threw");
    }
  }

  // Gives the error when nothing of the batch was kept.
  std::optional<Error> write(std::vector<app::Unit>& batch, std::vector<Result<void>>& results) {
    if (auto problem = connect()) return problem;
    inside_ = false;
    try {
      const bool together =
          batch.size() == 1 || std::ranges::all_of(batch, [](const app::Unit& unit) { return unit.repeatable; });
      if (together && write_together(batch, results)) return std::nullopt;
      if (batch.size() > 1) write_apart(batch, results);
      return std::nullopt;
    } catch (...) {
      const auto error = current_error();
      if (inside_) writer_.rollback();
      lost(error.detail);
      return storage_error(error.detail);
    }
  }

  // Without savepoints. False: a unit failed, so nothing was kept.
  bool write_together(std::vector<app::Unit>& batch, std::vector<Result<void>>& results) {
    begin();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      results[i] = run_unit(batch[i]);
      if (!results[i]) {
        state_.forget_unit();
        if (i > 0) state_.forget_all();
        rollback();
        return false;
      }
      state_.keep_unit();
    }
    finish();
    return true;
  }

  // A savepoint each, so that one that fails goes alone.
  void write_apart(std::vector<app::Unit>& batch, std::vector<Result<void>>& results) {
    begin();
    bool changed = false;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      writer_.savepoint();
      results[i] = run_unit(batch[i]);
      if (results[i]) {
        writer_.release();
        state_.keep_unit();
        changed = true;
      } else {
        writer_.undo();
        state_.forget_unit();
      }
    }
    if (changed) {
      finish();
    } else {
      rollback();
    }
  }

  // Throws when the transaction itself is lost.
  Result<void> run_unit(app::Unit& unit) {
    try {
      SqlTx tx(writer_, &state_);
      return unit.work(tx);
    } catch (...) {
      auto error = current_error();
      if (error.code == ErrorCode::storage_failed) throw;
      return tl::unexpected(std::move(error));
    }
  }

  void begin() {
    writer_.begin();
    inside_ = true;
  }
  void finish() {
    state_.flush(writer_);
    writer_.commit();
    inside_ = false;
    ++commits_;
    state_.committed();
  }
  void rollback() {
    writer_.rollback();
    inside_ = false;
  }

  // Nothing to do, or a new connection; the error while it is too early to try again or nobody answers.
  std::optional<Error> connect() {
    if (connected_ && writer_.alive()) return std::nullopt;
    if (connected_) lost("the connection is gone");
    if (SteadyClock::now() < next_try_) return storage_error("the database does not answer");
    try {
      writer_.reconnect();
      connected_ = true;
      retry_ = kFirstRetry;
      log("the database answers again");
      return std::nullopt;
    } catch (...) {
      const auto error = current_error();
      next_try_ = SteadyClock::now() + retry_;
      retry_ = std::min(retry_ * 2, kLastRetry);
      return storage_error(error.detail);
    }
  }

  void lost(std::string_view why) {
    log("a batch failed: " + std::string(why));
    if (connected_ && !writer_.alive()) {
      connected_ = false;
      retry_ = kFirstRetry;
      next_try_ = SteadyClock::now();
    }
  }

  StoreOptions options_;
  const Address address_;
  soci::session writer_session_;
  Connection writer_;
  soci::connection_pool reader_sessions_;
  std::vector<std::unique_ptr<Connection>> readers_;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<app::Unit> queue_;
  std::size_t bytes_ = 0;  // of queue_ and of the batch in work
  bool waiting_ = false;   // the writer sleeps
  bool stopping_ = false;  // takes no more
  std::atomic<bool> stopped_ = false;
  std::atomic<std::uint64_t> units_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;

  // The writer's alone.
  WriteState state_;
  bool connected_ = true;
  bool inside_ = false;  // a transaction
  std::chrono::milliseconds retry_ = kFirstRetry;
  SteadyClock::time_point next_try_;

  std::optional<Checkpointer> checkpointer_;  // outlives the writer's thread
  std::thread thread_;
};

}  // namespace

namespace {

// A new database gets its generation once; two that open it at a time agree on one.
void name_generation(const Address& address) {
  soci::session session;
  Connection connection(session, address, Role::writer);
  if (connection.value<std::string>("SELECT generation FROM store_generation WHERE one = 1")) return;
  Uuid fresh;
  platform::random_bytes(fresh.bytes);
  connection.begin();
  connection.change(
      "INSERT INTO store_generation (one, generation, first_generation) VALUES (1, :g, :f) "
      "ON CONFLICT (one) DO NOTHING",
      uuid_text(fresh), uuid_text(fresh));
  connection.commit();
}

}  // namespace

Result<std::unique_ptr<StoreWithControl>> open_store(StoreOptions options) {
  auto address = parse_url(options.url);
  if (!address) return tl::unexpected(address.error());
  const auto version = migrate(options.url);
  if (!version) return tl::unexpected(version.error());
  try {
    name_generation(*address);
    return std::make_unique<SqlStore>(std::move(options), std::move(*address));
  } catch (const std::exception& problem) {
    return tl::unexpected(storage_error(problem.what()));
  }
}

}  // namespace gridward::storage
