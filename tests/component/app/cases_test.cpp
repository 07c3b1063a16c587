#include <gtest/gtest.h>

#include <gridward/shared/down_items.hpp>
#include <gridward/test/server_world.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "sql.hpp"

namespace gridward {
namespace {

using namespace std::chrono_literals;
using namespace test;
using app::ActRequest;
using domain::Action;
using domain::Field;

struct Story {
  ServerWorld world;
  Handheld hh{world, "hh-1", "m1"};
  Handheld checker{world, "hh-2", "m2"};

  Record report(std::optional<GeoPoint> at = geo_point(39.205, 117.805)) {
    auto record = hh.report("路面有坑", at);
    const auto sha = platform::sha256(as_bytes("photo"));
    record.media.push_back({sha, 100, "image/jpeg", MediaRole::scene});
    if (hh.receipt({record}).ok.size() != 1) throw std::runtime_error("report was refused");
    return record;
  }
  Result<app::CaseView> act(const std::string& login, const Uuid& id, Action action, ActRequest request = {}) {
    request.action = action;
    if (request.version == 0) {
      request.version = world.read([&](app::Tx& tx) { return tx.find_case(id); }).value().version;
    }
    return world.cases->act(world.actor(login), id, request);
  }
  ActRequest note(std::string text) {
    ActRequest request;
    request.note = std::move(text);
    return request;
  }
  ActRequest to_unit(std::string unit) {
    ActRequest request;
    if (!unit.empty()) request.fields[Field::unit] = std::move(unit);
    return request;
  }
  // Up to the step where the town asks for the check.
  Uuid handled() {
    const auto id = report().id;
    must(act("op", id, Action::accept));
    must(act("op", id, Action::transfer, to_unit("U1")));
    must(act("u1", id, Action::take));
    must(act("u1", id, Action::handle, note("已修补")));
    must(act("u1", id, Action::feedback, note("已修补，现场已清理")));
    world.devices.take();
    return id;
  }
};

// What may be done now.
std::vector<Action> actions(const app::CaseView& view) {
  std::vector<Action> out;
  for (const auto& offer : view.offers) {
    if (offer.blocked.empty()) out.push_back(offer.action);
  }
  return out;
}

template <class T>
T item(const std::vector<RecordingDevices::Sent>& sent, std::size_t i, const std::string& device,
       Result<T> (*decode)(std::string_view)) {
  if (sent.size() <= i) throw std::runtime_error("only " + std::to_string(sent.size()) + " were sent");
  EXPECT_EQ(sent[i].device, device);
  EXPECT_EQ(sent[i].town, kTown);
  return must(decode(std::get<DownItem>(sent[i].message).body));
}

TEST(CasesStory, FromAReportToAnAssessment) {
  Story s;
  auto& world = s.world;
  const auto record = s.report();
  const auto id = record.id;
  world.devices.take();
  world.live.take();

  auto view = must(s.act("op", id, Action::accept));
  EXPECT_EQ(view.record.step, "awaiting_transfer");
  EXPECT_EQ(actions(view), (std::vector{Action::transfer, Action::escalate, Action::assign_down}));
  auto sent = world.devices.take();
  auto progress = item(sent, 0, "hh-1", decode_progress_item);
  EXPECT_EQ(progress.case_id, record.id) << "the device knows its own report";
  EXPECT_EQ(progress.stage, "accepted");
  EXPECT_EQ(progress.number, "120116115-20260312-0001");
  auto live = world.live.take();
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].version, 2u);

  view = must(s.act("op", id, Action::transfer, s.to_unit("U2")));
  EXPECT_EQ(view.unit_name, "区城管委");
  ASSERT_NE(view.record.clock("handle"), nullptr);
  EXPECT_EQ(view.record.clock("handle")->started, world.clock.now());
  EXPECT_EQ(view.record.clock("handle")->unit, "U2");
  // Thursday + 7: Fri 13 | Mon 16 .. Fri 20 | Mon 23, 17:30 (the demo policy knows no holidays).
  EXPECT_EQ(view.record.clock("handle")->due, from_unix_ms(1773277200000) + 11 * 24h + 8h + 30min);
  live = world.live.take();
  ASSERT_EQ(live.size(), 2u) << "the town and, elsewhere in the tree, the unit";
  EXPECT_EQ(live[1].org_path, "120116/U2");
  // The reporter did not acknowledge the first item: both are sent, in order.
  sent = world.devices.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(item(sent, 1, "hh-1", decode_progress_item).text, "已转办：区城管委");

