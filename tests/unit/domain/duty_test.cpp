#include <gtest/gtest.h>

#include <gridward/domain/duty.hpp>

namespace gridward::domain {
namespace {

UnixMs t(std::int64_t ms) { return from_unix_ms(ms); }

// A square of about 1.1 km by 0.86 km near 39.2 N.
Polygon square() {
  return {{geo_point(39.20, 117.80), geo_point(39.20, 117.81), geo_point(39.21, 117.81), geo_point(39.21, 117.80)}, {}};
}

Fix fix_at(double lat, double lon, std::optional<std::uint32_t> accuracy_cm) {
  Fix fix;
  fix.point = geo_point(lat, lon);
  fix.accuracy_cm = accuracy_cm;
  return fix;
}

TEST(JudgePlace, Table) {
  const auto grid = square();
  const Polygon empty;
  // 0.001 degrees of latitude is 111 m.
  EXPECT_EQ(judge_place(fix_at(39.205, 117.805, 500), &grid), PlaceJudgement::inside);
  EXPECT_EQ(judge_place(fix_at(39.219, 117.805, 500), &grid), PlaceJudgement::outside);
  EXPECT_EQ(judge_place(fix_at(39.211, 117.805, 500), &grid), PlaceJudgement::outside);
  EXPECT_EQ(judge_place(fix_at(39.211, 117.805, 12'000), &grid), PlaceJudgement::near_edge);
  EXPECT_EQ(judge_place(fix_at(39.209, 117.805, 12'000), &grid), PlaceJudgement::near_edge);
  EXPECT_EQ(judge_place(fix_at(39.209, 117.805, 10'000), &grid), PlaceJudgement::inside);
  EXPECT_EQ(judge_place(fix_at(39.210, 117.805, 0), &grid), PlaceJudgement::near_edge) << "on the line itself";
  EXPECT_EQ(judge_place(std::nullopt, &grid), PlaceJudgement::unknown);
  EXPECT_EQ(judge_place(fix_at(39.205, 117.805, 500), nullptr), PlaceJudgement::unknown);
  EXPECT_EQ(judge_place(fix_at(39.205, 117.805, 500), &empty), PlaceJudgement::unknown);
}

TEST(JudgePlace, AReceiverThatDoesNotSayHowGoodIsNotTakenAsPerfect) {
  const auto grid = square();
  // 11 m outside: perfect would be "outside"; 56 m outside is outside.
  EXPECT_EQ(judge_place(fix_at(39.2101, 117.805, std::nullopt), &grid), PlaceJudgement::near_edge);
  EXPECT_EQ(judge_place(fix_at(39.2105, 117.805, std::nullopt), &grid), PlaceJudgement::outside);
}

TEST(JudgePlace, NamesAreThoseOfTheApi) {
  EXPECT_EQ(to_string(PlaceJudgement::inside), "inside");
  EXPECT_EQ(to_string(PlaceJudgement::near_edge), "near_edge");
  EXPECT_EQ(to_string(PlaceJudgement::outside), "outside");
  EXPECT_EQ(to_string(PlaceJudgement::unknown), "unknown");
}

struct WindowsRow {
  const char* why;
  std::vector<Punch> punches;
  std::vector<DutyWindow> windows;
};

TEST(DutyWindows, Table) {
  const auto in = [](std::int64_t at) { return Punch{SignAct::in, t(at)}; };
  const auto out = [](std::int64_t at) { return Punch{SignAct::out, t(at)}; };
  const WindowsRow rows[] = {
      {"nothing", {}, {}},
      {"one span", {in(10), out(20)}, {{t(10), t(20)}}},
      {"still on duty", {in(10)}, {{t(10), std::nullopt}}},
      {"signing in twice is one window from the first", {in(10), in(15), out(20)}, {{t(10), t(20)}}},
      {"a sign-out without a sign-in opens none", {out(5), in(10), out(20)}, {{t(10), t(20)}}},
      {"a second sign-out does not move the first", {in(10), out(20), out(30)}, {{t(10), t(20)}}},
      {"two spans", {in(10), out(20), in(30), out(40)}, {{t(10), t(20)}, {t(30), t(40)}}},
      {"in and out in one instant", {in(10), out(10)}, {{t(10), t(10)}}},
  };
  for (const auto& row : rows) EXPECT_EQ(duty_windows(row.punches), row.windows) << row.why;
}

TEST(KeepOnDuty, BordersBelongToTheWindow) {
  std::vector<TrackPoint> points;
  for (const std::int64_t at : {9, 10, 15, 20, 21, 29, 30, 31, 1000}) points.push_back({t(at), {}, 0});
  const std::vector<DutyWindow> windows{{t(10), t(20)}, {t(30), std::nullopt}};
  const auto split = keep_on_duty(points, windows);
  std::vector<std::int64_t> kept;
  for (const auto& point : split.kept) kept.push_back(to_unix_ms(point.at));
  EXPECT_EQ(kept, (std::vector<std::int64_t>{10, 15, 20, 30, 31, 1000}));
  EXPECT_EQ(split.dropped, 3u);
}

TEST(KeepOnDuty, WithoutAnyWindowNothingIsKept) {
  const std::vector<TrackPoint> points(5, TrackPoint{t(5), {}, 0});
  const auto split = keep_on_duty(points, {});
  EXPECT_TRUE(split.kept.empty());
  EXPECT_EQ(split.dropped, 5u);
}

}  // namespace
}  // namespace gridward::domain
