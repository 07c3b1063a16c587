// A case told act by act: what a test does not say is filled in right for the move.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "case_play.hpp"
#include "case_support.hpp"

namespace gridward::domain::test {

using Spoil = std::function<void(Command&)>;

inline FieldMap one(Field field, FieldValue value) { return {{field, std::move(value)}}; }
inline std::string text(const char* value) { return value; }

class Story {
 public:
  explicit Story(std::string process = "case", Policy rules = policy())
      : rules_(std::make_shared<Policy>(std::move(rules))), process_(std::move(process)) {
    state_.id = uuid(1);
    state_.number = "T1-20260309-0001";
  }

  Story& at(UnixMs now) { return now_ = now, *this; }
  UnixMs now() const { return now_; }
  const CaseRecord& state() const { return state_; }
  CaseRecord& change() { return state_; }  // what no act can bring about
  const std::vector<CaseEvent>& events() const { return events_; }
  const CaseEvent& last() const { return events_.back(); }
  const Policy& rules() const { return *rules_; }
  Policy& rules() { return *rules_; }
  const CaseClock& clock(std::string_view name) const {
    static const CaseClock none;
    const auto* found = state_.clock(name);
    if (found == nullptr) ADD_FAILURE() << "no clock " << name;
    return found == nullptr ? none : *found;
  }
  std::string_view holder_path() const { return state_.holder.empty() ? "D1/T1" : std::string_view(state_.holder); }

  // The command of this actor with right fields; those given take the place of the right ones.
  Command command(Action action, const Actor& who, const FieldMap& fields = {}) const {
    const Values values{*rules_};
    Move move;
    move.action = action;
    if (action == Action::warn || action == Action::overdue) move.required = {Field::clock};
    const auto& process = rules_->processes.at(process_);
    for (const bool of_role : {true, false}) {
      const auto found = std::find_if(process.moves.begin(), process.moves.end(), [&](const Move& row) {
        return row.action == action && leads_on(row) &&
               (!of_role || std::find(row.roles.begin(), row.roles.end(), who.role) != row.roles.end());
      });
      if (found == process.moves.end()) continue;
      move = *found;
      break;
    }
    auto c = filled(values, move, who, state_, holder_path(), now_);
    if (c.fields.contains(Field::channel)) c.fields[Field::channel] = text("hotline");
    for (const auto& [field, value] : fields) c.fields[field] = value;
    c.process = process_;
    return c;
  }

  Result<std::vector<CaseEvent>> tries(const Command& c) const {
    return decide(state_.version == 0 ? nullptr : &state_, c, *rules_, now_);
  }

  void gives(const Command& c) {
    const auto made = tries(c);
    ASSERT_TRUE(made) << to_string(c.action) << " at " << state_.step << ": " << to_string(made.error());
    for (const auto& event : *made) {
      events_.push_back(event);
      state_ = evolve(std::move(state_), event);
    }
  }

  Story& does(Action action, const Actor& who, const FieldMap& fields = {}, const Spoil& change = {}) {
    auto c = command(action, who, fields);
    if (action == Action::assess) c.history = events_;
    if (change) change(c);
    gives(c);
    return *this;
  }

  // Nothing: it was taken.
  std::optional<Error> refuses(Action action, const Actor& who, const FieldMap& fields = {},
                               const Spoil& change = {}) const {
    auto c = command(action, who, fields);
    if (change) change(c);
    const auto made = tries(c);
    if (made) return std::nullopt;
    return made.error();
  }

  // On from where the case is to this step of the straight way.
  Story& to(std::string_view step) {
    using enum Action;
    struct Row {
      const char* from;
      Action action;
      Actor who;
      FieldMap fields = {};
    };
    const auto desk = process_ == "case" ? town_desk() : intake();
    const Row way[] = {{"", report, process_ == "case" ? member() : intake()},
                       {"awaiting_review", accept, desk},
                       {"awaiting_transfer", transfer, desk},
                       {"awaiting_take", take, unit_of("U1")},
                       {"taken", arrive, unit_of("U1")},
                       {"arrived", handle, unit_of("U1")},
                       {"handled", feedback, unit_of("U1")},
                       {"awaiting_verify", request_verify, desk, one(Field::assignee, text("m2"))},
                       {"verifying", verify, checker(), one(Field::outcome, text("confirmed"))},
                       {"verify_passed", Action::close, desk},
                       {"replied", Action::close, desk},
                       {"awaiting_callback", call_back, desk},
                       {"called_back", Action::close, desk},
                       {"awaiting_assess", assess, machine()}};
    for (const auto& row : way) {
      if (state_.step != step && state_.step == row.from) does(row.action, row.who, row.fields);
    }
    EXPECT_EQ(state_.step, step);
    return *this;
  }

 private:
  bool leads_on(const Move& move) const {
    if (state_.version == 0) return move.from.empty();
    // Of two moves that the channel tells apart, the one that fits.
    const auto channel = rules_->channels.find(state_.channel);
    const bool city = channel != rules_->channels.end() && channel->second.city;
    for (const auto& guard : move.guards) {
      if (guard.kind == GuardKind::from_city && city != (guard.name != "no")) return false;
    }
    return std::any_of(move.from.begin(), move.from.end(),
                       [&](const std::string& from) { return from == "*" || from == state_.step; });
  }

  std::shared_ptr<Policy> rules_;
  std::string process_;
  UnixMs now_ = day(0);
  CaseRecord state_;
  std::vector<CaseEvent> events_;
};

// Code, place and part of the words of a refusal.
inline void expect_refused(const std::optional<Error>& error, ErrorCode code, std::string_view field,
                           std::string_view words = "") {
  ASSERT_TRUE(error) << "it was taken";
  EXPECT_EQ(error->code, code) << to_string(*error);
  EXPECT_EQ(error->field, field) << to_string(*error);
  EXPECT_NE(error->detail.find(words), std::string::npos) << error->detail;
}

}  // namespace gridward::domain::test
