#include <set>

#include "walk.hpp"

namespace gridward::profile {
namespace {

using namespace walk;

// The grid member's case (协调部) of 滨海新区, up to some step.
class BinhaiCase : public testing::Test {
 protected:
  BinhaiCase() : walk(shipped("binhai"), "case") {}

  void reported_as(const std::string& category) { walk.does(report, kMember, "awaiting_review", reported(category)); }
  void transferred(const std::string& category = "road-damage") {
    reported_as(category);
    walk.does(accept, kTown, "awaiting_transfer");
    walk.does(transfer, kTown, "awaiting_take", to_unit());
  }
  void taken(const std::string& category = "road-damage") {
    transferred(category);
    walk.does(take, kUnit, "taken");
  }
  void fed_back() {
    taken();
    walk.does(handle, kUnit, "handled");
    walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  }
  void checked(const std::string& outcome, const std::string& step) {
    fed_back();
    walk.does(request_verify, kTown, "verifying", check_by("m1"));
    walk.does(verify, kMember, step, found(outcome));
  }
  void closed() {
    checked("confirmed", "verify_passed");
    walk.does(close, kTown, "awaiting_assess", one(Field::closing_basis, "handled"));
  }

  Walk walk;
};

TEST_F(BinhaiCase, A1_ReportAcceptTransferVerifyCloseAssess) {
  reported_as("road-damage");
  std::vector<std::string> stages{walk.state().stage};
  const auto on = [&] {
    if (stages.back() != walk.state().stage) stages.push_back(walk.state().stage);
  };
  walk.does(accept, kTown, "awaiting_transfer");
  on();
  walk.does(transfer, kTown, "awaiting_take", to_unit());
  on();
  walk.does(take, kUnit, "taken");
  walk.does(arrive, kUnit, "arrived");
  walk.does(handle, kUnit, "handled");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  walk.does(request_verify, kTown, "verifying", check_by("m1"));
  walk.does(verify, kMember, "verify_passed", found("confirmed"));
  on();
  walk.does(close, kTown, "awaiting_assess", one(Field::closing_basis, "handled"));
  on();
  walk.does(assess, kSystem, "done");
  on();
  EXPECT_EQ(stages,
            (std::vector<std::string>{"reported", "accepted", "transferred", "verified", "closed", "assessed"}));
  EXPECT_EQ(stages, shipped("binhai").processes.at("case").stages);
  walk.does(archive, kTown, "archived");
  EXPECT_TRUE(walk.state().ends);
}

TEST_F(BinhaiCase, A1_AnotherOrderIsRefused) {
  reported_as("road-damage");
  walk.refused(transfer, kTown, "stage reported, step awaiting_review: transfer is not possible", to_unit());
  walk.refused(close, kTown, "close is not possible", one(Field::closing_basis, "handled"));
}

TEST_F(BinhaiCase, A3_EveryMoveAndCodeSaysWhatItRestsOn) {
  for (const auto* name : {"binhai", "heyang"}) {
    const auto& policy = shipped(name);
    const auto sound = [](const std::string& article) {
      return article.starts_with("津滨政办发〔2020〕10号 第") || article.starts_with("合政办发〔2020〕128号 ") ||
             article.starts_with("滨海新区网格中心职责清单 ") || article.starts_with("杨家泊镇综治中心职责清单 ") ||
             article.starts_with("(D) 本项目：");
    };
    for (const auto& [id, process] : policy.processes) {
      for (const auto& move : process.moves) EXPECT_TRUE(sound(move.article)) << id << " " << move.article;
    }
    for (const auto& [id, list] : policy.codes) {
      for (const auto& [code, coded] : list) EXPECT_TRUE(sound(coded.article)) << id << " " << code;
    }
    for (const auto& rule : policy.scores) EXPECT_TRUE(sound(rule.article)) << rule.key;
    for (const auto& [code, channel] : policy.channels) EXPECT_TRUE(sound(channel.article)) << code;
  }
}

TEST_F(BinhaiCase, A7_TheIntakeDeskHasNoPartInIt) {
  for (const auto& move : shipped("binhai").processes.at("case").moves) {
    for (const auto role : move.roles) EXPECT_NE(role, intake_desk) << to_string(move.action);
  }
  for (const auto& move : shipped("binhai").processes.at("work_order").moves) {
    for (const auto role : move.roles) EXPECT_NE(role, coordination_desk) << to_string(move.action);
  }
}

TEST_F(BinhaiCase, A11_HandledOnTheSpotWithAPhotoBeforeAndOneAfter) {
  walk.media(MediaRole::after).refused(self_handle, kMember, "0 files of role before, at least 1", reported("parking"));
  walk.media(MediaRole::before).refused(self_handle, kMember, "0 files of role after, at least 1", reported("parking"));
  walk.media(MediaRole::before).media(MediaRole::after);
  walk.does(self_handle, kMember, "self_handled", reported("parking"));
  walk.does(close, kTown, "awaiting_assess", one(Field::closing_basis, "handled"));
  EXPECT_TRUE(walk.state().past_units.empty());
  walk.does(sample, kInspector, "awaiting_assess", one(Field::outcome, "confirmed"));
  walk.refused(sample, kMember, "grid_member may not sample here", one(Field::outcome, "confirmed"));
}

TEST_F(BinhaiCase, A11_ReportedFirstAndHandledOnTheSpotByTheReporter) {
  reported_as("parking");
  walk.media(MediaRole::before).media(MediaRole::after);
  walk.refused(self_handle, kNeighbour, "self_handle is for");
  walk.media(MediaRole::before).media(MediaRole::after);
  walk.does(self_handle, kMember, "self_handled");
}

TEST_F(BinhaiCase, A12_WhatStaysIsReportedToTheTown) {
  walk.media(MediaRole::before).media(MediaRole::after);
  walk.does(self_handle, kMember, "self_handled", reported("parking"));
  walk.refused(report, kNeighbour, "report is for");
  walk.does(report, kMember, "awaiting_review");
  walk.does(accept, kTown, "awaiting_transfer");
}

TEST_F(BinhaiCase, A13_TheTownTransfersItsOwn) {
  reported_as("road-damage");
  walk.refused(accept, kOtherTown, "accept is for the desk that has the case");
  walk.does(accept, kDesk, "awaiting_transfer");
  walk.does(transfer, kTown, "awaiting_take", to_unit());
}

TEST_F(BinhaiCase, A14_TheMemberOfTheGridVerifies) {
  fed_back();
  walk.refused(close, kTown, "close is not possible", one(Field::closing_basis, "handled"));
  walk.does(request_verify, kTown, "verifying", check_by("m1"));
  walk.refused(verify, kNeighbour, "verify is for", found("confirmed"));
  walk.does(verify, kMember, "verify_passed", found("confirmed"));
}

TEST_F(BinhaiCase, A20_AWhistleDecidesTheLead) {
  reported_as("road-damage");
  walk.does(accept, kTown, "awaiting_transfer");
  walk.does(whistle, kDesk, "joint_meeting");
  EXPECT_TRUE(walk.last().aside);
  walk.refused(decide_lead, kDesk, "fields.participants: must not be empty",
               {{Field::unit, std::string("U1")}, {Field::minutes, std::string("主责")}});
  auto fields = lead("U1");
  fields[Field::assisting_units] = std::vector<std::string>{"U2"};
  walk.does(decide_lead, kDesk, "awaiting_take", fields);
  EXPECT_EQ(walk.state().unit, "U1");
  EXPECT_EQ(walk.state().assisting_units, std::vector<std::string>{"U2"});
  EXPECT_TRUE(walk.clock("handle").running());
  EXPECT_EQ(walk.article(), "津滨政办发〔2020〕10号 第二十二条");
}

TEST_F(BinhaiCase, A20_AWhistleFromTheUnitStopsItsClockAndMayBeCalledOff) {
  taken();
  walk.at(march(10)).does(whistle, kDesk, "joint_meeting");
  EXPECT_EQ(walk.clock("handle").due, std::nullopt);
  walk.at(march(12)).does(resume, kDesk, "taken");
  EXPECT_EQ(walk.clock("handle").due, march(20, 17, 30));
  EXPECT_FALSE(walk.state().return_locked);
}

TEST_F(BinhaiCase, A21_NoReturnAfterTheMeetingDecided) {
  taken();
  walk.does(whistle, kDesk, "joint_meeting");
  walk.does(decide_lead, kDesk, "awaiting_take", lead("U1"));
  walk.refused(request_return, kUnit, "a joint meeting decided the lead", sent_back());
  EXPECT_EQ(walk.state().past_units, (std::vector<std::string>{"U1", "U1"})) << "A22: all who had it are kept";
}

TEST_F(BinhaiCase, A23_NothingIsRefusedUnrecorded) {
  walk.refused(reject, kTown, "no case yet", one(Field::reason, "military"));
  reported_as("dispute");
  walk.does(reject, kTown, "rejected", one(Field::reason, "civil_dispute"));
  EXPECT_TRUE(walk.state().ends);
  EXPECT_EQ(walk.state().version, 2U);
}

TEST_F(BinhaiCase, A24_TheUnitDecidesAndTellsThePerson) {
  taken();
  walk.refused(unit_accept, kUnit, "fields.notified_at: must not be empty", {{Field::valid, true}});
  walk.does(unit_accept, kUnit, "taken", {{Field::valid, true}, {Field::notified_at, march(9)}});
  EXPECT_EQ(time_of(walk.state().values, Field::notified_at), march(9));
}

TEST_F(BinhaiCase, A25_AnsweredDirectlyWithoutATransfer) {
  reported_as("livelihood");
  walk.refused(direct_reply, kTown, "fields.reply: must not be empty");
  walk.does(direct_reply, kTown, "replied", one(Field::reply, "请到服务大厅办理"));
  walk.does(close, kTown, "awaiting_assess", one(Field::closing_basis, "answered"));
  EXPECT_TRUE(walk.state().past_units.empty());
}

TEST_F(BinhaiCase, A26_ATransferHasADue) {
  transferred("road-damage");
  EXPECT_EQ(walk.clock("handle").due, march(18, 17, 30));
  EXPECT_EQ(walk.clock("handle").unit, "U1");
}

TEST_F(BinhaiCase, A29_UrgedInAnyStateAndCounted) {
  taken();
  walk.does(urge, kTown, "taken");
  walk.does(request_return, kUnit, "return_review", sent_back());
  walk.does(urge, kDesk, "return_review");
  EXPECT_EQ(walk.state().counts.at(urge), 2U);
}

TEST_F(BinhaiCase, A30_ClosingNamesItsBasis) {
  checked("confirmed", "verify_passed");
  walk.refused(close, kTown, "fields.closing_basis: must not be empty");
  walk.refused(close, kTown, "liked is not in closing_basis", one(Field::closing_basis, "liked"));
  const auto& bases = shipped("binhai").codes.at("closing_basis");
  ASSERT_EQ(bases.size(), 3U);
  EXPECT_EQ(bases[0].first, "answered");
  EXPECT_EQ(bases[1].first, "explained");
  EXPECT_EQ(bases[2].first, "handled");
  walk.does(close, kTown, "awaiting_assess", one(Field::closing_basis, "explained"));
}

TEST_F(BinhaiCase, A31_NothingCountsAsDoneBeforeItIsFedBack) {
  taken();
  walk.does(handle, kUnit, "handled");
  walk.refused(request_verify, kTown, "request_verify is not possible", check_by("m1"));
  EXPECT_TRUE(walk.clock("handle").running());
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  EXPECT_EQ(walk.clock("handle").kept, true);
}

TEST_F(BinhaiCase, A34_WhatCannotBeSolvedIsNotHandled) {
  taken();
  walk.does(handle, kUnit, "handled");
  walk.refused(feedback, kUnit, "fields.result_kind: must not be empty");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "cannot_resolve"));
  EXPECT_EQ(text_of(walk.state().values, Field::result_kind), "cannot_resolve");
}

