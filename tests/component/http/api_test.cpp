// docs/api.md over a socket, on the real use cases and SQLite.
#include <gtest/gtest.h>

#include <gridward/http/api.hpp>
#include <gridward/http/server.hpp>
#include <gridward/test/postgres.hpp>
#include <gridward/test/server_world.hpp>
#include <nlohmann/json.hpp>

#include "raw_client.hpp"

namespace gridward::http {
namespace {

using namespace std::chrono_literals;
using namespace test;
using nlohmann::json;

class ApiTest : public ::testing::Test {
 protected:
  explicit ApiTest(const WorldOptions& options = {}) : world(options) {
    add_api(router, {auth, cases, organisation, duty, notices, *world.photos, world.clock, world.policy, hub,
                     [this] { return health; }, "1.2.3", false, proxy});
    port = server.start().value();
  }
  ~ApiTest() override { server.stop(1s); }

  app::Services services() {
    return {*world.store, world.clock, world.crypto, hub, world.devices, *world.photos, world.policy};
  }

  struct Session {
    std::string cookie;
  };
  RawClient::Answer ask(const std::string& head, const Session& session = {}, const std::string& body = "",
                        const std::string& more = "X-Gridward: 1\r\n") {
    RawClient client(port);
    client.send(head + " HTTP/1.1\r\nHost: x\r\n" + more +
                (session.cookie.empty() ? "" : "Cookie: gridward_session=" + session.cookie + "\r\n") +
                (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body);
    return client.read_answer();
  }
  json get(const std::string& path, const Session& session, int status = 200) {
    const auto answer = ask("GET " + path, session);
    EXPECT_EQ(answer.status, status) << path << " " << answer.body;
    return json::parse(answer.body);
  }
  Session login(const std::string& who) {
    const auto answer = ask("POST /api/login", {}, json{{"login", who}, {"password", kPassword}}.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto cookie = answer.header("Set-Cookie");
    const auto begin = cookie.find('=') + 1;
    return {cookie.substr(begin, cookie.find(';') - begin)};
  }
  json act(const Session& session, const std::string& id, json body, int status = 200) {
    if (!body.contains("version")) body["version"] = get("/api/cases/" + id, operator_)["version"];
    const auto answer = ask("POST /api/cases/" + id + "/actions", session, body.dump());
    EXPECT_EQ(answer.status, status) << body << answer.body;
    return json::parse(answer.body);
  }
  // What may be done now.
  static std::vector<std::string> actions(const json& view) {
    std::vector<std::string> out;
    for (const auto& offer : view["offers"]) {
      if (offer["blocked"] == "") out.push_back(offer["action"]);
    }
    return out;
  }
  std::string report(const std::string& text) {
    auto record = hh.report(text);
    record.media.push_back({photo, photo_bytes.size(), "image/jpeg", MediaRole::scene});
    EXPECT_EQ(hh.receipt({record}).ok.size(), 1U);
    return to_string(record.id);
  }

  ServerWorld world;
  Handheld hh{world, "hh-1", "m1"};
  const std::string photo_bytes = "not a real photograph, but bytes are bytes here";
  const Sha256 photo = platform::sha256(as_bytes(photo_bytes));
  LiveHub hub;
  app::Auth auth{services()};
  app::Cases cases{services()};
  app::Organisation organisation{services()};
  app::Duty duty{services()};
  app::Notices notices{services()};
  Health health{true, 7, true, "connected", true};
  std::string proxy = "127.0.0.1";
  Router router;
  Server server{{}, [this](Request& request) { return router.handle(request); }};
  std::uint16_t port = 0;
  Session operator_;
};

TEST_F(ApiTest, LoginGivesACookieThatLogoutTakesBack) {
  const auto refused = ask("POST /api/login", {}, R"({"login":"op","password":"wrong"})");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(json::parse(refused.body)["name"], "bad_credentials");
  EXPECT_EQ(refused.header("Set-Cookie"), "");

  const auto answer = ask("POST /api/login", {}, json{{"login", "op"}, {"password", kPassword}}.dump());
  ASSERT_EQ(answer.status, 200);
  const auto cookie = answer.header("Set-Cookie");
  EXPECT_TRUE(cookie.starts_with("gridward_session="));
  EXPECT_NE(cookie.find("; HttpOnly"), std::string::npos);
  EXPECT_NE(cookie.find("; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(cookie.find("Secure"), std::string::npos);
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  const auto body = json::parse(answer.body);
  EXPECT_EQ(body["actor"], (json{{"login", "op"},
                                 {"name", "丁"},
                                 {"role", "town_operator"},
                                 {"org", kTown},
                                 {"org_path", "120116/" + kTown},
                                 {"org_name", "东镇"}}));
  EXPECT_GT(body["expires"], to_unix_ms(world.clock.now()));

  const Session session{cookie.substr(17, cookie.find(';') - 17)};
  const auto me = get("/api/me", session);
  EXPECT_EQ(me["actor"]["login"], "op");
  const auto& policy = me["policy"];
  EXPECT_EQ(policy["id"], "binhai");
  EXPECT_EQ(policy["utc_offset_min"], 480);
  EXPECT_EQ(policy["categories"], json::array({{{"code", "0101"}, {"name", "路面破损"}, {"default_unit", ""}}}));
  EXPECT_EQ(policy["codes"]["reject_reasons"][0]["code"], "emergency_number");
  EXPECT_EQ(
      policy["channels"][1],
      (json{{"code", "hotline"}, {"name", "热线"}, {"process", "work_order"}, {"city", true}, {"article", "A5"}}));
  EXPECT_EQ(policy["clocks"]["handle"], "办结");
  ASSERT_EQ(policy["processes"].size(), 2U);
  const auto& process = policy["processes"][0];
  EXPECT_EQ(process["id"], "case");
  EXPECT_EQ(process["stages"][0], (json{{"name", "reported"}, {"title", "上报"}}));
  EXPECT_EQ(
      process["steps"][0],
      (json{
          {"name", "awaiting_review"}, {"stage", "reported"}, {"title", "待受理"}, {"ends", false}, {"aside", false}}));
  EXPECT_EQ(process["begins"][0]["action"], "report");
  EXPECT_EQ(process["begins"][0]["required"], (json{"town", "category", "channel"}));
  ASSERT_EQ(policy["fields"].size(), domain::kFields);
  for (const auto& field : policy["fields"]) {
    if (field["name"] == "unit") {
      EXPECT_EQ(field, (json{{"name", "unit"}, {"type", "name"}, {"most", 64}, {"list", ""}, {"personal", false}}));
    }
  }
  EXPECT_EQ(ask("POST /api/logout", session).status, 204);
  get("/api/me", session, 401);
}

TEST_F(ApiTest, NothingIsGivenWithoutALogin) {
  for (const char* path : {"/api/me", "/api/cases", "/api/cases/counts", "/api/org", "/api/units", "/api/members",
                           "/api/devices", "/api/devices/hh-1/troubles", "/api/duty", "/api/duty/m1", "/api/live",
                           "/api/cases/018f0000-0000-7000-8000-000000000000"}) {
    get(path, {}, 401);
    get(path, {"made-up"}, 401);
    get(path, {std::string(5000, 'a')}, 401);
  }
  EXPECT_EQ(ask("GET /api/photos/" + to_hex(photo) + "/thumb").status, 401);
}

TEST_F(ApiTest, AFormOfAnotherSiteCannotWrite) {
  operator_ = login("op");
  const auto body = json{{"login", "op"}, {"password", kPassword}}.dump();
  EXPECT_EQ(ask("POST /api/login", {}, body, "").status, 403);
  EXPECT_EQ(ask("POST /api/login", {}, body, "X-Gridward: 0\r\n").status, 403);
  EXPECT_EQ(ask("POST /api/logout", operator_, "", "").status, 403);
  EXPECT_EQ(ask("POST /api/cases/x/actions", operator_, "{}", "").status, 403);
  get("/api/me", operator_);
}

TEST_F(ApiTest, GuessingIsSlowedDown) {
  int last = 0;
  for (int i = 0; i < 7; ++i) last = ask("POST /api/login", {}, R"({"login":"op","password":"guess"})").status;
  EXPECT_EQ(last, 429);
}

TEST_F(ApiTest, ACaseFromReportToAssessment) {
  operator_ = login("op");
  const auto unit = login("u1");
  const auto id = report("路面有坑");

  const auto list = get("/api/cases?stage=reported&q=%E6%9C%89%E5%9D%91", operator_);
  ASSERT_EQ(list["cases"].size(), 1U);
  EXPECT_EQ(list["total"], 1);
  EXPECT_EQ(list["next"], nullptr);
  const auto& row = list["cases"][0];
  EXPECT_EQ(row["id"], id);
  EXPECT_EQ(row["grid"], "G1");
  EXPECT_EQ(row["grid_name"], "一村第一网格");
  EXPECT_EQ(row["category_name"], "路面破损");
  EXPECT_EQ(row["stage"], "reported");
  EXPECT_EQ(row["step"], "awaiting_review");
  EXPECT_EQ(row["reporter"], (json{{"login", "m1"}, {"name", "甲"}}));
  EXPECT_EQ(row["thumb"], to_hex(photo));
  EXPECT_EQ(row["due_at"], nullptr);
  EXPECT_DOUBLE_EQ(row["place"]["lat"], 39.205);
  EXPECT_DOUBLE_EQ(row["place"]["acc"], 5.0);
  EXPECT_EQ(row["place"]["source"], "gnss");
  EXPECT_EQ(get("/api/cases?stage=closed&stage=verified", operator_)["cases"].size(), 0U);
  EXPECT_EQ(get("/api/cases/counts", operator_)["case"]["reported"], 1);
  EXPECT_EQ(get("/api/cases/counts", operator_)["work_order"]["reported"], 0);
  EXPECT_EQ(row["process"], "case");
  EXPECT_EQ(row["step_title"], "待受理");
  EXPECT_EQ(row["stage_title"], "上报");
  EXPECT_EQ(row["overdue"], false);
  EXPECT_EQ(row["clock"], nullptr);
  EXPECT_EQ(row["channel"], "grid_member");

  auto view = get("/api/cases/" + id, operator_);
  EXPECT_EQ(actions(view), (std::vector<std::string>{"accept", "reject", "escalate", "assign_down", "duplicate"}));
  EXPECT_EQ(view["offers"][0], (json{{"action", "accept"},
                                     {"to", "awaiting_transfer"},
                                     {"to_title", "待转办"},
                                     {"note", false},
                                     {"required", json::array()},
                                     {"optional", json::array()},
                                     {"reasons", ""},
                                     {"article", "A1"},
                                     {"blocked", ""}}));
  EXPECT_EQ(view["offers"][1]["required"], (json{"reason"}));
  EXPECT_EQ(view["offers"][1]["reasons"], "reject_reasons");
  EXPECT_EQ(view["offers"][1]["note"], true);
  EXPECT_EQ(view["events"][0]["fields"]["category"], "0101");
  EXPECT_EQ(view["fields"]["town"], kTown);
  EXPECT_EQ(view["media"][0]["sha256"], to_hex(photo));
  EXPECT_EQ(view["media"][0]["status"], "expected");
  EXPECT_EQ(view["grid_outline"]["type"], "Polygon");
  EXPECT_EQ(view["grid_outline"]["coordinates"][0].size(), 5U);
  EXPECT_EQ(view["grid_outline"]["coordinates"][0][0], view["grid_outline"]["coordinates"][0][4]);
  EXPECT_EQ(view["events"][0]["type"], "report");
  EXPECT_EQ(view["events"][0]["actor"]["role"], "grid_member");
  EXPECT_EQ(view["events"][0]["hash"].get<std::string>().size(), 64U);

  EXPECT_EQ(get("/api/cases/" + id, unit, 403)["name"], "forbidden");
  act(operator_, id, {{"action", "accept"}});
  act(operator_, id,
      {{"action", "transfer"}, {"fields", {{"unit", "U1"}, {"assisting_units", {"U2"}}}}, {"note", "请处理"}});
  view = get("/api/cases/" + id, unit);
  EXPECT_EQ(view["unit_name"], "东镇建设办");
  EXPECT_EQ(view["events"][2]["unit_name"], "东镇建设办");
  EXPECT_EQ(view["events"][2]["fields"], (json{{"unit", "U1"}, {"assisting_units", {"U2"}}}));
  EXPECT_EQ(view["events"][2]["clocks"][0]["op"], "start");
  EXPECT_EQ(view["names"],
            (json{{"120116115", "东镇"}, {"G1", "一村第一网格"}, {"U1", "东镇建设办"}, {"U2", "区城管委"}}));
  ASSERT_EQ(view["clocks"].size(), 2U);
  const auto& clock = view["clocks"][0];
  EXPECT_EQ(clock["name"], "handle");
  EXPECT_EQ(clock["title"], "办结");
  EXPECT_EQ(clock["rule"], "limits.general");
  EXPECT_NE(clock["article"].get<std::string>().find("第二十五条"), std::string::npos);
  EXPECT_EQ(clock["light"], "green");
  EXPECT_EQ(clock["per_mille"], 0);
  EXPECT_EQ(clock["paused"], false);
  EXPECT_GT(clock["due"], clock["started"]);
  EXPECT_EQ(view["due_at"], view["clocks"][1]["due"]) << "the earliest";
  EXPECT_EQ(get("/api/cases", login("u2"))["cases"][0]["id"], id) << "assists";
  // Asked for, and waits: another desk may grant it.
  view = act(unit, id,
             {{"action", "request_return"},
              {"fields", {{"reason", "not_ours"}, {"legal_basis", "三定方案"}, {"suggested_unit", "U2"}}}});
  EXPECT_EQ(view["step"], "return_asked");
  EXPECT_EQ(view["requests"][0]["what"], "return");
  EXPECT_EQ(view["requests"][0]["fields"]["suggested_unit"], "U2");
  EXPECT_EQ(view["clocks"][0]["paused"], true);
  EXPECT_EQ(view["clocks"][0]["due"], nullptr);
  view = get("/api/cases/" + id, operator_);
  bool told = false;
  for (const auto& offer : view["offers"]) told = told || (offer["action"] == "grant_return" && offer["blocked"] != "");
  EXPECT_TRUE(told) << "granting waits for a second person, and says so: " << view["offers"];
  EXPECT_EQ(act(operator_, id, {{"action", "grant_return"}}, 409)["name"], "illegal_transition");
  act(operator_, id, {{"action", "refuse_return"}, {"note", "属于贵单位职责"}});
  act(unit, id, {{"action", "take"}});
  act(unit, id, {{"action", "handle"}, {"note", "已修补"}});
  act(login("u2"), id, {{"action", "assist"}, {"note", "已配合"}});
  act(unit, id, {{"action", "feedback"}, {"note", "已修补，现场已清理"}});
  view = act(operator_, id, {{"action", "request_verify"}, {"fields", {{"assignee", "m2"}}}});
  EXPECT_EQ(view["step"], "verifying");
  EXPECT_EQ(view["verifier"], "m2");

  // The check comes back by the handheld, not by a page.
  EXPECT_EQ(act(operator_, id, {{"action", "verify"}}, 403)["name"], "forbidden");
  Handheld checker{world, "hh-2", "m2"};
  const auto task = world.read([&](app::Tx& tx) { return tx.find_case(*uuid_from_string(id)); })->verify_task;
  EXPECT_EQ(checker.receipt({checker.record(TaskResultBody{task, TaskOutcome::confirmed, "已平整"})}).ok.size(), 1U);
  EXPECT_EQ(get("/api/cases/" + id, operator_)["verify_outcome"], "confirmed");
  view = act(operator_, id, {{"action", "close"}});
  EXPECT_EQ(view["stage"], "assessed");
  EXPECT_EQ(view["fields"]["on_time"], true);
  EXPECT_EQ(view["clocks"][0]["kept"], true);
  EXPECT_EQ(view["scores"], json::array());
  EXPECT_EQ(get("/api/cases/counts", operator_)["case"]["assessed"], 1);
  EXPECT_EQ(get("/api/cases/counts", login("u2"))["case"]["assessed"], 1);
}

TEST_F(ApiTest, ARequestOfAChannelBecomesACaseOnce) {
  operator_ = login("op");
  const auto hotline = login("hotline");
  const auto put = [&](const Session& session, const json& body, int status = 200) {
    const auto answer = ask("POST /api/cases", session, body.dump());
    EXPECT_EQ(answer.status, status) << body << answer.body;
    return json::parse(answer.body);
  };
  const json body{
      {"text", "楼道堆物"},
      {"address", "东镇一村3号楼"},
      {"place", {{"lat", 39.205}, {"lon", 117.805}}},
      {"fields", {{"category", "0101"}, {"channel_reference", "12345-20260312-7"}, {"petitioner", "王女士"}}}};
  const auto made = put(hotline, body);
  EXPECT_EQ(made["process"], "work_order");
  EXPECT_EQ(made["channel"], "hotline");
  EXPECT_EQ(made["grid"], "G1");
  EXPECT_EQ(made["town"], kTown);
  EXPECT_EQ(made["text"], "楼道堆物\n地址：东镇一村3号楼");
  EXPECT_EQ(made["place"]["source"], "manual");
  EXPECT_EQ(put(hotline, body)["id"], made["id"]);
  EXPECT_EQ(get("/api/cases?process=work_order", operator_)["total"], 1);
  EXPECT_EQ(get("/api/cases?process=case", operator_)["total"], 0);

  EXPECT_EQ(put(hotline, {{"text", "x"}, {"fields", {{"channel", "visit"}, {"category", "0101"}}}}, 422)["field"],
            "fields.channel");
  EXPECT_EQ(put(operator_, {{"text", "x"}, {"fields", {{"category", "0101"}}}}, 422)["field"], "fields.channel");
  EXPECT_EQ(put(operator_, {{"text", "x"}, {"mood", 1}}, 422)["field"], "mood");
  EXPECT_EQ(put(operator_, {{"text", "x"}, {"place", {{"lat", 91}, {"lon", 0}}}}, 422)["field"], "place.lat");
  EXPECT_EQ(put(operator_, {{"text", "x"}, {"place", {{"lat", 1}}}}, 422)["field"], "place.lon");
  EXPECT_EQ(put(login("u1"), body, 403)["name"], "forbidden");
  EXPECT_EQ(put(login("m1"), body, 403)["name"], "forbidden");
  EXPECT_EQ(ask("POST /api/cases", operator_, body.dump(), "").status, 403) << "without the header";
}

TEST_F(ApiTest, WhatIsOverdueIsListedAndColoured) {
  operator_ = login("op");
  const auto id = report("逾期");
  act(operator_, id, {{"action", "accept"}});
  act(operator_, id, {{"action", "transfer"}, {"fields", {{"unit", "U1"}}}});
  EXPECT_EQ(get("/api/cases?overdue=1", operator_)["total"], 0);
  world.clock.advance(20 * 24h);
  app::DeadlineJobs(services()).run_once();
  operator_ = login("op");
  const auto list = get("/api/cases?overdue=1", operator_);
  ASSERT_EQ(list["total"], 1);
  EXPECT_EQ(list["cases"][0]["id"], id);
  EXPECT_EQ(list["cases"][0]["overdue"], true);
  EXPECT_EQ(list["cases"][0]["clock"]["light"], "red");
  EXPECT_GT(list["cases"][0]["clock"]["per_mille"], 1000);
}

TEST_F(ApiTest, WhatCannotBeDoneSaysWhy) {
  operator_ = login("op");
  const auto id = report("井盖");
  EXPECT_EQ(act(operator_, id, {{"action", "close"}}, 409)["name"], "illegal_transition");
  EXPECT_EQ(act(operator_, id, {{"action", "accept"}, {"version", 99}}, 409)["name"], "version_conflict");
  EXPECT_EQ(act(operator_, id, {{"action", "fly"}}, 422)["field"], "action");
  EXPECT_EQ(act(operator_, id, {{"action", "reject"}, {"fields", {{"reason", "mood"}}}, {"note", "x"}}, 422)["field"],
            "fields.reason");
  EXPECT_EQ(act(login("boss"), id, {{"action", "accept"}}, 403)["name"], "forbidden");
  EXPECT_EQ(act(login("op2"), id, {{"action", "accept"}}, 403)["name"], "forbidden");
  const auto with = [&](json fields) { return json{{"action", "accept"}, {"fields", std::move(fields)}}; };
  EXPECT_EQ(act(operator_, id, with({{"mood", "x"}}), 422)["field"], "fields.mood");
  EXPECT_EQ(act(operator_, id, with({{"unit", 7}}), 422)["field"], "fields.unit");
  EXPECT_EQ(act(operator_, id, with({{"assisting_units", {"U1", 2}}}), 422)["field"], "fields.assisting_units[1]");
  EXPECT_EQ(act(operator_, id, with({{"petitioner", std::string(65, 'x')}}), 422)["field"], "fields.petitioner");
  EXPECT_EQ(act(operator_, id, with({{"talked_at", "now"}}), 422)["field"], "fields.talked_at");
  EXPECT_EQ(act(operator_, id, with(json::array()), 422)["field"], "fields");
  EXPECT_EQ(ask("POST /api/cases/" + id + "/actions", operator_, "{").status, 400);
  EXPECT_EQ(ask("PUT /api/cases/" + id, operator_).status, 405);
  get("/api/cases/018f0000-0000-7000-8000-000000000000", operator_, 404);
  get("/api/cases/not-an-id", operator_, 404);
  EXPECT_EQ(get("/api/cases?stage=flying", operator_, 422)["field"], "stage");
  EXPECT_EQ(get("/api/cases?process=flying", operator_, 422)["field"], "process");
  EXPECT_EQ(get("/api/cases?overdue=2", operator_, 422)["field"], "overdue");
  EXPECT_EQ(get("/api/cases?limit=0", operator_, 422)["field"], "limit");
  EXPECT_EQ(get("/api/cases?limit=201", operator_, 422)["field"], "limit");
  EXPECT_EQ(get("/api/duty?day=2026-13-01", operator_, 422)["field"], "day");
}

TEST_F(ApiTest, PagesOfCasesFollowTheCursor) {
  operator_ = login("op");
  std::set<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    world.clock.advance(1s);
    expected.insert(report("第" + std::to_string(i) + "件"));
  }
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = get("/api/cases?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor), operator_);
    EXPECT_EQ(page["total"], 7);
    for (const auto& row : page["cases"]) EXPECT_TRUE(seen.insert(row["id"]).second);
    cursor = page["next"].is_null() ? "" : page["next"].get<std::string>();
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(pages, 3);
}

TEST_F(ApiTest, PhotosAreForThoseWhoSeeACaseWithThem) {
  operator_ = login("op");
  report("照片");
  const auto base = "/api/photos/" + to_hex(photo);
  EXPECT_EQ(ask("GET " + base + "/original", operator_).status, 404);  // on its way
  EXPECT_FALSE(hh.send_piece({photo, photo_bytes.size(), 0, Bytes(photo_bytes.begin(), photo_bytes.end())}).empty());

  const auto original = ask("GET " + base + "/original", operator_);
  EXPECT_EQ(original.status, 200);
  EXPECT_EQ(original.body, photo_bytes);
  EXPECT_EQ(original.header("Content-Type"), "image/jpeg");
  EXPECT_EQ(original.header("Cache-Control"), "private, max-age=31536000, immutable");
  EXPECT_NE(original.header("Content-Disposition").find("attachment"), std::string::npos);
  EXPECT_NE(original.header("Content-Security-Policy").find("sandbox"), std::string::npos);
  const auto again =
      ask("GET " + base + "/original", operator_, "", "If-None-Match: " + original.header("ETag") + "\r\n");
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");

  EXPECT_EQ(ask("GET " + base + "/thumb", operator_).status, 404);  // not made yet
  EXPECT_EQ(ask("GET " + base + "/large", operator_).status, 404);
  EXPECT_EQ(ask("GET /api/photos/..%2f..%2fetc/thumb", operator_).status, 400);
  EXPECT_EQ(ask("GET /api/photos/" + std::string(64, '0') + "/thumb", operator_).status, 404);
  EXPECT_EQ(ask("GET " + base + "/original", login("boss")).status, 403);
  EXPECT_EQ(ask("GET " + base + "/original", login("op2")).status, 404);
  EXPECT_EQ(ask("GET " + base + "/preview", login("u1")).status, 404);
}

TEST_F(ApiTest, TheTreeEndsAtTheOwnNode) {
  operator_ = login("op");
  std::set<std::string> codes;
  const auto tree = get("/api/org", operator_);
  for (const auto& node : tree["nodes"]) codes.insert(node["code"]);
  EXPECT_EQ(codes, (std::set<std::string>{kTown, "V1", "G1", "G2", "U1"}));
  for (const auto& node : tree["nodes"]) EXPECT_EQ(node["outline"].is_null(), node["kind"] != "grid") << node;
  codes.clear();
  const auto units = get("/api/units", operator_);
  for (const auto& unit : units["units"]) codes.insert(unit["code"]);
  EXPECT_TRUE(codes.contains("U1"));
  EXPECT_EQ(get("/api/members", operator_)["members"],
            json::parse(R"([{"login":"m1","name":"甲","org":"G1"},{"login":"m2","name":"乙","org":"G2"}])"));
  const auto devices = get("/api/devices", operator_)["devices"];
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0]["id"], "hh-1");
  EXPECT_EQ(devices[0]["revoked"], false);
  for (const char* path : {"/api/devices", "/api/duty"}) get(path, login("u1"), 403);
  for (const char* path : {"/api/units", "/api/members", "/api/devices", "/api/duty"}) get(path, login("m1"), 403);
  EXPECT_EQ(get("/api/members", login("u1"))["members"],
            json::parse(R"([{"login":"chief1","name":"丑","org":"U1"},{"login":"u1","name":"己","org":"U1"}])"))
      << "a unit names its own people";
}

TEST_F(ApiTest, ADayOfDuty) {
  operator_ = login("op");
  auto in = hh.record(SignBody{SignAct::in});
  in.fix = hh.fix(geo_point(39.205, 117.805));
  const auto start = world.clock.now();
  TrackBody track;
  for (int i = 0; i < 3; ++i) {
    track.points.push_back(
        {start + std::chrono::minutes(i), geo_point(39.205 + 0.0001 * i, 117.805), i == 0 ? 0U : 450U});
  }
  PatrolBody patrol;
  patrol.patrol = hh.fresh_id();
  track.patrol = patrol.patrol;
  const auto began = hh.record(patrol);
  const auto walked = hh.record(track);
  world.clock.advance(10min);
  patrol.act = PatrolAct::stop;
  patrol.text = "一切正常";
  patrol.checks = {{"消防通道", false, "有杂物"}};
  const auto ended = hh.record(patrol);
  auto out = hh.record(SignBody{SignAct::out});
  ASSERT_EQ(hh.receipt({in, began, walked, ended, out}).ok.size(), 5U);

  const auto day = get("/api/duty", operator_);  // today, by the county's clock
  EXPECT_EQ(day["day"], "2026-03-12");
  ASSERT_EQ(day["punches"].size(), 2U);
  EXPECT_EQ(day["punches"][0]["act"], "in");
  EXPECT_EQ(day["punches"][0]["place"], "inside");
  EXPECT_EQ(day["punches"][0]["name"], "甲");
  EXPECT_EQ(day["punches"][0]["grid_name"], "一村第一网格");
  EXPECT_EQ(day["punches"][0]["clock"], (json{{"source", "gnss"}, {"error_ms", 10}, {"offset_ms", 0}}));
  EXPECT_EQ(day["punches"][1]["place"], "unknown");
  EXPECT_EQ(day["punches"][1]["fix"], nullptr);
  EXPECT_EQ(get("/api/duty?day=2026-03-11", operator_)["punches"].size(), 0U);

  const auto member = get("/api/duty/m1?day=2026-03-12", operator_);
  EXPECT_EQ(member["grid_name"], "一村第一网格");
  EXPECT_EQ(member["windows"].size(), 1U);
  ASSERT_EQ(member["tracks"].size(), 1U);
  EXPECT_EQ(member["tracks"][0]["patrol"], to_string(patrol.patrol));
  EXPECT_EQ(member["tracks"][0]["points"][0], (json{to_unix_ms(start), 39.205, 117.805, nullptr}));
  EXPECT_EQ(member["tracks"][0]["points"][1][3], 4.5);
  EXPECT_NEAR(member["track_m"], 22.2, 0.5);
  EXPECT_EQ(member["patrols"][0]["text"], "一切正常");
  EXPECT_EQ(member["patrols"][0]["checks"][0], (json{{"item", "消防通道"}, {"ok", false}, {"note", "有杂物"}}));
}

TEST_F(ApiTest, OpenPagesHearOfAnAct) {
  operator_ = login("op");
  const auto id = report("直播");
  const auto listen = [&](RawClient& page, const Session& session) {
    page.send("GET /api/live HTTP/1.1\r\nHost: x\r\nCookie: gridward_session=" + session.cookie + "\r\n\r\n");
    return page.read_until("retry: 2000\n\n");
  };
  RawClient own(port);
  RawClient other(port);
  ASSERT_NE(listen(own, operator_).find("text/event-stream"), std::string::npos);
  ASSERT_NE(listen(other, login("op2")), "");
  act(operator_, id, {{"action", "accept"}});
  const auto heard = own.read_until("\n\n");
  EXPECT_NE(heard.find("event: change"), std::string::npos);
  EXPECT_NE(heard.find("\"kind\":\"case\",\"id\":\"" + id + "\",\"version\":2"), std::string::npos) << heard;
  EXPECT_EQ(other.read_until("event:", 200ms), "");
}

TEST_F(ApiTest, HealthIsForEverybody) {
  EXPECT_EQ(get("/api/health", {}), (json{{"ok", true},
                                          {"version", "1.2.3"},
                                          {"store", "ok"},
                                          {"queue", 7},
                                          {"queue_full", false},
                                          {"mqtt", "connected"},
                                          {"photos", "ok"}}));
  get("/api/nothing", {}, 404);
}

TEST_F(ApiTest, HealthTellsWhatFails) {
  health.mqtt = "off";
  EXPECT_EQ(get("/api/health", {})["ok"], true) << "wanted so";
  health.mqtt = "connecting";
  EXPECT_EQ(get("/api/health", {}, 503)["ok"], false);
  health = {false, 0, true, "connected", true};
  EXPECT_EQ(get("/api/health", {}, 503)["store"], "failing");
  health = {true, 9, false, "connected", true};
  EXPECT_EQ(get("/api/health", {}, 503)["queue_full"], true);
  health = {true, 9, true, "connected", false};
  EXPECT_EQ(get("/api/health", {}, 503)["photos"], "failing");
}

TEST_F(ApiTest, AttemptsAreCountedWhereTheyComeFrom) {
  const auto attempt = [&](const std::string& from, const std::string& password) {
    return ask("POST /api/login", {}, json{{"login", "op"}, {"password", password}}.dump(),
               "X-Gridward: 1\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.7, " + from + "\r\n")
        .status;
  };
  EXPECT_EQ(attempt("203.0.113.7", kPassword), 200);
  // A stranger behind the proxy may write into the header whatever he likes: the last word is the proxy's.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(attempt("198.51.100.9", "guess"), 401);
  EXPECT_EQ(attempt("198.51.100.9", kPassword), 429);
  EXPECT_EQ(attempt("203.0.113.7", kPassword), 200);
}

TEST_F(ApiTest, ADevicesQuarantineIsSeen) {
  operator_ = login("op");
  auto bad = hh.report("x");
  std::get<ReportBody>(bad.body).category = "9999";
  EXPECT_EQ(hh.receipt({bad}).bad.size(), 1U);
  const auto devices = get("/api/devices", operator_)["devices"];
  EXPECT_EQ(devices[0]["quarantine"]["rows"], 1);
  EXPECT_GT(devices[0]["quarantine"]["bytes"], 0);
  EXPECT_EQ(devices[0]["quarantine"]["overflow"], 0);
  EXPECT_EQ(devices[1]["quarantine"], (json{{"rows", 0}, {"bytes", 0}, {"overflow", 0}, {"overflow_bytes", 0}}));
}

TEST_F(ApiTest, AWrongOrMissingSignatureIsSeenAtItsDevice) {
  operator_ = login("op");
  EXPECT_EQ(get("/api/devices", operator_)["devices"][0]["flagged"], (json{{"records", 0}, {"last", nullptr}}));
  const auto unsigned_one = hh.report("没有签名");
  EXPECT_EQ(Handheld::receipt_of(hh.send(hh.message({unsigned_one}, false))).ok.size(), 1U);
  world.clock.advance(5s);
  const auto forged = hh.report("签名不对");
  auto up = hh.message({forged});
  up.signature->at(9) ^= 1;
  EXPECT_EQ(Handheld::receipt_of(hh.send(up)).ok.size(), 1U);
  EXPECT_TRUE(app::SignatureJobs(services()).run_once());
  auto bad = hh.report("x");
  std::get<ReportBody>(bad.body).category = "9999";
  EXPECT_EQ(hh.receipt({bad}).bad.size(), 1U);

  const auto now = to_unix_ms(world.clock.now());
  EXPECT_EQ(get("/api/devices", operator_)["devices"][0]["flagged"], (json{{"records", 2}, {"last", now}}));
  const auto troubles = get("/api/devices/hh-1/troubles", operator_);
  EXPECT_EQ(troubles["flagged"], json::array({{{"record", to_string(forged.id)},
                                               {"seq", 2},
                                               {"kind", "report"},
                                               {"at", to_unix_ms(forged.at)},
                                               {"received", now},
                                               {"reasons", {"bad_signature"}}},
                                              {{"record", to_string(unsigned_one.id)},
                                               {"seq", 1},
                                               {"kind", "report"},
                                               {"at", to_unix_ms(unsigned_one.at)},
                                               {"received", now - 5000},
                                               {"reasons", {"unsigned"}}}}));
  ASSERT_EQ(troubles["quarantined"].size(), 1U);
  const auto& row = troubles["quarantined"][0];
  EXPECT_EQ(row["record"], to_string(bad.id));
  EXPECT_EQ(row["name"], "unknown_category");
  EXPECT_EQ(row["times"], 1);
  EXPECT_FALSE(row.contains("raw"));

  EXPECT_EQ(get("/api/devices/hh-2/troubles", operator_),
            (json{{"flagged", json::array()}, {"quarantined", json::array()}}));
  get("/api/devices/hh-3/troubles", operator_, 404);  // of the other town
  get("/api/devices/nobody/troubles", operator_, 404);
  for (const char* who : {"boss", "root"}) get("/api/devices/hh-1/troubles", login(who));
  for (const char* who : {"u1", "m1"}) get("/api/devices/hh-1/troubles", login(who), 403);
}

TEST_F(ApiTest, ANoticeGoesToHandhelds) {
  operator_ = login("op");
  const auto say = [&](const Session& session, const json& body, int status = 200) {
    const auto answer = ask("POST /api/devices/notices", session, body.dump());
    EXPECT_EQ(answer.status, status) << body << answer.body;
    return json::parse(answer.body);
  };
  const auto heard = [&] {
    std::vector<std::string> lines;
    for (const auto& sent : world.devices.take()) {
      if (const auto* item = std::get_if<DownItem>(&sent.message)) lines.push_back(sent.device + " " + item->body);
    }
    return lines;
  };
  using Lines = std::vector<std::string>;
  const auto id = [&] { return to_string(hh.fresh_id()); };
  json body{{"id", id()}, {"text", "明日大风"}, {"devices", {"hh-1"}}};
  EXPECT_EQ(say(operator_, body), (json{{"id", body["id"]}, {"devices", 1}}));
  EXPECT_EQ(heard(), Lines{R"(hh-1 {"text":"明日大风"})"});
  // A second click, or an answer that was lost.
  EXPECT_EQ(say(operator_, body)["devices"], 1);
  EXPECT_EQ(heard(), Lines{});
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.pending_down("hh-1", 10); }).size(), 1U);
  auto other = body;
  other["text"] = "别的";
  EXPECT_EQ(say(operator_, other, 409)["name"], "id_conflict");
  EXPECT_EQ(say(login("boss"), body, 409)["name"], "id_conflict") << "somebody else's";

  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", "b"}, {"devices", {"hh-2", "hh-1", "hh-2"}}})["devices"], 2);
  EXPECT_EQ(heard(), (Lines{R"(hh-1 {"text":"明日大风"})", R"(hh-1 {"text":"b"})", R"(hh-2 {"text":"b"})"}));

