// The program against a real mosquitto with TLS, users and ACL.
#include <gridward/shared/down_items.hpp>

#include "device_fixture.hpp"

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

class Agent : public DeviceTest {
 protected:
  Agent() : broker_(broker_options()), server_(broker_.uri(), broker_.ca_file(), kTown, "server", "server-secret") {}
  void SetUp() override { configure(broker_.uri(), broker_.ca_file()); }

  RunResult report(const std::string& text, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"report", "--category", "A01", "--text", text};
    words.insert(words.end(), more.begin(), more.end());
    auto result = command(words);
    EXPECT_EQ(result.status, 0) << result.output;
    return result;
  }
  bool drained(std::chrono::milliseconds limit = 20s) {
    return wait_until(
        [&] {
          const auto now = status();
          return now["waiting_records"] == 0 && now["waiting_media"] == 0;
        },
        limit);
  }

  Mosquitto broker_;
  TestServer server_;
};

TEST_F(Agent, WhatWasSavedOfflineArrivesSignedWithItsPhotos) {
  server_.key = key();
  const auto a = photo("a.jpg", 700'000, 1);
  const auto b = photo("b.jpg", 3'000, 2);
  report("井盖破损", {"--photo", a, "--photo", b});
  report("路灯不亮");
  EXPECT_EQ(status()["waiting_records"], 2);
  EXPECT_EQ(status()["waiting_media"], 2);

  const auto running = agent();
  ASSERT_TRUE(drained()) << agent_log() << broker_.log();
  const auto records = server_.records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(std::get<ReportBody>(records[0].body).text, "井盖破损");
  EXPECT_EQ(records[0].actor, "wg0001");
  EXPECT_EQ(records[0].media.size(), 2U);
  EXPECT_EQ(server_.bad_signatures(), 0);
  for (const auto& file : {a, b}) {
    const auto got = server_.photo(hash_of(file));
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->complete);
    EXPECT_EQ(got->received, std::filesystem::file_size(file));  // no byte twice
  }
  EXPECT_GT(status()["last_receipt"], 0);
}

TEST_F(Agent, ANewReportOfAnotherProcessIsNoticedAtOnce) {
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.hellos() > 0; })) << agent_log();
  for (int i = 0; i < 3; ++i) {
    report("第" + std::to_string(i));
    const auto saved = std::chrono::steady_clock::now();
    ASSERT_TRUE(wait_until([&] { return server_.count() == static_cast<std::size_t>(i + 1); }, 5s));
    EXPECT_LT(std::chrono::steady_clock::now() - saved, 1s);
  }
}

TEST_F(Agent, OneAgentForAFolder) {
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.hellos() > 0; }));
  const auto second = command({"run"});
  EXPECT_EQ(second.status, 6);
  EXPECT_NE(second.output.find("An agent runs on this data folder already"), std::string::npos) << second.output;
  EXPECT_NE(second.output.find("process " + std::to_string(running->pid())), std::string::npos) << second.output;
  const auto zh = run_command({program(), "--lang", "zh", "--config", config_file(), "run"});
  EXPECT_NE(zh.output.find("此数据目录上已有代理在运行"), std::string::npos) << zh.output;
}

TEST_F(Agent, ASecondCopyIsTheSameRecord) {
  // The server takes the message and its receipt is lost: the device sends again after its timeout or reconnect.
  report("一");
  {
    const auto running = agent();
    ASSERT_TRUE(wait_until([&] { return server_.count() == 1; }));
    running->kill(SIGKILL);
  }
  const auto running = agent();
  ASSERT_TRUE(drained());
  EXPECT_EQ(server_.count(), 1U);
  EXPECT_EQ(server_.conflicts(), 0);
}

TEST_F(Agent, BusyIsWaitedFor) {
  std::atomic<int> left = 3;
  server_.busy = 300ms;
  server_.drop_up = [&](const UpMessage& up) { return !up.hello && left-- > 0; };
  report("一");
  const auto running = agent();
  ASSERT_TRUE(drained()) << agent_log();
  EXPECT_EQ(server_.count(), 1U);
  EXPECT_NE(agent_log().find("server busy"), std::string::npos);
}

