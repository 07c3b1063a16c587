// Our own request and response, so that handlers and tests need no HTTP library.
#pragma once

#include <cstdint>
#include <functional>
#include <gridward/shared/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gridward::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
std::string_view to_string(Method method);

struct Param {
  std::string name;
  std::string value;
  bool operator==(const Param&) const = default;
};

struct Request {
  Method method = Method::get;
  std::vector<std::string> segments;  // of the path, decoded; "/api/cases" has two, "/" one that is empty
  std::vector<Param> query;           // decoded, in their order
  std::vector<Param> headers;         // names in lower case
  std::string body;
  std::string peer;                // IP address of the other end of the connection
  std::vector<Param> path_params;  // filled by the router

  std::string_view header(std::string_view name) const;  // empty when absent; of several the first
  std::string_view last_header(std::string_view name) const;
  std::string_view path_param(std::string_view name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;  // the first
};

// An open file; closed with its last owner. Reads are thread-safe.
class File {
 public:
  // Only a regular file is opened; not_found, storage_failed.
  static Result<std::shared_ptr<File>> open(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::uint64_t size() const { return size_; }
  // Fewer bytes than asked for only at the end of the file; storage_failed.
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t bytes) const;

 private:
  File(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  int fd_;
  std::uint64_t size_;
};

// A response without an end: text/event-stream.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // `wake` is called, from any thread, when there is something to take after there was nothing; nullptr: no more calls,
  // and none is running when this returns.
  virtual void on_ready(std::function<void()> wake) = 0;
  virtual std::string take() = 0;    // what waits, formatted; empty: nothing
  virtual bool still_allowed() = 0;  // may block; asked on a worker's thread at every tick
};

struct Response {
  using Body = std::variant<std::string, std::shared_ptr<const std::string>, std::shared_ptr<File>,
                            std::shared_ptr<EventStream>>;
  int status = 200;
  std::vector<Param> headers;
  Body body;

  void set(std::string_view name, std::string value);  // replaces one of the same name (any case)
  std::string_view header(std::string_view name) const;
};

Response json_response(int status, std::string body);
// application/problem+json with the status of the table, or another one.
Response problem(const Error& error, int status = 0);

}  // namespace gridward::http
