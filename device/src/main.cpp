// gridward-device: the handheld's program. Commands append to the outbox and leave; `run` is the agent that sends.
#include <gridward/device.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

// Exit codes, documented in device/README.md.
enum Exit : int {
  kDone = 0,
  kFailed = 1,       // storage, camera, a bug
  kUsage = 2,        // the command line
  kConfig = 3,       // the configuration, or not enrolled yet
  kRefusedHere = 4,  // the record would not be taken: a wrong value, not on duty, no such task
  kFull = 5,         // the outbox is full
  kBusy = 6,         // another agent runs
};

int exit_code(gw_status status) {
  switch (status) {
    case GW_OK:
      return kDone;
    case GW_E_CONFIG_INVALID:
    case GW_E_NOT_ENROLLED:
    case GW_E_NEWER_DATABASE:
      return kConfig;
    case GW_E_OUTBOX_FULL:
      return kFull;
    case GW_E_UNAVAILABLE:
      return kBusy;
    case GW_E_STORAGE_FAILED:
    case GW_E_CAMERA_FAILED:
    case GW_E_INTERNAL:
      return kFailed;
    default:
      return kRefusedHere;
  }
}

gw_lang language = GW_LANG_ZH;

const char* say(const char* zh, const char* en) { return language == GW_LANG_EN ? en : zh; }

constexpr const char* kUsageZh = R"(用法: gridward-device [--config 文件] [--lang zh|en] 命令 [选项]
  init                         建立数据目录、密钥和发件箱，打印公钥
  run                          代理：发送、接收、在岗时记录轨迹
  report --category 代码|名称 --text 文字 [--photo 文件|camera]… [--no-position]
  sign-in | sign-out           签到、签退  [--actor 账号] [--no-position]
  patrol start
  patrol stop [--text 日志] [--check 事项=ok|bad[:备注]]…
  task list [--all] [--json]
  task done 编号 --outcome confirmed|not_rectified|cannot_check --text 文字 [--photo 文件|camera]…
  categories [--json]          服务器下发的事项清单
  status [--json]
  retry                        把被退回的记录重新发送
共用选项: --actor 账号  --no-position  --position 纬度,经度
)";

constexpr const char* kUsageEn = R"(usage: gridward-device [--config FILE] [--lang zh|en] COMMAND [OPTIONS]
  init                         make the data folder, the key and the outbox; print the public key
  run                          the agent: sends, receives, records tracks on duty
  report --category CODE|NAME --text TEXT [--photo FILE|camera]… [--no-position]
  sign-in | sign-out           [--actor LOGIN] [--no-position]
  patrol start
  patrol stop [--text LOG] [--check ITEM=ok|bad[:NOTE]]…
  task list [--all] [--json]
  task done ID --outcome confirmed|not_rectified|cannot_check --text TEXT [--photo FILE|camera]…
  categories [--json]          the matter list that the server has sent
  status [--json]
  retry                        send again what was refused
with every capture: --actor LOGIN  --no-position  --position LAT,LON
)";

int usage(const std::string& problem) {
  std::fprintf(stderr, "gridward-device: %s\n%s", problem.c_str(), say(kUsageZh, kUsageEn));
  return kUsage;
}

std::string json_text(const char* text) {
  std::string out = "\"";
  for (const char* p = text != nullptr ? text : ""; *p != 0; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += *p;
    } else if (c < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    } else {
      out += *p;
    }
  }
  return out + "\"";
}