TEST_F(BinhaiCase, A39_TheLeadWaitsForWhoAssists) {
  reported_as("road-damage");
  walk.does(accept, kTown, "awaiting_transfer");
  auto fields = to_unit();
  fields[Field::assisting_units] = std::vector<std::string>{"U2"};
  walk.does(transfer, kTown, "awaiting_take", fields);
  walk.does(take, kUnit, "taken");
  walk.does(handle, kUnit, "handled");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  walk.refused(request_verify, kTown, "no feedback yet of U2", check_by("m1"));
}

TEST_F(BinhaiCase, A39_TheAssistingUnitFeedsBackAtItsOwnTime) {
  reported_as("road-damage");
  walk.does(accept, kTown, "awaiting_transfer");
  auto fields = to_unit();
  fields[Field::assisting_units] = std::vector<std::string>{"U2"};
  walk.does(transfer, kTown, "awaiting_take", fields);
  walk.does(take, kUnit, "taken");
  walk.does(handle, kUnit, "handled");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  walk.refused(assist, kUnit, "assist is for");
  walk.does(assist, kUnit2, "awaiting_verify");
  walk.does(request_verify, kTown, "verifying", check_by("m1"));
}

TEST_F(BinhaiCase, A40_ThePhoneNoticeSaysWhom) {
  transferred();
  walk.refused(phone_notice, kTown, "fields.contact: must not be empty");
  walk.does(phone_notice, kTown, "awaiting_take", one(Field::contact, "值班员"));
}

