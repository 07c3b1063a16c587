// Are two photos of one place, and is one the other's copy? Corners that look alike vote for one similarity (shift,
// turn, scale); the small pictures, laid over one another by it, tell a copy from a second visit.
#include <algorithm>
#include <cmath>
#include <complex>
#include <gridward/vision/photo_description.hpp>
#include <optional>

namespace gridward::vision {
namespace {

using Spot = std::complex<double>;  // pixels of the described picture

constexpr int kMostApart = 64;         // bits of 256 in which two views of one corner may differ
constexpr double kClearlyBest = 0.85;  // of the distance to the next best one
constexpr double kElsewhere = 12;      // pixels: nearer, it is the same corner in another octave
constexpr double kPlaceSlack = 20;     // a street has depth: no similarity fits all of it
constexpr double kCopySlack = 3;       // of a copy it does
constexpr std::size_t kVoters = 48;    // whose pairs say how the camera moved
constexpr double kPairApart = 40;      // pixels: nearer pairs say it badly
constexpr double kMostScale = 2.5;     // zoom between the two
constexpr double kCell = 32;           // pixels: corners nearer together count once
constexpr std::uint32_t kScoreOfCorner = 25;
constexpr std::size_t kFewCorners = 60;  // fewer than these say nothing of a place

struct Match {
  Spot from;  // in `earlier`
  Spot to;    // in `later`
  int apart = 0;
};

struct Similarity {  // to = turn * from + shift
  Spot turn{1, 0};
  Spot shift{0, 0};
  // How far a match is from it, squared. In plain numbers: the multiplication of std::complex looks for infinities.
  double miss(const Match& match) const {
    const double x = turn.real() * match.from.real() - turn.imag() * match.from.imag() + shift.real() - match.to.real();
    const double y = turn.real() * match.from.imag() + turn.imag() * match.from.real() + shift.imag() - match.to.imag();
    return x * x + y * y;
  }
};

Spot spot_of(const Corner& corner) {
  return {static_cast<double>(corner.x) / kSubPixels, static_cast<double>(corner.y) / kSubPixels};
}

// Of four words at once: a byte holds up to 32 of them. The processor's own instruction is not on every machine.
int apart(const Corner& a, const Corner& b) {
  constexpr std::uint64_t kPairs = 0x5555555555555555;
  constexpr std::uint64_t kFours = 0x3333333333333333;
  constexpr std::uint64_t kBytes = 0x0F0F0F0F0F0F0F0F;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < a.bits.size(); ++i) {
    auto x = a.bits[i] ^ b.bits[i];
    x -= x >> 1U & kPairs;
    x = (x & kFours) + (x >> 2U & kFours);
    sum += (x + (x >> 4U)) & kBytes;
  }
  // Two halves of a byte each, so that 256 does not overflow.
  constexpr std::uint64_t kEven = 0x00FF00FF00FF00FF;
  sum = (sum & kEven) + (sum >> 8U & kEven);
  return static_cast<int>(sum * 0x0001000100010001ULL >> 48U);
}

// From every corner of `later` (a row) to every one of `earlier`.
class Distances {
 public:
  Distances(const std::vector<Corner>& earlier, const std::vector<Corner>& later)
      : across_(earlier.size()), apart_(earlier.size() * later.size()) {
    auto* out = apart_.data();
    for (const auto& corner : later) {
      for (const auto& there : earlier) *out++ = static_cast<std::uint16_t>(apart(corner, there));
    }
  }
  int at(std::size_t earlier, std::size_t later) const { return apart_[later * across_ + earlier]; }

