#include <algorithm>
#include <array>
#include <gridward/sim/scene.hpp>
#include <string>
#include <utility>

#include "jpeg.hpp"
#include "street.hpp"
#include "subjects.hpp"

namespace gridward::sim {
namespace {

constexpr int kMinSide = 64;
constexpr int kMaxSide = 8192;
constexpr std::uint64_t kMomentStream = 1000;
constexpr std::uint64_t kVisitStream = 64;

constexpr std::array kSubjects{Subject::manhole, Subject::rubbish, Subject::lamp,
                               Subject::parking, Subject::leak,    Subject::tree};
constexpr std::array<std::string_view, kSubjects.size()> kNames{"manhole", "rubbish", "lamp",
                                                                "parking", "leak",    "tree"};

Result<void> check(const char* field, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  return fail(ErrorCode::out_of_range, field,
              std::to_string(value) + ", from " + std::to_string(low) + " to " + std::to_string(high));
}

}  // namespace

std::span<const Subject> subjects() { return kSubjects; }

std::string_view name_of(Subject subject) {
  const auto index = static_cast<std::size_t>(subject);
  return index < kNames.size() ? kNames[index] : std::string_view{};
}

std::optional<Subject> subject_named(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return kSubjects[static_cast<std::size_t>(found - kNames.begin())];
}

Result<Bytes> draw_scene(const SceneOptions& options) {
  for (const auto& checked :
       {check("width", options.width, kMinSide, kMaxSide), check("height", options.height, kMinSide, kMaxSide),
        check("subject", static_cast<int>(options.subject), 0, static_cast<int>(kSubjects.size()) - 1),
        check("quality", options.quality, 1, 100), check("exif_orientation", options.exif_orientation, 0, 8)}) {
    if (!checked) return tl::unexpected(checked.error());
  }
  // The place is the seed's alone; the moment is this picture's.
  Place place = make_place(options.seed);
  Random moment(options.seed, kMomentStream + static_cast<std::uint64_t>(options.subject) * 2 +
                                  (options.repaired ? 1 : 0) + std::uint64_t{options.visit} * kVisitStream);

  Canvas canvas(options.width, options.height);
  double shift = moment.range(-0.008, 0.008);
  Stand stand;
  if (options.visit > 0) {
    // A hand's aim, and a step or two.
    shift += moment.range(-0.05, 0.05);
    stand = {moment.range(-0.5, 0.5), moment.range(-0.12, 0.12), moment.range(0, 1.0), moment.range(0.92, 1.1),
             moment.range(-0.04, 0.04)};
    change_weather(place, moment);
  }
  const View view(canvas, shift, stand);
  Painter painter(canvas, view, place);
  Things things;
  add_street(place, things);
  add_subject(place, options.subject, options.repaired, things);
  std::stable_sort(things.begin(), things.end(), [](const Thing& a, const Thing& b) { return a.z > b.z; });

  paint_background(painter);
  paint_ground(painter);
  for (const Thing& thing : things) thing.draw(painter);
  photograph(canvas, view, moment);
  return encode_jpeg(canvas, options.quality, options.exif_orientation);
}

}  // namespace gridward::sim
