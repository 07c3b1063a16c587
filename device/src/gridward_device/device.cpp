// The C ABI. Exceptions end here.
#include <fcntl.h>
#include <gridward/device.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <gridward_device/agent.hpp>
#include <gridward_device/version.hpp>
#include <vector>

namespace gd = gridward::device;
using gridward::Error;
using gridward::ErrorCode;
using gridward::Result;

static_assert(GW_E_OUTBOX_FULL == static_cast<int>(ErrorCode::outbox_full));
static_assert(GW_E_NOT_ENROLLED == static_cast<int>(ErrorCode::not_enrolled));
static_assert(GW_E_STORAGE_FAILED == static_cast<int>(ErrorCode::storage_failed));
static_assert(GW_E_UNKNOWN_TASK == static_cast<int>(ErrorCode::unknown_task));
static_assert(GW_E_CONFIG_INVALID == static_cast<int>(ErrorCode::config_invalid));
static_assert(GW_E_INTERNAL == static_cast<int>(ErrorCode::internal));
static_assert(GW_CANNOT_CHECK == static_cast<int>(gridward::TaskOutcome::cannot_check));
static_assert(GW_SCAN == static_cast<int>(gridward::MediaRole::scan));

constexpr int kStartAgainMs = 2'000;  // a full disk may have room again

struct gw_device {
  gw_device(gd::Config c, const gw_ports* p, gd::Outbox o)
      : config(std::move(c)), ports(p, config.builtin), outbox(std::move(o)) {}
  gw_device(const gw_device&) = delete;
  gw_device& operator=(const gw_device&) = delete;

  gd::Config config;
  gd::Ports ports;
  gd::Outbox outbox;
  std::string error;
  std::string actor;  // what gw_summary points to
  std::string epoch;
  std::string settings_rev;
  std::string categories_rev;
  gd::Descriptor event;
  std::atomic<int> event_fd = -1;  // of `event`, for gw_device_wake in any thread
  gd::Descriptor poll;
  std::atomic<bool> stopping = false;
  bool damaged = false;              // the last failed step: the outbox is no database any more
  std::unique_ptr<gd::Agent> agent;  // last: it uses all of the above

  // What woke is heard.
  void drain() {
    std::uint64_t ignored = 0;
    while (event && ::read(event.get(), &ignored, sizeof ignored) > 0) {
    }
  }
};

namespace {

gw_status status_of(ErrorCode code) { return static_cast<gw_status>(code); }

// Runs f, which returns Result<void>; puts the error where gw_device_last_error finds it.
template <class F>
gw_status guarded(std::string* error, F&& f) noexcept {
  try {
    const Result<void> done = f();
    if (done) {
      if (error != nullptr) error->clear();
      return GW_OK;
    }
    if (error != nullptr) *error = gridward::to_string(done.error());
    return status_of(done.error().code);
  } catch (const gd::StorageError& failure) {
    if (error != nullptr) *error = failure.what();
    return failure.code == SQLITE_FULL ? GW_E_OUTBOX_FULL : GW_E_STORAGE_FAILED;
  } catch (const std::exception& failure) {
    if (error != nullptr) *error = failure.what();
    return GW_E_INTERNAL;
  } catch (...) {
    return GW_E_INTERNAL;
  }
}

// The same for a call on a handle.
template <class F>
gw_status on_handle(gw_device* device, F&& f) noexcept {
  if (device == nullptr) return GW_E_MISSING_FIELD;
  return guarded(&device->error, std::forward<F>(f));
}

// Every structure tells its size, so that an older caller's is read as far as it goes. One that was not filled in (0,
// or what was in the memory before) is told, before anything is done.
template <class T>
Result<void> check_size(const T* given, const char* name) {
  constexpr std::size_t kLeast = 2 * sizeof(std::size_t);  // struct_size and a member
  constexpr std::size_t kMost = 4096;
  if (given == nullptr || (given->struct_size >= kLeast && given->struct_size <= kMost)) return {};
  return gridward::fail(ErrorCode::out_of_range, std::string(name) + ".struct_size",
                        std::to_string(given->struct_size) + " bytes: set it to sizeof(" + name + "), " +
                            std::to_string(sizeof(T)) + " here");
}

template <class T>
T copied(const T* given) {
  T result{};
  if (given != nullptr) std::memcpy(&result, given, std::min(given->struct_size, sizeof result));
  return result;
}

// The caller's structures may be longer or shorter than ours: it steps by their size. All of a list have the same.
template <class T>
Result<std::vector<T>> copied_list(const T* given, std::size_t count, const char* name, const char* field) {
  if (count == 0) return std::vector<T>();
  if (given == nullptr) return gridward::fail(ErrorCode::missing_field, field);
  std::vector<T> list;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* one = reinterpret_cast<const T*>(reinterpret_cast<const char*>(given) + i * given->struct_size);
    if (auto fits = check_size(one, name); !fits) return tl::unexpected(fits.error());
    list.push_back(copied(one));
  }
  return list;
}

