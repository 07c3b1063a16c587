// `due` and `profile check`: what an operator asks a county's profile.
#include <nlohmann/json.hpp>

#include "program_fixture.hpp"

namespace gridward::test {
namespace {

using nlohmann::json;

class ProfileCommands : public ProgramTest {
 protected:
  static std::string shipped(const std::string& name) {
    return (source_dir() / "server/profiles" / (name + ".json")).string();
  }
  // A third county: a file, and no line of code.
  std::string third_county() {
    write_file(dir / "h.json", R"({"known_to": 2026, "days": {"2026-10-01": "off", "2026-10-02": "off"}})");
    write_file(dir / "third.json", R"({
      "id": "third", "name": "某县", "utc_offset_minutes": 480, "holidays": "h.json",
      "office_hours": [["09:00", "12:00"], ["13:00", "17:00"]],
      "unit_hours": [{"unit": "watch", "office_hours": [["00:00", "24:00"]], "article": "通知"}],
      "limits": {"reply": {"unit": "working_days", "amount": 1, "article": "第一条"},
                 "call": {"unit": "duty_minutes", "amount": 30, "article": "第二条"},
                 "correct": {"unit": "natural_days", "amount": 10, "article": "第三条"}},
      "categories": [{"code": "a", "name": "甲", "limit": "reply"}],
      "codes": {"again": [{"code": "r", "text": "理由", "article": "第四条"}]},
      "channels": {"window": {"name": "窗口", "process": "p", "article": "第五条"}}, "clocks": {"reply": "答复"},
      "processes": {"p": {"title": "来件", "article": "第六条", "stages": {"s": "办"},
        "steps": {"in": {"stage": "s", "title": "来"}, "out": {"stage": "s", "title": "完", "ends": true}},
        "moves": [{"action": "report", "from": [], "to": "in", "roles": ["intake_desk"], "require": ["town", "category"],
                   "article": "第七条"},
                  {"action": "close", "from": ["in"], "to": "out", "roles": ["intake_desk"], "article": "第八条"}]}}})");
    return (dir / "third.json").string();
  }
  // The last line of the output.
  json due(const std::vector<std::string>& words) {
    std::vector<std::string> all{"due"};
    all.insert(all.end(), words.begin(), words.end());
    const auto result = run(all, false);
    EXPECT_EQ(result.status, 0) << result.output;
    auto text = result.output;
    if (!text.empty()) text.pop_back();
    return json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
  }
};

TEST_F(ProfileCommands, DuePrintsTheStepsAndALineOfJson) {
  const auto result =
      run({"due", "--profile", shipped("binhai"), "--rule", "limits.general", "--at", "2026-09-28T10:00"}, false);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output,
            R"(office hours of binhai: 08:30-12:00 14:00-17:30
2026-09-28 Mon 10:00  starts: limits.general, 7 working_days (津滨政办发〔2020〕10号 第二十五条（二）)
2026-09-28 Mon 10:00  the starting day does not count (民法典 第二百零一条)
2026-09-29 Tue 00:00  day 1
2026-09-30 Wed 00:00  day 2
2026-10-01 Thu 00:00  does not count: a day off of the State Council's list
2026-10-02 Fri 00:00  does not count: a day off of the State Council's list
2026-10-03 Sat 00:00  does not count: a day off of the State Council's list
2026-10-04 Sun 00:00  does not count: a day off of the State Council's list
2026-10-05 Mon 00:00  does not count: a day off of the State Council's list
2026-10-06 Tue 00:00  does not count: a day off of the State Council's list
2026-10-07 Wed 00:00  does not count: a day off of the State Council's list
2026-10-08 Thu 00:00  day 3
2026-10-09 Fri 00:00  day 4
2026-10-10 Sat 00:00  day 5, a make-up working day
2026-10-11 Sun 00:00  does not count: a day off
2026-10-12 Mon 00:00  day 6
2026-10-13 Tue 00:00  day 7
2026-10-13 Tue 17:30  ends with the office hours of the last day (民法典 第二百零三条)
{"due":"2026-10-13T17:30:00+08:00","rule":"limits.general","article":"津滨政办发〔2020〕10号 第二十五条（二）","provisional":false,"yellow_from":"2026-10-12T14:42:00.001+08:00"}
)");
}

TEST_F(ProfileCommands, DueTakesTimesZonesUnitsAndPauses) {
  const std::vector<std::string> dispatch{"--profile", shipped("heyang"), "--rule", "dispatch"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.begin(), dispatch.begin(), dispatch.end());
    return due(words)["due"];
  };
  EXPECT_EQ(with({"--at", "2026-03-09T10:00"}), "2026-03-09T10:30:00+08:00");
  EXPECT_EQ(with({"--at", "2026-03-09T10:00:30.250"}), "2026-03-09T10:30:30.250+08:00");
  EXPECT_EQ(with({"--at", "2026-03-09T02:00:00Z"}), "2026-03-09T10:30:00+08:00");
  EXPECT_EQ(with({"--at", "2026-03-09T02:00", "--tz", "+00:00"}), "2026-03-09T02:30:00+00:00")
      << "office hours stay the county's";
  EXPECT_EQ(with({"--at", "2026-03-08T22:30", "--tz=-03:30"}), "2026-03-08T23:00:00-03:30");
  EXPECT_EQ(with({"--at", "2026-03-09T10:00", "--pause", "2026-03-09T10:10/2026-03-09T11:00", "--pause",
                  "2026-03-09T11:05/2026-03-09T03:10Z"}),
            "2026-03-09T11:25:00+08:00");
  EXPECT_TRUE(due({"--profile", shipped("heyang"), "--rule", "complex", "--at", "2026-12-31T10:00"})["provisional"]);

  const auto third = third_county();
  EXPECT_EQ(due({"--profile", third, "--rule", "reply", "--at", "2026-09-30T20:00"})["due"],
            "2026-10-05T17:00:00+08:00");
  EXPECT_EQ(due({"--profile", third, "--rule", "call", "--at", "2026-09-30T20:00"})["due"],
            "2026-10-05T09:30:00+08:00");
  EXPECT_EQ(due({"--profile", third, "--rule", "call", "--at", "2026-09-30T20:00", "--unit", "watch"})["due"],
            "2026-09-30T20:30:00+08:00");
  EXPECT_EQ(due({"--profile", third, "--rule", "correct", "--at", "2026-09-22T20:00"})["due"],
            "2026-10-06T00:00:00+08:00");
}

