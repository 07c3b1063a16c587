#include <gtest/gtest.h>

#include <gridward/test/server_world.hpp>

namespace gridward {
namespace {

using namespace test;
using app::OrgKind;

class Batch {
 public:
  app::ImportBatch batch;
  Batch& org(std::string code, std::string parent, OrgKind kind, std::string name = "名") {
    app::OrgNode node;
    node.code = std::move(code);
    node.parent = std::move(parent);
    node.kind = kind;
    node.name = std::move(name);
    batch.orgs.push_back({"orgs.csv", batch.orgs.size() + 2, node});
    return *this;
  }
  Batch& outline(std::string code, Polygon polygon) {
    batch.outlines.push_back({"grids.geojson", batch.outlines.size() + 1, std::move(code), std::move(polygon)});
    return *this;
  }
  Batch& user(std::string login, domain::Role role, std::string at, std::string password = "12345678") {
    app::User one;
    one.login = std::move(login);
    one.name = "名";
    one.role = role;
    one.org = std::move(at);
    batch.users.push_back({"users.csv", batch.users.size() + 2, one, std::move(password)});
    return *this;
  }
  Batch& device(std::string id, std::string town, std::string holder) {
    app::Device one;
    one.id = std::move(id);
    one.town = std::move(town);
    one.holder = std::move(holder);
    batch.devices.push_back({"devices.csv", batch.devices.size() + 2, one});
    return *this;
  }
};

std::string told(const app::ImportReport& report) {
  std::string text;
  for (const auto& p : report.problems) {
    text += p.file + ":" + std::to_string(p.line) + " " + p.field + ": " + p.message + "\n";
  }
  return text;
}

TEST(Import, ATreeInAnyOrderOfRows) {
  ServerWorld world;
  Batch b;
  b.org("G9", "V9", OrgKind::grid).org("V9", "120117001", OrgKind::village).org("U9", "G9", OrgKind::unit);
  b.org("120117001", "120117", OrgKind::town).org("120117", "", OrgKind::district);
  b.outline("G9", box(39.0, 117.0, 39.01, 117.01));
  b.user("n1", domain::Role::grid_member, "G9").user("n2", domain::Role::town_operator, "120117001");
  b.device("hh-90", "120117001", "n1");
  const auto report = app::run_import(world.services(), b.batch);
  EXPECT_TRUE(report.problems.empty()) << told(report);
  EXPECT_EQ(report.orgs, 5u);
  EXPECT_EQ(report.outlines, 1u);
  EXPECT_EQ(report.users, 2u);
  EXPECT_EQ(report.devices, 1u);
  const auto grid = world.read([](app::Tx& tx) { return tx.find_org("G9"); }).value();
  EXPECT_EQ(grid.path, "120117/120117001/V9/G9");
  EXPECT_TRUE(grid.outline.has_value());
  const auto user = world.find_user("n1");
  EXPECT_EQ(user.org_path, grid.path);
  EXPECT_TRUE(user.password_hash.starts_with("$argon2id$"));
  EXPECT_TRUE(platform::verify_password(user.password_hash, "12345678"));
}

TEST(Import, EveryProblemIsNamedAndNothingIsTaken) {
  ServerWorld world;
  const auto revision = world.read([](app::Tx& tx) { return tx.org_revision(); });
  Batch b;
  b.org("bad/code", "120116", OrgKind::town);             // 2: code, twice: also no division code
  b.org("12011", "120116", OrgKind::town);                // 3: no division code
  b.org("V5", "nowhere", OrgKind::village);               // 4
  b.org("G5", kTown, OrgKind::grid);                      // 5: a grid under a town
  b.org("D5", "120116", OrgKind::district);               // 6: a district with a parent
  b.org("V6", kTown, OrgKind::village, " ");              // 7: no name
  b.org("V6", kTown, OrgKind::village);                   // 8: twice
  b.org("G1", "V2", OrgKind::grid);                       // 9: lies elsewhere already
  b.org("V1", kTown, OrgKind::unit);                      // 10: is a village already
  b.org("G6", "V5", OrgKind::grid);                       // 11: under one that could not be placed
  b.org("U5", "U1", OrgKind::unit);                       // 12
  b.outline("nowhere", world.west);                       // 1
  b.outline("G3", {{{0, 0}, {10, 10}}, {}});              // 2: two points
  b.outline("G3", world.west);                            // 3: twice
  b.user("spa ce", domain::Role::leader, "120116");       // 2
  b.user("x1", domain::Role::grid_member, "V1");          // 3: no grid
  b.user("x2", domain::Role::handling_unit, kTown);       // 4: no unit
  b.user("x3", domain::Role::system, "120116");           // 5
  b.user("x4", domain::Role::leader, "nowhere");          // 6
  b.user("x5", domain::Role::leader, "120116", "");       // 7: no password
  b.user("x6", domain::Role::leader, "120116", "short");  // 8
  b.user("x6", domain::Role::leader, "120116");           // 9: twice
  b.user("x7", domain::Role::town_operator, "G1");        // 10
  b.device("bad id", kTown, "");                          // 2
  b.device("d1", "V1", "");                               // 3: no town
  b.device("d2", kTown, "nobody");                        // 4
  b.device("d3", kTown, "m3");                            // 5: of the other town
  b.device("d4", kTown, "");                              // 6: good
  b.device("d4", kTown, "");                              // 7: twice
  const auto report = app::run_import(world.services(), b.batch);
  const auto text = told(report);
  const std::pair<const char*, const char*> expected[] = {
      {"orgs.csv:2 code", "bad/code"},
      {"orgs.csv:3 code", "12011"},
      {"orgs.csv:4 parent", "nowhere is not known"},
      {"orgs.csv:5 parent", "grid under town"},
      {"orgs.csv:6 parent", "a district has no parent"},
      {"orgs.csv:7 name", "characters"},
      {"orgs.csv:8 code", "orgs.csv:7"},
      {"orgs.csv:9 parent", "120116/120116115/V1/G1 already"},
      {"orgs.csv:10 kind", "village already"},
      {"orgs.csv:11 parent", "V5"},
      {"orgs.csv:12 parent", "unit under unit"},
      {"grids.geojson:1 code", "nowhere"},
      {"grids.geojson:2 outline", "three"},
      {"grids.geojson:3 code", "grids.geojson:2"},
      {"users.csv:2 login", "spa ce"},
      {"users.csv:3 org", "no grid"},
      {"users.csv:4 org", "no handling unit"},
      {"users.csv:5 role", "nobody's"},
      {"users.csv:6 org", "nowhere"},
      {"users.csv:7 password", "needs one"},
      {"users.csv:8 password", "8"},
      {"users.csv:9 login", "users.csv:8"},
      {"users.csv:10 org", "no town or district"},
      {"devices.csv:2 id", "bad id"},
      {"devices.csv:3 town", "no town"},
      {"devices.csv:4 holder", "nobody"},
      {"devices.csv:5 holder", "m3 does not belong"},
      {"devices.csv:7 id", "devices.csv:6"},
  };
  for (const auto& [where, what] : expected) {
    const auto at = text.find(std::string(where) + ":");
    ASSERT_NE(at, std::string::npos) << where << " in\n" << text;
    bool found = false;
    for (const auto& p : report.problems) {
      const auto head = p.file + ":" + std::to_string(p.line) + " " + p.field;
      found = found || (head == where && p.message.find(what) != std::string::npos);
    }
    EXPECT_TRUE(found) << where << " " << what << " in\n" << text;
  }
  EXPECT_EQ(report.orgs + report.users + report.devices + report.outlines, 0u);
  EXPECT_EQ(world.read([](app::Tx& tx) { return tx.org_revision(); }), revision);
  EXPECT_FALSE(world.read([](app::Tx& tx) { return tx.find_device("d4"); }).has_value());
  EXPECT_FALSE(world.read([](app::Tx& tx) { return tx.find_user("x6"); }).has_value());
}

TEST(Import, RowsThatNameEachOtherInACircleEnd) {
  ServerWorld world;
  Batch b;
  b.org("A", "B", OrgKind::village).org("B", "A", OrgKind::village).org("C", "C", OrgKind::unit);
  const auto report = app::run_import(world.services(), b.batch);
  EXPECT_GE(report.problems.size(), 3u) << told(report);
}

TEST(Import, GridsOfOneVillageDoNotOverlap) {
  ServerWorld world;
  Batch b;
  // G2 as it stands begins at 117.81; a wider G1 runs into it.
  b.outline("G1", box(39.20, 117.80, 39.21, 117.812));
  const auto report = app::run_import(world.services(), b.batch);
  ASSERT_EQ(report.problems.size(), 1u) << told(report);
  EXPECT_EQ(report.problems[0].line, 1u);
  EXPECT_EQ(report.problems[0].message, "G1 and G2 overlap");
  // Both redrawn together fit.
  b.outline("G2", box(39.20, 117.812, 39.21, 117.82));
  EXPECT_TRUE(app::run_import(world.services(), b.batch).problems.empty());
  // A grid of another village is another matter.
  Batch other;
  other.outline("G3", world.west);
  EXPECT_TRUE(app::run_import(world.services(), other.batch).problems.empty());
}

TEST(Import, AgainChangesNamesAndKeepsWhatItDoesNotSay) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  EXPECT_EQ(hh.receipt({hh.record(StatusBody{0, 0, 0, 50, "1"})}).ok.size(), 1u);
  Batch b;
  b.org("G1", "V1", OrgKind::grid, "新名字")
      .user("m1", domain::Role::grid_member, "G1", "")
      .device("hh-1", kTown, "m2");
  const auto before = world.find_user("m1").password_hash;
  const auto report = app::run_import(world.services(), b.batch);
  EXPECT_TRUE(report.problems.empty()) << told(report);
  const auto grid = world.read([](app::Tx& tx) { return tx.find_org("G1"); }).value();
  EXPECT_EQ(grid.name, "新名字");
  EXPECT_EQ(grid.outline, world.west) << "a list without outlines does not take one away";
  EXPECT_EQ(world.find_user("m1").password_hash, before);
  const auto device = world.read([](app::Tx& tx) { return tx.find_device("hh-1"); }).value();
  EXPECT_EQ(device.holder, "m2");
  EXPECT_EQ(device.public_key, world.keys["hh-1"].public_key);
  EXPECT_TRUE(device.status.has_value());
}

TEST(Import, ARevokedDeviceStaysRevoked) {
  ServerWorld world;
  must(world.store->write([](app::Tx& tx) -> Result<void> {
    auto device = tx.find_device("hh-1").value();
    device.revoked = true;
    tx.upsert_device(device);
    return {};
  }));
  Batch b;
  b.device("hh-1", kTown, "m1");
  EXPECT_TRUE(app::run_import(world.services(), b.batch).problems.empty());
  EXPECT_TRUE(world.read([](app::Tx& tx) { return tx.find_device("hh-1"); })->revoked);
}

}  // namespace
}  // namespace gridward