// Fills what the caller's version of the structure has room for.
template <class T>
void give(T* target, T value) {
  if (target == nullptr) return;
  value.struct_size = target->struct_size;
  std::memcpy(target, &value, std::min(target->struct_size, sizeof value));
}

// What a capture is called with.
template <class T>
Result<void> check_call(const T* body, const char* name, const gw_capture* capture, const gw_saved* saved) {
  if (auto fits = check_size(body, name); !fits) return fits;
  if (auto fits = check_size(capture, "gw_capture"); !fits) return fits;
  if (capture != nullptr) {
    if (auto fits = check_size(copied(capture).fix, "gw_fix"); !fits) return fits;
  }
  return check_size(saved, "gw_saved");
}
Result<void> check_call(const gw_capture* capture, const gw_saved* saved) {
  return check_call(capture, "gw_capture", capture, saved);
}

Result<void> check_ports(const gw_ports* given) {
  if (auto fits = check_size(given, "gw_ports"); !fits) return fits;
  const gw_transport* named = copied(given).transport;
  if (named == nullptr) return {};
  if (auto fits = check_size(named, "gw_transport"); !fits) return fits;
  const auto transport = copied(named);
  const auto there = [](auto function, const char* field) -> Result<void> {
    if (function == nullptr) return gridward::fail(ErrorCode::missing_field, field);
    return {};
  };
  if (auto done = there(transport.open, "transport.open"); !done) return done;
  if (auto done = there(transport.connect, "transport.connect"); !done) return done;
  if (auto done = there(transport.disconnect, "transport.disconnect"); !done) return done;
  if (auto done = there(transport.publish, "transport.publish"); !done) return done;
  return there(transport.close, "transport.close");
}

std::string text(const char* value) { return value != nullptr ? std::string(value) : std::string(); }

gd::OutboxOptions outbox_options(const gd::Config& config) {
  gd::OutboxOptions options;
  options.max_waiting_bytes = config.outbox_bytes;
  options.min_free_bytes = config.min_free_bytes;
  options.duty_by_patrol = config.duty_by_patrol;
  return options;
}

Result<void> initialise(const gd::Config& config, const gw_ports* given, char hex[65]) {
  if (auto fits = check_ports(given); !fits) return fits;
  const gd::Ports ports(given, config.builtin);
  auto options = outbox_options(config);
  options.new_id = [&](gridward::UnixMs at) { return ports.new_id(at); };
  if (auto made = gd::Outbox::create(config.data_dir, options, ports.wall()); !made) return made;
  if (auto made = gd::DeviceKey::create(config.key_file, ports); !made) return made;
  const auto key = gd::DeviceKey::load(config.key_file);
  if (!key) return tl::unexpected(key.error());
  if (hex != nullptr) {
    const auto digits = gridward::to_hex(key->public_key());
    std::memcpy(hex, digits.c_str(), digits.size() + 1);
  }
  return {};
}

