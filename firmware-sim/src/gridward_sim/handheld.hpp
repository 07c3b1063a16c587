// One simulated member with the real device library in hand. Belongs to one thread.
#pragma once

#include <gridward/device.h>

#include <array>
#include <atomic>
#include <gridward/sim/scene.hpp>
#include <gridward_sim/delivery.hpp>
#include <gridward_sim/fleet.hpp>
#include <gridward_sim/tally.hpp>
#include <gridward_sim/timeline.hpp>
#include <gridward_sim/witness.hpp>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace gridward::sim {

// Lines of what happened, one at a time. Any thread.
class Journal {
 public:
  void say(const std::string& line);

 private:
  std::mutex mutex_;
};

struct Surroundings {
  std::vector<std::string> photos;      // files to take photos from; empty: draw
  std::vector<std::string> categories;  // codes; empty: the simulator's own
  std::filesystem::path scratch;        // for photos that are made, until they are saved
  bool unique = false;                  // a comment in each photo from a file, so that no two have the same hash
  bool quiet = false;
  std::atomic<bool> reporting = true;  // false: what has come down is still done
  std::atomic<bool> calm = false;      // true: the scenario is over, nothing is broken any more
  std::int64_t began_ms = 0;           // of the scenario, by steady_ms()
  std::uint64_t start = 0;             // how often this process was begun again
  Relay* relay = nullptr;              // the links of those that have a door; may be null
  Witness* witness = nullptr;          // may be null
};

class Handheld {
 public:
  // number: of this handheld in the fleet; door: of the relay.
  static Result<std::unique_ptr<Handheld>> open(const HandheldSpec& spec, const Surroundings& around, Tally& tally,
                                                Journal& journal, std::uint64_t seed, std::size_t number,
                                                std::optional<std::size_t> door = std::nullopt);
  ~Handheld();
  Handheld(const Handheld&) = delete;
  Handheld& operator=(const Handheld&) = delete;

  // Does what is due; milliseconds until it must be called again.
  std::int64_t step();
  std::int32_t fd() const;  // readable: call step(). -1 before the first step, and while it is off.
  std::uint64_t boots() const { return boots_; }  // after another one the descriptor is another, too
  void leave();                                   // end the patrol, sign out, send what is left
  bool finished() const { return state_ == State::left; }
  void stop();  // now, without waiting for what is left
  bool switched_on() const { return device_ != nullptr; }
  gw_summary summary() const;  // nothing while it is off
  const std::string& name() const { return name_; }

 private:
  enum class State { fresh, working, draining, left };
  struct Reported {
    GeoPoint point;
    std::uint64_t scene = 0;
    Subject subject = Subject::manhole;
    bool repaired = false;
  };
  struct Errand {
    std::string task;
    bool has_point = false;
    GeoPoint point;
    std::int64_t ready_at = -1;  // after arrival
  };

  Handheld(const HandheldSpec& spec, const Surroundings& around, Tally& tally, Journal& journal, std::uint64_t seed,
           std::size_t number, std::optional<std::size_t> door);

  Result<void> switch_on();
  void switch_off(bool in_order);
  void live_through(std::int64_t now);
  bool is_on(std::int64_t now);
  void begin(std::int64_t now);
  void work(std::int64_t now);
  void begin_duty(std::int64_t now);
  void end_duty();
  void report(std::int64_t now);
  void look_for_errands();
  void do_errand(std::int64_t now);
  void failed(const char* doing, gw_status status);
  void on_event(const gw_event& event);
  gw_status position(gw_fix& out);
  std::int32_t battery() const;
  std::string take_photo(std::uint64_t scene, Subject subject, bool repaired, int number);
  bool take_all(std::vector<gw_photo>& photos, std::vector<std::string>& paths, const Reported& of, gw_media_role role,
                int count);
  void clean(const std::vector<std::string>& paths) const;
  void witness(const gw_saved& saved, const char* kind, const std::vector<std::string>& photos = {}) const;
  std::int64_t wall_ms();

  std::string name_;
  std::size_t number_;
  HandheldSpec spec_;
  const Surroundings& around_;
  Tally& tally_;
  Journal& journal_;
  Random random_;
  Walk walk_;
  std::int64_t walked_to_ = 0;
  std::shared_ptr<const Circumstances> circumstances_;
  Timeline timeline_;
  std::unique_ptr<Delivery> delivery_;  // only in a scenario
  std::optional<std::size_t> door_;
  gw_device* device_ = nullptr;
  std::uint64_t boots_ = 0;
  std::array<std::uint8_t, 16> boot_id_{};
  std::int64_t booted_at_ = 0;
  std::string epoch_;
  State state_ = State::fresh;
  bool leaving_ = false;
  bool calm_ = false;
  bool connected_ = false;
  bool on_duty_ = false;
  std::int64_t duty_changes_ = 0;  // not before
  std::int64_t switch_on_at_ = 0;  // not before
  int lock_tries_ = 0;
  bool errands_changed_ = true;
  std::int64_t begin_at_ = 0;
  std::int64_t worked_since_ = 0;
  Random clock_random_;
  std::int64_t clock_error_ms_ = 0;  // of the jumps
  std::int64_t next_jump_ = 0;
  std::int64_t next_report_ = 0;
  int reports_ = 0;
  std::vector<Reported> reported_;
  std::vector<Errand> errands_;
  std::set<std::string> given_up_;  // tasks whose answer was refused
};

std::int64_t steady_ms();  // the clock of step()
std::string seconds_text(std::int64_t ms);

}  // namespace gridward::sim
