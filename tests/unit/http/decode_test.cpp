#include <gtest/gtest.h>

#include <gridward/http/decode.hpp>

namespace gridward::http {
namespace {

using Segments = std::vector<std::string>;

TEST(ParseTarget, PathAndQueryAreDecoded) {
  const auto target = parse_target("/api/cases?stage=reported&stage=closed&q=%E4%BA%95%E7%9B%96+2&empty=&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (Segments{"api", "cases"}));
  EXPECT_EQ(
      target->query,
      (std::vector<Param>{{"stage", "reported"}, {"stage", "closed"}, {"q", "井盖 2"}, {"empty", ""}, {"flag", ""}}));
  EXPECT_EQ(parse_target("/")->segments, Segments{""});
  EXPECT_EQ(parse_target("/a/")->segments, (Segments{"a", ""}));
  EXPECT_EQ(parse_target("/a+b%20c")->segments, Segments{"a+b c"});
  EXPECT_EQ(parse_target("/%41")->segments, Segments{"A"});
  EXPECT_EQ(parse_target("/?")->query.size(), 0U);
  EXPECT_EQ(parse_target("/?&&a&&")->query.size(), 1U);
}

TEST(ParseTarget, WhatIsNotPlainIsRefused) {
  for (const char* text : {"",        "a",         "*",         "http://x/", "/../etc/passwd", "/a/../b",
                           "/a/.",    "/%2e%2e/x", "/..%2fetc", "/a%2fb",    "/a%5cb",         "/a\\b",
                           "/%",      "/%4",       "/%zz",      "/a%00b",    "/a\nb",          "/%0d%0aX: y",
                           "/%ff%fe", "/?a=%",     "/?%zz=1",   "/?a=%00",   "/?a=%c3",        "/%7f"}) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, ErrorCode::malformed) << text;
  }
}

TEST(ParseTarget, CountsAreLimited) {
  std::string path;
  for (int i = 0; i < 32; ++i) path += "/a";
  EXPECT_TRUE(parse_target(path));
  EXPECT_EQ(parse_target(path + "/a").error().code, ErrorCode::too_large);
  std::string query = "/?";
  for (int i = 0; i < 64; ++i) query += "a&";
  EXPECT_TRUE(parse_target(query));
  EXPECT_EQ(parse_target(query + "a").error().code, ErrorCode::too_large);
}

TEST(Cookie, IsFoundAmongOthers) {
  EXPECT_EQ(cookie_value("a=1; gridward_session=abc ;b=2", "gridward_session"), "abc");
  EXPECT_EQ(cookie_value("gridward_session=", "gridward_session"), "");
  EXPECT_EQ(cookie_value("gridward_session=a=b", "gridward_session"), "a=b");
  for (const char* text : {"", ";", "gridward_session", "xgridward_session=1", "a=gridward_session=1", "=x"}) {
    EXPECT_EQ(cookie_value(text, "gridward_session"), std::nullopt) << text;
  }
  EXPECT_EQ(cookie_value("s=1; s=1", "s"), "1");
  EXPECT_EQ(cookie_value("s=1; s=2", "s"), std::nullopt);
}

TEST(Etag, MatchesWeakly) {
  EXPECT_TRUE(etag_matches("\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("\"b\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("*", "\"a\""));
  EXPECT_FALSE(etag_matches("", "\"a\""));
  EXPECT_FALSE(etag_matches("\"ab\"", "\"a\""));
}

TEST(Encoding, IsAcceptedUnlessRefused) {
  EXPECT_TRUE(accepts_encoding("gzip, deflate, br", "br"));
  EXPECT_TRUE(accepts_encoding("br;q=0.5", "br"));
  EXPECT_TRUE(accepts_encoding("gzip ; q=1.0", "gzip"));
  EXPECT_FALSE(accepts_encoding("gzip, br;q=0", "br"));
  EXPECT_FALSE(accepts_encoding("br;q=0.000", "br"));
  EXPECT_FALSE(accepts_encoding("", "br"));
  EXPECT_FALSE(accepts_encoding("brotli", "br"));
}

TEST(DecodeLogin, TakesBothFields) {
  const auto input = decode_login(R"({"login":"op1","password":"秘密 x"})");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->login, "op1");
  EXPECT_EQ(input->password, "秘密 x");
}

