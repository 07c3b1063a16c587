#include "planes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace gridward::vision {
namespace {

bool is_reduced_twice(cv::Size from, cv::Size to) { return from.width >= 2 * to.width && from.height >= 2 * to.height; }

// The eye does not see the finer points of chroma: exact halving, then linear, costs a tenth of a general area mean.
cv::Mat resize_chroma(const cv::Mat& plane, cv::Size size) {
  cv::Mat out = plane;
  while (is_reduced_twice(out.size(), size)) {
    cv::Mat half;
    const cv::Size half_size(out.cols / 2, out.rows / 2);
    cv::resize(out(cv::Rect(0, 0, half_size.width * 2, half_size.height * 2)), half, half_size, 0, 0, cv::INTER_AREA);
    out = half;
  }
  if (out.size() == size) return out;
  cv::Mat result;
  cv::resize(out, result, size, 0, 0, cv::INTER_LINEAR);
  return result;
}

cv::Mat upright(const cv::Mat& plane, std::uint8_t orientation) {
  constexpr int kUpsideDown = 0;
  constexpr int kLeftRight = 1;
  constexpr int kBoth = -1;
  if (plane.empty() || orientation <= 1 || orientation > 8) return plane;
  cv::Mat out;
  switch (orientation) {
    case 2:
      cv::flip(plane, out, kLeftRight);
      return out;
    case 3:
      cv::flip(plane, out, kBoth);
      return out;
    case 4:
      cv::flip(plane, out, kUpsideDown);
      return out;
    default:
      break;
  }
  cv::transpose(plane, out);
  if (orientation == 6) cv::flip(out, out, kLeftRight);
  if (orientation == 7) cv::flip(out, out, kBoth);
  if (orientation == 8) cv::flip(out, out, kUpsideDown);
  return out;
}

}  // namespace

cv::Mat on_white(const cv::Mat& bgra) {
  cv::Mat out(bgra.size(), CV_8UC3);
  for (int y = 0; y < bgra.rows; ++y) {
    const auto* from = bgra.ptr<cv::Vec4b>(y);
    auto* to = out.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgra.cols; ++x) {
      const unsigned alpha = from[x][3];
      for (int c = 0; c < 3; ++c) {
        to[x][c] = static_cast<std::uint8_t>((from[x][c] * alpha + 255U * (255U - alpha) + 127U) / 255U);
      }
    }
  }
  return out;
}

cv::Size fit(cv::Size size, std::uint32_t side) {
  const int limit = static_cast<int>(side);
  const int longer = std::max(size.width, size.height);
  if (longer <= limit) return size;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(length) * limit / longer)));
  };
  return {scaled(size.width), scaled(size.height)};
}

// Under a factor of two the cubic kernel needs no wider support and keeps what an area mean blurs; from two on it
// would alias.
cv::Mat resize(const cv::Mat& picture, cv::Size size) {
  if (picture.size() == size) return picture;
  const bool small_step = picture.cols < 2 * size.width && picture.rows < 2 * size.height;
  cv::Mat out;
  cv::resize(picture, out, size, 0, 0, small_step ? cv::INTER_CUBIC : cv::INTER_AREA);
  return out;
}

Planes resize(const Planes& planes, cv::Size size) {
  Planes out;
  out.luma = resize(planes.luma, size);
  if (planes.grey()) return out;
  const cv::Size half((size.width + 1) / 2, (size.height + 1) / 2);
  out.blue = resize_chroma(planes.blue, half);
  out.red = resize_chroma(planes.red, half);
  return out;
}

Planes upright(const Planes& planes, std::uint8_t orientation) {
  return {upright(planes.luma, orientation), upright(planes.blue, orientation), upright(planes.red, orientation)};
}

Planes to_planes(const cv::Mat& picture) {
  if (picture.channels() == 1) return {picture, {}, {}};
  cv::Mat mixed;
  cv::cvtColor(picture, mixed, cv::COLOR_BGR2YCrCb);
  std::array<cv::Mat, 3> channels;
  cv::split(mixed, channels.data());
  return {channels[0], channels[2], channels[1]};
}

}  // namespace gridward::vision
