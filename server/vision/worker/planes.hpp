// A picture as JFIF's three planes; OpenCV and libjpeg live on this side of the process boundary only.
#pragma once

#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <opencv2/core/mat.hpp>

namespace gridward::vision {

// 8 bits a sample. The chroma planes may be smaller than luma in either direction; empty: a grey picture.
struct Planes {
  cv::Mat luma;
  cv::Mat blue;
  cv::Mat red;

  bool grey() const { return blue.empty(); }
};

struct Decoded {
  Planes planes;
  bool damaged = false;  // a part of the picture is missing or wrong
};

// `side` of the longer side at most; never enlarged, never under one pixel.
cv::Size fit(cv::Size size, std::uint32_t side);

// Of any number of channels.
cv::Mat resize(const cv::Mat& picture, cv::Size size);

// Luma becomes `size`, chroma half of it in both directions.
Planes resize(const Planes& planes, cv::Size size);

// Turns and mirrors as EXIF's orientation says, so that the picture is upright.
Planes upright(const Planes& planes, std::uint8_t orientation);

// BGRA to BGR.
cv::Mat on_white(const cv::Mat& bgra);

// Of 1 or 3 (BGR) channels.
Planes to_planes(const cv::Mat& picture);

}  // namespace gridward::vision
