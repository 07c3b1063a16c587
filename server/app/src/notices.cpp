#include <algorithm>
#include <gridward/app/services.hpp>
#include <gridward/shared/down_items.hpp>
#include <map>

#include "down.hpp"
#include "roles.hpp"

namespace gridward::app {
namespace {

// Sent with the commit; the rest of a county goes with the next passes of DownJobs.
constexpr std::size_t kSentAtOnce = 256;

Sha256 fingerprint(const domain::Actor& actor, const NoticeRequest& request, Crypto& crypto) {
  std::string all = actor.login + "\n" + (request.all ? "all" : "some") + "\n";
  for (const auto& device : request.devices) all += device + "\n";
  return crypto.sha256(as_bytes(all + "\n" + request.text));
}

// Of this subtree, in the order of their ids.
Result<std::vector<std::string>> recipients(Tx& tx, const domain::Actor& actor, const NoticeRequest& request) {
  std::map<std::string, bool> known;  // revoked?
  for (const auto& device : tx.devices_below(actor.org_path)) known[device.id] = device.revoked;
  std::vector<std::string> devices;
  if (request.all) {
    for (const auto& [id, revoked] : known) {
      if (!revoked) devices.push_back(id);
    }
  }
  for (std::size_t i = 0; i < request.devices.size(); ++i) {
    const auto field = "devices[" + std::to_string(i) + "]";
    const auto found = known.find(request.devices[i]);
    if (found == known.end()) return fail(ErrorCode::not_found, field, request.devices[i]);
    if (found->second) return fail(ErrorCode::revoked_device, field, request.devices[i]);
    devices.push_back(request.devices[i]);
  }
  std::ranges::sort(devices);
  devices.erase(std::ranges::unique(devices).begin(), devices.end());
  if (devices.empty()) return fail(ErrorCode::not_found, "devices", "none to send it to");
  return devices;
}

}  // namespace

Result<std::size_t> Notices::send(const domain::Actor& actor, NoticeRequest request) {
  if (!sends_notices(actor.role) || actor.org_path.empty()) {
    return fail(ErrorCode::forbidden, "role", std::string(to_string(actor.role)) + " may not send notices");
  }
  if (request.id.is_nil()) return fail(ErrorCode::missing_field, "id");
  if (request.all != request.devices.empty()) {
    return fail(ErrorCode::out_of_range, "devices", "either some, or all of them");
  }
  if (request.devices.size() > kDevices) {
    return fail(ErrorCode::out_of_range, "devices",
                std::to_string(request.devices.size()) + ", at most " + std::to_string(kDevices));
  }
  const auto body = encode_item(NoticeItem{request.text});
  // A device would store what it cannot read, and show nothing.
  if (const auto read = decode_notice_item(body); !read) return tl::unexpected(read.error());

  NoticeRow row{request.id,
                services_.clock.now(),
                actor.login,
                fingerprint(actor, request, services_.crypto),
                std::move(request.text),
                {}};
  std::vector<Outgoing> outgoing;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    outgoing.clear();
    if (auto before = tx.find_notice(row.id)) {
      if (before->request != row.request) return fail(ErrorCode::id_conflict, "id", to_string(row.id));
      row.devices = std::move(before->devices);
      return {};
    }
    auto devices = recipients(tx, actor, request);
    if (!devices) return tl::unexpected(devices.error());
    row.devices = std::move(*devices);
    tx.insert_notice(row);
    for (const auto& device : row.devices) tx.enqueue_down(device, "notice", body, row.at);
    const auto at_once = std::min(row.devices.size(), kSentAtOnce);
    collect_pending(tx, {row.devices.begin(), row.devices.begin() + static_cast<std::ptrdiff_t>(at_once)}, row.at,
                    outgoing);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  deliver(services_, {}, outgoing);
  return row.devices.size();
}

}  // namespace gridward::app
