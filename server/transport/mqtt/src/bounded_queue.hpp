// A queue with two limits, count and bytes, for one or more takers.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace gridward::mqtt {

// Thread-safe.
template <class T>
class BoundedQueue {
 public:
  BoundedQueue(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}

  // false: full or closed; the value was not taken. One value is taken however large it is.
  [[nodiscard]] bool try_push(T value, std::size_t bytes) {
    {
      const std::scoped_lock lock(mutex_);
      if (closed_ || queue_.size() >= most_ || (!queue_.empty() && bytes_ + bytes > most_bytes_)) return false;
      bytes_ += bytes;
      queue_.emplace_back(std::move(value), bytes);
    }
    wake_.notify_one();
    return true;
  }
  // Waits. Nothing: closed, and all that was in it is out.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return std::nullopt;
    auto [value, bytes] = std::move(queue_.front());
    queue_.pop_front();
    bytes_ -= bytes;
    return std::move(value);
  }
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
  }
  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
  }

 private:
  const std::size_t most_;
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<T, std::size_t>> queue_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace gridward::mqtt
