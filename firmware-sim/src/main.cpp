// gridward-sim: simulated handhelds on the real device library; drawn photos; receiver logs moved in place and time.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gridward/sim/nmea.hpp>
#include <gridward/sim/scene.hpp>
#include <gridward_sim/handheld.hpp>
#include <gridward_sim/link.hpp>
#include <gridward_sim/receiver_log.hpp>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <thread>

namespace {

using namespace gridward;
using namespace gridward::sim;

constexpr const char* kUsage = R"(usage:
  gridward-sim run --fleet FILE [--photos DIR [--unique]] [--minutes M] [--seed S] [--threads T] [--drain SECONDS]
                   [--witness FILE] [--quiet]
      Runs until M minutes are over or a signal (INT, TERM): then everybody ends the patrol, signs out and sends what is
      left. The last line is a JSON summary; exit status 0 when nothing waits. After USR1 nobody reports any more, and
      what comes down is still done.
  gridward-sim link --listen PORT --to PORT [--seed S] [--life SECONDS] [--delay MS]
      A bad network on the loopback until a signal (INT, TERM); after USR1 a good one. The last line is JSON.
  gridward-sim draw --out FILE.jpg|DIR [--count N] [--seed S] [--size 4000x3000] [--quality 90]
                    [--problem manhole|litter|lamp|parking|puddle|tree] [--repaired] [--exif-orientation 1…8]
      A pothole and a stall are drawn as what comes nearest: a hole, and a pavement that is taken.
  gridward-sim nmea --log FILE --to LAT,LON [--at now|UNIX_SECONDS|YYYY-MM-DDThh:mm:ssZ] [--all] [--out FILE]
      Without --out the moved log goes to the standard output.
)";

int usage(const std::string& problem) {
  std::fprintf(stderr, "gridward-sim: %s\n%s", problem.c_str(), kUsage);
  return 2;
}

int failed(const Error& error, int status) {
  std::fprintf(stderr, "gridward-sim: %s\n", to_string(error).c_str());
  return status;
}

struct Arguments {
  std::map<std::string, std::string> options;
  std::string problem;
  bool has(const std::string& name) const { return options.count(name) > 0; }
  std::string get(const std::string& name, const std::string& fallback = {}) const {
    const auto found = options.find(name);
    return found == options.end() ? fallback : found->second;
  }
};

Arguments parse(int argc, char** argv, const std::map<std::string, bool>& known) {
  Arguments args;
  for (int i = 2; i < argc; ++i) {
    std::string word = argv[i];
    if (!word.starts_with("--")) {
      args.problem = "unexpected '" + word + "'";
      return args;
    }
    word = word.substr(2);
    std::string value;
    const auto equals = word.find('=');
    const bool inline_value = equals != std::string::npos;
    if (inline_value) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
    }
    const auto option = known.find(word);
    if (option == known.end()) {
      args.problem = "unknown option --" + word;
      return args;
    }
    if (option->second && !inline_value) {
      if (i + 1 >= argc) {
        args.problem = "--" + word + " needs a value";
        return args;
      }
      value = argv[++i];
    }
    args.options[word] = value;
  }
  return args;
}