TEST(DecodeLogin, NamesWhatIsWrong) {
  const auto code = [](std::string_view body) { return decode_login(body).error(); };
  EXPECT_EQ(code("").code, ErrorCode::malformed);
  EXPECT_EQ(code("{").code, ErrorCode::malformed);
  EXPECT_EQ(code("{}x").code, ErrorCode::malformed);
  EXPECT_EQ(code("[]").code, ErrorCode::bad_type);
  EXPECT_EQ(code("null").code, ErrorCode::bad_type);
  EXPECT_EQ(code("{\"login\":\"\xff\",\"password\":\"x\"}").code, ErrorCode::malformed);
  EXPECT_EQ(code(R"({"password":"x"})").field, "login");
  EXPECT_EQ(code(R"({"login":"","password":"x"})").code, ErrorCode::missing_field);
  EXPECT_EQ(code(R"({"login":1,"password":"x"})").code, ErrorCode::bad_type);
  EXPECT_EQ(code(R"({"login":"a","password":"x","more":1})").code, ErrorCode::unknown_kind);
  EXPECT_EQ(code(R"({"login":"a","login":"b","password":"x"})").code, ErrorCode::malformed);
  EXPECT_EQ(code(R"({"login":"a","password":")" + std::string(257, 'x') + R"("})").code, ErrorCode::out_of_range);
  EXPECT_TRUE(decode_login(R"({"login":"a","password":")" + std::string(256, 'x') + R"("})"));
}

TEST(DecodeLogin, NestingIsLimited) {
  for (const std::size_t depth : {9U, 1000U, 30000U}) {
    const auto nested = R"({"login":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    EXPECT_EQ(decode_login(nested).error().code, ErrorCode::too_deep) << depth;
  }
}

TEST(DecodeAct, TakesWhatIsThere) {
  const auto input = decode_act(
      R"({"action":"transfer","version":3,"note":"请处理","fields":{"unit":"u01","reason":null,"reply":"","assisting_units":["a","b"],
        "valid":false,"complaints":3,"talked_at":1773277200000}})");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->action, "transfer");
  EXPECT_EQ(input->version, 3U);
  EXPECT_EQ(input->note, "请处理");
  EXPECT_EQ(input->fields, (domain::FieldMap{{domain::Field::unit, "u01"},
                                             {domain::Field::assisting_units, std::vector<std::string>{"a", "b"}},
                                             {domain::Field::valid, false},
                                             {domain::Field::complaints, std::int64_t{3}},
                                             {domain::Field::talked_at, from_unix_ms(1773277200000)}}))
      << "null and empty are not there";
}

TEST(DecodeAct, NamesWhatIsWrong) {
  const auto code = [](std::string_view body) { return decode_act(body).error(); };
  EXPECT_EQ(code(R"({"action":"accept"})").field, "version");
  EXPECT_EQ(code(R"({"action":"accept","version":-1})").code, ErrorCode::bad_type);
  EXPECT_EQ(code(R"({"action":"accept","version":1.0})").code, ErrorCode::bad_type);
  EXPECT_EQ(code(R"({"action":"accept","version":"1"})").code, ErrorCode::bad_type);
  EXPECT_EQ(code(R"({"action":"accept","version":9007199254740992})").code, ErrorCode::out_of_range);
  EXPECT_EQ(code(R"({"version":1})").field, "action");
  // 2000 characters of three bytes each fit; one more does not.
  std::string note;
  for (int i = 0; i < 2000; ++i) note += "网";
  EXPECT_TRUE(decode_act(R"({"action":"a","version":1,"note":")" + note + R"("})"));
  EXPECT_EQ(code(R"({"action":"a","version":1,"note":")" + note + R"(x"})").field, "note");
}

