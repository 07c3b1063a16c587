// Track batches in the outbox of a handheld, an hour of walking in a second: the real library with a clock of its own,
// its agent without a network.
//
//   device_tracks FLEET UNIX_SECONDS in        the first handheld of the fleet file signs in at that time
//   device_tracks FLEET UNIX_SECONDS BATCHES   … walks from then on until so many batches are closed; one JSON line
//
// Both with the same time: it is also when the clock's boot began, an hour earlier.
#include <gridward/device.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gridward_sim/fleet.hpp>
#include <string>
#include <string_view>

namespace {

using namespace gridward::sim;

constexpr std::int64_t kHourMs = 3'600'000;

struct Member {
  Walk walk;
  std::int64_t began_ms;
  std::int64_t now_ms = 0;  // since then
  std::int64_t walked_to_ms = 0;
  std::uint64_t points = 0;
};

gw_status position(void* user, std::uint32_t, gw_fix* out) {
  auto& member = *static_cast<Member*>(user);
  member.walk.advance(static_cast<double>(member.now_ms - member.walked_to_ms) / 1000);
  member.walked_to_ms = member.now_ms;
  ++member.points;
  const auto reading = member.walk.reading();
  out->lat_e7 = reading.point.lat_e7;
  out->lon_e7 = reading.point.lon_e7;
  out->accuracy_cm = reading.accuracy_cm;
  out->at_ms = member.began_ms + member.now_ms;
  out->source = GW_FIX_GNSS;
  out->datum = GW_WGS84;
  return GW_OK;
}

gw_ports ports_of(Member& member, const gw_transport& nowhere) {
  gw_ports ports{};
  ports.struct_size = sizeof ports;
  ports.user = &member;
  ports.wall_ms = [](void* user) {
    const auto& m = *static_cast<Member*>(user);
    return m.began_ms + m.now_ms;
  };
  ports.mono_ms = [](void* user) { return kHourMs + static_cast<Member*>(user)->now_ms; };
  // Not the system's: this clock is another one.
  ports.boot_id = [](void*, std::uint8_t out[16]) { std::memset(out, 0xB0, 16); };
  ports.position = position;
  ports.transport = &nowhere;
  return ports;
}

// Connects for ever.
gw_transport nowhere() {
  gw_transport transport{};
  transport.struct_size = sizeof transport;
  transport.open = [](void*, const gw_config*, const gw_link*, void**) { return GW_OK; };
  transport.connect = [](void*) {};
  transport.disconnect = [](void*) {};
  transport.publish = [](void*, std::int32_t, const std::uint8_t*, std::size_t, std::uint64_t) {
    return GW_E_UNAVAILABLE;
  };
  transport.close = [](void*) {};
  return transport;
}

// Bytes that this process made the kernel write to a disk.
std::uint64_t written() {
  std::ifstream io("/proc/self/io");
  for (std::string key, value; io >> key >> value;) {
    if (key == "write_bytes:") return std::strtoull(value.c_str(), nullptr, 10);
  }
  std::fprintf(stderr, "device_tracks: /proc/self/io tells nothing\n");
  std::exit(1);
}

void must(gw_status status, gw_device* device) {
  if (status == GW_OK) return;
  std::fprintf(stderr, "device_tracks: %s (%s)\n", gw_status_text(status, GW_LANG_EN), gw_device_last_error(device));
  std::exit(1);
}

gw_summary summary_of(gw_device* device) {
  gw_summary summary{};
  summary.struct_size = sizeof summary;
  must(gw_device_summary(device, &summary), device);
  return summary;
}

template <class T>
bool number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t began_s = 0;
  std::uint64_t batches = 0;
  const bool in = argc == 4 && std::string_view(argv[3]) == "in";
  if (argc != 4 || !number(argv[2], began_s) || (!in && !number(argv[3], batches))) {
    std::fprintf(stderr, "usage: device_tracks FLEET UNIX_SECONDS in|BATCHES\n");
    return 2;
  }
  const auto fleet = load_fleet(argv[1]);
  if (!fleet || fleet->handhelds.empty()) {
    std::fprintf(stderr, "device_tracks: %s: no handheld\n", argv[1]);
    return 1;
  }
  const auto& spec = fleet->handhelds.front();
  Member member{.walk = Walk(spec.grid, spec.behaviour.walk, 1), .began_ms = began_s * 1000};
  const auto transport = nowhere();
  const auto ports = ports_of(member, transport);
  gw_device* device = nullptr;
  char problem[512] = "";
  if (gw_device_open_file(spec.config.c_str(), &ports, &device, problem, sizeof problem) != GW_OK) {
    std::fprintf(stderr, "device_tracks: %s: %s\n", spec.config.c_str(), problem);
    return 1;
  }
  if (in) {
    must(gw_device_sign(device, GW_SIGN_IN, nullptr, nullptr), device);
    gw_device_close(device);
    return 0;
  }
  must(gw_device_agent_start(device), device);
  const auto before = written();
  const auto last = summary_of(device).next_seq + batches;
  while (summary_of(device).next_seq < last) {
    std::int64_t next_ms = 0;
    must(gw_device_step(device, &next_ms), device);
    if (next_ms < 0) {
      std::fprintf(stderr, "device_tracks: nobody is on duty\n");
      return 1;
    }
    member.now_ms += std::max<std::int64_t>(next_ms, 1);
  }
  gw_device_close(device);
  std::printf("{\"points\": %llu, \"flash_bytes\": %llu}\n", static_cast<unsigned long long>(member.points),
              static_cast<unsigned long long>(written() - before));
  return 0;
}
