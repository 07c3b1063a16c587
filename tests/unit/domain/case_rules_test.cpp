// What the engine makes of a rule, each by its number in docs/rules.md.
#include "case_story.hpp"

namespace gridward::domain {
namespace {

using namespace test;
using enum Action;

Spoil without(Field field) {
  return [field](Command& c) { c.fields.erase(field); };
}
const Spoil kNoNote = [](Command& c) { c.note = " \n"; };
const Spoil kNoMedia = [](Command& c) { c.media.clear(); };

TEST(CaseReport, A44_TownAndCategoryOfTheMatterList) {
  const Story story;
  expect_refused(story.refuses(report, member(), {}, without(Field::town)), ErrorCode::missing_field, "fields.town");
  expect_refused(story.refuses(report, member(), {}, without(Field::category)), ErrorCode::missing_field,
                 "fields.category");
  expect_refused(story.refuses(report, member(), one(Field::category, text("9999"))), ErrorCode::unknown_category,
                 "fields.category", "9999");
  EXPECT_FALSE(story.refuses(report, member(), {}, [](Command& c) { c.note.clear(); }))
      << "a photo may speak for itself";
  const auto photo = one(Field::category, text("0301"));
  expect_refused(story.refuses(report, member(), photo, kNoMedia), ErrorCode::missing_field, "media", "needs a photo");
  EXPECT_FALSE(story.refuses(report, member(), photo));
}

TEST(CaseReport, A45_TheReporterIsWhoTheAccountSays) {
  const Story story = Story().at(day(1)).does(report, member(), {}, [](Command& c) { c.at = day(-5); });
  EXPECT_EQ(story.state().reporter, member());
  EXPECT_EQ(story.state().captured_at, day(-5));
  EXPECT_EQ(story.state().reported_at, day(1));
  EXPECT_FALSE(story.state().due_at());
}

TEST(CaseFields, A33_OnlyWhatIsAskedForAndOfItsKind) {
  const Story review = Story().to("awaiting_review");
  const auto rejects = [&](Field field, FieldValue value) {
    return review.refuses(reject, town_desk(), one(field, value));
  };
  expect_refused(rejects(Field::unit, text("U1")), ErrorCode::out_of_range, "fields.unit", "not asked for here");
  expect_refused(rejects(Field::reason, text("tired")), ErrorCode::out_of_range, "fields.reason", "reject_reasons");
  expect_refused(rejects(Field::reason, text(" ")), ErrorCode::missing_field, "fields.reason");
  expect_refused(rejects(Field::reason, std::int64_t{1}), ErrorCode::bad_type, "fields.reason",
                 "is a number, must be text");
  expect_refused(review.refuses(reject, town_desk(), {}, without(Field::reason)), ErrorCode::missing_field,
                 "fields.reason");
  expect_refused(review.refuses(reject, town_desk(), {}, kNoNote), ErrorCode::missing_field, "note");
  const auto verifying = Story().to("awaiting_verify");
  const auto asks = [&](Field field, const char* value) {
    return verifying.refuses(request_verify, town_desk(), one(field, text(value)));
  };
  expect_refused(asks(Field::task, "7"), ErrorCode::bad_type, "fields.task", "is not an id");
  expect_refused(asks(Field::task, "00000000-0000-0000-0000-000000000000"), ErrorCode::missing_field, "fields.task");
  expect_refused(asks(Field::assignee, ""), ErrorCode::missing_field, "fields.assignee");
  const auto open = Story().to("awaiting_transfer");
  const auto helped_by = [&](std::vector<std::string> units) {
    return open.refuses(transfer, town_desk(), one(Field::assisting_units, std::move(units)));
  };
  expect_refused(helped_by({}), ErrorCode::missing_field, "fields.assisting_units");
  expect_refused(helped_by({"U2", ""}), ErrorCode::missing_field, "fields.assisting_units[1]");
  expect_refused(helped_by({"U2", "U2"}), ErrorCode::out_of_range, "fields.assisting_units[1]", "twice");
  expect_refused(helped_by({"U1"}), ErrorCode::out_of_range, "fields.assisting_units", "does not assist itself");
  expect_refused(helped_by(std::vector<std::string>(kNamesInAField + 1, "U2")), ErrorCode::out_of_range,
                 "fields.assisting_units", "33 names, at most 32");
  expect_refused(open.refuses(escalate, town_desk(), one(Field::level, std::int64_t{6})), ErrorCode::out_of_range,
                 "fields.level", "must be 1 to 5");
  const auto late = one(Field::citizen_informed_at, day(0) + 1ms);
  expect_refused(Story().to("taken").refuses(request_extension, unit_of("U1"), late), ErrorCode::out_of_range,
                 "fields.citizen_informed_at", "future");
}

TEST(CaseFields, A33_LimitsAreCharactersNotBytes) {
  std::string words;
  for (int i = 0; i < 2000; ++i) words += "坑";
  const Story story;
  EXPECT_FALSE(story.refuses(report, member(), {}, [&](Command& c) { c.note = words; }));
  expect_refused(story.refuses(report, member(), {}, [&](Command& c) { c.note = words + "坑"; }),
                 ErrorCode::out_of_range, "note", "2001 characters, at most 2000");
  expect_refused(story.refuses(report, member(), one(Field::grid, std::string(65, 'g'))), ErrorCode::out_of_range,
                 "fields.grid", "65 characters, at most 64");
  expect_refused(story.refuses(report, member(), {}, [](Command& c) { c.media.resize(17); }), ErrorCode::out_of_range,
                 "media", "17 files, at most 16");
}

TEST(CaseSelfHandle, A11_WithAPhotoBeforeAndAfter) {
  const auto leave = [](MediaRole role) -> Spoil {
    return [role](Command& c) { std::erase_if(c.media, [&](const EvidenceRef& file) { return file.role == role; }); };
  };
  for (Story story : {Story(), Story().to("awaiting_review")}) {
    expect_refused(story.refuses(self_handle, member(), {}, leave(MediaRole::before)), ErrorCode::missing_field,
                   "media", "of role before");
    expect_refused(story.refuses(self_handle, member(), {}, leave(MediaRole::after)), ErrorCode::missing_field, "media",
                   "of role after");
    story.does(self_handle, member());
    EXPECT_EQ(story.state().step, "self_handled");
    EXPECT_EQ(story.state().handler, "m1");
    story.does(Action::close, town_desk());
    EXPECT_TRUE(story.state().past_units.empty());
  }
  expect_refused(Story().to("awaiting_review").refuses(self_handle, checker()), ErrorCode::forbidden, "action",
                 "who reported");
}

TEST(CaseWhistle, A20_TheMeetingNamesTheLead) {
  Story story;
  story.to("awaiting_transfer").does(whistle, town_desk());
  for (const auto field : {Field::unit, Field::minutes, Field::participants}) {
    expect_refused(story.refuses(decide_lead, town_desk(), {}, without(field)), ErrorCode::missing_field,
                   "fields." + std::string(to_string(field)));
  }
  story.does(decide_lead, town_desk(), one(Field::assisting_units, std::vector<std::string>{"U2"}));
  EXPECT_EQ(story.state().unit, "U1");
  EXPECT_EQ(story.state().assisting_open, std::vector<std::string>{"U2"});
  EXPECT_TRUE(story.clock("handle").running());
}

TEST(CaseWhistle, A21_NoReturnAfterTheMeeting) {
  Story story;
  story.to("awaiting_take").does(whistle, town_desk());
  EXPECT_FALSE(story.clock("handle").due) << "it stands still";
  story.does(decide_lead, town_desk());
  expect_refused(story.refuses(request_return, unit_of("U1")), ErrorCode::illegal_transition, "action",
                 "a joint meeting decided the lead");
}

TEST(CaseReply, A25_AnsweredDirectly) {
  Story story;
  story.to("awaiting_review");
  expect_refused(story.refuses(direct_reply, town_desk(), {}, without(Field::reply)), ErrorCode::missing_field,
                 "fields.reply");
  story.does(direct_reply, town_desk()).does(Action::close, town_desk());
  EXPECT_FALSE(story.state().feedback.empty());
  EXPECT_FALSE(story.state().due_at());
}

TEST(CaseUrge, A29_InAnyStateButAnEndAndCounted) {
  Story story;
  story.to("awaiting_review").does(urge, town_desk()).to("taken").does(urge, boss());
  EXPECT_EQ(story.state().step, "taken");
  EXPECT_EQ(story.state().counts.at(urge), 2u);
  expect_refused(Story().to("awaiting_review").does(reject, town_desk()).refuses(urge, town_desk()),
                 ErrorCode::illegal_transition, "action", "possible: nothing");
}

TEST(CaseClose, A31_NothingIsClosedWithoutFeedback) {
  auto rules = policy();
  Move early =
      MoveOf(Action::close, {"awaiting_transfer", "awaiting_take", "handled"}, "awaiting_assess", {Role::town_operator})
          .needs({Field::closing_basis});
  rules.processes["case"].moves.push_back(early);
  for (const char* step : {"awaiting_transfer", "awaiting_take", "handled"}) {
    Story story("case", rules);
    expect_refused(story.to(step).refuses(Action::close, town_desk()), ErrorCode::illegal_transition, "action",
                   "nothing was fed back");
  }
}

TEST(CaseAssist, A39_EachAssistingUnitFeedsBack) {
  Story story;
  const std::vector<std::string> helpers{"U2", "U3"};
  story.to("awaiting_transfer").does(transfer, town_desk(), one(Field::assisting_units, helpers));
  story.does(take, unit_of("U1")).does(assist, unit_of("U3"));
  expect_refused(story.refuses(assist, unit_of("U1")), ErrorCode::forbidden, "action", "an assisting unit");
  story.does(handle, unit_of("U1")).does(feedback, unit_of("U1"));
  expect_refused(story.refuses(request_verify, town_desk()), ErrorCode::illegal_transition, "action",
                 "no feedback yet of U2");
}

TEST(CaseSupervise, A50_TheTwoOfficesSayWhy) {
  Story story;
  story.to("taken");
  const auto kind = one(Field::supervise_kind, text("two_offices"));
  expect_refused(story.refuses(supervise, supervisor(), kind), ErrorCode::missing_field, "fields.trigger");
  auto full = kind;
  full[Field::trigger] = text("overdue");
  story.does(supervise, supervisor(), full).does(supervise, town_desk(), one(Field::supervise_kind, text("yellow")));
  EXPECT_EQ(story.state().step, "taken");
}

TEST(CaseSign, A51_TheLeaderInChargeWithTheSealedScan) {
  Story story;
  story.to("handled");
  expect_refused(story.refuses(sign_result, leader_of("U1"), {}, kNoMedia), ErrorCode::missing_field, "media",
                 "of role scan");
  expect_refused(story.refuses(sign_result, unit_of("U1")), ErrorCode::forbidden, "action");
  story.does(sign_result, leader_of("U1"));
}

TEST(CaseVerify, A54_TheDeskHasAPictureOrSound) {
  Story story;
  story.to("awaiting_verify");
  const auto confirmed = one(Field::outcome, text("confirmed"));
  expect_refused(story.refuses(desk_verify, town_desk(), confirmed, kNoMedia), ErrorCode::missing_field, "media");
  expect_refused(story.refuses(desk_verify, town_desk(), confirmed, without(Field::verify_method)),
                 ErrorCode::missing_field, "fields.verify_method");
  expect_refused(story.refuses(desk_verify, town_desk(), one(Field::outcome, text("well"))), ErrorCode::out_of_range,
                 "fields.outcome");
  Story untrue = story;
  untrue.does(desk_verify, town_desk(), one(Field::outcome, text("untrue")));
  EXPECT_EQ(untrue.state().step, "verify_failed");
  EXPECT_EQ(untrue.state().verify_outcome, TaskOutcome::not_rectified);
  story.does(desk_verify, town_desk(), confirmed);
  EXPECT_EQ(story.state().step, "verify_passed");
}

TEST(CaseVerify, A14_OnlyTheMemberWithTheTask) {
  const Story story = Story().to("verifying");
  expect_refused(story.refuses(verify, member()), ErrorCode::forbidden, "action", "the member who has the task");
  expect_refused(story.refuses(verify, checker(), one(Field::task, to_string(uuid(8)))), ErrorCode::illegal_transition,
                 "task");
  expect_refused(story.refuses(verify, checker(), {}, without(Field::outcome)), ErrorCode::missing_field,
                 "fields.outcome");
  expect_refused(story.refuses(verify, checker(), one(Field::outcome, text("untrue"))), ErrorCode::out_of_range,
                 "fields.outcome");
}

TEST(CaseVerify, H8_WhoHandledNeverVerifies) {
  const auto waiting = Story().to("awaiting_verify");
  expect_refused(waiting.refuses(request_verify, town_desk(), one(Field::assignee, text("w-U1"))),
                 ErrorCode::out_of_range, "fields.assignee", "who handled");
  // Even when a task had got there (a login that is both): the verify itself is refused.
  Story story = Story().to("verifying");
  story.change().handler = "m2";
  expect_refused(story.refuses(verify, checker()), ErrorCode::forbidden, "action");
}

TEST(CaseRework, A55_ANewRoundWithNewClocks) {
  Story story;
  story.to("verifying").does(verify, checker(), one(Field::outcome, text("not_rectified")));
  ASSERT_FALSE(story.state().unit.empty());
  expect_refused(story.refuses(rework, town_desk(), {}, without(Field::reason)), ErrorCode::missing_field,
                 "fields.reason");
  story.at(day(3)).does(rework, town_desk());
  const auto& state = story.state();
  EXPECT_EQ(state.round, 2u);
  EXPECT_TRUE(state.unit.empty() && state.handler.empty() && state.feedback.empty() && state.verifier.empty());
  EXPECT_TRUE(state.verify_task.is_nil());
  EXPECT_FALSE(state.verify_outcome);
  EXPECT_FALSE(state.values.contains(Field::outcome));
  EXPECT_EQ(text_of(state.values, Field::reason), "unsatisfied");
  EXPECT_EQ(state.past_units, std::vector<std::string>{"U1"});
  EXPECT_EQ(story.clock("dispatch").round, 2u);
  story.at(day(4)).does(transfer, town_desk());
  EXPECT_EQ(story.clock("handle").round, 2u);
  EXPECT_EQ(story.clock("handle").started, day(4));
  EXPECT_EQ(
      std::count_if(state.clocks.begin(), state.clocks.end(), [](const auto& row) { return row.name == "handle"; }), 2)
      << "the old one is kept as that of round 1";
  story.to("done");
  EXPECT_EQ(story.state().round, 2u);
}

TEST(CaseRework, A55_WhatRanIsCancelledWithTheRound) {
  auto rules = policy();
  rules.processes["case"].moves.push_back(MoveOf(rework, {"taken"}, "awaiting_transfer", {Role::town_operator})
                                              .needs({Field::reason})
                                              .because("rework_reasons"));
  Story story("case", rules);
  story.to("taken").does(rework, town_desk());
  EXPECT_FALSE(story.clock("handle").running());
  EXPECT_FALSE(story.clock("handle").kept) << "neither met nor missed";
  EXPECT_FALSE(story.state().due_at());
}

TEST(CaseArchive, A57_EverythingThatIsMissingIsNamed) {
  Story story;
  story.to("done");
  EXPECT_FALSE(story.refuses(archive, town_desk()));
  story.change().feedback.clear();
  story.change().assisting_open = {"U2"};
  story.change().requests = {{"extension", "w-U1", "", {}}};
  expect_refused(
      story.refuses(archive, town_desk()), ErrorCode::illegal_transition, "action",
      "the file is not complete: the feedback of the unit, the feedback of U2, the answer to the request for "
      "extension");
}

TEST(CaseLevel, A59_OneLevelAtATime) {
  Story story;
  story.to("awaiting_review");
  const auto goes = [&](Action action, std::int64_t level, const char* holder) {
    return story.refuses(action, town_desk(), {{Field::level, level}, {Field::holder, text(holder)}});
  };
  expect_refused(goes(escalate, 5, "D1"), ErrorCode::out_of_range, "fields.level", "from level 3 to 5");
  expect_refused(goes(escalate, 2, "D1"), ErrorCode::out_of_range, "fields.level", "up");
  expect_refused(goes(escalate, 4, "D2"), ErrorCode::out_of_range, "fields.holder", "not above D1/T1");
  story.does(escalate, town_desk(), {{Field::level, std::int64_t{4}}, {Field::holder, text("D1")}});
  EXPECT_EQ(story.state().holder, "D1");
  expect_refused(story.refuses(accept, town_desk()), ErrorCode::forbidden, "action", "the desk that has the case");
  const auto county = actor(Role::town_operator, "county", "D1", "D1");
  expect_refused(story.refuses(assign_down, county, {{Field::level, std::int64_t{3}}, {Field::holder, text("D1")}}),
                 ErrorCode::out_of_range, "fields.holder", "not below D1");
  story.does(assign_down, county, {{Field::level, std::int64_t{3}}, {Field::holder, text("D1/T1")}});
  EXPECT_FALSE(story.refuses(accept, town_desk()));
}

TEST(CaseDuplicate, A63_OfAnotherCaseThanItself) {
  const Story story = Story().to("awaiting_review");
  expect_refused(story.refuses(duplicate, town_desk(), {}, without(Field::target)), ErrorCode::missing_field,
                 "fields.target");
  expect_refused(story.refuses(duplicate, town_desk(), one(Field::target, to_string(uuid(1)))), ErrorCode::out_of_range,
                 "fields.target", "this case itself");
  EXPECT_FALSE(story.refuses(duplicate, town_desk(), one(Field::target, to_string(uuid(2)))));
}

TEST(CaseReject, A27_WithAReasonOfTheListAndAnEnd) {
  const Story story = Story().to("awaiting_review").does(reject, town_desk());
  EXPECT_TRUE(story.state().ends);
  for (const auto& who : everybody()) {
    EXPECT_TRUE(offers(story.state(), who, "D1/T1", story.rules(), day(1)).empty()) << who.login;
  }
}

TEST(CaseCallBack, F12_NeverByWhoHandled) {
  Story story("work_order");
  story.to("awaiting_callback");
  expect_refused(story.refuses(call_back, unit_of("U1")), ErrorCode::forbidden, "action");
  expect_refused(story.refuses(call_back, actor(Role::intake_desk, "in2", "U1", "D1/T1/U1")), ErrorCode::forbidden,
                 "action", "did not handle");
  // Nor when a profile forgot the bound.
  for (auto& move : story.rules().processes["work_order"].moves) {
    if (move.action == call_back) move.bound = Bound::anyone, move.roles.push_back(Role::handling_unit);
  }
  for (const auto& who : {unit_of("U1"), unit_of("U2"), actor(Role::intake_desk, "in2", "U1", "D1/T1/U1")}) {
    expect_refused(story.refuses(call_back, who), ErrorCode::forbidden, "fields.satisfaction");
  }
}

TEST(CaseCallBack, A43_NotSatisfiedIsDoneAgain) {
  for (const auto& [code, again, closed] :
       {std::tuple{"satisfied", false, true}, std::tuple{"fairly_satisfied", false, true},
        std::tuple{"dissatisfied", true, false}, std::tuple{"not_reached", false, false}}) {
    Story story("work_order");
    story.to("awaiting_callback").does(call_back, intake(), one(Field::satisfaction, text(code)));
    EXPECT_EQ(!story.refuses(rework, intake()), again) << code;
    EXPECT_EQ(!story.refuses(Action::close, intake()), closed) << code;
  }
}

TEST(CaseCallBack, A43_ACodeWithNotIsNotSatisfied) {
  auto rules = policy();
  rules.codes["satisfaction"] = codes({"satisfied", "not_satisfied"});
  Story story("work_order", rules);
  story.to("awaiting_callback").does(call_back, intake(), one(Field::satisfaction, text("not_satisfied")));
  EXPECT_TRUE(story.refuses(Action::close, intake()));
  EXPECT_FALSE(story.refuses(rework, intake()));
}

TEST(CaseReturn, B9_UrgentWithinFourWorkingHours) {
  Story story;
  story.does(report, member(), one(Field::category, text("0201"))).to("taken");
  // From 9:00: three hours to noon, then one from 14:00.
  EXPECT_FALSE(story.at(day(0, 15)).refuses(request_return, unit_of("U1"))) << "以内 includes the instant itself";
  expect_refused(
      story.at(day(0, 15) + 1ms).refuses(request_return, unit_of("U1")), ErrorCode::illegal_transition, "action",
      "past the limit of return: 2026-03-09 15:00, limits.return_urgent 津滨政办发〔2020〕10号 第二十五条（四）");
}

TEST(CaseReturn, B10_OrdinaryWithinOneWorkingDay) {
  Story story;
  story.to("taken");
  EXPECT_FALSE(story.at(day(1, 17) + 30min).refuses(request_return, unit_of("U1")));
  expect_refused(story.at(day(1, 17) + 30min + 1ms).refuses(request_return, unit_of("U1")),
                 ErrorCode::illegal_transition, "action", "2026-03-10 17:30");
}

TEST(CaseReturn, B11_ConfirmedByASecondPersonBeforeItIsGranted) {
  Story story;
  story.to("taken").does(request_return, unit_of("U1"));
  EXPECT_EQ(story.state().step, "return_review");
  expect_refused(story.refuses(grant_return, town_desk()), ErrorCode::illegal_transition, "action",
                 "not confirmed by a second person");
  auto both = leader_of("U1");
  both.login = "w-U1";
  expect_refused(story.refuses(confirm_return, both), ErrorCode::forbidden, "action", "who asked for return");
  expect_refused(story.refuses(confirm_return, leader_of("U2")), ErrorCode::forbidden, "action");
  expect_refused(story.refuses(confirm_return, unit_of("U1")), ErrorCode::forbidden, "action");
  story.does(confirm_return, leader_of("U1"));
  expect_refused(story.refuses(confirm_return, leader_of("U1")), ErrorCode::illegal_transition, "action",
                 "confirmed already");
  story.does(grant_return, town_desk());
  EXPECT_EQ(story.state().step, "awaiting_transfer");
  EXPECT_TRUE(story.state().unit.empty());
  EXPECT_TRUE(story.state().requests.empty());
  EXPECT_FALSE(story.state().due_at());
}

TEST(CaseReturn, B12_NamesReasonBasisAndAnotherUnit) {
  const Story story = Story().to("taken");
  for (const auto field : {Field::reason, Field::legal_basis, Field::suggested_unit}) {
    expect_refused(story.refuses(request_return, unit_of("U1"), {}, without(field)), ErrorCode::missing_field,
                   "fields." + std::string(to_string(field)));
  }
}

TEST(CaseReturn, B13_TheCentreMayRefuse) {
  Story story;
  story.to("taken").does(request_return, unit_of("U1")).does(refuse_return, town_desk());
  EXPECT_EQ(story.state().step, "taken");
  EXPECT_EQ(story.state().unit, "U1");
  EXPECT_TRUE(story.clock("handle").running()) << "the order's clock ran on";
  EXPECT_TRUE(story.state().requests.empty());
}

// Transferred on Monday the 9th: seven working days end on Wednesday the 18th (day 9), 17:30.
const UnixMs kDue = day(9, 17) + 30min;

TEST(CaseExtension, B5_AskedAWorkingDayBeforeTheDue) {
  Story story;
  story.to("taken");
  EXPECT_FALSE(story.at(kDue - 24h).refuses(request_extension, unit_of("U1")));
  expect_refused(story.at(kDue - 24h + 1ms).refuses(request_extension, unit_of("U1")), ErrorCode::illegal_transition,
                 "action", "must come by 2026-03-17 17:30, 1 working day(s) before handle ends (2026-03-18 17:30)");
}

TEST(CaseExtension, B6_OnThreeGroundsB7_AndThePersonIsTold) {
  const Story story = Story().to("taken");
  expect_refused(story.refuses(request_extension, unit_of("U1"), one(Field::reason, text("busy"))),
                 ErrorCode::out_of_range, "fields.reason", "extension_reasons");
  expect_refused(story.refuses(request_extension, unit_of("U1"), {}, without(Field::citizen_informed_at)),
                 ErrorCode::missing_field, "fields.citizen_informed_at");
}

TEST(CaseExtension, B8_TheSameLimitAgainFromTheDue) {
  Story story;
  story.to("taken").does(request_extension, unit_of("U1"));
  expect_refused(story.refuses(request_extension, unit_of("U1")), ErrorCode::illegal_transition, "action",
                 "asked for and is not answered yet");
  story.at(day(1)).does(grant_extension, town_desk());
  // Thu 19 Fri 20 | Mon 23 … Fri 27: day 18.
  EXPECT_EQ(story.clock("handle").due, day(18, 17) + 30min);
  EXPECT_EQ(story.clock("handle").extended.size(), 1u);
  EXPECT_TRUE(story.state().requests.empty());
  expect_refused(story.refuses(grant_extension, town_desk()), ErrorCode::illegal_transition, "action",
                 "was not asked for");
}

TEST(CaseExtension, B8_TheCityLineIsToldFirst) {
  Story story("work_order");
  story.does(report, intake(), one(Field::channel, text("hotline_12345"))).to("taken");
  story.does(request_extension, unit_of("U1"));
  for (const auto field : {Field::city_informed_at, Field::unit_informed_at}) {
    expect_refused(story.refuses(grant_extension, intake(), {}, without(field)), ErrorCode::missing_field,
                   "fields." + std::string(to_string(field)));
  }
  story.does(grant_extension, intake());
  Story other("work_order");
  other.to("taken").does(request_extension, unit_of("U1"));
  expect_refused(other.refuses(grant_extension, intake(), one(Field::city_informed_at, day(0))),
                 ErrorCode::out_of_range, "fields.city_informed_at", "not asked for here");
  EXPECT_FALSE(other.refuses(grant_extension, intake()));
}

TEST(CaseExtension, B5_GrantedAfterTheDueItIsNotOverdue) {
  Story story;
  story.to("taken").does(request_extension, unit_of("U1"));
  const auto late = one(Field::clock, text("handle"));
  story.at(kDue + 1ms).does(overdue, machine(), late);
  EXPECT_TRUE(story.state().overdue());
  story.does(grant_extension, town_desk());
  EXPECT_FALSE(story.state().overdue());
  EXPECT_TRUE(score_case(story.state(), story.events(), "", story.rules()).empty()) << "it is not charged either";
  story.at(day(18, 17) + 30min + 1ms).does(overdue, machine(), late);
  EXPECT_EQ(score_case(story.state(), story.events(), "", story.rules()).size(), 1u);
}

TEST(CaseClocks, B14_FromTheTransferNotFromTheCapture) {
  Story story;
  story.at(day(0)).does(report, member(), {}, [](Command& c) { c.at = day(-5); }).does(accept, town_desk());
  story.at(day(1, 16)).does(transfer, town_desk(), {}, [](Command& c) { c.at = day(0); });
  EXPECT_EQ(story.clock("handle").started, day(1, 16));
  // Tuesday + 7 working days: Wed 11 Thu 12 Fri 13 | Mon 16 Tue 17 Wed 18 Thu 19, end of office hours.
  EXPECT_EQ(story.clock("handle").due, day(10, 17) + 30min);
  EXPECT_EQ(story.state().due_at(), story.clock("respond").due) << "the earliest of those that run";
  EXPECT_EQ(story.last().rule, "limits.general 津滨政办发〔2020〕10号 第二十五条（二）");
}

TEST(CaseClocks, B1_TheCategoryOrTheGradeChoosesTheLimit) {
  Story urgent;
  urgent.does(report, member(), one(Field::category, text("0201"))).to("awaiting_take");
  EXPECT_EQ(urgent.clock("handle").due, day(2, 17) + 30min);
  Story graded;
  graded.to("awaiting_review").does(accept, town_desk(), one(Field::grade, text("urgent"))).to("awaiting_take");
  EXPECT_EQ(graded.clock("handle").due, day(2, 17) + 30min);
  EXPECT_EQ(graded.clock("return").rule.key, "limits.return_urgent");
}

TEST(CaseClocks, B28_AUnitRunsByItsOwnOfficeHours) {
  Story story;
  story.to("awaiting_transfer").does(transfer, town_desk(), one(Field::unit, text("U3")));
  EXPECT_EQ(story.clock("handle").unit, "U3");
  EXPECT_EQ(story.clock("handle").due, day(9, 18));
  story.does(take, unit_of("U3")).does(handle, unit_of("U3")).at(day(1, 18)).does(feedback, unit_of("U3"));
  EXPECT_EQ(story.clock("handle").kept, true);
}

TEST(CaseClocks, B22_TheFirstAnswerIsKeptOrNot) {
  for (const auto& [after, kept] : {std::pair{Millis{30min}, true}, std::pair{Millis{30min} + 1ms, false}}) {
    Story story;
    story.to("awaiting_take").at(day(0) + after).does(take, unit_of("U1"));
    EXPECT_EQ(story.clock("respond").kept, kept);
    EXPECT_EQ(story.clock("respond").ended, day(0) + after);
  }
}

TEST(CaseClocks, B23_ADevicesOwnTimeCountsButNeverBeforeTheStart) {
  auto rules = policy();
  rules.limits["arrive"] = {"limits.arrive", "合政办发〔2020〕128号 四（二）3", ClockUnit::natural_minutes, 120};
  for (auto& move : rules.processes["case"].moves) {
    if (move.action == transfer) move.clocks.push_back({"arrive", ClockOp::start, "arrive"});
    if (move.action == arrive) move.clocks.push_back({"arrive", ClockOp::stop, ""});
  }
  const auto arrived = [&](UnixMs own, UnixMs synced) {
    Story story("case", rules);
    story.to("taken").at(synced).does(arrive, unit_of("U1"), {}, [&](Command& c) { c.at = own; });
    return story.clock("arrive");
  };
  EXPECT_EQ(arrived(day(0, 10), day(3)).kept, true) << "synchronised days later";
  EXPECT_EQ(arrived(day(0, 11) + 1ms, day(3)).kept, false);
  EXPECT_EQ(arrived(day(-1), day(3)).ended, day(0)) << "not before it began";
  EXPECT_EQ(arrived(day(5), day(0, 10)).ended, day(0, 10)) << "nor in the future";
}

TEST(CaseClocks, A31_TheAnswerInTheSystemCountsNotTheWork) {
  const auto on_time = [](UnixMs handled, UnixMs answered) {
    Story story;
    story.to("taken").at(handled).does(handle, unit_of("U1")).at(answered).does(feedback, unit_of("U1"));
    story.at(answered + 24h * 30).to("done");
    return flag_of(story.last().fields, Field::on_time);
  };
  EXPECT_EQ(on_time(day(1), day(1)), true);
  EXPECT_EQ(on_time(day(1), kDue), true) << "以内 includes the instant itself";
  EXPECT_EQ(on_time(day(1), kDue + 1ms), false) << "handled in time, answered late";
}

TEST(CaseClocks, SuspendedTheyStandStill) {
  Story story;
  story.to("taken").does(request_suspension, unit_of("U1")).at(day(1)).does(grant_suspension, boss());
  EXPECT_FALSE(story.clock("handle").due);
  EXPECT_FALSE(next_alarm(story.state(), story.rules()));
  story.at(day(3)).does(resume, town_desk());
  // Wednesday and Thursday do not count: two working days later than Wednesday the 18th.
  EXPECT_EQ(story.clock("handle").due, day(11, 17) + 30min);
  story.does(request_extension, unit_of("U1")).does(grant_extension, town_desk());
  const auto extended = *story.clock("handle").due;
  story.does(request_suspension, unit_of("U1")).does(grant_suspension, boss()).at(day(4)).does(resume, town_desk());
  EXPECT_GT(*story.clock("handle").due, extended) << "a pause after an extension moves the whole";
}

TEST(CaseClocks, SuspensionIsApprovedByAnother) {
  Story story;
  story.to("taken").does(request_suspension, unit_of("U1"));
  auto same = town_desk();
  same.login = "w-U1";
  expect_refused(story.refuses(grant_suspension, same), ErrorCode::forbidden, "action", "who asked for suspension");
  story.does(refuse_suspension, town_desk());
  EXPECT_EQ(story.state().step, "taken");
  expect_refused(story.refuses(grant_suspension, boss()), ErrorCode::illegal_transition, "action", "was not asked for");
}

TEST(CaseAlarms, A29_YellowThenOverdueOnceEachInOrder) {
  Story story;
  story.to("taken");
  ASSERT_TRUE(next_alarm(story.state(), story.rules()));
  EXPECT_TRUE(alarms(story.state(), story.rules(), day(0)).empty());
  const auto due = alarms(story.state(), story.rules(), day(30));
  // The clocks that run: return, of one working day, and handle.
  std::vector<std::pair<std::string, Action>> rows;
  for (const auto& alarm : due) rows.emplace_back(alarm.clock, alarm.action);
  EXPECT_EQ(rows, (std::vector<std::pair<std::string, Action>>{
                      {"return", warn}, {"return", overdue}, {"handle", warn}, {"handle", overdue}}));
  EXPECT_TRUE(std::is_sorted(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.at < b.at; }));
  EXPECT_EQ(due.back().at, kDue + 1ms);
  EXPECT_EQ(next_alarm(story.state(), story.rules()), due.front().at);
  for (const auto& alarm : due) {
    const auto fields = one(Field::clock, alarm.clock);
    expect_refused(story.at(alarm.at - 1ms).refuses(alarm.action, machine(), fields), ErrorCode::illegal_transition,
                   "action", " only at ");
    expect_refused(story.at(alarm.at).refuses(alarm.action, town_desk(), fields), ErrorCode::forbidden, "action");
    story.does(alarm.action, machine(), fields);
    expect_refused(story.refuses(alarm.action, machine(), fields), ErrorCode::illegal_transition, "action", "already");
    EXPECT_EQ(story.state().step, "taken");
  }
  EXPECT_TRUE(story.clock("handle").warned && story.clock("handle").overdue);
  EXPECT_FALSE(next_alarm(story.state(), story.rules()));
  expect_refused(story.refuses(overdue, machine(), one(Field::clock, text("respond"))), ErrorCode::illegal_transition,
                 "action", "the clock respond does not run");
}

TEST(CaseAlarms, TheSystemSaysItWhereTheProfileNamesItElsewhere) {
  auto rules = policy();
  rules.processes["case"].moves.push_back(MoveOf(overdue, {"taken"}, "handled", {Role::system}).needs({Field::clock}));
  Story story("case", rules);
  story.to("awaiting_take").at(day(0, 10)).does(overdue, machine(), one(Field::clock, text("respond")));
  EXPECT_EQ(story.state().step, "awaiting_take");
  story.does(take, unit_of("U1")).at(kDue + 1ms).does(overdue, machine(), one(Field::clock, text("handle")));
  EXPECT_EQ(story.state().step, "handled");
}

// The lines of a case: rule, whom, points, causes.
std::vector<std::string> lines(const Story& story, std::string_view grid_member = "m9") {
  std::vector<std::string> out;
  for (const auto& line : score_case(story.state(), story.events(), grid_member, story.rules())) {
    EXPECT_FALSE(line.article.empty());
    std::string row =
        line.rule + " " + (line.of_unit ? "unit " : "member ") + line.whom + " " + std::to_string(line.points);
    for (const auto cause : line.causes) row += " #" + std::to_string(cause);
    out.push_back(row);
  }
  return out;
}
using Lines = std::vector<std::string>;

TEST(CaseScore, D17_AReportOnADayOffByTheCalendar) {
  EXPECT_EQ(lines(Story().at(day(5)).to("awaiting_review")), Lines{"scores.day_off member m1 100 #1"});
  EXPECT_EQ(lines(Story().at(day(4)).to("awaiting_review")), Lines{});
  Story captured;
  captured.at(day(7)).does(report, member(), {}, [](Command& c) { c.at = day(5, 12); });
  EXPECT_EQ(lines(captured).size(), 1u) << "the day of the capture counts";
  auto rules = policy();
  rules.calendar.exceptions[std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}] = true;
  EXPECT_EQ(lines(Story("case", rules).at(day(5)).to("awaiting_review")), Lines{}) << "a make-up working day";
  EXPECT_EQ(lines(Story("work_order").at(day(5)).to("awaiting_review")), Lines{}) << "no member's report";
}

