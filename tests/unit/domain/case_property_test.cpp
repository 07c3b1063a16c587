// Random commands, right and wrong ones, against a case: whatever comes, the promises hold.
#include <gtest/gtest.h>

#include <random>

#include "case_support.hpp"

namespace gridward::domain {
namespace {

using namespace test;

TEST(CaseProperty, RandomCommandsNeverBreakTheCase) {
  std::mt19937 random(20260309);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const Actor actors[] = {
      member(), checker(), town_desk(), unit(), other_unit(), machine(), actor(Role::leader, "boss", "D1", "D1")};
  const auto rules = policy();

  std::size_t commands = 0, taken = 0, finished = 0, reworked = 0;
  while (commands < 250'000) {
    CaseRecord state;
    std::vector<CaseEvent> events;
    UnixMs now = day(pick(200));
    Stage furthest = Stage::reported;
    for (int i = 0; i < 60; ++i, ++commands) {
      now += std::chrono::minutes{pick(3000)};
      // Mostly a command that could be right, in any order, sometimes with something spoilt.
      auto c = command(static_cast<Action>(pick(13)), now);
      if (state.version > 0 && pick(3) != 0) {
        std::vector<std::pair<Action, Actor>> open;
        for (const auto& who : actors) {
          for (const auto action : allowed_actions(state, who)) open.emplace_back(action, who);
        }
        if (!open.empty()) {
          const auto& [action, who] = open[static_cast<std::size_t>(pick(static_cast<int>(open.size())))];
          c = command(action, now);
          c.actor = who;
        }
      }
      if (c.action == Action::verify) c.outcome = static_cast<TaskOutcome>(pick(3));
      switch (pick(24)) {
        case 0:
          c.actor = actors[pick(7)];
          break;
        case 1:
          c.expected_version = static_cast<std::uint64_t>(pick(20));
          break;
        case 2:
          c.note.clear();
          break;
        case 3:
          c.task = uuid(8);
          break;
        case 4:
          c.category = "none";
          break;
        case 5:
          c.assignee = "u1";
          break;
        default:
          break;
      }
      const auto before = state;
      const auto made = decide(state.version == 0 ? nullptr : &state, c, rules, now);
      ASSERT_EQ(decide(state.version == 0 ? nullptr : &state, c, rules, now), made) << "decide is a function";
      ASSERT_EQ(state, before);
      if (!made) {
        ASSERT_FALSE(made.error().field.empty());
        ASSERT_FALSE(made.error().detail.empty());
        ASSERT_NE(made.error().code, ErrorCode::internal);
        continue;
      }
      ++taken;
      ASSERT_EQ(made->size(), 1u);
      ASSERT_TRUE(may(c.actor.role, c.action));
      if (c.expected_version) {
        ASSERT_EQ(*c.expected_version, before.version);
      }
      for (const auto& event : *made) {
        events.push_back(event);
        state = evolve(std::move(state), event);
      }
      ASSERT_EQ(state.version, events.size());
      ASSERT_EQ(state.updated_at, now);
      ASSERT_NE(before.step, Step::done) << "nothing follows the end";
      ASSERT_NE(before.step, Step::rejected);
      // A clock runs exactly while a unit has the case or had it in this round.
      ASSERT_EQ(state.due_at.has_value(), !state.unit.empty());
      ASSERT_EQ(state.clock_started_at.has_value(), state.due_at.has_value());
      if (state.due_at) {
        ASSERT_GT(*state.due_at, *state.clock_started_at);
      }
      if (!state.verifier.empty()) {
        ASSERT_NE(state.verifier, state.handler);
      }
      // Stages move one on, except for rework and asking for the check again.
      if (c.action == Action::rework) {
        ASSERT_EQ(state.round, before.round + 1);
        ++reworked;
      } else {
        ASSERT_EQ(state.round, before.version == 0 ? 1u : before.round);
        const int moved = static_cast<int>(state.stage) - static_cast<int>(before.stage);
        ASSERT_TRUE(moved == 0 || moved == 1 || (moved == -1 && c.action == Action::request_verify));
      }
      if (c.action == Action::close) {
        ASSERT_EQ(before.verify_outcome, TaskOutcome::confirmed);
      }
      if (state.stage >= Stage::closed) {
        ASSERT_FALSE(state.feedback.empty()) << "A31: no closing without feedback";
      }
      furthest = std::max(furthest, state.stage);
      if (state.step == Step::done) {
        ASSERT_EQ(state.on_time, *state.handled_at <= *state.due_at);
      }
    }
    if (state.step == Step::done) ++finished;
    ASSERT_EQ(replay(state.id, state.number, events), state);
  }
  // The walk is worth something only when it goes everywhere.
  EXPECT_GT(taken, 20'000u);
  EXPECT_GT(finished, 500u);
  EXPECT_GT(reworked, 500u);
}

}  // namespace
}  // namespace gridward::domain
