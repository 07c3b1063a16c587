#include <fcntl.h>
#include <gridward/device.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <gridward/shared/message.hpp>
#include <gridward/test/process.hpp>
#include <gridward_device/file.hpp>
#include <gridward_device/outbox.hpp>
#include <gridward_device/photo.hpp>
#include <random>

// After <cstdio>.
#include <jpeglib.h>

namespace gridward::device {
namespace {

namespace fs = std::filesystem;

const UnixMs kNow = from_unix_ms(1'790'000'000'000);

struct Style {
  J_COLOR_SPACE colour = JCS_RGB;
  int quality = 92;
  bool progressive = false;
  std::vector<std::pair<int, std::string>> segments;
};

// Red grows to the right, green downwards, blue is even; grey grows to the right.
std::uint8_t drawn(double x, double y, int component) {
  return static_cast<std::uint8_t>(std::lround(component == 0 ? x * 255 : component == 1 ? y * 255 : 128));
}

[[noreturn]] void throw_error(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  throw std::runtime_error(text);
}

void draw(const fs::path& file, unsigned width, unsigned height, const Style& style = {}) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  errors.error_exit = throw_error;
  jpeg_create_compress(&encoder);
  jpeg_stdio_dest(&encoder, out);
  encoder.image_width = width;
  encoder.image_height = height;
  encoder.in_color_space = style.colour;
  encoder.input_components = style.colour == JCS_GRAYSCALE ? 1 : style.colour == JCS_CMYK ? 4 : 3;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, style.quality, TRUE);
  if (style.progressive) jpeg_simple_progression(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  for (const auto& [marker, data] : style.segments) {
    jpeg_write_marker(&encoder, marker, reinterpret_cast<const JOCTET*>(data.data()),
                      static_cast<unsigned>(data.size()));
  }
  std::vector<JSAMPLE> row;
  for (unsigned y = 0; y < height; ++y) {
    row.clear();
    for (unsigned x = 0; x < width; ++x) {
      for (int c = 0; c < encoder.input_components; ++c) row.push_back(drawn((x + 0.5) / width, (y + 0.5) / height, c));
    }
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&encoder, &rows, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::fclose(out);
}

struct Seen {
  unsigned width = 0;
  unsigned height = 0;
  int components = 0;
  double off = 0;  // the largest difference to what was drawn, of 255
  std::vector<std::pair<int, std::string>> segments;
};

Seen look(const fs::path& file) {
  std::FILE* in = std::fopen(file.c_str(), "rb");
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  decoder.err = jpeg_std_error(&errors);
  errors.error_exit = throw_error;
  jpeg_create_decompress(&decoder);
  jpeg_stdio_src(&decoder, in);
  for (const int marker : {JPEG_APP0 + 1, JPEG_APP0 + 2}) jpeg_save_markers(&decoder, marker, 0xFFFF);
  jpeg_read_header(&decoder, TRUE);
  jpeg_start_decompress(&decoder);
  Seen seen{decoder.output_width, decoder.output_height, decoder.output_components, 0, {}};
  for (auto* marker = decoder.marker_list; marker != nullptr; marker = marker->next) {
    seen.segments.emplace_back(marker->marker,
                               std::string(reinterpret_cast<const char*>(marker->data), marker->data_length));
  }
  std::vector<JSAMPLE> row(std::size_t{seen.width} * static_cast<unsigned>(seen.components));
  for (unsigned y = 0; y < seen.height; ++y) {
    JSAMPROW rows = row.data();
    jpeg_read_scanlines(&decoder, &rows, 1);
    std::size_t at = 0;
    for (unsigned x = 0; x < seen.width; ++x) {
      for (int c = 0; c < seen.components; ++c) {
        const auto wanted = drawn((x + 0.5) / seen.width, (y + 0.5) / seen.height, c);
        seen.off = std::max(seen.off, std::abs(static_cast<double>(wanted) - row[at++]));
      }
    }
  }
  jpeg_finish_decompress(&decoder);
  EXPECT_EQ(errors.num_warnings, 0);
  jpeg_destroy_decompress(&decoder);
  std::fclose(in);
  return seen;
}

class Photo : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(dir_.path()); }
  bool reduce(const fs::path& from, std::uint32_t px, int quality = 85) {
    const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor out(::open(small().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    return reduce_photo(in.get(), out.get(), {px, quality});
  }
  fs::path large() const { return dir_ / "large.jpg"; }
  fs::path small() const { return dir_ / "small.jpg"; }
  test::TempDir dir_;
};

TEST_F(Photo, IsReducedToTheExactSide) {
  struct Case {
    unsigned width, height;
    std::uint32_t px;
    unsigned to_width, to_height;
  };
  // By eighths alone, by averaging alone, by both, upright, odd, to a strip, and by more than the decoder can.
  for (const auto& c : {Case{1600, 1200, 800, 800, 600}, Case{1601, 1203, 1600, 1600, 1202},
                        Case{1600, 1200, 700, 700, 525}, Case{1200, 1600, 1000, 750, 1000},
                        Case{1999, 1003, 333, 333, 167}, Case{2000, 3, 100, 100, 1}, Case{3000, 2000, 40, 40, 27}}) {
    SCOPED_TRACE(std::to_string(c.width) + "x" + std::to_string(c.height) + " to " + std::to_string(c.px));
    draw(large(), c.width, c.height);
    ASSERT_TRUE(reduce(large(), c.px));
    const auto seen = look(small());
    EXPECT_EQ(seen.width, c.to_width);
    EXPECT_EQ(seen.height, c.to_height);
    // The picture is the same, corner to corner; a row or a column lost or doubled would be more than this. Of a strip
    // the decoder's eighths are filled up with its last row.
    if (c.height >= 8) {
      EXPECT_LT(seen.off, 12);
    }
  }
}

TEST_F(Photo, QualityIsHeeded) {
  draw(large(), 1600, 1200);
  ASSERT_TRUE(reduce(large(), 800, 95));
  const auto fine = fs::file_size(small());
  ASSERT_TRUE(reduce(large(), 800, 40));
  EXPECT_LT(fs::file_size(small()), fine);
}

TEST_F(Photo, ExifAndProfileAreCarriedOverAndNothingElse) {
  const std::string exif("Exif\0\0MM\0*", 10);
  const std::string profile("ICC_PROFILE\0\1\1profile", 21);
  Style style;
  style.segments = {{JPEG_APP0 + 1, exif + std::string(60'000, 'e')},
                    {JPEG_APP0 + 1, "http://ns.adobe.com/xap/1.0/"},
                    {JPEG_APP0 + 2, profile},
                    {JPEG_APP0 + 2, std::string("MPF\0", 4)},
                    {JPEG_APP0 + 1, exif + "a second one"}};
  draw(large(), 1600, 1200, style);
  ASSERT_TRUE(reduce(large(), 800));
  const auto seen = look(small());
  ASSERT_EQ(seen.segments.size(), 2U);
  EXPECT_EQ(seen.segments[0], style.segments[0]);
  EXPECT_EQ(seen.segments[1], style.segments[2]);
  EXPECT_LT(seen.off, 12);
  // A profile of a megabyte is not worth it, and half of one is none.
  style.segments = {{JPEG_APP0 + 2, profile + std::string(40'000, 'p')},
                    {JPEG_APP0 + 2, profile + std::string(40'000, 'q')}};
  draw(large(), 1600, 1200, style);
  ASSERT_TRUE(reduce(large(), 800));
  EXPECT_TRUE(look(small()).segments.empty());
}

TEST_F(Photo, GreyStaysGrey) {
  Style style;
  style.colour = JCS_GRAYSCALE;
  draw(large(), 1600, 1200, style);
  ASSERT_TRUE(reduce(large(), 700));
  const auto seen = look(small());
  EXPECT_EQ(seen.components, 1);
  EXPECT_EQ(seen.width, 700U);
  EXPECT_LT(seen.off, 8);
}

TEST_F(Photo, WhatIsNotOverTheLimitStays) {
  draw(large(), 1600, 1200);
  EXPECT_FALSE(reduce(large(), 1600));
  EXPECT_FALSE(reduce(large(), 5000));
  EXPECT_FALSE(reduce(large(), 0));
  EXPECT_TRUE(reduce(large(), 1599));
}

TEST_F(Photo, WhatWouldNotGetSmallerStays) {
  Style poor;
  poor.quality = 5;
  draw(large(), 800, 600, poor);
  EXPECT_FALSE(reduce(large(), 790, 100));
  EXPECT_TRUE(reduce(large(), 100, 50));
}

TEST_F(Photo, WhatDoesNotDecodeStays) {
  draw(large(), 640, 480);
  auto bytes = test::read_file(large());
  const auto with = [&](const std::string& content) {
    test::write_file(dir_ / "bad.jpg", content);
    return reduce(dir_ / "bad.jpg", 320);
  };
  EXPECT_TRUE(with(bytes));
  EXPECT_FALSE(with(bytes.substr(0, bytes.size() / 2)));
  for (const std::size_t length : {0U, 1U, 2U, 3U, 10U, 100U, 600U}) EXPECT_FALSE(with(bytes.substr(0, length)));
  EXPECT_FALSE(with("\xFF\xD8\xFF\xE0" + std::string(5'000, 'x')));
  EXPECT_FALSE(with("\x89PNG\r\n\x1A\n" + std::string(5'000, 'x')));
  // Damaged anywhere: told by the decoder, or another picture, but never a crash (and see the sanitizers).
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    auto damaged = bytes;
    for (int k = 0; k < 4; ++k) damaged[random() % std::min<std::size_t>(damaged.size(), i < 100 ? 700 : ~0U)] ^= 0x55;
    with(damaged);
  }
}

TEST_F(Photo, APrintersJpegAndALargeProgressiveOneStay) {
  Style style;
  style.colour = JCS_CMYK;
  draw(large(), 1600, 1200, style);
  EXPECT_FALSE(reduce(large(), 800));
  style = {};
  style.progressive = true;
  draw(large(), 1600, 1200, style);
  ASSERT_TRUE(reduce(large(), 800));
  EXPECT_LT(look(small()).off, 12);
  draw(large(), 4000, 3000, style);
  EXPECT_FALSE(reduce(large(), 800));
}

// 24 million pixels are 72 MB; a few rows of them are not 2.
TEST_F(Photo, MemoryIsAFewRows) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
  GTEST_FLAG_SET(death_test_style, "fast");  // in this very process, which has read its libraries
  draw(large(), 6000, 4000);
  draw(dir_ / "first.jpg", 100, 100);
  const auto within = [&](std::size_t more) {
    reduce(dir_ / "first.jpg", 50);
    std::size_t pages = 0;
    std::FILE* statm = std::fopen("/proc/self/statm", "r");
    if (std::fscanf(statm, "%zu", &pages) != 1) ::_exit(3);
    std::fclose(statm);
    const rlim_t most = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + more;
    const rlimit limit{most, most};
    ::setrlimit(RLIMIT_AS, &limit);
    ::_exit(reduce(large(), 1600) ? 0 : 1);
  };
  EXPECT_EXIT(within(2U << 20), ::testing::ExitedWithCode(0), "");
}

class PhotoInOutbox : public Photo {
 protected:
  void SetUp() override {
    Photo::SetUp();
    ASSERT_TRUE(Outbox::create(dir_ / "box", options(), kNow));
  }
  static OutboxOptions options() {
    OutboxOptions result;
    result.min_free_bytes = 0;
    result.new_id = [](UnixMs at) { return make_uuid_v7(at, {1}); };
    return result;
  }
  std::vector<fs::path> stored() const {
    return {fs::directory_iterator(dir_ / "box" / "media"), fs::directory_iterator{}};
  }
  static Sha256 hash_of(const fs::path& file) {
    const auto data = test::read_file(file);
    Sha256 digest{};
    EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return digest;
  }
};

TEST_F(PhotoInOutbox, TheRecordNamesBothFiles) {
  draw(large(), 1600, 1200);
  auto outbox = Outbox::open(dir_ / "box", options()).value();
  const auto media = outbox.import_photo(large(), MediaRole::scene, {800, 85});
  ASSERT_TRUE(media);
  ASSERT_EQ(stored().size(), 1U);  // nothing else is left in the folder
  EXPECT_EQ(stored()[0], outbox.media_path(media->sha256));
  EXPECT_EQ(media->sha256, hash_of(stored()[0]));
  EXPECT_EQ(media->size, fs::file_size(stored()[0]));
  EXPECT_EQ(media->type, "image/jpeg");
  EXPECT_EQ(media->original, hash_of(large()));
  EXPECT_NE(media->sha256, *media->original);
  EXPECT_EQ(look(stored()[0]).width, 800U);
}

TEST_F(PhotoInOutbox, WhatStaysIsTheVeryFile) {
  draw(large(), 600, 400);
  test::write_file(dir_ / "a.png", "\x89PNG\r\n\x1A\n" + std::string(5'000, 'x'));
  test::write_file(dir_ / "broken.jpg", "\xFF\xD8\xFF\xE0" + std::string(500'000, 'x'));
  auto outbox = Outbox::open(dir_ / "box", options()).value();
  for (const auto& file : {large(), dir_ / "a.png", dir_ / "broken.jpg"}) {
    const auto media = outbox.import_photo(file, MediaRole::scene, {800, 85});
    ASSERT_TRUE(media) << file;
    EXPECT_FALSE(media->original);
    EXPECT_EQ(media->sha256, hash_of(file));
    EXPECT_EQ(test::read_file(outbox.media_path(media->sha256)), test::read_file(file));
  }
  // Half a photo, of which half the result was written already.
  draw(large(), 3000, 2000);
  const auto half = test::read_file(large()).substr(0, fs::file_size(large()) / 2);
  test::write_file(dir_ / "half.jpg", half);
  const auto media = outbox.import_photo(dir_ / "half.jpg", MediaRole::scene, {1600, 85});
  ASSERT_TRUE(media);
  EXPECT_EQ(test::read_file(outbox.media_path(media->sha256)), half);
  EXPECT_EQ(stored().size(), 4U);
}

// Through the C ABI: by the configuration, by the town, and against the town.
TEST_F(PhotoInOutbox, TheConfigurationOrTheTownAsksForIt) {
  draw(large(), 1600, 1200);
  gw_config config{};
  config.struct_size = sizeof config;
  const auto folder = (dir_ / "other").string();
  config.data_dir = folder.c_str();
  config.broker = "tcp://127.0.0.1:9";
  config.device = "hh-1";
  config.town = "120116115";
  config.actor = "wg0001";
  config.min_free_bytes = 1;
  ASSERT_EQ(gw_device_init(&config, nullptr, nullptr), GW_OK);
  std::uint64_t seq = 0;
  const auto width_of = [&](std::int32_t px) {
    config.photo_px = px;
    gw_device* device = nullptr;
    EXPECT_EQ(gw_device_open(&config, nullptr, &device), GW_OK);
    gw_photo photo{};
    photo.struct_size = sizeof photo;
    const auto path = large().string();
    photo.path = path.c_str();
    gw_report report{};
    report.struct_size = sizeof report;
    report.category = "A01";
    report.text = "井盖破损";
    report.photos = &photo;
    report.photo_count = 1;
    EXPECT_EQ(gw_device_report(device, &report, nullptr, nullptr), GW_OK) << gw_device_last_error(device);
    gw_device_close(device);
    auto outbox = Outbox::open(folder, options()).value();
    const auto record = decode_record(outbox.load({++seq}).at(0)).value();
    const auto& media = record.media.at(0);
    EXPECT_EQ(media.original.value_or(media.sha256), hash_of(large()));
    return look(outbox.media_path(media.sha256)).width;
  };
  EXPECT_EQ(width_of(0), 1600U);
  EXPECT_EQ(width_of(640), 640U);
  SettingsItem settings;
  settings.rev = "s1";
  settings.photo_px = 1000;
  {
    auto outbox = Outbox::open(folder, options()).value();
    outbox.transaction([&] { outbox.store_down({1, "settings", encode_item(settings)}, kNow); });
  }
  EXPECT_EQ(width_of(0), 1000U);
  EXPECT_EQ(width_of(640), 640U);
  EXPECT_EQ(width_of(-1), 1600U);
}

}  // namespace
}  // namespace gridward::device
