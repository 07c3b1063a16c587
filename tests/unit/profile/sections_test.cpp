#include <gtest/gtest.h>

#include <vector>

#include "small_profile.hpp"

namespace gridward::profile {
namespace {

using namespace small;

struct Mistake {
  std::string from;
  std::string to;
  Texts problems;
};
void expect(const std::vector<Mistake>& mistakes) {
  ASSERT_EQ(problems(kProfile), Texts{});
  for (const auto& mistake : mistakes) {
    EXPECT_EQ(problems(with(kProfile, mistake.from, mistake.to)), mistake.problems) << mistake.to;
  }
}

TEST(Sections, CodesNamePathAndLimit) {
  expect({
      {R"("codes": {)", R"("code": {)", {"code: no such field", "codes: missing"}},
      {R"({"reject_reasons": [{"code": "z")", R"({"x": [], "reject_reasons": [{"code": "z")", {"codes.x: empty"}},
      {R"({"reject_reasons": [{"code": "z")", R"({"x": 7, "reject_reasons": [{"code": "z")", {"codes.x: not a list"}},
      {R"({"code": "b", )", R"({"code": "z", )", {"codes.reject_reasons[1]: the code z stands there twice"}},
      {R"({"code": "b", )", R"({)", {"codes.reject_reasons[1].code: missing"}},
      {R"({"code": "b", )", R"({"code": 2, )", {"codes.reject_reasons[1].code: 2 is not a text"}},
      {R"({"code": "b", )", R"({"code": "", )", {"codes.reject_reasons[1].code: empty"}},
      {R"({"code": "b", )",
       R"({"code": ")" + std::string(65, 'b') + R"(", )",
       {"codes.reject_reasons[1].code: 65 characters, at most 64"}},
      {R"("text": "又一", "article": "第十一条")", R"("text": "又一")", {"codes.reject_reasons[1].article: missing"}},
      {R"("text": "又一")",
       R"("txt": "又一")",
       {"codes.reject_reasons[1].txt: no such field", "codes.reject_reasons[1].text: missing"}},
      {R"("reject_reasons": [)",
       R"("reasons": [)",
       {"processes.p.moves[1].reasons: needs the code list reject_reasons"}},
  });
}

TEST(Sections, ChannelsAndClocksNamePathAndLimit) {
  expect({
      {R"("channels": {"line")", R"("channels": [], "x": {"line")", {"channels: not an object", "x: no such field"}},
      {R"("name": "热线", )", "", {"channels.line.name: missing"}},
      {R"("city": true)", R"("city": "yes")", {"channels.line.city: \"yes\" is neither true nor false"}},
      {R"("process": "p")", R"("process": "q")", {"channels.line.process: q is no process"}},
      {R"("article": "第二条"}})", R"("article": ""}})", {"channels.line.article: empty"}},
      {R"("clocks": {"handle": "办结"})", R"("clocks": {"handle": 1})", {"clocks.handle: 1 is not a text"}},
      {R"("clocks": {"handle": "办结"})", R"("clocks": {})", {"clocks.handle: is missing"}},
  });
}

TEST(Sections, ScoresNamePathAndLimit) {
  expect({
      {R"("points": -2.5)", R"("points": -2.505)", {"scores[0].points: -2.505 has more than two decimals"}},
      {R"("points": -2.5)", R"("points": -100.5)", {"scores[0].points: -100.5, at least -100"}},
      {R"("points": -2.5)", R"("points": 101)", {"scores[0].points: 101, at most 100"}},
      {R"("points": -2.5)", R"("points": 1e300)", {"scores[0].points: 1e+300, at most 100"}},
      {R"("points": -2.5)", R"("points": "2")", {"scores[0].points: \"2\" is not a whole number"}},
      {R"("points": -2.5)", R"("points": 0)", {"scores[0].points: 0 scores nothing"}},
      {R"("second_time")",
       R"("third_time")",
       {"scores[0].cause: \"third_time\", one of day_off_report repeated_complaint untrue circular second_time "
        "overdue"}},
      {R"("second_time")", R"("repeated_complaint")", {"scores[0].least: missing"}},
      {R"("points": -2.5)", R"("least": 2, "points": -2.5)", {"scores[0].least: only repeated_complaint has it"}},
      {R"("second_time")", R"("repeated_complaint", "least": 0)", {"scores[0].least: 0, at least 1"}},
      {R"("scores": [)",
       R"("scores": [{"key": "twice", "cause": "overdue", "points": -2, "article": "五"}, )",
       {"scores[1]: the key of scores.twice stands there twice"}},
      {R"("scores": [)", R"("scores": 1, "x": [)", {"scores: not a list", "x: no such field"}},
  });
  const auto policy = parse_policy(kProfile, kHolidays);
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->scores.at(0).points, -250);
  EXPECT_EQ(policy->scores.at(0).key, "scores.twice");
}

TEST(Sections, ReadingsNamePathAndLimit) {
  expect({
      {R"("point": "H1")", R"("points": "H1")", {"readings[0].points: no such field", "readings[0].point: missing"}},
      {R"("三天归村")", R"("")", {"readings[0].text: empty"}},
  });
}

TEST(Sections, ProcessesNamePathAndLimit) {
  expect({
      {R"("processes": {"p": {)", R"("processes": {"p": 1, "q": {)", {"processes.p: not an object"}},
      {R"("title": "流程", )", "", {"processes.p.title: missing"}},
      {R"("stages": {"z": "先", )", R"("stages": {"z": 1, )", {"processes.p.stages.z: 1 is not a text"}},
      {R"("new": {"stage": "z", "title": "新"})", R"("new": {"stage": "z"})", {"processes.p.steps.new.title: missing"}},
      {R"("ends": true)", R"("ends": 1)", {"processes.p.steps.end.ends: 1 is neither true nor false"}},
      {R"({"action": "report", )", R"({"action": "tell", )", {"processes.p.moves[0].action: \"tell\" is not an act"}},
      {R"("from": [], )", "", {"processes.p.moves[0].from: missing"}},
      {R"("from": ["at"], "roles")",
       R"("from": ["at", "at"], "roles")",
       {"processes.p.moves[3].from[1]: \"at\" stands there twice"}},
      {R"(["intake_desk", "leader"])",
       R"(["intake_desk", "boss"])",
       {"processes.p.moves[1].roles[1]: \"boss\" is not a role"}},
      {R"(["intake_desk", "leader"])", R"([])", {"processes.p.moves[1].roles: empty"}},
      {R"(["intake_desk", "leader"])",
       R"(["leader", "leader"])",
       {"processes.p.moves[1].roles[1]: \"leader\" stands there twice"}},
      {R"("bound": "holder")",
       R"("bound": "owner")",
       {"processes.p.moves[1].bound: \"owner\" is not who, beyond the role"}},
      {R"("in_time:handle")",
       R"("in_tme:handle")",
       {"processes.p.moves[3].when[0]: \"in_tme:handle\" is not a condition"}},
      {R"("media:scan:2")", R"("media:scan:0")", {"processes.p.moves[3].when[1]: \"media:scan:0\" is not a condition"}},
      {R"("note": true)", R"("note": "yes")", {"processes.p.moves[1].note: \"yes\" is neither true nor false"}},
      {R"("require": ["unit"])",
       R"("require": ["units"])",
       {"processes.p.moves[2].require[0]: \"units\" is not a field"}},
      {R"("allow": ["reply"])",
       R"("allow": ["replies"])",
       {"processes.p.moves[1].allow[0]: \"replies\" is not a field"}},
      {R"("start:handle={limit}")",
       R"("begin:handle={limit}")",
       {"processes.p.moves[2].clocks[0]: \"begin:handle={limit}\" is not like start:handle=general, stop:handle or "
        "pause:*"}},
      {R"("start:handle={limit}")",
       R"("start:handle")",
       {"processes.p.moves[2].clocks[0]: \"start:handle\" is not like start:handle=general, stop:handle or pause:*"}},
      {R"("start:handle={limit}")",
       R"("start:*=general")",
       {"processes.p.moves[2].clocks[0]: \"start:*=general\" is not like start:handle=general, stop:handle or "
        "pause:*"}},
      {R"("stop:handle")",
       R"("stop:handle=general")",
       {"processes.p.moves[6].clocks[0]: \"stop:handle=general\" is not like start:handle=general, stop:handle or "
        "pause:*"}},
      {R"("own_time": true)", R"("own_time": 1)", {"processes.p.moves[3].own_time: 1 is neither true nor false"}},
      {R"(, "article": "四")", "", {"processes.p.moves[3].article: missing"}},
      {R"("own_time": true)", R"("own_tim": true)", {"processes.p.moves[3].own_tim: no such field"}},
  });
}

// What the domain finds in the graph comes with the keys and names of the profile.
TEST(Sections, GraphsAreChecked) {
  expect({
      {R"("stage": "z", "title": "新")",
       R"("stage": "y", "title": "新")",
       {"processes.p.steps.new.stage: y is no stage of the process"}},
      {R"("to": "at", "roles": ["intake_desk"])",
       R"("to": "att", "roles": ["intake_desk"])",
       {"processes.p.moves[2].to: att is no step", "processes.p.steps.at: at cannot be reached",
        "processes.p.steps.off: off cannot be reached"}},
      {R"("require": ["unit"],)", R"("allow": ["unit"],)", {"processes.p.moves[2].require: transfer needs unit"}},
      {R"("in_time:handle")",
       R"("in_time:call")",
       {"processes.p.moves[3].when: in_time:call: no move starts this clock"}},
      {R"("start:handle={limit}")", R"("start:handle=urgent")", {"processes.p.moves[2].clocks: urgent is no limit"}},
      {R"("from": ["off"], "to": "@back")",
       R"("from": ["at"], "to": "@back")",
       {"processes.p.moves[5].to: @back leads out of steps that are aside only, not at",
        "processes.p.steps.off: no way leads from off to an end"}},
      {R"("to": "end", "roles": ["handling_unit"])",
       R"("to": "at", "roles": ["handling_unit"])",
       {"processes.p.steps.at: no way leads from at to an end",
        "processes.p.steps.off: no way leads from off to an end"}},
  });
}

TEST(Sections, WhatStandsThereTwiceIsNamed) {
  expect({
      {R"("new": {"stage": "z")",
       R"("new": {"stage": "a", "title": "旧"}, "new": {"stage": "z")",
       {"processes.p.steps.new: stands there twice"}},
      {R"("note": true)", R"("note": false, "note": true)", {"processes.p.moves.note: stands there twice"}},
      {R"("general": {"unit")",
       R"("general": {"unit": "on_the_spot", "article": "x"}, "general": {"unit")",
       {"limits.general: stands there twice"}},
  });
}

TEST(Sections, KeepTheOrderOfTheProfile) {
  const auto policy = parse_policy(kProfile, kHolidays);
  ASSERT_TRUE(policy);
  const auto& process = policy->processes.at("p");
  EXPECT_EQ(process.stages, (std::vector<std::string>{"z", "a"}));
  EXPECT_EQ(process.steps.at(0).name, "new");
  EXPECT_EQ(process.steps.at(3).name, "end");
  EXPECT_TRUE(process.steps.at(3).ends);
  EXPECT_TRUE(process.steps.at(2).aside);
  EXPECT_EQ(policy->codes.at("reject_reasons").at(1).first, "b");
}

TEST(Sections, AMoveIsReadWhole) {
  const auto policy = parse_policy(kProfile, kHolidays);
  ASSERT_TRUE(policy);
  using namespace domain;
  const auto& moves = policy->processes.at("p").moves;
  Move reject;
  reject.action = Action::reject;
  reject.from = {"new"};
  reject.to = "end";
  reject.roles = {Role::intake_desk, Role::leader};
  reject.bound = Bound::holder;
  reject.note = true;
  reject.required = {Field::reason};
  reject.optional = {Field::reply};
  reject.reasons = "reject_reasons";
  reject.article = "二";
  EXPECT_EQ(moves.at(1), reject);
  EXPECT_EQ(moves.at(2).clocks, (std::vector<ClockMove>{{"handle", ClockOp::start, "{limit}"}}));
  EXPECT_EQ(moves.at(3).guards, (std::vector<Guard>{{GuardKind::in_time, "handle", 0}, {GuardKind::media, "scan", 2}}));
  EXPECT_TRUE(moves.at(3).own_time);
}

}  // namespace
}  // namespace gridward::profile