  world.clock.advance(1h);
  view = must(s.act("u2", id, Action::take));
  EXPECT_EQ(actions(view), (std::vector{Action::arrive, Action::handle, Action::request_return}));
  must(s.act("u2", id, Action::arrive));
  must(s.act("u2", id, Action::handle, s.note("已修补")));
  view = must(s.act("u2", id, Action::feedback, s.note("已修补，现场已清理")));
  EXPECT_EQ(view.record.feedback, "已修补，现场已清理");
  EXPECT_TRUE(actions(view).empty());
  world.devices.take();

  ActRequest to_m2;
  to_m2.fields[Field::assignee] = "m2";
  view = must(s.act("op", id, Action::request_verify, to_m2));
  EXPECT_EQ(view.record.step, "verifying");
  EXPECT_EQ(view.record.verifier, "m2");
  sent = world.devices.take();
  const auto task = item(sent, 0, "hh-2", decode_task_item);
  EXPECT_EQ(task.task, view.record.verify_task);
  EXPECT_EQ(task.task_kind, "verify");
  EXPECT_EQ(task.case_id, id);
  EXPECT_EQ(task.category, "路面破损");
  EXPECT_EQ(task.text, "路面有坑");
  EXPECT_EQ(task.point, record.fix->point);
  EXPECT_EQ(task.before, std::vector{record.media[0].sha256});
  EXPECT_EQ(task.due, view.record.due_at());

  world.clock.advance(1h);
  auto result = s.checker.record(TaskResultBody{task.task, TaskOutcome::confirmed, "已修好"});
  result.fix = s.checker.fix(geo_point(39.205, 117.805));
  result.media.push_back({platform::sha256(as_bytes("after")), 50, "image/jpeg", MediaRole::after});
  EXPECT_EQ(s.checker.receipt({result}).ok.size(), 1u);
  view = must(world.cases->get(world.actor("op"), id));
  EXPECT_EQ(view.record.step, "verify_passed");
  EXPECT_EQ(view.events.back().event.place, result.fix);
  EXPECT_EQ(view.media.size(), 2u);
  EXPECT_EQ(std::count_if(view.media.begin(), view.media.end(),
                          [](const app::MediaView& m) { return m.role == MediaRole::after; }),
            1);

  view = must(s.act("op", id, Action::close, s.note("核查属实")));
  EXPECT_EQ(view.record.stage, "assessed") << "the assessment follows by itself";
  EXPECT_EQ(view.record.step, "done");
  EXPECT_EQ(domain::flag_of(view.record.values, Field::on_time), true);
  EXPECT_EQ(actions(view), std::vector{Action::archive});
  const auto& assess = view.events.back().event;
  EXPECT_EQ(assess.actor.role, domain::Role::system);
  EXPECT_NE(assess.rule.find("第二十五条"), std::string::npos);
  const std::vector<Action> expected{Action::report, Action::accept, Action::transfer, Action::take,
                                     Action::arrive, Action::handle, Action::feedback, Action::request_verify,
                                     Action::verify, Action::close,  Action::assess};
  ASSERT_EQ(view.events.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(view.events[i].event.type, expected[i]);
    EXPECT_EQ(view.events[i].n, i + 1);
  }
  EXPECT_EQ(must(world.store->verify_case_chains()), 1u);
  // The same result again (a lost receipt) is known, a second one is not taken.
  EXPECT_EQ(s.checker.receipt({result}).ok.size(), 1u);
  const auto second = s.checker.record(TaskResultBody{task.task, TaskOutcome::not_rectified, "其实没有"});
  EXPECT_EQ(s.checker.receipt({second}).bad.at(0).code, ErrorCode::illegal_transition);
}

