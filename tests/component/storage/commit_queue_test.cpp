#include <atomic>
#include <filesystem>
#include <future>
#include <gridward/test/gate.hpp>
#include <mutex>
#include <thread>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using test::Gate;

using CommitQueue = StoreTest;
GRIDWARD_ON_BOTH(CommitQueue);

app::StoredRecord record(std::uint64_t seq, std::string device = "hh-1") {
  app::StoredRecord record;
  record.device = std::move(device);
  record.epoch = id(1);
  record.id = id(static_cast<std::uint32_t>(seq));
  record.seq = seq;
  return record;
}

Result<void> insert(app::Tx& tx, std::uint64_t seq) {
  auto one = record(seq);
  if (tx.insert_record(one) != app::Inserted::fresh) return fail(ErrorCode::already_exists);
  return {};
}

std::uint64_t seq_of(int unit) { return static_cast<std::uint64_t>(unit) + 1; }

// What the callbacks said, in their order.
class Told {
 public:
  std::function<void(const Result<void>&)> note(int number) {
    return [this, number](const Result<void>& result) {
      const std::lock_guard lock(mutex_);
      told_.emplace_back(number, result);
    };
  }
  std::vector<std::pair<int, Result<void>>> all() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<int, Result<void>>> told_;
};

TEST_P(CommitQueue, OneBadUnitAmongAHundredFailsAlone) {
  Told told;
  {
    Gate gate(*store_);
    for (int i = 0; i < 100; ++i) {
      const auto seq = seq_of(i);
      ASSERT_TRUE(store_->submit({[i, seq](app::Tx& tx) -> Result<void> {
                                    if (auto result = insert(tx, seq); !result) return result;
                                    if (i == 40) return fail(ErrorCode::unknown_category, "body.category");
                                    if (i == 50) throw std::runtime_error("a bug");
                                    if (i == 60) throw 5;
                                    // On PostgreSQL an error in SQL spoils the transaction until its savepoint.
                                    if (i == 70)
                                      tx.append_events(id(1), 7, std::vector<domain::CaseEvent>(1), std::nullopt);
                                    if (i == 80) tx.insert_session({sha(1), "x", at(0), at(0)});
                                    if (i == 81) tx.insert_session({sha(1), "x", at(0), at(0)});
                                    return {};
                                  },
                                  told.note(i)}));
    }
  }
  store_->stop();
  const auto all = told.all();
  ASSERT_EQ(all.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    const auto& [number, result] = all[static_cast<std::size_t>(i)];
    EXPECT_EQ(number, i) << "callbacks out of order";
    if (i == 40) {
      EXPECT_EQ(result.error(), (Error{ErrorCode::unknown_category, "body.category", ""}));
    } else if (i == 50 || i == 60 || i == 70 || i == 81) {
      ASSERT_FALSE(result) << i;
      EXPECT_EQ(result.error().code, ErrorCode::internal) << i << to_string(result.error());
    } else {
      EXPECT_TRUE(result) << i;
    }
  }
  EXPECT_EQ(store_->counters().units, 96U);  // with the gate's
  EXPECT_EQ(store_->counters().failed, 5U);
  EXPECT_EQ(store_->counters().commits, 2U);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), "95");
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records WHERE seq IN (41, 51, 61, 71, 82)").at(0), "0");
  EXPECT_EQ(raw_sql(url_, "SELECT contiguous FROM streams").at(0), "40");
}

TEST_P(CommitQueue, RepeatableUnitsAreRunAgainWhenOneOfThemFails) {
  Told told;
  std::vector<int> runs(50);
  {
    Gate gate(*store_);
    for (int i = 0; i < 50; ++i) {
      app::Unit unit;
      unit.work = [i, &runs](app::Tx& tx) -> Result<void> {
        ++runs[static_cast<std::size_t>(i)];
        if (auto result = insert(tx, seq_of(i)); !result) return result;
        EXPECT_EQ(tx.next_case_number("t", "20261122"),
                  "t-20261122-00" + std::string(i < 9 ? "0" : "") + std::to_string(i > 20 ? i : i + 1));
        if (i == 20) return fail(ErrorCode::unknown_category);
        return {};
      };
      unit.done = told.note(i);
      unit.repeatable = true;
      ASSERT_TRUE(store_->submit(std::move(unit)));
    }
  }
  store_->stop();
  const auto all = told.all();
  ASSERT_EQ(all.size(), 50U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)].first, i);
    EXPECT_EQ(all[static_cast<std::size_t>(i)].second.has_value(), i != 20) << i;
    EXPECT_EQ(runs[static_cast<std::size_t>(i)], i <= 20 ? 2 : 1) << i;
  }
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), "49");
  EXPECT_EQ(raw_sql(url_, "SELECT contiguous, newest FROM streams").at(0), "20|50");
  EXPECT_EQ(raw_sql(url_, "SELECT n FROM counters WHERE name = 'case/t/20261122'").at(0), "49");
}

