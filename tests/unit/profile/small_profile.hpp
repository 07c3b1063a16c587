// A profile with one of everything, as small as may be, and the problems of what is made of it.
#pragma once

#include <gtest/gtest.h>

#include <gridward/profile/profile.hpp>
#include <set>
#include <string>

namespace gridward::profile::small {

inline const std::string kProfile = R"({
  "id": "t", "name": "试", "utc_offset_minutes": 480,
  "office_hours": [["08:30", "12:00"], ["14:00", "24:00"]],
  "holidays": "h.json",
  "limits": {"general": {"unit": "working_days", "amount": 7, "article": "第二十五条"}},
  "categories": [{"code": "a", "name": "甲", "limit": "general"}],
  "codes": {"reject_reasons": [{"code": "z", "text": "理由", "article": "第十一条"},
                               {"code": "b", "text": "又一", "article": "第十一条"}]},
  "channels": {"line": {"name": "热线", "process": "p", "city": true, "article": "第二条"}},
  "clocks": {"handle": "办结"},
  "processes": {"p": {"title": "流程", "article": "第四章", "stages": {"z": "先", "a": "后"},
    "steps": {"new": {"stage": "z", "title": "新"}, "at": {"stage": "a", "title": "办"},
              "off": {"stage": "a", "title": "搁置", "aside": true}, "end": {"stage": "a", "title": "完", "ends": true}},
    "moves": [
      {"action": "report", "from": [], "to": "new", "roles": ["intake_desk"], "require": ["town", "category"], "article": "一"},
      {"action": "reject", "from": ["new"], "to": "end", "roles": ["intake_desk", "leader"], "bound": "holder", "note": true,
       "require": ["reason"], "allow": ["reply"], "reasons": "reject_reasons", "article": "二"},
      {"action": "transfer", "from": ["new"], "to": "at", "roles": ["intake_desk"], "require": ["unit"],
       "clocks": ["start:handle={limit}"], "article": "三"},
      {"action": "arrive", "from": ["at"], "roles": ["handling_unit"], "when": ["in_time:handle", "media:scan:2"],
       "own_time": true, "article": "四"},
      {"action": "handle", "from": ["at"], "to": "off", "roles": ["handling_unit"], "clocks": ["pause:*"], "article": "五"},
      {"action": "resume", "from": ["off"], "to": "@back", "roles": ["handling_unit"], "clocks": ["resume:*"], "article": "六"},
      {"action": "feedback", "from": ["at"], "to": "end", "roles": ["handling_unit"], "clocks": ["stop:handle"],
       "article": "七"}]}},
  "scores": [{"key": "twice", "cause": "second_time", "points": -2.5, "article": "五"}],
  "readings": [{"point": "H1", "text": "三天归村"}]})";
inline const std::string kHolidays = R"({"known_to": 2026, "days": {"2026-10-01": "off", "2026-10-10": "work"}})";

inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

using Texts = std::set<std::string>;

inline Texts problems(const std::string& profile, const std::string& holidays = kHolidays) {
  Texts texts;
  const auto result = parse_policy(profile, holidays);
  if (!result) {
    for (const auto& error : result.error()) texts.insert(error.field + ": " + error.detail);
  }
  return texts;
}

}  // namespace gridward::profile::small