Result<void> open_device(gd::Config config, const gw_ports* given, gw_device** out) {
  if (auto fits = check_ports(given); !fits) return fits;
  auto outbox = gd::Outbox::open(config.data_dir, outbox_options(config));
  if (!outbox) return tl::unexpected(outbox.error());
  auto device = std::make_unique<gw_device>(std::move(config), given, std::move(*outbox));
  device->outbox.use_ids([d = device.get()](gridward::UnixMs at) { return d->ports.new_id(at); });
  device->epoch = gridward::to_string(device->outbox.epoch());
  *out = device.release();
  return {};
}

void tell(char* problem, std::size_t size, const std::string& what) {
  if (problem == nullptr || size == 0) return;
  const auto length = std::min(size - 1, what.size());
  std::memcpy(problem, what.data(), length);
  problem[length] = 0;
}

gridward::ClockReading clock(gw_device& device, const std::optional<gw_fix>& fix) {
  const auto& ports = device.ports;
  return gd::read_clock(ports.wall(), ports.mono(), ports.boot(), fix, device.outbox.server_time());
}

gd::Draft draft_for(gw_device& device, const gw_capture* given) {
  const auto capture = copied(given);
  gd::Draft draft;
  draft.actor = text(capture.actor);
  std::optional<gw_fix> fix;
  std::int64_t at_ms = 0;  // the receiver's, for the record; what the clock may take of it is in `fix`
  if (capture.fix != nullptr) {
    fix = copied(capture.fix);
    at_ms = fix->at_ms;
    fix = gd::received(*fix, device.ports.mono());
  } else if (capture.no_position == 0) {
    fix = device.ports.position(device.config.position_wait, &at_ms);
    // A receiver that errs must not keep anybody from signing out; what the caller gives is told instead.
    if (fix && !gd::on_the_wire({device.ports.wall(), {fix->lat_e7, fix->lon_e7}, 0})) fix.reset();
  }
  const auto time = clock(device, fix);
  draft.at = time.at;
  draft.mono = time.mono;
  draft.boot = device.ports.boot();
  draft.clock = time.quality;
  draft.id = device.ports.new_id(draft.at);
  if (fix) {
    fix->at_ms = at_ms;
    draft.fix = gd::to_fix(*fix, draft.at);
  }
  return draft;
}

Result<void> make_event(gw_device& device) {
  if (device.event) return {};
  device.event = gd::Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!device.event) return gridward::fail(ErrorCode::unavailable, "eventfd", std::strerror(errno));
  device.event_fd = device.event.get();
  return {};
}

// There is something new to send.
void announce(gw_device& device) {
  if (device.agent) {
    device.agent->appended();
    gw_device_wake(&device);
  } else if (!device.config.no_watch) {
    gd::OutboxWatch::nudge(device.config.data_dir);
  }
}

// Commits; the photos' lease must still be held by the caller.
Result<void> commit(gw_device& device, gd::Draft draft, gw_saved* saved) {
  if (draft.actor.empty()) {
    const auto duty = device.outbox.duty();
    draft.actor = duty.actor.empty() ? device.config.actor : duty.actor;
  }
  const auto result = device.outbox.append(draft);
  if (!result) return tl::unexpected(result.error());
  announce(device);
  gw_saved out{};
  const auto id = gridward::to_string(result->id);
  std::memcpy(out.id, id.c_str(), id.size() + 1);
  out.seq = result->seq;
  give(saved, out);
  return {};
}

struct TakenPhotos {
  std::vector<std::string> paths;
  std::vector<gridward::MediaRole> roles;
  std::vector<std::string> temporary;
  ~TakenPhotos() {
    for (const auto& path : temporary) ::unlink(path.c_str());
  }
};

Result<void> take_photos(gw_device& device, const gw_photo* given, std::size_t count, TakenPhotos& taken) {
  const auto photos = copied_list(given, count, "gw_photo", "photos");
  if (!photos) return tl::unexpected(photos.error());
  std::uint64_t bytes = 0;
  for (const auto& photo : *photos) {
    if (photo.role < GW_SCENE || photo.role > GW_SCAN) return gridward::fail(ErrorCode::out_of_range, "photo.role");
    std::string path = text(photo.path);
    if (photo.path == nullptr) {
      path = device.outbox.camera_path(device.ports.new_id({})).string();
      taken.temporary.push_back(path);
      if (auto done = device.ports.camera(path); !done) return done;
    }
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return gridward::fail(ErrorCode::not_found, "photo", path + ": " + error.message());
    bytes += size;
    taken.paths.push_back(std::move(path));
    taken.roles.push_back(static_cast<gridward::MediaRole>(photo.role));
  }
  return device.outbox.ensure_room(bytes);
}

