#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <gridward_sim/handheld.hpp>
#include <gridward_sim/own_config.hpp>
#include <iterator>
#include <random>

namespace gridward::sim {
namespace {

constexpr std::int64_t kDrainLookMs = 200;
constexpr std::int64_t kAgainMs = 5'000;  // to sign in, when there was no room for it
// Another agent may still hold the lock: of a process that is being killed.
constexpr std::int64_t kLockAgainMs = 100;
constexpr int kLockTries = 50;

struct Matter {
  const char* category;
  Subject subject;
  const char* text;
};
// Our own sentences, with the codes of the shipped profile.
constexpr Matter kMatters[] = {
    {"road-manhole", Subject::manhole, "人行道旁井盖移位，夜间行人易踏空，已用树枝临时警示"},
    {"road-manhole", Subject::manhole, "雨水井盖被掀开，位于学校门口附近，请尽快复位"},
    {"env-litter", Subject::rubbish, "垃圾桶旁堆放生活垃圾和废纸箱，有异味"},
    {"env-litter", Subject::rubbish, "绿化带旁有成堆的包装袋，风一吹满街都是"},
    {"road-light", Subject::lamp, "路灯灯杆倾斜，灯头下垂，存在坠落风险"},
    {"water-leak", Subject::leak, "路面持续冒水，疑似地下管道漏水"},
    {"parking", Subject::parking, "机动车停在人行道上，盲道被占"},
    {"fire-lane", Subject::parking, "小区入口消防通道被车辆占用"},
    {"safety-hazard", Subject::tree, "大树断枝横在人行道上，行人需绕行机动车道"},
};
constexpr const char* kChecks[] = {"井盖", "路灯", "消防栓", "垃圾桶点位", "公告栏"};

std::int64_t true_wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

gw_saved fresh_saved() {
  gw_saved saved{};
  saved.struct_size = sizeof saved;
  return saved;
}

const char* sentence(Timeline::What what) {
  switch (what) {
    case Timeline::What::duty_begins:
      return "duty begins";
    case Timeline::What::duty_ends:
      return "duty ends";
    case Timeline::What::reboots:
      return "reboots";
    case Timeline::What::power_cut:
      return "the battery is empty";
    case Timeline::What::switched_on:
      return "switched on again";
  }
  return "";
}

Random seeded(std::uint64_t seed) {
  Random random(seed);
  random.next();
  return random;
}

// The same picture as another file: a comment segment behind the start of image.
bool copy_with_comment(const std::string& from, const std::filesystem::path& to, const std::string& comment) {
  std::ifstream in(from, std::ios::binary);
  const std::string jpeg{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!jpeg.starts_with("\xFF\xD8")) return false;
  const auto length = comment.size() + 2;
  const char head[] = {
      '\xFF', '\xD8', '\xFF', '\xFE', static_cast<char>(length >> 8), static_cast<char>(length & 0xFF)};
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out.write(head, sizeof head);
  out << comment << std::string_view(jpeg).substr(2);
  return static_cast<bool>(out.flush());
}

}  // namespace

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string seconds_text(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(ms) / 1000);
  return text;
}

void Journal::say(const std::string& line) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char clock[16];
  std::strftime(clock, sizeof clock, "%H:%M:%S", &parts);
  const std::lock_guard lock(mutex_);
  std::printf("%s %s\n", clock, line.c_str());
  std::fflush(stdout);
}

Handheld::Handheld(const HandheldSpec& spec, const Surroundings& around, Tally& tally, Journal& journal,
                   std::uint64_t seed, std::size_t number, std::optional<std::size_t> door)
    : name_(spec.config.parent_path().filename().string()),
      number_(number),
      spec_(spec),
      around_(around),
      tally_(tally),
      journal_(journal),
      random_(seeded(seed + around.start * 0x9E3779B1ULL)),
      walk_(spec.grid, spec.behaviour.walk, seed ^ 0x5DEECE66DULL),
      circumstances_(spec.circumstances ? spec.circumstances : std::make_shared<const Circumstances>()),
      timeline_(circumstances_, seed),
      door_(door),
      clock_random_(seed, 5 + around.start) {
  walked_to_ = steady_ms();
  begin_at_ = walked_to_ + static_cast<std::int64_t>(random_.between(0, spec_.behaviour.start_within_s) * 1000);
  worked_since_ = begin_at_;
  if (!spec.circumstances) return;
  delivery_ = std::make_unique<Delivery>(circumstances_->delivery, random_.next(),
                                         DeliveryCounts{tally_.duplicated, tally_.reordered, tally_.dropped},
                                         [this] { gw_device_wake(device_); });
}

