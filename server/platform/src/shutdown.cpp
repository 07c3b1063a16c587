#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <gridward/platform/log.hpp>
#include <gridward/platform/shutdown.hpp>
#include <mutex>
#include <system_error>
#include <thread>

namespace gridward::platform {
namespace {

std::atomic<int> event_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free);  // used in a signal handler

extern "C" void on_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  const auto ignored = ::write(event_fd.load(), &one, sizeof one);
  static_cast<void>(ignored);
  errno = saved;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

bool readable(int timeout_ms) {
  pollfd entry{event_fd.load(), POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1 && (entry.revents & POLLIN) != 0;
}

}  // namespace

ShutdownSignal::ShutdownSignal() {
  event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  handle(SIGTERM, on_signal);
  handle(SIGINT, on_signal);
  handle(SIGPIPE, SIG_IGN);
}

ShutdownSignal::~ShutdownSignal() {
  handle(SIGTERM, SIG_DFL);
  handle(SIGINT, SIG_DFL);
  ::close(event_fd.exchange(-1));
}

void ShutdownSignal::wait() {
  while (!readable(-1)) {
  }
}

bool ShutdownSignal::wait_for(std::chrono::milliseconds t) {
  const auto end = std::chrono::steady_clock::now() + t;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (readable(left > 0 ? static_cast<int>(left) : 0)) return true;
    if (left <= 0) return false;
  }
}

void ShutdownSignal::request() { on_signal(0); }

struct StopWatchdog::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  bool called_off = false;
  std::thread thread;
};

StopWatchdog::StopWatchdog(std::chrono::milliseconds limit, int exit_status) : impl_(new Impl) {
  impl_->thread = std::thread([impl = impl_, limit, exit_status] {
    std::unique_lock lock(impl->mutex);
    if (impl->wake.wait_for(lock, limit, [impl] { return impl->called_off; })) return;
    log::error("stop_timed_out", {{"limit_ms", limit.count()}});
    ::_exit(exit_status);
  });
}

StopWatchdog::~StopWatchdog() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->called_off = true;
  }
  impl_->wake.notify_all();
  impl_->thread.join();
  delete impl_;
}

}  // namespace gridward::platform
