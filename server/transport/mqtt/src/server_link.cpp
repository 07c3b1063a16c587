#include <mqtt/async_client.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <gridward/mqtt/server_link.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/topics.hpp>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "backoff.hpp"
#include "bounded_queue.hpp"
#include "no_delay.hpp"

namespace gridward::mqtt {
namespace {

namespace paho = ::mqtt;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

// What the broker may send us in one packet. More than any limit of ours, so that what is too large by a little is seen
// and kept for a look; what is much larger the broker keeps from us.
constexpr std::size_t kPacketBytes = 1024 * 1024;
constexpr std::size_t kInFlight = 4096;  // publishes given to the library and not yet written to the socket
constexpr auto kConnectTimeout = 10s;
constexpr std::size_t kFiltersPerPacket = 64;
constexpr auto kBusyEvery = 200ms;
constexpr std::size_t kBusyDevices = 20'000;

struct Down {
  std::string town;
  std::string device;
  DownMessage message;
};

std::size_t estimate(const DownMessage& message) {
  if (const auto* receipt = std::get_if<Receipt>(&message))
    return 64 + receipt->ok.size() * 18 + receipt->bad.size() * 200;
  if (const auto* item = std::get_if<DownItem>(&message)) return 64 + item->body.size();
  return 128;
}

}  // namespace

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::connecting:
      return "connecting";
    case LinkState::connected:
      return "connected";
    case LinkState::stopped:
      return "stopped";
  }
  return "unknown";
}

