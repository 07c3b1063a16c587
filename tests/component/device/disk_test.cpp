// A disk that takes no commit: what the server said is not announced, not lost, and heard again when there is room.
#include <sys/resource.h>

#include "device_fixture.hpp"

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

class Disk : public DeviceTest {
 protected:
  Disk() : broker_(broker_options()), server_(broker_.uri(), broker_.ca_file(), kTown, "server", "server-secret") {}

  // Where an agent in a mount namespace of its own can have its data on a tmpfs; empty where there is none.
  std::string small_disk() {
    configure(broker_.uri(), broker_.ca_file(), {{"data_dir", "small/box"}});
    std::filesystem::remove_all(dir_ / "small" / "box");
    const auto mount = (dir_ / "small").string();
    const auto tried = run_command({"unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount});
    return tried.status == 0 ? mount : std::string();
  }

  static std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
  }

  Mosquitto broker_;
  TestServer server_;
};

// The kernel refuses every write behind the first 4 KiB of a file, as a card does that fails.
TEST_F(Disk, AFailedCommitIsNotAnnouncedAndComesAgain) {
  configure(broker_.uri(), broker_.ca_file());
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.hellos() == 1; })) << agent_log();
  ASSERT_EQ(command({"report", "--category", "A01", "--text", "一"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return status()["waiting_records"] == 0; })) << agent_log();
  rlimit limit{};
  ASSERT_EQ(::prlimit(running->pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
  auto small = limit;
  small.rlim_cur = 4096;
  ASSERT_EQ(::prlimit(running->pid(), RLIMIT_FSIZE, &small, nullptr), 0);

  const auto saved = command({"report", "--category", "A01", "--text", "二"});
  ASSERT_EQ(saved.status, 0) << saved.output;
  ASSERT_TRUE(wait_until([&] { return server_.count() == 2; })) << agent_log();
  ASSERT_TRUE(wait_until([&] { return agent_log().find("storage failed") != std::string::npos; })) << agent_log();
  EXPECT_EQ(count(agent_log(), "receipted"), 1U) << agent_log();
  EXPECT_EQ(status()["waiting_records"], 1);
  EXPECT_TRUE(running->running());

  ASSERT_EQ(::prlimit(running->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  ASSERT_TRUE(wait_until([&] { return status()["waiting_records"] == 0; }, 40s)) << agent_log();
  EXPECT_EQ(server_.count(), 2U);
  EXPECT_EQ(server_.conflicts(), 0);
  EXPECT_EQ(count(agent_log(), "receipted"), 2U) << agent_log();
  EXPECT_EQ(running->kill(SIGTERM), 0);
}

// The same with a disk that is really full: a tmpfs of its own, in a mount namespace that dies with the agent.
TEST_F(Disk, AFullDiskOnlyWaits) {
  const auto mount = small_disk();
  if (mount.empty()) GTEST_SKIP() << "no mount namespaces here";
  Process running({"unshare", "-rm", "sh", "-c",
                   "mount -t tmpfs -o size=1m tmpfs \"$1\" && \"$2\" --config \"$3\" init && exec \"$2\" --lang en "
                   "--config \"$3\" run",
                   "sh", mount, program(), config_file()},
                  dir_ / "agent.log");
  ASSERT_TRUE(wait_until([&] { return server_.hellos() == 1; })) << agent_log();
  const auto pid = std::to_string(running.pid());
  const auto command_inside = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"nsenter", "-t", pid, "-U", "-m", "--preserve-credentials", program(), "--lang", "en",
                                 "--config", config_file()});
    return run_command(std::move(words));
  };
  const auto status_inside = [&] { return nlohmann::json::parse(command_inside({"status", "--json"}).output); };

  std::atomic<bool> silent = true;
  server_.busy = 300ms;
  server_.drop_up = [&](const UpMessage& up) { return silent && !up.records.empty(); };
  ASSERT_EQ(command_inside({"report", "--category", "A01", "--text", "一"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return agent_log().find("server busy") != std::string::npos; })) << agent_log();
  const auto fill = "/proc/" + pid + "/root" + mount + "/fill";
  {
    std::ofstream out(fill, std::ios::binary);
    const std::string block(4096, 'x');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  EXPECT_EQ(command_inside({"report", "--category", "A01", "--text", "二"}).status, 5);  // the member is told
  silent = false;
  ASSERT_TRUE(wait_until([&] { return agent_log().find("storage failed") != std::string::npos; })) << agent_log();
  EXPECT_EQ(agent_log().find("receipted"), std::string::npos) << agent_log();
  EXPECT_EQ(status_inside()["waiting_records"], 1);

  std::filesystem::remove(fill);
  ASSERT_TRUE(wait_until([&] { return status_inside()["waiting_records"] == 0; }, 60s)) << agent_log();
  EXPECT_EQ(server_.count(), 1U);
  EXPECT_EQ(running.kill(SIGTERM), 0) << agent_log();
}

// Somebody starts the agent while the disk is full: it waits for room, too.
TEST_F(Disk, AnAgentThatStartsOnAFullDiskWaits) {
  const auto mount = small_disk();
  if (mount.empty()) GTEST_SKIP() << "no mount namespaces here";
  Process running({"unshare", "-rm", "sh", "-c",
                   "mount -t tmpfs -o size=1m tmpfs \"$1\" && \"$2\" --config \"$3\" init && "
                   "{ cat /dev/zero > \"$1/fill\" 2> /dev/null; \"$2\" --lang en --config \"$3\" report --category A01 "
                   "--text x; echo \"report $?\"; exec \"$2\" --lang en --config \"$3\" run; }",
                   "sh", mount, program(), config_file()},
                  dir_ / "agent.log");
  ASSERT_TRUE(wait_until([&] { return agent_log().find("report 5") != std::string::npos; })) << agent_log();
  EXPECT_EQ(server_.hellos(), 0) << agent_log();
  std::filesystem::remove("/proc/" + std::to_string(running.pid()) + "/root" + mount + "/fill");
  ASSERT_TRUE(wait_until([&] { return server_.hellos() == 1; })) << agent_log();
  EXPECT_EQ(running.kill(SIGTERM), 0) << agent_log();
}

}  // namespace
}  // namespace gridward::test
