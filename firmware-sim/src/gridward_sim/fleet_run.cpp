#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gridward_sim/fleet_run.hpp>
#include <gridward_sim/handheld.hpp>
#include <gridward_sim/own_config.hpp>
#include <gridward_sim/parts.hpp>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>

namespace gridward::sim {
namespace {

int failed(const Error& error, int status) {
  std::fprintf(stderr, "gridward-sim: %s\n", to_string(error).c_str());
  return status;
}

volatile sig_atomic_t signalled = 0;
volatile sig_atomic_t enough = 0;
extern "C" void on_signal(int) { signalled = signalled + 1; }
extern "C" void on_enough(int) { enough = 1; }

sigset_t ours() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set, number);
  return set;
}

void listen_to_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_enough;
  ::sigaction(SIGUSR1, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // A process of several is begun with these held back, so that none comes before it can hear.
  const auto set = ours();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

// A folder for what is made, until it is taken; gone with this.
class Scratch {
 public:
  static Result<std::unique_ptr<Scratch>> make() {
    std::string path = (std::filesystem::temp_directory_path() / "gridward-sim-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return fail(ErrorCode::storage_failed, path, std::strerror(errno));
    return std::unique_ptr<Scratch>(new Scratch(path));
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// Tallies in a file: what a process counted is there after it was killed.
class Tallies {
 public:
  static Result<std::unique_ptr<Tallies>> open(const std::filesystem::path& file, std::size_t count, bool make) {
    const auto size = count * sizeof(Tally);
    const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0), 0600);
    void* memory = MAP_FAILED;
    if (fd >= 0 && (!make || ::ftruncate(fd, static_cast<off_t>(size)) == 0)) {
      memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    const int problem = errno;
    if (fd >= 0) ::close(fd);
    if (memory == MAP_FAILED) return fail(ErrorCode::storage_failed, file.string(), std::strerror(problem));
    std::unique_ptr<Tallies> tallies(new Tallies(memory, count));
    for (std::size_t i = 0; make && i < count; ++i) new (&tallies->at(i)) Tally;
    return tallies;
  }
  ~Tallies() { ::munmap(memory_, count_ * sizeof(Tally)); }
  Tallies(const Tallies&) = delete;
  Tallies& operator=(const Tallies&) = delete;
  Tally& at(std::size_t i) { return static_cast<Tally*>(memory_)[i]; }
  std::vector<const Tally*> all() const {
    std::vector<const Tally*> list;
    for (std::size_t i = 0; i < count_; ++i) list.push_back(static_cast<const Tally*>(memory_) + i);
    return list;
  }

 private:
  Tallies(void* memory, std::size_t count) : memory_(memory), count_(count) {}
  void* memory_;
  std::size_t count_;
};

using Counted = std::vector<const Tally*>;

unsigned long long sum(const Counted& tallies, Tally::Count Tally::* field) {
  unsigned long long all = 0;
  for (const auto* tally : tallies) all += tally->*field;
  return all;
}

std::string progress(std::size_t handhelds, const Counted& tallies) {
  char line[320];
  std::snprintf(line, sizeof line,
                "%zu handhelds, %llu connected, %llu on duty: %llu reports, %llu photos (%llu delivered), "
                "%llu receipts, %llu tasks done, %llu track points, %llu refused",
                handhelds, sum(tallies, &Tally::connected), sum(tallies, &Tally::on_duty),
                sum(tallies, &Tally::reports), sum(tallies, &Tally::photos), sum(tallies, &Tally::photos_delivered),
                sum(tallies, &Tally::receipted), sum(tallies, &Tally::tasks_verified),
                sum(tallies, &Tally::track_points), sum(tallies, &Tally::refusals));
  return line;
}

// The last line; the exit status.
int sum_up(std::size_t handhelds, const Counted& tallies, std::int64_t began_ms, std::uint64_t seed) {
  const std::pair<const char*, Tally::Count Tally::*> fields[] = {{"reports", &Tally::reports},
                                                                  {"photos", &Tally::photos},
                                                                  {"tasks_verified", &Tally::tasks_verified},
                                                                  {"track_points", &Tally::track_points},
                                                                  {"records", &Tally::records},
                                                                  {"receipted", &Tally::receipted},
                                                                  {"waiting", &Tally::waiting},
                                                                  {"waiting_photos", &Tally::waiting_photos},
                                                                  {"refused", &Tally::refused},
                                                                  {"full", &Tally::full},
                                                                  {"failed", &Tally::failed},
                                                                  {"reboots", &Tally::reboots},
                                                                  {"kills", &Tally::kills},
                                                                  {"power_cuts", &Tally::power_cuts},
                                                                  {"duplicated", &Tally::duplicated},
                                                                  {"reordered", &Tally::reordered},
                                                                  {"dropped", &Tally::dropped}};
  std::printf("{\"handhelds\":%zu", handhelds);
  for (const auto& [name, field] : fields) std::printf(",\"%s\":%llu", name, sum(tallies, field));
  std::printf(",\"seconds\":%.1f,\"seed\":%llu}\n", static_cast<double>(steady_ms() - began_ms) / 1000,
              static_cast<unsigned long long>(seed));
  const bool all_there = sum(tallies, &Tally::waiting) == 0 && sum(tallies, &Tally::waiting_photos) == 0;
  return all_there && sum(tallies, &Tally::failed) == 0 ? 0 : 1;
}

// ---- one process ----

struct Worker {
  std::vector<std::unique_ptr<Handheld>> handhelds;
  std::thread thread;
};

class Runner {
 public:
  std::atomic<bool> leave = false;
  std::atomic<bool> stop = false;

  // One thread's loop: waits for the handhelds' descriptors and for the earliest of their times.
  void loop(std::vector<std::unique_ptr<Handheld>>& handhelds, const std::atomic<bool>& calm) {
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::int64_t> due(handhelds.size());
    std::vector<std::uint64_t> watched(handhelds.size(), 0);  // the boot whose descriptor is
    std::set<std::pair<std::int64_t, std::size_t>> times;
    for (std::size_t i = 0; i < handhelds.size(); ++i) times.emplace(due[i] = 0, i);
    std::size_t left = handhelds.size();
    bool told = false;
    bool told_calm = false;
    const auto all_are_due = [&] {
      for (std::size_t i = 0; i < handhelds.size(); ++i) {
        times.erase({due[i], i});
        times.emplace(due[i] = 0, i);
      }
    };
    std::vector<epoll_event> ready(256);
    std::vector<std::size_t> now_due;
    while (left > 0 && !stop) {
      if (calm && !std::exchange(told_calm, true)) all_are_due();
      if (leave && !std::exchange(told, true)) {
        for (const auto& handheld : handhelds) handheld->leave();
        all_are_due();
      }
      const auto now = steady_ms();
      // Never longer than a moment, to hear of `calm` and `leave`.
      const auto wait = times.empty() ? 200 : std::clamp<std::int64_t>(times.begin()->first - now, 0, 200);
      const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), static_cast<int>(wait));
      now_due.clear();
      for (int i = 0; i < count; ++i) now_due.push_back(ready[static_cast<std::size_t>(i)].data.u64);
      const auto later = steady_ms();
      for (auto it = times.begin(); it != times.end() && it->first <= later; ++it) now_due.push_back(it->second);
      std::sort(now_due.begin(), now_due.end());
      now_due.erase(std::unique(now_due.begin(), now_due.end()), now_due.end());
      for (const auto i : now_due) {
        auto& handheld = *handhelds[i];
        if (handheld.finished()) continue;
        const auto next = handheld.step();
        times.erase({due[i], i});
        if (handheld.finished()) {
          --left;
          continue;
        }
        times.emplace(due[i] = steady_ms() + next, i);
        if (watched[i] != handheld.boots() && handheld.fd() >= 0) {
          watched[i] = handheld.boots();
          epoll_event interest{};
          interest.events = EPOLLIN;
          interest.data.u64 = i;
          ::epoll_ctl(poll, EPOLL_CTL_ADD, handheld.fd(), &interest);
        }
      }
    }
    for (auto& handheld : handhelds) {
      if (!handheld->finished()) handheld->stop();
    }
    ::close(poll);
  }
};

// What a handheld holds open: outbox, its WAL and index, the agent's lock, two for waking, inotify, the connection; and
// what a capture needs for a moment. With a link the door, and both ends in the relay.
constexpr std::size_t kDescriptorsEach = 9;
constexpr std::size_t kDescriptorsOfLink = 3;
constexpr std::size_t kDescriptorsBesides = 32;

// Most shells begin with a soft limit of 1024, which is the limit of programs that use select().
Result<void> raise_descriptor_limit(const Fleet& fleet, const Part& part) {
  rlim_t needed = part.members.size() * kDescriptorsEach + kDescriptorsBesides;
  for (const auto i : part.members) {
    const auto& circumstances = fleet.handhelds[i].circumstances;
    if (circumstances && circumstances->link) needed += kDescriptorsOfLink;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  if (limit.rlim_cur >= needed) return {};
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= needed) return {};
  return fail(ErrorCode::unavailable, "open files",
              std::to_string(part.members.size()) + " handhelds need " + std::to_string(needed) +
                  " descriptors, the hard limit is " + std::to_string(limit.rlim_max) +
                  ": raise it (ulimit -Hn, or LimitNOFILE of the unit), or take more --processes");
}

constexpr std::int64_t kLineMs = 5'000;
constexpr const char* kLeaving = "everybody signs out and sends what is left";

Result<std::vector<std::string>> photos_in(const std::string& folder) {
  std::vector<std::string> photos;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    auto extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".webp") {
      photos.push_back(entry.path().string());
    }
  }
  if (photos.empty()) return fail(ErrorCode::not_found, folder, "no photos there");
  std::sort(photos.begin(), photos.end());  // the same choice for the same seed
  return photos;
}

