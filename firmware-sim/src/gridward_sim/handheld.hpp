// One simulated member with the real device library in hand. Belongs to one thread.
#pragma once

#include <gridward/device.h>

#include <atomic>
#include <gridward/sim/scene.hpp>
#include <gridward_sim/fleet.hpp>
#include <gridward_sim/witness.hpp>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace gridward::sim {

// What all handhelds did; any thread.
struct Tally {
  std::atomic<std::uint64_t> connected{0};
  std::atomic<std::uint64_t> on_duty{0};
  std::atomic<std::uint64_t> reports{0};
  std::atomic<std::uint64_t> photos{0};
  std::atomic<std::uint64_t> photos_delivered{0};
  std::atomic<std::uint64_t> tasks_verified{0};
  std::atomic<std::uint64_t> track_points{0};
  std::atomic<std::uint64_t> receipted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> full{0};    // captures that found no room: nobody was told "saved"
  std::atomic<std::uint64_t> failed{0};  // what else the library refused
};

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
  Witness* witness = nullptr;          // may be null
};

class Handheld {
 public:
  // number: of this handheld in the fleet.
  static Result<std::unique_ptr<Handheld>> open(const HandheldSpec& spec, const Surroundings& around, Tally& tally,
                                                Journal& journal, std::uint64_t seed, std::size_t number);
  ~Handheld();
  Handheld(const Handheld&) = delete;
  Handheld& operator=(const Handheld&) = delete;

  // Does what is due; milliseconds until it must be called again.
  std::int64_t step();
  std::int32_t fd() const;           // readable: call step(). -1 before the first step.
  void leave() { leaving_ = true; }  // end the patrol, sign out, send what is left
  bool finished() const { return state_ == State::left; }
  void stop();  // now, without waiting for what is left
  gw_summary summary() const;
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
           std::size_t number);

  void begin(std::int64_t now);
  void work(std::int64_t now);
  void go_home(std::int64_t now);
  void report(std::int64_t now);
  void look_for_errands();
  void do_errand(std::int64_t now);
  void failed(const char* doing, gw_status status);
  void on_event(const gw_event& event);
  gw_status position(gw_fix& out);
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
  gw_device* device_ = nullptr;
  std::string epoch_;
  State state_ = State::fresh;
  bool leaving_ = false;
  bool connected_ = false;
  bool signed_in_ = false;
  bool errands_changed_ = true;
  std::int64_t begin_at_ = 0;
  std::int64_t clock_error_ms_ = 0;
  std::int64_t next_jump_ = 0;
  std::int64_t next_report_ = 0;
  int reports_ = 0;
  std::vector<Reported> reported_;
  std::vector<Errand> errands_;
  std::set<std::string> given_up_;  // tasks whose answer was refused
};

std::int64_t steady_ms();  // the clock of step()

}  // namespace gridward::sim
