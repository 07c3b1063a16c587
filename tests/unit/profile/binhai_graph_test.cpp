#include "walk.hpp"

namespace gridward::profile {
namespace {

using namespace walk;

// The hotline's order (受理部) and what several units settle together (2.2) of 滨海新区.
class BinhaiGraph : public testing::Test {
 protected:
  BinhaiGraph() : walk(shipped("binhai"), "work_order") {}

  static FieldMap called_in(const std::string& channel = "hotline_12345") {
    auto fields = reported("noise");
    fields[Field::channel] = channel;
    return fields;
  }
  void taken(const std::string& channel = "hotline_12345") {
    walk.does(report, kIntake, "awaiting_intake", called_in(channel));
    walk.does(accept, kIntake, "awaiting_dispatch", one(Field::matter_kind, "help"));
    walk.does(transfer, kIntake, "awaiting_take", to_unit());
    walk.does(take, kUnit, "taken");
  }
  void fed_back() {
    taken();
    walk.does(handle, kUnit, "handled");
    walk.does(feedback, kUnit, "awaiting_callback", answered());
  }
  static FieldMap answered() {
    return {{Field::result_kind, std::string("handled")}, {Field::reply, std::string("已处理，请放心")}};
  }

  Walk walk;
};

TEST_F(BinhaiGraph, A2_SevenStagesInTheirOrder) {
  const auto& order = shipped("binhai").processes.at("work_order");
  EXPECT_EQ(order.stages,
            (std::vector<std::string>{"accept", "dispatch", "supervise", "feedback", "callback", "rate", "assess"}));
  walk.does(report, kLine, "awaiting_intake", called_in());
  EXPECT_EQ(walk.state().stage, "accept");
  walk.does(accept, kIntake, "awaiting_dispatch", one(Field::matter_kind, "help"));
  EXPECT_EQ(walk.state().stage, "dispatch");
  walk.does(transfer, kIntake, "awaiting_take", to_unit());
  walk.does(take, kUnit, "taken");
  EXPECT_EQ(walk.state().stage, "supervise");
  walk.does(supervise, kIntake, "taken", one(Field::supervise_kind, "normal"));
  walk.does(handle, kUnit, "handled");
  walk.does(feedback, kUnit, "awaiting_callback", answered());
  EXPECT_EQ(walk.state().stage, "feedback");
  walk.does(call_back, kIntake, "called_back", callback("satisfied"));
  EXPECT_EQ(walk.state().stage, "callback");
  walk.does(close, kIntake, "awaiting_assess", one(Field::closing_basis, "handled"));
  EXPECT_EQ(walk.state().stage, "rate");
  walk.does(assess, kSystem, "done");
  EXPECT_EQ(walk.state().stage, "assess");
  walk.does(archive, kIntake, "archived");
}

TEST_F(BinhaiGraph, A4_EachChannelBeginsItsProcess) {
  const auto& channels = shipped("binhai").channels;
  EXPECT_EQ(channels.at("grid_member").process, "case");
  EXPECT_EQ(channels.at("whistle").process, "coordination");
  for (const auto* line : {"hotline_12345", "snapshot", "org_online"}) {
    EXPECT_EQ(channels.at(line).process, "work_order") << line;
  }
  walk.refused(report, kIntake, "grid_member brings in cases of the process case", called_in("grid_member"));
}

TEST_F(BinhaiGraph, A5_TheHotlineAndTheAppAreChannelsToo) {
  for (const auto* line : {"hotline_66898890", "app_bhzsx"}) {
    EXPECT_EQ(shipped("binhai").channels.at(line).process, "work_order") << line;
    EXPECT_FALSE(shipped("binhai").channels.at(line).city) << line;
  }
  EXPECT_TRUE(shipped("binhai").channels.at("hotline_12345").city);
}

TEST_F(BinhaiGraph, A15_TheTownAsTheUnitInstructsAssignsAndReplies) {
  walk.does(report, kIntake, "awaiting_intake", called_in());
  walk.does(accept, kIntake, "awaiting_dispatch", one(Field::matter_kind, "help"));
  walk.does(transfer, kIntake, "awaiting_take", to_unit("T"));
  walk.does(take, kTown, "taken");
  walk.refused(instruct, kLeader, "instruct is for the unit", one(Field::instruction, "请办"));
  walk.does(instruct, kTownLeader, "taken", one(Field::instruction, "请农办阅处"));
  EXPECT_EQ(walk.article(), "杨家泊镇综治中心职责清单 4-1 运行流程2");
  walk.does(assign, kTown, "taken", one(Field::assignee, "office-clerk"));
  walk.does(handle, kTown, "handled", {}, "答复意见");
  walk.does(feedback, kTown, "awaiting_callback", answered());
  walk.does(call_back, kIntake, "called_back", callback("satisfied"));
  walk.refused(close, kTown, "town_operator may not close here", one(Field::closing_basis, "handled"));
  walk.does(close, kIntake, "awaiting_assess", one(Field::closing_basis, "handled"));
}

TEST_F(BinhaiGraph, A23_RegisteredFirst) {
  walk.refused(reject, kIntake, "no case yet", one(Field::reason, "military"));
  walk.does(report, kLine, "awaiting_intake", called_in());
}

TEST_F(BinhaiGraph, A25_AnInquiryIsAnsweredDirectly) {
  walk.does(report, kIntake, "awaiting_intake", called_in());
  walk.does(direct_reply, kIntake, "replied",
            {{Field::reply, std::string("工作日可办")}, {Field::matter_kind, std::string("consult")}});
  walk.does(close, kIntake, "awaiting_assess", one(Field::closing_basis, "answered"));
}

TEST_F(BinhaiGraph, A27_SentBackByTheSameChannelAndThePersonTold) {
  walk.does(report, kIntake, "awaiting_intake", called_in("snapshot"));
  walk.refused(reject, kIntake, "fields.citizen_informed_at: must not be empty", one(Field::reason, "military"));
  walk.does(reject, kIntake, "rejected",
            {{Field::reason, std::string("military")}, {Field::citizen_informed_at, march(9)}});
  EXPECT_EQ(walk.state().channel, "snapshot");
}

TEST_F(BinhaiGraph, B8_TheCityLineIsToldOfTheExtension) {
  taken("hotline_12345");
  const FieldMap asked{{Field::reason, std::string("hard")}, {Field::citizen_informed_at, march(9)}};
  walk.does(request_extension, kUnit, "taken", asked);
  walk.refused(grant_extension, kIntake, "fields.city_informed_at: must not be empty");
  walk.does(grant_extension, kIntake, "taken",
            {{Field::city_informed_at, march(9)}, {Field::unit_informed_at, march(9)}});
  EXPECT_EQ(walk.clock("handle").due, march(27, 17, 30));
}

TEST_F(BinhaiGraph, B8_OnlyTheCityLineIs) {
  taken("app_bhzsx");
  const FieldMap asked{{Field::reason, std::string("hard")}, {Field::citizen_informed_at, march(9)}};
  walk.does(request_extension, kUnit, "taken", asked);
  walk.refused(grant_extension, kIntake, "not asked for here", {{Field::city_informed_at, march(9)}});
  walk.does(grant_extension, kIntake, "taken");
}

TEST_F(BinhaiGraph, B11_AReturnGoesBackToTheDispatch) {
  taken();
  walk.does(request_return, kUnit, "return_review", sent_back());
  walk.does(confirm_return, kChief, "return_review");
  walk.does(grant_return, kIntake, "awaiting_dispatch");
  walk.does(transfer, kIntake, "awaiting_take", to_unit("U2"));
}

TEST_F(BinhaiGraph, A21_NoReturnAfterTheWhistle) {
  taken();
  walk.does(whistle, kIntake, "joint_meeting");
  walk.does(decide_lead, kIntake, "awaiting_take", lead("U1"));
  walk.refused(request_return, kUnit, "a joint meeting decided the lead", sent_back());
}

TEST_F(BinhaiGraph, B17_TheCallbackRunsFromTheFeedback) {
  fed_back();
  EXPECT_EQ(walk.clock("callback").started, march(9));
  walk.does(contact, kIntake, "awaiting_callback", one(Field::contact, "未接通"));
  EXPECT_TRUE(walk.clock("callback").running());
}

TEST_F(BinhaiGraph, B18_TheCallbackHasALimit) {
  fed_back();
  EXPECT_EQ(walk.clock("callback").due, march(12, 17, 30));
  walk.at(march(12, 17, 30)).does(call_back, kIntake, "called_back", callback("fairly_satisfied"));
  EXPECT_EQ(walk.clock("callback").kept, true);
}

TEST_F(BinhaiGraph, B19_TakenInAtNight) { walk.at(march(14, 3)).does(report, kIntake, "awaiting_intake", called_in()); }

TEST_F(BinhaiGraph, F1_FiveKindsOfMatterAreAccepted) {
  EXPECT_EQ(shipped("binhai").codes.at("matter_kind").size(), 5U);
  walk.does(report, kIntake, "awaiting_intake", called_in());
  walk.refused(accept, kIntake, "fields.matter_kind: must not be empty");
  walk.refused(accept, kIntake, "lost is not in matter_kind", one(Field::matter_kind, "lost"));
}

TEST_F(BinhaiGraph, F2_FourReasonsNotToAccept) {
  const auto& reasons = shipped("binhai").codes.at("reject_reasons");
  ASSERT_EQ(reasons.size(), 4U);
  EXPECT_EQ(reasons[0].first, "emergency");        // F2
  EXPECT_EQ(reasons[1].first, "civil_dispute");    // F3
  EXPECT_EQ(reasons[2].first, "legal_procedure");  // F4
  EXPECT_EQ(reasons[3].first, "military");         // F5
}

TEST_F(BinhaiGraph, F12_TheUnitDoesNotSayHowSatisfied) {
  fed_back();
  walk.refused(call_back, kUnit, "handling_unit may not call_back here", callback("satisfied"));
  auto citizen = callback("satisfied");
  citizen[Field::satisfaction_by] = std::string("citizen");
  walk.does(call_back, kLine, "called_back", citizen);
}

TEST_F(BinhaiGraph, A43_NotSatisfiedIsDoneAgain) {
  fed_back();
  walk.does(call_back, kIntake, "unsatisfied", callback("dissatisfied"));
  walk.does(rework, kIntake, "awaiting_dispatch", one(Field::reason, "unsatisfied"));
  EXPECT_EQ(walk.state().round, 2U);
  EXPECT_FALSE(walk.clock("callback").running());
  EXPECT_EQ(shipped("binhai").codes.at("rework_reasons").size(), 3U);
}

TEST_F(BinhaiGraph, A30_AnUnreasonableRequestIsClosedThoughNotSatisfied) {
  fed_back();
  walk.does(call_back, kIntake, "unsatisfied", callback("dissatisfied"));
  walk.does(close, kIntake, "awaiting_assess", one(Field::closing_basis, "explained"));
}

TEST_F(BinhaiGraph, D19_ComplaintsOfOneMatterAreCounted) {
  taken();
  walk.does(count_complaint, kIntake, "taken", {{Field::complaints, std::int64_t{3}}});
}

TEST_F(BinhaiGraph, A8_ListApprovalMeetingMinutesSupervisionArchive) {
  const auto& process = shipped("binhai").processes.at("coordination");
  EXPECT_EQ(process.stages,
            (std::vector<std::string>{"list", "approval", "meeting", "minutes", "supervision", "archive"}));
  Walk matter(shipped("binhai"), "coordination");
  auto fields = reported("dispute");
  fields[Field::channel] = std::string("whistle");
  matter.does(report, kDesk, "drafting", fields);
  matter.refused(draft_list, kDesk, "0 files of role scan, at least 1");
  matter.media(MediaRole::scan).does(draft_list, kDesk, "awaiting_approval");
  matter.refused(approve_list, kDesk, "coordination_desk may not approve_list here");
  matter.does(instruct, kLeader, "drafting", one(Field::instruction, "补责任单位"));
  matter.media(MediaRole::scan).does(draft_list, kDesk, "awaiting_approval");
  matter.does(approve_list, kLeader, "awaiting_meeting");
  matter.does(hold_meeting, kDesk, "awaiting_minutes", {{Field::participants, std::vector<std::string>{"U1", "U2"}}});
  matter.media(MediaRole::scan).does(file_minutes, kDesk, "awaiting_orders", one(Field::minutes, "分工如下"));
  auto orders = to_unit();
  orders[Field::assisting_units] = std::vector<std::string>{"U2"};
  matter.does(transfer, kDesk, "supervising", orders);
  matter.does(supervise, kSupervisor, "supervising", one(Field::supervise_kind, "yellow"));
  matter.does(feedback, kUnit, "supervising", one(Field::result_kind, "handled"));
  matter.refused(close, kDesk, "no feedback yet of U2", one(Field::closing_basis, "handled"));
  matter.does(assist, kUnit2, "supervising");
  matter.does(close, kDesk, "awaiting_archive", one(Field::closing_basis, "handled"));
  matter.does(archive, kDesk, "archived");
}

TEST_F(BinhaiGraph, A7_BothDepartmentsBringInWhatSeveralUnitsSettle) {
  Walk matter(shipped("binhai"), "coordination");
  matter.does(report, kIntake, "drafting", reported("dispute"));
  matter.does(void_case, kIntake, "voided", one(Field::reason, "mistake"));
}

}  // namespace
}  // namespace gridward::profile