TEST(CaseScore, D19_ThreeComplaintsOfOneMatter) {
  const auto complained = [](std::int64_t times) {
    return Story("work_order").to("awaiting_review").does(count_complaint, intake(), one(Field::complaints, times));
  };
  EXPECT_EQ(lines(complained(2)), Lines{});
  EXPECT_EQ(lines(complained(3)), Lines{"scores.repeated member m9 -500 #2"});
  EXPECT_EQ(lines(complained(3), ""), Lines{}) << "nobody's grid";
  Story found;
  found.to("awaiting_review").does(count_complaint, town_desk(), one(Field::complaints, std::int64_t{5}));
  EXPECT_EQ(lines(found), Lines{}) << "a member had reported it";
}

TEST(CaseScore, D20_OfTheClassesThatCount) {
  Story story("work_order");
  story.does(report, intake(), one(Field::category, text("0201")));
  story.does(count_complaint, intake(), one(Field::complaints, std::int64_t{9}));
  EXPECT_EQ(lines(story), Lines{});
}

TEST(CaseScore, D21_UntrueD23_AndSecondTimeOncePerUnit) {
  Story story;
  for (int round = 0; round < 2; ++round) {
    story.to("verifying").does(verify, checker(), one(Field::outcome, text("not_rectified"))).does(rework, town_desk());
  }
  EXPECT_EQ(lines(story), (Lines{"scores.second_time unit U1 -200 #10 #18", "scores.untrue unit U1 -500 #9 #17"}));
  story.does(transfer, town_desk(), one(Field::unit, text("U2"))).does(take, unit_of("U2")).does(handle, unit_of("U2"));
  story.does(feedback, unit_of("U2"))
      .to("verifying")
      .does(verify, checker(), one(Field::outcome, text("not_rectified")));
  story.does(rework, town_desk());
  EXPECT_EQ(lines(story), (Lines{"scores.second_time unit U1 -200 #10 #18", "scores.second_time unit U2 -200 #25",
                                 "scores.untrue unit U1 -500 #9 #17", "scores.untrue unit U2 -500 #24"}));
}

