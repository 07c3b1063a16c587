#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <gridward/test/paths.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "fixture.hpp"

namespace {

std::atomic<int> syncs = 0;

}  // namespace

// SQLite's own calls end here too.
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}
extern "C" int fsync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, file));
}

namespace gridward::storage {
namespace {

using Durability = DatabaseTest;
GRIDWARD_ON_BOTH(Durability);

TEST_P(Durability, WhatWasReportedOutlivesKill9) {
  std::mt19937 random(4);
  std::uint64_t reported = 0;
  const int rounds = GetParam() == Kind::sqlite ? 20 : 5;
  for (int round = 0; round < rounds; ++round) {
    const auto log = dir_ / ("round-" + std::to_string(round));
    test::Process child({test::program("tests/component/storage/storage_writer").string(), url_}, log);
    ASSERT_TRUE(test::wait_until([&] { return !child.running() || !test::read_file(log).empty(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
    ASSERT_EQ(child.kill(SIGKILL), 128 + SIGKILL) << test::read_file(log);

    const auto text = test::read_file(log);
    ASSERT_EQ(text.back(), '\n');
    std::istringstream lines(text);
    std::string word;
    std::uint64_t seq = 0;
    std::uint64_t count = 0;
    while (lines >> word >> seq) {
      ASSERT_EQ(word, "ok") << seq;
      ASSERT_EQ(seq, ++reported) << "out of order, or one committed before was written again";
      ++count;
    }
    ASSERT_GT(count, 0U);

    auto store = open_store({.url = url_});
    ASSERT_TRUE(store) << to_string(store.error());
    std::uint64_t contiguous = 0;
    ASSERT_TRUE((*store)->read([&](app::Tx& tx) -> Result<void> {
      Uuid epoch;
      epoch.bytes[0] = 1;
      contiguous = tx.contiguous_seq("hh-1", epoch);
      return {};
    }));
    EXPECT_GE(contiguous, reported) << "round " << round;
    // Committed and not told is fine (the device sends it again); half a unit is not.
    auto all = std::to_string(contiguous);
    all += "|" + all;
    EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*), MAX(seq) FROM records").at(0), all);
    EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*), MAX(n) FROM down_items").at(0), all);
    reported = contiguous;
  }
}

using SqliteOnly = DatabaseTest;
INSTANTIATE_TEST_SUITE_P(Databases, SqliteOnly, testing::Values(Kind::sqlite), kind_word);

TEST_P(SqliteOnly, EveryCommitIsSyncedBeforeItIsTold) {
  auto store = open_store({.url = url_});
  ASSERT_TRUE(store);
  EXPECT_EQ(raw_sql(url_, "PRAGMA journal_mode").at(0), "wal");
  for (int i = 1; i <= 10; ++i) {
    const auto before = syncs.load();
    const auto result = (*store)->write([&](app::Tx& tx) -> Result<void> {
      tx.prove_writable(at(i));
      return {};
    });
    ASSERT_TRUE(result);
    EXPECT_GT(syncs.load(), before) << "commit " << i;
  }
}

TEST_P(SqliteOnly, ASnapshotIsWholeWhileTheDatabaseIsWritten) {
  auto store = open_store({.url = url_});
  ASSERT_TRUE(store);
  const auto insert = [&](std::uint64_t seq) {
    return (*store)->write([seq](app::Tx& tx) -> Result<void> {
      app::StoredRecord record;
      record.device = "hh-1";
      record.epoch = id(1);
      record.id = id(static_cast<std::uint32_t>(seq));
      record.seq = seq;
      tx.insert_record(record);
      tx.enqueue_down("hh-1", "notice", "x", at(0));
      return {};
    });
  };
  std::uint64_t seq = 0;
  while (seq < 200) ASSERT_TRUE(insert(++seq));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) ASSERT_TRUE(insert(++seq));
  });
  const auto copy = (dir_ / "the copy's file.db").string();
  const auto made = (*store)->snapshot(copy);
  stop = true;
  writer.join();
  ASSERT_TRUE(made) << to_string(made.error());

  const auto copy_url = "sqlite://" + copy;
  const auto counts = raw_sql(copy_url, "SELECT COUNT(*) FROM records").at(0);
  EXPECT_GE(std::stoul(counts), 200U);
  EXPECT_EQ(raw_sql(copy_url, "SELECT COUNT(*) FROM down_items").at(0), counts);
  EXPECT_EQ(raw_sql(copy_url, "SELECT contiguous FROM streams").at(0), counts);
  EXPECT_EQ(raw_sql(copy_url, "PRAGMA integrity_check").at(0), "ok");
  EXPECT_TRUE(open_store({.url = copy_url}));

  const auto again = (*store)->snapshot(copy);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
  const auto nowhere = (*store)->snapshot("/no/such/folder/copy.db");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::storage_failed);
}

TEST_P(SqliteOnly, AFullDiskFailsTheBatchAndKeepsTheRest) {
  auto store = open_store({.url = url_});
  ASSERT_TRUE(store);
  const auto insert = [&](std::uint32_t number, std::size_t bytes) {
    return (*store)->write([=](app::Tx& tx) -> Result<void> {
      app::StoredRecord record;
      record.device = "hh-1";
      record.epoch = id(1);
      record.id = id(number);
      record.seq = number;
      record.bytes = Bytes(bytes);
      tx.insert_record(record);
      return {};
    });
  };
  ASSERT_TRUE(insert(1, 10));
  // The process may not make any file longer than 2 MB: a write beyond it fails, as on a full disk.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 2UL * 1024 * 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto failed = insert(2, 3UL * 1024 * 1024);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::storage_failed) << to_string(failed.error());

  ASSERT_TRUE(insert(2, 10));
  EXPECT_EQ(raw_sql(url_, "SELECT seq FROM records ORDER BY seq"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(raw_sql(url_, "SELECT contiguous FROM streams").at(0), "2");
  EXPECT_EQ(raw_sql(url_, "PRAGMA integrity_check").at(0), "ok");
}

}  // namespace
}  // namespace gridward::storage
