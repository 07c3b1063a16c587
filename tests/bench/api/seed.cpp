#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <gridward/profile/profile.hpp>
#include <memory>
#include <mutex>

#include "bench.hpp"
#include "world.hpp"

namespace gridward::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kSpan = 730 * kDay;
constexpr std::size_t kCasesOfAUnit = 500;
constexpr std::size_t kUnitsWaiting = 6;
// Of a hundred cases: the demo's own town has as many as it would with all others in one, for its desk is who asks.
constexpr unsigned kOwnTown = 25;

struct Prepared {
  domain::CaseRecord state;
  std::vector<domain::CaseEvent> events;
  std::string path;
  std::string device;  // of whom reported it with a photo; empty: nobody
  std::string day;
  Sha256 photo{};
  std::uint64_t seq = 0;
};

std::string day_of(UnixMs at) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at + std::chrono::hours(8))};
  char text[16];
  std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return text;
}

Uuid epoch_of(const std::string& device) {
  Uuid epoch;
  for (std::size_t i = 0; i < device.size(); ++i)
    epoch.bytes[i % 16] = static_cast<std::uint8_t>(epoch.bytes[i % 16] * 31 + device[i]);
  return epoch;
}

Result<void> store(app::Tx& tx, std::vector<Prepared>& batch, const domain::Policy& policy) {
  for (auto& one : batch) {
    std::optional<std::int64_t> row;
    if (!one.device.empty()) {
      app::StoredRecord record;
      record.device = one.device;
      record.town = one.state.town;
      record.epoch = epoch_of(one.device);
      record.id = one.state.id;
      record.seq = one.seq;
      record.kind = "report";
      record.actor = one.state.reporter.login;
      record.at = one.state.captured_at;
      record.received = one.state.reported_at;
      record.hash = one.photo;
      record.bytes = Bytes(220, 1);
      if (tx.insert_record(record) != app::Inserted::fresh) return fail(ErrorCode::already_exists, "record");
      row = record.row;
    }
    one.state.number = tx.next_case_number(one.state.town, one.day);
    if (!tx.insert_case(one.state, one.path, domain::next_alarm(one.state, policy))) {
      return fail(ErrorCode::already_exists, "case");
    }
    tx.append_events(one.state.id, 1, one.events, row);
    if (row) {
      MediaRef photo;
      photo.sha256 = one.photo;
      photo.role = MediaRole::scene;
      photo.size = 2'000'000;
      photo.type = "image/jpeg";
      tx.expect_media(photo, *row, one.state.id);
    }
  }
  return {};
}

const Story& choose(const std::vector<const Story*>& stories, std::mt19937_64& random) {
  double sum = 0;
  for (const auto* story : stories) sum += story->weight;
  double at = std::uniform_real_distribution<double>(0, sum)(random);
  for (const auto* story : stories) {
    at -= story->weight;
    if (at <= 0) return *story;
  }
  return *stories.back();
}

}  // namespace