// The links of those handhelds that have one, each with a door of its own; a thread until this ends.
class Links {
 public:
  static Result<std::unique_ptr<Links>> open(const Fleet& fleet, const Part& part, std::uint64_t seed,
                                             const Surroundings& around) {
    std::unique_ptr<Links> links(new Links);
    std::vector<Door> doors;
    for (const auto i : part.members) {
      const auto& spec = fleet.handhelds[i];
      if (!spec.circumstances || !spec.circumstances->link) continue;
      const auto to = broker_port(spec.config);
      if (!to) return tl::unexpected(to.error());
      links->doors_[i] = doors.size();
      const auto link = *spec.circumstances->link;
      doors.push_back({0, *to, seed_of(seed, i), [link](Random& random) { return draw_fate(random, link); }, link});
    }
    if (doors.empty()) return links;
    auto relay = Relay::open(doors, around.began_ms);
    if (!relay) return tl::unexpected(relay.error());
    links->relay_ = std::move(*relay);
    links->thread_ = std::thread(
        [&stop = links->stop_, &heal = around.calm, relay = links->relay_.get()] { relay->run(stop, heal); });
    return links;
  }
  ~Links() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  Relay* relay() const { return relay_.get(); }
  std::optional<std::size_t> door(std::size_t handheld) const {
    const auto found = doors_.find(handheld);
    return found == doors_.end() ? std::nullopt : std::optional(found->second);
  }
  static std::uint64_t seed_of(std::uint64_t seed, std::size_t handheld) { return seed * 1'000'003 + handheld; }

