// A street as a phone would see it, drawn: large shapes, edges at every angle, fine texture, a little sensor noise. For
// tests and benchmarks that need photos of a size that no sample has. Needs OpenCV (gridward_opencv).
#pragma once

#include <algorithm>
#include <cstdint>
#include <opencv2/imgproc.hpp>

namespace gridward::test {

// BGR. The same seed draws the same picture. The upper left corner is blue, the upper right one red, the lower left one
// green, the lower right one yellow, so that a turned picture shows.
inline cv::Mat draw_photo(int width, int height, std::uint64_t seed = 1) {
  cv::RNG random(seed);
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    const double depth = static_cast<double>(y) / height;
    const cv::Vec3d sky(235, 205 - 60 * depth, 170 - 90 * depth);
    const cv::Vec3d ground(95 + 50 * depth, 100 + 45 * depth, 105 + 40 * depth);
    const cv::Vec3d colour = depth < 0.45 ? sky : ground;
    picture.row(y).setTo(cv::Scalar(colour[0], colour[1], colour[2]));
  }
  const auto colour = [&](int low, int high) {
    return cv::Scalar(random.uniform(low, high), random.uniform(low, high), random.uniform(low, high));
  };
  const int unit = std::max(width, height) / 100 + 1;
  for (int i = 0; i < 24; ++i) {  // houses with windows
    const cv::Rect house(random.uniform(-5 * unit, width), random.uniform(height / 6, height / 2),
                         random.uniform(5, 16) * unit, random.uniform(10, 35) * unit);
    cv::rectangle(picture, house, colour(60, 210), cv::FILLED);
    const cv::Scalar glass = colour(20, 90);
    for (int y = house.y + unit; y < house.br().y - unit; y += 2 * unit) {
      for (int x = house.x + unit; x < house.br().x - unit; x += 2 * unit) {
        cv::rectangle(picture, cv::Rect(x, y, unit, unit + unit / 3), glass, cv::FILLED);
      }
    }
  }
  for (int i = 0; i < 60; ++i) {  // wires, branches, kerbs
    const cv::Point from(random.uniform(0, width), random.uniform(0, height));
    const cv::Point to(random.uniform(0, width), random.uniform(0, height));
    cv::line(picture, from, to, colour(10, 120), random.uniform(1, unit / 6 + 2), cv::LINE_AA);
  }
  for (int i = 0; i < 4000; ++i) {  // leaves and rubbish
    const cv::Point at(random.uniform(0, width), random.uniform(height / 3, height));
    const cv::Size size(random.uniform(1, unit / 2 + 2), random.uniform(1, unit / 2 + 2));
    cv::ellipse(picture, at, size, random.uniform(0, 180), 0, 360, colour(20, 190), cv::FILLED, cv::LINE_AA);
  }
  for (int i = 0; i < 12; ++i) {  // signs
    cv::putText(picture, "GRID 300457", {random.uniform(0, width), random.uniform(height / 4, height)},
                cv::FONT_HERSHEY_DUPLEX, unit * 0.06, colour(0, 255), unit / 12 + 1, cv::LINE_AA);
  }
  cv::Mat noise(picture.size(), CV_8UC3);
  random.fill(noise, cv::RNG::NORMAL, cv::Scalar::all(24), cv::Scalar::all(4));
  cv::add(picture, noise, picture);
  cv::subtract(picture, cv::Scalar::all(24), picture);
  cv::GaussianBlur(picture, picture, {3, 3}, 0.6);  // a lens

  const int side = std::max(1, std::min(width, height) / 5);
  const auto corner = [&](int x, int y, const cv::Scalar& value) {
    cv::rectangle(picture, cv::Rect(x, y, side, side), value, cv::FILLED);
  };
  corner(0, 0, {220, 30, 30});
  corner(width - side, 0, {30, 30, 220});
  corner(0, height - side, {30, 200, 30});
  corner(width - side, height - side, {30, 210, 220});
  return picture;
}

}  // namespace gridward::test
