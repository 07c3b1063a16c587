// The program as an operator uses it: its commands, its exit statuses, its start and its stop.
#include <gridward/platform/crypto.hpp>
#include <gridward/storage/store.hpp>
#include <gridward/test/postgres.hpp>

#include "program_fixture.hpp"

namespace gridward::test {
namespace {

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
  const auto perms = std::filesystem::status(dir / "data").permissions();
  EXPECT_EQ(perms & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(ProgramTest, BackupAndRestore) {
  const auto backups = (dir / "backups").string();
  const auto nothing = run({"backup", backups});
  EXPECT_EQ(nothing.status, 1);
  EXPECT_NE(nothing.output.find("there is no database"), std::string::npos) << nothing.output;
  EXPECT_FALSE(std::filesystem::exists(dir / "data/gridward.db"));

  import_tree();
  const auto saved = run({"backup", backups});
  ASSERT_EQ(saved.status, 0) << saved.output;
  const auto folder = saved.output.substr(0, saved.output.find(':'));
  EXPECT_TRUE(run({"backup", "verify", folder}, false).output.starts_with("ok: 1 files"));
  EXPECT_EQ(std::filesystem::status(folder).permissions(), std::filesystem::perms::owner_all);
  const auto there = run({"restore", folder});
  EXPECT_EQ(there.status, 1);
  EXPECT_NE(there.output.find("move the folder away"), std::string::npos) << there.output;
  EXPECT_EQ(run({"restore", folder, "--set", "database.url=postgresql:///x"}).status, 3);
  EXPECT_EQ(run({"restore", backups, "--set", "data_dir=" + (dir / "elsewhere").string()}).status, 4)
      << "a folder of backups is none";

  std::filesystem::rename(dir / "data", dir / "lost");
  const auto restored = run({"restore", folder});
  EXPECT_EQ(restored.status, 0) << restored.output;
  EXPECT_EQ(run({"audit", "verify"}).output, "ok: 0 cases\n");
  EXPECT_EQ(run({"device", "list", "--org", "120116135"}).status, 0) << "the tree is there";

  // Cut off: nothing begins a database of its own beside what is half there.
  std::filesystem::create_directory(dir / "data/restore.part");
  using Words = std::vector<std::string>;
  for (const auto& words : {Words{"serve"}, Words{"audit", "verify"}, Words{"migrate"}}) {
    const auto refused = run(words);
    EXPECT_EQ(refused.status, 1) << words[0];
    EXPECT_NE(refused.output.find("restore"), std::string::npos) << refused.output;
  }

  auto text = read_file(std::filesystem::path(folder) / "gridward.db");
  text[text.size() / 2] ^= 1;
  write_file(std::filesystem::path(folder) / "gridward.db", text);
  EXPECT_EQ(run({"backup", "verify", folder}, false).status, 4);
}

// Whatever the moment, what is there under its own name is whole.
TEST_F(ProgramTest, ABackupThatIsKilledIsNone) {
  import_tree();
  // Photos enough for the kill to fall among them.
  const auto sql = [&](const std::string& statement) {
    const auto done = run_command({"sqlite3", (dir / "data/gridward.db").string(), statement});
    ASSERT_EQ(done.status, 0) << done.output;
  };
  std::string rows = "BEGIN;";
  for (int i = 0; i < 120; ++i) {
    const auto bytes = "photo " + std::to_string(i);
    const auto hex = to_hex(platform::sha256(as_bytes(bytes)));
    const auto file = dir / "data/photos/original" / hex.substr(0, 2) / hex;
    std::filesystem::create_directories(file.parent_path());
    write_file(file, bytes);
    rows += "INSERT INTO media (sha256, size, type, status, problem) VALUES ('" + hex + "'," +
            std::to_string(bytes.size()) + ",'image/jpeg',3,'');";
  }
  sql(rows + "INSERT INTO streams (device, epoch, contiguous, newest) VALUES ('hh-1','" + std::string(32, '1') +
      "',7,7);COMMIT;");
  const auto backups = dir / "backups";
  std::size_t whole = 0;
  std::size_t cut = 0;
  for (int delay = 0; delay < 60 && (whole == 0 || cut < 5); ++delay) {
    Process program(command({"backup", backups.string()}), dir / "log");
    // From before the first file to after the last.
    const auto photos_seen = static_cast<std::size_t>(delay) * 25;
    wait_until([&] {
      if (!program.running()) return true;
      if (!std::filesystem::exists(backups)) return delay == 0;
      std::size_t seen = 0;
      std::error_code ignored;
      for (auto entry = std::filesystem::recursive_directory_iterator(backups, ignored);
           !ignored && entry != std::filesystem::recursive_directory_iterator(); entry.increment(ignored)) {
        if (entry->path().string().find(".part") != std::string::npos) ++seen;
      }
      return seen >= photos_seen;
    });
    cut += program.kill(SIGKILL) == 128 + SIGKILL ? 1U : 0U;
    whole = 0;
    if (!std::filesystem::exists(backups)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(backups)) {
      if (entry.path().extension() == ".part") {
        EXPECT_NE(run({"restore", entry.path().string(), "--set", "data_dir=" + (dir / "elsewhere").string()}).status,
                  0);
        continue;
      }
      ++whole;
      EXPECT_EQ(run({"backup", "verify", entry.path().string()}, false).status, 0);
    }
    const auto told = run_command(
        {"sqlite3", (dir / "data/gridward.db").string(), "SELECT COALESCE(MAX(safe), 0) FROM backup_reach"});
    if (whole == 0) {
      EXPECT_EQ(told.output, "0\n") << "handhelds would forget what nobody has";
    }
  }
  EXPECT_GE(cut, 5U);
  const auto last = run({"backup", backups.string()});
  EXPECT_EQ(last.status, 0) << last.output;
  EXPECT_NE(last.output.find("120 photos"), std::string::npos) << last.output;
  for (const auto& entry : std::filesystem::directory_iterator(backups)) EXPECT_NE(entry.path().extension(), ".part");
}

TEST_F(ProgramTest, PostgresqlIsBackedUpWithItsOwnTools) {
  if (!Postgres::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
  auto& cluster = Postgres::shared();
  const auto first = "database.url=" + cluster.new_database();
  const auto mark = (dir / "mark").string();
  ASSERT_EQ(run({"import", (dir / "orgs.csv").string(), "--set", first}).status, 0);
  const auto refused = run({"backup", (dir / "backups").string(), "--set", first});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("docs/operations.md"), std::string::npos) << refused.output;
  const auto marked = run({"backup", "mark", mark, "--set", first});
  EXPECT_EQ(marked.status, 0) << marked.output;
  EXPECT_EQ(run({"backup", "confirm", mark, "--set", first}).status, 0);
  EXPECT_EQ(run({"restored", "--set", first}).status, 0);
  const auto late = run({"backup", "confirm", mark, "--set", first});
  EXPECT_EQ(late.status, 1);
  EXPECT_NE(late.output.find("restored"), std::string::npos) << late.output;
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
}  // namespace gridward::test