class ServerLink::Impl {
 public:
  explicit Impl(LinkOptions options)
      : options_(std::move(options)),
        towns_(options_.towns.begin(), options_.towns.end()),
        down_(options_.down_queue, options_.queue_bytes),
        client_(options_.uri, options_.client_id, create_options(), nullptr) {
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.media_threads, 1); ++i) {
      media_.push_back(std::make_unique<Lane>(options_.media_queue, options_.queue_bytes));
    }
    client_.set_message_callback([this](const paho::const_message_ptr& message) { arrived(message); });
    // Before its session's first message, which may ask for an answer before our subscriptions are said again.
    client_.set_connected_handler([this](const std::string&) { set_linked(); });
    client_.set_connection_lost_handler([this](const std::string& cause) { lost(cause); });
    client_.set_disconnected_handler([this](const paho::properties&, paho::ReasonCode reason) {
      lost(paho::exception::reason_code_str(static_cast<int>(reason)));
    });
  }
  ~Impl() { stop(0ms); }

  void start(app::Ingest& ingest) {
    ingest_ = &ingest;
    for (auto& lane : media_) {
      lane->thread = std::thread([this, &lane = *lane] { work(lane); });
    }
    sender_ = std::thread([this] { send_all(); });
    manager_ = std::thread([this] { keep_connected(); });
  }

  void stop(Millis limit) {
    if (stopped_.exchange(true)) return;
    // First nothing more comes in, then what is in gets its answer, and only then the way out closes.
    {
      const std::scoped_lock lock(arriving_);
    }
    for (auto& lane : media_) lane->queue.close();
    for (auto& lane : media_) join(lane->thread);
    if (ingest_ != nullptr) ingest_->wait_idle();
    const auto end = SteadyClock::now() + limit;
    down_.close();
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, end, [&] { return sender_ended_ || !sender_.joinable(); })) {
        cut_ = true;
        changed_.notify_all();
      }
    }
    join(sender_);
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, end, [&] { return in_flight_ == 0 || !linked_; });
      state_ = LinkState::stopped;
      changed_.notify_all();
    }
    join(manager_);
    try {
      if (client_.is_connected()) client_.disconnect(500)->wait_for(1s);
    } catch (const paho::exception&) {
      // It is gone already.
    }
  }

  void send(const std::string& town, const std::string& device, const DownMessage& message) {
    if (!down_.try_push({town, device, message}, estimate(message))) {
      dropped_down_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void set_towns(std::vector<std::string> towns) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(towns, [](const std::string& town) { return !valid_town(town); });
    towns_ = {towns.begin(), towns.end()};
    towns_changed_ = true;
    changed_.notify_all();
  }

  LinkState state() const {
    const std::scoped_lock lock(mutex_);
    return state_;
  }
  LinkCounters counters() const {
    LinkCounters c{received_, dropped_full_, dropped_size_, sent_, dropped_down_, connections_, 0};
    for (const auto& lane : media_) c.waiting += lane->queue.size();
    return c;
  }

 private:
  struct Lane {
    Lane(std::size_t most, std::size_t bytes) : queue(most, bytes) {}
    BoundedQueue<paho::const_message_ptr> queue;
    std::thread thread;
  };

  static void join(std::thread& thread) {
    if (thread.joinable()) thread.join();
  }

  static paho::create_options create_options() {
    paho::create_options options(MQTTVERSION_5);
    options.set_send_while_disconnected(false);
    // The library counts what it has not yet written against this also while connected, and throws from 100 on.
    options.set_max_buffered_messages(static_cast<int>(2 * kInFlight));
    return options;
  }

  void say(std::string_view text) const {
    if (options_.log) options_.log(text);
  }

  // ---- callbacks of the library: its thread, which keepalive and every other message wait for -----------------------

  // An up is read here and goes into the store's queue: that takes microseconds and waits for nobody, while another
  // thread would have to be woken for each. A piece of a file is written before it is answered, so it does not.
  void arrived(const paho::const_message_ptr& message) noexcept {
    try {
      const std::scoped_lock lock(arriving_);
      if (message == nullptr || stopped_) return;  // a null message is how Paho tells of an end
      received_.fetch_add(1, std::memory_order_relaxed);
      const auto size = message->get_payload_ref().size();
      if (size > kPacketBytes) {
        dropped_size_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      const auto topic = topic_from_string(message->get_topic());
      if (!topic || topic->kind == TopicKind::down) return;  // nothing we subscribed to
      if (topic->kind == TopicKind::up) return ingest_->up(message->get_topic(), bytes_of(*message));
      auto& lane = *media_[std::hash<std::string>{}(topic->device) % media_.size()];
      if (!lane.queue.try_push(message, size) && !stopped_) {
        dropped_full_.fetch_add(1, std::memory_order_relaxed);
        say_busy(*topic);
      }
    } catch (const std::exception&) {
      // An exception here ends the process. The message has no receipt, so it comes again.
    }
  }

  // One for a burst: every message of the device's window is dropped for the same reason.
  void say_busy(const Topic& topic) {
    const auto now = SteadyClock::now();
    if (last_busy_.size() >= kBusyDevices) last_busy_.clear();
    const auto [at, fresh] = last_busy_.try_emplace(topic.device, now);
    if (!fresh && now - at->second < kBusyEvery) return;
    at->second = now;
    send(topic.town, topic.device, Busy{Millis{std::uniform_int_distribution<int>(500, 2000)(busy_random_)}});
  }

  void set_linked() noexcept {
    const std::scoped_lock lock(mutex_);
    linked_ = true;
    in_flight_ = 0;
    changed_.notify_all();
  }

  void lost(std::string cause) noexcept {
    const std::scoped_lock lock(mutex_);
    linked_ = false;
    changed_.notify_all();
    if (state_ != LinkState::connected) return;
    state_ = LinkState::connecting;
    lost_cause_ = std::move(cause);
  }

  // ---- media -----------------------------------------------------------------------------------------------------

  static Bytes bytes_of(const paho::message& message) {
    const auto& payload = message.get_payload_ref();
    const auto* data = reinterpret_cast<const std::uint8_t*>(payload.data());
    return {data, data + payload.size()};
  }

  void work(Lane& lane) {
    while (const auto message = lane.queue.pop()) ingest_->media((*message)->get_topic(), bytes_of(**message));
  }

  // ---- down ------------------------------------------------------------------------------------------------------

  // Counts what the library has not yet written. Its own queue has no limit, ours has.
  class Written final : public paho::iaction_listener {
   public:
    explicit Written(Impl& impl) : impl_(impl) {}
    void on_success(const paho::token&) override { done(); }
    void on_failure(const paho::token&) override { done(); }

   private:
    void done() {
      const std::scoped_lock lock(impl_.mutex_);
      if (impl_.in_flight_ > 0) --impl_.in_flight_;
      impl_.changed_.notify_all();
    }
    Impl& impl_;
  };

  void send_all() {
    while (auto down = down_.pop()) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return in_flight_ < kInFlight || !linked_ || cut_; });
        if (!linked_ || cut_) {
          dropped_down_.fetch_add(1, std::memory_order_relaxed);
          continue;
        }
        ++in_flight_;
      }
      try {
        const auto bytes = encode_down(down->message);
        const int qos = std::holds_alternative<DownItem>(down->message) ? 1 : 0;
        client_.publish(gridward::to_string(Topic{TopicKind::down, down->town, down->device}), bytes.data(),
                        bytes.size(), qos, false, nullptr, written_);
        sent_.fetch_add(1, std::memory_order_relaxed);
      } catch (const std::exception&) {
        dropped_down_.fetch_add(1, std::memory_order_relaxed);
        const std::scoped_lock lock(mutex_);
        if (in_flight_ > 0) --in_flight_;
      }
    }
    const std::scoped_lock lock(mutex_);
    sender_ended_ = true;
    changed_.notify_all();
  }

  // ---- the connection --------------------------------------------------------------------------------------------

  paho::connect_options connect_options() const {
    paho::connect_options options;
    options.set_mqtt_version(MQTTVERSION_5);
    options.set_clean_start(false);
    options.set_automatic_reconnect(false);
    options.set_keep_alive_interval(static_cast<int>(options_.keep_alive.count()));
    options.set_connect_timeout(static_cast<int>(std::chrono::seconds(kConnectTimeout).count()));
    options.set_max_inflight(static_cast<int>(kInFlight));
    paho::properties properties;
    properties.add(
        {paho::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(options_.session_expiry.count())});
    properties.add({paho::property::MAXIMUM_PACKET_SIZE, static_cast<std::int32_t>(kPacketBytes + 4096)});
    options.set_properties(std::move(properties));
    if (!options_.user.empty()) options.set_user_name(options_.user);
    if (!options_.password.empty()) options.set_password(paho::binary_ref(options_.password));
    if (options_.uri.starts_with("ssl://") || options_.uri.starts_with("wss://")) {
      paho::ssl_options tls;
      if (!options_.ca_file.empty()) tls.set_trust_store(options_.ca_file);
      tls.set_enable_server_cert_auth(true);
      tls.set_verify(true);
      tls.set_ssl_version(MQTT_SSL_VERSION_TLS_1_2);  // the least; 1.3 is negotiated
      options.set_ssl(std::move(tls));
    }
    return options;
  }

  void keep_connected() {
    Backoff backoff(options_.backoff_first, options_.backoff_most, std::random_device{}());
    while (!stopping()) {
      const auto problem = connect_once();
      if (!problem) {
        const auto since = SteadyClock::now();
        stay();
        if (SteadyClock::now() - since >= options_.healthy_after) backoff.reset();
      } else {
        say("no connection to " + options_.uri + ": " + *problem);
      }
      pause(backoff.next());
    }
  }

  bool stopping() const {
    const std::scoped_lock lock(mutex_);
    return state_ == LinkState::stopped;
  }

  void pause(Millis time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return state_ == LinkState::stopped; });
  }

  // Waits in short steps, so that stop() need not wait for a broker that does not answer. Throws what the token throws.
  bool answered(paho::token& token, std::chrono::seconds limit) const {
    const auto end = SteadyClock::now() + limit;
    while (!token.wait_for(50ms)) {
      if (SteadyClock::now() >= end || stopping()) return false;
    }
    return true;
  }

  std::optional<std::string> connect_once() {
    try {
      // Half a connection may be left: one that was made and could not subscribe.
      if (client_.is_connected()) client_.disconnect(0)->wait_for(1s);
      const auto token = client_.connect(connect_options());
      if (!answered(*token, kConnectTimeout + 1s)) return "no answer";
      set_no_delay(options_.uri);
      std::set<std::string> towns;
      {
        const std::scoped_lock lock(mutex_);
        towns = towns_;
        towns_changed_ = false;
      }
      // The session may know them, but only saying them again makes sure.
      if (auto problem = subscribe(towns)) return problem;
      subscribed_ = std::move(towns);
      connections_.fetch_add(1, std::memory_order_relaxed);
      // No call of the library while this is locked: its callbacks come with its own lock held and want this one.
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, 1s, [&] { return linked_ || state_ == LinkState::stopped; });
      if (state_ == LinkState::stopped) return std::nullopt;
      // The end may have come while we subscribed.
      if (!linked_) return "lost at once";
      state_ = LinkState::connected;
      changed_.notify_all();
    } catch (const paho::exception& error) {
      return error.to_string();
    }
    say("connected to " + options_.uri);
    if (options_.connected) options_.connected();
    return std::nullopt;
  }

  // Many to a packet: a district has dozens of towns, and each packet is a round trip.
  std::optional<std::string> subscribe(const std::set<std::string>& towns) {
    std::vector<std::string> filters;
    for (const auto& town : towns) {
      for (const auto kind : {TopicKind::up, TopicKind::media}) filters.push_back(topic_filter(kind, town));
    }
    for (std::size_t from = 0; from < filters.size(); from += kFiltersPerPacket) {
      const auto count = std::min(kFiltersPerPacket, filters.size() - from);
      const auto first = filters.begin() + static_cast<std::ptrdiff_t>(from);
      const std::vector<std::string> some(first, first + static_cast<std::ptrdiff_t>(count));
      const auto token = client_.subscribe(paho::string_collection::create(some), std::vector<int>(count, 1));
      if (!answered(*token, kConnectTimeout)) return "no answer to the subscription of " + some.front();
      const auto codes = token->get_subscribe_response().get_reason_codes();
      for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto reason = static_cast<int>(codes[i]);
        if (reason >= 0x80) return "may not subscribe " + some[i] + ": " + paho::exception::reason_code_str(reason);
      }
    }
    return std::nullopt;
  }

  // Until the connection is lost or stop().
  void stay() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return state_ != LinkState::connected || towns_changed_; });
      if (state_ != LinkState::connected) {
        const auto cause = lost_cause_;
        const bool told = state_ == LinkState::connecting;
        lock.unlock();
        if (told) say("lost the connection: " + (cause.empty() ? std::string("closed") : cause));
        return;
      }
      towns_changed_ = false;
      auto wanted = towns_;
      lock.unlock();
      if (auto problem = change_towns(wanted)) {
        say(*problem);
        lost(*problem);
      }
      lock.lock();
    }
  }

  std::optional<std::string> change_towns(const std::set<std::string>& wanted) {
    try {
      std::set<std::string> fresh;
      for (const auto& town : wanted) {
        if (!subscribed_.contains(town)) fresh.insert(town);
      }
      if (auto problem = subscribe(fresh)) return problem;
      for (const auto& town : subscribed_) {
        if (wanted.contains(town)) continue;
        for (const auto kind : {TopicKind::up, TopicKind::media}) {
          if (!answered(*client_.unsubscribe(topic_filter(kind, town)), kConnectTimeout)) return "no answer";
        }
      }
      subscribed_ = wanted;
    } catch (const paho::exception& error) {
      return error.to_string();
    }
    return std::nullopt;
  }

  const LinkOptions options_;
  app::Ingest* ingest_ = nullptr;
  std::atomic<bool> stopped_{false};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LinkState state_ = LinkState::connecting;
  std::string lost_cause_;
  std::set<std::string> towns_;
  bool towns_changed_ = false;
  bool linked_ = false;  // there is a connection, with or without our subscriptions
  std::size_t in_flight_ = 0;
  bool sender_ended_ = false;
  bool cut_ = false;  // stop() waits no longer for what is still to be sent

  std::set<std::string> subscribed_;  // the manager's

  // The library's callback thread's.
  std::unordered_map<std::string, SteadyClock::time_point> last_busy_;
  std::minstd_rand busy_random_{std::random_device{}()};

  std::atomic<std::uint64_t> received_{0}, dropped_full_{0}, dropped_size_{0}, sent_{0}, dropped_down_{0},
      connections_{0};

  std::mutex arriving_;  // held while a message is taken, so that stop() can wait for the last
  std::vector<std::unique_ptr<Lane>> media_;
  BoundedQueue<Down> down_;
  Written written_{*this};
  paho::async_client client_;  // before the threads that use it, after all that its callbacks use
  std::thread sender_;
  std::thread manager_;
};

