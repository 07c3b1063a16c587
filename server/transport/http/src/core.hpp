// What the connections of one server share. Everything but `handle` and `connections` belongs to the I/O thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <gridward/http/server.hpp>
#include <gridward/platform/worker_pool.hpp>
#include <optional>
#include <set>

namespace gridward::http {

class SessionBase {
 public:
  virtual ~SessionBase() = default;
  virtual void wind_down() = 0;  // ends it unless a request is being answered; then after that
  virtual void cut() = 0;
};

struct Core {
  Core(ServerOptions o, std::function<Response(Request&)> h)
      : options(std::move(o)), handler(std::move(h)), pool(options.workers, options.worker_queue) {}

  Response handle(Request& request) const;  // on a worker; never throws

  const ServerOptions options;
  const std::function<Response(Request&)> handler;
  boost::asio::io_context io{1};
  std::optional<boost::asio::ssl::context> tls;
  bool stopping = false;
  std::set<SessionBase*> sessions;
  std::size_t streams = 0;
  std::atomic<std::size_t> connections{0};
  platform::WorkerPool pool;  // last: its threads end before the rest goes
};

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;
Result<void> to_request(BeastRequest& from, bool chunked, Request& to);
// What to tell a client whose request could not be read; nothing when there is nobody to tell.
std::optional<Response> refusal(const boost::system::error_code& error, const ServerOptions& options);

void start_plain_session(Core& core, boost::asio::ip::tcp::socket socket);
void start_tls_session(Core& core, boost::asio::ip::tcp::socket socket);

}  // namespace gridward::http
