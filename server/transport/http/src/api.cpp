#include <algorithm>
#include <array>
#include <cstdio>
#include <gridward/http/api.hpp>
#include <gridward/http/decode.hpp>
#include <set>

#include "api_json.hpp"

namespace gridward::http {
namespace {

using domain::Actor;

constexpr std::string_view kCookie = "gridward_session";

class Api {
 public:
  explicit Api(const ApiParts& parts) : parts_(parts) {}

  Response login(const Request& request) const {
    const auto input = decode_login(request.body);
    if (!input) return problem(input.error());
    const auto place = client_place(request.peer, request.last_header("x-forwarded-for"), parts_.proxy);
    const auto login = parts_.auth.login(input->login, input->password, place);
    if (!login) return problem(login.error());
    const auto names = names_of({login->actor.org});
    if (!names) return problem(names.error());
    auto response = ok(Json{{"actor", actor_json(login->actor, *names)}, {"expires", to_unix_ms(login->expires)}});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(login->expires - parts_.clock.now()).count();
    response.set("Set-Cookie", cookie(login->token, seconds));
    return response;
  }

  Response logout(const Request& request) const {
    if (const auto token = cookie_value(request.header("cookie"), kCookie)) {
      const auto done = parts_.auth.logout(*token);
      if (!done && done.error().code != ErrorCode::not_logged_in) return problem(done.error());
    }
    Response response;
    response.status = 204;
    response.set("Set-Cookie", cookie("", 0));
    return response;
  }

  Response me(const Actor& actor, const Request&) const {
    const auto names = names_of({actor.org});
    if (!names) return problem(names.error());
    return ok({{"actor", actor_json(actor, *names)}, {"policy", policy_json(parts_.policy)}});
  }

  Response cases(const Actor& actor, const Request& request) const {
    app::CaseFilter filter;
    for (const auto& [name, value] : request.query) {
      if (name != "stage") continue;
      if (!known_stage(value)) return problem({ErrorCode::out_of_range, "stage", value.substr(0, 32) + " is no stage"});
      filter.stages.push_back(value);
    }
    filter.process = text(request, "process");
    if (!filter.process.empty() && !parts_.policy.processes.contains(filter.process)) {
      return problem({ErrorCode::out_of_range, "process", filter.process.substr(0, 32) + " is no process"});
    }
    if (const auto overdue = text(request, "overdue"); !overdue.empty()) {
      const auto number = decode_number("overdue", overdue, 0, 1);
      if (!number) return problem(number.error());
      filter.overdue = *number == 1;
    }
    filter.unit = text(request, "unit");
    filter.grid = text(request, "grid");
    filter.text = text(request, "q");
    if (const auto cursor = text(request, "cursor"); !cursor.empty()) filter.cursor = cursor;
    if (const auto limit = text(request, "limit"); !limit.empty()) {
      const auto number = decode_number("limit", limit, 1, 200);
      if (!number) return problem(number.error());
      filter.limit = *number;
    }
    const auto page = parts_.cases.list(actor, std::move(filter));
    if (!page) return problem(page.error());

    std::set<std::string> codes;
    std::vector<Uuid> ids;
    for (const auto& record : page->cases) {
      codes.insert(record.grid);
      codes.insert(record.unit);
      ids.push_back(record.id);
    }
    const auto names = names_of(codes);
    if (!names) return problem(names.error());
    const auto thumbs = parts_.cases.thumbs(ids);
    if (!thumbs) return problem(thumbs.error());
    auto rows = Json::array();
    const auto now = parts_.clock.now();
    for (const auto& record : page->cases) {
      const auto thumb = thumbs->find(record.id);
      rows.push_back(case_row_json(record, parts_.policy, *names,
                                   thumb == thumbs->end() ? std::nullopt : std::optional(thumb->second), now));
    }
    return ok({{"cases", std::move(rows)},
               {"next", page->next ? Json(*page->next) : Json(nullptr)},
               {"total", page->total},
               {"searched_to", page->searched_to ? Json(to_unix_ms(*page->searched_to)) : Json(nullptr)}});
  }

