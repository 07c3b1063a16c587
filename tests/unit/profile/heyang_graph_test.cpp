#include "walk.hpp"

namespace gridward::profile {
namespace {

using namespace walk;

// 合阳县网格化管理工作流程 四（二）, eight steps.
class HeyangGraph : public testing::Test {
 protected:
  HeyangGraph() : walk(shipped("heyang"), "case") {}

  void reported_as(const std::string& category, const Actor& who = kMember) {
    walk.media(MediaRole::scene).does(report, who, "awaiting_review", reported(category));
  }
  void transferred(const std::string& category = "street-lamp") {
    reported_as(category);
    walk.does(accept, kDesk, "awaiting_transfer");
    walk.does(transfer, kDesk, "awaiting_take", to_unit());
  }
  void arrived(const std::string& category = "street-lamp") {
    transferred(category);
    walk.does(take, kUnit, "taken");
    walk.does(arrive, kUnit, "arrived");
  }
  void fed_back(const std::string& category = "street-lamp") {
    arrived(category);
    walk.does(handle, kUnit, "handled");
    walk.media(MediaRole::scan).does(sign_result, kChief, "signed");
    walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  }

  Walk walk;
};

TEST_F(HeyangGraph, A1_TheEightSteps) {
  reported_as("street-lamp", kInspector);
  walk.does(triage, kDesk, "awaiting_review",
            {{Field::importance, std::string("ordinary")}, {Field::urgency, std::string("general")}});
  walk.does(accept, kDesk, "awaiting_transfer");
  walk.does(phone_notice, kDesk, "awaiting_transfer", one(Field::contact, "专班负责人"));
  walk.does(transfer, kDesk, "awaiting_take", to_unit());
  walk.does(take, kUnit, "taken");
  walk.does(assign, kUnit, "taken", one(Field::assignee, "w7"));
  walk.does(arrive, kUnit, "arrived");
  walk.does(handle, kUnit, "handled");
  walk.media(MediaRole::scan).does(sign_result, kChief, "signed");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  walk.does(request_verify, kDesk, "verifying", check_by("in"));
  walk.media(MediaRole::scene).does(verify, kInspector, "verify_passed", found("confirmed"));
  walk.does(close, kDesk, "awaiting_assess", one(Field::closing_basis, "true"));
  walk.does(assess, kSystem, "done");
  EXPECT_TRUE(walk.state().scores.empty());
  walk.does(archive, kDesk, "archived", {{Field::paper_at, march(9)}});
}

TEST_F(HeyangGraph, A38_SortedByImportanceAndUrgency) {
  reported_as("street-lamp");
  walk.does(triage, kTown, "awaiting_review", one(Field::grade, "complex"));
  walk.does(accept, kDesk, "awaiting_transfer");
  walk.does(transfer, kDesk, "awaiting_take", to_unit());
  EXPECT_EQ(walk.clock("handle").rule.key, "limits.complex");
}

TEST_F(HeyangGraph, A44_AMatterThatNeedsAPhotoHasOne) {
  walk.refused(report, kMember, "needs a photo", reported("street-lamp"));
  walk.does(report, kMember, "awaiting_review", reported("quarrel"));
}

TEST_F(HeyangGraph, A11_HandledInTheGrid) {
  walk.media(MediaRole::before).media(MediaRole::after);
  walk.does(self_handle, kMember, "self_handled", reported("street-poster"));
  EXPECT_TRUE(walk.state().clocks.empty());
  walk.does(close, kDesk, "awaiting_assess", one(Field::closing_basis, "self_handled"));
}

TEST_F(HeyangGraph, A20_TheCentreDecidesTheLead) {
  reported_as("many-units");
  walk.does(accept, kDesk, "awaiting_transfer");
  walk.does(whistle, kDesk, "joint_meeting");
  walk.does(decide_lead, kDesk, "awaiting_take", lead("U1"));
  walk.refused(request_return, kUnit, "a joint meeting decided the lead", sent_back());
  EXPECT_EQ(walk.clock("handle").due, march(23, 18, 0));
}

TEST_F(HeyangGraph, A50_HandedToTheTwoOffices) {
  arrived();
  walk.refused(supervise, kDesk, "fields.trigger: must not be empty", one(Field::supervise_kind, "two_offices"));
  walk.does(supervise, kDesk, "arrived",
            {{Field::supervise_kind, std::string("two_offices")}, {Field::trigger, std::string("procedure")}});
  EXPECT_EQ(walk.article(), "合政办发〔2020〕128号 四（二）5");
}

TEST_F(HeyangGraph, A51_SignedAndSealedBeforeItIsSent) {
  arrived();
  walk.does(handle, kUnit, "handled");
  walk.refused(feedback, kUnit, "feedback is not possible", one(Field::result_kind, "handled"));
  walk.refused(sign_result, kUnit, "handling_unit may not sign_result here");
  walk.refused(sign_result, kChief, "0 files of role scan, at least 1");
  walk.media(MediaRole::scan).does(sign_result, kChief, "signed");
}

TEST_F(HeyangGraph, A52_PaperMayComeLater) {
  arrived();
  walk.does(handle, kUnit, "handled");
  walk.media(MediaRole::scan).does(sign_result, kChief, "signed");
  walk.does(feedback, kUnit, "awaiting_verify",
            {{Field::result_kind, std::string("handled")}, {Field::paper_at, march(9)}});
}

TEST_F(HeyangGraph, A53_CallbackOrOnSite) {
  fed_back();
  const FieldMap fields{{Field::verify_method, std::string("onsite")}, {Field::outcome, std::string("confirmed")}};
  walk.media(MediaRole::scene).does(desk_verify, kDesk, "verify_passed", fields);
  EXPECT_EQ(shipped("heyang").codes.at("verify_method").size(), 2U);
}

TEST_F(HeyangGraph, A54_NoVerificationWithoutPictureOrSound) {
  fed_back();
  walk.refused(desk_verify, kDesk, "0 files, at least 1",
               {{Field::verify_method, std::string("callback")}, {Field::outcome, std::string("confirmed")}});
  walk.refused(call_back, kDesk, "0 files, at least 1", callback("satisfied"));
  walk.does(request_verify, kDesk, "verifying", check_by("m1"));
  walk.refused(verify, kMember, "0 files, at least 1", found("confirmed"));
  walk.does(verify, kMember, "verify_failed", found("cannot_check"));
}

TEST_F(HeyangGraph, A55_BackToTheSecondStep) {
  fed_back();
  walk.media(MediaRole::scene).does(call_back, kDesk, "verify_failed", callback("dissatisfied"));
  walk.at(march(10, 10)).does(rework, kDesk, "awaiting_transfer", one(Field::reason, "unsatisfied"));
  EXPECT_EQ(walk.state().round, 2U);
  EXPECT_EQ(walk.clock("dispatch").due, march(10, 10, 30)) << "the dispatch runs anew";
}

TEST_F(HeyangGraph, A56_SatisfiedIsEnough) {
  fed_back();
  walk.media(MediaRole::scene).does(call_back, kDesk, "verify_passed", callback("satisfied"));
  walk.does(close, kDesk, "awaiting_assess", one(Field::closing_basis, "satisfied"));
}

TEST_F(HeyangGraph, A56_NeitherTrueNorSatisfiedIsNotClosed) {
  fed_back();
  walk.refused(close, kDesk, "close is not possible", one(Field::closing_basis, "true"));
}

TEST_F(HeyangGraph, B21_DispatchedWithinThirtyMinutes) {
  reported_as("street-lamp");
  EXPECT_EQ(walk.clock("dispatch").due, march(9, 9, 30));
  walk.does(accept, kDesk, "awaiting_transfer");
  walk.at(march(9, 9, 31)).does(transfer, kDesk, "awaiting_take", to_unit());
  EXPECT_EQ(walk.clock("dispatch").kept, false);
}

TEST_F(HeyangGraph, B22_RespondsWithinThirtyMinutes) {
  transferred();
  EXPECT_EQ(walk.clock("respond").due, march(9, 9, 30));
  walk.at(march(9, 9, 30)).does(take, kUnit, "taken");
  EXPECT_EQ(walk.clock("respond").kept, true);
}

TEST_F(HeyangGraph, B23_OnSiteWithinTwoHours) {
  transferred();
  EXPECT_EQ(walk.clock("arrive").due, march(9, 11, 0));
  walk.does(take, kUnit, "taken");
  walk.at(march(9, 11, 1)).does(arrive, kUnit, "arrived");
  EXPECT_EQ(walk.clock("arrive").kept, false);
}

TEST_F(HeyangGraph, B24_SimpleTheSameDay) {
  transferred("street-poster");
  EXPECT_EQ(walk.clock("handle").rule.unit, ClockUnit::on_the_spot);
  EXPECT_EQ(walk.clock("handle").due, march(10, 0, 0));
}

TEST_F(HeyangGraph, B25_GeneralThreeWorkingDays) {
  transferred("street-lamp");
  EXPECT_EQ(walk.clock("handle").due, march(12, 18, 0));
}

TEST_F(HeyangGraph, B26_MajorFiveWorkingDays) {
  transferred("house-danger");
  EXPECT_EQ(walk.clock("handle").due, march(16, 18, 0));
}

TEST_F(HeyangGraph, B27_ComplexTenWorkingDays) {
  transferred("quarrel");
  EXPECT_EQ(walk.clock("handle").due, march(23, 18, 0));
}

TEST_F(HeyangGraph, B11_AReturnNeedsTwoAndTheDispatchRunsAnew) {
  transferred();
  walk.at(march(11)).does(request_return, kUnit, "return_review", sent_back());
  walk.refused(grant_return, kDesk, "not confirmed by a second person");
  walk.does(confirm_return, kChief, "return_review");
  walk.does(grant_return, kDesk, "awaiting_transfer");
  EXPECT_EQ(walk.clock("dispatch").started, march(11));
}

TEST_F(HeyangGraph, A27_RejectedWithAReason) {
  reported_as("street-lamp");
  walk.does(reject, kDesk, "rejected", one(Field::reason, "outside_list"));
  EXPECT_FALSE(walk.clock("dispatch").running());
}

TEST_F(HeyangGraph, D17_AReportOnADayOffEarnsAPoint) {
  walk.at(march(14, 10));  // a Saturday
  fed_back();
  walk.media(MediaRole::scene).does(call_back, kDesk, "verify_passed", callback("satisfied"));
  walk.does(close, kDesk, "awaiting_assess", one(Field::closing_basis, "satisfied"));
  walk.does(assess, kSystem, "done");
  ASSERT_EQ(walk.state().scores.size(), 1U);
  EXPECT_EQ(walk.state().scores[0].rule, "scores.day_off_report");
  EXPECT_EQ(walk.state().scores[0].points, 100);
  EXPECT_EQ(walk.state().scores[0].whom, "m1");
}

TEST_F(HeyangGraph, D19_RepeatedComplaintsOfWhatNoMemberFound) {
  reported_as("supply-cut", kLine);
  walk.does(count_complaint, kDesk, "awaiting_review", {{Field::complaints, std::int64_t{3}}});
  walk.does(accept, kDesk, "awaiting_transfer");
  walk.does(transfer, kDesk, "awaiting_take", to_unit());
  walk.does(take, kUnit, "taken");
  walk.does(handle, kUnit, "handled");
  walk.media(MediaRole::scan).does(sign_result, kChief, "signed");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  walk.does(call_back, kLine, "verify_passed", callback("satisfied"));
  walk.does(close, kDesk, "awaiting_assess", one(Field::closing_basis, "satisfied"));
  walk.does(assess, kSystem, "done");
  ASSERT_EQ(walk.state().scores.size(), 1U);
  EXPECT_EQ(walk.state().scores[0].points, -500);
  EXPECT_EQ(walk.state().scores[0].whom, "m1");
}

TEST_F(HeyangGraph, D20_ForThreeClassesOfMattersOnly) {
  const auto& categories = shipped("heyang").categories;
  EXPECT_TRUE(categories.at("supply-cut").repeat_penalty);
  EXPECT_TRUE(categories.at("home-help").repeat_penalty);
  EXPECT_FALSE(categories.at("street-poster").repeat_penalty);
}

TEST_F(HeyangGraph, D21_UntrueAndD23_SecondTimeAndOverdueAddUp) {
  fed_back();
  walk.media(MediaRole::scene)
      .does(desk_verify, kDesk, "verify_failed",
            {{Field::verify_method, std::string("onsite")}, {Field::outcome, std::string("untrue")}});
  walk.does(rework, kDesk, "awaiting_transfer", one(Field::reason, "below_standard"));
  walk.does(transfer, kDesk, "awaiting_take", to_unit());
  walk.does(take, kUnit, "taken");
  walk.alarms_until(march(13));
  walk.does(handle, kUnit, "handled");
  walk.media(MediaRole::scan).does(sign_result, kChief, "signed");
  walk.does(feedback, kUnit, "awaiting_verify", one(Field::result_kind, "handled"));
  walk.media(MediaRole::scene).does(call_back, kDesk, "verify_passed", callback("satisfied"));
  walk.does(close, kDesk, "awaiting_assess", one(Field::closing_basis, "satisfied"));
  walk.does(assess, kSystem, "done");
  std::map<std::string, std::int64_t> points;
  for (const auto& line : walk.state().scores) points[line.rule] += line.points;
  EXPECT_EQ(points, (std::map<std::string, std::int64_t>{
                        {"scores.untrue", -500}, {"scores.second_time", -200}, {"scores.overdue", -200}}));
}

TEST_F(HeyangGraph, D22_CircularDispatchIsConfirmedByAPerson) {
  transferred();
  walk.does(request_return, kUnit, "return_review", sent_back());
  walk.does(confirm_return, kChief, "return_review");
  walk.does(grant_return, kDesk, "awaiting_transfer");
  walk.does(transfer, kDesk, "awaiting_take", to_unit());
  walk.does(confirm_circle, kDesk, "awaiting_take");
}

TEST_F(HeyangGraph, A58_UpAndDownBetweenTownAndCounty) {
  reported_as("street-lamp");
  walk.does(escalate, kTown, "awaiting_review", {{Field::level, std::int64_t{4}}, {Field::holder, std::string("D")}});
  walk.refused(accept, kTown, "accept is for the desk that has the case");
  walk.does(assign_down, kDesk, "awaiting_review",
            {{Field::level, std::int64_t{3}}, {Field::holder, std::string("D/T")}});
}

TEST_F(HeyangGraph, Extension_ByTheCentreADayBefore) {
  arrived("street-lamp");
  const FieldMap asked{{Field::reason, std::string("hard")}, {Field::citizen_informed_at, march(9)}};
  walk.does(request_extension, kUnit, "arrived", asked);
  walk.does(grant_extension, kDesk, "arrived");
  EXPECT_EQ(walk.clock("handle").due, march(17, 18, 0));
}

TEST_F(HeyangGraph, Suspended_AndResumed) {
  arrived("street-lamp");
  walk.does(request_suspension, kUnit, "arrived", one(Field::reason, "budget"));
  walk.does(grant_suspension, kLeader, "suspended");
  walk.at(march(11)).does(resume, kDesk, "arrived");
  EXPECT_EQ(walk.clock("handle").due, march(16, 18, 0));
}

}  // namespace
}  // namespace gridward::profile
