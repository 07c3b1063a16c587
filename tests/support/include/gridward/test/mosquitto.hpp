// A real mosquitto on a free loopback port for one test. Header only; needs the programs mosquitto, mosquitto_passwd
// (only with users) and openssl (only with tls).
//
//   test::Mosquitto broker;                                     // anonymous, plain TCP
//   test::Mosquitto broker({.tls = true, .users = {{"hh-1", "secret"}}, .acl = "pattern write gridward/1/up/+/%u\n"});
//   broker.uri();  broker.ca_file();  broker.kill9();  broker.start();   // the same port again
#pragma once

#include <gridward/test/process.hpp>
#include <map>
#include <memory>

namespace gridward::test {

struct MosquittoOptions {
  bool tls = false;                            // a CA and a certificate for localhost and 127.0.0.1 are made
  bool websocket = false;                      // the listener speaks WebSocket instead of MQTT over TCP
  std::map<std::string, std::string> users{};  // empty: anonymous
  std::string acl{};                           // text of the ACL file; empty: no ACL
  std::string extra{};                         // appended to the configuration
  bool persistence = false;                    // keep sessions and retained messages over a restart
};

class Mosquitto {
 public:
  explicit Mosquitto(MosquittoOptions options = {}) : options_(std::move(options)) {
    if (options_.tls) make_certificates();
    if (!options_.users.empty()) make_passwords();
    if (!options_.acl.empty()) write_private(dir_ / "acl", options_.acl);
    // The port was free a moment ago; when somebody was faster the broker ends at once and the next port is tried.
    for (int attempt = 0; attempt < 10; ++attempt) {
      port_ = free_port();
      write_config();
      if (try_start()) return;
    }
    throw std::runtime_error("mosquitto did not start: " + log());
  }

  int port() const { return port_; }
  std::string uri() const {
    const std::string scheme = options_.websocket ? (options_.tls ? "wss" : "ws") : (options_.tls ? "ssl" : "tcp");
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  std::string ca_file() const { return options_.tls ? (dir_ / "ca.crt").string() : std::string(); }
  pid_t pid() const { return process_ ? process_->pid() : -1; }
  std::string log() const { return read_file(dir_ / "log"); }
  // Polls the log (log_type all) for a text, for example a client's id.
  bool wait_log(const std::string& text, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
    return wait_until([&] { return log().find(text) != std::string::npos; }, limit);
  }

  void kill9() { process_.reset(); }
  void stop() {
    if (process_) process_->kill(SIGTERM);
    process_.reset();
  }
  // Again on the same port, after kill9() or stop().
  void start() {
    for (int attempt = 0; attempt < 50; ++attempt) {
      if (try_start()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("mosquitto did not start again: " + log());
  }

 private:
  static void write_private(const std::filesystem::path& path, std::string_view text) {
    write_file(path, text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  void must_run(std::vector<std::string> command) {
    const auto result = run_command(std::move(command));
    if (result.status != 0) throw std::runtime_error("test set-up failed: " + result.output);
  }
  std::string in_dir(const char* name) const { return (dir_ / name).string(); }

  void make_certificates() {
    must_run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
              "30", "-subj", "/CN=Gridward test CA", "-keyout", in_dir("ca.key"), "-out", in_dir("ca.crt")});
    must_run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
              "/CN=localhost", "-keyout", in_dir("server.key"), "-out", in_dir("server.csr")});
    write_file(dir_ / "san", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    must_run({"openssl", "x509", "-req", "-in", in_dir("server.csr"), "-CA", in_dir("ca.crt"), "-CAkey",
              in_dir("ca.key"), "-CAcreateserial", "-days", "30", "-extfile", in_dir("san"), "-out",
              in_dir("server.crt")});
  }
  void make_passwords() {
    std::string lines;
    for (const auto& [user, password] : options_.users) lines += user + ":" + password + "\n";
    write_private(dir_ / "passwords", lines);
    must_run({"mosquitto_passwd", "-U", in_dir("passwords")});
  }
  void write_config() {
    std::string text;
    text += "listener " + std::to_string(port_) + " 127.0.0.1\n";
    if (options_.websocket) text += "protocol websockets\n";
    if (options_.tls) {
      text += "cafile " + in_dir("ca.crt") + "\ncertfile " + in_dir("server.crt") + "\nkeyfile " +
              in_dir("server.key") + "\n";
    }
    text += options_.users.empty() ? std::string("allow_anonymous true\n")
                                   : "allow_anonymous false\npassword_file " + in_dir("passwords") + "\n";
    if (!options_.acl.empty()) text += "acl_file " + in_dir("acl") + "\n";
    // As root mosquitto would change to a user that cannot read the test's private folder.
    if (::geteuid() == 0) text += "user root\n";
    text += options_.persistence ? "persistence true\npersistence_location " + dir_.path().string() + "/\n"
                                 : std::string("persistence false\n");
    text += "set_tcp_nodelay true\nmax_queued_messages 0\nmax_inflight_messages 0\nlog_type all\nlog_dest stderr\n";
    text += options_.extra;
    write_file(dir_ / "mosquitto.conf", text);
  }
  bool try_start() {
    process_ =
        std::make_unique<Process>(std::vector<std::string>{"mosquitto", "-c", in_dir("mosquitto.conf")}, dir_ / "log");
    const bool up = wait_until([&] { return !process_->running() || port_answers(port_); });
    if (up && process_->running() && port_answers(port_)) return true;
    process_.reset();
    return false;
  }

  MosquittoOptions options_;
  TempDir dir_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace gridward::test
