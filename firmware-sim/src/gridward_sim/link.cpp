#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <deque>
#include <gridward_sim/handheld.hpp>
#include <gridward_sim/link.hpp>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace gridward::sim {
namespace {

constexpr std::size_t kChunk = 16 * 1024;
constexpr std::size_t kMostQueued = 256 * 1024;  // then nothing is read, as with a full socket buffer
constexpr std::int64_t kLookMs = 50;             // to hear of stop and heal

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // Its end shows as a reset on the other side, as when the radio is gone.
  void reset() {
    const linger at_once{1, 0};
    if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  int fd_ = -1;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

Socket new_socket() {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (socket) ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

struct Piece {
  std::int64_t due = 0;
  std::string bytes;
};

// One direction of a connection.
struct Way {
  std::deque<Piece> queue;
  std::size_t queued = 0;
  std::int64_t free_at = 0;  // the throttled line is busy until then
  bool ended = false;        // no more comes from the source
  bool readable = true;      // the source may have more
  bool blocked = false;      // the target takes no more now
};

struct Connection {
  Socket client;
  Socket broker;
  LinkFate fate;
  std::int64_t began = 0;
  std::int64_t stalled_until = 0;
  std::int64_t next_stall = 0;
  bool dead = false;  // silent: forwards nothing any more
  Way up;
  Way down;
};

class Link {
 public:
  Link(const LinkOptions& options, const std::atomic<bool>& stop, const std::atomic<bool>& heal)
      : options_(options), stop_(stop), heal_(heal), random_(options.seed) {}

  Result<LinkCounts> run() {
    listener_ = new_socket();
    if (!listener_) return fail(ErrorCode::unavailable, "socket", std::strerror(errno));
    const int on = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(options_.listen);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), SOMAXCONN) != 0) {
      return fail(ErrorCode::unavailable, "listen", std::strerror(errno));
    }
    poll_ = Socket(::epoll_create1(EPOLL_CLOEXEC));
    watch(listener_.get(), 0, EPOLLIN);
    std::vector<epoll_event> ready(256);
    while (!stop_) {
      const int count = ::epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), wait_ms());
      now_ = steady_ms();
      for (int i = 0; i < count; ++i) {
        const auto event = ready[static_cast<std::size_t>(i)];
        if (event.data.u64 == 0) {
          accept_all();
        } else {
          note(event.data.u64, event.events);
        }
      }
      if (heal_ && !healed_) heal();
      // With a thousand connections something is ready all the time: once a millisecond is often enough.
      if (now_ == passed_) continue;
      passed_ = now_;
      noted_ = false;
      for (auto it = connections_.begin(); it != connections_.end();) {
        if (go_on(*it->second)) {
          ++it;
        } else {
          it = connections_.erase(it);
        }
      }
    }
    return counts_;
  }

 private:
  void watch(int fd, std::uint64_t key, std::uint32_t events) const {
    epoll_event interest{};
    interest.events = events;
    interest.data.u64 = key;
    ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &interest);
  }

  void accept_all() {
    for (;;) {
      Socket client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client) return;
      const int on = 1;
      ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++counts_.connections;
      auto broker = new_socket();
      const auto address = loopback(options_.to);
      const auto* where = reinterpret_cast<const sockaddr*>(&address);
      if (!broker || (::connect(broker.get(), where, sizeof address) != 0 && errno != EINPROGRESS)) {
        client.reset();
        continue;
      }
      auto connection = std::make_unique<Connection>();
      connection->client = std::move(client);
      connection->broker = std::move(broker);
      connection->began = now_;
      if (!healed_) connection->fate = draw_fate(random_, options_);
      connection->next_stall = now_ + connection->fate.stall_every_ms;
      const auto key = next_key_ += 2;
      watch(connection->client.get(), key, EPOLLIN | EPOLLOUT | EPOLLET);
      watch(connection->broker.get(), key + 1, EPOLLIN | EPOLLOUT | EPOLLET);
      connections_.emplace(key, std::move(connection));
      noted_ = true;
    }
  }

  // Edge triggered: what cannot be done now (a queue is full, a stall) is done by go_on() later.
  void note(std::uint64_t key, std::uint32_t events) {
    const auto found = connections_.find(key & ~std::uint64_t{1});
    if (found == connections_.end()) return;
    auto& c = *found->second;
    const bool of_client = (key & 1) == 0;
    auto& from = of_client ? c.up : c.down;
    auto& to = of_client ? c.down : c.up;
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) from.readable = true;
    if ((events & EPOLLOUT) != 0) to.blocked = false;
    noted_ = true;
  }

  void take(const Connection& c, const Socket& from, Way& way) const {
    std::array<char, kChunk> buffer;
    while (way.readable && !way.ended && way.queued < kMostQueued) {
      const auto got = ::recv(from.get(), buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) {
        way.readable = false;
        return;
      }
      if (got <= 0) {
        way.ended = true;
        return;
      }
      auto due = now_ + c.fate.delay_ms;
      if (c.fate.bytes_per_s > 0) {
        way.free_at = std::max(way.free_at, now_) + got * 1000 / c.fate.bytes_per_s;
        due = way.free_at + c.fate.delay_ms;
      }
      way.queue.push_back({due, std::string(buffer.data(), static_cast<std::size_t>(got))});
      way.queued += static_cast<std::size_t>(got);
    }
  }

  // `most`: of bytes, to stop inside a message.
  void give(Way& way, const Socket& to, std::size_t most = SIZE_MAX) {
    while (!way.blocked && !way.queue.empty() && way.queue.front().due <= now_ && most > 0) {
      auto& piece = way.queue.front();
      const auto put = ::send(to.get(), piece.bytes.data(), std::min(piece.bytes.size(), most), MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        // Not connected yet, or full: an event comes. Gone: reading sees it.
        way.blocked = true;
        return;
      }
      counts_.bytes += static_cast<std::uint64_t>(put);
      most -= static_cast<std::size_t>(put);
      way.queued -= static_cast<std::size_t>(put);
      piece.bytes.erase(0, static_cast<std::size_t>(put));
      if (piece.bytes.empty()) way.queue.pop_front();
    }
  }

  // False: it is over.
  bool go_on(Connection& c) {
    if (c.dead) return now_ < c.began + c.fate.dies_ms + c.fate.dead_ms;
    if (now_ < c.stalled_until) return true;
    take(c, c.client, c.up);
    take(c, c.broker, c.down);
    if (c.fate.dies_ms > 0 && now_ >= c.began + c.fate.dies_ms) return die(c);
    if (c.fate.stall_ms > 0 && now_ >= c.next_stall) {
      ++counts_.stalls;
      c.stalled_until = now_ + c.fate.stall_ms;
      c.next_stall = c.stalled_until + c.fate.stall_every_ms;
      return true;
    }
    give(c.up, c.broker);
    give(c.down, c.client);
    // An end is passed on when all before it has been.
    return !(c.up.ended && c.up.queue.empty()) && !(c.down.ended && c.down.queue.empty());
  }

  bool die(Connection& c) {
    if (c.fate.silent) {
      ++counts_.silent;
      c.dead = true;
      return true;
    }
    ++counts_.cuts;
    // Half of what waits still arrives, so that a message ends in its middle.
    give(c.up, c.broker, c.up.queued / 2);
    give(c.down, c.client, c.down.queued / 2);
    c.client.reset();
    c.broker.reset();
    return false;
  }

  void heal() {
    healed_ = true;
    for (auto it = connections_.begin(); it != connections_.end();) {
      auto& c = *it->second;
      c.fate = {};
      c.stalled_until = 0;
      if (c.dead) {
        it = connections_.erase(it);
      } else {
        ++it;
      }
    }
  }

  int wait_ms() const {
    std::int64_t wait = kLookMs;
    const auto now = steady_ms();
    if (noted_) return now == passed_ ? 1 : 0;
    for (const auto& [key, c] : connections_) {
      if (c->dead) continue;
      for (const auto* way : {&c->up, &c->down}) {
        if (!way->queue.empty() && !way->blocked) {
          wait = std::min(wait, std::max({way->queue.front().due, c->stalled_until, now}) - now);
        }
      }
    }
    return static_cast<int>(wait);
  }

  const LinkOptions& options_;
  const std::atomic<bool>& stop_;
  const std::atomic<bool>& heal_;
  Random random_;
  Socket listener_;
  Socket poll_;
  bool healed_ = false;
  std::int64_t now_ = steady_ms();
  std::int64_t passed_ = 0;  // when all connections were last looked at
  bool noted_ = false;       // something is ready since
  std::uint64_t next_key_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  LinkCounts counts_;
};

std::int64_t exponential(Random& random, double mean) {
  return static_cast<std::int64_t>(-mean * std::log(1 - random.unit())) + 1;
}

}  // namespace

LinkFate draw_fate(Random& random, const LinkOptions& options) {
  LinkFate fate;
  // A third of the field has a good line, and loses it all the same.
  if (random.chance(0.67)) fate.delay_ms = static_cast<std::int64_t>(random.between(0, options.delay_ms));
  if (random.chance(0.25)) fate.bytes_per_s = static_cast<std::int64_t>(random.between(20'000, 200'000));
  if (random.chance(0.5)) {
    fate.stall_every_ms = static_cast<std::int64_t>(random.between(1'000, 10'000));
    fate.stall_ms = static_cast<std::int64_t>(random.between(100, 3'000));
  }
  fate.dies_ms = exponential(random, options.life_s * 1000);
  fate.silent = random.chance(0.4);
  if (fate.silent) fate.dead_ms = static_cast<std::int64_t>(random.between(2'000, 30'000));
  return fate;
}

Result<LinkCounts> run_link(const LinkOptions& options, const std::atomic<bool>& stop, const std::atomic<bool>& heal) {
  return Link(options, stop, heal).run();
}

}  // namespace gridward::sim
