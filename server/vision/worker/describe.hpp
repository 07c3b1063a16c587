#pragma once

#include <gridward/vision/photo_description.hpp>
#include <opencv2/core/mat.hpp>

namespace gridward::vision {

// Of the preview's luma, upright.
PhotoDescription describe(const cv::Mat& luma);

}  // namespace gridward::vision
