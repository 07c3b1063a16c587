// The place of a seed, seen from the pavement: metres on the ground, x to the right, y up, z away from the camera.
#pragma once

#include <functional>
#include <vector>

#include "canvas.hpp"
#include "random.hpp"

namespace gridward::sim {

struct Spot {
  double x = 0, y = 0, z = 0;
};

// Where the camera stands, beside where it was the first time.
struct Stand {
  double right = 0, up = 0, back = 0;  // metres; not forward, for what is near is cut by the first stand
  double zoom = 1;
  double tilt = 0;  // parts of the picture's height
};

class View {
 public:
  // shift: how far the camera points beside the end of the street, in parts of the picture's width.
  View(const Canvas& canvas, double shift, const Stand& stand = {});
  Point at(Spot spot) const;
  double scale(double z) const { return focal_ / (z + stand_.back); }  // pixels a metre
  double unit() const { return unit_; }                                // a 750th of the height
  double horizon() const { return horizon_; }
  static constexpr double kNear = 0.9;  // what is nearer is cut off

 private:
  double unit_;
  double focal_;
  double center_;
  double horizon_;
  Stand stand_;
};

// The fixed lines of the street.
inline constexpr double kKerbX = -0.7;  // between the road, to its left, and our pavement
inline constexpr double kWallX = 3.6;   // where the houses on our side begin
inline constexpr double kFarKerbX = -7.4;
inline constexpr double kFarWallX = -10.6;
inline constexpr double kPavementY = 0.14;
inline constexpr double kTactileX = 1.35;  // the yellow guiding strip
inline constexpr double kEndZ = 95;

struct Palette {
  Color sky_top, sky_low, haze;
  Color asphalt{}, pavement{}, kerb{};
  double sun = 1;        // the light on what faces it
  double shadow = 0.72;  // and on what does not
  bool sun_left = true;
};

struct Place {
  std::uint64_t seed = 0;
  Palette palette;
};
Place make_place(std::uint64_t seed);
void change_weather(Place& place, Random& random);  // light and sky alone

class Painter {
 public:
  Painter(Canvas& canvas, const View& view, const Place& place) : canvas_(canvas), view_(view), place_(place) {}
  Canvas& canvas() { return canvas_; }
  const View& view() const { return view_; }
  const Place& place() const { return place_; }

  // Far things take the colour of the air.
  Color air(Color color, double z) const;
  void face(std::vector<Spot> polygon, Color color, double alpha = 1);
  void face(std::vector<Spot> polygon, Color high, Color low, double alpha = 1);  // from its top row to its lowest
  // Axis-parallel rectangles: standing across the street, standing along it, lying.
  void across(double x0, double x1, double y0, double y1, double z, Color color, double alpha = 1);
  void along(double x, double y0, double y1, double z0, double z1, Color color, double alpha = 1);
  void flat(double x0, double x1, double y, double z0, double z1, Color color, double alpha = 1);
  void disc(Spot center, double radius, Color color, double alpha = 1);  // lying
  void box(double x0, double x1, double y0, double y1, double z0, double z1, Color color);
  void rod(Spot a, Spot b, double width, Color color);
  void blob(Spot center, double rx, double ry, Color color, double alpha = 1);  // a ball, or a flattened one
  void crown(Spot center, double radius, Color leaf, Random& random, int leaves);
  void ground_shadow(Spot center, double rx, double rz, double alpha);

 private:
  Canvas& canvas_;
  const View& view_;
  const Place& place_;
};

// Things in the street, drawn from the farthest on.
struct Thing {
  double z = 0;
  std::function<void(Painter&)> draw;
};
using Things = std::vector<Thing>;

void paint_background(Painter& painter);              // sky, hills, towers
void paint_ground(Painter& painter);                  // road, kerbs, pavements
void add_street(const Place& place, Things& things);  // houses, trees, lamps, bins, cars on the other side
void paint_car(Painter& painter, double x, double y, double z, Color color);  // its rear, left corner
void paint_lamp(Painter& painter, Spot foot, double height, double arm, bool lit);
// Light, lens and sensor over the finished picture.
void photograph(Canvas& canvas, const View& view, Random& random);

}  // namespace gridward::sim
