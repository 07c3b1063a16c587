#include <algorithm>
#include <cmath>
#include <gridward_sim/timeline.hpp>
#include <limits>

namespace gridward::sim {
namespace {

constexpr auto kNever = std::numeric_limits<std::int64_t>::max() / 4;
constexpr double kHourMs = 3'600'000;
constexpr double kBootMinMs = 1'000;
constexpr double kBootMaxMs = 5'000;

// At least a moment later, so that no two follow each other endlessly.
std::int64_t later(std::int64_t from_ms, double by_ms) {
  if (!(by_ms < static_cast<double>(kNever))) return kNever;
  return std::min(kNever, from_ms + std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(by_ms))));
}

std::int64_t next_reboot(Random& random, const Circumstances& c, std::int64_t from_ms) {
  return c.reboots_per_h > 0 ? later(from_ms, random.exponential(kHourMs / c.reboots_per_h)) : kNever;
}

}  // namespace

Timeline::Timeline(std::shared_ptr<const Circumstances> circumstances, std::uint64_t seed)
    : circumstances_(std::move(circumstances)), random_(seed, 1), booted_at_(kNever) {
  const auto& c = *circumstances_;
  on_duty_ = c.duty.empty() || c.duty.front().from_ms == 0;
  if (c.battery) level_ = c.battery->start_percent;
  reboot_at_ = next_reboot(random_, c, 0);
}

double Timeline::percent_per_ms() const {
  const auto& battery = circumstances_->battery;
  if (!battery || (!on_ && !empty_)) return 0;
  const bool charging = !on_ || (!on_duty_ && battery->charge_when_off_duty);
  return (charging ? battery->charge_percent_per_h : -battery->drain_percent_per_h) / kHourMs;
}

double Timeline::level_at(std::int64_t ms) const {
  return std::clamp(level_ + percent_per_ms() * static_cast<double>(ms - level_since_), 0.0, 100.0);
}

double Timeline::battery_percent() const { return level_at(now_); }

void Timeline::rebase(std::int64_t at_ms) {
  level_ = level_at(at_ms);
  level_since_ = at_ms;
}

std::int64_t Timeline::duty_changes_ms() const {
  const auto& duty = circumstances_->duty;
  if (window_ >= duty.size()) return kNever;
  return on_duty_ ? duty[window_].to_ms : duty[window_].from_ms;
}

std::int64_t Timeline::battery_changes_ms() const {
  const double rate = percent_per_ms();
  if (empty_ && rate > 0) return later(level_since_, (circumstances_->battery->back_percent - level_) / rate);
  if (!empty_ && rate < 0) return later(level_since_, level_ / -rate);
  return kNever;
}

std::int64_t Timeline::next_ms() const {
  return std::min({duty_changes_ms(), battery_changes_ms(), on_ ? reboot_at_ : kNever, booted_at_});
}

std::vector<Timeline::Happening> Timeline::advance(std::int64_t to_ms) {
  std::vector<Happening> happened;
  for (std::int64_t at = next_ms(); at <= to_ms && at < kNever; at = next_ms()) {
    const bool duty = at == duty_changes_ms();
    const bool battery = at == battery_changes_ms();
    rebase(at);
    now_ = at;
    if (duty) {
      if (on_duty_) ++window_;
      on_duty_ = !on_duty_;
      happened.push_back({at, on_duty_ ? What::duty_begins : What::duty_ends});
    } else if (battery) {
      on_ = empty_;
      empty_ = !empty_;
      level_ = empty_ ? 0 : circumstances_->battery->back_percent;
      happened.push_back({at, on_ ? What::switched_on : What::power_cut});
      // What would have come while it was off does not come.
      if (on_) reboot_at_ = next_reboot(random_, *circumstances_, at);
    } else if (on_) {
      on_ = false;
      booted_at_ = later(at, random_.between(kBootMinMs, kBootMaxMs));
      happened.push_back({at, What::reboots});
    } else {
      on_ = true;
      booted_at_ = kNever;
      reboot_at_ = next_reboot(random_, *circumstances_, at);
      happened.push_back({at, What::switched_on});
    }
  }
  now_ = std::max(now_, to_ms);
  return happened;
}

}  // namespace gridward::sim
