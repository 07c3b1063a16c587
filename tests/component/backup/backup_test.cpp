// Backup and restore of a small town's store: the real database, photo store and files.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <gridward/backup/backup.hpp>
#include <gridward/test/server_world.hpp>
#include <set>

namespace gridward {
namespace {

namespace fs = std::filesystem;
using namespace test;

constexpr const char* kManifest = "MANIFEST";

class Backup : public testing::Test {
 protected:
  // A report, with a photo of these bytes when there are any; sent unless told otherwise.
  Record report(const std::string& text, const std::string& photo = {}, bool send_photo = true) {
    auto record = hh.report(text);
    if (!photo.empty()) {
      const Bytes bytes(photo.begin(), photo.end());
      record.media.push_back({platform::sha256(bytes), bytes.size(), "image/jpeg", MediaRole::scene});
    }
    EXPECT_EQ(hh.receipt({record}).ok.size(), 1U);
    if (send_photo && !photo.empty()) {
      EXPECT_TRUE(std::get<MediaState>(hh.send_piece(piece(photo)).at(0)).complete);
    }
    return record;
  }
  static MediaPiece piece(const std::string& photo) {
    const Bytes bytes(photo.begin(), photo.end());
    return {platform::sha256(bytes), bytes.size(), 0, bytes};
  }
  static Sha256 sha(const std::string& photo) { return platform::sha256(as_bytes(photo)); }

  fs::path backups() const { return world.dir / "backups"; }
  fs::path data() const { return world.dir / "data"; }
  backup::Made make() {
    world.clock.advance(std::chrono::seconds(1));
    return must(backup::make(*world.store, *world.photos, backups(), world.clock.now()));
  }
  // What handhelds are told, once the moment is over for which ingest remembers it.
  std::uint64_t safe() {
    world.clock.advance(std::chrono::seconds(3));
    return Handheld::receipt_of(hh.send(hh.hello())).safe;
  }

  Result<backup::Settled> restore(const fs::path& folder, bool skip_damaged = false) {
    auto photos = vision::FilePhotoStore::beside(data() / "photos");
    return backup::restore(folder, *photos, {data(), skip_damaged});
  }
  std::unique_ptr<storage::StoreWithControl> restored_store() {
    return must(storage::open_store({.url = "sqlite://" + (data() / "gridward.db").string()}));
  }
  template <class F>
  static auto read(storage::StoreWithControl& store, F&& f) {
    std::optional<std::invoke_result_t<F, app::Tx&>> out;
    must(store.read([&](app::Tx& tx) -> Result<void> {
      out = f(tx);
      return {};
    }));
    return std::move(*out);
  }
  static fs::path photo_in(const fs::path& folder, const Sha256& sha) {
    return folder / "photos" / to_hex(sha).substr(0, 2) / to_hex(sha);
  }
  static ino_t inode(const fs::path& file) {
    struct stat info{};
    EXPECT_EQ(::stat(file.c_str(), &info), 0) << file;
    return info.st_ino;
  }
  static void spoil(const fs::path& file) {
    auto text = read_file(file);
    text[text.size() / 2] ^= 1;
    write_file(file, text);
  }
  // Nothing that a server would begin with.
  void expect_no_database() const { EXPECT_FALSE(fs::exists(data() / "gridward.db")); }

