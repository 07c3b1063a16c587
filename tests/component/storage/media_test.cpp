#include "fixture.hpp"

namespace gridward::storage {
namespace {

using Media = StoreTest;
GRIDWARD_ON_BOTH(Media);

MediaRef photo(std::uint32_t number, MediaRole role = MediaRole::scene) {
  return {sha(number), 1000 + number, "image/jpeg", role};
}

TEST_P(Media, AFileBelongsToItsRecordsAndCases) {
  write([](app::Tx& tx) {
    tx.expect_media(photo(2), id(1), id(100));
    tx.expect_media(photo(1), id(1), id(100));
    tx.expect_media(photo(1), id(2), id(101));
    // Named again by the same record, and by one that is no case (yet).
    tx.expect_media(photo(1), id(1), std::nullopt);
    tx.expect_media(photo(3), id(3), std::nullopt);
    // The first to name it says what it is.
    auto liar = photo(1);
    liar.size = 5;
    liar.type = "image/png";
    tx.expect_media(liar, id(4), std::nullopt);
  });
  read([](app::Tx& tx) {
    const auto row = tx.find_media(sha(1)).value();
    EXPECT_EQ(row.sha256, sha(1));
    EXPECT_EQ(row.size, 1001U);
    EXPECT_EQ(row.type, "image/jpeg");
    EXPECT_EQ(row.status, app::MediaStatus::expected);
    EXPECT_TRUE(row.have.empty());
    EXPECT_FALSE(tx.find_media(sha(9)));
    const auto media = tx.case_media(id(100));
    ASSERT_EQ(media.size(), 2U);
    EXPECT_EQ(media[0].sha256, sha(2));
    EXPECT_EQ(media[1].sha256, sha(1));
    EXPECT_EQ(tx.media_cases(sha(1)), (std::vector<Uuid>{id(100), id(101)}));
    EXPECT_TRUE(tx.media_cases(sha(3)).empty());
    EXPECT_TRUE(tx.media_cases(sha(9)).empty());
  });
  write([](app::Tx& tx) {
    tx.expect_media(photo(3), id(3), id(102));
    EXPECT_EQ(tx.media_cases(sha(3)), std::vector<Uuid>{id(102)});
  });
}

TEST_P(Media, OnlyTheDeviceThatNamedAFileIsToldOfIt) {
  write([](app::Tx& tx) {
    app::StoredRecord record;
    record.device = "hh-1";
    record.epoch = id(9);
    record.id = id(1);
    record.seq = 1;
    tx.insert_record(record);
    tx.expect_media(photo(1), id(1), std::nullopt);
    tx.expect_media(photo(2), id(2), std::nullopt);
    EXPECT_TRUE(tx.device_named_media("hh-1", sha(1)));
  });
  read([](app::Tx& tx) {
    EXPECT_TRUE(tx.device_named_media("hh-1", sha(1)));
    EXPECT_FALSE(tx.device_named_media("hh-1", sha(2)));
    EXPECT_FALSE(tx.device_named_media("hh-2", sha(1)));
    EXPECT_FALSE(tx.device_named_media("hh-1", sha(3)));
  });
}

TEST_P(Media, ProgressIsKept) {
  app::MediaRow row{sha(1), 1001, "image/jpeg", app::MediaStatus::partial, {{0, 100}, {500, 501}}, ""};
  write([&](app::Tx& tx) {
    tx.expect_media(photo(1), id(1), std::nullopt);
    tx.update_media(row);
  });
  const auto check = [&](app::Tx& tx) {
    const auto found = tx.find_media(sha(1)).value();
    EXPECT_EQ(found.status, row.status);
    EXPECT_EQ(found.have, row.have);
    EXPECT_EQ(found.size, row.size);
    EXPECT_EQ(found.type, row.type);
    EXPECT_EQ(found.problem, row.problem);
  };
  read(check);
  row.status = app::MediaStatus::refused;
  row.have.clear();
  row.problem = "media_undecodable (1205): 坏图";
  row.size = (1ULL << 53) - 1;
  write([&](app::Tx& tx) { tx.update_media(row); });
  read(check);
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
    tx.expect_media(photo(1), id(1), std::nullopt);
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
