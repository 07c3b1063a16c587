#include <algorithm>
#include <cmath>
#include <gridward_sim/parts.hpp>
#include <limits>
#include <map>

namespace gridward::sim {

std::vector<Part> share_out(const std::vector<HandheldSpec>& handhelds, unsigned processes) {
  std::map<double, std::vector<std::size_t>> by_rate;
  for (std::size_t i = 0; i < handhelds.size(); ++i) {
    const auto& circumstances = handhelds[i].circumstances;
    by_rate[circumstances ? circumstances->kills_per_h : 0].push_back(i);
  }
  std::vector<Part> parts;
  for (const auto& [rate, members] : by_rate) {
    const double share = static_cast<double>(members.size()) / static_cast<double>(handhelds.size());
    const auto wanted = static_cast<std::size_t>(std::max(1L, std::lround(share * processes)));
    const auto count = std::min(wanted, members.size());
    const auto first = parts.size();
    for (std::size_t i = 0; i < count; ++i) parts.push_back({{}, rate});
    for (std::size_t i = 0; i < members.size(); ++i) parts[first + i % count].members.push_back(members[i]);
  }
  return parts;
}

Kills::Kills(std::uint64_t seed, std::size_t part, double per_h)
    : random_(seed + part, 6), per_h_(per_h), next_ms_(std::numeric_limits<std::int64_t>::max() / 4) {
  if (per_h_ <= 0) return;
  next_ms_ = 0;
  pass();
}

void Kills::pass() { next_ms_ += static_cast<std::int64_t>(random_.exponential(3'600'000 / per_h_)) + 1; }

}  // namespace gridward::sim
