#include "street.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace gridward::sim {
namespace {

constexpr double kCameraY = 1.75;
constexpr double kBehindAll = 1000;
constexpr double kTwoPi = 2 * std::numbers::pi;

enum Stream : std::uint64_t { kPaletteStream = 1, kSkyStream, kGroundStream, kHousesStream, kTreesStream, kCarsStream };

template <class T, std::size_t N>
const T& pick(const std::array<T, N>& from, Random& random) {
  return from[static_cast<std::size_t>(random.below(static_cast<int>(N)))];
}

// Calls draw at `from`, from + step and so on, before `to` is reached; a negative step goes down.
template <class Draw>
void every(double from, double to, double step, Draw&& draw) {
  const int count = static_cast<int>(std::ceil((to - from) / step));
  for (int i = 0; i < count; ++i) draw(from + i * step);
}

constexpr std::array kWalls{Color{226, 214, 190}, Color{206, 188, 164}, Color{198, 142, 118}, Color{214, 206, 200},
                            Color{186, 164, 142}, Color{222, 198, 160}, Color{178, 188, 190}, Color{170, 112, 94}};
constexpr std::array kRoofs{Color{122, 72, 62}, Color{98, 92, 92}, Color{86, 98, 110}, Color{142, 86, 66}};
constexpr std::array kSigns{Color{188, 42, 40}, Color{32, 92, 148}, Color{34, 122, 84}, Color{206, 136, 32}};
constexpr std::array kCars{Color{196, 200, 204}, Color{52, 58, 68},    Color{148, 34, 36},
                           Color{38, 78, 128},   Color{226, 224, 218}, Color{110, 112, 108}};
constexpr std::array kLeaves{Color{76, 118, 52}, Color{92, 126, 58}, Color{64, 104, 60}, Color{104, 130, 54}};

// One house of a row: its wall stands along the street at x, towards = +1 when the street is to its left.
struct House {
  double z0, z1, x, towards;
  double height;
  int floors;
  Color wall, roof, sign;
  bool shop;
  std::uint64_t details;
};

void paint_window(Painter& p, const House& h, double light, double y0, double y1, double z0, double z1,
                  Random& random) {
  const Color frame = shade({232, 232, 226}, light);
  const Color glass = shade(random.chance(0.15) ? Color{150, 136, 104} : Color{74, 92, 108}, light);
  const double x = h.x - 0.02 * h.towards;
  p.along(x, y0 - 0.08, y1 + 0.06, z0 - 0.08, z1 + 0.08, frame);
  p.face({{x, y1, z0}, {x, y1, z1}, {x, y0, z1}, {x, y0, z0}}, p.air(mix(glass, p.place().palette.sky_low, 0.45), z0),
         p.air(glass, z0));
  const double middle = (z0 + z1) / 2;
  p.along(x, y0, y1, middle - 0.03, middle + 0.03, frame);
  p.along(x, y0 - 0.14, y0 - 0.06, z0 - 0.14, z1 + 0.14, shade(frame, 0.8));
  if (random.chance(0.3)) {
    const double out = h.x - 0.35 * h.towards;
    const Color unit = shade({216, 216, 210}, light);
    p.along(out, y0 - 0.75, y0 - 0.2, z0, z0 + 0.8, unit);
    p.across(std::min(out, h.x), std::max(out, h.x), y0 - 0.75, y0 - 0.2, z0, shade(unit, 0.82));
    p.along(out, y0 - 0.66, y0 - 0.3, z0 + 0.12, z0 + 0.5, shade(unit, 0.6));
  }
}

void paint_house(Painter& p, const House& h) {
  Random random(h.details, 0);
  const Palette& palette = p.place().palette;
  const bool lit = (h.towards > 0) == palette.sun_left;
  const double light = lit ? palette.sun : palette.shadow;
  const Color wall = shade(h.wall, light);
  // The end that shows over a lower neighbour in front of it.
  p.across(std::min(h.x, h.x + 9 * h.towards), std::max(h.x, h.x + 9 * h.towards), 0, h.height, h.z0,
           shade(wall, 0.86));
  p.face({{h.x, h.height, h.z0}, {h.x, h.height, h.z1}, {h.x, 0, h.z1}, {h.x, 0, h.z0}}, p.air(wall, h.z0),
         p.air(shade(wall, 0.9), h.z0));
  p.along(h.x - 0.01 * h.towards, 0, 0.7, h.z0, h.z1, shade(wall, 0.68));

  const double floor_height = (h.height - 0.5) / h.floors;
  const double length = h.z1 - h.z0;
  const int columns = std::max(2, static_cast<int>(length / 2.9));
  const double pitch = length / columns;
  for (int floor = h.shop ? 1 : 0; floor < h.floors; ++floor) {
    const double base = 0.35 + floor * floor_height;
    for (int column = columns - 1; column >= 0; --column) {
      const double middle = h.z0 + (column + 0.5) * pitch;
      if (floor == 0 && column == columns / 2) {
        const Color door = shade(mix(h.roof, {60, 50, 44}, 0.4), light);
        p.along(h.x - 0.02 * h.towards, 0, 2.35, middle - 0.62, middle + 0.62, shade({214, 208, 198}, light));
        p.along(h.x - 0.03 * h.towards, 0, 2.22, middle - 0.5, middle + 0.5, door);
        continue;
      }
      paint_window(p, h, light, base + 0.85, base + floor_height - 0.5, middle - pitch * 0.27, middle + pitch * 0.27,
                   random);
    }
    p.along(h.x - 0.03 * h.towards, base - 0.12, base, h.z0, h.z1, shade(wall, 0.93));
  }
  if (h.shop) {
    const double top = 0.35 + floor_height - 0.25;
    const double x = h.x - 0.03 * h.towards;
    p.along(x, 0.2, top - 0.75, h.z0 + 0.4, h.z1 - 0.4, shade({66, 78, 86}, light));
    for (int column = columns; column > 0; --column) {
      const double z = h.z0 + 0.4 + (length - 0.8) * (column - 1) / columns;
      p.face(
          {{x, top - 0.9, z + 0.15}, {x, top - 0.9, z + pitch - 0.3}, {x, 0.55, z + pitch - 0.3}, {x, 0.55, z + 0.15}},
          p.air(shade({176, 188, 190}, light), z), p.air(shade({110, 112, 104}, light), z));
    }
    const Color sign = shade(h.sign, light);
    p.along(h.x - 0.22 * h.towards, top - 0.72, top, h.z0 + 0.3, h.z1 - 0.3, sign);
    p.across(std::min(h.x, h.x - 0.22 * h.towards), std::max(h.x, h.x - 0.22 * h.towards), top - 0.72, top, h.z0 + 0.3,
             shade(sign, 0.7));
    // Strokes, as of writing too far to read.
    const double step = 0.95;
    every(h.z0 + length * 0.25, h.z1 - length * 0.25, step, [&](double z) {
      const double face = h.x - 0.24 * h.towards;
      const Color ink = shade({248, 240, 222}, light);
      p.along(face, top - 0.2, top - 0.14, z, z + 0.55, ink);
      p.along(face, top - 0.58, top - 0.14, z + 0.22, z + 0.3, ink);
      p.along(face, top - 0.42, top - 0.36, z + 0.05, z + 0.5, ink);
      if (random.chance(0.6)) p.along(face, top - 0.6, top - 0.54, z, z + 0.55, ink);
      if (random.chance(0.5)) p.along(face, top - 0.58, top - 0.14, z + 0.46, z + 0.53, ink);
    });
  }
  // Eave and roof.
  const double eave = h.x - 0.45 * h.towards;
  const Color roof = shade(h.roof, lit ? palette.sun : palette.shadow * 1.1);
  const double ridge_x = h.x + 3.4 * h.towards;
  const double ridge_y = h.height + 2.0;
  p.face(
      {{eave, h.height, h.z0 - 0.2}, {ridge_x, ridge_y, h.z0 - 0.2}, {ridge_x, ridge_y, h.z1}, {eave, h.height, h.z1}},
      p.air(roof, h.z0));
  p.face(
      {{eave, h.height, h.z0 - 0.2}, {ridge_x, ridge_y, h.z0 - 0.2}, {ridge_x + 3.4 * h.towards, h.height, h.z0 - 0.2}},
      p.air(shade(wall, 0.8), h.z0));
  p.along(eave, h.height - 0.22, h.height + 0.02, h.z0 - 0.2, h.z1, shade(roof, 0.62));
  p.across(std::min(eave, h.x), std::max(eave, h.x), h.height - 0.22, h.height, h.z0 - 0.2, shade(roof, 0.5));
}

void add_row(std::uint64_t seed, std::uint64_t stream, double x, double towards, double first_z, Things& things) {
  Random random(seed, kHousesStream * 16 + stream);
  for (double z = first_z; z < kEndZ;) {
    House h{};
    h.z0 = z;
    h.z1 = z + random.range(8, 14);
    h.x = x + towards * random.range(0, 0.5);
    h.towards = towards;
    h.floors = 1 + random.below(3) + (random.chance(0.2) ? 1 : 0);
    h.height = 0.5 + h.floors * random.range(2.9, 3.2);
    h.wall = pick(kWalls, random);
    h.roof = pick(kRoofs, random);
    h.sign = pick(kSigns, random);
    h.shop = h.floors > 1 && random.chance(0.5);
    h.details = random.next();
    // Behind all that stands in the street, however near the house begins.
    things.push_back({kBehindAll + h.z0, [h](Painter& p) { paint_house(p, h); }});
    z = h.z1 + (random.chance(0.25) ? random.range(1.0, 2.5) : 0.05);
  }
}

void paint_tree(Painter& p, Spot foot, double height, Color leaf, std::uint64_t details) {
  Random random(details, 0);
  const double crown = height * 0.34;
  const double side = p.place().palette.sun_left ? 1 : -1;
  p.ground_shadow({foot.x + side * 0.9, foot.y, foot.z + 0.3}, crown * 1.1, crown * 0.8, 0.32);
  p.flat(foot.x - 0.45, foot.x + 0.45, foot.y + 0.005, foot.z - 0.45, foot.z + 0.45, {96, 80, 62});
  const Color bark{98, 80, 62};
  const double w = 0.11;
  p.face({{foot.x - w * 1.4, foot.y, foot.z},
          {foot.x - w * 0.8, foot.y + height * 0.6, foot.z},
          {foot.x + w * 0.8, foot.y + height * 0.6, foot.z},
          {foot.x + w * 1.4, foot.y, foot.z}},
         p.air(bark, foot.z));
  p.face({{foot.x + side * w * 0.2, foot.y, foot.z},
          {foot.x + side * w * 0.1, foot.y + height * 0.6, foot.z},
          {foot.x + side * w * 0.8, foot.y + height * 0.6, foot.z},
          {foot.x + side * w * 1.4, foot.y, foot.z}},
         p.air(shade(bark, 0.7), foot.z));
  p.across(foot.x - w * 1.35, foot.x + w * 1.35, foot.y, foot.y + 0.9, foot.z, {226, 226, 220}, 0.85);
  p.crown({foot.x, foot.y + height * 0.72, foot.z}, crown, leaf, random, foot.z < 25 ? 190 : 60);
}

void paint_bin(Painter& p, double x, double z, Color color) {
  const double y = kPavementY;
  p.ground_shadow({x + 0.3, y, z + 0.2}, 0.65, 0.4, 0.4);
  p.box(x, x + 0.58, y + 0.06, y + 0.98, z, z + 0.6, color);
  p.box(x - 0.03, x + 0.61, y + 0.98, y + 1.08, z - 0.04, z + 0.62, shade(color, 0.8));
  p.across(x + 0.17, x + 0.41, y + 0.4, y + 0.64, z - 0.01, {238, 238, 232});
  p.across(x + 0.23, x + 0.35, y + 0.46, y + 0.58, z - 0.02, color);
  p.across(x + 0.04, x + 0.14, y, y + 0.12, z - 0.01, {34, 34, 36});
  p.across(x + 0.44, x + 0.54, y, y + 0.12, z - 0.01, {34, 34, 36});
}

}  // namespace

