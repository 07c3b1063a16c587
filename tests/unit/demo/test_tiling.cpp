// The grids of the demo town tile it: nothing is covered twice and nothing is left out. Shown in exact integers from
// the files as they are imported: every border is walked once from each side, borders cross nowhere, and areas add up.
#include <gtest/gtest.h>

#include <gridward/import/import_files.hpp>
#include <gridward/test/paths.hpp>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gridward {
namespace {

const std::string kTown = "120116135";
using Edge = std::pair<std::pair<std::int32_t, std::int32_t>, std::pair<std::int32_t, std::int32_t>>;

std::pair<std::int32_t, std::int32_t> key(GeoPoint p) { return {p.lon_e7, p.lat_e7}; }

std::vector<Edge> edges(const Ring& ring) {
  std::vector<Edge> all;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) all.emplace_back(key(ring[i]), key(ring[i + 1]));
  return all;
}

// Twice the area in (1e-7 degrees)²; positive counterclockwise. Exact: under 2^63 for a ring of this size near here.
std::int64_t doubled_area(const Ring& ring) {
  std::int64_t sum = 0;
  const auto base = ring.front();
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    const std::int64_t ax = ring[i].lon_e7 - base.lon_e7, ay = ring[i].lat_e7 - base.lat_e7;
    const std::int64_t bx = ring[i + 1].lon_e7 - base.lon_e7, by = ring[i + 1].lat_e7 - base.lat_e7;
    sum += ax * by - bx * ay;
  }
  return sum;
}

int side(std::pair<std::int32_t, std::int32_t> a, std::pair<std::int32_t, std::int32_t> b,
         std::pair<std::int32_t, std::int32_t> p) {
  const std::int64_t cross = (std::int64_t{b.first} - a.first) * (std::int64_t{p.second} - a.second) -
                             (std::int64_t{b.second} - a.second) * (std::int64_t{p.first} - a.first);
  return cross > 0 ? 1 : (cross < 0 ? -1 : 0);
}

bool on_segment(const Edge& e, std::pair<std::int32_t, std::int32_t> p) {
  return side(e.first, e.second, p) == 0 && std::min(e.first.first, e.second.first) <= p.first &&
         p.first <= std::max(e.first.first, e.second.first) && std::min(e.first.second, e.second.second) <= p.second &&
         p.second <= std::max(e.first.second, e.second.second);
}

// Do they share a point that is not an end of both?
bool cross(const Edge& a, const Edge& b) {
  const auto ends = [](const Edge& e, auto p) { return e.first == p || e.second == p; };
  for (const auto& p : {b.first, b.second}) {
    if (on_segment(a, p) && !ends(a, p)) return true;
  }
  for (const auto& p : {a.first, a.second}) {
    if (on_segment(b, p) && !ends(b, p)) return true;
  }
  return side(a.first, a.second, b.first) * side(a.first, a.second, b.second) < 0 &&
         side(b.first, b.second, a.first) * side(b.first, b.second, a.second) < 0;
}

