#include "subjects.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace gridward::sim {
namespace {

constexpr std::uint64_t kSubjectStream = 100;
constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kY = kPavementY;

Point lerp(Point a, Point b, double t) { return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t}; }

// The cast pattern of a cover: a ring, and ribs in two directions.
void paint_cover(Painter& p, Spot at, double radius, Color iron) {
  p.disc(at, radius, shade(iron, 0.62));
  p.disc({at.x, at.y + 0.012, at.z}, radius * 0.97, iron);
  p.disc({at.x, at.y + 0.012, at.z}, radius * 0.86, shade(iron, 0.82));
  const double y = at.y + 0.014;
  const double r = radius * 0.84;
  for (int i = -4; i <= 4; ++i) {
    const double across = r * i / 5.0;
    const double half = std::sqrt(std::max(0.0, r * r - across * across));
    p.flat(at.x + across - 0.012, at.x + across + 0.012, y, at.z - half, at.z + half, shade(iron, 1.18));
    p.flat(at.x - half, at.x + half, y, at.z + across - 0.012, at.z + across + 0.012, shade(iron, 1.12));
  }
  p.disc({at.x, y, at.z}, radius * 0.3, shade(iron, 0.9));
  p.disc({at.x, y, at.z}, radius * 0.22, shade(iron, 1.15));
  p.disc({at.x + radius * 0.6, y, at.z - radius * 0.35}, 0.03, {26, 26, 28});
  p.disc({at.x - radius * 0.6, y, at.z + radius * 0.35}, 0.03, {26, 26, 28});
}

void paint_manhole(Painter& p, const Place& place, bool repaired) {
  Random random(place.seed, kSubjectStream);
  const Spot at{random.range(0.05, 0.35), kY + 0.002, random.range(4.0, 4.4)};
  const double r = 0.52;
  const Color iron{108, 104, 100};
  const Color collar = shade(place.palette.pavement, 0.84);
  p.flat(at.x - 0.72, at.x + 0.72, at.y, at.z - 0.72, at.z + 0.72, collar);
  p.flat(at.x - 0.72, at.x + 0.72, at.y, at.z - 0.72, at.z - 0.69, shade(collar, 0.7));
  p.flat(at.x - 0.72, at.x + 0.72, at.y, at.z + 0.69, at.z + 0.72, shade(collar, 0.7));
  p.disc(at, r + 0.09, shade(iron, 0.74));
  p.disc(at, r + 0.06, shade(iron, 1.1));
  if (repaired) {
    p.disc(at, r + 0.015, {40, 38, 38});
    paint_cover(p, {at.x, at.y - 0.008, at.z}, r, iron);
    return;
  }
  // Into the shaft: the far wall catches some light, the depth none.
  p.disc(at, r, {58, 52, 48});
  for (int ring = 1; ring <= 7; ++ring) {
    const double down = ring * 0.05;
    const Point rim = p.view().at({at.x, at.y, at.z});
    const double k = p.view().scale(at.z);
    const double rz = (p.view().at({at.x, at.y, at.z - r}).y - p.view().at({at.x, at.y, at.z + r}).y) / 2;
    const double left = 1 - 0.045 * ring;
    const Color wall = mix({84, 74, 66}, {8, 8, 10}, ring / 7.0);
    p.canvas().ellipse({rim.x, rim.y + down * k * 0.45}, r * k * left * 0.98, std::max(1.0, (rz - down * k * 0.42)),
                       Paint(wall));
  }
  // The cover, pushed aside and half on the rim.
  const Spot cover{at.x + 1.02, kY + 0.05, at.z + 0.42};
  p.ground_shadow({cover.x + 0.05, kY, cover.z - 0.08}, 0.66, 0.6, 0.5);
  p.disc({cover.x, kY + 0.005, cover.z}, r, shade(iron, 0.4));
  p.disc({cover.x, kY + 0.03, cover.z}, r, shade(iron, 0.52));
  paint_cover(p, cover, r, shade(iron, 1.05));
  for (int i = 0; i < 26; ++i) {
    const double angle = random.range(0, kTwoPi);
    const double away = random.range(0.62, 1.0);
    p.disc({at.x + away * std::cos(angle), kY + 0.004, at.z + away * std::sin(angle)}, random.range(0.012, 0.045),
           shade({112, 100, 84}, random.range(0.7, 1.1)));
  }
}

