// The handheld: whatever said "saved" is there after a power cut at every point, whole; whatever was sent or
// acknowledged is, too, so that no number is given twice and nothing that came down is lost.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <gridward/test/mosquitto.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/test_server.hpp>
#include <gridward_device/outbox.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "sweep.hpp"

namespace gridward::powerloss {
namespace {

using namespace std::chrono_literals;
using test::Process;
using test::run_command;
using test::RunResult;

constexpr const char* kTown = "120116115";
constexpr const char* kDevice = "hh-0001";

std::string integrity(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  std::string answer = "cannot be opened";
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    const auto take = [](void* user, int, char** values, char**) {
      *static_cast<std::string*>(user) = values[0];
      return 0;
    };
    char* problem = nullptr;
    if (sqlite3_exec(db, "PRAGMA integrity_check(1)", take, &answer, &problem) != SQLITE_OK) answer = problem;
    sqlite3_free(problem);
  }
  sqlite3_close(db);
  return answer;
}

// What a member was told is saved.
struct Saved {
  std::string text;
  std::optional<Sha256> photo;
};

// What is found on a disk after the power came back.
struct Found {
  struct One {
    std::uint64_t seq = 0;
    std::string text;
    std::vector<Sha256> photos;
    bool waiting = false;
  };
  std::string broken;  // why nothing can be said
  bool enrolled = false;
  std::map<std::string, One> records;
  std::map<std::uint64_t, std::string> by_seq;
  std::uint64_t next_seq = 1;
  std::set<Sha256> waiting_photos;
  std::vector<std::string> torn;
  std::uint64_t acknowledged = 0;
  std::set<std::string> tasks;  // open or done
};

class HandheldPower : public ::testing::Test {
 protected:
  HandheldPower() {
    std::filesystem::create_directory(root());
    configure("tcp://127.0.0.1:9");
    begin();
  }

  std::filesystem::path root() const { return dir_ / "root"; }
  std::string config(const char* name = "device") const { return (dir_ / (std::string(name) + ".json")).string(); }
  // The data folder is two folders down, and so is the key, elsewhere: the program makes all of them.
  void configure(const std::string& broker) {
    for (const auto& [name, folder] : {std::pair{"device", "root"}, std::pair{"copy", "copy"}}) {
      const nlohmann::json values{{"broker", broker},
                                  {"device", kDevice},
                                  {"town", kTown},
                                  {"actor", "wg0001"},
                                  {"data_dir", std::string(folder) + "/var/box"},
                                  {"key_file", std::string(folder) + "/etc/keys/device.key"},
                                  {"heartbeat_ms", -1},
                                  {"min_free_bytes", 0}};
      test::write_file(config(name), values.dump());
    }
  }
  // What is on the disk now is durable.
  void begin() { recording_.emplace(root()); }
  void start_again() {
    std::filesystem::remove_all(root());
    std::filesystem::create_directory(root());
    saved_.clear();
    begin();
  }

  static std::vector<std::string> words(const std::string& config, std::vector<std::string> more) {
    more.insert(more.begin(), {test::program("device/gridward-device").string(), "--lang", "en", "--config", config});
    return more;
  }
  RunResult command(std::vector<std::string> more) {
    return run_command(words(config(), std::move(more)), recording_->environment());
  }
  // A report, and what it promised when it promised it.
  RunResult report(const std::string& text, const std::string& photo = {}) {
    std::vector<std::string> more{"report", "--category", "A01", "--text", text, "--no-position"};
    if (!photo.empty()) more.insert(more.end(), {"--photo", photo});
    const auto result = command(std::move(more));
    keep(result, {text, photo.empty() ? std::nullopt : std::optional(hash_of(photo))});
    return result;
  }
  RunResult capture(std::vector<std::string> more) {
    more.emplace_back("--no-position");
    const auto result = command(std::move(more));
    keep(result, {});
    return result;
  }
  void keep(const RunResult& result, Saved saved) {
    // A line that was cut by the power had not been said.
    const auto at = result.output.find("saved ");
    if (at != std::string::npos && result.output.find('\n', at) != std::string::npos) {
      saved_[result.output.substr(at + 6, 36)] = std::move(saved);
    }
  }
  std::string photo(const std::string& name, std::size_t size, unsigned seed) {
    std::string data = "\xFF\xD8\xFF\xE0";
    std::mt19937 random(seed);
    while (data.size() < size) data.push_back(static_cast<char>(random()));
    test::write_file(dir_ / name, data);
    return (dir_ / name).string();
  }
  static Sha256 hash_of(const std::filesystem::path& file) {
    const auto data = test::read_file(file);
    return test::sha256(as_bytes(data));
  }
  std::unique_ptr<Process> agent() {
    return std::make_unique<Process>(words(config(), {"run"}), dir_ / "agent.log", recording_->environment());
  }
  nlohmann::json status() {
    const auto result = command({"status", "--json"});
    return result.status == 0 ? nlohmann::json::parse(result.output) : nlohmann::json();
  }
  bool drained() {
    const auto now = status();
    return now.is_object() && now["waiting_records"] == 0 && now["waiting_media"] == 0;
  }

