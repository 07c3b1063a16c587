#include "job_thread.hpp"

#include <gridward/platform/log.hpp>

namespace gridward::main_program {

JobThread::JobThread(std::string name, std::function<bool()> run_once, std::chrono::milliseconds pause)
    : name_(std::move(name)), run_once_(std::move(run_once)), pause_(pause), thread_([this] { run(); }) {}

JobThread::~JobThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void JobThread::kick() {
  {
    const std::lock_guard lock(mutex_);
    kicked_ = true;
  }
  wake_.notify_all();
}

void JobThread::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      kicked_ = false;  // before the work: a kick during it is not lost
    }
    bool more = false;
    try {
      more = run_once_();
    } catch (const std::exception& e) {
      platform::log::error("job_failed", {{"job", name_}, {"what", e.what()}});
    }
    if (more) continue;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause_, [this] { return kicked_ || stopping_; });
  }
}

}  // namespace gridward::main_program
