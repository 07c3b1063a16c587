#include <gridward/platform/crypto.hpp>
#include <random>
#include <set>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using domain::Action;
using domain::CaseEvent;
using domain::CaseRecord;
using domain::Field;

class CaseRows : public StoreTest {
 protected:
  // In base64, of an event of case 1.
  std::string salt_of(std::uint64_t n, const std::string& field) {
    const auto data = raw_sql(url_, "SELECT data FROM case_events WHERE case_id = '" + to_hex(id(1).bytes) +
                                        "' AND n = " + std::to_string(n))
                          .at(0);
    const auto salts = data.find("\"salts\":{");
    const auto at = data.find("\"" + field + "\":\"", salts);
    if (salts == std::string::npos || at == std::string::npos || at > data.find('}', salts)) return {};
    const auto from = at + field.size() + 4;
    return data.substr(from, data.find('"', from) - from);
  }
  domain::Commitments commitments_of(const app::StoredEvent& event) {
    domain::Commitments personal;
    for (const auto field : domain::kPersonal) {
      if (!domain::holds(event.event, field)) continue;
      const auto bytes = from_base64(salt_of(event.n, std::string(domain::to_string(field)))).value();
      domain::Salt salt{};
      EXPECT_EQ(bytes.size(), salt.size());
      std::copy(bytes.begin(), bytes.end(), salt.begin());
      personal[domain::index_of(field)] = platform::sha256(as_bytes(domain::commitment_text(event.event, field, salt)));
    }
    return personal;
  }
};
GRIDWARD_ON_BOTH(CaseRows);

const std::string kTown = "120116/120116115";
const std::string kGrid = "120116/120116115/120116115201/120116115201001";

domain::Actor member() { return {"m1", "李明明", domain::Role::grid_member, "120116115201001", kGrid}; }
domain::Actor operator_of_town() { return {"op", "王\"操作\"", domain::Role::town_operator, "120116115", kTown}; }

CaseEvent reported(UnixMs when, std::string text = "井盖破损") {
  CaseEvent event;
  event.type = Action::report;
  event.actor = member();
  event.at = when;
  event.recorded = when + Millis(3);
  event.place = Fix{{391234567, 1174567890}, 350, FixSource::gnss, Datum::wgs84, false, when};
  event.note = std::move(text);
  event.fields = {{Field::category, "road-cover"}, {Field::grid, "120116115201001"}, {Field::town, "120116115"}};
  event.process = "case";
  event.step = "awaiting_review";
  event.stage = "reported";
  event.media = {{sha(1), MediaRole::scene}, {sha(2), MediaRole::before}};
  return event;
}

CaseEvent accepted(UnixMs when) {
  CaseEvent event;
  event.type = Action::accept;
  event.actor = operator_of_town();
  event.at = event.recorded = when;
  event.note = "控制字符\n\t\x01 与 \\ 引号 \"";
  event.step = "awaiting_transfer";
  event.stage = "accepted";
  return event;
}

domain::ClockRule rule() { return {"limits.general", "第二十五条（二）", domain::ClockUnit::working_days, 7}; }

// A value of each field of the table, so that a field that is added is tested here too.
domain::FieldMap every_field() {
  domain::FieldMap fields;
  for (const auto& info : domain::field_table()) {
    switch (info.type) {
      case domain::FieldType::text:
      case domain::FieldType::code:
      case domain::FieldType::name:
        fields[info.field] = "值\"" + std::string(info.name);
        break;
      case domain::FieldType::id:
        fields[info.field] = to_string(id(4));
        break;
      case domain::FieldType::names:
        fields[info.field] = std::vector<std::string>{"U-2", "U\\3"};
        break;
      case domain::FieldType::flag:
        fields[info.field] = false;
        break;
      case domain::FieldType::number:
        fields[info.field] = std::int64_t{1} << 40;
        break;
      case domain::FieldType::time:
        fields[info.field] = at(-7);
        break;
    }
  }
  return fields;
}

// Every member in use, whatever a process would say.
CaseEvent full_event() {
  auto event = reported(at(1));
  event.type = Action::verify;
  event.fields = every_field();
  event.step = "verify_failed";
  event.stage = "verified";
  event.aside = true;
  event.ends = true;
  event.rule = "limits.general 第二十五条（二）";
  event.clocks = {{"handle", domain::ClockOp::start, at(3), rule(), "U-1", at(77), true, std::nullopt},
                  {"*", domain::ClockOp::stop, at(4), {}, "", std::nullopt, false, false}};
  event.scores = {{"scores.untrue", "D21", true, "U-1", -150, {1, 7}}, {"scores.day_off", "D17", false, "m1", 100, {}}};
  event.place->accuracy_cm = std::nullopt;
  event.place->mock = true;
  return event;
}

