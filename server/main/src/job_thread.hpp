#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace gridward::main_program {

// Does durable work: again at once while there was some, else at the next kick or after `pause`. What it throws is
// logged, for a lost database comes back.
class JobThread {
 public:
  JobThread(std::string name, std::function<bool()> run_once, std::chrono::milliseconds pause);
  ~JobThread();  // waits for the work under way
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  void kick();  // thread-safe

 private:
  void run();

  const std::string name_;
  const std::function<bool()> run_once_;
  const std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool kicked_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gridward::main_program
