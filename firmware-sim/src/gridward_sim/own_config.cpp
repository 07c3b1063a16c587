#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <gridward_sim/own_config.hpp>
#include <gridward_sim/reader.hpp>

namespace gridward::sim {
namespace {

constexpr std::uintmax_t kMaxConfigBytes = 64 << 10;  // the library's own limit

struct Broker {
  std::string before;  // "ssl://localhost:"
  std::uint16_t port = 0;
};

Result<Broker> broker_of(const nlohmann::json& json, const std::filesystem::path& config) {
  const auto found = json.find("broker");
  const auto uri = found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  const auto scheme = uri.find("://");
  const auto colon = uri.rfind(':');
  Broker broker;
  if (scheme != std::string::npos && colon > scheme) {
    const auto host = uri.substr(scheme + 3, colon - scheme - 3);
    const auto* end = uri.data() + uri.size();
    const auto read = std::from_chars(uri.data() + colon + 1, end, broker.port);
    broker.before = uri.substr(0, colon + 1);
    if (read.ec == std::errc{} && read.ptr == end && (host == "localhost" || host == "127.0.0.1")) return broker;
  }
  return fail(ErrorCode::config_invalid, config.string() + ": broker",
              "'" + uri + "' is not on localhost with its port, and a link of a scenario needs that");
}

}  // namespace

Result<std::uint16_t> broker_port(const std::filesystem::path& config) {
  const auto json = load_json(config, kMaxConfigBytes);
  if (!json) return tl::unexpected(json.error());
  const auto broker = broker_of(*json, config);
  if (!broker) return tl::unexpected(broker.error());
  return broker->port;
}

Result<void> write_config(const std::filesystem::path& config, const Circumstances& circumstances,
                          std::uint16_t link_port, const std::filesystem::path& to) {
  auto json = load_json(config, kMaxConfigBytes);
  if (!json) return tl::unexpected(json.error());
  const auto folder = std::filesystem::absolute(config).parent_path();
  for (const char* key : {"data_dir", "key_file", "ca_file"}) {
    const auto found = json->find(key);
    if (found == json->end() || !found->is_string() || found->get<std::string>().empty()) continue;
    *found = (folder / found->get<std::string>()).string();  // an absolute one stays as it is
  }
  if (link_port != 0) {
    const auto broker = broker_of(*json, config);
    if (!broker) return tl::unexpected(broker.error());
    (*json)["broker"] = broker->before + std::to_string(link_port);
  }
  if (circumstances.outbox_bytes) (*json)["outbox_bytes"] = *circumstances.outbox_bytes;
  if (circumstances.min_free_bytes) (*json)["min_free_bytes"] = *circumstances.min_free_bytes;
  const auto text = json->dump();
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) ::close(fd);
  if (!written) return fail(ErrorCode::storage_failed, to.string(), std::strerror(errno));
  return {};
}

}  // namespace gridward::sim
