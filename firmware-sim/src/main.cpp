// gridward-sim: simulated handhelds on the real device library; drawn photos; receiver logs moved in place and time.
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gridward/sim/nmea.hpp>
#include <gridward/sim/scene.hpp>
#include <gridward_sim/fleet_run.hpp>
#include <gridward_sim/link.hpp>
#include <gridward_sim/receiver_log.hpp>
#include <gridward_sim/scenario.hpp>
#include <iterator>
#include <map>
#include <optional>
#include <thread>

namespace {

using namespace gridward;
using namespace gridward::sim;

constexpr const char* kUsage = R"(usage:
  gridward-sim run --fleet FILE [--scenario FILE] [--photos DIR [--unique]] [--minutes M] [--seed S]
                   [--processes N] [--threads T] [--drain SECONDS] [--witness FILE] [--quiet]
      Runs until M minutes are over or a signal (INT, TERM): then everybody ends the patrol, signs out and sends what is
      left. The last line is a JSON summary; exit status 0 when nothing waits. After USR1 nobody reports any more, the
      scenario is over, and what comes down is still done.
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

int run(const Arguments& args) {
  RunOptions options;
  options.fleet = args.get("fleet");
  options.scenario = args.get("scenario");
  options.photos = args.get("photos");
  options.unique = args.has("unique");
  options.threads = std::min(4U, std::max(1U, std::thread::hardware_concurrency()));
  options.witness = args.get("witness");
  options.quiet = args.has("quiet");
  if (options.fleet.empty()) return usage("run needs --fleet");
  if (args.has("minutes") && (!number(args.get("minutes"), options.minutes) || options.minutes < 0)) {
    return usage("--minutes");
  }
  if (args.has("seed") && !number(args.get("seed"), options.seed)) return usage("--seed");
  if (args.has("threads") && (!number(args.get("threads"), options.threads) || options.threads == 0)) {
    return usage("--threads");
  }
  if (args.has("processes") && (!number(args.get("processes"), options.processes) || options.processes == 0 ||
                                options.processes > kMaxProcesses)) {
    return usage("--processes 1 to " + std::to_string(kMaxProcesses));
  }
  if (args.has("drain") && (!number(args.get("drain"), options.drain_s) || options.drain_s < 0)) {
    return usage("--drain");
  }
  if (options.unique && options.photos.empty()) return usage("--unique needs --photos");
  std::optional<RunPart> part;
  if (args.has("part")) {
    part.emplace();
    part->tallies = args.get("tallies");
    if (!number(args.get("part"), part->number) || !number(args.get("start"), part->start) ||
        !number(args.get("began"), part->began_ms)) {
      return usage("--part is what run tells its own processes");
    }
  }
  return run_fleet(options, part);
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
         {"scenario", true},
         {"photos", true},
         {"minutes", true},
         {"seed", true},
         {"processes", true},
         {"threads", true},
         {"drain", true},
         {"unique", false},
         {"witness", true},
         {"quiet", false},
         {"part", true},
         {"start", true},
         {"began", true},
         {"tallies", true}},
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
