#include <algorithm>
#include <cmath>
#include <fstream>
#include <gridward/sim/nmea.hpp>
#include <gridward_sim/reader.hpp>
#include <gridward_sim/scenario.hpp>
#include <iterator>
#include <memory>

namespace gridward::sim {
namespace {

using Json = nlohmann::json;

constexpr double kMaxPerHour = 100'000;  // one in 36 ms
constexpr double kMaxMinutes = 7 * 24 * 60;
constexpr std::size_t kMaxGroups = 64;
constexpr std::size_t kMaxWindows = 64;

Result<std::string> log_of(const std::filesystem::path& file, const std::string& where) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (!error && size > kMaxReceiverLogBytes) {
    return fail(ErrorCode::config_invalid, where,
                std::to_string(size) + " bytes, at most " + std::to_string(kMaxReceiverLogBytes));
  }
  std::ifstream in(file, std::ios::binary);
  if (error || !in) return fail(ErrorCode::config_invalid, where, file.string() + " cannot be read");
  std::string log{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (read_fixes(log).size() < 2) return fail(ErrorCode::config_invalid, where, file.string() + " has no two fixes");
  return log;
}

void read_walk(Reader& group, const std::filesystem::path& folder, Circumstances& c) {
  const auto* walk = group.child("walk");
  if (walk == nullptr) return;
  if (*walk == "random") {
    c.walk = WalkKind::random;
  } else if (*walk == "lanes") {
    c.walk = WalkKind::lanes;
  } else if (walk->is_object()) {
    Reader reader(*walk, group.path("walk"));
    std::string file;
    reader.text("log", file);
    if (file.empty()) reader.wrong("log", "must be a file");
    if (auto right = reader.done(); !right) return group.take(right);
    auto log = log_of(folder / file, reader.path("log"));
    if (!log) return group.take(tl::unexpected(log.error()));
    c.walk = WalkKind::log;
    c.log = std::move(*log);
  } else {
    group.wrong("walk", "must be \"random\", \"lanes\" or {\"log\": FILE}");
  }
}

void read_link(Reader& group, Circumstances& c) {
  const auto* link = group.child("link");
  if (link == nullptr) return;
  if (link->is_string()) {
    c.link = link_class(link->get<std::string>());
    std::string names;
    for (const auto& name : link_class_names()) names += (names.empty() ? "" : ", ") + name;
    if (!c.link) group.wrong("link", "must be one of " + names + ", or an object");
    return;
  }
  LinkClass own;
  Reader reader(*link, group.path("link"));
  reader.number("delay_ms", own.delay_ms, 0, 60'000);
  reader.number("jitter_ms", own.jitter_ms, 0, 60'000);
  reader.number("bytes_per_s", own.bytes_per_s, 0, 1e9);
  reader.range("up_s", own.up_min_s, own.up_max_s, 0.01, 86'400);
  reader.range("down_s", own.down_min_s, own.down_max_s, 0.01, 86'400);
  reader.number("life_s", own.life_s, 0, 86'400);
  reader.number("silent", own.silent, 0, 1);
  if ((own.up_max_s > 0) != (own.down_max_s > 0)) reader.wrong("up_s", "and down_s go together");
  group.take(reader.done());
  c.link = own;
}

void read_duty(Reader& group, Circumstances& c) {
  const auto* duty = group.child("duty");
  if (duty == nullptr) return;
  const std::string form = "must be 1 to " + std::to_string(kMaxWindows) +
                           " windows [from, to] in minutes, one after the other, up to " +
                           std::to_string(static_cast<int>(kMaxMinutes));
  if (!duty->is_array() || duty->empty() || duty->size() > kMaxWindows) return group.wrong("duty", form);
  double last = 0;
  for (std::size_t i = 0; i < duty->size(); ++i) {
    const auto& window = (*duty)[i];
    const auto where = "duty[" + std::to_string(i) + "]";
    if (!window.is_array() || window.size() != 2 || !window[0].is_number() || !window[1].is_number()) {
      return group.wrong(where, form);
    }
    const double from = window[0].get<double>();
    const double to = window[1].get<double>();
    if (!(from >= last && to > from && to <= kMaxMinutes)) return group.wrong(where, form);
    c.duty.push_back({std::llround(from * 60'000), std::llround(to * 60'000)});
    last = to;
  }
}

Result<Group> group_of(const Json& json, const std::string& where, const std::filesystem::path& folder) {
  Reader reader(json, where);
  Group group;
  Circumstances c;
  if (reader.child("count") != nullptr) {
    int count = 0;
    reader.whole("count", count, 0, 1'000'000);
    group.count = static_cast<std::size_t>(count);
  }
  if (reader.child("share") != nullptr) {
    double share = 0;
    reader.number("share", share, 0, 1);
    group.share = share;
  }
  if (group.count && group.share) reader.wrong("share", "not together with count");
  read_walk(reader, folder, c);
  if (const auto* battery = reader.child("battery"); battery != nullptr) {
    Battery b;
    Reader in(*battery, reader.path("battery"));
    in.number("start_percent", b.start_percent, 1, 100);
    in.number("drain_percent_per_h", b.drain_percent_per_h, 0, kMaxPerHour);
    in.number("charge_percent_per_h", b.charge_percent_per_h, 0, kMaxPerHour);
    in.number("back_percent", b.back_percent, 1, 100);
    in.flag("charge_when_off_duty", b.charge_when_off_duty);
    reader.take(in.done());
    c.battery = b;
  }
  read_duty(reader, c);
  if (const auto* clock = reader.child("clock"); clock != nullptr) {
    Reader in(*clock, reader.path("clock"));
    in.number("skew_ms", c.clock.skew_ms, -1e12, 1e12);  // 30 years: a clock that was never set
    in.number("drift_ppm", c.clock.drift_ppm, -100'000, 100'000);
    in.number("jump_s", c.clock.jump_s, 0, 1e9);
    in.number("jump_every_s", c.clock.jump_every_s, 0.1, 86'400);
    reader.take(in.done());
  }
  read_link(reader, c);
  if (const auto* delivery = reader.child("delivery"); delivery != nullptr) {
    Reader in(*delivery, reader.path("delivery"));
    in.number("duplicate", c.delivery.duplicate, 0, 1);
    in.number("reorder", c.delivery.reorder, 0, 1);
    in.number("drop", c.delivery.drop, 0, 1);
    in.number("hold_ms", c.delivery.hold_ms, 1, 60'000);
    reader.take(in.done());
  }
  reader.number("reboots_per_h", c.reboots_per_h, 0, kMaxPerHour);
  reader.number("kills_per_h", c.kills_per_h, 0, kMaxPerHour);
  if (const auto* disk = reader.child("disk"); disk != nullptr) {
    Reader in(*disk, reader.path("disk"));
    const auto bytes = [](double mb) { return static_cast<std::uint64_t>(std::llround(mb * (1 << 20))); };
    double mb = 0;
    in.number("outbox_mb", mb, 0.01, 1e6);
    if (in.child("outbox_mb") != nullptr) c.outbox_bytes = bytes(mb);
    mb = 0;
    in.number("min_free_mb", mb, 0, 1e6);
    if (in.child("min_free_mb") != nullptr) c.min_free_bytes = bytes(mb);
    reader.take(in.done());
  }
  if (auto right = reader.done(); !right) return tl::unexpected(right.error());
  group.circumstances = std::make_shared<const Circumstances>(std::move(c));
  return group;
}

}  // namespace

Result<Scenario> load_scenario(const std::filesystem::path& file) {
  const auto json = load_json(file, kMaxScenarioBytes);
  if (!json) return tl::unexpected(json.error());
  const auto folder = std::filesystem::absolute(file).parent_path();
  Scenario scenario;
  Reader reader(*json, "");
  reader.whole("processes", scenario.processes, 1, kMaxProcesses);
  const auto* groups = reader.child("groups");
  if (groups == nullptr || !groups->is_array() || groups->empty() || groups->size() > kMaxGroups) {
    reader.wrong("groups", "must be a list of 1 to " + std::to_string(kMaxGroups));
  }
  if (auto right = reader.done(); !right) return tl::unexpected(right.error());
  double shares = 0;
  for (std::size_t i = 0; i < groups->size(); ++i) {
    const auto where = "groups[" + std::to_string(i) + "]";
    auto group = group_of((*groups)[i], where, folder);
    if (!group) return tl::unexpected(group.error());
    if (!group->count && !group->share && i + 1 < groups->size()) {
      return fail(ErrorCode::config_invalid, where, "only the last group goes without count and share");
    }
    shares += group->share.value_or(0);
    if (shares > 1 + 1e-9) return fail(ErrorCode::config_invalid, where + ".share", "all together at most 1");
    scenario.groups.push_back(std::move(*group));
  }
  return scenario;
}

std::vector<std::size_t> group_sizes(const Scenario& scenario, std::size_t handhelds) {
  std::vector<std::size_t> sizes;
  std::size_t left = handhelds;
  // Shares are rounded where they end, not each: together they stay what they are.
  double shares = 0;
  std::size_t by_share = 0;
  for (const auto& group : scenario.groups) {
    std::size_t size = left;
    if (group.count) size = *group.count;
    if (group.share) {
      shares += *group.share;
      const auto end = static_cast<std::size_t>(std::llround(shares * static_cast<double>(handhelds)));
      size = end - by_share;
      by_share = end;
    }
    sizes.push_back(std::min(size, left));
    left -= sizes.back();
  }
  return sizes;
}

}  // namespace gridward::sim