  // Opens what is left with the real program, and looks into it.
  Found look(const Tree& tree) {
    Found found;
    write_tree(tree, dir_ / "copy");
    const auto box = dir_ / "copy/var/box";
    const auto said = run_command(words(config("copy"), {"status", "--json"}), without_syncs());
    if (said.status == 3) return found;  // never heard of
    found.enrolled = std::filesystem::exists(dir_ / "copy/etc/keys/device.key");
    if (said.status != 0) {
      found.broken = "status ends with " + std::to_string(said.status) + ": " + said.output;
      return found;
    }
    if (const auto answer = integrity(box / "outbox.db"); answer != "ok") {
      found.broken = "the outbox is damaged: " + answer;
      return found;
    }
    auto outbox = device::Outbox::open(box, {});
    if (!outbox) {
      found.broken = to_string(outbox.error());
      return found;
    }
    const auto summary = outbox->summary();
    found.next_seq = summary.next_seq;
    found.acknowledged = outbox->down_ack().value_or(0);
    for (const auto& row : outbox->tasks(true)) found.tasks.insert(to_string(row.item.task));
    std::set<std::uint64_t> waiting;
    for (const auto lane : {device::Lane::urgent, device::Lane::bulk}) {
      for (const auto& info : outbox->waiting(lane, 0, 10'000, SIZE_MAX)) waiting.insert(info.seq);
    }
    for (const auto& info : outbox->waiting_media({}, 10'000)) found.waiting_photos.insert(info.sha256);
    for (std::uint64_t seq = 1; seq < found.next_seq; ++seq) {
      for (const auto& bytes : outbox->load({seq})) {
        const auto record = decode_record(bytes);
        if (!record) {
          found.broken = "record " + std::to_string(seq) + ": " + to_string(record.error());
          return found;
        }
        const auto id = to_string(record->id);
        auto& one = found.records[id];
        one.seq = record->seq;
        one.waiting = waiting.contains(seq);
        if (const auto* body = std::get_if<ReportBody>(&record->body)) one.text = body->text;
        for (const auto& media : record->media) {
          one.photos.push_back(media.sha256);
          const auto path = outbox->media_path(media.sha256);
          if (!std::filesystem::exists(path) || hash_of(path) != media.sha256) {
            found.torn.push_back("the photo " + to_hex(media.sha256) + " of record " + std::to_string(seq));
          }
        }
        found.by_seq[seq] = id;
      }
    }
    return found;
  }
  // The same tree again costs nothing.
  const Found& look_once(const Tree& tree) {
    const auto key = fingerprint(tree);
    auto known = looked_.find(key);
    if (known == looked_.end()) known = looked_.emplace(key, look(tree)).first;
    return known->second;
  }

  // What had been promised after n operations, held against what is there. `gone`: the numbers up to this one may have
  // been forgotten.
  void judge(Findings& findings, std::uint64_t n, Loss loss, const Found& found, std::uint64_t gone = 0) const {
    if (!found.broken.empty()) findings.add(n, loss, found.broken);
    for (const auto& one : found.torn) findings.add(n, loss, "torn or missing: " + one);
    for (const auto& line : lines_) {
      if (line.n >= n) break;
      if (line.text.size() == 64 && !found.enrolled)
        findings.add(n, loss, "the key was told, and outbox or key is gone");
      if (!line.text.starts_with("saved ")) continue;
      const auto id = line.text.substr(6, 36);
      const auto seq = std::stoull(line.text.substr(line.text.find('#') + 1));
      const auto there = found.records.find(id);
      if (there == found.records.end()) {
        if (seq > gone) findings.add(n, loss, line.text + ", and it is gone");
        continue;
      }
      const auto& wanted = saved_.at(id);
      if (there->second.seq != seq || there->second.text != wanted.text)
        findings.add(n, loss, line.text + " is another");
      if (wanted.photo && there->second.photos != std::vector{*wanted.photo}) {
        findings.add(n, loss, line.text + " has another photo");
      }
    }
    for (const auto& sent : sent_) {
      if (sent.n >= n) break;
      const auto up = decode_up(sent.payload);
      if (!up) continue;
      for (const auto& bytes : up->records) {
        const auto record = decode_record(bytes).value();
        const auto there = found.by_seq.find(record.seq);
        const bool same = there != found.by_seq.end() && there->second == to_string(record.id);
        if (!same && (record.seq > gone || found.next_seq <= record.seq)) {
          findings.add(n, loss, "record " + std::to_string(record.seq) + " was sent, and its number is free again");
        }
      }
      if (up->ack && found.acknowledged < *up->ack) {
        findings.add(n, loss, "items up to " + std::to_string(*up->ack) + " were acknowledged, and are gone");
      }
    }
  }
  // After the last process: what the log says, ready for judge().
  void read_log() {
    lines_ = said(recording_->ops());
    sent_ = published(recording_->ops());
  }
  Findings sweep_all(const std::string& what, std::uint64_t step, std::uint64_t gone = 0) {
    read_log();
    Findings findings;
    sweep(*recording_, what, 0, step,
          [&](std::uint64_t n, Loss loss, const Tree& tree) { judge(findings, n, loss, look_once(tree), gone); });
    return findings;
  }

  void a_day_without_network() {
    const auto a = photo("a.jpg", 9000, 1);
    const auto b = photo("b.jpg", 6000, 2);
    ASSERT_EQ(command({"init"}).status, 0);
    ASSERT_EQ(report("路面破损", a).status, 0);
    ASSERT_EQ(capture({"sign-in"}).status, 0);
    ASSERT_EQ(report("没有照片").status, 0);
    ASSERT_EQ(capture({"patrol", "start"}).status, 0);
    ASSERT_EQ(report("同一张照片", a).status, 0);
    ASSERT_EQ(report("另一张照片", b).status, 0);
    ASSERT_EQ(capture({"patrol", "stop", "--text", "正常"}).status, 0);
    ASSERT_EQ(capture({"sign-out"}).status, 0);
    ASSERT_EQ(command({"init"}).status, 0);
    ASSERT_EQ(recording_->problem(), "");
    ASSERT_EQ(saved_.size(), 8U);
  }

  test::TempDir dir_;
  std::optional<Recording> recording_;
  std::map<std::string, Saved> saved_;  // by id
  std::vector<Line> lines_;
  std::vector<Published> sent_;
  std::map<std::uint64_t, Found> looked_;
};

TEST_F(HandheldPower, WhatSaidSavedIsThereAtEveryPoint) {
  a_day_without_network();
  const auto findings = sweep_all("handheld, commands", long_form() ? 1 : 2);
  EXPECT_EQ(findings.count(), 0U) << findings.text();
  EXPECT_GT(looked_.size(), 80U);
}

TEST_F(HandheldPower, ASyncThatIsLeftOutShows) {
  for (const char* left_out : {"/outbox.db-wal", "/var/box/media", "/var/box"}) {
    start_again();
    recording_->skip_sync(left_out);
    a_day_without_network();
    read_log();
    // Just after the last "saved", for the last `init` syncs everything.
    std::uint64_t n = 0;
    for (const auto& line : lines_) {
      if (line.text.starts_with("saved ")) n = line.n + 1;
    }
    Findings findings;
    Points points(recording_->begin(), recording_->ops());
    judge(findings, n, Loss::all, look(points.at(n).after(Loss::all, 1)));
    EXPECT_GT(findings.count(), 0U) << left_out;
  }
}

// The key that was told is the key that stays, also when the first `init` was killed.
TEST_F(HandheldPower, AnInitThatIsKilledAndThenAPowerCut) {
  ASSERT_EQ(command({"init"}).status, 0);
  const auto whole = recording_->count();
  Findings all;
  for (std::uint64_t k = 0; k < whole; k += long_form() ? 1 : 4) {
    start_again();
    recording_->kill_at(k);
    ASSERT_EQ(command({"init"}).status, 128 + SIGKILL) << k;
    recording_->kill_at(kNever);
    const auto told = command({"init"});
    ASSERT_EQ(told.status, 0) << k << told.output;
    ASSERT_EQ(recording_->problem(), "");
    Points points(recording_->begin(), recording_->ops());
    const auto n = recording_->count();
    for (const auto loss : kLosses) {
      write_tree(points.at(n).after(loss, seed() + k), dir_ / "copy");
      const auto again = run_command(words(config("copy"), {"init"}), without_syncs());
      if (again.output != told.output)
        all.add(k, loss, "killed there; the key was " + told.output + ", it is " + again.output);
    }
  }
  EXPECT_EQ(all.count(), 0U) << all.text();
}

// Agent, broker and a server that receipts, sends a task and has a backup in the middle.
TEST_F(HandheldPower, WhatWasSentIsThereAtEveryPoint) {
  const test::Mosquitto broker;
  configure(broker.uri());
  test::TestServer server(broker.uri(), "", kTown);
  ASSERT_EQ(command({"init"}).status, 0);
  const auto running = agent();
  for (int i = 1; i <= 3; ++i) {
    const auto file = photo("p" + std::to_string(i), 5000, static_cast<unsigned>(i));
    ASSERT_EQ(report("第" + std::to_string(i) + "件", file).status, 0);
  }
  const auto drained_now = [&] { return drained(); };
  ASSERT_TRUE(test::wait_until(drained_now, 30s)) << test::read_file(dir_ / "agent.log");
  const std::string task = "0192d3f0-0000-7000-8000-000000000001";
  server.send_item(kDevice, "task",
                   R"({"task":")" + task + R"(","task_kind":"verify","case":"0192d3f0-0000-7000-8000-000000000002",)" +
                       R"("number":"BH-1","category":"路面破损"})");
  ASSERT_TRUE(test::wait_until([&] { return server.acknowledged() == 1; }, 30s)) << test::read_file(dir_ / "agent.log");
  server.set_safe(2);
  const auto after = photo("after", 5000, 9);
  ASSERT_EQ(capture({"task", "done", task, "--outcome", "confirmed", "--photo", after}).status, 0);
  saved_.rbegin()->second.photo = hash_of(after);
  ASSERT_TRUE(test::wait_until(drained_now, 30s)) << test::read_file(dir_ / "agent.log");
  ASSERT_TRUE(test::wait_until([&] { return status()["stored_records"] == 2; }, 30s)) << "nothing was forgotten";
  ASSERT_EQ(running->kill(SIGTERM), 0);
  ASSERT_EQ(recording_->problem(), "");
  ASSERT_EQ(server.count(), 4U);
  ASSERT_EQ(server.complete_photos(), 4U);

  read_log();
  EXPECT_GE(sent_.size(), 8U);
  Findings findings;
  const auto received = server.records();
  sweep(*recording_, "handheld, agent", 0, long_form() ? 1 : 4, [&](std::uint64_t n, Loss loss, const Tree& tree) {
    const auto& found = look_once(tree);
    judge(findings, n, loss, found, 2);
    // Only a receipt ends the sending, and only a finished photo its own.
    for (const auto& [id, one] : found.records) {
      const bool there =
          std::ranges::any_of(received, [&](const Record& record) { return to_string(record.id) == id; });
      if (!one.waiting && !there)
        findings.add(n, loss, "record " + std::to_string(one.seq) + " waits no more, and the server has not got it");
    }
    if (found.acknowledged >= 1 && !found.tasks.contains(task)) findings.add(n, loss, "the task is gone");
  });
  EXPECT_EQ(findings.count(), 0U) << findings.text();
}

// A command that is killed leaves its record behind unsynced, where the next process sees it. An agent must not send
// what a power cut would take back: the number would be given twice.
TEST_F(HandheldPower, AKillAndThenAPowerCut) {
  const test::Mosquitto broker;
  configure(broker.uri());
  test::TestServer server(broker.uri(), "", kTown);
  const auto file = photo("a.jpg", 3000, 1);
  ASSERT_EQ(command({"init"}).status, 0);
  const auto first = recording_->count();
  ASSERT_EQ(report("whole", file).status, 0);
  const auto whole = recording_->count() - first;
  Findings all;
  for (std::uint64_t k = 1; k < whole; k += long_form() ? 1 : 2) {
    start_again();
    ASSERT_EQ(command({"init"}).status, 0);
    recording_->kill_at(recording_->count() + k);
    ASSERT_EQ(report("killed", file).status, 128 + SIGKILL) << k;
    recording_->kill_at(kNever);
    {
      const auto running = agent();
      // Long enough to send what it sees: the hello is answered, and the record if there is one.
      const auto hellos = server.hellos();
      ASSERT_TRUE(test::wait_until([&] { return server.hellos() > hellos; }, 30s))
          << test::read_file(dir_ / "agent.log");
      ASSERT_TRUE(test::wait_until([&] { return drained(); }, 30s)) << test::read_file(dir_ / "agent.log");
      ASSERT_EQ(running->kill(SIGTERM), 0);
    }
    ASSERT_EQ(recording_->problem(), "");
    read_log();
    Findings findings;
    sweep(*recording_, "handheld, killed before", sent_.empty() ? 0 : sent_.front().n, 1,
          [&](std::uint64_t n, Loss loss, const Tree& tree) {
            if (loss == Loss::all) judge(findings, n, loss, look_once(tree));
          });
    if (findings.count() > 0) all.add(k, Loss::all, "killed there, then:\n" + findings.text());
  }
  EXPECT_EQ(all.count(), 0U) << all.text();
}

// An agent that is killed while it stores an item leaves it behind unsynced. The next one must not acknowledge what a
// power cut would take back: the server forgets it.
TEST_F(HandheldPower, AnAgentThatIsKilledAndThenAPowerCut) {
  const test::Mosquitto broker;
  configure(broker.uri());
  const auto body = R"({"text":"通知"})";
  std::uint64_t first = 0;
  std::uint64_t whole = 0;
  Findings all;
  Progress progress("handheld, agent killed before", 0);
  const auto acknowledge = [&](test::TestServer& server) {
    const auto running = agent();
    EXPECT_TRUE(test::wait_until([&] { return !running->running() || server.acknowledged() == 1; }, 30s))
        << test::read_file(dir_ / "agent.log");
    running->kill(SIGTERM);
  };
  const auto begin_again = [&](test::TestServer& server) {
    start_again();
    EXPECT_EQ(command({"init"}).status, 0);
    server.send_item(kDevice, "notice", body, false);
    first = recording_->count();
  };
  {
    test::TestServer server(broker.uri(), "", kTown);
    begin_again(server);
    acknowledge(server);
    read_log();
    ASSERT_EQ(decode_up(sent_.back().payload).value().ack, 1U);
    whole = sent_.back().n - first;
  }
  for (std::uint64_t k = 1; k <= whole; k += long_form() ? 1 : 2) {
    test::TestServer server(broker.uri(), "", kTown);
    begin_again(server);
    recording_->kill_at(first + k);
    acknowledge(server);
    ASSERT_TRUE(recording_->killed()) << k;
    recording_->kill_at(kNever);
    acknowledge(server);
    ASSERT_EQ(server.acknowledged(), 1U);
    ASSERT_EQ(recording_->problem(), "");
    read_log();
    Findings findings;
    sweep(*recording_, "handheld, agent killed before", first + k, kNever,
          [&](std::uint64_t n, Loss loss, const Tree& tree) {
            if (loss == Loss::all) judge(findings, n, loss, look_once(tree));
          });
    if (findings.count() > 0) all.add(k, Loss::all, "killed there, then:\n" + findings.text());
    progress.step(k);
  }
  EXPECT_EQ(all.count(), 0U) << all.text();
}

// Cut after cut, each somewhere else, in the life of one handheld and one server.
TEST_F(HandheldPower, ALifeOfPowerCuts) {
  const test::Mosquitto broker;
  configure(broker.uri());
  test::TestServer server(broker.uri(), "", kTown);
  ASSERT_EQ(command({"init"}).status, 0);
  std::mt19937_64 random(seed());
  const int rounds = long_form() ? 200 : 15;
  Progress progress("handheld, power cuts in one life", static_cast<std::uint64_t>(rounds));
  int cuts = 0;
  bool on_duty = false;
  for (int round = 0; round < rounds; ++round) {
    begin();
    recording_->cut_power_at(5 + random() % 150);
    std::unique_ptr<Process> running;
    if (random() % 4 != 0) running = agent();
    for (int i = 0; i < 6 && !recording_->killed(); ++i) {
      const auto text = std::to_string(round) + "." + std::to_string(i);
      switch (random() % 4) {
        case 0:
          if (capture({on_duty ? "sign-out" : "sign-in"}).status == 0) on_duty = !on_duty;
          break;
        case 1:
          report(text);
          break;
        default:
          report(text, photo("now.jpg", 2000 + random() % 20'000, static_cast<unsigned>(random())));
      }
    }
    if (random() % 2 == 0) server.set_safe(server.records().empty() ? 0 : server.records().size() / 2);
    if (running) running->kill(SIGKILL);
    cuts += recording_->killed() ? 1 : 0;
    ASSERT_EQ(recording_->problem(), "") << "round " << round;
    Points points(recording_->begin(), recording_->ops());
    const auto loss = kLosses[random() % std::size(kLosses)];
    const auto tree = points.at(recording_->count()).after(loss, random());
    recording_.reset();
    write_tree(tree, root());
    // The sign-in that was cut may have been saved or not.
    begin();
    const auto now = status();
    ASSERT_TRUE(now.is_object()) << "round " << round << ", losing " << loss_name(loss);
    on_duty = now["on_duty"];
    progress.step(static_cast<std::uint64_t>(round));
  }
  EXPECT_GT(cuts, rounds / 3);
  const auto running = agent();
  ASSERT_TRUE(test::wait_until([&] { return drained(); }, 60s)) << test::read_file(dir_ / "agent.log");
  EXPECT_EQ(status()["refused_count"], 0);
  EXPECT_EQ(server.conflicts(), 0);
  std::map<std::uint64_t, std::string> by_seq;
  std::map<std::string, Record> by_id;
  for (const auto& record : server.records()) {
    const auto [other, fresh] = by_seq.emplace(record.seq, to_string(record.id));
    EXPECT_TRUE(fresh) << "number " << record.seq << " was given to " << other->second << " and "
                       << to_string(record.id);
    by_id[to_string(record.id)] = record;
    for (const auto& media : record.media) {
      const auto got = server.photo(media.sha256);
      EXPECT_TRUE(got && got->complete) << to_hex(media.sha256);
    }
  }
  EXPECT_EQ(by_seq.size(), by_seq.empty() ? 0U : by_seq.rbegin()->first) << "a gap";
  EXPECT_GT(saved_.size(), 10U);
  for (const auto& [id, saved] : saved_) {
    const auto there = by_id.find(id);
    ASSERT_NE(there, by_id.end()) << id << " said saved, and is lost";
    const auto* body = std::get_if<ReportBody>(&there->second.body);
    EXPECT_EQ(body != nullptr ? body->text : "", saved.text);
    if (saved.photo) {
      ASSERT_EQ(there->second.media.size(), 1U);
      EXPECT_EQ(there->second.media[0].sha256, *saved.photo);
    }
  }
}

}  // namespace
}  // namespace gridward::powerloss