std::string local_time(int64_t unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

// Options by name, in order; the rest are words.
struct Arguments {
  std::vector<std::string> words;
  std::multimap<std::string, std::string> options;
  std::string problem;

  bool has(const std::string& name) const { return options.count(name) > 0; }
  const char* get(const std::string& name) const {
    const auto found = options.find(name);
    return found == options.end() ? nullptr : found->second.c_str();
  }
};

Arguments parse(int argc, char** argv) {
  static const std::map<std::string, bool, std::less<>> known{
      // name: takes a value
      {"config", true}, {"lang", true},    {"category", true}, {"text", true},     {"photo", true},
      {"actor", true},  {"outcome", true}, {"check", true},    {"position", true}, {"no-position", false},
      {"json", false},  {"all", false},    {"help", false},
  };
  Arguments args;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      args.words.emplace_back(word);
      continue;
    }
    auto name = word.substr(2);
    std::string value;
    const auto equals = name.find('=');
    const bool inline_value = equals != std::string_view::npos;
    if (inline_value) {
      value = std::string(name.substr(equals + 1));
      name = name.substr(0, equals);
    }
    const auto option = known.find(name);
    if (option == known.end()) {
      args.problem = std::string(say("不认识的选项 ", "unknown option ")) + std::string(word);
      return args;
    }
    if (option->second && !inline_value) {
      if (i + 1 >= argc) {
        args.problem = std::string(say("选项缺少值 ", "option needs a value: ")) + std::string(word);
        return args;
      }
      value = argv[++i];
    }
    args.options.emplace(std::string(name), value);
  }
  return args;
}

struct Close {
  void operator()(gw_device* device) const { gw_device_close(device); }
};
using Device = std::unique_ptr<gw_device, Close>;

int failed(gw_status status, const std::string& detail) {
  std::fprintf(stderr, "%s\n  %s\n", gw_status_text(status, language), detail.c_str());
  return exit_code(status);
}

int failed(gw_device* device, gw_status status) { return failed(status, gw_device_last_error(device)); }

int saved_line(const gw_saved& saved) {
  // The first 13 characters are the time, which two records may share; the end is random.
  std::printf("%s %s #%llu\n", say("已保存", "saved"), saved.id, static_cast<unsigned long long>(saved.seq));
  return std::fflush(stdout) == 0 ? kDone : kFailed;
}

std::vector<gw_photo> photos_of(const Arguments& args, gw_media_role role) {
  std::vector<gw_photo> photos;
  const auto [first, last] = args.options.equal_range("photo");
  for (auto option = first; option != last; ++option) {
    gw_photo photo{};
    photo.struct_size = sizeof photo;
    photo.path = option->second == "camera" ? nullptr : option->second.c_str();
    photo.role = role;
    photos.push_back(photo);
  }
  return photos;
}

struct Capture {
  gw_capture capture{};
  gw_fix fix{};
};

bool capture_of(const Arguments& args, Capture& out) {
  out.capture.struct_size = sizeof out.capture;
  out.capture.actor = args.get("actor");
  out.capture.no_position = args.has("no-position") ? 1 : 0;
  if (const char* position = args.get("position")) {
    char* end = nullptr;
    const double lat = std::strtod(position, &end);
    if (*end != ',') return false;
    const double lon = std::strtod(end + 1, &end);
    if (*end != 0 || !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180)) return false;
    out.fix.struct_size = sizeof out.fix;
    out.fix.lat_e7 = static_cast<int32_t>(lat * 1e7 + (lat < 0 ? -0.5 : 0.5));
    out.fix.lon_e7 = static_cast<int32_t>(lon * 1e7 + (lon < 0 ? -0.5 : 0.5));
    out.fix.source = GW_FIX_MANUAL;
    out.capture.fix = &out.fix;
  }
  return true;
}

// ---- commands ----

struct Category {
  std::string code, name, group;
};
int32_t add_category(void* user, const gw_category* category) {
  static_cast<std::vector<Category>*>(user)->push_back({category->code, category->name, category->group});
  return 0;
}

