// The promise behind `safe`: the server's disk is lost, and nothing that a handheld captured is. Broker, server, photo
// worker and handheld are the real programs.
#include <gridward/platform/crypto.hpp>
#include <gridward/sim/scene.hpp>

#include "program_fixture.hpp"

namespace gridward::test {
namespace {

namespace fs = std::filesystem;

class RestoreTest : public ProgramTest {
 protected:
  RestoreTest() {
    write_file(dir / "device.json",
               "{\"broker\":\"" + broker.uri() +
                   "\",\"device\":\"hh-1\",\"town\":\"120116135\",\"actor\":\"wg0001\",\"data_dir\":\"box\","
                   "\"heartbeat_ms\":1000,\"min_free_bytes\":0}");
  }
  void SetUp() override {
    import_tree();
    const auto member = with_input("correct horse", {"user", "set", "wg0001", "--name", "李明", "--role", "grid_member",
                                                     "--org", "120116135201001"});
    ASSERT_EQ(member.status, 0) << member.output;
    const auto made = device({"init"});
    ASSERT_EQ(made.status, 0) << made.output;
    const auto added =
        run({"device", "add", "hh-1", "--town", "120116135", "--holder", "wg0001", "--key", made.output.substr(0, 64)});
    ASSERT_EQ(added.status, 0) << added.output;
  }

  std::vector<std::string> device_command(std::vector<std::string> words) {
    words.insert(words.begin(), {test::program("device/gridward-device").string(), "--lang", "en", "--config",
                                 (dir / "device.json").string()});
    return words;
  }
  RunResult device(std::vector<std::string> words) { return run_command(device_command(std::move(words))); }
  // A number of `status --json`.
  long long status(const std::string& key) {
    const auto text = device({"status", "--json"}).output;
    const auto at = text.find("\"" + key + "\":");
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + key.size() + 3));
  }
  bool drained() {
    return wait_until([&] { return status("waiting_records") == 0 && status("waiting_media") == 0; }, 30s);
  }
  std::string sql(const std::string& statement) {
    auto text =
        run_command({"sqlite3", "-cmd", ".timeout 10000", (dir / "data/gridward.db").string(), statement}).output;
    if (!text.empty()) text.pop_back();
    return text;
  }

  // The photo of a report, upright only when its EXIF is heard.
  std::string photo(std::uint64_t seed) {
    sim::SceneOptions options;
    options.seed = seed;
    options.width = 640;
    options.height = 480;
    options.exif_orientation = 6;
    const auto bytes = sim::draw_scene(options).value();
    const auto file = (dir / ("photo" + std::to_string(seed) + ".jpg")).string();
    write_file(file, std::string(bytes.begin(), bytes.end()));
    return file;
  }
  void report(const std::string& text, const std::string& with_photo) {
    const auto saved = device({"report", "--category", "env-litter", "--text", text, "--photo", with_photo});
    ASSERT_EQ(saved.status, 0) << saved.output;
  }
  fs::path stored(const std::string& photo_file, const std::string& size) {
    const auto bytes = read_file(photo_file);
    const auto hex = to_hex(platform::sha256(as_bytes(bytes)));
    return dir / "data/photos" / size / hex.substr(0, 2) / (size == "original" ? hex : hex + ".jpg");
  }
  std::unique_ptr<Process> serve(const std::string& log) {
    auto server = std::make_unique<Process>(command({"serve", "--set", "mqtt.uri=" + broker.uri()}), dir / log);
    EXPECT_NE(ready(*server, log), "") << read_file(dir / log);
    return server;
  }

  Mosquitto broker;
};

TEST_F(RestoreTest, WhatTheBackupDoesNotHoldComesFromTheHandheldAgain) {
  const auto first = photo(1);
  const auto second = photo(2);
  auto server = serve("log1");
  Process agent(device_command({"run"}), dir / "agent.log");
  report("第一件", first);
  ASSERT_TRUE(drained()) << read_file(dir / "agent.log");
  const auto saved = run({"backup", (dir / "backups").string()});
  ASSERT_EQ(saved.status, 0) << saved.output;
  const auto folder = saved.output.substr(0, saved.output.find(':'));
  ASSERT_TRUE(wait_until([&] { return status("safe") >= 1; })) << "the next receipt tells what may be forgotten";

  report("第二件", second);
  ASSERT_TRUE(drained()) << read_file(dir / "agent.log");
  ASSERT_EQ(sql("SELECT COUNT(*) FROM cases"), "2");
  ASSERT_TRUE(fs::exists(stored(second, "original")));
  const auto generation = sql("SELECT generation FROM store_generation");

  // The machine dies and its disk with it.
  server->kill(SIGKILL);
  fs::remove_all(dir / "data");
  const auto restored = run({"restore", folder});
  ASSERT_EQ(restored.status, 0) << restored.output;
  ASSERT_EQ(sql("SELECT COUNT(*) FROM cases"), "1");
  ASSERT_NE(sql("SELECT generation FROM store_generation"), generation);

  server = serve("log2");
  ASSERT_TRUE(wait_until([&] { return sql("SELECT COUNT(*) FROM cases") == "2"; }, 30s))
      << read_file(dir / "agent.log") << read_file(dir / "log2");
  ASSERT_TRUE(wait_until([&] { return sql("SELECT COUNT(*) FROM media WHERE status = 3") == "2"; }, 30s))
      << sql("SELECT sha256, status, problem FROM media");
  EXPECT_TRUE(drained());
  for (const auto& file : {first, second}) {
    EXPECT_EQ(read_file(stored(file, "original")), read_file(file));
    EXPECT_TRUE(fs::exists(stored(file, "preview"))) << "made again";
    EXPECT_TRUE(fs::exists(stored(file, "thumb")));
  }
  EXPECT_EQ(sql("SELECT text FROM cases ORDER BY text"), "第一件\n第二件");
  EXPECT_EQ(agent.running(), true) << "nobody touched the handheld";
  server->kill(SIGTERM);
  EXPECT_EQ(run({"audit", "verify"}).output, "ok: 2 cases\n");
  EXPECT_EQ(sql("SELECT COUNT(*) FROM quarantine"), "0");
}

}  // namespace
}  // namespace gridward::test
