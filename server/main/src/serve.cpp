// The composition root: adapters, use cases, threads; then wait; then take everything down in order.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gridward/app/services.hpp>
#include <gridward/http/api.hpp>
#include <gridward/http/decode.hpp>
#include <gridward/http/live.hpp>
#include <gridward/http/router.hpp>
#include <gridward/http/server.hpp>
#include <gridward/http/static_files.hpp>
#include <gridward/mqtt/server_link.hpp>
#include <gridward/platform/log.hpp>
#include <gridward/platform/shutdown.hpp>
#include <gridward/profile/profile.hpp>
#include <gridward/storage/store.hpp>
#include <gridward/vision/photo_comparer.hpp>
#include <gridward/vision/photo_store.hpp>
#include <gridward/vision/photo_worker.hpp>

#include "adapters.hpp"
#include "commands.hpp"
#include "job_thread.hpp"

namespace gridward::main_program {
namespace {

namespace log = platform::log;
using namespace std::chrono_literals;

constexpr auto kHttpGrace = 5s;
constexpr auto kStopLimit = 25s;
constexpr auto kLinkGrace = 5s;
constexpr auto kJobPause = 500ms;
constexpr auto kTownsPause = 2s;
constexpr auto kDeadlinePause = 1s;
constexpr std::chrono::seconds kDownPause = 5s;

// Ingest answers through the link and the link gives to ingest: one of the two must come later.
class LateDevices final : public app::DevicePublisher {
 public:
  void set(app::DevicePublisher* link) { link_ = link; }
  void send(const std::string& town, const std::string& device, const DownMessage& message) override {
    if (auto* link = link_.load()) link->send(town, device, message);
  }

 private:
  std::atomic<app::DevicePublisher*> link_{nullptr};
};

// That a photo came is told to pages, and is the sign that it waits for its smaller sizes.
class PagesAndJobs final : public app::LivePublisher {
 public:
  explicit PagesAndJobs(app::LivePublisher& pages) : pages_(pages) {}
  void set(JobThread* photos) { photos_ = photos; }
  void publish(const app::LiveEvent& event) override {
    pages_.publish(event);
    if (event.kind != "photo") return;
    if (auto* photos = photos_.load()) photos->kick();
  }

 private:
  app::LivePublisher& pages_;
  std::atomic<JobThread*> photos_{nullptr};
};

Result<std::string> read_first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line)) return fail(ErrorCode::config_invalid, "mqtt.password_file", file);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<std::unique_ptr<mqtt::ServerLink>> make_link(const platform::Config& config, std::function<void()> connected) {
  mqtt::LinkOptions options;
  options.uri = config.mqtt_uri;
  options.ca_file = config.mqtt_ca;
  options.user = config.mqtt_user;
  options.client_id = config.mqtt_client_id;
  options.log = [](std::string_view text) { log::info("mqtt", {{"message", text}}); };
  options.connected = std::move(connected);
  if (!config.mqtt_password_file.empty()) {
    auto password = read_first_line(config.mqtt_password_file);
    if (!password) return tl::unexpected(password.error());
    options.password = std::move(*password);
  }
  return mqtt::ServerLink::make(std::move(options));
}

// Subscribes to the towns of the organisation, and again when an import has changed it.
class Towns {
 public:
  Towns(app::Store& store, mqtt::ServerLink& link) : store_(store), link_(link) {}

  void refresh() {
    std::vector<std::string> towns;
    bool changed = false;
    const auto read = store_.read([&](app::Tx& tx) -> Result<void> {
      const auto revision = tx.org_revision();
      changed = !revision_ || *revision_ != revision;
      if (!changed) return {};
      for (const auto& node : tx.orgs_below("")) {
        if (node.kind == app::OrgKind::town) towns.push_back(node.code);
      }
      revision_ = revision;
      return {};
    });
    if (!read || !changed) return;
    log::info("towns", {{"count", towns.size()}});
    link_.set_towns(std::move(towns));
  }

 private:
  app::Store& store_;
  mqtt::ServerLink& link_;
  std::optional<std::uint64_t> revision_;
};

}  // namespace