  ServerWorld world;
  Handheld hh{world, "hh-1", "m1"};
};

TEST_F(Backup, WhatWasBackedUpComesBack) {
  const auto one = report("第一件", "照片一");
  report("第二件");
  const auto before = world.read([](app::Tx& tx) { return tx.generation(); });
  must(world.store->write([](app::Tx& tx) -> Result<void> {
    tx.insert_session({Sha256{7}, "op", UnixMs{}, UnixMs{Millis{1LL << 50}}});
    return {};
  }));
  const auto made = make();
  EXPECT_EQ(made.folder, backups() / "20260312T010001Z");
  EXPECT_EQ(made.photos, 1U);
  EXPECT_TRUE(made.missing.empty());
  EXPECT_EQ(safe(), 2U);
  const auto checked = must(backup::verify(made.folder));
  EXPECT_EQ(checked.files, 2U);
  EXPECT_TRUE(checked.damaged.empty());

  const auto later = report("备份之后", "照片二");
  const auto settled = must(restore(made.folder));
  EXPECT_EQ(settled.derive_again, 1U);
  EXPECT_TRUE(settled.missing.empty());
  EXPECT_FALSE(fs::exists(backup::restore_folder(data())));
  auto store = restored_store();
  EXPECT_EQ(store->verify_case_chains(), 2U);
  EXPECT_EQ(read(*store, [&](app::Tx& tx) { return tx.find_case(one.id); }).value().text, "第一件");
  EXPECT_FALSE(read(*store, [&](app::Tx& tx) { return tx.find_case(later.id); }));
  const auto photos = vision::FilePhotoStore::beside(data() / "photos");
  EXPECT_EQ(read_file(photos->path(sha("照片一"), app::PhotoSize::original)), "照片一");
  EXPECT_FALSE(photos->has_original(sha("照片二")));
  // Derivatives are made again.
  const auto jobs = read(*store, [](app::Tx& tx) { return tx.photo_jobs(9); });
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].sha256, sha("照片一"));
  // Handhelds hear of another generation, and of what the backup held.
  const auto after = read(*store, [](app::Tx& tx) { return tx.generation(); });
  EXPECT_NE(after, before);
  EXPECT_NE(after, Uuid{});
  EXPECT_EQ(read(*store, [&](app::Tx& tx) { return tx.backup_reach("hh-1", hh.epoch); }), 2U);
  EXPECT_FALSE(read(*store, [](app::Tx& tx) { return tx.find_session(Sha256{7}); }));
}

TEST_F(Backup, HoldsWhatHandheldsMayForgetAndNoMore) {
  report("一", "照片一");
  report("二", "照片二", false);  // its photo is still on the way
  report("三");
  EXPECT_EQ(safe(), 0U) << "nothing was backed up yet";
  make();
  EXPECT_EQ(safe(), 1U);
  EXPECT_TRUE(std::get<MediaState>(hh.send_piece(piece("照片二")).at(0)).complete);
  EXPECT_EQ(safe(), 1U) << "the server has it, a backup has not";
  make();
  EXPECT_EQ(safe(), 3U);
}

TEST_F(Backup, AGapEndsIt) {
  report("一");
  auto gap = hh.record(ReportBody{"0101", "还在路上"});
  report("三");
  make();
  EXPECT_EQ(safe(), 1U);
  EXPECT_EQ(hh.receipt({gap}).ok.size(), 1U);
  make();
  EXPECT_EQ(safe(), 3U);
}

TEST_F(Backup, AnOriginalThatTheDiskLostIsNotClaimed) {
  report("一", "照片一");
  report("二", "照片二");
  report("三", "照片三");
  fs::remove(world.photos->path(sha("照片三"), app::PhotoSize::original));
  spoil(world.photos->path(sha("照片二"), app::PhotoSize::original));
  const auto made = make();
  EXPECT_EQ(made.photos, 1U);
  EXPECT_EQ((std::set<Sha256>(made.missing.begin(), made.missing.end())),
            (std::set<Sha256>{sha("照片二"), sha("照片三")}));
  EXPECT_EQ(safe(), 1U) << "the handheld still has the others";
  EXPECT_TRUE(must(backup::verify(made.folder)).damaged.empty());

  const auto settled = must(restore(made.folder));
  EXPECT_EQ(settled.missing.size(), 2U);
  auto store = restored_store();
  EXPECT_EQ(read(*store, [&](app::Tx& tx) { return tx.find_media(sha("照片二")); })->status, app::MediaStatus::expected)
      << "so that the handheld is asked for it";
  EXPECT_EQ(read(*store, [&](app::Tx& tx) { return tx.backup_reach("hh-1", hh.epoch); }), 1U);
}