template <class T>
bool number(const std::string& text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

// ---- run ----

volatile sig_atomic_t signalled = 0;
volatile sig_atomic_t enough = 0;
extern "C" void on_signal(int) { signalled = signalled + 1; }
extern "C" void on_enough(int) { enough = 1; }

struct Worker {
  std::vector<std::unique_ptr<Handheld>> handhelds;
  std::thread thread;
};

class Runner {
 public:
  std::atomic<bool> leave = false;
  std::atomic<bool> stop = false;

  // One thread's loop: waits for the handhelds' descriptors and for the earliest of their times.
  void loop(std::vector<std::unique_ptr<Handheld>>& handhelds) {
    const int poll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<std::int64_t> due(handhelds.size());
    std::vector<int> watched(handhelds.size(), -1);
    std::set<std::pair<std::int64_t, std::size_t>> times;
    for (std::size_t i = 0; i < handhelds.size(); ++i) times.emplace(due[i] = 0, i);
    std::size_t left = handhelds.size();
    bool told = false;
    std::vector<epoll_event> ready(256);
    std::vector<std::size_t> now_due;
    while (left > 0 && !stop) {
      if (leave && !told) {
        told = true;
        for (std::size_t i = 0; i < handhelds.size(); ++i) {
          handhelds[i]->leave();
          times.erase({due[i], i});
          times.emplace(due[i] = 0, i);
        }
      }
      const auto now = steady_ms();
      // Never longer than a moment, to hear of `leave`.
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
        if (watched[i] < 0 && handheld.fd() >= 0) {
          watched[i] = handheld.fd();
          epoll_event interest{};
          interest.events = EPOLLIN;
          interest.data.u64 = i;
          ::epoll_ctl(poll, EPOLL_CTL_ADD, watched[i], &interest);
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
// what a capture needs for a moment.
constexpr std::size_t kDescriptorsEach = 9;
constexpr std::size_t kDescriptorsBesides = 32;

// Most shells begin with a soft limit of 1024, which is the limit of programs that use select().
Result<void> raise_descriptor_limit(std::size_t handhelds) {
  const rlim_t needed = handhelds * kDescriptorsEach + kDescriptorsBesides;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  if (limit.rlim_cur >= needed) return {};
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= needed) return {};
  return fail(ErrorCode::unavailable, "open files",
              std::to_string(handhelds) + " handhelds need " + std::to_string(needed) +
                  " descriptors, the hard limit is " + std::to_string(limit.rlim_max) +
                  ": raise it (ulimit -Hn, or LimitNOFILE of the unit)");
}

int run(const Arguments& args) {
  double minutes = 0;
  std::uint64_t seed = 1;
  unsigned threads = std::min(4U, std::max(1U, std::thread::hardware_concurrency()));
  int drain_s = 60;
  if (!args.has("fleet")) return usage("run needs --fleet");
  if (args.has("minutes") && (!number(args.get("minutes"), minutes) || minutes < 0)) return usage("--minutes");
  if (args.has("seed") && !number(args.get("seed"), seed)) return usage("--seed");
  if (args.has("threads") && (!number(args.get("threads"), threads) || threads == 0)) return usage("--threads");
  if (args.has("drain") && (!number(args.get("drain"), drain_s) || drain_s < 0)) return usage("--drain");
  if (args.has("unique") && !args.has("photos")) return usage("--unique needs --photos");
  const auto fleet = load_fleet(args.get("fleet"));
  if (!fleet) return failed(fleet.error(), 3);
  if (auto raised = raise_descriptor_limit(fleet->handhelds.size()); !raised) return failed(raised.error(), 1);

  Surroundings around;
  around.categories = fleet->categories;
  around.quiet = args.has("quiet");
  around.unique = args.has("unique");
  std::unique_ptr<Witness> witness;
  if (args.has("witness")) {
    auto opened = Witness::open(args.get("witness"));
    if (!opened) return failed(opened.error(), 3);
    witness = std::move(*opened);
    around.witness = witness.get();
  }
  if (args.has("photos")) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(args.get("photos"), error)) {
      auto extension = entry.path().extension().string();
      std::transform(extension.begin(), extension.end(), extension.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".webp") {
        around.photos.push_back(entry.path().string());
      }
    }
    if (around.photos.empty()) return usage("no photos in " + args.get("photos"));
    std::sort(around.photos.begin(), around.photos.end());  // the same choice for the same seed
  }
  std::string scratch = (std::filesystem::temp_directory_path() / "gridward-sim-XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr)
    return failed({ErrorCode::storage_failed, scratch, std::strerror(errno)}, 1);
  around.scratch = scratch;

  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_enough;
  ::sigaction(SIGUSR1, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  Tally tally;
  Journal journal;
  threads = std::min<unsigned>(threads, static_cast<unsigned>(fleet->handhelds.size()));
  std::vector<Worker> workers(threads);
  for (std::size_t i = 0; i < fleet->handhelds.size(); ++i) {
    auto handheld = Handheld::open(fleet->handhelds[i], around, tally, journal, seed * 1'000'003 + i, i);
    if (!handheld) {
      std::filesystem::remove_all(scratch);
      return failed(handheld.error(), 3);
    }
    workers[i % threads].handhelds.push_back(std::move(*handheld));
  }

  Runner runner;
  const auto begin = steady_ms();
  for (auto& worker : workers) {
    worker.thread = std::thread([&] { runner.loop(worker.handhelds); });
  }
  std::atomic<unsigned> running = threads;
  std::thread joiner([&] {
    for (auto& worker : workers) {
      worker.thread.join();
      --running;
    }
  });
  auto next_line = begin + 5'000;
  std::int64_t leave_at = minutes > 0 ? begin + static_cast<std::int64_t>(minutes * 60'000) : -1;
  std::int64_t stop_at = -1;
  while (running > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto now = steady_ms();
    if (enough != 0) around.reporting = false;
    if (!runner.leave && (signalled > 0 || (leave_at >= 0 && now >= leave_at))) {
      runner.leave = true;
      stop_at = now + std::int64_t{drain_s} * 1000;
      journal.say("everybody signs out and sends what is left");
    }
    // A second signal does not wait.
    if (stop_at >= 0 && (now >= stop_at || signalled > 1)) runner.stop = true;
    if (now >= next_line && running > 0) {
      next_line = now + 5'000;
      char line[256];
      std::snprintf(
          line, sizeof line,
          "%zu handhelds, %llu connected, %llu on duty: %llu reports, %llu photos (%llu delivered), "
          "%llu receipts, %llu tasks done, %llu track points, %llu refused",
          fleet->handhelds.size(), static_cast<unsigned long long>(tally.connected),
          static_cast<unsigned long long>(tally.on_duty), static_cast<unsigned long long>(tally.reports),
          static_cast<unsigned long long>(tally.photos), static_cast<unsigned long long>(tally.photos_delivered),
          static_cast<unsigned long long>(tally.receipted), static_cast<unsigned long long>(tally.tasks_verified),
          static_cast<unsigned long long>(tally.track_points), static_cast<unsigned long long>(tally.refused));
      journal.say(line);
    }
  }
  joiner.join();

  std::uint64_t waiting = 0;
  std::uint64_t waiting_media = 0;
  std::uint64_t refused = 0;
  std::uint64_t saved = 0;
  for (const auto& worker : workers) {
    for (const auto& handheld : worker.handhelds) {
      const auto s = handheld->summary();
      waiting += s.waiting_records;
      waiting_media += s.waiting_media;
      refused += s.refused;
      saved += s.next_seq - 1;
    }
  }
  workers.clear();
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  std::printf(
      "{\"handhelds\":%zu,\"reports\":%llu,\"photos\":%llu,\"tasks_verified\":%llu,\"track_points\":%llu,\"records\":%"
      "llu,"
      "\"receipted\":%llu,\"waiting\":%llu,\"waiting_photos\":%llu,\"refused\":%llu,\"full\":%llu,\"failed\":%llu,"
      "\"seconds\":%.1f,"
      "\"seed\":%llu}\n",
      fleet->handhelds.size(), static_cast<unsigned long long>(tally.reports),
      static_cast<unsigned long long>(tally.photos), static_cast<unsigned long long>(tally.tasks_verified),
      static_cast<unsigned long long>(tally.track_points), static_cast<unsigned long long>(saved),
      static_cast<unsigned long long>(tally.receipted), static_cast<unsigned long long>(waiting),
      static_cast<unsigned long long>(waiting_media), static_cast<unsigned long long>(refused),
      static_cast<unsigned long long>(tally.full), static_cast<unsigned long long>(tally.failed),
      static_cast<double>(steady_ms() - begin) / 1000, static_cast<unsigned long long>(seed));
  return waiting == 0 && waiting_media == 0 && tally.failed == 0 ? 0 : 1;
}

// ---- link ----

std::atomic<bool> link_stop = false;
std::atomic<bool> link_heal = false;
extern "C" void on_link_signal(int number) { (number == SIGUSR1 ? link_heal : link_stop) = true; }

int link(const Arguments& args) {
  LinkOptions options;
  if (!number(args.get("listen"), options.listen) || !number(args.get("to"), options.to)) {
    return usage("link needs --listen PORT and --to PORT");
  }
  if (args.has("seed") && !number(args.get("seed"), options.seed)) return usage("--seed");
  if (args.has("life") && (!number(args.get("life"), options.life_s) || options.life_s <= 0)) return usage("--life");
  if (args.has("delay") && (!number(args.get("delay"), options.delay_ms) || options.delay_ms < 0)) {
    return usage("--delay");
  }
  struct sigaction action{};
  action.sa_handler = on_link_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) ::sigaction(signal, &action, nullptr);
  const auto counts = run_link(options, link_stop, link_heal);
  if (!counts) return failed(counts.error(), 1);
  const auto plain = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("{\"connections\":%llu,\"cuts\":%llu,\"silent\":%llu,\"stalls\":%llu,\"bytes\":%llu}\n",
              plain(counts->connections), plain(counts->cuts), plain(counts->silent), plain(counts->stalls),
              plain(counts->bytes));
  return 0;
}

// ---- draw ----

int write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (out.flush()) return 0;
  return failed({ErrorCode::storage_failed, path.string(), "cannot be written"}, 1);
}

int draw_one(const std::filesystem::path& path, const SceneOptions& options) {
  const auto jpeg = draw_scene(options);
  if (!jpeg) return failed(jpeg.error(), 2);
  return write_file(path, {reinterpret_cast<const char*>(jpeg->data()), jpeg->size()});
}

int draw(const Arguments& args) {
  SceneOptions options;
  int count = 1;
  if (!args.has("out")) return usage("draw needs --out");
  if (args.has("seed") && !number(args.get("seed"), options.seed)) return usage("--seed");
  if (args.has("count") && (!number(args.get("count"), count) || count < 1)) return usage("--count");
  if (args.has("quality") && !number(args.get("quality"), options.quality)) return usage("--quality");
  if (args.has("exif-orientation") && !number(args.get("exif-orientation"), options.exif_orientation)) {
    return usage("--exif-orientation");
  }
  options.repaired = args.has("repaired");
  if (args.has("size")) {
    const auto size = args.get("size");
    const auto cross = size.find('x');
    if (cross == std::string::npos || !number(size.substr(0, cross), options.width) ||
        !number(size.substr(cross + 1), options.height)) {
      return usage("--size WIDTHxHEIGHT");
    }
  }
  if (args.has("problem")) {
    // By the words of the matter list, or by the scene library's own.
    static const std::map<std::string, Subject> problems{{"litter", Subject::rubbish},
                                                         {"puddle", Subject::leak},
                                                         {"pothole", Subject::manhole},
                                                         {"stall", Subject::parking}};
    const auto name = args.get("problem");
    const auto problem = problems.find(name);
    const auto subject = problem != problems.end() ? std::optional(problem->second) : subject_named(name);
    if (!subject) return usage("--problem");
    options.subject = *subject;
  }
  const std::filesystem::path out = args.get("out");
  const auto extension = out.extension().string();
  if (extension == ".jpg" || extension == ".jpeg") {
    if (count != 1) return usage("--out is a file: --count makes no sense");
    return draw_one(out, options);
  }
  std::error_code error;
  std::filesystem::create_directories(out, error);
  const auto first = options.seed;
  for (int i = 0; i < count; ++i) {
    options.seed = first + static_cast<std::uint64_t>(i);
    // Without a wish they take turns, so that a folder shows all.
    if (!args.has("problem")) options.subject = subjects()[static_cast<std::size_t>(i) % subjects().size()];
    const auto file = out / ("scene-" + std::to_string(options.seed) + ".jpg");
    if (const int status = draw_one(file, options); status != 0) return status;
    std::printf("%s\n", file.c_str());
  }
  return 0;
}

// ---- nmea ----

bool parse_at(const std::string& text, UnixMs& out) {
  std::int64_t seconds = 0;
  if (text == "now") {
    out = std::chrono::floor<Millis>(std::chrono::system_clock::now());
    return true;
  }
  if (number(text, seconds)) {
    out = from_unix_ms(seconds * 1000);
    return true;
  }
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != 0) return false;
  out = from_unix_ms(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
  return true;
}

int nmea(const Arguments& args) {
  MoveOptions options;
  if (!args.has("log") || !args.has("to")) return usage("nmea needs --log and --to");
  const auto to = args.get("to");
  const auto comma = to.find(',');
  double lat = 0;
  double lon = 0;
  if (comma == std::string::npos || !number(to.substr(0, comma), lat) || !number(to.substr(comma + 1), lon) ||
      !(lat >= -89 && lat <= 89 && lon >= -180 && lon <= 180)) {
    return usage("--to LAT,LON");
  }
  options.to = geo_point(lat, lon);
  if (!parse_at(args.get("at", "now"), options.start)) return usage("--at now|UNIX_SECONDS|YYYY-MM-DDThh:mm:ssZ");
  std::ifstream in(args.get("log"), std::ios::binary);
  if (!in) return failed({ErrorCode::not_found, args.get("log"), "cannot be read"}, 1);
  const std::string log{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto moved = move_log(log, options);
  if (!moved) return failed(moved.error(), 1);
  const auto text = args.has("all") ? std::string_view(moved->text) : from_first_fix(moved->text);
  int status = 0;
  if (args.has("out")) {
    status = write_file(args.get("out"), text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return failed({ErrorCode::storage_failed, "stdout", "cannot be written"}, 1);
  }
  std::fprintf(stderr, "%zu sentences moved, %zu kept, %zu dropped, %zu fixes\n", moved->moved, moved->kept,
               moved->dropped, moved->fixes);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "--help" || command == "help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const std::map<std::string, std::pair<std::map<std::string, bool>, int (*)(const Arguments&)>> commands{
      {"run",
       {{{"fleet", true},
         {"photos", true},
         {"minutes", true},
         {"seed", true},
         {"threads", true},
         {"drain", true},
         {"unique", false},
         {"witness", true},
         {"quiet", false}},
        run}},
      {"link", {{{"listen", true}, {"to", true}, {"seed", true}, {"life", true}, {"delay", true}}, link}},
      {"draw",
       {{{"out", true},
         {"count", true},
         {"seed", true},
         {"size", true},
         {"quality", true},
         {"problem", true},
         {"repaired", false},
         {"exif-orientation", true}},
        draw}},
      {"nmea", {{{"log", true}, {"to", true}, {"at", true}, {"all", false}, {"out", true}}, nmea}},
  };
  const auto found = commands.find(command);
  if (found == commands.end()) return usage(command.empty() ? "no command" : "no such command: " + command);
  const auto args = parse(argc, argv, found->second.first);
  if (!args.problem.empty()) return usage(args.problem);
  return found->second.second(args);
}