int categories(gw_device* device, const Arguments& args) {
  std::vector<Category> list;
  if (const auto status = gw_device_categories(device, add_category, &list); status != GW_OK) {
    return failed(device, status);
  }
  if (args.has("json")) {
    const char* comma = "";
    std::printf("[");
    for (const auto& category : list) {
      std::printf("%s{\"code\":%s,\"name\":%s,\"group\":%s}", std::exchange(comma, ","),
                  json_text(category.code.c_str()).c_str(), json_text(category.name.c_str()).c_str(),
                  json_text(category.group.c_str()).c_str());
    }
    std::printf("]\n");
    return kDone;
  }
  std::string group;
  for (const auto& category : list) {
    if (category.group != group) std::printf("%s\n", (group = category.group).c_str());
    std::printf("  %s  %s\n", category.code.c_str(), category.name.c_str());
  }
  if (list.empty()) std::printf("%s\n", say("还没有收到事项清单", "no matter list has come yet"));
  return kDone;
}

// A code stays as it is; a name becomes its code. What the list does not have is sent all the same: the server decides,
// and the list here may be older than its.
std::string category_code(gw_device* device, const std::string& given) {
  std::vector<Category> list;
  gw_device_categories(device, add_category, &list);
  std::vector<std::string> codes;
  for (const auto& category : list) {
    if (category.code == given) return given;
    if (category.name == given) codes.push_back(category.code);
  }
  if (codes.size() == 1) return codes[0];
  if (codes.size() > 1) {
    std::fprintf(stderr, "%s %s:", say("有多个事项叫", "several matters are called"), given.c_str());
    for (const auto& code : codes) std::fprintf(stderr, " %s", code.c_str());
    std::fprintf(stderr, "\n");
  } else if (!list.empty()) {
    std::fprintf(stderr, "%s: %s\n", say("事项清单里没有", "not in the matter list"), given.c_str());
  }
  return given;
}

int report(gw_device* device, const Arguments& args, const gw_capture& capture) {
  const auto photos = photos_of(args, GW_SCENE);
  gw_report request{};
  request.struct_size = sizeof request;
  request.text = args.get("text");
  request.photos = photos.data();
  request.photo_count = photos.size();
  if (!args.has("category") || request.text == nullptr) {
    return usage(say("report 需要 --category 和 --text", "report needs --category and --text"));
  }
  const auto category = category_code(device, args.get("category"));
  request.category = category.c_str();
  gw_saved saved{};
  saved.struct_size = sizeof saved;
  const auto status = gw_device_report(device, &request, &capture, &saved);
  return status == GW_OK ? saved_line(saved) : failed(device, status);
}

int sign(gw_device* device, gw_sign_act act, const gw_capture& capture) {
  gw_saved saved{};
  saved.struct_size = sizeof saved;
  const auto status = gw_device_sign(device, act, &capture, &saved);
  return status == GW_OK ? saved_line(saved) : failed(device, status);
}

int patrol_stop(gw_device* device, const Arguments& args, const gw_capture& capture) {
  struct Check {
    std::string item, note;
    bool ok = true;
  };
  std::vector<Check> checks;
  const auto [first, last] = args.options.equal_range("check");
  for (auto option = first; option != last; ++option) {
    const auto& text = option->second;
    const auto equals = text.rfind('=');
    if (equals == std::string::npos) return usage("--check " + text);
    const auto result = text.substr(equals + 1);
    const auto colon = result.find(':');
    const auto word = result.substr(0, colon);
    if (word != "ok" && word != "bad") return usage("--check " + text);
    checks.push_back(
        {text.substr(0, equals), colon == std::string::npos ? "" : result.substr(colon + 1), word == "ok"});
  }
  std::vector<gw_check_item> items;
  for (const auto& check : checks) {
    items.push_back({sizeof(gw_check_item), check.item.c_str(), check.ok ? 1 : 0, check.note.c_str()});
  }
  gw_patrol_log log{};
  log.struct_size = sizeof log;
  log.text = args.get("text");
  log.checks = items.data();
  log.check_count = items.size();
  gw_saved saved{};
  saved.struct_size = sizeof saved;
  const auto status = gw_device_patrol_stop(device, &log, &capture, &saved);
  return status == GW_OK ? saved_line(saved) : failed(device, status);
}

