#include <random>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using LikenessRows = StoreTest;
GRIDWARD_ON_BOTH(LikenessRows);

using domain::LikenessKind;

std::int64_t record(app::Tx& tx, std::uint64_t seq, const std::string& device = "hh-1") {
  app::StoredRecord record;
  record.device = device;
  record.epoch = id(9);
  record.id = id(static_cast<std::uint32_t>(1000 + seq));
  record.seq = seq;
  EXPECT_EQ(tx.insert_record(record), app::Inserted::fresh);
  return record.row;
}
void derived(app::Tx& tx, std::uint32_t photo, std::uint64_t seq, std::uint32_t of_case,
             MediaRole role = MediaRole::scene) {
  tx.expect_media({sha(photo), 100, "image/jpeg", role}, record(tx, seq), id(of_case));
  tx.set_upload("hh-1", sha(photo), app::UploadState::delivered, {});
  auto row = tx.find_media(sha(photo)).value();
  row.status = app::MediaStatus::derived;
  tx.update_media(row);
}

TEST_P(LikenessRows, JobsAreKeptInOrderAndOnce) {
  write([](app::Tx& tx) {
    derived(tx, 1, 1, 100);
    derived(tx, 2, 2, 100);
    tx.add_likeness_job(sha(1));
    tx.add_likeness_job(sha(2));
    tx.add_likeness_job(sha(1));
    tx.add_likeness_job(sha(77));  // nobody knows it
    tx.retry_likeness_job(sha(1));
  });
  reopen();
  write([](app::Tx& tx) {
    const auto jobs = tx.likeness_jobs(10);
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(jobs[0].sha256, sha(2)) << "what failed waits behind";
    EXPECT_EQ(jobs[1].attempts, 1);
    EXPECT_EQ(tx.likeness_jobs(1).size(), 1U);
    tx.finish_likeness_job(sha(2));
    EXPECT_EQ(tx.likeness_jobs(10).size(), 1U);
    tx.lose_original(sha(1));
    EXPECT_TRUE(tx.likeness_jobs(10).empty());
  });
}

TEST_P(LikenessRows, ANamedAgainPhotoIsLookedAtAgain) {
  write([](app::Tx& tx) {
    derived(tx, 1, 1, 100);
    EXPECT_TRUE(tx.likeness_jobs(10).empty());
    tx.expect_media({sha(2), 100, "image/jpeg", MediaRole::scene}, record(tx, 2), id(100));
    tx.expect_media({sha(2), 100, "image/jpeg", MediaRole::after}, record(tx, 3), id(101));
    EXPECT_TRUE(tx.likeness_jobs(10).empty()) << "not derived yet: that will add it";
    tx.expect_media({sha(1), 100, "image/jpeg", MediaRole::after}, record(tx, 4), id(101));
    ASSERT_EQ(tx.likeness_jobs(10).size(), 1U);
    const auto uses = tx.photo_uses(sha(1));
    ASSERT_EQ(uses.size(), 2U);
    EXPECT_EQ(uses[0].case_id, id(100));
    EXPECT_EQ(uses[1].case_id, id(101));
    EXPECT_EQ(uses[1].role, MediaRole::after);
    EXPECT_LT(uses[0].link, uses[1].link);
    EXPECT_NE(uses[0].record, uses[1].record);
    // Another device names it and has delivered nothing: no use of it.
    tx.expect_media({sha(1), 100, "image/jpeg", MediaRole::scene}, record(tx, 1, "hh-2"), id(102));
    EXPECT_EQ(tx.photo_uses(sha(1)).size(), 2U);
    EXPECT_TRUE(tx.case_photos(id(102)).empty());
    EXPECT_EQ(tx.case_photos(id(101)).size(), 1U) << "the other is not derived";
  });
}

TEST_P(LikenessRows, PhotosAreFoundByWhatTheyShare) {
  const std::int64_t high = 3LL << 56;
  write([&](app::Tx& tx) {
    for (std::uint32_t photo = 1; photo <= 4; ++photo) derived(tx, photo, photo, 100);
    tx.set_photo_keys(sha(1), std::vector<std::int64_t>{1, 2, 3, high});
    tx.set_photo_keys(sha(2), std::vector<std::int64_t>{2, 3, 4});
    tx.set_photo_keys(sha(3), std::vector<std::int64_t>{4, high});
    tx.set_photo_keys(sha(4), std::vector<std::int64_t>{9});
    tx.set_photo_keys(sha(99), std::vector<std::int64_t>{9});  // not there
    const std::vector<std::int64_t> keys{1, 2, 3, high};
    EXPECT_EQ(tx.alike_photos(keys, sha(1), 10), (std::vector<Sha256>{sha(2), sha(3)}));
    EXPECT_EQ(tx.alike_photos(keys, sha(1), 1), std::vector<Sha256>{sha(2)});
    EXPECT_EQ(tx.alike_photos(keys, sha(50), 10).front(), sha(1));
    tx.set_photo_keys(sha(2), std::vector<std::int64_t>{7});  // anew
    EXPECT_EQ(tx.alike_photos(keys, sha(1), 10), std::vector<Sha256>{sha(3)});
    auto refused = tx.find_media(sha(3)).value();
    refused.status = app::MediaStatus::refused;
    tx.update_media(refused);
    EXPECT_TRUE(tx.alike_photos(keys, sha(1), 10).empty());
    tx.lose_original(sha(1));
    EXPECT_TRUE(tx.alike_photos(keys, sha(50), 10).empty());
  });
}

