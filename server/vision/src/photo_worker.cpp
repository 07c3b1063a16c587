#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <gridward/vision/photo_worker.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

extern "C" {  // glibc 2.36 forgot to say so itself
#include <sys/pidfd.h>
}

#include <gridward/shared/limits.hpp>
#include <gridward/vision/photo_description.hpp>
#include <gridward/vision/photo_store.hpp>

#include "descriptor.hpp"
#include "worker_protocol.hpp"

namespace gridward::vision {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr mode_t kFileMode = 0640;
constexpr milliseconds kDeathLimit{2000};  // for a worker that closed its channel to be gone

std::string error_text(int error) { return std::generic_category().message(error); }

// Only what the decoders and sanitizers read: a worker needs neither the server's secrets nor its locale. The thread
// counts keep libraries that imgcodecs drags in from starting threads.
std::vector<std::string> worker_environment() {
  std::vector<std::string> variables{"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"};
  for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

struct SpawnPlan {
  SpawnPlan() { ok = ::posix_spawn_file_actions_init(&actions) == 0 && ::posix_spawnattr_init(&attributes) == 0; }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  bool ok = false;
};

// 1: something to read (or the end), 0: time is over, -1: error.
int wait_readable(int fd, milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    pollfd entry{fd, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    return ready;
  }
}

template <class Message>
std::optional<Message> receive(int channel) {
  Message message{};
  ssize_t got = -1;
  do {
    got = ::recv(channel, &message, sizeof message, 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof message) || message.mark != kProtocolMark) return std::nullopt;
  return message;
}

bool send_request(int channel, const WorkerRequest& request, const std::array<int, kRequestDescriptors>& descriptors) {
  WorkerRequest copy = request;
  iovec part{&copy, sizeof copy};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kRequestDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * kRequestDescriptors);
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * kRequestDescriptors);
  ssize_t put = -1;
  do {
    put = ::sendmsg(channel, &message, MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  return put == static_cast<ssize_t>(sizeof request);
}

bool is_photo_error(std::uint16_t code) {
  using enum ErrorCode;
  const auto value = static_cast<ErrorCode>(code);
  return value == media_type || value == media_dimensions || value == media_undecodable || value == media_limits;
}

std::optional<std::uint64_t> size_of(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

bool fits(std::uint32_t width, std::uint32_t height, std::uint32_t side) {
  return width >= 1 && height >= 1 && width <= side && height <= side;
}

// A worker that a photo has taken over can answer anything: only what is possible is believed.
bool is_believable(const WorkerAnswer& answer) {
  return fits(answer.width, answer.height, limits::kPhotoSide) &&
         std::uint64_t{answer.width} * answer.height <= limits::kPhotoPixels &&
         fits(answer.preview_width, answer.preview_height, kPreviewSide) &&
         fits(answer.thumb_width, answer.thumb_height, kThumbSide) && answer.orientation >= 1 &&
         answer.orientation <= 8 && answer.format >= static_cast<std::uint8_t>(PhotoFormat::jpeg) &&
         answer.format <= static_cast<std::uint8_t>(PhotoFormat::webp) && std::isfinite(answer.sharpness) &&
         std::isfinite(answer.brightness) && answer.sharpness >= 0 && answer.brightness >= 0 &&
         answer.brightness <= 255 && answer.truncated <= 1;
}

// Whoever reads it later finds it as it should be.
bool is_description(int fd) {
  Bytes bytes(kDescriptionBytes + 1);
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
  return got >= 0 && parse_description(ByteView(bytes).first(static_cast<std::size_t>(got))).has_value();
}

// The detail ends up in logs and pages.
std::string clean_detail(const WorkerAnswer& answer) {
  std::string text(answer.detail, ::strnlen(answer.detail, sizeof answer.detail));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

struct PhotoWorker::Job {
  int original;
  int preview;
  int thumb;
  int description;
  std::uint64_t size;
};

struct PhotoWorker::Attempt {
  enum class End { answered, died, late, lost } end = End::lost;
  WorkerAnswer answer{};
  int status = 0;   // of waitpid, when it died
  std::string why;  // when no worker could be had
};

fs::path find_worker_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path name = "gridward-vision-worker";
  const fs::path folder = self.parent_path();
  for (const fs::path& candidate :
       {folder / name, folder.parent_path() / "libexec" / "gridward" / name, folder.parent_path() / "vision" / name}) {
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

PhotoWorker::PhotoWorker(PhotoWorkerOptions options) : options_(std::move(options)) {}

PhotoWorker::~PhotoWorker() { stop(); }

Result<void> PhotoWorker::start() {
  if (pid_ > 0) return {};
  const auto unavailable = [](std::string detail) {
    return fail(ErrorCode::unavailable, "photo worker", std::move(detail));
  };
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return unavailable(error_text(errno));
  Descriptor ours(pair[0]);
  Descriptor theirs(pair[1]);

  SpawnPlan plan;
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  // Its own process group: a Ctrl-C meant for the server does not take the photo in work with it.
  constexpr short kFlags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
  if (!plan.ok || ::posix_spawn_file_actions_adddup2(&plan.actions, theirs.get(), kWorkerChannel) != 0 ||
      ::posix_spawn_file_actions_addopen(&plan.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
      ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1) != 0 ||
      ::posix_spawnattr_setflags(&plan.attributes, kFlags) != 0 ||
      ::posix_spawnattr_setsigmask(&plan.attributes, &none) != 0 ||
      ::posix_spawnattr_setsigdefault(&plan.attributes, &all) != 0 ||
      ::posix_spawnattr_setpgroup(&plan.attributes, 0) != 0) {
    return unavailable("the start cannot be prepared");
  }
  std::string program = options_.program.string();
  std::string unconfined = "--unconfined";
  std::array<char*, 3> arguments{program.data(), options_.confine ? nullptr : unconfined.data(), nullptr};
  auto variables = worker_environment();
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, program.c_str(), &plan.actions, &plan.attributes, arguments.data(), environment.data());
  if (error != 0) return unavailable(program + ": " + error_text(error));
  pid_ = child;
  channel_ = ours.release();
  photos_ = 0;
  ++starts_;
  theirs.reset();  // our copy of its end would hide its death from us

  if (wait_readable(channel_, options_.start_limit) <= 0) {
    reap(true);
    return unavailable("it did not start in time");
  }
  const auto ready = receive<WorkerReady>(channel_);
  if (!ready) {
    const int status = reap(false);
    return unavailable(program + " ended while starting" +
                       (WIFSIGNALED(status) ? ", signal " + std::to_string(WTERMSIG(status))
                                            : ", status " + std::to_string(WEXITSTATUS(status))));
  }
  return {};
}

void PhotoWorker::stop() {
  if (pid_ > 0) reap(true);
}

// Ends what is left of the process and returns its wait status.
int PhotoWorker::reap(bool kill_now) {
  if (channel_ >= 0) ::close(std::exchange(channel_, -1));
  if (!kill_now) {
    const Descriptor process(::pidfd_open(pid_, 0));
    if (!process || wait_readable(process.get(), kDeathLimit) <= 0) kill_now = true;
  }
  if (kill_now) ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

// The process may not raise its own limit (its system calls are filtered), so the parent moves it for each photo.
void PhotoWorker::limit_cpu() const {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return;
  const rlimit limit{static_cast<rlim_t>(used.tv_sec + 1 + options_.cpu_limit.count()), RLIM_INFINITY};
  ::prlimit(pid_, RLIMIT_CPU, &limit, nullptr);
}

PhotoWorker::Attempt PhotoWorker::attempt(const Job& job) {
  Attempt result;
  if (photos_ >= options_.photos_per_process) stop();
  if (auto started = start(); !started) {
    result.why = started.error().detail;
    return result;
  }
  ++photos_;
  limit_cpu();
  const WorkerRequest request{kProtocolMark, 0, job.size};
  const bool sent = send_request(channel_, request, {job.original, job.preview, job.thumb, job.description});
  const int ready = sent ? wait_readable(channel_, options_.wall_limit) : 1;
  if (ready == 0) {
    reap(true);
    result.end = Attempt::End::late;
    return result;
  }
  if (auto answer = sent && ready > 0 ? receive<WorkerAnswer>(channel_) : std::nullopt) {
    result.answer = *answer;
    result.end = Attempt::End::answered;
    return result;
  }
  result.status = reap(false);
  result.end = Attempt::End::died;
  return result;
}

Result<DerivedPhoto> PhotoWorker::run(const Job& job) {
  const auto limits_error = [](std::string detail) {
    return fail(ErrorCode::media_limits, "photo", std::move(detail));
  };
  const auto undecodable = [](std::string detail) {
    return fail(ErrorCode::media_undecodable, "photo", std::move(detail));
  };
  Attempt last;
  constexpr int kTries = 2;
  for (int i = 0; i < kTries; ++i) {
    for (const int file : {job.preview, job.thumb, job.description}) {
      if (::ftruncate(file, 0) != 0 || ::lseek(file, 0, SEEK_SET) != 0) {
        return fail(ErrorCode::storage_failed, "derivative", error_text(errno));
      }
    }
    last = attempt(job);
    if (last.end != Attempt::End::died) break;
    // These two are the photo's own doing; anything else may have come from outside, and gets its second try.
    const int signal = WIFSIGNALED(last.status) ? WTERMSIG(last.status) : 0;
    if (signal == SIGXCPU || signal == SIGSYS) break;
  }
  switch (last.end) {
    case Attempt::End::lost:
      return fail(ErrorCode::unavailable, "photo worker", last.why);
    case Attempt::End::late:
      return limits_error("not finished after " + std::to_string(options_.wall_limit.count()) + " ms");
    case Attempt::End::died: {
      if (!WIFSIGNALED(last.status)) {
        return undecodable("the decoder ended with status " + std::to_string(WEXITSTATUS(last.status)));
      }
      const int signal = WTERMSIG(last.status);
      if (signal == SIGXCPU) {
        return limits_error("more than " + std::to_string(options_.cpu_limit.count()) + " s of computing");
      }
      if (signal == SIGKILL || signal == SIGXFSZ) {
        return limits_error("the decoder was stopped by signal " + std::to_string(signal));
      }
      return undecodable("the decoder died of signal " + std::to_string(signal));
    }
    case Attempt::End::answered:
      break;
  }
  const WorkerAnswer& answer = last.answer;
  if (answer.code != 0) {
    // A full disk is not the photo's fault.
    if (answer.code == static_cast<std::uint16_t>(ErrorCode::storage_failed)) {
      return fail(ErrorCode::storage_failed, "derivative", clean_detail(answer));
    }
    if (is_photo_error(answer.code)) {
      return fail(static_cast<ErrorCode>(answer.code), "photo", clean_detail(answer));
    }
  }
  if (answer.code != 0 || !is_believable(answer) || size_of(job.preview) != answer.preview_bytes ||
      size_of(job.thumb) != answer.thumb_bytes || answer.preview_bytes == 0 || answer.thumb_bytes == 0 ||
      size_of(job.description) != answer.description_bytes || !is_description(job.description)) {
    stop();
    return undecodable("the decoder gave an impossible answer");
  }
  if (::fsync(job.preview) != 0 || ::fsync(job.thumb) != 0 || ::fsync(job.description) != 0) {
    return fail(ErrorCode::storage_failed, "derivative", error_text(errno));
  }
  DerivedPhoto photo;
  photo.numbers = {.width = answer.width,
                   .height = answer.height,
                   .orientation = answer.orientation,
                   .truncated = answer.truncated != 0,
                   .sharpness = answer.sharpness,
                   .brightness = answer.brightness,
                   .likeness = answer.likeness};
  photo.format = static_cast<PhotoFormat>(answer.format);
  photo.preview = {answer.preview_width, answer.preview_height, answer.preview_bytes};
  photo.thumb = {answer.thumb_width, answer.thumb_height, answer.thumb_bytes};
  photo.description_bytes = answer.description_bytes;
  return photo;
}

Result<DerivedPhoto> PhotoWorker::derive(const fs::path& original, const fs::path& preview, const fs::path& thumb,
                                         const fs::path& description) {
  const auto storage_failed = [](const fs::path& path) {
    return fail(ErrorCode::storage_failed, "photo", path.string() + ": " + error_text(errno));
  };
  const Descriptor in(::open(original.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return storage_failed(original);
  const auto size = size_of(in.get());
  if (!size) return storage_failed(original);
  if (*size > limits::kMediaBytes) {
    return fail(ErrorCode::media_limits, "photo",
                std::to_string(*size) + " bytes, at most " + std::to_string(limits::kMediaBytes));
  }
  const std::array<const fs::path*, 3> targets{&preview, &thumb, &description};
  std::array<Descriptor, 3> out;
  const auto remove_all = [&] {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (out[i]) ::unlink(targets[i]->c_str());
    }
  };
  for (std::size_t i = 0; i < targets.size(); ++i) {
    // The description is read again here, for it is checked.
    out[i] = Descriptor(::open(targets[i]->c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
    if (!out[i]) {
      auto failure = storage_failed(*targets[i]);
      remove_all();
      return failure;
    }
  }
  auto photo = run({in.get(), out[0].get(), out[1].get(), out[2].get(), *size});
  if (!photo) remove_all();
  return photo;
}

WorkerPhotoDeriver::WorkerPhotoDeriver(FilePhotoStore& store, const PhotoWorkerOptions& options, unsigned workers)
    : store_(store) {
  for (unsigned i = 0; i < std::max(workers, 1U); ++i) {
    workers_.push_back(std::make_unique<PhotoWorker>(options));
    idle_.push_back(workers_.back().get());
  }
}

WorkerPhotoDeriver::~WorkerPhotoDeriver() = default;

Result<void> WorkerPhotoDeriver::start() {
  for (const auto& worker : workers_) {
    if (auto started = worker->start(); !started) return started;
  }
  return {};
}

Result<app::PhotoNumbers> WorkerPhotoDeriver::derive(const Sha256& sha) {
  PhotoWorker* worker = nullptr;
  {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [this] { return !idle_.empty(); });
    worker = idle_.back();  // the last one used: its memory is warm
    idle_.pop_back();
  }
  const auto draft = store_.draft(sha);
  auto photo =
      worker->derive(store_.path(sha, app::PhotoSize::original), draft.preview, draft.thumb, draft.description);
  {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(worker);
  }
  freed_.notify_one();
  Result<void> done;
  if (!photo) {
    done = tl::unexpected(photo.error());
  } else {
    done = store_.publish(sha, draft);
  }
  // What says something of the photo alone says nothing of us.
  works_ = done || (done.error().code != ErrorCode::unavailable && done.error().code != ErrorCode::storage_failed);
  if (!done) return tl::unexpected(done.error());
  return photo->numbers;
}

}  // namespace gridward::vision
