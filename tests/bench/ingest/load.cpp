// The load of scripts/bench ingest: handhelds that hold their records signed and encoded before the clock starts, each
// with a window of unreceipted messages, one record a message. Prints one JSON line: records a second to the receipt,
// and the processor time that the load itself took. All handhelds are in one thread on libmosquitto, which costs a
// third of Paho's threads: in the field a handheld's work is not done on the server's processors, so here it should be
// little.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <gridward/platform/crypto.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/shared/topics.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <unordered_map>

#include "files.hpp"

namespace gridward::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(2);

struct Options {
  std::string category = "0101";
  double lat = 39.3, lon = 117.83;
  std::size_t window = 8;
  std::chrono::milliseconds pace{0};  // from one record of a handheld to its next; 0: at the receipt
  std::size_t records = 500;          // of each handheld
  std::vector<std::string> configs;
};

void must(int code, const std::string& what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(what + ": " + mosquitto_strerror(code));
}

ByteView view(const mosquitto_message& message) {
  return {static_cast<const std::uint8_t*>(message.payload), static_cast<std::size_t>(message.payloadlen)};
}

class Handheld {
 public:
  Handheld(const std::string& config_file, const Options& options) : options_(options) {
    const auto config = read_json(config_file);
    const auto folder = config_file.substr(0, config_file.rfind('/') + 1);
    const auto text = [&](const char* key) { return config.at(key).get<std::string>(); };
    device_ = text("device");
    up_ = to_string(Topic{TopicKind::up, text("town"), device_});
    down_ = to_string(Topic{TopicKind::down, text("town"), device_});
    std::string seed_hex;
    std::ifstream(folder + text("key_file")) >> seed_hex;
    const auto seed = from_hex(seed_hex);
    if (!seed || seed->size() != 32) throw std::runtime_error("no key in " + folder + text("key_file"));
    std::array<std::uint8_t, 32> raw{};
    std::copy(seed->begin(), seed->end(), raw.begin());
    fill(text("actor"), platform::ed25519_keys_from_seed(raw));

    client_.reset(mosquitto_new(device_.c_str(), true, this));
    if (!client_) throw std::runtime_error("no client for " + device_);
    must(mosquitto_int_option(client_.get(), MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5), "protocol");
    must(mosquitto_int_option(client_.get(), MOSQ_OPT_TCP_NODELAY, 1), "TCP_NODELAY");
    must(mosquitto_int_option(client_.get(), MOSQ_OPT_SEND_MAXIMUM, 1000), "send maximum");
    must(mosquitto_username_pw_set(client_.get(), device_.c_str(), text("password").c_str()), "account");
    mosquitto_connect_v5_callback_set(client_.get(), [](mosquitto* client, void* self, int code, int, const auto*) {
      auto& handheld = *static_cast<Handheld*>(self);
      if (code != 0) return handheld.fail(std::string("was not let in: ") + mosquitto_reason_string(code));
      handheld.check(mosquitto_subscribe_v5(client, nullptr, handheld.down_.c_str(), 1, 0, nullptr), "subscribing");
    });
    mosquitto_subscribe_v5_callback_set(client_.get(), [](mosquitto*, void* self, int, int, const int*, const auto*) {
      static_cast<Handheld*>(self)->ready_ = true;
    });
    mosquitto_message_v5_callback_set(client_.get(),
                                      [](mosquitto*, void* self, const mosquitto_message* message, const auto*) {
                                        static_cast<Handheld*>(self)->received(view(*message));
                                      });
    const std::string broker = text("broker");
    const auto host = broker.find("//") + 2, colon = broker.rfind(':');
    if (broker.starts_with("ssl://")) {
      must(mosquitto_tls_set(client_.get(), text("ca_file").c_str(), nullptr, nullptr, nullptr, nullptr), "ca_file");
    }
    must(mosquitto_connect_bind_v5(client_.get(), broker.substr(host, colon - host).c_str(),
                                   std::stoi(broker.substr(colon + 1)), 60, nullptr, nullptr),
         "connecting " + device_);
  }

  int socket() const { return mosquitto_socket(client_.get()); }
  short wants() const { return static_cast<short>(POLLIN | (mosquitto_want_write(client_.get()) ? POLLOUT : 0)); }
  void read() { check(mosquitto_loop_read(client_.get(), 1), "reading"); }
  void write() {
    if (mosquitto_want_write(client_.get())) check(mosquitto_loop_write(client_.get(), 1), "writing");
  }
  void disconnect() { mosquitto_disconnect_v5(client_.get(), 0, nullptr); }

  bool ready() const { return ready_; }
  bool finished() const { return sent_.empty() && waiting_.empty(); }
  const std::string& problem() const { return problem_; }
  const std::vector<double>& latencies_ms() const { return latencies_ms_; }

