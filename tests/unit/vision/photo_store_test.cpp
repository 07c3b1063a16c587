#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/platform/crypto.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/test/process.hpp>
#include <gridward/vision/photo_store.hpp>

namespace gridward::vision {
namespace {

namespace fs = std::filesystem;
using app::PhotoSize;

class PhotoStoreTest : public testing::Test {
 protected:
  void SetUp() override { reopen(); }

  void reopen() {
    auto opened = FilePhotoStore::open(dir_ / "photos");
    ASSERT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(*opened);
  }
  fs::path part(std::string_view device = "hh-1") const {
    return dir_ / "photos" / "part" / (to_hex(sha_) + "-" + to_hex(as_bytes(device)));
  }
  fs::path original() const { return store_->path(sha_, PhotoSize::original); }
  Result<void> write(std::size_t offset, std::size_t length, std::string_view device = "hh-1") {
    return store_->write_piece(sha_, device, bytes_.size(), offset, ByteView(bytes_).subspan(offset, length), true);
  }
  static Bytes make_bytes() {
    Bytes bytes(700'001);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * i / 255 + i);
    return bytes;
  }
  static ErrorCode code(const Result<void>& result) { return result ? ErrorCode::internal : result.error().code; }

  test::TempDir dir_;
  Bytes bytes_ = make_bytes();
  Sha256 sha_ = platform::sha256(bytes_);
  std::unique_ptr<FilePhotoStore> store_;
};

TEST_F(PhotoStoreTest, SealsPiecesThatCameInAnyOrderAndTwice) {
  EXPECT_FALSE(store_->has_original(sha_));
  ASSERT_TRUE(write(400'000, 300'001));
  ASSERT_TRUE(write(0, 250'000));
  reopen();  // a restart between pieces
  ASSERT_TRUE(write(0, 250'000));
  ASSERT_TRUE(write(200'000, 200'000));
  ASSERT_TRUE(store_->seal(sha_, "hh-1", bytes_.size()));
  EXPECT_TRUE(store_->has_original(sha_));
  const std::string stored = test::read_file(original());
  EXPECT_TRUE(std::ranges::equal(as_bytes(stored), bytes_));
  EXPECT_EQ(original().parent_path().filename(), to_hex(sha_).substr(0, 2));
  EXPECT_FALSE(fs::exists(part()));
}

// Two devices took the same picture: each has to bring it, and neither's pieces are the other's.
TEST_F(PhotoStoreTest, EachDeviceBringsItsOwn) {
  ASSERT_TRUE(write(0, 400'000));
  EXPECT_EQ(code(store_->seal(sha_, "hh-2", bytes_.size())), ErrorCode::media_range);
  Bytes wrong = bytes_;
  wrong[7] ^= 1U;
  ASSERT_TRUE(store_->write_piece(sha_, "hh-2", wrong.size(), 0, wrong, true));
  EXPECT_EQ(code(store_->seal(sha_, "hh-2", wrong.size())), ErrorCode::media_hash_mismatch);
  ASSERT_TRUE(write(400'000, 300'001));
  ASSERT_TRUE(store_->seal(sha_, "hh-1", bytes_.size())) << "spoilt by another";

  EXPECT_EQ(code(store_->seal(sha_, "hh-2", bytes_.size())), ErrorCode::media_range)
      << "that it is here proves nothing";
  ASSERT_TRUE(store_->write_piece(sha_, "hh-2", wrong.size(), 0, wrong, true));
  EXPECT_EQ(code(store_->seal(sha_, "hh-2", wrong.size())), ErrorCode::media_hash_mismatch) << "as if it were not here";
  ASSERT_TRUE(write(0, bytes_.size(), "hh-2"));
  EXPECT_TRUE(store_->seal(sha_, "hh-2", bytes_.size()));
  EXPECT_FALSE(fs::exists(part("hh-2")));
  const std::string stored = test::read_file(original());
  EXPECT_TRUE(std::ranges::equal(as_bytes(stored), bytes_));
}

TEST_F(PhotoStoreTest, AnOriginalThatWasCutIsMendedByTheNextWhoBringsIt) {
  ASSERT_TRUE(write(0, bytes_.size()));
  ASSERT_TRUE(store_->seal(sha_, "hh-1", bytes_.size()));
  fs::resize_file(original(), 10);
  ASSERT_TRUE(write(0, bytes_.size(), "hh-2"));
  ASSERT_TRUE(store_->seal(sha_, "hh-2", bytes_.size()));
  const std::string stored = test::read_file(original());
  EXPECT_TRUE(std::ranges::equal(as_bytes(stored), bytes_));
}

TEST_F(PhotoStoreTest, MissingPiecesKeepThePart) {
  EXPECT_EQ(code(store_->seal(sha_, "hh-1", bytes_.size())), ErrorCode::media_range);
  ASSERT_TRUE(write(0, 100'000));
  EXPECT_EQ(code(store_->seal(sha_, "hh-1", bytes_.size())), ErrorCode::media_range);
  ASSERT_TRUE(write(100'000, bytes_.size() - 100'000));
  EXPECT_TRUE(store_->seal(sha_, "hh-1", bytes_.size()));
}

TEST_F(PhotoStoreTest, AWrongHashRemovesThePartAndCanStartAgain) {
  Bytes wrong = bytes_;
  wrong[350'000] ^= 1U;
  ASSERT_TRUE(store_->write_piece(sha_, "hh-1", wrong.size(), 0, wrong, true));
  EXPECT_EQ(code(store_->seal(sha_, "hh-1", wrong.size())), ErrorCode::media_hash_mismatch);
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_FALSE(store_->has_original(sha_));
  ASSERT_TRUE(write(0, bytes_.size()));
  EXPECT_TRUE(store_->seal(sha_, "hh-1", bytes_.size()));
}

TEST_F(PhotoStoreTest, AHoleIsAWrongHash) {
  ASSERT_TRUE(write(0, 100'000));
  ASSERT_TRUE(write(200'000, bytes_.size() - 200'000));
  EXPECT_EQ(code(store_->seal(sha_, "hh-1", bytes_.size())), ErrorCode::media_hash_mismatch);
}

TEST_F(PhotoStoreTest, MoreBytesThanTheManifestSaidAreAWrongHash) {
  ASSERT_TRUE(write(0, bytes_.size()));
  EXPECT_EQ(code(store_->seal(sha_, "hh-1", bytes_.size() - 1)), ErrorCode::media_hash_mismatch);
}

TEST_F(PhotoStoreTest, APieceThatIsNotTheFirstMakesNoNewPart) {
  const auto later = ByteView(bytes_).subspan(400'000);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", bytes_.size(), 400'000, later, false)), ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(part()));
  ASSERT_TRUE(write(0, 400'000));
  ASSERT_TRUE(store_->write_piece(sha_, "hh-1", bytes_.size(), 400'000, later, false));
  EXPECT_TRUE(store_->seal(sha_, "hh-1", bytes_.size()));
}

TEST_F(PhotoStoreTest, RefusesPiecesOutsideTheFile) {
  const ByteView piece = ByteView(bytes_).first(100);
  constexpr auto kMost = static_cast<std::uint64_t>(-1);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", 100, 1, piece, true)), ErrorCode::media_range);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", 100, 100, piece, true)), ErrorCode::media_range);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", 100, kMost - 50, piece, true)), ErrorCode::media_range);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", 100, 0, {}, true)), ErrorCode::media_range);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", 0, 0, piece, true)), ErrorCode::media_range);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", limits::kMediaBytes + 1, 0, piece, true)), ErrorCode::media_range);
  EXPECT_EQ(code(store_->write_piece(sha_, "hh-1", kMost, kMost - 100, piece, true)), ErrorCode::media_range);
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(PhotoStoreTest, PublishesADraftAndForgetsOthersAtStart) {
  const auto draft = store_->draft(sha_);
  const auto orphan = store_->draft(sha_);
  EXPECT_NE(draft.preview, orphan.preview);
  for (const auto& path : {draft.preview, draft.thumb, draft.description, orphan.preview})
    test::write_file(path, path.string());
  ASSERT_TRUE(store_->publish(sha_, draft));
  EXPECT_EQ(test::read_file(store_->path(sha_, PhotoSize::preview)), draft.preview.string());
  EXPECT_EQ(test::read_file(store_->path(sha_, PhotoSize::thumb)), draft.thumb.string());
  EXPECT_EQ(test::read_file(store_->description(sha_)), draft.description.string());
  reopen();
  EXPECT_FALSE(fs::exists(orphan.preview));
  EXPECT_TRUE(fs::exists(store_->path(sha_, PhotoSize::preview)));
}

TEST_F(PhotoStoreTest, AHalfDraftIsStorageFailedAndLeavesNothing) {
  const auto draft = store_->draft(sha_);
  test::write_file(draft.preview, "preview");
  EXPECT_EQ(code(store_->publish(sha_, draft)), ErrorCode::storage_failed);
  EXPECT_TRUE(fs::is_empty(dir_ / "photos" / "tmp"));
}

TEST_F(PhotoStoreTest, StartRemovesThePartsOfASealedPhotoAndKeepsOthers) {
  ASSERT_TRUE(write(0, bytes_.size()));
  ASSERT_TRUE(store_->seal(sha_, "hh-1", bytes_.size()));
  for (const char* device : {"hh-1", "hh-2"}) test::write_file(part(device), "late");
  Sha256 other = sha_;
  other[5] ^= 1U;
  ASSERT_TRUE(store_->write_piece(other, "hh-1", 10, 0, ByteView(bytes_).first(5), true));
  reopen();
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_FALSE(fs::exists(part("hh-2")));
  EXPECT_TRUE(fs::exists(dir_ / "photos" / "part" / (to_hex(other) + "-" + to_hex(as_bytes("hh-1")))));
}

TEST_F(PhotoStoreTest, SaysStorageFailedWhenTheFolderIsGone) {
  fs::remove_all(dir_ / "photos");
  EXPECT_EQ(code(write(0, 100)), ErrorCode::storage_failed);
  test::write_file(dir_ / "file", "");
  EXPECT_FALSE(FilePhotoStore::open(dir_ / "file" / "photos"));
}

}  // namespace
}  // namespace gridward::vision
