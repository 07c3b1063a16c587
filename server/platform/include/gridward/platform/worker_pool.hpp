// A fixed number of threads and a bounded queue in front of them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gridward::platform {

// Thread-safe.
class WorkerPool {
 public:
  // threads and queue_limit: at least 1.
  WorkerPool(std::size_t threads, std::size_t queue_limit);
  ~WorkerPool();  // stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // false: the queue is full or the pool has stopped; the task was not taken. A task must not throw.
  [[nodiscard]] bool try_post(std::function<void()> task);
  // Takes nothing more, does what is queued, joins the threads. Not from a task.
  void stop();
  std::size_t waiting() const;

 private:
  void run();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gridward::platform
