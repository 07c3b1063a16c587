// What every handheld is given at its hello: the county's settings and matter list, once each.
#pragma once

#include <gridward/app/services.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::app {

// Thread-safe. Made once from the policy, for encoding and hashing a matter list is not for the writer's thread.
class Handouts {
 public:
  Handouts(const domain::Policy& policy, Crypto& crypto);
  // In the unit of the hello, after agree_down: enqueues what the device was not given in this epoch and what
  // does not wait for it.
  void give(Tx& tx, std::string_view device, const Uuid& epoch, UnixMs now) const;

 private:
  struct Item {
    std::string rev;
    std::string body;
  };
  struct Items {
    Item settings;
    Item categories;
  };
  std::optional<Items> items_;
};

}  // namespace gridward::app
