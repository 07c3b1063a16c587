// A small fleet for a short day against a real broker and the test's server.
#include <gtest/gtest.h>

#include <gridward/shared/down_items.hpp>
#include <gridward/test/mosquitto.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/test_server.hpp>
#include <nlohmann/json.hpp>
#include <set>

namespace gridward::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTown = "120116135";
const std::string kDeviceProgram = program("device/gridward-device").string();
const std::string kSimProgram = program("firmware-sim/gridward-sim").string();

class FleetRun : public ::testing::Test {
 protected:
  static MosquittoOptions options() {
    MosquittoOptions result;
    result.users = {{"server", "server-secret"}};
    for (int i = 0; i < kCount; ++i) result.users[name(i)] = "secret-" + name(i);
    result.acl =
        "user server\ntopic readwrite gridward/1/#\n\n"
        "pattern write gridward/1/up/+/%u\npattern write gridward/1/media/+/%u\npattern read gridward/1/down/+/%u\n";
    return result;
  }
  static std::string name(int i) { return "hh-" + std::to_string(i); }
  static Polygon grid(int i) {
    const double west = 117.80 + 0.02 * i;
    return {{geo_point(39.28, west), geo_point(39.28, west + 0.015), geo_point(39.29, west + 0.015),
             geo_point(39.29, west)},
            {}};
  }
  FleetRun() : broker_(options()), server_(broker_.uri(), "", kTown, "server", "server-secret") {}

  void SetUp() override {
    nlohmann::json fleet{{"behaviour", behaviour()}, {"handhelds", nlohmann::json::array()}};
    for (int i = 0; i < kCount; ++i) {
      const auto folder = dir_ / name(i);
      std::filesystem::create_directories(folder);
      write_file(folder / "device.json", nlohmann::json{{"broker", broker_.uri()},
                                                        {"device", name(i)},
                                                        {"town", kTown},
                                                        {"password", "secret-" + name(i)},
                                                        {"actor", "m010" + std::to_string(i)},
                                                        {"data_dir", "box"},
                                                        {"track_interval_ms", 1000},
                                                        {"track_batch_ms", 3000},
                                                        {"heartbeat_ms", 5000},
                                                        {"min_free_bytes", 0}}
                                             .dump());
      const auto made = run_command({kDeviceProgram, "--config", (folder / "device.json").string(), "init"});
      ASSERT_EQ(made.status, 0) << made.output;
      nlohmann::json ring = nlohmann::json::array();
      for (const auto& p : grid(i).outer) ring.push_back({lon_deg(p), lat_deg(p)});
      fleet["handhelds"].push_back({{"config", name(i) + "/device.json"}, {"grid", ring}});
    }
    write_file(dir_ / "fleet.json", fleet.dump());
  }
  static nlohmann::json behaviour() {
    return {{"start_within_s", 0.5}, {"report_min_s", 2},   {"report_max_s", 3}, {"max_reports", 2},
            {"verify_min_s", 0.2},   {"verify_max_s", 0.4}, {"travel_mps", 500}};
  }
  void change_behaviour(const nlohmann::json& more) {
    auto fleet = nlohmann::json::parse(read_file(dir_ / "fleet.json"));
    fleet["behaviour"].update(more);
    write_file(dir_ / "fleet.json", fleet.dump());
  }
  std::string write_scenario(const nlohmann::json& groups, int processes = 1) {
    write_file(dir_ / "scenario.json", nlohmann::json{{"processes", processes}, {"groups", groups}}.dump());
    return (dir_ / "scenario.json").string();
  }
  std::unique_ptr<Process> start(std::vector<std::string> more = {}) {
    std::vector<std::string> words{kSimProgram, "run", "--fleet", (dir_ / "fleet.json").string(),
                                   "--seed",    "5",   "--drain", "30"};
    words.insert(words.end(), more.begin(), more.end());
    return std::make_unique<Process>(words, dir_ / "sim.log");
  }
  std::string log() const { return read_file(dir_ / "sim.log"); }
  nlohmann::json last_line() const {
    const auto text = log();
    const auto end = text.find_last_not_of('\n');
    const auto begin = text.rfind('\n', end);
    return nlohmann::json::parse(text.substr(begin + 1), nullptr, false);
  }

  static constexpr int kCount = 4;
  TempDir dir_;
  Mosquitto broker_;
  TestServer server_;
};