CaseRecord full_case(std::uint32_t number) {
  CaseRecord record;
  record.id = id(number);
  record.number = "120116115-20261122-0001";
  record.process = "case";
  record.stage = "verified";
  record.step = "verify_failed";
  record.ends = true;
  record.back = "taken";
  record.town = "120116115";
  record.grid = "120116115201001";
  record.category = "road-cover";
  record.channel = "grid_member";
  record.text = "文字";
  record.reporter = member();
  record.place = reported(at(0)).place;
  record.holder = "120116";
  record.unit = "U-1";
  record.assisting_units = {"U-2", "U-3"};
  record.assisting_open = {"U-3"};
  record.handler = "u1";
  record.round = 3;
  record.version = 9;
  record.captured_at = at(-5);
  record.reported_at = at(1);
  record.updated_at = at(2);
  record.closed_at = at(6);
  record.clocks = {{"handle",
                    1,
                    "U-1",
                    rule(),
                    at(3),
                    at(4),
                    true,
                    {{at(5), at(6)}, {at(7), std::nullopt}},
                    at(8),
                    false,
                    true,
                    true,
                    {rule(), {"limits.x", "x", domain::ClockUnit::natural_minutes, 30}}},
                   {"return", 3, "", {}, at(3), std::nullopt, false, {}, std::nullopt, std::nullopt, false, false, {}},
                   {"verify", 3, "", rule(), at(3), at(90), false, {}, std::nullopt, std::nullopt, true, true, {}}};
  record.requests = {{"return", "u1", "u2", every_field()}, {"extension", "u1", "", {}}};
  record.past_units = {"U-9", "U-1", "U-9"};
  record.return_locked = true;
  record.verify_task = id(70);
  record.verifier = "m2";
  record.verify_outcome = TaskOutcome::cannot_check;
  record.feedback = "已处理";
  record.values = every_field();
  record.counts = {{Action::report, 1}, {Action::rework, 2}};
  record.scores = full_event().scores;
  return record;
}

void store_case(app::Tx& tx, const Uuid& case_id, const std::string& number, const std::vector<CaseEvent>& events,
                const std::string& path = kGrid) {
  tx.insert_case(domain::replay(case_id, number, events), path, std::nullopt);
  tx.append_events(case_id, 1, events, std::nullopt);
}

TEST_P(CaseRows, NumbersCountByTownAndDay) {
  write([](app::Tx& tx) {
    EXPECT_EQ(tx.next_case_number("120116115", "20261122"), "120116115-20261122-0001");
    EXPECT_EQ(tx.next_case_number("120116115", "20261122"), "120116115-20261122-0002");
    EXPECT_EQ(tx.next_case_number("120116116", "20261122"), "120116116-20261122-0001");
    EXPECT_EQ(tx.next_case_number("120116115", "20261123"), "120116115-20261123-0001");
  });
  raw_sql(url_, "UPDATE counters SET n = 9999 WHERE name = 'case/120116115/20261123' RETURNING n");
  reopen();
  write([](app::Tx& tx) { EXPECT_EQ(tx.next_case_number("120116115", "20261123"), "120116115-20261123-10000"); });
}

TEST_P(CaseRows, ACaseComesBackAsItWas) {
  auto empty = CaseRecord{};
  empty.id = id(2);
  auto with_nul = full_case(3);
  with_nul.text = std::string("前\0后", 7);
  write([&](app::Tx& tx) {
    tx.insert_case(full_case(1), kGrid, std::nullopt);
    tx.insert_case(empty, "", std::nullopt);
    tx.insert_case(with_nul, kGrid, std::nullopt);
  });
  read([&](app::Tx& tx) {
    EXPECT_EQ(tx.find_case(id(1)), full_case(1));
    EXPECT_EQ(tx.find_case(id(2)), empty);
    EXPECT_EQ(tx.find_case(id(3)), with_nul);
    EXPECT_FALSE(tx.find_case(id(4)));
    EXPECT_EQ(tx.case_org_path(id(1)), kGrid);
    EXPECT_EQ(tx.case_org_path(id(2)), "");
    EXPECT_EQ(tx.case_org_path(id(4)), "");
  });
}

TEST_P(CaseRows, AValueOfAnotherTypeOrAnUnknownNameIsAnError) {
  write([&](app::Tx& tx) { tx.insert_case(full_case(1), kGrid, std::nullopt); });
  const std::vector<std::pair<std::string, std::string>> spoilt{
      {"\"town\":\"", "\"twon\":\""},
      {"\"valid\":false", "\"valid\":0"},
      {"\"complaints\":1099511627776", "\"complaints\":1.5"},
      {"\"assisting_units\":[", "\"assisting_units\":[7,"},
      {"\"rework\":2", "\"rework\":-2"},
      {"\"unit\":\"working_days\"", "\"unit\":\"moons\""},
      {"\"round\":3", "\"round\":\"3\""},
  };
  const auto good = raw_sql(url_, "SELECT data FROM cases").at(0);
  for (const auto& [from, to] : spoilt) {
    ASSERT_NE(good.find(from), std::string::npos) << from;
    raw_sql(url_, "UPDATE cases SET data = REPLACE(data, '" + from + "', '" + to + "') RETURNING 1");
    const auto result = store_->read([](app::Tx& tx) -> Result<void> {
      tx.find_case(id(1));
      return {};
    });
    ASSERT_FALSE(result) << to;
    EXPECT_NE(to_string(result.error()).find("unreadable"), std::string::npos) << to_string(result.error());
    raw_sql(url_, "UPDATE cases SET data = REPLACE(data, '" + to + "', '" + from + "') RETURNING 1");
    read([](app::Tx& tx) { EXPECT_EQ(tx.find_case(id(1)), full_case(1)); });
  }
}

