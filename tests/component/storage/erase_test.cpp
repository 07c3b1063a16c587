// Personal data goes and the trace stays.
#include <algorithm>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using domain::Action;
using domain::CaseEvent;
using domain::Field;
using domain::Personal;
using domain::PersonalSet;

const std::string kGrid = "120116/120116115/120116115201/120116115201001";

PersonalSet set_of(std::initializer_list<Personal> fields) {
  PersonalSet set;
  for (const auto field : fields) set.set(domain::index_of(field));
  return set;
}

class Erase : public StoreTest {
 protected:
  // A report of m1 by handheld, accepted by op, whose check m1 is asked for and does.
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    write([&](app::Tx& tx) {
      for (const char* login : {"m-one", "op"}) {
        app::User user;
        user.login = login;
        user.name = std::string("name of ") + login;
        tx.upsert_user(user);
      }
      app::Device device;
      device.id = "hh-1";
      device.holder = "m-one";
      tx.upsert_device(device);
      const auto report_row = record(tx, 1, "m-one");
      const auto verify_row = record(tx, 2, "m-one");
      const std::vector<CaseEvent> events{report(), accept(), ask(), verify()};
      tx.insert_case(domain::replay(id(1), "number-1", events), kGrid, at(60));
      tx.append_events(id(1), 1, std::span(events).first(1), report_row);
      tx.append_events(id(1), 2, std::span(events).subspan(1, 2), std::nullopt);
      tx.append_events(id(1), 4, std::span(events).last(1), verify_row);
      tx.insert_task({id(70), id(1), "m-one", "hh-1", at(3), std::nullopt, false});
      const std::vector<CaseEvent> other{accept()};
      tx.insert_case(domain::replay(id(2), "number-2", other), kGrid, std::nullopt);
      tx.append_events(id(2), 1, other, std::nullopt);
    });
    expect_sound();
  }

  static CaseEvent report() {
    CaseEvent event;
    event.type = Action::report;
    event.actor = {"m-one", "Li Ming", domain::Role::grid_member, "120116115201001", kGrid};
    event.at = event.recorded = at(1);
    event.place = Fix{{391234567, 1174567890}, 350, FixSource::gnss, Datum::wgs84, false, at(1)};
    event.note = "in front of the door of Mrs Wang";
    event.fields = {{Field::category, "c"}, {Field::petitioner, "Sun Li"}};
    event.process = "case";
    event.step = "awaiting_review";
    event.stage = "reported";
    return event;
  }
  static CaseEvent accept() {
    CaseEvent event;
    event.type = Action::accept;
    event.actor = {"op", "Zhao", domain::Role::town_operator, "120116115", "120116/120116115"};
    event.at = event.recorded = at(2);
    return event;
  }
  static CaseEvent ask() {
    auto event = accept();
    event.type = Action::request_verify;
    event.fields = {{Field::task, to_string(id(70))}, {Field::assignee, "m-one"}};
    return event;
  }
  static CaseEvent verify() {
    auto event = report();
    event.type = Action::verify;
    event.note = "mended";
    event.fields = {{Field::task, to_string(id(70))}, {Field::outcome, "confirmed"}};
    return event;
  }
  static std::int64_t record(app::Tx& tx, std::uint64_t seq, const std::string& actor) {
    app::StoredRecord record;
    record.device = "hh-1";
    record.epoch = id(9);
    record.id = id(static_cast<std::uint32_t>(seq));
    record.seq = seq;
    record.actor = actor;
    record.kind = "report";
    const std::string bytes = "bytes of " + actor;
    record.bytes.assign(bytes.begin(), bytes.end());
    EXPECT_EQ(tx.insert_record(record), app::Inserted::fresh);
    return record.row;
  }
  void expect_sound() {
    const auto sound = store_->verify_case_chains();
    ASSERT_TRUE(sound) << to_string(sound.error());
    EXPECT_EQ(*sound, 2U);
  }
  std::vector<app::StoredEvent> events() {
    std::vector<app::StoredEvent> found;
    read([&](app::Tx& tx) { found = tx.case_events(id(1)); });
    return found;
  }
  // Everything that the database holds, as text. Of SQLite the file itself, freed pages included.
  std::string everything() {
    std::string all;
    if (GetParam() == Kind::sqlite) {
      store_.reset();
      all = test::read_file(url_.substr(9));
      open();
      return all;
    }
    for (const auto& table : raw_sql(
             url_, "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'")) {
      for (const auto& row : raw_sql(url_, "SELECT CAST(t.* AS TEXT) FROM " + table + " t")) all += row + "\n";
    }
    return all;
  }
};
GRIDWARD_ON_BOTH(Erase);

