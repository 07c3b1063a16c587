#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
// After cstdio, which it needs.
#include <jpeglib.h>

#include <gridward_sim/scene.hpp>
#include <string_view>

namespace gridward::sim {
namespace {

struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

Picture decode(const std::vector<std::uint8_t>& file) {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, file.data(), file.size());
  EXPECT_EQ(jpeg_read_header(&jpeg, TRUE), JPEG_HEADER_OK);
  jpeg_start_decompress(&jpeg);
  Picture picture{static_cast<int>(jpeg.output_width), static_cast<int>(jpeg.output_height), {}};
  picture.rgb.resize(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 3);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = picture.rgb.data() +
                   static_cast<std::size_t>(jpeg.output_scanline) * static_cast<std::size_t>(picture.width) * 3;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  EXPECT_EQ(errors.num_warnings, 0);
  jpeg_destroy_decompress(&jpeg);
  return picture;
}

double difference(const Picture& a, const Picture& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::fabs(static_cast<double>(a.rgb[i]) - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

SceneOptions options(std::uint64_t seed, Problem problem = Problem::none) {
  SceneOptions result;
  result.width = 640;
  result.height = 480;
  result.seed = seed;
  result.problem = problem;
  return result;
}

TEST(Scene, IsAJpegOfTheAskedSizeWithoutExif) {
  const auto file = draw_scene(options(3));
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).find("Exif"),
            std::string_view::npos);
  const auto picture = decode(file);
  EXPECT_EQ(picture.width, 640);
  EXPECT_EQ(picture.height, 480);
}

TEST(Scene, TheSeedDecides) {
  EXPECT_EQ(draw_scene(options(3)), draw_scene(options(3)));
  EXPECT_GT(difference(decode(draw_scene(options(3))), decode(draw_scene(options(4)))), 5.0);
}

TEST(Scene, EveryProblemShowsAndTheStreetStaysTheSame) {
  for (std::uint64_t seed : {1U, 12U, 99U}) {
    const auto mended = decode(draw_scene(options(seed)));
    for (const auto problem : {Problem::litter, Problem::manhole, Problem::pothole, Problem::dark_lamp, Problem::puddle,
                               Problem::parking, Problem::stall}) {
      const double changed = difference(mended, decode(draw_scene(options(seed, problem))));
      EXPECT_GT(changed, 0.02) << seed << " " << static_cast<int>(problem);
      EXPECT_LT(changed, 6.0) << seed << " " << static_cast<int>(problem);
    }
  }
}

// Sky above is lighter than the road below, the picture has contrast and is not noise.
TEST(Scene, LooksLikeAStreet) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto picture = decode(draw_scene(options(seed)));
    double top = 0;
    double bottom = 0;
    double rough = 0;
    const auto luma = [&](int x, int y) {
      const auto* p =
          picture.rgb.data() +
          (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) + static_cast<std::size_t>(x)) * 3;
      return 0.3 * p[0] + 0.59 * p[1] + 0.11 * p[2];
    };
    for (int x = 200; x < 440; ++x) {
      for (int y = 0; y < 60; ++y) top += luma(x, y);
      for (int y = 420; y < 480; ++y) {
        bottom += luma(x, y);
        rough += std::fabs(luma(x, y) - luma(x - 1, y));
      }
    }
    EXPECT_GT(top, bottom * 1.2) << seed;
    EXPECT_LT(rough / (240 * 60), 14.0) << seed;
    EXPECT_GT(rough / (240 * 60), 0.5) << seed;
  }
}

TEST(Scene, AFolderThatIsNotThereIsTold) { EXPECT_FALSE(write_scene("/nowhere/at/all.jpg", options(1))); }

}  // namespace
}  // namespace gridward::sim