 private:
  Links() = default;
  std::map<std::size_t, std::size_t> doors_;
  std::unique_ptr<Relay> relay_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// The handhelds of one part, until all of them have left.
int run_part(const RunOptions& options, const Fleet& fleet, const Part& part, const RunPart& how, Tally& tally,
             bool alone) {
  if (auto raised = raise_descriptor_limit(fleet, part); !raised) return failed(raised.error(), 1);
  Surroundings around;
  around.categories = fleet.categories;
  around.quiet = options.quiet;
  around.unique = options.unique;
  around.began_ms = how.began_ms;
  around.start = how.start;
  std::unique_ptr<Witness> witness;
  if (!options.witness.empty()) {
    auto opened = Witness::open(options.witness);
    if (!opened) return failed(opened.error(), 3);
    witness = std::move(*opened);
    around.witness = witness.get();
  }
  if (!options.photos.empty()) {
    auto photos = photos_in(options.photos);
    if (!photos) return failed(photos.error(), 2);
    around.photos = std::move(*photos);
  }
  const auto scratch = Scratch::make();
  if (!scratch) return failed(scratch.error(), 1);
  around.scratch = (*scratch)->path();
  const auto links = Links::open(fleet, part, options.seed, around);
  if (!links) return failed(links.error(), 3);
  around.relay = (*links)->relay();

  Journal journal;
  const auto threads = std::min<std::size_t>(options.threads, part.members.size());
  std::vector<Worker> workers(threads);
  for (std::size_t i = 0; i < part.members.size(); ++i) {
    const auto number = part.members[i];
    auto handheld = Handheld::open(fleet.handhelds[number], around, tally, journal,
                                   Links::seed_of(options.seed, number), number, (*links)->door(number));
    if (!handheld) return failed(handheld.error(), 3);
    workers[i % threads].handhelds.push_back(std::move(*handheld));
  }

  Runner runner;
  for (auto& worker : workers) {
    worker.thread = std::thread([&] { runner.loop(worker.handhelds, around.calm); });
  }
  std::atomic<std::size_t> running = threads;
  std::thread joiner([&] {
    for (auto& worker : workers) {
      worker.thread.join();
      --running;
    }
  });
  const auto begin = steady_ms();
  auto next_line = begin + kLineMs;
  const std::int64_t leave_at =
      alone && options.minutes > 0 ? begin + static_cast<std::int64_t>(options.minutes * 60'000) : -1;
  std::int64_t stop_at = -1;
  while (running > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto now = steady_ms();
    if (enough != 0) {
      around.reporting = false;
      around.calm = true;
    }
    if (!runner.leave && (signalled > 0 || (leave_at >= 0 && now >= leave_at))) {
      around.calm = true;
      runner.leave = true;
      stop_at = now + std::int64_t{options.drain_s} * 1000;
      if (alone) journal.say(kLeaving);
    }
    // A second signal does not wait.
    if (stop_at >= 0 && (now >= stop_at || signalled > 1)) runner.stop = true;
    if (alone && now >= next_line && running > 0) {
      next_line = now + kLineMs;
      journal.say(progress(part.members.size(), {&tally}));
    }
  }
  joiner.join();
  for (const auto& worker : workers) {
    for (const auto& handheld : worker.handhelds) {
      if (!handheld->switched_on()) ++tally.failed;  // what waits in it nobody knows
      const auto s = handheld->summary();
      tally.waiting += s.waiting_records;
      tally.waiting_photos += s.waiting_media;
      tally.refused += s.refused;
      tally.records += s.next_seq > 0 ? s.next_seq - 1 : 0;
    }
  }
  return 0;
}

// ---- several processes ----

struct Child {
  std::size_t part = 0;
  Kills kills;
  pid_t pid = -1;
  std::uint64_t starts = 0;
};

class Family {
 public:
  Family(const RunOptions& options, const std::vector<Part>& parts, Tallies& tallies, std::filesystem::path scratch,
         std::size_t handhelds)
      : options_(options), tallies_(tallies), scratch_(std::move(scratch)), handhelds_(handhelds) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      children_.push_back({i, Kills(options.seed, i, parts[i].kills_per_h), -1, 0});
    }
  }

