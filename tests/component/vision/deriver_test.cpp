#include <gtest/gtest.h>

#include <atomic>
#include <gridward/platform/crypto.hpp>
#include <gridward/test/drawn_photo.hpp>
#include <gridward/vision/photo_store.hpp>
#include <thread>
#include <vector>

#include "photo_files.hpp"

namespace gridward::vision::testing {
namespace {

namespace fs = std::filesystem;
using app::PhotoSize;

class Deriver : public WorkerTest {
 protected:
  void SetUp() override {
    auto opened = FilePhotoStore::open(dir_ / "photos");
    ASSERT_TRUE(opened);
    store_ = std::move(*opened);
  }
  Sha256 seal(const Bytes& photo) {
    const Sha256 sha = platform::sha256(photo);
    EXPECT_TRUE(store_->write_piece(sha, "hh-1", photo.size(), 0, photo, true));
    EXPECT_TRUE(store_->seal(sha, "hh-1", photo.size()));
    return sha;
  }

  std::unique_ptr<FilePhotoStore> store_;
};

TEST_F(Deriver, ManyThreadsShareTheWorkers) {
  WorkerPhotoDeriver deriver(*store_, options(), 2);
  ASSERT_TRUE(deriver.start());
  std::vector<Sha256> photos;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    photos.push_back(seal(make_jpeg(test::draw_photo(900, 700 + static_cast<int>(seed), seed))));
  }
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < photos.size(); at = next++) {
        const auto numbers = deriver.derive(photos[at]);
        ASSERT_TRUE(numbers) << to_string(numbers.error());
        EXPECT_EQ(numbers->height, 700 + at);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& sha : photos) {
    EXPECT_TRUE(fs::exists(store_->path(sha, PhotoSize::preview)));
    EXPECT_TRUE(fs::exists(store_->path(sha, PhotoSize::thumb)));
  }
  EXPECT_TRUE(fs::is_empty(dir_ / "photos" / "tmp"));
}

TEST_F(Deriver, DerivingAgainReplacesTheSame) {
  WorkerPhotoDeriver deriver(*store_, options(), 1);
  const Sha256 sha = seal(make_jpeg(test::draw_photo(900, 700)));
  const auto first = deriver.derive(sha);
  const std::string made = test::read_file(store_->path(sha, PhotoSize::preview));
  const auto again = deriver.derive(sha);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->likeness, again->likeness);
  EXPECT_EQ(made, test::read_file(store_->path(sha, PhotoSize::preview)));
}

TEST_F(Deriver, ABadPhotoLeavesNoDerivativeAndTheNextOneWorks) {
  WorkerPhotoDeriver deriver(*store_, options(), 1);
  const Sha256 bad = seal({'n', 'o', 't', ' ', 'a', ' ', 'p', 'h', 'o', 't', 'o'});
  const auto refused = deriver.derive(bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::media_type);
  EXPECT_FALSE(fs::exists(store_->path(bad, PhotoSize::preview)));
  EXPECT_TRUE(fs::is_empty(dir_ / "photos" / "tmp"));
  EXPECT_TRUE(deriver.works()) << "it says something of the photo alone";
  EXPECT_TRUE(deriver.derive(seal(make_jpeg(test::draw_photo(400, 300)))));
}

TEST_F(Deriver, SaysUnavailableWhenTheWorkerIsNotInstalled) {
  WorkerPhotoDeriver deriver(*store_, {.program = "/nonexistent/worker"}, 2);
  const auto started = deriver.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(deriver.works()) << "no photo was asked for";
  const auto derived = deriver.derive(seal(make_jpeg(test::draw_photo(400, 300))));
  ASSERT_FALSE(derived);
  EXPECT_EQ(derived.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(deriver.works());
}

}  // namespace
}  // namespace gridward::vision::testing
