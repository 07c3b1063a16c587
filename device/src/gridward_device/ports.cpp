#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <gridward/shared/limits.hpp>
#include <gridward_device/file.hpp>
#include <gridward_device/ports.hpp>

extern "C" char** environ;

namespace gridward::device {
namespace {

constexpr Millis kCameraWait{60'000};

std::int64_t system_wall(void*) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::int64_t system_mono(void*) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void system_boot_id(void*, std::uint8_t out[16]) {
  // The same for the whole life of this process.
  static const Uuid boot = [] {
    auto text = read_small_file("/proc/sys/kernel/random/boot_id", 64);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return uuid_from_string(text).value_or(Uuid{});
  }();
  std::copy(boot.bytes.begin(), boot.bytes.end(), out);
}

gw_status system_random(void*, std::uint8_t* out, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return GW_E_INTERNAL;
    out += got;
    size -= static_cast<std::size_t>(got);
  }
  return GW_OK;
}

std::int32_t system_battery(void*) {
  std::error_code error;
  for (const auto& supply : std::filesystem::directory_iterator("/sys/class/power_supply", error)) {
    const auto text = read_small_file(supply.path() / "capacity", 16);
    if (text.empty()) continue;
    const long percent = std::strtol(text.c_str(), nullptr, 10);
    if (percent >= 0 && percent <= 100) return static_cast<std::int32_t>(percent);
  }
  return -1;
}

// The program gets the path as its only argument; no shell, so the path needs no quoting.
Result<void> run_camera(const std::string& program, const std::string& path) {
  std::string program_copy = program;
  std::string path_copy = path;
  char* argv[] = {program_copy.data(), path_copy.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // so that its own children can be ended with it
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) return fail(ErrorCode::camera_failed, "camera_program", program + ": " + std::strerror(code));

  const auto end = system_mono(nullptr) + kCameraWait.count();
  int status = 0;
  for (;;) {
    const pid_t done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) break;
    if (done < 0 && errno != EINTR) return fail(ErrorCode::camera_failed, "camera_program", std::strerror(errno));
    if (system_mono(nullptr) >= end) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return fail(ErrorCode::camera_failed, "camera_program", "took longer than 60 s");
    }
    ::poll(nullptr, 0, 20);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::camera_failed, "camera_program",
                program + (WIFEXITED(status) ? " ended with " + std::to_string(WEXITSTATUS(status)) : " was killed"));
  }
  return {};
}

}  // namespace

Ports::Ports(const gw_ports* ports, const BuiltinConfig& builtin) : builtin_(builtin) {
  if (ports != nullptr) {
    std::memcpy(&ports_, ports, std::min(ports->struct_size, sizeof ports_));
  }
  if (ports_.transport == nullptr) ports_.transport = gw_device_mqtt_transport();
  std::memcpy(&transport_, ports_.transport, std::min(ports_.transport->struct_size, sizeof transport_));
  ports_.transport = nullptr;  // the caller's may go
  if (ports_.wall_ms == nullptr) ports_.wall_ms = system_wall;
  if (ports_.mono_ms == nullptr) ports_.mono_ms = system_mono;
  if (ports_.boot_id == nullptr) ports_.boot_id = system_boot_id;
  if (ports_.random == nullptr) ports_.random = system_random;
  if (ports_.battery_percent == nullptr) ports_.battery_percent = system_battery;
  if (ports_.position == nullptr && !builtin_.gpsd_host.empty()) {
    // By value: this object may move.
    gpsd_ = make_gpsd_position(builtin_.gpsd_host, builtin_.gpsd_port, builtin_.max_age,
                               [ports = ports_] { return Millis{ports.mono_ms(ports.user)}; });
  }
}

Ports::~Ports() = default;
Ports::Ports(Ports&&) noexcept = default;