View::View(const Canvas& canvas, double shift, const Stand& stand)
    : unit_(canvas.height() / 750.0),
      focal_(780.0 * unit_ * stand.zoom),
      center_(canvas.width() * (0.47 + shift)),
      horizon_(262.0 * unit_ + canvas.height() * stand.tilt),
      stand_(stand) {}

Point View::at(Spot spot) const {
  const double k = scale(spot.z);
  return {center_ + (spot.x - stand_.right) * k, horizon_ + (kCameraY + stand_.up - spot.y) * k};
}

namespace {

void set_weather(Palette& p, int weather) {
  switch (weather) {
    case 0:  // clear
      p = {.sky_top = {92, 146, 206}, .sky_low = {196, 218, 232}, .haze = {196, 208, 218}, .sun = 1.06, .shadow = 0.68};
      break;
    case 1:  // hazy
      p = {
          .sky_top = {150, 174, 196}, .sky_low = {222, 224, 220}, .haze = {212, 212, 208}, .sun = 0.98, .shadow = 0.78};
      break;
    case 2:  // overcast
      p = {.sky_top = {158, 166, 174}, .sky_low = {214, 216, 218}, .haze = {196, 200, 204}, .sun = 0.9, .shadow = 0.82};
      break;
    default:  // late in the day
      p = {
          .sky_top = {104, 142, 190}, .sky_low = {244, 214, 178}, .haze = {228, 206, 184}, .sun = 1.08, .shadow = 0.64};
      break;
  }
}

}  // namespace