void paint_bag(Painter& p, Spot at, double size, Color color, Random& random) {
  p.ground_shadow({at.x + 0.05, kY, at.z}, size * 1.25, size * 0.7, 0.55);
  p.blob({at.x, at.y + size * 0.68, at.z}, size, size * 0.72, shade(color, 0.72));
  p.blob({at.x - size * 0.06, at.y + size * 0.74, at.z}, size * 0.9, size * 0.64, color);
  for (int fold = 0; fold < 6; ++fold) {
    const double a = random.range(0.3, 2.8);
    const Spot from{at.x, at.y + size * 1.25, at.z};
    const Spot to{at.x + size * 0.8 * std::cos(a), at.y + size * (0.9 - 0.5 * std::sin(a)), at.z};
    p.rod(from, to, 0.014, shade(color, fold % 2 == 0 ? 0.6 : 1.35));
  }
  p.blob({at.x - size * 0.34, at.y + size * 0.95, at.z}, size * 0.24, size * 0.13, mix(color, {255, 255, 255}, 0.42),
         0.7);
  p.face({{at.x - size * 0.2, at.y + size * 1.62, at.z},
          {at.x + size * 0.24, at.y + size * 1.58, at.z},
          {at.x + size * 0.07, at.y + size * 1.28, at.z},
          {at.x - size * 0.07, at.y + size * 1.28, at.z}},
         shade(color, 1.1));
}

void paint_rubbish(Painter& p, const Place& place) {
  Random random(place.seed, kSubjectStream + 1);
  const double x0 = 1.0;
  // What ran out of it.
  for (int i = 0; i < 5; ++i) {
    const double x = random.range(0.9, 2.4);
    const double z = random.range(4.5, 5.4);
    p.disc({x, kY + 0.003, z}, random.range(0.25, 0.55), {58, 50, 42}, 0.28);
  }
  struct Item {
    double z;
    int kind;
    double x;
    double lift;
  };
  std::vector<Item> items;
  for (int i = 0; i < 15; ++i) {
    const double z = random.range(4.5, 6.2);
    const double x = x0 + random.range(0.0, 1.9) + (z - 4.5) * 0.1;
    // Those behind lie on others, the highest in the middle of the heap.
    const double lift = z > 5.1 ? 0.5 * std::max(0.0, 1 - std::abs(x - x0 - 1.1) / 0.9) : 0;
    items.push_back({z, random.below(10) < 7 ? 0 : 1, x, lift});
  }
  for (int i = 0; i < 34; ++i) items.push_back({random.range(3.9, 5.4), 2, random.range(0.4, 2.7), 0});
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.z > b.z; });
  const std::array bags{Color{38, 40, 44},  Color{46, 46, 50},  Color{206, 208, 212},
                        Color{60, 96, 158}, Color{184, 58, 52}, Color{40, 42, 48}};
  const std::array scraps{Color{232, 230, 222}, Color{204, 62, 48},  Color{84, 148, 70},
                          Color{222, 184, 62},  Color{150, 116, 76}, Color{120, 170, 206}};
  for (const Item& item : items) {
    if (item.kind == 0) {
      paint_bag(p, {item.x, kY + item.lift, item.z}, random.range(0.24, 0.38),
                bags[static_cast<std::size_t>(random.below(static_cast<int>(bags.size())))], random);
    } else if (item.kind == 1) {
      const double w = random.range(0.4, 0.62);
      const double h = random.range(0.28, 0.46);
      p.ground_shadow({item.x + w / 2, kY, item.z}, w * 0.8, 0.35, 0.5);
      p.box(item.x, item.x + w, kY + item.lift, kY + item.lift + h, item.z, item.z + 0.4, {182, 142, 96});
      p.across(item.x + w * 0.44, item.x + w * 0.56, kY + item.lift, kY + item.lift + h, item.z - 0.01,
               {206, 178, 136});
      p.face({{item.x, kY + item.lift + h, item.z},
              {item.x - 0.16, kY + item.lift + h + 0.14, item.z + 0.05},
              {item.x - 0.14, kY + item.lift + h + 0.16, item.z + 0.35},
              {item.x, kY + item.lift + h, item.z + 0.4}},
             {196, 158, 112});
    } else {
      const Color scrap = scraps[static_cast<std::size_t>(random.below(static_cast<int>(scraps.size())))];
      const double a = random.range(0, kTwoPi);
      const double l = random.range(0.05, 0.13);
      const double c = std::cos(a) * l;
      const double s = std::sin(a) * l;
      p.face({{item.x - c, kY + 0.01, item.z - s},
              {item.x + s * 0.6, kY + 0.02, item.z - c * 0.6},
              {item.x + c, kY + 0.01, item.z + s},
              {item.x - s * 0.6, kY + 0.03, item.z + c * 0.6}},
             shade(scrap, random.range(0.8, 1.05)));
    }
  }
}

