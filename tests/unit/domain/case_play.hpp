// One case played by command, with fields that are right for the profile whatever it is; for the tests of the engine.
#pragma once

#include <gridward/domain/case.hpp>
#include <random>
#include <string>
#include <vector>

namespace gridward::domain::test {

// A right value for a field: the profile's codes, and names that the pools give.
struct Values {
  const Policy& policy;
  std::vector<std::string> units{"U1", "U2", "U3"};
  std::vector<std::string> members{"m1", "m2"};
  std::uint64_t turn = 0;  // the pick, so that several values come up

  template <class List>
  const auto& pick(const List& list) const {
    return list[static_cast<std::size_t>(turn % list.size())];
  }

  std::string code(Field field, const std::string& reasons) const {
    if (field == Field::category) return std::next(policy.categories.begin(), index(policy.categories.size()))->first;
    if (field == Field::channel) return std::next(policy.channels.begin(), index(policy.channels.size()))->first;
    if (field == Field::outcome) {
      static const std::vector<std::string> outcomes{"confirmed", "not_rectified", "cannot_check"};
      return pick(outcomes);
    }
    const auto found = policy.codes.find(field == Field::reason ? reasons : std::string(to_string(field)));
    return found == policy.codes.end() ? "none" : pick(found->second).first;
  }

  FieldValue value(Field field, const std::string& reasons, const CaseRecord& state, std::string_view holder_path,
                   Action action, UnixMs now) const {
    switch (field_info(field).type) {
      case FieldType::flag:
        return true;
      case FieldType::number: {
        if (field != Field::level) return static_cast<std::int64_t>(1 + turn % 5);
        const auto level = number_of(state.values, Field::level).value_or(3);
        return action == Action::escalate ? level + 1 : action == Action::assign_down ? level - 1 : level;
      }
      case FieldType::time:
        return now - std::chrono::minutes{turn % 60};
      case FieldType::names:
        return std::vector<std::string>{field == Field::participants ? "街道办" : units[(turn + 1) % units.size()]};
      case FieldType::code:
        return code(field, reasons);
      case FieldType::id:
        return field == Field::task && action == Action::verify && !state.verify_task.is_nil()
                   ? to_string(state.verify_task)
                   : "00000000-0000-0000-0000-0000000000" + std::to_string(10 + turn % 80);
      case FieldType::name:
        return name(field, state, holder_path, action);
      case FieldType::text:
        return std::string("说明");
    }
    return std::string();
  }

 private:
  std::ptrdiff_t index(std::size_t size) const { return static_cast<std::ptrdiff_t>(turn % size); }

  std::string name(Field field, const CaseRecord& state, std::string_view holder_path, Action action) const {
    if (field == Field::unit || field == Field::suggested_unit) return pick(units);
    if (field == Field::assignee || field == Field::signed_by) return pick(members);
    if (field == Field::clock) return state.clocks.empty() ? "handle" : state.clocks.back().name;
    if (field == Field::holder) {
      const std::string from(holder_path);
      return action == Action::escalate ? from.substr(0, from.rfind('/')) : from + "/V1";
    }
    return field == Field::town ? "T1" : "G1";
  }
};

inline Command filled(const Values& values, const Move& move, const Actor& who, const CaseRecord& state,
                      std::string_view holder_path, UnixMs now, bool optional = false) {
  Command c;
  c.action = move.action;
  c.actor = who;
  c.at = now;
  c.note = "说明";
  c.holder_path = std::string(holder_path);
  for (const auto role : {MediaRole::scene, MediaRole::before, MediaRole::after, MediaRole::scan}) {
    EvidenceRef ref;
    ref.sha256[0] = static_cast<std::uint8_t>(role);
    ref.role = role;
    c.media.push_back(ref);
  }
  for (const auto field : move.required) {
    c.fields[field] = values.value(field, move.reasons, state, holder_path, move.action, now);
  }
  for (const auto field : move.optional) {
    if (!optional) break;
    // A grade and helpers that the profile leaves open come up now and then.
    c.fields[field] = values.value(field, move.reasons, state, holder_path, move.action, now);
  }
  if (c.fields.contains(Field::unit) && c.fields.contains(Field::assisting_units) &&
      names_of(c.fields, Field::assisting_units)[0] == text_of(c.fields, Field::unit)) {
    c.fields.erase(Field::assisting_units);
  }
  return c;
}

}  // namespace gridward::domain::test
