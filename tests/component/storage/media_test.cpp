#include "fixture.hpp"

namespace gridward::storage {
namespace {

using Media = StoreTest;
GRIDWARD_ON_BOTH(Media);

MediaRef photo(std::uint32_t number, MediaRole role = MediaRole::scene) {
  return {sha(number), 1000 + number, "image/jpeg", role};
}

using app::MediaStatus;
using app::UploadState;

// Gives the row of a new record of this device, whose UUID may be another's too.
std::int64_t record(app::Tx& tx, const std::string& device, std::uint64_t seq, std::uint32_t uuid) {
  app::StoredRecord record;
  record.device = device;
  record.epoch = id(9);
  record.id = id(uuid);
  record.seq = seq;
  EXPECT_EQ(tx.insert_record(record), app::Inserted::fresh);
  return record.row;
}
std::vector<Sha256> shown(app::Tx& tx, const Uuid& case_id) {
  std::vector<Sha256> files;
  for (const auto& media : tx.case_media(case_id)) {
    if (media.file.status >= MediaStatus::sealed) files.push_back(media.file.sha256);
  }
  return files;
}
void seal(app::Tx& tx, std::uint32_t number, MediaStatus status = MediaStatus::sealed) {
  auto row = tx.find_media(sha(number)).value();
  row.status = status;
  tx.update_media(row);
}

TEST_P(Media, AFileBelongsToItsRecordsAndCases) {
  write([](app::Tx& tx) {
    const auto first = record(tx, "hh-1", 1, 1);
    tx.expect_media(photo(2), first, id(100));
    tx.expect_media(photo(1), first, id(100));
    tx.expect_media(photo(1), first, id(100));  // in two roles
    tx.expect_media(photo(1), record(tx, "hh-1", 2, 2), id(101));
    tx.expect_media(photo(3), record(tx, "hh-1", 3, 3), std::nullopt);
  });
  read([](app::Tx& tx) {
    const auto row = tx.find_media(sha(1)).value();
    EXPECT_EQ(row.sha256, sha(1));
    EXPECT_EQ(row.size, 1001U);
    EXPECT_EQ(row.type, "image/jpeg");
    EXPECT_EQ(row.status, MediaStatus::expected);
    EXPECT_FALSE(tx.find_media(sha(9)));
    const auto media = tx.case_media(id(100));
    ASSERT_EQ(media.size(), 2U);
    EXPECT_EQ(media[0].file.sha256, sha(2));
    EXPECT_EQ(media[1].file.sha256, sha(1));
    EXPECT_TRUE(tx.media_cases(sha(1)).empty()) << "nobody has delivered it";
    EXPECT_TRUE(tx.case_media(id(102)).empty());
  });
  write([](app::Tx& tx) {
    tx.set_upload("hh-1", sha(1), UploadState::delivered, {});
    tx.set_upload("hh-1", sha(3), UploadState::delivered, {});
    EXPECT_EQ(tx.media_cases(sha(1)), (std::vector<Uuid>{id(100), id(101)}));
    EXPECT_TRUE(tx.media_cases(sha(3)).empty());
    EXPECT_TRUE(tx.media_cases(sha(9)).empty());
  });
}

// Evidence cannot be taken off a case by using its record's UUID again.
TEST_P(Media, TwoDevicesMayUseOneUuid) {
  write([](app::Tx& tx) {
    tx.expect_media(photo(1), record(tx, "hh-1", 1, 5), id(100));
    tx.set_upload("hh-1", sha(1), UploadState::delivered, {});
    seal(tx, 1);
    tx.expect_media(photo(1), record(tx, "hh-2", 1, 5), id(200));
  });
  read([](app::Tx& tx) {
    EXPECT_EQ(shown(tx, id(100)), std::vector<Sha256>{sha(1)});
    EXPECT_TRUE(shown(tx, id(200)).empty());
    EXPECT_EQ(tx.media_cases(sha(1)), std::vector<Uuid>{id(100)});
    EXPECT_FALSE(tx.find_upload("hh-3", sha(1)));
  });
}

TEST_P(Media, AFileIsShownWhereItsSenderHasDeliveredIt) {
  write([](app::Tx& tx) {
    tx.expect_media(photo(1), record(tx, "hh-1", 1, 1), id(100));
    tx.expect_media(photo(1), record(tx, "hh-2", 1, 2), id(200));
    // The check of the second case, by another device.
    tx.expect_media(photo(1), record(tx, "hh-3", 1, 3), id(200));
    tx.set_upload("hh-1", sha(1), UploadState::delivered, {});
    seal(tx, 1, MediaStatus::derived);
    tx.set_upload("hh-2", sha(1), UploadState::open, {{0, 10}, {20, 5}});
  });
  read([](app::Tx& tx) {
    const auto own = tx.case_media(id(100)).at(0);
    EXPECT_EQ(own.file.status, MediaStatus::derived);
    EXPECT_EQ(own.have, 1001U);
    const auto others = tx.case_media(id(200));
    ASSERT_EQ(others.size(), 1U);
    EXPECT_EQ(others[0].file.status, MediaStatus::partial) << "that we have it from somebody else is not told";
    EXPECT_EQ(others[0].have, 15U);
    EXPECT_EQ(tx.media_cases(sha(1)), std::vector<Uuid>{id(100)});
  });
  write([](app::Tx& tx) {
    tx.set_upload("hh-3", sha(1), UploadState::delivered, {});
    EXPECT_EQ(tx.case_media(id(200)).at(0).file.status, MediaStatus::derived);
    EXPECT_EQ(tx.media_cases(sha(1)), (std::vector<Uuid>{id(100), id(200)}));
    tx.set_upload("hh-3", sha(1), UploadState::refused, {});
    tx.set_upload("hh-2", sha(1), UploadState::refused, {});
    const auto refused = tx.case_media(id(200)).at(0);
    EXPECT_EQ(refused.file.status, MediaStatus::refused);
    EXPECT_NE(refused.file.problem.find("media_hash_mismatch"), std::string::npos);
    EXPECT_EQ(refused.have, 0U);
  });
}

TEST_P(Media, WhatAFileIsSaysTheRecordOfItsSender) {
  write([](app::Tx& tx) {
    auto liar = photo(1);
    liar.size = 5;
    liar.type = "image/png";
    tx.expect_media(liar, record(tx, "hh-1", 1, 1), id(100));
    tx.expect_media(photo(1), record(tx, "hh-2", 1, 2), id(200));
    tx.expect_media(liar, record(tx, "hh-2", 2, 3), id(200));
  });
  read([](app::Tx& tx) {
    EXPECT_EQ(tx.find_upload("hh-1", sha(1))->size, 5U);
    EXPECT_EQ(tx.find_upload("hh-1", sha(1))->type, "image/png");
    const auto upload = tx.find_upload("hh-2", sha(1)).value();
    EXPECT_EQ(upload.size, 1001U);
    EXPECT_EQ(upload.type, "image/jpeg");
    EXPECT_EQ(upload.state, UploadState::open);
    EXPECT_TRUE(upload.have.empty());
    EXPECT_FALSE(tx.find_upload("hh-2", sha(2)));
    EXPECT_FALSE(tx.find_upload("hh-9", sha(1)));
  });
}

TEST_P(Media, ProgressIsKept) {
  const std::vector<ByteRange> have{{0, 100}, {500, 501}};
  app::MediaRow row{sha(1), (1ULL << 53) - 1, "image/jpeg", MediaStatus::refused, "media_undecodable (1205): 坏图"};
  write([&](app::Tx& tx) {
    tx.expect_media(photo(1), record(tx, "hh-1", 1, 1), std::nullopt);
    tx.set_upload("hh-1", sha(1), UploadState::open, {{0, 100}});
    tx.set_upload("hh-1", sha(1), UploadState::mismatched, have);
    tx.update_media(row);
  });
  read([&](app::Tx& tx) {
    const auto upload = tx.find_upload("hh-1", sha(1)).value();
    EXPECT_EQ(upload.state, UploadState::mismatched);
    EXPECT_EQ(upload.have, have);
    const auto found = tx.find_media(sha(1)).value();
    EXPECT_EQ(found.status, row.status);
    EXPECT_EQ(found.size, row.size);
    EXPECT_EQ(found.type, row.type);
    EXPECT_EQ(found.problem, row.problem);
  });
}

TEST_P(Media, NumbersComeBackExactly) {
  app::PhotoNumbers numbers;
  numbers.width = 4000;
  numbers.height = 3000;
  numbers.orientation = 6;
  numbers.truncated = true;
  numbers.sharpness = 123.456789012345678;
  numbers.brightness = 1.0 / 3.0;
  numbers.likeness = 0xFEDCBA9876543210ULL;
  write([&](app::Tx& tx) {
    tx.expect_media(photo(1), record(tx, "hh-1", 1, 1), std::nullopt);
    EXPECT_FALSE(tx.photo_numbers(sha(1)));
    tx.set_photo_numbers(sha(1), {});
    tx.set_photo_numbers(sha(1), numbers);
  });
  read([&](app::Tx& tx) {
    const auto found = tx.photo_numbers(sha(1)).value();
    EXPECT_EQ(found.width, numbers.width);
    EXPECT_EQ(found.height, numbers.height);
    EXPECT_EQ(found.orientation, numbers.orientation);
    EXPECT_EQ(found.truncated, numbers.truncated);
    EXPECT_EQ(found.sharpness, numbers.sharpness);
    EXPECT_EQ(found.brightness, numbers.brightness);
    EXPECT_EQ(found.likeness, numbers.likeness);
  });
}

TEST_P(Media, AJobIsThereOnceAndAFailingOneWaitsBehindTheOthers) {
  write([](app::Tx& tx) {
    tx.add_photo_job(sha(1));
    tx.add_photo_job(sha(2));
    tx.add_photo_job(sha(1));
    const auto jobs = tx.photo_jobs(10);
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(jobs[0].sha256, sha(1));
    EXPECT_EQ(jobs[0].attempts, 0);
    tx.retry_photo_job(jobs[0].row);
  });
  write([](app::Tx& tx) {
    const auto jobs = tx.photo_jobs(10);
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(jobs[0].sha256, sha(2));
    EXPECT_EQ(jobs[1].attempts, 1);
    tx.finish_photo_job(jobs[0].row);
    EXPECT_EQ(tx.photo_jobs(1).at(0).sha256, sha(1));
    tx.finish_photo_job(jobs[1].row);
    EXPECT_TRUE(tx.photo_jobs(1).empty());
    tx.add_photo_job(sha(1));
    EXPECT_EQ(tx.photo_jobs(1).size(), 1U);
  });
}

}  // namespace
}  // namespace gridward::storage
