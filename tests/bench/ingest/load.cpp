// The load of scripts/bench ingest: handhelds that hold their records signed and encoded before the clock starts, each
// with a window of unreceipted messages, one record a message. Prints one JSON line: records a second to the receipt.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <gridward/platform/crypto.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/shared/topics.hpp>
#include <iostream>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "link.hpp"

namespace gridward::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(2);

struct Options {
  std::string category = "0101";
  double lat = 39.3, lon = 117.83;
  std::size_t window = 8;
  std::size_t records = 500;  // of each handheld
  std::vector<std::string> configs;
};

struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t finished = 0;
  std::string problem;
  void fail(const std::string& text) {
    const std::lock_guard lock(mutex);
    if (problem.empty()) problem = text;
    changed.notify_all();
  }
};

class Handheld {
 public:
  Handheld(const std::string& config_file, const Options& options, Shared& shared)
      : options_(options), shared_(shared) {
    const auto config = read_json(config_file);
    const auto folder = config_file.substr(0, config_file.rfind('/') + 1);
    const auto text = [&](const char* key) { return config.at(key).get<std::string>(); };
    device_ = text("device");
    account_ = {text("broker"), text("ca_file"), device_, text("password")};
    up_ = to_string(Topic{TopicKind::up, text("town"), device_});
    down_ = to_string(Topic{TopicKind::down, text("town"), device_});
    std::string seed_hex;
    std::ifstream(folder + text("key_file")) >> seed_hex;
    const auto seed = from_hex(seed_hex);
    if (!seed || seed->size() != 32) throw std::runtime_error("no key in " + folder + text("key_file"));
    std::array<std::uint8_t, 32> raw{};
    std::copy(seed->begin(), seed->end(), raw.begin());
    fill(text("actor"), platform::ed25519_keys_from_seed(raw));
    client_ = std::make_unique<mqtt::async_client>(account_.broker, device_, create_options());
    client_->set_message_callback([this](const mqtt::const_message_ptr& message) {
      if (message) received(message->get_payload_str());
    });
    client_->set_connection_lost_handler(
        [this](const std::string& why) { shared_.fail(device_ + " lost its connection " + why); });
  }

  void begin_connect() { connecting_ = client_->connect(connect_options(account_)); }
  void end_connect() {
    connecting_->wait();
    client_->subscribe(down_, 1)->wait();
  }
  void disconnect() {
    client_->set_connection_lost_handler(nullptr);
    client_->disconnect()->wait();
  }
  void start() {
    std::vector<std::string> payloads;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < options_.window; ++i) take_next(payloads);
    }
    publish(payloads);
  }
  const std::vector<double>& latencies_ms() const { return latencies_ms_; }
  // What a handheld does that waits in vain: receipts travel at QoS 0. Gives how many.
  std::size_t send_again() {
    std::vector<std::string> payloads;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [id, sent] : sent_) {
        if (SteadyClock::now() - sent.at > kPatience) payloads.push_back(sent.payload);
      }
    }
    publish(payloads);
    return payloads.size();
  }

 private:
  struct Message {
    Uuid id;
    std::string payload;
  };
  struct Sent {
    SteadyClock::time_point at;
    std::string payload;
  };

  void fill(const std::string& actor, const platform::KeyPair& keys) {
    std::array<std::uint8_t, 10> random{};
    const auto now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    const auto fresh = [&](UnixMs at) {
      platform::random_bytes(random);
      return make_uuid_v7(at, random);
    };
    Record record;
    record.epoch = fresh(now);
    record.boot = fresh(now);
    record.actor = actor;
    record.clock = {ClockSource::gnss, 50};
    Fix fix;
    fix.point = geo_point(options_.lat, options_.lon);
    fix.accuracy_cm = 320;
    for (std::size_t i = 0; i < options_.records; ++i) {
      record.seq = i + 1;
      record.at = now + Millis{static_cast<std::int64_t>(i)};
      record.id = fresh(record.at);  // as a handheld does: at the capture, so they rise
      record.mono = Millis{static_cast<std::int64_t>(1000 + i)};
      fix.at = record.at;
      record.fix = fix;
      record.body =
          ReportBody{options_.category, "路面有垃圾堆放，约两平方米，影响通行，请安排清理 #" + std::to_string(i)};
      UpMessage message;
      message.epoch = record.epoch;
      message.records = {encode_record(record)};
      const std::array<Sha256, 1> hashes{platform::sha256(message.records[0])};
      message.signature = platform::sign_ed25519(keys.secret_key, signing_input(message.epoch, hashes));
      const auto bytes = encode_up(message);
      waiting_.push_back({record.id, std::string(bytes.begin(), bytes.end())});
    }
  }

  void take_next(std::vector<std::string>& payloads) {
    if (waiting_.empty()) return;
    auto message = std::move(waiting_.front());
    waiting_.pop_front();
    payloads.push_back(message.payload);
    sent_.emplace(message.id, Sent{SteadyClock::now(), std::move(message.payload)});
  }

  // Never under mutex_: Paho holds its own lock in the callback that takes mutex_.
  void publish(std::vector<std::string>& payloads) {
    for (auto& payload : payloads) client_->publish(up_, std::move(payload), 1, false);
  }

  void received(const std::string& payload) {
    const auto down = decode_down(as_bytes(payload));
    if (!down) return shared_.fail("a message from the server cannot be read: " + to_string(down.error()));
    if (std::holds_alternative<Busy>(*down)) {
      return shared_.fail("the server was busy: its queue is shorter than the windows of this load");
    }
    const auto* receipt = std::get_if<Receipt>(&*down);
    if (receipt == nullptr) return;
    if (!receipt->bad.empty()) return shared_.fail("refused: " + receipt->bad[0].message);
    const auto now = SteadyClock::now();
    std::vector<std::string> payloads;
    bool finished = false;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& id : receipt->ok) {
        const auto found = sent_.find(id);
        if (found == sent_.end()) continue;
        latencies_ms_.push_back(std::chrono::duration<double, std::milli>(now - found->second.at).count());
        sent_.erase(found);
        take_next(payloads);
      }
      finished = sent_.empty() && !std::exchange(done_, sent_.empty());
    }
    publish(payloads);
    if (finished) {
      const std::lock_guard all(shared_.mutex);
      ++shared_.finished;
      shared_.changed.notify_all();
    }
  }

  const Options& options_;
  Shared& shared_;
  std::string device_, up_, down_;
  Account account_;
  std::mutex mutex_;
  std::deque<Message> waiting_;
  std::unordered_map<Uuid, Sent> sent_;
  std::vector<double> latencies_ms_;
  bool done_ = false;
  mqtt::token_ptr connecting_;
  std::unique_ptr<mqtt::async_client> client_;
};

