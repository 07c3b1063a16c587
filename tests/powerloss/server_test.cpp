// The server: after a power cut at every point it starts by itself, every record that it had receipted is in the
// database, every photo that it had called done is on the disk under its hash and is derived or waits to be, every item
// that it had sent waits until it is acknowledged, and the chains of the cases hold.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <gridward/platform/crypto.hpp>
#include <gridward/shared/message.hpp>
#include <gridward/shared/topics.hpp>
#include <gridward/sim/scene.hpp>
#include <gridward/test/mosquitto.hpp>
#include <gridward/test/paths.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "sweep.hpp"

namespace gridward::powerloss {
namespace {

using namespace std::chrono_literals;
using test::Process;
using test::run_command;
using test::RunResult;

constexpr const char* kTown = "120116135";
constexpr int kDevices = 2;

// Rows of a statement, columns joined by a blank; one row "error …" when it does not work.
std::vector<std::string> rows(const std::filesystem::path& file, const char* sql) {
  std::vector<std::string> all;
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_busy_timeout(db, 10'000) == SQLITE_OK &&
      sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK) {
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row += (i > 0 ? " " : "") + std::string(text != nullptr ? text : "");
      }
      all.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) all = {std::string("error ") + sqlite3_errmsg(db)};
  } else {
    all = {std::string("error ") + sqlite3_errmsg(db)};
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return all;
}

std::string hash_of(std::string_view data) { return to_hex(platform::sha256(as_bytes(data))); }

// What is found on a disk after the power came back.
struct Found {
  std::string broken;  // why nothing can be said
  std::set<std::string> orgs;
  std::set<std::string> records;               // ids that the database has
  std::map<std::string, int> photos;           // by hash: app::MediaStatus
  std::set<std::string> jobs;                  // photos that wait to be derived
  std::set<std::string> items;                 // "device n body"
  std::map<std::string, std::string> stages;   // of cases
  std::set<std::string> originals;             // whole under their own hash
  std::set<std::string> derived;               // with both smaller sizes whole
  std::string backup;                          // what `backup verify` says of the newest; empty: it is whole
  std::map<std::string, std::uint64_t> reach;  // of that backup, by epoch
};
constexpr int kSealed = 2;  // and above

class ServerPower : public ::testing::Test {
 protected:
  ServerPower() {
    std::filesystem::create_directory(dir_ / "root");
    for (const char* name : {"root", "copy"}) {
      const nlohmann::json values{{"data_dir", std::string(name) + "/lib/data"},
                                  {"http.port", 0},
                                  {"mqtt.uri", broker_.uri()},
                                  {"mqtt.client_id", std::string("server-") + name},
                                  {"policy.file", (test::source_dir() / "server/profiles/binhai.json").string()}};
      test::write_file(dir_ / (std::string(name) + ".json"), values.dump());
    }
    for (int i = 0; i < kDevices; ++i) {
      const nlohmann::json values{{"broker", broker_.uri()}, {"device", device(i)},   {"town", kTown},
                                  {"actor", member(i)},      {"data_dir", device(i)}, {"heartbeat_ms", -1},
                                  {"min_free_bytes", 0}};
      test::write_file(dir_ / (device(i) + ".json"), values.dump());
    }
    recording_.emplace(dir_ / "root");
  }

  static std::string device(int i) { return "hh-" + std::to_string(i); }
  static std::string member(int i) { return "wg" + std::to_string(i); }

  static std::vector<std::string> server_words(const std::filesystem::path& config, std::vector<std::string> words) {
    words.insert(words.begin(), test::program("server/main/gridward-server").string());
    words.insert(words.end(), {"--config", config.string()});
    return words;
  }
  RunResult server_command(std::vector<std::string> words) {
    return run_command(server_words(dir_ / "root.json", std::move(words)), recording_->environment());
  }
  RunResult handheld(int i, std::vector<std::string> words) {
    words.insert(words.begin(), {test::program("device/gridward-device").string(), "--lang", "en", "--config",
                                 (dir_ / (device(i) + ".json")).string()});
    return run_command(std::move(words));
  }
  std::unique_ptr<Process> agent(int i) {
    return std::make_unique<Process>(
        std::vector<std::string>{test::program("device/gridward-device").string(), "--lang", "en", "--config",
                                 (dir_ / (device(i) + ".json")).string(), "run"},
        dir_ / "agents.log");
  }

