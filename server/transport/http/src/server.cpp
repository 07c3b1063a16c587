#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <future>
#include <gridward/http/decode.hpp>
#include <gridward/http/server.hpp>
#include <gridward/platform/log.hpp>
#include <thread>

#include "core.hpp"

namespace gridward::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace log = platform::log;
using asio::ip::tcp;

Response Core::handle(Request& request) const {
  try {
    return handler(request);
  } catch (const std::exception& e) {
    log::error("http_handler_failed", {{"method", to_string(request.method)}, {"what", e.what()}});
  } catch (...) {
    log::error("http_handler_failed", {{"method", to_string(request.method)}});
  }
  return problem({ErrorCode::internal, "", ""});
}

Result<void> to_request(BeastRequest& from, bool chunked, Request& to) {
  using beast::http::verb;
  switch (from.method()) {
    case verb::get:
      to.method = Method::get;
      break;
    case verb::head:
      to.method = Method::head;
      break;
    case verb::post:
      to.method = Method::post;
      break;
    case verb::put:
      to.method = Method::put;
      break;
    case verb::patch:
      to.method = Method::patch;
      break;
    case verb::delete_:
      to.method = Method::del;
      break;
    case verb::options:
      to.method = Method::options;
      break;
    default:
      to.method = Method::other;
      break;
  }
  // A length that a proxy in front may read in another way is how requests are smuggled.
  if (from.count(beast::http::field::transfer_encoding) > 0 && !chunked) {
    return fail(ErrorCode::malformed, "transfer-encoding", "only chunked");
  }
  if (from.version() == 11 && from.count(beast::http::field::host) != 1) {
    return fail(ErrorCode::malformed, "host", "needed once");
  }
  auto target = parse_target({from.target().data(), from.target().size()});
  if (!target) return tl::unexpected(target.error());
  to.segments = std::move(target->segments);
  to.query = std::move(target->query);
  for (const auto& field : from) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    to.headers.push_back({std::move(name), std::string(field.value())});
  }
  to.body = std::move(from.body());
  return {};
}

std::optional<Response> refusal(const boost::system::error_code& error, const ServerOptions& options) {
  namespace http = beast::http;
  if (error == http::error::header_limit) {
    return problem({ErrorCode::too_large, "header", "at most " + std::to_string(options.header_bytes) + " bytes"}, 431);
  }
  if (error == http::error::body_limit) {
    return problem({ErrorCode::too_large, "body", "at most " + std::to_string(options.body_bytes) + " bytes"});
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == http::make_error_code(http::error::bad_method).category()) {
    return problem({ErrorCode::malformed, "request", error.message()});
  }
  return std::nullopt;
}

struct Server::Impl {
  Impl(ServerOptions options, std::function<Response(Request&)> handler)
      : core(std::move(options), std::move(handler)) {}

  asio::awaitable<void> listen() {
    asio::steady_timer pause(core.io);
    while (!core.stopping) {
      boost::system::error_code failed;
      auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (core.stopping) break;
      if (failed) {
        // Out of file descriptors, most likely: the ones there are must end first.
        log::warn("http_accept_failed", {{"error", failed.message()}});
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
        continue;
      }
      if (core.connections >= core.options.max_connections) {
        if (refused++ % 1000 == 0) log::warn("http_too_many_connections", {{"limit", core.options.max_connections}});
        continue;  // the socket closes
      }
      if (core.tls) {
        start_tls_session(core, std::move(socket));
      } else {
        start_plain_session(core, std::move(socket));
      }
    }
  }

  Core core;
  tcp::acceptor acceptor{core.io};
  std::size_t refused = 0;
  std::thread thread;
  std::promise<void> ended;
};

Server::Server(ServerOptions options, std::function<Response(Request&)> handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

Result<std::uint16_t> Server::start() {
  auto& core = impl_->core;
  const auto& options = core.options;
  boost::system::error_code failed;
  if (!options.tls_cert.empty()) {
    auto& tls = core.tls.emplace(asio::ssl::context::tls_server);
    tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression);
    tls.use_certificate_chain_file(options.tls_cert, failed);
    if (failed) return fail(ErrorCode::config_invalid, "http.tls_cert", options.tls_cert + ": " + failed.message());
    tls.use_private_key_file(options.tls_key, asio::ssl::context::pem, failed);
    if (failed) return fail(ErrorCode::config_invalid, "http.tls_key", options.tls_key + ": " + failed.message());
  }
  const auto found = tcp::resolver(core.io).resolve(options.host, std::to_string(options.port), failed);
  if (failed || found.empty()) {
    return fail(ErrorCode::config_invalid, "http.host", options.host + ": " + failed.message());
  }
  const auto endpoint = found.begin()->endpoint();
  auto& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    return fail(ErrorCode::unavailable, "http.port",
                options.host + ":" + std::to_string(options.port) + ": " + failed.message());
  }
  const auto port = acceptor.local_endpoint().port();
  asio::co_spawn(core.io, impl_->listen(), asio::detached);
  impl_->thread = std::thread([this] {
    impl_->core.io.run();
    impl_->ended.set_value();
  });
  return port;
}

void Server::stop(std::chrono::milliseconds grace) {
  auto& core = impl_->core;
  if (impl_->thread.joinable()) {
    asio::post(core.io, [this] {
      auto& shared = impl_->core;
      shared.stopping = true;
      boost::system::error_code ignored;
      impl_->acceptor.close(ignored);
      const auto sessions = shared.sessions;
      for (auto* session : sessions) session->wind_down();
    });
    if (impl_->ended.get_future().wait_for(grace) != std::future_status::ready) {
      asio::post(core.io, [&core] {
        const auto sessions = core.sessions;
        for (auto* session : sessions) session->cut();
      });
    }
    impl_->thread.join();
  }
  core.pool.stop();
}

std::size_t Server::connections() const { return impl_->core.connections; }

}  // namespace gridward::http
