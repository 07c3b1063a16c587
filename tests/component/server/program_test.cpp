// The program as an operator uses it: its commands, its exit statuses, its start and its stop.
#include <gtest/gtest.h>

#include <gridward/platform/crypto.hpp>
#include <gridward/storage/store.hpp>
#include <gridward/test/mosquitto.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    write_file(dir / "orgs.csv",
               "code,parent,kind,name\n"
               "120116,,district,滨海新区\n120116135,120116,town,杨家泊镇\n120116135201,120116135,village,一村\n"
               "120116135201001,120116135201,grid,第一网格\n");
    write_file(dir / "server.json",
               "{\"data_dir\": \"data\", \"http.port\": 0, \"mqtt.uri\": \"\", \"policy.file\": \"" +
                   test::source_dir().string() + "/server/profiles/binhai.json\"}");
  }

  std::vector<std::string> command(std::vector<std::string> words, bool configured = true) {
    words.insert(words.begin(), test::program("server/main/gridward-server").string());
    if (configured) {
      words.push_back("--config");
      words.push_back((dir / "server.json").string());
    }
    return words;
  }
  RunResult run(std::vector<std::string> words, bool configured = true) {
    return run_command(command(std::move(words), configured));
  }
  RunResult with_input(const std::string& input, const std::vector<std::string>& words) {
    std::vector<std::string> shell{"sh", "-c", "input=$1; shift; printf '%s\\n' \"$input\" | exec \"$@\"", "sh", input};
    for (auto& word : command(words)) shell.push_back(word);
    return run_command(shell);
  }
  void import_tree() {
    const auto imported = run({"import", (dir / "orgs.csv").string()});
    ASSERT_EQ(imported.status, 0) << imported.output;
    EXPECT_EQ(imported.output, "imported 4 nodes, 0 outlines, 0 people, 0 devices\n");
  }
  // The address of the line `ready …`; empty when the program ended before or said nothing for long.
  std::string ready(Process& server, const std::string& log) {
    std::string address;
    wait_until(
        [&] {
          const auto text = read_file(dir / log);
          const auto at = text.find("ready http");
          if (at == std::string::npos) return !server.running();
          const auto end = text.find('\n', at);
          if (end == std::string::npos) return false;
          address = text.substr(at + 6, end - at - 6);
          return true;
        },
        30s);
    return address;
  }
  RunResult curl(std::vector<std::string> words) {
    words.insert(words.begin(), {"curl", "-sS", "--max-time", "20", "-b", (dir / "jar").string(), "-c",
                                 (dir / "jar").string(), "-H", "X-Gridward: 1"});
    return run_command(words);
  }

  TempDir dir;
};

TEST_F(ProgramTest, TheCommandLineIsExplained) {
  EXPECT_EQ(run({"help"}, false).status, 0);
  EXPECT_EQ(run({}, false).status, 2);
  EXPECT_NE(run({"fly"}, false).output.find("\"fly\""), std::string::npos);
  EXPECT_EQ(run({"fly"}, false).status, 2);
  const auto option = run({"serve", "--colour", "red"});
  EXPECT_EQ(option.status, 2);
  EXPECT_NE(option.output.find("--colour"), std::string::npos);
  EXPECT_NE(run({"serve", "--config"}, false).output.find("--config: needs a value"), std::string::npos);
  EXPECT_EQ(run({"import"}).status, 2);
  EXPECT_NE(run({"version", "now"}, false).output.find("now"), std::string::npos);
  EXPECT_TRUE(run({"version"}, false).output.starts_with("gridward-server "));
  EXPECT_EQ(run({"config", "doc"}, false).output, read_file(test::source_dir() / "docs/configuration.md"));
}

