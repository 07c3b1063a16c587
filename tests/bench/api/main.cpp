// The data of scripts/bench api, through the real store.
//   bench_api_seed seed|sweep URL PROFILE CASES
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "bench.hpp"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "bench_api_seed seed|sweep URL PROFILE CASES\n");
    return 2;
  }
  gridward::bench::Options options;
  options.url = argv[2];
  options.policy = argv[3];
  options.cases = std::strtoull(argv[4], nullptr, 10);
  options.now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  try {
    return std::string(argv[1]) == "seed" ? gridward::bench::seed(options) : gridward::bench::sweep(options);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench_api_seed: %s\n", problem.what());
    return 1;
  }
}
