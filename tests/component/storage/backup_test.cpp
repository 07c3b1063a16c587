#include "fixture.hpp"

namespace gridward::storage {
namespace {

using app::MediaStatus;
using app::StreamReach;

class Reach : public StoreTest {
 protected:
  void record(app::Tx& tx, std::uint64_t seq, std::vector<std::uint32_t> photos = {},
              const std::string& device = "hh-1", std::uint32_t epoch = 9) {
    app::StoredRecord record;
    record.device = device;
    record.epoch = id(epoch);
    record.id = id(static_cast<std::uint32_t>(epoch * 1000 + seq + (device == "hh-1" ? 0 : 500)));
    record.seq = seq;
    ASSERT_EQ(tx.insert_record(record), app::Inserted::fresh);
    for (const auto photo : photos) tx.expect_media({sha(photo), 1000, "image/jpeg", {}}, record.id, std::nullopt);
  }
  void status(app::Tx& tx, std::uint32_t photo, MediaStatus status) {
    auto row = tx.find_media(sha(photo)).value();
    row.status = status;
    tx.update_media(row);
  }
  // Of the only stream.
  std::uint64_t reach(std::vector<Sha256> absent = {}) {
    std::vector<StreamReach> found;
    read([&](app::Tx& tx) { found = tx.reach(absent); });
    EXPECT_EQ(found.size(), 1U);
    return found.at(0).safe;
  }
};
GRIDWARD_ON_BOTH(Reach);

TEST_P(Reach, EndsBeforeTheFirstGap) {
  write([&](app::Tx& tx) {
    for (const std::uint64_t seq : {1, 2, 3, 5, 6}) record(tx, seq);
  });
  EXPECT_EQ(reach(), 3U);
  write([&](app::Tx& tx) { record(tx, 4); });
  EXPECT_EQ(reach(), 6U);
}

TEST_P(Reach, EndsBeforeTheFirstRecordThatWaitsForAFile) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1});
    record(tx, 2);
    record(tx, 3, {2, 3});
    record(tx, 4, {1});
  });
  EXPECT_EQ(reach(), 0U);
  write([&](app::Tx& tx) { status(tx, 1, MediaStatus::sealed); });
  EXPECT_EQ(reach(), 2U);
  write([&](app::Tx& tx) {
    status(tx, 2, MediaStatus::derived);
    status(tx, 3, MediaStatus::partial);
  });
  EXPECT_EQ(reach(), 2U);
  // Its original is here; that it cannot be decoded is nothing to wait for.
  write([&](app::Tx& tx) { status(tx, 3, MediaStatus::refused); });
  EXPECT_EQ(reach(), 4U);
}

TEST_P(Reach, EndsBeforeTheFirstRecordWhoseFileIsNotInTheCopy) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1});
    record(tx, 2, {2});
    record(tx, 3, {3});
    record(tx, 4, {2});
    for (const std::uint32_t photo : {1, 2, 3}) status(tx, photo, MediaStatus::derived);
  });
  EXPECT_EQ(reach(), 4U);
  EXPECT_EQ(reach({sha(3)}), 2U);
  EXPECT_EQ(reach({sha(3), sha(2)}), 1U);
  EXPECT_EQ(reach({sha(99)}), 4U);
}

TEST_P(Reach, IsEachStreamsOwn) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1}, "hh-2");
    record(tx, 1, {}, "hh-1", 8);
    record(tx, 2, {}, "hh-1", 8);
    record(tx, 1, {2}, "hh-1", 9);
    status(tx, 2, MediaStatus::sealed);
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.reach({}), (std::vector<StreamReach>{{"hh-1", id(8), 2}, {"hh-1", id(9), 1}, {"hh-2", id(9), 0}}));
  });
}

