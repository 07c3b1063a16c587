// Random inputs against a small reference model: a server that loses, delays, doubles, refuses and is restored from
// its backup, a link that comes and goes and drops items. After each step the promises must hold; at the end, when
// everything works, nothing may be left, nothing that the outbox still has may be missing at the server, and no item of
// the server on the device.
#include <gtest/gtest.h>

#include <algorithm>
#include <gridward_device/sync.hpp>
#include <map>
#include <random>
#include <set>

namespace gridward::device {
namespace {

Uuid id_of(std::uint64_t n) {
  Uuid id;
  for (int i = 0; i < 8; ++i) id.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return id;
}
std::uint64_t seq_of(const Uuid& id) {
  std::uint64_t n = 0;
  for (std::size_t i = 8; i < 16; ++i) n = n << 8 | id.bytes[i];
  return n;
}
Sha256 sha_of(std::uint64_t n) {
  Sha256 sha{};
  for (std::size_t i = 0; i < 8; ++i) sha[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return sha;
}

constexpr std::uint64_t kGrain = 4096;

// What the outbox promises about receipts and `safe`, without a disk.
struct Box {
  enum class State { waiting, done, refused };
  struct Photo {
    std::uint64_t size = 0;
    bool started = false;
    bool complete = false;
  };
  struct Entry {
    Lane lane = Lane::urgent;
    State state = State::waiting;
    std::optional<Sha256> photo;
  };

  void save_safe(const Uuid& from, std::uint64_t reach) {
    if (generation == from) {
      safe = std::max(safe, reach);
      return;
    }
    if (generation) {
      for (auto& [seq, entry] : entries) {
        if (seq <= reach) continue;
        entry.state = State::waiting;
        if (entry.photo) photos[*entry.photo].complete = false;
        rewound = true;
      }
    }
    if (generation) std::erase_if(items, [&](const auto& one) { return one.first > ack.value_or(0); });
    generation = from;
    safe = reach;
  }
  void store(const DownItem& item) {
    seen.insert(item.body);
    items.emplace(item.n, item.body);
    advance();
  }
  void begin_at(std::uint64_t first) {
    if (ack) return;
    ack = first - 1;
    advance();
  }
  void advance() {
    while (ack && items.count(*ack + 1) > 0) ++*ack;
  }
  void prune() {
    std::erase_if(entries, [&](const auto& one) {
      const auto& [seq, entry] = one;
      const bool gone = entry.state == State::done && seq <= safe && (!entry.photo || photos.at(*entry.photo).complete);
      if (gone && entry.photo) photos.erase(*entry.photo);
      return gone;
    });
  }
  bool empty() const {
    return std::none_of(entries.begin(), entries.end(), [&](const auto& one) {
      const auto& entry = one.second;
      if (entry.state == State::refused) return false;
      return entry.state == State::waiting || (entry.photo && !photos.at(*entry.photo).complete);
    });
  }

  std::map<std::uint64_t, Entry> entries;
  std::map<Sha256, Photo> photos;
  std::optional<Uuid> generation;
  std::uint64_t safe = 0;
  bool rewound = false;
  std::map<std::uint64_t, std::string> items;
  std::set<std::string> seen;  // by their contents: a number holds within a store
  std::optional<std::uint64_t> ack;
};

// What a server holds, and what its backup is a copy of.
struct Store {
  bool has(std::uint64_t seq, const std::optional<Sha256>& photo) const {
    if (quarantine.count(seq) > 0) return true;
    if (records.count(seq) == 0) return false;
    return !photo || complete.count(*photo) > 0;
  }
  // Numbers of items, as the server's store gives and takes them (tx_people.cpp: enqueue_down, agree_down).
  void enqueue(std::string body) {
    if (!agreed && !kept_back) kept_back = given + 1;
    numbered.insert(body);
    items.emplace(++given, std::move(body));
  }
  void agree(std::optional<std::uint64_t> ack) {
    if (ack) {
      const auto own = kept_back.value_or(given + 1);
      std::erase_if(items, [&](const auto& one) { return one.first <= *ack && one.first < own; });
      if (*ack >= own) {
        std::map<std::uint64_t, std::string> anew;
        given = *ack;
        for (auto& [n, body] : items) anew.emplace(++given, body);
        items = std::move(anew);
      }
    }
    agreed = true;
    kept_back.reset();
  }
  std::uint64_t first() const { return items.empty() ? given + 1 : items.begin()->first; }
  std::vector<DownItem> pending() const {
    std::vector<DownItem> found;
    for (const auto& [n, body] : items) {
      if ((kept_back && n >= *kept_back) || found.size() == 32) break;
      found.push_back({n, "notice", body, first()});
    }
    return found;
  }

  std::map<std::uint64_t, std::string> items;  // not acknowledged
  std::set<std::string> numbered;
  std::uint64_t given = 0;
  bool agreed = true;                      // by the device, since the restore
  std::optional<std::uint64_t> kept_back;  // from this number on, while it is not
  std::set<std::uint64_t> records;
  std::set<std::uint64_t> quarantine;
  std::map<Sha256, std::vector<bool>> pieces;
  std::set<Sha256> complete;
};

class Model {
 public:
  Model(std::uint64_t seed, bool latest_only)
      : random_(seed), latest_only_(latest_only), machine_(SyncOptions{}, {epoch_, std::nullopt, std::nullopt}, seed) {
    backups_.push_back({});
  }

  void run(int steps) {
    apply(machine_.handle(in::Start{}, now_));
    for (int i = 0; i < steps; ++i) {
      step();
      check();
      if (::testing::Test::HasFatalFailure()) return;
    }
    settle();
  }
  int restores() const { return restores_; }
  bool forgot() const { return box_.entries.size() < ever_.size(); }

 private:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  void feed(const SyncInput& input) {
    apply(machine_.handle(input, now_));
    // The agent looks at the outbox's count of rewinds after each commit.
    if (std::exchange(box_.rewound, false)) feed(in::Rewound{});
  }

  void apply(const std::vector<SyncOutput>& outputs) {
    for (const auto& output : outputs) {
      if (std::holds_alternative<out::Connect>(output)) {
        ASSERT_FALSE(up_) << "connects while connected";
        connecting_ = true;
      } else if (std::holds_alternative<out::Disconnect>(output)) {
        hang_up();
      } else if (const auto* load = std::get_if<out::LoadRecords>(&output)) {
        in::RecordsLoaded answer{load->lane, {}};
        for (auto it = box_.entries.upper_bound(load->after_seq); it != box_.entries.end(); ++it) {
          if (it->second.state == Box::State::waiting && it->second.lane == load->lane &&
              answer.records.size() < load->max_records) {
            answer.records.push_back({it->first, id_of(it->first), 200});
          }
        }
        feed(answer);
      } else if (const auto* media = std::get_if<out::LoadMedia>(&output)) {
        in::MediaLoaded answer;
        for (const auto& [seq, entry] : box_.entries) {
          if (!entry.photo || entry.state != Box::State::done) continue;
          const auto& photo = box_.photos.at(*entry.photo);
          const bool excluded =
              std::find(media->except.begin(), media->except.end(), *entry.photo) != media->except.end();
          if (!photo.complete && !excluded && answer.media.size() < media->max) {
            answer.media.push_back({*entry.photo, photo.size, photo.started, false});
          }
        }
        feed(answer);
      } else if (const auto* publish = std::get_if<out::PublishUp>(&output)) {
        ASSERT_TRUE(up_) << "publishes without a connection";
        ASSERT_LE(publish->seqs.size(), 64U);
        for (const auto seq : publish->seqs) {
          ASSERT_EQ(box_.entries.at(seq).state, Box::State::waiting) << "sends " << seq << " after its receipt";
        }
        if (publish->ack) {
          ASSERT_TRUE(box_.ack && *publish->ack <= *box_.ack) << "acknowledges what is not stored";
        }
        air_.push_back(output);
      } else if (const auto* piece = std::get_if<out::PublishPiece>(&output)) {
        ASSERT_TRUE(up_);
        ASSERT_FALSE(box_.photos.at(piece->sha256).complete) << "sends a finished photo";
        ASSERT_LE(piece->offset + piece->length, piece->size);
        air_.push_back(output);
      } else if (const auto* done = std::get_if<out::Receipted>(&output)) {
        for (const auto& id : done->ids) set_state(seq_of(id), Box::State::done);
      } else if (const auto* refused = std::get_if<out::Refused>(&output)) {
        const auto entry = box_.entries.find(seq_of(refused->bad.id));
        if (entry != box_.entries.end() && entry->second.state == Box::State::waiting) {
          entry->second.state = Box::State::refused;
        }
      } else if (const auto* safe = std::get_if<out::Safe>(&output)) {
        box_.save_safe(safe->generation, safe->safe);
      } else if (const auto* started = std::get_if<out::MediaStarted>(&output)) {
        box_.photos.at(started->sha256).started = true;
      } else if (const auto* complete = std::get_if<out::MediaComplete>(&output)) {
        if (box_.photos.count(complete->sha256) > 0) box_.photos.at(complete->sha256).complete = true;
      } else if (const auto* store = std::get_if<out::StoreDown>(&output)) {
        box_.store(store->item);
        feed(in::DownStored{box_.ack});
      } else if (const auto* baseline = std::get_if<out::DownBaseline>(&output)) {
        box_.begin_at(baseline->first);
        feed(in::DownStored{box_.ack});
      }
    }
  }
  void set_state(std::uint64_t seq, Box::State state) {
    const auto entry = box_.entries.find(seq);
    if (entry != box_.entries.end()) entry->second.state = state;
  }

  // ---- the server ----

  void serve(const SyncOutput& message) {
    if (const auto* publish = std::get_if<out::PublishUp>(&message)) {
      Receipt receipt;
      receipt.epoch = epoch_;
      receipt.generation = generation_;
      receipt.safe = safe_;
      for (const auto seq : publish->seqs) {
        if (seq % 37 == 5) {
          server_.quarantine.insert(seq);
          receipt.bad.push_back({id_of(seq), ErrorCode::unknown_category, "没有这个类别"});
        } else {
          server_.records.insert(seq);
          receipt.ok.push_back(id_of(seq));
        }
      }
      const bool of_items = publish->generation ? (publish->ack || publish->hello) && publish->generation == generation_
                                                : publish->hello && !publish->ack && server_.agreed;
      if (of_items) server_.agree(publish->ack);
      if (of_items && publish->hello) receipt.first = server_.first();
      if (publish->hello || !publish->seqs.empty()) answers_.push_back(receipt);
      if (of_items) send_items();
      return;
    }
    const auto& piece = std::get<out::PublishPiece>(message);
    const auto named = photo_of_.at(piece.sha256);
    if (server_.records.count(named) == 0) {
      answers_.push_back(Busy{Millis{500}});  // no record of this device names it: not kept
      return;
    }
    auto& file = server_.pieces[piece.sha256];
    file.resize(piece.size / kGrain + 1, false);
    // The model's pieces are multiples of its grain, but for the end.
    for (std::uint64_t at = piece.offset; at < piece.offset + piece.length; at += kGrain) file[at / kGrain] = true;
    MediaState state;
    state.sha256 = piece.sha256;
    for (std::uint64_t at = 0; at < piece.size; at += kGrain) {
      if (file[at / kGrain]) continue;
      const auto length = std::min<std::uint64_t>(kGrain, piece.size - at);
      if (!state.missing.empty() && state.missing.back().offset + state.missing.back().length == at) {
        state.missing.back().length += length;
      } else if (state.missing.size() < kMissingRanges) {
        state.missing.push_back({at, length});
      }
    }
    state.complete = state.missing.empty();
    if (state.complete) server_.complete.insert(piece.sha256);
    answers_.push_back(state);
  }

  void send_items() {
    if (answers_.size() > 40) return;  // they come again
    for (const auto& item : server_.pending()) answers_.push_back(item);
  }

  void back_up() {
    auto& backup = backups_.emplace_back(server_, safe_);
    while (ever_.count(backup.safe + 1) > 0 && server_.has(backup.safe + 1, ever_.at(backup.safe + 1))) ++backup.safe;
    safe_ = backup.safe;
  }
  void restore() {
    // Words of the lost store stay on their way, some behind those of the next one. But an item does not say of which
    // store it is: to a device that has heard of neither they would be one.
    if (!box_.generation) {
      std::erase_if(answers_, [](const auto& answer) { return std::holds_alternative<DownItem>(answer); });
    }
    if (chance(50)) std::swap(late_, answers_);
    const auto& backup = latest_only_ ? backups_.back() : backups_[random_() % backups_.size()];
    server_ = backup.store;
    server_.agreed = false;
    safe_ = backup.safe;
    generation_ = id_of(++generations_);
    ++restores_;
  }

  // ---- the world ----

  void add_record(bool photo) {
    Box::Entry entry;
    entry.lane = photo || chance(60) ? Lane::urgent : Lane::bulk;
    const auto seq = next_seq_++;
    if (photo && seq % 37 != 5) {
      entry.photo = sha_of(seq);
      photo_of_[*entry.photo] = seq;
      box_.photos[*entry.photo] = {(random_() % 200 + 1) * kGrain, false, false};
    }
    ever_[seq] = entry.photo;
    box_.entries.emplace(seq, entry);
    feed(in::WorkAdded{});
  }

  void step() {
    now_ += Millis{static_cast<std::int64_t>(random_() % 400)};
    switch (random_() % 15) {
      case 0:
        if (std::count_if(box_.entries.begin(), box_.entries.end(),
                          [](const auto& one) { return one.second.state == Box::State::waiting; }) < 50) {
          add_record(chance(20));
        }
        break;
      case 1:
        box_.prune();
        break;
      case 2:
        if (up_ && chance(10)) lose_link();
        break;
      case 3:
        if (connecting_) {
          connecting_ = false;
          if (chance(70)) {
            up_ = true;
            feed(in::Connected{});
          } else {
            feed(in::ConnectFailed{});
          }
        }
        break;
      case 4:
        if (up_ && chance(10)) feed(in::Down{Busy{Millis{static_cast<std::int64_t>(random_() % 3'000)}}});
        break;
      case 5:
        if (chance(20)) server_.enqueue(std::to_string(++next_item_));
        if (up_ && chance(30)) send_items();
        break;
      case 6:
        feed(in::NetworkChanged{});
        break;
      case 7:
        if (up_ && !air_.empty() && chance(5)) {
          const auto token = std::holds_alternative<out::PublishUp>(air_.front())
                                 ? std::get<out::PublishUp>(air_.front()).token
                                 : std::get<out::PublishPiece>(air_.front()).token;
          air_.erase(air_.begin());
          feed(in::PublishRefused{token, 0x97});
        }
        break;
      case 8:
        if (chance(30)) now_ += Millis{20'000};
        break;
      case 9:
      case 10:
        if (up_ && !answers_.empty()) {
          const auto at = chance(10) ? random_() % answers_.size() : 0;  // reordered
          const auto answer = answers_[at];
          if (!chance(5)) answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(at));  // or brought twice
          if (std::holds_alternative<DownItem>(answer) && chance(20)) break;                   // or lost
          feed(in::Down{answer});
        }
        break;
      case 11:
        if (chance(5)) back_up();
        if (chance(2)) restore();
        if (!late_.empty() && chance(50)) {
          answers_.push_back(late_.back());
          late_.pop_back();
        }
        break;
      default:
        if (!air_.empty()) {
          const auto message = air_.front();
          air_.erase(air_.begin());
          if (!chance(4)) serve(message);  // or a full server drops it
        }
    }
    if (const auto timer = machine_.next_timer(); timer && *timer <= now_) feed(in::Tick{});
  }

  // The session begins clean: what was not delivered never will be; what was sent may still reach the server.
  void hang_up() {
    up_ = false;
    connecting_ = false;
    answers_.clear();
    late_.clear();
    if (chance(50)) air_.clear();
  }
  void lose_link() {
    hang_up();
    feed(in::Disconnected{});
  }

  void check() {
    ASSERT_LE(machine_.in_flight(), SyncOptions{}.window);
    if (!up_) {
      ASSERT_EQ(machine_.in_flight(), 0U);
    }
    const auto timer = machine_.next_timer();
    ASSERT_TRUE(timer || connecting_ || up_) << "asleep for ever";
  }

  void settle() {
    const auto all_there = [&] {
      return box_.empty() && box_.generation == generation_ && server_.items.empty() && air_.empty();
    };
    for (int i = 0; i < 300'000 && !all_there(); ++i) {
      if (connecting_) {
        connecting_ = false;
        up_ = true;
        feed(in::Connected{});
      } else if (up_ && !answers_.empty()) {
        const auto answer = answers_.front();
        answers_.erase(answers_.begin());
        feed(in::Down{answer});
      } else if (!air_.empty()) {
        const auto message = air_.front();
        air_.erase(air_.begin());
        serve(message);
      } else if (const auto timer = machine_.next_timer()) {
        now_ = std::max(now_, *timer);
        feed(in::Tick{});
      } else {
        add_record(false);  // the next heartbeat
        send_items();       // and half a minute later
      }
    }
    EXPECT_TRUE(server_.items.empty()) << server_.items.size() << " items wait for ever, from " << server_.first();
    EXPECT_TRUE(box_.empty()) << "something is left";
    for (const auto& [seq, entry] : box_.entries) {
      EXPECT_TRUE(server_.has(seq, entry.photo)) << seq << " is missing at the server, and the outbox has it";
    }
    if (latest_only_) {
      for (const auto& [seq, photo] : ever_) EXPECT_TRUE(server_.has(seq, photo)) << seq << " is lost";
      // Back to a store of before the restore before, a number of the one between says nothing.
      for (const auto& body : server_.numbered) {
        EXPECT_EQ(box_.seen.count(body), 1U) << "item " << body << " is lost";
      }
    }
  }

  struct Backup {
    Store store;
    std::uint64_t safe = 0;
  };

  std::mt19937_64 random_;
  bool latest_only_;  // restores only from the newest backup, so that not even what was forgotten may be missing
  const Uuid epoch_ = id_of(77);
  SyncMachine machine_;
  Millis now_{1};
  bool up_ = false;
  bool connecting_ = false;
  Box box_;
  std::map<std::uint64_t, std::optional<Sha256>> ever_;
  std::map<Sha256, std::uint64_t> photo_of_;
  Store server_;
  std::vector<Backup> backups_;
  std::uint64_t safe_ = 0;
  std::uint64_t generations_ = 1'000'000;
  Uuid generation_ = id_of(generations_);
  int restores_ = 0;
  std::vector<SyncOutput> air_;
  std::vector<DownMessage> answers_;
  std::vector<DownMessage> late_;
  std::uint64_t next_seq_ = 1;
  std::uint64_t next_item_ = 0;
};

class SyncModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SyncModel, KeepsItsPromises) {
  Model model(GetParam(), GetParam() % 2 == 1);
  model.run(100'000);
  EXPECT_GT(model.restores(), 5);
  EXPECT_TRUE(model.forgot());
  // Many short lives: what one restore breaks the next one must not mend unseen.
  for (std::uint64_t life = 0; life < 200 && !HasFailure(); ++life) {
    SCOPED_TRACE(life);
    Model(GetParam() * 1'000 + life, life % 2 == 1).run(1'500);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SyncModel, ::testing::Range<std::uint64_t>(1, 11));

}  // namespace
}  // namespace gridward::device
