#include "outlines.hpp"

#include <gtest/gtest.h>

namespace gridward::app {
namespace {

GeoPoint at(double north_m, double east_m) {
  // Metres around 39.2 N 117.8 E; 1 m of latitude is 89.93e-7 degrees, of longitude 116.0e-7.
  return {392000000 + static_cast<std::int32_t>(north_m * 89.93),
          1178000000 + static_cast<std::int32_t>(east_m * 116.0)};
}
Polygon box(double south, double west, double north, double east) {
  return {{at(south, west), at(south, east), at(north, east), at(north, west)}, {}};
}

TEST(OutlineProblem, Table) {
  EXPECT_FALSE(outline_problem(box(0, 0, 100, 100)));
  auto closed = box(0, 0, 100, 100);
  closed.outer.push_back(closed.outer.front());
  EXPECT_FALSE(outline_problem(closed));
  EXPECT_TRUE(outline_problem({}));
  EXPECT_TRUE(outline_problem({{at(0, 0), at(0, 100)}, {}}));
  EXPECT_TRUE(outline_problem({{at(0, 0), at(0, 100), at(0, 0)}, {}})) << "closed, but two points";
  EXPECT_TRUE(outline_problem({{at(0, 0), at(0, 50), at(0, 100)}, {}})) << "no area";
  const Polygon bow_tie{{at(0, 0), at(100, 100), at(0, 100), at(100, 0)}, {}};
  EXPECT_NE(outline_problem(bow_tie).value_or("").find("crosses"), std::string::npos);
  EXPECT_NE(outline_problem({{at(0, 0), at(0, 0), at(0, 100), at(100, 0)}, {}}).value_or("").find("twice"),
            std::string::npos);
  EXPECT_TRUE(outline_problem({{{0, 0}, {0, 1'000'000'000}, {500'000'000, 0}}, {}})) << "wider than ten degrees";
  Polygon ring(box(0, 0, 100, 100));
  ring.holes.push_back(box(20, 20, 40, 40).outer);
  EXPECT_FALSE(outline_problem(ring));
  ring.holes.push_back(box(90, 90, 140, 140).outer);
  EXPECT_TRUE(outline_problem(ring)) << "a hole reaching outside";
  Polygon many;
  for (int i = 0; i < 5001; ++i) many.outer.push_back(at(i, i % 2));
  EXPECT_NE(outline_problem(many).value_or("").find("5001"), std::string::npos);
}

struct OverlapRow {
  const char* why;
  Polygon a;
  Polygon b;
  bool overlap;
};

TEST(OutlinesOverlap, Table) {
  auto with_hole = box(0, 0, 100, 100);
  with_hole.holes.push_back(box(20, 20, 80, 80).outer);
  // The shared border with a point more on one side, off the line by rounding (1 cm).
  const Polygon rounded{{at(0, 100), at(0, 200), at(100, 200), at(100, 100), at(50, 99.99)}, {}};
  const Polygon dented{{at(0, 100), at(0, 200), at(100, 200), at(100, 100), at(50, 99)}, {}};
  const Polygon l_shape{{at(0, 0), at(0, 100), at(50, 100), at(50, 50), at(100, 50), at(100, 0)}, {}};
  const OverlapRow rows[] = {
      {"apart", box(0, 0, 100, 100), box(0, 300, 100, 400), false},
      {"boxes meet, outlines do not", l_shape, box(60, 60, 90, 90), false},
      {"a whole side shared", box(0, 0, 100, 100), box(0, 100, 100, 200), false},
      {"a part of a side shared", box(0, 0, 100, 100), box(30, 100, 200, 200), false},
      {"one corner", box(0, 0, 100, 100), box(100, 100, 200, 200), false},
      {"the notch filled exactly", l_shape, box(50, 50, 100, 100), false},
      {"the hole filled exactly", with_hole, box(20, 20, 80, 80), false},
      {"a border rounded by a centimetre", box(0, 0, 100, 100), rounded, false},
      {"a border over the line by a metre", box(0, 0, 100, 100), dented, true},
      {"crossing", box(0, 0, 100, 100), box(50, 50, 150, 150), true},
      {"crossing like a plus: no corner of one in the other", box(0, 40, 100, 60), box(40, 0, 60, 100), true},
      {"one inside the other", box(0, 0, 100, 100), box(40, 40, 60, 60), true},
      {"inside, touching a side", box(0, 0, 100, 100), box(0, 40, 50, 60), true},
      {"the same", box(0, 0, 100, 100), box(0, 0, 100, 100), true},
      {"the same with a point more",
       box(0, 0, 100, 100),
       {{at(0, 0), at(0, 50), at(0, 100), at(100, 100), at(100, 0)}, {}},
       true},
      {"sides in one line: no crossing, no corner inside", box(0, 0, 100, 200), box(0, 100, 100, 300), true},
      {"in the hole", with_hole, box(30, 30, 70, 70), false},
      {"larger than the hole", with_hole, box(10, 10, 90, 90), true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(outlines_overlap(row.a, row.b), row.overlap) << row.why;
    EXPECT_EQ(outlines_overlap(row.b, row.a), row.overlap) << row.why << ", the other way round";
  }
}

}  // namespace
}  // namespace gridward::app