TEST_F(BinhaiCase, A48_TheUnitNamesWhoHandles) {
  taken();
  walk.does(assign, kChief, "taken", one(Field::assignee, "w7"));
  EXPECT_EQ(text_of(walk.state().values, Field::assignee), "w7");
}

TEST_F(BinhaiCase, A50_TheSupervisionRoomAsksWhy) {
  taken();
  walk.refused(supervise, kSupervisor, "fields.trigger: two_offices needs what triggers it",
               one(Field::supervise_kind, "two_offices"));
  walk.does(supervise, kSupervisor, "taken",
            {{Field::supervise_kind, std::string("two_offices")}, {Field::trigger, std::string("overdue")}});
  for (const auto* kind : {"normal", "yellow", "red"}) {
    walk.does(supervise, kTown, "taken", one(Field::supervise_kind, kind));
  }
}

TEST_F(BinhaiCase, A53_TheDeskMayVerifyItself) {
  fed_back();
  FieldMap fields{{Field::verify_method, std::string("onsite")}, {Field::outcome, std::string("confirmed")}};
  walk.refused(desk_verify, kTown, "0 files, at least 1", fields);
  walk.media(MediaRole::scene).does(desk_verify, kTown, "verify_passed", fields);
}

TEST_F(BinhaiCase, A53_WhatTheDeskFindsUndoneFails) {
  fed_back();
  walk.media(MediaRole::scene)
      .does(desk_verify, kTown, "verify_failed",
            {{Field::verify_method, std::string("callback")}, {Field::outcome, std::string("untrue")}});
}