  void run() {
    // Theirs is inside of ours, so that what a killed one left goes with us.
    ::setenv("TMPDIR", scratch_.c_str(), 1);
    began_ = steady_ms();
    for (auto& child : children_) spawn(child);
    auto next_line = began_ + kLineMs;
    const std::int64_t leave_at =
        options_.minutes > 0 ? began_ + static_cast<std::int64_t>(options_.minutes * 60'000) : -1;
    std::int64_t give_up_at = -1;
    int passed_on = 0;  // signals
    bool calm = false;
    while (reap(give_up_at >= 0)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const auto now = steady_ms();
      if (enough != 0 && !calm) {
        calm = true;
        tell(SIGUSR1);
      }
      if (give_up_at < 0 && (signalled > 0 || (leave_at >= 0 && now >= leave_at))) {
        calm = true;
        give_up_at = now + (std::int64_t{options_.drain_s} + kGraceS) * 1000;
        passed_on = signalled;
        tell(SIGTERM);
        journal_.say(kLeaving);
      } else if (give_up_at >= 0 && signalled > passed_on) {
        passed_on = signalled;
        tell(SIGTERM);
      }
      if (give_up_at >= 0 && now >= give_up_at) tell(SIGKILL);
      for (auto& child : children_) {
        if (!calm && child.pid > 0 && now - began_ >= child.kills.next_ms()) kill_and_begin_again(child);
      }
      if (now >= next_line) {
        next_line = now + kLineMs;
        journal_.say(progress(handhelds_, tallies_.all()));
      }
    }
  }
  std::int64_t began_ms() const { return began_; }

 private:
  static constexpr std::int64_t kGraceS = 15;

  void spawn(Child& child) {
    std::vector<std::string> words{"gridward-sim", "run", "--fleet", options_.fleet, "--quiet"};
    if (!options_.quiet) words.pop_back();
    if (options_.unique) words.emplace_back("--unique");
    const std::pair<const char*, std::string> values[] = {
        {"--scenario", options_.scenario},
        {"--photos", options_.photos},
        {"--witness", options_.witness},
        {"--seed", std::to_string(options_.seed)},
        {"--threads", std::to_string(options_.threads)},
        {"--processes", options_.processes > 0 ? std::to_string(options_.processes) : ""},
        {"--drain", std::to_string(options_.drain_s)},
        {"--part", std::to_string(child.part)},
        {"--start", std::to_string(child.starts)},
        {"--began", std::to_string(began_)},
        {"--tallies", (scratch_ / "tallies").string()}};
    for (const auto& [name, value] : values) {
      if (!value.empty()) words.insert(words.end(), {name, value});
    }
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const auto parent = ::getpid();
    const auto set = ours();
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &set, &before);
    child.pid = ::fork();
    if (child.pid == 0) {
      // Its signals come from here alone, and it does not outlive us: its data folders would be locked for the next.
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() == parent) ::execv("/proc/self/exe", arguments.data());
      std::_Exit(127);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (child.pid < 0) {
      ++tallies_.at(child.part).failed;
      journal_.say(std::string("a process cannot be begun: ") + std::strerror(errno));
    }
  }