TEST_F(Backup, ARefusedPhotoIsNothingToWaitFor) {
  report("一", "坏照片");
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    auto row = tx.find_media(sha("坏照片")).value();
    row.status = app::MediaStatus::refused;
    row.problem = "media_undecodable";
    tx.update_media(row);
    tx.finish_photo_job(tx.photo_jobs(1).at(0).row);
    return {};
  }));
  const auto made = make();
  EXPECT_EQ(made.photos, 1U) << "the original is evidence all the same";
  EXPECT_EQ(safe(), 1U);
  EXPECT_EQ(must(restore(made.folder)).derive_again, 0U);
  auto store = restored_store();
  EXPECT_EQ(read(*store, [&](app::Tx& tx) { return tx.find_media(sha("坏照片")); })->status, app::MediaStatus::refused);
}

TEST_F(Backup, PhotosAreSharedBetweenBackupsAndNotWithThePhotoStore) {
  report("一", "照片一");
  const auto first = make();
  report("二", "照片二");
  const auto second = make();
  EXPECT_EQ(first.linked, 0U);
  EXPECT_EQ(second.photos, 2U);
  EXPECT_EQ(second.linked, 1U);
  EXPECT_EQ(inode(photo_in(first.folder, sha("照片一"))), inode(photo_in(second.folder, sha("照片一"))));
  EXPECT_NE(inode(photo_in(first.folder, sha("照片一"))),
            inode(world.photos->path(sha("照片一"), app::PhotoSize::original)));
  // The first may go; the second is whole.
  fs::remove_all(first.folder);
  EXPECT_TRUE(must(backup::verify(second.folder)).damaged.empty());
  // What an earlier backup has only in part is copied.
  fs::resize_file(photo_in(second.folder, sha("照片一")), 3);
  const auto third = make();
  EXPECT_EQ(third.linked, 1U);
  EXPECT_TRUE(must(backup::verify(third.folder)).damaged.empty());
}

TEST_F(Backup, ABackupIntoAnotherFolderClaimsNoLess) {
  report("一", "照片一");
  make();
  ASSERT_EQ(safe(), 1U);
  fs::remove(world.photos->path(sha("照片一"), app::PhotoSize::original));
  const auto other = must(backup::make(*world.store, *world.photos, world.dir / "other", world.clock.now()));
  EXPECT_EQ(other.missing.size(), 1U);
  EXPECT_EQ(safe(), 1U);
}

TEST_F(Backup, WhatARunThatWasCutOffLeftIsNoBackupAndGoes) {
  report("一", "照片一");
  const auto whole = make();
  const auto cut = backups() / "20260312T010099Z.part";
  fs::copy(whole.folder, cut, fs::copy_options::recursive);
  fs::remove(cut / kManifest);
  fs::create_directory(backups() / "somebody's.part");
  const auto refused = restore(cut);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_NE(refused.error().field.find(kManifest), std::string::npos) << refused.error().field;
  expect_no_database();
  EXPECT_EQ(backup::verify(cut).error().code, ErrorCode::not_found);
  make();
  EXPECT_FALSE(fs::exists(cut));
  EXPECT_TRUE(fs::exists(whole.folder / kManifest));
  EXPECT_TRUE(fs::exists(backups() / "somebody's.part")) << "only what is ours";
}

TEST_F(Backup, TwoInOneSecondAreTwo) {
  report("一");
  const auto now = world.clock.now();
  const auto first = must(backup::make(*world.store, *world.photos, backups(), now));
  const auto second = must(backup::make(*world.store, *world.photos, backups(), now));
  EXPECT_NE(first.folder, second.folder);
  EXPECT_TRUE(fs::exists(first.folder / kManifest));
  EXPECT_TRUE(fs::exists(second.folder / kManifest));
}

TEST_F(Backup, AFailureClaimsNothingAndLeavesNothing) {
  report("一", "照片一");
  const auto nowhere = backup::make(*world.store, *world.photos, world.dir / "no" / "such" / "folder", UnixMs{});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::storage_failed);
  EXPECT_EQ(safe(), 0U);
  // A folder where the photo should be.
  fs::remove(world.photos->path(sha("照片一"), app::PhotoSize::original));
  fs::create_directories(world.photos->path(sha("照片一"), app::PhotoSize::original));
  const auto unreadable = backup::make(*world.store, *world.photos, backups(), world.clock.now());
  ASSERT_FALSE(unreadable);
  EXPECT_EQ(unreadable.error().code, ErrorCode::storage_failed);
  EXPECT_TRUE(fs::is_empty(backups()));
  EXPECT_EQ(safe(), 0U);
}

