#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <gridward/http/decode.hpp>
#include <gridward/http/live.hpp>
#include <gridward/http/router.hpp>
#include <gridward/http/server.hpp>
#include <gridward/http/static_files.hpp>
#include <gridward/test/process.hpp>
#include <latch>

#include "raw_client.hpp"

namespace gridward::http {
namespace {

using namespace std::chrono_literals;
using test::RawClient;

ServerOptions quick() {
  ServerOptions options;
  options.request_timeout = 300ms;
  options.idle_timeout = 600ms;
  options.stream_tick = 100ms;
  return options;
}

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    router.add(Method::get, "/hello", [](const Request&) {
      Response response;
      response.set("Content-Type", "text/plain");
      response.body = std::string("hello");
      return response;
    });
    router.add(Method::post, "/echo", [](const Request& request) {
      Response response;
      response.body = request.body;
      return response;
    });
    router.add(Method::get, "/header", [](const Request& request) {
      Response response;
      response.set("X-Seen", std::string(request.query_value("v").value_or("")) + "\r\nX-Injected: 1");
      response.status = 204;
      return response;
    });
    router.add(Method::get, "/peer", [](const Request& request) {
      Response response;
      response.body = request.peer + " " + std::string(request.last_header("x-forwarded-for"));
      return response;
    });
    router.add(Method::get, "/throw", [](const Request&) -> Response { throw std::runtime_error("a bug"); });
    router.add(Method::get, "/wait", [this](const Request&) {
      ++waiting;
      go.wait();
      Response response;
      response.body = std::string("waited");
      return response;
    });
    router.add(Method::get, "/file", [this](const Request&) {
      Response response;
      response.body = File::open((dir / "file").string()).value();
      return response;
    });
    router.add(Method::get, "/live", [this](const Request&) {
      Response response;
      response.set("Content-Type", "text/event-stream");
      response.body = hub.open({"x", "X", domain::Role::leader, "1", "1"}, [this] { return allowed.load(); });
      return response;
    });
    server = std::make_unique<Server>(std::move(options), [this](Request& request) { return router.handle(request); });
    port = server->start().value();
  }
  RawClient::Answer get(std::string_view path) {
    RawClient client(port);
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.read_answer();
  }

  test::TempDir dir;
  Router router;
  LiveHub hub{8};
  std::atomic<bool> allowed{true};
  std::atomic<int> waiting{0};
  std::latch go{1};
  std::uint16_t port = 0;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AnswersWithSecurityHeaders) {
  start();
  const auto answer = get("/hello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Content-Type"), "text/plain");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.header("X-Frame-Options"), "DENY");
  EXPECT_NE(answer.header("Content-Security-Policy").find("default-src 'self'"), std::string::npos);
  EXPECT_EQ(answer.header("Date").size(), 29U);
  EXPECT_EQ(answer.header("Strict-Transport-Security"), "");
}

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  start();
  RawClient client(port);
  for (int i = 0; i < 5; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n" + std::to_string(i));
    EXPECT_EQ(client.read_answer().body, std::to_string(i));
  }
  EXPECT_EQ(server->connections(), 1U);
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read_answer().header("Connection"), "close");
  EXPECT_TRUE(client.closed_within(5s));
}

TEST_F(ServerTest, ARequestKnowsItsPeer) {
  start();
  RawClient client(port);
  for (int i = 0; i < 2; ++i) {
    client.send("GET /peer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "127.0.0.1 2.2.2.2");
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawClient client(port);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const auto body = std::to_string(i);
    all += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  client.send(all);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read_answer().body, std::to_string(i));
}

TEST_F(ServerTest, RequestsMayComeByteByByte) {
  start();
  RawClient client(port);
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")) {
    ASSERT_TRUE(client.send({&c, 1}));
  }
  EXPECT_EQ(client.read_answer().body, "abc");
}