  // What is wrong with one of them stops it for all.
  const auto refused = say(operator_, {{"id", id()}, {"text", "c"}, {"devices", {"hh-1", "hh-3"}}}, 404);
  EXPECT_EQ(refused["field"], "devices[1]");
  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", "c"}}, 422)["field"], "devices");
  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", "c"}, {"devices", {"hh-1"}}, {"all", true}}, 422)["field"],
            "devices");
  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", ""}, {"all", true}}, 422)["field"], "text");
  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", std::string("a\0b", 3)}, {"all", true}}, 422)["field"], "text");
  EXPECT_EQ(say(operator_, {{"id", "x"}, {"text", "c"}, {"all", true}}, 400)["field"], "id");
  EXPECT_EQ(
      say(operator_, {{"id", id()}, {"text", "c"}, {"devices", std::vector<std::string>(1001, "hh-1")}}, 422)["field"],
      "devices");
  get("/api/devices", login("root"));  // sees them, and tells them nothing
  for (const char* who : {"u1", "m1", "root"}) {
    EXPECT_EQ(say(login(who), {{"id", id()}, {"text", "c"}, {"devices", {"hh-1"}}}, 403)["name"], "forbidden");
  }
  EXPECT_EQ(ask("POST /api/devices/notices", operator_, body.dump(), "").status, 403);  // without the header
  EXPECT_EQ(heard(), Lines{});

