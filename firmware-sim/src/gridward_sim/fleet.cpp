#include <algorithm>
#include <gridward_sim/fleet.hpp>
#include <gridward_sim/reader.hpp>
#include <gridward_sim/receiver_log.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

namespace gridward::sim {
namespace {

using Json = nlohmann::json;

constexpr std::uintmax_t kMaxFleetBytes = 64 << 20;
constexpr double kMaxSeconds = 1e9;
constexpr double kMaxSpeed = 1e6;

// [[lon, lat], …], as in GeoJSON.
std::optional<Ring> ring_of(const Json& json) {
  if (!json.is_array() || json.size() < 3) return std::nullopt;
  Ring ring;
  for (const auto& point : json) {
    if (!point.is_array() || point.size() < 2 || !point[0].is_number() || !point[1].is_number()) return std::nullopt;
    const double lon = point[0].get<double>();
    const double lat = point[1].get<double>();
    if (!(lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90)) return std::nullopt;
    ring.push_back(geo_point(lat, lon));
  }
  return ring;
}

std::optional<Polygon> polygon_of(const Json& rings) {
  if (!rings.is_array() || rings.empty()) return std::nullopt;
  // A single ring, without the outer list, is common when written by hand.
  if (rings[0].is_array() && !rings[0].empty() && rings[0][0].is_number()) {
    auto ring = ring_of(rings);
    return ring ? std::optional(Polygon{std::move(*ring), {}}) : std::nullopt;
  }
  Polygon polygon;
  for (const auto& json : rings) {
    auto ring = ring_of(json);
    if (!ring) return std::nullopt;
    if (polygon.outer.empty()) {
      polygon.outer = std::move(*ring);
    } else {
      polygon.holes.push_back(std::move(*ring));
    }
  }
  return polygon;
}

Result<Behaviour> behaviour_of(const Json& json, Behaviour behaviour, const std::string& where) {
  Reader reader(json, where);
  reader.number("start_within_s", behaviour.start_within_s, 0, kMaxSeconds);
  reader.number("report_min_s", behaviour.report_min_s, 0, kMaxSeconds);
  reader.number("report_max_s", behaviour.report_max_s, 0, kMaxSeconds);
  reader.number("verify_min_s", behaviour.verify_min_s, 0, kMaxSeconds);
  reader.number("verify_max_s", behaviour.verify_max_s, 0, kMaxSeconds);
  reader.number("not_rectified", behaviour.not_rectified, 0, 1);
  reader.number("speed_mps", behaviour.walk.speed_mps, 0, kMaxSpeed);
  reader.number("travel_mps", behaviour.walk.travel_mps, 0, kMaxSpeed);
  reader.number("receiver_error_m", behaviour.walk.receiver_error_m, 0, 10'000);
  reader.number("bad_sky", behaviour.walk.bad_sky, 0, 1);
  reader.flag("sign_in", behaviour.sign_in);
  reader.flag("patrol", behaviour.patrol);
  reader.whole("max_reports", behaviour.max_reports, -1, 1'000'000'000);
  reader.whole("photos", behaviour.photos, 0, 4);
  if (auto right = reader.done(); !right) return tl::unexpected(right.error());
  behaviour.report_max_s = std::max(behaviour.report_max_s, behaviour.report_min_s);
  behaviour.verify_max_s = std::max(behaviour.verify_max_s, behaviour.verify_min_s);
  return behaviour;
}

}  // namespace

Result<Fleet> load_fleet(const std::filesystem::path& file) {
  const auto json = load_json(file, kMaxFleetBytes);
  if (!json) return tl::unexpected(json.error());
  const auto folder = std::filesystem::absolute(file).parent_path();
  const auto path_of = [&](const std::string& text) {
    const std::filesystem::path path = text;
    return path.is_absolute() ? path : folder / path;
  };
  for (const auto& [key, value] : json->items()) {
    if (key != "handhelds" && key != "behaviour" && key != "categories" && key != "outlines") {
      return fail(ErrorCode::config_invalid, key, "unknown key");
    }
  }

  Fleet fleet;
  Behaviour common;
  if (json->contains("behaviour")) {
    auto given = behaviour_of((*json)["behaviour"], common, "behaviour");
    if (!given) return tl::unexpected(given.error());
    common = *given;
  }
  if (json->contains("categories")) {
    for (const auto& code : (*json)["categories"]) {
      if (!code.is_string()) return fail(ErrorCode::config_invalid, "categories", "must be a list of codes");
      fleet.categories.push_back(code.get<std::string>());
    }
  }
  std::map<std::string, Polygon> outlines;
  if (json->contains("outlines")) {
    if (!(*json)["outlines"].is_string()) return fail(ErrorCode::config_invalid, "outlines", "must be a file");
    const auto geo = load_json(path_of((*json)["outlines"].get<std::string>()), kMaxFleetBytes);
    if (!geo) return tl::unexpected(geo.error());
    for (const auto& feature : geo->value("features", Json::array())) {
      const auto code = feature.value("/properties/code"_json_pointer, "");
      const auto rings = feature.value("/geometry/coordinates"_json_pointer, Json::array());
      if (auto polygon = polygon_of(rings); polygon && !code.empty()) outlines.emplace(code, std::move(*polygon));
    }
  }

  const auto list = json->find("handhelds");
  if (list == json->end() || !list->is_array() || list->empty()) {
    return fail(ErrorCode::config_invalid, "handhelds", "must be a list of one or more");
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& entry = (*list)[i];
    const auto where = "handhelds[" + std::to_string(i) + "]";
    if (!entry.is_object() || !entry.contains("config") || !entry["config"].is_string()) {
      return fail(ErrorCode::config_invalid, where + ".config", "must be a file");
    }
    HandheldSpec spec;
    spec.config = path_of(entry["config"].get<std::string>());
    spec.behaviour = common;
    if (entry.contains("behaviour")) {
      auto own = behaviour_of(entry["behaviour"], common, where + ".behaviour");
      if (!own) return tl::unexpected(own.error());
      spec.behaviour = *own;
    }
    const auto grid = entry.value("grid", Json());
    if (grid.is_string()) {
      const auto outline = outlines.find(grid.get<std::string>());
      if (outline == outlines.end()) {
        return fail(ErrorCode::config_invalid, where + ".grid", grid.get<std::string>() + " is not in the outlines");
      }
      spec.grid = outline->second;
    } else if (auto polygon = polygon_of(grid)) {
      spec.grid = std::move(*polygon);
    } else {
      return fail(ErrorCode::config_invalid, where + ".grid", "must be a code of the outlines or [[lon, lat], …]");
    }
    fleet.handhelds.push_back(std::move(spec));
  }
  return fleet;
}

Result<void> apply(const Scenario& scenario, Fleet& fleet, UnixMs now) {
  const auto sizes = group_sizes(scenario, fleet.handhelds.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto& circumstances = scenario.groups[i].circumstances;
    std::map<std::pair<std::int32_t, std::int32_t>, std::shared_ptr<const std::vector<LogFix>>> moved;
    for (std::size_t end = next + sizes[i]; next < end; ++next) {
      auto& spec = fleet.handhelds[next];
      spec.circumstances = circumstances;
      spec.behaviour.walk.kind = circumstances->walk;
      if (circumstances->walk != WalkKind::log) continue;
      const auto place = deep_inside(spec.grid);
      auto& log = moved[{place.lat_e7, place.lon_e7}];
      if (!log) {
        auto fixes = fixes_at(circumstances->log, {place, now});
        if (!fixes) {
          return fail(ErrorCode::config_invalid, "groups[" + std::to_string(i) + "].walk.log",
                      to_string(fixes.error()));
        }
        log = std::make_shared<const std::vector<LogFix>>(std::move(*fixes));
      }
      spec.behaviour.walk.log = log;
    }
  }
  return {};
}

}  // namespace gridward::sim
