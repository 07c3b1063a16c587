// A short duty from a C++ program, with positions of its own: sign in, walk, sign out, say how things stand.
//
//   patrol FOLDER BROKER
//
// The agent takes a track point a second while somebody is on duty, and none before and after.
#include <gridward/device.h>
#include <poll.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct Close {
  void operator()(gw_device* device) const { gw_device_close(device); }
};
using Device = std::unique_ptr<gw_device, Close>;

void must(gw_status status, const char* doing, gw_device* device = nullptr) {
  if (status != GW_OK) throw std::runtime_error(std::string(doing) + ": " + gw_device_last_error(device));
}

template <class T>
T sized() {
  T value{};
  value.struct_size = sizeof value;
  return value;
}

// Ten metres to the north a second.
struct Walk {
  std::int32_t lat_e7 = 390'000'000;
};

gw_status position(void* user, std::uint32_t, gw_fix* out) {
  auto& walk = *static_cast<Walk*>(user);
  walk.lat_e7 += 900;
  out->lat_e7 = walk.lat_e7;
  out->lon_e7 = 1'177'000'000;
  out->accuracy_cm = 300;
  return GW_OK;
}

void run(const char* folder, const char* broker) {
  Walk walk;
  auto ports = sized<gw_ports>();
  ports.user = &walk;
  ports.position = position;
  auto config = sized<gw_config>();
  config.data_dir = folder;
  config.broker = broker;
  config.device = "example-cpp";
  config.town = "120116115";
  config.actor = "wg0002";
  config.track_interval_ms = 1'000;
  config.heartbeat_ms = -1;
  must(gw_device_init(&config, &ports, nullptr), "init");
  gw_device* raw = nullptr;
  must(gw_device_open(&config, &ports, &raw), "open");
  const Device device(raw);

  must(gw_device_agent_start(raw), "agent", raw);
  must(gw_device_sign(raw, GW_SIGN_IN, nullptr, nullptr), "sign-in", raw);
  auto summary = sized<gw_summary>();
  for (int turn = 0; turn < 100; ++turn) {
    std::int64_t next_ms = -1;
    must(gw_device_step(raw, &next_ms), "step", raw);
    must(gw_device_summary(raw, &summary), "summary", raw);
    if (summary.on_duty != 0 && summary.pending_points >= 2) {
      must(gw_device_sign(raw, GW_SIGN_OUT, nullptr, nullptr), "sign-out", raw);
      continue;
    }
    if (summary.on_duty == 0 && summary.waiting_records == 0) break;
    pollfd wait{gw_device_fd(raw), POLLIN, 0};
    ::poll(&wait, 1, next_ms < 0 || next_ms > 100 ? 100 : static_cast<int>(next_ms));
  }
  std::printf("%llu records, waiting %llu\n", static_cast<unsigned long long>(summary.next_seq - 1),
              static_cast<unsigned long long>(summary.waiting_records));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: patrol FOLDER BROKER\n");
    return 2;
  }
  if (gw_device_abi() != GW_DEVICE_ABI) return 3;
  try {
    run(argv[1], argv[2]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
  return 0;
}
