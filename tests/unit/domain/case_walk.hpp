// Random commands, right and wrong ones, against the processes of any policy: whatever comes, the promises hold.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "case_play.hpp"

namespace gridward::domain::test {

struct WalkResult {
  std::size_t commands = 0;
  std::size_t taken = 0;
  std::size_t ended = 0;
  std::map<Action, std::size_t> done;
  std::map<std::string, std::set<std::string>> steps;  // of each process
  std::map<ErrorCode, std::size_t> refused;
};

class Walk {
 public:
  Walk(const Policy& policy, std::vector<Actor> actors, unsigned seed, std::vector<std::string> units)
      : policy_(policy), actors_(std::move(actors)), random_(seed), values_{policy} {
    values_.units = std::move(units);
  }

  // Called with the events of each case when the walk is done with it.
  void after_each(std::function<void(std::span<const CaseEvent>)> look) { after_each_ = std::move(look); }

  // Stops at the first broken promise (gtest says which).
  WalkResult run(std::size_t commands) {
    while (result_.commands < commands && !::testing::Test::HasFatalFailure()) one_case();
    return result_;
  }

 private:
  std::size_t pick(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  void one_case() {
    state_ = {};
    state_.id.bytes[0] = 1;
    events_.clear();
    auto process = std::next(policy_.processes.begin(), static_cast<std::ptrdiff_t>(pick(policy_.processes.size())));
    now_ = UnixMs{std::chrono::sys_days{std::chrono::year{2026} / 1 / 5}} + std::chrono::hours{pick(24 * 200)};
    for (int i = 0; i < 80; ++i) {
      ++result_.commands;
      now_ += pick(24) == 0 ? std::chrono::minutes{pick(6000)} : std::chrono::minutes{pick(40)};
      const auto command = next(process->second);
      ASSERT_NO_FATAL_FAILURE(give(command, process->second));
      if (state_.ends) {
        ++result_.ended;
        if (pick(4) != 0) break;  // sometimes go on knocking at a shut door
      }
    }
    ASSERT_EQ(replay(state_.id, state_.number, events_), state_) << "the projection is the replay of the events";
    if (after_each_) {
      ASSERT_NO_FATAL_FAILURE(after_each_(events_));
    }
  }

  std::string_view holder_path() const {
    return state_.holder.empty() ? std::string_view("D1/T1") : std::string_view(state_.holder);
  }

  Command next(const Process& process) {
    values_.turn = random_() >> 8;
    if (state_.version > 0 && pick(2) == 0) {
      const auto due = alarms(state_, policy_, now_);
      if (!due.empty() && pick(3) == 0) {
        Command c;
        c.action = due.front().action;
        c.actor = actors_.back();
        for (const auto& who : actors_) {
          if (who.role == Role::system) c.actor = who;
        }
        c.fields[Field::clock] = due.front().clock;
        return c;
      }
      if (auto offered = from_offers(process)) return *offered;
    }
    return arbitrary(process);
  }

  std::optional<Command> from_offers(const Process& process) {
    const auto start = pick(actors_.size());
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      const auto& who = actors_[(start + i) % actors_.size()];
      auto all = offers(state_, who, holder_path(), policy_, now_);
      std::erase_if(all, [](const Offer& offer) { return !offer.blocked.empty(); });
      // Acts that move the case on come up more often than those that leave it where it is.
      const bool onward = pick(2) != 0;
      if (onward) std::erase_if(all, [&](const Offer& offer) { return offer.to == state_.step; });
      if (all.empty()) continue;
      std::erase_if(all, [&](const Offer& offer) {
        const auto* step = process.step(offer.to);
        return step != nullptr && step->ends && offer.action != Action::archive && pick(20) != 0;
      });
      if (all.empty()) continue;
      // Of three, the act that was done least: the side ways are long and would hardly be gone by chance.
      const auto* least = &all[pick(all.size())];
      for (int k = 0; k < 2; ++k) {
        const auto& other = all[pick(all.size())];
        if (result_.done[other.action] < result_.done[least->action]) least = &other;
      }
      const auto& offer = *least;
      Move move;
      move.action = offer.action;
      move.required = offer.required;
      move.optional = offer.optional;
      move.reasons = offer.reasons;
      auto c = filled(values_, move, who, state_, holder_path(), now_, pick(3) == 0);
      c.process = process.id;
      if (offer.action == Action::assess) {
        c.history = events_;
        c.grid_member = "m9";
      }
      return c;
    }
    return std::nullopt;
  }