TEST_F(Backup, AManifestThatWasChangedIsRefused) {
  report("一", "照片一");
  const auto made = make();
  const auto manifest = made.folder / kManifest;
  const auto text = read_file(manifest);
  std::string other = text;
  other.replace(other.find("photo "), 7, "photo 0");
  // Changed, cut off, cut off between two lines, with a line more, empty.
  const auto seal = text.rfind("seal ");
  for (const auto& wrong : {other, text.substr(0, text.size() - 9), text.substr(0, seal), text + "photo x\n",
                            std::string(), text.substr(0, text.find("photo ")) + text.substr(seal)}) {
    write_file(manifest, wrong);
    const auto refused = restore(made.folder);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, ErrorCode::malformed) << to_string(refused.error());
    expect_no_database();
  }
  write_file(manifest, text);
  EXPECT_TRUE(restore(made.folder));
}

TEST_F(Backup, ADamagedDatabaseIsNeverRestored) {
  report("一", "照片一");
  const auto made = make();
  spoil(made.folder / "gridward.db");
  for (const bool skip : {false, true}) {
    const auto refused = restore(made.folder, skip);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::storage_failed);
    EXPECT_NE(refused.error().field.find("gridward.db"), std::string::npos) << refused.error().field;
    expect_no_database();
  }
  EXPECT_EQ(must(backup::verify(made.folder)).damaged.size(), 1U);
}

TEST_F(Backup, ADamagedPhotoIsNamedAndCanBeGoneOnWithout) {
  report("一", "照片一");
  report("二", "照片二");
  report("三", "照片三");
  const auto made = make();
  spoil(photo_in(made.folder, sha("照片二")));
  fs::remove(photo_in(made.folder, sha("照片三")));
  EXPECT_EQ(must(backup::verify(made.folder)).damaged.size(), 2U);
  const auto refused = restore(made.folder);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::storage_failed);
  expect_no_database();
  EXPECT_TRUE(fs::exists(backup::restore_folder(data()))) << "a server must not begin here";
  const auto settled = must(restore(made.folder, true));
  EXPECT_EQ((std::set<Sha256>(settled.missing.begin(), settled.missing.end())),
            (std::set<Sha256>{sha("照片二"), sha("照片三")}));
  auto store = restored_store();
  EXPECT_EQ(read(*store, [&](app::Tx& tx) { return tx.backup_reach("hh-1", hh.epoch); }), 1U)
      << "a handheld that still has them sends them again";
}

TEST_F(Backup, ADatabaseThatIsThereIsNotWrittenOver) {
  report("一");
  const auto made = make();
  fs::create_directory(data());
  for (const char* name : {"gridward.db", "gridward.db-wal"}) {
    write_file(data() / name, "somebody's");
    const auto refused = restore(made.folder);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::already_exists);
    EXPECT_NE(refused.error().detail.find("move"), std::string::npos);
    EXPECT_EQ(read_file(data() / name), "somebody's");
    fs::remove(data() / name);
  }
  EXPECT_TRUE(restore(made.folder));
}

TEST_F(Backup, ARestoreThatWasCutOffIsTakenUpAgain) {
  report("一", "照片一");
  report("二", "照片二");
  const auto made = make();
  ASSERT_TRUE(restore(made.folder));
  // As when it was cut off: one photo in its place, one half written, the database not moved yet.
  const auto photos = vision::FilePhotoStore::beside(data() / "photos");
  fs::create_directory(backup::restore_folder(data()));
  fs::rename(data() / "gridward.db", backup::restore_folder(data()) / "gridward.db");
  const auto second = photos->path(sha("照片二"), app::PhotoSize::original);
  fs::remove(second);
  write_file(second + ".part", "照");
  ASSERT_TRUE(restore(made.folder));
  EXPECT_EQ(restored_store()->verify_case_chains(), 2U);
  EXPECT_EQ(read_file(second), "照片二");
  EXPECT_FALSE(fs::exists(second + ".part"));
  EXPECT_FALSE(fs::exists(backup::restore_folder(data())));
}

