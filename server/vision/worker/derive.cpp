#include "derive.hpp"

#include <algorithm>
#include <gridward/vision/photo_worker.hpp>
#include <new>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "describe.hpp"
#include "jpeg.hpp"

namespace gridward::vision {
namespace {

constexpr int kPreviewQuality = 80;
constexpr int kThumbQuality = 80;

// PNG and WebP: rare beside JPEG, so the plain way, the whole picture through OpenCV.
Result<Decoded> decode_other(ByteView file, const PhotoHeader& header) {
  const cv::Mat buffer(1, static_cast<int>(file.size()), CV_8UC1, const_cast<std::uint8_t*>(file.data()));
  const bool with_alpha = header.alpha && header.bit_depth == 8;
  const int flags = with_alpha ? cv::IMREAD_UNCHANGED : cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION;
  cv::Mat picture = cv::imdecode(buffer, flags);
  if (picture.empty() || picture.depth() != CV_8U || picture.cols != static_cast<int>(header.width) ||
      picture.rows != static_cast<int>(header.height)) {
    return fail(ErrorCode::media_undecodable, "photo",
                header.format == PhotoFormat::png ? "PNG: not decodable" : "WebP: not decodable");
  }
  if (picture.channels() == 4) picture = on_white(picture);
  // Made small before anything else: 64 MP are 192 MB for every copy.
  return Decoded{to_planes(resize(picture, fit(picture.size(), kPreviewSide))), false};
}

// Variance of the Laplacian: the usual measure of focus. Low is blurred.
double sharpness_of(const cv::Mat& luma) {
  cv::Mat edges;
  cv::Laplacian(luma, edges, CV_16S);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(edges, mean, deviation);
  return deviation[0] * deviation[0];
}

Result<EncodedPicture> encode(const Planes& planes, int quality) {
  auto jpeg = encode_jpeg(planes, quality);
  if (!jpeg) return tl::unexpected(jpeg.error());
  return EncodedPicture{static_cast<std::uint32_t>(planes.luma.cols), static_cast<std::uint32_t>(planes.luma.rows),
                        std::move(*jpeg)};
}

Result<Derivatives> derive_unguarded(ByteView file) {
  Derivatives out;
  const auto header = read_photo_header(file);
  if (!header) return tl::unexpected(header.error());
  out.header = *header;
  auto decoded = header->format == PhotoFormat::jpeg ? decode_jpeg(file, kPreviewSide) : decode_other(file, *header);
  if (!decoded) return tl::unexpected(decoded.error());
  out.truncated = decoded->damaged;

  const cv::Size stored(static_cast<int>(header->width), static_cast<int>(header->height));
  // Turned when it is already small.
  const Planes preview = upright(resize(decoded->planes, fit(stored, kPreviewSide)), header->orientation);
  decoded->planes = {};
  const cv::Size shown = swaps_sides(header->orientation) ? cv::Size(stored.height, stored.width) : stored;
  const Planes thumb = resize(preview, fit(shown, kThumbSide));
  out.width = static_cast<std::uint32_t>(shown.width);
  out.height = static_cast<std::uint32_t>(shown.height);

  auto preview_jpeg = encode(preview, kPreviewQuality);
  if (!preview_jpeg) return tl::unexpected(preview_jpeg.error());
  out.preview = std::move(*preview_jpeg);
  auto thumb_jpeg = encode(thumb, kThumbQuality);
  if (!thumb_jpeg) return tl::unexpected(thumb_jpeg.error());
  out.thumb = std::move(*thumb_jpeg);

  out.sharpness = sharpness_of(preview.luma);
  out.brightness = std::min(cv::mean(thumb.luma)[0], 255.0);  // a white picture is a rounding error over
  const auto description = describe(preview.luma);
  out.likeness = description.likeness;
  out.description = encode_description(description);
  return out;
}

}  // namespace

Result<Derivatives> derive(ByteView file) {
  try {
    return derive_unguarded(file);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::media_limits, "photo", "out of memory");
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) return fail(ErrorCode::media_limits, "photo", "out of memory");
    return fail(ErrorCode::media_undecodable, "photo", "OpenCV: " + std::string(error.err));
  }
}

}  // namespace gridward::vision
