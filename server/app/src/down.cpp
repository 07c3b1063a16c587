#include "down.hpp"

#include <algorithm>

namespace gridward::app {
namespace {

// A handheld that is connected says something with every heartbeat, five minutes unless the county sets another.
// Whoever was not heard of for two of them is away, and gets what waits with its next hello.
Millis seen_within(const domain::Policy& policy) {
  Millis heartbeat = std::chrono::minutes{5};
  if (policy.handhelds) heartbeat = std::max(heartbeat, policy.handhelds->settings.heartbeat.value_or(heartbeat));
  return 2 * heartbeat + std::chrono::minutes{1};
}
// Of one device at a time: its next ack brings the rest.
constexpr std::size_t kItemsPerDevice = 32;
constexpr std::size_t kDevicesPerPass = 512;
constexpr std::size_t kItemsPerPass = 4096;

void collect(Tx& tx, const Device& device, UnixMs now, std::vector<Outgoing>& out) {
  auto items = tx.pending_down(device.id, kItemsPerDevice);
  if (items.empty()) return;
  // What a restored store keeps back has higher numbers.
  const auto first = items.front().n;
  tx.sent_down(device.id, first, items.back().n, now);
  for (auto& item : items) {
    item.first = first;
    out.push_back({device.town, device.id, std::move(item)});
  }
}

}  // namespace

void collect_pending(Tx& tx, const std::vector<std::string>& devices, UnixMs now, std::vector<Outgoing>& out) {
  std::vector<std::string> once = devices;
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  for (const auto& id : once) {
    if (const auto device = tx.find_device(id)) collect(tx, *device, now, out);
  }
}

void collect_new(Tx& tx, const NewDown& items, UnixMs now, std::vector<Outgoing>& out) {
  for (const auto& [id, n] : items) {
    const auto first = tx.pending_down(id, 1);
    if (first.empty() || n >= first.front().n + kItemsPerDevice) continue;
    if (const auto device = tx.find_device(id)) collect(tx, *device, now, out);
  }
}

void deliver(Services& services, const std::vector<LiveEvent>& live, const std::vector<Outgoing>& out) {
  for (const auto& event : live) services.live.publish(event);
  for (const auto& one : out) services.devices.send(one.town, one.device, one.message);
}

DownJobs::DownJobs(Services services, Millis again_after) : services_(services), again_after_(again_after) {}

void DownJobs::linked() { linked_at_ = to_unix_ms(services_.clock.now()); }

bool DownJobs::run_once() {
  const auto now = services_.clock.now();
  // What was sent before the link came up may have gone nowhere, however short ago.
  const auto before = std::max(now - again_after_, from_unix_ms(linked_at_.load()) - Millis{1});
  const auto seen_since = now - seen_within(services_.policy);
  const auto overdue = [&](Tx& tx, std::size_t limit) { return tx.overdue_devices(before, seen_since, limit); };
  bool any = false;
  const auto looked = services_.store.read([&](Tx& tx) -> Result<void> {
    any = !overdue(tx, 1).empty();
    return {};
  });
  // Most passes find nothing, and then write nothing.
  if (!looked || !any) return false;
  std::vector<Outgoing> outgoing;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    outgoing.clear();
    for (const auto& id : overdue(tx, kDevicesPerPass)) {
      if (outgoing.size() + kItemsPerDevice > kItemsPerPass) break;
      if (const auto device = tx.find_device(id)) {
        collect(tx, *device, now, outgoing);
      }
    }
    return {};
  });
  if (!written) return false;
  deliver(services_, {}, outgoing);
  return !outgoing.empty();
}

}  // namespace gridward::app
