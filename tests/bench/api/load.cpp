// Open loop over keep-alive connections: a request is due whether or not the one before was answered, and its time
// counts from when it was due.
//   bench_api_load PORT RATE SECONDS CONNECTIONS PATHS [COOKIE]     PATHS: a file, one path a line, taken in a circle
// Prints one JSON line.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

// The status, or 0 when the connection broke. `bytes`: of the body.
int exchange(int fd, const std::string& request, std::string& buffer, std::size_t& bytes) {
  for (std::size_t sent = 0; sent < request.size();) {
    const auto n = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return 0;
    sent += static_cast<std::size_t>(n);
  }
  buffer.clear();
  std::size_t head = std::string::npos;
  std::size_t length = 0;
  char piece[65536];
  while (head == std::string::npos || buffer.size() < head + length) {
    const auto n = ::recv(fd, piece, sizeof piece, 0);
    if (n <= 0) return 0;
    buffer.append(piece, static_cast<std::size_t>(n));
    if (head != std::string::npos) continue;
    head = buffer.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    head += 4;
    std::string lower = buffer.substr(0, head);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto at = lower.find("\r\ncontent-length:");
    if (at == std::string::npos) return 0;
    length = std::strtoull(lower.c_str() + at + 17, nullptr, 10);
  }
  bytes = length;
  return std::atoi(buffer.c_str() + 9);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "bench_api_load PORT RATE SECONDS CONNECTIONS PATHS [COOKIE]\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const double rate = std::atof(argv[2]);
  const auto count = static_cast<std::size_t>(rate * std::atof(argv[3]));
  const auto connections = static_cast<std::size_t>(std::atoi(argv[4]));
  std::vector<std::string> requests;
  std::ifstream file(argv[5]);
  for (std::string path; std::getline(file, path);) {
    auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n";
    if (argc > 6) request += std::string("Cookie: ") + argv[6] + "\r\n";
    requests.push_back(request + "\r\n");
  }
  if (requests.empty()) return 2;

  struct Answer {
    double ms = 0;
    int status = 0;
    std::size_t request = 0;
  };
  std::vector<Answer> answers(count);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> body{0};
  std::vector<std::thread> threads;
  const auto begin = SteadyClock::now() + std::chrono::milliseconds(100);
  for (std::size_t i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      int fd = connect_to(port);
      std::string buffer;
      for (;;) {
        const auto k = next.fetch_add(1);
        if (k >= count) break;
        const auto due = begin + std::chrono::duration_cast<SteadyClock::duration>(
                                     std::chrono::duration<double>(static_cast<double>(k) / rate));
        std::this_thread::sleep_until(due);
        std::size_t bytes = 0;
        if (fd < 0) fd = connect_to(port);
        const int status = fd < 0 ? 0 : exchange(fd, requests[k % requests.size()], buffer, bytes);
        if (status == 0 && fd >= 0) {
          ::close(fd);
          fd = -1;
        }
        body += bytes;
        answers[k] = {std::chrono::duration<double, std::milli>(SteadyClock::now() - due).count(), status,
                      k % requests.size()};
      }
      if (fd >= 0) ::close(fd);
    });
  }
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> took = SteadyClock::now() - begin;
  const auto bad = std::ranges::count_if(answers, [](const Answer& answer) { return answer.status != 200; });
  std::ranges::sort(answers, {}, &Answer::ms);
  const auto percentile = [&](double part) {
    return answers[static_cast<std::size_t>(part * static_cast<double>(answers.size() - 1))].ms;
  };
  for (std::size_t i = 0; i < std::min<std::size_t>(3, count); ++i) {
    const auto& slow = answers[count - 1 - i];
    auto& request = requests[slow.request];
    std::fprintf(stderr, "    slow: %.1f ms %s\n", slow.ms, request.substr(4, request.find(" HTTP/") - 4).c_str());
  }
  std::printf(
      "{\"requests\": %zu, \"bad\": %td, \"per_second\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f, "
      "\"body_bytes\": %zu}\n",
      count, bad, static_cast<double>(count) / took.count(), percentile(0.5), percentile(0.99), answers.back().ms,
      body / std::max<std::size_t>(1, count));
  return 0;
}