TEST_F(ServerTest, ChunkedBodiesAndOldClientsAreUnderstood) {
  start();
  RawClient client(port);
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "abcde");
  RawClient old(port);
  old.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read_answer().body, "hello");
  EXPECT_TRUE(old.closed_within(5s));
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  start();
  RawClient client(port);
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read_answer(true).header("Content-Length"), "5");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST_F(ServerTest, ExpectationsAreMetBeforeTheBody) {
  start();
  RawClient client(port);
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read_answer().body, "abc");
}

TEST_F(ServerTest, WhatCannotBeReadIs400AndEndsTheConnection) {
  start();
  for (const char* text :
       {"nonsense\r\n\r\n", "GET /hello HTTP/9.9\r\nHost: x\r\n\r\n", "GET /hello\r\n\r\n", "G\x01T / HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n", "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /a\x01 HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    RawClient client(port);
    client.send(text);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 400) << text;
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << text;
    client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.closed_within(5s)) << text;
  }
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(ServerTest, TraversalIsRefusedBeforeAnyHandler) {
  start();
  for (const char* path : {"/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/assets/..%5c..%5cx",
                           "/hello/../hello", "/%00", "/hello%"}) {
    EXPECT_EQ(get(path).status, 400) << path;
  }
}

TEST_F(ServerTest, LargeHeadersAre431) {
  start();
  RawClient fits(port);
  fits.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(15 * 1024, 'a') + "\r\n\r\n");
  EXPECT_EQ(fits.read_answer().status, 200);
  RawClient client(port);
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(17 * 1024, 'a') + "\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 431);
  EXPECT_TRUE(client.closed_within(5s));
  RawClient line(port);
  line.send("GET /" + std::string(100 * 1024, 'a'));
  EXPECT_EQ(line.read_answer().status, 431);
}

TEST_F(ServerTest, LargeBodiesAre413HoweverTheyCome) {
  start();
  const std::string most(64 * 1024, 'b');
  RawClient fits(port);
  fits.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + most);
  EXPECT_EQ(fits.read_answer().body.size(), most.size());

  RawClient announced(port);
  announced.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n");
  EXPECT_EQ(announced.read_answer().status, 413);

  RawClient chunked(port);
  chunked.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 9; ++i) chunked.send("2000\r\n" + std::string(0x2000, 'b') + "\r\n");
  EXPECT_EQ(chunked.read_answer().status, 413);

  // The client is still sending when it is refused: it must be able to read why.
  RawClient pushing(port);
  pushing.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n" + std::string(400'000, 'b'));
  EXPECT_EQ(pushing.read_answer().status, 413);
}

TEST_F(ServerTest, SlowRequestsAreCut) {
  start(quick());
  RawClient client(port);
  client.send("GET /hello HTTP/1.1\r\n");
  const auto begin = std::chrono::steady_clock::now();
  std::thread drip([&] {
    for (int i = 0; i < 500 && client.send("X: 1\r\n"); ++i) std::this_thread::sleep_for(20ms);
  });
  EXPECT_TRUE(client.closed_within(8s));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);  // the drip would have gone on for 10
  drip.join();

  RawClient body(port);
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(body.closed_within(5s));
}

TEST_F(ServerTest, IdleConnectionsAreClosed) {
  start(quick());
  RawClient silent(port);
  RawClient used(port);
  used.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_TRUE(used.closed_within(5s));
  EXPECT_TRUE(silent.closed_within(5s));
  EXPECT_TRUE(test::wait_until([&] { return server->connections() == 0; }));
}

