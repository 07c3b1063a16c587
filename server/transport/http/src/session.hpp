// One connection as a coroutine. Included by the translation unit of each kind of stream only.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <utility>

#include "core.hpp"
#include "response_head.hpp"

namespace gridward::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

// Runs `task` on a worker and comes back to the I/O thread; nothing when the workers' queue is full.
template <class T>
asio::awaitable<std::optional<T>> on_worker(Core& core, std::function<T()> task) {
  const auto initiate = [&core, &task](auto handler) {
    const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    // The guard keeps the I/O thread running until the answer is back.
    const auto guard = asio::make_work_guard(core.io);
    const bool taken = core.pool.try_post([shared, guard, task = std::move(task)] {
      auto result = std::make_shared<std::optional<T>>(task());
      asio::post(guard.get_executor(), [shared, result] { std::move (*shared)(std::move(*result)); });
    });
    if (!taken) asio::post(core.io, [shared] { std::move (*shared)(std::optional<T>()); });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::optional<T>)>(initiate,
                                                                                                 asio::use_awaitable);
}

template <class Stream>
class Session final : public SessionBase, public std::enable_shared_from_this<Session<Stream>> {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  template <class... Args>
  Session(Core& core, asio::ip::tcp::socket socket, Args&... args)
      : core_(core), stream_(std::move(socket), args...), wake_(core.io) {
    core_.sessions.insert(this);
    ++core_.connections;
  }
  ~Session() override {
    core_.sessions.erase(this);
    --core_.connections;
  }

  void start() { asio::co_spawn(core_.io, run(this->shared_from_this()), asio::detached); }

  void wind_down() override {
    if (streaming_) {
      wake_.cancel();
    } else if (!in_flight_) {
      cut();
    }
  }
  void cut() override {
    wake_.cancel();
    lowest().close();
  }

 private:
  using Parser = beast::http::request_parser<beast::http::string_body>;

  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

