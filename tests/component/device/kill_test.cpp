// kill -9 at random moments: what said "saved" is there.
#include <set>

#include "device_fixture.hpp"

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

class Kill : public DeviceTest {
 protected:
  static std::set<std::string> saved_ids(const std::string& output) {
    std::set<std::string> ids;
    std::istringstream lines(output);
    std::string line;
    while (std::getline(lines, line)) {
      // A line that was cut by the kill had not been said.
      if (line.starts_with("saved ") && line.find('#') != std::string::npos) ids.insert(line.substr(6, 36));
    }
    return ids;
  }
};

TEST_F(Kill, WhatSaidSavedIsThere) {
  const Mosquitto broker(broker_options());
  configure(broker.uri(), broker.ca_file());
  const auto file = photo("a.jpg", 2'000'000);
  std::mt19937 random(20260101);
  // Up to one and a half times what a whole report takes here and now.
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(command({"report", "--category", "A01", "--text", "measure", "--photo", file}).status, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  const auto longest = static_cast<std::uint64_t>(whole.count()) * 3 / 2;
  int killed = 0;
  int alive = 0;
  for (int i = 0; i < 120; ++i) {
    Process process(
        {program(), "--lang", "en", "--config", config_file(), "report", "--category", "A01", "--text",
         "第" + std::to_string(i), "--photo", i % 2 == 0 ? file : photo("b.jpg", 500'000, static_cast<unsigned>(i))},
        dir_ / "saved.log");
    std::this_thread::sleep_for(std::chrono::microseconds(random() % longest));
    (process.kill(SIGKILL) == 0 ? alive : killed)++;
  }
  EXPECT_GT(killed, 10);
  EXPECT_GT(alive, 5);
  const auto said = saved_ids(read_file(dir_ / "saved.log"));
  EXPECT_GE(said.size(), static_cast<std::size_t>(alive));

  // Nothing is stuck, and all of it arrives, each photo whole.
  TestServer server(broker.uri(), broker.ca_file(), kTown, "server", "server-secret");
  const auto running = agent();
  ASSERT_TRUE(wait_until(
      [&] {
        const auto now = status();
        return now["waiting_records"] == 0 && now["waiting_media"] == 0;
      },
      60s))
      << agent_log();
  std::set<std::string> arrived;
  std::uint64_t next = 1;
  for (const auto& record : server.records()) {
    EXPECT_EQ(record.seq, next++);  // no gap either
    arrived.insert(to_string(record.id));
    ASSERT_EQ(record.media.size(), 1U);
    const auto got = server.photo(record.media[0].sha256);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->complete);
  }
  for (const auto& id : said) EXPECT_TRUE(arrived.count(id)) << id;
}

TEST_F(Kill, AnAgentKilledWhileItSendsLosesAndDoublesNothing) {
  const Mosquitto broker(broker_options());
  configure(broker.uri(), broker.ca_file());
  TestServer server(broker.uri(), broker.ca_file(), kTown, "server", "server-secret");
  server.key = key();
  std::set<std::string> said;
  std::mt19937 random(7);
  for (int i = 0; i < 25; ++i) {
    const auto running = agent();
    for (int j = 0; j < 3; ++j) {
      const auto result = command({"report", "--category", "A01", "--text", std::to_string(i * 10 + j), "--photo",
                                   photo("c.jpg", 200'000, static_cast<unsigned>(i * 10 + j))});
      ASSERT_EQ(result.status, 0) << result.output;
      said.merge(saved_ids(result.output));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
    running->kill(SIGKILL);
  }
  const auto running = agent();
  ASSERT_TRUE(wait_until(
      [&] {
        const auto now = status();
        return now["waiting_records"] == 0 && now["waiting_media"] == 0;
      },
      60s))
      << agent_log();
  EXPECT_EQ(said.size(), 75U);
  EXPECT_EQ(server.count(), 75U);
  EXPECT_EQ(server.complete_photos(), 75U);
  EXPECT_EQ(server.conflicts(), 0);
  EXPECT_EQ(server.bad_signatures(), 0);
}

}  // namespace
}  // namespace gridward::test
