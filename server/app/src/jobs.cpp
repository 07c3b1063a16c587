#include <gridward/app/services.hpp>

namespace gridward::app {
namespace {

constexpr std::size_t kPhotoBatch = 16;
constexpr std::size_t kSignatureBatch = 128;

void tell_cases(Tx& tx, const Sha256& sha, std::vector<LiveEvent>& live) {
  for (const auto& id : tx.media_cases(sha)) {
    const auto path = tx.case_org_path(id);
    const auto record = tx.find_case(id);
    live.push_back({"photo", to_hex(sha), path, 0});
    live.push_back({"case", to_string(id), path, record ? record->version : 0});
  }
}

}  // namespace

PhotoJobs::PhotoJobs(Services services, PhotoDeriver& deriver) : services_(services), deriver_(deriver) {}

bool PhotoJobs::run_once() {
  std::vector<PhotoJob> jobs;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    jobs = tx.photo_jobs(kPhotoBatch);
    return {};
  });
  if (!read) return false;
  bool progress = false;
  for (const auto& job : jobs) {
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
    if (!written) return progress;
    for (const auto& event : live) services_.live.publish(event);
    progress = progress || !again;
  }
  return progress;
}

SignatureJobs::SignatureJobs(Services services) : services_(services) {}

bool SignatureJobs::run_once() {
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
  if (!read || jobs.empty()) return false;
  std::vector<bool> good;
  good.reserve(jobs.size());
  for (const auto& job : jobs) {
    const auto& key = keys[job.device];
    good.push_back(key != PublicKey{} &&
                   services_.crypto.verify_ed25519(key, signing_input(job.epoch, job.hashes), job.signature));
  }
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!good[i]) tx.flag_records(jobs[i].device, jobs[i].epoch, jobs[i].records, "bad_signature");
      tx.finish_signature_job(jobs[i].row);
    }
    return {};
  });
  return written.has_value();
}

}  // namespace gridward::app
