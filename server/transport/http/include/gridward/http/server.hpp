// HTTP/1.1 over TCP or TLS. One I/O thread; handlers run on the server's own worker threads and may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <gridward/http/message.hpp>
#include <memory>
#include <string>

namespace gridward::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name that resolves to one
  std::uint16_t port = 0;          // 0: a free one
  std::string tls_cert;            // PEM files; both or none
  std::string tls_key;
  std::size_t workers = 4;
  std::size_t worker_queue = 256;  // requests that may wait for a worker; beyond it 503
  std::size_t max_connections = 1024;
  std::size_t max_streams = 512;
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 64 * 1024;
  std::chrono::milliseconds request_timeout{30'000};  // from a request's first byte to its last, and for each write
  std::chrono::milliseconds idle_timeout{60'000};     // between requests
  std::chrono::milliseconds stream_tick{15'000};      // a comment on a quiet stream, and a look whether it is allowed
};

class Server {
 public:
  Server(ServerOptions options, std::function<Response(Request&)> handler);
  ~Server();  // stop() with no grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens; the port. Errors: config_invalid (certificate, key, address), unavailable (the port is taken).
  Result<std::uint16_t> start();
  // Listens no more, ends idle connections and streams, lets requests that were taken end within `grace`, then cuts
  // them. Waits for handlers that are running. Not from a handler.
  void stop(std::chrono::milliseconds grace);

  std::size_t connections() const;  // thread-safe

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gridward::http