  // The tree, people and the handhelds, which are not recorded: only the server's disk is in question.
  void enrol() {
    test::write_file(dir_ / "orgs.csv",
                     "code,parent,kind,name\n"
                     "120116,,district,滨海新区\n120116135,120116,town,杨家泊镇\n120116135201,120116135,village,一村\n"
                     "120116135201001,120116135201,grid,第一网格\n120116135-u03,120116135,unit,建设办\n");
    std::string users = "login,name,role,org,password\nop,丁,town_operator,120116135,correct horse\n";
    std::string devices = "id,town,holder,public_key\n";
    for (int i = 0; i < kDevices; ++i) {
      const auto made = handheld(i, {"init"});
      ASSERT_EQ(made.status, 0) << made.output;
      users += member(i) + ",甲,grid_member,120116135201001,correct horse\n";
      devices += device(i) + "," + kTown + "," + member(i) + "," + made.output.substr(0, 64) + "\n";
    }
    test::write_file(dir_ / "users.csv", users);
    test::write_file(dir_ / "devices.csv", devices);
    const auto imported = server_command(
        {"import", (dir_ / "orgs.csv").string(), (dir_ / "users.csv").string(), (dir_ / "devices.csv").string()});
    ASSERT_EQ(imported.status, 0) << imported.output;
  }

  std::unique_ptr<Process> serve(const std::string& name, std::vector<std::string> environment = {}) {
    std::filesystem::remove(log(name));
    return std::make_unique<Process>(server_words(dir_ / (name + ".json"), {"serve"}), log(name),
                                     std::move(environment));
  }
  std::filesystem::path log(const std::string& name) const { return dir_ / (name + ".out"); }
  // The address of the line `ready …`, or nothing.
  std::string ready(Process& server, const std::string& name) const {
    std::string address;
    test::wait_until(
        [&] {
          const auto text = test::read_file(log(name));
          const auto at = text.find("ready http");
          const auto end = text.find('\n', at);
          if (at == std::string::npos || end == std::string::npos) return !server.running();
          address = text.substr(at + 6, end - at - 6);
          return true;
        },
        30s);
    return address;
  }

  std::string photo(unsigned seed) {
    sim::SceneOptions options;
    options.seed = seed;
    options.width = 320;
    options.height = 240;
    options.quality = 60;
    const auto bytes = sim::draw_scene(options).value();
    const auto path = (dir_ / ("photo-" + std::to_string(seed))).string();
    test::write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return path;
  }
  // What a member's handheld has saved: `saved_` by record id, with the photo's hash.
  void report(int i, unsigned seed, bool with_photo = true) {
    std::vector<std::string> words{
        "report", "--category", "road-damage", "--text", "第" + std::to_string(seed) + "件", "--no-position"};
    const auto file = with_photo ? photo(seed) : std::string();
    if (with_photo) words.insert(words.end(), {"--photo", file});
    const auto done = handheld(i, std::move(words));
    ASSERT_EQ(done.status, 0) << done.output;
    saved_[done.output.substr(6, 36)] = with_photo ? hash_of(test::read_file(file)) : std::string();
  }
  bool drained() {
    for (int i = 0; i < kDevices; ++i) {
      const auto now = nlohmann::json::parse(handheld(i, {"status", "--json"}).output);
      if (now["waiting_records"] != 0 || now["waiting_media"] != 0) return false;
    }
    return true;
  }
  bool derived(const std::string& name) const {
    return rows(dir_ / (name + "/lib/data/gridward.db"), "SELECT count(*) FROM media WHERE status < 3")[0] == "0" &&
           rows(dir_ / (name + "/lib/data/gridward.db"), "SELECT count(*) FROM photo_jobs")[0] == "0";
  }
  // The body of the answer.
  std::string curl(const std::string& url, const std::string& body = {}) {
    std::vector<std::string> words{"curl",
                                   "-sS",
                                   "--fail-with-body",
                                   "--max-time",
                                   "20",
                                   "-b",
                                   (dir_ / "jar").string(),
                                   "-c",
                                   (dir_ / "jar").string(),
                                   "-H",
                                   "X-Gridward: 1",
                                   url};
    if (!body.empty()) words.insert(words.end(), {"-d", body});
    const auto result = run_command(std::move(words));
    EXPECT_EQ(result.status, 0) << url << "\n" << result.output;
    return result.output;
  }
  // A step of the case that somebody was told of.
  struct Told {
    std::uint64_t n = 0;
    std::string id;
    std::string stage;
  };

