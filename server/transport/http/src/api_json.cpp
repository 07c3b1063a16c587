#include "api_json.hpp"

#include <array>

namespace gridward::http {
namespace {

template <std::size_t N, class Enum>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : std::string_view("unknown");
}

constexpr std::array<std::string_view, 5> kMediaRoles{"scene", "before", "after", "selfie", "scan"};
constexpr std::array<std::string_view, 5> kMediaStatuses{"expected", "partial", "sealed", "derived", "refused"};
constexpr std::array<std::string_view, 3> kOutcomes{"confirmed", "not_rectified", "cannot_check"};
constexpr std::array<std::string_view, 3> kFixSources{"gnss", "network", "manual"};
constexpr std::array<std::string_view, 3> kClockSources{"local", "server", "gnss"};
constexpr std::array<std::string_view, 2> kSignActs{"in", "out"};

std::string name_or_empty(const Names& names, const std::string& code) {
  const auto found = names.find(code);
  return found == names.end() ? std::string() : found->second;
}

// Divided, not multiplied: then seven decimals are printed as seven.
double lat(GeoPoint p) { return p.lat_e7 / 1e7; }
double lon(GeoPoint p) { return p.lon_e7 / 1e7; }

Json ms(UnixMs at) { return to_unix_ms(at); }
Json ms(const std::optional<UnixMs>& at) { return at ? Json(to_unix_ms(*at)) : Json(nullptr); }
Json id(const Uuid& value) { return value.is_nil() ? Json(nullptr) : Json(to_string(value)); }
template <class T>
Json maybe(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json outcome_json(const std::optional<TaskOutcome>& outcome) {
  return outcome ? Json(name_of(kOutcomes, *outcome)) : Json(nullptr);
}

Json fix_json(const std::optional<Fix>& fix) {
  if (!fix) return nullptr;
  return {{"lat", lat(fix->point)},
          {"lon", lon(fix->point)},
          {"acc", fix->accuracy_cm ? Json(*fix->accuracy_cm / 100.0) : Json(nullptr)},
          {"source", name_of(kFixSources, fix->source)},
          {"mock", fix->mock},
          {"at", ms(fix->at)}};
}

// GeoJSON wants rings whose last point repeats the first.
Json ring_json(const Ring& ring) {
  auto list = Json::array();
  for (const auto& point : ring) list.push_back(Json::array({lon(point), lat(point)}));
  if (!ring.empty() && !(ring.front() == ring.back())) {
    list.push_back(Json::array({lon(ring.front()), lat(ring.front())}));
  }
  return list;
}

Json outline_json(const std::optional<Polygon>& outline) {
  if (!outline) return nullptr;
  auto rings = Json::array({ring_json(outline->outer)});
  for (const auto& hole : outline->holes) rings.push_back(ring_json(hole));
  return {{"type", "Polygon"}, {"coordinates", std::move(rings)}};
}

Json event_json(const app::StoredEvent& stored, const Names& names) {
  const auto& event = stored.event;
  auto media = Json::array();
  for (const auto& ref : event.media) {
    media.push_back({{"sha256", to_hex(ref.sha256)}, {"role", name_of(kMediaRoles, ref.role)}});
  }
  auto erased = Json::array();
  for (const auto field : domain::kPersonal) {
    if (event.erased[domain::index_of(field)]) erased.push_back(domain::to_string(field));
  }
  return {{"n", stored.n},
          {"type", to_string(event.type)},
          {"actor",
           {{"login", event.actor.login},
            {"name", event.actor.name},
            {"role", to_string(event.actor.role)},
            {"org", event.actor.org}}},
          {"at", ms(event.at)},
          {"recorded", ms(event.recorded)},
          {"place", fix_json(event.place)},
          {"note", event.note},
          {"unit", event.unit},
          {"unit_name", name_or_empty(names, event.unit)},
          {"reason", event.reason},
          {"assignee", event.assignee},
          {"outcome", outcome_json(event.outcome)},
          {"due_at", ms(event.due_at)},
          {"due_provisional", event.due_provisional},
          {"on_time", maybe(event.on_time)},
          {"rule", event.rule},
          {"media", std::move(media)},
          {"erased", std::move(erased)},
          {"hash", to_hex(stored.hash)}};
}

Json media_json(const app::MediaView& media) {
  auto flags = Json::array();
  for (const auto& flag : media.flags) {
    flags.push_back({{"kind", domain::to_string(flag.kind)},
                     {"score", flag.score},
                     {"other_sha256", flag.other ? Json(to_hex(*flag.other)) : Json(nullptr)},
                     {"other_case", flag.other_case ? Json(to_string(*flag.other_case)) : Json(nullptr)}});
  }
  return {{"sha256", to_hex(media.sha256)},
          {"role", name_of(kMediaRoles, media.role)},
          {"status", name_of(kMediaStatuses, media.status)},
          {"size", media.size},
          {"have", media.have},
          {"problem", media.problem},
          {"width", media.numbers ? Json(media.numbers->width) : Json(nullptr)},
          {"height", media.numbers ? Json(media.numbers->height) : Json(nullptr)},
          {"flags", std::move(flags)}};
}

}  // namespace

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json actor_json(const domain::Actor& actor, const Names& names) {
  return {{"login", actor.login}, {"name", actor.name},         {"role", to_string(actor.role)},
          {"org", actor.org},     {"org_path", actor.org_path}, {"org_name", name_or_empty(names, actor.org)}};
}

Json case_row_json(const domain::CaseRecord& record, const domain::Policy& policy, const Names& names,
                   const std::optional<Sha256>& thumb) {
  const auto category = policy.categories.find(record.category);
  return {{"id", to_string(record.id)},
          {"number", record.number},
          {"town", record.town},
          {"grid", record.grid},
          {"grid_name", name_or_empty(names, record.grid)},
          {"category", record.category},
          {"category_name", category == policy.categories.end() ? record.category : category->second.name},
          {"text", record.text},
          {"stage", to_string(record.stage)},
          {"step", to_string(record.step)},
          {"unit", record.unit},
          {"unit_name", name_or_empty(names, record.unit)},
          {"round", record.round},
          {"version", record.version},
          {"captured_at", ms(record.captured_at)},
          {"reported_at", ms(record.reported_at)},
          {"updated_at", ms(record.updated_at)},
          {"clock_started_at", ms(record.clock_started_at)},
          {"due_at", ms(record.due_at)},
          {"handled_at", ms(record.handled_at)},
          {"closed_at", ms(record.closed_at)},
          {"on_time", maybe(record.on_time)},
          {"reporter", {{"login", record.reporter.login}, {"name", record.reporter.name}}},
          {"place", fix_json(record.place)},
          {"thumb", thumb ? Json(to_hex(*thumb)) : Json(nullptr)}};
}

Json case_json(const app::CaseView& view, const domain::Policy& policy, const Names& names) {
  std::optional<Sha256> thumb;
  if (!view.media.empty()) thumb = view.media.front().sha256;
  auto result = case_row_json(view.record, policy, names, thumb);
  result["grid_name"] = view.grid_name;
  result["unit_name"] = view.unit_name;
  result["category_name"] = view.category_name;
  result["feedback"] = view.record.feedback;
  result["verifier"] = view.record.verifier;
  result["verify_outcome"] = outcome_json(view.record.verify_outcome);
  result["grid_outline"] = view.grid ? outline_json(view.grid->outline) : Json(nullptr);
  auto& actions = result["actions"] = Json::array();
  for (const auto action : view.actions) actions.push_back(to_string(action));
  auto& media = result["media"] = Json::array();
  for (const auto& entry : view.media) media.push_back(media_json(entry));
  auto& events = result["events"] = Json::array();
  for (const auto& event : view.events) events.push_back(event_json(event, names));
  return result;
}

Json org_json(const app::OrgNode& node) {
  return {{"code", node.code}, {"parent", node.parent},
          {"path", node.path}, {"kind", to_string(node.kind)},
          {"name", node.name}, {"outline", outline_json(node.outline)}};
}

Json device_json(const app::Organisation::DeviceView& view) {
  const auto& [device, quarantine, flagged] = view;
  Json status = nullptr;
  if (device.status) {
    status = {{"waiting_records", device.status->waiting_records},
              {"waiting_bytes", device.status->waiting_bytes},
              {"oldest_age_s", device.status->oldest_age_s},
              {"battery_percent", maybe(device.status->battery_percent)},
              {"version", device.status->version}};
  }
  return {{"id", device.id},
          {"town", device.town},
          {"holder", device.holder},
          {"last_seen", ms(device.last_seen)},
          {"revoked", device.revoked},
          {"status", std::move(status)},
          {"flagged", {{"records", flagged.records}, {"last", ms(flagged.last)}}},
          {"quarantine",
           {{"rows", quarantine.rows},
            {"bytes", quarantine.bytes},
            {"overflow", quarantine.overflow},
            {"overflow_bytes", quarantine.overflow_bytes}}}};
}

Json troubles_json(const app::Organisation::DeviceTroubles& troubles) {
  auto flagged = Json::array();
  for (const auto& record : troubles.flagged) {
    flagged.push_back({{"record", to_string(record.id)},
                       {"seq", record.seq},
                       {"kind", record.kind},
                       {"at", to_unix_ms(record.at)},
                       {"received", to_unix_ms(record.received)},
                       {"reasons", record.flags}});
  }
  auto quarantined = Json::array();
  for (const auto& row : troubles.quarantined) {
    const auto& info = error_info(row.error.code);
    quarantined.push_back({{"record", row.record ? Json(to_string(*row.record)) : Json(nullptr)},
                           {"kind", row.kind},
                           {"received", to_unix_ms(row.received)},
                           {"last", to_unix_ms(row.last)},
                           {"times", row.times},
                           {"code", static_cast<int>(row.error.code)},
                           {"name", info.name},
                           {"title", info.zh},
                           {"field", row.error.field},
                           {"detail", row.error.detail}});
  }
  return {{"flagged", std::move(flagged)}, {"quarantined", std::move(quarantined)}};
}

Json punch_json(const app::PunchRow& punch, const Names& names) {
  return {{"record", to_string(punch.record)},
          {"login", punch.actor},
          {"name", punch.actor_name},
          {"device", punch.device},
          {"act", name_of(kSignActs, punch.act)},
          {"at", ms(punch.at)},
          {"received", ms(punch.received)},
          {"clock",
           {{"source", name_of(kClockSources, punch.clock.source)},
            {"error_ms", punch.clock.error_ms},
            {"offset_ms", punch.clock.offset_ms}}},
          {"fix", fix_json(punch.fix)},
          {"place", to_string(punch.place)},
          {"grid", punch.grid},
          {"grid_name", name_or_empty(names, punch.grid)}};
}

Json member_day_json(const app::MemberDay& day, const Names& names) {
  Json result{{"login", day.login},
              {"name", day.name},
              {"grid", day.grid},
              {"grid_name", day.grid_node ? day.grid_node->name : name_or_empty(names, day.grid)},
              {"grid_outline", day.grid_node ? outline_json(day.grid_node->outline) : Json(nullptr)},
              {"punches", Json::array()},
              {"windows", Json::array()},
              {"track_m", day.track_m},
              {"patrols", Json::array()},
              {"tracks", Json::array()}};
  for (const auto& punch : day.punches) result["punches"].push_back(punch_json(punch, names));
  for (const auto& window : day.windows)
    result["windows"].push_back({{"from", ms(window.from)}, {"to", ms(window.to)}});
  for (const auto& patrol : day.patrols) {
    auto checks = Json::array();
    for (const auto& check : patrol.checks) {
      checks.push_back({{"item", check.item}, {"ok", check.ok}, {"note", check.note}});
    }
    result["patrols"].push_back({{"patrol", to_string(patrol.patrol)},
                                 {"started", ms(patrol.started)},
                                 {"ended", ms(patrol.ended)},
                                 {"text", patrol.text},
                                 {"checks", std::move(checks)}});
  }
  for (const auto& track : day.tracks) {
    auto points = Json::array();
    for (const auto& point : track.points) {
      points.push_back(Json::array({ms(point.at), lat(point.point), lon(point.point),
                                    point.accuracy_cm > 0 ? Json(point.accuracy_cm / 100.0) : Json(nullptr)}));
    }
    result["tracks"].push_back(
        {{"record", to_string(track.record)}, {"patrol", id(track.patrol)}, {"points", std::move(points)}});
  }
  return result;
}

}  // namespace gridward::http