int patrol(gw_device* device, const Arguments& args, const gw_capture& capture) {
  const std::string what = args.words.size() > 1 ? args.words[1] : "";
  if (what == "stop") return patrol_stop(device, args, capture);
  if (what != "start") return usage("patrol start | stop");
  gw_saved saved{};
  saved.struct_size = sizeof saved;
  const auto status = gw_device_patrol_start(device, &capture, &saved);
  return status == GW_OK ? saved_line(saved) : failed(device, status);
}

int32_t print_task(void* user, const gw_task* task) {
  auto& count = *static_cast<int*>(user);
  ++count;
  const char* states[] = {say("待办", "open"), say("已办", "done"), say("已取消", "cancelled")};
  std::printf("%s  [%s] %s %s\n    %s\n", task->task, states[task->state], task->number, task->category, task->text);
  if (task->has_point != 0) std::printf("    %.7f,%.7f\n", task->lat_e7 * 1e-7, task->lon_e7 * 1e-7);
  if (task->due_ms != 0) std::printf("    %s %s\n", say("限期", "due"), local_time(task->due_ms).c_str());
  return 0;
}

int32_t print_task_json(void* user, const gw_task* task) {
  auto& count = *static_cast<int*>(user);
  const char* states[] = {"open", "done", "cancelled"};
  std::printf("%s{\"task\":%s,\"kind\":%s,\"case\":%s,\"number\":%s,\"category\":%s,\"text\":%s",
              count++ > 0 ? "," : "", json_text(task->task).c_str(), json_text(task->kind).c_str(),
              json_text(task->case_id).c_str(), json_text(task->number).c_str(), json_text(task->category).c_str(),
              json_text(task->text).c_str());
  if (task->has_point != 0) std::printf(",\"lat_e7\":%d,\"lon_e7\":%d", task->lat_e7, task->lon_e7);
  if (task->due_ms != 0) std::printf(",\"due\":%lld", static_cast<long long>(task->due_ms));
  std::printf(",\"state\":\"%s\"}", states[task->state]);
  return 0;
}

int task_list(gw_device* device, const Arguments& args) {
  int count = 0;
  const bool json = args.has("json");
  if (json) std::printf("[");
  const auto status = gw_device_tasks(device, args.has("all") ? 1 : 0, json ? print_task_json : print_task, &count);
  if (json) std::printf("]\n");
  if (status != GW_OK) return failed(device, status);
  if (count == 0 && !json) std::printf("%s\n", say("没有任务", "no tasks"));
  return kDone;
}

int task_done(gw_device* device, const Arguments& args, const gw_capture& capture) {
  const std::map<std::string, gw_outcome> outcomes{
      {"confirmed", GW_CONFIRMED}, {"not_rectified", GW_NOT_RECTIFIED}, {"cannot_check", GW_CANNOT_CHECK}};
  const auto outcome = outcomes.find(args.get("outcome") != nullptr ? args.get("outcome") : "");
  if (args.words.size() != 3 || outcome == outcomes.end()) {
    return usage("task done ID --outcome confirmed|not_rectified|cannot_check --text …");
  }
  const auto photos = photos_of(args, GW_AFTER);
  gw_task_result result{};
  result.struct_size = sizeof result;
  result.task = args.words[2].c_str();
  result.outcome = outcome->second;
  result.text = args.get("text");
  result.photos = photos.data();
  result.photo_count = photos.size();
  gw_saved saved{};
  saved.struct_size = sizeof saved;
  const auto status = gw_device_task_result(device, &result, &capture, &saved);
  return status == GW_OK ? saved_line(saved) : failed(device, status);
}

