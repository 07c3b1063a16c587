// A bad network between handhelds and broker: a TCP relay that delays, throttles, stalls, cuts inside a message and
// goes dead without a word. What TCP does of lost packets is a stall, so there is no loss besides. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <gridward/shared/error.hpp>
#include <gridward_sim/random.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gridward::sim {

struct LinkOptions {
  std::uint16_t listen = 0;  // on 127.0.0.1
  std::uint16_t to = 0;      // on 127.0.0.1
  std::uint64_t seed = 1;
  double life_s = 20;     // of a connection, on average
  double delay_ms = 300;  // at most, one way
};

// What one connection will meet. Drawn when it is accepted; pure.
struct LinkFate {
  std::int64_t delay_ms = 0;     // each way
  std::int64_t jitter_ms = 0;    // at most so much more, piece by piece; the order stays
  std::int64_t bytes_per_s = 0;  // each way; 0: as fast as it goes
  std::int64_t dies_ms = 0;      // after it began; 0: never
  bool silent = false;           // it dies, or the coverage ends, without a word: nothing more comes, nothing is closed
  std::int64_t dead_ms = 0;      // how long one that died silently stays open
  std::int64_t stall_every_ms = 0;
  std::int64_t stall_ms = 0;
};
LinkFate draw_fate(Random& random, const LinkOptions& options);

// The network of one handheld.
struct LinkClass {
  double delay_ms = 0;  // each way
  double jitter_ms = 0;
  double bytes_per_s = 0;  // each way; 0: as fast as it goes
  // It is there and gone by turns, each for a time between these; 0: always there.
  double up_min_s = 0;
  double up_max_s = 0;
  double down_min_s = 0;
  double down_max_s = 0;
  double life_s = 0;    // of a connection, on average; 0: no end of its own
  double silent = 0;    // share of the connections that hear nothing of an end; the others are reset
  bool absent = false;  // never there
};
// good, 2g, basement, tunnel, flapping, none.
std::optional<LinkClass> link_class(const std::string& name);
std::vector<std::string> link_class_names();
LinkFate draw_fate(Random& random, const LinkClass& link);

// When the network of one handheld is there. The same for the same seed; pure.
class Coverage {
 public:
  Coverage(const LinkClass& link, std::uint64_t seed);
  void advance(std::int64_t to_ms);  // since the run began
  bool there() const { return there_; }
  std::int64_t changes_ms() const { return changes_ms_; }  // a far day when it does not

 private:
  LinkClass link_;
  Random random_;
  bool there_;
  std::int64_t changes_ms_;
};

struct LinkCounts {
  std::uint64_t connections = 0;
  std::uint64_t cuts = 0;
  std::uint64_t silent = 0;
  std::uint64_t stalls = 0;
  std::uint64_t bytes = 0;
};

// One way into the network.
struct Door {
  std::uint16_t listen = 0;  // on 127.0.0.1; 0: any that is free
  std::uint16_t to = 0;      // on 127.0.0.1
  std::uint64_t seed = 1;
  std::function<LinkFate(Random&)> fate;
  LinkClass coverage;
};

class Relay {
 public:
  // Each door listens from now on. began_ms: steady_ms() when the run began. unavailable: a port.
  static Result<std::unique_ptr<Relay>> open(const std::vector<Door>& doors, std::int64_t began_ms);
  virtual ~Relay() = default;
  virtual std::uint16_t port(std::size_t door) const = 0;
  // Its connections end without a goodbye, soon. Any thread.
  virtual void cut(std::size_t door) = 0;
  // Until `stop`; from `heal` on every connection is a clean one and those that are dead are closed.
  virtual LinkCounts run(const std::atomic<bool>& stop, const std::atomic<bool>& heal) = 0;
};

// Through one door. unavailable: the port.
Result<LinkCounts> run_link(const LinkOptions& options, const std::atomic<bool>& stop, const std::atomic<bool>& heal);

}  // namespace gridward::sim
