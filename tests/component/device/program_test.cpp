// The commands without any network: exit codes, messages, camera.
#include "device_fixture.hpp"

namespace gridward::test {
namespace {

class Program : public DeviceTest {
 protected:
  void SetUp() override { configure("tcp://127.0.0.1:9", ""); }
};

TEST_F(Program, ExitCodes) {
  EXPECT_EQ(command({}).status, 2);
  EXPECT_EQ(command({"dance"}).status, 2);
  EXPECT_EQ(command({"report"}).status, 2);
  EXPECT_EQ(command({"report", "--categroy", "A01"}).status, 2);
  EXPECT_EQ(command({"sign-out"}).status, 4);
  EXPECT_EQ(command({"sign-in"}).status, 0);
  EXPECT_EQ(command({"sign-in"}).status, 4);
  EXPECT_EQ(command({"task", "done", "nonsense", "--outcome", "confirmed"}).status, 4);
  EXPECT_EQ(command({"report", "--category", "A01", "--text", "x", "--photo", "/nowhere.jpg"}).status, 4);
  EXPECT_EQ(run_command({program(), "--config", "/nowhere.json", "status"}).status, 3);
  write_file(dir_ / "other.json", R"({"broker":"tcp://x:1","device":"d","town":"1","data_dir":"empty"})");
  EXPECT_EQ(run_command({program(), "--config", (dir_ / "other.json").string(), "status"}).status, 3);
}

TEST_F(Program, FullIsToldWithItsOwnCode) {
  configure("tcp://127.0.0.1:9", "", {{"outbox_bytes", 100'000}});
  ASSERT_EQ(command({"report", "--category", "A01", "--text", "x", "--photo", photo("a.jpg", 90'000)}).status, 0);
  const auto full = command({"report", "--category", "A01", "--text", "x", "--photo", photo("b.jpg", 90'000, 2)});
  EXPECT_EQ(full.status, 5) << full.output;
  EXPECT_EQ(status()["waiting_records"], 1);
}

TEST_F(Program, SpeaksChineseUnlessTold) {
  const auto zh = run_command({program(), "--config", config_file(), "sign-out"}, {"GRIDWARD_LANG=zh"});
  EXPECT_NE(zh.output.find("尚未签到"), std::string::npos) << zh.output;
  EXPECT_NE(command({"sign-out"}).output.find("Not signed in"), std::string::npos);
}

TEST_F(Program, TheCameraIsAProgramThatWritesAFile) {
  write_file(dir_ / "camera", "#!/bin/sh\nprintf '\\377\\330\\377\\340picture' > \"$1\"\n");
  std::filesystem::permissions(dir_ / "camera", std::filesystem::perms::owner_all);
  configure("tcp://127.0.0.1:9", "", {{"camera_program", (dir_ / "camera").string()}});
  const auto taken = command({"report", "--category", "A01", "--text", "x", "--photo", "camera"});
  EXPECT_EQ(taken.status, 0) << taken.output;
  EXPECT_EQ(status()["waiting_media"], 1);
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "box")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("camera-")) << entry.path();
  }
  write_file(dir_ / "camera", "#!/bin/sh\nexit 3\n");
  const auto failed = command({"report", "--category", "A01", "--text", "x", "--photo", "camera"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.output.find("camera_failed"), std::string::npos) << failed.output;
  EXPECT_EQ(status()["waiting_records"], 1);
}

TEST_F(Program, KeyAndOutboxAreThePersonsOwn) {
  struct stat info{};
  ASSERT_EQ(::stat((dir_ / "box" / "device.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((dir_ / "box" / "outbox.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077, 0U);
  std::filesystem::permissions(dir_ / "box" / "device.key", std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(command({"run"}).status, 3);
}

TEST_F(Program, APatrolWithItsLog) {
  EXPECT_EQ(command({"patrol", "start"}).status, 4);
  EXPECT_EQ(command({"sign-in", "--actor", "wg0002"}).status, 0);
  EXPECT_EQ(command({"patrol", "start"}).status, 0);
  EXPECT_EQ(status()["on_patrol"], true);
  EXPECT_EQ(status()["actor"], "wg0002");
  EXPECT_EQ(command({"patrol", "stop", "--text", "正常", "--check", "消防栓=ok", "--check", "井盖=bad:松动"}).status,
            0);
  EXPECT_EQ(command({"patrol", "stop"}).status, 4);
  EXPECT_EQ(command({"patrol", "stop", "--check", "x"}).status, 2);
  EXPECT_EQ(command({"sign-out"}).status, 0);
  EXPECT_EQ(status()["next_seq"], 5);
}

}  // namespace
}  // namespace gridward::test
