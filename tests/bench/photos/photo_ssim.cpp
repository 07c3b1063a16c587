// photo_ssim ORIGINAL CANDIDATE…: prints, a line a candidate, the luma SSIM of a derivative against the original
// reduced to the candidate's own size by a three-lobed Lanczos filter in floating point.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace {

double lanczos3(double x) {
  x = std::abs(x);
  if (x < 1e-9) return 1.0;
  if (x >= 3.0) return 0.0;
  const double px = std::numbers::pi * x;
  return 3.0 * std::sin(px) * std::sin(px / 3.0) / (px * px);
}

// Horizontal pass; the vertical one is the same on the transposed image.
cv::Mat reduce_columns(const cv::Mat& in, int width) {
  const double step = static_cast<double>(in.cols) / width;
  const double filter_scale = std::max(step, 1.0);
  cv::Mat out(in.rows, width, CV_32F);
  for (int x = 0; x < width; ++x) {
    const double centre = (x + 0.5) * step;
    const int first = std::max(0, static_cast<int>(std::floor(centre - 3.0 * filter_scale)));
    const int last = std::min(in.cols, static_cast<int>(std::ceil(centre + 3.0 * filter_scale)));
    std::vector<float> weights;
    double sum = 0;
    for (int i = first; i < last; ++i) sum += lanczos3((i + 0.5 - centre) / filter_scale);
    for (int i = first; i < last; ++i) {
      weights.push_back(static_cast<float>(lanczos3((i + 0.5 - centre) / filter_scale) / sum));
    }
    for (int y = 0; y < in.rows; ++y) {
      const auto* row = in.ptr<float>(y) + first;
      float value = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) value += weights[i] * row[i];
      out.at<float>(y, x) = value;
    }
  }
  return out;
}

cv::Mat lanczos_reference(const cv::Mat& luma, cv::Size size) {
  cv::Mat values;
  luma.convertTo(values, CV_32F);
  cv::Mat narrow = reduce_columns(values, size.width).t();
  cv::Mat result = reduce_columns(narrow, size.height).t();
  cv::min(cv::max(result, 0.0), 255.0, result);
  return result;
}

// Wang et al. 2004: Gaussian window of 11 pixels, sigma 1.5.
double ssim(const cv::Mat& a, const cv::Mat& b) {
  constexpr double kC1 = (0.01 * 255) * (0.01 * 255);
  constexpr double kC2 = (0.03 * 255) * (0.03 * 255);
  const auto blur = [](const cv::Mat& m) {
    cv::Mat out;
    cv::GaussianBlur(m, out, {11, 11}, 1.5);
    return out;
  };
  const cv::Mat mean_a = blur(a);
  const cv::Mat mean_b = blur(b);
  const cv::Mat mean_ab = mean_a.mul(mean_b);
  const cv::Mat mean_aa = mean_a.mul(mean_a);
  const cv::Mat mean_bb = mean_b.mul(mean_b);
  const cv::Mat var_a = blur(a.mul(a)) - mean_aa;
  const cv::Mat var_b = blur(b.mul(b)) - mean_bb;
  const cv::Mat covariance = blur(a.mul(b)) - mean_ab;
  cv::Mat over = (2 * mean_ab + kC1).mul(2 * covariance + kC2);
  cv::Mat under = (mean_aa + mean_bb + kC1).mul(var_a + var_b + kC2);
  cv::Mat map;
  cv::divide(over, under, map);
  return cv::mean(map)[0];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "photo_ssim ORIGINAL CANDIDATE...\n");
    return 2;
  }
  const cv::Mat original = cv::imread(argv[1], cv::IMREAD_GRAYSCALE);
  if (original.empty()) {
    std::fprintf(stderr, "cannot read %s\n", argv[1]);
    return 1;
  }
  for (int i = 2; i < argc; ++i) {
    cv::Mat candidate = cv::imread(argv[i], cv::IMREAD_GRAYSCALE);
    if (candidate.empty()) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    const cv::Mat reference = lanczos_reference(original, candidate.size());
    cv::Mat values;
    candidate.convertTo(values, CV_32F);
    std::printf("%.5f %dx%d %s\n", ssim(reference, values), candidate.cols, candidate.rows, argv[i]);
  }
  return 0;
}
