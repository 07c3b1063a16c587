#include "canvas.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace gridward::sim {
namespace {

std::uint32_t level(double value) { return static_cast<std::uint32_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

std::uint32_t pack(Color color) {
  static_assert(std::endian::native == std::endian::little, "row() promises red first");
  return level(color.r) | level(color.g) << 8U | level(color.b) << 16U | 0xFF000000U;
}

// Two channels at once; weight of 0 to 256 belongs to `over`.
std::uint32_t blend(std::uint32_t under, std::uint32_t over, std::uint32_t weight) {
  const std::uint32_t rest = 256 - weight;
  const std::uint32_t red_blue = ((under & 0xFF00FFU) * rest + (over & 0xFF00FFU) * weight) >> 8U;
  const std::uint32_t green = ((under & 0xFF00U) * rest + (over & 0xFF00U) * weight) >> 8U;
  return (red_blue & 0xFF00FFU) | (green & 0xFF00U) | 0xFF000000U;
}

}  // namespace

Color mix(Color a, Color b, double part_of_b) {
  return {a.r + (b.r - a.r) * part_of_b, a.g + (b.g - a.g) * part_of_b, a.b + (b.b - a.b) * part_of_b};
}

Color shade(Color color, double factor) { return {color.r * factor, color.g * factor, color.b * factor}; }

Color Paint::at(double y) const {
  if (y1 <= y0) return top;
  return mix(top, bottom, std::clamp((y - y0) / (y1 - y0), 0.0, 1.0));
}

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0xFF000000U),
      edges_(static_cast<std::size_t>(width) + 2, 0.0F) {}

std::span<std::uint8_t> Canvas::row(int y) {
  const auto bytes = static_cast<std::size_t>(width_) * 4;
  return {reinterpret_cast<std::uint8_t*>(pixels_.data()) + static_cast<std::size_t>(y) * bytes, bytes};
}

// Adds one sub-row's span, exact at both ends, as differences.
void Canvas::cover(double left, double right, int& first, int& last) {
  left = std::clamp(left, 0.0, static_cast<double>(width_));
  right = std::clamp(right, 0.0, static_cast<double>(width_));
  if (right <= left) return;
  constexpr float kWhole = 1.0F / kSubRows;
  const int a = static_cast<int>(left);
  const int b = static_cast<int>(right);
  const float a_part = static_cast<float>(left - a) * kWhole;
  const float b_part = static_cast<float>(right - b) * kWhole;
  const auto at = [this](int x) -> float& { return edges_[static_cast<std::size_t>(x)]; };
  at(a) += kWhole - a_part;
  at(a + 1) += a_part;
  at(b) -= kWhole - b_part;
  at(b + 1) -= b_part;
  first = std::min(first, a);
  last = std::max(last, b);
}

void Canvas::paint_row(int y, int first, int last, const Paint& paint) {
  const std::uint32_t color = pack(paint.at(y + 0.5));
  const double opacity = paint.alpha * 256.0;
  auto* pixels = pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
  float sum = 0;
  last = std::min(last, width_);
  for (int x = first; x <= last;) {
    auto& edge = edges_[static_cast<std::size_t>(x)];
    sum += edge;
    edge = 0;
    // The run up to the next edge has one coverage.
    int end = x + 1;
    while (end <= last && edges_[static_cast<std::size_t>(end)] == 0.0F) ++end;
    const int stop = std::min(end, width_);
    const auto weight = static_cast<std::uint32_t>(std::clamp(static_cast<double>(sum) * opacity + 0.5, 0.0, 256.0));
    if (weight == 256) {
      if (x < stop) std::fill(pixels + x, pixels + stop, color);
    } else if (weight > 0) {
      for (int i = x; i < stop; ++i) pixels[i] = blend(pixels[i], color, weight);
    }
    x = end;
  }
  edges_[static_cast<std::size_t>(last)] = 0;
  edges_[static_cast<std::size_t>(last) + 1] = 0;
}

