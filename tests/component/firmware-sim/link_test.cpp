// The bad network: bytes come as they went, until it dies; dead connections say nothing; healed it is a plain wire.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <nlohmann/json.hpp>

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// Sends back what it gets, a thread for each connection.
class Echo {
 public:
  Echo() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(free_port()) {
    const auto address = loopback(port_);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd_, 64) != 0) {
      throw std::runtime_error("echo");
    }
    thread_ = std::thread([this] {
      for (int peer = -1; (peer = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        peers_.push_back(std::async(std::launch::async, [peer] {
          char buffer[4096];
          ssize_t got = 0;
          while ((got = ::recv(peer, buffer, sizeof buffer, 0)) > 0) {
            if (::send(peer, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
          }
          ::close(peer);
        }));
      }
    });
  }
  ~Echo() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  int port() const { return port_; }

 private:
  int fd_;
  int port_;
  std::thread thread_;
  std::vector<std::future<void>> peers_;
};

enum class End { all, closed, silence };

struct Talk {
  std::string got;
  End end = End::all;
};

// Sends everything and reads until all of it came back, the other side closed, or nothing came for `patience`.
Talk talk(int port, const std::string& text, std::chrono::milliseconds patience) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  Talk result;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    result.end = End::closed;
    return result;
  }
  const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  std::size_t sent = 0;
  while (result.got.size() < text.size()) {
    if (sent < text.size()) {
      const auto put = ::send(fd, text.data() + sent, std::min<std::size_t>(text.size() - sent, 2000), MSG_NOSIGNAL);
      if (put > 0) sent += static_cast<std::size_t>(put);
    }
    char buffer[4096];
    const auto got = ::recv(fd, buffer, sizeof buffer, sent < text.size() ? MSG_DONTWAIT : 0);
    if (got > 0) {
      result.got.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0 || errno == ECONNRESET || errno == EPIPE) {
      result.end = End::closed;
      break;
    } else if (sent == text.size()) {
      result.end = End::silence;
      break;
    }
  }
  ::close(fd);
  return result;
}

std::string text_of(std::size_t size) {
  std::string text(size, 0);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761U) >> 13);
  return text;
}

class LinkRun : public ::testing::Test {
 protected:
  void start(std::vector<std::string> more) {
    std::vector<std::string> words{program("firmware-sim/gridward-sim").string(),
                                   "link",
                                   "--listen",
                                   std::to_string(port_),
                                   "--to",
                                   std::to_string(echo_.port())};
    words.insert(words.end(), more.begin(), more.end());
    link_ = std::make_unique<Process>(words, dir_ / "link.log");
    ASSERT_TRUE(wait_until([&] { return port_answers(port_); }));
  }
  nlohmann::json stop() {
    EXPECT_EQ(link_->kill(SIGTERM), 0);
    return nlohmann::json::parse(read_file(dir_ / "link.log"), nullptr, false);
  }
  TempDir dir_;
  Echo echo_;
  int port_ = free_port();
  std::unique_ptr<Process> link_;
};

TEST_F(LinkRun, WhatComesIsWhatWentUntilItDies) {
  start({"--life", "0.2", "--delay", "50", "--seed", "3"});
  const auto text = text_of(400'000);
  std::vector<std::future<Talk>> talks;
  for (int i = 0; i < 24; ++i) {
    talks.push_back(std::async(std::launch::async, [&] { return talk(port_, text, 1s); }));
  }
  std::map<End, int> ends;
  int halves = 0;
  for (auto& one : talks) {
    const auto result = one.get();
    ++ends[result.end];
    EXPECT_TRUE(text.starts_with(result.got));
    if (!result.got.empty() && result.got.size() < text.size()) ++halves;
  }
  EXPECT_GT(ends[End::closed], 1);
  EXPECT_GT(ends[End::silence], 1);
  EXPECT_GT(halves, 1);  // cut inside
  const auto counts = stop();
  EXPECT_GE(counts["connections"], 24);
  EXPECT_GE(counts["cuts"], ends[End::closed]);
  EXPECT_GT(counts["silent"], 0);
}

TEST_F(LinkRun, HealedItIsAPlainWire) {
  start({"--life", "0.05", "--delay", "500", "--seed", "4"});
  std::vector<std::future<Talk>> dead;
  for (int i = 0; i < 12; ++i) {
    dead.push_back(std::async(std::launch::async, [&] { return talk(port_, text_of(1'000'000), 20s); }));
  }
  std::this_thread::sleep_for(500ms);  // by now all of them are dead
  link_->signal(SIGUSR1);
  for (auto& one : dead) EXPECT_NE(one.get().end, End::silence);  // not left hanging
  const auto text = text_of(5'000'000);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(talk(port_, text, 5s).got, text);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_GE(stop()["bytes"], 30'000'000);
}

TEST_F(LinkRun, ABrokerThatIsNotThereIsAClosedConnection) {
  link_ = std::make_unique<Process>(
      std::vector<std::string>{program("firmware-sim/gridward-sim").string(), "link", "--listen", std::to_string(port_),
                               "--to", std::to_string(free_port())},
      dir_ / "link.log");
  ASSERT_TRUE(wait_until([&] { return port_answers(port_); }));
  EXPECT_EQ(talk(port_, "hello", 5s).end, End::closed);
}

TEST(LinkUsage, Ports) {
  const auto sim = program("firmware-sim/gridward-sim").string();
  EXPECT_EQ(run_command({sim, "link", "--listen", "1"}).status, 2);
  EXPECT_EQ(run_command({sim, "link", "--listen", "70000", "--to", "1"}).status, 2);
  EXPECT_EQ(run_command({sim, "link", "--listen", "1000", "--to", "1", "--life", "0"}).status, 2);
}

}  // namespace
}  // namespace gridward::test
