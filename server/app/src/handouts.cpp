#include "handouts.hpp"

namespace gridward::app {
namespace {

// The same contents have the same rev, whichever server made them: the first 64 bits of the hash of what is said.
template <class Item>
std::string rev_of(Item item, Crypto& crypto) {
  item.rev = "-";  // a body without one cannot be written
  const Result<std::string> body = encode_item(item);
  return to_hex(crypto.sha256(as_bytes(body.value()))).substr(0, 16);
}

}  // namespace

Handouts::Handouts(const domain::Policy& policy, Crypto& crypto) {
  if (!policy.handhelds) return;
  auto [settings, categories] = *policy.handhelds;
  settings.rev = rev_of(settings, crypto);
  categories.rev = rev_of(categories, crypto);
  items_ = {{settings.rev, encode_item(settings)}, {categories.rev, encode_item(categories).value()}};
}

void Handouts::give(Tx& tx, std::string_view device, const Uuid& epoch, UnixMs now) const {
  if (!items_) return;
  auto has = tx.handed(device);
  if (has.epoch != epoch) has = {};
  const Handed now_has{epoch, items_->settings.rev, items_->categories.rev};
  if (has == now_has) return;
  // What still waits reaches every epoch of the device: one that has a new epoch at each hello adds nothing.
  const auto put = [&](std::string_view kind, const std::string& body) {
    const auto waits = tx.last_pending_down(device, kind);
    if (!waits || waits->body != body) tx.enqueue_down(device, kind, body, now);
  };
  if (has.settings != now_has.settings) put("settings", items_->settings.body);
  if (has.categories != now_has.categories) put("categories", items_->categories.body);
  tx.set_handed(device, now_has);
}

}  // namespace gridward::app
