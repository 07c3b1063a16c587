#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <gridward/http/message.hpp>
#include <nlohmann/json.hpp>

namespace gridward::http {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string_view to_string(Method method) {
  constexpr std::array<std::string_view, 8> kNames{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"};
  return kNames.at(static_cast<std::size_t>(method));
}

std::string_view Request::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Param::name);
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

std::string_view Request::last_header(std::string_view name) const {
  const auto found = std::find_if(headers.rbegin(), headers.rend(), [&](const Param& one) { return one.name == name; });
  return found == headers.rend() ? std::string_view() : std::string_view(found->value);
}

std::string_view Request::path_param(std::string_view name) const {
  const auto found = std::ranges::find(path_params, name, &Param::name);
  return found == path_params.end() ? std::string_view() : std::string_view(found->value);
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  const auto found = std::ranges::find(query, name, &Param::name);
  if (found == query.end()) return std::nullopt;
  return found->value;
}

Result<std::shared_ptr<File>> File::open(const std::string& path) {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    const bool absent = error == ENOENT || error == ENOTDIR || error == ELOOP;
    return fail(absent ? ErrorCode::not_found : ErrorCode::storage_failed, "", absent ? "" : std::strerror(error));
  }
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return fail(ErrorCode::not_found);
  }
  return std::shared_ptr<File>(new File(fd, static_cast<std::uint64_t>(info.st_size)));
}

File::~File() { ::close(fd_); }

Result<std::size_t> File::read_at(std::uint64_t offset, char* into, std::size_t bytes) const {
  std::size_t done = 0;
  while (done < bytes) {
    const auto n = ::pread(fd_, into + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::storage_failed, "", std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void Response::set(std::string_view name, std::string value) {
  for (auto& entry : headers) {
    if (same_name(entry.name, name)) {
      entry.value = std::move(value);
      return;
    }
  }
  headers.push_back({std::string(name), std::move(value)});
}

std::string_view Response::header(std::string_view name) const {
  for (const auto& entry : headers) {
    if (same_name(entry.name, name)) return entry.value;
  }
  return {};
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/json"});
  response.body = std::move(body);
  return response;
}

Response problem(const Error& error, int status) {
  const auto& info = error_info(error.code);
  if (status == 0) status = info.http_status;
  const nlohmann::ordered_json body{{"type", "/errors/" + std::string(info.name)},
                                    {"title", info.zh},
                                    {"status", status},
                                    {"code", static_cast<unsigned>(error.code)},
                                    {"name", info.name},
                                    {"field", error.field},
                                    {"detail", error.detail}};
  auto response = json_response(status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  response.set("Content-Type", "application/problem+json");
  response.set("Cache-Control", "no-store");
  if (status == 503 || status == 429) response.set("Retry-After", "1");
  return response;
}

}  // namespace gridward::http