 private:
  std::size_t across_;
  std::vector<std::uint16_t> apart_;
};

struct Nearest {
  std::size_t index = 0;
  int best = 257;
  int next = 257;  // of another corner
};

template <class At>
Nearest nearest(const std::vector<Corner>& among, At&& at) {
  Nearest found;
  for (std::size_t i = 0; i < among.size(); ++i) {
    if (const int distance = at(i); distance < found.best) {
      found.best = distance;
      found.index = i;
    }
  }
  if (found.best > kMostApart) return found;
  const Spot here = spot_of(among[found.index]);
  for (std::size_t i = 0; i < among.size(); ++i) {
    const int distance = at(i);
    if (distance < found.next && std::norm(spot_of(among[i]) - here) > kElsewhere * kElsewhere) found.next = distance;
  }
  return found;
}

std::vector<Match> matches_of(const PhotoDescription& earlier, const PhotoDescription& later) {
  std::vector<Match> matches;
  const Distances distances(earlier.corners, later.corners);
  for (std::size_t i = 0; i < later.corners.size(); ++i) {
    const auto there = nearest(earlier.corners, [&](std::size_t j) { return distances.at(j, i); });
    if (there.best > kMostApart || there.best > kClearlyBest * there.next) continue;
    // Both must choose one another, or neighbours: a window row has many that look alike.
    const auto back = nearest(later.corners, [&](std::size_t j) { return distances.at(there.index, j); });
    const Spot to = spot_of(later.corners[i]);
    if (std::norm(spot_of(later.corners[back.index]) - to) > kElsewhere * kElsewhere) continue;
    matches.push_back({spot_of(earlier.corners[there.index]), to, there.best});
  }
  std::ranges::stable_sort(matches, {}, &Match::apart);
  return matches;
}

std::vector<Match> agreeing(const std::vector<Match>& matches, const Similarity& similarity, double slack) {
  std::vector<Match> out;
  for (const auto& match : matches) {
    if (similarity.miss(match) <= slack * slack) out.push_back(match);
  }
  return out;
}

std::optional<Similarity> fitted(const std::vector<Match>& matches) {
  if (matches.size() < 2) return std::nullopt;
  Spot from;
  Spot to;
  for (const auto& match : matches) {
    from += match.from;
    to += match.to;
  }
  const auto count = static_cast<double>(matches.size());
  from /= count;
  to /= count;
  Spot across;
  double spread = 0;
  for (const auto& match : matches) {
    across += (match.to - to) * std::conj(match.from - from);
    spread += std::norm(match.from - from);
  }
  if (spread < 1) return std::nullopt;
  const Spot turn = across / spread;
  return Similarity{turn, to - turn * from};
}

bool is_possible(const Similarity& similarity) {
  const double scale = std::abs(similarity.turn);
  return scale <= kMostScale && scale >= 1 / kMostScale;
}

struct Movement {
  Similarity similarity;
  std::vector<Match> matches;
};

Movement movement_of(const std::vector<Match>& matches, double slack) {
  Movement best;
  std::size_t votes = 0;
  const auto voters = std::min(kVoters, matches.size());
  for (std::size_t i = 0; i < voters; ++i) {
    for (std::size_t j = i + 1; j < voters; ++j) {
      const Spot base = matches[j].from - matches[i].from;
      if (std::norm(base) < kPairApart * kPairApart) continue;
      const Spot turn = (matches[j].to - matches[i].to) / base;
      const Similarity similarity{turn, matches[i].to - turn * matches[i].from};
      if (!is_possible(similarity)) continue;
      const auto count = static_cast<std::size_t>(
          std::ranges::count_if(matches, [&](const Match& match) { return similarity.miss(match) <= slack * slack; }));
      if (count > votes) {
        votes = count;
        best.similarity = similarity;
      }
    }
  }
  if (votes == 0) return best;
  best.matches = agreeing(matches, best.similarity, slack);
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    const auto better = fitted(best.matches);
    if (!better || !is_possible(*better)) break;
    auto more = agreeing(matches, *better, slack);
    if (more.size() < best.matches.size()) break;
    best = {*better, std::move(more)};
  }
  return best;
}

// Corners of one leaf or letter are one thing seen.
std::uint32_t places_of(const std::vector<Match>& matches, Spot Match::* side) {
  std::vector<std::pair<int, int>> cells;
  cells.reserve(matches.size());
  for (const auto& match : matches) {
    cells.emplace_back(static_cast<int>((match.*side).real() / kCell), static_cast<int>((match.*side).imag() / kCell));
  }
  std::ranges::sort(cells);
  cells.erase(std::ranges::unique(cells).begin(), cells.end());
  return static_cast<std::uint32_t>(cells.size());
}

// ---- copies ----
constexpr int kBlock = 8;              // cells across a block
constexpr double kSameGrey = 5;        // levels by which a block of a copy may differ, compressed and cut
constexpr double kMostGain = 2;        // a copy made darker or lighter
constexpr double kWindow = 9;          // samples of which the mean is seen
constexpr double kLeastOverlap = 0.5;  // of `later`

class Grid {
 public:
  explicit Grid(const PhotoDescription& of)
      : width_(of.grid_width),
        height_(of.grid_height),
        across_(static_cast<double>(of.width) / of.grid_width),
        down_(static_cast<double>(of.height) / of.grid_height),
        cells_(of.grid) {}
  int width() const { return width_; }
  int height() const { return height_; }
  double side() const { return std::max(across_, down_); }  // of a cell, pixels
  Spot middle(int x, int y) const { return {(x + 0.5) * across_, (y + 0.5) * down_}; }
  std::optional<double> at(Spot spot) const {
    const double x = spot.real() / across_ - 0.5;
    const double y = spot.imag() / down_ - 0.5;
    if (!(x >= 0 && y >= 0 && x <= width_ - 1 && y <= height_ - 1)) return std::nullopt;
    const int left = std::min(static_cast<int>(x), std::max(width_ - 2, 0));
    const int top = std::min(static_cast<int>(y), std::max(height_ - 2, 0));
    const int right = std::min(left + 1, width_ - 1);
    const int bottom = std::min(top + 1, height_ - 1);
    const double u = x - left;
    const double v = y - top;
    const auto cell = [&](int cx, int cy) { return static_cast<double>(cells_[index(cx, cy)]); };
    return (cell(left, top) * (1 - u) + cell(right, top) * u) * (1 - v) +
           (cell(left, bottom) * (1 - u) + cell(right, bottom) * u) * v;
  }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }
  int width_;
  int height_;
  double across_;
  double down_;
  const Bytes& cells_;
};

