// The server's end of MQTT: messages of the handhelds into app::Ingest, answers back. What it promises and why the
// qualities of service are what they are: docs/adr/0002-receipts-qos.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <gridward/app/ports.hpp>
#include <gridward/app/services.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::mqtt {

struct LinkOptions {
  std::string uri;      // "ssl://host:8883", "tcp://host:1883"
  std::string ca_file;  // PEM; needed for ssl:// unless the system's own CAs will do
  std::string user;
  std::string password;
  std::string client_id = "gridward-server";  // one server process each
  std::vector<std::string> towns;             // whose handhelds this process serves; set_towns() changes it
  // How long the broker keeps our subscriptions and what came in, while this process is away.
  std::chrono::seconds session_expiry{3600};
  std::chrono::seconds keep_alive{30};
  std::size_t media_threads = 2;               // a device always goes to the same one
  std::size_t media_queue = 64;                // messages waiting for each thread; then busy
  std::size_t queue_bytes = 64 * 1024 * 1024;  // of each queue
  std::size_t down_queue = 65'536;
  Millis backoff_first{250};  // doubled each time up to backoff_most, then drawn from 0 to that
  Millis backoff_most{30'000};
  Millis healthy_after{30'000};  // connected this long, the next loss begins with backoff_first again
  // Told of connections made and lost. Any thread; must not throw.
  std::function<void(std::string_view)> log;
  // Told each time the subscriptions stand: what was sent before may be lost. Any thread; must not throw.
  std::function<void()> connected;
};

enum class LinkState { connecting, connected, stopped };
std::string_view to_string(LinkState state);

struct LinkCounters {  // since the start
  std::uint64_t received = 0;
  std::uint64_t dropped_full = 0;  // not taken, answered busy
  std::uint64_t dropped_size = 0;  // over the limit of a packet, not answered
  std::uint64_t sent = 0;
  std::uint64_t dropped_down = 0;  // no connection, or the queue down was full
  std::uint64_t connections = 0;
  std::size_t waiting = 0;  // now, of media
};

// Thread-safe, but for start() and stop(): one thread. Needs nobody's thread: callbacks of the library move messages
// into bounded queues, the store's or ours, and never wait.
class ServerLink : public app::DevicePublisher {
 public:
  // config_invalid: the library cannot read the uri, a town is no town code, the CA cannot be read.
  static Result<std::unique_ptr<ServerLink>> make(LinkOptions options);
  ~ServerLink() override;  // stop()

  // Connects, and connects again whenever the connection is lost, until stop(). ingest must live until stop() returned.
  void start(app::Ingest& ingest);
  // Takes nothing more, finishes what is queued, waits for the commits and sends their answers, then disconnects. The
  // session stays at the broker. What the broker has not taken `limit` after the last commit is dropped: the devices
  // ask again.
  void stop(Millis limit = Millis{5'000});

  // Never blocks. Receipts, media states and busy go with QoS 0, items with QoS 1.
  void send(const std::string& town, const std::string& device, const DownMessage& message) override;

  void set_towns(std::vector<std::string> towns);  // takes effect at once when connected; invalid codes are left out
  LinkState state() const;
  LinkCounters counters() const;

 private:
  class Impl;
  explicit ServerLink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gridward::mqtt
