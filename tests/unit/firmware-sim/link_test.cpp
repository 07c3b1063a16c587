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

TEST(LinkClasses, EachHasAFateThatIsItsOwnAndTheSameForTheSameSeed) {
  for (const auto& name : link_class_names()) {
    const auto link = *link_class(name);
    Random a(3);
    Random b(3);
    double life = 0;
    int silent = 0;
    constexpr int kCount = 2000;
    for (int i = 0; i < kCount; ++i) {
      const auto fate = draw_fate(a, link);
      const auto again = draw_fate(b, link);
      EXPECT_EQ(fate.dies_ms, again.dies_ms) << name;
      EXPECT_EQ(fate.silent, again.silent) << name;
      EXPECT_EQ(fate.dead_ms, again.dead_ms) << name;
      EXPECT_EQ(fate.delay_ms, static_cast<std::int64_t>(link.delay_ms)) << name;
      EXPECT_EQ(fate.bytes_per_s, static_cast<std::int64_t>(link.bytes_per_s)) << name;
      EXPECT_EQ(fate.silent, fate.dead_ms > 0) << name;
      life += static_cast<double>(fate.dies_ms) / 1000 / kCount;
      silent += fate.silent ? 1 : 0;
    }
    EXPECT_NEAR(life, link.life_s, link.life_s / 10) << name;
    EXPECT_NEAR(static_cast<double>(silent) / kCount, link.silent, 0.05) << name;
  }
  EXPECT_FALSE(link_class("5g"));
}

TEST(LinkClasses, CoverageComesAndGoesAsTheySay) {
  for (const auto& name : link_class_names()) {
    const auto link = *link_class(name);
    Coverage coverage(link, 5);
    Coverage again(link, 5);
    EXPECT_EQ(coverage.there(), name != "none");
    if (link.down_max_s == 0) {
      coverage.advance(1'000'000'000);
      EXPECT_EQ(coverage.there(), name != "none") << name;
      continue;
    }
    std::int64_t last = 0;
    for (int i = 0; i < 500; ++i) {
      const auto at = coverage.changes_ms();
      const double lasted = static_cast<double>(at - last) / 1000;
      if (i > 0) {  // the first may have begun before
        EXPECT_GE(lasted, coverage.there() ? link.up_min_s : link.down_min_s) << name;
      }
      EXPECT_LE(lasted, 0.01 + (coverage.there() ? link.up_max_s : link.down_max_s)) << name;
      const bool was = coverage.there();
      coverage.advance(at - 1);
      EXPECT_EQ(coverage.there(), was);
      coverage.advance(at);
      EXPECT_EQ(coverage.there(), !was);
      last = at;
    }
    again.advance(last);  // in one go
    EXPECT_EQ(again.there(), coverage.there());
    EXPECT_EQ(again.changes_ms(), coverage.changes_ms());
    Coverage other(link, 6);
    other.advance(last);
    EXPECT_NE(other.changes_ms(), coverage.changes_ms());
  }
}

}  // namespace
}  // namespace gridward::sim
