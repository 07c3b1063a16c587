#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "backoff.hpp"
#include "bounded_queue.hpp"

namespace gridward::mqtt {
namespace {

TEST(BoundedQueue, RefusesWhatIsOverEitherLimit) {
  BoundedQueue<int> queue(3, 100);
  EXPECT_TRUE(queue.try_push(1, 40));
  EXPECT_TRUE(queue.try_push(2, 60));
  EXPECT_FALSE(queue.try_push(3, 1)) << "bytes";
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.try_push(3, 1));
  EXPECT_TRUE(queue.try_push(4, 1));
  EXPECT_FALSE(queue.try_push(5, 1)) << "count";
  EXPECT_EQ(queue.size(), 3u);
}

TEST(BoundedQueue, OneValueIsTakenHoweverLarge) {
  BoundedQueue<int> queue(3, 100);
  EXPECT_TRUE(queue.try_push(1, 1000));
  EXPECT_FALSE(queue.try_push(2, 1));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.try_push(2, 1));
}

TEST(BoundedQueue, ClosedGivesWhatIsInItAndTakesNothing) {
  BoundedQueue<int> queue(3, 100);
  EXPECT_TRUE(queue.try_push(1, 1));
  queue.close();
  EXPECT_FALSE(queue.try_push(2, 1));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, ManyThreadsLoseAndDoubleNothing) {
  BoundedQueue<int> queue(16, 1 << 20);
  constexpr int kEach = 5000;
  std::vector<std::thread> threads;
  std::vector<std::vector<int>> got(3);
  for (std::size_t t = 0; t < got.size(); ++t) {
    threads.emplace_back([&, t] {
      while (const auto value = queue.pop()) got[t].push_back(*value);
    });
  }
  std::vector<std::thread> givers;
  for (int g = 0; g < 3; ++g) {
    givers.emplace_back([&, g] {
      for (int i = 0; i < kEach; ++i) {
        while (!queue.try_push(g * kEach + i, 10)) std::this_thread::yield();
      }
    });
  }
  for (auto& giver : givers) giver.join();
  queue.close();
  for (auto& thread : threads) thread.join();
  std::vector<int> seen(3 * kEach);
  for (const auto& part : got) {
    for (const int value : part) ++seen[static_cast<std::size_t>(value)];
    // One giver's values reach one taker in order.
    std::vector<int> last(3, -1);
    for (const int value : part) {
      EXPECT_GT(value, last[static_cast<std::size_t>(value / kEach)]);
      last[static_cast<std::size_t>(value / kEach)] = value;
    }
  }
  for (const int count : seen) ASSERT_EQ(count, 1);
}

TEST(Backoff, GrowsToItsCeilingAndIsSpread) {
  // 2000 clients that lost the same broker: their n-th waits fill 0 … first · 2ⁿ evenly, and never more than the most.
  std::vector<std::int64_t> sum(12), most(12);
  constexpr int kClients = 2000;
  for (std::uint32_t client = 1; client <= kClients; ++client) {
    Backoff backoff(Millis{250}, Millis{30'000}, client * 7919);
    for (std::size_t n = 0; n < 12; ++n) {
      const auto wait = backoff.next().count();
      ASSERT_GE(wait, 0);
      sum[n] += wait;
      most[n] = std::max(most[n], wait);
    }
  }
  for (std::size_t n = 0; n < 12; ++n) {
    const auto ceiling = std::min<std::int64_t>(30'000, 250LL << n);
    EXPECT_LE(most[n], ceiling);
    EXPECT_NEAR(static_cast<double>(sum[n]) / kClients, static_cast<double>(ceiling) / 2,
                static_cast<double>(ceiling) * 0.05);
  }
}

TEST(Backoff, ResetBeginsAgainAndManyFailuresDoNotOverflow) {
  Backoff backoff(Millis{100}, Millis{30'000}, 1);
  for (int i = 0; i < 10'000; ++i) ASSERT_LE(backoff.next().count(), 30'000);
  backoff.reset();
  EXPECT_LE(backoff.next().count(), 100);
}

}  // namespace
}  // namespace gridward::mqtt
