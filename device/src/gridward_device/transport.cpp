#include <mqtt/async_client.h>

#include <atomic>
#include <gridward_device/transport.hpp>
#include <mutex>

namespace gridward::device {
namespace {

using Kind = TransportEvent::Kind;

class MqttTransport final : public Transport {
 public:
  MqttTransport(const TransportConfig& config, std::function<void()> wake)
      : queue_(std::make_shared<Queue>(std::move(wake))),
        up_(to_string(Topic{TopicKind::up, config.town, config.device})),
        media_(to_string(Topic{TopicKind::media, config.town, config.device})),
        down_(to_string(Topic{TopicKind::down, config.town, config.device})),
        connecting_(*this),
        subscribing_(*this),
        publishing_(*this),
        client_(config.broker, config.device, create_options(), nullptr) {
    connect_options_.set_mqtt_version(MQTTVERSION_5);
    connect_options_.set_clean_start(true);
    connect_options_.set_automatic_reconnect(false);
    connect_options_.set_keep_alive_interval(config.keepalive_s);
    connect_options_.set_connect_timeout(20);
    // Our own window is smaller; Paho's must not be what holds a message back.
    connect_options_.set_max_inflight(1000);
    if (!config.user.empty()) connect_options_.set_user_name(config.user);
    if (!config.password.empty()) connect_options_.set_password(mqtt::binary_ref(config.password));
    if (config.broker.starts_with("ssl://") || config.broker.starts_with("wss://")) {
      mqtt::ssl_options tls;
      if (!config.ca_file.empty()) tls.set_trust_store(config.ca_file);
      tls.set_enable_server_cert_auth(true);
      tls.set_verify(true);
      tls.set_ssl_version(MQTT_SSL_VERSION_TLS_1_2);  // the least; 1.3 is negotiated
      connect_options_.set_ssl(std::move(tls));
    }

    client_.set_message_callback([this](const mqtt::const_message_ptr& message) {
      if (!message) return;  // Paho says so when the connection ends
      const auto& payload = message->get_payload_ref();
      TransportEvent event;
      event.kind = Kind::message;
      event.payload.assign(payload.data(), payload.data() + payload.size());
      queue_->push(std::move(event));
    });
    client_.set_connection_lost_handler([this](const std::string& cause) {
      queue_->push({Kind::disconnected, cause.empty() ? "connection lost" : cause, {}, 0, 0});
    });
    client_.set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) {
      queue_->push({Kind::disconnected, "the broker ended the connection", {}, 0, static_cast<int>(reason)});
    });
  }

  ~MqttTransport() override { disconnect(); }

  void connect() override {
    disconnect();  // a connection whose subscription was refused is still there
    queue_->begin();
    try {
      client_.connect(connect_options_, nullptr, connecting_);
    } catch (const mqtt::exception& error) {
      queue_->push({Kind::connect_failed, error.to_string(), {}, 0, error.get_reason_code()});
    }
  }

  void disconnect() override {
    try {
      if (client_.is_connected()) client_.disconnect(500)->wait_for(std::chrono::milliseconds(1'000));
    } catch (const mqtt::exception&) {
      // It is gone already.
    }
  }

  bool publish(TopicKind kind, const Bytes& payload, std::uint64_t token) override {
    try {
      client_.publish(kind == TopicKind::media ? media_ : up_, payload.data(), payload.size(), 1, false,
                      reinterpret_cast<void*>(static_cast<std::uintptr_t>(token)), publishing_);
      return true;
    } catch (const mqtt::exception&) {
      return false;
    }
  }

  std::vector<TransportEvent> take_events() override { return queue_->take(); }

 private:
  // Shared with Paho's threads.
  class Queue {
   public:
    explicit Queue(std::function<void()> wake) : wake_(std::move(wake)) {}
    void push(TransportEvent event) {
      {
        const std::lock_guard lock(mutex_);
        if (ends(event.kind)) {
          // Paho tells an end in several ways; the agent hears of it once for each connect().
          if (!live_) return;
          live_ = false;
        }
        events_.push_back(std::move(event));
      }
      wake_();
    }
    void begin() {
      const std::lock_guard lock(mutex_);
      live_ = true;
    }
    std::vector<TransportEvent> take() {
      const std::lock_guard lock(mutex_);
      return std::exchange(events_, {});
    }

   private:
    static bool ends(Kind kind) { return kind == Kind::connect_failed || kind == Kind::disconnected; }

    std::function<void()> wake_;
    std::mutex mutex_;
    bool live_ = false;
    std::vector<TransportEvent> events_;
  };

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
    explicit Connecting(MqttTransport& transport) : transport_(transport) {}
    void on_success(const mqtt::token&) override {
      try {
        transport_.client_.subscribe(transport_.down_, 1, nullptr, transport_.subscribing_);
      } catch (const mqtt::exception& error) {
        transport_.queue_->push({Kind::disconnected, error.to_string(), {}, 0, 0});
      }
    }
    void on_failure(const mqtt::token& token) override {
      transport_.queue_->push(
          {Kind::connect_failed, reason_text(token), {}, 0, static_cast<int>(token.get_reason_code())});
    }
    MqttTransport& transport_;
  };
  struct Subscribing final : mqtt::iaction_listener {
    explicit Subscribing(MqttTransport& transport) : transport_(transport) {}
    void on_success(const mqtt::token&) override { transport_.queue_->push({Kind::connected, {}, {}, 0, 0}); }
    void on_failure(const mqtt::token& token) override {
      transport_.queue_->push({Kind::disconnected,
                               "not allowed to subscribe: " + reason_text(token),
                               {},
                               0,
                               static_cast<int>(token.get_reason_code())});
    }
    MqttTransport& transport_;
  };
  struct Publishing final : mqtt::iaction_listener {
    explicit Publishing(MqttTransport& transport) : transport_(transport) {}
    void on_success(const mqtt::token&) override {}
    void on_failure(const mqtt::token& token) override {
      const int reason = static_cast<int>(token.get_reason_code());
      // Without a reason code it is the end of the connection, which has its own event.
      if (reason < 0x80) return;
      transport_.queue_->push({Kind::publish_refused, {}, {}, number_of(token), reason});
    }
    static std::uint64_t number_of(const mqtt::token& token) {
      return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
    }
    MqttTransport& transport_;
  };

  std::shared_ptr<Queue> queue_;
  std::string up_;
  std::string media_;
  std::string down_;
  Connecting connecting_;
  Subscribing subscribing_;
  Publishing publishing_;
  mqtt::connect_options connect_options_;
  mqtt::async_client client_;  // last: it ends first, and with it the callbacks into the others
};

}  // namespace

Result<std::unique_ptr<Transport>> make_mqtt_transport(const TransportConfig& config, std::function<void()> wake) {
  try {
    return std::make_unique<MqttTransport>(config, std::move(wake));
  } catch (const mqtt::exception& error) {
    return fail(ErrorCode::unavailable, "broker", error.to_string());
  }
}

}  // namespace gridward::device
