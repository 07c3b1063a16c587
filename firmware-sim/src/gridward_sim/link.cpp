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
#include <limits>
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
  std::int64_t last_due = 0;
  bool ended = false;    // no more comes from the source
  bool readable = true;  // the source may have more
  bool blocked = false;  // the target takes no more now
};

struct Connection {
  std::size_t door = 0;
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

struct Entrance {
  Door door;
  Socket listener;
  std::uint16_t port = 0;
  Random random;
  Coverage coverage;
  std::atomic<bool> cut = false;

  explicit Entrance(const Door& given) : door(given), random(given.seed, 2), coverage(given.coverage, given.seed) {}
};

constexpr std::uint64_t kDoorKey = std::uint64_t{1} << 63;

class TcpRelay final : public Relay {
 public:
  explicit TcpRelay(std::int64_t began_ms) : began_(began_ms) {}

  Result<void> listen(const std::vector<Door>& doors) {
    poll_ = Socket(::epoll_create1(EPOLL_CLOEXEC));
    for (const auto& door : doors) {
      auto entrance = std::make_unique<Entrance>(door);
      entrance->listener = new_socket();
      const auto& listener = entrance->listener;
      if (!listener) return fail(ErrorCode::unavailable, "socket", std::strerror(errno));
      const int on = 1;
      ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      auto address = loopback(door.listen);
      socklen_t size = sizeof address;
      if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
          ::listen(listener.get(), doors.size() == 1 ? SOMAXCONN : 16) != 0 ||
          ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return fail(ErrorCode::unavailable, "listen", std::strerror(errno));
      }
      entrance->port = ntohs(address.sin_port);
      watch(listener.get(), kDoorKey | entrances_.size(), EPOLLIN);
      entrances_.push_back(std::move(entrance));
    }
    return {};
  }

  std::uint16_t port(std::size_t door) const override { return entrances_.at(door)->port; }
  void cut(std::size_t door) override { entrances_.at(door)->cut = true; }

  LinkCounts run(const std::atomic<bool>& stop, const std::atomic<bool>& heal) override {
    std::vector<epoll_event> ready(256);
    while (!stop) {
      const int count = ::epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), wait_ms());
      now_ = steady_ms();
      for (int i = 0; i < count; ++i) {
        const auto event = ready[static_cast<std::size_t>(i)];
        if ((event.data.u64 & kDoorKey) != 0) {
          accept_all(event.data.u64 & ~kDoorKey);
        } else {
          note(event.data.u64, event.events);
        }
      }
      if (heal && !healed_) heal_all();
      // With a thousand connections something is ready all the time: once a millisecond is often enough.
      if (now_ == passed_) continue;
      passed_ = now_;
      noted_ = false;
      look_at_doors();
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

