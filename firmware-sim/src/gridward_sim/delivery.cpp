#include <algorithm>
#include <gridward_sim/delivery.hpp>
#include <gridward_sim/handheld.hpp>
#include <utility>

namespace gridward::sim {
namespace {

Delivery& of(void* self) { return *static_cast<Delivery*>(self); }

}  // namespace

Delivery::Delivery(const DeliveryOdds& odds, std::uint64_t seed, DeliveryCounts counts, std::function<void()> wake)
    : odds_(odds), counts_(counts), wake_(std::move(wake)), inner_(gw_device_mqtt_transport()), random_(seed, 4) {
  transport_.struct_size = sizeof transport_;
  transport_.user = this;
  // There is one connection, so the library's handle of it is this.
  transport_.open = [](void* user, const gw_config* config, const gw_link* link, void** connection) {
    *connection = user;
    return of(user).open(config, link);
  };
  transport_.connect = [](void* self) { of(self).connect(); };
  transport_.disconnect = [](void* self) { of(self).disconnect(); };
  transport_.publish = [](void* self, std::int32_t topic, const std::uint8_t* data, std::size_t size,
                          std::uint64_t token) { return of(self).publish(topic, data, size, token); };
  transport_.close = [](void* self) { of(self).close(); };
  mine_.struct_size = sizeof mine_;
  mine_.user = this;
  mine_.event = [](void* self, const gw_link_event* event) { of(self).told(*event); };
}

gw_status Delivery::open(const gw_config* config, const gw_link* link) {
  theirs_ = *link;
  cut_ = false;
  return inner_->open(inner_->user, config, &mine_, &connection_);
}

void Delivery::close() {
  inner_->close(std::exchange(connection_, nullptr));
  forget();
}

// What is held belongs to the connection that ends.
void Delivery::forget() {
  const std::lock_guard lock(mutex_);
  counts_.dropped += held_.size();
  held_.clear();
}

void Delivery::connect() {
  forget();
  inner_->connect(connection_);
}

void Delivery::disconnect() {
  if (!cut_) inner_->disconnect(connection_);
}

Delivery::Fate Delivery::draw() {
  if (calm_) return Fate::as_it_is;
  const std::lock_guard lock(mutex_);
  if (random_.chance(odds_.drop)) return Fate::dropped;
  if (random_.chance(odds_.duplicate)) return Fate::doubled;
  return random_.chance(odds_.reorder) ? Fate::held : Fate::as_it_is;
}

void Delivery::hold(Held held) {
  ++counts_.reordered;
  {
    const std::lock_guard lock(mutex_);
    held.due = steady_ms() + static_cast<std::int64_t>(random_.between(0, odds_.hold_ms)) + 1;
    held_.push_back(std::move(held));
  }
  wake_();
}

gw_status Delivery::publish(std::int32_t topic, const std::uint8_t* data, std::size_t size, std::uint64_t token) {
  if (cut_) return GW_OK;
  switch (draw()) {
    case Fate::dropped:
      ++counts_.dropped;
      return GW_OK;
    case Fate::held:
      hold({0, true, topic, token, {data, data + size}});
      return GW_OK;
    case Fate::doubled:
      ++counts_.duplicated;
      inner_->publish(connection_, topic, data, size, token);
      break;
    case Fate::as_it_is:
      break;
  }
  return inner_->publish(connection_, topic, data, size, token);
}

void Delivery::tell_message(const std::uint8_t* data, std::size_t size) const {
  gw_link_event event{};
  event.struct_size = sizeof event;
  event.kind = GW_LINK_MESSAGE;
  event.data = data;
  event.size = size;
  theirs_.event(theirs_.user, &event);
}

void Delivery::told(const gw_link_event& event) {
  if (event.kind != GW_LINK_MESSAGE) return theirs_.event(theirs_.user, &event);
  if (cut_) return;
  switch (draw()) {
    case Fate::dropped:
      ++counts_.dropped;
      return;
    case Fate::held:
      return hold({0, false, 0, 0, {event.data, event.data + event.size}});
    case Fate::doubled:
      ++counts_.duplicated;
      tell_message(event.data, event.size);
      break;
    case Fate::as_it_is:
      break;
  }
  theirs_.event(theirs_.user, &event);
}

std::int64_t Delivery::step(std::int64_t now) {
  std::vector<Held> due;
  std::int64_t next = -1;
  {
    const std::lock_guard lock(mutex_);
    const auto waits =
        std::partition(held_.begin(), held_.end(), [&](const Held& held) { return held.due <= now || calm_; });
    due.assign(std::make_move_iterator(held_.begin()), std::make_move_iterator(waits));
    held_.erase(held_.begin(), waits);
    for (const auto& held : held_) next = next < 0 ? held.due : std::min(next, held.due);
  }
  if (connection_ == nullptr || cut_) return next;
  for (const auto& held : due) {
    if (held.up) {
      inner_->publish(connection_, held.topic, held.data.data(), held.data.size(), held.token);
    } else {
      tell_message(held.data.data(), held.data.size());
    }
  }
  return next;
}

}  // namespace gridward::sim
