// Every test of the store runs on both databases.
#pragma once

#include <gtest/gtest.h>

#include <gridward/storage/migrations.hpp>
#include <gridward/storage/store.hpp>
#include <gridward/test/postgres.hpp>
#include <gridward/test/process.hpp>
#include <memory>
#include <string>

namespace gridward::storage {

// SQL behind the store's back, for looking and for spoiling. Values as text, "|" between the columns of a row.
std::vector<std::string> raw_sql(const std::string& url, const std::string& sql);

enum class Kind { sqlite, postgresql };
inline std::string kind_word(const testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::sqlite ? "sqlite" : "postgresql";
}

// An empty database.
class DatabaseTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::postgresql) {
      if (!test::Postgres::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
      url_ = test::Postgres::shared().new_database();
    } else {
      url_ = "sqlite://" + (dir_ / "gridward test.db").string();
    }
  }

  test::TempDir dir_;
  std::string url_;
};

class StoreTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (!IsSkipped()) open();
  }
  void open() {
    StoreOptions options = options_;
    options.url = url_;
    auto opened = open_store(std::move(options));
    ASSERT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(*opened);
  }
  void reopen() {
    store_.reset();
    open();
  }

  void write(const std::function<void(app::Tx&)>& work) {
    const auto result = store_->write([&](app::Tx& tx) -> Result<void> {
      work(tx);
      return {};
    });
    ASSERT_TRUE(result) << to_string(result.error());
  }
  void read(const std::function<void(app::Tx&)>& work) {
    const auto result = store_->read([&](app::Tx& tx) -> Result<void> {
      work(tx);
      return {};
    });
    ASSERT_TRUE(result) << to_string(result.error());
  }

  StoreOptions options_;
  std::unique_ptr<StoreWithControl> store_;
};

inline UnixMs at(std::int64_t ms) { return from_unix_ms(1'790'000'000'000 + ms); }
inline Uuid id(std::uint32_t number) {
  Uuid uuid;
  for (int i = 0; i < 4; ++i)
    uuid.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(number >> (8 * i));
  uuid.bytes[0] = 1;
  return uuid;
}
inline Sha256 sha(std::uint32_t number) {
  Sha256 hash{};
  for (int i = 0; i < 4; ++i) hash[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (8 * i));
  hash[31] = 7;
  return hash;
}

#define GRIDWARD_ON_BOTH(suite)                                                                                       \
  INSTANTIATE_TEST_SUITE_P(Databases, suite,                                                                          \
                           testing::Values(::gridward::storage::Kind::sqlite, ::gridward::storage::Kind::postgresql), \
                           ::gridward::storage::kind_word)

}  // namespace gridward::storage
