#pragma once

#include <functional>
#include <gridward/http/message.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::http {

using Handler = std::function<Response(const Request&)>;

// Method and path to handler. Add first, then handle from any thread.
class Router {
 public:
  // "/api/cases/{id}/actions"; a parameter takes one segment that is not empty. GET answers HEAD too.
  void add(Method method, std::string_view pattern, Handler handler);
  void otherwise(Handler handler);  // paths that no pattern takes
  // 404 when nothing takes the path, 405 with Allow when the path is taken with other methods.
  Response handle(Request& request) const;

 private:
  struct Route {
    Method method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
  Handler otherwise_;
};

}  // namespace gridward::http
