// gw_ports with every hole filled by the library's own for Linux. Belongs to the thread of its device.
#pragma once

#include <gridward/device.h>

#include <gridward/shared/record.hpp>
#include <gridward_device/outbox.hpp>
#include <memory>
#include <optional>
#include <string>

namespace gridward::device {

// A program that is not the agent asks the receiver for one fix and leaves; the agent keeps the connection on duty.
class PositionSource {
 public:
  virtual ~PositionSource() = default;
  // wait 0: what is there already. mono(): the clock that stamps the fix.
  virtual std::optional<gw_fix> latest(Millis wait) = 0;
  virtual void active(bool on) = 0;
};

// gpsd at host:port through libgps. One that is away is tried again every five seconds at most, within a wait every
// half.
std::unique_ptr<PositionSource> make_gpsd_position(const std::string& host, int port, Millis max_age,
                                                   std::function<Millis()> mono);

struct BuiltinConfig {
  std::string gpsd_host;  // empty: no receiver
  int gpsd_port = 2947;
  Millis max_age{10'000};
  std::string camera_program;
};

class Ports {
 public:
  Ports(const gw_ports* ports, const BuiltinConfig& builtin);
  ~Ports();
  Ports(Ports&&) noexcept;
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  UnixMs wall() const;
  Millis mono() const;
  Uuid boot() const;
  // Nothing when there is no fix or it is older than max_age. As of received(); *at_ms is the fix's at_ms as it was
  // told.
  std::optional<gw_fix> position(Millis wait, std::int64_t* at_ms = nullptr) const;
  void position_active(bool on) const;
  Result<void> camera(const std::string& path) const;
  std::optional<std::uint8_t> battery() const;
  void random(std::uint8_t* out, std::size_t size) const;  // ends the process when there is none: no ids, no keys
  Uuid new_id(UnixMs at) const;
  void event(gw_event_kind kind, const std::string& id, const std::string& text, int code = 0, std::uint64_t number = 0,
             const std::string& store = {}) const;
  // Whole: what gw_ports names, or the library's own.
  const gw_transport& transport() const { return transport_; }
  bool has_wake() const { return ports_.wake != nullptr; }
  void wake() const;

 private:
  gw_ports ports_{};
  gw_transport transport_{};
  BuiltinConfig builtin_;
  std::unique_ptr<PositionSource> gpsd_;
};

// For read_clock. When it is not known when the fix was received (mono_ms 0), it counts as of now, and its at_ms, which
// may be a while ago, is left out: it is no clock.
gw_fix received(gw_fix fix, Millis now);
Fix to_fix(const gw_fix& fix, UnixMs wall);

}  // namespace gridward::device