TEST_F(ServerTest, AClientThatDoesNotReadIsCut) {
  test::write_file(dir / "file", std::string(32 * 1024 * 1024, 'f'));
  start(quick());
  RawClient client(port, 4096);
  client.send("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(test::wait_until([&] { return server->connections() == 1; }));
  EXPECT_TRUE(test::wait_until([&] { return server->connections() == 0; }));
}

TEST_F(ServerTest, ConnectionsAreLimited) {
  auto options = quick();
  options.max_connections = 3;
  options.idle_timeout = 10s;
  start(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<RawClient>(port));
  ASSERT_TRUE(test::wait_until([&] { return server->connections() == 3; }));
  RawClient fourth(port);
  EXPECT_TRUE(fourth.closed_within(5s));
  clients.pop_back();
  ASSERT_TRUE(test::wait_until([&] { return server->connections() == 2; }));
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(ServerTest, ABusyPoolSaysSo) {
  ServerOptions options;
  options.workers = 1;
  options.worker_queue = 1;
  start(options);
  RawClient first(port);
  RawClient second(port);
  first.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(test::wait_until([&] { return waiting == 1; }));
  second.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  // The second waits in the queue once a third is refused.
  ASSERT_TRUE(test::wait_until([&] {
    RawClient third(port);
    third.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = third.read_until("\r\n\r\n", 100ms);
    return head.starts_with("HTTP/1.1 503") && head.find("Retry-After: 1") != std::string::npos;
  }));
  go.count_down();
  EXPECT_EQ(first.read_answer().body, "waited");
}

TEST_F(ServerTest, ABugInAHandlerIs500AndNothingMore) {
  start();
  const auto answer = get("/throw");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("a bug"), std::string::npos);
  EXPECT_EQ(get("/hello").status, 200);
}

TEST_F(ServerTest, HeadersCannotBeInjected) {
  start();
  const auto answer = get("/header?v=1");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("X-Injected"), "");
  EXPECT_EQ(answer.header("Content-Length"), "");
}