  // A morning: two handhelds report, the operator accepts a case; then the server is stopped and started again.
  void a_morning() {
    enrol();
    {
      const auto server = serve("root", recording_->environment());
      const auto address = ready(*server, "root");
      ASSERT_NE(address, "") << test::read_file(log("root"));
      std::vector<std::unique_ptr<Process>> agents;
      for (int i = 0; i < kDevices; ++i) {
        ASSERT_EQ(handheld(i, {"sign-in", "--no-position"}).status, 0);
        agents.push_back(agent(i));
      }
      for (unsigned seed = 1; seed <= (long_form() ? 6 : 4); ++seed) report(static_cast<int>(seed % kDevices), seed);
      ASSERT_TRUE(test::wait_until([&] { return drained() && derived("root"); }, 60s)) << test::read_file(log("root"));
      curl(address + "/api/login", R"({"login":"op","password":"correct horse"})");
      const auto cases = nlohmann::json::parse(curl(address + "/api/cases"))["cases"];
      ASSERT_EQ(cases.size(), saved_.size());
      const std::string id = cases[0]["id"];
      const auto act = R"({"action":"accept","version":)" + cases[0]["version"].dump() + "}";
      const auto after = nlohmann::json::parse(curl(address + "/api/cases/" + id + "/actions", act));
      ASSERT_EQ(after["stage"], "accepted") << after;
      std::string hex = id;
      std::erase(hex, '-');
      told_.push_back({recording_->count(), hex, "accepted"});
      ASSERT_TRUE(test::wait_until([&] { return drained(); }, 30s));
      const auto backed_up = server_command({"backup", (dir_ / "root/backups").string()});
      ASSERT_EQ(backed_up.status, 0) << backed_up.output;
      for (const auto& one : agents) ASSERT_EQ(one->kill(SIGTERM), 0);
      ASSERT_EQ(server->kill(SIGTERM), 0) << test::read_file(log("root"));
    }
    const auto again = serve("root", recording_->environment());
    ASSERT_NE(ready(*again, "root"), "") << test::read_file(log("root"));
    // What is in the backup the handhelds may forget, and hear so when they greet.
    for (int i = 0; i < kDevices; ++i) {
      const auto greets = agent(i);
      const auto heard = [&] { return nlohmann::json::parse(handheld(i, {"status", "--json"}).output)["safe"] > 0; };
      ASSERT_TRUE(test::wait_until(heard, 30s)) << test::read_file(log("root"));
    }
    ASSERT_EQ(again->kill(SIGTERM), 0) << test::read_file(log("root"));
    ASSERT_EQ(recording_->problem(), "");
    read_log();
  }

  void read_log() {
    promises_.clear();
    const auto ops = recording_->ops();
    for (const auto& line : said(ops)) {
      if (line.text.starts_with("imported ")) promises_.push_back({line.n, "import", "", 0});
    }
    for (const auto& one : published(ops)) {
      const auto topic = topic_from_string(one.topic);
      const auto message = decode_down(one.payload);
      if (!topic || !message) continue;
      if (const auto* receipt = std::get_if<Receipt>(&*message)) {
        for (const auto& id : receipt->ok) promises_.push_back({one.n, "receipt", to_hex(id.bytes), 0});
        if (receipt->safe > 0) promises_.push_back({one.n, "safe", to_hex(receipt->epoch.bytes), receipt->safe});
        for (const auto& bad : receipt->bad) ADD_FAILURE() << to_string(bad.id) << ": " << bad.message;
      } else if (const auto* media = std::get_if<MediaState>(&*message)) {
        if (media->complete) promises_.push_back({one.n, "done", to_hex(media->sha256), 0});
      } else if (const auto* item = std::get_if<DownItem>(&*message)) {
        promises_.push_back({one.n, "item", topic->device + " " + std::to_string(item->n) + " " + item->body, 0});
      }
    }
  }

