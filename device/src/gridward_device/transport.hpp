// MQTT 5 through Paho. Paho's threads only put events into a queue and call `wake`; the agent's thread takes them out.
// Everything else belongs to the agent's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/topics.hpp>
#include <memory>
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
  enum class Kind { connected, connect_failed, disconnected, message, publish_refused };
  Kind kind = Kind::disconnected;
  std::string text;         // why
  Bytes payload;            // message
  std::uint64_t token = 0;  // publish_refused
  int reason = 0;           // MQTT 5 reason code
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual void connect() = 0;
  virtual void disconnect() = 0;  // waits at most half a second for what is on the way out
  // False: there is no connection; an event says so or has said so.
  virtual bool publish(TopicKind kind, const Bytes& payload, std::uint64_t token) = 0;
  virtual std::vector<TransportEvent> take_events() = 0;
};

// unavailable: the library refuses (a broker URI it cannot read, for example).
Result<std::unique_ptr<Transport>> make_mqtt_transport(const TransportConfig& config, std::function<void()> wake);

}  // namespace gridward::device