int run(const Options& options) {
  Shared shared;
  std::vector<std::unique_ptr<Handheld>> handhelds;
  handhelds.reserve(options.configs.size());
  for (const auto& config : options.configs) handhelds.push_back(std::make_unique<Handheld>(config, options, shared));
  // All at once: Paho's one receiving thread takes a second to notice a new TLS connection.
  for (auto& handheld : handhelds) handheld->begin_connect();
  for (auto& handheld : handhelds) handheld->end_connect();

  std::size_t resent = 0;
  const auto begin = SteadyClock::now();
  for (auto& handheld : handhelds) handheld->start();
  {
    std::unique_lock lock(shared.mutex);
    const auto over = [&] { return shared.finished == handhelds.size() || !shared.problem.empty(); };
    while (!shared.changed.wait_for(lock, kPatience, over)) {
      lock.unlock();
      const bool late = SteadyClock::now() - begin > std::chrono::minutes(2);
      for (auto& handheld : handhelds) resent += handheld->send_again();
      lock.lock();
      if (late && !over()) shared.problem = "not every record was receipted within two minutes";
    }
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  if (!shared.problem.empty()) {
    std::fprintf(stderr, "bench_ingest_load: %s\n", shared.problem.c_str());
    return 1;
  }
  std::vector<double> latencies;
  for (auto& handheld : handhelds) {
    handheld->disconnect();
    latencies.insert(latencies.end(), handheld->latencies_ms().begin(), handheld->latencies_ms().end());
  }
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double share) {
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))];
  };
  std::printf("{\"records\":%zu,\"seconds\":%.4f,\"per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"resent\":%zu}\n",
              latencies.size(), seconds, static_cast<double>(latencies.size()) / seconds, at(0.5), at(0.99), resent);
  return 0;
}

}  // namespace
}  // namespace gridward::bench

int main(int argc, char** argv) {
  gridward::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
    if (word == "--category") {
      options.category = value();
    } else if (word == "--position") {
      if (std::sscanf(value().c_str(), "%lf,%lf", &options.lat, &options.lon) != 2) return 2;
    } else if (word == "--window") {
      options.window = std::stoul(value());
    } else if (word == "--records") {
      options.records = std::stoul(value());
    } else {
      options.configs.push_back(word);
    }
  }
  if (options.configs.empty()) {
    std::cerr
        << "usage: bench_ingest_load [--category C] [--position LAT,LON] [--window N] [--records N] device.json…\n";
    return 2;
  }
  try {
    return gridward::bench::run(options);
  } catch (const std::exception& problem) {
    std::cerr << "bench_ingest_load: " << problem.what() << "\n";
    return 1;
  }
}
