#include <algorithm>
#include <gridward/shared/limits.hpp>
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

// The rows that counts by subtree go through.
void two_towns(app::Tx& tx) {
  for (const char* code : {"1", "2"}) {
    app::OrgNode town;
    town.code = code;
    town.path = code;
    town.kind = app::OrgKind::town;
    tx.upsert_org(town);
  }
  for (const char* name : {"hh-1", "hh-2", "hh-3"}) {
    app::Device one;
    one.id = name;
    one.town = name == std::string("hh-3") ? "2" : "1";
    tx.upsert_device(one);
  }
}

TEST_P(Records, WhatIsFlaggedIsCountedAndListedByDevice) {
  write([](app::Tx& tx) {
    two_towns(tx);
    for (const std::uint64_t seq : {1, 2, 3}) {
      auto one = record(seq);
      one.received = at(static_cast<std::int64_t>(seq));
      tx.insert_record(one);
    }
    const std::vector<Uuid> two{id(1), id(3)};
    tx.flag_records("hh-1", id(1), two, "unsigned");
    const std::vector<Uuid> one{id(3)};
    tx.flag_records("hh-1", id(1), one, "bad_signature");
  });
  read([](app::Tx& tx) {
    const auto counts = tx.flag_counts("1");
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts.at("hh-1"), (app::FlagCounts{2, at(3)}));
    EXPECT_TRUE(tx.flag_counts("2").empty());
    const auto rows = tx.flagged("hh-1", 10);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].id, id(3)) << "newest first";
    EXPECT_EQ(rows[0].seq, 3U);
    EXPECT_EQ(rows[0].kind, "report");
    EXPECT_EQ(rows[0].received, at(3));
    EXPECT_EQ(rows[0].flags, (std::vector<std::string>{"unsigned", "bad_signature"}));
    EXPECT_EQ(rows[1].flags, std::vector<std::string>{"unsigned"});
    EXPECT_EQ(tx.flagged("hh-1", 1).size(), 1U);
    EXPECT_TRUE(tx.flagged("hh-2", 10).empty());
  });
}

TEST_P(Records, SomethingHeldIsACheapQuestion) {
  write([](app::Tx& tx) {
    EXPECT_FALSE(tx.has_held("hh-1", id(1)));
    auto one = record(1);
    tx.insert_record(one);
    EXPECT_FALSE(tx.has_held("hh-1", id(1)));
    tx.hold_record(one.row);
    EXPECT_TRUE(tx.has_held("hh-1", id(1)));
    EXPECT_FALSE(tx.has_held("hh-1", id(2)));
  });
  read([](app::Tx& tx) { EXPECT_TRUE(tx.has_held("hh-1", id(1))); });
}

TEST_P(Records, ARefusedRecordIsOpenedAgain) {
  write([&](app::Tx& tx) {
    auto unread = record(1);
    unread.kind = "";
    unread.actor = "";
    unread.bytes = {};
    tx.insert_record(unread);
    tx.refuse_record(unread.row, {ErrorCode::unknown_kind, "kind", ""});
    auto again = record(1);
    ASSERT_EQ(tx.insert_record(again), app::Inserted::same_again);
    tx.reopen_record(again);
    EXPECT_FALSE(tx.refusal(again.row));
  });
  EXPECT_EQ(raw_sql(url_, "SELECT kind, actor, bytes, refused_field FROM records").at(0), "report|m1|AAEC/wE=|");
}

app::QuarantineRow refused(std::uint32_t number, Bytes raw, std::string device = "hh-1") {
  app::QuarantineRow row;
  row.device = std::move(device);
  row.topic = "gridward/1/up/1/hh-1";
  row.hash = sha(number);
  row.size = raw.size();
  row.received = at(number);
  row.error = {ErrorCode::malformed, "", "x"};
  row.raw = std::move(raw);
  return row;
}