int seed(const Options& options) {
  const auto loaded = profile::load_policy(options.policy);
  if (!loaded) throw std::runtime_error(to_string(loaded.error().front()));
  const domain::Policy& policy = *loaded;
  storage::StoreOptions store_options;
  store_options.url = options.url;
  store_options.batch_limit = 2;
  store_options.queue_bytes = std::size_t{1} << 40;
  auto opened = must(storage::open_store(store_options));
  const auto world = make_world(*opened);
  std::mt19937_64 random(20'260'302);
  const Place own = pick(world.towns.front(), true, random);
  const auto stories = write_stories(policy, own, world.district);
  std::vector<const Story*> finished, open, overdue;
  for (const auto& story : stories) {
    (story.state == State::finished ? finished : story.state == State::open ? open : overdue).push_back(&story);
  }

  std::mutex mutex;
  std::condition_variable room;
  std::size_t waiting = 0;
  Result<void> failed;
  std::uint64_t events = 0;
  std::uint64_t open_cases = 0, overdue_cases = 0;
  std::map<std::string, std::uint64_t> seqs;
  const auto begin = SteadyClock::now();
  const auto any = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::vector<const Story*> first{open.front()};
  for (std::uint64_t done = 0; done < options.cases;) {
    auto batch = std::make_shared<std::vector<Prepared>>();
    for (std::size_t i = 0; i < kCasesOfAUnit && done < options.cases; ++i, ++done) {
      // In order of time, as they would have come.
      const auto at = options.now_ms - kSpan +
                      static_cast<std::int64_t>(static_cast<double>(kSpan) * static_cast<double>(done) /
                                                static_cast<double>(options.cases));
      const auto age = options.now_ms - at;
      const auto dice = any(1000);
      const auto* from = &finished;
      if (age > 20 * kDay && age < 300 * kDay && dice < 40) from = &overdue;
      if (age <= 20 * kDay && (dice < 500 || age < 8 * kDay)) from = &open;
      if (age > 20 * kDay && dice >= 990) from = &open;
      const Story* story = &choose(*from, random);
      if (story->end - story->begin > Millis(age)) story = &choose(first, random);
      if (story->end - story->begin > Millis(age)) continue;
      open_cases += story->state != State::finished ? 1 : 0;
      overdue_cases += story->state == State::overdue ? 1 : 0;
      const auto& town = any(100) < kOwnTown || world.towns.size() == 1 ? world.towns.front()
                                                                        : world.towns[1 + any(world.towns.size() - 1)];
      const auto place = pick(town, story->from_grid, random);
      const auto matter = any(matters().size());
      std::array<std::uint8_t, 10> bytes{};
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
      const auto id = make_uuid_v7(from_unix_ms(at), bytes);
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
      Prepared one;
      one.events = tell(*story, {own, place, from_unix_ms(at) - story->begin, a_text(random, matter), matters()[matter],
                                 make_uuid_v7(from_unix_ms(at), bytes)});
      one.path = place.path;
      one.day = day_of(from_unix_ms(at));
      if (story->from_grid) {
        one.device = "bench-" + place.grid;
        one.seq = ++seqs[one.device];
        for (std::size_t b = 0; b < one.photo.size(); ++b) one.photo[b] = static_cast<std::uint8_t>(random());
        for (auto& event : one.events) {
          for (auto& media : event.media) {
            if (event.type == domain::Action::report) media.sha256 = one.photo;
          }
        }
      }
      one.state = domain::replay(id, "", one.events);
      events += one.events.size();
      batch->push_back(std::move(one));
    }
    std::unique_lock lock(mutex);
    room.wait(lock, [&] { return waiting < kUnitsWaiting; });
    must(failed);
    ++waiting;
    lock.unlock();
    app::Unit unit;
    unit.work = [batch, &policy](app::Tx& tx) { return store(tx, *batch, policy); };
    unit.repeatable = true;
    unit.done = [&](const Result<void>& result) {
      const std::lock_guard guard(mutex);
      if (!result) failed = result;
      --waiting;
      room.notify_one();
    };
    must(opened->submit(std::move(unit)));
    if (done % 50'000 < kCasesOfAUnit) {
      const std::chrono::duration<double> took = SteadyClock::now() - begin;
      std::fprintf(stderr, "%llu cases, %llu events, %.0f s\n", static_cast<unsigned long long>(done),
                   static_cast<unsigned long long>(events), took.count());
    }
  }
  opened->stop();
  must(failed);
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  std::printf("{\"cases\": %llu, \"events\": %llu, \"open\": %llu, \"overdue\": %llu, \"seconds\": %.0f}\n",
              static_cast<unsigned long long>(options.cases), static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(open_cases), static_cast<unsigned long long>(overdue_cases),
              took.count());
  return 0;
}

}  // namespace gridward::bench