  Response counts(const Actor& actor, const Request&) const {
    auto counts = parts_.cases.counts(actor);
    if (!counts) return problem(counts.error());
    auto result = Json::object();
    for (const auto& [id, process] : parts_.policy.processes) {
      auto& of_process = result[id] = Json::object();
      for (const auto& stage : process.stages) of_process[stage] = (*counts)[id][stage];
    }
    return ok(result);
  }

  Response new_case(const Actor& actor, const Request& request) const {
    auto input = decode_request(request.body);
    if (!input) return problem(input.error());
    return case_response(parts_.cases.register_request(
        actor, {std::move(input->text), std::move(input->address), input->place, std::move(input->fields)}));
  }

  Response one_case(const Actor& actor, const Request& request) const {
    const auto id = case_id(request);
    if (!id) return problem(id.error());
    return case_response(parts_.cases.get(actor, *id));
  }

  Response act(const Actor& actor, const Request& request) const {
    const auto id = case_id(request);
    if (!id) return problem(id.error());
    const auto input = decode_act(request.body);
    if (!input) return problem(input.error());
    const auto action = domain::action_from_string(input->action);
    if (!action) return problem({ErrorCode::out_of_range, "action", input->action + " is no action"});
    app::ActRequest act;
    act.action = *action;
    act.version = input->version;
    act.note = input->note;
    act.fields = input->fields;
    return case_response(parts_.cases.act(actor, *id, act));
  }

  Response org(const Actor& actor, const Request&) const {
    const auto view = parts_.organisation.tree(actor);
    if (!view) return problem(view.error());
    auto nodes = Json::array();
    for (const auto& node : view->nodes) nodes.push_back(org_json(node));
    return ok({{"nodes", std::move(nodes)}});
  }

  Response units(const Actor& actor, const Request&) const {
    const auto units = parts_.organisation.units(actor);
    if (!units) return problem(units.error());
    auto list = Json::array();
    for (const auto& unit : *units) list.push_back({{"code", unit.code}, {"name", unit.name}});
    return ok({{"units", std::move(list)}});
  }

  Response members(const Actor& actor, const Request&) const {
    const auto members = parts_.organisation.members(actor);
    if (!members) return problem(members.error());
    auto list = Json::array();
    for (const auto& user : *members) {
      list.push_back({{"login", user.login}, {"name", user.name}, {"org", user.org}});
    }
    return ok({{"members", std::move(list)}});
  }

  Response devices(const Actor& actor, const Request&) const {
    const auto devices = parts_.organisation.devices(actor);
    if (!devices) return problem(devices.error());
    auto list = Json::array();
    for (const auto& device : *devices) list.push_back(device_json(device));
    return ok({{"devices", std::move(list)}});
  }

  Response device_troubles(const Actor& actor, const Request& request) const {
    const auto troubles = parts_.organisation.device_troubles(actor, std::string(request.path_param("id")));
    if (!troubles) return problem(troubles.error());
    return ok(troubles_json(*troubles));
  }

  Response notice(const Actor& actor, const Request& request) const {
    auto input = decode_notice(request.body);
    if (!input) return problem(input.error());
    const auto id = uuid_from_string(input->id);
    if (!id) return problem({ErrorCode::malformed, "id", "not a UUID"});
    const auto sent = parts_.notices.send(actor, {*id, std::move(input->text), std::move(input->devices), input->all});
    if (!sent) return problem(sent.error());
    return ok({{"id", to_string(*id)}, {"devices", *sent}});
  }

  Response duty(const Actor& actor, const Request& request) const {
    const auto day = day_of(request);
    const auto punches = parts_.duty.punches(actor, day);
    if (!punches) return problem(punches.error());
    std::set<std::string> codes;
    for (const auto& punch : *punches) codes.insert(punch.grid);
    const auto names = names_of(codes);
    if (!names) return problem(names.error());
    auto list = Json::array();
    for (const auto& punch : *punches) list.push_back(punch_json(punch, *names));
    return ok({{"day", day}, {"punches", std::move(list)}});
  }