TEST(CasesStory, NotRectifiedGoesBackAndRoundTwoIsVerifiedAgain) {
  Story s;
  const auto id = s.handled();
  auto view = must(s.act("op", id, Action::request_verify));
  EXPECT_EQ(view.record.verifier, "m1") << "the member of the case's grid";
  const auto first_task = view.record.verify_task;
  EXPECT_EQ(s.hh.receipt({s.hh.record(TaskResultBody{first_task, TaskOutcome::not_rectified, "没有修"})}).ok.size(),
            1u);
  ActRequest why;
  why.fields[Field::reason] = "not_rectified";
  view = must(s.act("op", id, Action::rework, why));
  EXPECT_EQ(view.record.round, 2u);
  EXPECT_EQ(view.record.step, "awaiting_transfer");
  must(s.act("op", id, Action::transfer, s.to_unit("U1")));
  must(s.act("u1", id, Action::take));
  must(s.act("u1", id, Action::handle, s.note("重做")));
  must(s.act("u1", id, Action::feedback, s.note("重做完成")));
  view = must(s.act("op", id, Action::request_verify));
  EXPECT_NE(view.record.verify_task, first_task);
  // The old task's answer does not decide the new one.
  EXPECT_EQ(s.hh.receipt({s.hh.record(TaskResultBody{first_task, TaskOutcome::confirmed, ""})}).bad.at(0).code,
            ErrorCode::illegal_transition);
  EXPECT_EQ(s.hh.receipt({s.hh.record(TaskResultBody{view.record.verify_task, TaskOutcome::cannot_check, "大门锁着"})})
                .ok.size(),
            1u);
  view = must(s.act("op", id, Action::request_verify));
  EXPECT_EQ(s.hh.receipt({s.hh.record(TaskResultBody{view.record.verify_task, TaskOutcome::confirmed, ""})}).ok.size(),
            1u);
  must(s.act("op", id, Action::close));
  EXPECT_EQ(must(s.world.store->verify_case_chains()), 1u);
}

TEST(CasesStory, RejectedWithItsReason) {
  Story s;
  const auto id = s.report().id;
  s.world.devices.take();
  ActRequest request;
  request.fields[Field::reason] = "emergency_number";
  request.note = "请先拨打119";
  const auto view = must(s.act("op", id, Action::reject, request));
  EXPECT_EQ(view.record.step, "rejected");
  const auto sent = s.world.devices.take();
  const auto progress = item(sent, 0, "hh-1", decode_progress_item);
  EXPECT_EQ(progress.step, "rejected");
  EXPECT_EQ(progress.text, "不予受理：人身财产安全，请拨打110、119、120。请先拨打119");
  EXPECT_EQ(s.act("op", id, Action::accept).error().code, ErrorCode::illegal_transition);
}

TEST(CasesVerify, WhoMayBeAsked) {
  Story s;
  const auto id = s.handled();
  const auto ask = [&](std::string who) {
    ActRequest request;
    request.fields[Field::assignee] = std::move(who);
    return s.act("op", id, Action::request_verify, request);
  };
  for (const auto* who : {"nobody", "u1", "op", "m3"}) {
    const auto answer = ask(who);
    ASSERT_FALSE(answer.has_value()) << who;
    EXPECT_EQ(answer.error().code, ErrorCode::out_of_range) << who;
    EXPECT_EQ(answer.error().field, "fields.assignee");
  }
  // A member without a handheld would never hear of it.
  must(s.world.store->write([](app::Tx& tx) -> Result<void> {
    auto user = tx.find_user("m2").value();
    user.login = "m4";
    tx.upsert_user(user);
    return {};
  }));
  EXPECT_EQ(ask("m4").error().code, ErrorCode::out_of_range);
  EXPECT_TRUE(ask("m2").has_value());
  const auto task = s.world.read([&](app::Tx& tx) { return tx.find_case(id); })->verify_task;
  // Somebody else's answer is as good as none.
  EXPECT_EQ(s.hh.receipt({s.hh.record(TaskResultBody{task, TaskOutcome::confirmed, ""})}).bad.at(0).code,
            ErrorCode::unknown_task);
}

