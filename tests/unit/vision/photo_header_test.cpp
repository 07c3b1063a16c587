#include <gtest/gtest.h>

#include <gridward/shared/limits.hpp>
#include <gridward/vision/photo_header.hpp>
#include <initializer_list>
#include <random>
#include <string_view>

namespace gridward::vision {
namespace {

using namespace std::string_view_literals;

class Builder {
 public:
  Builder& text(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  Builder& big(std::uint64_t value, int width) {
    for (int i = width - 1; i >= 0; --i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Builder& little(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Builder& add(const Bytes& other) {
    bytes_.insert(bytes_.end(), other.begin(), other.end());
    return *this;
  }
  Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

struct Order {
  bool little;
  Builder& put(Builder& to, std::uint64_t value, int width) const {
    return little ? to.little(value, width) : to.big(value, width);
  }
};

// A directory with two entries before the orientation and one after.
Bytes tiff(std::uint16_t orientation, bool little, std::uint16_t type = 3) {
  const Order order{little};
  Builder out;
  out.text(little ? "II*\0"sv : "MM\0*"sv);
  order.put(out, 8, 4);
  order.put(out, 4, 2);
  const auto entry = [&](std::uint16_t tag, std::uint16_t kind, std::uint32_t value) {
    order.put(out, tag, 2);
    order.put(out, kind, 2);
    order.put(out, 1, 4);
    if (kind == 3) {
      order.put(out, value, 2);
      out.big(0, 2);
    } else {
      order.put(out, value, 4);
    }
  };
  entry(0x0100, 3, 640);
  entry(0x0101, 3, 480);
  entry(0x0112, type, orientation);
  entry(0x0128, 3, 2);
  order.put(out, 0, 4);
  return out.bytes();
}

Bytes segment(std::uint8_t marker, const Bytes& body) {
  return Builder().big(0xFF, 1).big(marker, 1).big(body.size() + 2, 2).add(body).bytes();
}

Bytes exif_segment(const Bytes& block) { return segment(0xE1, Builder().text("Exif\0\0"sv).add(block).bytes()); }

Bytes frame_segment(std::uint16_t width, std::uint16_t height, std::uint8_t marker = 0xC0) {
  return segment(marker, Builder().big(8, 1).big(height, 2).big(width, 2).big(1, 1).big(0x011100, 3).bytes());
}

Bytes jpeg(std::initializer_list<Bytes> segments) {
  Builder out;
  out.big(0xFFD8, 2);
  for (const auto& part : segments) out.add(part);
  return out.add(segment(0xDA, Builder().big(1, 1).bytes())).bytes();
}

Bytes png(std::uint32_t width, std::uint32_t height, const Bytes& exif = {}, std::uint8_t depth = 8,
          std::uint8_t colour = 2) {
  Builder out;
  out.text("\x89PNG\r\n\x1A\n"sv).big(13, 4).text("IHDR").big(width, 4).big(height, 4).big(depth, 1).big(colour, 1);
  out.big(0, 3).big(0, 4);
  if (!exif.empty()) out.big(exif.size(), 4).text("eXIf").add(exif).big(0, 4);
  return out.big(0, 4).text("IEND").big(0, 4).bytes();
}

Bytes webp_simple(std::uint32_t width, std::uint32_t height) {
  return Builder()
      .text("RIFF")
      .little(22, 4)
      .text("WEBPVP8 ")
      .little(10, 4)
      .little(0x000010, 3)
      .big(0x9D012A, 3)
      .little(width, 2)
      .little(height, 2)
      .bytes();
}

Bytes webp_lossless(std::uint32_t width, std::uint32_t height, bool alpha) {
  const std::uint64_t bits = (width - 1) | (std::uint64_t{height - 1} << 14U) | (alpha ? 1ULL << 28U : 0ULL);
  return Builder().text("RIFF").little(17, 4).text("WEBPVP8L").little(5, 4).big(0x2F, 1).little(bits, 4).bytes();
}

Bytes webp_extended(std::uint32_t width, std::uint32_t height, const Bytes& exif, bool marked) {
  Builder out;
  out.text("RIFF").little(60, 4).text("WEBPVP8X").little(10, 4).little(0x18, 4).little(width - 1, 3);
  out.little(height - 1, 3).text("ICCP").little(3, 4).big(0, 4);  // an odd length and its padding
  const Bytes body = marked ? Builder().text("Exif\0\0"sv).add(exif).bytes() : exif;
  return out.text("EXIF").little(body.size(), 4).add(body).bytes();
}

ErrorCode code_of(const Bytes& file) {
  const auto header = read_photo_header(file);
  EXPECT_FALSE(header.has_value());
  return header ? ErrorCode::internal : header.error().code;
}

// Whatever the bytes are, an answer keeps to these.
void expect_sane(const Bytes& file) {
  const auto header = read_photo_header(file);
  if (!header) return;
  ASSERT_GE(header->width, 1U);
  ASSERT_GE(header->height, 1U);
  ASSERT_LE(header->width, limits::kPhotoSide);
  ASSERT_LE(header->height, limits::kPhotoSide);
  ASSERT_LE(std::uint64_t{header->width} * header->height, limits::kPhotoPixels);
  ASSERT_GE(header->orientation, 1);
  ASSERT_LE(header->orientation, 8);
}

TEST(ExifOrientation, ReadsAllEightInBothByteOrders) {
  for (std::uint16_t value = 1; value <= 8; ++value) {
    EXPECT_EQ(read_exif_orientation(tiff(value, true)), value);
    EXPECT_EQ(read_exif_orientation(tiff(value, false)), value);
    EXPECT_EQ(read_exif_orientation(tiff(value, false, 4)), value) << "as LONG";
  }
}

TEST(ExifOrientation, TakesAnythingElseForUpright) {
  EXPECT_EQ(read_exif_orientation({}), 1);
  EXPECT_EQ(read_exif_orientation(tiff(0, true)), 1);
  EXPECT_EQ(read_exif_orientation(tiff(9, true)), 1);
  EXPECT_EQ(read_exif_orientation(tiff(6, true, 2)), 1) << "as text";
  Bytes wrong_magic = tiff(6, true);
  wrong_magic[2] = 43;
  EXPECT_EQ(read_exif_orientation(wrong_magic), 1);
  Bytes far_directory = tiff(6, true);
  far_directory[4] = far_directory[5] = far_directory[6] = far_directory[7] = 0xFF;
  EXPECT_EQ(read_exif_orientation(far_directory), 1);
}

TEST(ExifOrientation, SurvivesEveryTruncationAndFlippedByte) {
  for (const bool little : {true, false}) {
    const Bytes whole = tiff(6, little);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const auto cut = read_exif_orientation(ByteView(whole).first(n));
      EXPECT_TRUE(cut == 1 || cut == 6) << n;
      for (unsigned bit = 0; bit < 8; ++bit) {
        Bytes flipped = whole;
        flipped[n] = static_cast<std::uint8_t>(flipped[n] ^ (1U << bit));
        const auto value = read_exif_orientation(flipped);
        EXPECT_TRUE(value >= 1 && value <= 8) << n;
      }
    }
  }
}

TEST(PhotoHeader, ReadsJpeg) {
  const auto header = read_photo_header(jpeg({exif_segment(tiff(6, true)), frame_segment(4160, 3120)}));
  ASSERT_TRUE(header);
  EXPECT_EQ(*header, (PhotoHeader{PhotoFormat::jpeg, 4160, 3120, 6, 8, false}));
}

TEST(PhotoHeader, FindsExifBehindTheFrameAndBehindOtherApplicationData) {
  const Bytes xmp = segment(0xE1, Builder().text("http://ns.adobe.com/xap/1.0/\0<x/>"sv).bytes());
  const auto header = read_photo_header(jpeg({xmp, frame_segment(10, 20, 0xC2), exif_segment(tiff(8, false))}));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->orientation, 8);
}

TEST(PhotoHeader, DoesNotTakeAnExifPictureForThePhoto) {
  // A thumbnail inside EXIF has a frame header of its own.
  const Bytes inner = Builder().add(tiff(3, true)).add(jpeg({frame_segment(160, 120)})).bytes();
  const auto header = read_photo_header(jpeg({exif_segment(inner), frame_segment(4000, 3000)}));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 4000U);
  EXPECT_EQ(header->orientation, 3);
}

TEST(PhotoHeader, SkipsFillBytesAndStrayBytesBetweenSegments) {
  const Bytes stray = Builder().big(0x0102, 2).big(0xFFFFFF, 3).bytes();
  Bytes frame = frame_segment(100, 50);
  frame.erase(frame.begin());  // its 0xFF is the last fill byte
  const auto header = read_photo_header(jpeg({exif_segment(tiff(1, true)), stray, frame}));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, 100U);
}

TEST(PhotoHeader, RefusesJpegWithoutDimensions) {
  EXPECT_EQ(code_of(jpeg({})), ErrorCode::media_undecodable);
  EXPECT_EQ(code_of(jpeg({frame_segment(0, 10)})), ErrorCode::media_undecodable);
  EXPECT_EQ(code_of(jpeg({frame_segment(10, 0)})), ErrorCode::media_undecodable);
  EXPECT_EQ(code_of(Builder().big(0xFFD8FF, 3).bytes()), ErrorCode::media_undecodable);
  EXPECT_EQ(code_of(Builder().big(0xFFD8FFE00001, 6).bytes()), ErrorCode::media_undecodable);
}

TEST(PhotoHeader, ReadsPng) {
  const auto plain = read_photo_header(png(1920, 1080));
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, (PhotoHeader{PhotoFormat::png, 1920, 1080, 1, 8, false}));
  const auto turned = read_photo_header(png(30, 40, tiff(5, false), 16, 6));
  ASSERT_TRUE(turned);
  EXPECT_EQ(*turned, (PhotoHeader{PhotoFormat::png, 30, 40, 5, 16, true}));
  EXPECT_EQ(code_of(png(0, 5)), ErrorCode::media_undecodable);
  Bytes no_header = png(5, 5);
  no_header[12] = 'i';
  EXPECT_EQ(code_of(no_header), ErrorCode::media_undecodable);
}

TEST(PhotoHeader, ReadsThreeKindsOfWebp) {
  const auto simple = read_photo_header(webp_simple(3000, 2000));
  ASSERT_TRUE(simple);
  EXPECT_EQ(*simple, (PhotoHeader{PhotoFormat::webp, 3000, 2000, 1, 8, false}));
  const auto lossless = read_photo_header(webp_lossless(16'000, 7, true));
  ASSERT_TRUE(lossless);
  EXPECT_EQ(*lossless, (PhotoHeader{PhotoFormat::webp, 16'000, 7, 1, 8, true}));
  for (const bool marked : {true, false}) {
    const auto extended = read_photo_header(webp_extended(4000, 3000, tiff(7, true), marked));
    ASSERT_TRUE(extended);
    EXPECT_EQ(*extended, (PhotoHeader{PhotoFormat::webp, 4000, 3000, 7, 8, true}));
  }
}

TEST(PhotoHeader, RefusesDimensionsOverTheLimits) {
  EXPECT_EQ(code_of(png(20'000, 20'000)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(png(0xFFFFFFFF, 0xFFFFFFFF)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(png(limits::kPhotoSide + 1, 1)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(png(1, limits::kPhotoSide + 1)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(png(8001, 8000)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(jpeg({frame_segment(65'500, 65'500)})), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(webp_extended(1U << 24U, 1, {}, false)), ErrorCode::media_dimensions);
  EXPECT_EQ(code_of(webp_simple(16'383, 16'383)), ErrorCode::media_dimensions);
  EXPECT_TRUE(read_photo_header(png(8000, 8000)));
  EXPECT_TRUE(read_photo_header(png(limits::kPhotoSide, 3000)));
}

TEST(PhotoHeader, KnowsFormatsByTheirFirstBytesOnly) {
  for (const auto text :
       {""sv, "\xFF\xD8"sv, "GIF89a"sv, "II*\0"sv, "BM"sv, "RIFF\1\0\0\0AVI "sv, "<svg/>"sv, "\0\0\0\x0CjP  \r\n"sv,
        "\0\0\0\x18"
        "ftypheic"sv}) {
    EXPECT_EQ(code_of(Builder().text(text).bytes()), ErrorCode::media_type) << text;
  }
}

TEST(PhotoHeader, StaysSaneForEveryTruncationAndFlippedBit) {
  for (const Bytes& whole :
       {jpeg({exif_segment(tiff(6, true)), frame_segment(4160, 3120)}), png(640, 480, tiff(5, false)),
        webp_simple(640, 480), webp_lossless(640, 480, true), webp_extended(640, 480, tiff(7, true), true)}) {
    for (std::size_t n = 0; n < whole.size(); ++n) {
      expect_sane(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)));
      for (unsigned bit = 0; bit < 8; ++bit) {
        Bytes flipped = whole;
        flipped[n] = static_cast<std::uint8_t>(flipped[n] ^ (1U << bit));
        expect_sane(flipped);
      }
    }
  }
}

TEST(PhotoHeader, StaysSaneForNoiseBehindEveryMagic) {
  std::mt19937 random(20250601);
  for (const auto magic : {"\xFF\xD8\xFF"sv, "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv, "RIFF\1\0\0\0WEBPVP8X"sv}) {
    for (int i = 0; i < 2000; ++i) {
      Builder out;
      out.text(magic);
      for (int n = static_cast<int>(random() % 200); n > 0; --n) out.big(random() % 5 == 0 ? 0xFF : random(), 1);
      expect_sane(out.bytes());
    }
  }
}

}  // namespace
}  // namespace gridward::vision
