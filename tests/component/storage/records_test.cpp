#include <algorithm>
#include <numeric>
#include <random>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using Records = StoreTest;
GRIDWARD_ON_BOTH(Records);

app::StoredRecord record(std::uint64_t seq, std::uint32_t number = 0, std::uint32_t epoch = 1,
                         std::string device = "hh-1") {
  app::StoredRecord record;
  record.device = std::move(device);
  record.town = "120116115";
  record.epoch = id(epoch);
  record.id = id(number == 0 ? static_cast<std::uint32_t>(seq) : number);
  record.seq = seq;
  record.kind = "report";
  record.actor = "m1";
  record.at = at(static_cast<std::int64_t>(seq));
  record.received = at(static_cast<std::int64_t>(seq) + 50);
  record.hash = sha(static_cast<std::uint32_t>(seq));
  record.bytes = {0, 1, 2, 255, static_cast<std::uint8_t>(seq)};
  return record;
}

TEST_P(Records, TheSameAgainIsKnownAndAnotherIsAConflict) {
  write([](app::Tx& tx) {
    auto first = record(1);
    EXPECT_EQ(tx.insert_record(first), app::Inserted::fresh);
    EXPECT_GT(first.row, 0);
    auto again = record(1);
    EXPECT_EQ(tx.insert_record(again), app::Inserted::same_again);
    EXPECT_EQ(again.row, first.row);
    auto other_bytes = record(1);
    other_bytes.hash = sha(77);
    EXPECT_EQ(tx.insert_record(other_bytes), app::Inserted::id_conflict);
    auto same_seq = record(1, 500);
    EXPECT_EQ(tx.insert_record(same_seq), app::Inserted::seq_conflict);
    // Another device or another epoch is another stream.
    auto other_device = record(1, 1, 1, "hh-2");
    EXPECT_EQ(tx.insert_record(other_device), app::Inserted::fresh);
    auto other_epoch = record(1, 1, 2);
    EXPECT_EQ(tx.insert_record(other_epoch), app::Inserted::fresh);
  });
  reopen();
  write([](app::Tx& tx) {
    auto again = record(1);
    EXPECT_EQ(tx.insert_record(again), app::Inserted::same_again);
  });
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM records").at(0), "3");
}

TEST_P(Records, ContiguousGrowsOverGapsAsTheyClose) {
  write([](app::Tx& tx) {
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 0U);
    for (const std::uint64_t seq : {1, 2, 5, 3}) {
      auto one = record(seq);
      EXPECT_EQ(tx.insert_record(one), app::Inserted::fresh);
    }
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 3U);
    auto four = record(4);
    tx.insert_record(four);
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 5U);
    EXPECT_EQ(tx.contiguous_seq("hh-2", id(1)), 0U);
  });
  read([](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 5U); });
  reopen();
  read([](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 5U); });
}

TEST_P(Records, ContiguousInAnyOrderEqualsTheOracle) {
  std::mt19937 random(20261122);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    std::vector<std::uint64_t> seqs(600);
    std::iota(seqs.begin(), seqs.end(), 1);
    // Mostly in order, as lanes reorder.
    for (std::size_t i = 0; i < seqs.size(); ++i) {
      std::swap(seqs[i], seqs[std::min(seqs.size() - 1, i + random() % 40)]);
    }
    std::vector<bool> there(seqs.size() + 2);
    std::uint64_t oracle = 0;
    for (std::size_t begin = 0; begin < seqs.size(); begin += 50) {
      write([&](app::Tx& tx) {
        for (std::size_t i = begin; i < begin + 50; ++i) {
          auto one = record(seqs[i], 0, round);
          ASSERT_EQ(tx.insert_record(one), app::Inserted::fresh);
          there[seqs[i]] = true;
          while (there[oracle + 1]) ++oracle;
          ASSERT_EQ(tx.contiguous_seq("hh-1", id(round)), oracle) << "after " << seqs[i];
        }
      });
      read([&](app::Tx& tx) { EXPECT_EQ(tx.contiguous_seq("hh-1", id(round)), oracle); });
    }
    EXPECT_EQ(oracle, 600U);
  }
}