TEST(CasesVerify, InNoGridTheReporterIsAsked) {
  Story s;
  const auto id = s.report(std::nullopt).id;
  must(s.act("op", id, Action::accept));
  must(s.act("op", id, Action::transfer, s.to_unit("U1")));
  must(s.act("u1", id, Action::take));
  must(s.act("u1", id, Action::handle, s.note("x")));
  must(s.act("u1", id, Action::feedback, s.note("x")));
  EXPECT_EQ(must(s.act("op", id, Action::request_verify)).record.verifier, "m1");
}

TEST(CasesAct, RefusalsChangeNothing) {
  Story s;
  const auto id = s.report().id;
  const auto code = [](const Result<app::CaseView>& r) { return r ? ErrorCode::internal : r.error().code; };
  EXPECT_EQ(code(s.act("op2", id, Action::accept)), ErrorCode::forbidden) << "another town";
  EXPECT_EQ(code(s.act("boss", id, Action::accept)), ErrorCode::forbidden) << "a leader reads";
  EXPECT_EQ(code(s.act("u1", id, Action::take)), ErrorCode::forbidden) << "not this unit's";
  EXPECT_EQ(code(s.act("m1", id, Action::accept)), ErrorCode::forbidden);
  EXPECT_EQ(code(s.act("m2", id, Action::verify)), ErrorCode::forbidden);
  ActRequest stale;
  stale.version = 7;
  EXPECT_EQ(code(s.act("op", id, Action::accept, stale)), ErrorCode::version_conflict);
  EXPECT_EQ(code(s.act("op", id, Action::transfer, s.to_unit("U1"))), ErrorCode::illegal_transition);
  EXPECT_EQ(code(s.world.cases->act(s.world.actor("op"), Uuid{}, {})), ErrorCode::not_found);
  must(s.act("op", id, Action::accept));
  for (const auto* unit : {"", "G1", "120116115", "nowhere"}) {
    const auto answer = s.act("op", id, Action::transfer, s.to_unit(unit));
    ASSERT_FALSE(answer.has_value()) << unit;
    EXPECT_EQ(answer.error().field, "fields.unit");
  }
  auto long_note = s.to_unit("U1");
  long_note.note = std::string(2001, 'x');
  EXPECT_EQ(code(s.act("op", id, Action::transfer, long_note)), ErrorCode::out_of_range);
  EXPECT_EQ(s.world.read([&](app::Tx& tx) { return tx.find_case(id); })->version, 2u);
  EXPECT_EQ(s.world.read([&](app::Tx& tx) { return tx.case_events(id); }).size(), 2u);
}

TEST(CasesAct, OfManyAtOnceOneWins) {
  Story s;
  const auto id = s.report().id;
  std::atomic<int> won{0}, conflicts{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      ActRequest request;
      request.action = Action::accept;
      request.version = 1;
      const auto answer = s.world.cases->act(s.world.actor("op"), id, request);
      if (answer) ++won;
      if (!answer && answer.error().code == ErrorCode::version_conflict) ++conflicts;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won.load(), 1);
  EXPECT_EQ(conflicts.load(), 7);
  EXPECT_EQ(s.world.read([&](app::Tx& tx) { return tx.case_events(id); }).size(), 2u);
}

TEST(CasesAct, AssistingUnitsSeeItAndAreTold) {
  Story s;
  const auto id = s.report().id;
  must(s.act("op", id, Action::accept));
  s.world.live.take();
  auto request = s.to_unit("U1");
  request.fields[Field::assisting_units] = std::vector<std::string>{"U2"};
  must(s.act("op", id, Action::transfer, request));
  const auto live = s.world.live.take();
  ASSERT_EQ(live.size(), 3u) << "the place, the lead unit, the assisting one";
  EXPECT_EQ(live[2].org_path, "120116/U2");
  EXPECT_EQ(must(s.world.cases->list(s.world.actor("u2"), {})).total, 1u);
  EXPECT_EQ(must(s.world.cases->counts(s.world.actor("u2")))["case"]["transferred"], 1u);
  EXPECT_EQ(must(s.world.cases->get(s.world.actor("u2"), id)).offers.at(0).action, Action::assist);
  EXPECT_EQ(s.act("u2", id, Action::take).error().code, ErrorCode::forbidden);
  must(s.act("u2", id, Action::assist, s.note("已配合")));
  request.fields[Field::assisting_units] = std::vector<std::string>{"G1"};
  const auto other = s.report().id;
  must(s.act("op", other, Action::accept));
  EXPECT_EQ(s.act("op", other, Action::transfer, request).error().field, "fields.assisting_units");
}

