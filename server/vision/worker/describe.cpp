#include "describe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <opencv2/features2d.hpp>
#include <opencv2/imgproc.hpp>

#include "planes.hpp"

namespace gridward::vision {
namespace {

// The signs of the 8 x 8 lowest frequencies about their median: stays within a few bits when a photo is compressed or
// resized again.
std::uint64_t likeness_of(const cv::Mat& luma) {
  constexpr int kSide = 32;
  constexpr std::size_t kLow = 8;
  cv::Mat small;
  cv::resize(luma, small, {kSide, kSide}, 0, 0, cv::INTER_AREA);
  cv::Mat values;
  small.convertTo(values, CV_32F);
  cv::Mat frequencies;
  cv::dct(values, frequencies);
  std::array<float, kLow * kLow> low{};
  for (std::size_t y = 0; y < kLow; ++y) {
    std::copy_n(frequencies.ptr<float>(static_cast<int>(y)), kLow, low.data() + y * kLow);
  }
  low[0] = 0;  // the mean says how bright, not what
  auto sorted = low;
  std::ranges::nth_element(sorted, sorted.begin() + sorted.size() / 2);
  const float median = sorted[sorted.size() / 2];
  std::uint64_t bits = 0;
  for (const float value : low) bits = (bits << 1U) | (value > median ? 1U : 0U);
  return bits;
}

// Which of two neighbours is brighter, on a grid of 9 x 8.
std::uint64_t difference_of(const cv::Mat& luma) {
  constexpr int kAcross = 9;
  constexpr int kDown = 8;
  cv::Mat small;
  cv::resize(luma, small, {kAcross, kDown}, 0, 0, cv::INTER_AREA);
  std::uint64_t bits = 0;
  for (int y = 0; y < kDown; ++y) {
    const auto* row = small.ptr(y);
    for (int x = 0; x + 1 < kAcross; ++x) bits = (bits << 1U) | (row[x] > row[x + 1] ? 1U : 0U);
  }
  return bits;
}

// The strongest of each part of the picture: all of them together would lie in one tree.
std::vector<cv::KeyPoint> spread(std::vector<cv::KeyPoint> corners, cv::Size size) {
  constexpr int kParts = 8;
  constexpr std::size_t kOfPart = 16;
  std::ranges::stable_sort(corners, [](const auto& a, const auto& b) { return a.response > b.response; });
  std::array<std::size_t, kParts * kParts> taken{};
  std::vector<cv::KeyPoint> out;
  for (const auto& corner : corners) {
    const int x = std::min(kParts - 1, static_cast<int>(corner.pt.x) * kParts / size.width);
    const int y = std::min(kParts - 1, static_cast<int>(corner.pt.y) * kParts / size.height);
    auto& count = taken[static_cast<std::size_t>(y * kParts + x)];
    if (count == kOfPart) continue;
    ++count;
    out.push_back(corner);
    if (out.size() == kMostCorners) break;
  }
  return out;
}

std::uint16_t sub_pixel(float at, int side) {
  const auto value = std::lround(static_cast<double>(at) * kSubPixels);
  return static_cast<std::uint16_t>(std::clamp<long>(value, 0, static_cast<long>(side) * kSubPixels - 1));
}

std::vector<Corner> corners_of(const cv::Mat& luma) {
  constexpr int kAsked = 2000;
  constexpr float kStep = 1.2F;
  constexpr int kEdge = 31;
  constexpr int kFastThreshold = 12;
  std::vector<Corner> out;
  if (std::min(luma.cols, luma.rows) <= 2 * kEdge) return out;  // ORB looks 31 pixels around
  const auto orb = cv::ORB::create(kAsked, kStep, kOctaves, kEdge, 0, 2, cv::ORB::HARRIS_SCORE, kEdge, kFastThreshold);
  std::vector<cv::KeyPoint> found;
  orb->detect(luma, found);
  found = spread(std::move(found), luma.size());
  cv::Mat bits;
  if (!found.empty()) orb->compute(luma, found, bits);
  // ORB may sort them by octave: by strength again.
  std::vector<int> order(found.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::ranges::stable_sort(order, [&](int a, int b) {
    return found[static_cast<std::size_t>(a)].response > found[static_cast<std::size_t>(b)].response;
  });
  for (const int i : order) {
    const auto& point = found[static_cast<std::size_t>(i)];
    Corner corner;
    corner.x = sub_pixel(point.pt.x, luma.cols);
    corner.y = sub_pixel(point.pt.y, luma.rows);
    corner.angle = static_cast<std::uint8_t>(static_cast<int>(std::lround(point.angle * 256 / 360)) & 0xFF);
    corner.octave = static_cast<std::uint8_t>(std::clamp(point.octave, 0, kOctaves - 1));
    static_assert(sizeof corner.bits == 32);
    std::memcpy(corner.bits.data(), bits.ptr(i), sizeof corner.bits);
    out.push_back(corner);
  }
  return out;
}

}  // namespace

PhotoDescription describe(const cv::Mat& luma) {
  PhotoDescription out;
  const cv::Mat picture = resize(luma, fit(luma.size(), kDescribedSide));
  const cv::Mat small = resize(picture, fit(picture.size(), kGridSide));
  out.width = static_cast<std::uint16_t>(picture.cols);
  out.height = static_cast<std::uint16_t>(picture.rows);
  out.grid_width = static_cast<std::uint8_t>(small.cols);
  out.grid_height = static_cast<std::uint8_t>(small.rows);
  out.grid.reserve(small.total());
  for (int y = 0; y < small.rows; ++y) out.grid.insert(out.grid.end(), small.ptr(y), small.ptr(y) + small.cols);
  out.likeness = likeness_of(picture);
  out.difference = difference_of(picture);
  out.corners = corners_of(picture);
  return out;
}

}  // namespace gridward::vision