Result<std::unique_ptr<Handheld>> Handheld::open(const HandheldSpec& spec, const Surroundings& around, Tally& tally,
                                                 Journal& journal, std::uint64_t seed, std::size_t number,
                                                 std::optional<std::size_t> door) {
  std::unique_ptr<Handheld> handheld(new Handheld(spec, around, tally, journal, seed, number, door));
  // What is past was lived through, or slept through, by the process before.
  handheld->timeline_.advance(steady_ms() - around.began_ms);
  if (!handheld->timeline_.switched_on()) return handheld;
  if (auto on = handheld->switch_on(); !on) return tl::unexpected(on.error());
  return handheld;
}

Result<void> Handheld::switch_on() {
  gw_ports ports{};
  ports.struct_size = sizeof ports;
  ports.user = this;
  if (!circumstances_->clock.right()) {
    ports.wall_ms = [](void* user) { return static_cast<Handheld*>(user)->wall_ms(); };
  }
  // Also without a boot of its own: position() stamps by this clock.
  ports.mono_ms = [](void* user) { return steady_ms() - static_cast<Handheld*>(user)->booted_at_; };
  if (circumstances_->boots()) {
    std::random_device entropy;
    std::generate(boot_id_.begin(), boot_id_.end(), [&] { return static_cast<std::uint8_t>(entropy()); });
    booted_at_ = steady_ms();
    ports.boot_id = [](void* user, std::uint8_t* out) {
      std::copy_n(static_cast<Handheld*>(user)->boot_id_.begin(), 16, out);
    };
  }
  ports.position = [](void* user, std::uint32_t wait_ms, gw_fix* out) {
    auto* self = static_cast<Handheld*>(user);
    // The agent's own question, for the track, never waits.
    if (wait_ms == 0) ++self->tally_.track_points;
    return self->position(*out);
  };
  ports.on_event = [](void* user, const gw_event* event) { static_cast<Handheld*>(user)->on_event(*event); };
  ports.battery_percent = [](void* user) { return static_cast<Handheld*>(user)->battery(); };
  if (delivery_) ports.transport = &delivery_->transport();
  auto config = spec_.config;
  const bool changed = door_ || circumstances_->outbox_bytes || circumstances_->min_free_bytes;
  if (changed) {
    config = around_.scratch / (std::to_string(number_) + ".json");
    const auto port = door_ ? around_.relay->port(*door_) : std::uint16_t{0};
    if (auto written = write_config(spec_.config, *circumstances_, port, config); !written) return written;
  }
  char problem[512] = "";
  const auto status = gw_device_open_file(config.c_str(), &ports, &device_, problem, sizeof problem);
  if (changed) ::unlink(config.c_str());
  if (status != GW_OK) return fail(static_cast<ErrorCode>(status), spec_.config.string(), problem);
  ++boots_;
  epoch_ = summary().epoch;
  state_ = State::fresh;
  errands_changed_ = true;
  return {};
}

void Handheld::switch_off(bool in_order) {
  if (!in_order) {
    if (delivery_) delivery_->cut();
    if (door_) around_.relay->cut(*door_);
  }
  stop();
  gw_device_close(device_);
  device_ = nullptr;
}

std::int32_t Handheld::battery() const {
  if (circumstances_->battery) return static_cast<std::int32_t>(std::lround(timeline_.battery_percent()));
  // A working day takes about half of it.
  const auto worked_s = (steady_ms() - worked_since_) / 1000;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(97 - worked_s / 600, 5, 100));
}

Handheld::~Handheld() { gw_device_close(device_); }

std::int32_t Handheld::fd() const { return gw_device_fd(device_); }

void Handheld::leave() {
  leaving_ = true;
  if (boots_ <= 1) begin_at_ = 0;  // who has not begun need not wait for it
}

void Handheld::stop() {
  gw_device_agent_stop(device_);
  if (connected_) --tally_.connected;
  connected_ = false;
}

gw_summary Handheld::summary() const {
  gw_summary s{};
  s.struct_size = sizeof s;
  gw_device_summary(device_, &s);
  return s;
}