TEST(CasesAct, GoesUpToTheDeskAboveAndDownAgain) {
  Story s;
  const auto id = s.report().id;
  auto view = must(s.act("op", id, Action::escalate));
  EXPECT_EQ(view.record.holder, "120116");
  EXPECT_EQ(s.act("op", id, Action::accept).error().code, ErrorCode::forbidden) << "the district has it now";
  EXPECT_EQ(s.act("district", id, Action::escalate).error().field, "fields.holder") << "nobody above";
  ActRequest to_unit;
  to_unit.fields[Field::holder] = "U1";
  EXPECT_EQ(s.act("district", id, Action::assign_down, to_unit).error().field, "fields.holder");
  view = must(s.act("district", id, Action::assign_down));
  EXPECT_EQ(view.record.holder, "120116/" + kTown) << "the case's own town";
  must(s.act("op", id, Action::accept));
  EXPECT_EQ(must(s.world.store->verify_case_chains()), 1u);
}

TEST(CasesAct, WhatADistrictGivesToATownIsTheTowns) {
  Story s;
  auto& world = s.world;
  app::CaseRequest request;
  request.text = "不知道在哪";
  request.fields = {{Field::channel, "visit"}, {Field::category, "0101"}};
  const auto id = must(world.cases->register_request(world.actor("intake"), request)).record.id;
  EXPECT_EQ(world.cases->get(world.actor("op"), id).error().code, ErrorCode::forbidden);
  EXPECT_EQ(must(world.cases->counts(world.actor("op")))["work_order"]["reported"], 0u);
  ActRequest down;
  EXPECT_EQ(s.act("district", id, Action::assign_down, down).error().code, ErrorCode::missing_field);
  down.fields[Field::holder] = kTown;
  const auto given = must(s.act("district", id, Action::assign_down, down));
  EXPECT_EQ(domain::number_of(given.record.values, Field::level), 3);
  EXPECT_EQ(must(world.cases->list(world.actor("op"), {})).total, 1u);
  EXPECT_EQ(must(world.cases->counts(world.actor("op")))["work_order"]["reported"], 1u);
  EXPECT_EQ(must(world.cases->counts(world.actor("boss")))["work_order"]["reported"], 1u);
  must(s.act("op", id, Action::accept));
}

TEST(CasesAct, ADoubleIsAnotherCaseThatOneSees) {
  Story s;
  const auto id = s.report().id;
  const auto first = s.report().id;
  Handheld far(s.world, "hh-3", "m3", kOtherTown);
  const auto record = far.report("二村", std::nullopt);
  ASSERT_EQ(far.receipt({record}).ok.size(), 1u);
  const auto merge = [&](const Uuid& target) {
    ActRequest request;
    request.fields[Field::target] = to_string(target);
    return s.act("op", id, Action::duplicate, request);
  };
  EXPECT_EQ(merge(record.id).error().field, "fields.target") << "of another town";
  EXPECT_EQ(merge(id).error().field, "fields.target");
  EXPECT_EQ(must(merge(first)).record.step, "rejected");
}

