#include <gtest/gtest.h>

#include <gridward/test/gate.hpp>
#include <gridward/test/server_world.hpp>

#include "sql.hpp"

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST(StoreProof, IsACommitNotAGuess) {
  ServerWorld world;
  app::StoreProof proof(world.services());
  EXPECT_TRUE(proof.writable());
  const auto commits = world.store->counters().commits;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(proof.writable());
  EXPECT_EQ(world.store->counters().commits, commits) << "asking often costs nothing";

  sql_do(world, "ALTER TABLE counters RENAME TO away");
  EXPECT_TRUE(proof.writable()) << "as of a moment ago";
  world.clock.advance(5s);
  EXPECT_FALSE(proof.writable());
  sql_do(world, "ALTER TABLE away RENAME TO counters");
  world.clock.advance(-1h);
  EXPECT_TRUE(proof.writable()) << "a clock that was put back does not hold on to what is old";
}

// A writer that died: what it took is let go of, and nobody is told.
class DeadStore : public app::Store {
 public:
  Result<void> read(const std::function<Result<void>(app::Tx&)>&) override { return {}; }
  Result<void> submit(app::Unit) override { return {}; }
  bool idle() const override { return true; }
};

TEST(Store, AWriterThatIsGoneIsAnErrorNotAThrow) {
  DeadStore store;
  const auto written = store.write([](app::Tx&) -> Result<void> { return {}; });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::unavailable);
}

TEST(StoreProof, AWriterThatStandsIsSeenAndHoldsUpOneAsker) {
  ServerWorld world;
  app::StoreProof proof(world.services());
  EXPECT_TRUE(proof.writable());
  Gate gate(*world.store);
  world.clock.advance(5s);
  const auto from = std::chrono::steady_clock::now();
  EXPECT_FALSE(proof.writable());
  world.clock.advance(2s);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(proof.writable());
  EXPECT_LT(std::chrono::steady_clock::now() - from, 3s) << "the first waits a second, the others not at all";
  gate.open();
  EXPECT_TRUE(wait_until([&] {
    world.clock.advance(5s);
    return proof.writable();
  }));
  world.store->stop();
  world.clock.advance(5s);
  EXPECT_FALSE(proof.writable());
}

}  // namespace
}  // namespace gridward