ServerLink::ServerLink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerLink::~ServerLink() { stop(); }

Result<std::unique_ptr<ServerLink>> ServerLink::make(LinkOptions options) {
  for (const auto& town : options.towns) {
    if (!valid_town(town)) return fail(ErrorCode::config_invalid, "towns", town + " is no town code");
  }
  if (!options.ca_file.empty() && !std::filesystem::exists(options.ca_file)) {
    return fail(ErrorCode::config_invalid, "mqtt.ca", options.ca_file + " is not there");
  }
  try {
    return std::unique_ptr<ServerLink>(new ServerLink(std::make_unique<Impl>(std::move(options))));
  } catch (const paho::exception& error) {
    return fail(ErrorCode::config_invalid, "mqtt.uri", error.to_string());
  }
}

void ServerLink::start(app::Ingest& ingest) { impl_->start(ingest); }
void ServerLink::stop(Millis limit) { impl_->stop(limit); }
void ServerLink::send(const std::string& town, const std::string& device, const DownMessage& message) {
  impl_->send(town, device, message);
}
void ServerLink::set_towns(std::vector<std::string> towns) { impl_->set_towns(std::move(towns)); }
LinkState ServerLink::state() const { return impl_->state(); }
LinkCounters ServerLink::counters() const { return impl_->counters(); }

}  // namespace gridward::mqtt