int32_t print_refusal(void* user, const gw_refusal* refusal) {
  const bool json = *static_cast<bool*>(user);
  static int count = 0;
  if (json) {
    std::printf("%s{\"id\":%s,\"kind\":%s,\"at\":%lld,\"code\":%d,\"reason\":%s}", count++ > 0 ? "," : "",
                json_text(refusal->id).c_str(), json_text(refusal->kind).c_str(),
                static_cast<long long>(refusal->at_ms), refusal->code, json_text(refusal->reason).c_str());
  } else {
    std::printf("  %s %s %s: %s (%d)\n", local_time(refusal->at_ms).c_str(), refusal->kind, refusal->id,
                refusal->reason, refusal->code);
  }
  return 0;
}

int status_command(gw_device* device, const Arguments& args) {
  gw_summary s{};
  s.struct_size = sizeof s;
  if (const auto status = gw_device_summary(device, &s); status != GW_OK) return failed(device, status);
  bool json = args.has("json");
  const char* clocks[] = {"local", "server", "gnss"};
  const char* clock = clocks[s.clock_source >= 0 && s.clock_source <= 2 ? s.clock_source : 0];
  const char* links[] = {"no_agent", "offline", "connected"};
  const char* link_texts[] = {say("代理没有运行", "no agent runs"), say("未连接", "not connected"),
                              say("已连接", "connected")};
  const int link = s.agent_state >= 0 && s.agent_state <= 2 ? s.agent_state : 0;
  const auto n = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  if (json) {
    std::printf(
        "{\"link\":\"%s\",\"waiting_records\":%llu,\"waiting_media\":%llu,\"waiting_bytes\":%llu,\"oldest_age_ms\":%"
        "lld,"
        "\"last_receipt\":%lld,\"refused_count\":%llu,\"stored_records\":%llu,\"next_seq\":%llu,\"safe\":%llu,"
        "\"pending_points\":%llu,\"dropped_points\":%llu,\"on_duty\":%s,\"on_patrol\":%s,\"open_tasks\":%d,\"actor\":%"
        "s,"
        "\"clock\":\"%s\",\"clock_error_ms\":%u,\"settings_rev\":%s,\"categories_rev\":%s,\"epoch\":%s,\"refused\":[",
        links[link], n(s.waiting_records), n(s.waiting_media), n(s.waiting_bytes),
        static_cast<long long>(s.oldest_age_ms), static_cast<long long>(s.last_receipt_ms), n(s.refused),
        n(s.stored_records), n(s.next_seq), n(s.safe), n(s.pending_points), n(s.dropped_points),
        s.on_duty != 0 ? "true" : "false", s.on_patrol != 0 ? "true" : "false", s.open_tasks,
        json_text(s.actor).c_str(), clock, s.clock_error_ms, json_text(s.settings_rev).c_str(),
        json_text(s.categories_rev).c_str(), json_text(s.epoch).c_str());
    const auto status = gw_device_refused(device, print_refusal, &json);
    std::printf("]}\n");
    return status == GW_OK ? kDone : failed(device, status);
  }
  std::printf("%s: %s\n", say("连接", "link"), link_texts[link]);
  std::printf("%s: %llu %s, %llu %s, %llu %s\n", say("待发送", "waiting"), n(s.waiting_records), say("条", "records"),
              n(s.waiting_media), say("张照片", "photos"), n(s.waiting_bytes), say("字节", "bytes"));
  if (s.oldest_age_ms > 0) {
    std::printf("%s: %lld s\n", say("最早一条已等待", "oldest waits since"),
                static_cast<long long>(s.oldest_age_ms / 1000));
  }
  std::printf("%s: %s\n", say("上次回执", "last receipt"),
              s.last_receipt_ms != 0 ? local_time(s.last_receipt_ms).c_str() : say("从未", "never"));
  if (s.on_duty != 0) {
    std::printf("%s: %s%s\n", say("在岗", "on duty"), s.actor, s.on_patrol != 0 ? say("，巡查中", ", on patrol") : "");
  } else {
    std::printf("%s\n", say("未在岗", "off duty"));
  }
  std::printf("%s: %d\n", say("待办任务", "open tasks"), s.open_tasks);
  std::printf("%s: %s", say("时钟", "clock"), clock);
  std::printf(s.clock_error_ms > 0 ? " ±%u ms\n" : "\n", s.clock_error_ms);
  const auto rev = [](const char* text) { return *text != 0 ? text : say("无", "none"); };
  std::printf("%s: %s, %s: %s\n", say("设置版本", "settings"), rev(s.settings_rev), say("事项清单版本", "matter list"),
              rev(s.categories_rev));
  if (s.dropped_points > 0) {
    std::printf("%s: %llu\n", say("舍弃的轨迹点", "track points dropped"), n(s.dropped_points));
  }
  if (s.refused > 0) std::printf("%s: %llu\n", say("被退回", "refused"), n(s.refused));
  const auto status = gw_device_refused(device, print_refusal, &json);
  return status == GW_OK ? kDone : failed(device, status);
}

