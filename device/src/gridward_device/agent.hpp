// The agent: runs the sync machine on the outbox and the transport, records tracks on duty. One thread.
#pragma once

#include <array>
#include <functional>
#include <gridward_device/config.hpp>
#include <gridward_device/outbox.hpp>
#include <gridward_device/ports.hpp>
#include <gridward_device/sync.hpp>
#include <gridward_device/transport.hpp>
#include <gridward_device/watch.hpp>
#include <memory>
#include <optional>

namespace gridward::device {

// The device's Ed25519 key. The seed stays in its file, mode 0600.
class DeviceKey {
 public:
  // Makes the file when there is none.
  static Result<void> create(const std::filesystem::path& file, const Ports& ports);
  // not_enrolled: no file. config_invalid: not 64 hex characters, or others may read it.
  static Result<DeviceKey> load(const std::filesystem::path& file);
  Signature sign(ByteView message) const;
  const PublicKey& public_key() const { return public_; }

 private:
  PublicKey public_{};
  std::array<std::uint8_t, 64> secret_{};
};

// Of whatever process; the folder is asked, nothing is written.
gw_agent_state agent_state(const std::filesystem::path& data_dir);

class Agent {
 public:
  // unavailable: another agent has the folder. wake: from any thread, makes the host call step().
  static Result<std::unique_ptr<Agent>> start(const Config& config, const Ports& ports, Outbox& outbox,
                                              std::function<void()> wake);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Does what is due; when to come back at the latest (monotonic), or nothing.
  //
  // StorageError: a commit failed, so all that rests in memory is dropped, the connection with it, and from next() on
  // the agent begins anew from what is on the disk. Why not keep the changes and try them again: the machine has gone
  // on as if they had been made, and a queue of them is a second outbox, without a disk. What is dropped here comes
  // again by the protocol: a record without its receipt is sent, an item without its acknowledgement is brought.
  std::optional<Millis> step();
  std::optional<Millis> next() const;
  int watch_fd() const { return watch_ ? watch_->fd() : -1; }
  bool connected() const { return machine_.greeted(); }
  void network_changed() { feed(in::NetworkChanged{}); }
  // This very process appended.
  void appended() { outside_ = true; }
  void stop();

 private:
  Agent(const Config& config, const Ports& ports, Outbox& outbox, DeviceKey key, Descriptor lock);

  // What is known at the beginning, from the disk.
  void derive(Millis now);
  // The town's settings, at once.
  void set_up(Millis now);
  std::optional<Millis> turn(Millis now);
  void fall_back(Millis now, const StorageError& error);
  SyncKnown known() const { return {outbox_.epoch(), outbox_.down_ack(), outbox_.generation()}; }
  void look_outside(Millis now);
  void show_link();
  void take_transport_events();
  void record_track(Millis now);
  void close_track();
  void send_heartbeat(Millis now);
  void feed(const SyncInput& input);
  void run(const SyncOutput& output);
  // Commits what outputs asked to remember, then does what had to wait for it.
  void settle();
  void later(std::function<void()> event) { after_commit_.push_back(std::move(event)); }
  ClockReading clock(const std::optional<gw_fix>& fix) const;
  Draft stamp(const RecordBody& body) const;

  void perform(const out::PublishUp& publish);
  void perform(const out::PublishPiece& publish);

  const Config& config_;
  const Ports& ports_;
  Outbox& outbox_;
  DeviceKey key_;
  Descriptor lock_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<OutboxWatch> watch_;
  SyncMachine machine_;
  std::int64_t data_version_ = 0;
  std::int64_t rewinds_ = 0;
  bool outside_ = true;

  std::vector<std::function<void()>> changes_;
  std::vector<std::function<void()>> after_commit_;
  bool down_stored_ = false;
  bool hang_up_ = false;
  bool prune_due_ = false;
  bool up_ = false;                 // as told by events
  bool shown_ = false;              // agent_state says connected
  std::optional<Millis> begin_at_;  // after a failed commit
  unsigned failures_ = 0;           // without a commit between them

  Settings settings_;
  DutyState duty_;
  bool tracking_ = false;
  Millis next_point_{};
  std::optional<Millis> pending_since_;
  std::int64_t last_fix_ = 0;
  bool points_refused_ = false;
  std::optional<out::Safe> last_safe_;
  std::optional<Millis> next_heartbeat_;
  Millis next_prune_{};
};

}  // namespace gridward::device
