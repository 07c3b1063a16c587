#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <gridward/platform/config.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/process.hpp>
#include <set>

namespace gridward::platform {
namespace {

std::vector<std::string> problems(const ConfigResult& result) {
  std::vector<std::string> texts;
  if (!result) {
    for (const auto& error : result.error()) texts.push_back(error.field + ": " + error.detail);
  }
  return texts;
}

TEST(Config, DefaultsSatisfyTheirOwnConstraints) {
  std::set<std::string_view> names;
  for (const auto& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_EQ(key.member.index(), key.standard.index()) << key.name;
    EXPECT_FALSE(key.zh.empty()) << key.name;
    EXPECT_FALSE(key.en.empty()) << key.name;
    if (const auto* number = std::get_if<std::int64_t>(&key.standard)) {
      EXPECT_GE(*number, key.least) << key.name;
      EXPECT_LE(*number, key.greatest) << key.name;
    }
    if (const auto* text = std::get_if<std::string_view>(&key.standard); text != nullptr && !key.one_of.empty()) {
      EXPECT_NE(std::ranges::find(key.one_of, *text), key.one_of.end()) << key.name;
    }
  }
  const auto config = load_config("", {});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->http_port, 8080);
  EXPECT_EQ(config->http_host, "127.0.0.1");
}

TEST(Config, NestedAndDottedKeysMeanTheSame) {
  const auto nested = parse_config(R"({"http": {"port": 81, "host": "::"}, "data_dir": "d"})", "", {});
  const auto dotted = parse_config(R"({"http.port": 81, "http.host": "::", "data_dir": "d"})", "", {});
  ASSERT_TRUE(nested);
  ASSERT_TRUE(dotted);
  EXPECT_EQ(nested->http_port, 81);
  EXPECT_EQ(dotted->http_port, 81);
  EXPECT_EQ(nested->http_host, dotted->http_host);
}

TEST(Config, OverridesComeAfterTheFile) {
  const std::vector<std::string> overrides{"http.port=82", "mqtt.uri=", "http.secure_cookie=true"};
  const auto config = parse_config(R"({"http": {"port": 81}})", "", overrides);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->http_port, 82);
  EXPECT_EQ(config->mqtt_uri, "");
  EXPECT_TRUE(config->http_secure_cookie);
}

TEST(Config, PathsInTheFileAreRelativeToItsFolder) {
  const std::vector<std::string> overrides{"mqtt.ca=ca.pem"};
  const auto config =
      parse_config(R"({"data_dir": "data", "http": {"web_dir": "/srv/web"}})", "/etc/gridward", overrides);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->data_dir, "/etc/gridward/data");
  EXPECT_EQ(config->http_web_dir, "/srv/web");
  EXPECT_EQ(config->mqtt_ca, "ca.pem");
}

TEST(Config, EveryProblemIsNamedWithKeyValueAndLimit) {
  const std::vector<std::string> overrides{"http.workers=0", "http.workers=many", "log.level"};
  const auto result = parse_config(
      R"({"http": {"port": 70000, "prot": 1, "web_dir": 3}, "log.level": "loud", "store": {"queue_limit": 1.5},
          "http.secure_cookie": "yes", "colour": {"of": "sky"}, "http.max_connections": 99999999999999999999})",
      "", overrides);
  const std::set<std::string> expected{
      "http.port: 70000, at most 65535",
      "http.prot: no such key; did you mean http.port?",
      "http.web_dir: 3 is not a text",
      "log.level: \"loud\", one of debug info warn error",
      "store.queue_limit: 1.5 is not a whole number",
      "http.secure_cookie: \"yes\", true or false",
      "colour: no such key",
      "http.max_connections: 1e+20 is not a whole number",
      "http.workers: 0, at least 1",
      "http.workers: \"many\" is not a whole number",
      "log.level: no value; write --set key=value",
  };
  const auto found = problems(result);
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected);
}

TEST(Config, CertificateAndKeyGoTogether) {
  const std::vector<std::string> overrides{"http.tls_cert=cert.pem"};
  EXPECT_EQ(problems(load_config("", overrides)),
            std::vector<std::string>{"http.tls_key: empty, but http.tls_cert and http.tls_key go together"});
}

TEST(Config, BrokenAndMissingFilesAreNamed) {
  test::TempDir dir;
  test::write_file(dir / "broken.json", "{\n  \"http\": {\n");
  const auto broken = problems(load_config((dir / "broken.json").string(), {}));
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_NE(broken[0].find("broken.json"), std::string::npos);
  EXPECT_NE(broken[0].find("line 3"), std::string::npos) << broken[0];
  const auto missing = problems(load_config((dir / "none.json").string(), {}));
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_NE(missing[0].find("cannot be read"), std::string::npos);
  EXPECT_EQ(problems(parse_config("[1]", "", {})).size(), 1U);
}

TEST(Config, ThePageIsWhatTheTableSays) {
  const auto path = test::source_dir() / "docs/configuration.md";
  if (std::getenv("GRIDWARD_UPDATE") != nullptr) test::write_file(path, config_page());
  EXPECT_EQ(test::read_file(path), config_page()) << "run this test with GRIDWARD_UPDATE=1";
}

}  // namespace
}  // namespace gridward::platform
