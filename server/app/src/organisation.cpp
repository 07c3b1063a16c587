#include <gridward/app/services.hpp>

#include "roles.hpp"

namespace gridward::app {
namespace {

using domain::Role;

tl::unexpected<Error> not_for(const domain::Actor& actor) {
  return fail(ErrorCode::forbidden, "role", std::string(to_string(actor.role)) + " may not see this");
}

// Units of other towns and of the district take orders too (滨海新区网格中心职责清单 2.2), so the whole tree is asked.
std::string root_of(const domain::Actor& actor) { return actor.org_path.substr(0, actor.org_path.find('/')); }

}  // namespace

Organisation::Organisation(Services services) : services_(services) {}

Result<OrgView> Organisation::tree(const domain::Actor& actor) {
  if (actor.org_path.empty()) return not_for(actor);
  OrgView view;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    view.nodes = tx.orgs_below(actor.org_path);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return view;
}

Result<std::vector<OrgNode>> Organisation::units(const domain::Actor& actor) {
  if (!(at_desk(actor.role) || of_unit(actor.role)) || actor.org_path.empty()) return not_for(actor);
  std::vector<OrgNode> units;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    units = tx.orgs_below(root_of(actor));
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  std::erase_if(units, [](const OrgNode& node) { return node.kind != OrgKind::unit; });
  return units;
}

Result<std::vector<User>> Organisation::members(const domain::Actor& actor) {
  if (!(sees_people(actor.role) || of_unit(actor.role)) || actor.org_path.empty()) return not_for(actor);
  std::vector<User> users;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    users = tx.users_below(actor.org_path);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  std::erase_if(users, [&](const User& user) {
    if (of_unit(actor.role)) return !of_unit(user.role) || user.org != actor.org || !user.active;
    return !in_field(user.role);
  });
  for (auto& user : users) user.password_hash.clear();
  return users;
}

Result<std::vector<Organisation::DeviceView>> Organisation::devices(const domain::Actor& actor) {
  if (!sees_people(actor.role) || actor.org_path.empty()) return not_for(actor);
  std::vector<DeviceView> devices;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    auto counts = tx.quarantine_counts(actor.org_path);
    auto flags = tx.flag_counts(actor.org_path);
    for (auto& device : tx.devices_below(actor.org_path)) {
      const auto quarantine = counts[device.id];
      const auto flagged = flags[device.id];
      devices.push_back({std::move(device), quarantine, flagged});
    }
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return devices;
}

Result<Organisation::DeviceTroubles> Organisation::device_troubles(const domain::Actor& actor,
                                                                   const std::string& device) {
  if (!sees_people(actor.role) || actor.org_path.empty()) return not_for(actor);
  DeviceTroubles troubles;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    const auto found = tx.find_device(device);
    const auto town = found ? tx.find_org(found->town) : std::nullopt;
    if (!town || !domain::within(actor.org_path, town->path)) return fail(ErrorCode::not_found, "device", device);
    troubles.flagged = tx.flagged(device, kTroubles);
    troubles.quarantined = tx.quarantined_of(device, kTroubles);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return troubles;
}

}  // namespace gridward::app