TEST_F(FleetRun, AShortDay) {
  const auto sim = start();
  ASSERT_TRUE(wait_until([&] { return server_.complete_photos() >= 2 * kCount; }, 60s)) << log();

  // A verify task for one of the reports goes down to the one who made it.
  std::optional<Record> report;
  for (const auto& record : server_.records()) {
    if (std::holds_alternative<ReportBody>(record.body)) report = record;
  }
  ASSERT_TRUE(report && report->fix);
  TaskItem task;
  task.task = report->id;
  task.task_kind = "verify";
  task.case_id = report->id;
  task.number = "YJB-0001";
  task.category = "井盖缺失破损";
  task.text = "请核查";
  task.point = report->fix->point;
  const auto device = name(report->actor.back() - '0');
  server_.send_item(device, "task", encode_item(task));
  std::optional<Record> result;
  ASSERT_TRUE(wait_until(
      [&] {
        for (const auto& record : server_.records()) {
          if (std::holds_alternative<TaskResultBody>(record.body)) result = record;
        }
        return result.has_value();
      },
      20s))
      << log();
  EXPECT_EQ(std::get<TaskResultBody>(result->body).task, task.task);
  EXPECT_EQ(std::get<TaskResultBody>(result->body).outcome, TaskOutcome::confirmed);
  EXPECT_EQ(result->media.at(0).role, MediaRole::after);
  ASSERT_TRUE(result->fix);
  EXPECT_LT(distance_m(result->fix->point, *task.point), 60);  // the same place, but for the receiver's error

  std::this_thread::sleep_for(4s);  // a track batch or two
  EXPECT_EQ(sim->kill(SIGTERM), 0) << log();
  const auto summary = last_line();
  ASSERT_TRUE(summary.is_object()) << log();
  EXPECT_EQ(summary["handhelds"], kCount);
  EXPECT_EQ(summary["reports"], 2 * kCount);
  EXPECT_EQ(summary["tasks_verified"], 1);
  EXPECT_EQ(summary["waiting"], 0);
  EXPECT_EQ(summary["waiting_photos"], 0);
  EXPECT_EQ(summary["refused"], 0);
  EXPECT_EQ(summary["failed"], 0);
  EXPECT_EQ(summary["records"], server_.count());

  // The server's side of the same day.
  std::map<std::string, std::vector<Record>> days;
  std::size_t track_points = 0;
  for (const auto& record : server_.records()) days[record.actor].push_back(record);
  ASSERT_EQ(days.size(), static_cast<std::size_t>(kCount));
  for (const auto& [actor, records] : days) {
    const auto area = grid(actor.back() - '0');
    std::vector<Record> punches;
    std::copy_if(records.begin(), records.end(), std::back_inserter(punches),
                 [](const Record& record) { return std::holds_alternative<SignBody>(record.body); });
    ASSERT_EQ(punches.size(), 2U);  // a heartbeat may come before and after
    EXPECT_EQ(std::get<SignBody>(punches[0].body).act, SignAct::in);
    EXPECT_EQ(std::get<SignBody>(punches[1].body).act, SignAct::out);
    std::uint64_t seq = 1;
    for (const auto& record : records) {
      EXPECT_EQ(record.seq, seq++);
      if (record.fix) {
        EXPECT_TRUE(contains(area, record.fix->point) || distance_to_edge_m(area, record.fix->point) < 40);
        EXPECT_EQ(record.clock.source, ClockSource::gnss);
      }
      if (const auto* track = std::get_if<TrackBody>(&record.body)) {
        track_points += track->points.size();
        for (const auto& point : track->points) EXPECT_LE(point.at, punches[1].at);
      }
    }
  }
  EXPECT_GT(track_points, 4U * kCount);
  EXPECT_LE(track_points, summary["track_points"].get<std::size_t>());
}

TEST_F(FleetRun, KilledAndStartedAgainItGoesOn) {
  for (int i = 0; i < 3; ++i) {
    const auto sim = start();
    const auto before = server_.count();
    ASSERT_TRUE(wait_until([&] { return server_.count() >= before + 2 * kCount; }, 40s)) << log();
    sim->kill(SIGKILL);
  }
  const auto sim = start({"--minutes", "0.05"});
  EXPECT_EQ(sim->wait(), 0) << log();
  EXPECT_EQ(last_line()["waiting"], 0);
  EXPECT_EQ(last_line()["records"], server_.count());
  EXPECT_EQ(server_.conflicts(), 0);
}

