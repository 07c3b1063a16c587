// MQTT 5 through Paho, as the library's own gw_transport.
#include <gridward/device.h>
#include <mqtt/async_client.h>

#include <atomic>
#include <chrono>
#include <gridward/shared/topics.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace gridward::device {
namespace {

// What Paho's threads tell, until the connection is closed.
class Teller {
 public:
  explicit Teller(const gw_link& link) : link_(&link) {}

  void begin() {
    const std::lock_guard lock(mutex_);
    live_ = true;
  }
  // After this nothing is told, whatever Paho's threads are still at.
  void close() {
    const std::lock_guard lock(mutex_);
    link_ = nullptr;
  }
  // text() makes the text. Without memory for it, the rest is told all the same.
  template <class Text>
  void tell(gw_link_event_kind kind, int reason, Text text) noexcept {
    std::string why;
    try {
      why = text();
    } catch (...) {
      why.clear();
    }
    gw_link_event event{};
    event.kind = kind;
    event.text = why.c_str();
    event.reason = reason;
    tell(event);
  }
  void message(const mqtt::binary& payload) noexcept {
    gw_link_event event{};
    event.kind = GW_LINK_MESSAGE;
    event.data = reinterpret_cast<const std::uint8_t*>(payload.data());
    event.size = payload.size();
    tell(event);
  }
  void refused(std::uint64_t token, int reason) noexcept {
    gw_link_event event{};
    event.kind = GW_LINK_PUBLISH_REFUSED;
    event.token = token;
    event.reason = reason;
    tell(event);
  }

 private:
  void tell(gw_link_event& event) {
    event.struct_size = sizeof event;
    const std::lock_guard lock(mutex_);
    if (event.kind == GW_LINK_CONNECT_FAILED || event.kind == GW_LINK_DISCONNECTED) {
      if (!live_) return;  // Paho tells an end in several ways
      live_ = false;
    }
    if (event.kind == GW_LINK_CONNECTED) live_ = true;  // a late end of the connection before may have been told
    if (link_ != nullptr) link_->event(link_->user, &event);
  }

  std::mutex mutex_;
  const gw_link* link_;
  bool live_ = false;
};

std::string text(const char* value) { return value != nullptr ? std::string(value) : std::string(); }

class Connection {
 public:
  Connection(const gw_config& config, const gw_link& link)
      : teller_(std::make_shared<Teller>(link)),
        up_(topic(TopicKind::up, config)),
        media_(topic(TopicKind::media, config)),
        down_(topic(TopicKind::down, config)),
        connecting_(*this),
        subscribing_(*this),
        publishing_(*this),
        client_(text(config.broker), text(config.device), create_options(), nullptr) {
    connect_options_.set_mqtt_version(MQTTVERSION_5);
    connect_options_.set_clean_start(true);
    connect_options_.set_automatic_reconnect(false);
    connect_options_.set_keep_alive_interval(config.keepalive_s);
    connect_options_.set_connect_timeout(20);
    // The agent's window is smaller; Paho's must not be what holds a message back.
    connect_options_.set_max_inflight(1000);
    if (const auto user = text(config.user); !user.empty()) connect_options_.set_user_name(user);
    if (const auto password = text(config.password); !password.empty()) {
      connect_options_.set_password(mqtt::binary_ref(password));
    }
    const auto broker = text(config.broker);
    if (broker.starts_with("ssl://") || broker.starts_with("wss://")) {
      mqtt::ssl_options tls;
      if (const auto ca = text(config.ca_file); !ca.empty()) tls.set_trust_store(ca);
      tls.set_enable_server_cert_auth(true);
      tls.set_verify(true);
      tls.set_ssl_version(MQTT_SSL_VERSION_TLS_1_2);  // the least; 1.3 is negotiated
      connect_options_.set_ssl(std::move(tls));
    }

    client_.set_message_callback([teller = teller_](const mqtt::const_message_ptr& message) {
      if (message) teller->message(message->get_payload());  // Paho calls without one when the connection ends
    });
    client_.set_connection_lost_handler([teller = teller_](const std::string& cause) {
      teller->tell(GW_LINK_DISCONNECTED, 0, [&] { return cause.empty() ? "connection lost" : cause; });
    });
    client_.set_disconnected_handler([teller = teller_](const mqtt::properties&, mqtt::ReasonCode reason) {
      teller->tell(GW_LINK_DISCONNECTED, static_cast<int>(reason), [] { return "the broker ended the connection"; });
    });
  }

  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void connect() {
    disconnect();  // a connection whose subscription was refused is still there
    teller_->begin();
    ++attempts_;
    try {
      client_.connect(connect_options_, nullptr, connecting_);
    } catch (const mqtt::exception& error) {
      --attempts_;
      teller_->tell(GW_LINK_CONNECT_FAILED, error.get_reason_code(), [&] { return error.to_string(); });
    } catch (...) {
      --attempts_;
      teller_->tell(GW_LINK_CONNECT_FAILED, 0, [] { return "out of memory"; });
    }
  }