TEST_F(BinhaiCase, A55_ReworkBeginsANewRoundAtTheSecondStep) {
  checked("not_rectified", "verify_failed");
  walk.refused(rework, kTown, "tired is not in rework_reasons", one(Field::reason, "tired"));
  walk.does(rework, kTown, "awaiting_transfer", one(Field::reason, "below_standard"));
  EXPECT_EQ(walk.state().round, 2U);
  EXPECT_TRUE(walk.state().unit.empty());
  EXPECT_EQ(walk.clock("handle").round, 1U) << "the old clock is kept";
  walk.does(transfer, kTown, "awaiting_take", to_unit("U2"));
  EXPECT_EQ(walk.clock("handle").round, 2U);
}

TEST_F(BinhaiCase, A55_WhatCouldNotBeCheckedIsAskedForAgain) {
  checked("cannot_check", "verify_failed");
  walk.does(request_verify, kTown, "verifying", check_by("m2"));
  walk.does(verify, kNeighbour, "verify_passed", found("confirmed"));
}

TEST_F(BinhaiCase, A55_WhatIsUndoneIsNotAskedForAgain) {
  checked("not_rectified", "verify_failed");
  walk.refused(request_verify, kTown, "needs the outcome cannot_check", check_by("m2"));
}

TEST_F(BinhaiCase, A56_ArchivedAfterTheAssessment) {
  closed();
  walk.refused(archive, kTown, "archive is not possible");
  walk.does(assess, kSystem, "done");
  walk.does(archive, kTown, "archived", {{Field::paper_at, march(9)}});
}

