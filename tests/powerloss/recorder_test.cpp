// Whether the recorder sees everything: what the log makes of the folder is what the folder is.
#include <gtest/gtest.h>

#include <algorithm>
#include <gridward/powerloss/recording.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>

namespace gridward::powerloss {
namespace {

using test::run_command;

class Recorder : public ::testing::Test {
 protected:
  Recorder() {
    std::filesystem::create_directory(dir_ / "root");
    test::write_file(dir_ / "root/was-there", "before");
    recording_.emplace(dir_ / "root");
  }
  test::RunResult calls(std::vector<std::string> words) {
    words.insert(words.begin(), {test::program("tests/powerloss/powerloss_calls").string(), (dir_ / "root").string()});
    return run_command(std::move(words), recording_->environment());
  }

  test::TempDir dir_;
  std::optional<Recording> recording_;
};

TEST_F(Recorder, MissesNothing) {
  const auto ran = calls({"all"});
  ASSERT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(recording_->problem(), "");
  const auto ops = recording_->ops();
  EXPECT_GT(ops.size(), 2000U);
  const auto lines = said(ops);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "names");
  EXPECT_EQ(lines[1].text, "the rest");
  EXPECT_EQ(ran.output, "names\nthe rest\n");
  // Said before what came after it.
  const auto writes =
      std::ranges::find_if(ops, [](const Op& op) { return op.kind == OpKind::create && op.name == "writes"; });
  ASSERT_NE(writes, ops.end());
  EXPECT_LT(lines[0].n, writes->n);
  EXPECT_EQ(std::ranges::count_if(ops, [](const Op& op) { return op.kind == OpKind::sync; }), 4);
}

TEST_F(Recorder, NoticesWhatItMissed) {
  ASSERT_EQ(calls({"all"}).status, 0);
  // Somebody who is not recorded.
  test::write_file(dir_ / "root/a/deep/two", "two");
  EXPECT_NE(recording_->problem().find("a/deep/two: differs from its log at byte 0"), std::string::npos)
      << recording_->problem();
  test::write_file(dir_ / "root/stranger", "");
  EXPECT_EQ(recording_->problem(), "stranger: the log does not know this file");
}

TEST_F(Recorder, NamesWhatItCannotFollow) {
  ASSERT_EQ(calls({"mmap"}).status, 0);
  EXPECT_EQ(recording_->problem(), "mapped for writing: " + (dir_ / "root/mapped").string());
}

TEST_F(Recorder, NamesAMoveOverTheBorder) {
  ASSERT_EQ(calls({"out", (dir_ / "elsewhere").string()}).status, 0);
  EXPECT_EQ(recording_->problem(), "moved over the border of the folder: leaves");
}

TEST_F(Recorder, KillsAtTheOperationItIsTold) {
  for (const std::uint64_t n : {0U, 7U, 100U}) {
    std::filesystem::remove_all(dir_ / "root");
    std::filesystem::create_directory(dir_ / "root");
    recording_.emplace(dir_ / "root");
    recording_->kill_at(n);
    EXPECT_EQ(calls({"all"}).status, 128 + SIGKILL);
    EXPECT_TRUE(recording_->killed());
    EXPECT_EQ(recording_->count(), n);
    EXPECT_EQ(recording_->problem(), "");
  }
}

TEST_F(Recorder, PutsATreeOnTheDiskAsItIs) {
  ASSERT_EQ(calls({"all"}).status, 0);
  Points points(recording_->begin(), recording_->ops());
  for (const auto loss : kLosses) {
    const auto tree = points.at(recording_->count()).after(loss, 1);
    write_tree(tree, dir_ / "copy");
    EXPECT_EQ(difference(tree, dir_ / "copy"), "") << loss_name(loss);
  }
}

}  // namespace
}  // namespace gridward::powerloss