  void disconnect() {
    try {
      if (client_.is_connected()) client_.disconnect(500)->wait_for(std::chrono::milliseconds(1'000));
    } catch (...) {
      // It is gone already.
    }
  }

  // Its owner is gone: nothing is told any more.
  void retire() {
    disconnect();
    teller_->close();
    retired_ = true;
  }
  // Nothing of Paho is under way for it; tries to end what is. patient: an attempt to connect may still be answered.
  bool quiet(bool patient) {
    if (patient && attempts_ > 0) return false;
    try {
      if (!client_.is_connected()) return true;
      client_.disconnect(0);
    } catch (...) {
      // Asked again later.
    }
    return false;
  }

  gw_status publish(bool media, const std::uint8_t* data, std::size_t size, std::uint64_t token) {
    try {
      client_.publish(media ? media_ : up_, data, size, 1, false,
                      reinterpret_cast<void*>(static_cast<std::uintptr_t>(token)), publishing_);
      return GW_OK;
    } catch (...) {
      return GW_E_UNAVAILABLE;  // the end of the connection has its own event
    }
  }

 private:
  static std::string topic(TopicKind kind, const gw_config& config) {
    return to_string(Topic{kind, text(config.town), text(config.device)});
  }

  static mqtt::create_options create_options() {
    mqtt::create_options options(MQTTVERSION_5);
    options.set_send_while_disconnected(false);
    return options;
  }

  static std::string reason_text(const mqtt::token& token) {
    const int reason = static_cast<int>(token.get_reason_code());
    if (reason >= 0x80) return mqtt::exception::reason_code_str(reason);
    // Paho: -1 is every kind of "no connection": refused, unreachable, a certificate that does not hold.
    const int code = token.get_return_code();
    return code == -1 ? "no connection" : "code " + std::to_string(code);
  }

  struct Connecting final : mqtt::iaction_listener {
    explicit Connecting(Connection& connection) : connection_(connection) {}
    void on_success(const mqtt::token&) override {
      --connection_.attempts_;
      if (connection_.retired_) return;  // quiet() ends it
      try {
        connection_.client_.subscribe(connection_.down_, 1, nullptr, connection_.subscribing_);
      } catch (const std::exception& error) {
        connection_.teller_->tell(GW_LINK_DISCONNECTED, 0, [&] { return error.what(); });
      }
    }
    void on_failure(const mqtt::token& token) override {
      --connection_.attempts_;
      connection_.teller_->tell(GW_LINK_CONNECT_FAILED, static_cast<int>(token.get_reason_code()),
                                [&] { return reason_text(token); });
    }
    Connection& connection_;
  };
  struct Subscribing final : mqtt::iaction_listener {
    explicit Subscribing(Connection& connection) : connection_(connection) {}
    void on_success(const mqtt::token&) override {
      connection_.teller_->tell(GW_LINK_CONNECTED, 0, [] { return ""; });
    }
    void on_failure(const mqtt::token& token) override {
      connection_.teller_->tell(GW_LINK_DISCONNECTED, static_cast<int>(token.get_reason_code()),
                                [&] { return "not allowed to subscribe: " + reason_text(token); });
    }
    Connection& connection_;
  };
  struct Publishing final : mqtt::iaction_listener {
    explicit Publishing(Connection& connection) : connection_(connection) {}
    void on_success(const mqtt::token&) override {}
    void on_failure(const mqtt::token& token) override {
      const int reason = static_cast<int>(token.get_reason_code());
      // Without a reason code it is the end of the connection, which has its own event.
      if (reason < 0x80) return;
      connection_.teller_->refused(
          static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(token.get_user_context())), reason);
    }
    Connection& connection_;
  };

  std::shared_ptr<Teller> teller_;  // shared with Paho's threads
  std::atomic<int> attempts_{0};    // to connect, not answered yet
  std::atomic<bool> retired_{false};
  std::string up_;
  std::string media_;
  std::string down_;
  Connecting connecting_;
  Subscribing subscribing_;
  Publishing publishing_;
  mqtt::connect_options connect_options_;
  mqtt::async_client client_;  // last: it ends first, and with it the callbacks into the others
};

// Connections whose owner is gone. A process with 250 handhelds ended once inside Paho's receiving thread, which walked
// a client's list that was not there any more; destroying a client with something under way is known to do that
// (paho.mqtt.c issue 1669: "make sure the client is fully disconnected before"). One is therefore kept until nothing is
// under way for it, and then for longer than that thread stays in one pass.
class Retired {
 public:
  void add(Connection* connection) noexcept {
    connection->retire();
    try {
      const std::lock_guard lock(mutex_);
      sweep();
      list_.reserve(list_.size() + 1);
      list_.push_back({std::unique_ptr<Connection>(connection), Steady::now(), std::nullopt});
    } catch (...) {
      // No memory for a place in the list: then it stays for good, rather than go too early.
    }
  }
  void sweep_now() {
    const std::lock_guard lock(mutex_);
    sweep();
  }

