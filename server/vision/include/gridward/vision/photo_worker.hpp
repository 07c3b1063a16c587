// One photo worker process and the pool of them behind the app's PhotoDeriver. The decoders live in the worker alone: a
// photo that crashes, hangs or eats memory costs a worker, never the server (docs/adr/0003-photo-worker.md).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <gridward/app/ports.hpp>
#include <gridward/shared/error.hpp>
#include <gridward/vision/photo_header.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace gridward::vision {

inline constexpr std::uint32_t kPreviewSide = 1600;  // pixels of the longer side; a smaller photo is not enlarged
inline constexpr std::uint32_t kThumbSide = 320;

struct PhotoWorkerOptions {
  std::filesystem::path program;                 // gridward-vision-worker
  std::chrono::milliseconds wall_limit{30'000};  // of one photo
  std::chrono::seconds cpu_limit{20};            // of one photo
  std::chrono::milliseconds start_limit{20'000};
  std::uint32_t photos_per_process = 1000;  // then a fresh one, so that nothing a decoder leaks can grow
  // False runs without the system call filter, for kernels that have none. Memory, time and file limits stay.
  bool confine = true;
};

// Beside the running program, in its ../libexec/gridward, or in the build tree's server/vision; empty when in none.
std::filesystem::path find_worker_program();

struct DerivativeFile {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint64_t bytes = 0;
};

struct DerivedPhoto {
  app::PhotoNumbers numbers;
  PhotoFormat format = PhotoFormat::jpeg;
  DerivativeFile preview;
  DerivativeFile thumb;
  std::uint64_t description_bytes = 0;
};

// One worker process, started with the first photo. Not thread-safe: one thread at a time; `pid` may be read by any
// thread that knows that no derive is under way.
class PhotoWorker {
 public:
  explicit PhotoWorker(PhotoWorkerOptions options);
  ~PhotoWorker();
  PhotoWorker(const PhotoWorker&) = delete;
  PhotoWorker& operator=(const PhotoWorker&) = delete;

  // Starts the process where none runs. Error: unavailable.
  Result<void> start();

  // Blocks until both JPEG files and the description are written and their contents are on the disk (their folders'
  // entries are not); after an error none is left. The targets are overwritten. Errors: media_type, media_dimensions,
  // media_undecodable, media_limits say something of the photo and are final; unavailable (no worker) and
  // storage_failed (files) do not. A worker that died of something that may come from outside gets a second try.
  Result<DerivedPhoto> derive(const std::filesystem::path& original, const std::filesystem::path& preview,
                              const std::filesystem::path& thumb, const std::filesystem::path& description);

  // Ends the process; the next photo starts another.
  void stop();

  pid_t pid() const { return pid_; }  // -1 when none runs
  std::uint64_t starts() const { return starts_; }

 private:
  struct Job;
  struct Attempt;
  Attempt attempt(const Job& job);
  Result<DerivedPhoto> run(const Job& job);
  void limit_cpu() const;
  int reap(bool kill_now);

  PhotoWorkerOptions options_;
  pid_t pid_ = -1;
  int channel_ = -1;
  std::uint32_t photos_ = 0;  // of the present process
  std::uint64_t starts_ = 0;
};

class FilePhotoStore;

// A pool of workers over the photo store. Thread-safe; at most `workers` photos are in work, further callers wait.
class WorkerPhotoDeriver final : public app::PhotoDeriver {
 public:
  // `store` must live longer.
  WorkerPhotoDeriver(FilePhotoStore& store, const PhotoWorkerOptions& options, unsigned workers);
  ~WorkerPhotoDeriver() override;

  // Starts every worker, so that a wrong installation shows at once; before the first derive, or not at all. Error:
  // unavailable.
  Result<void> start();
  Result<app::PhotoNumbers> derive(const Sha256& sha) override;
  bool works() const { return works_; }  // the last photo found a worker and a place for its files

 private:
  FilePhotoStore& store_;
  std::vector<std::unique_ptr<PhotoWorker>> workers_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<PhotoWorker*> idle_;
  std::atomic<bool> works_{true};
};

}  // namespace gridward::vision