TEST_P(CaseRows, AChannelsNumberBelongsToOneCase) {
  write([](app::Tx& tx) {
    EXPECT_FALSE(tx.find_reference("hotline", "12345-1"));
    EXPECT_TRUE(tx.insert_reference("hotline", "12345-1", id(1)));
    EXPECT_FALSE(tx.insert_reference("hotline", "12345-1", id(2)));
    EXPECT_TRUE(tx.insert_reference("visit", "12345-1", id(2)));
    EXPECT_EQ(tx.find_reference("hotline", "12345-1"), id(1));
    EXPECT_EQ(tx.find_reference("visit", "12345-1"), id(2));
  });
}

TEST_P(CaseRows, AlarmsComeInTheirOrder) {
  write([](app::Tx& tx) {
    for (std::uint32_t i = 1; i <= 4; ++i) {
      auto record = full_case(i);
      record.number = "n" + std::to_string(i);
      tx.insert_case(record, kGrid, i == 4 ? std::nullopt : std::optional(at(10 - i)));
    }
    EXPECT_EQ(tx.alarmed_cases(at(9), 9), (std::vector{id(3), id(2), id(1)}));
    EXPECT_EQ(tx.alarmed_cases(at(8), 9), (std::vector{id(3), id(2)}));
    EXPECT_EQ(tx.alarmed_cases(at(9), 1), std::vector{id(3)});
    EXPECT_TRUE(tx.alarmed_cases(at(6), 9).empty());
    tx.set_alarm(id(3), std::nullopt);
    tx.set_alarm(id(4), at(1));
    EXPECT_EQ(tx.alarmed_cases(at(8), 9), (std::vector{id(4), id(2)}));
    auto record = full_case(2);
    record.number = "n2";
    ++record.version;
    EXPECT_TRUE(tx.update_case(record, 9, std::nullopt));
    EXPECT_EQ(tx.alarmed_cases(at(100), 9), (std::vector{id(4), id(1)}));
  });
}

TEST_P(CaseRows, AnIdThatIsTakenIsToldAndNothingChanges) {
  write([](app::Tx& tx) {
    EXPECT_TRUE(tx.insert_case(full_case(1), kGrid, std::nullopt));
    auto other = full_case(1);
    other.text = "另一件";
    EXPECT_FALSE(tx.insert_case(other, "D/other", std::nullopt));
    EXPECT_EQ(tx.find_case(id(1)), full_case(1));
    EXPECT_EQ(tx.case_org_path(id(1)), kGrid);
  });
}

TEST_P(CaseRows, TheSecondToChangeACaseIsTold) {
  write([](app::Tx& tx) {
    auto record = full_case(1);
    tx.insert_case(record, kGrid, std::nullopt);
    record.version = 10;
    record.step = "awaiting_transfer";
    record.stage = "accepted";
    record.unit = "";
    EXPECT_TRUE(tx.update_case(record, 9, at(50)));
    EXPECT_EQ(tx.find_case(id(1)), record);
    auto late = record;
    late.feedback = "迟到";
    EXPECT_FALSE(tx.update_case(late, 9, std::nullopt));
    EXPECT_EQ(tx.find_case(id(1)), record);
    EXPECT_FALSE(tx.update_case(full_case(2), 9, std::nullopt));
  });
}