  // Opens what is left with the real program, and looks into it.
  Found look(const Tree& tree) {
    Found found;
    write_tree(tree, dir_ / "copy");
    const auto verified = run_command(server_words(dir_ / "copy.json", {"audit", "verify"}), without_syncs());
    if (verified.status != 0) {
      found.broken = "audit verify ends with " + std::to_string(verified.status) + ": " + verified.output;
      return found;
    }
    const auto db = dir_ / "copy/lib/data/gridward.db";
    if (const auto answer = rows(db, "PRAGMA integrity_check(1)"); answer != std::vector<std::string>{"ok"}) {
      found.broken = "the database is damaged: " + answer[0];
      return found;
    }
    const auto set_of = [&](const char* sql) {
      const auto all = rows(db, sql);
      return std::set<std::string>(all.begin(), all.end());
    };
    found.orgs = set_of("SELECT code FROM orgs");
    found.records = set_of("SELECT id FROM records WHERE refused_code = 0");
    found.jobs = set_of("SELECT sha256 FROM photo_jobs");
    found.items = set_of("SELECT device, n, body FROM down_items");
    for (const auto& row : rows(db, "SELECT sha256, status FROM media"))
      found.photos[row.substr(0, 64)] = row[65] - '0';
    for (const auto& row : rows(db, "SELECT id, stage FROM cases")) found.stages[row.substr(0, 32)] = row.substr(33);
    const auto photos = dir_ / "copy/lib/data/photos";
    for (const auto& [hash, status] : found.photos) {
      const auto fan = hash.substr(0, 2);
      if (hash_of(test::read_file(photos / "original" / fan / hash)) == hash) found.originals.insert(hash);
      const auto whole = [&](const char* size) {
        const auto data = test::read_file(photos / size / fan / (hash + ".jpg"));
        return data.starts_with("\xFF\xD8") && data.ends_with("\xFF\xD9") &&
               data == test::read_file(dir_ / "root/lib/data/photos" / size / fan / (hash + ".jpg"));
      };
      if (whole("preview") && whole("thumb")) found.derived.insert(hash);
    }
    look_at_backup(found);
    return found;
  }
  void look_at_backup(Found& found) const {
    found.backup = "there is none";
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "copy/backups", ignored)) {
      if (entry.path().string().ends_with(".part")) continue;
      const auto verified = run_command(
          {test::program("server/main/gridward-server").string(), "backup", "verify", entry.path().string()},
          without_syncs());
      found.backup = verified.status == 0 ? "" : verified.output;
      for (const auto& row : rows(entry.path() / "gridward.db", "SELECT epoch, contiguous FROM streams")) {
        found.reach[row.substr(0, 32)] = std::strtoull(row.c_str() + 33, nullptr, 10);
      }
    }
  }
  const Found& look_once(const Tree& tree) {
    const auto key = fingerprint(tree);
    auto known = looked_.find(key);
    if (known == looked_.end()) known = looked_.emplace(key, look(tree)).first;
    return known->second;
  }

  // An item that the handheld acknowledged may be gone; which ones, nobody knows by the point, so only the number is
  // held against the others: it is given once.
  void judge(Findings& findings, std::uint64_t n, Loss loss, const Found& found) const {
    if (!found.broken.empty()) {
      findings.add(n, loss, found.broken);
      return;
    }
    for (const auto& promise : promises_) {
      if (promise.n >= n) break;
      const auto& what = promise.what;
      if (promise.kind == "import" && found.orgs.size() != 5) findings.add(n, loss, "the import is gone");
      if (promise.kind == "receipt" && !found.records.contains(what))
        findings.add(n, loss, "receipted and gone: " + what);
      if (promise.kind == "done") {
        const auto row = found.photos.find(what);
        if (row == found.photos.end() || row->second < kSealed)
          findings.add(n, loss, "done and not known as sealed: " + what);
        if (!found.originals.contains(what)) findings.add(n, loss, "done and not on the disk: " + what);
      }
      if (promise.kind == "safe") {
        const auto reach = found.reach.find(promise.what);
        if (!found.backup.empty()) findings.add(n, loss, "told as safe, and the backup: " + found.backup);
        if (reach == found.reach.end() || reach->second < promise.safe)
          findings.add(n, loss, "told as safe, and not in the backup");
      }
      if (promise.kind == "item") {
        const auto number = what.substr(0, what.find(' ', what.find(' ') + 1) + 1);
        const auto there = found.items.lower_bound(number);
        if (there != found.items.end() && there->starts_with(number) && *there != what) {
          findings.add(n, loss, "number given twice: " + what);
        }
      }
    }
    for (const auto& told : told_) {
      if (told.n >= n) continue;
      const auto there = found.stages.find(told.id);
      if (there == found.stages.end() || there->second != told.stage)
        findings.add(n, loss, "a case is not " + told.stage + " any more");
    }
    for (const auto& [hash, status] : found.photos) {
      if (status < kSealed) continue;
      if (!found.originals.contains(hash)) findings.add(n, loss, "sealed and not on the disk: " + hash);
      if (status == kSealed && !found.jobs.contains(hash))
        findings.add(n, loss, "sealed, and nobody will derive it: " + hash);
      if (status > kSealed && !found.derived.contains(hash))
        findings.add(n, loss, "derived, and the smaller sizes are not there: " + hash);
    }
  }

  struct Promise {
    std::uint64_t n = 0;
    std::string kind;
    std::string what;
    std::uint64_t safe = 0;
  };

  test::TempDir dir_;
  const test::Mosquitto broker_;
  std::optional<Recording> recording_;
  std::map<std::string, std::string> saved_;
  std::vector<Promise> promises_;
  std::vector<Told> told_;
  std::map<std::uint64_t, Found> looked_;
};