TEST_F(Agent, ARefusedRecordIsKeptAndMayTryAgain) {
  std::atomic<bool> refuse = true;
  server_.refuse = [&](const Record& record) -> std::optional<BadRecord> {
    if (!refuse || std::get<ReportBody>(record.body).text != "坏") return std::nullopt;
    return BadRecord{record.id, ErrorCode::unknown_category, "事项清单中没有这个类别"};
  };
  report("坏");
  report("好");
  const auto running = agent();
  ASSERT_TRUE(drained());
  const auto now = status();
  ASSERT_EQ(now["refused"].size(), 1U) << now;
  EXPECT_EQ(now["refused"][0]["code"], 1108);
  EXPECT_EQ(now["refused"][0]["reason"], "事项清单中没有这个类别");
  EXPECT_EQ(server_.count(), 1U);
  refuse = false;
  EXPECT_EQ(command({"retry"}).output, "1\n");
  ASSERT_TRUE(wait_until([&] { return server_.count() == 2; }));
}

TEST_F(Agent, ARefusedAnswerOpensItsTaskAgain) {
  TaskItem task;
  task.task = uuid_from_string("018f0000-0000-7000-8000-000000000001").value();
  task.task_kind = "verify";
  task.case_id = task.task;
  task.number = "YJB-0001";
  task.category = "道路破损";
  server_.send_item(kDevice, "task", encode_item(task), false);
  server_.refuse = [](const Record& record) -> std::optional<BadRecord> {
    return BadRecord{record.id, ErrorCode::unknown_actor, "不在名册"};
  };
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.acknowledged() == 1; })) << agent_log();
  ASSERT_EQ(command({"task", "done", to_string(task.task), "--outcome", "confirmed", "--text", "已修复"}).status, 0);
  ASSERT_TRUE(wait_until([&] {
    return agent_log().find("task open again " + to_string(task.task)) != std::string::npos;
  })) << agent_log();
  EXPECT_EQ(status()["open_tasks"], 1);
}

// A device that was wiped, and a broker that brings the items in another order.
TEST_F(Agent, AfterAWipeTheLowestItemWinsWhateverTheOrder) {
  server_.start_numbers_at(58);
  server_.items_backwards = true;
  for (const char* text : {"一", "二", "三"})
    server_.send_item(kDevice, "notice", encode_item(NoticeItem{text}), false);
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.acknowledged() == 60; })) << agent_log();
  const auto log = agent_log();
  for (const char* number : {"#58", "#59", "#60"}) EXPECT_NE(log.find(number), std::string::npos) << log;
}

// The link drops the first item and brings the second.
TEST_F(Agent, WhatCameFirstIsNotTakenForTheFirst) {
  server_.start_numbers_at(58);
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.hellos() == 1; }));
  server_.send_item(kDevice, "notice", encode_item(NoticeItem{"一"}), false);
  server_.send_item(kDevice, "notice", encode_item(NoticeItem{"二"}));
  ASSERT_TRUE(wait_until([&] { return agent_log().find("#59") != std::string::npos; })) << agent_log();
  std::this_thread::sleep_for(3s);
  EXPECT_LT(server_.acknowledged(), 58U);
  broker_.kill9();
  broker_.start();
  ASSERT_TRUE(wait_until([&] { return server_.acknowledged() == 59; }, 40s)) << agent_log();
  EXPECT_NE(agent_log().find("#58"), std::string::npos) << agent_log();
}

TEST_F(Agent, ReconnectsAfterTheBrokerDied) {
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.hellos() == 1; }));
  broker_.kill9();
  report("断网时");
  broker_.start();
  ASSERT_TRUE(drained(40s)) << agent_log();
  EXPECT_EQ(server_.count(), 1U);
  EXPECT_GE(server_.hellos(), 2);
}

TEST_F(Agent, APhotoResumesInsideTheFile) {
  const auto file = photo("big.jpg", 5'000'000);
  std::atomic<std::uint64_t> pieces = 0;
  std::atomic<std::uint64_t> stop_after = 6;
  server_.drop_piece = [&](const MediaPiece& piece) { return !piece.data.empty() && ++pieces > stop_after; };
  report("大", {"--photo", file});
  {
    const auto running = agent();
    ASSERT_TRUE(wait_until([&] { return pieces > stop_after; }));
    running->kill(SIGKILL);
  }
  const auto before = server_.photo(hash_of(file))->received;
  EXPECT_GT(before, 0U);
  server_.drop_piece = nullptr;
  const auto running = agent();
  ASSERT_TRUE(drained()) << agent_log();
  const auto got = server_.photo(hash_of(file));
  EXPECT_TRUE(got->complete);
  // What the server had was not sent again.
  EXPECT_EQ(got->received, 5'000'000U);
}