TEST_P(CaseRows, EventsAreChainedAndComeBackAsTheyWere) {
  const std::vector<CaseEvent> first{reported(at(1)), accepted(at(2))};
  const std::vector<CaseEvent> second{full_event()};
  write([&](app::Tx& tx) {
    tx.append_events(id(1), 1, first, std::nullopt);
    tx.append_events(id(1), 3, second, 7);
    tx.append_events(id(2), 1, first, std::nullopt);
    tx.append_events(id(3), 1, {}, std::nullopt);
  });
  read([&](app::Tx& tx) {
    const auto events = tx.case_events(id(1));
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].event, first[0]);
    EXPECT_EQ(events[1].event, first[1]);
    EXPECT_EQ(events[2].event, second[0]);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(events[i].n, i + 1);
    // sha256(previous ‖ canonical text), by hand, with the salts that lie beside the values.
    for (std::size_t i = 1; i < 3; ++i) {
      Bytes bytes(events[i - 1].hash.begin(), events[i - 1].hash.end());
      const auto text = domain::canonical_text(events[i].event, commitments_of(events[i]));
      bytes.insert(bytes.end(), text.begin(), text.end());
      EXPECT_EQ(events[i].hash, platform::sha256(bytes));
    }
    EXPECT_NE(salt_of(1, "actor"), salt_of(2, "actor"));
    EXPECT_NE(salt_of(1, "actor"), salt_of(1, "note"));
    EXPECT_EQ(salt_of(2, "place"), "") << "of what is not there";
    // The same first event in another case has another hash.
    EXPECT_NE(tx.case_events(id(2)).at(0).hash, events[0].hash);
    EXPECT_TRUE(tx.case_events(id(9)).empty());
  });
  // Behind a hole, or over what is there: not possible.
  for (const std::uint64_t n : {5, 3}) {
    const auto failed = store_->write([&](app::Tx& tx) -> Result<void> {
      tx.append_events(id(1), n, second, std::nullopt);
      return {};
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::internal);
  }
}

TEST_P(CaseRows, TasksComeBackAsTheyWere) {
  app::VerifyTask task{id(1), id(2), "m1", "hh-1", at(1), std::nullopt, false};
  const auto check = [&](app::Tx& tx) {
    const auto found = tx.find_task(id(1)).value();
    EXPECT_EQ(found.id, task.id);
    EXPECT_EQ(found.case_id, task.case_id);
    EXPECT_EQ(found.assignee, task.assignee);
    EXPECT_EQ(found.device, task.device);
    EXPECT_EQ(found.created, task.created);
    EXPECT_EQ(found.done, task.done);
    EXPECT_EQ(found.cancelled, task.cancelled);
  };
  write([&](app::Tx& tx) {
    tx.insert_task(task);
    check(tx);
    EXPECT_FALSE(tx.find_task(id(9)));
    task.done = at(9);
    task.cancelled = true;
    task.device = "hh-2";
    tx.update_task(task);
  });
  read(check);
}

// ---- lists

const std::vector<std::string> kStages{"reported", "accepted", "transferred", "verified", "closed", "assessed"};

struct Listed {
  CaseRecord record;
  std::string path;
};

class CaseLists : public StoreTest {
 protected:
  void fill(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    const std::vector<std::string> paths{kTown, kGrid, "120116/120116115/120116115202", "120116/1201161150",
                                         "120116/120116116/120116116201"};
    const std::vector<std::string> texts{"井盖破损", "Street LIGHT", "100% 完成_a", "", "垃圾!堆放"};
    write([&](app::Tx& tx) {
      for (std::size_t i = 0; i < count; ++i) {
        CaseRecord record;
        record.id = id(static_cast<std::uint32_t>(random()));
        record.town = "120116115";
        record.number = "120116115-20261122-" + std::to_string(1000 + i);
        record.reporter.login = random() % 3 == 0 ? "m1" : "m2";
        record.grid = random() % 2 == 0 ? "g1" : "g2";
        record.text = texts[random() % texts.size()];
        record.process = random() % 3 == 0 ? "work_order" : "case";
        record.stage = kStages[random() % kStages.size()];
        record.unit = random() % 4 == 0 ? "U-1" : random() % 2 == 0 ? "U-2" : "";
        if (random() % 5 == 0) record.assisting_units = {"U-1"};
        record.ends = random() % 8 == 0;
        if (random() % 3 != 0) {
          domain::CaseClock clock;
          clock.name = "handle";
          clock.due = at(static_cast<std::int64_t>(random() % 5));
          clock.overdue = random() % 2 == 0;
          record.clocks.push_back(clock);
        }
        // Few different times, so that many cases share one.
        record.updated_at = at(static_cast<std::int64_t>(random() % 7));
        const auto& path = paths[random() % paths.size()];
        tx.insert_case(record, path, std::nullopt);
        all_.push_back({record, path});
      }
    });
    std::ranges::sort(all_, [](const Listed& a, const Listed& b) {
      return std::pair(a.record.updated_at, a.record.id) > std::pair(b.record.updated_at, b.record.id);
    });
  }