void paint_broken_lamp(Painter& p, const Place& place) {
  Random random(place.seed, kSubjectStream + 2);
  const Spot foot{kKerbX + 0.45, kY, 8.2};
  const Color metal{92, 100, 104};
  const double bend = 2.1;
  p.ground_shadow(foot, 0.35, 0.3, 0.4);
  p.box(foot.x - 0.13, foot.x + 0.13, foot.y, foot.y + 0.5, foot.z - 0.1, foot.z + 0.1, shade(metal, 0.9));
  const Spot knee{foot.x + 0.06, foot.y + bend, foot.z};
  const Spot top{foot.x + 1.5, foot.y + 3.35, foot.z};
  p.rod(foot, knee, 0.13, metal);
  p.rod({foot.x - 0.03, foot.y, foot.z}, {knee.x - 0.03, knee.y, knee.z}, 0.03, shade(metal, 1.35));
  p.rod(knee, top, 0.12, metal);
  p.rod({knee.x - 0.01, knee.y + 0.04, knee.z}, {top.x - 0.02, top.y + 0.03, top.z}, 0.03, shade(metal, 1.3));
  p.blob(knee, 0.09, 0.09, shade(metal, 0.7));
  // The arm has folded; the head hangs by its wires.
  const Spot arm{top.x + 0.75, top.y - 0.5, top.z};
  p.rod(top, arm, 0.08, metal);
  Spot wire = arm;
  for (int i = 1; i <= 8; ++i) {
    const double t = i / 8.0;
    const Spot next{arm.x + 0.1 * std::sin(t * 5.0), arm.y - 0.62 * t, arm.z};
    p.rod(wire, next, 0.022, {36, 34, 34});
    p.rod({wire.x + 0.03, wire.y, wire.z}, {next.x + 0.05 * t, next.y, next.z}, 0.016, {168, 44, 38});
    wire = next;
  }
  p.rod({wire.x - 0.08, wire.y + 0.05, wire.z}, {wire.x + 0.18, wire.y - 0.62, wire.z}, 0.2, shade(metal, 0.85));
  p.rod({wire.x - 0.12, wire.y - 0.06, wire.z}, {wire.x + 0.06, wire.y - 0.52, wire.z}, 0.07, {54, 54, 52});
  for (int tooth = 0; tooth < 4; ++tooth) {
    const double t = 0.15 + tooth * 0.22;
    const Spot at{wire.x - 0.12 + 0.18 * t, wire.y - 0.06 - 0.46 * t, wire.z};
    p.face({at, {at.x - 0.09, at.y - 0.03, at.z}, {at.x + 0.02, at.y - 0.08, at.z}}, {222, 226, 222}, 0.95);
  }
  // Glass on the ground below.
  for (int i = 0; i < 60; ++i) {
    const double x = wire.x + random.range(-0.8, 0.8);
    const double z = foot.z + random.range(-1.6, 0.5);
    const double s = random.range(0.02, 0.07);
    p.face({{x, kY + 0.005, z}, {x + s, kY + 0.005, z + s * 0.5}, {x + s * 0.3, kY + 0.01, z + s * 1.4}},
           random.chance(0.5) ? Color{238, 244, 246} : Color{150, 168, 176});
  }
}