TEST_F(ServerTest, FilesAreSentWhole) {
  std::string bytes(1'000'003, ' ');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>('a' + i % 23);
  test::write_file(dir / "file", bytes);
  start();
  RawClient client(port);
  client.send("GET /file HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.read_answer().body == bytes);
  EXPECT_EQ(client.read_answer().body, "hello");
  test::write_file(dir / "file", "");
  EXPECT_EQ(get("/file").body, "");
}

TEST_F(ServerTest, StreamsSayWhatHappensAndThatTheyAreAlive) {
  start(quick());
  RawClient client(port);
  client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(client.read_until("\r\n\r\n").find("text/event-stream"), std::string::npos);
  EXPECT_EQ(client.read_until("\n\n"), "retry: 2000\n\n");
  hub.publish({"case", "c1", "1", 2});
  EXPECT_NE(client.read_until("\"version\":2}\n\n").find("event: change\ndata: {\"kind\":\"case\",\"id\":\"c1\""),
            std::string::npos);
  EXPECT_NE(client.read_until(":\n\n"), "");
  EXPECT_NE(client.read_until(":\n\n"), "");
  allowed = false;
  EXPECT_TRUE(client.closed_within(5s));
  EXPECT_TRUE(test::wait_until([&] { return hub.pages() == 0; }));
}

TEST_F(ServerTest, AStreamWhosePageIsClosedEnds) {
  auto options = quick();
  options.stream_tick = 1h;
  start(options);
  {
    RawClient client(port);
    client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_NE(client.read_until("retry"), "");
    ASSERT_EQ(hub.pages(), 1U);
  }
  EXPECT_TRUE(test::wait_until([&] { return hub.pages() == 0 && server->connections() == 0; }));
}

TEST_F(ServerTest, ASlowPageIsResynchronised) {
  auto options = quick();
  options.request_timeout = 20s;
  start(options);
  RawClient client(port, 2048);
  client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_NE(client.read_until("retry: 2000\n\n"), "");
  // More than the socket holds while the page reads nothing.
  std::uint64_t n = 0;
  for (int i = 0; i < 2000; ++i) {
    for (int k = 0; k < 8; ++k) hub.publish({"case", std::string(400, 'x') + std::to_string(n++), "1", 1});
    std::this_thread::sleep_for(100us);
  }
  EXPECT_NE(client.read_until("event: resync", 20s), "");
}

TEST_F(ServerTest, StreamsAreLimited) {
  auto options = quick();
  options.max_streams = 1;
  start(options);
  RawClient first(port);
  first.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_NE(first.read_until("retry"), "");
  EXPECT_EQ(get("/live").status, 503);
}

TEST_F(ServerTest, StopLetsATakenRequestEnd) {
  start();
  RawClient idle(port);
  RawClient live(port);
  live.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_NE(live.read_until("retry"), "");
  RawClient busy(port);
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(test::wait_until([&] { return waiting == 1 && server->connections() == 3; }));
  auto stopped = std::async(std::launch::async, [&] { server->stop(10s); });
  EXPECT_TRUE(idle.closed_within(5s));
  EXPECT_TRUE(live.closed_within(5s));
  go.count_down();
  const auto answer = busy.read_answer();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_EQ(answer.header("Connection"), "close");
  busy.close();
  stopped.get();
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_THROW(RawClient{port}, std::runtime_error);
  server->stop(0ms);
}

TEST_F(ServerTest, StopDoesNotWaitForAClientThatDoesNotRead) {
  test::write_file(dir / "file", std::string(32 * 1024 * 1024, 'f'));
  start();
  RawClient client(port, 4096);
  client.send("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_NE(client.read_bytes(1024), "");
  const auto begin = std::chrono::steady_clock::now();
  server->stop(200ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(ServerTest, ATakenPortIsSaid) {
  start();
  ServerOptions options;
  options.port = port;
  Server second(options, [](Request&) { return Response(); });
  const auto result = second.start();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
  EXPECT_NE(result.error().detail.find(std::to_string(port)), std::string::npos);
}

TEST_F(ServerTest, SpeaksTls) {
  const auto made =
      test::run_command({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                         "-keyout", (dir / "key.pem").string(), "-out", (dir / "cert.pem").string()});
  ASSERT_EQ(made.status, 0) << made.output;
  test::write_file(dir / "file", std::string(700'000, 'f'));
  ServerOptions options;
  options.tls_cert = (dir / "cert.pem").string();
  options.tls_key = (dir / "key.pem").string();
  start(options);
  const auto url = "https://127.0.0.1:" + std::to_string(port);
  const auto curl = [&](std::vector<std::string> more) {
    std::vector<std::string> command{"curl", "-sS", "--max-time", "10", "--cacert", options.tls_cert};
    command.insert(command.end(), more.begin(), more.end());
    return test::run_command(command);
  };
  const auto answer = curl({"-i", url + "/hello"});
  EXPECT_EQ(answer.status, 0) << answer.output;
  EXPECT_NE(answer.output.find("Strict-Transport-Security"), std::string::npos);
  EXPECT_NE(answer.output.find("hello"), std::string::npos);
  EXPECT_EQ(curl({"-o", "/dev/null", "-w", "%{size_download}", url + "/file"}).output, "700000");
  EXPECT_EQ(curl({"--data", "abc", url + "/echo", url + "/echo"}).output, "abcabc");
  // Bodies around what fits into one TLS record, and well above it: the pages of the console are.
  for (const std::size_t size : {15'000U, 16'384U, 16'385U, 60'000U}) {
    test::write_file(dir / "body", std::string(size, 'e'));
    const auto echoed = curl(
        {"-o", "/dev/null", "-w", "%{size_download}", "--data-binary", "@" + (dir / "body").string(), url + "/echo"});
    EXPECT_EQ(echoed.output, std::to_string(size));
  }
  const auto live = curl({"--max-time", "1", "-N", url + "/live"});
  EXPECT_NE(live.output.find("retry: 2000"), std::string::npos);
  RawClient plain(port);
  plain.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(plain.closed_within(5s));
  server->stop(1s);
}

TEST(ServerOptions, ABadCertificateIsNamed) {
  ServerOptions options;
  options.tls_cert = "/no/such.pem";
  options.tls_key = "/no/such.key";
  Server server(options, [](Request&) { return Response(); });
  const auto result = server.start();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field, "http.tls_cert");
}

}  // namespace
}  // namespace gridward::http