  void start() {
    started_ = true;
    next_ = SteadyClock::now() + options_.pace;
    for (std::size_t i = 0; i < options_.window; ++i) send_next();
  }
  void keep_pace() {
    if (options_.pace.count() == 0 || !started_ || SteadyClock::now() < next_) return;
    next_ += options_.pace;
    send_next();
  }
  // What a handheld does that waits in vain: receipts travel at QoS 0. Gives how many.
  std::size_t send_again() {
    std::size_t count = 0;
    for (const auto& [id, sent] : sent_) {
      if (SteadyClock::now() - sent.at <= kPatience) continue;
      publish(sent.payload);
      ++count;
    }
    return count;
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

  void send_next() {
    if (waiting_.empty()) return;
    auto message = std::move(waiting_.front());
    waiting_.pop_front();
    publish(message.payload);
    sent_.emplace(message.id, Sent{SteadyClock::now(), std::move(message.payload)});
  }

  void publish(const std::string& payload) {
    check(mosquitto_publish_v5(client_.get(), nullptr, up_.c_str(), static_cast<int>(payload.size()), payload.data(), 1,
                               false, nullptr),
          "publishing");
  }

  void received(ByteView payload) {
    const auto down = decode_down(payload);
    if (!down) return fail("a message from the server cannot be read: " + to_string(down.error()));
    if (std::holds_alternative<Busy>(*down)) return fail("the server's queue is shorter than the windows of this load");
    const auto* receipt = std::get_if<Receipt>(&*down);
    if (receipt == nullptr) return;
    if (!receipt->bad.empty()) return fail("refused: " + receipt->bad[0].message);
    const auto now = SteadyClock::now();
    for (const auto& id : receipt->ok) {
      const auto found = sent_.find(id);
      if (found == sent_.end()) continue;
      latencies_ms_.push_back(std::chrono::duration<double, std::milli>(now - found->second.at).count());
      sent_.erase(found);
      if (options_.pace.count() == 0) send_next();
    }
  }

  void check(int code, const char* what) {
    if (code != MOSQ_ERR_SUCCESS) fail(std::string(what) + ": " + mosquitto_strerror(code));
  }
  void fail(const std::string& text) {
    if (problem_.empty()) problem_ = device_ + " " + text;
  }

  struct Free {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };

  const Options& options_;
  std::string device_, up_, down_, problem_;
  std::deque<Message> waiting_;
  std::unordered_map<Uuid, Sent> sent_;
  std::vector<double> latencies_ms_;
  bool ready_ = false, started_ = false;
  SteadyClock::time_point next_;
  std::unique_ptr<mosquitto, Free> client_;
};

class Load {
 public:
  explicit Load(const Options& options) : pace_(options.pace) {
    for (const auto& config : options.configs) handhelds_.push_back(std::make_unique<Handheld>(config, options));
    for (const auto& handheld : handhelds_) sockets_.push_back({handheld->socket(), POLLIN, 0});
  }

  // Until all are so, or `limit`; idle() is called when nothing has come for as long as a handheld has patience.
  template <class Done, class Idle>
  void run_until(Done&& done, std::chrono::seconds limit, const char* what, Idle&& idle) {
    const auto end = SteadyClock::now() + limit;
    while (!std::ranges::all_of(handhelds_, [&](const auto& handheld) { return done(*handheld); })) {
      if (SteadyClock::now() > end) throw std::runtime_error(std::string(what) + " took too long");
      for (std::size_t i = 0; i < sockets_.size(); ++i) sockets_[i].events = handhelds_[i]->wants();
      // A paced load looks at its clock every millisecond, and again for what TLS holds back from the socket.
      const auto wait = pace_.count() > 0 ? 1 : static_cast<int>(std::chrono::milliseconds(kPatience).count());
      if (::poll(sockets_.data(), sockets_.size(), wait) == 0) idle();
      for (std::size_t i = 0; i < sockets_.size(); ++i) {
        if ((sockets_[i].revents & ~POLLOUT) != 0) handhelds_[i]->read();
        handhelds_[i]->keep_pace();
        handhelds_[i]->write();
        if (!handhelds_[i]->problem().empty()) throw std::runtime_error(handhelds_[i]->problem());
      }
    }
  }

  std::vector<std::unique_ptr<Handheld>>& handhelds() { return handhelds_; }

 private:
  std::vector<std::unique_ptr<Handheld>> handhelds_;
  std::vector<pollfd> sockets_;
  const std::chrono::milliseconds pace_;
};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int run(const Options& options) {
  Load load(options);
  load.run_until([](const Handheld& handheld) { return handheld.ready(); }, std::chrono::seconds(30), "connecting",
                 [] {});

  std::size_t resent = 0;
  const double cpu_before = cpu_seconds();
  const auto begin = SteadyClock::now();
  for (auto& handheld : load.handhelds()) handheld->start();
  load.run_until(
      [](const Handheld& handheld) { return handheld.finished(); },
      std::chrono::minutes(2) + std::chrono::duration_cast<std::chrono::seconds>(options.pace * options.records),
      "the load",
      [&] {
        for (auto& handheld : load.handhelds()) resent += handheld->send_again();
      });
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  const double cpu = cpu_seconds() - cpu_before;

  std::vector<double> latencies;
  for (auto& handheld : load.handhelds()) {
    handheld->disconnect();
    latencies.insert(latencies.end(), handheld->latencies_ms().begin(), handheld->latencies_ms().end());
  }
  std::sort(latencies.begin(), latencies.end());
  const auto count = static_cast<double>(latencies.size());
  const auto at = [&](double share) { return latencies[static_cast<std::size_t>(share * (count - 1))]; };
  std::printf(
      "{\"records\":%zu,\"seconds\":%.4f,\"per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
      "\"load_us\":%.1f,\"resent\":%zu}\n",
      latencies.size(), seconds, count / seconds, at(0.5), at(0.99), 1e6 * cpu / count, resent);
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
    } else if (word == "--pace-ms") {
      options.pace = std::chrono::milliseconds(std::stol(value()));
    } else if (word == "--window") {
      options.window = std::stoul(value());
    } else if (word == "--records") {
      options.records = std::stoul(value());
    } else {
      options.configs.push_back(word);
    }
  }
  if (options.configs.empty()) {
    std::cerr << "usage: bench_ingest_load [--category C] [--position LAT,LON] [--window N] [--pace-ms N] [--records "
                 "N] device.json…\n";
    return 2;
  }
  mosquitto_lib_init();
  try {
    return gridward::bench::run(options);
  } catch (const std::exception& problem) {
    std::cerr << "bench_ingest_load: " << problem.what() << "\n";
    return 1;
  }
}
