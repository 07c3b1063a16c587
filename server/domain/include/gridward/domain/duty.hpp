// Duty: where a punch lies, when a member is on duty, which track points may be kept (C3, C4). Pure.
#pragma once

#include <gridward/shared/record.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace gridward::domain {

enum class PlaceJudgement : std::uint8_t { unknown, inside, near_edge, outside };
std::string_view to_string(PlaceJudgement judgement);

// near_edge: the fix's accuracy reaches across the outline, so neither can be said; unknown: no fix or no outline.
// Flags for a reviewer, never a refusal.
PlaceJudgement judge_place(const std::optional<Fix>& fix, const Polygon* grid);

struct Punch {
  SignAct act = SignAct::in;
  UnixMs at{};
  bool operator==(const Punch&) const = default;
};
struct DutyWindow {
  UnixMs from{};
  std::optional<UnixMs> to;  // open: still on duty
  bool operator==(const DutyWindow&) const = default;
};
// From one member's punches in order of their capture. A second sign-in without a sign-out between does not open
// a second window; a sign-out without a sign-in opens none.
std::vector<DutyWindow> duty_windows(std::span<const Punch> punches);

struct TrackSplit {
  std::vector<TrackPoint> kept;
  std::size_t dropped = 0;
};
TrackSplit keep_on_duty(std::span<const TrackPoint> points, std::span<const DutyWindow> windows);

}  // namespace gridward::domain
