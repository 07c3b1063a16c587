// docs/api.md on the use cases.
#pragma once

#include <functional>
#include <gridward/app/services.hpp>
#include <gridward/http/live.hpp>
#include <gridward/http/router.hpp>
#include <string>

namespace gridward::http {

struct Health {
  bool store = true;      // a write was committed just now
  std::size_t queue = 0;  // writes waiting for a commit
  bool room = true;       // the queue takes more
  std::string mqtt;       // "connected", "connecting", "off"
  bool photos = true;     // photos can be decoded
  bool ok() const { return store && room && photos && mqtt != "connecting"; }
};

struct ApiParts {  // all outlive the router
  app::Auth& auth;
  app::Cases& cases;
  app::Organisation& organisation;
  app::Duty& duty;
  app::Notices& notices;
  app::PhotoStore& photos;
  app::Clock& clock;
  const domain::Policy& policy;
  LiveHub& live;
  std::function<Health()> health;
  std::string version;
  bool secure_cookie = false;
  std::string proxy{};  // IP address of the proxy in front, whose X-Forwarded-For is believed
};

void add_api(Router& router, const ApiParts& parts);

}  // namespace gridward::http