TEST(CaseScore, D22_CircularAsAPersonConfirms) {
  Story story;
  story.to("taken");
  expect_refused(story.refuses(confirm_circle, town_desk()), ErrorCode::illegal_transition, "action",
                 "no unit had the order twice");
  story.does(request_return, unit_of("U1")).does(confirm_return, leader_of("U1")).does(grant_return, town_desk());
  story.to("taken");
  expect_refused(story.refuses(confirm_circle, town_desk(), one(Field::unit, text("U2"))), ErrorCode::out_of_range,
                 "fields.unit", "did not have the order twice");
  EXPECT_EQ(lines(story), Lines{}) << "a person decides";
  story.does(confirm_circle, town_desk());
  EXPECT_EQ(lines(story), Lines{"scores.circular unit U1 -500 #10"});
}

TEST(CaseScore, D23_AnOverdueOrderOncePerUnit) {
  Story story;
  story.to("taken").at(kDue + 1ms).does(overdue, machine(), one(Field::clock, text("handle")));
  story.does(overdue, machine(), one(Field::clock, text("return")));
  EXPECT_EQ(lines(story), Lines{"scores.overdue unit U1 -200 #5"}) << "the order's clock alone";
  story.does(handle, unit_of("U1")).does(feedback, unit_of("U1"));
  EXPECT_EQ(lines(story), Lines{"scores.overdue unit U1 -200 #5 #8"});
  Story unswept;
  unswept.to("handled").at(kDue + 1ms).does(feedback, unit_of("U1"));
  EXPECT_EQ(lines(unswept), Lines{"scores.overdue unit U1 -200 #7"}) << "though nobody had said so before";
}

TEST(CaseScore, A1_TheAssessmentCarriesTheLines) {
  Story story;
  story.at(day(5)).to("done");
  EXPECT_EQ(story.last().scores.size(), 1u);
  EXPECT_EQ(story.state().scores, story.last().scores);
  EXPECT_EQ(flag_of(story.state().values, Field::on_time), true);
  EXPECT_EQ(story.last().rule, "limits.general 津滨政办发〔2020〕10号 第二十五条（二）");
  Story answered;
  answered.to("awaiting_review").does(direct_reply, town_desk()).to("done");
  EXPECT_FALSE(answered.last().fields.contains(Field::on_time)) << "no unit ever had it";
}

}  // namespace
}  // namespace gridward::domain