TEST_P(Records, AUnitThatFailsTakesItsStreamBack) {
  write([](app::Tx& tx) {
    auto one = record(1);
    tx.insert_record(one);
  });
  const auto failed = store_->write([](app::Tx& tx) -> Result<void> {
    for (const std::uint64_t seq : {2, 3}) {
      auto one = record(seq);
      tx.insert_record(one);
    }
    auto new_stream = record(1, 1, 9);
    tx.insert_record(new_stream);
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 3U);
    return fail(ErrorCode::unknown_category, "x");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::unknown_category);
  write([](app::Tx& tx) {
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 1U);
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(9)), 0U);
    auto new_stream = record(1, 1, 9);
    EXPECT_EQ(tx.insert_record(new_stream), app::Inserted::fresh);
  });
  reopen();
  read([](app::Tx& tx) {
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 1U);
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(9)), 1U);
  });
}

TEST_P(Records, HeldRecordsWaitInOrderAndAreForgottenOnRequest) {
  std::int64_t row3 = 0;
  std::int64_t row5 = 0;
  write([&](app::Tx& tx) {
    for (const std::uint64_t seq : {5, 3, 1}) {
      auto one = record(seq);
      one.kind = "track";
      tx.insert_record(one);
      if (seq == 3) row3 = one.row;
      if (seq == 5) row5 = one.row;
      if (seq != 1) tx.hold_record(one.row);
    }
    EXPECT_EQ(tx.held_records("hh-1", id(1), 4).size(), 1U);
  });
  read([&](app::Tx& tx) {
    EXPECT_TRUE(tx.held_records("hh-1", id(1), 2).empty());
    EXPECT_TRUE(tx.held_records("hh-2", id(1), 9).empty());
    const auto held = tx.held_records("hh-1", id(1), UINT64_MAX);
    ASSERT_EQ(held.size(), 2U);
    EXPECT_EQ(held[0].seq, 3U);
    EXPECT_EQ(held[1].seq, 5U);
    const auto expected = record(5);
    EXPECT_EQ(held[1].row, row5);
    EXPECT_EQ(held[1].id, expected.id);
    EXPECT_EQ(held[1].epoch, expected.epoch);
    EXPECT_EQ(held[1].device, "hh-1");
    EXPECT_EQ(held[1].town, "120116115");
    EXPECT_EQ(held[1].kind, "track");
    EXPECT_EQ(held[1].actor, "m1");
    EXPECT_EQ(held[1].at, expected.at);
    EXPECT_EQ(held[1].received, expected.received);
    EXPECT_EQ(held[1].hash, expected.hash);
    EXPECT_EQ(held[1].bytes, expected.bytes);
  });
  write([&](app::Tx& tx) {
    tx.release_record(row3, false);
    tx.release_record(row5, true);
    EXPECT_TRUE(tx.held_records("hh-1", id(1), 9).empty());
    // Its identity is still known.
    auto again = record(5);
    EXPECT_EQ(tx.insert_record(again), app::Inserted::same_again);
  });
  EXPECT_EQ(raw_sql(url_, "SELECT seq, bytes, forgotten FROM records WHERE seq > 1 ORDER BY seq"),
            (std::vector<std::string>{"3|AAEC/wM=|0", "5||1"}));
}

TEST_P(Records, ARefusedRecordKeepsItsPlaceAndItsReason) {
  const Error reason{ErrorCode::unknown_category, "body.category", "\"X-9\""};
  std::int64_t row = 0;
  write([&](app::Tx& tx) {
    auto one = record(1);
    tx.insert_record(one);
    row = one.row;
    EXPECT_FALSE(tx.refusal(row));
    tx.refuse_record(row, reason);
    EXPECT_EQ(tx.refusal(row), reason);
    EXPECT_EQ(tx.contiguous_seq("hh-1", id(1)), 1U);
  });
  write([&](app::Tx& tx) {
    auto again = record(1);
    EXPECT_EQ(tx.insert_record(again), app::Inserted::same_again);
    EXPECT_EQ(tx.refusal(again.row), reason);
  });
  EXPECT_EQ(raw_sql(url_, "SELECT bytes FROM records").at(0), "");
}

