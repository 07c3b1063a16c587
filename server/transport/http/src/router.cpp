#include <algorithm>
#include <gridward/http/router.hpp>
#include <set>

namespace gridward::http {
namespace {

bool is_param(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

bool takes(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::ranges::equal(
      pattern, path, [](const std::string& p, const std::string& s) { return is_param(p) ? !s.empty() : p == s; });
}

}  // namespace

void Router::add(Method method, std::string_view pattern, Handler handler) {
  Route route{method, {}, std::move(handler)};
  pattern.remove_prefix(1);
  for (;;) {
    const auto slash = std::min(pattern.find('/'), pattern.size());
    route.segments.emplace_back(pattern.substr(0, slash));
    if (slash == pattern.size()) break;
    pattern.remove_prefix(slash + 1);
  }
  routes_.push_back(std::move(route));
}

void Router::otherwise(Handler handler) { otherwise_ = std::move(handler); }

Response Router::handle(Request& request) const {
  std::set<std::string_view> allowed;
  for (const auto& route : routes_) {
    if (!takes(route.segments, request.segments)) continue;
    if (route.method != request.method && !(route.method == Method::get && request.method == Method::head)) {
      allowed.insert(to_string(route.method));
      if (route.method == Method::get) allowed.insert("HEAD");
      continue;
    }
    for (std::size_t i = 0; i < route.segments.size(); ++i) {
      const auto& segment = route.segments[i];
      if (is_param(segment))
        request.path_params.push_back({segment.substr(1, segment.size() - 2), request.segments[i]});
    }
    return route.handler(request);
  }
  if (!allowed.empty()) {
    std::string list;
    for (const auto& name : allowed) list += (list.empty() ? "" : ", ") + std::string(name);
    auto response = problem({ErrorCode::not_found, "method", "only " + list}, 405);
    response.set("Allow", list);
    return response;
  }
  if (otherwise_) return otherwise_(request);
  return problem({ErrorCode::not_found, "path", ""});
}

}  // namespace gridward::http