// A closed outline on the ground: round, with the unevenness of water.
std::vector<Spot> pool(Spot center, double rx, double rz, std::uint64_t seed, double grow) {
  Random random(seed, kSubjectStream + 3);
  std::array<double, 5> phase{};
  for (auto& value : phase) value = random.range(0, kTwoPi);
  std::vector<Spot> outline;
  for (int i = 0; i < 96; ++i) {
    const double a = kTwoPi * i / 96;
    double r = 1 + grow;
    for (std::size_t k = 0; k < phase.size(); ++k) {
      r += 0.11 / (1 + 0.6 * static_cast<double>(k)) * std::sin(static_cast<double>(k + 2) * a + phase[k]);
    }
    outline.push_back({center.x + rx * r * std::cos(a), center.y, center.z + rz * r * std::sin(a)});
  }
  return outline;
}

void paint_leak(Painter& p, const Place& place, bool repaired) {
  Random random(place.seed, kSubjectStream + 4);
  const double wall = kWallX - 0.1;
  const double z = 5.6;
  const Color pipe{150, 156, 158};
  const Spot crack{wall - 0.14, kY + 0.78, z};
  if (!repaired) {
    const Spot center{1.5, kY + 0.004, 5.0};
    p.face(pool(center, 1.85, 1.15, place.seed, 0.16), shade(place.palette.pavement, 0.55), 0.5);
    p.face(pool(center, 1.85, 1.15, place.seed, 0.05), {70, 76, 82}, 0.6);
    p.face(pool(center, 1.85, 1.15, place.seed, -0.02), mix(place.palette.sky_low, {255, 255, 255}, 0.2),
           mix(place.palette.sky_top, {40, 48, 56}, 0.3), 0.66);
    for (int i = 0; i < 9; ++i) {
      const double x = random.range(0.6, 2.6);
      const double at = random.range(4.5, 5.6);
      const double w = random.range(0.15, 0.5);
      p.flat(x, x + w, kY + 0.006, at, at + 0.02, {246, 250, 252}, 0.5);
    }
    for (int ring = 3; ring > 0; --ring) {
      const Spot at{2.35, kY + 0.006, 5.2};
      p.disc(at, 0.16 * ring + 0.03, {250, 252, 254}, 0.35);
      p.disc(at, 0.16 * ring, mix(place.palette.sky_top, {70, 80, 90}, 0.4), 0.4);
    }
  }
  // The pipe comes down the wall.
  p.rod({wall - 0.14, kY, z}, {wall - 0.14, kY + 3.4, z}, 0.15, shade(pipe, 0.8));
  p.rod({wall - 0.17, kY, z}, {wall - 0.17, kY + 3.4, z}, 0.05, shade(pipe, 1.25));
  for (const double y : {0.25, 1.6, 2.9}) p.across(wall - 0.25, wall + 0.0, kY + y, kY + y + 0.07, z, shade(pipe, 0.5));
  if (repaired) {
    p.across(crack.x - 0.11, crack.x + 0.11, crack.y - 0.16, crack.y + 0.16, z - 0.02, {58, 110, 168});
    for (const double y : {-0.12, 0.09}) {
      p.across(crack.x - 0.125, crack.x + 0.125, crack.y + y, crack.y + y + 0.035, z - 0.03, {214, 218, 222});
    }
    return;
  }
  p.rod({crack.x - 0.05, crack.y + 0.16, z - 0.01}, {crack.x + 0.02, crack.y + 0.02, z - 0.01}, 0.04, {34, 32, 30});
  p.rod({crack.x + 0.02, crack.y + 0.02, z - 0.01}, {crack.x - 0.06, crack.y - 0.12, z - 0.01}, 0.05, {34, 32, 30});
  // The jet: many thin arcs, and drops where it lands.
  for (int arc = 0; arc < 46; ++arc) {
    const double speed = random.range(1.9, 2.9);
    const double up = random.range(0.2, 1.5);
    const double toward = random.range(-1.0, -0.1);
    const Color water = mix({214, 228, 238}, {255, 255, 255}, random.unit());
    Spot last = crack;
    for (int step = 1; step <= 14; ++step) {
      const double t = step * 0.045;
      const Spot next{crack.x - speed * t, crack.y + up * t - 4.9 * t * t, crack.z + toward * t};
      if (next.y < kY) break;
      p.canvas().line(p.view().at(last), p.view().at(next), 0.016 * p.view().scale(z), Paint(water, 0.6));
      last = next;
    }
  }
  for (int drop = 0; drop < 70; ++drop) {
    const Spot at{random.range(1.9, 2.8), kY + std::abs(random.range(-0.35, 0.35)), random.range(4.8, 5.5)};
    const double size = random.range(0.008, 0.022);
    p.blob(at, size, size, {244, 249, 252}, 0.8);
  }
}

