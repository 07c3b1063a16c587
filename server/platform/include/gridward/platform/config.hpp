// The server's configuration: one table of keys (config.cpp), from which come the parser, the checks and the page
// docs/configuration.md.
#pragma once

#include <cstdint>
#include <gridward/shared/error.hpp>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gridward::platform {

// Paths are as given: in the file relative to the file's folder, in --set and the defaults to the working directory.
struct Config {
  std::string data_dir;
  std::string log_level;
  std::string policy_file;

  std::string database_url;
  std::int64_t store_queue_limit = 0;
  std::int64_t store_queue_bytes = 0;
  std::int64_t store_batch_limit = 0;
  std::int64_t store_readers = 0;

  std::string http_host;
  std::int64_t http_port = 0;
  std::string http_tls_cert;
  std::string http_tls_key;
  bool http_secure_cookie = false;
  std::string http_proxy;
  std::string http_web_dir;
  std::int64_t http_workers = 0;
  std::int64_t http_max_connections = 0;

  std::string mqtt_uri;
  std::string mqtt_ca;
  std::string mqtt_user;
  std::string mqtt_password_file;
  std::string mqtt_client_id;
  std::int64_t mqtt_resend_s = 0;

  std::string vision_worker;
  std::int64_t vision_workers = 0;

  std::string test_clock_file;
};

struct ConfigKey {
  using Member = std::variant<std::string Config::*, std::int64_t Config::*, bool Config::*>;
  using Value = std::variant<std::string_view, std::int64_t, bool>;

  std::string_view name;  // "http.port"
  Member member;
  Value standard;  // the default
  bool is_path = false;
  std::int64_t least = std::numeric_limits<std::int64_t>::min();  // numbers
  std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
  std::span<const std::string_view> one_of = {};  // texts; empty: any
  std::string_view zh;
  std::string_view en;
};
std::span<const ConfigKey> config_keys();

using ConfigResult = tl::expected<Config, std::vector<Error>>;  // config_invalid, every problem found

// Defaults, then the file (JSON; none when empty), then `key=value` overrides.
ConfigResult load_config(const std::string& file, std::span<const std::string> overrides);
// The same from a text; `folder` is what its relative paths are relative to.
ConfigResult parse_config(std::string_view json, const std::string& folder, std::span<const std::string> overrides);

std::string config_page();  // Markdown

}  // namespace gridward::platform
