#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
// jpeglib.h wants the two above.
#include <jpeglib.h>

#include <algorithm>
#include <cmath>
#include <gridward/sim/scene.hpp>
#include <set>
#include <string>

namespace gridward::sim {
namespace {

struct Picture {
  int width = 0;
  int height = 0;
  bool chroma_halved = false;
  Bytes rgb;
  int at(int x, int y, int channel) const {
    return rgb[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3 +
               static_cast<std::size_t>(channel)];
  }
};

// A damaged file ends the test program, which is what it should do.
Picture decode(const Bytes& jpeg) {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, jpeg.data(), static_cast<unsigned long>(jpeg.size()));
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  Picture picture;
  picture.width = static_cast<int>(info.output_width);
  picture.height = static_cast<int>(info.output_height);
  picture.chroma_halved = info.comp_info[0].h_samp_factor == 2 && info.comp_info[0].v_samp_factor == 2 &&
                          info.comp_info[1].h_samp_factor == 1 && info.comp_info[1].v_samp_factor == 1;
  picture.rgb.resize(std::size_t{3} * info.output_width * info.output_height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = picture.rgb.data() + std::size_t{3} * info.output_scanline * info.output_width;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return picture;
}

// The mean over all channels of the first `columns` of the picture.
double difference(const Picture& a, const Picture& b, int columns) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  double sum = 0;
  for (int y = 0; y < a.height; ++y) {
    for (int x = 0; x < columns; ++x) {
      for (int c = 0; c < 3; ++c) sum += std::abs(a.at(x, y, c) - b.at(x, y, c));
    }
  }
  return sum / (3.0 * columns * a.height);
}

// The same for two photographs of one place: taken from nearly the same point, in a little other light.
double unlikeness(const Picture& a, const Picture& b, int columns) {
  constexpr int kShift = 8;
  double least = 255;
  for (int shift = -kShift; shift <= kShift; ++shift) {
    double light = 0;
    double sum = 0;
    for (const bool measuring : {false, true}) {
      for (int y = 0; y < a.height; ++y) {
        for (int x = kShift; x < columns; ++x) {
          const double difference = a.at(x, y, 1) - b.at(x + shift, y, 1);
          if (measuring) {
            sum += std::abs(difference - light);
          } else {
            light += difference / ((columns - kShift) * a.height);
          }
        }
      }
    }
    least = std::min(least, sum / ((columns - kShift) * a.height));
  }
  return least;
}

SceneOptions small(Subject subject = Subject::manhole) {
  SceneOptions options;
  options.width = 320;
  options.height = 240;
  options.subject = subject;
  return options;
}

Bytes draw(const SceneOptions& options) {
  auto drawn = draw_scene(options);
  if (!drawn) {
    ADD_FAILURE() << to_string(drawn.error());
    return {};
  }
  return std::move(*drawn);
}

// The segments before the picture: (marker, size).
std::vector<std::pair<int, std::size_t>> segments(const Bytes& jpeg) {
  std::vector<std::pair<int, std::size_t>> out;
  for (std::size_t i = 2; i + 4 <= jpeg.size() && jpeg[i] == 0xFF && jpeg[i + 1] != 0xDA;) {
    const std::size_t size = std::size_t{jpeg[i + 2]} * 256 + jpeg[i + 3];
    out.emplace_back(jpeg[i + 1], size);
    i += 2 + size;
  }
  return out;
}

TEST(Scene, IsTheSameForTheSameOptions) {
  EXPECT_EQ(draw(small()), draw(small()));
  auto other = small();
  other.seed = 2;
  EXPECT_NE(draw(small()), draw(other));
}

TEST(Scene, IsAPlainPhotograph) {
  const auto jpeg = draw(small());
  const auto picture = decode(jpeg);
  EXPECT_EQ(picture.width, 320);
  EXPECT_EQ(picture.height, 240);
  EXPECT_TRUE(picture.chroma_halved);
  for (const auto& [marker, size] : segments(jpeg)) EXPECT_NE(marker, 0xE1) << "EXIF without being asked";
}

TEST(Scene, EverySubjectIsAnotherPicture) {
  std::set<Bytes> seen;
  for (const Subject subject : subjects()) {
    for (const bool repaired : {false, true}) {
      auto options = small(subject);
      options.repaired = repaired;
      seen.insert(draw(options));
    }
  }
  EXPECT_EQ(subjects().size(), 6U);
  EXPECT_EQ(seen.size(), 12U);
}

TEST(Scene, RepairedIsTheSamePlaceWithoutTheFault) {
  for (const Subject subject : {Subject::manhole, Subject::rubbish, Subject::parking, Subject::leak, Subject::tree}) {
    for (const std::uint64_t seed : {3U, 8U, 21U}) {
      auto options = small(subject);
      options.seed = seed;
      const auto before = decode(draw(options));
      options.repaired = true;
      const auto after = decode(draw(options));
      options.seed = seed + 1;
      const auto elsewhere = decode(draw(options));
      // The left third has the other side of the street, where nothing was repaired; the camera moved a little.
      EXPECT_LT(unlikeness(before, after, 100), 0.5 * unlikeness(after, elsewhere, 100))
          << name_of(subject) << " " << seed;
      // By blocks of 16 pixels: how much the most changed one differs.
      double most = 0;
      for (int by = 0; by + 16 <= 240; by += 16) {
        for (int bx = 0; bx + 16 <= 320; bx += 16) {
          double sum = 0;
          for (int y = by; y < by + 16; ++y) {
            for (int x = bx; x < bx + 16; ++x) sum += std::abs(before.at(x, y, 1) - after.at(x, y, 1));
          }
          if (by > 110) most = std::max(most, sum / 256);
        }
      }
      EXPECT_GT(most, 35) << name_of(subject) << " " << seed;
    }
  }
}

TEST(Scene, AnotherVisitIsAnotherPhotoOfThePlace) {
  auto options = small();
  const auto first = draw_scene(options).value();
  options.visit = 1;
  const auto again = draw_scene(options).value();
  EXPECT_NE(again, first);
  EXPECT_EQ(draw_scene(options).value(), again) << "the same for the same visit";
  options.visit = 2;
  EXPECT_NE(draw_scene(options).value(), again);
}

TEST(Scene, StandsUprightAfterItsOrientation) {
  const auto upright = decode(draw(small()));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    auto options = small();
    options.exif_orientation = orientation;
    const auto jpeg = draw(options);
    const auto parts = segments(jpeg);
    ASSERT_FALSE(parts.empty());
    EXPECT_EQ(parts[0].first, 0xE1);
    EXPECT_EQ(std::string(jpeg.begin() + 6, jpeg.begin() + 10), "Exif");
    EXPECT_EQ(int{jpeg[30]}, orientation);
    const auto stored = decode(jpeg);
    const int w = stored.width;
    const int h = stored.height;
    Picture turned;
    turned.width = orientation >= 5 ? h : w;
    turned.height = orientation >= 5 ? w : h;
    // EXIF says where row 0 and column 0 of the stored picture lie in the upright one.
    for (int y = 0; y < turned.height; ++y) {
      for (int x = 0; x < turned.width; ++x) {
        int row = 0;
        int column = 0;
        switch (orientation) {
          case 1:
            row = y;
            column = x;
            break;  // top, left
          case 2:
            row = y;
            column = w - 1 - x;
            break;  // top, right
          case 3:
            row = h - 1 - y;
            column = w - 1 - x;
            break;  // bottom, right
          case 4:
            row = h - 1 - y;
            column = x;
            break;  // bottom, left
          case 5:
            row = x;
            column = y;
            break;  // left, top
          case 6:
            row = h - 1 - x;
            column = y;
            break;  // right, top
          case 7:
            row = h - 1 - x;
            column = w - 1 - y;
            break;  // right, bottom
          default:
            row = x;
            column = w - 1 - y;
            break;  // left, bottom
        }
        for (int c = 0; c < 3; ++c) turned.rgb.push_back(static_cast<std::uint8_t>(stored.at(column, row, c)));
      }
    }
    ASSERT_EQ(turned.width, upright.width) << orientation;
    EXPECT_LT(difference(upright, turned, upright.width), 3) << orientation;
  }
}

