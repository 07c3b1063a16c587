// The floor of scripts/bench ingest: a consumer that reads each message as far as the ids and echoes the receipt. It
// checks nothing, decides nothing and stores nothing, so no server on this broker can be faster.
#include <mqtt/async_client.h>
#include <signal.h>

#include <gridward/shared/message.hpp>
#include <gridward/shared/topics.hpp>
#include <iostream>

#include "files.hpp"
#include "no_delay.hpp"

namespace gridward::bench {
namespace {

struct Account {
  std::string broker, ca_file, user, password;
};

::mqtt::connect_options connect_options(const Account& account) {
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

::mqtt::create_options create_options() {
  ::mqtt::create_options options(MQTTVERSION_5);
  options.set_max_buffered_messages(100'000);  // more than 100 waiting would throw in the callback
  return options;
}

void run(const nlohmann::json& server) {
  const auto text = [&](const char* key) { return server.at(key).get<std::string>(); };
  Account account{text("mqtt.uri"), text("ca_file"), text("mqtt.user"), {}};
  std::getline(std::ifstream(text("password_file")), account.password);
  // The server's own client id, and a clean start: it takes the place of the server's session, in which the broker
  // would otherwise keep all of this load for it.
  ::mqtt::async_client client(account.broker, "gridward-server", create_options());
  client.set_message_callback([&](const ::mqtt::const_message_ptr& message) {
    if (!message) return;
    const auto topic = topic_from_string(message->get_topic());
    const auto up = decode_up(as_bytes(message->get_payload_str()));
    if (!topic || !up) return;
    Receipt receipt;
    for (const auto& record : up->records) {
      if (const auto id = peek_record_id(record)) receipt.ok.push_back(*id);
    }
    receipt.now = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
    receipt.epoch = up->epoch;
    receipt.generation = up->epoch;  // any will do
    const auto bytes = encode_down(receipt);
    client.publish(to_string(Topic{TopicKind::down, topic->town, topic->device}), bytes.data(), bytes.size(), 0, false);
  });
  client.set_connection_lost_handler([](const std::string& why) { std::cout << "lost " << why << std::endl; });
  client.connect(connect_options(account))->wait();
  gridward::mqtt::set_no_delay(account.broker);
  client.subscribe("gridward/1/up/#", 1)->wait();
  std::cout << "ready" << std::endl;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int received = 0;
  sigwait(&signals, &received);
  client.disconnect()->wait();
}

}  // namespace
}  // namespace gridward::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: bench_ingest_echo broker.json\n";
    return 2;
  }
  sigset_t signals;  // before Paho's threads begin, so that none of them takes the signal
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  try {
    gridward::bench::run(gridward::bench::read_json(argv[1]));
  } catch (const std::exception& problem) {
    std::cerr << "bench_ingest_echo: " << problem.what() << "\n";
    return 1;
  }
}