TEST_P(Records, FlagsAreThereOnce) {
  write([](app::Tx& tx) {
    for (const std::uint64_t seq : {1, 2, 3}) {
      auto one = record(seq);
      tx.insert_record(one);
    }
    const std::vector<Uuid> two{id(1), id(2), id(55)};
    tx.flag_records("hh-1", id(1), two, "unsigned");
    tx.flag_records("hh-1", id(1), two, "unsigned");
    const std::vector<Uuid> one{id(2)};
    tx.flag_records("hh-1", id(1), one, "signature");
    tx.flag_records("hh-1", id(1), one, "sign");
    tx.flag_records("hh-9", id(1), one, "nobody");
  });
  EXPECT_EQ(raw_sql(url_, "SELECT flags FROM records ORDER BY seq"),
            (std::vector<std::string>{",unsigned,", ",unsigned,signature,sign,", ""}));
}

TEST_P(Records, QuarantineKeepsTheBytes) {
  write([](app::Tx& tx) {
    tx.quarantine({0, "hh-1", "gridward/1/up/1/hh-1", std::nullopt, at(1), {ErrorCode::malformed, "", "x"}, {1, 2, 0}});
    tx.quarantine({0, "hh-1", "t", id(4), at(2), {ErrorCode::too_large, "body.text", "5000"}, {}});
  });
  read([](app::Tx& tx) {
    const auto rows = tx.quarantined(10);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].record, id(4));
    EXPECT_EQ(rows[0].error, (Error{ErrorCode::too_large, "body.text", "5000"}));
    EXPECT_TRUE(rows[0].raw.empty());
    EXPECT_EQ(rows[1].device, "hh-1");
    EXPECT_EQ(rows[1].topic, "gridward/1/up/1/hh-1");
    EXPECT_FALSE(rows[1].record);
    EXPECT_EQ(rows[1].received, at(1));
    EXPECT_EQ(rows[1].raw, (Bytes{1, 2, 0}));
    EXPECT_GT(rows[0].row, rows[1].row);
    EXPECT_EQ(tx.quarantined(1).size(), 1U);
  });
}

TEST_P(Records, SignatureJobsAreDoneOldestFirst) {
  app::SignatureJob job;
  job.device = "hh-1";
  job.epoch = id(1);
  job.records = {id(1), id(2)};
  job.hashes = {sha(1), sha(2), sha(3)};
  job.signature.fill(200);
  write([&](app::Tx& tx) {
    tx.add_signature_job(job);
    auto empty = job;
    empty.records.clear();
    empty.hashes.clear();
    tx.add_signature_job(empty);
  });
  read([&](app::Tx& tx) {
    const auto jobs = tx.signature_jobs(10);
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(jobs[0].device, "hh-1");
    EXPECT_EQ(jobs[0].epoch, id(1));
    EXPECT_EQ(jobs[0].records, job.records);
    EXPECT_EQ(jobs[0].hashes, job.hashes);
    EXPECT_EQ(jobs[0].signature, job.signature);
    EXPECT_TRUE(jobs[1].records.empty());
    EXPECT_LT(jobs[0].row, jobs[1].row);
    EXPECT_EQ(tx.signature_jobs(1).size(), 1U);
  });
  write([&](app::Tx& tx) {
    tx.finish_signature_job(tx.signature_jobs(1).at(0).row);
    const auto left = tx.signature_jobs(10);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_TRUE(left[0].hashes.empty());
  });
}

}  // namespace
}  // namespace gridward::storage