TEST_F(Backup, PhotosThatOutlivedTheDatabaseAreLookedAt) {
  report("一", "照片一");
  report("二", "照片二");
  const auto made = make();
  ASSERT_TRUE(restore(made.folder));
  const auto photos = vision::FilePhotoStore::beside(data() / "photos");
  const auto first = photos->path(sha("照片一"), app::PhotoSize::original);
  const auto kept = inode(first);
  spoil(photos->path(sha("照片二"), app::PhotoSize::original));
  fs::remove(data() / "gridward.db");
  ASSERT_TRUE(restore(made.folder));
  EXPECT_EQ(inode(first), kept) << "not copied again";
  EXPECT_EQ(read_file(photos->path(sha("照片二"), app::PhotoSize::original)), "照片二");
}

TEST_F(Backup, AUploadUnderWayBeginsAgainAfterARestore) {
  const std::string photo = "一张大照片";
  report("一", photo, false);
  auto half = piece(photo);
  half.data.resize(5);
  EXPECT_FALSE(std::get<MediaState>(hh.send_piece(half).at(0)).complete);
  const auto made = make();
  ASSERT_TRUE(restore(made.folder));
  auto store = restored_store();
  const auto upload = read(*store, [&](app::Tx& tx) { return tx.find_upload("hh-1", sha(photo)); }).value();
  EXPECT_EQ(upload.state, app::UploadState::open);
  EXPECT_TRUE(upload.have.empty()) << "the pieces are not in a backup";
}

TEST_F(Backup, WithOtherToolsAMarkIsConfirmed) {
  report("一", "照片一");
  const auto file = world.dir / "mark";
  ASSERT_TRUE(backup::mark(*world.store, *world.photos, file));
  EXPECT_EQ(safe(), 0U) << "nobody said yet that the copy is safe";
  report("三", "照片三");
  EXPECT_EQ(must(backup::confirm(*world.store, file)), 1U);
  EXPECT_EQ(safe(), 1U) << "what came after the mark may not be in the copy";
  EXPECT_EQ(backup::mark(*world.store, *world.photos, file).error().code, ErrorCode::already_exists);

  spoil(file);
  EXPECT_EQ(backup::confirm(*world.store, file).error().code, ErrorCode::malformed);
  EXPECT_EQ(backup::confirm(*world.store, world.dir / "none").error().code, ErrorCode::not_found);
}

TEST_F(Backup, AMarkOfBeforeARestoreIsWorthNothing) {
  report("一");
  const auto file = world.dir / "mark";
  ASSERT_TRUE(backup::mark(*world.store, *world.photos, file));
  must(backup::settle(*world.store, *world.photos));
  const auto late = backup::confirm(*world.store, file);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::version_conflict);
}

TEST_F(Backup, AfterOtherToolsTheStoreLooksAtItsDisk) {
  report("一", "照片一");
  report("二", "照片二");
  report("三", "照片三");
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    for (const char* photo : {"照片一", "照片二"}) {
      auto row = tx.find_media(sha(photo)).value();
      row.status = app::MediaStatus::derived;
      tx.update_media(row);
    }
    for (const auto& job : tx.photo_jobs(9)) {
      if (job.sha256 != sha("照片三")) tx.finish_photo_job(job.row);
    }
    return {};
  }));
  for (const auto size : {app::PhotoSize::preview, app::PhotoSize::thumb}) {
    const fs::path there = world.photos->path(sha("照片一"), size);
    fs::create_directories(there.parent_path());
    write_file(there, "jpeg");
  }
  fs::remove(world.photos->path(sha("照片三"), app::PhotoSize::original));
  const auto settled = must(backup::settle(*world.store, *world.photos));
  EXPECT_EQ(settled.missing, std::vector<Sha256>{sha("照片三")});
  EXPECT_EQ(settled.derive_again, 1U);
  const auto jobs = world.read([](app::Tx& tx) { return tx.photo_jobs(9); });
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].sha256, sha("照片二"));
  EXPECT_EQ(safe(), 2U);
}

}  // namespace
}  // namespace gridward
