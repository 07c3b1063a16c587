#include <chrono>
#include <cstdio>
#include <gridward/app/services.hpp>
#include <gridward/platform/crypto.hpp>
#include <gridward/profile/profile.hpp>

#include "bench.hpp"
#include "world.hpp"

namespace gridward::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

class FixedClock final : public app::Clock {
 public:
  explicit FixedClock(UnixMs now) : now_(now) {}
  UnixMs now() override { return now_; }

 private:
  UnixMs now_;
};

class Crypto final : public app::Crypto {
 public:
  Sha256 sha256(ByteView bytes) override { return platform::sha256(bytes); }
  void random(std::span<std::uint8_t> out) override { platform::random_bytes(out); }
  bool verify_ed25519(const PublicKey&, ByteView, const Signature&) override { return false; }
  std::string hash_password(std::string_view) override { return {}; }
  bool verify_password(std::string_view, std::string_view) override { return false; }
};

struct Live final : app::LivePublisher {
  void publish(const app::LiveEvent&) override { ++told; }
  std::size_t told = 0;
};
struct Devices final : app::DevicePublisher {
  void send(const std::string&, const std::string&, const DownMessage&) override { ++sent; }
  std::size_t sent = 0;
};
struct Photos final : app::PhotoStore {
  Result<void> write_piece(const Sha256&, std::string_view, std::uint64_t, std::uint64_t, ByteView, bool) override {
    return {};
  }
  Result<void> seal(const Sha256&, std::string_view, std::uint64_t) override { return {}; }
  bool has_original(const Sha256&) override { return false; }
  std::string path(const Sha256&, app::PhotoSize) const override { return {}; }
};

}  // namespace

int sweep(const Options& options) {
  const auto loaded = profile::load_policy(options.policy);
  if (!loaded) throw std::runtime_error(to_string(loaded.error().front()));
  const domain::Policy& policy = *loaded;
  storage::StoreOptions store_options;
  store_options.url = options.url;
  store_options.queue_bytes = std::size_t{1} << 40;
  auto store = must(storage::open_store(store_options));
  const auto world = make_world(*store);
  std::mt19937_64 random(7);
  const Place own = pick(world.towns.front(), true, random);
  const auto story = write_due_story(policy, own);
  const auto any = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const auto now = from_unix_ms(options.now_ms);

  constexpr std::uint64_t kCases = 500;
  for (std::uint64_t done = 0; done < options.cases; done += kCases) {
    must(store->write([&](app::Tx& tx) -> Result<void> {
      for (std::uint64_t i = done; i < std::min(done + kCases, options.cases); ++i) {
        const auto place = pick(world.towns[any(world.towns.size())], true, random);
        const auto matter = any(matters().size());
        const auto by = now - story.end - Millis(static_cast<std::int64_t>(any(86'400'000)));
        std::array<std::uint8_t, 10> bytes{};
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        const auto id = make_uuid_v7(story.begin + by, bytes);
        const auto events = tell(story, {own, place, by, a_text(random, matter), matters()[matter], id});
        const auto state = domain::replay(id, tx.next_case_number(place.town, "20260101"), events);
        if (!tx.insert_case(state, place.path, domain::next_alarm(state, policy))) {
          return fail(ErrorCode::already_exists, "case");
        }
        tx.append_events(id, 1, events, std::nullopt);
      }
      return {};
    }));
  }

  FixedClock clock(now);
  Crypto crypto;
  Live live;
  Devices devices;
  Photos photos;
  app::DeadlineJobs jobs({*store, clock, crypto, live, devices, photos, policy});
  const auto begin = SteadyClock::now();
  std::size_t passes = 1;
  double longest = 0;
  for (bool more = true; more;) {
    const auto from = SteadyClock::now();
    more = jobs.run_once();
    passes += more ? 1 : 0;
    longest = std::max(longest, std::chrono::duration<double>(SteadyClock::now() - from).count());
  }
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  std::size_t left = 0, overdue = 0;
  must(store->read([&](app::Tx& tx) -> Result<void> {
    left = tx.alarmed_cases(now, 10).size();
    app::CaseFilter filter;
    filter.overdue = true;
    overdue = tx.list_cases(filter).total;
    return {};
  }));
  store->stop();
  if (left > 0 || overdue < std::min<std::uint64_t>(options.cases, 10'000)) {
    throw std::runtime_error("the sweep left clocks untold");
  }
  std::printf(
      "{\"clocks\": %llu, \"seconds\": %.2f, \"passes\": %zu, \"longest_pass_ms\": %.0f, \"live\": %zu, \"sent\": "
      "%zu}\n",
      static_cast<unsigned long long>(options.cases), took.count(), passes, 1000 * longest, live.told, devices.sent);
  return 0;
}

}  // namespace gridward::bench