TEST_F(ProfileCommands, DueNamesWhatIsWrongOnItsCommandLine) {
  const auto refused = [&](std::vector<std::string> words, int status, const std::string& text) {
    words.insert(words.begin(), "due");
    const auto result = run(words, false);
    EXPECT_EQ(result.status, status) << result.output;
    EXPECT_NE(result.output.find(text), std::string::npos) << result.output;
  };
  const auto file = shipped("heyang");
  refused({}, 2, "--profile: is needed");
  refused({"--profile", file, "--at", "2026-03-09T10:00"}, 2, "--rule: is needed");
  refused({"--profile", file, "--rule", "general"}, 2, "--at: is needed");
  refused({"--profile", file, "--rule", "urgent", "--at", "2026-03-09T10:00"}, 2,
          "--rule: \"urgent\" is not among the limits of heyang: arrive callback complex dispatch general");
  for (const auto* time : {"2026-03-09", "2026-02-30T10:00", "2026-03-09T24:00", "2026-03-09T10:60", "2026-3-9T10:00",
                           "2026-03-09T10:00+15:00", "2026-03-09T10:00+8", "2026-03-09T10:00:00.5", "now", ""}) {
    refused({"--profile", file, "--rule", "general", "--at", time}, 2, "write it like 2026-09-28T10:00");
  }
  refused({"--profile", file, "--rule", "general", "--at", "2026-03-09T10:00", "--tz", "Asia/Shanghai"}, 2,
          "--tz: Asia/Shanghai: write it like +08:00");
  const auto pause = [&](const std::string& text, const std::string& problem) {
    refused({"--profile", file, "--rule", "general", "--at", "2026-03-09T10:00", "--pause", text}, 2, problem);
  };
  pause("2026-03-09T10:00", "write it like FROM/TO");
  pause("2026-03-09T10:00/", "has no end");
  pause("2026-03-09T10:00/2026-03-09T10:00", "ends before it begins");
  pause("2026-03-09T10:00/soon", "write it like 2026-09-28T10:00");
  refused({"--profile", "/no/profile.json", "--rule", "general", "--at", "2026-03-09T10:00"}, 3,
          "/no/profile.json: the file cannot be read");
}

TEST_F(ProfileCommands, CheckSaysWhatItReadOrEveryMistake) {
  const auto fine = run({"profile", "check", shipped("binhai")}, false);
  EXPECT_EQ(fine.status, 0) << fine.output;
  EXPECT_EQ(fine.output,
            "ok: profile binhai (滨海新区): 5 limits, 12 categories, 3 processes, 0 units with office hours of their "
            "own, 108 special days, years to 2026\n");
  EXPECT_EQ(run({"profile", "check", shipped("heyang")}, false).status, 0);
  EXPECT_EQ(run({"config", "check"}).output, fine.output) << "the profile that a configuration names";

  auto text = read_file(third_county());
  const auto spoil = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  spoil("\"amount\": 1,", "\"amount\": 400,");
  spoil("duty_minutes", "minutes");
  spoil("\"limit\": \"reply\"", "\"limit\": \"answer\"");
  spoil("[\"13:00\", \"17:00\"]", "[\"11:00\", \"17:00\"]");
  write_file(dir / "wrong.json", text);
  const auto wrong = run({"profile", "check", (dir / "wrong.json").string()}, false);
  EXPECT_EQ(wrong.status, 1);
  EXPECT_EQ(wrong.output,
            "gridward-server: office_hours[1]: begins before the span above it ends\n"
            "gridward-server: limits.reply.amount: 400, at most 366\n"
            "gridward-server: limits.call.unit: \"minutes\", one of natural_minutes natural_days duty_minutes "
            "working_minutes working_days on_the_spot\n"
            "gridward-server: categories[0].limit: \"answer\" is not among the limits\n");
  const auto refused = run({"serve", "--set", "policy.file=" + (dir / "wrong.json").string()});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.output.find("limits.reply.amount: 400, at most 366"), std::string::npos) << refused.output;
  EXPECT_EQ(run({"config", "check", "--set", "policy.file=" + (dir / "wrong.json").string()}).status, 3);
  EXPECT_EQ(run({"profile", "check", (dir / "none.json").string()}, false).status, 1);
  EXPECT_EQ(run({"profile", "check"}, false).status, 2);
}

}  // namespace
}  // namespace gridward::test