void change_weather(Place& place, Random& random) {
  auto& p = place.palette;
  const auto before = p;
  set_weather(p, random.below(4));
  // The ground stays, and so does the side of the sun: it was the same hour.
  p.asphalt = before.asphalt;
  p.pavement = before.pavement;
  p.kerb = before.kerb;
  p.sun_left = before.sun_left;
}

Place make_place(std::uint64_t seed) {
  Random random(seed, kPaletteStream);
  Place place;
  place.seed = seed;
  Palette& p = place.palette;
  set_weather(p, random.below(4));
  const double tone = random.range(-8, 8);
  p.asphalt = {94 + tone, 95 + tone, 98 + tone};
  p.pavement = random.chance(0.5) ? Color{172, 166, 158} : Color{178, 158, 142};
  p.kerb = {190, 188, 184};
  p.sun_left = random.chance(0.5);
  return place;
}

Color Painter::air(Color color, double z) const {
  return mix(color, place_.palette.haze, std::clamp((z - 12) / 130, 0.0, 0.62));
}

void Painter::face(std::vector<Spot> polygon, Color high, Color low, double alpha) {
  std::vector<Point> points;
  points.reserve(polygon.size() + 2);
  double top = 1e9;
  double bottom = -1e9;
  const auto add = [&](Spot s) {
    points.push_back(view_.at(s));
    top = std::min(top, points.back().y);
    bottom = std::max(bottom, points.back().y);
  };
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Spot a = polygon[i];
    const Spot b = polygon[i + 1 == polygon.size() ? 0 : i + 1];
    if (a.z >= View::kNear) add(a);
    if ((a.z < View::kNear) != (b.z < View::kNear)) {
      const double t = (View::kNear - a.z) / (b.z - a.z);
      add({a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t, View::kNear});
    }
  }
  canvas_.fill(points, Paint(high, low, top, bottom, alpha));
}