TEST(DecodeAct, FieldsGoByTheirTable) {
  const auto wrong = [](const std::string& fields) {
    return decode_act(R"({"action":"a","version":1,"fields":)" + fields + "}").error();
  };
  EXPECT_EQ(wrong(R"({"mood":"x"})").code, ErrorCode::unknown_kind);
  EXPECT_EQ(wrong(R"({"mood":"x"})").field, "fields.mood");
  for (const char* fields : {R"({"unit":7})", R"({"assisting_units":"u"})", R"({"assisting_units":[1]})",
                             R"({"valid":"yes"})", R"({"complaints":"3"})", R"({"complaints":1.5})",
                             R"({"talked_at":"2026"})", R"({"target":"no id"})", R"({"unit":{"a":1}})", "[]", "7"}) {
    EXPECT_EQ(wrong(fields).code, ErrorCode::bad_type) << fields;
  }
  EXPECT_EQ(wrong(R"({"complaints":-1})").code, ErrorCode::out_of_range);
  EXPECT_EQ(wrong(R"({"talked_at":99999999999999999})").code, ErrorCode::out_of_range);
  EXPECT_EQ(wrong(R"({"unit":")" + std::string(65, 'u') + R"("})").code, ErrorCode::out_of_range);
  std::string names;
  for (std::size_t i = 0; i <= domain::kNamesInAField; ++i) names += (i > 0 ? "," : "") + std::string("\"u\"");
  EXPECT_EQ(wrong(R"({"assisting_units":[)" + names + "]}").code, ErrorCode::out_of_range);
  EXPECT_EQ(wrong(R"({"unit":"a","unit":"b"})").code, ErrorCode::malformed) << "twice";
  EXPECT_EQ(wrong(std::string(9, '[') + std::string(9, ']')).code, ErrorCode::too_deep);
  // Every field of the table can be said.
  for (const auto& info : domain::field_table()) {
    std::string value = "\"x\"";
    if (info.type == domain::FieldType::id) value = "\"018f0000-0000-7000-8000-000000000000\"";
    if (info.type == domain::FieldType::names) value = "[\"x\"]";
    if (info.type == domain::FieldType::flag) value = "true";
    if (info.type == domain::FieldType::number || info.type == domain::FieldType::time) value = "1";
    const auto body = R"({"action":"a","version":1,"fields":{")" + std::string(info.name) + "\":" + value + "}}";
    const auto input = decode_act(body);
    ASSERT_TRUE(input) << body;
    EXPECT_TRUE(input->fields.contains(info.field)) << body;
  }
}

TEST(DecodeRequest, NamesWhatIsWrong) {
  const auto input = decode_request(
      R"({"text":"楼道堆物","address":"3号楼","place":{"lat":39.2,"lon":117.8},"fields":{"channel":"hotline"}})");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->text, "楼道堆物");
  EXPECT_EQ(input->address, "3号楼");
  EXPECT_EQ(input->place, geo_point(39.2, 117.8));
  EXPECT_EQ(input->fields, (domain::FieldMap{{domain::Field::channel, "hotline"}}));
  const auto field = [](const char* body) { return decode_request(body).error().field; };
  EXPECT_EQ(field(R"({"text":7})"), "text");
  EXPECT_EQ(field(R"({"place":[1,2]})"), "place");
  EXPECT_EQ(field(R"({"place":{"lat":1}})"), "place.lon");
  EXPECT_EQ(field(R"({"place":{"lat":1,"lon":181}})"), "place.lon");
  EXPECT_EQ(field(R"({"place":{"lat":"1","lon":1}})"), "place.lat");
  EXPECT_EQ(field(R"({"place":{"lat":1,"lon":1,"alt":1}})"), "place");
  EXPECT_EQ(field(R"({"fields":{"mood":1}})"), "fields.mood");
  EXPECT_EQ(field(R"({"unit":"u"})"), "unit");
}