  must(world.store->write([](app::Tx& tx) -> Result<void> {
    auto device = tx.find_device("hh-2").value();
    device.revoked = true;
    tx.upsert_device(device);
    return {};
  }));
  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", "c"}, {"devices", {"hh-2"}}}, 403)["name"], "revoked_device");
  EXPECT_EQ(say(operator_, {{"id", id()}, {"text", "全镇"}, {"all", true}})["devices"], 1);
  EXPECT_EQ(say(login("boss"), {{"id", id()}, {"text", "全区"}, {"all", true}})["devices"], 2);
  const auto all = heard();
  EXPECT_EQ(all.back(), R"(hh-3 {"text":"全区"})");
}

// The world's store is opened before a test can skip itself.
class ApiOnPostgres : public ApiTest {
 protected:
  ApiOnPostgres() : ApiTest(options()) {}
  static WorldOptions options() {
    WorldOptions options;
    if (Postgres::installed()) options.url = Postgres::shared().new_database();
    return options;
  }
  void SetUp() override {
    if (!Postgres::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
  }
};

TEST_F(ApiOnPostgres, ALostDatabaseIsNotAvailableAndComesBack) {
  operator_ = login("op");
  const auto id = report("x");
  const auto expect_lost = [&](const std::string& when) {
    for (const char* path : {"/api/me", "/api/cases", "/api/cases/counts", "/api/devices", "/api/duty", "/api/org"}) {
      const auto answer = ask(std::string("GET ") + path, operator_);
      EXPECT_EQ(answer.status, 503) << path << " " << when << answer.body;
      EXPECT_EQ(json::parse(answer.body)["name"], "storage_failed") << path << " " << when;
      EXPECT_NE(answer.header("Retry-After"), "") << path;
    }
    const auto again = ask("POST /api/login", {}, json{{"login", "op"}, {"password", kPassword}}.dump());
    EXPECT_EQ(again.status, 503) << when << again.body;
    EXPECT_EQ(ask("POST /api/logout", operator_).status, 503) << when;
    EXPECT_EQ(ask("POST /api/cases/" + id + "/actions", operator_, R"({"action":"accept","version":1})").status, 503);
  };
  Postgres::shared().stop();
  expect_lost("at first");
  expect_lost("and later");
  Postgres::shared().start();
  EXPECT_TRUE(wait_until([&] { return ask("GET /api/me", operator_).status == 200; }));
  EXPECT_TRUE(wait_until(
      [&] { return ask("POST /api/login", {}, json{{"login", "op"}, {"password", kPassword}}.dump()).status == 200; }));
  // Connections that are cut, with the database there: only a request that was under way may fail, and it says so.
  for (int i = 0; i < 3; ++i) {
    Postgres::shared().cut_connections();
    for (int k = 0; k < 6; ++k) {
      const auto answer = ask("GET /api/cases", operator_);
      EXPECT_TRUE(answer.status == 200 || answer.status == 503) << answer.body;
    }
  }
  EXPECT_EQ(ask("GET /api/cases", operator_).status, 200);
}

}  // namespace
}  // namespace gridward::http
