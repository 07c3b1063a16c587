#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <gridward_device/agent.hpp>
#include <gridward_device/version.hpp>

namespace gridward::device {
namespace {

constexpr Millis kPruneEvery{600'000};
constexpr Millis kBeginAgain{5'000};  // after a failed commit; doubles
constexpr Millis kBeginAgainMax{60'000};

Sha256 sha256(ByteView data) {
  Sha256 digest{};
  EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::uint64_t seed_of(const Ports& ports) {
  std::uint64_t seed = 0;
  ports.random(reinterpret_cast<std::uint8_t*>(&seed), sizeof seed);
  return seed;
}

// How the agent stands is told by locks on bytes of its file, which end with the process however it ends, and of which
// no flash knows. (flock() on the same file is another matter: whether there may be an agent.)
enum Shown : off_t { kRuns = 0, kConnected = 1 };

struct flock byte_lock(Shown byte, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}
void show(int fd, Shown byte, bool on) {
  auto lock = byte_lock(byte, on ? F_WRLCK : F_UNLCK);
  ::fcntl(fd, F_OFD_SETLK, &lock);  // where it cannot be told, it is not known: nothing depends on it
}
bool shown(int fd, Shown byte) {
  auto lock = byte_lock(byte, F_WRLCK);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool sodium_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

}  // namespace

// ---- the key ----

Result<void> DeviceKey::create(const std::filesystem::path& file, const Ports& ports) {
  bool made = std::filesystem::exists(file);
  if (!made) {
    std::array<std::uint8_t, 32> seed{};
    ports.random(seed.data(), seed.size());
    const auto text = to_hex(seed) + "\n";
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    made = write_durably(file, as_bytes(text), 0600);
  }
  // Also one that was there: the `init` that made it may have been killed before it was on the disk.
  if (!made || !sync_file_system(file.parent_path())) {
    return fail(ErrorCode::storage_failed, "key_file", file.string() + " cannot be written");
  }
  return {};
}

Result<DeviceKey> DeviceKey::load(const std::filesystem::path& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) return fail(ErrorCode::not_enrolled, "key_file", file.string());
  if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::config_invalid, "key_file", file.string() + " can be read by others; chmod 600");
  }
  auto text = read_small_file(file, 128);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto seed = from_hex(text);
  if (!seed || seed->size() != crypto_sign_SEEDBYTES || !sodium_ready()) {
    return fail(ErrorCode::config_invalid, "key_file", file.string() + " is not 64 hex characters");
  }
  DeviceKey key;
  crypto_sign_seed_keypair(key.public_.data(), key.secret_.data(), seed->data());
  return key;
}

Signature DeviceKey::sign(ByteView message) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
  return signature;
}

// ---- life ----

gw_agent_state agent_state(const std::filesystem::path& data_dir) {
  // For writing, though nothing is: the end of a look alone would wake the agent (OutboxWatch).
  const Descriptor file(::open((data_dir / "agent.lock").c_str(), O_RDWR | O_CLOEXEC));
  if (!file || !shown(file.get(), kRuns)) return GW_AGENT_NONE;
  return shown(file.get(), kConnected) ? GW_AGENT_CONNECTED : GW_AGENT_OFFLINE;
}

Result<std::unique_ptr<Agent>> Agent::start(const Config& config, const Ports& ports, Outbox& outbox,
                                            std::function<void()> wake) {
  auto key = DeviceKey::load(config.key_file);
  if (!key) return tl::unexpected(key.error());
  Descriptor lock(::open((config.data_dir / "agent.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail(ErrorCode::storage_failed, "data_dir", "agent.lock: " + std::string(std::strerror(errno)));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(ErrorCode::storage_failed, "data_dir", std::strerror(errno));
    auto who = read_small_file(config.data_dir / "agent.lock", 32);
    if (!who.empty() && who.back() == '\n') who.pop_back();
    return fail(ErrorCode::unavailable, "data_dir",
                "an agent runs on " + config.data_dir.string() + " already" + (who.empty() ? "" : ", process " + who));
  }
  show(lock.get(), kRuns, true);
  outbox.make_durable();
  // For whoever finds it locked; on a full disk it stays empty.
  const auto self = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) == 0) write_all(lock.get(), as_bytes(self));
  std::unique_ptr<Agent> agent(new Agent(config, ports, outbox, std::move(*key), std::move(lock)));
  auto transport = Transport::open(ports.transport(), config.transport, std::move(wake));
  if (!transport) return tl::unexpected(transport.error());
  agent->transport_ = std::move(*transport);
  if (!config.no_watch) agent->watch_ = std::make_unique<OutboxWatch>(config.data_dir);
  agent->feed(in::Start{});
  agent->settle();
  return agent;
}

Agent::Agent(const Config& config, const Ports& ports, Outbox& outbox, DeviceKey key, Descriptor lock)
    : config_(config),
      ports_(ports),
      outbox_(outbox),
      key_(std::move(key)),
      lock_(std::move(lock)),
      machine_(SyncOptions{}, known(), seed_of(ports)) {
  const auto now = ports_.mono();
  next_prune_ = now;
  derive(now);
  if (next_heartbeat_) next_heartbeat_ = now;
}

void Agent::derive(Millis now) {
  data_version_ = outbox_.data_version();
  rewinds_ = outbox_.rewinds();
  duty_ = outbox_.duty();
  set_up(now);
  last_safe_.reset();
  pending_since_.reset();
  if (outbox_.first_pending_point()) pending_since_ = now;
  outside_ = true;
}

void Agent::set_up(Millis now) {
  settings_ = settings_of(config_, outbox_.settings());
  next_point_ = std::min(next_point_, now + settings_.track_interval);
  if (settings_.heartbeat <= Millis{0}) {
    next_heartbeat_.reset();
  } else {
    const auto next = now + settings_.heartbeat;
    next_heartbeat_ = next_heartbeat_ ? std::min(*next_heartbeat_, next) : next;
  }
}

Agent::~Agent() { stop(); }

void Agent::stop() {
  if (!transport_) return;
  try {
    feed(in::Stop{});
    settle();
  } catch (const StorageError&) {
    // The disk is gone; what was receipted a moment ago is sent again, and that is allowed.
  }
  transport_.reset();
  if (tracking_) ports_.position_active(false);
  tracking_ = false;
}

std::optional<Millis> Agent::step() {
  const Millis now = ports_.mono();
  if (begin_at_ && now < *begin_at_) return begin_at_;
  try {
    if (begin_at_) {
      machine_ = SyncMachine(SyncOptions{}, known(), seed_of(ports_));
      derive(now);
      transport_->take_events();  // of the connection that was given up
      begin_at_.reset();
      feed(in::Start{});
    }
    return turn(now);
  } catch (const StorageError& error) {
    fall_back(now, error);
    throw;
  }
}

void Agent::fall_back(Millis now, const StorageError& error) {
  changes_.clear();
  after_commit_.clear();
  down_stored_ = hang_up_ = prune_due_ = false;
  machine_.handle(in::Stop{}, now);
  show_link();
  transport_->disconnect();
  transport_->take_events();
  const auto wait = std::min(kBeginAgainMax, kBeginAgain * (std::int64_t{1} << std::min(failures_, 8U)));
  ++failures_;
  begin_at_ = now + wait;
  const auto code = error.code == SQLITE_FULL ? GW_E_OUTBOX_FULL : GW_E_STORAGE_FAILED;
  ports_.event(GW_EVENT_STORAGE_FAILED, "", error.what(), code);
  if (std::exchange(up_, false)) ports_.event(GW_EVENT_DISCONNECTED, "", "storage failed");
}

void Agent::show_link() {
  if (shown_ == machine_.greeted()) return;
  shown_ = machine_.greeted();
  show(lock_.get(), kConnected, shown_);
}

std::optional<Millis> Agent::turn(Millis now) {
  look_outside(now);
  take_transport_events();
  record_track(now);
  send_heartbeat(now);
  if (const auto timer = machine_.next_timer(); timer && *timer <= now) feed(in::Tick{});
  settle();
  show_link();
  if (prune_due_ || now >= next_prune_) {
    prune_due_ = false;
    next_prune_ = now + kPruneEvery;
    outbox_.prune();
  }
  return next();
}

std::optional<Millis> Agent::next() const {
  if (begin_at_) return begin_at_;
  std::optional<Millis> next = machine_.next_timer();
  const auto at = [&](std::optional<Millis> time) {
    if (time) next = next ? std::min(*next, *time) : *time;
  };
  if (watch_) at(watch_->next_timer());
  if (tracking_) at(next_point_);
  if (pending_since_) at(*pending_since_ + settings_.track_batch);
  if (machine_.greeted()) at(next_heartbeat_);
  at(next_prune_);
  if (outside_) at(ports_.mono());
  return next;
}

void Agent::look_outside(Millis now) {
  if (watch_ && watch_->look(now)) {
    const auto version = outbox_.data_version();
    if (version != data_version_) {
      data_version_ = version;
      outside_ = true;
    }
  }
  if (!outside_) return;
  outside_ = false;
  duty_ = outbox_.duty();
  if (const auto rewinds = outbox_.rewinds(); rewinds != rewinds_) {
    rewinds_ = rewinds;
    feed(in::Rewound{});
  } else {
    feed(in::WorkAdded{});
  }
}

void Agent::take_transport_events() {
  for (auto& event : transport_->take_events()) {
    switch (event.kind) {
      case GW_LINK_CONNECTED:
        feed(in::Connected{});
        up_ = true;
        ports_.event(GW_EVENT_CONNECTED, "", "");
        break;
      case GW_LINK_CONNECT_FAILED:
        feed(in::ConnectFailed{});
        up_ = false;
        ports_.event(GW_EVENT_DISCONNECTED, "", event.text, event.reason);
        break;
      case GW_LINK_DISCONNECTED:
        feed(in::Disconnected{});
        up_ = false;
        ports_.event(GW_EVENT_DISCONNECTED, "", event.text, event.reason);
        break;
      case GW_LINK_PUBLISH_REFUSED:
        feed(in::PublishRefused{event.token, event.reason});
        break;
      case GW_LINK_MESSAGE:
        // What cannot be read is nothing to us; the server's next word comes after our timeout.
        if (auto message = decode_down(event.payload)) feed(in::Down{std::move(*message)});
        break;
    }
  }
}

// ---- the machine's outputs ----

void Agent::feed(const SyncInput& input) {
  for (const auto& output : machine_.handle(input, ports_.mono())) run(output);
}

void Agent::run(const SyncOutput& output) {
  const auto wall = ports_.wall();
  std::visit(
      [&](const auto& o) {
        using T = std::decay_t<decltype(o)>;
        if constexpr (std::is_same_v<T, out::Connect>) {
          hang_up_ = false;  // connect() does it first
          transport_->connect();
        } else if constexpr (std::is_same_v<T, out::Disconnect>) {
          hang_up_ = true;  // after the commit
        } else if constexpr (std::is_same_v<T, out::LoadRecords>) {
          settle();
          feed(in::RecordsLoaded{o.lane, outbox_.waiting(o.lane, o.after_seq, o.max_records, o.max_bytes)});
        } else if constexpr (std::is_same_v<T, out::LoadMedia>) {
          settle();
          feed(in::MediaLoaded{outbox_.waiting_media(o.except, o.max)});
        } else if constexpr (std::is_same_v<T, out::PublishUp> || std::is_same_v<T, out::PublishPiece>) {
          later([this, o] { perform(o); });
        } else if constexpr (std::is_same_v<T, out::Receipted>) {
          changes_.push_back([this, o, wall] {
            for (const auto& id : outbox_.mark_receipted(o.ids, wall)) {
              later([this, id] { ports_.event(GW_EVENT_RECEIPTED, to_string(id), ""); });
            }
          });
        } else if constexpr (std::is_same_v<T, out::Refused>) {
          changes_.push_back([this, o, wall] {
            const auto stored = outbox_.mark_refused(o.bad, wall);
            if (!stored.changed) return;
            later([this, o, stored] {
              const int code = static_cast<int>(o.bad.code);
              ports_.event(GW_EVENT_REFUSED, to_string(o.bad.id), o.bad.message, code);
              if (stored.reopened) {
                ports_.event(GW_EVENT_TASK_REOPENED, to_string(*stored.reopened), o.bad.message, code);
              }
            });
          });
        } else if constexpr (std::is_same_v<T, out::ServerNow>) {
          const ServerTime time{o.now, ports_.mono(), ports_.boot(), bound_ms(o.uncertainty)};
          changes_.push_back([this, time] {
            // The answer to a message that waited long says less than an earlier one that came at once.
            const auto known = outbox_.server_time();
            if (!known || known->boot != time.boot ||
                carried(known->reading(), time.mono).quality.error_ms >= time.error_ms) {
              outbox_.save_server_time(time);
            }
          });
        } else if constexpr (std::is_same_v<T, out::Safe>) {
          if (o == last_safe_) return;
          last_safe_ = o;
          prune_due_ = true;
          changes_.push_back([this, o] { outbox_.save_safe(o.generation, o.safe); });
          outside_ = true;  // another generation makes records wait again
        } else if constexpr (std::is_same_v<T, out::MediaStarted>) {
          changes_.push_back([this, o] { outbox_.mark_media_started(o.sha256); });
        } else if constexpr (std::is_same_v<T, out::MediaComplete>) {
          changes_.push_back([this, o] {
            if (!outbox_.mark_media_complete(o.sha256)) return;
            later([this, o] { ports_.event(GW_EVENT_MEDIA_DONE, to_hex(o.sha256), ""); });
          });
        } else if constexpr (std::is_same_v<T, out::MediaRestarted>) {
          changes_.push_back([this, o] { outbox_.mark_media_restarted(o.sha256); });
        } else if constexpr (std::is_same_v<T, out::MediaRefused>) {
          changes_.push_back([this, o, wall] { outbox_.mark_media_refused(o.sha256, o.code, wall); });
          later([this, o] {
            ports_.event(GW_EVENT_MEDIA_REFUSED, to_hex(o.sha256), std::string(error_info(o.code).zh),
                         static_cast<int>(o.code));
          });
        } else if constexpr (std::is_same_v<T, out::StoreDown>) {
          down_stored_ = true;
          changes_.push_back([this, o, wall] {
            if (outbox_.store_down(o.item, wall)) {
              const auto generation = outbox_.generation();
              later([this, o, store = generation ? to_string(*generation) : std::string()] {
                if (o.item.kind == kSettings) set_up(ports_.mono());
                ports_.event(GW_EVENT_DOWN, o.item.kind, o.item.body, 0, o.item.n, store);
              });
            }
          });
        } else if constexpr (std::is_same_v<T, out::DownBaseline>) {
          down_stored_ = true;
          changes_.push_back([this, o] { outbox_.set_down_baseline(o.first); });
        } else if constexpr (std::is_same_v<T, out::LinkRefused>) {
          later([this, o] { ports_.event(GW_EVENT_LINK_REFUSED, "", "", o.reason); });
        } else if constexpr (std::is_same_v<T, out::Restored>) {
          later([this] {
            up_ = false;
            ports_.event(GW_EVENT_DISCONNECTED, "", "the server was restored from a backup: connecting anew");
          });
        } else if constexpr (std::is_same_v<T, out::Waiting>) {
          later([this, o] { ports_.event(GW_EVENT_BUSY, "", "", 0, static_cast<std::uint64_t>(o.wait.count())); });
        }
      },
      output);
}

void Agent::settle() {
  while (!changes_.empty() || !after_commit_.empty() || down_stored_) {
    if (!changes_.empty()) {
      const auto changes = std::exchange(changes_, {});
      outbox_.transaction([&] {
        for (const auto& change : changes) change();
      });
      failures_ = 0;
    }
    const auto after = std::exchange(after_commit_, {});
    for (const auto& event : after) event();
    if (std::exchange(down_stored_, false)) feed(in::DownStored{outbox_.down_ack()});
  }
  if (std::exchange(hang_up_, false)) transport_->disconnect();
}

void Agent::perform(const out::PublishUp& publish) {
  UpMessage message;
  message.epoch = outbox_.epoch();
  message.ack = publish.ack;
  message.hello = publish.hello;
  message.generation = publish.generation;
  message.records = outbox_.load(publish.seqs);
  if (!message.records.empty()) {
    std::vector<Sha256> hashes;
    hashes.reserve(message.records.size());
    for (const auto& record : message.records) hashes.push_back(sha256(record));
    message.signature = key_.sign(signing_input(message.epoch, hashes));
  } else if (!publish.seqs.empty()) {
    return;  // thinned meanwhile; nothing is left to say
  }
  transport_->publish(TopicKind::up, encode_up(message), publish.token);
}

void Agent::perform(const out::PublishPiece& publish) {
  MediaPiece piece;
  piece.sha256 = publish.sha256;
  piece.size = publish.size;
  piece.offset = publish.offset;
  if (publish.length > 0) {
    auto data = outbox_.load_piece(publish.sha256, publish.offset, publish.length);
    if (!data) {
      feed(in::MediaUnreadable{publish.sha256});
      return;
    }
    piece.data = std::move(*data);
  }
  transport_->publish(TopicKind::media, encode_media_piece(piece), publish.token);
}

// ---- duty ----

ClockReading Agent::clock(const std::optional<gw_fix>& fix) const {
  return read_clock(ports_.wall(), ports_.mono(), ports_.boot(), fix, outbox_.server_time());
}

Draft Agent::stamp(const RecordBody& body) const {
  Draft draft;
  draft.boot = ports_.boot();
  const auto time = clock(std::nullopt);
  draft.at = time.at;
  draft.mono = time.mono;
  draft.clock = time.quality;
  draft.id = ports_.new_id(draft.at);
  draft.actor = duty_.actor.empty() ? config_.actor : duty_.actor;
  draft.body = body;
  return draft;
}

void Agent::record_track(Millis now) {
  if (duty_.on_duty != tracking_) {
    tracking_ = duty_.on_duty;
    ports_.position_active(tracking_);
    next_point_ = now;
    if (!tracking_) pending_since_.reset();  // the sign-out has closed the batch
  }
  if (tracking_ && now >= next_point_) {
    next_point_ = now + settings_.track_interval;
    const auto fix = ports_.position(Millis{0});
    if (fix && fix->mono_ms != last_fix_) {
      last_fix_ = fix->mono_ms;
      TrackPoint point;
      const auto time = clock(fix);
      point.at = time.at - (time.mono - Millis{fix->mono_ms});
      point.point = {fix->lat_e7, fix->lon_e7};
      point.accuracy_cm = fix->accuracy_cm;
      const auto stored = outbox_.add_track_point(point, {Millis{fix->mono_ms}, ports_.boot(), time.quality});
      if (stored == PointStored::kept && !pending_since_) pending_since_ = now;
      if (stored == PointStored::off_duty) outside_ = true;  // somebody signed out a moment ago
      // A receiver that errs goes on doing so: told at the first, counted at each.
      if (stored == PointStored::refused && !points_refused_) {
        ports_.event(GW_EVENT_POINT_DROPPED, "", "position or time out of range");
      }
      points_refused_ = stored == PointStored::refused;
    }
  }
  if (pending_since_ && now - *pending_since_ >= settings_.track_batch) close_track();
}

void Agent::close_track() {
  pending_since_.reset();
  if (outbox_.close_track(stamp(TrackBody{})) > 0) feed(in::WorkAdded{});
}

void Agent::send_heartbeat(Millis now) {
  // Not connected: what it would say is old when it arrives. The next connection sends one.
  if (!next_heartbeat_ || now < *next_heartbeat_ || !machine_.greeted()) return;
  next_heartbeat_ = now + settings_.heartbeat;
  const auto summary = outbox_.summary();
  StatusBody body;
  body.waiting_records = static_cast<std::uint32_t>(std::min<std::uint64_t>(summary.waiting_records, UINT32_MAX));
  body.waiting_bytes = summary.waiting_bytes;
  if (summary.oldest) {
    body.oldest_age_s = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, (clock(std::nullopt).at - *summary.oldest).count() / 1000));
  }
  body.battery_percent = ports_.battery();
  body.version = kVersion;
  auto draft = stamp(body);
  if (draft.actor.empty()) draft.actor = config_.transport.device;
  if (outbox_.append(draft)) feed(in::WorkAdded{});
}

}  // namespace gridward::device