TEST_F(Agent, ABrokerThatForbidsIsNotHammered) {
  configure(broker_.uri(), broker_.ca_file(), {{"town", kTown}, {"device", "hh-0002"}, {"user", kDevice}});
  // Topics of hh-0002, user hh-0001: the ACL refuses.
  report("一");
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] {
    return agent_log().find("refuses what this device sends (0x87)") != std::string::npos;
  })) << agent_log();
  std::this_thread::sleep_for(4s);
  EXPECT_EQ(server_.count(), 0U);
  EXPECT_EQ(status()["waiting_records"], 1);
  const auto log = agent_log();
  EXPECT_LT(std::count(log.begin(), log.end(), '\n'), 6) << log;
}

TEST_F(Agent, AWrongPasswordOrCertificateNeverSends) {
  configure(broker_.uri(), broker_.ca_file(), {{"password", "wrong"}});
  report("一");
  {
    const auto running = agent();
    ASSERT_TRUE(wait_until([&] { return agent_log().find("disconnected") != std::string::npos; }));
  }
  const Mosquitto stranger({.tls = true});  // another CA
  configure(broker_.uri(), stranger.ca_file());
  const auto running = agent();
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(server_.count(), 0U);
}

TEST_F(Agent, ATaskComesDownIsDoneAndAcknowledged) {
  server_.start_numbers_at(58);  // the folder was wiped; the server goes on counting
  TaskItem task;
  task.task = uuid_from_string("018f0000-0000-7000-8000-000000000001").value();
  task.task_kind = "verify";
  task.case_id = uuid_from_string("018f0000-0000-7000-8000-000000000002").value();
  task.number = "YJB-0001";
  task.category = "道路破损";
  task.text = "请核查";
  server_.send_item(kDevice, "task", encode_item(task), false);
  server_.send_item(kDevice, "notice", encode_item(NoticeItem{"注意防汛"}), false);
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.acknowledged() == 59; })) << agent_log();

  const auto list = nlohmann::json::parse(command({"task", "list", "--json"}).output);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["number"], "YJB-0001");
  const auto after = photo("after.jpg", 20'000, 9);
  const auto done =
      command({"task", "done", to_string(task.task), "--outcome", "confirmed", "--text", "已修复", "--photo", after});
  ASSERT_EQ(done.status, 0) << done.output;
  ASSERT_TRUE(drained());
  const auto records = server_.records();
  ASSERT_EQ(records.size(), 1U);
  const auto& body = std::get<TaskResultBody>(records[0].body);
  EXPECT_EQ(body.task, task.task);
  EXPECT_EQ(body.outcome, TaskOutcome::confirmed);
  EXPECT_EQ(records[0].media.at(0).role, MediaRole::after);
  EXPECT_TRUE(server_.photo(hash_of(after))->complete);
  EXPECT_EQ(command({"task", "list"}).output, "no tasks\n");

  server_.send_item(kDevice, "notice", encode_item(NoticeItem{"再次"}));
  EXPECT_TRUE(wait_until([&] { return server_.acknowledged() == 60; }));
}