TEST_P(CommitQueue, AUnitThatIsNotRepeatableIsRunOnce) {
  std::atomic<int> runs = 0;
  {
    Gate gate(*store_);
    for (int i = 0; i < 4; ++i) {
      app::Unit unit;
      unit.work = [i, &runs](app::Tx& tx) -> Result<void> {
        runs += i == 0 ? 1 : 0;
        if (i == 2) return fail(ErrorCode::unknown_category);
        return insert(tx, seq_of(i));
      };
      unit.repeatable = i != 0;
      ASSERT_TRUE(store_->submit(std::move(unit)));
    }
  }
  store_->stop();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), "3");
}

TEST_P(CommitQueue, AFullQueueSaysBusyAndCallsNobody) {
  options_.queue_limit = 3;
  reopen();
  Told told;
  {
    Gate gate(*store_);
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(store_->submit({[i](app::Tx& tx) { return insert(tx, seq_of(i)); }, told.note(i)}));
    }
    EXPECT_EQ(store_->counters().waiting, 3U);
    const auto refused = store_->submit({[](app::Tx& tx) { return insert(tx, 99); }, told.note(99)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::busy);
    EXPECT_TRUE(error_info(refused.error().code).retryable);
  }
  store_->stop();
  EXPECT_EQ(told.all().size(), 3U);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), "3");
}

