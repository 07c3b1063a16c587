// The people and places of the benchmark: the demo district as it was imported, and in every other town of it what a
// county has too: a grid in each village, six units, members with handhelds.
#pragma once

#include <gridward/storage/store.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "stories.hpp"

namespace gridward::bench {

struct Town {
  std::string code;
  std::string path;
  std::vector<Place> grids;
  std::vector<std::pair<std::string, std::string>> units;  // code, path
};
struct World {
  std::string district;
  std::vector<Town> towns;  // the demo's own, with outlines and accounts, is the first
};

// Writes what is missing. Throws std::runtime_error.
World make_world(app::Store& store);

// A place of this town, with one of its units.
Place pick(const Town& town, bool grid, std::mt19937_64& random);

void must(const Result<void>& result);
template <class T>
T must(Result<T> result) {
  if (!result) must(Result<void>(tl::unexpected(result.error())));
  return std::move(*result);
}

// What somebody wrote: a place, a matter, a detail.
std::string a_text(std::mt19937_64& random, std::size_t matter);
// Of the profile, with the words that fit.
const std::vector<std::string>& matters();

}  // namespace gridward::bench