// The backup is exactly what the device knew it to be (`safe` is the same before and after), the agent stays up.
TEST_F(Agent, TheMatterListServesReportsOffline) {
  const Mosquitto broker(broker_options());
  configure(broker.uri(), broker.ca_file());
  EXPECT_EQ(command({"categories", "--json"}).output, "[]\n");
  EXPECT_NE(command({"categories"}).output.find("no matter list"), std::string::npos);
  // Without a list nothing is said of a category.
  EXPECT_EQ(command({"report", "--category", "X99", "--text", "一"}).output.find("matter list"), std::string::npos);
  {
    TestServer server(broker.uri(), broker.ca_file(), kTown, "server", "server-secret");
    CategoriesItem list;
    list.rev = "c7";
    list.list = {
        {"A01", "暴露垃圾", "市容"}, {"B02", "井盖破损", "市政"}, {"B03", "其他", "市政"}, {"A09", "其他", "市容"}};
    SettingsItem settings;
    settings.rev = "s3";
    const auto running = agent();
    ASSERT_TRUE(wait_until([&] { return server.count() == 1; }));
    server.send_item(kDevice, "categories", encode_item(list).value());
    server.send_item(kDevice, "settings", encode_item(settings));
    ASSERT_TRUE(wait_until([&] { return status()["settings_rev"] == "s3"; }));
    // What the agent's process knows of its link, the command knows.
    EXPECT_EQ(status()["link"], "connected");
    EXPECT_NE(command({"status"}).output.find("link: connected"), std::string::npos);
    running->kill();
    EXPECT_EQ(status()["link"], "no_agent");
  }
  EXPECT_EQ(status()["categories_rev"], "c7");
  EXPECT_NE(command({"status"}).output.find("settings: s3, matter list: c7"), std::string::npos);
  EXPECT_EQ(command({"categories"}).output,
            "市容\n  A01  暴露垃圾\n市政\n  B02  井盖破损\n  B03  其他\n市容\n  A09  其他\n");
  EXPECT_EQ(nlohmann::json::parse(command({"categories", "--json"}).output)[1],
            (nlohmann::json{{"code", "B02"}, {"name", "井盖破损"}, {"group", "市政"}}));
  const auto report = [&](const std::string& category) {
    const auto result = command({"report", "--category", category, "--text", category, "--no-position"});
    EXPECT_EQ(result.status, 0) << result.output;
    return result.output;
  };
  EXPECT_EQ(report("B02").find("matter"), std::string::npos);
  EXPECT_EQ(report("井盖破损").find("matter"), std::string::npos);
  EXPECT_NE(report("其他").find("several matters are called 其他: B03 A09"), std::string::npos);
  EXPECT_NE(report("Z00").find("not in the matter list: Z00"), std::string::npos);
  TestServer server(broker.uri(), broker.ca_file(), kTown, "server", "server-secret");
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server.count() == 4; }));
  std::map<std::string, std::string> sent;
  for (const auto& record : server.records()) {
    const auto& body = std::get<ReportBody>(record.body);
    sent[body.text] = body.category;
  }
  EXPECT_EQ(sent, (std::map<std::string, std::string>{
                      {"B02", "B02"}, {"井盖破损", "B02"}, {"其他", "其他"}, {"Z00", "Z00"}}));
}

TEST_F(Agent, ARestoredServerGetsEverythingBack) {
  const auto old = photo("a.jpg", 50'000, 1);
  const auto late = photo("b.jpg", 50'000, 2);
  report("一", {"--photo", old});
  report("二");
  const auto running = agent();
  ASSERT_TRUE(drained());
  server_.back_up();
  server_.set_safe(2);
  report("三", {"--photo", late});
  ASSERT_TRUE(wait_until([&] { return server_.count() == 3; }));
  ASSERT_TRUE(drained());
  EXPECT_EQ(status()["safe"], 2);
  ASSERT_TRUE(wait_until([&] { return status()["stored_records"] == 1; })) << status();

  server_.restore();
  ASSERT_EQ(server_.count(), 2U);
  report("四");  // the receipt of this one tells
  ASSERT_TRUE(wait_until([&] { return server_.count() == 4; })) << agent_log();
  ASSERT_TRUE(drained()) << agent_log();
  const auto again = server_.photo(hash_of(late));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->complete);
  EXPECT_NE(agent_log().find("restored from a backup"), std::string::npos) << agent_log();
  EXPECT_EQ(server_.conflicts(), 0);
}

TEST_F(Agent, AServerRestoredWhileTheAgentWasAwayIsNoticedByItsGreeting) {
  report("一");
  auto running = agent();
  ASSERT_TRUE(drained());
  server_.set_safe(0);
  running->kill(SIGKILL);
  server_.restore();  // its backup is empty
  ASSERT_EQ(server_.count(), 0U);
  running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.count() == 1; })) << agent_log();
}

TEST_F(Agent, TheServersTimeIsTheClockWithoutAReceiver) {
  const auto running = agent();
  report("一");
  ASSERT_TRUE(drained());
  report("二");
  ASSERT_TRUE(drained());
  const auto records = server_.records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].clock.source, ClockSource::server);
  EXPECT_GT(records[1].clock.error_ms, 0U);
  EXPECT_LT(records[1].clock.error_ms, 2'000U);
  EXPECT_EQ(records[0].boot, records[1].boot);
  EXPECT_GT(records[1].mono, records[0].mono);
}

TEST_F(Agent, AStopLeavesInOrder) {
  const auto running = agent();
  ASSERT_TRUE(wait_until([&] { return server_.hellos() == 1; }));
  EXPECT_EQ(running->kill(SIGTERM), 0);
}

}  // namespace
}  // namespace gridward::test