void paint_branch(Painter& p, const Place& place) {
  Random random(place.seed, kSubjectStream + 5);
  const Color bark{112, 90, 68};
  const Color leaf{84, 122, 54};
  const Spot root{-0.45, kY + 0.16, 5.7};
  const Spot tip{2.9, kY + 0.3, 4.6};
  p.ground_shadow({1.2, kY, 5.1}, 1.9, 0.4, 0.34);
  const auto along = [&](double t) {
    return Spot{root.x + (tip.x - root.x) * t, root.y + (tip.y - root.y) * t + 0.1 * std::sin(t * 7),
                root.z + (tip.z - root.z) * t};
  };
  const auto leaves = [&](Spot at, double spread, int count) {
    for (int i = 0; i < count; ++i) {
      const double a = random.range(0, kTwoPi);
      const double d = spread * std::sqrt(random.unit());
      const Point c = p.view().at({at.x + d * std::cos(a), std::max(kY + 0.02, at.y + d * std::sin(a) * 0.6), at.z});
      const double k = p.view().scale(at.z);
      const double turn = random.range(0, kTwoPi);
      const double l = random.range(0.05, 0.1) * k;
      const Point end{c.x + l * std::cos(turn), c.y + l * std::sin(turn) * 0.7};
      const Point side{(end.y - c.y) * 0.34, (c.x - end.x) * 0.34};
      const Point middle = lerp(c, end, 0.45);
      const std::array<Point, 4> shape{c, Point{middle.x + side.x, middle.y + side.y}, end,
                                       Point{middle.x - side.x, middle.y - side.y}};
      p.canvas().fill(shape, Paint(shade(leaf, random.range(0.6, 1.4))));
    }
  };
  // Twigs behind, the bough, twigs before it.
  for (int side = 0; side < 2; ++side) {
    for (int i = 0; i < 9; ++i) {
      const Spot from = along(random.range(0.22, 0.98));
      const double reach = random.range(0.4, 0.9);
      const Spot to{from.x + reach * random.range(0.3, 1.0),
                    std::max(kY + 0.05, from.y + reach * random.range(0.0, 0.75)),
                    from.z + (side == 0 ? 0.35 : -0.45) * random.unit()};
      p.rod(from, to, 0.04, shade(bark, 0.8));
      leaves({(from.x + to.x) / 2, (from.y + to.y) / 2, to.z}, 0.26, 22);
      leaves(to, 0.32, 46);
    }
    if (side == 0) {
      for (int i = 0; i < 12; ++i) {
        const double t = i / 12.0;
        p.rod(along(t), along(t + 1.06 / 12), 0.17 * (1.1 - t), bark);
        const Spot a = along(t);
        const Spot b = along(t + 1.06 / 12);
        p.rod({a.x, a.y + 0.04 * (1.1 - t), a.z}, {b.x, b.y + 0.04 * (1.1 - t), b.z}, 0.04 * (1.1 - t),
              shade(bark, 1.3));
      }
      // The torn end.
      p.blob(root, 0.1, 0.11, {206, 176, 128});
      for (int i = 0; i < 6; ++i) {
        p.rod(root, {root.x - random.range(0.12, 0.34), root.y + random.range(-0.1, 0.12), root.z}, 0.03,
              {222, 194, 146});
      }
    }
  }
  for (int i = 0; i < 60; ++i) {
    const Spot at{random.range(-0.6, 3.2), kY + 0.01, random.range(3.9, 6.4)};
    p.disc(at, random.range(0.02, 0.045), shade(leaf, random.range(0.7, 1.3)));
  }
}