struct Pair {
  int x, y;
  double from, to;
};

// The share of blocks of `later` in which nothing differs, 0..1000.
std::uint32_t sameness(const PhotoDescription& earlier, const PhotoDescription& later, const Similarity& similarity) {
  const Grid from(earlier);
  const Grid to(later);
  std::vector<Pair> pairs;
  // Both are seen through one window, three cells of the coarser one wide: a cut photo has finer cells.
  const double step = std::max(to.side(), from.side() * std::abs(similarity.turn));
  const Spot back = 1.0 / similarity.turn;
  for (int y = 0; y < to.height(); ++y) {
    for (int x = 0; x < to.width(); ++x) {
      Pair pair{x, y, 0, 0};
      bool inside = true;
      for (int dy = -1; inside && dy <= 1; ++dy) {
        for (int dx = -1; inside && dx <= 1; ++dx) {
          const Spot here = to.middle(x, y) + Spot(dx * step, dy * step);
          const auto later_value = to.at(here);
          const auto earlier_value = later_value ? from.at(back * (here - similarity.shift)) : std::nullopt;
          inside = earlier_value.has_value();
          if (!inside) break;
          pair.to += *later_value / kWindow;
          pair.from += *earlier_value / kWindow;
        }
      }
      if (inside) pairs.push_back(pair);
    }
  }
  if (static_cast<double>(pairs.size()) < kLeastOverlap * to.width() * to.height()) return 0;
  // One gain and offset for the whole of it: light that changed here and there is another moment.
  double mean_from = 0;
  double mean_to = 0;
  for (const auto& pair : pairs) {
    mean_from += pair.from;
    mean_to += pair.to;
  }
  const auto count = static_cast<double>(pairs.size());
  mean_from /= count;
  mean_to /= count;
  double across = 0;
  double spread = 0;
  for (const auto& pair : pairs) {
    across += (pair.from - mean_from) * (pair.to - mean_to);
    spread += (pair.from - mean_from) * (pair.from - mean_from);
  }
  if (spread < count) return 0;  // blank
  const double gain = across / spread;
  if (gain < 1 / kMostGain || gain > kMostGain) return 0;

  const auto blocks_across = static_cast<std::size_t>((to.width() + kBlock - 1) / kBlock);
  const auto blocks_down = static_cast<std::size_t>((to.height() + kBlock - 1) / kBlock);
  struct Block {
    double squares = 0;
    int cells = 0;
  };
  std::vector<Block> blocks(blocks_across * blocks_down);
  for (const auto& pair : pairs) {
    auto& block =
        blocks[static_cast<std::size_t>(pair.y / kBlock) * blocks_across + static_cast<std::size_t>(pair.x / kBlock)];
    const double left = pair.to - mean_to - gain * (pair.from - mean_from);
    block.squares += left * left;
    ++block.cells;
  }
  std::uint32_t whole = 0;
  std::uint32_t same = 0;
  for (const auto& block : blocks) {
    if (block.cells < kBlock * kBlock / 2) continue;
    ++whole;
    if (block.squares <= kSameGrey * kSameGrey * block.cells) ++same;
  }
  return whole == 0 ? 0 : 1000 * same / whole;
}

}  // namespace

Likeness compare(const PhotoDescription& earlier, const PhotoDescription& later) {
  Likeness out;
  out.judged = earlier.corners.size() >= kFewCorners && later.corners.size() >= kFewCorners;
  const auto matches = matches_of(earlier, later);
  const auto place = movement_of(matches, kPlaceSlack);
  out.corners = std::min(places_of(place.matches, &Match::from), places_of(place.matches, &Match::to));
  out.place = std::min<std::uint32_t>(1000, out.corners * kScoreOfCorner);
  const auto copy = movement_of(matches, kCopySlack);
  constexpr std::uint32_t kFewPlaces = 8;
  if (std::min(places_of(copy.matches, &Match::from), places_of(copy.matches, &Match::to)) >= kFewPlaces) {
    out.copy = sameness(earlier, later, copy.similarity);
  }
  return out;
}

}  // namespace gridward::vision