  void accept_all(std::size_t door) {
    auto& entrance = *entrances_[door];
    for (;;) {
      Socket client(::accept4(entrance.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client) return;
      const int on = 1;
      ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++counts_.connections;
      LinkFate fate;
      if (!healed_) {
        fate = entrance.door.fate(entrance.random);
        // Without a network the system says so at once, or nobody does.
        if (!entrance.coverage.there() && !fate.silent) {
          client.reset();
          continue;
        }
      }
      auto broker = new_socket();
      const auto address = loopback(entrance.door.to);
      const auto* where = reinterpret_cast<const sockaddr*>(&address);
      if (!broker || (::connect(broker.get(), where, sizeof address) != 0 && errno != EINPROGRESS)) {
        client.reset();
        continue;
      }
      auto connection = std::make_unique<Connection>();
      connection->client = std::move(client);
      connection->broker = std::move(broker);
      connection->began = now_;
      connection->door = door;
      connection->fate = fate;
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

  void take(const Connection& c, const Socket& from, Way& way) {
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
      if (c.fate.jitter_ms > 0) {
        due += static_cast<std::int64_t>(entrances_[c.door]->random.between(0, static_cast<double>(c.fate.jitter_ms)));
        due = std::max(due, way.last_due);
        way.last_due = due;
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
    if (!healed_ && !entrances_[c.door]->coverage.there()) return true;
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

  void look_at_doors() {
    for (std::size_t door = 0; door < entrances_.size(); ++door) {
      auto& entrance = *entrances_[door];
      const bool was_there = entrance.coverage.there();
      entrance.coverage.advance(now_ - began_);
      const bool lost = was_there && !entrance.coverage.there() && !healed_;
      const bool cut = entrance.cut.exchange(false);
      if (!lost && !cut) continue;
      for (auto it = connections_.begin(); it != connections_.end();) {
        auto& c = *it->second;
        if (c.door != door || (!cut && c.fate.silent)) {
          if (c.door == door) ++counts_.silent;
          ++it;
          continue;
        }
        ++counts_.cuts;
        c.client.reset();
        c.broker.reset();
        it = connections_.erase(it);
      }
    }
  }

  void heal_all() {
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
      if (c->dead || (!healed_ && !entrances_[c->door]->coverage.there())) continue;
      for (const auto* way : {&c->up, &c->down}) {
        if (!way->queue.empty() && !way->blocked) {
          wait = std::min(wait, std::max({way->queue.front().due, c->stalled_until, now}) - now);
        }
      }
    }
    return static_cast<int>(wait);
  }

  const std::int64_t began_;
  std::vector<std::unique_ptr<Entrance>> entrances_;
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
  return static_cast<std::int64_t>(random.exponential(mean)) + 1;
}

constexpr auto kNever = std::numeric_limits<std::int64_t>::max() / 4;

// A basement has some bars near the stairs; a tunnel takes everything and gives it back; 2G is slow and stays.
const std::map<std::string, LinkClass>& classes() {
  static const std::map<std::string, LinkClass> all{
      {"good", {.delay_ms = 25, .jitter_ms = 15, .bytes_per_s = 2'500'000}},
      {"2g", {.delay_ms = 350, .jitter_ms = 250, .bytes_per_s = 6'000, .life_s = 300, .silent = 0.3}},
      {"basement",
       {.delay_ms = 120,
        .jitter_ms = 200,
        .bytes_per_s = 20'000,
        .up_min_s = 5,
        .up_max_s = 30,
        .down_min_s = 20,
        .down_max_s = 90,
        .silent = 0.7}},
      {"tunnel",
       {.delay_ms = 40,
        .jitter_ms = 30,
        .bytes_per_s = 1'000'000,
        .up_min_s = 60,
        .up_max_s = 180,
        .down_min_s = 10,
        .down_max_s = 40,
        .silent = 1}},
      {"flapping",
       {.delay_ms = 60,
        .jitter_ms = 60,
        .bytes_per_s = 200'000,
        .up_min_s = 2,
        .up_max_s = 10,
        .down_min_s = 1,
        .down_max_s = 5,
        .silent = 0.3}},
      {"none", {.absent = true}},
  };
  return all;
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

std::optional<LinkClass> link_class(const std::string& name) {
  const auto found = classes().find(name);
  return found == classes().end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> link_class_names() {
  std::vector<std::string> names;
  for (const auto& [name, link] : classes()) names.push_back(name);
  return names;
}

LinkFate draw_fate(Random& random, const LinkClass& link) {
  LinkFate fate;
  fate.delay_ms = static_cast<std::int64_t>(link.delay_ms);
  fate.jitter_ms = static_cast<std::int64_t>(link.jitter_ms);
  fate.bytes_per_s = static_cast<std::int64_t>(std::ceil(link.bytes_per_s));
  if (link.life_s > 0) fate.dies_ms = exponential(random, link.life_s * 1000);
  fate.silent = random.chance(link.silent);
  if (fate.silent) fate.dead_ms = static_cast<std::int64_t>(random.between(2'000, 30'000));
  return fate;
}

Coverage::Coverage(const LinkClass& link, std::uint64_t seed)
    : link_(link), random_(seed, 3), there_(!link.absent), changes_ms_(kNever) {
  // It may begin in the middle of one.
  if (there_ && link_.down_max_s > 0) {
    changes_ms_ =
        static_cast<std::int64_t>(random_.unit() * random_.between(link_.up_min_s, link_.up_max_s) * 1000) + 1;
  }
}

void Coverage::advance(std::int64_t to_ms) {
  while (changes_ms_ <= to_ms) {
    there_ = !there_;
    const double low = there_ ? link_.up_min_s : link_.down_min_s;
    const double high = there_ ? link_.up_max_s : link_.down_max_s;
    changes_ms_ += static_cast<std::int64_t>(random_.between(low, high) * 1000) + 1;
  }
}

Result<std::unique_ptr<Relay>> Relay::open(const std::vector<Door>& doors, std::int64_t began_ms) {
  auto relay = std::make_unique<TcpRelay>(began_ms);
  if (auto listening = relay->listen(doors); !listening) return tl::unexpected(listening.error());
  return relay;
}

Result<LinkCounts> run_link(const LinkOptions& options, const std::atomic<bool>& stop, const std::atomic<bool>& heal) {
  auto relay = Relay::open(
      {{options.listen, options.to, options.seed, [&](Random& random) { return draw_fate(random, options); }, {}}},
      steady_ms());
  if (!relay) return tl::unexpected(relay.error());
  return (*relay)->run(stop, heal);
}

}  // namespace gridward::sim