// What very many share is not searched by, so that a search stays small whatever comes.
TEST_P(LikenessRows, ACommonKeyIsBounded) {
  write([&](app::Tx& tx) {
    for (std::uint32_t photo = 1; photo <= 300; ++photo) {
      derived(tx, photo, photo, 100);
      tx.set_photo_keys(sha(photo), std::vector<std::int64_t>{5});
    }
  });
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM photo_keys WHERE mark = 5"), std::vector<std::string>{"256"});
}

TEST_P(LikenessRows, ASearchReadsTheIndexAlone) {
  std::string plan;
  const std::string sql = "SELECT media FROM photo_keys WHERE mark = 5";
  if (GetParam() == Kind::sqlite) {
    for (const auto& line : raw_sql(url_, "EXPLAIN QUERY PLAN " + sql)) plan += line + "\n";
    EXPECT_NE(plan.find("SEARCH photo_keys USING"), std::string::npos) << plan;
  } else {
    const auto index = raw_sql(url_, "SELECT indexdef FROM pg_indexes WHERE tablename = 'photo_keys'");
    for (const auto& line : index) plan += line + "\n";
    EXPECT_NE(plan.find("(mark, media)"), std::string::npos) << plan;
  }
}

TEST_P(LikenessRows, FindingsAreOneOfAKind) {
  write([](app::Tx& tx) {
    derived(tx, 1, 1, 100);
    derived(tx, 2, 2, 101);
    app::LikenessFinding reused{id(101), sha(2), LikenessKind::reused, 990, sha(1), id(100), at(5)};
    EXPECT_TRUE(tx.put_finding(reused));
    auto later = reused;
    later.made_at = at(9);
    EXPECT_FALSE(tx.put_finding(later)) << "said before";
    EXPECT_EQ(tx.case_findings(id(101)), std::vector<app::LikenessFinding>{reused});
    reused.score = 1000;
    EXPECT_TRUE(tx.put_finding(reused));
    const app::LikenessFinding blurred{id(101), sha(2), LikenessKind::blurred, 0, std::nullopt, std::nullopt, at(6)};
    EXPECT_TRUE(tx.put_finding(blurred));
    EXPECT_FALSE(tx.put_finding(blurred));
    EXPECT_EQ(tx.case_findings(id(101)), (std::vector<app::LikenessFinding>{reused, blurred}));
    EXPECT_TRUE(tx.case_findings(id(100)).empty());
    EXPECT_TRUE(tx.remove_finding(id(101), sha(2), LikenessKind::reused));
    EXPECT_FALSE(tx.remove_finding(id(101), sha(2), LikenessKind::reused));
    EXPECT_EQ(tx.case_findings(id(101)).size(), 1U);
    EXPECT_FALSE(tx.put_finding({id(101), sha(77), LikenessKind::blurred, 0, std::nullopt, std::nullopt, at(6)}));
  });
}

// Photos that were derived before there were likenesses get a job each, behind those that come in.
TEST_P(LikenessRows, WhatWasThereBeforeIsLate) {
  store_.reset();
  url_ = GetParam() == Kind::postgresql ? test::Postgres::shared().new_database()
                                        : "sqlite://" + (dir_ / "old.db").string();
  ASSERT_EQ(migrate(url_, all_migrations().first(12)), 12);
  for (const int photo : {1, 2, 3}) {
    raw_sql(url_, "INSERT INTO media (sha256, size, type, status, problem) VALUES ('" +
                      to_hex(sha(static_cast<std::uint32_t>(photo))) + "', 1, 'image/jpeg', " +
                      (photo == 3 ? "2" : "3") + ", '') RETURNING 1");
  }
  open();
  write([](app::Tx& tx) {
    EXPECT_EQ(tx.likeness_jobs(10).size(), 2U) << "the third is not derived";
    derived(tx, 8, 1, 100);
    tx.add_likeness_job(sha(8));
    const auto jobs = tx.likeness_jobs(10);
    ASSERT_EQ(jobs.size(), 3U);
    EXPECT_EQ(jobs[0].sha256, sha(8));
  });
}

}  // namespace
}  // namespace gridward::storage