  Command arbitrary(const Process& process) {
    std::size_t index = state_.version == 0 && pick(8) != 0 ? 0 : pick(process.moves.size());
    const auto* to = process.step(process.moves[index].to);
    // Most acts that end a case are left out: too few would live long enough for the long ways.
    if (to != nullptr && to->ends && pick(10) != 0) index = pick(process.moves.size());
    const auto& move = process.moves[index];
    const bool fits = pick(4) != 0;
    std::vector<const Actor*> those;
    for (const auto& who : actors_) {
      const bool may = std::find(move.roles.begin(), move.roles.end(), who.role) != move.roles.end();
      if (may || !fits) those.push_back(&who);
    }
    const Actor& who = those.empty() ? actors_.front() : *those[pick(those.size())];
    auto c = filled(values_, move, who, state_, holder_path(), now_, pick(4) == 0);
    c.process = process.id;
    if (state_.version == 0) {
      for (const auto& [code, channel] : policy_.channels) {
        if (c.fields.contains(Field::channel) && channel.process == process.id) c.fields[Field::channel] = code;
      }
    }
    if (move.own_time) c.at = now_ - std::chrono::minutes{static_cast<int>(pick(5000)) - 500};
    spoil(c);
    return c;
  }

  void spoil(Command& c) {
    switch (pick(24)) {
      case 0:
        c.expected_version = pick(20);
        break;
      case 1:
        c.note.clear();
        break;
      case 2:
        c.media.clear();
        break;
      case 3:
        if (!c.fields.empty()) c.fields.erase(c.fields.begin());
        break;
      case 4:
        c.fields[static_cast<Field>(pick(kFields))] = std::string(pick(80), 'x');
        break;
      case 5:
        c.fields[static_cast<Field>(pick(kFields))] = static_cast<std::int64_t>(pick(9)) - 2;
        break;
      case 6:
        c.fields[static_cast<Field>(pick(kFields))] = now_ + std::chrono::hours{pick(5)};
        break;
      case 7:
        c.action = static_cast<Action>(pick(kActions));
        break;
      case 8:
        c.holder_path = "D9";
        break;
      case 9:
        c.actor.login.clear();
        break;
      default:
        break;
    }
  }

  void give(const Command& c, const Process& process) {
    const auto before = state_;
    const auto* from = state_.version == 0 ? nullptr : &state_;
    const auto made = decide(from, c, policy_, now_);
    if (result_.commands % 16 == 0) {
      ASSERT_EQ(decide(from, c, policy_, now_), made) << "decide is a function";
    }
    if (!made) {
      ++result_.refused[made.error().code];
      ASSERT_FALSE(made.error().field.empty());
      ASSERT_FALSE(made.error().detail.empty());
      ASSERT_NE(made.error().code, ErrorCode::internal);
      ASSERT_NE(made.error().code, ErrorCode::config_invalid) << to_string(made.error());
      return;
    }
    ++result_.taken;
    ++result_.done[c.action];
    ASSERT_EQ(made->size(), 1u);
    ASSERT_FALSE(before.ends) << "nothing follows an end";
    if (c.expected_version) {
      ASSERT_EQ(*c.expected_version, before.version);
    }
    const auto& event = made->front();
    ASSERT_TRUE(allowed(process, before, c, event)) << before.step << " " << to_string(c.action) << " " << event.step;
    events_.push_back(event);
    state_ = evolve(std::move(state_), event);
    result_.steps[process.id].insert(state_.step);
    check_state(process, before, event);
  }

  // A move of the graph leads there for this act and role: looked up anew, not by the engine's own choice.
  static bool allowed(const Process& process, const CaseRecord& before, const Command& c, const CaseEvent& event) {
    const auto* step = process.step(event.step);
    if (step == nullptr || step->stage != event.stage || step->ends != event.ends || step->aside != event.aside)
      return false;
    bool listed = false;
    for (const auto& move : process.moves) {
      if (move.action != c.action) continue;
      listed = true;
      if (std::find(move.roles.begin(), move.roles.end(), c.actor.role) == move.roles.end()) continue;
      const bool here = before.version == 0
                            ? move.from.empty()
                            : std::any_of(move.from.begin(), move.from.end(),
                                          [&](const std::string& name) { return name == "*" || name == before.step; });
      const auto& to = move.to.empty() ? before.step : move.to == "@back" ? before.back : move.to;
      if (here && to == event.step) return true;
    }
    return !listed && (c.action == Action::warn || c.action == Action::overdue) && c.actor.role == Role::system &&
           event.step == before.step;
  }