 private:
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kOnePass{5};   // Paho's own is one second
  static constexpr std::chrono::seconds kAttempt{60};  // Paho gives one up after 20
  struct Entry {
    std::unique_ptr<Connection> connection;
    Steady::time_point since;
    std::optional<Steady::time_point> quiet_since;
  };

  void sweep() {
    const auto now = Steady::now();
    std::erase_if(list_, [&](Entry& entry) {
      if (!entry.connection->quiet(now - entry.since < kAttempt)) {
        entry.quiet_since.reset();
        return false;
      }
      if (!entry.quiet_since) entry.quiet_since = now;
      return now - *entry.quiet_since >= kOnePass;
    });
  }

  std::mutex mutex_;
  std::vector<Entry> list_;
};

// Never destroyed: at the end of a process Paho's threads are still there.
Retired& retired() {
  static auto* const list = new Retired;
  return *list;
}

Connection& of(void* connection) { return *static_cast<Connection*>(connection); }

gw_status open_mqtt(void*, const gw_config* config, const gw_link* link, void** connection) {
  try {
    retired().sweep_now();
    *connection = new Connection(*config, *link);
    return GW_OK;
  } catch (...) {
    return GW_E_UNAVAILABLE;  // a broker URI that Paho cannot read, no descriptors left
  }
}

constexpr gw_transport kMqtt{
    sizeof(gw_transport),
    nullptr,
    open_mqtt,
    [](void* connection) { of(connection).connect(); },
    [](void* connection) { of(connection).disconnect(); },
    [](void* connection, std::int32_t topic, const std::uint8_t* data, std::size_t size, std::uint64_t token) {
      return of(connection).publish(topic == GW_TOPIC_MEDIA, data, size, token);
    },
    [](void* connection) { retired().add(static_cast<Connection*>(connection)); },
};

}  // namespace
}  // namespace gridward::device

extern "C" const gw_transport* gw_device_mqtt_transport(void) { return &gridward::device::kMqtt; }