TEST_P(Reach, ABackupNeverClaimsLessThanOneBefore) {
  const std::vector<StreamReach> first{{"hh-1", id(9), 5}, {"hh-2", id(9), 0}};
  const std::vector<StreamReach> second{{"hh-1", id(9), 3}, {"hh-2", id(9), 7}};
  write([&](app::Tx& tx) { tx.raise_backup_reach(first); });
  reopen();
  write([&](app::Tx& tx) { tx.raise_backup_reach(second); });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.backup_reach("hh-1", id(9)), 5U);
    EXPECT_EQ(tx.backup_reach("hh-2", id(9)), 7U);
    EXPECT_EQ(tx.backup_reach("hh-1", id(8)), 0U);
  });
}

TEST_P(Reach, AnotherGenerationClaimsWhatTheBackupHeldAndEndsSessions) {
  Uuid before;
  write([&](app::Tx& tx) {
    before = tx.generation();
    tx.raise_backup_reach(std::vector<StreamReach>{{"hh-1", id(9), 5}, {"hh-2", id(9), 6}});
    tx.insert_session({sha(1), "op", at(0), at(1)});
  });
  reopen();
  read([&](app::Tx& tx) { EXPECT_EQ(tx.generation(), before) << "a restart is none"; });
  write([&](app::Tx& tx) { tx.begin_generation(id(77), std::vector<StreamReach>{{"hh-1", id(9), 2}}); });
  reopen();
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.generation(), id(77));
    EXPECT_EQ(tx.backup_reach("hh-1", id(9)), 2U);
    EXPECT_EQ(tx.backup_reach("hh-2", id(9)), 0U);
    EXPECT_FALSE(tx.find_session(sha(1)));
  });
}

TEST_P(Reach, SealedFilesComeByTheirHash) {
  write([&](app::Tx& tx) {
    record(tx, 1, {5, 4, 3, 2, 1});
    status(tx, 5, MediaStatus::sealed);
    status(tx, 4, MediaStatus::partial);
    status(tx, 3, MediaStatus::derived);
    status(tx, 2, MediaStatus::refused);
  });
  read([&](app::Tx& tx) {
    const auto page = tx.sealed_media({}, 2);
    ASSERT_EQ(page.size(), 2U);
    EXPECT_EQ(page[0].sha256, sha(2));
    EXPECT_EQ(page[1].sha256, sha(3));
    const auto rest = tx.sealed_media(page[1].sha256, 2);
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0].sha256, sha(5));
  });
}

TEST_P(Reach, AnOriginalThatIsGoneIsExpectedAgain) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1, 2});
    for (const std::uint32_t photo : {1, 2}) {
      status(tx, photo, MediaStatus::derived);
      tx.set_photo_numbers(sha(photo), {});
      tx.add_photo_job(sha(photo));
    }
    tx.lose_original(sha(1));
    EXPECT_EQ(tx.find_media(sha(1))->status, MediaStatus::expected);
    EXPECT_FALSE(tx.photo_numbers(sha(1)));
    EXPECT_EQ(tx.find_media(sha(2))->status, MediaStatus::derived);
    EXPECT_TRUE(tx.photo_numbers(sha(2)));
    ASSERT_EQ(tx.photo_jobs(9).size(), 1U);
    EXPECT_EQ(tx.photo_jobs(9)[0].sha256, sha(2));
  });
}

TEST_P(Reach, PiecesAreForgottenButNotWhatIsSealed) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1, 2});
    status(tx, 1, MediaStatus::derived);
    auto row = tx.find_media(sha(2)).value();
    row.status = MediaStatus::partial;
    row.have = {{0, 100}};
    tx.update_media(row);
    tx.forget_pieces();
    EXPECT_EQ(tx.find_media(sha(1))->status, MediaStatus::derived);
    EXPECT_EQ(tx.find_media(sha(2))->status, MediaStatus::expected);
    EXPECT_TRUE(tx.find_media(sha(2))->have.empty());
  });
}

}  // namespace
}  // namespace gridward::storage
