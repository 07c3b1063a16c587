#include <algorithm>
#include <gridward/shared/limits.hpp>
#include <gridward/vision/photo_header.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::vision {
namespace {

using namespace std::string_view_literals;

// Reads numbers at positions that the file chose; outside the bytes there is nothing.
class Reader {
 public:
  explicit Reader(ByteView bytes, bool little_endian = false) : bytes_(bytes), little_(little_endian) {}

  std::size_t size() const { return bytes_.size(); }

  std::optional<std::uint32_t> number(std::size_t at, unsigned width) const {
    if (at > bytes_.size() || bytes_.size() - at < width) return std::nullopt;
    std::uint32_t value = 0;
    for (unsigned i = 0; i < width; ++i) {
      value = (value << 8U) | bytes_[at + (little_ ? width - 1 - i : i)];
    }
    return value;
  }
  std::optional<std::uint32_t> u8(std::size_t at) const { return number(at, 1); }
  std::optional<std::uint32_t> u16(std::size_t at) const { return number(at, 2); }
  std::optional<std::uint32_t> u24(std::size_t at) const { return number(at, 3); }
  std::optional<std::uint32_t> u32(std::size_t at) const { return number(at, 4); }

  bool has(std::size_t at, std::string_view text) const {
    return at <= bytes_.size() && bytes_.size() - at >= text.size() &&
           std::equal(text.begin(), text.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  }
  // What there is of [at, at + length).
  ByteView slice(std::size_t at, std::size_t length) const {
    if (at >= bytes_.size()) return {};
    return bytes_.subspan(at, std::min(length, bytes_.size() - at));
  }

 private:
  ByteView bytes_;
  bool little_;
};

constexpr auto kExifMark = "Exif\0\0"sv;

tl::unexpected<Error> undecodable(std::string detail) {
  return fail(ErrorCode::media_undecodable, "photo", std::move(detail));
}

Result<PhotoHeader> read_jpeg(const Reader& in) {
  PhotoHeader header;
  header.format = PhotoFormat::jpeg;
  bool found_frame = false;
  bool found_exif = false;
  std::size_t at = 2;
  const auto finish = [&](std::string_view why) -> Result<PhotoHeader> {
    if (found_frame) return header;
    return undecodable("JPEG: " + std::string(why));
  };
  while (true) {
    // Bytes between segments are skipped, as the decoder does.
    while (at < in.size() && in.u8(at) != 0xFFU) ++at;
    while (at < in.size() && in.u8(at) == 0xFFU) ++at;
    const auto marker = in.u8(at);
    if (!marker) return finish("ends before its dimensions");
    ++at;
    if (*marker == 0x00 || *marker == 0x01 || (*marker >= 0xD0 && *marker <= 0xD7)) continue;  // without a length
    if (*marker == 0xD8) return finish("a second start of image");
    if (*marker == 0xD9 || *marker == 0xDA) return finish("picture data before its dimensions");
    const auto length = in.u16(at);
    if (!length || *length < 2) return finish("a segment without a length");

    const bool frame = *marker >= 0xC0 && *marker <= 0xCF && *marker != 0xC4 && *marker != 0xC8 && *marker != 0xCC;
    if (frame && !found_frame) {
      const auto precision = in.u8(at + 2);
      const auto height = in.u16(at + 3);
      const auto width = in.u16(at + 5);
      if (*length < 8 || !precision || !height || !width) return undecodable("JPEG: the frame header is cut");
      header.bit_depth = static_cast<std::uint8_t>(*precision);
      header.width = *width;
      header.height = *height;
      found_frame = true;
    } else if (*marker == 0xE1 && !found_exif && in.has(at + 2, kExifMark)) {
      const std::size_t mark_end = 2 + kExifMark.size();
      if (*length > mark_end) {
        header.orientation = read_exif_orientation(in.slice(at + mark_end, *length - mark_end));
        found_exif = true;
      }
    }
    at += *length;
  }
}

Result<PhotoHeader> read_png(const Reader& in) {
  if (in.u32(8) != 13U || !in.has(12, "IHDR"sv)) return undecodable("PNG: the first chunk is not its header");
  const auto width = in.u32(16);
  const auto height = in.u32(20);
  const auto depth = in.u8(24);
  const auto colour = in.u8(25);
  if (!width || !height || !depth || !colour) return undecodable("PNG: the header is cut");
  PhotoHeader header;
  header.format = PhotoFormat::png;
  header.width = *width;
  header.height = *height;
  header.bit_depth = static_cast<std::uint8_t>(*depth);
  header.alpha = *colour == 4 || *colour == 6;
  std::size_t at = 33;
  while (const auto length = in.u32(at)) {
    if (in.has(at + 4, "eXIf"sv)) {
      header.orientation = read_exif_orientation(in.slice(at + 8, *length));
      break;
    }
    at += std::size_t{12} + *length;
  }
  return header;
}

// The one frame of a simple file, or the canvas of an extended one.
Result<PhotoHeader> read_webp(const Reader& in, const Reader& big_endian) {
  PhotoHeader header;
  header.format = PhotoFormat::webp;
  constexpr std::size_t kBody = 20;
  if (in.has(12, "VP8 "sv)) {
    const auto width = in.u16(kBody + 6);
    const auto height = in.u16(kBody + 8);
    if (!width || !height || big_endian.u24(kBody + 3) != 0x9D012AU) return undecodable("WebP: no key frame");
    header.width = *width & 0x3FFFU;
    header.height = *height & 0x3FFFU;
    return header;
  }
  if (in.has(12, "VP8L"sv)) {
    const auto bits = in.u32(kBody + 1);
    if (!bits || in.u8(kBody) != 0x2FU) return undecodable("WebP: no lossless header");
    header.width = (*bits & 0x3FFFU) + 1;
    header.height = ((*bits >> 14U) & 0x3FFFU) + 1;
    header.alpha = ((*bits >> 28U) & 1U) != 0;
    return header;
  }
  if (!in.has(12, "VP8X"sv)) return undecodable("WebP: unknown first chunk");
  const auto length = in.u32(16);
  const auto flags = in.u8(kBody);
  const auto width = in.u24(kBody + 4);
  const auto height = in.u24(kBody + 7);
  if (!length || !flags || !width || !height) return undecodable("WebP: the header is cut");
  header.width = *width + 1;
  header.height = *height + 1;
  header.alpha = (*flags & 0x10U) != 0;
  std::size_t at = kBody + *length + (*length & 1U);
  while (const auto chunk = in.u32(at + 4)) {
    if (in.has(at, "EXIF"sv)) {
      const bool marked = in.has(at + 8, kExifMark) && *chunk >= kExifMark.size();
      const std::size_t skip = marked ? kExifMark.size() : 0;
      header.orientation = read_exif_orientation(in.slice(at + 8 + skip, *chunk - skip));
      break;
    }
    at += std::size_t{8} + *chunk + (*chunk & 1U);
  }
  return header;
}

Result<PhotoHeader> read_by_magic(ByteView file) {
  const Reader in(file);
  if (in.has(0, "\xFF\xD8\xFF"sv)) return read_jpeg(in);
  if (in.has(0, "\x89PNG\r\n\x1A\n"sv)) return read_png(in);
  if (in.has(0, "RIFF"sv) && in.has(8, "WEBP"sv)) return read_webp(Reader(file, true), in);
  return fail(ErrorCode::media_type, "photo", "neither JPEG nor PNG nor WebP");
}

}  // namespace

Result<PhotoHeader> read_photo_header(ByteView file) {
  auto header = read_by_magic(file);
  if (!header) return header;
  if (header->width == 0 || header->height == 0) return undecodable("no width or no height");
  const std::uint64_t pixels = std::uint64_t{header->width} * header->height;
  if (header->width > limits::kPhotoSide || header->height > limits::kPhotoSide || pixels > limits::kPhotoPixels) {
    return fail(ErrorCode::media_dimensions, "photo",
                std::to_string(header->width) + "x" + std::to_string(header->height) + " pixels, at most " +
                    std::to_string(limits::kPhotoSide) + " a side and " + std::to_string(limits::kPhotoPixels) +
                    " in all");
  }
  return header;
}

std::uint8_t read_exif_orientation(ByteView tiff) {
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::uint32_t kShort = 3;
  constexpr std::uint32_t kLong = 4;
  const Reader mark(tiff);
  const bool little = mark.has(0, "II*\0"sv);
  if (!little && !mark.has(0, "MM\0*"sv)) return 1;
  const Reader in(tiff, little);
  const auto directory = in.u32(4);
  if (!directory) return 1;
  const auto entries = in.u16(*directory);
  if (!entries) return 1;
  for (std::size_t i = 0; i < *entries; ++i) {
    const std::size_t at = std::size_t{*directory} + 2 + i * 12;
    const auto tag = in.u16(at);
    if (!tag) return 1;
    if (*tag != kOrientationTag) continue;
    const auto type = in.u16(at + 2);
    if (type != kShort && type != kLong) return 1;
    const auto value = type == kShort ? in.u16(at + 8) : in.u32(at + 8);
    return value && *value >= 1 && *value <= 8 ? static_cast<std::uint8_t>(*value) : std::uint8_t{1};
  }
  return 1;
}

}  // namespace gridward::vision
