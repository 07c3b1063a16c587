// The store alone: what a signed report costs it, from 32 devices with 8 units in flight each, as ingest submits them.
//   bench_storage URL [units] [--commit-each] [--savepoints]
// Prints one JSON line. The database should be a new one.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <gridward/storage/store.hpp>
#include <mutex>
#include <string>
#include <vector>

using namespace gridward;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kDevices = 32;
constexpr std::size_t kInFlight = 8;

Uuid uuid(std::uint64_t kind, std::uint64_t number) {
  Uuid id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.bytes[15] = static_cast<std::uint8_t>(kind);
  return id;
}

domain::CaseEvent report(std::size_t device, UnixMs now) {
  domain::CaseEvent event;
  event.actor = {"member-" + std::to_string(device), "某某", domain::Role::grid_member, "120116115201001",
                 "120116/120116115/120116115201/120116115201001"};
  event.at = event.recorded = now;
  event.place = Fix{{391234567, 1174567890}, 350, FixSource::gnss, Datum::wgs84, false, now};
  event.note = "路面井盖破损，存在安全隐患，已设置警示标志";
  event.fields = {{domain::Field::category, "road-cover"},
                  {domain::Field::grid, "120116115201001"},
                  {domain::Field::town, "120116115"},
                  {domain::Field::channel, "grid_member"}};
  event.process = "case";
  event.step = "awaiting_review";
  event.stage = "reported";
  return event;
}

Result<void> store_report(app::Tx& tx, std::size_t device, std::uint64_t seq) {
  const auto now = from_unix_ms(1'790'000'000'000 + static_cast<std::int64_t>(seq));
  app::StoredRecord record;
  record.device = "hh-" + std::to_string(device);
  record.town = "120116115";
  record.epoch = uuid(1, device);
  record.id = uuid(2, seq * kDevices + device);
  record.seq = seq;
  record.kind = "report";
  record.actor = "member-" + std::to_string(device);
  record.at = record.received = now;
  record.bytes = Bytes(420, static_cast<std::uint8_t>(seq));
  if (tx.insert_record(record) != app::Inserted::fresh) return fail(ErrorCode::already_exists, "record");

  const auto event = report(device, now);
  const auto number = tx.next_case_number("120116115", "20261122");
  const std::vector<domain::CaseEvent> events{event};
  tx.insert_case(domain::replay(record.id, number, events), event.actor.org_path, std::nullopt);
  tx.append_events(record.id, 1, events, record.row);
  MediaRef photo;
  std::copy(record.id.bytes.begin(), record.id.bytes.end(), photo.sha256.begin());
  photo.size = 2'000'000;
  photo.type = "image/jpeg";
  tx.expect_media(photo, record.row, record.id);

  app::SignatureJob job;
  job.device = record.device;
  job.epoch = record.epoch;
  job.records = {record.id};
  job.hashes = {record.hash};
  tx.add_signature_job(job);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::string url;
  std::uint64_t units = 100'000;
  bool savepoints = false;
  storage::StoreOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--commit-each") {
      options.commit_each = true;
    } else if (word == "--savepoints") {
      savepoints = true;
    } else if (url.empty()) {
      url = word;
    } else {
      units = std::stoull(word);
    }
  }
  if (url.empty()) {
    std::fprintf(stderr, "bench_storage URL [units] [--commit-each] [--savepoints]\n");
    return 2;
  }
  options.url = url;
  auto store = storage::open_store(std::move(options));
  if (!store) {
    std::fprintf(stderr, "%s\n", to_string(store.error()).c_str());
    return 1;
  }

  std::mutex mutex;
  std::condition_variable room;
  std::size_t in_flight = 0;
  std::uint64_t failed = 0;
  std::vector<double> waits;
  waits.reserve(units);
  const auto begin = SteadyClock::now();
  for (std::uint64_t unit = 0; unit < units; ++unit) {
    {
      std::unique_lock lock(mutex);
      room.wait(lock, [&] { return in_flight < kDevices * kInFlight; });
      ++in_flight;
    }
    const auto device = unit % kDevices;
    const auto seq = unit / kDevices + 1;
    const auto sent = SteadyClock::now();
    app::Unit work;
    work.work = [=](app::Tx& tx) { return store_report(tx, device, seq); };
    work.done = [&, sent](const Result<void>& result) {
      const std::chrono::duration<double, std::milli> wait = SteadyClock::now() - sent;
      const std::lock_guard lock(mutex);
      waits.push_back(wait.count());
      failed += result ? 0 : 1;
      --in_flight;
      room.notify_one();
    };
    work.repeatable = !savepoints;
    const auto queued = (*store)->submit(std::move(work));
    if (!queued) return 1;
  }
  (*store)->stop();
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  std::ranges::sort(waits);
  const auto percentile = [&](double part) {
    return waits[static_cast<std::size_t>(part * static_cast<double>(waits.size() - 1))];
  };
  std::printf(
      "{\"bench\": \"storage\", \"value\": %.0f, \"unit\": \"reports/s\", \"units\": %llu, \"failed\": %llu, "
      "\"commits\": %llu, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
      static_cast<double>(units) / took.count(), static_cast<unsigned long long>(units),
      static_cast<unsigned long long>(failed), static_cast<unsigned long long>((*store)->counters().commits),
      percentile(0.5), percentile(0.99));
  return failed == 0 ? 0 : 1;
}