TEST(Scene, RefusesOptionsOutsideOfTheirRange) {
  const auto field = [](auto change) {
    auto options = small();
    change(options);
    const auto drawn = draw_scene(options);
    if (drawn) return std::string("none");
    EXPECT_EQ(drawn.error().code, ErrorCode::out_of_range);
    return drawn.error().field;
  };
  EXPECT_EQ(field([](auto& o) { o.width = 63; }), "width");
  EXPECT_EQ(field([](auto& o) { o.width = 8193; }), "width");
  EXPECT_EQ(field([](auto& o) { o.height = -1; }), "height");
  EXPECT_EQ(field([](auto& o) { o.quality = 0; }), "quality");
  EXPECT_EQ(field([](auto& o) { o.quality = 101; }), "quality");
  EXPECT_EQ(field([](auto& o) { o.exif_orientation = 9; }), "exif_orientation");
  EXPECT_EQ(field([](auto& o) { o.subject = static_cast<Subject>(6); }), "subject");
  EXPECT_EQ(field([](auto& o) { o.width = o.height = 64; }), "none");
  EXPECT_EQ(field([](auto& o) {
              o.width = 90;
              o.height = 400;
            }),
            "none");
}

TEST(Scene, NamesItsSubjects) {
  for (const Subject subject : subjects()) EXPECT_EQ(subject_named(name_of(subject)), subject);
  EXPECT_FALSE(subject_named("volcano"));
}

}  // namespace
}  // namespace gridward::sim
