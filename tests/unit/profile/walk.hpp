// A case walked through the graph of a profile: who the people of a county are, and an act after another.
#pragma once

#include <gtest/gtest.h>

#include <gridward/profile/profile.hpp>
#include <gridward/test/paths.hpp>
#include <string>
#include <vector>

namespace gridward::profile::walk {

using namespace std::chrono_literals;
using namespace gridward::domain;
using enum Action;
using enum Role;

inline const Policy& shipped(const std::string& name) {
  static std::map<std::string, Policy> loaded;
  const auto found = loaded.find(name);
  if (found != loaded.end()) return found->second;
  const auto file = name.ends_with(".json") ? "tests/unit/profile/" + name : "server/profiles/" + name + ".json";
  auto policy = load_policy(gridward::test::source_dir() / file);
  if (!policy) {
    std::string all;
    for (const auto& error : policy.error()) all += error.field + ": " + error.detail + "\n";
    throw std::runtime_error(all);
  }
  return loaded.emplace(name, *std::move(policy)).first->second;
}

// China's time of a day of March 2026; the 9th is a Monday, and no day from 9 to 31 differs from Monday to Friday.
inline UnixMs march(int day, int hour = 9, int minute = 0) {
  return UnixMs{std::chrono::sys_days{std::chrono::year{2026} / 3 / day}} + std::chrono::hours{hour - 8} +
         std::chrono::minutes{minute};
}

inline const Actor kMember{"m1", "网格员", grid_member, "G1", "D/T/V/G1"};
inline const Actor kNeighbour{"m2", "邻格网格员", grid_member, "G2", "D/T/V/G2"};
inline const Actor kVillage{"gl", "网格长", grid_leader, "V", "D/T/V"};
inline const Actor kInspector{"in", "巡查员", inspector, "D", "D"};
inline const Actor kTown{"town", "镇中心", town_operator, "T", "D/T"};
inline const Actor kTownLeader{"tl", "镇领导", leader, "T", "D/T"};
inline const Actor kOtherTown{"town2", "邻镇中心", town_operator, "T2", "D/T2"};
inline const Actor kDesk{"cd", "协调部", coordination_desk, "D", "D"};
inline const Actor kIntake{"id", "受理部", intake_desk, "D", "D"};
inline const Actor kLeader{"ld", "区领导", leader, "D", "D"};
inline const Actor kSupervisor{"sv", "督查", supervisor, "D", "D"};
inline const Actor kLine{"line", "市热线", Role::channel, "D", "D"};
inline const Actor kUnit{"u1", "承办", handling_unit, "U1", "D/T/U1"};
inline const Actor kChief{"c1", "承办分管领导", unit_leader, "U1", "D/T/U1"};
inline const Actor kUnit2{"u2", "另一承办", handling_unit, "U2", "D/T/U2"};
inline const Actor kSystem{"system", "系统", Role::system, "", ""};

inline const std::string kTask = "00000000-0000-0000-0000-000000000007";

class Walk {
 public:
  Walk(const Policy& policy, std::string process, UnixMs start = march(9))
      : policy_(policy), process_(std::move(process)), now_(start) {
    state_.id.bytes[15] = 1;
  }

  Walk& at(UnixMs now) {
    now_ = now;
    return *this;
  }
  Walk& media(MediaRole role) {
    media_.push_back({Sha256{}, role});
    return *this;
  }

  // What is refused, empty when it is done.
  Error attempt(Action action, const Actor& who, FieldMap fields = {}, std::string note = "说明") {
    Command command;
    command.action = action;
    command.actor = who;
    command.at = now_;
    command.note = std::move(note);
    command.fields = std::move(fields);
    command.process = process_;
    command.holder_path = state_.holder.empty() ? "D/T/V/G1" : state_.holder;
    command.media = std::move(media_);
    media_.clear();
    command.history = events_;
    command.grid_member = "m1";
    auto events = decide(state_.version == 0 ? nullptr : &state_, command, policy_, now_);
    if (!events) return events.error();
    for (auto& event : *events) {
      state_ = evolve(std::move(state_), event);
      events_.push_back(std::move(event));
    }
    return {ErrorCode::internal, "", ""};
  }
  void does(Action action, const Actor& who, const std::string& step, FieldMap fields = {}, std::string note = "说明") {
    const auto error = attempt(action, who, std::move(fields), std::move(note));
    EXPECT_EQ(error.detail, "") << to_string(action) << " " << error.field;
    EXPECT_EQ(state_.step, step) << to_string(action);
  }
  void refused(Action action, const Actor& who, const std::string& why, FieldMap fields = {},
               std::string note = "说明") {
    const auto step = state_.step;
    const auto error = attempt(action, who, std::move(fields), std::move(note));
    EXPECT_NE((error.field + ": " + error.detail).find(why), std::string::npos)
        << to_string(action) << ": " << (error.detail.empty() ? "done" : error.field + ": " + error.detail);
    EXPECT_EQ(state_.step, step);
  }

  const CaseRecord& state() const { return state_; }
  const CaseClock& clock(const std::string& name) const {
    static const CaseClock none;
    const auto* found = state_.clock(name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? none : *found;
  }
  std::string article() const { return events_.empty() ? "" : events_.back().rule; }
  const CaseEvent& last() const { return events_.back(); }
  bool offered(Action action, const Actor& who) const {
    for (const auto& offer : offers(state_, who, state_.holder.empty() ? "D/T/V/G1" : state_.holder, policy_, now_)) {
      if (offer.action == action && offer.blocked.empty()) return true;
    }
    return false;
  }
  // Every clock that says something by `now` says it.
  void alarms_until(UnixMs now) {
    at(now);
    for (int i = 0; i < 20; ++i) {
      const auto due = alarms(state_, policy_, now);
      if (due.empty()) return;
      does(due.front().action, kSystem, state_.step, {{Field::clock, due.front().clock}});
    }
  }

 private:
  const Policy& policy_;
  std::string process_;
  UnixMs now_;
  CaseRecord state_;
  std::vector<CaseEvent> events_;
  std::vector<EvidenceRef> media_;
};

inline FieldMap reported(const std::string& category) {
  return {{Field::town, std::string("T")}, {Field::grid, std::string("G1")}, {Field::category, category}};
}
inline FieldMap one(Field field, const std::string& value) { return {{field, value}}; }
inline FieldMap to_unit(const std::string& unit = "U1") { return {{Field::unit, unit}}; }
inline FieldMap check_by(const std::string& login) { return {{Field::assignee, login}, {Field::task, kTask}}; }
inline FieldMap found(const std::string& outcome) { return {{Field::task, kTask}, {Field::outcome, outcome}}; }
inline FieldMap callback(const std::string& satisfaction) {
  return {{Field::satisfaction, satisfaction}, {Field::satisfaction_by, std::string("operator")}};
}
inline FieldMap sent_back() {
  return {{Field::reason, std::string("not_duty")},
          {Field::legal_basis, std::string("三定规定")},
          {Field::suggested_unit, std::string("U2")}};
}
inline FieldMap lead(const std::string& unit) {
  return {{Field::unit, unit},
          {Field::participants, std::vector<std::string>{"U1", "U2"}},
          {Field::minutes, std::string("由其主责")}};
}

}  // namespace gridward::profile::walk