// Clamped to what the wire takes: a clock that is far out must not lose a record.
UnixMs Ports::wall() const {
  return from_unix_ms(std::clamp(ports_.wall_ms(ports_.user), limits::kEarliestMs, limits::kLatestMs));
}
Millis Ports::mono() const {
  return Millis{std::clamp<std::int64_t>(ports_.mono_ms(ports_.user), 0, static_cast<std::int64_t>(limits::kCounter))};
}

Uuid Ports::boot() const {
  Uuid id;
  ports_.boot_id(ports_.user, id.bytes.data());
  return id;
}

std::optional<gw_fix> Ports::position(Millis wait, std::int64_t* at_ms) const {
  if (gpsd_) {
    const auto fix = gpsd_->latest(wait);
    if (fix && at_ms != nullptr) *at_ms = fix->at_ms;
    return fix;
  }
  if (ports_.position == nullptr) return std::nullopt;
  gw_fix fix{};
  fix.struct_size = sizeof fix;
  const auto status =
      ports_.position(ports_.user, static_cast<std::uint32_t>(std::max<std::int64_t>(0, wait.count())), &fix);
  if (status != GW_OK) return std::nullopt;
  if (at_ms != nullptr) *at_ms = fix.at_ms;
  fix = received(fix, mono());
  if (mono() - Millis{fix.mono_ms} > builtin_.max_age) return std::nullopt;
  return fix;
}

void Ports::position_active(bool on) const {
  if (gpsd_) gpsd_->active(on);
  if (ports_.position_active != nullptr) ports_.position_active(ports_.user, on ? 1 : 0);
}

Result<void> Ports::camera(const std::string& path) const {
  if (ports_.camera != nullptr) {
    const auto status = ports_.camera(ports_.user, path.c_str());
    if (status != GW_OK) return fail(ErrorCode::camera_failed, "camera", "code " + std::to_string(status));
    return {};
  }
  if (builtin_.camera_program.empty()) return fail(ErrorCode::camera_failed, "camera_program", "not configured");
  return run_camera(builtin_.camera_program, path);
}

std::optional<std::uint8_t> Ports::battery() const {
  const auto percent = ports_.battery_percent(ports_.user);
  if (percent < 0 || percent > 100) return std::nullopt;
  return static_cast<std::uint8_t>(percent);
}

void Ports::random(std::uint8_t* out, std::size_t size) const {
  if (ports_.random(ports_.user, out, size) != GW_OK) std::abort();
}

Uuid Ports::new_id(UnixMs at) const {
  std::array<std::uint8_t, 10> bytes{};
  random(bytes.data(), bytes.size());
  return make_uuid_v7(at, bytes);
}

void Ports::event(gw_event_kind kind, const std::string& id, const std::string& text, int code, std::uint64_t number,
                  const std::string& store) const {
  if (ports_.on_event == nullptr) return;
  gw_event event{};
  event.struct_size = sizeof event;
  event.kind = kind;
  event.code = code;
  event.id = id.c_str();
  event.text = text.c_str();
  event.number = number;
  event.store = store.c_str();
  ports_.on_event(ports_.user, &event);
}

void Ports::wake() const {
  if (ports_.wake != nullptr) ports_.wake(ports_.user);
}

gw_fix received(gw_fix fix, Millis now) {
  if (fix.mono_ms != 0) return fix;
  fix.mono_ms = now.count();
  fix.at_ms = 0;
  return fix;
}

Fix to_fix(const gw_fix& fix, UnixMs wall) {
  Fix result;
  result.point = {fix.lat_e7, fix.lon_e7};
  if (fix.accuracy_cm != 0) result.accuracy_cm = fix.accuracy_cm;
  result.source = static_cast<FixSource>(std::clamp<std::int32_t>(fix.source, 0, 2));
  result.datum = fix.datum == GW_GCJ02 ? Datum::gcj02 : Datum::wgs84;
  result.mock = fix.mock != 0;
  result.at = tells_time(fix) ? from_unix_ms(fix.at_ms) : wall;
  return result;
}

}  // namespace gridward::device
