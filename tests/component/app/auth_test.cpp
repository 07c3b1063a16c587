#include <gtest/gtest.h>

#include <gridward/test/server_world.hpp>
#include <thread>

#include "sql.hpp"

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;

const std::string kOffice = "203.0.113.7";
const std::string kStranger = "198.51.100.9";

TEST(Auth, LoginGivesASessionThatEnds) {
  ServerWorld world;
  app::Auth auth(world.services());
  const auto login = auth.login("op", kPassword, kOffice);
  ASSERT_TRUE(login.has_value()) << to_string(login.error());
  EXPECT_EQ(login->actor, world.actor("op"));
  EXPECT_EQ(login->actor.org_path, "120116/120116115");
  EXPECT_EQ(login->token.size(), 43u);
  EXPECT_EQ(login->token.find_first_of("+/="), std::string::npos);
  EXPECT_EQ(auth.actor(login->token).value(), login->actor);
  // Only the hash is stored.
  const auto by_hash =
      world.read([&](app::Tx& tx) { return tx.find_session(world.crypto.sha256(as_bytes(login->token))); });
  ASSERT_TRUE(by_hash.has_value());
  EXPECT_EQ(by_hash->login, "op");

  world.clock.advance(12h - 1ms);
  EXPECT_TRUE(auth.actor(login->token).has_value());
  world.clock.advance(1ms);
  EXPECT_EQ(auth.actor(login->token).error().code, ErrorCode::not_logged_in);
}

TEST(Auth, LogoutEndsIt) {
  ServerWorld world;
  app::Auth auth(world.services());
  const auto login = must(auth.login("op", kPassword, kOffice));
  const auto other = must(auth.login("op", kPassword, kOffice));
  must(auth.logout(login.token));
  EXPECT_EQ(auth.actor(login.token).error().code, ErrorCode::not_logged_in);
  EXPECT_TRUE(auth.actor(other.token).has_value());
  EXPECT_EQ(auth.actor("").error().code, ErrorCode::not_logged_in);
  EXPECT_EQ(auth.actor(std::string(5000, 'x')).error().code, ErrorCode::not_logged_in);
}

TEST(Auth, AnUnknownLoginAnswersLikeAWrongPassword) {
  ServerWorld world;
  app::Auth auth(world.services());
  const auto wrong = auth.login("op", "wrong", kOffice);
  const auto unknown = auth.login("nobody", "wrong", kOffice);
  ASSERT_FALSE(wrong || unknown);
  EXPECT_EQ(wrong.error(), unknown.error());
  EXPECT_EQ(wrong.error().code, ErrorCode::bad_credentials);
  // … and takes a password hash's time: Argon2 dominates both. Generous borders, for a machine under load.
  const auto time_of = [&](const char* login) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      world.clock.advance(1h);
      const auto from = std::chrono::steady_clock::now();
      (void)auth.login(login, "wrong", kOffice);
      best = std::min(best, std::chrono::steady_clock::now() - from);
    }
    return best;
  };
  const auto known_time = time_of("op");
  const auto unknown_time = time_of("nobody");
  EXPECT_GT(unknown_time, known_time / 3);
  EXPECT_LT(unknown_time, known_time * 3);
}

TEST(Auth, FiveInARowThenAGrowingWait) {
  ServerWorld world;
  app::Auth auth(world.services());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(auth.login("op", "wrong", kOffice).error().code, ErrorCode::bad_credentials);
  EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::too_many_attempts)
      << "the right one waits too";
  EXPECT_TRUE(auth.login("boss", kPassword, kOffice).has_value()) << "another login does not";
  world.clock.advance(15s);
  EXPECT_EQ(auth.login("op", "wrong", kOffice).error().code, ErrorCode::bad_credentials);
  world.clock.advance(15s);
  EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::too_many_attempts) << "twice as long now";
  world.clock.advance(15s);
  EXPECT_TRUE(auth.login("op", kPassword, kOffice).has_value());
  EXPECT_EQ(auth.login("op", "wrong", kOffice).error().code, ErrorCode::bad_credentials) << "counted from new";
}