int serve(const Args& args) {
  const auto config = config_of(args);
  if (!config) return kBadInput;
  const auto policy = profile::load_policy(config->policy_file);
  if (!policy) return say(policy.error(), kBadInput);

  if (!config->http_proxy.empty() && !http::is_ip_address(config->http_proxy)) {
    return say({ErrorCode::config_invalid, "http.proxy", config->http_proxy + " is no IP address"}, kBadInput);
  }

  platform::ShutdownSignal shutdown;

  const auto url = database_url(*config);
  if (!url) return say(url.error(), kFailed);
  storage::StoreOptions store_options;
  store_options.url = *url;
  store_options.queue_limit = static_cast<std::size_t>(config->store_queue_limit);
  store_options.queue_bytes = static_cast<std::size_t>(config->store_queue_bytes);
  store_options.batch_limit = static_cast<std::size_t>(config->store_batch_limit);
  store_options.readers = static_cast<std::size_t>(config->store_readers);
  store_options.log = [](std::string_view text) { log::warn("store", {{"message", text}}); };
  auto store = storage::open_store(std::move(store_options));
  if (!store) return say(store.error(), store.error().code == ErrorCode::config_invalid ? kBadInput : kFailed);

  auto photos = vision::FilePhotoStore::open(std::filesystem::path(config->data_dir) / "photos");
  if (!photos) return say(photos.error(), kFailed);
  vision::PhotoWorkerOptions worker;
  worker.program =
      config->vision_worker.empty() ? vision::find_worker_program() : std::filesystem::path(config->vision_worker);
  if (worker.program.empty() || !std::filesystem::exists(worker.program)) {
    return say(
        {ErrorCode::config_invalid, "vision.worker",
         worker.program.empty() ? "gridward-vision-worker was not found" : worker.program.string() + " is not there"},
        kBadInput);
  }
  vision::WorkerPhotoDeriver deriver(**photos, worker, static_cast<unsigned>(config->vision_workers));
  if (const auto started = deriver.start(); !started) return say(started.error(), kFailed);

  std::optional<http::StaticFiles> pages;
  if (!config->http_web_dir.empty()) {
    auto loaded = http::StaticFiles::load(config->http_web_dir);
    if (!loaded) return say({loaded.error().code, "http.web_dir", config->http_web_dir}, kBadInput);
    pages = std::move(*loaded);
  }

  auto made_clock = make_clock(config->test_clock_file);
  if (!made_clock) return say(made_clock.error(), kBadInput);
  auto& clock = **made_clock;
  if (!config->test_clock_file.empty()) log::warn("the clock is moved by a test", {{"file", config->test_clock_file}});
  PlatformCrypto crypto;
  http::LiveHub hub;
  PagesAndJobs live(hub);
  LateDevices devices;
  const app::Services services{**store, clock, crypto, live, devices, **photos, *policy};
  app::Auth auth(services);
  app::Cases cases(services);
  app::Organisation organisation(services);
  app::Duty duty(services);
  app::Notices notices(services);
  app::Ingest ingest(services, cases, duty);

  app::PhotoJobs photo_jobs(services, deriver, static_cast<std::size_t>(config->vision_workers));
  app::SignatureJobs signature_jobs(services);
  vision::FilePhotoComparer comparer(**photos);
  app::LikenessJobs likeness_jobs(services, deriver, comparer);
  const std::chrono::seconds resend(config->mqtt_resend_s);
  app::DownJobs down_jobs(services, resend);
  std::optional<JobThread> photo_thread(std::in_place, "photos", [&] { return photo_jobs.run_once(); }, kJobPause);
  std::optional<JobThread> signature_thread(
      std::in_place, "signatures", [&] { return signature_jobs.run_once(); }, kJobPause);
  app::DeadlineJobs deadline_jobs(services);
  std::optional<JobThread> deadline_thread(
      std::in_place, "deadlines", [&] { return deadline_jobs.run_once(); }, kDeadlinePause);
  std::optional<JobThread> likeness_thread(
      std::in_place, "likeness", [&] { return likeness_jobs.run_once(); }, kJobPause);
  live.set(&*photo_thread);

  std::unique_ptr<mqtt::ServerLink> link;
  std::optional<Towns> towns;
  std::optional<JobThread> towns_thread;
  std::optional<JobThread> down_thread;
  if (!config->mqtt_uri.empty()) {
    auto made = make_link(*config, [&] { down_jobs.linked(); });
    if (!made) return say(made.error(), kBadInput);
    link = std::move(*made);
    devices.set(link.get());
    towns.emplace(**store, *link);
    towns->refresh();
    link->start(ingest);
    towns_thread.emplace(
        "towns",
        [&] {
          towns->refresh();
          return false;
        },
        kTownsPause);
    down_thread.emplace(
        "down",
        [&] {
          // While the link is not there, what is sent is lost, and would count as sent.
          if (link->state() == mqtt::LinkState::connected) down_jobs.run_once();
          return false;  // what a bounded pass left is the next one's: a flood would be dropped on its way
        },
        std::min(resend, kDownPause));
  }
  const auto mqtt_state = [&link] { return link ? std::string(to_string(link->state())) : std::string("off"); };

  app::StoreProof proof(services);
  const auto health = [&]() -> http::Health {
    const auto counters = (*store)->counters();
    const bool room = counters.waiting < static_cast<std::size_t>(config->store_queue_limit) &&
                      counters.bytes < static_cast<std::size_t>(config->store_queue_bytes);
    return {proof.writable(), counters.waiting, room, mqtt_state(), deriver.works()};
  };

  http::Router router;
  http::add_api(router,
                {auth, cases, organisation, duty, notices, **photos, clock, *policy, hub, health, GRIDWARD_VERSION,
                 config->http_secure_cookie || !config->http_tls_cert.empty(), config->http_proxy});
  router.otherwise([&](const http::Request& request) {
    if (!pages || request.segments.front() == "api") return http::problem({ErrorCode::not_found, "path", ""});
    return pages->answer(request);
  });

  http::ServerOptions http_options;
  http_options.host = config->http_host;
  http_options.port = static_cast<std::uint16_t>(config->http_port);
  http_options.tls_cert = config->http_tls_cert;
  http_options.tls_key = config->http_tls_key;
  http_options.workers = static_cast<std::size_t>(config->http_workers);
  http_options.max_connections = static_cast<std::size_t>(config->http_max_connections);
  http_options.max_streams = std::max<std::size_t>(http_options.max_connections / 2, 1);
  http::Server server(http_options, [&](http::Request& request) { return router.handle(request); });
  const auto port = server.start();
  if (!port) return say(port.error(), port.error().code == ErrorCode::config_invalid ? kBadInput : kFailed);

  const std::string host =
      config->http_host.find(':') == std::string::npos ? config->http_host : "[" + config->http_host + "]";
  const auto address = (config->http_tls_cert.empty() ? "http://" : "https://") + host + ":" + std::to_string(*port);
  log::info("listening", {{"address", address}, {"profile", policy->id}, {"version", GRIDWARD_VERSION}});

  // Whoever waits for the line may send at once: the broker must know what we listen to.
  bool asked_to_stop = false;
  while (link && link->state() != mqtt::LinkState::connected && !asked_to_stop) asked_to_stop = shutdown.wait_for(20ms);
  if (!asked_to_stop) {
    std::printf("ready %s\n", address.c_str());
    std::fflush(stdout);
    shutdown.wait();
  }

  log::info("stopping");
  const platform::StopWatchdog watchdog(kStopLimit, kStopTimeout);
  server.stop(kHttpGrace);
  towns_thread.reset();
  down_thread.reset();
  deadline_thread.reset();
  if (link) link->stop(kLinkGrace);
  ingest.wait_idle();
  devices.set(nullptr);
  live.set(nullptr);
  photo_thread.reset();
  likeness_thread.reset();
  signature_thread.reset();
  (*store)->stop();
  log::info("stopped");
  return kDone;
}

}  // namespace gridward::main_program
