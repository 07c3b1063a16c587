#include <algorithm>
#include <cstring>
#include <functional>
#include <gridward/shared/limits.hpp>
#include <gridward_device/config.hpp>
#include <gridward_device/file.hpp>
#include <map>
#include <nlohmann/json.hpp>

namespace gridward::device {
namespace {

std::string text(const char* value) { return value != nullptr ? std::string(value) : std::string(); }

Result<Config> checked(Config config) {
  const auto wrong = [](const char* key, std::string why) {
    return fail(ErrorCode::config_invalid, key, std::move(why));
  };
  if (config.data_dir.empty()) return wrong("data_dir", "missing");
  auto& link = config.transport;
  const bool tls = link.broker.starts_with("ssl://") || link.broker.starts_with("wss://");
  const bool plain = link.broker.starts_with("tcp://") || link.broker.starts_with("ws://");
  if (!tls && !plain) return wrong("broker", "'" + link.broker + "' is not ssl://host:port or tcp://host:port");
  if (tls && link.ca_file.empty()) return wrong("ca_file", "needed with " + link.broker);
  if (!valid_device_id(link.device)) return wrong("device", "'" + link.device + "' is not 1 to 64 of [A-Za-z0-9_-]");
  if (link.town.empty()) return wrong("town", "missing");
  if (link.user.empty()) link.user = link.device;
  if (config.key_file.empty()) config.key_file = config.data_dir / "device.key";
  if (config.builtin.gpsd_port < 1 || config.builtin.gpsd_port > 65535) return wrong("gpsd_port", "1 to 65535");
  const auto own = settings_of(config, std::nullopt);
  if (own.track_interval < Millis{1'000}) return wrong("track_interval_ms", "at least 1000");
  if (own.track_batch < own.track_interval || own.track_batch > Millis{limits::kTrackSpanMs}) {
    return wrong("track_batch_ms", "track_interval_ms to 1800000");
  }
  if (own.photo.px != 0 && own.photo.px < limits::kLeastPhotoPx) {
    return wrong("photo_px", std::to_string(own.photo.px) + ", at least " + std::to_string(limits::kLeastPhotoPx) +
                                 ", or negative: never");
  }
  if (own.photo.quality < 1 || own.photo.quality > 100) return wrong("photo_quality", "1 to 100");
  if (link.keepalive_s < 5 || link.keepalive_s > 65535) return wrong("keepalive_s", "5 to 65535");
  return config;
}

template <class Target, class Source>
void unless_zero(Target& target, Source value) {
  if (value != 0) target = static_cast<Target>(value);
}
void unless_zero(std::optional<std::int32_t>& target, std::int64_t value) {
  if (value != 0) target = static_cast<std::int32_t>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
}

template <class Target>
void unless_zero_ms(Target& target, std::int64_t value) {
  if (value != 0) target = Millis{value};
}

}  // namespace

Settings settings_of(const Config& config, const std::optional<SettingsItem>& town) {
  Settings settings;
  if (town) {
    settings.track_interval = town->track.value_or(settings.track_interval);
    settings.track_batch = town->batch.value_or(settings.track_batch);
    settings.heartbeat = town->heartbeat.value_or(settings.heartbeat);
    settings.photo.px = town->photo_px;
    if (town->photo_quality) settings.photo.quality = static_cast<int>(*town->photo_quality);
  }
  settings.track_interval = config.track_interval.value_or(settings.track_interval);
  settings.track_batch = config.track_batch.value_or(settings.track_batch);
  settings.heartbeat = config.heartbeat.value_or(settings.heartbeat);
  if (config.photo_px) settings.photo.px = static_cast<std::uint32_t>(std::max(0, *config.photo_px));
  settings.photo.quality = config.photo_quality.value_or(settings.photo.quality);
  return settings;
}

Result<Config> config_from(const gw_config& given) {
  gw_config c{};
  std::memcpy(&c, &given, std::min(given.struct_size, sizeof c));
  Config config;
  config.data_dir = text(c.data_dir);
  config.key_file = text(c.key_file);
  config.actor = text(c.actor);
  config.transport.broker = text(c.broker);
  config.transport.ca_file = text(c.ca_file);
  config.transport.device = text(c.device);
  config.transport.town = text(c.town);
  config.transport.user = text(c.user);
  config.transport.password = text(c.password);
  unless_zero(config.transport.keepalive_s, c.keepalive_s);
  config.builtin.gpsd_host = text(c.gpsd_host);
  unless_zero(config.builtin.gpsd_port, c.gpsd_port);
  unless_zero_ms(config.builtin.max_age, c.position_age_ms);
  config.builtin.camera_program = text(c.camera_program);
  unless_zero_ms(config.position_wait, c.position_wait_ms);
  if (config.position_wait < Millis{0}) config.position_wait = Millis{0};
  unless_zero_ms(config.track_interval, c.track_interval_ms);
  unless_zero_ms(config.track_batch, c.track_batch_ms);
  unless_zero_ms(config.heartbeat, c.heartbeat_ms);
  unless_zero(config.outbox_bytes, c.outbox_bytes);
  unless_zero(config.min_free_bytes, c.min_free_bytes);
  config.duty_by_patrol = c.duty_by_patrol != 0;
  config.no_watch = c.no_watch != 0;
  unless_zero(config.photo_px, c.photo_px);
  unless_zero(config.photo_quality, c.photo_quality);
  return checked(std::move(config));
}

Result<Config> config_from_file(const std::filesystem::path& file) {
  const auto bytes = read_small_file(file, 64 * 1024);
  if (bytes.empty()) return fail(ErrorCode::config_invalid, file.string(), "cannot be read");
  return config_from_text(bytes, std::filesystem::absolute(file));
}

Result<Config> config_from_text(std::string_view given, const std::filesystem::path& file) {
  // The file is the owner's own and small; the depth limit of the wire is not needed here.
  const auto json = nlohmann::json::parse(given, nullptr, false, true);
  if (!json.is_object()) return fail(ErrorCode::config_invalid, file.string(), "not a JSON object");

  Config config;
  const auto folder = file.parent_path();
  std::string problem_key;
  std::string problem;
  const auto wrong = [&](const std::string& key, const char* why) {
    if (problem.empty()) {
      problem_key = key;
      problem = why;
    }
  };
  using Json = nlohmann::json;
  using Setter = std::function<void(const std::string&, const Json&)>;
  const auto string_to = [&](std::string& target) -> Setter {
    return [&](const std::string& key, const Json& value) {
      if (!value.is_string()) return wrong(key, "must be a string");
      target = value.get<std::string>();
    };
  };
  const auto path_to = [&](auto& target) -> Setter {
    return [&](const std::string& key, const Json& value) {
      if (!value.is_string()) return wrong(key, "must be a string");
      const std::filesystem::path path = value.get<std::string>();
      if (!path.empty()) target = (path.is_absolute() ? path : folder / path).lexically_normal().string();
    };
  };
  const auto integer = [&](std::function<void(std::int64_t)> set, std::int64_t least) -> Setter {
    return [&, set, least](const std::string& key, const Json& value) {
      if (!value.is_number_integer()) return wrong(key, "must be a whole number");
      const auto number = value.get<std::int64_t>();
      if (number < least || number > (std::int64_t{1} << 53)) return wrong(key, "out of range");
      set(number);
    };
  };
  const auto millis_to = [&](Millis& target, std::int64_t least) {
    return integer([&target](std::int64_t value) { target = Millis{value}; }, least);
  };
  // 0: as the town's settings say.
  const auto own_millis_to = [&](std::optional<Millis>& target, std::int64_t least) {
    return integer([&target](std::int64_t value) { unless_zero_ms(target, value); }, least);
  };
  const auto own_number_to = [&](std::optional<std::int32_t>& target, std::int64_t least) {
    return integer([&target](std::int64_t value) { unless_zero(target, value); }, least);
  };
  const auto bool_to = [&](bool& target) -> Setter {
    return [&](const std::string& key, const Json& value) {
      if (!value.is_boolean()) return wrong(key, "must be true or false");
      target = value.get<bool>();
    };
  };
  const std::map<std::string, Setter, std::less<>> keys{
      {"data_dir", path_to(config.data_dir)},
      {"key_file", path_to(config.key_file)},
      {"broker", string_to(config.transport.broker)},
      {"ca_file", path_to(config.transport.ca_file)},
      {"device", string_to(config.transport.device)},
      {"town", string_to(config.transport.town)},
      {"user", string_to(config.transport.user)},
      {"password", string_to(config.transport.password)},
      {"keepalive_s",
       integer(
           [&](std::int64_t v) { config.transport.keepalive_s = static_cast<int>(std::min<std::int64_t>(v, 1 << 20)); },
           5)},
      {"actor", string_to(config.actor)},
      {"gpsd_host", string_to(config.builtin.gpsd_host)},
      {"gpsd_port",
       integer([&](std::int64_t v) { config.builtin.gpsd_port = static_cast<int>(std::min<std::int64_t>(v, 1 << 20)); },
               1)},
      {"camera_program", string_to(config.builtin.camera_program)},
      {"position_wait_ms", millis_to(config.position_wait, 0)},
      {"position_age_ms", millis_to(config.builtin.max_age, 1)},
      {"track_interval_ms", own_millis_to(config.track_interval, 0)},
      {"track_batch_ms", own_millis_to(config.track_batch, 0)},
      {"heartbeat_ms", own_millis_to(config.heartbeat, -1)},
      {"photo_px", own_number_to(config.photo_px, -1)},
      {"photo_quality", own_number_to(config.photo_quality, 0)},
      {"outbox_bytes", integer([&](std::int64_t v) { config.outbox_bytes = static_cast<std::uint64_t>(v); }, 1)},
      {"min_free_bytes", integer([&](std::int64_t v) { config.min_free_bytes = static_cast<std::uint64_t>(v); }, 0)},
      {"duty_by_patrol", bool_to(config.duty_by_patrol)},
  };
  for (const auto& [key, value] : json.items()) {
    const auto setter = keys.find(key);
    if (setter == keys.end()) {
      wrong(key, "unknown key");
    } else {
      setter->second(key, value);
    }
  }
  if (!problem.empty()) return fail(ErrorCode::config_invalid, problem_key, problem);
  return checked(std::move(config));
}

}  // namespace gridward::device