TEST_F(ServerPower, WhatWasReceiptedIsThereAtEveryPoint) {
  a_morning();
  const auto count_of = [&](const char* kind) {
    return std::ranges::count_if(promises_, [&](const Promise& one) { return one.kind == kind; });
  };
  EXPECT_GE(count_of("receipt"), static_cast<int>(saved_.size()) + kDevices);
  EXPECT_GE(count_of("done"), static_cast<int>(saved_.size()));
  EXPECT_GE(count_of("item"), 1);
  EXPECT_GE(count_of("safe"), kDevices);
  Findings findings;
  sweep(*recording_, "server", 0, long_form() ? 1 : 15,
        [&](std::uint64_t n, Loss loss, const Tree& tree) { judge(findings, n, loss, look_once(tree)); });
  EXPECT_EQ(findings.count(), 0U) << findings.text();
  EXPECT_GT(looked_.size(), 50U);
}

TEST_F(ServerPower, ItServesAgainFromWhateverIsLeft) {
  a_morning();
  std::mt19937_64 random(seed());
  const int times = long_form() ? 60 : 5;
  Progress progress("server, started again", static_cast<std::uint64_t>(times));
  std::map<std::uint64_t, Loss> chosen;
  while (chosen.size() < static_cast<std::size_t>(times))
    chosen.emplace(random() % recording_->count(), kLosses[random() % std::size(kLosses)]);
  Points points(recording_->begin(), recording_->ops());
  std::uint64_t done = 0;
  for (const auto& [n, loss] : chosen) {
    write_tree(points.at(n).after(loss, seed() + n), dir_ / "copy");
    const auto server = serve("copy", without_syncs());
    ASSERT_NE(ready(*server, "copy"), "") << n << " " << loss_name(loss) << "\n" << test::read_file(log("copy"));
    // A photo that was sealed and not derived is, now.
    EXPECT_TRUE(test::wait_until(
        [&] {
          return rows(dir_ / "copy/lib/data/gridward.db", "SELECT count(*) FROM media WHERE status = 2")[0] == "0";
        },
        30s))
        << n << " " << loss_name(loss);
    EXPECT_EQ(server->kill(SIGTERM), 0) << test::read_file(log("copy"));
    progress.step(++done);
  }
}

