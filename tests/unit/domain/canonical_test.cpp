// What the chain covers, what of it is about a person, and that the rest outlives the erasing.
#include <gtest/gtest.h>

#include <set>

#include "case_support.hpp"

namespace gridward::domain {
namespace {

using namespace test;

CaseEvent full_event() {
  CaseEvent event;
  event.type = Action::transfer;
  event.actor = town_desk();
  event.at = day(0);
  event.recorded = day(1);
  Fix fix;
  fix.point = {392000000, 1178000000};
  fix.accuracy_cm = 500;
  fix.at = day(0);
  event.place = fix;
  event.note = "n";
  event.fields = {{Field::unit, std::string("u")},
                  {Field::level, std::int64_t{3}},
                  {Field::valid, true},
                  {Field::notified_at, day(0)},
                  {Field::assisting_units, std::vector<std::string>{"a", "b"}},
                  {Field::reply, std::string("r")},
                  {Field::assignee, std::string("m1")}};
  event.process = "case";
  event.step = "awaiting_take";
  event.stage = "transferred";
  event.rule = "rule";
  ClockChange change;
  change.clock = "handle";
  change.at = day(1);
  change.rule = {"limits.general", "第二十五条", ClockUnit::working_days, 7};
  change.unit = "u";
  change.due = day(9);
  event.clocks = {change};
  event.scores = {{"scores.day_off", "五", false, "m1", 100, {1}}, {"scores.overdue", "五", true, "u", -200, {3, 4}}};
  event.media = {{Sha256{1}, MediaRole::scene}};
  return event;
}

// The canonical text with what the commitments are made of in the place of their hashes.
std::string covered(const CaseEvent& event) {
  Commitments personal;
  std::string words;
  for (const auto field : kPersonal) {
    if (!holds(event, field)) continue;
    personal[index_of(field)] = Sha256{};
    words += commitment_text(event, field, {});
  }
  return canonical_text(event, personal) + words;
}

TEST(CanonicalText, A32_EveryFieldChangesIt) {
  void (*const changes[])(CaseEvent&) = {
      [](CaseEvent& e) { e.type = Action::accept; },
      [](CaseEvent& e) { e.actor.login = "x"; },
      [](CaseEvent& e) { e.actor.name = "x"; },
      [](CaseEvent& e) { e.actor.role = Role::leader; },
      [](CaseEvent& e) { e.actor.org = "x"; },
      [](CaseEvent& e) { e.actor.org_path = "x"; },
      [](CaseEvent& e) { e.at += 1ms; },
      [](CaseEvent& e) { e.recorded += 1ms; },
      [](CaseEvent& e) { e.place.reset(); },
      [](CaseEvent& e) { e.place->point.lat_e7 += 1; },
      [](CaseEvent& e) { e.place->point.lon_e7 += 1; },
      [](CaseEvent& e) { e.place->accuracy_cm.reset(); },
      [](CaseEvent& e) { e.place->source = FixSource::manual; },
      [](CaseEvent& e) { e.place->datum = Datum::gcj02; },
      [](CaseEvent& e) { e.place->mock = true; },
      [](CaseEvent& e) { e.place->at += 1ms; },
      [](CaseEvent& e) { e.note = ""; },
      [](CaseEvent& e) { e.fields[Field::unit] = std::string("x"); },
      [](CaseEvent& e) { e.fields[Field::level] = std::int64_t{4}; },
      [](CaseEvent& e) { e.fields[Field::valid] = false; },
      [](CaseEvent& e) { e.fields[Field::notified_at] = day(0) + 1ms; },
      [](CaseEvent& e) { e.fields[Field::assisting_units] = std::vector<std::string>{"ab"}; },
      [](CaseEvent& e) { e.fields[Field::assisting_units] = std::vector<std::string>{"b", "a"}; },
      [](CaseEvent& e) { e.fields[Field::reply] = std::string("x"); },
      [](CaseEvent& e) { e.fields[Field::assignee] = std::string("x"); },
      [](CaseEvent& e) { e.fields.erase(Field::unit); },
      [](CaseEvent& e) { e.fields.erase(Field::reply); },
      [](CaseEvent& e) { e.fields[Field::category] = std::string("c"); },
      [](CaseEvent& e) { e.process = "x"; },
      [](CaseEvent& e) { e.step = "x"; },
      [](CaseEvent& e) { e.stage = "x"; },
      [](CaseEvent& e) { e.aside = true; },
      [](CaseEvent& e) { e.ends = true; },
      [](CaseEvent& e) { e.rule = "x"; },
      [](CaseEvent& e) { e.clocks.clear(); },
      [](CaseEvent& e) { e.clocks[0].clock = "x"; },
      [](CaseEvent& e) { e.clocks[0].op = ClockOp::extend; },
      [](CaseEvent& e) { e.clocks[0].at += 1ms; },
      [](CaseEvent& e) { e.clocks[0].rule.key = "x"; },
      [](CaseEvent& e) { e.clocks[0].rule.article = "x"; },
      [](CaseEvent& e) { e.clocks[0].rule.unit = ClockUnit::natural_days; },
      [](CaseEvent& e) { e.clocks[0].rule.amount = 8; },
      [](CaseEvent& e) { e.clocks[0].unit = "x"; },
      [](CaseEvent& e) { e.clocks[0].due.reset(); },
      [](CaseEvent& e) { e.clocks[0].provisional = true; },
      [](CaseEvent& e) { e.clocks[0].kept = true; },
      [](CaseEvent& e) { e.clocks[0].kept = false; },
      [](CaseEvent& e) { e.scores.pop_back(); },
      [](CaseEvent& e) { e.scores[0].rule = "x"; },
      [](CaseEvent& e) { e.scores[0].article = "x"; },
      [](CaseEvent& e) { e.scores[0].whom = "x"; },
      [](CaseEvent& e) { e.scores[0].points = 99; },
      [](CaseEvent& e) { e.scores[1].of_unit = false; },
      [](CaseEvent& e) { e.scores[1].whom = "x"; },
      [](CaseEvent& e) { e.scores[1].causes = {34}; },
      [](CaseEvent& e) { e.media.clear(); },
      [](CaseEvent& e) { e.media[0].role = MediaRole::after; },
      [](CaseEvent& e) { e.media[0].sha256[31] = 1; },
      // What is at the border of two fields stays in its field.
      [](CaseEvent& e) { e.process += e.step, e.step = ""; },
      [](CaseEvent& e) { e.step = e.process + e.step, e.process = ""; },
      [](CaseEvent& e) { e.actor.login += e.actor.name, e.actor.name = ""; },
      [](CaseEvent& e) { e.note = "n,1:c"; },
  };
  std::set<std::string> texts{covered(full_event())};
  for (const auto& change : changes) {
    auto event = full_event();
    change(event);
    texts.insert(covered(event));
  }
  EXPECT_EQ(texts.size(), 1 + std::size(changes));
}

TEST(CanonicalText, IsFixedForever) {
  CaseEvent event;
  event.type = Action::accept;
  event.actor = {"op", "甲", Role::town_operator, "T1", "D1/T1"};
  event.at = from_unix_ms(1000);
  event.recorded = from_unix_ms(2000);
  event.step = "s";
  event.stage = "g";
  event.fields = {{Field::level, std::int64_t{3}}};
  event.clocks = {{"handle",
                   ClockOp::start,
                   from_unix_ms(2000),
                   {"k", "a", ClockUnit::working_days, 7},
                   "U1",
                   from_unix_ms(3000),
                   false,
                   std::nullopt}};
  Commitments personal;
  personal[index_of(Personal::actor)] = Sha256{0xAB};
  EXPECT_EQ(canonical_text(event, personal),
            "21:gridward-case-event-3,6:accept,64:ab" + std::string(62, '0') +
                ",13:town_operator,2:T1,5:D1/T1,4:1000,4:2000,-,-,-,1:1,5:level,1:3,0:,1:s,1:g,1:0,1:0,0:,"
                "1:1,6:handle,5:start,4:2000,1:k,1:a,12:working_days,1:7,2:U1,4:3000,1:0,-,1:0,1:0,");
  Salt salt;
  salt.fill('s');
  EXPECT_EQ(commitment_text(event, Personal::actor, salt), "ssssssssssssssss5:actor,2:op,3:甲,");
  event.note = "n";
  EXPECT_EQ(commitment_text(event, Personal::note, salt), "ssssssssssssssss4:note,1:n,");
  event.fields[Field::assignee] = std::string("m1");
  event.scores = {{"k", "a", false, "m9", -500, {2}}};
  EXPECT_EQ(commitment_text(event, Personal::fields, salt), "ssssssssssssssss6:fields,1:1,8:assignee,2:m1,2:m9,");
  event.place = Fix{{391234567, -1174567890}, 350, FixSource::network, Datum::gcj02, true, from_unix_ms(7)};
  EXPECT_EQ(commitment_text(event, Personal::place, salt),
            "ssssssssssssssss5:place,9:391234567,11:-1174567890,3:350,1:1,1:1,1:1,1:7,");
}

TEST(CanonicalText, F7_HoldsNothingOfAPerson) {
  auto event = full_event();
  event.actor.login = "login-of-somebody";
  event.actor.name = "李明";
  event.note = "王家门口";
  event.place->point.lat_e7 = 391234567;
  event.scores[0].whom = "login-of-a-member";
  std::vector<std::string> personal{"login-of-somebody", "李明", "王家门口", "391234567", "login-of-a-member"};
  for (const auto& row : field_table()) {
    if (!row.personal) continue;
    const auto value = "secret-" + std::string(row.name);
    event.fields[row.field] = value;
    personal.push_back(value);
  }
  ASSERT_GT(personal.size(), 10u);
  const auto text = canonical_text(event, {});
  for (const auto& value : personal) EXPECT_EQ(text.find(value), std::string::npos) << value;
}

TEST(Erased, TakesTheValuesAndLeavesTheRest) {
  const auto event = full_event();
  PersonalSet fields;
  fields.set(index_of(Personal::actor));
  fields.set(index_of(Personal::place));
  fields.set(index_of(Personal::fields));
  const auto after = erased(event, fields);
  EXPECT_EQ(after.erased, fields);
  EXPECT_EQ(after.actor.login, "");
  EXPECT_EQ(after.actor.name, "");
  EXPECT_EQ(after.actor.role, event.actor.role);
  EXPECT_EQ(after.actor.org_path, event.actor.org_path);
  EXPECT_FALSE(after.place);
  EXPECT_EQ(after.note, "n");
  EXPECT_FALSE(after.fields.contains(Field::reply) || after.fields.contains(Field::assignee));
  EXPECT_EQ(text_of(after.fields, Field::unit), "u");
  EXPECT_EQ(after.scores[0].whom, "");
  EXPECT_EQ(after.scores[1].whom, "u");
  // What the chain covers beside the commitments is the same.
  EXPECT_EQ(canonical_text(after, {}), canonical_text(event, {}));
  for (const auto field : kPersonal) EXPECT_EQ(holds(after, field), !fields[index_of(field)]) << to_string(field);
  // What was never there is not marked; again changes nothing.
  auto without = event;
  without.note.clear();
  EXPECT_FALSE(erased(without, PersonalSet().set()).erased[index_of(Personal::note)]);
  const auto all = erased(after, PersonalSet().set());
  EXPECT_TRUE(all.erased.all());
  EXPECT_EQ(erased(all, PersonalSet().set()), all);
}

}  // namespace
}  // namespace gridward::domain