template <class Spans>
void Canvas::fill_rows(double top, double bottom, const Paint& paint, Spans&& spans_at) {
  const int begin = static_cast<int>(std::clamp(std::floor(top), 0.0, static_cast<double>(height_)));
  const int end = static_cast<int>(std::clamp(std::ceil(bottom), 0.0, static_cast<double>(height_)));
  for (int y = begin; y < end; ++y) {
    int first = width_;
    int last = -1;
    for (int sub = 0; sub < kSubRows; ++sub) {
      for (const Span span : spans_at(y + (sub + 0.5) / kSubRows)) cover(span.left, span.right, first, last);
    }
    if (last >= 0) paint_row(y, first, last, paint);
  }
}

void Canvas::fill(std::span<const Point> polygon, const Paint& paint) {
  if (polygon.size() < 3) return;
  double top = polygon[0].y;
  double bottom = polygon[0].y;
  for (const Point p : polygon) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) return;
    top = std::min(top, p.y);
    bottom = std::max(bottom, p.y);
  }
  std::vector<double> crossings;
  std::vector<Span> spans;
  fill_rows(top, bottom, paint, [&](double y) -> std::span<const Span> {
    crossings.clear();
    spans.clear();
    for (std::size_t i = 0; i < polygon.size(); ++i) {
      const Point a = polygon[i];
      const Point b = polygon[i + 1 == polygon.size() ? 0 : i + 1];
      if ((a.y <= y) != (b.y <= y)) crossings.push_back(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
    }
    std::sort(crossings.begin(), crossings.end());
    for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) spans.push_back({crossings[i], crossings[i + 1]});
    return spans;
  });
}

void Canvas::ellipse(Point center, double rx, double ry, const Paint& paint) {
  if (rx <= 0 || ry <= 0) return;
  std::array<Span, 1> one{};
  fill_rows(center.y - ry, center.y + ry, paint, [&](double y) -> std::span<const Span> {
    const double t = (y - center.y) / ry;
    if (t * t >= 1) return {};
    const double half = rx * std::sqrt(1 - t * t);
    one[0] = {center.x - half, center.x + half};
    return one;
  });
}

void Canvas::line(Point a, Point b, double width, const Paint& paint) {
  const double length = std::hypot(b.x - a.x, b.y - a.y);
  if (length <= 0) return;
  const double dx = (b.y - a.y) / length * width / 2;
  const double dy = (a.x - b.x) / length * width / 2;
  const std::array<Point, 4> quad{Point{a.x + dx, a.y + dy}, Point{b.x + dx, b.y + dy}, Point{b.x - dx, b.y - dy},
                                  Point{a.x - dx, a.y - dy}};
  fill(quad, paint);
}

void Canvas::glow(Point center, double rx, double ry, Color color, double alpha) {
  const int begin = static_cast<int>(std::clamp(center.y - ry, 0.0, static_cast<double>(height_)));
  const int end = static_cast<int>(std::clamp(center.y + ry + 1, 0.0, static_cast<double>(height_)));
  const std::uint32_t packed = pack(color);
  const auto strength = static_cast<float>(alpha * 256.0);
  const auto x_scale = static_cast<float>(1.0 / rx);
  for (int y = begin; y < end; ++y) {
    const double t = (y + 0.5 - center.y) / ry;
    if (t * t >= 1) continue;
    const double half = rx * std::sqrt(1 - t * t);
    const int left = static_cast<int>(std::clamp(center.x - half, 0.0, static_cast<double>(width_)));
    const int right = static_cast<int>(std::clamp(center.x + half, 0.0, static_cast<double>(width_)));
    const auto rest = static_cast<float>(1 - t * t);
    auto* pixels = pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
    for (int x = left; x < right; ++x) {
      const float u = (static_cast<float>(x) + 0.5F - static_cast<float>(center.x)) * x_scale;
      const float fall = std::max(0.0F, rest - u * u);
      pixels[x] = blend(pixels[x], packed, static_cast<std::uint32_t>(strength * fall * fall));
    }
  }
}

}  // namespace gridward::sim
