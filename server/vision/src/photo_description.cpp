#include <algorithm>
#include <gridward/vision/photo_description.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace gridward::vision {
namespace {

// "GWP", version 1; two sides, two of the grid, two hashes, the number of corners. Little-endian.
constexpr std::array<std::uint8_t, 4> kMark{'G', 'W', 'P', 1};
constexpr std::size_t kHead = kMark.size() + 2 + 2 + 1 + 1 + 8 + 8 + 2;
constexpr std::size_t kCornerBytes = 2 + 2 + 1 + 1 + 32;
static_assert(kHead + kGridSide * kGridSide + kMostCorners * kCornerBytes <= kDescriptionBytes);

class Writer {
 public:
  explicit Writer(std::size_t size) : bytes_(size) {}
  template <class T>
  void put(T value) {
    for (std::size_t i = 0; i < sizeof value; ++i) bytes_[at_++] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void put(ByteView bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += bytes.size();
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}
  template <class T>
  T take() {
    T value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) {
      value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes_[i]) << (8 * i)));
    }
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }
  ByteView take(std::size_t count) {
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }

 private:
  ByteView bytes_;
};

tl::unexpected<Error> malformed(std::string detail) {
  return fail(ErrorCode::malformed, "description", std::move(detail));
}

bool is_corner_inside(const Corner& corner, const PhotoDescription& of) {
  return corner.x < of.width * kSubPixels && corner.y < of.height * kSubPixels && corner.octave < kOctaves;
}

bool has_right_sides(const PhotoDescription& of) {
  return of.width >= 1 && of.height >= 1 && of.width <= kDescribedSide && of.height <= kDescribedSide &&
         of.grid_width >= 1 && of.grid_height >= 1 && of.grid_width <= kGridSide && of.grid_height <= kGridSide;
}

// ---- keys ----
constexpr unsigned kTagShift = 56;
constexpr std::size_t kWordCorners = 48;
enum KeyTag : std::uint64_t { kLikenessTag = 1, kDifferenceTag, kWordTag };

void add_bands(std::vector<std::int64_t>& keys, KeyTag tag, std::uint64_t hash) {
  constexpr unsigned kBand = 16;
  for (unsigned band = 0; band < 4; ++band) {
    const auto bits = hash >> (band * kBand) & 0xFFFFU;
    keys.push_back(static_cast<std::int64_t>(tag << kTagShift | std::uint64_t{band} << kBand | bits));
  }
}

}  // namespace

Bytes encode_description(const PhotoDescription& description) {
  if (!has_right_sides(description) || description.corners.size() > kMostCorners ||
      description.grid.size() != std::size_t{description.grid_width} * description.grid_height) {
    throw std::logic_error("a photo's description over its limits");
  }
  Writer out(kHead + description.grid.size() + description.corners.size() * kCornerBytes);
  out.put(ByteView(kMark));
  out.put(description.width);
  out.put(description.height);
  out.put(description.grid_width);
  out.put(description.grid_height);
  out.put(description.likeness);
  out.put(description.difference);
  out.put(static_cast<std::uint16_t>(description.corners.size()));
  out.put(ByteView(description.grid));
  for (const auto& corner : description.corners) {
    out.put(corner.x);
    out.put(corner.y);
    out.put(corner.angle);
    out.put(corner.octave);
    for (const auto bits : corner.bits) out.put(bits);
  }
  return out.take();
}

Result<PhotoDescription> parse_description(ByteView bytes) {
  if (bytes.size() > kDescriptionBytes) return malformed(std::to_string(bytes.size()) + " bytes");
  if (bytes.size() < kHead || !std::equal(kMark.begin(), kMark.end(), bytes.begin())) return malformed("no head");
  Reader reader(bytes.subspan(kMark.size()));
  PhotoDescription out;
  out.width = reader.take<std::uint16_t>();
  out.height = reader.take<std::uint16_t>();
  out.grid_width = reader.take<std::uint8_t>();
  out.grid_height = reader.take<std::uint8_t>();
  out.likeness = reader.take<std::uint64_t>();
  out.difference = reader.take<std::uint64_t>();
  const std::size_t corners = reader.take<std::uint16_t>();
  if (!has_right_sides(out) || corners > kMostCorners) return malformed("sides or number of corners");
  const std::size_t cells = std::size_t{out.grid_width} * out.grid_height;
  if (bytes.size() != kHead + cells + corners * kCornerBytes) return malformed("another size than it says");
  const auto grid = reader.take(cells);
  out.grid.assign(grid.begin(), grid.end());
  out.corners.resize(corners);
  for (auto& corner : out.corners) {
    corner.x = reader.take<std::uint16_t>();
    corner.y = reader.take<std::uint16_t>();
    corner.angle = reader.take<std::uint8_t>();
    corner.octave = reader.take<std::uint8_t>();
    for (auto& bits : corner.bits) bits = reader.take<std::uint64_t>();
    if (!is_corner_inside(corner, out)) return malformed("a corner outside");
  }
  return out;
}

std::vector<std::int64_t> keys_of(const PhotoDescription& description) {
  std::vector<std::int64_t> keys;
  // A blank picture has no frequencies: all of them are alike and none is another's copy.
  if (description.likeness != 0) add_bands(keys, kLikenessTag, description.likeness);
  if (description.difference != 0) add_bands(keys, kDifferenceTag, description.difference);
  const auto count = std::min(kWordCorners, description.corners.size());
  for (std::size_t i = 0; i < count; ++i) {
    // Two words of 24 bits each: a bit that noise has turned spoils one of them.
    const auto& bits = description.corners[i].bits;
    const auto first = (bits[0] & 0xFFFU) | (bits[1] & 0xFFFU) << 12U;
    const auto second = (bits[2] & 0xFFFU) | (bits[3] & 0xFFFU) << 12U;
    keys.push_back(static_cast<std::int64_t>(std::uint64_t{kWordTag} << kTagShift | first));
    keys.push_back(static_cast<std::int64_t>(std::uint64_t{kWordTag} << kTagShift | 1ULL << 32U | second));
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

}  // namespace gridward::vision
