// The photo store alone: what it has answered outlives a power cut at every point, also when the process was killed
// before.
#include <gtest/gtest.h>

#include <gridward/platform/crypto.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <gridward/vision/photo_store.hpp>

#include "sweep.hpp"

namespace gridward::powerloss {
namespace {

class PhotoStorePower : public ::testing::Test {
 protected:
  PhotoStorePower() { start_again(); }

  void start_again() {
    std::filesystem::remove_all(dir_ / "root");
    std::filesystem::create_directory(dir_ / "root");
    recording_.emplace(dir_ / "root");
  }
  // The store is two folders down: both are made by it.
  int run(unsigned threads, unsigned count, unsigned fans) {
    return test::run_command(
               {test::program("tests/powerloss/powerloss_photos").string(), (dir_ / "root/data/photos").string(),
                std::to_string(threads), std::to_string(count), std::to_string(fans)},
               recording_->environment())
        .status;
  }

  Findings judge(const std::string& what, std::uint64_t from = 0) {
    Findings findings;
    const auto lines = said(recording_->ops());
    sweep(*recording_, what, from, 1, [&](std::uint64_t n, Loss loss, const Tree& tree) {
      const auto hash_of = [&](const std::string& path) -> std::optional<std::string> {
        const auto found = tree.files.find("data/photos/" + path);
        if (found == tree.files.end()) return std::nullopt;
        return hash(found->second);
      };
      for (const auto& line : lines) {
        if (line.n >= n) break;
        const auto space = line.text.find(' ');
        const auto hex = line.text.substr(space + 1);
        const auto fan = hex.substr(0, 2);
        if (hash_of("original/" + fan + "/" + hex) != hex)
          findings.add(n, loss, line.text + ", and the original is gone");
        if (line.text.starts_with("published") &&
            (hash_of("preview/" + fan + "/" + hex + ".jpg") != parts(hex).preview ||
             hash_of("thumb/" + fan + "/" + hex + ".jpg") != parts(hex).thumb)) {
          findings.add(n, loss, line.text + ", and a smaller one is gone");
        }
      }
      // Under its final name nothing is ever torn.
      for (const auto& [path, content] : tree.files) {
        if (!path.starts_with("data/photos/original/")) continue;
        if (hash(content) != path.substr(path.rfind('/') + 1))
          findings.add(n, loss, path + " is not what its name says");
      }
    });
    return findings;
  }

  struct Parts {
    std::string preview;
    std::string thumb;
  };
  // What the program derives of a photo, found once in the end state.
  const Parts& parts(const std::string& hex) {
    auto& found = parts_[hex];
    if (found.preview.empty()) {
      const auto text = test::read_file(dir_ / ("root/data/photos/original/" + hex.substr(0, 2) + "/" + hex));
      found.preview = to_hex(platform::sha256(as_bytes(text.substr(0, 900))));
      found.thumb = to_hex(platform::sha256(as_bytes(text.substr(0, 300))));
    }
    return found;
  }
  std::string hash(const Content& content) {
    auto& found = hashes_[content];
    if (found.empty()) found = to_hex(platform::sha256(*content));
    return found;
  }

  test::TempDir dir_;
  std::optional<Recording> recording_;
  std::map<std::string, Parts> parts_;
  std::map<Content, std::string> hashes_;
};

TEST_F(PhotoStorePower, WhatWasAnsweredIsThereAtEveryPoint) {
  ASSERT_EQ(run(4, long_form() ? 200 : 40, 7), 0);
  ASSERT_EQ(recording_->problem(), "");
  const auto findings = judge("photo store");
  EXPECT_EQ(findings.count(), 0U) << findings.text();
}

// Threads that meet in one new folder while the disk is slow to take its name.
TEST_F(PhotoStorePower, ThreadsInOneFolder) {
  for (const char* slow : {"/photos/original", "/photos/preview", "/photos/thumb"}) {
    start_again();
    recording_->slow_sync(slow);
    ASSERT_EQ(run(8, 16, 2), 0);
    ASSERT_EQ(recording_->problem(), "");
    const auto findings = judge("photo store, threads in one folder");
    EXPECT_EQ(findings.count(), 0U) << slow << "\n" << findings.text();
  }
}

// A killed process leaves what it had not synced to the next one, which must not build on it unsynced.
TEST_F(PhotoStorePower, AKillAndThenAPowerCut) {
  ASSERT_EQ(run(1, 2, 2), 0);
  const auto whole = recording_->count();
  Findings all;
  Progress progress("photo store, killed before", whole);
  for (std::uint64_t k = 0; k < whole; k += long_form() ? 1 : 3) {
    start_again();
    recording_->kill_at(k);
    ASSERT_EQ(run(1, 2, 2), 128 + SIGKILL) << k;
    recording_->kill_at(kNever);
    ASSERT_EQ(run(1, 2, 2), 0) << k;
    ASSERT_EQ(recording_->problem(), "") << k;
    const auto findings = judge("photo store, killed before", k);
    if (findings.count() > 0) all.add(k, Loss::all, "killed there, then:\n" + findings.text());
    progress.step(k);
  }
  EXPECT_EQ(all.count(), 0U) << all.text();
}

TEST_F(PhotoStorePower, ASyncThatFailedIsMadeUpFor) {
  for (const char* failing : {"/original/00", "/photos/original", "/preview/01", "/photos/thumb", "/part"}) {
    start_again();
    recording_->fail_sync(failing);
    ASSERT_EQ(run(1, 4, 2), 0) << failing;
    ASSERT_EQ(recording_->problem(), "");
    const auto findings = judge("photo store, a sync fails");
    EXPECT_EQ(findings.count(), 0U) << failing << "\n" << findings.text();
  }
}

TEST_F(PhotoStorePower, AStoreOpensOnWhateverIsLeft) {
  ASSERT_EQ(run(2, 4, 2), 0);
  std::uint64_t opened = 0;
  const std::uint64_t step = long_form() ? 1 : 12;
  sweep(*recording_, "photo store, opened", 0, step, [&](std::uint64_t n, Loss loss, const Tree& tree) {
    if (n % step != 0) return;
    write_tree(tree, dir_ / "copy");
    const auto store = vision::FilePhotoStore::open(dir_ / "copy/data/photos");
    ASSERT_TRUE(store) << n << " " << loss_name(loss) << ": " << to_string(store.error());
    ++opened;
  });
  EXPECT_GT(opened, 20U);
}

TEST_F(PhotoStorePower, ASyncThatIsLeftOutShows) {
  for (const char* left_out : {"/original/00", "/preview/01", "/photos/original", "/photos"}) {
    start_again();
    recording_->skip_sync(left_out);
    ASSERT_EQ(run(1, 4, 2), 0);
    EXPECT_GT(judge("photo store, planted fault").count(), 0U) << left_out;
  }
  // The contents themselves.
  ASSERT_EQ(run(1, 1, 1), 0);
  std::string part;
  for (const auto& line : said(recording_->ops())) {
    part = "/part/" + line.text.substr(line.text.find(' ') + 1) + "-" + to_hex(as_bytes("hh-1"));
  }
  start_again();
  recording_->skip_sync(part);
  ASSERT_EQ(run(1, 1, 1), 0);
  EXPECT_GT(judge("photo store, planted fault").count(), 0U) << part;
}

}  // namespace
}  // namespace gridward::powerloss