Result<void> capture_with_photos(gw_device& device, gd::Draft draft, const TakenPhotos& taken, gw_saved* saved) {
  const auto lease = device.outbox.media_lease();
  const auto settings = gd::settings_of(device.config, device.outbox.settings());
  for (std::size_t i = 0; i < taken.paths.size(); ++i) {
    auto media = device.outbox.import_photo(taken.paths[i], taken.roles[i], settings.photo);
    if (!media) return tl::unexpected(media.error());
    draft.media.push_back(std::move(*media));
  }
  return commit(device, std::move(draft), saved);
}

}  // namespace

extern "C" {

uint32_t gw_device_abi(void) { return GW_DEVICE_ABI; }
const char* gw_device_version(void) { return gd::kVersion; }

const char* gw_status_text(gw_status status, gw_lang lang) {
  if (status == GW_OK) return lang == GW_LANG_EN ? "done" : "成功";
  const auto& info = gridward::error_info(static_cast<ErrorCode>(status));
  return (lang == GW_LANG_EN ? info.en : info.zh).data();
}

const char* gw_status_name(gw_status status) {
  return status == GW_OK ? "ok" : gridward::error_info(static_cast<ErrorCode>(status)).name.data();
}

gw_status gw_device_init(const gw_config* config, const gw_ports* ports, char public_key_hex[65]) {
  return guarded(nullptr, [&]() -> Result<void> {
    if (config == nullptr) return gridward::fail(ErrorCode::missing_field, "config");
    if (auto fits = check_size(config, "gw_config"); !fits) return fits;
    auto checked = gd::config_from(*config);
    if (!checked) return tl::unexpected(checked.error());
    return initialise(*checked, ports, public_key_hex);
  });
}

gw_status gw_device_open(const gw_config* config, const gw_ports* ports, gw_device** out) {
  if (out == nullptr) return GW_E_MISSING_FIELD;
  *out = nullptr;
  return guarded(nullptr, [&]() -> Result<void> {
    if (config == nullptr) return gridward::fail(ErrorCode::missing_field, "config");
    if (auto fits = check_size(config, "gw_config"); !fits) return fits;
    auto checked = gd::config_from(*config);
    if (!checked) return tl::unexpected(checked.error());
    return open_device(std::move(*checked), ports, out);
  });
}

gw_status gw_device_init_file(const char* config_file, const gw_ports* ports, char public_key_hex[65], char* problem,
                              size_t problem_size) {
  std::string error;
  const auto status = guarded(&error, [&]() -> Result<void> {
    auto config = gd::config_from_file(text(config_file));
    if (!config) return tl::unexpected(config.error());
    return initialise(*config, ports, public_key_hex);
  });
  tell(problem, problem_size, error);
  return status;
}

gw_status gw_device_open_file(const char* config_file, const gw_ports* ports, gw_device** out, char* problem,
                              size_t problem_size) {
  if (out == nullptr) return GW_E_MISSING_FIELD;
  *out = nullptr;
  std::string error;
  const auto status = guarded(&error, [&]() -> Result<void> {
    auto config = gd::config_from_file(text(config_file));
    if (!config) return tl::unexpected(config.error());
    return open_device(std::move(*config), ports, out);
  });
  tell(problem, problem_size, error);
  return status;
}

void gw_device_close(gw_device* device) { delete device; }

const char* gw_device_last_error(gw_device* device) { return device == nullptr ? "" : device->error.c_str(); }

// ---- capture ----

gw_status gw_device_report(gw_device* device, const gw_report* given, const gw_capture* capture, gw_saved* saved) {
  return on_handle(device, [&]() -> Result<void> {
    if (auto fits = check_call(given, "gw_report", capture, saved); !fits) return fits;
    const auto report = copied(given);
    TakenPhotos taken;
    if (auto done = take_photos(*device, report.photos, report.photo_count, taken); !done) return done;
    auto draft = draft_for(*device, capture);
    draft.body = gridward::ReportBody{text(report.category), text(report.text)};
    return capture_with_photos(*device, std::move(draft), taken, saved);
  });
}

gw_status gw_device_sign(gw_device* device, gw_sign_act act, const gw_capture* capture, gw_saved* saved) {
  return on_handle(device, [&]() -> Result<void> {
    if (auto fits = check_call(capture, saved); !fits) return fits;
    if (act != GW_SIGN_IN && act != GW_SIGN_OUT) return gridward::fail(ErrorCode::out_of_range, "act");
    auto draft = draft_for(*device, capture);
    draft.body = gridward::SignBody{act == GW_SIGN_OUT ? gridward::SignAct::out : gridward::SignAct::in};
    return commit(*device, std::move(draft), saved);
  });
}

gw_status gw_device_patrol_start(gw_device* device, const gw_capture* capture, gw_saved* saved) {
  return on_handle(device, [&]() -> Result<void> {
    if (auto fits = check_call(capture, saved); !fits) return fits;
    auto draft = draft_for(*device, capture);
    draft.body = gridward::PatrolBody{gridward::PatrolAct::start, device->ports.new_id(draft.at), {}, {}};
    return commit(*device, std::move(draft), saved);
  });
}

gw_status gw_device_patrol_stop(gw_device* device, const gw_patrol_log* given, const gw_capture* capture,
                                gw_saved* saved) {
  return on_handle(device, [&]() -> Result<void> {
    if (auto fits = check_call(given, "gw_patrol_log", capture, saved); !fits) return fits;
    const auto log = copied(given);
    const auto checks = copied_list(log.checks, log.check_count, "gw_check_item", "checks");
    if (!checks) return tl::unexpected(checks.error());
    gridward::PatrolBody body;
    body.act = gridward::PatrolAct::stop;
    body.text = text(log.text);
    for (const auto& check : *checks) body.checks.push_back({text(check.item), check.ok != 0, text(check.note)});
    auto draft = draft_for(*device, capture);
    draft.body = std::move(body);
    return commit(*device, std::move(draft), saved);
  });
}

gw_status gw_device_task_result(gw_device* device, const gw_task_result* given, const gw_capture* capture,
                                gw_saved* saved) {
  return on_handle(device, [&]() -> Result<void> {
    if (auto fits = check_call(given, "gw_task_result", capture, saved); !fits) return fits;
    const auto result = copied(given);
    const auto task = gridward::uuid_from_string(text(result.task));
    if (!task) return tl::unexpected(Error{task.error().code, "task", task.error().detail});
    if (result.outcome < GW_CONFIRMED || result.outcome > GW_CANNOT_CHECK) {
      return gridward::fail(ErrorCode::out_of_range, "outcome");
    }
    TakenPhotos taken;
    if (auto done = take_photos(*device, result.photos, result.photo_count, taken); !done) return done;
    auto draft = draft_for(*device, capture);
    draft.body = gridward::TaskResultBody{*task, static_cast<gridward::TaskOutcome>(result.outcome), text(result.text)};
    return capture_with_photos(*device, std::move(draft), taken, saved);
  });
}

// ---- looking ----

gw_status gw_device_tasks(gw_device* device, int32_t all, int32_t (*each)(void*, const gw_task*), void* user) {
  return on_handle(device, [&]() -> Result<void> {
    if (each == nullptr) return gridward::fail(ErrorCode::missing_field, "each");
    for (const auto& row : device->outbox.tasks(all != 0)) {
      const auto task = gridward::to_string(row.item.task);
      const auto case_id = gridward::to_string(row.item.case_id);
      gw_task out{};
      out.struct_size = sizeof out;
      out.task = task.c_str();
      out.kind = row.item.task_kind.c_str();
      out.case_id = case_id.c_str();
      out.number = row.item.number.c_str();
      out.category = row.item.category.c_str();
      out.text = row.item.text.c_str();
      if (row.item.point) {
        out.has_point = 1;
        out.lat_e7 = row.item.point->lat_e7;
        out.lon_e7 = row.item.point->lon_e7;
      }
      if (row.item.due) out.due_ms = gridward::to_unix_ms(*row.item.due);
      out.state = row.state;
      if (each(user, &out) != 0) break;
    }
    return {};
  });
}

gw_status gw_device_categories(gw_device* device, int32_t (*each)(void*, const gw_category*), void* user) {
  return on_handle(device, [&]() -> Result<void> {
    if (each == nullptr) return gridward::fail(ErrorCode::missing_field, "each");
    for (const auto& category : device->outbox.categories()) {
      const gw_category out{sizeof out, category.code.c_str(), category.name.c_str(), category.group.c_str()};
      if (each(user, &out) != 0) break;
    }
    return {};
  });
}

gw_status gw_device_refused(gw_device* device, int32_t (*each)(void*, const gw_refusal*), void* user) {
  return on_handle(device, [&]() -> Result<void> {
    if (each == nullptr) return gridward::fail(ErrorCode::missing_field, "each");
    for (const auto& row : device->outbox.refused()) {
      gw_refusal out{};
      out.struct_size = sizeof out;
      out.id = row.id.c_str();
      out.kind = row.kind.c_str();
      out.at_ms = gridward::to_unix_ms(row.at);
      out.code = static_cast<int32_t>(row.code);
      out.reason = row.reason.c_str();
      if (each(user, &out) != 0) break;
    }
    return {};
  });
}

gw_status gw_device_retry_refused(gw_device* device, uint64_t* count) {
  return on_handle(device, [&]() -> Result<void> {
    const auto again = device->outbox.retry_refused();
    if (count != nullptr) *count = again;
    announce(*device);
    return {};
  });
}

gw_status gw_device_summary(gw_device* device, gw_summary* out) {
  return on_handle(device, [&]() -> Result<void> {
    if (out == nullptr) return gridward::fail(ErrorCode::missing_field, "out");
    if (auto fits = check_size(out, "gw_summary"); !fits) return fits;
    const auto summary = device->outbox.summary();
    const auto duty = device->outbox.duty();
    device->actor = duty.actor;
    gw_summary s{};
    s.waiting_records = summary.waiting_records;
    s.waiting_media = summary.waiting_media;
    s.waiting_bytes = summary.waiting_bytes;
    if (summary.oldest) {
      s.oldest_age_ms = std::max<std::int64_t>(1, (clock(*device, std::nullopt).at - *summary.oldest).count());
    }
    if (summary.last_receipt) s.last_receipt_ms = gridward::to_unix_ms(*summary.last_receipt);
    s.refused = summary.refused;
    s.stored_records = summary.stored_records;
    s.next_seq = summary.next_seq;
    s.safe = summary.safe;
    s.pending_points = summary.pending_points;
    s.on_duty = duty.on_duty ? 1 : 0;
    s.on_patrol = duty.patrol.is_nil() ? 0 : 1;
    s.open_tasks = summary.open_tasks;
    s.clock_source = static_cast<int32_t>(summary.clock.source);
    s.clock_error_ms = summary.clock.error_ms;
    s.actor = device->actor.c_str();
    s.epoch = device->epoch.c_str();
    s.dropped_points = summary.dropped_points;
    device->settings_rev = summary.settings_rev;
    device->categories_rev = summary.categories_rev;
    s.settings_rev = device->settings_rev.c_str();
    s.categories_rev = device->categories_rev.c_str();
    s.agent_state = gd::agent_state(device->config.data_dir);
    give(out, s);
    return {};
  });
}

// ---- the agent ----

gw_status gw_device_agent_start(gw_device* device) {
  return on_handle(device, [&]() -> Result<void> {
    if (device->agent) return {};
    if (!device->ports.has_wake()) {
      if (auto made = make_event(*device); !made) return made;
    }
    auto agent = gd::Agent::start(device->config, device->ports, device->outbox, [device] { gw_device_wake(device); });
    if (!agent) return tl::unexpected(agent.error());
    gd::Descriptor poll;
    if (device->event || (*agent)->watch_fd() >= 0) {
      poll = gd::Descriptor(::epoll_create1(EPOLL_CLOEXEC));
      for (const int fd : {device->event.get(), (*agent)->watch_fd()}) {
        epoll_event interest{};
        interest.events = EPOLLIN;
        if (fd >= 0 && ::epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &interest) != 0) {
          return gridward::fail(ErrorCode::unavailable, "epoll", std::strerror(errno));
        }
      }
    }
    // Whole or not at all.
    device->poll = std::move(poll);
    device->agent = std::move(*agent);
    return {};
  });
}

