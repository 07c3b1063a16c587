#include "import_test.hpp"

namespace gridward::importing {
namespace {

std::string feature(std::string_view coordinates, std::string_view code = "\"120116135\"",
                    std::string_view type = "Polygon") {
  return std::string(R"({"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":)") +
         std::string(code) + R"(},"geometry":{"type":")" + std::string(type) + R"(","coordinates":)" +
         std::string(coordinates) + "}}]}";
}
const std::string kSquare = "[[[117.8,39.3],[117.81,39.3],[117.81,39.31],[117.8,39.31],[117.8,39.3]]]";

TEST(ImportJson, TreePeopleAndDevices) {
  const auto parsed = json(
      "{\"orgs\": [\n"
      "  {\"code\": \"120116\", \"parent\": null, \"kind\": \"district\", \"name\": \"滨海新区\"},\n"
      "  {\"code\": \"120116135-u01\", \"parent\": \"120116\", \"kind\": \"unit\", \"name\": \"综合执法大队\"}],\n"
      " \"users\": [\n"
      "  {\"login\": \"town\", \"name\": \"值班\", \"role\": \"town_operator\", \"org\": \"120116\", \"password\": "
      "\"longenough\", "
      "\"active\": false}],\n"
      " \"devices\": [{\"id\": \"hh-1\", \"town\": \"120116135\", \"public_key\": \"" +
      kKey + "\"}]}");
  ASSERT_EQ(told(parsed), "");
  ASSERT_EQ(parsed.batch.orgs.size(), 2U);
  EXPECT_EQ(parsed.batch.orgs[1].line, 3U);
  EXPECT_EQ(parsed.batch.orgs[1].node.kind, app::OrgKind::unit);
  ASSERT_EQ(parsed.batch.users.size(), 1U);
  EXPECT_EQ(parsed.batch.users[0].line, 5U);
  EXPECT_EQ(parsed.batch.users[0].password, "longenough");
  EXPECT_FALSE(parsed.batch.users[0].user.active);
  ASSERT_EQ(parsed.batch.devices.size(), 1U);
}

TEST(ImportJson, NamesLineAndField) {
  const auto parsed = json(
      "{\"orgs\": [\n"
      "  {\"code\": 120116,\n"
      "   \"kind\": \"planet\", \"name\": \"a\"},\n"
      "  {\"code\": \"1\", \"kind\": \"planet\", \"name\": \"a\", \"shape\": []},\n"
      "  {\"code\": \"1\", \"kind\": \"planet\"},\n"
      "  7]}");
  EXPECT_TRUE(says(parsed, "a.json:2 code: must be a text"));
  EXPECT_TRUE(says(parsed, "a.json:4 shape: unknown name"));
  EXPECT_TRUE(says(parsed, "a.json:5 kind: is 'planet'"));
  EXPECT_TRUE(says(parsed, "a.json:5 name: is missing"));
  EXPECT_TRUE(says(parsed, "a.json:6 orgs: every entry must be an object"));
}

TEST(ImportJson, NotJsonOrNotOurs) {
  EXPECT_TRUE(says(json(""), "not valid JSON"));
  EXPECT_TRUE(says(json("{\n\"orgs\": [\n}"), "a.json:3 : not valid JSON"));
  EXPECT_TRUE(says(json("{} x"), "not valid JSON"));
  EXPECT_TRUE(says(json("{\"orgs\": [1e999]}"), "not valid JSON"));
  EXPECT_TRUE(says(json("{\"orgs\": \"\xD1\xEE\"}"), "not valid JSON"));
  EXPECT_TRUE(says(json("[]"), "must be an object"));
  EXPECT_TRUE(says(json("{\"people\": []}"), "a.json:1 people: unknown name"));
  EXPECT_TRUE(says(json("{\"orgs\": {}}"), "orgs: must be a list"));
  EXPECT_TRUE(says(json("{\"type\": \"Topology\"}"), "type: must be FeatureCollection"));
  EXPECT_TRUE(says(json("{\"orgs\": [], \"orgs\": []}"), "'orgs' is there twice"));
  EXPECT_TRUE(says(json("{\"orgs\": [{\"code\": \"1\\u0000\", \"kind\": \"town\", \"name\": \"a\"}]}"),
                   "code: holds the character U+0000"));
  for (const auto& p : json("{\"\x01\xC3").problems) EXPECT_TRUE(valid_utf8(p.message));
}

TEST(ImportJson, Limits) {
  EXPECT_TRUE(says(json(std::string(1'000'000, '[')), "nested deeper than 16 levels"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_TRUE(says(json(objects), "nested deeper than 16 levels"));
  EXPECT_TRUE(
      says(json("{\"orgs\":[\"" + std::string(kFieldBytes + 1, 'x') + "\"]}"), "a text of 4097 bytes: at most 4096"));
  std::string members = "{";
  for (int i = 0; i < 300; ++i) members += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(says(json(members), "more than 256 members"));
  std::string values = "{\"orgs\":[";
  for (std::size_t i = 0; i < kJsonValues; ++i) values += "1,";
  EXPECT_TRUE(says(json(values), "more than 2000000 values"));
  std::string rows = "{\"orgs\":[1";
  for (std::size_t i = 0; i < kRows; ++i) rows += ",1";
  EXPECT_TRUE(says(json(rows + "]}"), "200001 rows: at most 200000"));
  EXPECT_TRUE(says(json(std::string(kFileBytes + 1, ' ')), "67108865 bytes"));
}

TEST(ImportGeoJson, PolygonWithAHole) {
  const auto parsed =
      json(feature("[[[117.8,39.3],[117.9,39.3],[117.9,39.4],[117.8,39.4],[117.8,39.3]],"
                   "[[117.84,39.34],[117.86,39.34],[117.86,39.36],[117.84,39.34,12.5]]]"));
  ASSERT_EQ(told(parsed), "");
  ASSERT_EQ(parsed.batch.outlines.size(), 1U);
  const auto& row = parsed.batch.outlines[0];
  EXPECT_EQ(row.code, "120116135");
  EXPECT_EQ(row.line, 1U);
  EXPECT_EQ(row.outline.outer.front(), (GeoPoint{393'000'000, 1'178'000'000}));
  EXPECT_EQ(row.outline.outer.size(), 5U);
  ASSERT_EQ(row.outline.holes.size(), 1U);
}

TEST(ImportGeoJson, NamesFeatureAndField) {
  EXPECT_TRUE(says(json(feature(kSquare, "120116135")), "a.json:1 properties.code: must be the code of a node"));
  EXPECT_TRUE(
      says(json(feature("[" + kSquare + "]", "\"1\"", "MultiPolygon")), "a.json:1 geometry.type: must be Polygon"));
  EXPECT_TRUE(says(json(feature("[]")), "geometry.coordinates: must be a list of rings"));
  EXPECT_TRUE(
      says(json(feature("[[[39.3,117.8],[39.3,117.9],[39.4,117.9],[39.3,117.8]]]")),
           "a.json:1 geometry.coordinates[0][0]: latitude 117.800000 is outside -90 to 90: longitude comes first"));
  EXPECT_TRUE(says(json(feature("[[[181,39.3],[117.81,39.3],[117.81,39.31],[181,39.3]]]")), "longitude 181"));
  EXPECT_TRUE(says(json(feature("[[[117.8,39.3],[117.81,39.3],[117.81,39.31],[117.8,39.31]]]")),
                   "geometry.coordinates[0]: is not closed"));
  EXPECT_TRUE(says(json(feature("[[[117.8,39.3],[117.81,39.3],[117.8,39.3]]]")), "3 points: a ring has at least 4"));
  EXPECT_TRUE(
      says(json(feature("[[[117.8,39.3],[117.81,39.3],[117.82,39.3],[117.8,39.3]]]")), "less than a square metre"));
  EXPECT_TRUE(says(json(feature("[[[\"117.8\",39.3]]]")), "geometry.coordinates[0][0]: must be [longitude, latitude]"));
  EXPECT_TRUE(says(json(feature("[[[117.8]]]")), "geometry.coordinates[0][0]"));
  EXPECT_TRUE(says(json(R"({"type":"FeatureCollection","features":[{"properties":{"code":"1"}}]})"),
                   "a.json:1 geometry: is missing"));
  EXPECT_TRUE(says(json(R"({"type":"FeatureCollection","features":[7]})"), "properties.code"));
  EXPECT_TRUE(says(json(R"({"type":"FeatureCollection"})"), "features: must be a list"));
}

TEST(ImportGeoJson, OnlyWgs84) {
  const std::string head = R"({"type":"FeatureCollection","crs":{"type":"name","properties":{"name":")";
  EXPECT_EQ(told(json(head + "urn:ogc:def:crs:OGC:1.3:CRS84\"}},\"features\":[]}")), "");
  EXPECT_TRUE(says(json(head + "urn:ogc:def:crs:EPSG::4490\"}},\"features\":[]}"), "must be WGS-84"));
}

TEST(ImportGeoJson, TooManyPoints) {
  std::string ring = "[[";
  for (std::size_t i = 0; i <= kOutlinePoints; ++i) ring += (i == 0 ? "" : ",") + std::string("[117.8,39.3]");
  EXPECT_TRUE(says(json(feature(ring + "]]")), "more than 20000 points"));
}

}  // namespace
}  // namespace gridward::importing