TEST(CasesRequest, TheSameOfAChannelIsOneCase) {
  Story s;
  auto& world = s.world;
  app::CaseRequest request;
  request.text = "楼道堆物";
  request.fields = {{Field::category, "0101"}, {Field::channel_reference, "12345-7"}, {Field::town, kTown}};
  const auto first = must(world.cases->register_request(world.actor("hotline"), request));
  EXPECT_EQ(first.record.channel, "hotline");
  EXPECT_EQ(first.record.process, "work_order");
  EXPECT_EQ(first.record.number, "120116115-20260312-0001");
  EXPECT_EQ(must(world.cases->register_request(world.actor("hotline"), request)).record.id, first.record.id);
  std::vector<std::thread> threads;
  request.fields[Field::channel_reference] = "12345-8";
  std::mutex mutex;
  std::set<Uuid> ids;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto made = must(world.cases->register_request(world.actor("hotline"), request));
      const std::scoped_lock lock(mutex);
      ids.insert(made.record.id);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(must(world.cases->list(world.actor("op"), {})).total, 2u);
  EXPECT_EQ(must(world.cases->list(world.actor("hotline"), {})).total, 2u) << "its own";
  EXPECT_EQ(world.cases->register_request(world.actor("u1"), request).error().code, ErrorCode::forbidden);
  request.fields[Field::town] = "G1";
  request.fields.erase(Field::channel_reference);
  EXPECT_EQ(world.cases->register_request(world.actor("hotline"), request).error().field, "fields.town");
  request.fields.erase(Field::town);
  request.fields[Field::grid] = "G3";
  EXPECT_EQ(must(world.cases->register_request(world.actor("hotline"), request)).record.town, kOtherTown);
  request.fields[Field::channel] = "visit";
  EXPECT_EQ(world.cases->register_request(world.actor("op"), request).error().field, "fields.grid") << "another town's";
  EXPECT_EQ(must(world.store->verify_case_chains()), 3u);
}