  void check_state(const Process& process, const CaseRecord& before, const CaseEvent& event) {
    ASSERT_EQ(state_.version, before.version + 1);
    ASSERT_EQ(state_.updated_at, now_);
    ASSERT_EQ(state_.round, before.version == 0 ? 1u : before.round + (event.type == Action::rework ? 1 : 0));
    const auto* step = process.step(state_.step);
    ASSERT_EQ(step->aside, !state_.back.empty()) << "@back is known exactly while the case is put aside";
    if (step->aside) {
      ASSERT_FALSE(process.step(state_.back)->aside);
    }
    check_clocks();
    check_requests(event);
    check_people(event);
    if (event.type == Action::close || event.stage == "closed") {
      ASSERT_FALSE(state_.feedback.empty()) << "A31: no closing without feedback";
      ASSERT_TRUE(state_.assisting_open.empty());
    }
    for (const auto& line : event.scores) {
      ASSERT_FALSE(line.whom.empty());
      ASSERT_FALSE(line.causes.empty()) << "every point leads to what caused it";
      for (const auto cause : line.causes) ASSERT_TRUE(cause >= 1 && cause < state_.version);
    }
  }

  void check_clocks() {
    std::set<std::string> running;
    for (const auto& clock : state_.clocks) {
      if (clock.running()) {
        ASSERT_TRUE(running.insert(clock.name).second) << clock.name << " runs twice";
        ASSERT_FALSE(state_.ends) << "nothing runs on at an end";
      }
      const bool still = !clock.pauses.empty() && !clock.pauses.back().to;
      ASSERT_EQ(clock.due.has_value(), !(clock.running() && still) && (clock.due.has_value() || clock.running()));
      ASSERT_LE(clock.round, state_.round);
      UnixMs last = clock.started;
      for (const auto& pause : clock.pauses) {
        ASSERT_LE(last, pause.from);
        last = pause.to.value_or(pause.from);
        ASSERT_LE(pause.from, last);
      }
      if (clock.ended) {
        ASSERT_LE(last, *clock.ended) << clock.name;
      }
      if (!clock.due) continue;
      ASSERT_LE(clock.started, *clock.due);
      if (!clock.running()) continue;
      const auto calendar = calendar_of(policy_, clock.unit);
      ASSERT_GE(clock_progress(calendar, clock.rule, clock.started, *clock.due, clock.pauses, now_), 0);
      const auto next = next_alarm(state_, policy_);
      ASSERT_TRUE(next || (clock.warned && clock.overdue));
    }
  }

  void check_requests(const CaseEvent& event) {
    std::set<std::string> open;
    for (const auto& request : state_.requests) {
      ASSERT_TRUE(open.insert(request.what).second) << request.what << " is asked for twice";
      ASSERT_TRUE(request.confirmed_by.empty() || request.confirmed_by != request.by) << "B11: two persons";
    }
    if (event.type == Action::request_return) {
      ASSERT_FALSE(state_.return_locked) << "A21: no return after the meeting";
    }
    if (event.type == Action::grant_return) {
      ASSERT_TRUE(state_.unit.empty());
    }
  }

  void check_people(const CaseEvent& event) {
    if (event.type == Action::verify) {
      ASSERT_NE(event.actor.login, state_.handler) << "H8: who handled it does not check it";
    }
    if (event.fields.contains(Field::satisfaction)) {
      const auto& units = state_.past_units;
      ASSERT_EQ(std::find(units.begin(), units.end(), event.actor.org), units.end()) << "F12";
      ASSERT_NE(event.actor.role, Role::handling_unit);
    }
  }

  const Policy& policy_;
  std::vector<Actor> actors_;
  std::mt19937 random_;
  Values values_;
  CaseRecord state_;
  std::vector<CaseEvent> events_;
  UnixMs now_{};
  WalkResult result_;
  std::function<void(std::span<const CaseEvent>)> after_each_;
};

}  // namespace gridward::domain::test
