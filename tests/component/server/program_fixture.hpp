// The program with a small organisation to import, and its commands.
#pragma once

#include <gtest/gtest.h>

#include <gridward/test/mosquitto.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>

namespace gridward::test {

using namespace std::chrono_literals;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    write_file(dir / "orgs.csv",
               "code,parent,kind,name\n"
               "120116,,district,滨海新区\n120116135,120116,town,杨家泊镇\n120116135201,120116135,village,一村\n"
               "120116135201001,120116135201,grid,第一网格\n");
    write_file(dir / "server.json",
               "{\"data_dir\": \"data\", \"http.port\": 0, \"mqtt.uri\": \"\", \"policy.file\": \"" +
                   source_dir().string() + "/server/profiles/binhai.json\"}");
  }

  std::vector<std::string> command(std::vector<std::string> words, bool configured = true) {
    words.insert(words.begin(), program("server/main/gridward-server").string());
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

}  // namespace gridward::test
