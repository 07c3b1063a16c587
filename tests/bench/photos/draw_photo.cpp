// draw_photo WIDTH HEIGHT SEED FILE.jpg: a photo of a size that no sample has.
#include <cstdio>
#include <cstdlib>
#include <gridward/test/drawn_photo.hpp>
#include <opencv2/imgcodecs.hpp>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "draw_photo WIDTH HEIGHT SEED FILE.jpg\n");
    return 2;
  }
  constexpr int kPhoneQuality = 92;
  const cv::Mat picture = gridward::test::draw_photo(std::atoi(argv[1]), std::atoi(argv[2]),
                                                     static_cast<std::uint64_t>(std::atoll(argv[3])));
  return cv::imwrite(argv[4], picture, {cv::IMWRITE_JPEG_QUALITY, kPhoneQuality}) ? 0 : 1;
}