TEST(CasesSight, EachSeesTheirs) {
  Story s;
  auto& world = s.world;
  const auto ours = s.report().id;
  Handheld far(world, "hh-3", "m3", kOtherTown);
  const auto theirs_record = far.report("二村", std::nullopt);
  ASSERT_EQ(far.receipt({theirs_record}).ok.size(), 1u);
  const auto theirs = theirs_record.id;
  must(s.act("op", ours, Action::accept));
  must(s.act("op", ours, Action::transfer, s.to_unit("U1")));

  const auto seen = [&](const char* login, app::CaseFilter filter = {}) {
    std::vector<Uuid> ids;
    for (const auto& one : must(world.cases->list(world.actor(login), filter)).cases) ids.push_back(one.id);
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  auto both = std::vector{ours, theirs};
  std::sort(both.begin(), both.end());
  EXPECT_EQ(seen("boss"), both);
  EXPECT_EQ(seen("op"), std::vector{ours});
  EXPECT_EQ(seen("op2"), std::vector{theirs});
  EXPECT_EQ(seen("u1"), std::vector{ours});
  EXPECT_EQ(seen("u2"), std::vector<Uuid>{});
  EXPECT_EQ(seen("m1"), std::vector{ours});
  EXPECT_EQ(seen("m2"), std::vector<Uuid>{});

  // What a page asks for narrows, it never widens.
  app::CaseFilter wide;
  wide.subtree = "120116";
  EXPECT_EQ(seen("op2", wide), std::vector{theirs});
  wide.unit = "U1";
  EXPECT_EQ(seen("u2", wide), std::vector<Uuid>{});
  wide = {};
  wide.reporter = "m1";
  EXPECT_EQ(seen("m2", wide), std::vector<Uuid>{});
  app::CaseFilter narrow;
  narrow.subtree = "120116/120116116";
  EXPECT_EQ(seen("boss", narrow), std::vector{theirs});
  narrow = {};
  narrow.limit = 100'000;
  EXPECT_EQ(seen("boss", narrow), both);

  EXPECT_TRUE(world.cases->get(world.actor("boss"), theirs).has_value());
  EXPECT_EQ(world.cases->get(world.actor("op"), theirs).error().code, ErrorCode::forbidden);
  EXPECT_EQ(world.cases->get(world.actor("u2"), ours).error().code, ErrorCode::forbidden);
  EXPECT_EQ(world.cases->get(world.actor("op"), Uuid{}).error().code, ErrorCode::not_found);
  auto counts = must(world.cases->counts(world.actor("boss")));
  EXPECT_EQ(counts["case"]["reported"], 1u);
  EXPECT_EQ(counts["case"]["transferred"], 1u);
  counts = must(world.cases->counts(world.actor("op2")));
  EXPECT_EQ(counts["case"]["transferred"], 0u);
  // Somebody without a place in the tree sees nothing, not everything.
  EXPECT_EQ(world.cases->list({"x", "x", domain::Role::town_operator, "", ""}, {}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(world.cases->list({"x", "x", domain::Role::handling_unit, "", ""}, {}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(world.cases->list({"x", "x", domain::Role::system, "", ""}, {}).error().code, ErrorCode::forbidden);
}

TEST(CasesSight, TheViewHasNamesAndTheOutline) {
  Story s;
  const auto view = must(s.world.cases->get(s.world.actor("op"), s.report().id));
  EXPECT_EQ(view.category_name, "路面破损");
  EXPECT_EQ(view.grid_name, "一村第一网格");
  ASSERT_TRUE(view.grid && view.grid->outline);
  EXPECT_EQ(*view.grid->outline, s.world.west);
  EXPECT_EQ(actions(view),
            (std::vector{Action::accept, Action::reject, Action::escalate, Action::assign_down, Action::duplicate}));
  EXPECT_TRUE(must(s.world.cases->get(s.world.actor("boss"), view.record.id)).offers.empty());
}

TEST(Organisation, EachSeesTheirs) {
  ServerWorld world;
  auto& org = *world.organisation;
  EXPECT_EQ(must(org.tree(world.actor("boss"))).nodes.size(), 10u);
  EXPECT_EQ(must(org.tree(world.actor("op"))).nodes.size(), 5u);
  EXPECT_EQ(must(org.tree(world.actor("m1"))).nodes.size(), 1u);
  const auto units = must(org.units(world.actor("op2")));
  ASSERT_EQ(units.size(), 2u) << "orders go to units of the whole district";
  EXPECT_EQ(org.units(world.actor("m1")).error().code, ErrorCode::forbidden);
  EXPECT_EQ(org.units(world.actor("hotline")).error().code, ErrorCode::forbidden);
  const auto members = must(org.members(world.actor("op")));
  ASSERT_EQ(members.size(), 2u);
  for (const auto& member : members) EXPECT_TRUE(member.password_hash.empty());
  EXPECT_EQ(must(org.members(world.actor("u1"))).size(), 2u) << "its own people";
  EXPECT_EQ(org.members(world.actor("m1")).error().code, ErrorCode::forbidden);
  EXPECT_EQ(must(org.devices(world.actor("op2"))).size(), 1u);
  EXPECT_EQ(must(org.devices(world.actor("boss"))).size(), 3u);
  EXPECT_EQ(org.devices(world.actor("m1")).error().code, ErrorCode::forbidden);
}

TEST(Erasing, TheRecordGoesWithItsEventAndTheCaseGoesOn) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto record = hh.report("王阿姨家门口");
  ASSERT_EQ(hh.receipt({record}).ok.size(), 1u);
  app::Erasing erasing(world.services());
  EXPECT_EQ(erasing.event(record.id, 1, "root", "").error().code, ErrorCode::missing_field);
  EXPECT_EQ(erasing.event(record.id, 1, "", "x").error().code, ErrorCode::missing_field);
  EXPECT_EQ(erasing.event(record.id, 2, "root", "x").error().code, ErrorCode::not_found);
  must(erasing.event(record.id, 1, "root", "她的要求"));
  EXPECT_EQ(sql_text(world, "SELECT bytes FROM records"), "");
  const auto view = must(world.cases->get(world.actor("op"), record.id));
  EXPECT_EQ(view.record.text, "");
  EXPECT_TRUE(view.events.at(0).event.erased.any());
  EXPECT_EQ(hh.receipt({record}).ok.size(), 1u) << "the same again is known";
  app::ActRequest accept;
  accept.version = view.record.version;
  must(world.cases->act(world.actor("op"), record.id, accept));
  EXPECT_EQ(world.store->verify_case_chains(), 1u);
  const auto person = must(erasing.person("op", "root", "调离"));
  EXPECT_EQ(person.events, 1u);
  EXPECT_EQ(world.store->verify_case_chains(), 1u);
  EXPECT_EQ(erasing.person("op", "root", "调离").error().code, ErrorCode::not_found);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.erasures(); }).size(), 2u);
}

}  // namespace
}  // namespace gridward
