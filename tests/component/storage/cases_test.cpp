#include <gridward/platform/crypto.hpp>
#include <random>
#include <set>

#include "fixture.hpp"

namespace gridward::storage {
namespace {

using domain::Action;
using domain::CaseEvent;
using domain::CaseRecord;
using domain::Stage;

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
  event.category = "road-cover";
  event.grid = "120116115201001";
  event.town = "120116115";
  event.media = {{sha(1), MediaRole::scene}, {sha(2), MediaRole::before}};
  return event;
}

CaseEvent accepted(UnixMs when) {
  CaseEvent event;
  event.type = Action::accept;
  event.actor = operator_of_town();
  event.at = event.recorded = when;
  event.note = "控制字符\n\t\x01 与 \\ 引号 \"";
  return event;
}

// Every field in use, whatever a rule would say.
CaseEvent full_event() {
  auto event = reported(at(1));
  event.type = Action::verify;
  event.unit = "U-1";
  event.reason = "r";
  event.task = id(4);
  event.assignee = "m1";
  event.outcome = TaskOutcome::not_rectified;
  event.due_at = at(77);
  event.due_provisional = true;
  event.on_time = false;
  event.rule = "limits.general 第二十五条（二）";
  event.place->accuracy_cm = std::nullopt;
  event.place->mock = true;
  return event;
}

CaseRecord full_case(std::uint32_t number) {
  CaseRecord record;
  record.id = id(number);
  record.number = "120116115-20261122-0001";
  record.town = "120116115";
  record.grid = "120116115201001";
  record.category = "road-cover";
  record.text = "文字";
  record.reporter = member();
  record.place = reported(at(0)).place;
  record.stage = Stage::verified;
  record.step = domain::Step::verify_failed;
  record.unit = "U-1";
  record.handler = "u1";
  record.round = 3;
  record.version = 9;
  record.captured_at = at(-5);
  record.reported_at = at(1);
  record.updated_at = at(2);
  record.clock_started_at = at(3);
  record.due_at = at(4);
  record.handled_at = at(5);
  record.closed_at = at(6);
  record.on_time = true;
  record.verify_task = id(70);
  record.verifier = "m2";
  record.verify_outcome = TaskOutcome::cannot_check;
  record.feedback = "已处理";
  return record;
}

void store_case(app::Tx& tx, const Uuid& case_id, const std::string& number, const std::vector<CaseEvent>& events,
                const std::string& path = kGrid) {
  tx.insert_case(domain::replay(case_id, number, events), path);
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
    tx.insert_case(full_case(1), kGrid);
    tx.insert_case(empty, "");
    tx.insert_case(with_nul, kGrid);
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

TEST_P(CaseRows, AnIdThatIsTakenIsToldAndNothingChanges) {
  write([](app::Tx& tx) {
    EXPECT_TRUE(tx.insert_case(full_case(1), kGrid));
    auto other = full_case(1);
    other.text = "另一件";
    EXPECT_FALSE(tx.insert_case(other, "D/other"));
    EXPECT_EQ(tx.find_case(id(1)), full_case(1));
    EXPECT_EQ(tx.case_org_path(id(1)), kGrid);
  });
}

TEST_P(CaseRows, TheSecondToChangeACaseIsTold) {
  write([](app::Tx& tx) {
    auto record = full_case(1);
    tx.insert_case(record, kGrid);
    record.version = 10;
    record.step = domain::Step::awaiting_transfer;
    record.stage = Stage::accepted;
    record.unit = "";
    EXPECT_TRUE(tx.update_case(record, 9));
    EXPECT_EQ(tx.find_case(id(1)), record);
    auto late = record;
    late.feedback = "迟到";
    EXPECT_FALSE(tx.update_case(late, 9));
    EXPECT_EQ(tx.find_case(id(1)), record);
    EXPECT_FALSE(tx.update_case(full_case(2), 9));
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
        record.number = "120116115-20261122-" + std::to_string(1000 + i);
        record.reporter.login = random() % 3 == 0 ? "m1" : "m2";
        record.grid = random() % 2 == 0 ? "g1" : "g2";
        record.text = texts[random() % texts.size()];
        record.stage = static_cast<Stage>(random() % 6);
        record.unit = random() % 4 == 0 ? "U-1" : "";
        // Few different times, so that many cases share one.
        record.updated_at = at(static_cast<std::int64_t>(random() % 7));
        const auto& path = paths[random() % paths.size()];
        tx.insert_case(record, path);
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
      if (!filter.unit.empty() && record.unit != filter.unit) continue;
      if (!filter.reporter.empty() && record.reporter.login != filter.reporter) continue;
      if (!filter.grid.empty() && record.grid != filter.grid) continue;
      if (!filter.stages.empty() && std::ranges::find(filter.stages, record.stage) == filter.stages.end()) continue;
      if (!contains(record.text, filter.text) && !contains(record.number, filter.text)) continue;
      ids.push_back(record.id);
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
  const std::vector<std::string> texts{"", "", "井盖", "light", "0%", "_a", "!", "1014", "没有"};
  for (int round = 0; round < 60; ++round) {
    app::CaseFilter filter;
    filter.subtree = subtrees[random() % subtrees.size()];
    filter.text = texts[random() % texts.size()];
    if (random() % 4 == 0) filter.unit = "U-1";
    if (random() % 4 == 0) filter.reporter = "m1";
    if (random() % 4 == 0) filter.grid = "g2";
    for (std::uint32_t i = random() % 4; i > 0; --i) filter.stages.push_back(static_cast<Stage>(random() % 6));
    filter.limit = 1 + random() % 40;
    const auto expected = oracle(filter);
    ASSERT_EQ(paged(filter, expected.size()), expected)
        << "subtree " << filter.subtree << " text " << filter.text << " unit " << filter.unit << " reporter "
        << filter.reporter << " grid " << filter.grid << " stages " << filter.stages.size();
  }
}

TEST_P(CaseLists, CountsByStage) {
  fill(120, 3);
  for (const auto& subtree : {std::string(), kTown, kGrid}) {
    for (const auto& unit : {std::string(), std::string("U-1")}) {
      app::CaseFilter filter;
      filter.subtree = subtree;
      filter.unit = unit;
      std::map<Stage, std::size_t> expected;
      for (const auto& one : oracle(filter)) {
        const auto found = std::ranges::find(all_, one, [](const Listed& listed) { return listed.record.id; });
        ++expected[found->record.stage];
      }
      // Only subtree, unit and reporter count.
      filter.text = "no such text";
      filter.stages = {Stage::closed};
      read([&](app::Tx& tx) { EXPECT_EQ(tx.count_cases(filter), expected); });
    }
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
      tx.insert_case(record, kTown);
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
          "INSERT INTO cases SELECT '02000000' || SUBSTR(a.id, 25, 8) || '00000000' || SUBSTR(b.id, 25, 8), a.number, "
          "a.town, a.grid, a.category, a.stage, a.step, a.unit, "
          "a.reporter, a.org_path, a.area, a.version, a.updated_at, a.text, a.data FROM cases a CROSS JOIN "
          "(SELECT id FROM cases ORDER BY id LIMIT 50) b RETURNING 1");
  read([&](app::Tx& tx) { EXPECT_EQ(tx.list_cases({}).total, 10'001U); });
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