// The tree that the branch came from; sawn clean later.
void paint_wounded_tree(Painter& p, const Place& place, bool repaired) {
  Random random(place.seed, kSubjectStream + 6);
  const Spot foot{kKerbX + 0.6, kY, 7.4};
  const Color bark{104, 84, 64};
  p.ground_shadow({foot.x, foot.y, foot.z}, 0.9, 0.6, 0.4);
  p.flat(foot.x - 0.5, foot.x + 0.5, kY + 0.004, foot.z - 0.5, foot.z + 0.5, {96, 80, 62});
  p.face({{foot.x - 0.13, foot.y + 4.4, foot.z},
          {foot.x + 0.13, foot.y + 4.4, foot.z},
          {foot.x + 0.24, foot.y, foot.z},
          {foot.x - 0.24, foot.y, foot.z}},
         bark);
  p.face({{foot.x + 0.03, foot.y + 4.4, foot.z},
          {foot.x + 0.13, foot.y + 4.4, foot.z},
          {foot.x + 0.24, foot.y, foot.z},
          {foot.x + 0.07, foot.y, foot.z}},
         shade(bark, 0.72));
  p.across(foot.x - 0.22, foot.x + 0.22, foot.y, foot.y + 1.0, foot.z - 0.01, {228, 228, 222}, 0.85);
  const Spot stub{foot.x + 0.14, foot.y + 2.25, foot.z - 0.02};
  p.rod(stub, {stub.x + 0.3, stub.y + 0.14, stub.z}, 0.17, bark);
  const Spot cut{stub.x + 0.31, stub.y + 0.15, stub.z};
  if (repaired) {
    p.blob(cut, 0.07, 0.1, {226, 200, 150});
    p.blob(cut, 0.035, 0.05, {198, 166, 116});
  } else {
    for (int i = 0; i < 7; ++i) {
      p.rod(cut, {cut.x + random.range(0.05, 0.3), cut.y + random.range(-0.2, 0.1), cut.z}, 0.035, {228, 200, 150});
    }
    p.rod(stub, {stub.x + 0.16, stub.y - 0.5, stub.z}, 0.06, {214, 184, 134});
  }
  p.crown({foot.x - 0.1, foot.y + 4.3, foot.z}, 1.75, {84, 122, 54}, random, 230);
}

}  // namespace

void add_subject(const Place& place, Subject subject, bool repaired, Things& things) {
  switch (subject) {
    case Subject::manhole:
      things.push_back({4.3, [&place, repaired](Painter& p) { paint_manhole(p, place, repaired); }});
      break;
    case Subject::rubbish:
      if (!repaired) things.push_back({6.0, [&place](Painter& p) { paint_rubbish(p, place); }});
      break;
    case Subject::lamp:
      things.push_back({8.2, [&place, repaired](Painter& p) {
                          if (repaired) {
                            paint_lamp(p, {kKerbX + 0.45, kY, 8.2}, 3.9, 0.8, true);
                          } else {
                            paint_broken_lamp(p, place);
                          }
                        }});
      break;
    case Subject::parking: {
      if (repaired) break;
      Random random(place.seed, kSubjectStream + 7);
      const std::array colors{Color{190, 196, 202}, Color{150, 32, 36}, Color{40, 82, 138}, Color{232, 230, 224}};
      const Color color = colors[static_cast<std::size_t>(random.below(static_cast<int>(colors.size())))];
      const double x = random.range(0.35, 0.55);
      things.push_back({4.9, [x, color](Painter& p) { paint_car(p, x, kY, 4.9, color); }});
      break;
    }
    case Subject::leak:
      things.push_back({5.6, [&place, repaired](Painter& p) { paint_leak(p, place, repaired); }});
      break;
    case Subject::tree:
      things.push_back({7.4, [&place, repaired](Painter& p) { paint_wounded_tree(p, place, repaired); }});
      if (!repaired) things.push_back({5.7, [&place](Painter& p) { paint_branch(p, place); }});
      break;
  }
}

}  // namespace gridward::sim