TEST_P(Records, QuarantineKeepsTheBytesOnce) {
  write([](app::Tx& tx) {
    tx.quarantine(refused(1, {1, 2, 0}));
    auto second = refused(2, {});
    second.record = id(4);
    second.epoch = id(1);
    second.seq = limits::kCounter;
    second.kind = "report";
    second.size = 70'000;
    second.error = {ErrorCode::too_large, "body.text", "5000"};
    tx.quarantine(second);
    // The same bytes again, for another reason.
    auto again = refused(1, {1, 2, 0});
    again.received = at(99);
    again.topic = "t";
    again.error = {ErrorCode::unknown_device, "device", "hh-1"};
    tx.quarantine(again);
    tx.quarantine(refused(1, {1, 2, 0}, "hh-2"));  // another device's are another row
  });
  read([](app::Tx& tx) {
    const auto rows = tx.quarantined(10);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].device, "hh-2");
    EXPECT_EQ(rows[1].record, id(4));
    EXPECT_EQ(rows[1].epoch, id(1));
    EXPECT_EQ(rows[1].seq, limits::kCounter);
    EXPECT_EQ(rows[1].kind, "report");
    EXPECT_EQ(rows[1].size, 70'000U);
    EXPECT_EQ(rows[1].times, 1U);
    EXPECT_EQ(rows[1].error, (Error{ErrorCode::too_large, "body.text", "5000"}));
    EXPECT_TRUE(rows[1].raw.empty());
    EXPECT_EQ(rows[2].device, "hh-1");
    EXPECT_EQ(rows[2].topic, "t");
    EXPECT_FALSE(rows[2].record);
    EXPECT_FALSE(rows[2].epoch);
    EXPECT_FALSE(rows[2].seq);
    EXPECT_EQ(rows[2].hash, sha(1));
    EXPECT_EQ(rows[2].received, at(1));
    EXPECT_EQ(rows[2].last, at(99));
    EXPECT_EQ(rows[2].times, 2U);
    EXPECT_EQ(rows[2].error.code, ErrorCode::unknown_device);
    EXPECT_EQ(rows[2].raw, (Bytes{1, 2, 0}));
    EXPECT_GT(rows[0].row, rows[1].row);
    EXPECT_EQ(tx.quarantined(1).size(), 1U);
    const auto own = tx.quarantined_of("hh-1", 10);
    ASSERT_EQ(own.size(), 2U);
    EXPECT_EQ(own[0].hash, sha(1)) << "it came again last";
    EXPECT_TRUE(own[0].raw.empty());
    EXPECT_EQ(tx.quarantined_of("hh-1", 1).size(), 1U);
    EXPECT_TRUE(tx.quarantined_of("hh-9", 10).empty());
  });
  write([](app::Tx& tx) {
    tx.leave_quarantine("hh-1", sha(1));
    EXPECT_EQ(tx.quarantined(10).size(), 2U);
  });
}

TEST_P(Records, QuarantineHasABudgetForEachDeviceAndCountsWhatIsOver) {
  write([](app::Tx& tx) {
    two_towns(tx);
    // Bytes: sixteen messages fill it, the next is a row without them, and a small one still fits into what is left.
    const Bytes message(app::kQuarantineBytes / 16 - 1, 7);
    for (std::uint32_t i = 1; i <= 17; ++i) tx.quarantine(refused(i, message));
    tx.quarantine(refused(18, {1}));
    // Rows.
    for (std::uint32_t i = 1; i <= app::kQuarantineRows + 5; ++i) tx.quarantine(refused(i, {1, 2}, "hh-2"));
    tx.quarantine(refused(1, {1, 2}, "hh-2"));  // known: no new row
  });
  read([](app::Tx& tx) {
    const auto counts = tx.quarantine_counts("1");
    ASSERT_EQ(counts.size(), 2U);
    const auto size = app::kQuarantineBytes / 16 - 1;
    EXPECT_EQ(counts.at("hh-1"), (app::QuarantineCounts{18, 16 * size + 1, 1, size}));
    EXPECT_EQ(counts.at("hh-2"), (app::QuarantineCounts{app::kQuarantineRows, 2 * app::kQuarantineRows, 5, 10}));
    EXPECT_TRUE(tx.quarantine_counts("2").empty());
    EXPECT_EQ(tx.quarantined(1000).size(), app::kQuarantineRows + 18);
    const auto over = tx.quarantined(1000)[app::kQuarantineRows + 1];
    EXPECT_EQ(over.hash, sha(17));
    EXPECT_EQ(over.size, size);
    EXPECT_TRUE(over.raw.empty());
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
