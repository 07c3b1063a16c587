// Random inputs against a small reference model: a server that loses, delays, doubles and refuses, a link that comes
// and goes. After each step the promises must hold; at the end, when everything works, nothing may be left.
#include <gtest/gtest.h>

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

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), machine_(SyncOptions{}, epoch_, std::nullopt, seed) {}

  void run(int steps) {
    apply(machine_.handle(in::Start{}, now_));
    for (int i = 0; i < steps; ++i) {
      step();
      check();
      if (::testing::Test::HasFatalFailure()) return;
    }
    settle();
  }

 private:
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  void feed(const SyncInput& input) { apply(machine_.handle(input, now_)); }

  void apply(const std::vector<SyncOutput>& outputs) {
    for (const auto& output : outputs) {
      if (std::holds_alternative<out::Connect>(output)) {
        ASSERT_FALSE(up_) << "connects while connected";
        connecting_ = true;
      } else if (const auto* load = std::get_if<out::LoadRecords>(&output)) {
        in::RecordsLoaded answer{load->lane, {}};
        for (auto it = waiting_.upper_bound(load->after_seq); it != waiting_.end(); ++it) {
          if (it->second == load->lane && answer.records.size() < load->max_records) {
            answer.records.push_back({it->first, id_of(it->first), 200});
          }
        }
        feed(answer);
      } else if (const auto* media = std::get_if<out::LoadMedia>(&output)) {
        in::MediaLoaded answer;
        for (const auto& [sha, photo] : photos_) {
          const bool excluded = std::find(media->except.begin(), media->except.end(), sha) != media->except.end();
          if (!excluded && answer.media.size() < media->max) {
            answer.media.push_back({sha, photo.size, photo.started, false});
          }
        }
        feed(answer);
      } else if (const auto* publish = std::get_if<out::PublishUp>(&output)) {
        ASSERT_TRUE(up_) << "publishes without a connection";
        ASSERT_LE(publish->seqs.size(), 64U);
        for (const auto seq : publish->seqs)
          ASSERT_FALSE(receipted_.count(seq)) << "sends " << seq << " after its receipt";
        if (publish->ack) {
          ASSERT_LE(*publish->ack, stored_down_) << "acknowledges what is not stored";
        }
        air_.push_back(output);
      } else if (const auto* piece = std::get_if<out::PublishPiece>(&output)) {
        ASSERT_TRUE(up_);
        ASSERT_TRUE(photos_.count(piece->sha256)) << "sends a finished photo";
        ASSERT_LE(piece->offset + piece->length, piece->size);
        air_.push_back(output);
      } else if (const auto* done = std::get_if<out::Receipted>(&output)) {
        for (const auto& id : done->ids) {
          ASSERT_TRUE(server_.count(seq_of(id))) << "a receipt for what the server has not";
          waiting_.erase(seq_of(id));
          receipted_.insert(seq_of(id));
        }
      } else if (const auto* started = std::get_if<out::MediaStarted>(&output)) {
        photos_[started->sha256].started = true;
      } else if (const auto* complete = std::get_if<out::MediaComplete>(&output)) {
        photos_.erase(complete->sha256);
      } else if (const auto* store = std::get_if<out::StoreDown>(&output)) {
        stored_down_ = std::max(stored_down_, store->item.n);
        feed(in::DownStored{stored_down_});
      }
    }
  }

  void serve(const SyncOutput& message) {
    if (const auto* publish = std::get_if<out::PublishUp>(&message)) {
      Receipt receipt;
      receipt.epoch = epoch_;
      for (const auto seq : publish->seqs) {
        server_.insert(seq);
        receipt.ok.push_back(id_of(seq));
      }
      if (publish->hello || !publish->seqs.empty()) answers_.push_back(receipt);
      return;
    }
    const auto& piece = std::get<out::PublishPiece>(message);
    auto& file = files_[piece.sha256];
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
    answers_.push_back(state);
  }

  void step() {
    now_ += Millis{static_cast<std::int64_t>(random_() % 400)};
    switch (random_() % 14) {
      case 0:
        if (waiting_.size() < 50) {
          waiting_.emplace(next_seq_++, chance(60) ? Lane::urgent : Lane::bulk);
          feed(in::WorkAdded{});
        }
        break;
      case 1:
        if (photos_.size() < 4 && chance(30)) {
          Sha256 sha{};
          const auto n = next_photo_++;
          for (std::size_t i = 0; i < 8; ++i) sha[i] = static_cast<std::uint8_t>(n >> (8 * i));
          photos_[sha] = {(random_() % 200 + 1) * kGrain, false};
        }
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
        if (up_) feed(in::Down{DownItem{++next_down_, "notice", "{}"}});
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
          const auto answer = answers_.front();
          if (!chance(5)) answers_.erase(answers_.begin());  // or the broker brings it twice
          feed(in::Down{answer});
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

  void lose_link() {
    up_ = false;
    air_.clear();
    if (chance(50)) answers_.clear();
    feed(in::Disconnected{});
  }

  void check() {
    ASSERT_LE(machine_.in_flight(), SyncOptions{}.window);
    if (!up_) {
      ASSERT_EQ(machine_.in_flight(), 0U);
    }
    for (const auto seq : receipted_) ASSERT_TRUE(server_.count(seq));
    receipted_.clear();  // checked once; keeps the model fast
    const auto timer = machine_.next_timer();
    ASSERT_TRUE(timer || connecting_ || up_) << "asleep for ever";
  }

  void settle() {
    for (int i = 0; i < 200'000 && !(waiting_.empty() && photos_.empty()); ++i) {
      if (connecting_) {
        connecting_ = false;
        up_ = true;
        feed(in::Connected{});
      } else if (!answers_.empty()) {
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
      } else if (!photos_.empty()) {
        // A photo becomes visible after its record's receipt; the model has none for the last ones.
        waiting_.emplace(next_seq_++, Lane::urgent);
        feed(in::WorkAdded{});
      } else {
        break;
      }
    }
    EXPECT_TRUE(waiting_.empty()) << waiting_.size() << " records are left";
    EXPECT_TRUE(photos_.empty()) << photos_.size() << " photos are left";
  }

  static constexpr std::uint64_t kGrain = 4096;
  struct Photo {
    std::uint64_t size = 0;
    bool started = false;
  };

  std::mt19937_64 random_;
  const Uuid epoch_ = id_of(77);
  SyncMachine machine_;
  Millis now_{1};
  bool up_ = false;
  bool connecting_ = false;
  std::map<std::uint64_t, Lane> waiting_;
  std::set<std::uint64_t> receipted_;
  std::set<std::uint64_t> server_;
  std::map<Sha256, Photo> photos_;
  std::map<Sha256, std::vector<bool>> files_;
  std::vector<SyncOutput> air_;
  std::vector<DownMessage> answers_;
  std::uint64_t next_seq_ = 1;
  std::uint64_t next_photo_ = 1;
  std::uint64_t next_down_ = 0;
  std::uint64_t stored_down_ = 0;
};

class SyncModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SyncModel, KeepsItsPromises) { Model(GetParam()).run(100'000); }

INSTANTIATE_TEST_SUITE_P(Seeds, SyncModel, ::testing::Range<std::uint64_t>(1, 11));

}  // namespace
}  // namespace gridward::device
