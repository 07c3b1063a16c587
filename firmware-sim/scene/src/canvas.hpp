// A picture in memory and the few shapes that the scenes are made of, with smooth edges. Pixels, y downwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gridward::sim {

struct Color {
  double r = 0, g = 0, b = 0;  // 0 to 255
};
Color mix(Color a, Color b, double part_of_b);
Color shade(Color color, double factor);

struct Point {
  double x = 0, y = 0;
};

// One colour, or two from the row y0 to the row y1.
struct Paint {
  Paint(Color color, double opacity = 1) : top(color), bottom(color), alpha(opacity) {}
  Paint(Color from, Color to, double first_row, double last_row, double opacity = 1)
      : top(from), bottom(to), y0(first_row), y1(last_row), alpha(opacity) {}
  Color at(double y) const;
  Color top;
  Color bottom;
  double y0 = 0;
  double y1 = 0;
  double alpha = 1;
};

class Canvas {
 public:
  Canvas(int width, int height);
  int width() const { return width_; }
  int height() const { return height_; }
  // Red, green, blue and a byte of padding, in this order in memory.
  std::span<std::uint8_t> row(int y);

  void fill(std::span<const Point> polygon, const Paint& paint);  // any polygon, even-odd
  void ellipse(Point center, double rx, double ry, const Paint& paint);
  void line(Point a, Point b, double width, const Paint& paint);
  void glow(Point center, double rx, double ry, Color color, double alpha);  // fades out to its edge

 private:
  static constexpr int kSubRows = 4;
  struct Span {
    double left, right;
  };
  template <class Spans>
  void fill_rows(double top, double bottom, const Paint& paint, Spans&& spans_at);
  void cover(double left, double right, int& first, int& last);
  void paint_row(int y, int first, int last, const Paint& paint);

  int width_;
  int height_;
  std::vector<std::uint32_t> pixels_;
  std::vector<float> edges_;  // differences of the coverage along the row being painted
};

}  // namespace gridward::sim