TEST(DecodeNotice, NamesWhatIsWrong) {
  const auto input = decode_notice(R"({"id":"x","text":"明日大风","devices":["hh-1","hh-2"]})");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->text, "明日大风");
  EXPECT_EQ(input->devices, (std::vector<std::string>{"hh-1", "hh-2"}));
  EXPECT_FALSE(input->all);
  EXPECT_TRUE(decode_notice(R"({"id":"x","text":"a","all":true})")->all);
  const auto code = [](std::string_view body) { return decode_notice(body).error(); };
  EXPECT_EQ(code(R"({"text":"a"})").field, "id");
  EXPECT_EQ(code(R"({"id":"x"})").code, ErrorCode::missing_field);
  EXPECT_EQ(code(R"({"id":"x","text":""})").code, ErrorCode::missing_field);
  EXPECT_EQ(code(R"({"id":"x","text":"a","devices":"hh-1"})").code, ErrorCode::bad_type);
  EXPECT_EQ(code(R"({"id":"x","text":"a","devices":["hh-1",2]})").field, "devices[1]");
  EXPECT_EQ(code(R"({"id":"x","text":"a","all":1})").field, "all");
  EXPECT_EQ(code(R"({"id":"x","text":"a","every":true})").code, ErrorCode::unknown_kind);
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "网";
  EXPECT_TRUE(decode_notice(R"({"id":"x","text":")" + text + R"("})"));
  EXPECT_EQ(code(R"({"id":"x","text":")" + text + R"(x"})").code, ErrorCode::out_of_range);
}

TEST(DecodeNumber, IsWholeAndInRange) {
  EXPECT_EQ(decode_number("limit", "50", 1, 200), 50U);
  EXPECT_EQ(decode_number("limit", "0", 1, 200).error().code, ErrorCode::out_of_range);
  EXPECT_EQ(decode_number("limit", "201", 1, 200).error().code, ErrorCode::out_of_range);
  EXPECT_EQ(decode_number("limit", "99999999999999999999", 1, 200).error().code, ErrorCode::out_of_range);
  for (const char* text : {"", "-1", "1.5", "x", "1x", " 1"}) {
    EXPECT_EQ(decode_number("limit", text, 1, 200).error().code, ErrorCode::bad_type) << text;
  }
}

TEST(ClientPlace, IsThePeersUnlessTheProxyStandsBetween) {
  EXPECT_EQ(client_place("203.0.113.7", "", ""), "203.0.113.7");
  EXPECT_EQ(client_place("203.0.113.7", "198.51.100.9", ""), "203.0.113.7") << "anybody can write a header";
  EXPECT_EQ(client_place("203.0.113.7", "198.51.100.9", "10.0.0.1"), "203.0.113.7") << "not by the proxy";
  EXPECT_EQ(client_place("10.0.0.1", "198.51.100.9", "10.0.0.1"), "198.51.100.9");
  EXPECT_EQ(client_place("::ffff:10.0.0.1", "198.51.100.9", "10.0.0.1"), "198.51.100.9");
  EXPECT_EQ(client_place("10.0.0.1", "1.1.1.1, 198.51.100.9 ", "10.0.0.1"), "198.51.100.9") << "the proxy's own word";
  EXPECT_EQ(client_place("10.0.0.1", "", "10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(client_place("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(client_place("10.0.0.1", std::string(5000, '1'), "10.0.0.1"), "10.0.0.1");
}

TEST(ClientPlace, OfIPv6IsItsNetwork) {
  EXPECT_EQ(client_place("2001:db8:1:2:3:4:5:6", "", ""), "2001:db8:1:2::/64");
  EXPECT_EQ(client_place("2001:db8:1:2::9", "", ""), "2001:db8:1:2::/64");
  EXPECT_EQ(client_place("::ffff:203.0.113.7", "", ""), "203.0.113.7");
  EXPECT_EQ(client_place("::1", "2001:db8::7", "::1"), "2001:db8::/64");
  EXPECT_EQ(client_place("", "", ""), "");
  EXPECT_TRUE(is_ip_address("::1"));
  EXPECT_FALSE(is_ip_address("localhost"));
  EXPECT_FALSE(is_ip_address("10.0.0.1/8"));
}

}  // namespace
}  // namespace gridward::http
