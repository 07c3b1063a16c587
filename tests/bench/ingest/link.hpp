// What the load and the floor's consumer have in common: connecting as the real parts do.
#pragma once

#include <mqtt/async_client.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace gridward::bench {

struct Account {
  std::string broker, ca_file, user, password;
};

inline ::mqtt::connect_options connect_options(const Account& account) {
  ::mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_5);
  options.set_clean_start(true);
  options.set_max_inflight(1000);
  options.set_user_name(account.user);
  options.set_password(::mqtt::binary_ref(account.password));
  if (account.broker.starts_with("ssl://")) {
    ::mqtt::ssl_options tls;
    tls.set_trust_store(account.ca_file);
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);
    options.set_ssl(std::move(tls));
  }
  return options;
}

inline ::mqtt::create_options create_options() {
  ::mqtt::create_options options(MQTTVERSION_5);
  options.set_max_buffered_messages(100'000);  // more than 100 waiting would throw in the callback
  return options;
}

inline nlohmann::json read_json(const std::string& path) {
  std::ifstream in(path);
  auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object()) throw std::runtime_error("cannot read " + path);
  return json;
}

}  // namespace gridward::bench