TEST_F(BinhaiCase, A58_OneLevelAtATime) {
  auto fields = reported("road-damage");
  fields[Field::level] = std::int64_t{2};
  walk.does(report, kMember, "awaiting_review", fields);
  walk.refused(escalate, kVillage, "one level at a time, up",
               {{Field::level, std::int64_t{4}}, {Field::holder, std::string("D")}});
  walk.does(escalate, kVillage, "awaiting_review",
            {{Field::level, std::int64_t{3}}, {Field::holder, std::string("D/T")}});
  walk.does(escalate, kTown, "awaiting_review", {{Field::level, std::int64_t{4}}, {Field::holder, std::string("D")}});
  walk.refused(accept, kTown, "accept is for the desk that has the case");
  walk.does(assign_down, kDesk, "awaiting_review",
            {{Field::level, std::int64_t{3}}, {Field::holder, std::string("D/T")}});
  walk.does(accept, kTown, "awaiting_transfer");
  EXPECT_EQ(number_of(walk.state().values, Field::level), 3);
}

TEST_F(BinhaiCase, A63_ScreenedBeforeItIsAccepted) {
  reported_as("road-damage");
  walk.does(triage, kTown, "awaiting_review", {{Field::valid, false}, {Field::urgency, std::string("general")}});
  walk.does(void_case, kTown, "voided", one(Field::reason, "mistake"));
}

TEST_F(BinhaiCase, A63_ADuplicateNamesTheOther) {
  reported_as("road-damage");
  walk.refused(duplicate, kTown, "fields.target", one(Field::target, to_string(walk.state().id)));
  walk.does(duplicate, kTown, "merged", one(Field::target, kTask));
}

TEST_F(BinhaiCase, B1_UrgentTwoWorkingDays) {
  transferred("road-manhole");
  EXPECT_EQ(walk.clock("handle").due, march(11, 17, 30));
  EXPECT_EQ(walk.clock("handle").rule.article, "津滨政办发〔2020〕10号 第二十五条（二）");
}

TEST_F(BinhaiCase, B2_GeneralSevenWorkingDays) {
  transferred("road-damage");
  EXPECT_EQ(walk.clock("handle").due, march(18, 17, 30));
}

TEST_F(BinhaiCase, B2_TheGradeOfTheTriageCounts) {
  reported_as("road-damage");
  walk.does(triage, kTown, "awaiting_review", one(Field::grade, "urgent"));
  walk.does(accept, kTown, "awaiting_transfer");
  walk.does(transfer, kTown, "awaiting_take", to_unit());
  EXPECT_EQ(walk.clock("handle").due, march(11, 17, 30));
  EXPECT_EQ(walk.clock("return").rule.key, "limits.return_urgent");
}

FieldMap longer() { return {{Field::reason, std::string("several_units")}, {Field::citizen_informed_at, march(9)}}; }

TEST_F(BinhaiCase, B5_AnExtensionIsAskedAWorkingDayBefore) {
  taken();
  walk.at(march(17, 17, 30)).does(request_extension, kUnit, "taken", longer());
}

TEST_F(BinhaiCase, B5_LaterItIsRefused) {
  taken();
  walk.at(march(17, 17, 31)).refused(request_extension, kUnit, "1 working day(s) before handle ends", longer());
}

TEST_F(BinhaiCase, B6_OnThreeGroundsOnly) {
  EXPECT_EQ(shipped("binhai").codes.at("extension_reasons").size(), 3U);
  taken();
  auto fields = longer();
  fields[Field::reason] = std::string("holiday");
  walk.refused(request_extension, kUnit, "holiday is not in extension_reasons", fields);
}