void Painter::face(std::vector<Spot> polygon, Color color, double alpha) {
  face(std::move(polygon), color, color, alpha);
}

void Painter::across(double x0, double x1, double y0, double y1, double z, Color color, double alpha) {
  face({{x0, y0, z}, {x1, y0, z}, {x1, y1, z}, {x0, y1, z}}, air(color, z), alpha);
}

void Painter::along(double x, double y0, double y1, double z0, double z1, Color color, double alpha) {
  face({{x, y0, z0}, {x, y0, z1}, {x, y1, z1}, {x, y1, z0}}, air(color, z0), alpha);
}

void Painter::flat(double x0, double x1, double y, double z0, double z1, Color color, double alpha) {
  face({{x0, y, z0}, {x1, y, z0}, {x1, y, z1}, {x0, y, z1}}, air(color, z0), alpha);
}

void Painter::disc(Spot center, double radius, Color color, double alpha) {
  std::vector<Spot> ring;
  for (int i = 0; i < 40; ++i) {
    const double a = kTwoPi * i / 40;
    ring.push_back({center.x + radius * std::cos(a), center.y, center.z + radius * std::sin(a)});
  }
  face(std::move(ring), air(color, center.z), alpha);
}

// The faces that the camera can see of a box.
void Painter::box(double x0, double x1, double y0, double y1, double z0, double z1, Color color) {
  const Palette& palette = place_.palette;
  if (y1 < kCameraY) flat(x0, x1, y1, z0, z1, shade(color, 1.12));
  if (x0 > 0) along(x0, y0, y1, z0, z1, shade(color, palette.sun_left ? 0.98 : palette.shadow));
  if (x1 < 0) along(x1, y0, y1, z0, z1, shade(color, palette.sun_left ? palette.shadow : 0.98));
  face({{x0, y1, z0}, {x1, y1, z0}, {x1, y0, z0}, {x0, y0, z0}}, air(shade(color, 0.9), z0),
       air(shade(color, 0.74), z0));
}

void Painter::rod(Spot a, Spot b, double width, Color color) {
  if (a.z < View::kNear || b.z < View::kNear) return;
  canvas_.line(view_.at(a), view_.at(b), width * view_.scale((a.z + b.z) / 2), air(color, a.z));
}

void Painter::blob(Spot center, double rx, double ry, Color color, double alpha) {
  if (center.z < View::kNear) return;
  const double k = view_.scale(center.z);
  canvas_.ellipse(view_.at(center), rx * k, ry * k, Paint(air(color, center.z), alpha));
}

void Painter::crown(Spot center, double radius, Color leaf, Random& random, int leaves) {
  const double side = place_.palette.sun_left ? -1 : 1;
  for (int i = 0; i < leaves; ++i) {
    // Dark and wide first, then lighter ones towards the sun.
    const double part = static_cast<double>(i) / leaves;
    const double spread = radius * (0.84 - 0.18 * part);
    const double angle = random.range(0, kTwoPi);
    const double away = std::sqrt(random.unit()) * spread;
    const double x = center.x + std::cos(angle) * away + side * part * radius * 0.14;
    const double y = center.y + std::sin(angle) * away * 0.82 + part * radius * 0.14;
    const double size = radius * random.range(0.10, 0.22) * (1.1 - 0.5 * part);
    const Color color = shade(leaf, 0.52 + 0.62 * part + random.range(-0.08, 0.08));
    blob({x, y, center.z}, size, size * random.range(0.7, 1.0), color);
  }
}

void Painter::ground_shadow(Spot center, double rx, double rz, double alpha) {
  const Point p = view_.at(center);
  const double height = (view_.at({center.x, center.y, std::max(View::kNear, center.z - rz)}).y -
                         view_.at({center.x, center.y, center.z + rz}).y) /
                        2;
  canvas_.glow(p, rx * view_.scale(center.z) * 1.25, height * 1.25, {28, 30, 36}, std::min(1.0, alpha * 1.5));
}

