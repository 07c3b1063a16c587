#include "session.hpp"

namespace gridward::http {

void start_plain_session(Core& core, asio::ip::tcp::socket socket) {
  std::make_shared<Session<PlainStream>>(core, std::move(socket))->start();
}

}  // namespace gridward::http
