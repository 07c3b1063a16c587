#include "no_delay.hpp"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdlib>

namespace gridward::mqtt {
namespace {

int port_of(std::string_view uri) {
  const auto scheme = uri.find("://");
  const bool secure = uri.starts_with("ssl://") || uri.starts_with("mqtts://");
  const auto colon = uri.rfind(':');
  // "tcp://[::1]" ends in a bracket: what follows its last colon is no port.
  if (scheme == std::string_view::npos || colon <= scheme || uri.back() == ']') return secure ? 8883 : 1883;
  int port = 0;
  std::from_chars(uri.data() + colon + 1, uri.data() + uri.size(), port);
  return port;
}

int peer_port(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return -1;
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port);
  if (peer.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port);
  return -1;
}

}  // namespace

int set_no_delay(std::string_view uri) noexcept {
  const int port = port_of(uri);
  int found = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  while (const dirent* entry = ::readdir(folder)) {
    char* end = nullptr;
    const long fd = std::strtol(entry->d_name, &end, 10);
    if (end == entry->d_name || peer_port(static_cast<int>(fd)) != port) continue;
    const int on = 1;
    if (::setsockopt(static_cast<int>(fd), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) ++found;
  }
  ::closedir(folder);
  return found;
}

}  // namespace gridward::mqtt
