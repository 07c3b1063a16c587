#include "session.hpp"

namespace gridward::http {

void start_tls_session(Core& core, asio::ip::tcp::socket socket) {
  std::make_shared<Session<TlsStream>>(core, std::move(socket), *core.tls)->start();
}

}  // namespace gridward::http