TEST_F(BinhaiCase, B7_ThePersonIsToldOfTheExtension) {
  taken();
  walk.refused(request_extension, kUnit, "fields.citizen_informed_at: must not be empty",
               one(Field::reason, "complicated"));
  walk.does(request_extension, kUnit, "taken", longer());
  walk.refused(request_extension, kUnit, "extension was asked for", longer());
  walk.does(grant_extension, kTown, "taken");
  EXPECT_EQ(walk.clock("handle").due, march(27, 17, 30)) << "seven working days after the 18th";
}

TEST_F(BinhaiCase, B7_AnExtensionMayBeRefused) {
  taken();
  walk.does(request_extension, kUnit, "taken", longer());
  walk.does(refuse_extension, kTown, "taken");
  EXPECT_EQ(walk.clock("handle").due, march(18, 17, 30));
}

TEST_F(BinhaiCase, B9_UrgentReturnWithinFourWorkingHours) {
  transferred("road-manhole");  // at 9:00: three hours up to noon, one from 14:00
  EXPECT_EQ(walk.clock("return").due, march(9, 15, 0));
  walk.at(march(9, 15, 0)).does(request_return, kUnit, "return_review", sent_back());
  walk.at(march(9, 15, 1)).refused(confirm_return, kChief, "past the limit of return");
}

TEST_F(BinhaiCase, B9_LaterItIsRefused) {
  transferred("road-manhole");
  walk.at(march(9, 15, 1)).refused(request_return, kUnit, "past the limit of return", sent_back());
}

TEST_F(BinhaiCase, B9_TheEndOfTheReturnIsNoOverdue) {
  taken("road-manhole");
  walk.alarms_until(march(9, 16));
  EXPECT_FALSE(walk.state().overdue());
  EXPECT_FALSE(walk.clock("return").running());
  walk.refused(request_return, kUnit, "the clock return does not run", sent_back());
  walk.alarms_until(march(12));
  EXPECT_TRUE(walk.state().overdue()) << "the handling is";
}

TEST_F(BinhaiCase, B10_OrdinaryReturnWithinOneWorkingDay) {
  taken();
  EXPECT_EQ(walk.clock("return").due, march(10, 17, 30));
  walk.at(march(10, 17, 30)).does(request_return, kUnit, "return_review", sent_back());
}

TEST_F(BinhaiCase, B11_TheLeaderInChargeConfirmsTheReturn) {
  taken();
  walk.does(request_return, kUnit, "return_review", sent_back());
  EXPECT_TRUE(walk.last().aside);
  walk.refused(confirm_return, kUnit, "handling_unit may not confirm_return here");
  walk.refused(grant_return, kTown, "return was not confirmed by a second person");
  walk.does(confirm_return, kChief, "return_review");
  walk.does(grant_return, kTown, "awaiting_transfer");
  EXPECT_TRUE(walk.state().unit.empty());
  EXPECT_FALSE(walk.clock("handle").running());
}

TEST_F(BinhaiCase, B12_AReturnNamesReasonAndAnotherUnit) {
  taken();
  for (const auto field : {Field::reason, Field::suggested_unit}) {
    auto fields = sent_back();
    fields.erase(field);
    walk.refused(request_return, kUnit, "fields." + std::string(to_string(field)) + ": must not be empty", fields);
  }
}

TEST_F(BinhaiCase, B13_NoReturnWithoutLegalBasis) {
  taken();
  auto fields = sent_back();
  fields.erase(Field::legal_basis);
  walk.refused(request_return, kUnit, "fields.legal_basis: must not be empty", fields);
  walk.does(request_return, kUnit, "return_review", sent_back());
  walk.does(refuse_return, kTown, "taken");
  EXPECT_EQ(walk.article(), "津滨政办发〔2020〕10号 第二十五条（六）");
  EXPECT_EQ(walk.state().unit, "U1");
}

TEST_F(BinhaiCase, B14_TheClockStartsWhenTheUnitIsTold) {
  reported_as("road-damage");
  walk.does(accept, kTown, "awaiting_transfer");
  EXPECT_EQ(walk.state().clock("handle"), nullptr);
  walk.at(march(9, 11)).does(transfer, kTown, "awaiting_take", to_unit());
  EXPECT_EQ(walk.clock("handle").started, march(9, 11));
}