  void kill_and_begin_again(Child& child) {
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    auto& tally = tallies_.at(child.part);
    ++tally.kills;
    tally.connected = 0;
    tally.on_duty = 0;
    ++child.starts;
    if (!options_.quiet) {
      journal_.say("process " + std::to_string(child.part) + " is killed and begun again, at " +
                   seconds_text(child.kills.next_ms()));
    }
    while (child.kills.next_ms() <= steady_ms() - began_) child.kills.pass();
    spawn(child);
  }

  void tell(int number) {
    for (const auto& child : children_) {
      if (child.pid > 0) ::kill(child.pid, number);
    }
  }

  // False: nobody is left.
  bool reap(bool leaving) {
    bool left = false;
    for (auto& child : children_) {
      int status = 0;
      if (child.pid > 0 && ::waitpid(child.pid, &status, WNOHANG) == child.pid) {
        child.pid = -1;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !leaving) {
          ++tallies_.at(child.part).failed;
          journal_.say("process " + std::to_string(child.part) + " ended by itself, status " + std::to_string(status));
        }
      }
      left = left || child.pid > 0;
    }
    return left;
  }

  const RunOptions& options_;
  Tallies& tallies_;
  const std::filesystem::path scratch_;
  const std::size_t handhelds_;
  Journal journal_;
  std::vector<Child> children_;
  std::int64_t began_ = 0;
};

}  // namespace

int run_fleet(const RunOptions& options, const std::optional<RunPart>& part) {
  auto fleet = load_fleet(options.fleet);
  if (!fleet) return failed(fleet.error(), 3);
  unsigned processes = std::max(1U, options.processes);
  if (!options.scenario.empty()) {
    const auto scenario = load_scenario(options.scenario);
    if (!scenario) return failed(scenario.error(), 3);
    const auto now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
    if (auto applied = apply(*scenario, *fleet, now); !applied) return failed(applied.error(), 3);
    if (options.processes == 0) processes = static_cast<unsigned>(scenario->processes);
  }
  const auto parts = share_out(fleet->handhelds, processes);
  listen_to_signals();
  if (part) {
    if (part->number >= parts.size()) return failed({ErrorCode::out_of_range, "--part", "there is none"}, 2);
    const auto tallies = Tallies::open(part->tallies, parts.size(), false);
    if (!tallies) return failed(tallies.error(), 1);
    return run_part(options, *fleet, parts[part->number], *part, (*tallies)->at(part->number), false);
  }
  if (parts.size() == 1 && parts[0].kills_per_h == 0) {
    Tally tally;
    const RunPart whole{0, 0, steady_ms(), {}};
    const int status = run_part(options, *fleet, parts[0], whole, tally, true);
    return status != 0 ? status : sum_up(fleet->handhelds.size(), {&tally}, whole.began_ms, options.seed);
  }
  const auto scratch = Scratch::make();
  if (!scratch) return failed(scratch.error(), 1);
  const auto tallies = Tallies::open((*scratch)->path() / "tallies", parts.size(), true);
  if (!tallies) return failed(tallies.error(), 1);
  Family family(options, parts, **tallies, (*scratch)->path(), fleet->handhelds.size());
  family.run();
  return sum_up(fleet->handhelds.size(), (*tallies)->all(), family.began_ms(), options.seed);
}

}  // namespace gridward::sim
