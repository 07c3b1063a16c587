#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <gridward/platform/config.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace gridward::platform {
namespace {

using nlohmann::json;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
constexpr std::array<std::string_view, 4> kLogLevels{"debug", "info", "warn", "error"};

const ConfigKey kKeys[] = {
    {.name = "data_dir",
     .member = &Config::data_dir,
     .standard = "data",
     .is_path = true,
     .zh = "数据目录：数据库与照片",
     .en = "Folder of the database and the photos"},
    {.name = "log.level",
     .member = &Config::log_level,
     .standard = "info",
     .one_of = kLogLevels,
     .zh = "日志最低级别",
     .en = "Lowest level of log lines that are written"},
    {.name = "policy.file",
     .member = &Config::policy_file,
     .standard = "server/profiles/binhai.json",
     .is_path = true,
     .zh = "本地制度文件（时限、类别、日历）",
     .en = "Profile of the county: limits, matter list, calendar"},
    {.name = "database.url",
     .member = &Config::database_url,
     .standard = "",
     .zh = "数据库；留空即数据目录下的 SQLite（sqlite:///路径 或 postgresql://…）",
     .en = "Database: sqlite:///path or postgresql://user@host/name; empty: SQLite in the data folder"},
    {.name = "store.queue_limit",
     .member = &Config::store_queue_limit,
     .standard = 4096,
     .least = 1,
     .greatest = 1'000'000,
     .zh = "等待提交的写入上限，超过即答复繁忙",
     .en = "Writes that may wait for a commit; beyond it callers hear busy"},
    {.name = "store.queue_bytes",
     .member = &Config::store_queue_bytes,
     .standard = 64 * 1024 * 1024,
     .least = 1024 * 1024,
     .greatest = 64LL * 1024 * 1024 * 1024,
     .zh = "等待及正在提交的写入所占内存上限（字节），超过即答复繁忙",
     .en = "Memory that writes waiting for or in a commit may hold, in bytes; beyond it callers hear busy"},
    {.name = "store.batch_limit",
     .member = &Config::store_batch_limit,
     .standard = 256,
     .least = 1,
     .greatest = 10'000,
     .zh = "一次提交最多包含的写入",
     .en = "Writes taken into one commit at most"},
    {.name = "store.readers",
     .member = &Config::store_readers,
     .standard = 4,
     .least = 1,
     .greatest = 64,
     .zh = "读连接数",
     .en = "Connections for reading"},
    {.name = "http.host",
     .member = &Config::http_host,
     .standard = "127.0.0.1",
     .zh = "监听地址",
     .en = "Address to listen on"},
    {.name = "http.port",
     .member = &Config::http_port,
     .standard = 8080,
     .least = 0,
     .greatest = 65535,
     .zh = "监听端口；0 为任选空闲端口",
     .en = "Port to listen on; 0: any free one"},
    {.name = "http.tls_cert",
     .member = &Config::http_tls_cert,
     .standard = "",
     .is_path = true,
     .zh = "证书链（PEM）；与私钥一起启用 HTTPS",
     .en = "Certificate chain (PEM); with the key it turns HTTPS on"},
    {.name = "http.tls_key",
     .member = &Config::http_tls_key,
     .standard = "",
     .is_path = true,
     .zh = "证书私钥（PEM）",
     .en = "Private key of the certificate (PEM)"},
    {.name = "http.secure_cookie",
     .member = &Config::http_secure_cookie,
     .standard = false,
     .zh = "由前置代理提供 HTTPS 时设为 true；自身启用 HTTPS 时总是如此",
     .en = "Set it when a proxy in front speaks HTTPS; with our own HTTPS it is always so"},
    {.name = "http.proxy",
     .member = &Config::http_proxy,
     .standard = "",
     .zh = "前置代理的 IP 地址，只采信它给出的 X-Forwarded-For；留空即无代理",
     .en = "IP address of the proxy in front; only its X-Forwarded-For is believed; empty: none"},
    {.name = "http.web_dir",
     .member = &Config::http_web_dir,
     .standard = "",
     .is_path = true,
     .zh = "网页文件目录；留空则只提供接口。启动时读入内存",
     .en = "Folder of the web pages, read into memory at the start; empty: the API only"},
    {.name = "http.workers",
     .member = &Config::http_workers,
     .standard = 4,
     .least = 1,
     .greatest = 256,
     .zh = "处理请求的线程数",
     .en = "Threads that answer requests"},
    {.name = "http.max_connections",
     .member = &Config::http_max_connections,
     .standard = 1024,
     .least = 1,
     .greatest = 100'000,
     .zh = "同时连接上限，其中至多一半用于实时推送",
     .en = "Connections at a time; at most half of them for the live push"},
    {.name = "mqtt.uri",
     .member = &Config::mqtt_uri,
     .standard = "tcp://127.0.0.1:1883",
     .zh = "MQTT 5 代理地址（tcp://、ssl://）；留空则不接终端",
     .en = "MQTT 5 broker (tcp://, ssl://); empty: no handhelds"},
    {.name = "mqtt.ca",
     .member = &Config::mqtt_ca,
     .standard = "",
     .is_path = true,
     .zh = "验证代理证书的 CA（PEM）",
     .en = "CA that the broker's certificate is checked with (PEM)"},
    {.name = "mqtt.user", .member = &Config::mqtt_user, .standard = "", .zh = "代理账号", .en = "Login at the broker"},
    {.name = "mqtt.password_file",
     .member = &Config::mqtt_password_file,
     .standard = "",
     .is_path = true,
     .zh = "代理密码所在文件（首行）",
     .en = "File whose first line is the password at the broker"},
    {.name = "mqtt.client_id",
     .member = &Config::mqtt_client_id,
     .standard = "gridward-server",
     .zh = "代理上的客户端标识；每个服务进程须不同",
     .en = "Client id at the broker; another for each server process"},
    {.name = "mqtt.resend_s",
     .member = &Config::mqtt_resend_s,
     .standard = 30,
     .least = 1,
     .greatest = 3600,
     .zh = "下行任务、通知等未获终端确认时，隔多少秒重发",
     .en = "Seconds after which a task or notice that a handheld has not acknowledged is sent again"},
    {.name = "vision.worker",
     .member = &Config::vision_worker,
     .standard = "",
     .is_path = true,
     .zh = "照片处理程序；留空即随本程序构建或安装的 gridward-vision-worker",
     .en = "Program that decodes photos; empty: the gridward-vision-worker that was built or installed with this "
           "program"},
    {.name = "vision.workers",
     .member = &Config::vision_workers,
     .standard = 1,
     .least = 1,
     .greatest = 64,
     .zh = "照片处理进程数",
     .en = "Photo processes"},
    {.name = "test_clock_file",
     .member = &Config::test_clock_file,
     .standard = "",
     .is_path = true,
     .zh = "仅供测试：文件中写有服务器时钟应移动的毫秒数；正式版本拒绝此项",
     .en = "For tests only: a file with the milliseconds by which the server's clock is moved; a release build refuses "
           "it"},
};

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

const ConfigKey* find_key(std::string_view name) {
  const auto* found = std::ranges::find(kKeys, name, &ConfigKey::name);
  return found == std::end(kKeys) ? nullptr : found;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto change = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

class Loader {
 public:
  Config config;
  std::vector<Error> problems;

  Loader() {
    for (const auto& key : kKeys) {
      if (const auto* text = std::get_if<std::string_view>(&key.standard)) {
        config.*std::get<std::string Config::*>(key.member) = std::string(*text);
      } else if (const auto* number = std::get_if<std::int64_t>(&key.standard)) {
        config.*std::get<std::int64_t Config::*>(key.member) = *number;
      } else {
        config.*std::get<bool Config::*>(key.member) = std::get<bool>(key.standard);
      }
    }
  }

  void file(std::string_view text, const std::string& folder) {
    json document;
    try {
      document = json::parse(text, nullptr, true, true);
    } catch (const json::exception& e) {
      problem("", e.what());
      return;
    }
    if (!document.is_object()) {
      problem("", "not a JSON object");
      return;
    }
    object("", document, folder);
  }

  void override_with(std::string_view assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos) {
      problem(std::string(assignment), "no value; write --set key=value");
      return;
    }
    const auto name = assignment.substr(0, equals);
    const auto value = assignment.substr(equals + 1);
    const auto* key = known(name);
    if (key == nullptr) return;
    if (std::holds_alternative<std::string_view>(key->standard)) {
      set_text(*key, value, {});
    } else if (std::holds_alternative<bool>(key->standard)) {
      if (value == "true" || value == "false") {
        config.*std::get<bool Config::*>(key->member) = value == "true";
      } else {
        problem(std::string(name), quoted(value) + ", true or false");
      }
    } else {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc{} || end != value.data() + value.size()) {
        problem(std::string(name), quoted(value) + " is not a whole number");
      } else {
        set_number(*key, number);
      }
    }
  }