TEST_F(ProgramTest, AWrongConfigurationIsNamed) {
  const auto fine = run({"config", "check"});
  EXPECT_EQ(fine.status, 0) << fine.output;
  const auto wrong = run({"config", "check", "--set", "http.port=99999", "--set=http.workers=0"});
  EXPECT_EQ(wrong.status, 3);
  EXPECT_NE(wrong.output.find("http.port: 99999, at most 65535"), std::string::npos) << wrong.output;
  EXPECT_NE(wrong.output.find("http.workers: 0, at least 1"), std::string::npos) << wrong.output;
  EXPECT_EQ(run({"serve", "--set", "policy.file=/no/profile.json"}).status, 3);
  EXPECT_EQ(run({"serve", "--set", "database.url=oracle://x"}).status, 3);
  EXPECT_EQ(run({"serve", "--set", "http.web_dir=/no/such/folder"}).status, 3);
  EXPECT_EQ(run({"serve", "--set", "vision.worker=/no/such/program"}).status, 3);
  EXPECT_EQ(run({"serve", "--set", "mqtt.uri=tcp://127.0.0.1:1", "--set", "mqtt.password_file=/no/file"}).status, 3);
  EXPECT_EQ(run({"serve", "--set", "http.proxy=proxy.example"}).status, 3);
}

TEST_F(ProgramTest, ImportIsAllOrNothing) {
  write_file(dir / "bad.csv", "code,parent,kind,name\n120116,,district,滨海新区\nx,120116,castle,堡\n");
  const auto bad = run({"import", (dir / "bad.csv").string()});
  EXPECT_EQ(bad.status, 3);
  EXPECT_NE(bad.output.find("bad.csv:3: kind"), std::string::npos) << bad.output;
  import_tree();
}

TEST_F(ProgramTest, PeopleAndDevicesAreManaged) {
  import_tree();
  EXPECT_EQ(with_input("correct horse", {"user", "set", "op"}).status, 2);  // new: needs more
  const std::vector<std::string> add{"user",   "set",           "op",    "--name",   "甲",
                                     "--role", "town_operator", "--org", "120116135"};
  EXPECT_EQ(with_input("", add).status, 2);  // no password
  EXPECT_EQ(with_input("short", add).status, 3);
  const auto added = with_input("correct horse", add);
  EXPECT_EQ(added.status, 0) << added.output;
  EXPECT_EQ(with_input("correct horse", {"user", "set", "op", "--role", "king"}).status, 2);
  EXPECT_EQ(run({"user", "set", "op", "--disable", "--keep-password"}).output, "changed op\n");

  const std::string key(64, 'a');
  EXPECT_EQ(run({"device", "add", "hh-1", "--town", "120116135"}).status, 2);
  EXPECT_EQ(run({"device", "add", "hh-1", "--town", "120116135", "--key", "abc"}).status, 2);
  EXPECT_EQ(run({"device", "add", "hh-1", "--town", "999", "--key", key}).status, 3);
  EXPECT_EQ(run({"device", "add", "hh-1", "--town", "120116135", "--key", key}).status, 0);
  EXPECT_NE(run({"device", "list"}).output.find("hh-1\ttown=120116135"), std::string::npos);
  EXPECT_EQ(run({"device", "list", "--org", "nowhere"}).status, 1);
  EXPECT_EQ(run({"device", "revoke", "hh-2"}).status, 1);
  EXPECT_EQ(run({"device", "revoke", "hh-1"}).status, 0);
  EXPECT_NE(run({"device", "list", "--org", "120116135"}).output.find("revoked"), std::string::npos);
}

