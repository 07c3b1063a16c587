// SIGTERM and SIGINT as an event one can wait for.
#pragma once

#include <chrono>

namespace gridward::platform {

// One at a time in a process. Handlers, not a blocked mask: a child program starts with the defaults again.
// SIGPIPE is ignored from now on.
class ShutdownSignal {
 public:
  ShutdownSignal();
  ~ShutdownSignal();
  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

  void wait();                                 // returns at once when it was asked for before
  bool wait_for(std::chrono::milliseconds t);  // false: not yet
  void request();                              // as if a signal had come; thread-safe
};

// Ends the process with the status when it is still there after `limit`: a stop that hangs must not hang for ever.
// Destroy it to call that off.
class StopWatchdog {
 public:
  StopWatchdog(std::chrono::milliseconds limit, int exit_status);
  ~StopWatchdog();
  StopWatchdog(const StopWatchdog&) = delete;
  StopWatchdog& operator=(const StopWatchdog&) = delete;

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace gridward::platform