void paint_background(Painter& painter) {
  Canvas& canvas = painter.canvas();
  const View& view = painter.view();
  const Palette& palette = painter.place().palette;
  Random random(painter.place().seed, kSkyStream);
  const double w = canvas.width();
  const double u = view.unit();
  const std::array<Point, 4> all{Point{0, 0}, Point{w, 0}, Point{w, view.horizon() + 4 * u},
                                 Point{0, view.horizon() + 4 * u}};
  canvas.fill(all, Paint(palette.sky_top, palette.sky_low, 0, view.horizon()));
  const int clouds = 3 + random.below(4);
  for (int i = 0; i < clouds; ++i) {
    const double x = random.range(0, w);
    const double y = random.range(10, 170) * u;
    const double size = random.range(40, 90) * u;
    for (int puff = 0; puff < 7; ++puff) {
      canvas.glow({x + random.range(-1.6, 1.6) * size, y + random.range(-0.25, 0.25) * size},
                  size * random.range(0.7, 1.4), size * random.range(0.25, 0.45),
                  mix(palette.sky_low, {255, 255, 255}, 0.7), 0.42);
    }
  }
  // Towers of the next quarter, at the end of the street.
  for (int i = 0; i < 16; ++i) {
    const double x = random.range(-90, 90);
    const double width = random.range(7, 14);
    const double height = random.range(14, 46);
    const double z = random.range(150, 260);
    const Color tower = mix({132, 136, 142}, palette.haze, 0.66);
    const Point a = view.at({x, height, z});
    const Point b = view.at({x + width, 0, z});
    const std::array<Point, 4> quad{a, Point{b.x, a.y}, b, Point{a.x, b.y}};
    canvas.fill(quad, Paint(mix(tower, palette.haze, 0.2), mix(tower, palette.haze, 0.6), a.y, b.y));
    every(a.y + 3 * u, b.y, 4.4 * u,
          [&](double y) { canvas.line({a.x + 2 * u, y}, {b.x - 2 * u, y}, 1.3 * u, Paint(shade(tower, 0.86), 0.6)); });
  }
}

void paint_ground(Painter& painter) {
  Painter& p = painter;
  const Palette& palette = p.place().palette;
  Random random(p.place().seed, kGroundStream);
  const double end = kEndZ * 3;
  const double near = View::kNear;
  const auto lying = [&](double x0, double x1, double y, Color color) {
    p.face({{x0, y, near}, {x1, y, near}, {x1, y, end}, {x0, y, end}}, mix(color, palette.haze, 0.45), color);
  };
  lying(-120, 120, 0, mix(palette.pavement, {130, 140, 110}, 0.4));
  lying(kFarKerbX, kKerbX, 0, palette.asphalt);
  // Patches and cracks of the road.
  for (int i = 0; i < 7; ++i) {
    const double x = random.range(kFarKerbX + 0.5, kKerbX - 2);
    const double z = random.range(3, 40);
    p.flat(x, x + random.range(0.8, 2.2), 0, z, z + random.range(1, 4), shade(palette.asphalt, random.range(0.8, 1.1)),
           0.6);
  }
  for (int i = 0; i < 9; ++i) {
    Spot at{random.range(kFarKerbX + 0.3, kKerbX - 0.3), 0, random.range(3, 24)};
    for (int part = 0; part < 9; ++part) {
      const Spot next{at.x + random.range(-0.3, 0.3), 0, at.z + random.range(-0.1, 0.6)};
      p.face(
          {{at.x - 0.012, 0, at.z}, {next.x - 0.012, 0, next.z}, {next.x + 0.012, 0, next.z}, {at.x + 0.012, 0, at.z}},
          shade(palette.asphalt, 0.55), 0.8);
      at = next;
    }
  }
  const Color white{222, 222, 216};
  const double middle = (kFarKerbX + kKerbX) / 2;
  every(60, 1, -5, [&](double z) { p.flat(middle - 0.08, middle + 0.08, 0, z, z + 2.6, white, 0.85); });
  p.flat(kKerbX - 0.45, kKerbX - 0.33, 0, near, kEndZ, {214, 178, 74}, 0.85);
  p.flat(kFarKerbX + 0.33, kFarKerbX + 0.45, 0, near, kEndZ, {214, 178, 74}, 0.85);
  // The gully beside the kerb.
  const double gully = random.range(9, 14);
  p.flat(kKerbX - 0.34, kKerbX - 0.04, 0, gully, gully + 0.6, {48, 48, 50});
  for (int bar = 0; bar < 6; ++bar) {
    p.flat(kKerbX - 0.33, kKerbX - 0.05, 0.002, gully + 0.04 + bar * 0.1, gully + 0.08 + bar * 0.1, {112, 112, 110});
  }

  const auto pavement = [&](double x0, double x1, double kerb_x, double inward) {
    lying(x0, x1, kPavementY, palette.pavement);
    for (int i = 0; i < 46; ++i) {  // slabs that were changed, or worn
      const double x = x0 + 0.5 * random.below(static_cast<int>((x1 - x0) / 0.5));
      const double z = 1.0 + 0.5 * random.below(40);
      p.flat(x, x + 0.5, kPavementY, z, z + 0.5, shade(palette.pavement, random.range(0.9, 1.07)), 0.8);
    }
    const Color joint = shade(palette.pavement, 0.74);
    every(26, near, -0.5, [&](double z) { p.flat(x0, x1, kPavementY, z, z + 0.016, joint, 0.9); });
    every(x0 + 0.5, x1 - 0.1, 0.5, [&](double x) {
      p.face({{x, kPavementY, near}, {x + 0.016, kPavementY, near}, {x + 0.016, kPavementY, 40}, {x, kPavementY, 40}},
             joint, 0.9);
    });
    lying(std::min(kerb_x, kerb_x + 0.16 * inward), std::max(kerb_x, kerb_x + 0.16 * inward), kPavementY, palette.kerb);
    every(30, near, -1, [&](double z) {
      p.flat(std::min(kerb_x, kerb_x + 0.16 * inward), std::max(kerb_x, kerb_x + 0.16 * inward), kPavementY, z,
             z + 0.02, shade(palette.kerb, 0.7));
    });
  };
  pavement(kFarWallX - 1, kFarKerbX, kFarKerbX, -1);
  p.face({{kFarKerbX, 0, near}, {kFarKerbX, 0, kEndZ}, {kFarKerbX, kPavementY, kEndZ}, {kFarKerbX, kPavementY, near}},
         shade(palette.kerb, 0.72));
  pavement(kKerbX, kWallX + 1, kKerbX, 1);
  // Our kerb's upright side looks away from us; the road meets its edge.

  const Color tactile{206, 172, 72};
  p.face({{kTactileX, kPavementY, near},
          {kTactileX + 0.44, kPavementY, near},
          {kTactileX + 0.44, kPavementY, kEndZ},
          {kTactileX, kPavementY, kEndZ}},
         mix(tactile, palette.haze, 0.35), tactile);
  for (int bar = 0; bar < 4; ++bar) {
    const double x = kTactileX + 0.06 + bar * 0.1;
    p.face({{x, kPavementY, near}, {x + 0.04, kPavementY, near}, {x + 0.04, kPavementY, 18}, {x, kPavementY, 18}},
           shade(tactile, 1.12), 0.9);
  }
  every(26, near, -0.5,
        [&](double z) { p.flat(kTactileX, kTactileX + 0.44, kPavementY, z, z + 0.02, shade(tactile, 0.72), 0.9); });
  // The shadow of the row that stands before the sun.
  if (palette.shadow < 0.75) {
    if (palette.sun_left) {
      p.flat(kFarWallX, kFarWallX + 4.6, 0.001, near, kEndZ, {30, 34, 46}, 0.34);
    } else {
      p.flat(kWallX - 1.5, kWallX + 1, kPavementY, near, kEndZ, {30, 34, 46}, 0.34);
    }
  }
}