class Demo : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path demo = test::source_dir() / "server/demo";
    const std::vector<std::filesystem::path> files{demo / "orgs.csv", demo / "units.json", demo / "people.csv",
                                                   demo / "outlines.geojson"};
    auto parsed = importing::read_files(files);
    ASSERT_TRUE(parsed.problems.empty());
    batch_ = std::move(parsed.batch);
    for (const auto& row : batch_.outlines) ASSERT_TRUE(outlines_.emplace(row.code, row.outline.outer).second);
    for (const auto& row : batch_.orgs) orgs_.emplace(row.node.code, row.node);
  }
  std::vector<std::string> children(const std::string& parent, app::OrgKind kind) const {
    std::vector<std::string> codes;
    for (const auto& [code, node] : orgs_) {
      if (node.parent == parent && node.kind == kind) codes.push_back(code);
    }
    return codes;
  }
  // `parts` cover `whole`, once.
  void expect_tiles(const std::string& whole, const std::vector<std::string>& parts) const {
    std::set<Edge> walked;
    std::int64_t area = 0;
    for (const auto& part : parts) {
      const auto& ring = outlines_.at(part);
      EXPECT_EQ(ring.front(), ring.back()) << part;
      EXPECT_GT(doubled_area(ring), 0) << part << " must run counterclockwise";
      area += doubled_area(ring);
      for (const auto& edge : edges(ring))
        EXPECT_TRUE(walked.insert(edge).second) << part << " walks a border of another";
    }
    std::set<Edge> outside;
    for (const auto& edge : walked) {
      if (!walked.contains({edge.second, edge.first})) outside.insert(edge);
    }
    const auto outline = edges(outlines_.at(whole));
    EXPECT_EQ(outside, std::set<Edge>(outline.begin(), outline.end())) << whole;
    EXPECT_EQ(area, doubled_area(outlines_.at(whole))) << whole;
  }

  app::ImportBatch batch_;
  std::map<std::string, Ring> outlines_;
  std::map<std::string, app::OrgNode> orgs_;
};

TEST_F(Demo, GridsTileVillagesAndVillagesTileTheTown) {
  const auto villages = children(kTown, app::OrgKind::village);
  ASSERT_EQ(villages.size(), 14U);
  std::vector<std::string> all_grids;
  for (const auto& village : villages) {
    const auto grids = children(village, app::OrgKind::grid);
    EXPECT_GE(grids.size(), 2U) << village;
    EXPECT_LE(grids.size(), 3U) << village;
    expect_tiles(village, grids);
    all_grids.insert(all_grids.end(), grids.begin(), grids.end());
  }
  expect_tiles(kTown, villages);
  expect_tiles(kTown, all_grids);
  EXPECT_EQ(outlines_.size(), 1 + villages.size() + all_grids.size());
}

TEST_F(Demo, BordersCrossNowhere) {
  std::set<Edge> all;
  for (const auto& [code, ring] : outlines_) {
    if (orgs_.at(code).kind != app::OrgKind::grid) continue;
    for (auto edge : edges(ring)) {
      if (edge.second < edge.first) std::swap(edge.first, edge.second);
      all.insert(edge);
    }
  }
  ASSERT_GT(all.size(), 300U);
  for (auto a = all.begin(); a != all.end(); ++a) {
    for (auto b = std::next(a); b != all.end(); ++b) ASSERT_FALSE(cross(*a, *b));
  }
}

TEST_F(Demo, AGridIsOfAWalkableSize) {
  for (const auto& [code, ring] : outlines_) {
    if (orgs_.at(code).kind != app::OrgKind::grid) continue;
    const double area = area_m2(Polygon{ring, {}});
    EXPECT_GT(area, 0.8e6) << code;
    EXPECT_LT(area, 4.0e6) << code;
  }
}

TEST_F(Demo, EveryGridHasItsMemberAndEveryUnitItsLogin) {
  std::map<std::string, std::vector<domain::Role>> people;
  std::set<std::string> names;
  for (const auto& row : batch_.users) {
    people[row.user.org].push_back(row.user.role);
    EXPECT_TRUE(names.insert(row.user.name).second) << row.user.name << " is there twice";
    EXPECT_TRUE(orgs_.contains(row.user.org)) << row.user.login;
  }
  for (const auto& [code, node] : orgs_) {
    if (node.kind == app::OrgKind::grid) {
      EXPECT_EQ(people[code], std::vector{domain::Role::grid_member}) << code;
    }
    if (node.kind == app::OrgKind::unit) {
      EXPECT_EQ(people[code], std::vector{domain::Role::handling_unit}) << code;
    }
    if (!node.parent.empty()) {
      EXPECT_TRUE(orgs_.contains(node.parent)) << code;
    }
  }
  EXPECT_EQ(people[kTown].size(), 2U);
  EXPECT_EQ(children("120116", app::OrgKind::town).size(), 26U);
}

}  // namespace
}  // namespace gridward