// A server that is killed leaves what it had not synced to the next one, which must not answer from it.
TEST_F(ServerPower, AKillAndThenAPowerCut) {
  enrol();
  std::vector<std::unique_ptr<Process>> agents;
  std::mt19937_64 random(seed());
  Findings all;
  const int rounds = long_form() ? 40 : 2;
  Progress progress("server, killed before", static_cast<std::uint64_t>(rounds));
  for (int round = 0; round < rounds; ++round) {
    recording_.reset();
    recording_.emplace(dir_ / "root");
    agents.clear();
    for (int i = 0; i < kDevices; ++i) agents.push_back(agent(i));
    const auto name = static_cast<unsigned>(1000 + 10 * round);
    {
      // Killed in the middle of taking a report, or a little later.
      const auto server = serve("root", recording_->environment());
      ASSERT_NE(ready(*server, "root"), "") << test::read_file(log("root"));
      recording_->kill_at(recording_->count() + random() % 60);
      report(0, name);
      test::wait_until([&] { return !server->running() || drained(); }, 20s);
    }
    recording_->kill_at(kNever);
    const auto server = serve("root", recording_->environment());
    ASSERT_NE(ready(*server, "root"), "") << test::read_file(log("root"));
    const auto second = recording_->count();  // whatever it was asked is answered after this
    agents.clear();
    for (int i = 0; i < kDevices; ++i) agents.push_back(agent(i));
    report(1, name + 1);
    ASSERT_TRUE(test::wait_until([&] { return drained() && derived("root"); }, 60s)) << test::read_file(log("root"));
    ASSERT_EQ(server->kill(SIGTERM), 0) << test::read_file(log("root"));
    ASSERT_EQ(recording_->problem(), "");
    read_log();
    looked_.clear();
    sweep(*recording_, "server, killed before", second, kNever, [&](std::uint64_t n, Loss loss, const Tree& tree) {
      if (loss == Loss::all) judge(all, n, loss, look_once(tree));
    });
    progress.step(static_cast<std::uint64_t>(round));
  }
  EXPECT_EQ(all.count(), 0U) << all.text();
}

// The folders are new, and the import that made them was killed.
TEST_F(ServerPower, AnImportThatIsKilledAndThenAPowerCut) {
  enrol();
  const auto whole = recording_->count();
  const auto import = std::vector<std::string>{"import", (dir_ / "orgs.csv").string()};
  Findings all;
  for (std::uint64_t k = 1; k < whole; k += long_form() ? 1 : 1 + whole / 12) {
    recording_.reset();
    std::filesystem::remove_all(dir_ / "root");
    std::filesystem::create_directory(dir_ / "root");
    recording_.emplace(dir_ / "root");
    recording_->kill_at(k);
    if (server_command(import).status == 0) break;
    recording_->kill_at(kNever);
    ASSERT_EQ(server_command(import).status, 0) << k;
    ASSERT_EQ(recording_->problem(), "");
    read_log();
    ASSERT_FALSE(promises_.empty());
    looked_.clear();
    // From its word on.
    sweep(*recording_, "server, import killed before", promises_.back().n + 1, kNever,
          [&](std::uint64_t n, Loss loss, const Tree& tree) {
            if (loss == Loss::all) judge(all, n, loss, look_once(tree));
          });
  }
  EXPECT_EQ(all.count(), 0U) << all.text();
}

