#include <gtest/gtest.h>

#include <atomic>
#include <gridward/platform/worker_pool.hpp>
#include <latch>

namespace gridward::platform {
namespace {

TEST(WorkerPool, RunsEveryTaskThatItTook) {
  std::atomic<int> done{0};
  int taken = 0;
  {
    WorkerPool pool(3, 1000);
    for (int i = 0; i < 500; ++i) taken += pool.try_post([&] { ++done; }) ? 1 : 0;
    pool.stop();
    EXPECT_FALSE(pool.try_post([&] { ++done; }));
  }
  EXPECT_EQ(taken, 500);
  EXPECT_EQ(done, 500);
}

TEST(WorkerPool, AFullQueueRefuses) {
  std::latch running(1);
  std::latch go(1);
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.try_post([&] {
    running.count_down();
    go.wait();
  }));
  running.wait();
  std::atomic<int> done{0};
  EXPECT_TRUE(pool.try_post([&] { ++done; }));
  EXPECT_TRUE(pool.try_post([&] { ++done; }));
  EXPECT_EQ(pool.waiting(), 2U);
  EXPECT_FALSE(pool.try_post([&] { ++done; }));
  go.count_down();
  pool.stop();
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace gridward::platform