gw_status Handheld::position(gw_fix& out) {
  const auto now = steady_ms();
  walk_.advance(static_cast<double>(now - walked_to_) / 1000);
  walked_to_ = now;
  const auto reading = walk_.reading();
  if (!reading.known) return GW_E_POSITION_UNAVAILABLE;
  out.lat_e7 = reading.point.lat_e7;
  out.lon_e7 = reading.point.lon_e7;
  out.accuracy_cm = reading.accuracy_cm;
  out.at_ms = true_wall_ms();  // the satellites' time, whatever the handheld's own clock says
  out.mono_ms = std::max<std::int64_t>(1, now - booted_at_);
  out.source = GW_FIX_GNSS;
  out.datum = GW_WGS84;
  return GW_OK;
}

void Handheld::on_event(const gw_event& event) {
  switch (event.kind) {
    case GW_EVENT_CONNECTED:
      if (!connected_) ++tally_.connected;
      connected_ = true;
      break;
    case GW_EVENT_DISCONNECTED:
      if (connected_) --tally_.connected;
      connected_ = false;
      break;
    case GW_EVENT_RECEIPTED:
      ++tally_.receipted;
      break;
    case GW_EVENT_REFUSED:
    case GW_EVENT_MEDIA_REFUSED:
      ++tally_.refusals;
      journal_.say(name_ + ": refused " + event.id + ": " + event.text + " (" + std::to_string(event.code) + ")");
      break;
    case GW_EVENT_MEDIA_DONE:
      ++tally_.photos_delivered;
      break;
    case GW_EVENT_TASK_REOPENED:
      // The member has answered and was told why it counts for nothing; another answer would say the same.
      given_up_.insert(event.id);
      break;
    case GW_EVENT_DOWN:
      errands_changed_ = true;
      if (around_.witness != nullptr) around_.witness->down(name_, epoch_, event);
      break;
    case GW_EVENT_LINK_REFUSED:
      journal_.say(name_ + ": the broker refuses what it sends");
      break;
    default:
      break;
  }
}

std::int64_t Handheld::wall_ms() {
  const auto& how = circumstances_->clock;
  const auto now = steady_ms();
  if (how.jump_s > 0 && now >= next_jump_) {
    if (next_jump_ > 0) {
      clock_error_ms_ = static_cast<std::int64_t>(clock_random_.between(-how.jump_s, how.jump_s) * 1000);
      if (!around_.quiet) journal_.say(name_ + ": the clock is wrong by " + std::to_string(clock_error_ms_) + " ms");
    }
    next_jump_ = now + static_cast<std::int64_t>(clock_random_.between(0.5, 1.5) * how.jump_every_s * 1000) + 1;
  }
  const double drifted = static_cast<double>(now - around_.began_ms) * how.drift_ppm * 1e-6;
  return true_wall_ms() + clock_error_ms_ + static_cast<std::int64_t>(how.skew_ms + drifted);
}

void Handheld::witness(const gw_saved& saved, const char* kind, const std::vector<std::string>& photos) const {
  if (around_.witness != nullptr) around_.witness->saved(name_, epoch_, saved, kind, photos);
}

void Handheld::failed(const char* doing, gw_status status) {
  ++(status == GW_E_OUTBOX_FULL ? tally_.full : tally_.failed);
  journal_.say(name_ + ": " + doing + ": " + gw_status_name(status) + " " + gw_device_last_error(device_));
}

// ---- the day ----

void Handheld::live_through(std::int64_t now) {
  if (calm_) return;
  calm_ = around_.calm;
  if (calm_) {
    if (delivery_) delivery_->calm();
    if (device_ != nullptr) gw_device_network_changed(device_);
  }
  const auto happened = calm_ ? std::vector<Timeline::Happening>{} : timeline_.advance(now - around_.began_ms);
  for (const auto& [at_ms, what] : happened) {
    if (!around_.quiet) journal_.say(name_ + ": " + sentence(what) + ", at " + seconds_text(at_ms));
    if (what == Timeline::What::reboots || what == Timeline::What::power_cut) {
      ++(what == Timeline::What::reboots ? tally_.reboots : tally_.power_cuts);
      switch_off(what == Timeline::What::reboots);
    } else if (what != Timeline::What::switched_on) {
      duty_changes_ = now + static_cast<std::int64_t>(random_.between(0, spec_.behaviour.start_within_s) * 1000);
    }
  }
}