// A backup that is killed leaves folders and photos behind that the next one builds on: the one that is told of stays.
TEST_F(ServerPower, ABackupThatIsKilledAndThenAPowerCut) {
  a_morning();
  const std::vector<std::string> backup{"backup", (dir_ / "root/backups").string()};
  const auto start = [&] {
    recording_.reset();
    std::filesystem::remove_all(dir_ / "root/backups");
    recording_.emplace(dir_ / "root");
  };
  start();
  ASSERT_EQ(server_command(backup).status, 0);
  const auto whole = recording_->count();
  Findings findings;
  for (std::uint64_t k = 0; k < whole; k += long_form() ? 1 : 1 + whole / 12) {
    start();
    recording_->kill_at(k);
    ASSERT_EQ(server_command(backup).status, 128 + SIGKILL) << k;
    recording_->kill_at(kNever);
    const auto again = server_command(backup);
    ASSERT_EQ(again.status, 0) << k << "\n" << again.output;
    ASSERT_EQ(recording_->problem(), "");
    const auto lines = said(recording_->ops());
    const auto name = std::filesystem::path(lines.back().text.substr(0, lines.back().text.find(": "))).filename();
    sweep(*recording_, "server, backup killed before", lines.back().n + 1, kNever,
          [&](std::uint64_t n, Loss loss, const Tree& tree) {
            if (loss != Loss::all) return;
            write_tree(tree, dir_ / "copy");
            const auto verified = run_command({test::program("server/main/gridward-server").string(), "backup",
                                               "verify", (dir_ / "copy/backups" / name).string()},
                                              without_syncs());
            if (verified.status != 0) findings.add(n, loss, "killed at " + std::to_string(k) + ": " + verified.output);
          });
  }
  EXPECT_EQ(findings.count(), 0U) << findings.text();
}

// Either there is no database, and the restore can be run again; or there is one and everything that it speaks of.
TEST_F(ServerPower, ARestoreIsWholeOrNothing) {
  a_morning();
  std::filesystem::path backup;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "root/backups")) backup = entry.path();
  std::filesystem::copy(backup, dir_ / "backup", std::filesystem::copy_options::recursive);
  std::vector<std::string> originals;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_ / "backup/photos")) {
    if (entry.is_regular_file()) originals.push_back(entry.path().filename().string());
  }
  const auto judge_restore = [&](Findings& findings, std::uint64_t from, std::uint64_t step) {
    const auto lines = said(recording_->ops());
    ASSERT_EQ(lines.size(), 1U);
    sweep(*recording_, "server, restored", from, step, [&](std::uint64_t n, Loss loss, const Tree& tree) {
      const bool there = tree.files.contains("lib/data/gridward.db");
      if (!there && lines[0].n < n) findings.add(n, loss, "restored, and it is gone");
      if (!there) return;
      for (const auto& hash : originals) {
        const auto file = tree.files.find("lib/data/photos/original/" + hash.substr(0, 2) + "/" + hash);
        if (file == tree.files.end() || to_hex(platform::sha256(*file->second)) != hash) {
          findings.add(n, loss, "the database is there, and not the photo " + hash);
        }
      }
      if (!look_once(tree).broken.empty()) findings.add(n, loss, look_once(tree).broken);
    });
  };
  const auto start = [&] {
    recording_.reset();
    std::filesystem::remove_all(dir_ / "root");
    std::filesystem::create_directory(dir_ / "root");
    recording_.emplace(dir_ / "root");
    looked_.clear();
  };
  const std::vector<std::string> restore{"restore", (dir_ / "backup").string()};
  start();
  ASSERT_EQ(server_command(restore).status, 0);
  ASSERT_EQ(recording_->problem(), "");
  Findings findings;
  judge_restore(findings, 0, long_form() ? 1 : 6);
  const auto whole = recording_->count();
  for (std::uint64_t k = 0; k < whole; k += long_form() ? 1 : 1 + whole / 10) {
    start();
    recording_->kill_at(k);
    ASSERT_EQ(server_command(restore).status, 128 + SIGKILL) << k;
    recording_->kill_at(kNever);
    // Killed after its last step it is done, and says so by refusing.
    const auto again = server_command(restore);
    if (again.status != 0) {
      EXPECT_NE(again.output.find("already exists"), std::string::npos) << again.output;
      continue;
    }
    ASSERT_EQ(recording_->problem(), "");
    judge_restore(findings, k, kNever);
  }
  EXPECT_EQ(findings.count(), 0U) << findings.text();
}