gw_status gw_device_step(gw_device* device, int64_t* next_ms) {
  return on_handle(device, [&]() -> Result<void> {
    if (!device->agent) return gridward::fail(ErrorCode::unavailable, "agent", "not started");
    device->drain();
    const auto tell_next = [&](std::optional<gridward::Millis> next) {
      if (next_ms == nullptr) return;
      *next_ms = next ? std::max<std::int64_t>(0, (*next - device->ports.mono()).count()) : -1;
    };
    try {
      tell_next(device->agent->step());
    } catch (const gd::StorageError& error) {
      device->damaged = error.lasting();
      tell_next(device->agent->next());
      throw;
    }
    return {};
  });
}

int32_t gw_device_fd(gw_device* device) { return device == nullptr ? -1 : device->poll.get(); }

gw_status gw_device_run(gw_device* device) {
  // With gw_ports.wake, too: this loop has to hear of what wakes the host.
  auto status = on_handle(device, [&] { return make_event(*device); });
  if (status == GW_OK) status = gw_device_agent_start(device);
  while (status == GW_E_OUTBOX_FULL && !device->stopping) {
    pollfd waiting{device->event.get(), POLLIN, 0};
    ::poll(&waiting, 1, kStartAgainMs);
    device->drain();
    if (!device->stopping) status = gw_device_agent_start(device);
  }
  if (status != GW_OK && status != GW_E_OUTBOX_FULL) return status;
  while (!device->stopping) {
    int64_t next_ms = -1;
    status = gw_device_step(device, &next_ms);
    const bool passes = (status == GW_E_OUTBOX_FULL || status == GW_E_STORAGE_FAILED) && !device->damaged;
    if (status != GW_OK && !passes) {
      const auto why = device->error;
      gw_device_agent_stop(device);
      device->error = why;
      return status;
    }
    pollfd waiting{device->poll.get(), POLLIN, 0};
    const auto wait = static_cast<int>(std::min<int64_t>(next_ms, 3'600'000));
    ::poll(&waiting, 1, wait);
  }
  device->stopping = false;
  return gw_device_agent_stop(device);
}

int32_t gw_device_connected(gw_device* device) {
  return device != nullptr && device->agent && device->agent->connected() ? 1 : 0;
}

gw_status gw_device_network_changed(gw_device* device) {
  return on_handle(device, [&]() -> Result<void> {
    if (device->agent) device->agent->network_changed();
    return {};
  });
}

gw_status gw_device_agent_stop(gw_device* device) {
  return on_handle(device, [&]() -> Result<void> {
    if (device->agent) device->agent->stop();
    device->agent.reset();
    device->poll = gd::Descriptor();
    return {};
  });
}

void gw_device_wake(gw_device* device) {
  if (device == nullptr) return;
  if (const int fd = device->event_fd; fd >= 0) {
    const std::uint64_t one = 1;
    // Full counts as woken.
    [[maybe_unused]] const auto put = ::write(fd, &one, sizeof one);
  }
  device->ports.wake();
}

void gw_device_stop(gw_device* device) {
  if (device == nullptr) return;
  device->stopping = true;
  gw_device_wake(device);
}

}  // extern "C"