  void together() {
    if (config.http_tls_cert.empty() != config.http_tls_key.empty()) {
      problem(config.http_tls_cert.empty() ? "http.tls_cert" : "http.tls_key",
              "empty, but http.tls_cert and http.tls_key go together");
    }
  }

 private:
  void problem(std::string key, std::string detail) {
    problems.push_back({ErrorCode::config_invalid, std::move(key), std::move(detail)});
  }

  const ConfigKey* known(std::string_view name) {
    if (const auto* key = find_key(name)) return key;
    const auto* nearest =
        std::ranges::min_element(kKeys, {}, [name](const ConfigKey& key) { return edit_distance(name, key.name); });
    std::string detail = "no such key";
    if (edit_distance(name, nearest->name) <= 3) detail += "; did you mean " + std::string(nearest->name) + "?";
    problem(std::string(name), std::move(detail));
    return nullptr;
  }

  void object(const std::string& prefix, const json& values, const std::string& folder) {
    for (const auto& [name, value] : values.items()) {
      const auto full = prefix.empty() ? name : prefix + "." + name;
      if (value.is_object()) {
        const bool section =
            std::ranges::any_of(kKeys, [&](const ConfigKey& key) { return key.name.starts_with(full + "."); });
        if (section) {
          object(full, value, folder);
        } else {
          known(full);
        }
        continue;
      }
      const auto* key = known(full);
      if (key == nullptr) continue;
      if (std::holds_alternative<std::string_view>(key->standard)) {
        if (value.is_string()) {
          set_text(*key, value.get_ref<const std::string&>(), folder);
        } else {
          problem(full, value.dump() + " is not a text");
        }
      } else if (std::holds_alternative<bool>(key->standard)) {
        if (value.is_boolean()) {
          config.*std::get<bool Config::*>(key->member) = value.get<bool>();
        } else {
          problem(full, value.dump() + ", true or false");
        }
      } else if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(kNoLimit)) {
        problem(full, value.dump() + ", at most " + std::to_string(key->greatest));
      } else if (value.is_number_integer()) {
        set_number(*key, value.get<std::int64_t>());
      } else {
        problem(full, value.dump() + " is not a whole number");
      }
    }
  }

  void set_text(const ConfigKey& key, std::string_view value, const std::string& folder) {
    if (!key.one_of.empty() && std::ranges::find(key.one_of, value) == key.one_of.end()) {
      std::string detail = quoted(value) + ", one of";
      for (const auto& choice : key.one_of) detail += " " + std::string(choice);
      problem(std::string(key.name), std::move(detail));
      return;
    }
    std::string text(value);
    if (key.is_path && !text.empty() && !folder.empty()) text = (std::filesystem::path(folder) / text).string();
    config.*std::get<std::string Config::*>(key.member) = std::move(text);
  }

  void set_number(const ConfigKey& key, std::int64_t number) {
    if (number < key.least) {
      problem(std::string(key.name), std::to_string(number) + ", at least " + std::to_string(key.least));
    } else if (number > key.greatest) {
      problem(std::string(key.name), std::to_string(number) + ", at most " + std::to_string(key.greatest));
    } else {
      config.*std::get<std::int64_t Config::*>(key.member) = number;
    }
  }
};