TEST_F(ServerPower, ASyncThatIsLeftOutShows) {
  for (const char* left_out : {"/gridward.db-wal", "/photos/original"}) {
    SCOPED_TRACE(left_out);
    recording_.reset();
    for (const char* made : {"root", "hh-0", "hh-1"}) std::filesystem::remove_all(dir_ / made);
    std::filesystem::create_directory(dir_ / "root");
    recording_.emplace(dir_ / "root");
    recording_->skip_sync(left_out);
    saved_.clear();
    told_.clear();
    looked_.clear();
    a_morning();
    // Just after a promise: a stop, a start and a backup make up for everything.
    Findings findings;
    Points points(recording_->begin(), recording_->ops());
    for (const auto& promise : promises_) {
      judge(findings, promise.n + 1, Loss::all, look_once(points.at(promise.n + 1).after(Loss::all, 1)));
    }
    EXPECT_GT(findings.count(), 0U);
  }
}

// Cut after cut, each somewhere else, under handhelds that live on.
TEST_F(ServerPower, ALifeOfPowerCuts) {
  enrol();
  std::vector<std::unique_ptr<Process>> agents;
  std::mt19937_64 random(seed());
  const int rounds = long_form() ? 100 : 6;
  Progress progress("server, power cuts in one life", static_cast<std::uint64_t>(rounds));
  unsigned seed = 0;
  int cuts = 0;
  for (int round = 0; round < rounds; ++round) {
    recording_.emplace(dir_ / "root");
    recording_->cut_power_at(20 + random() % 500);
    // From the start: nobody waits for a server that was away.
    agents.clear();
    for (int i = 0; i < kDevices; ++i) agents.push_back(agent(i));
    const auto server = serve("root", recording_->environment());
    ready(*server, "root");
    for (int i = 0; i < 4; ++i) {
      ++seed;
      report(static_cast<int>(random() % kDevices), seed, random() % 4 != 0);
    }
    test::wait_until([&] { return recording_->killed() || drained(); }, 10s);
    server->kill(SIGKILL);
    cuts += recording_->killed() ? 1 : 0;
    ASSERT_EQ(recording_->problem(), "") << "round " << round;
    Points points(recording_->begin(), recording_->ops());
    const auto tree = points.at(recording_->count()).after(kLosses[random() % std::size(kLosses)], random());
    recording_.reset();
    write_tree(tree, dir_ / "root");
    progress.step(static_cast<std::uint64_t>(round));
  }
  EXPECT_GT(cuts, 0);
  const auto server = serve("root");
  ASSERT_NE(ready(*server, "root"), "") << test::read_file(log("root"));
  agents.clear();
  for (int i = 0; i < kDevices; ++i) agents.push_back(agent(i));
  ASSERT_TRUE(test::wait_until([&] { return drained() && derived("root"); }, 120s)) << test::read_file(log("root"));
  EXPECT_EQ(server->kill(SIGTERM), 0);
  const auto db = dir_ / "root/lib/data/gridward.db";
  EXPECT_EQ(rows(db, "SELECT count(*) FROM quarantine"), std::vector<std::string>{"0"});
  EXPECT_EQ(rows(db, "SELECT count(*), count(DISTINCT id) FROM records WHERE kind = 'report'"),
            std::vector<std::string>{std::to_string(saved_.size()) + " " + std::to_string(saved_.size())});
  EXPECT_EQ(rows(db, "SELECT count(*) FROM cases"), std::vector<std::string>{std::to_string(saved_.size())});
  for (const auto& [id, hash] : saved_) {
    std::string hex = id;
    std::erase(hex, '-');
    EXPECT_EQ(rows(db, ("SELECT count(*) FROM records WHERE id = '" + hex + "'").c_str())[0], "1") << id << " is lost";
    if (!hash.empty()) {
      EXPECT_EQ(hash_of(test::read_file(dir_ / ("root/lib/data/photos/original/" + hash.substr(0, 2) + "/" + hash))),
                hash);
    }
  }
  EXPECT_EQ(run_command(server_words(dir_ / "root.json", {"audit", "verify"})).output,
            "ok: " + std::to_string(saved_.size()) + " cases\n");
}

}  // namespace
}  // namespace gridward::powerloss
