// derive_photos WORKER FOLDER PHOTO…: makes both derivatives of every photo through a worker that is already started
// and prints, a line a photo: CPU ms (this process and the worker), or the error; FOLDER/<n>.preview.jpg and
// .thumb.jpg.
#include <cstdio>
#include <ctime>
#include <gridward/vision/photo_worker.hpp>
#include <string>

namespace {

double cpu_ms(clockid_t clock) {
  timespec used{};
  clock_gettime(clock, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "derive_photos WORKER FOLDER PHOTO...\n");
    return 2;
  }
  gridward::vision::PhotoWorker worker({.program = argv[1]});
  if (auto started = worker.start(); !started) {
    std::fprintf(stderr, "%s\n", gridward::to_string(started.error()).c_str());
    return 1;
  }
  const std::string folder = argv[2];
  int failed = 0;
  for (int i = 3; i < argc; ++i) {
    clockid_t clock{};
    if (clock_getcpuclockid(worker.pid(), &clock) != 0) return 1;
    const double worker_before = cpu_ms(clock);
    const double before = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
    const std::string name = folder + "/" + std::to_string(i - 3);
    const auto photo = worker.derive(argv[i], name + ".preview.jpg", name + ".thumb.jpg", name + ".likeness");
    const double used = cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - before;
    if (!photo) {
      std::printf("- %s %s\n", gridward::to_string(photo.error()).c_str(), argv[i]);
      ++failed;
      continue;
    }
    std::printf("%.3f %ux%u %s sharpness %.1f brightness %.1f likeness %016llx%s\n",
                used + cpu_ms(clock) - worker_before, photo->numbers.width, photo->numbers.height, argv[i],
                photo->numbers.sharpness, photo->numbers.brightness,
                static_cast<unsigned long long>(photo->numbers.likeness), photo->numbers.truncated ? " truncated" : "");
  }
  return failed == 0 ? 0 : 1;
}