TEST_P(CommitQueue, AQueueOfTooManyBytesSaysBusy) {
  options_.queue_bytes = 100'000;
  reopen();
  const auto unit = [](std::size_t bytes, Told& told, int number) {
    app::Unit made;
    made.work = [](app::Tx&) -> Result<void> { return {}; };
    made.done = told.note(number);
    made.bytes = bytes;
    return made;
  };
  Told told;
  {
    Gate gate(*store_);  // it holds its own 1024 bytes until its done
    ASSERT_TRUE(store_->submit(unit(60'000, told, 1)));
    ASSERT_TRUE(store_->submit(unit(38'976, told, 2)));
    EXPECT_EQ(store_->counters().bytes, 100'000U);
    const auto refused = store_->submit(unit(1, told, 3));
    const auto why = refused ? Error{} : refused.error();
    EXPECT_EQ(why.code, ErrorCode::busy);
    EXPECT_NE(why.detail.find("bytes"), std::string::npos);
    EXPECT_EQ(store_->counters().waiting, 2U);
  }
  ASSERT_TRUE(test::wait_until([&] { return store_->counters().bytes == 0; }));
  EXPECT_EQ(told.all().size(), 2U);
  // One that is larger than everything is taken alone, or it never would be.
  ASSERT_TRUE(store_->submit(unit(1'000'000, told, 4)));
  ASSERT_TRUE(test::wait_until([&] { return told.all().size() == 3; }));
}

TEST_P(CommitQueue, DoneIsCalledAfterTheCommit) {
  // What a callback sees through another connection is committed.
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    std::promise<std::uint64_t> seen;
    ASSERT_TRUE(store_->submit({[seq](app::Tx& tx) { return insert(tx, seq); },
                                [&](const Result<void>& result) {
                                  EXPECT_TRUE(result);
                                  std::uint64_t contiguous = 0;
                                  EXPECT_TRUE(store_->read([&](app::Tx& tx) -> Result<void> {
                                    contiguous = tx.contiguous_seq("hh-1", id(1));
                                    return {};
                                  }));
                                  seen.set_value(contiguous);
                                }}));
    EXPECT_EQ(seen.get_future().get(), seq);
  }
}

TEST_P(CommitQueue, AfterIsCalledWhenAllOfTheTransactionAreDone) {
  std::mutex mutex;
  std::vector<std::string> told;
  const auto note = [&](std::string text) {
    const std::lock_guard lock(mutex);
    told.push_back(std::move(text));
  };
  const auto unit = [&](std::uint64_t seq) {
    const auto name = std::to_string(seq);
    return app::Unit{[seq](app::Tx& tx) { return insert(tx, seq); },
                     [&note, name](const Result<void>&) { note("done " + name); }, true, 1024,
                     [&note, name] { note("after " + name); }};
  };
  {
    Gate gate(*store_);
    ASSERT_TRUE(store_->submit(unit(1)));
    ASSERT_TRUE(store_->submit({[](app::Tx&) -> Result<void> { return fail(ErrorCode::malformed); },
                                [&](const Result<void>&) { note("done bad"); }}));
    ASSERT_TRUE(store_->submit(unit(2)));
    EXPECT_FALSE(store_->idle());
  }
  store_->stop();
  EXPECT_EQ(told, (std::vector<std::string>{"done 1", "done bad", "done 2", "after 1", "after 2"}));
}

TEST_P(CommitQueue, TheLogIsMovedIntoTheDatabaseBesideTheWriter) {
  if (GetParam() != Kind::sqlite) GTEST_SKIP() << "PostgreSQL does it by itself";
  const auto file = std::filesystem::path(url_.substr(std::string("sqlite://").size()));
  const auto before = std::filesystem::file_size(file);
  // Fewer than make the writer do it, more than make it due.
  constexpr int kUnits = 1200;
  for (int i = 0; i < kUnits; ++i) {
    ASSERT_TRUE(store_->submit({[i](app::Tx& tx) { return insert(tx, seq_of(i)); }, {}, true}));
  }
  for (int i = 0; i < 2000 && std::filesystem::file_size(file) <= before; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(std::filesystem::file_size(file), before);
}

TEST_P(CommitQueue, IdleIsWhenNothingWaitsOrIsWritten) {
  EXPECT_TRUE(store_->idle());
  {
    const Gate gate(*store_);
    EXPECT_FALSE(store_->idle()) << "one is being written";
  }
  // The transaction ends a little after the last callback.
  for (int i = 0; i < 1000 && !store_->idle(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(store_->idle());
}

TEST_P(CommitQueue, ACallbackThatThrowsStopsNobody) {
  std::atomic<int> logged = 0;
  options_.log = [&](std::string_view text) { logged += text.find("callback") != std::string_view::npos ? 1 : 0; };
  reopen();
  ASSERT_TRUE(store_->submit({[](app::Tx& tx) { return insert(tx, 1); },
                              [](const Result<void>&) { throw std::runtime_error("in a callback"); }}));
  ASSERT_TRUE(store_->submit({[](app::Tx& tx) { return insert(tx, 2); }, [](const Result<void>&) { throw 1; }}));
  write([](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 2U); });
  EXPECT_EQ(logged, 2);
}

TEST_P(CommitQueue, StopCommitsWhatWaitsAndThenTakesNothing) {
  Told told;
  std::thread stopping;
  {
    Gate gate(*store_);
    for (int i = 0; i < 600; ++i) {
      ASSERT_TRUE(store_->submit({[i](app::Tx& tx) { return insert(tx, seq_of(i)); }, told.note(i)}));
    }
    stopping = std::thread([&] { store_->stop(); });
    // Refused as soon as the stop was heard, although the writer still works.
    ASSERT_TRUE(test::wait_until([&] {
      const auto late = store_->submit({[](app::Tx&) -> Result<void> { return {}; }, {}});
      return !late && late.error().code == ErrorCode::unavailable;
    }));
  }
  stopping.join();
  const auto all = told.all();
  ASSERT_EQ(all.size(), 600U);
  for (const auto& [number, result] : all) EXPECT_TRUE(result) << number;
  EXPECT_EQ(store_->counters().waiting, 0U);
  const auto read = store_->read([](app::Tx&) -> Result<void> { return {}; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unavailable);
  store_->stop();  // again is nothing
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), "600");
}

TEST_P(CommitQueue, ManyThreadsAreGatheredIntoFewCommits) {
  constexpr int kThreads = 8;
  constexpr int kEach = 100;
  std::vector<std::thread> threads;
  threads.reserve(8);
  std::atomic<int> wrong = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::future<Result<void>>> answers;
      for (int i = 1; i <= kEach; ++i) {
        auto promise = std::make_shared<std::promise<Result<void>>>();
        answers.push_back(promise->get_future());
        const auto queued = store_->submit({[t, i](app::Tx& tx) -> Result<void> {
                                              auto one =
                                                  record(static_cast<std::uint64_t>(i), "hh-" + std::to_string(t));
                                              if (tx.insert_record(one) != app::Inserted::fresh)
                                                return fail(ErrorCode::internal);
                                              return {};
                                            },
                                            [promise](const Result<void>& result) { promise->set_value(result); }});
        if (!queued) ++wrong;
      }
      for (auto& answer : answers) wrong += answer.get() ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), std::to_string(kThreads * kEach));
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM streams WHERE contiguous = 100 AND newest = 100").at(0), "8");
  EXPECT_LT(store_->counters().commits, 400U);
}

TEST_P(CommitQueue, CommitEachIsOneCommitAUnit) {
  options_.commit_each = true;
  reopen();
  {
    Gate gate(*store_);
    for (std::uint64_t seq = 1; seq <= 10; ++seq) {
      ASSERT_TRUE(store_->submit({[seq](app::Tx& tx) { return insert(tx, seq); }, {}}));
    }
  }
  store_->stop();
  EXPECT_EQ(store_->counters().commits, 11U);
}

TEST_P(CommitQueue, AReaderSeesOneMomentAndCannotWrite) {
  write([](app::Tx& tx) { EXPECT_TRUE(insert(tx, 1)); });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 1U);
    write([](app::Tx& other) { EXPECT_TRUE(insert(other, 2)); });
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 1U);
  });
  read([&](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 2U); });

  const auto written = store_->read([](app::Tx& tx) -> Result<void> {
    tx.purge_sessions(at(0));
    return {};
  });
  EXPECT_FALSE(written);
  const auto inserted = store_->read([](app::Tx& tx) { return insert(tx, 3); });
  ASSERT_FALSE(inserted);
  EXPECT_EQ(inserted.error().code, ErrorCode::internal);
  // The connection is as good as before.
  for (int i = 0; i < 10; ++i) read([&](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 2U); });
  const auto said = store_->read([](app::Tx&) { return Result<void>(fail(ErrorCode::not_found, "case")); });
  EXPECT_EQ(said.error(), (Error{ErrorCode::not_found, "case", ""}));
}

