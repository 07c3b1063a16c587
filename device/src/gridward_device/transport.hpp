// The agent's side of a gw_transport: any thread puts events into a queue and calls `wake`; the agent's thread takes
// them out. Everything else belongs to the agent's thread.
#pragma once

#include <gridward/device.h>

#include <cstdint>
#include <functional>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/topics.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gridward::device {

struct TransportConfig {
  std::string broker;  // "ssl://host:port" or "tcp://host:port"
  std::string ca_file;
  std::string device;
  std::string town;
  std::string user;
  std::string password;
  int keepalive_s = 60;
};

struct TransportEvent {
  gw_link_event_kind kind = GW_LINK_DISCONNECTED;
  std::string text;         // why
  Bytes payload;            // message
  std::uint64_t token = 0;  // publish_refused
  int reason = 0;           // MQTT 5 reason code
};

class Transport {
 public:
  // The code with which the transport does not open.
  static Result<std::unique_ptr<Transport>> open(const gw_transport& transport, const TransportConfig& config,
                                                 std::function<void()> wake);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  void connect();
  void disconnect();  // waits at most half a second for what is on the way out
  // What is not taken has no answer, and is sent again after the time for one.
  void publish(TopicKind kind, const Bytes& payload, std::uint64_t token);
  std::vector<TransportEvent> take_events();

 private:
  Transport(const gw_transport& transport, std::function<void()> wake);
  void told(const gw_link_event& event) noexcept;
  bool take(const gw_link_event& event);  // false: nothing for the agent

  gw_transport port_;
  gw_link link_{};
  void* connection_ = nullptr;
  std::function<void()> wake_;
  std::mutex mutex_;
  bool live_ = false;
  bool lost_ = false;  // an event, for want of memory
  std::vector<TransportEvent> events_;
};

}  // namespace gridward::device
