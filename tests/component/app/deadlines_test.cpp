// The sweep of the clocks: warned and overdue become events in their order, also of a time when nobody swept.
#include <gtest/gtest.h>

#include <gridward/shared/down_items.hpp>
#include <gridward/test/server_world.hpp>

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;
using app::ActRequest;
using domain::Action;
using domain::Field;

struct Sweep {
  ServerWorld world;
  Handheld hh{world, "hh-1", "m1"};
  app::DeadlineJobs jobs{world.services()};

  Uuid transferred() {
    const auto record = hh.report("路面有坑");
    if (hh.receipt({record}).ok.size() != 1) throw std::runtime_error("report was refused");
    act("op", record.id, Action::accept);
    ActRequest to_unit;
    to_unit.fields[Field::unit] = "U1";
    act("op", record.id, Action::transfer, to_unit);
    world.devices.take();
    world.live.take();
    return record.id;
  }
  app::CaseView act(const std::string& login, const Uuid& id, Action action, ActRequest request = {}) {
    request.action = action;
    request.version = row(id).version;
    return must(world.cases->act(world.actor(login), id, request));
  }
  domain::CaseRecord row(const Uuid& id) {
    return world.read([&](app::Tx& tx) { return tx.find_case(id); }).value();
  }
  // What the clocks said, in order: "warn return".
  std::vector<std::string> said(const Uuid& id) {
    std::vector<std::string> out;
    for (const auto& stored : world.read([&](app::Tx& tx) { return tx.case_events(id); })) {
      if (stored.event.type != Action::warn && stored.event.type != Action::overdue) continue;
      out.push_back(std::string(to_string(stored.event.type)) + " " +
                    std::string(domain::text_of(stored.event.fields, Field::clock)));
    }
    return out;
  }
  void all() {
    while (jobs.run_once()) {
    }
  }
};

using Said = std::vector<std::string>;

TEST(Deadlines, AreToldWhenTheyComeAndOnce) {
  Sweep s;
  const auto id = s.transferred();
  s.all();
  EXPECT_TRUE(s.said(id).empty());
  const auto due = s.row(id).clock("return")->due.value();
  s.world.clock.set(due);
  s.all();
  EXPECT_EQ(s.said(id), Said{"warn return"}) << "the very instant of the due is in time";
  s.world.clock.advance(1ms);
  s.all();
  s.all();
  EXPECT_EQ(s.said(id), (Said{"warn return", "overdue return"}));
  EXPECT_TRUE(s.row(id).overdue());
  const auto live = s.world.live.take();
  ASSERT_EQ(live.size(), 4u) << "each time the pages of the place and of the unit";
  EXPECT_EQ(live[3].version, s.row(id).version);
  const auto sent = s.world.devices.take();
  ASSERT_FALSE(sent.empty());
  const auto progress = must(decode_progress_item(std::get<DownItem>(sent.back().message).body));
  EXPECT_EQ(progress.text, "已超期：退单");
  app::CaseFilter filter;
  filter.overdue = true;
  EXPECT_EQ(must(s.world.cases->list(s.world.actor("op"), filter)).total, 1u);
  EXPECT_EQ(must(s.world.store->verify_case_chains()), 1u);
}

TEST(Deadlines, OfATimeWithoutAServerComeInTheirOrder) {
  Sweep s;
  const auto id = s.transferred();
  s.world.clock.advance(30 * 24h);
  s.all();
  EXPECT_EQ(s.said(id), (Said{"warn return", "overdue return", "warn handle", "overdue handle"}));
  const auto events = s.world.read([&](app::Tx& tx) { return tx.case_events(id); });
  const auto handle = s.row(id).clock("handle");
  ASSERT_NE(handle, nullptr);
  EXPECT_EQ(events.back().event.at, *handle->due + 1ms) << "when it was so";
  EXPECT_EQ(events.back().event.recorded, s.world.clock.now()) << "when it was told";
  EXPECT_EQ(events.back().event.actor.role, domain::Role::system);
  for (std::size_t i = 4; i < events.size(); ++i) EXPECT_GE(events[i].event.at, events[i - 1].event.at);
}

TEST(Deadlines, AClockThatStandsStillOrHasEndedIsNotTold) {
  Sweep s;
  const auto paused = s.transferred();
  ActRequest back;
  back.fields = {{Field::reason, "not_ours"}, {Field::legal_basis, "三定方案"}, {Field::suggested_unit, "U2"}};
  s.act("u1", paused, Action::request_return, back);
  const auto answered = s.transferred();
  s.act("u1", answered, Action::take);
  ActRequest note;
  note.note = "已修补";
  s.act("u1", answered, Action::handle, note);
  s.act("u1", answered, Action::feedback, note);
  s.world.clock.advance(30 * 24h);
  s.all();
  EXPECT_EQ(s.said(paused), (Said{"warn return", "overdue return"})) << "of 办结 nothing: it stands still";
  EXPECT_TRUE(s.said(answered).empty());
}

TEST(Deadlines, APassIsBoundedAndTheNextGoesOn) {
  Sweep s;
  const auto id = s.transferred();
  const auto events = s.world.read([&](app::Tx& tx) { return tx.case_events(id); });
  std::vector<domain::CaseEvent> plain;
  for (const auto& stored : events) plain.push_back(stored.event);
  must(s.world.store->write([&](app::Tx& tx) -> Result<void> {
    for (int i = 0; i < 600; ++i) {
      const auto other = s.hh.fresh_id();
      const auto state = domain::replay(other, "n" + std::to_string(i), plain);
      tx.insert_case(state, "120116/" + kTown, domain::next_alarm(state, s.world.policy));
      tx.append_events(other, 1, plain, std::nullopt);
    }
    return {};
  }));
  s.world.clock.advance(30 * 24h);
  int passes = 1;
  while (s.jobs.run_once()) ++passes;
  EXPECT_EQ(passes, 2);
  EXPECT_TRUE(s.world.read([&](app::Tx& tx) { return tx.alarmed_cases(s.world.clock.now(), 9); }).empty());
  EXPECT_EQ(must(s.world.store->verify_case_chains()), 601u);
}

// A profile that lost a process: its cases wait, the others are told.
TEST(Deadlines, OneThatCannotBeToldHoldsUpNobody) {
  Sweep s;
  const auto lost = s.transferred();
  const auto other = s.transferred();
  must(s.world.store->write([&](app::Tx& tx) -> Result<void> {
    auto events = tx.case_events(lost);
    std::vector<domain::CaseEvent> plain;
    for (auto& stored : events) plain.push_back(std::move(stored.event));
    plain[0].process = "gone";
    const auto before = tx.find_case(lost).value();
    tx.update_case(domain::replay(lost, before.number, plain), before.version, s.world.clock.now());
    return {};
  }));
  s.world.clock.advance(30 * 24h);
  s.all();
  EXPECT_TRUE(s.said(lost).empty());
  EXPECT_EQ(s.said(other).size(), 4u);
}

}  // namespace
}  // namespace gridward