void add_street(const Place& place, Things& things) {
  add_row(place.seed, 0, kFarWallX, -1, -4, things);
  add_row(place.seed, 1, kWallX, 1, -5, things);
  Random trees(place.seed, kTreesStream);
  const Color leaf = pick(kLeaves, trees);
  double tree_z = 14.5;
  while (tree_z < 80) {
    const double z = tree_z;
    tree_z += trees.range(6.5, 8.5);
    const double height = trees.range(4.6, 6.2);
    const auto details = trees.next();
    const auto tone = shade(leaf, trees.range(0.9, 1.12));
    things.push_back({z, [=](Painter& p) { paint_tree(p, {kKerbX + 0.75, kPavementY, z}, height, tone, details); }});
  }
  double far_tree_z = 9.0;
  while (far_tree_z < 80) {
    const double z = far_tree_z;
    far_tree_z += trees.range(6.5, 8.5);
    const double height = trees.range(4.6, 6.4);
    const auto details = trees.next();
    const auto tone = shade(leaf, trees.range(0.9, 1.12));
    things.push_back({z, [=](Painter& p) { paint_tree(p, {kFarKerbX - 0.75, kPavementY, z}, height, tone, details); }});
  }
  every(18, 80, 21, [&](double z) {
    things.push_back({z, [=](Painter& p) { paint_lamp(p, {kFarKerbX - 0.3, kPavementY, z}, 6.2, 1.4, false); }});
  });
  // Cars at the other kerb, where they may stand.
  Random cars(place.seed, kCarsStream);
  double car_z = cars.range(7, 12);
  while (car_z < 60) {
    const double z = car_z;
    car_z += cars.range(5.4, 13);
    if (cars.chance(0.3)) continue;
    const Color color = pick(kCars, cars);
    things.push_back({z, [=](Painter& p) { paint_car(p, kFarKerbX + 0.2, 0, z, color); }});
  }
  const double bins = 6.6;
  things.push_back({bins + 0.02, [=](Painter& p) { paint_bin(p, kWallX - 0.75, bins, {52, 112, 72}); }});
  things.push_back({bins + 0.01, [=](Painter& p) { paint_bin(p, kWallX - 1.45, bins, {56, 92, 142}); }});
}