  Response member_day(const Actor& actor, const Request& request) const {
    const auto day = parts_.duty.member_day(actor, request.path_param("login"), day_of(request));
    if (!day) return problem(day.error());
    std::set<std::string> codes{day->grid};
    for (const auto& punch : day->punches) codes.insert(punch.grid);
    const auto names = names_of(codes);
    if (!names) return problem(names.error());
    return ok(member_day_json(*day, *names));
  }

  Response photo(const Actor& actor, const Request& request) const {
    const auto sha = sha256_from_hex(request.path_param("sha256"));
    if (!sha) return problem({ErrorCode::not_found, "sha256", ""});
    const auto size_name = request.path_param("size");
    auto size = app::PhotoSize::preview;
    if (size_name == "original") {
      size = app::PhotoSize::original;
    } else if (size_name == "thumb") {
      size = app::PhotoSize::thumb;
    } else if (size_name != "preview") {
      return problem({ErrorCode::not_found, "size", "original, preview or thumb"});
    }
    if (size == app::PhotoSize::original && actor.role != domain::Role::town_operator) {
      return problem({ErrorCode::forbidden, "size", "originals are sealed evidence"});
    }
    const auto media = parts_.cases.media(actor, *sha);
    if (!media) return problem(media.error());
    const auto file = File::open(parts_.photos.path(*sha, size));
    if (!file) return problem(file.error());

    const auto etag = "\"" + to_hex(*sha) + "-" + std::string(size_name) + "\"";
    Response response;
    response.set("ETag", etag);
    response.set("Cache-Control", "private, max-age=31536000, immutable");
    if (etag_matches(request.header("if-none-match"), etag)) {
      response.status = 304;
      return response;
    }
    // An original is whatever a handheld sent under this type: it is shown as an image or not at all.
    response.set("Content-Type", size == app::PhotoSize::original ? image_type(media->type) : "image/jpeg");
    response.set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'");
    if (size == app::PhotoSize::original) {
      response.set("Content-Disposition", "attachment; filename=\"" + to_hex(*sha) + "\"");
    }
    response.body = *file;
    return response;
  }

  Response live(const Actor& actor, const Request& request) const {
    const auto token = cookie_value(request.header("cookie"), kCookie).value_or("");
    Response response;
    response.set("Content-Type", "text/event-stream");
    response.set("X-Accel-Buffering", "no");
    response.body = parts_.live.open(actor, [&auth = parts_.auth, token] {
      const auto who = auth.actor(token);
      // A database that is away for a moment does not log anybody out.
      return who.has_value() || who.error().code != ErrorCode::not_logged_in;
    });
    return response;
  }

  Response health(const Request&) const {
    const auto health = parts_.health();
    auto response = ok({{"ok", health.ok()},
                        {"version", parts_.version},
                        {"store", health.store ? "ok" : "failing"},
                        {"queue", health.queue},
                        {"queue_full", !health.room},
                        {"mqtt", health.mqtt},
                        {"photos", health.photos ? "ok" : "failing"}});
    if (!health.ok()) response.status = 503;
    return response;
  }

  Result<Actor> who(const Request& request) const {
    const auto token = cookie_value(request.header("cookie"), kCookie);
    if (!token || token->empty() || token->size() > 256) return fail(ErrorCode::not_logged_in);
    return parts_.auth.actor(*token);
  }

 private:
  static Response ok(const Json& body) { return json_response(200, dump(body)); }

  static std::string text(const Request& request, std::string_view name) {
    return std::string(request.query_value(name).value_or(""));
  }

  static Result<Uuid> case_id(const Request& request) {
    const auto id = uuid_from_string(request.path_param("id"));
    if (!id) return fail(ErrorCode::not_found, "id", "not an id");
    return *id;
  }

  bool known_stage(const std::string& stage) const {
    return std::ranges::any_of(parts_.policy.processes, [&](const auto& process) {
      return std::ranges::find(process.second.stages, stage) != process.second.stages.end();
    });
  }

