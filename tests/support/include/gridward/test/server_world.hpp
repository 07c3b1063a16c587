// The use cases on their real parts (SQLite, files, libsodium) with a small town, for component tests. What the world
// outside would hear is recorded; time stands still until it is told to go on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <gridward/app/services.hpp>
#include <gridward/platform/crypto.hpp>
#include <gridward/shared/topics.hpp>
#include <gridward/storage/store.hpp>
#include <gridward/test/demo_process.hpp>
#include <gridward/test/process.hpp>
#include <gridward/vision/photo_store.hpp>
#include <mutex>

namespace gridward::test {

class ManualClock : public app::Clock {
 public:
  UnixMs now() override { return from_unix_ms(now_.load()); }
  void set(UnixMs at) { now_ = to_unix_ms(at); }
  void advance(Millis by) { now_ += by.count(); }

 private:
  // Thursday 2026-03-12, 09:00 in China.
  std::atomic<std::int64_t> now_{1773277200000};
};

class RealCrypto : public app::Crypto {
 public:
  Sha256 sha256(ByteView bytes) override { return platform::sha256(bytes); }
  void random(std::span<std::uint8_t> out) override { platform::random_bytes(out); }
  bool verify_ed25519(const PublicKey& key, ByteView message, const Signature& signature) override {
    return platform::verify_ed25519(key, message, signature);
  }
  std::string hash_password(std::string_view password) override { return platform::hash_password(password); }
  bool verify_password(std::string_view encoded, std::string_view password) override {
    return platform::verify_password(encoded, password);
  }
};

class RecordingDevices : public app::DevicePublisher {
 public:
  struct Sent {
    std::string town;
    std::string device;
    DownMessage message;
  };
  void send(const std::string& town, const std::string& device, const DownMessage& message) override {
    const std::scoped_lock lock(mutex_);
    sent_.push_back({town, device, message});
    if (forward_ != nullptr) forward_->send(town, device, message);
  }
  // Takes what was sent so far.
  std::vector<Sent> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(sent_, {});
  }
  void forward_to(app::DevicePublisher* next) {
    const std::scoped_lock lock(mutex_);
    forward_ = next;
  }

 private:
  std::mutex mutex_;
  std::vector<Sent> sent_;
  app::DevicePublisher* forward_ = nullptr;
};

class RecordingLive : public app::LivePublisher {
 public:
  void publish(const app::LiveEvent& event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(event);
  }
  std::vector<app::LiveEvent> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<app::LiveEvent> events_;
};

