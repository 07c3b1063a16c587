#include "down.hpp"

#include <algorithm>

namespace gridward::app {
namespace {

constexpr std::size_t kBatch = 32;

}  // namespace

void collect_pending(Tx& tx, const Device& device, std::vector<Outgoing>& out) {
  for (auto& item : tx.pending_down(device.id, kBatch)) out.push_back({device.town, device.id, std::move(item)});
}

void collect_pending(Tx& tx, const std::vector<std::string>& devices, std::vector<Outgoing>& out) {
  std::vector<std::string> once = devices;
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  for (const auto& id : once) {
    if (const auto device = tx.find_device(id)) collect_pending(tx, *device, out);
  }
}

void deliver(Services& services, const std::vector<LiveEvent>& live, const std::vector<Outgoing>& out) {
  for (const auto& event : live) services.live.publish(event);
  for (const auto& one : out) services.devices.send(one.town, one.device, one.message);
}

}  // namespace gridward::app