void paint_car(Painter& painter, double x, double y, double z, Color color) {
  Painter& p = painter;
  const double w = 1.76;
  const double length = 4.3;
  const double x1 = x + w;
  const bool from_left = x > 0;  // we see its left side
  const double side = from_left ? x : x1;
  const Palette& palette = p.place().palette;
  const double side_light = from_left == palette.sun_left ? 0.96 : 0.76;
  p.ground_shadow({x + w / 2, y, z + length / 2}, w * 0.62, length * 0.62, 0.6);
  p.flat(x + 0.06, x1 - 0.06, y + 0.01, z + 0.05, z + length - 0.1, {24, 25, 28}, 0.85);

  const auto wheel = [&](double at) {
    std::vector<Spot> tyre;
    std::vector<Spot> rim;
    for (int i = 0; i < 28; ++i) {
      const double a = kTwoPi * i / 28;
      tyre.push_back({side, y + 0.32 + 0.32 * std::sin(a), at + 0.32 * std::cos(a)});
      rim.push_back({side, y + 0.32 + 0.19 * std::sin(a), at + 0.19 * std::cos(a)});
    }
    p.face(std::move(tyre), p.air({30, 30, 32}, z));
    p.face(std::move(rim), p.air({158, 160, 164}, z));
  };
  // Body, from below: side with its arches, rear, deck.
  const Color body = shade(color, side_light);
  p.face({{side, y + 0.92, z + 0.04},
          {side, y + 0.9, z + 3.1},
          {side, y + 0.72, z + length - 0.1},
          {side, y + 0.42, z + length},
          {side, y + 0.22, z + length - 0.05},
          {side, y + 0.22, z + 0.06},
          {side, y + 0.5, z}},
         p.air(shade(body, 1.08), z), p.air(shade(body, 0.72), z));
  p.face({{side, y + 0.62, z}, {side, y + 0.66, z}, {side, y + 0.6, z + 4.1}, {side, y + 0.57, z + 4.1}},
         p.air(shade(body, 0.8), z));
  for (const double door : {1.25, 2.15, 3.0})
    p.along(side, y + 0.3, y + 0.9, z + door, z + door + 0.02, shade(body, 0.62));
  for (const double handle : {1.4, 2.3})
    p.along(side, y + 0.74, y + 0.78, z + handle, z + handle + 0.2, shade(body, 0.5));
  wheel(z + 0.85);
  wheel(z + 3.4);
  p.face({{x, y + 0.92, z + 0.04}, {x1, y + 0.92, z + 0.04}, {x1, y + 0.9, z + 3.2}, {x, y + 0.9, z + 3.2}},
         p.air(shade(color, 1.1), z));
  p.face({{x + 0.03, y + 0.92, z},
          {x1 - 0.03, y + 0.92, z},
          {x1, y + 0.5, z},
          {x1 - 0.04, y + 0.2, z},
          {x + 0.04, y + 0.2, z},
          {x, y + 0.5, z}},
         p.air(shade(color, 0.96), z), p.air(shade(color, 0.66), z));
  p.across(x + 0.03, x1 - 0.03, y + 0.2, y + 0.34, z - 0.01, {44, 45, 48});
  p.across(x + 0.06, x + 0.42, y + 0.62, y + 0.8, z - 0.01, {168, 26, 28});
  p.across(x1 - 0.42, x1 - 0.06, y + 0.62, y + 0.8, z - 0.01, {168, 26, 28});
  p.across(x + 0.34, x + 0.42, y + 0.62, y + 0.8, z - 0.02, {236, 226, 214});
  p.across(x1 - 0.42, x1 - 0.34, y + 0.62, y + 0.8, z - 0.02, {236, 226, 214});
  p.across(x + w / 2 - 0.24, x + w / 2 + 0.24, y + 0.46, y + 0.59, z - 0.02, {38, 74, 150});
  p.across(x + w / 2 - 0.2, x + w / 2 + 0.2, y + 0.515, y + 0.545, z - 0.03, {226, 230, 238});
  // Cabin.
  const double in = 0.14;
  const double roof_side = from_left ? x + in : x1 - in;
  const Color glass{48, 58, 68};
  p.face({{side, y + 0.9, z + 0.35},
          {roof_side, y + 1.42, z + 1.0},
          {roof_side, y + 1.44, z + 2.3},
          {side, y + 0.9, z + 3.15}},
         p.air(body, z));
  const auto pane = [&](double a0, double a1, double b0, double b1) {
    const double low = side + (roof_side - side) * 0.1;
    const double high = side + (roof_side - side) * 0.88;
    p.face({{high, y + 1.36, z + b0}, {high, y + 1.36, z + b1}, {low, y + 0.95, z + a1}, {low, y + 0.95, z + a0}},
           p.air(mix(glass, palette.sky_low, 0.4), z), p.air(glass, z));
  };
  pane(0.6, 1.72, 1.05, 1.72);
  pane(1.8, 2.95, 1.8, 2.2);
  p.face({{x + in, y + 1.42, z + 1.0},
          {x1 - in, y + 1.42, z + 1.0},
          {x1 - in, y + 1.44, z + 2.3},
          {x + in, y + 1.44, z + 2.3}},
         p.air(shade(color, 1.16), z));
  p.face({{x + in, y + 1.42, z + 1.0},
          {x1 - in, y + 1.42, z + 1.0},
          {x1 - 0.03, y + 0.9, z + 0.35},
          {x + 0.03, y + 0.9, z + 0.35}},
         p.air(shade(color, 0.96), z));
  p.face({{x + in + 0.08, y + 1.37, z + 0.93},
          {x1 - in - 0.08, y + 1.37, z + 0.93},
          {x1 - 0.16, y + 0.97, z + 0.43},
          {x + 0.16, y + 0.97, z + 0.43}},
         p.air(mix(glass, palette.sky_low, 0.55), z), p.air(glass, z));
}