  static std::string image_type(const std::string& type) {
    for (const auto* known : {"image/jpeg", "image/png", "image/webp"}) {
      if (type == known) return type;
    }
    return "application/octet-stream";
  }

  std::string cookie(const std::string& token, std::int64_t seconds) const {
    return std::string(kCookie) + "=" + token +
           "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(seconds) +
           (parts_.secure_cookie ? "; Secure" : "");
  }

  // The day asked for, or the county's today.
  std::string day_of(const Request& request) const {
    if (const auto day = request.query_value("day")) return std::string(*day);
    const domain::Date today{domain::local_day(parts_.policy.calendar, parts_.clock.now())};
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(today.year()),
                  static_cast<unsigned>(today.month()), static_cast<unsigned>(today.day()));
    return text.data();
  }

  Result<Names> names_of(const std::set<std::string>& codes) const {
    const std::vector<std::string> list(codes.begin(), codes.end());
    return parts_.organisation.names(list);
  }

  Response case_response(const Result<app::CaseView>& view) const {
    if (!view) return problem(view.error());
    const auto names = names_of(codes_of(*view));
    if (!names) return problem(names.error());
    return ok(case_json(*view, parts_.policy, *names));
  }

  const ApiParts parts_;
};

Response no_store(Response response) {
  if (response.header("Cache-Control").empty()) response.set("Cache-Control", "no-store");
  return response;
}

// A page of another site can make a browser post a form with the cookie, but not with this header.
std::optional<Response> foreign(const Request& request) {
  if (request.header("x-gridward") == "1") return std::nullopt;
  return problem({ErrorCode::forbidden, "X-Gridward", "the header X-Gridward: 1 is missing"});
}

}  // namespace

void add_api(Router& router, const ApiParts& parts) {
  const auto api = std::make_shared<const Api>(parts);
  using Open = Response (Api::*)(const Request&) const;
  using Closed = Response (Api::*)(const Actor&, const Request&) const;

  const auto open = [&](Method method, std::string_view pattern, Open handler) {
    router.add(method, pattern, [api, method, handler](const Request& request) {
      if (method != Method::get) {
        if (auto refused = foreign(request)) return std::move(*refused);
      }
      return no_store((*api.*handler)(request));
    });
  };
  const auto closed = [&](Method method, std::string_view pattern, Closed handler) {
    router.add(method, pattern, [api, method, handler](const Request& request) {
      if (method != Method::get) {
        if (auto refused = foreign(request)) return std::move(*refused);
      }
      const auto actor = api->who(request);
      if (!actor) return problem(actor.error());
      return no_store((*api.*handler)(*actor, request));
    });
  };

  open(Method::post, "/api/login", &Api::login);
  open(Method::post, "/api/logout", &Api::logout);
  open(Method::get, "/api/health", &Api::health);
  closed(Method::get, "/api/me", &Api::me);
  closed(Method::get, "/api/cases", &Api::cases);
  closed(Method::post, "/api/cases", &Api::new_case);
  closed(Method::get, "/api/cases/counts", &Api::counts);
  closed(Method::get, "/api/cases/{id}", &Api::one_case);
  closed(Method::post, "/api/cases/{id}/actions", &Api::act);
  closed(Method::get, "/api/org", &Api::org);
  closed(Method::get, "/api/units", &Api::units);
  closed(Method::get, "/api/members", &Api::members);
  closed(Method::get, "/api/devices", &Api::devices);
  closed(Method::get, "/api/devices/{id}/troubles", &Api::device_troubles);
  closed(Method::post, "/api/devices/notices", &Api::notice);
  closed(Method::get, "/api/duty", &Api::duty);
  closed(Method::get, "/api/duty/{login}", &Api::member_day);
  closed(Method::get, "/api/photos/{sha256}/{size}", &Api::photo);
  closed(Method::get, "/api/live", &Api::live);
}

}  // namespace gridward::http
