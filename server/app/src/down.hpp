// Down items on their way: collected inside the unit that made them, sent after its commit.
#pragma once

#include <gridward/app/services.hpp>
#include <string>
#include <vector>

namespace gridward::app {

struct Outgoing {
  std::string town;
  std::string device;
  DownMessage message;
};

// What waits for this device, oldest first and bounded: the device's next ack brings the rest.
void collect_pending(Tx& tx, const Device& device, std::vector<Outgoing>& out);
void collect_pending(Tx& tx, const std::vector<std::string>& devices, std::vector<Outgoing>& out);
void deliver(Services& services, const std::vector<LiveEvent>& live, const std::vector<Outgoing>& out);

}  // namespace gridward::app
