#include <algorithm>
#include <gridward/domain/duty.hpp>

namespace gridward::domain {
namespace {

// Receivers that do not say how good a fix is: what an ordinary handheld reaches between buildings. Too small a number
// would call an honest punch near the border "outside".
constexpr double kAssumedAccuracyM = 30.0;

}  // namespace

std::string_view to_string(PlaceJudgement judgement) {
  switch (judgement) {
    case PlaceJudgement::unknown:
      return "unknown";
    case PlaceJudgement::inside:
      return "inside";
    case PlaceJudgement::near_edge:
      return "near_edge";
    case PlaceJudgement::outside:
      return "outside";
  }
  return "unknown";
}

PlaceJudgement judge_place(const std::optional<Fix>& fix, const Polygon* grid) {
  if (!fix || grid == nullptr || grid->outer.size() < 3) return PlaceJudgement::unknown;
  const double accuracy_m = fix->accuracy_cm ? *fix->accuracy_cm / 100.0 : kAssumedAccuracyM;
  if (distance_to_edge_m(*grid, fix->point) <= accuracy_m) return PlaceJudgement::near_edge;
  return contains(*grid, fix->point) ? PlaceJudgement::inside : PlaceJudgement::outside;
}

std::vector<DutyWindow> duty_windows(std::span<const Punch> punches) {
  std::vector<DutyWindow> windows;
  for (const auto& punch : punches) {
    const bool open = !windows.empty() && !windows.back().to;
    if (punch.act == SignAct::in && !open) windows.push_back({punch.at, std::nullopt});
    if (punch.act == SignAct::out && open) windows.back().to = std::max(punch.at, windows.back().from);
  }
  return windows;
}

TrackSplit keep_on_duty(std::span<const TrackPoint> points, std::span<const DutyWindow> windows) {
  TrackSplit split;
  split.kept.reserve(points.size());
  for (const auto& point : points) {
    const bool on_duty = std::any_of(windows.begin(), windows.end(), [&](const DutyWindow& window) {
      return point.at >= window.from && (!window.to || point.at <= *window.to);
    });
    if (on_duty) {
      split.kept.push_back(point);
    } else {
      ++split.dropped;
    }
  }
  return split;
}

}  // namespace gridward::domain
