// A PostgreSQL cluster of its own for a test program: made with initdb in a temporary folder, reached through a Unix
// socket there, stopped when the program ends. Header only; needs Debian's package postgresql (or its programs in
// PATH).
//
//   if (!test::Postgres::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
//   auto url = test::Postgres::shared().new_database();   // "postgresql:///t1?host=/tmp/…&user=gridward"
#pragma once

#include <pwd.h>

#include <algorithm>
#include <gridward/test/process.hpp>
#include <memory>

namespace gridward::test {

class Postgres {
 public:
  static std::string programs() {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
      const auto folder = version.path() / "bin";
      if (std::filesystem::exists(folder / "initdb")) found.push_back(folder.string());
    }
    std::ranges::sort(found);
    return found.empty() ? std::string() : found.back();
  }
  static bool installed() { return !programs().empty(); }

  // One a program; started by who asks first. Ask from the main thread: the cluster ends with the thread that asked.
  static Postgres& shared() {
    static Postgres cluster;
    return cluster;
  }

  Postgres() : programs_(programs()) {
    if (programs_.empty()) throw std::runtime_error("PostgreSQL is not installed");
    if (::geteuid() == 0) {
      // It refuses to run as root.
      const auto* user = ::getpwnam("postgres");
      if (user == nullptr) throw std::runtime_error("no user to run PostgreSQL as");
      if (::chown(dir_.path().c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown failed");
      prefix_ = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig", "INT"};
    }
    // A locale that does not sort by bytes, as a county's database may have one.
    must_run({programs_ + "/initdb", "-D", data(), "-U", "gridward", "-A", "trust", "-E", "UTF8", "--no-sync",
              "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=zh-CN"});
    start();
  }
  ~Postgres() { stop(); }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?host=" + dir_.path().string() + "&user=gridward";
  }
  std::string new_database() {
    const auto name = "t" + std::to_string(++databases_);
    must_run(psql("CREATE DATABASE " + name));
    return url(name);
  }
  // Every connection to every database of tests is cut, as by a restart of the server.
  void cut_connections() {
    must_run(
        psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%' "
             "AND pid <> pg_backend_pid()"));
  }

  void start() {
    auto command = prefix_;
    for (const auto& word :
         {programs_ + "/postgres", std::string("-D"), data(), std::string("-k"), dir_.path().string(),
          std::string("-c"), std::string("listen_addresses="), std::string("-c"), std::string("fsync=off"),
          std::string("-c"), std::string("max_connections=50")}) {
      command.push_back(word);
    }
    process_ = std::make_unique<Process>(std::move(command), dir_ / "log");
    const bool up = wait_until([&] { return !process_->running() || run_command(psql("SELECT 1")).status == 0; },
                               std::chrono::seconds(60));
    if (!up || !process_->running()) throw std::runtime_error("PostgreSQL did not start: " + read_file(dir_ / "log"));
  }
  void stop() {
    // Immediate: it is thrown away, and a fast stop would wait for a client that hangs.
    if (process_) process_->kill(SIGQUIT);
    process_.reset();
  }

 private:
  std::string data() const { return (dir_ / "data").string(); }
  std::vector<std::string> psql(const std::string& sql) const {
    return {programs_ + "/psql", "-h", dir_.path().string(), "-U", "gridward", "-d", "postgres", "-q", "-X", "-c", sql};
  }
  void must_run(std::vector<std::string> command) {
    if (command.front().ends_with("/initdb")) command.insert(command.begin(), prefix_.begin(), prefix_.end());
    const auto result = run_command(std::move(command));
    if (result.status != 0) throw std::runtime_error("PostgreSQL: " + result.output);
  }

  std::string programs_;
  std::vector<std::string> prefix_;
  TempDir dir_;
  int databases_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace gridward::test