// False: not now. It is tried again while the disk is full.
bool Handheld::is_on(std::int64_t now) {
  if (device_ != nullptr) return true;
  if (now < switch_on_at_ || !(calm_ || timeline_.switched_on())) return false;
  const auto on = switch_on();
  if (on) return true;
  const bool full = on.error().code == ErrorCode::outbox_full;
  ++(full ? tally_.full : tally_.failed);
  journal_.say(name_ + ": " + to_string(on.error()));
  switch_on_at_ = now + kAgainMs;
  if (!full) state_ = State::left;
  return false;
}

std::int64_t Handheld::step() {
  const auto now = steady_ms();
  if (state_ == State::left) return 60'000;
  live_through(now);
  const auto next_happening =
      calm_ ? std::int64_t{60'000} : std::max<std::int64_t>(0, around_.began_ms + timeline_.next_ms() - now);
  if (!is_on(now)) return std::min(next_happening, kAgainMs);
  if (state_ == State::fresh) {
    if (now < begin_at_) return std::min(begin_at_ - now, next_happening);
    begin(now);
    if (state_ == State::left) return 60'000;
    if (state_ == State::fresh) return std::min(begin_at_ - now, next_happening);
  }
  if (state_ == State::working) {
    if (leaving_) {
      if (on_duty_) end_duty();
      state_ = State::draining;
    } else {
      work(now);
    }
  }
  const auto next_held = delivery_ ? delivery_->step(now) : -1;
  std::int64_t next = -1;
  if (const auto status = gw_device_step(device_, &next); status != GW_OK) failed("step", status);
  if (next < 0) next = 60'000;
  next = std::min(next, next_happening);
  if (next_held >= 0) next = std::min(next, std::max<std::int64_t>(0, next_held - steady_ms()));
  if (state_ == State::draining) {
    const auto s = summary();
    if (s.waiting_records == 0 && s.waiting_media == 0) {
      stop();
      state_ = State::left;
    }
    return std::min(next, kDrainLookMs);
  }
  if (state_ == State::working) {
    if (on_duty_) next = std::min(next, std::max<std::int64_t>(0, next_report_ - steady_ms()));
    if (on_duty_ != timeline_.on_duty()) next = std::min(next, std::max<std::int64_t>(0, duty_changes_ - steady_ms()));
    if (on_duty_ && !errands_.empty()) next = std::min<std::int64_t>(next, 250);
    if (errands_changed_) next = 0;
  }
  return next;
}

void Handheld::begin(std::int64_t now) {
  if (const auto status = gw_device_agent_start(device_); status != GW_OK) {
    begin_at_ = now + kLockAgainMs;
    if (status == GW_E_UNAVAILABLE && ++lock_tries_ < kLockTries) return;
    failed("agent", status);
    begin_at_ = now + kAgainMs;
    if (status != GW_E_OUTBOX_FULL) state_ = State::left;  // the disk may have room again
    return;
  }
  lock_tries_ = 0;
  state_ = State::working;
  const auto before = summary();
  // After a kill or a reboot the member still is on duty.
  if (before.on_duty != 0 || before.on_patrol != 0) {
    if (!on_duty_) ++tally_.on_duty;
    on_duty_ = true;
  }
  if (timeline_.on_duty() && !leaving_) begin_duty(now);
}

void Handheld::begin_duty(std::int64_t now) {
  if (spec_.behaviour.sign_in) {
    auto saved = fresh_saved();
    const auto status = gw_device_sign(device_, GW_SIGN_IN, nullptr, &saved);
    if (status == GW_OK) witness(saved, "sign");
    if (status != GW_OK && status != GW_E_ALREADY_ON_DUTY) {
      duty_changes_ = now + kAgainMs;
      return failed("sign-in", status);
    }
  }
  if (!on_duty_) ++tally_.on_duty;
  on_duty_ = true;
  if (spec_.behaviour.patrol) {
    auto saved = fresh_saved();
    const auto status = gw_device_patrol_start(device_, nullptr, &saved);
    if (status == GW_OK) witness(saved, "patrol");
    if (status != GW_OK && status != GW_E_ALREADY_EXISTS) failed("patrol start", status);
  }
  // The first report comes early: somebody is watching the demo.
  next_report_ = now + static_cast<std::int64_t>(random_.between(0.1, 0.5) * spec_.behaviour.report_min_s * 1000);
}

void Handheld::work(std::int64_t now) {
  if (on_duty_ != timeline_.on_duty() && now >= duty_changes_) {
    if (on_duty_) {
      end_duty();
    } else {
      begin_duty(now);
    }
  }
  if (errands_changed_) look_for_errands();
  if (!on_duty_) return;
  const bool may_report =
      around_.reporting && (spec_.behaviour.max_reports < 0 || reports_ < spec_.behaviour.max_reports);
  if (now >= next_report_) {
    if (may_report && errands_.empty()) report(now);
    next_report_ =
        now +
        static_cast<std::int64_t>(random_.between(spec_.behaviour.report_min_s, spec_.behaviour.report_max_s) * 1000) +
        100;
  }
  if (!errands_.empty()) do_errand(now);
}

void Handheld::end_duty() {
  if (spec_.behaviour.patrol) {
    std::vector<gw_check_item> checks;
    for (const char* item : kChecks) {
      if (random_.chance(0.5)) checks.push_back({sizeof(gw_check_item), item, random_.chance(0.9) ? 1 : 0, nullptr});
    }
    gw_patrol_log log{};
    log.struct_size = sizeof log;
    log.text = reports_ > 0 ? "巡查一遍，发现的问题已上报" : "巡查一遍，未发现问题";
    log.checks = checks.data();
    log.check_count = checks.size();
    auto saved = fresh_saved();
    const auto status = gw_device_patrol_stop(device_, &log, nullptr, &saved);
    if (status == GW_OK) witness(saved, "patrol");
    if (status != GW_OK && status != GW_E_NOT_FOUND) failed("patrol stop", status);
  }
  if (spec_.behaviour.sign_in) {
    auto saved = fresh_saved();
    const auto status = gw_device_sign(device_, GW_SIGN_OUT, nullptr, &saved);
    if (status == GW_OK) witness(saved, "sign");
    if (status != GW_OK && status != GW_E_NOT_ON_DUTY) failed("sign-out", status);
  }
  --tally_.on_duty;
  on_duty_ = false;
}

// ---- photos ----

std::string Handheld::take_photo(std::uint64_t scene, Subject subject, bool repaired, int number) {
  // By number: two folders may have the same name.
  const auto made = around_.scratch / (std::to_string(number_) + "-" + std::to_string(number) + ".jpg");
  if (!around_.photos.empty()) {
    const auto& photo =
        around_.photos[static_cast<std::size_t>(random_.below(static_cast<int>(around_.photos.size())))];
    if (!around_.unique) return photo;
    return copy_with_comment(photo, made, name_ + " " + std::to_string(random_.next())) ? made.string() : std::string();
  }
  SceneOptions options;
  options.width = 1600;
  options.height = 1200;
  options.seed = scene + static_cast<std::uint64_t>(number) * 7919;
  options.subject = subject;
  options.repaired = repaired;
  const auto jpeg = draw_scene(options);
  if (!jpeg) return {};
  std::ofstream out(made, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(jpeg->data()), static_cast<std::streamsize>(jpeg->size()));
  return out.flush() ? made.string() : std::string();
}

bool Handheld::take_all(std::vector<gw_photo>& photos, std::vector<std::string>& paths, const Reported& of,
                        gw_media_role role, int count) {
  for (int i = 0; i < count; ++i) {
    auto path = take_photo(of.scene, of.subject, role == GW_AFTER && of.repaired, i);
    if (path.empty()) return false;
    // The same file twice in one report says nothing.
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
  }
  for (const auto& path : paths) photos.push_back({sizeof(gw_photo), path.c_str(), role});
  return true;
}

void Handheld::clean(const std::vector<std::string>& paths) const {
  if (!around_.photos.empty() && !around_.unique) return;
  for (const auto& path : paths) ::unlink(path.c_str());
}

void Handheld::report(std::int64_t) {
  const auto& matter = kMatters[random_.below(static_cast<int>(std::size(kMatters)))];
  std::string category = matter.category;
  if (!around_.categories.empty()) {
    const auto& codes = around_.categories;
    if (std::find(codes.begin(), codes.end(), category) == codes.end()) {
      category = codes[static_cast<std::size_t>(random_.below(static_cast<int>(codes.size())))];
    }
  }
  Reported made;
  made.scene = random_.next() % 1'000'000'000;
  made.subject = matter.subject;
  std::vector<gw_photo> photos;
  std::vector<std::string> paths;
  if (!take_all(photos, paths, made, GW_SCENE, spec_.behaviour.photos)) {
    return failed("photo", GW_E_CAMERA_FAILED);
  }
  gw_report request{};
  request.struct_size = sizeof request;
  request.category = category.c_str();
  request.text = matter.text;
  request.photos = photos.data();
  request.photo_count = photos.size();
  auto saved = fresh_saved();
  const auto status = gw_device_report(device_, &request, nullptr, &saved);
  if (status == GW_OK) witness(saved, "report", paths);
  clean(paths);
  if (status != GW_OK) return failed("report", status);
  made.point = walk_.truth();
  reported_.push_back(made);
  ++reports_;
  ++tally_.reports;
  tally_.photos += photos.size();
  if (!around_.quiet) journal_.say(name_ + ": 上报 " + category + " " + matter.text);
}

// ---- tasks ----

void Handheld::look_for_errands() {
  errands_changed_ = false;
  struct Found {
    std::vector<Errand> errands;
  } found;
  const auto status = gw_device_tasks(
      device_, 0,
      [](void* user, const gw_task* task) {
        Errand errand;
        errand.task = task->task;
        errand.has_point = task->has_point != 0;
        errand.point = {task->lat_e7, task->lon_e7};
        static_cast<Found*>(user)->errands.push_back(errand);
        return 0;
      },
      &found);
  if (status != GW_OK) return failed("task list", status);
  // What is under way goes on; what was cancelled is gone.
  std::erase_if(errands_, [&](const Errand& errand) {
    return std::none_of(found.errands.begin(), found.errands.end(),
                        [&](const Errand& other) { return other.task == errand.task; });
  });
  for (auto& errand : found.errands) {
    const bool known =
        std::any_of(errands_.begin(), errands_.end(), [&](const Errand& other) { return other.task == errand.task; });
    if (!known && !given_up_.contains(errand.task)) errands_.push_back(std::move(errand));
  }
  if (!errands_.empty() && errands_.front().has_point) walk_.go_to(errands_.front().point);
}

void Handheld::do_errand(std::int64_t now) {
  walk_.advance(static_cast<double>(now - walked_to_) / 1000);
  walked_to_ = now;
  auto& errand = errands_.front();
  if (errand.has_point && !walk_.arrived()) return;
  if (errand.ready_at < 0) {
    errand.ready_at = now + static_cast<std::int64_t>(
                                random_.between(spec_.behaviour.verify_min_s, spec_.behaviour.verify_max_s) * 1000);
  }
  if (now < errand.ready_at) return;

  const bool fixed = !random_.chance(spec_.behaviour.not_rectified);
  // The same street again, mended; of a report from before this run only the street is new.
  Reported place;
  place.scene = random_.next() % 1'000'000'000;
  double nearest = 50;
  for (const auto& made : reported_) {
    const double away = distance_m(made.point, errand.point);
    if (errand.has_point && away < nearest) {
      nearest = away;
      place = made;
    }
  }
  place.repaired = fixed;
  std::vector<gw_photo> photos;
  std::vector<std::string> paths;
  if (!take_all(photos, paths, place, GW_AFTER, 1)) {
    return failed("photo", GW_E_CAMERA_FAILED);
  }
  gw_task_result result{};
  result.struct_size = sizeof result;
  result.task = errand.task.c_str();
  result.outcome = fixed ? GW_CONFIRMED : GW_NOT_RECTIFIED;
  result.text = fixed ? "现场已恢复正常" : "问题仍然存在，未整改到位";
  result.photos = photos.data();
  result.photo_count = photos.size();
  auto saved = fresh_saved();
  const auto status = gw_device_task_result(device_, &result, nullptr, &saved);
  if (status == GW_OK) witness(saved, "task_result", paths);
  clean(paths);
  if (status == GW_OK) {
    ++tally_.tasks_verified;
    tally_.photos += photos.size();
    if (!around_.quiet) journal_.say(name_ + ": 核查 " + errand.task + " " + result.text);
  } else {
    failed("task done", status);
  }
  errands_.erase(errands_.begin());
  if (!errands_.empty() && errands_.front().has_point) walk_.go_to(errands_.front().point);
}

}  // namespace gridward::sim
