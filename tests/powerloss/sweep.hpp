// What the tests of this folder share: the short and the long form, progress, and the walk over every point.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <gridward/powerloss/recording.hpp>
#include <gridward/test/process.hpp>
#include <string>
#include <vector>

namespace gridward::powerloss {

// `scripts/test powerloss`; else what fits among the component tests.
inline bool long_form() {
  const char* form = std::getenv("GRIDWARD_POWERLOSS");
  return form != nullptr && std::string_view(form) == "long";
}

// What parts of unsynced data arrive, and where a life of power cuts is cut.
inline std::uint64_t seed() {
  const char* given = std::getenv("GRIDWARD_POWERLOSS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20260314;
}

// A line now and then, so that a long run is seen to live.
class Progress {
 public:
  Progress(std::string what, std::uint64_t all) : what_(std::move(what)), all_(all) {}
  void step(std::uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::seconds(10)) return;
    shown_ = now;
    std::printf("   %s: %llu of %llu\n", what_.c_str(), static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(all_));
    std::fflush(stdout);
  }

 private:
  std::string what_;
  std::uint64_t all_;
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

// What was wrong, and where: enough to see it again.
class Findings {
 public:
  void add(std::uint64_t n, Loss loss, const std::string& what) {
    ++count_;
    if (first_.size() < 10)
      first_.push_back("after " + std::to_string(n) + " operations, losing " + loss_name(loss) + ": " + what);
  }
  std::size_t count() const { return count_; }
  std::string text() const {
    std::string all;
    for (const auto& one : first_) all += one + "\n";
    if (count_ > first_.size()) all += "and " + std::to_string(count_ - first_.size()) + " more\n";
    return all;
  }

 private:
  std::size_t count_ = 0;
  std::vector<std::string> first_;
};

// Every point from `from` on, with every loss. `step` > 1 leaves points out where parts of what was not synced arrive;
// those where none does are never left out.
inline void sweep(const Recording& recording, const std::string& what, std::uint64_t from, std::uint64_t step,
                  const std::function<void(std::uint64_t, Loss, const Tree&)>& look) {
  const auto count = recording.count();
  Points points(recording.begin(), recording.ops());
  Progress progress(what, count);
  for (std::uint64_t n = from; n <= count; ++n) {
    const Disk& disk = points.at(n);
    for (const auto loss : kLosses) {
      if (loss != Loss::all && n % step != 0) continue;
      look(n, loss, disk.after(loss, seed() + n));
    }
    progress.step(n);
  }
}

}  // namespace gridward::powerloss
