#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <gridward/platform/shutdown.hpp>

namespace gridward::platform {
namespace {

using namespace std::chrono_literals;

TEST(ShutdownSignal, ASignalEndsTheWait) {
  for (const int number : {SIGTERM, SIGINT}) {
    ShutdownSignal shutdown;
    EXPECT_FALSE(shutdown.wait_for(0ms));
    ::raise(number);
    shutdown.wait();
    EXPECT_TRUE(shutdown.wait_for(0ms));  // stays asked for
  }
}

TEST(ShutdownSignal, CanBeAskedForFromInside) {
  ShutdownSignal shutdown;
  shutdown.request();
  shutdown.wait();
}

TEST(StopWatchdog, EndsAProcessThatHangs) {
  EXPECT_EXIT(
      {
        const StopWatchdog watchdog(1ms, 7);
        for (;;) ::pause();
      },
      ::testing::ExitedWithCode(7), "stop_timed_out limit_ms=1");
}

TEST(StopWatchdog, IsCalledOff) { const StopWatchdog watchdog(1h, 7); }

}  // namespace
}  // namespace gridward::platform
