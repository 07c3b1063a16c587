#include "api_json.hpp"

#include <array>
#include <variant>

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

Json field_json(const domain::FieldValue& value) {
  struct Put {
    Json operator()(const std::string& text) const { return text; }
    Json operator()(bool flag) const { return flag; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(UnixMs at) const { return to_unix_ms(at); }
    Json operator()(const std::vector<std::string>& names) const { return names; }
  };
  return std::visit(Put{}, value);
}
Json fields_json(const domain::FieldMap& fields) {
  auto out = Json::object();
  for (const auto& [field, value] : fields) out[std::string(to_string(field))] = field_json(value);
  return out;
}

std::string clock_title(const domain::Policy& policy, const std::string& clock) {
  const auto found = policy.clock_titles.find(clock);
  return found == policy.clock_titles.end() ? clock : found->second;
}

Json clock_json(const domain::CaseClock& clock, const domain::Policy& policy, UnixMs now) {
  const bool paused = !clock.pauses.empty() && !clock.pauses.back().to && clock.running();
  Json light = nullptr;
  Json per_mille = nullptr;
  if (clock.due) {
    const auto used = domain::clock_progress(domain::calendar_of(policy, clock.unit), clock.rule, clock.started,
                                             *clock.due, clock.pauses, clock.ended.value_or(now));
    per_mille = used;
    light = domain::to_string(domain::light_of(used));
  }
  return {{"name", clock.name},
          {"title", clock_title(policy, clock.name)},
          {"round", clock.round},
          {"unit", clock.unit},
          {"rule", clock.rule.key},
          {"article", clock.rule.article},
          {"started", ms(clock.started)},
          {"due", ms(clock.due)},
          {"provisional", clock.provisional},
          {"paused", paused},
          {"ended", ms(clock.ended)},
          {"kept", maybe(clock.kept)},
          {"overdue", clock.overdue},
          {"light", std::move(light)},
          {"per_mille", std::move(per_mille)}};
}

Json scores_json(const std::vector<domain::ScoreLine>& scores) {
  auto out = Json::array();
  for (const auto& score : scores) {
    out.push_back({{"rule", score.rule},
                   {"article", score.article},
                   {"of_unit", score.of_unit},
                   {"whom", score.whom},
                   {"points", score.points},
                   {"causes", score.causes}});
  }
  return out;
}

std::string step_title(const domain::Policy& policy, const std::string& process, const std::string& step) {
  const auto found = policy.processes.find(process);
  const auto* known = found == policy.processes.end() ? nullptr : found->second.step(step);
  return known == nullptr ? step : known->title;
}

Json event_json(const app::StoredEvent& stored, const std::string& process, const domain::Policy& policy,
                const Names& names) {
  const auto& event = stored.event;
  auto media = Json::array();
  for (const auto& ref : event.media) {
    media.push_back({{"sha256", to_hex(ref.sha256)}, {"role", name_of(kMediaRoles, ref.role)}});
  }
  auto erased = Json::array();
  for (const auto field : domain::kPersonal) {
    if (event.erased[domain::index_of(field)]) erased.push_back(domain::to_string(field));
  }
  auto clocks = Json::array();
  for (const auto& change : event.clocks) {
    clocks.push_back({{"clock", change.clock},
                      {"title", clock_title(policy, change.clock)},
                      {"op", to_string(change.op)},
                      {"at", ms(change.at)},
                      {"unit", change.unit},
                      {"rule", change.rule.key},
                      {"article", change.rule.article},
                      {"due", ms(change.due)},
                      {"provisional", change.provisional},
                      {"kept", maybe(change.kept)}});
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
          {"fields", fields_json(event.fields)},
          {"unit_name", name_or_empty(names, std::string(domain::text_of(event.fields, domain::Field::unit)))},
          {"step", event.step},
          {"step_title", step_title(policy, process, event.step)},
          {"rule", event.rule},
          {"clocks", std::move(clocks)},
          {"scores", scores_json(event.scores)},
          {"media", std::move(media)},
          {"erased", std::move(erased)},
          {"hash", to_hex(stored.hash)}};
}

Json offer_json(const domain::Offer& offer, const std::string& process, const domain::Policy& policy) {
  const auto fields = [](const std::vector<domain::Field>& list) {
    auto out = Json::array();
    for (const auto field : list) out.push_back(to_string(field));
    return out;
  };
  return {{"action", to_string(offer.action)},
          {"to", offer.to},
          {"to_title", offer.to.empty() ? "" : step_title(policy, process, offer.to)},
          {"note", offer.note},
          {"required", fields(offer.required)},
          {"optional", fields(offer.optional)},
          {"reasons", offer.reasons},
          {"article", offer.article},
          {"blocked", offer.blocked}};
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
                   const std::optional<Sha256>& thumb, UnixMs now) {
  const auto category = policy.categories.find(record.category);
  const auto process = policy.processes.find(record.process);
  std::string process_title = record.process;
  std::string stage_title = record.stage;
  if (process != policy.processes.end()) {
    process_title = process->second.title;
    const auto title = process->second.stage_titles.find(record.stage);
    if (title != process->second.stage_titles.end()) stage_title = title->second;
  }
  // Of the clocks that run the one that is due first; of a case without one the last that was stopped.
  const domain::CaseClock* shown = nullptr;
  for (const auto& clock : record.clocks) {
    if (clock.running() && clock.due && (shown == nullptr || *clock.due < *shown->due)) shown = &clock;
  }
  for (auto clock = record.clocks.rbegin(); shown == nullptr && clock != record.clocks.rend(); ++clock) {
    if (clock->running() || clock->kept) shown = &*clock;
  }
  return {{"id", to_string(record.id)},
          {"number", record.number},
          {"process", record.process},
          {"process_title", process_title},
          {"channel", record.channel},
          {"town", record.town},
          {"grid", record.grid},
          {"grid_name", name_or_empty(names, record.grid)},
          {"category", record.category},
          {"category_name", category == policy.categories.end() ? record.category : category->second.name},
          {"text", record.text},
          {"stage", record.stage},
          {"stage_title", stage_title},
          {"step", record.step},
          {"step_title", step_title(policy, record.process, record.step)},
          {"ends", record.ends},
          {"unit", record.unit},
          {"unit_name", name_or_empty(names, record.unit)},
          {"assisting_units", record.assisting_units},
          {"round", record.round},
          {"version", record.version},
          {"captured_at", ms(record.captured_at)},
          {"reported_at", ms(record.reported_at)},
          {"updated_at", ms(record.updated_at)},
          {"closed_at", ms(record.closed_at)},
          {"due_at", ms(record.due_at())},
          {"overdue", record.overdue()},
          {"clock", shown == nullptr ? Json(nullptr) : clock_json(*shown, policy, now)},
          {"reporter", {{"login", record.reporter.login}, {"name", record.reporter.name}}},
          {"place", fix_json(record.place)},
          {"thumb", thumb ? Json(to_hex(*thumb)) : Json(nullptr)}};
}

Json case_json(const app::CaseView& view, const domain::Policy& policy, const Names& names) {
  const auto& record = view.record;
  std::optional<Sha256> thumb;
  if (!view.media.empty()) thumb = view.media.front().sha256;
  auto result = case_row_json(record, policy, names, thumb, view.now);
  result["grid_name"] = view.grid_name;
  result["unit_name"] = view.unit_name;
  result["category_name"] = view.category_name;
  result["holder"] = record.holder;
  result["feedback"] = record.feedback;
  result["verifier"] = record.verifier;
  result["verify_outcome"] = outcome_json(record.verify_outcome);
  result["fields"] = fields_json(record.values);
  result["grid_outline"] = view.grid ? outline_json(view.grid->outline) : Json(nullptr);
  auto& clocks = result["clocks"] = Json::array();
  for (const auto& clock : record.clocks) clocks.push_back(clock_json(clock, policy, view.now));
  auto& requests = result["requests"] = Json::array();
  for (const auto& request : record.requests) {
    requests.push_back({{"what", request.what},
                        {"by", request.by},
                        {"confirmed_by", request.confirmed_by},
                        {"fields", fields_json(request.fields)}});
  }
  result["scores"] = scores_json(record.scores);
  auto& offers = result["offers"] = Json::array();
  for (const auto& offer : view.offers) offers.push_back(offer_json(offer, record.process, policy));
  auto& media = result["media"] = Json::array();
  for (const auto& entry : view.media) media.push_back(media_json(entry));
  auto& events = result["events"] = Json::array();
  for (const auto& event : view.events) events.push_back(event_json(event, record.process, policy, names));
  auto& known = result["names"] = Json::object();
  for (const auto& code : codes_of(view)) {
    if (const auto name = names.find(code); name != names.end()) known[code] = name->second;
  }
  return result;
}

std::set<std::string> codes_of(const app::CaseView& view) {
  std::set<std::string> codes;
  const auto from_fields = [&](const domain::FieldMap& fields) {
    using domain::Field;
    for (const auto field : {Field::unit, Field::suggested_unit, Field::grid, Field::town}) {
      codes.emplace(domain::text_of(fields, field));
    }
    for (const auto& unit : domain::names_of(fields, Field::assisting_units)) codes.insert(unit);
    const auto holder = domain::text_of(fields, Field::holder);
    codes.emplace(holder.substr(holder.rfind('/') + 1));
  };
  const auto& record = view.record;
  codes.insert(record.unit);
  codes.insert(record.assisting_units.begin(), record.assisting_units.end());
  codes.insert(record.past_units.begin(), record.past_units.end());
  for (const auto& clock : record.clocks) codes.insert(clock.unit);
  for (const auto& score : record.scores) {
    if (score.of_unit) codes.insert(score.whom);
  }
  for (const auto& request : record.requests) from_fields(request.fields);
  from_fields(record.values);
  for (const auto& stored : view.events) from_fields(stored.event.fields);
  codes.erase("");
  return codes;
}

Json policy_json(const domain::Policy& policy) {
  auto categories = Json::array();
  for (const auto& [code, category] : policy.categories) {
    categories.push_back({{"code", code}, {"name", category.name}, {"default_unit", category.default_unit}});
  }
  auto codes = Json::object();
  for (const auto& [name, list] : policy.codes) {
    auto& out = codes[name] = Json::array();
    for (const auto& [code, coded] : list) {
      out.push_back({{"code", code}, {"text", coded.text}, {"article", coded.article}});
    }
  }
  auto channels = Json::array();
  for (const auto& [code, channel] : policy.channels) {
    channels.push_back({{"code", code},
                        {"name", channel.name},
                        {"process", channel.process},
                        {"city", channel.city},
                        {"article", channel.article}});
  }
  auto processes = Json::array();
  for (const auto& [id, process] : policy.processes) {
    auto stages = Json::array();
    for (const auto& stage : process.stages) {
      const auto title = process.stage_titles.find(stage);
      stages.push_back({{"name", stage}, {"title", title == process.stage_titles.end() ? stage : title->second}});
    }
    auto steps = Json::array();
    for (const auto& step : process.steps) {
      steps.push_back({{"name", step.name},
                       {"stage", step.stage},
                       {"title", step.title},
                       {"ends", step.ends},
                       {"aside", step.aside}});
    }
    // Who begins one, and what must be said then: the form of a new case.
    auto begins = Json::array();
    for (const auto& move : process.moves) {
      if (!move.from.empty()) continue;
      auto roles = Json::array();
      for (const auto role : move.roles) roles.push_back(to_string(role));
      auto required = Json::array();
      for (const auto field : move.required) required.push_back(to_string(field));
      auto optional = Json::array();
      for (const auto field : move.optional) optional.push_back(to_string(field));
      begins.push_back({{"action", to_string(move.action)},
                        {"roles", std::move(roles)},
                        {"note", move.note},
                        {"required", std::move(required)},
                        {"optional", std::move(optional)}});
    }
    processes.push_back({{"id", id},
                         {"title", process.title},
                         {"article", process.article},
                         {"stages", std::move(stages)},
                         {"steps", std::move(steps)},
                         {"begins", std::move(begins)}});
  }
  constexpr std::array<std::string_view, 8> kTypes{"text", "code", "name", "names", "id", "flag", "number", "time"};
  auto fields = Json::array();
  for (const auto& info : domain::field_table()) {
    const bool listed = info.type == domain::FieldType::code && policy.codes.contains(std::string(info.name));
    fields.push_back({{"name", info.name},
                      {"type", name_of(kTypes, info.type)},
                      {"most", info.most},
                      {"list", listed ? Json(info.name) : Json("")},
                      {"personal", info.personal}});
  }
  auto clocks = Json::object();
  for (const auto& [name, title] : policy.clock_titles) clocks[name] = title;
  return {{"id", policy.id},
          {"name", policy.name},
          {"utc_offset_min", policy.calendar.utc_offset.count()},
          {"categories", std::move(categories)},
          {"codes", std::move(codes)},
          {"channels", std::move(channels)},
          {"processes", std::move(processes)},
          {"fields", std::move(fields)},
          {"clocks", std::move(clocks)}};
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