TEST_F(BinhaiCase, B16_TheCentreCallsBeforeTheDue) {
  taken();
  walk.does(remind, kTown, "taken", one(Field::contact, "经办人"));
}

TEST_F(BinhaiCase, B20_ThePersonIsContactedFirst) {
  taken();
  walk.does(contact, kUnit, "taken", one(Field::contact, "当事人"));
}

TEST_F(BinhaiCase, D7_SampledAfterClosingByWhoDidNotHandle) {
  closed();
  walk.refused(sample, kUnit, "handling_unit may not sample here", one(Field::outcome, "confirmed"));
  walk.does(sample, kInspector, "awaiting_assess", one(Field::outcome, "untrue"));
}

TEST_F(BinhaiCase, D17_NoPointsInItsDocuments) {
  EXPECT_TRUE(shipped("binhai").scores.empty());
  closed();
  walk.does(assess, kSystem, "done");
  EXPECT_TRUE(walk.state().scores.empty());
}

TEST_F(BinhaiCase, D22_AUnitThatHadItTwice) {
  taken();
  walk.does(request_return, kUnit, "return_review", sent_back());
  walk.does(confirm_return, kChief, "return_review");
  walk.does(grant_return, kTown, "awaiting_transfer");
  walk.refused(confirm_circle, kDesk, "no unit had the order twice");
  walk.does(transfer, kTown, "awaiting_take", to_unit());
  walk.does(confirm_circle, kDesk, "awaiting_take");
}

TEST_F(BinhaiCase, D36_AClueAfterTalkAndFacts) {
  taken();
  FieldMap fields{{Field::clue_target, std::string("district_office")}, {Field::facts, std::string("查实")}};
  walk.refused(clue, kDesk, "fields.talked_at: must not be empty", fields);
  fields[Field::talked_at] = march(9);
  walk.does(clue, kDesk, "taken", fields);
}

TEST_F(BinhaiCase, F8_FourCasesGoToTheHeadOfTheUnit) {
  EXPECT_EQ(shipped("binhai").codes.at("head_reasons").size(), 4U);
  taken();
  walk.does(escalate_to_head, kUnit, "taken", one(Field::reason, "media"));
}

TEST_F(BinhaiCase, F13_AnAbusiveCallerWithEvidence) {
  taken();
  walk.refused(flag_caller, kDesk, "fields.evidence: must not be empty");
  walk.does(flag_caller, kDesk, "taken", one(Field::evidence, "录音编号"));
}

TEST_F(BinhaiCase, H8_WhoHandledDoesNotCheck) {
  fed_back();
  walk.refused(request_verify, kTown, "who handled the case does not check it", check_by("u1"));
}

TEST_F(BinhaiCase, Suspended_ByApprovalAndTheClockStandsStill) {
  taken();
  walk.does(request_suspension, kUnit, "taken", one(Field::reason, "season"));
  walk.refused(grant_suspension, kUnit, "handling_unit may not grant_suspension here");
  walk.at(march(10)).does(grant_suspension, kTown, "suspended");
  EXPECT_EQ(walk.clock("handle").due, std::nullopt);
  walk.refused(handle, kUnit, "handle is not possible");
  walk.at(march(16)).does(resume, kUnit, "taken");
  EXPECT_EQ(walk.clock("handle").due, march(24, 17, 30)) << "the four working days after the 10th up to the 16th";
}

TEST_F(BinhaiCase, Suspended_MayBeRefused) {
  taken();
  walk.does(request_suspension, kUnit, "taken", one(Field::reason, "season"));
  walk.does(refuse_suspension, kDesk, "taken");
  walk.does(handle, kUnit, "handled");
}

TEST_F(BinhaiCase, OffersAreWhatThePersonMayDo) {
  transferred();
  EXPECT_TRUE(walk.offered(take, kUnit));
  EXPECT_FALSE(walk.offered(take, kUnit2));
  EXPECT_FALSE(walk.offered(handle, kUnit));
  EXPECT_TRUE(walk.offered(request_return, kUnit));
}

}  // namespace
}  // namespace gridward::profile
