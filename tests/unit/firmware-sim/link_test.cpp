#include <gtest/gtest.h>

#include <gridward_sim/link.hpp>

namespace gridward::sim {
namespace {

TEST(LinkFate, IsTheSameForTheSameSeed) {
  const LinkOptions options;
  Random a(7);
  Random b(7);
  for (int i = 0; i < 100; ++i) {
    const auto x = draw_fate(a, options);
    const auto y = draw_fate(b, options);
    EXPECT_EQ(x.delay_ms, y.delay_ms);
    EXPECT_EQ(x.dies_ms, y.dies_ms);
    EXPECT_EQ(x.silent, y.silent);
  }
}

TEST(LinkFate, HasEveryKindAndStaysInItsLimits) {
  const LinkOptions options{.seed = 1, .life_s = 10, .delay_ms = 200};
  Random random(1);
  int silent = 0;
  int delayed = 0;
  int slow = 0;
  int stalling = 0;
  double life = 0;
  constexpr int kCount = 2000;
  for (int i = 0; i < kCount; ++i) {
    const auto fate = draw_fate(random, options);
    EXPECT_LE(fate.delay_ms, 200);
    EXPECT_GT(fate.dies_ms, 0);
    EXPECT_EQ(fate.silent, fate.dead_ms > 0);
    silent += fate.silent ? 1 : 0;
    delayed += fate.delay_ms > 0 ? 1 : 0;
    slow += fate.bytes_per_s > 0 ? 1 : 0;
    stalling += fate.stall_ms > 0 ? 1 : 0;
    life += static_cast<double>(fate.dies_ms) / 1000 / kCount;
  }
  for (const int share : {silent, delayed, slow, stalling}) {
    EXPECT_GT(share, kCount / 6);
    EXPECT_LT(share, kCount * 5 / 6);
  }
  EXPECT_NEAR(life, 10, 1);
}

}  // namespace
}  // namespace gridward::sim
