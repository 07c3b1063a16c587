// likeness_pairs WORKER FOLDER PLACES [PHOTO…]: draws that many places, visits each again, copies and spoils photos,
// derives all of them through the worker and compares. A line a finding: what the pair is, and what was measured of it.
//   copy <how> <score> <found by its keys 0|1>      a copy beside its original
//   again <score> <place> <judged>                  the same place, put right, beside the report's photo
//   other <score> <place> <judged>                  another place beside it
//   real <score> <place> <judged>                   two of the photos, each of a place of its own
//   sharpness <sharp|blurred|real> <value>
//   compare_ms <value>
//   limits <copy> <other place> <blurred>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gridward/domain/likeness.hpp>
#include <gridward/sim/scene.hpp>
#include <gridward/vision/photo_description.hpp>
#include <gridward/vision/photo_worker.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <unordered_map>

namespace {

using namespace gridward;

struct Photo {
  vision::PhotoDescription description;
  double sharpness = 0;
};

std::string folder;

void write(const std::string& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Photo derive(vision::PhotoWorker& worker, const Bytes& jpeg) {
  const auto name = folder + "/photo";
  write(name, jpeg);
  const auto derived = worker.derive(name, name + ".preview", name + ".thumb", name + ".likeness");
  if (!derived) {
    std::fprintf(stderr, "%s\n", to_string(derived.error()).c_str());
    std::exit(1);
  }
  std::ifstream in(name + ".likeness", std::ios::binary);
  const Bytes bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return {vision::parse_description(bytes).value(), derived->numbers.sharpness};
}

Bytes encode(const cv::Mat& picture, int quality) {
  Bytes out;
  cv::imencode(".jpg", picture, out, {cv::IMWRITE_JPEG_QUALITY, quality});
  return out;
}

cv::Mat cut(const cv::Mat& picture, double part, cv::RNG& random) {
  const int width = static_cast<int>(picture.cols * part);
  const int height = static_cast<int>(picture.rows * part);
  return picture(
      {random.uniform(0, picture.cols - width + 1), random.uniform(0, picture.rows - height + 1), width, height});
}

Bytes scene(std::uint64_t seed, bool repaired, std::uint32_t visit) {
  sim::SceneOptions options;
  options.seed = seed;
  options.width = 2000;
  options.height = 1500;
  const auto subjects = sim::subjects();
  options.subject = subjects[seed % subjects.size()];
  options.repaired = repaired;
  options.visit = visit;
  return sim::draw_scene(options).value();
}

// As alike_photos of the store does it.
class Index {
 public:
  void add(const vision::PhotoDescription& description, std::size_t number) {
    for (const auto key : vision::keys_of(description)) marks_[key].push_back(number);
  }
  bool finds(const vision::PhotoDescription& description, std::size_t number) const {
    std::unordered_map<std::size_t, int> shared;
    for (const auto key : vision::keys_of(description)) {
      const auto found = marks_.find(key);
      if (found == marks_.end()) continue;
      for (const auto other : found->second) ++shared[other];
    }
    if (!shared.contains(number)) return false;
    constexpr std::ptrdiff_t kCandidates = 24;
    return std::ranges::count_if(shared, [&](const auto& other) { return other.second > shared[number]; }) <
           kCandidates;
  }

 private:
  std::unordered_map<std::int64_t, std::vector<std::size_t>> marks_;
};

double spent_ms = 0;
std::size_t compared = 0;
vision::Likeness compare(const Photo& earlier, const Photo& later) {
  const auto begin = std::chrono::steady_clock::now();
  const auto likeness = vision::compare(earlier.description, later.description);
  spent_ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  ++compared;
  return likeness;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "likeness_pairs WORKER FOLDER PLACES [PHOTO...]\n");
    return 2;
  }
  vision::PhotoWorker worker({.program = argv[1]});
  folder = argv[2];
  const auto places = static_cast<std::size_t>(std::strtoul(argv[3], nullptr, 10));
  struct Copy {
    const char* how;
    Photo photo;
  };
  struct Place {
    Photo report;
    std::vector<Photo> again;
    std::vector<Copy> copies;
  };
  std::vector<Place> all(places);
  Index index;
  cv::RNG random(17);
  for (std::size_t i = 0; i < places; ++i) {
    auto& place = all[i];
    const auto jpeg = scene(i + 1, false, 0);
    place.report = derive(worker, jpeg);
    for (std::uint32_t visit = 1; visit <= 2; ++visit) place.again.push_back(derive(worker, scene(i + 1, true, visit)));
    index.add(place.report.description, 3 * i);
    index.add(place.again[0].description, 3 * i + 1);
    index.add(place.again[1].description, 3 * i + 2);
    const cv::Mat picture = cv::imdecode(jpeg, cv::IMREAD_COLOR);
    cv::Mat small;
    cv::resize(picture, small, {}, 0.5, 0.5, cv::INTER_AREA);
    cv::Mat lighter;
    picture.convertTo(lighter, -1, 1.12, 8);
    for (const auto& [how, bytes] :
         std::initializer_list<std::pair<const char*, Bytes>>{{"compressed", encode(picture, 50)},
                                                              {"smaller", encode(small, 75)},
                                                              {"lighter", encode(lighter, 80)},
                                                              {"cut90", encode(cut(picture, 0.9, random), 85)},
                                                              {"cut75", encode(cut(picture, 0.75, random), 85)}}) {
      place.copies.push_back({how, derive(worker, bytes)});
    }
    std::printf("sharpness sharp %.2f\n", place.report.sharpness);
    for (const auto& photo : place.again) std::printf("sharpness sharp %.2f\n", photo.sharpness);
    // Out of focus, and moved: then the grain of the sensor, which is never blurred.
    cv::Mat unfocused;
    cv::GaussianBlur(picture, unfocused, {}, picture.cols / 300.0);
    cv::Mat moved;
    cv::blur(picture, moved, {picture.cols / 50, std::max(1, picture.cols / 150)});
    for (auto* spoiled : {&unfocused, &moved}) {
      cv::Mat noise(spoiled->size(), CV_8UC3);
      random.fill(noise, cv::RNG::NORMAL, cv::Scalar::all(20), cv::Scalar::all(3));
      cv::add(*spoiled, noise, *spoiled);
      cv::subtract(*spoiled, cv::Scalar::all(20), *spoiled);
      std::printf("sharpness blurred %.2f\n", derive(worker, encode(*spoiled, 90)).sharpness);
    }
  }
  for (std::size_t i = 0; i < places; ++i) {
    for (const auto& copy : all[i].copies) {
      std::printf("copy %s %u %d\n", copy.how, compare(all[i].report, copy.photo).copy,
                  index.finds(copy.photo.description, 3 * i) ? 1 : 0);
    }
    for (const auto& photo : all[i].again) {
      const auto likeness = compare(all[i].report, photo);
      std::printf("again %u %u %d\n", likeness.copy, likeness.place, likeness.judged ? 1 : 0);
    }
    for (std::size_t j = 0; j < places; ++j) {
      if (j == i) continue;
      const auto likeness = compare(all[i].report, all[j].again[0]);
      std::printf("other %u %u %d\n", likeness.copy, likeness.place, likeness.judged ? 1 : 0);
    }
  }
  std::vector<Photo> real;
  for (int i = 4; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    real.push_back(derive(worker, Bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>())));
    std::printf("sharpness real %.2f\n", real.back().sharpness);
    for (std::size_t j = 0; j + 1 < real.size(); ++j) {
      const auto likeness = compare(real[j], real.back());
      std::printf("real %u %u %d\n", likeness.copy, likeness.place, likeness.judged ? 1 : 0);
    }
  }
  std::printf("compare_ms %.3f\n", spent_ms / static_cast<double>(compared));
  std::printf("limits %u %u %g\n", domain::kCopyLikeness, domain::kOtherPlaceLikeness, domain::kBlurredSharpness);
  return 0;
}
