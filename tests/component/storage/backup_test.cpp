#include "fixture.hpp"

namespace gridward::storage {
namespace {

using app::MediaStatus;
using app::StreamReach;
using app::UploadState;

class Reach : public StoreTest {
 protected:
  void record(app::Tx& tx, std::uint64_t seq, std::vector<std::uint32_t> photos = {},
              const std::string& device = "hh-1", std::uint32_t epoch = 9) {
    app::StoredRecord record;
    record.device = device;
    record.epoch = id(epoch);
    record.id = id(static_cast<std::uint32_t>(epoch * 1000 + seq));  // the same on each device
    record.seq = seq;
    ASSERT_EQ(tx.insert_record(record), app::Inserted::fresh);
    for (const auto photo : photos) tx.expect_media({sha(photo), 1000, "image/jpeg", {}}, record.row, std::nullopt);
  }
  // As when the device has delivered it.
  void status(app::Tx& tx, std::uint32_t photo, MediaStatus status, const std::string& device = "hh-1") {
    tx.set_upload(device, sha(photo), UploadState::delivered, {});
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
    tx.set_upload("hh-1", sha(3), UploadState::open, {{0, 999}});
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

TEST_P(Reach, AFileThatTheDeviceHasGivenUpIsNothingToWaitFor) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1});
    record(tx, 2, {2});
    tx.set_upload("hh-1", sha(1), UploadState::mismatched, {});
  });
  EXPECT_EQ(reach(), 0U) << "it begins again";
  write([&](app::Tx& tx) { tx.set_upload("hh-1", sha(1), UploadState::refused, {}); });
  EXPECT_EQ(reach(), 1U);
}

TEST_P(Reach, WhatAnotherDeviceDeliveredIsNotThisOnes) {
  write([&](app::Tx& tx) {
    record(tx, 1, {1}, "hh-2");
    record(tx, 1, {1}, "hh-1");
    status(tx, 1, MediaStatus::derived, "hh-2");
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.reach({}), (std::vector<StreamReach>{{"hh-1", id(9), 0}, {"hh-2", id(9), 1}}));
    EXPECT_EQ(tx.reach(std::vector<Sha256>{sha(1)}),
              (std::vector<StreamReach>{{"hh-1", id(9), 0}, {"hh-2", id(9), 0}}));
  });
}

// A member who is put on the roll, and the record is taken after all: a handheld must not have forgotten it by what an
// older backup says.
TEST_P(Reach, EndsBeforeARecordThatMayBeTakenLater) {
  const auto refuse = [&](std::uint64_t seq, ErrorCode code) {
    write([&](app::Tx& tx) {
      app::StoredRecord again;
      again.device = "hh-1";
      again.epoch = id(9);
      again.id = id(static_cast<std::uint32_t>(9000 + seq));
      again.seq = seq;
      ASSERT_EQ(tx.insert_record(again), app::Inserted::same_again);
      tx.refuse_record(again.row, Error{code, "", ""});
    });
  };
  write([&](app::Tx& tx) {
    for (const std::uint64_t seq : {1, 2, 3}) record(tx, seq);
  });
  refuse(2, ErrorCode::out_of_range);
  EXPECT_EQ(reach(), 3U) << "its bytes will never be others";
  refuse(3, ErrorCode::unknown_actor);
  EXPECT_EQ(reach(), 2U);
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
    EXPECT_EQ(tx.find_upload("hh-1", sha(1))->state, UploadState::open);
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
    tx.set_upload("hh-1", sha(2), UploadState::mismatched, {{0, 100}});
    tx.forget_pieces();
    EXPECT_EQ(tx.find_upload("hh-1", sha(1))->state, UploadState::delivered);
    EXPECT_EQ(tx.find_upload("hh-1", sha(2))->state, UploadState::mismatched);
    EXPECT_TRUE(tx.find_upload("hh-1", sha(2))->have.empty());
  });
}

}  // namespace
}  // namespace gridward::storage