TEST_P(Erase, AnEventLosesWhatIsPersonalAndTheChainHolds) {
  const auto before = events();
  const auto salts = raw_sql(url_, "SELECT data FROM case_events WHERE n = 1 ORDER BY case_id").at(0);
  const auto salt = salts.substr(salts.find("\"salts\":{\"actor\":\"") + 18, 24);
  ASSERT_EQ(salt.substr(22), "==") << salts;
  write([](app::Tx& tx) {
    EXPECT_TRUE(tx.erase_event(id(1), 1));
    EXPECT_FALSE(tx.erase_event(id(1), 9));
    EXPECT_FALSE(tx.erase_event(id(3), 1));
  });
  expect_sound();
  const auto after = events();
  ASSERT_EQ(after.size(), 4U);
  EXPECT_EQ(after[0].event, domain::erased(before[0].event, PersonalSet().set()));
  EXPECT_EQ(after[0].event.erased, set_of({Personal::actor, Personal::note, Personal::place, Personal::fields}));
  EXPECT_EQ(after[0].event.actor.role, domain::Role::grid_member);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(after[i].hash, before[i].hash) << i;
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(after[i].event, before[i].event) << i;
  read([](app::Tx& tx) {
    const auto row = tx.find_case(id(1)).value();
    EXPECT_EQ(row.text, "");
    EXPECT_EQ(row.reporter.login, "");
    EXPECT_FALSE(row.place);
    EXPECT_EQ(row.version, 4U);
    EXPECT_EQ(row.number, "number-1");
    EXPECT_FALSE(row.values.contains(Field::petitioner));
    EXPECT_EQ(row.category, "c");
    EXPECT_EQ(tx.alarmed_cases(at(60), 9), std::vector{id(1)}) << "its clocks go on";
  });
  // The record keeps its identity; its bytes are gone. The other one of this member stays.
  EXPECT_EQ(raw_sql(url_, "SELECT actor, forgotten FROM records ORDER BY seq"),
            (std::vector<std::string>{"|1", "m-one|0"}));
  const auto all = everything();
  EXPECT_EQ(all.find("Mrs Wang"), std::string::npos);
  EXPECT_EQ(all.find("Sun Li"), std::string::npos) << "neither in the event nor in what the case remembers of it";
  EXPECT_EQ(all.find(salt), std::string::npos) << "with it, who knows the few possible values could try them";
}

TEST_P(Erase, APersonGoesFromEverywhereAndTheCasesStay) {
  const auto before = events();
  write([&](app::Tx& tx) {
    app::PunchRow punch;
    punch.record = id(5);
    punch.actor = "m-one";
    tx.insert_punch(punch);
    punch.actor = "op";
    tx.insert_punch(punch);
    tx.upsert_patrol({id(6), "m-one", "hh-1", at(1), std::nullopt, "", {}});
    tx.insert_track({id(7), "m-one", "hh-1", {}, {{at(1), {391234567, 1174567890}, 0}}});
    tx.insert_session({sha(1), "m-one", at(0), at(1)});
    tx.note_place("m-one", sha(2), at(0));
    tx.note_device("m-one", "hh-1", at(0));
    tx.hold_record(record(tx, 3, "m-one"));
    record(tx, 4, "op");
    for (const std::string actor : {"m-one", "m-one-other", "op"}) {
      app::QuarantineRow row;
      row.device = "hh-1";
      row.hash = sha(static_cast<std::uint32_t>(actor.size()));
      row.kind = "report";
      const auto bytes = "xeactor" + std::string(1, static_cast<char>(0x60 + actor.size())) + actor + "y";
      row.raw.assign(bytes.begin(), bytes.end());
      row.size = row.raw.size();
      tx.quarantine(row);
    }
  });
  app::ErasedPerson erased;
  write([&](app::Tx& tx) { erased = tx.erase_person("m-one"); });
  EXPECT_EQ(erased.events, 3U);
  EXPECT_EQ(erased.records, 3U);
  EXPECT_EQ(erased.duty, 3U);
  EXPECT_TRUE(erased.known);
  expect_sound();
  const auto after = events();
  EXPECT_EQ(after[0].event.erased, set_of({Personal::actor}));
  EXPECT_EQ(after[0].event.note, before[0].event.note) << "what the case is about stays";
  EXPECT_EQ(after[0].event.place, before[0].event.place);
  EXPECT_EQ(after[1].event, before[1].event) << "another's act";
  EXPECT_EQ(after[2].event.erased, set_of({Personal::fields}));
  EXPECT_EQ(after[2].event.actor.login, "op");
  EXPECT_EQ(after[3].event.erased, set_of({Personal::actor}));
  read([](app::Tx& tx) {
    EXPECT_FALSE(tx.find_user("m-one"));
    EXPECT_TRUE(tx.find_user("op"));
    EXPECT_EQ(tx.find_case(id(1))->reporter.login, "");
    EXPECT_EQ(tx.find_case(id(1))->verifier, "");
    EXPECT_EQ(tx.find_device("hh-1")->holder, "");
    EXPECT_EQ(tx.find_task(id(70))->assignee, "");
    EXPECT_FALSE(tx.find_session(sha(1)));
    EXPECT_FALSE(tx.knows_place("m-one", sha(2)));
    EXPECT_TRUE(tx.punches_of("m-one", at(-1'000'000'000'000), at(1'000'000'000'000)).empty());
    EXPECT_EQ(tx.punches_of("op", from_unix_ms(-1), at(0)).size(), 1U);
    EXPECT_FALSE(tx.find_patrol(id(6)));
    EXPECT_TRUE(tx.held_records("hh-1", id(9), 100).empty());
    std::size_t kept = 0;
    for (const auto& row : tx.quarantined(9)) kept += row.raw.empty() ? 0U : 1U;
    EXPECT_EQ(kept, 2U) << "only what names them";
  });
  EXPECT_EQ(raw_sql(url_, "SELECT actor FROM records ORDER BY seq"), (std::vector<std::string>{"", "", "", "op"}));
  const auto all = everything();
  EXPECT_NE(all.find(to_base64(as_bytes("bytes of op"))), std::string::npos) << "or this looks for nothing";
  for (const std::string& gone :
       {std::string("Li Ming"), std::string("name of m-one"), to_base64(as_bytes("bytes of m-one"))}) {
    EXPECT_EQ(all.find(gone), std::string::npos) << gone;
  }
  // Again: nobody.
  write([&](app::Tx& tx) { erased = tx.erase_person("m-one"); });
  EXPECT_FALSE(erased.known);
  EXPECT_EQ(erased.events + erased.records + erased.duty, 0U);
}