// ---- the agent ----

gw_device* running = nullptr;
extern "C" void on_signal(int) {
  if (running != nullptr) gw_device_stop(running);
}

void print_event(void*, const gw_event* event) {
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::printf("%s ", local_time(std::int64_t{now.tv_sec} * 1000).c_str());
  switch (event->kind) {
    case GW_EVENT_CONNECTED:
      std::printf("%s\n", say("已连接", "connected"));
      break;
    case GW_EVENT_DISCONNECTED:
      std::printf("%s: %s\n", say("已断开", "disconnected"), event->text);
      break;
    case GW_EVENT_RECEIPTED:
      std::printf("%s %s\n", say("已回执", "receipted"), event->id);
      break;
    case GW_EVENT_REFUSED:
      std::printf("%s %s: %s (%d)\n", say("被退回", "refused"), event->id, event->text, event->code);
      break;
    case GW_EVENT_MEDIA_DONE:
      std::printf("%s %s\n", say("照片已送达", "photo delivered"), event->id);
      break;
    case GW_EVENT_MEDIA_REFUSED:
      std::printf("%s %s: %s (%d)\n", say("照片被退回", "photo refused"), event->id, event->text, event->code);
      break;
    case GW_EVENT_DOWN:
      // A matter list is no line of a log.
      std::printf("%s #%llu %s %s\n", say("下行", "down"), static_cast<unsigned long long>(event->number), event->id,
                  std::strcmp(event->id, "categories") == 0 ? "" : event->text);
      break;
    case GW_EVENT_LINK_REFUSED:
      std::printf("%s (0x%02x)\n", say("服务器不允许本设备发送", "the broker refuses what this device sends"),
                  static_cast<unsigned>(event->code));
      break;
    case GW_EVENT_BUSY:
      std::printf("%s %llu ms\n", say("服务器繁忙，等待", "server busy, waiting"),
                  static_cast<unsigned long long>(event->number));
      break;
    case GW_EVENT_TASK_REOPENED:
      std::printf("%s %s: %s (%d)\n", say("任务重新打开", "task open again"), event->id, event->text, event->code);
      break;
    case GW_EVENT_POINT_DROPPED:
      std::printf("%s: %s\n", say("轨迹点不可用，已舍弃", "track point dropped"), event->text);
      break;
    case GW_EVENT_STORAGE_FAILED:
      std::printf("%s: %s (%d)\n", say("数据无法写入，稍后重来", "storage failed, beginning anew soon"), event->text,
                  event->code);
      break;
    default:
      std::printf("event %d\n", event->kind);
  }
  std::fflush(stdout);
}

int run(gw_device* device) {
  running = device;
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is a full disk, and no reason to die
  const auto status = gw_device_run(device);
  running = nullptr;
  if (status == GW_OK) return kDone;
  if (std::strstr(gw_device_last_error(device), "data_dir: an agent runs") != nullptr) {
    std::fprintf(stderr, "%s\n", say("此数据目录上已有代理在运行", "An agent runs on this data folder already"));
  }
  return failed(device, status);
}