template <class T, class E>
T must(tl::expected<T, E> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline const std::string kTown = "120116115";
inline const std::string kOtherTown = "120116116";
inline const std::string kPassword = "correct horse";

inline Polygon box(double south, double west, double north, double east) {
  return {{geo_point(south, west), geo_point(south, east), geo_point(north, east), geo_point(north, west)}, {}};
}

inline domain::Policy demo_policy() {
  using namespace std::chrono_literals;
  domain::Policy p;
  p.id = "binhai";
  p.name = "滨海新区";
  p.calendar.hours = {{8h + 30min, 12h}, {14h, 17h + 30min}};
  p.calendar.known_to = std::chrono::year{2026};
  p.categories["0101"] = {"0101", "路面破损", "general", "", false, false};
  add_demo_process(p);
  return p;
}

struct WorldOptions {
  std::size_t queue_limit = 8192;
  std::size_t queue_bytes = 64 * 1024 * 1024;
  std::string url{};  // of an empty database; none: SQLite in the world's own folder
};

class ServerWorld {
 public:
  explicit ServerWorld(WorldOptions options = {}) : policy(demo_policy()) {
    storage::StoreOptions store_options;
    store_options.url = options.url.empty() ? "sqlite://" + (dir / "world.db").string() : options.url;
    store_options.queue_limit = options.queue_limit;
    store_options.queue_bytes = options.queue_bytes;
    store = must(storage::open_store(store_options));
    photos = must(vision::FilePhotoStore::open(dir / "photos"));
    cases = std::make_unique<app::Cases>(services());
    duty = std::make_unique<app::Duty>(services());
    organisation = std::make_unique<app::Organisation>(services());
    ingest = std::make_unique<app::Ingest>(services(), *cases, *duty);
    seed();
  }
  ~ServerWorld() {
    ingest.reset();
    store->stop();
  }

  app::Services services() { return {*store, clock, crypto, live, devices, *photos, policy}; }

  domain::Actor actor(const std::string& login) {
    const auto user = find_user(login);
    return {user.login, user.name, user.role, user.org, user.org_path};
  }
  app::User find_user(const std::string& login) {
    std::optional<app::User> user;
    must(store->read([&](app::Tx& tx) -> Result<void> {
      user = tx.find_user(login);
      return {};
    }));
    return user.value();
  }
  template <class F>
  auto read(F&& f) {
    using Out = std::invoke_result_t<F, app::Tx&>;
    std::optional<Out> out;
    must(store->read([&](app::Tx& tx) -> Result<void> {
      out = f(tx);
      return {};
    }));
    return std::move(*out);
  }

  TempDir dir;
  ManualClock clock;
  RealCrypto crypto;
  RecordingLive live;
  RecordingDevices devices;
  domain::Policy policy;
  std::unique_ptr<storage::StoreWithControl> store;
  std::unique_ptr<vision::FilePhotoStore> photos;
  std::unique_ptr<app::Cases> cases;
  std::unique_ptr<app::Duty> duty;
  std::unique_ptr<app::Organisation> organisation;
  std::unique_ptr<app::Ingest> ingest;
  std::map<std::string, platform::KeyPair> keys;  // by device

  // Two grids side by side, each about 1.1 km by 0.86 km; V2 in the other town.
  const Polygon west = box(39.20, 117.80, 39.21, 117.81);
  const Polygon east = box(39.20, 117.81, 39.21, 117.82);

 private:
  void seed() {
    using app::OrgKind;
    app::ImportBatch batch;
    const auto org = [&](std::string code, std::string parent, OrgKind kind, std::string name) {
      app::OrgNode node;
      node.code = std::move(code);
      node.parent = std::move(parent);
      node.kind = kind;
      node.name = std::move(name);
      batch.orgs.push_back({"orgs.csv", batch.orgs.size() + 1, node});
    };
    org("120116", "", OrgKind::district, "滨海新区");
    org(kTown, "120116", OrgKind::town, "东镇");
    org(kOtherTown, "120116", OrgKind::town, "西镇");
    org("V1", kTown, OrgKind::village, "一村");
    org("V2", kOtherTown, OrgKind::village, "二村");
    org("G1", "V1", OrgKind::grid, "一村第一网格");
    org("G2", "V1", OrgKind::grid, "一村第二网格");
    org("G3", "V2", OrgKind::grid, "二村第一网格");
    org("U1", kTown, OrgKind::unit, "东镇建设办");
    org("U2", "120116", OrgKind::unit, "区城管委");
    batch.outlines.push_back({"grids.geojson", 1, "G1", west});
    batch.outlines.push_back({"grids.geojson", 2, "G2", east});
    const auto user = [&](std::string login, std::string name, domain::Role role, std::string at) {
      app::User one;
      one.login = std::move(login);
      one.name = std::move(name);
      one.role = role;
      one.org = std::move(at);
      batch.users.push_back({"users.csv", batch.users.size() + 1, one, ""});
    };
    user("m1", "甲", domain::Role::grid_member, "G1");
    user("m2", "乙", domain::Role::grid_member, "G2");
    user("m3", "丙", domain::Role::grid_member, "G3");
    user("op", "丁", domain::Role::town_operator, kTown);
    user("op2", "戊", domain::Role::town_operator, kOtherTown);
    user("u1", "己", domain::Role::handling_unit, "U1");
    user("u2", "庚", domain::Role::handling_unit, "U2");
    user("boss", "辛", domain::Role::leader, "120116");
    user("root", "壬", domain::Role::system_admin, "120116");
    user("district", "癸", domain::Role::town_operator, "120116");
    user("hotline", "热线", domain::Role::channel, "120116");
    user("intake", "子", domain::Role::intake_desk, "120116");
    user("chief1", "丑", domain::Role::unit_leader, "U1");
    const auto device = [&](std::string id, std::string town, std::string holder) {
      const auto pair = platform::make_ed25519_keys();
      keys[id] = pair;
      app::Device one;
      one.id = std::move(id);
      one.town = std::move(town);
      one.holder = std::move(holder);
      one.public_key = pair.public_key;
      batch.devices.push_back({"devices.csv", batch.devices.size() + 1, one});
    };
    device("hh-1", kTown, "m1");
    device("hh-2", kTown, "m2");
    device("hh-3", kOtherTown, "m3");
    // Argon2 is slow on purpose: one hash for all of them, put where the import would put each one's own.
    static const std::string hash = platform::hash_password(kPassword);
    must(store->write([&](app::Tx& tx) -> Result<void> {
      for (const auto& row : batch.users) {
        auto one = row.user;
        one.password_hash = hash;
        tx.upsert_user(one);
      }
      return {};
    }));
    const auto report = app::run_import(services(), batch);
    if (!report.problems.empty()) {
      const auto& first = report.problems.front();
      throw std::runtime_error(first.file + ":" + std::to_string(first.line) + " " + first.field + " " + first.message);
    }
  }
};

// One handheld's outbox: makes records in order and messages of them.
class Handheld {
 public:
  Handheld(ServerWorld& world, std::string id, std::string actor, std::string town = kTown)
      : world_(world), id_(std::move(id)), actor_(std::move(actor)), town_(std::move(town)) {
    epoch = fresh_id();
  }

  Record record(RecordBody body) {
    Record r;
    r.id = fresh_id();
    r.epoch = epoch;
    r.actor = actor_;
    r.seq = ++seq;
    r.at = world_.clock.now();
    r.mono = Millis{1000 * static_cast<std::int64_t>(r.seq)};
    r.boot = epoch;
    r.clock = {ClockSource::gnss, 10};
    r.body = std::move(body);
    return r;
  }
  Record report(std::string text, std::optional<GeoPoint> at = geo_point(39.205, 117.805)) {
    auto r = record(ReportBody{"0101", std::move(text)});
    if (at) r.fix = fix(*at);
    return r;
  }
  Fix fix(GeoPoint at) {
    Fix f;
    f.point = at;
    f.accuracy_cm = 500;
    f.at = world_.clock.now();
    return f;
  }

  UpMessage message(const std::vector<Record>& records, bool sign = true) {
    UpMessage up;
    up.epoch = epoch;
    std::vector<Sha256> hashes;
    for (const auto& r : records) {
      up.records.push_back(encode_record(r));
      hashes.push_back(platform::sha256(up.records.back()));
    }
    if (sign && !records.empty()) {
      up.signature = platform::sign_ed25519(world_.keys.at(id_).secret_key, signing_input(epoch, hashes));
    }
    return up;
  }
  // Of a device that has heard this store's receipts, or, without `has`, none yet.
  UpMessage hello(std::optional<std::uint64_t> has = std::nullopt) {
    auto up = has ? ack(*has) : message({});
    up.hello = true;
    return up;
  }
  UpMessage ack(std::uint64_t has) {
    auto up = message({});
    up.ack = has;
    up.generation = world_.read([](app::Tx& tx) { return tx.generation(); });
    return up;
  }
  std::string topic(TopicKind kind = TopicKind::up) const { return to_string(Topic{kind, town_, id_}); }

  // Straight into ingest, and all that it sent back to this device.
  std::vector<DownMessage> send(const UpMessage& up) {
    world_.ingest->up(topic(), encode_up(up));
    return answers();
  }
  std::vector<DownMessage> send(const std::vector<Record>& records) { return send(message(records)); }
  std::vector<DownMessage> send_piece(const MediaPiece& piece) {
    world_.ingest->media(topic(TopicKind::media), encode_media_piece(piece));
    return answers();
  }
  std::vector<DownMessage> answers() {
    world_.ingest->wait_idle();
    std::vector<DownMessage> out;
    for (auto& sent : world_.devices.take()) {
      if (sent.device == id_ && sent.town == town_) out.push_back(std::move(sent.message));
    }
    return out;
  }
  Receipt receipt(const std::vector<Record>& records) { return receipt_of(send(records)); }

  static Receipt receipt_of(const std::vector<DownMessage>& answers) {
    std::optional<Receipt> found;
    for (const auto& answer : answers) {
      if (const auto* one = std::get_if<Receipt>(&answer)) {
        if (found) throw std::runtime_error("two receipts");
        found = *one;
      }
    }
    if (!found) throw std::runtime_error("no receipt among " + std::to_string(answers.size()) + " answers");
    return *found;
  }

  Uuid fresh_id() {
    std::array<std::uint8_t, 10> random{};
    platform::random_bytes(random);
    return make_uuid_v7(world_.clock.now(), random);
  }

  Uuid epoch;
  std::uint64_t seq = 0;

 private:
  ServerWorld& world_;
  std::string id_;
  std::string actor_;
  std::string town_;
};

}  // namespace gridward::test
