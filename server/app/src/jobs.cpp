#include <algorithm>
#include <atomic>
#include <future>
#include <gridward/app/services.hpp>

namespace gridward::app {
namespace {

constexpr std::size_t kPhotoBatch = 16;
constexpr std::size_t kSignatureBatch = 128;

void tell_cases(Tx& tx, const Sha256& sha, std::vector<LiveEvent>& live) {
  for (const auto& id : tx.media_cases(sha)) {
    const auto path = tx.case_org_path(id);
    const auto record = tx.find_case(id);
    live.push_back({"photo", to_string(id), path, 0});
    live.push_back({"case", to_string(id), path, record ? record->version : 0});
  }
}

}  // namespace

PhotoJobs::PhotoJobs(Services services, PhotoDeriver& deriver, std::size_t parallel)
    : services_(services), deriver_(deriver), parallel_(std::max<std::size_t>(parallel, 1)) {}

bool PhotoJobs::run_once() {
  std::vector<PhotoJob> jobs;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    jobs = tx.photo_jobs(kPhotoBatch);
    return {};
  });
  if (!read) return false;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> progress{false};
  const auto work = [&] {
    for (auto i = next++; i < jobs.size(); i = next++) {
      if (run(jobs[i])) progress = true;
    }
  };
  // Each waits for one decoding process at a time, so more threads than photos or processes would only wait.
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < std::min(parallel_, jobs.size()); ++i) {
    others.push_back(std::async(std::launch::async, work));
  }
  work();
  for (auto& other : others) other.get();
  return progress;
}

bool PhotoJobs::run(const PhotoJob& job) {
  const auto numbers = deriver_.derive(job.sha256);
  const bool again = !numbers && error_info(numbers.error().code).retryable;
  std::vector<LiveEvent> live;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    if (again) {
      tx.retry_photo_job(job.row);
      return {};
    }
    auto row = tx.find_media(job.sha256);
    if (row && numbers) {
      row->status = MediaStatus::derived;
      row->problem.clear();
      tx.set_photo_numbers(job.sha256, *numbers);
      tx.add_likeness_job(job.sha256);
    } else if (row) {
      // The original stays as evidence; only its smaller sizes will not be.
      row->status = MediaStatus::refused;
      row->problem = to_string(numbers.error());
    }
    if (row) tx.update_media(*row);
    tx.finish_photo_job(job.row);
    tell_cases(tx, job.sha256, live);
    return {};
  });
  if (!written) return false;
  for (const auto& event : live) services_.live.publish(event);
  return !again;
}

SignatureJobs::SignatureJobs(Services services) : services_(services) {}

bool SignatureJobs::run_once() {
  if (put_off_ < kMostPutOff && !services_.store.idle()) {
    ++put_off_;
    return false;
  }
  std::vector<SignatureJob> jobs;
  std::map<std::string, PublicKey> keys;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    jobs = tx.signature_jobs(kSignatureBatch);
    for (const auto& job : jobs) {
      if (keys.contains(job.device)) continue;
      const auto device = tx.find_device(job.device);
      keys[job.device] = device ? device->public_key : PublicKey{};
    }
    return {};
  });
  if (!read) return false;
  // Once it was put off for long, it goes on until nothing is left.
  if (jobs.size() < kSignatureBatch) put_off_ = 0;
  if (jobs.empty()) return false;
  std::vector<bool> good;
  good.reserve(jobs.size());
  for (const auto& job : jobs) {
    const auto& key = keys[job.device];
    good.push_back(key != PublicKey{} &&
                   services_.crypto.verify_ed25519(key, signing_input(job.epoch, job.hashes), job.signature));
  }
  std::vector<LiveEvent> live;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!good[i]) {
        tx.flag_records(jobs[i].device, jobs[i].epoch, jobs[i].records, "bad_signature");
        const auto device = tx.find_device(jobs[i].device);
        const auto town = device ? tx.find_org(device->town) : std::nullopt;
        if (town) live.push_back({"device", device->id, town->path, 0});
      }
      tx.finish_signature_job(jobs[i].row);
    }
    return {};
  });
  if (!written) return false;
  for (const auto& event : live) services_.live.publish(event);
  return true;
}

}  // namespace gridward::app