std::string default_config() {
  if (const char* file = std::getenv("GRIDWARD_DEVICE_CONFIG")) return file;
  return "/etc/gridward/device.json";
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(077);  // the outbox holds photos of people's doors
  if (const char* lang = std::getenv("GRIDWARD_LANG"); lang != nullptr && std::strcmp(lang, "en") == 0) {
    language = GW_LANG_EN;
  }
  const auto args = parse(argc, argv);
  if (const char* lang = args.get("lang")) {
    if (std::strcmp(lang, "zh") != 0 && std::strcmp(lang, "en") != 0) return usage("--lang zh|en");
    language = std::strcmp(lang, "en") == 0 ? GW_LANG_EN : GW_LANG_ZH;
  }
  if (args.has("help")) {
    std::fputs(say(kUsageZh, kUsageEn), stdout);
    return kDone;
  }
  if (!args.problem.empty()) return usage(args.problem);
  if (args.words.empty()) return usage(say("缺少命令", "no command"));
  const auto& command = args.words[0];
  static const std::map<std::string, std::size_t> words{
      {"init", 1},   {"run", 1},  {"report", 1},     {"sign-in", 1}, {"sign-out", 1},
      {"patrol", 2}, {"task", 3}, {"categories", 1}, {"status", 1},  {"retry", 1}};
  const auto known = words.find(command);
  if (known == words.end()) return usage(std::string(say("没有这个命令 ", "no such command: ")) + command);
  if (args.words.size() > known->second)
    return usage(std::string(say("多余的参数 ", "too many words: ")) + args.words.back());

  Capture capture;
  if (!capture_of(args, capture)) return usage("--position LAT,LON");
  const std::string config = args.get("config") != nullptr ? args.get("config") : default_config();
  char problem[512] = "";

  if (command == "init") {
    char key[65] = "";
    const auto status = gw_device_init_file(config.c_str(), nullptr, key, problem, sizeof problem);
    if (status != GW_OK) return failed(status, problem);
    std::printf(args.has("json") ? "{\"public_key\":\"%s\"}\n" : "%s\n", key);
    return kDone;
  }

  gw_ports ports{};
  ports.struct_size = sizeof ports;
  if (command == "run") ports.on_event = print_event;
  gw_device* raw = nullptr;
  auto status = gw_device_open_file(config.c_str(), &ports, &raw, problem, sizeof problem);
  if (command == "run" && status == GW_E_OUTBOX_FULL) failed(status, problem);
  // The agent waits for room, and whoever captures is told.
  while (command == "run" && status == GW_E_OUTBOX_FULL) {
    ::sleep(2);
    status = gw_device_open_file(config.c_str(), &ports, &raw, problem, sizeof problem);
  }
  const Device device(raw);
  if (status != GW_OK) return failed(status, problem);

  if (command == "run") return run(device.get());
  if (command == "report") return report(device.get(), args, capture.capture);
  if (command == "sign-in") return sign(device.get(), GW_SIGN_IN, capture.capture);
  if (command == "sign-out") return sign(device.get(), GW_SIGN_OUT, capture.capture);
  if (command == "patrol") return patrol(device.get(), args, capture.capture);
  if (command == "retry") {
    uint64_t count = 0;
    const auto done = gw_device_retry_refused(device.get(), &count);
    if (done != GW_OK) return failed(device.get(), done);
    std::printf("%llu\n", static_cast<unsigned long long>(count));
    return kDone;
  }
  if (command == "categories") return categories(device.get(), args);
  if (command == "status") return status_command(device.get(), args);
  const std::string what = args.words.size() > 1 ? args.words[1] : "";
  if (what == "list") return task_list(device.get(), args);
  if (what == "done") return task_done(device.get(), args, capture.capture);
  return usage("task list | done");
}
