#include <gtest/gtest.h>

#include "case_chain.hpp"
#include "case_support.hpp"
#include "case_walk.hpp"

namespace gridward::domain {
namespace {

using namespace test;

TEST(CaseProperty, AMillionRandomCommandsNeverBreakACase) {
  const auto rules = policy();
  Walk walk(rules, everybody(), 20260309, {"U1", "U2", "U3"});
  std::size_t chained = 0;
  walk.after_each([&](std::span<const CaseEvent> events) {
    if (events.empty() || chained > 300'000) return;
    chained += events.size();
    const auto turn = static_cast<std::uint8_t>(chained);
    auto links = chain_of(events, turn);
    ASSERT_TRUE(holds_together(links));
    // Erasing leaves it whole; a changed word anywhere does not.
    for (auto& link : links) link.event = erased(link.event, PersonalSet(turn % 16));
    ASSERT_TRUE(holds_together(links));
    auto& one = links[turn % links.size()].event;
    (turn % 2 == 0 ? one.step : one.rule) += "x";
    ASSERT_FALSE(holds_together(links));
  });
  const auto result = walk.run(1'000'000);
  EXPECT_GT(chained, 100'000u);
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_GE(result.commands, 1'000'000u);
  // The walk is worth something only when it goes everywhere.
  EXPECT_GT(result.taken, 200'000u);
  EXPECT_GT(result.ended, 2'000u);
  std::set<Action> known;
  for (const auto& [id, process] : rules.processes) {
    for (const auto& step : process.steps) {
      EXPECT_TRUE(result.steps.at(id).contains(step.name)) << id << " never came to " << step.name;
    }
    for (const auto& move : process.moves) known.insert(move.action);
  }
  known.insert(Action::warn);
  known.insert(Action::overdue);
  for (std::size_t i = 0; i < kActions; ++i) {
    const auto action = static_cast<Action>(i);
    EXPECT_TRUE(known.contains(action)) << to_string(action) << " is in no process of the tests";
    const auto found = result.done.find(action);
    EXPECT_GE(found == result.done.end() ? 0 : found->second, 50u) << to_string(action);
  }
  for (const auto code : {ErrorCode::illegal_transition, ErrorCode::forbidden, ErrorCode::missing_field,
                          ErrorCode::out_of_range, ErrorCode::bad_type, ErrorCode::version_conflict}) {
    EXPECT_TRUE(result.refused.contains(code)) << error_info(code).name;
  }
}

TEST(CaseProperty, TheProcessesOfTheTestsAreSound) {
  for (const auto& problem : policy_problems(policy())) ADD_FAILURE() << problem.path << ": " << problem.text;
}

}  // namespace
}  // namespace gridward::domain