void paint_lamp(Painter& painter, Spot foot, double height, double arm, bool lit) {
  Painter& p = painter;
  const Color metal{92, 100, 104};
  p.ground_shadow({foot.x, foot.y, foot.z}, 0.35, 0.3, 0.4);
  p.box(foot.x - 0.13, foot.x + 0.13, foot.y, foot.y + 0.5, foot.z - 0.1, foot.z + 0.1, shade(metal, 0.9));
  p.rod(foot, {foot.x, foot.y + height, foot.z}, 0.12, metal);
  p.rod({foot.x - 0.03, foot.y, foot.z}, {foot.x - 0.03, foot.y + height, foot.z}, 0.03, shade(metal, 1.35));
  const Spot tip{foot.x + arm, foot.y + height + 0.16, foot.z};
  p.rod({foot.x, foot.y + height, foot.z}, tip, 0.08, metal);
  p.rod({tip.x - 0.1, tip.y, tip.z}, {tip.x + 0.55, tip.y + 0.06, tip.z}, 0.16, shade(metal, 0.85));
  p.rod({tip.x, tip.y - 0.07, tip.z}, {tip.x + 0.5, tip.y - 0.02, tip.z}, 0.06,
        lit ? Color{255, 246, 206} : Color{214, 214, 204});
  if (lit) {
    const Point at = p.view().at({tip.x + 0.25, tip.y - 0.05, tip.z});
    const double k = p.view().scale(tip.z);
    p.canvas().glow(at, 1.0 * k, 0.8 * k, {255, 240, 190}, 0.75);
    p.canvas().glow(at, 0.34 * k, 0.24 * k, {255, 252, 236}, 1.0);
  }
}

void photograph(Canvas& canvas, const View& view, Random& random) {
  const int w = canvas.width();
  const int h = canvas.height();
  const double exposure = random.range(0.95, 1.06);
  const double warm = random.range(-0.025, 0.025);
  // A table in place of a generator for each pixel; each row begins elsewhere in it.
  constexpr std::size_t kTable = 1U << 16U;
  std::vector<std::int8_t> grain(kTable);
  for (std::size_t i = 0; i < kTable; i += 4) {
    auto bits = random.next();
    for (std::size_t j = 0; j < 4; ++j, bits >>= 16U) {
      // Two dice: nearly a bell.
      const int sum = static_cast<int>(bits & 0xFFU) + static_cast<int>(bits >> 8U & 0xFFU) - 255;
      grain[i + j] = static_cast<std::int8_t>(sum / 12);
    }
  }
  // Light falls off to the corners; 1024 is 1.
  std::vector<std::int32_t> columns(static_cast<std::size_t>(w));
  for (int x = 0; x < w; ++x) {
    const double u = 2.0 * x / w - 1;
    columns[static_cast<std::size_t>(x)] = static_cast<std::int32_t>(1024 * (1 - 0.07 * u * u));
  }
  for (int y = 0; y < h; ++y) {
    const double v = 2.0 * y / h - 1;
    const double gain = exposure * (1 - 0.06 * v * v);
    const std::array<std::int32_t, 3> gains{static_cast<std::int32_t>(1024 * gain * (1 + warm)),
                                            static_cast<std::int32_t>(1024 * gain),
                                            static_cast<std::int32_t>(1024 * gain * (1 - warm))};
    // Ground has grain of its own, coarser the nearer it is.
    const double below = (y - view.horizon()) / (h - view.horizon());
    const auto rough = static_cast<std::int32_t>(below > 0 ? 48 + 84 * std::min(1.0, below) : 0);  // of 256
    const double size = std::max(1.0, 5.0 * std::max(0.0, below) * view.unit() / 4);
    const auto step = static_cast<std::uint32_t>(65536.0 / size);
    const auto band = static_cast<std::uint32_t>(y / std::max(1.0, size));
    std::uint32_t fine = static_cast<std::uint32_t>(random.next() & 0xFFFFU);
    // The same for the rows of one grain.
    std::uint32_t coarse = (band * 2654435761U) << 4U;
    auto* pixel = canvas.row(y).data();
    for (int x = 0; x < w; ++x, pixel += 4) {
      const std::int32_t noise = grain[fine++ & (kTable - 1)] * 77 + grain[coarse >> 16U] * rough;
      coarse += step;
      const std::int32_t falloff = columns[static_cast<std::size_t>(x)];
      for (std::size_t c = 0; c < 3; ++c) {
        const std::int32_t value = (((pixel[c] * gains[c]) >> 10) * falloff + noise * 4) >> 10;
        pixel[c] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
      }
    }
  }
}

}  // namespace gridward::sim