TEST(Auth, AStrangerCannotLockOutWhoCameInFromThereBefore) {
  ServerWorld world;
  {
    app::Auth auth(world.services());
    must(auth.login("op", kPassword, kOffice));
  }
  app::Auth auth(world.services());  // the server was restarted since
  for (int i = 0; i < 5; ++i) EXPECT_EQ(auth.login("op", "wrong", kStranger).error().code, ErrorCode::bad_credentials);
  EXPECT_EQ(auth.login("op", kPassword, kStranger).error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(auth.login("op", kPassword, "192.0.2.1").error().code, ErrorCode::too_many_attempts)
      << "nor from elsewhere";
  EXPECT_TRUE(auth.login("op", kPassword, kOffice).has_value());
  EXPECT_EQ(auth.login("op", kPassword, kStranger).error().code, ErrorCode::too_many_attempts) << "nothing was reset";
  // The place of one login says nothing of another's.
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(auth.login("boss", "wrong", kStranger).error().code, ErrorCode::bad_credentials);
  EXPECT_EQ(auth.login("boss", kPassword, kOffice).error().code, ErrorCode::too_many_attempts);
  // Who knows the place still guesses no faster.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(auth.login("op", "wrong", kOffice).error().code, ErrorCode::bad_credentials);
  EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::too_many_attempts);
  // A place is known for 90 days.
  world.clock.advance(std::chrono::days{91});
  must(auth.login("u1", kPassword, kOffice));
  for (int i = 0; i < 5; ++i) (void)auth.login("op", "wrong", "192.0.2.77");
  EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::too_many_attempts);
}

TEST(Auth, OneAddressMayNotTryEveryLogin) {
  ServerWorld world;
  app::Auth auth(world.services());
  must(auth.login("op", kPassword, kStranger));
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(auth.login("nobody-" + std::to_string(i), "guess", kStranger).error().code, ErrorCode::bad_credentials)
        << i;
  }
  const auto refused = auth.login("boss", kPassword, kStranger);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(refused.error().field, "address");
  EXPECT_TRUE(auth.login("boss", kPassword, kOffice).has_value()) << "another address does not wait";
  EXPECT_TRUE(auth.login("op", kPassword, kStranger).has_value()) << "nor who came in from there before";
  world.clock.advance(16min);
  EXPECT_TRUE(auth.login("u1", kPassword, kStranger).has_value());
}

TEST(Auth, AnOfficeThatComesToWorkIsNoAttack) {
  ServerWorld world;
  app::Auth auth(world.services());
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(auth.login("op", kPassword, kOffice).has_value());
    sql_do(world, "DELETE FROM login_places");  // as if it were another one each time
  }
}

TEST(Auth, ALostDatabaseIsNoAttempt) {
  ServerWorld world;
  app::Auth auth(world.services());
  must(auth.login("boss", kPassword, kOffice));
  world.store->stop();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::unavailable);
    EXPECT_EQ(auth.login("boss", kPassword, kOffice).error().code, ErrorCode::unavailable);
  }
}

TEST(Auth, ASessionThatCannotBeWrittenIsNoAttempt) {
  ServerWorld world;
  app::Auth auth(world.services());
  sql_do(world, "ALTER TABLE sessions RENAME TO away");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::internal) << i;
  }
  sql_do(world, "ALTER TABLE away RENAME TO sessions");
  EXPECT_TRUE(auth.login("op", kPassword, kOffice).has_value());
}

TEST(Auth, AttemptsInParallelCountAsMany) {
  ServerWorld world;
  app::Auth auth(world.services());
  std::atomic<int> looked_at{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      if (auth.login("op", "wrong", kOffice).error().code == ErrorCode::bad_credentials) ++looked_at;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(looked_at.load(), 5);
}

TEST(Auth, AnInactiveUserIsOutAtOnce) {
  ServerWorld world;
  app::Auth auth(world.services());
  const auto login = must(auth.login("op", kPassword, kOffice));
  must(world.store->write([&](app::Tx& tx) -> Result<void> {
    auto user = tx.find_user("op").value();
    user.active = false;
    tx.upsert_user(user);
    return {};
  }));
  EXPECT_EQ(auth.actor(login.token).error().code, ErrorCode::not_logged_in);
  EXPECT_EQ(auth.login("op", kPassword, kOffice).error().code, ErrorCode::bad_credentials);
}

TEST(Auth, OverlongInputIsRefusedBeforeItCostsAnything) {
  ServerWorld world;
  app::Auth auth(world.services());
  EXPECT_EQ(auth.login(std::string(65, 'a'), "x", kOffice).error().code, ErrorCode::bad_credentials);
  EXPECT_EQ(auth.login("op", std::string(2000, 'a'), kOffice).error().code, ErrorCode::bad_credentials);
  EXPECT_EQ(auth.login("", "", kOffice).error().code, ErrorCode::bad_credentials);
}

}  // namespace
}  // namespace gridward
