#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "connection.hpp"

namespace gridward::storage {

// Moves SQLite's log into the database on a connection and thread of its own, so that the writer, and everybody whose
// receipt waits for it, does not stand still for it. The log begins anew only when the writer itself finds all of it
// moved: its own checkpoint then has the little left to do that came in the meantime.
class Checkpointer {
 public:
  Checkpointer(Address address, std::function<void(std::string_view)> log);
  ~Checkpointer();  // waits for one under way
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // After a commit of so many units. Thread-safe; never waits for a checkpoint.
  void committed(std::size_t units);

 private:
  void run();

  const Address address_;
  const std::function<void(std::string_view)> log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t units_ = 0;  // since the last
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gridward::storage
