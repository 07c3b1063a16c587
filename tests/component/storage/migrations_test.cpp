#include "fixture.hpp"

namespace gridward::storage {
namespace {

using Migrations = DatabaseTest;
GRIDWARD_ON_BOTH(Migrations);

TEST_P(Migrations, AreNumberedFromOneInTheirOrder) {
  int before = 0;
  for (const auto& step : all_migrations()) {
    EXPECT_GT(step.version, before);
    before = step.version;
    EXPECT_FALSE(step.name.empty());
    EXPECT_FALSE(step.statements.empty());
  }
  EXPECT_EQ(all_migrations().front().version, 1);
}

TEST_P(Migrations, GoFromEmptyToTheLastOnce) {
  EXPECT_EQ(schema_version(url_), 0);
  const auto last = all_migrations().back().version;
  EXPECT_EQ(migrate(url_), last);
  EXPECT_EQ(schema_version(url_), last);
  EXPECT_EQ(migrate(url_), last);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM schema_version").at(0), std::to_string(all_migrations().size()));
}

TEST_P(Migrations, GoOnFromEveryEarlierVersionAndKeepWhatIsThere) {
  const auto all = all_migrations();
  for (std::size_t have = 1; have < all.size(); ++have) {
    url_ = GetParam() == Kind::postgresql ? test::Postgres::shared().new_database()
                                          : "sqlite://" + (dir_ / (std::to_string(have) + ".db")).string();
    ASSERT_EQ(migrate(url_, all.first(have)), all[have - 1].version);
    raw_sql(
        url_,
        "INSERT INTO orgs (code, parent, scope, kind, name) VALUES ('1', '', '1/', 'district', 'kept') RETURNING 1");
    auto store = open_store({.url = url_});
    ASSERT_TRUE(store) << to_string(store.error());
    EXPECT_EQ(schema_version(url_), all.back().version);
    const auto found = (*store)->read([](app::Tx& tx) -> Result<void> {
      EXPECT_EQ(tx.find_org("1").value().name, "kept");
      return {};
    });
    EXPECT_TRUE(found);
  }
}

// Of a store that named records by their UUID alone.
TEST_P(Migrations, FilesGoToTheRowsOfTheirRecordsAndSenders) {
  ASSERT_EQ(migrate(url_, all_migrations().first(7)), 7);
  const auto hex = [](std::uint32_t number) { return "'" + to_hex(id(number).bytes) + "'"; };
  const auto insert = [&](const std::string& sql) { raw_sql(url_, "INSERT INTO " + sql + " RETURNING 1"); };
  insert("streams (stream, device, epoch, contiguous, newest) VALUES (1, 'hh-1', " + hex(9) + ", 2, 2), (2, 'hh-2', " +
         hex(9) + ", 1, 1)");
  insert("records (record, stream, id, seq, town, kind, actor, at, received, hash, bytes) VALUES (10, 1, " + hex(1) +
         ", 1, '', '', '', 0, 0, '', ''), (11, 1, " + hex(2) + ", 2, '', '', '', 0, 0, '', ''), (12, 2, " + hex(3) +
         ", 1, '', '', '', 0, 0, '', '')");
  insert("media (media, sha256, size, type, status, have, problem) VALUES (1, '" + to_hex(sha(1)) +
         "', 100, 'image/png', 3, '', ''), (2, '" + to_hex(sha(2)) + "', 200, 'image/jpeg', 1, '0+50', '')");
  insert("media_links (media, record, role, case_id) VALUES (2, " + hex(1) + ", 0, " + hex(100) + "), (1, " + hex(1) +
         ", 0, " + hex(100) + "), (1, " + hex(3) + ", 2, " + hex(100) + "), (2, " + hex(2) + ", 0, NULL)");

  auto store = open_store({.url = url_});
  ASSERT_TRUE(store) << to_string(store.error());
  ASSERT_TRUE((*store)->write([](app::Tx& tx) -> Result<void> {
    const auto media = tx.case_media(id(100));
    EXPECT_EQ(media.size(), 2U);
    EXPECT_EQ(media.at(0).file.sha256, sha(2)) << "in their order";
    EXPECT_EQ(media.at(0).file.status, app::MediaStatus::expected) << "its pieces come again";
    EXPECT_EQ(media.at(1).file.status, app::MediaStatus::derived);
    EXPECT_EQ(media.at(1).file.type, "image/png");
    for (const char* device : {"hh-1", "hh-2"}) {
      EXPECT_EQ(tx.find_upload(device, sha(1))->state, app::UploadState::delivered) << device;
    }
    EXPECT_EQ(tx.find_upload("hh-1", sha(2))->state, app::UploadState::open);
    EXPECT_EQ(tx.find_upload("hh-1", sha(2))->size, 200U);
    EXPECT_EQ(tx.find_media(sha(2))->status, app::MediaStatus::expected);
    // New ones get numbers behind the old.
    tx.expect_media({sha(3), 1, "image/jpeg", {}}, 12, id(100));
    EXPECT_EQ(tx.case_media(id(100)).back().file.sha256, sha(3));
    return {};
  }));
}

// Of a version before the first release, whose events this program cannot read.
TEST_P(Migrations, ADatabaseWithCasesOfTheOldFormIsRefusedAndLeftAsItWas) {
  const auto all = all_migrations();
  for (const std::size_t have : {3U, 8U, 12U}) {
    url_ = GetParam() == Kind::postgresql ? test::Postgres::shared().new_database()
                                          : "sqlite://" + (dir_ / ("old" + std::to_string(have) + ".db")).string();
    ASSERT_TRUE(migrate(url_, all.first(have)));
    const auto version = schema_version(url_);
    raw_sql(url_, "INSERT INTO case_events (case_id, n, type, actor, at, recorded, data, hash) VALUES ('" +
                      to_hex(id(1).bytes) + "', 1, 'report', 'm1', 0, 0, '{}', '') RETURNING 1");
    const auto store = open_store({.url = url_});
    ASSERT_FALSE(store) << have;
    EXPECT_EQ(store.error().code, ErrorCode::storage_failed);
    EXPECT_EQ(store.error().field, "migration 14");
    EXPECT_NE(store.error().detail.find("begin with an empty database"), std::string::npos) << store.error().detail;
    EXPECT_EQ(schema_version(url_), version) << "the program that wrote it can go on";
    raw_sql(url_, "DELETE FROM case_events RETURNING 1");
    EXPECT_TRUE(open_store({.url = url_}));
  }
}

TEST_P(Migrations, ANewerDatabaseIsRefusedAndLeftAlone) {
  ASSERT_TRUE(migrate(url_));
  raw_sql(url_, "INSERT INTO schema_version (version, name) VALUES (1000, 'of tomorrow') RETURNING 1");
  const auto store = open_store({.url = url_});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::newer_database);
  EXPECT_NE(store.error().detail.find("1000"), std::string::npos) << store.error().detail;
  EXPECT_NE(store.error().detail.find(std::to_string(all_migrations().back().version)), std::string::npos);
  EXPECT_EQ(schema_version(url_), 1000);
}

TEST_P(Migrations, AStepThatFailsLeavesTheVersionBefore) {
  const std::vector<Migration> steps{
      {1, "good", {"CREATE TABLE one (a INTEGER)"}},
      {2, "bad", {"CREATE TABLE two (a {id}, b {text})", "INSERT INTO one (a) VALUES (1)", "NO SUCH STATEMENT"}},
      {3, "never", {"CREATE TABLE three (a INTEGER)"}},
  };
  const auto failed = migrate(url_, steps);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::storage_failed);
  EXPECT_EQ(failed.error().field, "migration 2");
  EXPECT_EQ(schema_version(url_), 1);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM one").at(0), "0");
  EXPECT_ANY_THROW(raw_sql(url_, "SELECT COUNT(*) FROM two"));

  auto mended = steps;
  mended[1].statements.pop_back();
  EXPECT_EQ(migrate(url_, mended), 3);
  EXPECT_EQ(raw_sql(url_, "SELECT COUNT(*) FROM one").at(0), "1");
}

TEST_P(Migrations, AnAddressThatIsNoneIsSaid) {
  for (const char* url : {"", "sqlite:relative.db", "sqlite://relative.db", "mysql://x", "sqlite:///a=b.db"}) {
    const auto store = open_store({.url = url});
    ASSERT_FALSE(store) << url;
    EXPECT_EQ(store.error().code, ErrorCode::config_invalid) << url;
  }
  const auto nowhere = open_store({.url = "sqlite:///no/such/folder/x.db"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::storage_failed);
  const auto nobody = open_store({.url = "postgresql:///x?host=/no/such/folder&connect_timeout=1"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::storage_failed);
}

}  // namespace
}  // namespace gridward::storage
