// docs/api.md on the use cases.
#pragma once

#include <functional>
#include <gridward/app/services.hpp>
#include <gridward/http/live.hpp>
#include <gridward/http/router.hpp>
#include <string>

namespace gridward::http {

struct Health {
  bool ok = true;
  std::size_t queue = 0;  // writes waiting for a commit
  std::string mqtt;       // "connected", "connecting", "off"
};

struct ApiParts {  // all outlive the router
  app::Auth& auth;
  app::Cases& cases;
  app::Organisation& organisation;
  app::Duty& duty;
  app::PhotoStore& photos;
  app::Clock& clock;
  const domain::Policy& policy;
  LiveHub& live;
  std::function<Health()> health;
  std::string version;
  bool secure_cookie = false;
};

void add_api(Router& router, const ApiParts& parts);

}  // namespace gridward::http
