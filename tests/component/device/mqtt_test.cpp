// The library's own transport against a real broker: opened, connected and closed at any moment.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "device_fixture.hpp"

namespace gridward::device {
namespace {

using namespace std::chrono_literals;

// Answers nothing, so that an attempt to connect stays under way.
class SilentBroker {
 public:
  SilentBroker() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening_, general, size) != 0 || ::listen(listening_, 1) != 0) throw std::runtime_error("no port");
    ::getsockname(listening_, general, &size);
    uri_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentBroker() {
    ::close(peer_);
    ::close(listening_);
  }
  SilentBroker(const SilentBroker&) = delete;
  SilentBroker& operator=(const SilentBroker&) = delete;

  const std::string& uri() const { return uri_; }
  // Until somebody has connected and sent the first bytes.
  void hear() {
    peer_ = ::accept(listening_, nullptr, nullptr);
    std::array<char, 512> bytes{};
    ASSERT_GT(::recv(peer_, bytes.data(), bytes.size(), 0), 0);
  }
  bool hung_up_within(std::chrono::milliseconds time) const {
    pollfd wanted{peer_, POLLIN, 0};
    char byte = 0;
    return ::poll(&wanted, 1, static_cast<int>(time.count())) > 0 && ::recv(peer_, &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  int listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
  int peer_ = -1;
  std::string uri_;
};

// Paho's receiving thread may be at it: the attempt ends by itself, and only then is the client destroyed.
TEST(MqttTransport, AnAttemptUnderWayIsNotDestroyed) {
  SilentBroker broker;
  const gw_transport* port = gw_device_mqtt_transport();
  gw_link link{sizeof link, nullptr, [](void*, const gw_link_event*) {}};
  gw_config config{};
  config.struct_size = sizeof config;
  config.broker = broker.uri().c_str();
  config.device = test::kDevice;
  config.town = test::kTown;
  void* connection = nullptr;
  ASSERT_EQ(port->open(port->user, &config, &link, &connection), GW_OK);
  port->connect(connection);
  ASSERT_NO_FATAL_FAILURE(broker.hear());
  port->close(connection);
  EXPECT_FALSE(broker.hung_up_within(1s));
}

// What a host may do with a connection: also close it in the middle of the TLS handshake, or with answers on the way.
// Paho's receiving thread is one for the whole process; it must not find a client that is gone.
TEST(MqttTransport, MayBeClosedAtAnyMoment) {
  constexpr unsigned kHosts = 4;
  auto options = test::broker_options();
  for (unsigned n = 0; n < kHosts; ++n) options.users["host-" + std::to_string(n)] = "device-secret";
  const test::Mosquitto broker(options);
  const std::string uri = broker.uri();
  const std::string ca = broker.ca_file();
  const gw_transport* port = gw_device_mqtt_transport();
  std::atomic<int> told_late{0};
  std::atomic<int> connected{0};

  std::vector<std::thread> hosts;
  for (unsigned n = 0; n < kHosts; ++n) {
    hosts.emplace_back([&, n] {
      std::mt19937 random(n);
      const std::string name = "host-" + std::to_string(n);
      struct Ear {
        std::atomic<bool> closed{false};
        std::atomic<bool> is_connected{false};
        std::atomic<int>* late;
        std::atomic<int>* connected;
      };
      const std::vector<std::uint8_t> data(20'000, 7);
      for (int round = 0; round < 8; ++round) {
        Ear ear;
        ear.late = &told_late;
        ear.connected = &connected;
        gw_link link{sizeof link, &ear, [](void* user, const gw_link_event* event) {
                       auto& self = *static_cast<Ear*>(user);
                       if (self.closed) ++*self.late;
                       if (event->kind != GW_LINK_CONNECTED) return;
                       self.is_connected = true;
                       ++*self.connected;
                     }};
        gw_config config{};
        config.struct_size = sizeof config;
        config.broker = uri.c_str();
        config.ca_file = ca.c_str();
        config.device = name.c_str();
        config.town = test::kTown;
        config.user = name.c_str();
        config.password = "device-secret";
        config.keepalive_s = 20;
        void* connection = nullptr;
        ASSERT_EQ(port->open(port->user, &config, &link, &connection), GW_OK);
        port->connect(connection);
        if (round % 4 == 0) {
          for (int i = 0; i < 20'000 && !ear.is_connected; ++i) std::this_thread::sleep_for(1ms);
        } else {
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
        }
        for (int i = 0; i < 20; ++i) port->publish(connection, GW_TOPIC_UP, data.data(), data.size(), 1);
        port->close(connection);
        ear.closed = true;
      }
    });
  }
  for (auto& host : hosts) host.join();
  EXPECT_EQ(told_late, 0);
  EXPECT_GE(connected, static_cast<int>(kHosts) * 8 / 4) << "a test that never connects shows nothing";
}

}  // namespace
}  // namespace gridward::device