  static bool contains(std::string text, std::string part) {
    const auto lower = [](std::string& s) {
      std::ranges::transform(s, s.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    };
    lower(text);
    lower(part);
    return text.find(part) != std::string::npos;
  }

  std::vector<Uuid> oracle(const app::CaseFilter& filter) const {
    std::vector<Uuid> ids;
    for (const auto& [record, path] : all_) {
      if (!filter.subtree.empty() && !domain::within(filter.subtree, path)) continue;
      if (!filter.unit.empty() && record.unit != filter.unit &&
          std::ranges::find(record.assisting_units, filter.unit) == record.assisting_units.end()) {
        continue;
      }
      if (!filter.process.empty() && record.process != filter.process) continue;
      if (filter.overdue && (!record.overdue() || record.ends)) continue;
      if (!filter.reporter.empty() && record.reporter.login != filter.reporter) continue;
      if (!filter.grid.empty() && record.grid != filter.grid) continue;
      if (!filter.stages.empty() && std::ranges::find(filter.stages, record.stage) == filter.stages.end()) continue;
      if (!contains(record.text, filter.text) && !contains(record.number, filter.text)) continue;
      ids.push_back(record.id);
    }
    if (filter.overdue) {
      const auto key = [&](const Uuid& one) {
        return std::pair(std::ranges::find(all_, one, [](const Listed& l) { return l.record.id; })->record.due_at(),
                         one);
      };
      std::ranges::sort(ids, [&](const Uuid& a, const Uuid& b) { return key(a) < key(b); });
    }
    return ids;
  }

  std::vector<Uuid> paged(app::CaseFilter filter, std::size_t expected_total) {
    std::vector<Uuid> ids;
    for (std::size_t pages = 0; pages < 1000; ++pages) {
      app::CasePage page;
      read([&](app::Tx& tx) { page = tx.list_cases(filter); });
      EXPECT_EQ(page.total, expected_total);
      EXPECT_LE(page.cases.size(), filter.limit);
      for (const auto& record : page.cases) ids.push_back(record.id);
      if (!page.next) return ids;
      EXPECT_EQ(page.cases.size(), filter.limit);
      filter.cursor = page.next;
    }
    ADD_FAILURE() << "the pages do not end";
    return ids;
  }

  std::vector<Listed> all_;
};
GRIDWARD_ON_BOTH(CaseLists);

TEST_P(CaseLists, PagesHoldEveryCaseOnceWhateverTheFilter) {
  fill(150, 7);
  std::mt19937 random(11);
  const std::vector<std::string> subtrees{
      "", "120116", kTown, kGrid, "120116/120116115/120116115202", "120116/12011611", "1"};
  const std::vector<std::string> texts{
      "", "", "井盖", "light", "0%", "_a", "!", "1014", "没有", "20261122-10", "120116115-20261122-1014", "0261122-1"};
  for (int round = 0; round < 100; ++round) {
    app::CaseFilter filter;
    filter.subtree = subtrees[random() % subtrees.size()];
    filter.text = texts[random() % texts.size()];
    if (random() % 4 == 0) filter.unit = "U-1";
    if (random() % 4 == 0) filter.reporter = "m1";
    if (random() % 4 == 0) filter.grid = "g2";
    if (random() % 4 == 0) filter.process = "work_order";
    if (random() % 4 == 0) filter.overdue = true;
    for (std::uint32_t i = random() % 4; i > 0; --i) filter.stages.push_back(kStages[random() % kStages.size()]);
    filter.limit = 1 + random() % 40;
    const auto expected = oracle(filter);
    ASSERT_EQ(paged(filter, expected.size()), expected)
        << "subtree " << filter.subtree << " text " << filter.text << " unit " << filter.unit << " reporter "
        << filter.reporter << " process " << filter.process << " overdue " << filter.overdue << " grid " << filter.grid
        << " stages " << filter.stages.size();
  }
}

TEST_P(CaseLists, CountsByProcessAndStage) {
  fill(120, 3);
  for (const auto& subtree : {std::string(), std::string("120116"), kTown, kGrid}) {
    for (const auto& unit : {std::string(), std::string("U-1")}) {
      for (const auto& reporter : {std::string(), std::string("m1")}) {
        app::CaseFilter filter;
        filter.subtree = subtree;
        filter.unit = unit;
        filter.reporter = reporter;
        app::CaseCounts expected;
        for (const auto& one : oracle(filter)) {
          const auto found = std::ranges::find(all_, one, [](const Listed& listed) { return listed.record.id; });
          ++expected[found->record.process][found->record.stage];
        }
        // Only subtree, unit and reporter count.
        filter.text = "no such text";
        filter.stages = {"closed"};
        read([&](app::Tx& tx) {
          EXPECT_EQ(tx.count_cases(filter), expected) << subtree << " " << unit << " " << reporter;
        });
      }
    }
  }
}

// Whatever happens to cases, the counters say what counting the rows would.
TEST_P(CaseLists, CountersAreWhatCountingWouldSayAfterRandomActs) {
  fill(40, 21);
  std::mt19937 random(5);
  const std::vector<std::string> units{"", "U-1", "U-2", "U-3"};
  const std::vector<std::string> paths{kTown, kGrid, "120116/120116116", "120116"};
  const auto counted = [&](const std::string& sql) { return raw_sql(url_, sql + " ORDER BY 1, 2, 3"); };
  for (int round = 0; round < 40; ++round) {
    write([&](app::Tx& tx) {
      for (int i = 0; i < 5; ++i) {
        auto& listed = all_[random() % all_.size()];
        auto record = tx.find_case(listed.record.id).value();
        if (random() % 6 == 0) {
          tx.move_case(record.id, paths[random() % paths.size()]);
          continue;
        }
        const auto before = record.version;
        record.version += random() % 3;  // 0: as an erasure does
        record.stage = kStages[random() % kStages.size()];
        record.unit = units[random() % units.size()];
        record.assisting_units.clear();
        for (const auto& unit : units) {
          if (!unit.empty() && random() % 3 == 0) record.assisting_units.push_back(unit);
        }
        record.updated_at = at(static_cast<std::int64_t>(random() % 99));
        record.ends = random() % 5 == 0;
        for (auto& clock : record.clocks) clock.overdue = random() % 2 == 0;
        // An act that came too late changes nothing.
        EXPECT_FALSE(tx.update_case(record, before + 100, std::nullopt));
        EXPECT_TRUE(tx.update_case(record, before, std::nullopt));
      }
    });
    // A unit of work that fails takes its counting back.
    EXPECT_FALSE(store_->write([&](app::Tx& tx) -> Result<void> {
      auto record = tx.find_case(all_[0].record.id).value();
      record.stage = kStages[random() % kStages.size()];
      record.unit = "U-9";
      tx.update_case(record, record.version, std::nullopt);
      return fail(ErrorCode::internal);
    }));
    ASSERT_EQ(counted("SELECT scope, process, stage, n FROM case_counters WHERE n <> 0 AND scope LIKE '%/'"),
              counted("SELECT area, process, stage, COUNT(*) FROM cases GROUP BY area, process, stage"));
    ASSERT_EQ(counted("SELECT scope, process, stage, n FROM case_counters WHERE n <> 0 AND scope NOT LIKE '%/'"),
              counted("SELECT u.unit, c.process, c.stage, COUNT(*) FROM cases c JOIN case_units u ON u.case_id = c.id "
                      "GROUP BY u.unit, c.process, c.stage"));
    ASSERT_EQ(
        raw_sql(url_,
                "SELECT COUNT(*) FROM case_units u JOIN cases c ON c.id = u.case_id "
                "WHERE u.updated_at <> c.updated_at OR (u.part = 'lead') <> (u.unit = c.unit) OR u.area <> c.area "
                "OR u.process <> c.process OR u.stage <> c.stage OR COALESCE(u.overdue_at, -1) <> "
                "CASE WHEN c.overdue = 1 AND c.ends = 0 THEN COALESCE(c.due_at, -1) ELSE -1 END"),
        std::vector<std::string>{"0"});
  }
}

TEST_P(CaseLists, LimitsAndCursorsFromOutsideDoNoHarm) {
  fill(3, 5);
  read([&](app::Tx& tx) {
    app::CaseFilter filter;
    filter.limit = 0;
    EXPECT_EQ(tx.list_cases(filter).cases.size(), 1U);
    filter.limit = 1'000'000;
    EXPECT_EQ(tx.list_cases(filter).cases.size(), 3U);
    for (const char* cursor : {"", "x", "1_2", "_", "12345_zz", "99999999999999999999_00", "1_'; DROP TABLE cases"}) {
      filter.cursor = cursor;
      EXPECT_TRUE(tx.list_cases(filter).cases.empty()) << cursor;
    }
    filter.cursor.reset();
    filter.text = std::string(60'000, '%');
    EXPECT_TRUE(tx.list_cases(filter).cases.empty());
    filter.text = "' OR 1=1 --";
    EXPECT_TRUE(tx.list_cases(filter).cases.empty());
  });
}

TEST_P(CaseLists, APageHoldsAtMost200AndTheTotalStopsAt10001) {
  write([&](app::Tx& tx) {
    for (std::uint32_t i = 1; i <= 250; ++i) {
      CaseRecord record;
      record.id = id(i);
      tx.insert_case(record, kTown, std::nullopt);
    }
  });
  read([&](app::Tx& tx) {
    app::CaseFilter filter;
    filter.limit = 201;
    const auto page = tx.list_cases(filter);
    EXPECT_EQ(page.cases.size(), 200U);
    EXPECT_EQ(page.total, 250U);
  });
  raw_sql(url_,
          "INSERT INTO cases (id, number, town, grid, category, stage, step, unit, reporter, org_path, area, version, "
          "updated_at, text, data) SELECT '02000000' || SUBSTR(a.id, 25, 8) || '00000000' || SUBSTR(b.id, 25, 8), "
          "a.number, a.town, a.grid, a.category, a.stage, a.step, a.unit, "
          "a.reporter, a.org_path, a.area, a.version, a.updated_at, a.text, a.data FROM cases a CROSS JOIN "
          "(SELECT id FROM cases ORDER BY id LIMIT 50) b RETURNING 1");
  read([&](app::Tx& tx) { EXPECT_EQ(tx.list_cases({}).total, 10'001U); });
}

// Twelve thousand cases, the oldest of them with words and a number of its own.
class ManyCases : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    write([](app::Tx& tx) {
      for (std::uint32_t i = 1; i <= 240; ++i) {
        CaseRecord record;
        record.id = id(i);
        record.town = "120116115";
        record.number = "120116115-20261122-1" + std::to_string(100 + i);
        record.process = "case";
        record.stage = "closed";
        record.text = "路灯不亮";
        record.updated_at = at(100 + i);
        tx.insert_case(record, kTown, std::nullopt);
      }
      CaseRecord old;
      old.id = id(9000);
      old.town = "120116115";
      old.number = "120116115-20240101-0007";
      old.process = "case";
      old.stage = "closed";
      old.text = "井盖破损";
      old.updated_at = at(1);
      tx.insert_case(old, kTown, std::nullopt);
    });
    raw_sql(
        url_,
        "INSERT INTO cases (id, number, process, town, grid, category, stage, step, unit, reporter, org_path, area, "
        "version, updated_at, text, data) SELECT '02000000' || SUBSTR(a.id, 25, 8) || '00000000' || "
        "SUBSTR(b.id, 25, 8), a.number, a.process, a.town, a.grid, a.category, a.stage, a.step, a.unit, a.reporter, "
        "a.org_path, a.area, a.version, a.updated_at, a.text, a.data FROM cases a CROSS JOIN "
        "(SELECT id FROM cases ORDER BY id LIMIT 50) b WHERE a.text <> '井盖破损' RETURNING 1");
    filter_.subtree = kTown;
  }
  app::CasePage page() {
    app::CasePage page;
    read([&](app::Tx& tx) { page = tx.list_cases(filter_); });
    return page;
  }
  app::CaseFilter filter_;
};
GRIDWARD_ON_BOTH(ManyCases);

TEST_P(ManyCases, ASearchLooksAtABoundedNumberAndTheNextPageGoesOn) {
  for (const char* text : {"井盖", "破损 没有"}) {
    filter_.text = text;
    filter_.cursor.reset();
    auto found = page();
    EXPECT_TRUE(found.cases.empty());
    EXPECT_EQ(found.total, 0U);
    ASSERT_TRUE(found.next);
    ASSERT_TRUE(found.searched_to);
    EXPECT_GT(*found.searched_to, at(1));
    std::size_t pages = 1;
    std::size_t cases = 0;
    for (; found.next; ++pages) {
      EXPECT_TRUE(found.searched_to);
      filter_.cursor = found.next;
      found = page();
      cases += found.cases.size();
    }
    EXPECT_EQ(pages, 3U);
    EXPECT_EQ(cases, filter_.text == "井盖" ? 1U : 0U);
    EXPECT_FALSE(found.searched_to);
  }
  filter_.cursor.reset();
  filter_.text = "路灯";
  const auto found = page();
  EXPECT_EQ(found.cases.size(), filter_.limit);
  EXPECT_EQ(found.total, 5000U);
  EXPECT_TRUE(found.next);
}

TEST_P(ManyCases, ANumberIsFoundWhereverItIs) {
  for (const char* text : {"120116115-20240101-0007", "120116115-2024", "20240101", "20240101-0007"}) {
    filter_.text = text;
    const auto found = page();
    ASSERT_EQ(found.cases.size(), 1U) << text;
    EXPECT_EQ(found.cases[0].id, id(9000));
    EXPECT_EQ(found.total, 1U);
    EXPECT_FALSE(found.next);
    EXPECT_FALSE(found.searched_to);
  }
  filter_.text = "20240101";
  filter_.stages = {"closed"};
  EXPECT_EQ(page().cases.size(), 1U);
  filter_.stages = {"reported"};
  EXPECT_TRUE(page().cases.empty());
  filter_.stages.clear();
  filter_.subtree = "120116/120116116";
  EXPECT_TRUE(page().cases.empty()) << "of another town";
}

// ---- audit

class Chains : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    write([](app::Tx& tx) {
      for (std::uint32_t i = 1; i <= 3; ++i) {
        store_case(tx, id(i), "120116115-20261122-000" + std::to_string(i), {reported(at(1)), accepted(at(2))});
      }
    });
    const auto sound = store_->verify_case_chains();
    ASSERT_TRUE(sound) << to_string(sound.error());
    ASSERT_EQ(*sound, 3U);
  }
  void expect_broken(const std::string& sql, const std::string& field, const std::string& words) {
    ASSERT_FALSE(raw_sql(url_, sql + " RETURNING 1").empty());
    const auto result = store_->verify_case_chains();
    ASSERT_FALSE(result) << "not seen: " << sql;
    EXPECT_EQ(result.error().code, ErrorCode::storage_failed);
    EXPECT_EQ(result.error().field, field);
    EXPECT_NE(result.error().detail.find(to_string(id(2))), std::string::npos) << result.error().detail;
    EXPECT_NE(result.error().detail.find(words), std::string::npos) << result.error().detail;
  }
  std::string of_case_2() const { return " WHERE case_id = '" + to_hex(id(2).bytes) + "'"; }
};
GRIDWARD_ON_BOTH(Chains);

TEST_P(Chains, AChangedEventIsSeen) {
  expect_broken("UPDATE case_events SET data = REPLACE(data, '王', '张')" + of_case_2() + " AND n = 2", "case_events",
                "event 2: its hash");
}
TEST_P(Chains, AChangedTimeIsSeen) {
  expect_broken("UPDATE case_events SET at = at + 1" + of_case_2() + " AND n = 1", "case_events", "event 1: its hash");
}
TEST_P(Chains, ARemovedEventIsSeen) {
  expect_broken("DELETE FROM case_events" + of_case_2() + " AND n = 1", "case_events", "event 1: it is missing");
}
TEST_P(Chains, ARemovedLastEventIsSeen) {
  expect_broken("DELETE FROM case_events" + of_case_2() + " AND n = 2", "case_events", "event 2: it is missing");
}
TEST_P(Chains, EventsOfAnotherCaseAreSeen) {
  raw_sql(url_, "DELETE FROM case_events" + of_case_2() + " RETURNING 1");
  expect_broken("INSERT INTO case_events SELECT '" + to_hex(id(2).bytes) +
                    "', n, type, actor, at, recorded, data, hash, record FROM case_events WHERE case_id = '" +
                    to_hex(id(1).bytes) + "'",
                "case_events", "event 1: its hash");
}
TEST_P(Chains, ARowThatIsNotItsEventsIsSeen) {
  expect_broken("UPDATE cases SET step = 'done', stage = 'assessed' WHERE id = '" + to_hex(id(2).bytes) + "'", "cases",
                "not the replay");
}
TEST_P(Chains, ADueThatIsNotTheClocksIsSeen) {
  expect_broken("UPDATE cases SET due_at = 5 WHERE id = '" + to_hex(id(2).bytes) + "'", "cases", "not the replay");
}
TEST_P(Chains, AReporterThatIsNotTheEventsIsSeen) {
  expect_broken("UPDATE cases SET reporter = 'm9' WHERE id = '" + to_hex(id(2).bytes) + "'", "cases", "not the replay");
}
TEST_P(Chains, ACaseWithoutItsRowIsSeen) {
  expect_broken("DELETE FROM cases WHERE id = '" + to_hex(id(2).bytes) + "'", "cases", "no row");
}
TEST_P(Chains, EveryCaseOfManyPagesIsLookedAt) {
  write([](app::Tx& tx) {
    for (std::uint32_t i = 10; i < 1200; ++i) store_case(tx, id(i), "n", {reported(at(1))});
  });
  EXPECT_EQ(store_->verify_case_chains(), 1193U);
  raw_sql(url_, "UPDATE case_events SET recorded = 1 WHERE case_id = '" + to_hex(id(1199).bytes) + "' RETURNING 1");
  const auto broken = store_->verify_case_chains();
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().detail.find(to_string(id(1199))), std::string::npos) << broken.error().detail;
}
TEST_P(Chains, AChangedPlaceIsSeen) {
  expect_broken("UPDATE case_events SET data = REPLACE(data, '391234567', '391234568')" + of_case_2() + " AND n = 1",
                "case_events", "event 1: its hash");
}
TEST_P(Chains, AMissingSaltIsSeen) {
  expect_broken("UPDATE case_events SET data = REPLACE(data, '\"salts\":', '\"gone\":')" + of_case_2() + " AND n = 2",
                "case_events", "event 2: the salt of \"actor\" is missing");
}
// Erased behind our back: without its commitment it is a change like any other.
TEST_P(Chains, AValueThatWasTakenAwayIsSeen) {
  expect_broken(
      "UPDATE case_events SET data = REPLACE(data, '\"note\":\"', '\"nothing\":\"')" + of_case_2() + " AND n = 2",
      "case_events", "event 2: its hash");
}
TEST_P(Chains, AnErasedValueThatIsThereAgainIsSeen) {
  write([](app::Tx& tx) { ASSERT_TRUE(tx.erase_event(id(2), 2)); });
  ASSERT_EQ(store_->verify_case_chains(), 3U);
  expect_broken("UPDATE case_events SET data = REPLACE(data, '\"erased\":', '\"note\":\"nothing\",\"erased\":')" +
                    of_case_2() + " AND n = 2",
                "case_events", "event 2: \"note\" was erased and is there");
}
TEST_P(Chains, AChangedCommitmentIsSeen) {
  write([](app::Tx& tx) { ASSERT_TRUE(tx.erase_event(id(2), 2)); });
  expect_broken(
      "UPDATE case_events SET data = REPLACE(data, '\"erased\":{\"actor\":\"', '\"erased\":{\"actor\":\"00')" +
          of_case_2() + " AND n = 2",
      "case_events", "event 2");
}

TEST_P(Chains, AnUnreadableEventIsSeen) {
  expect_broken("UPDATE case_events SET data = '{'" + of_case_2() + " AND n = 2", "case_events", "unreadable");
}

}  // namespace
}  // namespace gridward::storage
