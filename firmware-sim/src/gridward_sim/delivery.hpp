// Messages doubled, overtaken and lost, between the library and its own MQTT: the protocol allows each of it.
#pragma once

#include <gridward/device.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <gridward_sim/random.hpp>
#include <gridward_sim/scenario.hpp>
#include <mutex>
#include <vector>

namespace gridward::sim {

struct DeliveryCounts {
  std::atomic<std::uint64_t>& duplicated;
  std::atomic<std::uint64_t>& reordered;
  std::atomic<std::uint64_t>& dropped;
};

// The transport of one handheld. step() and what the library calls belong to the handheld's thread.
class Delivery {
 public:
  // wake: something is held that step() must let go; any thread.
  Delivery(const DeliveryOdds& odds, std::uint64_t seed, DeliveryCounts counts, std::function<void()> wake);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  const gw_transport& transport() const { return transport_; }
  // Lets go what is due; when the next is, by steady_ms(), or -1.
  std::int64_t step(std::int64_t now);
  // From now on everything arrives once and in order; what is held with the next step().
  void calm() { calm_ = true; }
  // The power is gone: nothing leaves any more, not even a goodbye. Until the library opens the transport again.
  void cut() { cut_ = true; }

 private:
  struct Held {
    std::int64_t due = 0;
    bool up = false;
    std::int32_t topic = 0;
    std::uint64_t token = 0;
    std::vector<std::uint8_t> data;
  };
  enum class Fate { as_it_is, dropped, doubled, held };

  gw_status open(const gw_config* config, const gw_link* link);
  void connect();
  void disconnect();
  gw_status publish(std::int32_t topic, const std::uint8_t* data, std::size_t size, std::uint64_t token);
  void close();
  void told(const gw_link_event& event);
  void tell_message(const std::uint8_t* data, std::size_t size) const;
  Fate draw();
  void hold(Held held);
  void forget();

  const DeliveryOdds odds_;
  const DeliveryCounts counts_;
  const std::function<void()> wake_;
  gw_transport transport_{};
  const gw_transport* const inner_;
  void* connection_ = nullptr;
  gw_link mine_{};
  gw_link theirs_{};
  std::atomic<bool> calm_ = false;
  std::atomic<bool> cut_ = false;
  std::mutex mutex_;  // of the two below
  Random random_;
  std::vector<Held> held_;
};

}  // namespace gridward::sim