  // `self` keeps the session alive for as long as the coroutine runs.
  asio::awaitable<void> run(std::shared_ptr<Session> self) {
    boost::system::error_code failed;
    lowest().socket().set_option(asio::ip::tcp::no_delay(true), failed);
    const auto peer = lowest().socket().remote_endpoint(failed);
    if (!failed) peer_ = peer.address().to_string();
    if constexpr (kTls) {
      lowest().expires_after(core_.options.request_timeout);
      co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                       asio::redirect_error(asio::use_awaitable, failed));
      if (failed) co_return;
    }
    bool open = true;
    while (open && !core_.stopping) open = co_await one_request();
    static_cast<void>(self);
    lowest().close();
  }

  // Reads one request and answers it; false when the connection is over.
  asio::awaitable<bool> one_request() {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    if (buffer_.size() == 0) {
      lowest().expires_after(core_.options.idle_timeout);
      const auto n = co_await stream_.async_read_some(buffer_.prepare(4096), token);
      if (failed) co_return false;
      buffer_.commit(n);
    }
    // One deadline for the whole request: a client that sends a byte now and then must not hold a connection.
    lowest().expires_after(core_.options.request_timeout);
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(core_.options.header_bytes));
    parser.body_limit(core_.options.body_bytes);
    co_await beast::http::async_read_header(stream_, buffer_, parser, token);
    if (!failed && !parser.is_done()) {
      if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await asio::async_write(stream_, asio::buffer(kContinue), token);
      }
      if (!failed) co_await beast::http::async_read(stream_, buffer_, parser, token);
    }
    if (failed) {
      auto refused = refusal(failed, core_.options);
      if (refused) {
        co_await answer(std::move(*refused), false, false);
        co_await finish();
      }
      co_return false;
    }

    in_flight_ = true;
    bool keep_alive = parser.keep_alive();
    const bool head = parser.get().method() == beast::http::verb::head;
    auto request = std::make_shared<Request>();
    const auto readable = to_request(parser.get(), parser.chunked(), *request);
    std::optional<Response> response;
    request->peer = peer_;
    if (!readable) {
      response = problem(readable.error());
      keep_alive = false;
    } else {
      std::function<Response()> task = [&core = core_, request] { return core.handle(*request); };
      response = co_await on_worker<Response>(core_, std::move(task));
      if (!response) response = problem({ErrorCode::busy, "", "every worker is taken"});
    }
    if (const auto* events = std::get_if<std::shared_ptr<EventStream>>(&response->body); events != nullptr && !head) {
      const auto stream = *events;
      co_await stream_events(std::move(*response), stream);
      co_return false;
    }
    keep_alive = keep_alive && !core_.stopping;
    const bool sent = co_await answer(std::move(*response), head, keep_alive);
    in_flight_ = false;
    if (sent && !keep_alive) co_await finish();
    co_return sent&& keep_alive;
  }

  asio::awaitable<bool> answer(Response response, bool head_only, bool keep_alive) {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    HeadOptions options;
    options.keep_alive = keep_alive;
    options.tls = kTls;
    options.date = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::string_view text;
    std::shared_ptr<File> file;
    if (const auto* own = std::get_if<std::string>(&response.body)) {
      text = *own;
    } else if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body)) {
      text = **shared;
    } else if (const auto* opened = std::get_if<std::shared_ptr<File>>(&response.body)) {
      file = *opened;
    }
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) options.content_length = file ? file->size() : text.size();
    auto head = response_head(response, options);
    if (head_only || !has_body) text = {};

    // A small answer is one packet and one TLS record. A larger body has a write of its own: given as two buffers,
    // Boost 1.81 sends only the head through a TLS stream when the body is over 16 KiB, and reports success.
    constexpr std::size_t kTogether = 16 * 1024;
    if (text.size() <= kTogether) {
      head += text;
      text = {};
    }
    lowest().expires_after(core_.options.request_timeout);
    co_await asio::async_write(stream_, asio::buffer(head), token);
    if (!failed && !text.empty()) co_await asio::async_write(stream_, asio::buffer(text), token);
    if (failed) co_return false;
    if (!file || head_only || !has_body) co_return true;

    constexpr std::size_t kChunk = 128 * 1024;
    const auto chunk = std::make_shared<std::vector<char>>(std::min<std::uint64_t>(kChunk, file->size()));
    for (std::uint64_t offset = 0; offset < file->size();) {
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(chunk->size(), file->size() - offset));
      std::function<std::size_t()> task = [file, chunk, offset, want] {
        return file->read_at(offset, chunk->data(), want).value_or(0);
      };
      auto got = co_await on_worker<std::size_t>(core_, task);
      if (!got) got = task();             // the head is out: better to wait for the disk than to cut the answer
      if (*got != want) co_return false;  // it became shorter; the client sees that bytes are missing
      lowest().expires_after(core_.options.request_timeout);
      co_await asio::async_write(stream_, asio::buffer(chunk->data(), want), token);
      if (failed) co_return false;
      offset += want;
    }
    co_return true;
  }

  // Ends with the connection: the length of the answer is not known.
  asio::awaitable<void> stream_events(Response response, std::shared_ptr<EventStream> events) {
    if (core_.streams >= core_.options.max_streams) {
      // Not in the co_await's own expression: g++ 12 destroys such temporaries twice.
      auto refused = problem({ErrorCode::busy, "", "too many open pages"});
      co_await answer(std::move(refused), false, false);
      in_flight_ = false;
      co_return;
    }
    ++core_.streams;
    streaming_ = true;
    response.body = std::string();
    HeadOptions options;
    options.keep_alive = false;
    options.tls = kTls;
    options.date = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    auto text = response_head(response, options) + "retry: 2000\n\n";

    lowest().expires_never();
    asio::co_spawn(core_.io, watch_peer(this->shared_from_this()), asio::detached);
    const auto self = this->shared_from_this();
    events->on_ready([self] {
      asio::post(self->core_.io, [self] {
        self->ready_ = true;
        self->wake_.cancel();
      });
    });
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    auto next_tick = std::chrono::steady_clock::now() + core_.options.stream_tick;
    while (!core_.stopping && !peer_gone_) {
      if (!text.empty()) {
        lowest().expires_after(core_.options.request_timeout);
        co_await asio::async_write(stream_, asio::buffer(text), token);
        if (failed) break;
        text.clear();
      }
      if (!ready_) {
        wake_.expires_at(next_tick);
        co_await wake_.async_wait(token);  // cancelled when there is something to do
      }
      if (core_.stopping || peer_gone_) break;
      if (std::exchange(ready_, false)) text = events->take();
      if (std::chrono::steady_clock::now() >= next_tick) {
        next_tick = std::chrono::steady_clock::now() + core_.options.stream_tick;
        std::function<bool()> task = [events] { return events->still_allowed(); };
        const auto allowed = co_await on_worker<bool>(core_, std::move(task));
        if (allowed && !*allowed) break;
        text += ":\n\n";
      }
    }
    events->on_ready(nullptr);
    streaming_ = false;
    in_flight_ = false;
    --core_.streams;
    lowest().close();
  }

  // A page that is closed sends nothing more; reading is how we hear of it.
  asio::awaitable<void> watch_peer(std::shared_ptr<Session> self) {
    std::array<char, 256> ignored;
    boost::system::error_code failed;
    std::size_t total = 0;
    while (!failed && total < 64 * 1024) {
      total += co_await self->stream_.async_read_some(asio::buffer(ignored),
                                                      asio::redirect_error(asio::use_awaitable, failed));
    }
    self->peer_gone_ = true;
    self->wake_.cancel();
  }

  // Closes so that the client gets the whole answer: closing with unread bytes would reset the connection under it.
  asio::awaitable<void> finish() {
    constexpr std::chrono::seconds kLinger{2};
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    lowest().expires_after(kLinger);
    if constexpr (kTls) {
      co_await stream_.async_shutdown(token);
      failed = {};
    }
    lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, failed);
    std::array<char, 4096> ignored;
    std::size_t total = 0;
    while (!failed && !core_.stopping && total < 1024 * 1024) {
      total += co_await lowest().async_read_some(asio::buffer(ignored), token);
    }
    lowest().close();
  }

  Core& core_;
  Stream stream_;
  asio::steady_timer wake_;
  beast::flat_buffer buffer_;
  std::string peer_;
  bool in_flight_ = false;  // a whole request was read and is not answered yet
  bool streaming_ = false;
  bool ready_ = false;
  bool peer_gone_ = false;
};

}  // namespace gridward::http