// Who signs for a unit, and whom 考核 charges, are named in the fields and lines of others' acts.
TEST_P(Erase, APersonGoesFromFieldsAndScoresOfOthersActs) {
  write([](app::Tx& tx) {
    auto sign = accept();
    sign.type = Action::sign_result;
    sign.fields = {{Field::signed_by, "chief_1"}};
    auto assess = accept();
    assess.type = Action::assess;
    assess.actor = {"system", "系统", domain::Role::system, "", ""};
    assess.scores = {{"scores.x", "D19", false, "chief_1", -100, {1}}, {"scores.y", "D21", true, "U-1", -100, {1}}};
    auto other = accept();  // looks alike
    other.type = Action::sign_result;
    other.fields = {{Field::signed_by, "chiefx1"}};
    const std::vector<CaseEvent> more{sign, assess, other};
    auto record = tx.find_case(id(2)).value();
    const auto before = record.version;
    for (const auto& event : more) record = domain::evolve(std::move(record), event);
    ASSERT_TRUE(tx.update_case(record, before, std::nullopt));
    tx.append_events(id(2), 2, more, std::nullopt);
  });
  app::ErasedPerson erased;
  write([&](app::Tx& tx) { erased = tx.erase_person("chief_1"); });
  EXPECT_EQ(erased.events, 2U);
  expect_sound();
  read([](app::Tx& tx) {
    const auto stored = tx.case_events(id(2));
    EXPECT_EQ(stored.at(1).event.erased, set_of({Personal::fields}));
    EXPECT_EQ(stored.at(1).event.actor.login, "op");
    EXPECT_EQ(stored.at(2).event.scores.at(0).whom, "");
    EXPECT_EQ(stored.at(2).event.scores.at(1).whom, "U-1");
    EXPECT_EQ(domain::text_of(stored.at(3).event.fields, Field::signed_by), "chiefx1");
    const auto row = tx.find_case(id(2)).value();
    EXPECT_EQ(domain::text_of(row.values, Field::signed_by), "chiefx1");
    EXPECT_EQ(row.scores.at(0).whom, "");
  });
  EXPECT_EQ(everything().find("chief_1"), std::string::npos);
}

TEST_P(Erase, ARecordWhoseBytesWentIsKnownWhenItComesAgain) {
  write([&](app::Tx& tx) { tx.erase_event(id(1), 1); });
  write([&](app::Tx& tx) {
    app::StoredRecord again;
    again.device = "hh-1";
    again.epoch = id(9);
    again.id = id(1);
    again.seq = 1;
    EXPECT_EQ(tx.insert_record(again), app::Inserted::same_again);
    EXPECT_FALSE(tx.refusal(again.row));
  });
}

TEST_P(Erase, WhatGoesOnAfterwardsIsChainedToIt) {
  write([](app::Tx& tx) {
    tx.erase_event(id(1), 4);
    const auto before = tx.find_case(id(1)).value();
    const std::vector<CaseEvent> more{accept()};
    auto after = domain::evolve(before, more[0]);
    ASSERT_TRUE(tx.update_case(after, before.version, std::nullopt));
    tx.append_events(id(1), 5, more, std::nullopt);
  });
  expect_sound();
}

TEST_P(Erase, ItsTraceStays) {
  write([](app::Tx& tx) {
    tx.note_erasure({at(1), "root", "a person", "left the town", 3});
    tx.note_erasure({at(2), "root", "case x, event 1", "named a neighbour", 1});
  });
  read([](app::Tx& tx) {
    const auto notes = tx.erasures();
    ASSERT_EQ(notes.size(), 2U);
    EXPECT_EQ(notes[0].what, "case x, event 1");
    EXPECT_EQ(notes[1].at, at(1));
    EXPECT_EQ(notes[1].by, "root");
    EXPECT_EQ(notes[1].reason, "left the town");
    EXPECT_EQ(notes[1].events, 3U);
  });
}

}  // namespace
}  // namespace gridward::storage
