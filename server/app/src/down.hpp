// Down items on their way: collected inside the unit that made them, sent after its commit.
#pragma once

#include <gridward/app/services.hpp>
#include <map>
#include <string>
#include <vector>

namespace gridward::app {

struct Outgoing {
  std::string town;
  std::string device;
  DownMessage message;
};

// What waits for these devices, lowest number first and bounded. It counts as sent: the unit's commit comes before.
void collect_pending(Tx& tx, const std::vector<std::string>& devices, UnixMs now, std::vector<Outgoing>& out);
// The lowest number that each device was given in this unit.
using NewDown = std::map<std::string, std::uint64_t>;
// The same for these, but for devices before whose new items more waits than is sent at a time: that was sent already,
// and their next ack brings the rest.
void collect_new(Tx& tx, const NewDown& items, UnixMs now, std::vector<Outgoing>& out);
void deliver(Services& services, const std::vector<LiveEvent>& live, const std::vector<Outgoing>& out);

}  // namespace gridward::app