TEST_P(CommitQueue, MoreReadersThanConnectionsWaitTheirTurn) {
  options_.readers = 2;
  reopen();
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        EXPECT_TRUE(store_->read([&](app::Tx& tx) -> Result<void> {
          most = std::max(most.load(), ++inside);
          tx.org_revision();
          --inside;
          return {};
        }));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most, 2);
}

using PostgresOnly = StoreTest;
INSTANTIATE_TEST_SUITE_P(Databases, PostgresOnly, testing::Values(Kind::postgresql), kind_word);

TEST_P(PostgresOnly, ALostDatabaseFailsTheUnitsAndComesBack) {
  write([](app::Tx& tx) { EXPECT_TRUE(insert(tx, 1)); });
  read([](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 1U); });

  Told told;
  {
    Gate gate(*store_);
    test::Postgres::shared().cut_connections();
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(
          store_->submit({[i](app::Tx& tx) { return insert(tx, static_cast<std::uint64_t>(i + 2)); }, told.note(i)}));
    }
  }
  ASSERT_TRUE(test::wait_until([&] { return told.all().size() == 10; }));
  // The gate's own transaction was lost; the ten may have found the new connection. None is half there.
  std::size_t good = 1;
  for (const auto& [number, result] : told.all()) {
    if (result) {
      ++good;
    } else {
      EXPECT_EQ(result.error().code, ErrorCode::storage_failed) << to_string(result.error());
    }
  }
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), std::to_string(good));

  // Cut in the middle of a unit: this batch fails as a whole.
  auto cut = store_->write([](app::Tx& tx) -> Result<void> {
    if (auto result = insert(tx, 100); !result) return result;
    test::Postgres::shared().cut_connections();
    return insert(tx, 101);
  });
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::storage_failed) << to_string(cut.error());
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records WHERE seq >= 100").at(0), "0");

  // Writers and readers find their way back by themselves.
  ASSERT_TRUE(test::wait_until([&] { return store_->write([](app::Tx& tx) { return insert(tx, 100); }).has_value(); }));
  for (int i = 0; i < 8; ++i) read([](app::Tx& tx) { EXPECT_EQ(tx.quarantined(1).size(), 0U); });

  // Down for longer: units fail at once instead of hanging, and it comes back with the server.
  test::Postgres::shared().stop();
  for (int i = 0; i < 3; ++i) {
    const auto failed = store_->write([](app::Tx& tx) { return insert(tx, 200); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::storage_failed);
  }
  const auto unread = store_->read([](app::Tx&) -> Result<void> { return {}; });
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code, ErrorCode::storage_failed);
  test::Postgres::shared().start();
  ASSERT_TRUE(test::wait_until([&] { return store_->write([](app::Tx& tx) { return insert(tx, 200); }).has_value(); },
                               std::chrono::seconds(20)));
  read([](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(9)), 0U); });
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records WHERE seq = 200").at(0), "1");
}

}  // namespace
}  // namespace gridward::storage