TEST_F(FleetRun, TheWitnessNamesWhatWasSavedAndNoTwoPhotosAreTheSame) {
  std::filesystem::create_directories(dir_ / "photos");
  ASSERT_EQ(
      run_command({kSimProgram, "draw", "--out", (dir_ / "photos" / "one.jpg").string(), "--size", "320x240"}).status,
      0);
  const auto sim = start({"--minutes", "0.15", "--photos", (dir_ / "photos").string(), "--unique", "--witness",
                          (dir_ / "witness.log").string()});
  EXPECT_EQ(sim->wait(), 0) << log();
  std::map<std::string, std::vector<std::string>> saved;  // id: device, seq, kind, photos
  std::istringstream lines(read_file(dir_ / "witness.log"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::string device;
    std::string epoch;
    std::string id;
    words >> word >> device >> epoch >> id;
    ASSERT_EQ(word, "saved") << line;
    saved[id] = {device};
    while (words >> word) saved[id].push_back(word);
  }
  std::set<std::string> photos;
  for (const auto& record : server_.records()) {
    const auto kind = std::string(kind_name(record.body));
    if (kind == "status" || kind == "track") continue;  // nobody is told of these
    const auto found = saved.find(to_string(record.id));
    ASSERT_NE(found, saved.end()) << kind << " " << to_string(record.id);
    const auto& words = found->second;
    EXPECT_EQ(words.at(0), name(record.actor.back() - '0'));
    EXPECT_EQ(words.at(1), std::to_string(record.seq));
    EXPECT_EQ(words.at(2), kind);
    if (kind == "report") {
      ASSERT_EQ(record.media.size(), 1U);
      EXPECT_EQ(words.at(3), to_hex(record.media[0].sha256));
      photos.insert(words.at(3));
    }
    saved.erase(found);
  }
  EXPECT_TRUE(saved.empty());
  EXPECT_EQ(photos.size(), 2U * kCount);
}

TEST_F(FleetRun, AWrongClockIsCorrectedInItsRecordsAndTold) {
  change_behaviour({{"max_reports", 4}, {"report_min_s", 1}});
  const auto scenario = write_scenario({{{"clock", {{"jump_s", 7200}, {"jump_every_s", 1}}}}});
  const auto begin = std::chrono::system_clock::now();
  const auto sim = start({"--minutes", "0.2", "--scenario", scenario});
  EXPECT_EQ(sim->wait(), 0) << log();
  int corrected = 0;
  for (const auto& record : server_.records()) {
    if (record.clock.source == ClockSource::local) continue;  // before anything was known
    EXPECT_LT(std::chrono::abs(record.at - begin), 120s);
    if (std::llabs(record.clock.offset_ms) > 120'000) ++corrected;
  }
  EXPECT_GT(corrected, kCount);
}

// Everything at once, and nothing is lost by it.
TEST_F(FleetRun, AHostileScenarioEndsWithNothingWaiting) {
  change_behaviour({{"max_reports", -1}, {"report_min_s", 0.5}, {"report_max_s", 1}});
  const nlohmann::json link{{"delay_ms", 20}, {"jitter_ms", 20},    {"bytes_per_s", 2'000'000},
                            {"up_s", {2, 4}}, {"down_s", {0.3, 1}}, {"silent", 0.3}};
  const nlohmann::json delivery{{"duplicate", 0.2}, {"reorder", 0.2}, {"drop", 0.1}, {"hold_ms", 500}};
  const auto scenario = write_scenario(
      {{{"count", 1}, {"walk", "lanes"}, {"kills_per_h", 1200}, {"delivery", delivery}},
       {{"count", 1},
        {"reboots_per_h", 1200},
        {"delivery", delivery},
        {"clock", {{"skew_ms", 90'000}, {"drift_ppm", 100}, {"jump_s", 600}, {"jump_every_s", 2}}}},
       {{"count", 1},
        {"battery", {{"start_percent", 20}, {"drain_percent_per_h", 14'400}, {"charge_percent_per_h", 36'000}}},
        {"delivery", delivery},
        {"link", link}},
       {{"duty", {{0, 0.1}, {0.15, 0.5}}}, {"link", link}, {"delivery", delivery}}},
      2);
  // A handheld waits up to a minute between two tries to connect.
  const auto sim = start(
      {"--minutes", "0.3", "--drain", "150", "--scenario", scenario, "--witness", (dir_ / "witness.log").string()});
  EXPECT_EQ(sim->wait(), 0) << log();
  const auto summary = last_line();
  ASSERT_TRUE(summary.is_object()) << log();
  for (const char* key : {"waiting", "waiting_photos", "refused", "failed"}) EXPECT_EQ(summary[key], 0) << key;
  for (const char* key : {"reports", "reboots", "kills", "power_cuts", "duplicated", "reordered", "dropped"}) {
    EXPECT_GT(summary[key], 0) << key;
  }
  // What members were told is on the server, once.
  std::map<std::string, int> there;
  for (const auto& record : server_.records()) ++there[to_string(record.id)];
  EXPECT_EQ(summary["records"], there.size());
  EXPECT_EQ(server_.conflicts(), 0);
  std::size_t saved = 0;
  std::istringstream lines(read_file(dir_ / "witness.log"));
  for (std::string word, device, epoch, id, rest;
       lines >> word >> device >> epoch >> id && std::getline(lines, rest);) {
    if (word != "saved") continue;
    ++saved;
    EXPECT_EQ(there[id], 1) << id;
  }
  EXPECT_GT(saved, 20U);
  // Boots are what the clocks count from.
  std::map<std::string, std::set<std::string>> boots;
  for (const auto& record : server_.records()) boots[record.actor].insert(to_string(record.boot));
  EXPECT_EQ(boots["m0100"].size(), 1U);
  EXPECT_GT(boots["m0101"].size(), 1U);
  EXPECT_GT(boots["m0102"].size(), 1U);
  // One of them signed out for a while.
  int signs = 0;
  for (const auto& record : server_.records()) {
    signs += record.actor == "m0103" && std::holds_alternative<SignBody>(record.body) ? 1 : 0;
  }
  EXPECT_EQ(signs, 4);
}

TEST_F(FleetRun, WhatHappensIsTheSameForTheSameSeed) {
  const auto scenario =
      write_scenario({{{"count", 2}, {"reboots_per_h", 2400}, {"duty", {{0.02, 0.05}}}}, {{"kills_per_h", 1800}}}, 2);
  const auto happened = [&](const char* seed) {
    std::filesystem::remove(dir_ / "sim.log");
    EXPECT_EQ(start({"--minutes", "0.1", "--scenario", scenario, "--seed", seed})->wait(), 0) << log();
    std::multiset<std::string> lines;
    std::istringstream all(log());
    for (std::string line; std::getline(all, line);) {
      // How soon the end comes is the machine's.
      const auto at = line.rfind(", at ");
      if (at != std::string::npos && std::stod(line.substr(at + 5)) < 4) lines.insert(line.substr(9));
    }
    return lines;
  };
  const auto once = happened("7");
  EXPECT_GT(once.size(), 6U);
  EXPECT_EQ(once, happened("7"));
  EXPECT_NE(once, happened("8"));
}

TEST_F(FleetRun, ASmallOutboxIsFullAndTheMemberIsTold) {
  change_behaviour({{"max_reports", -1}, {"report_min_s", 0.1}, {"report_max_s", 0.2}});
  const auto scenario = write_scenario({{{"disk", {{"outbox_mb", 1}}}, {"link", "none"}}});
  // At the end the link is there; a handheld that tried in vain for so long may be half a minute away from its next
  // try.
  const auto sim = start({"--minutes", "0.2", "--drain", "120", "--scenario", scenario});
  EXPECT_EQ(sim->wait(), 0) << log();
  EXPECT_GT(last_line()["full"], 0);
  EXPECT_EQ(last_line()["waiting"], 0);
  EXPECT_EQ(last_line()["records"], server_.count());
}

TEST_F(FleetRun, ProcessesAreCountedTogetherAndEndTogether) {
  const auto sim = start({"--processes", "3"});
  ASSERT_TRUE(wait_until([&] { return server_.complete_photos() >= 2 * kCount; }, 60s)) << log();
  EXPECT_EQ(sim->kill(SIGTERM), 0) << log();
  EXPECT_EQ(last_line()["handhelds"], kCount);
  EXPECT_EQ(last_line()["reports"], 2 * kCount);
  EXPECT_EQ(last_line()["records"], server_.count());

  // Killed, it takes them along: their data folders are free for the next.
  const auto killed = start({"--processes", "3"});
  ASSERT_TRUE(wait_until([&] { return log().find("connected") != std::string::npos; }, 20s)) << log();
  killed->kill(SIGKILL);
  EXPECT_EQ(start({"--minutes", "0.05"})->wait(), 0) << log();
  EXPECT_EQ(last_line()["failed"], 0);
}

TEST_F(FleetRun, AScenarioThatIsWrongIsToldWithItsPlace) {
  const auto told = run_command({kSimProgram, "run", "--fleet", (dir_ / "fleet.json").string(), "--scenario",
                                 write_scenario({{{"link", "5g"}}})});
  EXPECT_EQ(told.status, 3);
  EXPECT_NE(told.output.find("groups[0].link"), std::string::npos) << told.output;
}

TEST_F(FleetRun, WithoutAServerItSaysWhatWaits) {
  broker_.stop();
  const auto sim = start({"--minutes", "0.05", "--drain", "1"});
  EXPECT_EQ(sim->wait(), 1);
  EXPECT_GT(last_line()["waiting"], 0);
}

TEST_F(FleetRun, ASoftLimitOfOpenFilesIsRaisedAndAHardOneIsTold) {
  const auto limited = [&](const char* limits) {
    return run_command({"sh", "-c", std::string(limits) + " && exec \"$@\"", "sh", kSimProgram, "run", "--fleet",
                        (dir_ / "fleet.json").string(), "--minutes", "0.03", "--quiet"});
  };
  const auto raised = limited("ulimit -Sn 30");
  EXPECT_EQ(raised.status, 0) << raised.output;
  const auto refused = limited("ulimit -Sn 50 && ulimit -Hn 50");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("4 handhelds need 68 descriptors, the hard limit is 50"), std::string::npos)
      << refused.output;
}

// Folders of the same name in different places.
TEST_F(FleetRun, NamesakesDoNotTakeEachOthersPhotos) {
  auto fleet = nlohmann::json::parse(read_file(dir_ / "fleet.json"));
  fleet["behaviour"].update({{"report_min_s", 0}, {"report_max_s", 0.05}, {"max_reports", 12}});
  for (int i = 0; i < kCount; ++i) {
    const auto folder = dir_ / ("place-" + std::to_string(i));
    std::filesystem::create_directories(folder);
    std::filesystem::rename(dir_ / name(i), folder / "hh");
    fleet["handhelds"][static_cast<std::size_t>(i)]["config"] = folder.filename().string() + "/hh/device.json";
  }
  write_file(dir_ / "fleet.json", fleet.dump());
  const auto sim = start({"--threads", "4"});
  ASSERT_TRUE(wait_until([&] { return server_.complete_photos() == 12U * kCount; }, 100s)) << log();
  EXPECT_EQ(sim->kill(SIGTERM), 0) << log();
  EXPECT_EQ(last_line()["failed"], 0) << log();
}

TEST(Sim, UsageAndFiles) {
  EXPECT_EQ(run_command({kSimProgram}).status, 2);
  EXPECT_EQ(run_command({kSimProgram, "run"}).status, 2);
  EXPECT_EQ(run_command({kSimProgram, "run", "--fleet", "/nowhere.json"}).status, 3);
  EXPECT_EQ(run_command({kSimProgram, "run", "--fleet", "/nowhere.json", "--unique"}).status, 2);
  EXPECT_EQ(run_command({kSimProgram, "draw"}).status, 2);
  EXPECT_EQ(run_command({kSimProgram, "nmea", "--log", "/nowhere", "--to", "39,117"}).status, 1);
  EXPECT_EQ(run_command({kSimProgram, "nmea", "--log", "/nowhere", "--to", "39"}).status, 2);
  const TempDir dir;
  EXPECT_EQ(
      run_command({kSimProgram, "draw", "--out", (dir / "x").string(), "--count", "3", "--size", "320x240"}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(dir / "x" / "scene-3.jpg"));
  EXPECT_EQ(run_command({kSimProgram, "draw", "--out", (dir / "y.jpg").string(), "--size", "320x240"}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(dir / "y.jpg"));
}

}  // namespace
}  // namespace gridward::test
