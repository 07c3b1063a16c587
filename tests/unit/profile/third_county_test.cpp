#include "walk.hpp"

namespace gridward::profile {
namespace {

using namespace walk;

// Another county with its own steps and words: a file, and no line of code.
TEST(ThirdCounty, B28_RunsWithoutCode) {
  Walk walk(shipped("third_county.json"), "");
  auto fields = reported("tree");
  fields[Field::channel] = std::string("window");
  walk.does(report, kIntake, "noted", fields);
  EXPECT_EQ(walk.state().process, "petition");
  walk.does(transfer, kIntake, "at_office", to_unit());
  EXPECT_EQ(walk.clock("answer").due, UnixMs{march(20, 0)});
  walk.refused(feedback, kUnit2, "is for the unit that has the case");
  walk.does(feedback, kUnit, "answered");
  EXPECT_EQ(walk.article(), "办法 第三条");
  walk.does(rework, kIntake, "noted", one(Field::reason, "poor"));
  EXPECT_EQ(walk.state().round, 2U);
  walk.does(transfer, kIntake, "at_office", to_unit());
  walk.does(feedback, kUnit, "answered");
  walk.does(close, kIntake, "on_shelf", one(Field::closing_basis, "told"));
  EXPECT_TRUE(walk.state().ends);
}

TEST(ThirdCounty, B28_KnowsNoActOfAnotherCounty) {
  Walk walk(shipped("third_county.json"), "petition");
  auto fields = reported("tree");
  fields[Field::channel] = std::string("window");
  walk.does(report, kIntake, "noted", fields);
  walk.refused(accept, kIntake, "stage counter, step noted: accept is not possible; possible: reject, transfer");
  walk.does(reject, kIntake, "sent_off", one(Field::reason, "neighbour"));
}

}  // namespace
}  // namespace gridward::profile