ConfigResult finish(Loader& loader, std::span<const std::string> overrides) {
  for (const auto& assignment : overrides) loader.override_with(assignment);
  if (loader.problems.empty()) loader.together();
  if (!loader.problems.empty()) return tl::unexpected(std::move(loader.problems));
  return std::move(loader.config);
}

std::string constraint_text(const ConfigKey& key) {
  if (std::holds_alternative<bool>(key.standard)) return "true, false";
  if (std::holds_alternative<std::int64_t>(key.standard)) {
    return std::to_string(key.least) + " … " + std::to_string(key.greatest);
  }
  std::string text;
  for (const auto& choice : key.one_of) text += (text.empty() ? "" : ", ") + std::string(choice);
  return text;
}

std::string standard_text(const ConfigKey& key) {
  if (const auto* text = std::get_if<std::string_view>(&key.standard)) {
    return text->empty() ? std::string() : "`" + std::string(*text) + "`";
  }
  if (const auto* number = std::get_if<std::int64_t>(&key.standard)) return "`" + std::to_string(*number) + "`";
  return std::get<bool>(key.standard) ? "`true`" : "`false`";
}

std::string_view type_text(const ConfigKey& key) {
  if (key.is_path) return "path";
  constexpr std::array<std::string_view, 3> kNames{"text", "number", "flag"};
  return kNames.at(key.standard.index());
}

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }

ConfigResult parse_config(std::string_view text, const std::string& folder, std::span<const std::string> overrides) {
  Loader loader;
  loader.file(text, folder);
  return finish(loader, overrides);
}

ConfigResult load_config(const std::string& file, std::span<const std::string> overrides) {
  if (file.empty()) {
    Loader loader;
    return finish(loader, overrides);
  }
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || !text) {
    return tl::unexpected(std::vector<Error>{{ErrorCode::config_invalid, file, "the file cannot be read"}});
  }
  auto result = parse_config(text.str(), std::filesystem::path(file).parent_path().string(), overrides);
  if (!result) {
    for (auto& problem : result.error()) {
      if (problem.field.empty()) problem.field = file;
    }
  }
  return result;
}

std::string config_page() {
  std::string page =
      "# Configuration 配置\n"
      "\n"
      "Printed by `gridward-server config doc` from the table in `server/platform/src/config.cpp`; do not edit it.\n"
      "\n"
      "One JSON file (`--config FILE`; comments allowed), nested or with dotted keys: `{\"http\": {\"port\": 8080}}` "
      "and\n"
      "`{\"http.port\": 8080}` are the same. `--set key=value` comes after the file. A path in the file is relative to "
      "the\n"
      "file's folder, one in `--set` or a default to the working directory. `gridward-server config check` tries a "
      "file.\n"
      "\n"
      "| key | type | default | allowed | 说明 | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const auto& key : kKeys) {
    page += "| `" + std::string(key.name) + "` | " + std::string(type_text(key)) + " | " + standard_text(key) + " | " +
            constraint_text(key) + " | " + std::string(key.zh) + " | " + std::string(key.en) + " |\n";
  }
  return page;
}

}  // namespace gridward::platform