TEST_F(ProgramTest, DatabaseCommands) {
  EXPECT_TRUE(run({"migrate"}).output.starts_with("schema version "));
  import_tree();
  EXPECT_EQ(run({"audit", "verify"}).output, "ok: 0 cases\n");
  const auto copy = (dir / "copy.db").string();
  const auto saved = run({"backup", copy});
  EXPECT_EQ(saved.status, 0) << saved.output;
  EXPECT_EQ(run({"backup", copy}).status, 1);  // never over an old one
  const auto from_copy = run({"audit", "verify", "--set", "database.url=sqlite://" + copy});
  EXPECT_EQ(from_copy.status, 0) << from_copy.output;
  const auto perms = std::filesystem::status(dir / "data").permissions();
  EXPECT_EQ(perms & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(ProgramTest, ServesUntilItIsAskedToStop) {
  import_tree();
  ASSERT_EQ(with_input("correct horse",
                       {"user", "set", "op", "--name", "甲", "--role", "town_operator", "--org", "120116135"})
                .status,
            0);
  std::filesystem::create_directory(dir / "web");
  write_file(dir / "web/index.html", "<title>网格哨</title>");
  Mosquitto broker;
  Process server(
      command({"serve", "--set", "mqtt.uri=" + broker.uri(), "--set", "http.web_dir=" + (dir / "web").string()}),
      dir / "log");
  const auto address = ready(server, "log");
  ASSERT_NE(address, "") << read_file(dir / "log");
  const auto health = curl({address + "/api/health"}).output;
  for (const char* part : {R"("ok":true)", R"("store":"ok")", R"("mqtt":"connected")", R"("photos":"ok")"}) {
    EXPECT_NE(health.find(part), std::string::npos) << health;
  }
  EXPECT_EQ(curl({address + "/some/page"}).output, "<title>网格哨</title>");
  EXPECT_NE(curl({address + "/api/unknown"}).output.find("not_found"), std::string::npos);
  const auto login = curl({"-d", R"({"login":"op","password":"correct horse"})", address + "/api/login"});
  EXPECT_NE(login.output.find("\"org_name\":\"杨家泊镇\""), std::string::npos) << login.output;
  EXPECT_NE(curl({address + "/api/me"}).output.find("\"id\":\"binhai\""), std::string::npos);

  // The same port again: said, not fought for.
  const auto port = address.substr(address.rfind(':') + 1);
  const auto second = run({"serve", "--set", "http.port=" + port});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.output.find(port), std::string::npos);

  // An open page does not hold up the stop.
  Process page({"curl", "-sS", "-N", "-b", (dir / "jar").string(), address + "/api/live"}, dir / "live");
  ASSERT_TRUE(wait_until([&] { return read_file(dir / "live").find("retry") != std::string::npos; }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(server.kill(SIGTERM), 0) << read_file(dir / "log");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 6s);
  EXPECT_NE(read_file(dir / "log").find("info stopped"), std::string::npos);
}

TEST_F(ProgramTest, AnItemThatNobodyAcknowledgesIsSentAgain) {
  import_tree();
  ASSERT_EQ(run({"device", "add", "hh-1", "--town", "120116135", "--key", std::string(64, 'a')}).status, 0);
  {
    auto store = storage::open_store({.url = "sqlite://" + (dir / "data/gridward.db").string()}).value();
    const auto now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
    ASSERT_TRUE(store->write([&](app::Tx& tx) -> Result<void> {
      tx.enqueue_down("hh-1", "notice", R"({"text":"x"})", now);
      tx.touch_device("hh-1", now, std::nullopt);
      return {};
    }));
  }
  Mosquitto broker;
  Process server(command({"serve", "--set", "mqtt.uri=" + broker.uri(), "--set", "mqtt.resend_s=1"}), dir / "log");
  ASSERT_NE(ready(server, "log"), "") << read_file(dir / "log");
  const auto sent = [&] {
    const auto log = broker.log();
    std::size_t count = 0;
    const std::string_view line = "Received PUBLISH from gridward-server";
    for (auto at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++count;
    return count;
  };
  EXPECT_TRUE(wait_until([&] { return sent() >= 3; }, 30s)) << broker.log();
  EXPECT_TRUE(broker.wait_log("gridward/1/down/120116135/hh-1"));
  EXPECT_EQ(server.kill(SIGTERM), 0) << read_file(dir / "log");
}

TEST_F(ProgramTest, WaitsForTheBrokerAndStopsMeanwhile) {
  const auto port = free_port();
  Process server(command({"serve", "--set", "mqtt.uri=tcp://127.0.0.1:" + std::to_string(port)}), dir / "log");
  ASSERT_TRUE(wait_until([&] { return read_file(dir / "log").find("info listening") != std::string::npos; }, 30s));
  EXPECT_EQ(read_file(dir / "log").find("ready http"), std::string::npos);
  EXPECT_EQ(server.kill(SIGINT), 0) << read_file(dir / "log");
}

TEST_F(ProgramTest, StartsAgainAfterKill9) {
  import_tree();
  for (int i = 0; i < 3; ++i) {
    const auto log = "log" + std::to_string(i);
    Process server(command({"serve"}), dir / log);
    ASSERT_NE(ready(server, log), "") << read_file(dir / log);
    server.kill(SIGKILL);
  }
  EXPECT_EQ(run({"audit", "verify"}).status, 0);
}

}  // namespace
}  // namespace gridward
