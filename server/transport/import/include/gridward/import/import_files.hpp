// Files of a county into one ImportBatch: the tree, people and devices as JSON or CSV, outlines as GeoJSON. Nothing is
// written anywhere; app::run_import checks the batch as a whole (parents, duplicates) and takes all of it or nothing.
// What each format may hold: docs/import.md. Pure but for read_files. Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <gridward/app/services.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::importing {

inline constexpr std::size_t kFileBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kRows = 200'000;          // of one file
inline constexpr std::size_t kFieldBytes = 4096;       // one value
inline constexpr std::size_t kJsonDepth = 16;          // of arrays and objects in each other
inline constexpr std::size_t kJsonValues = 2'000'000;  // of one file, all levels together
inline constexpr std::size_t kOutlinePoints = 20'000;  // one outline, its holes included
inline constexpr std::size_t kProblemsPerFile = 100;   // then reading stops
inline constexpr std::size_t kPasswordCharacters = 8;  // at least

// Not empty problems: the batch must not be used.
struct Parsed {
  app::ImportBatch batch;
  std::vector<app::ImportProblem> problems;
};

// UTF-8 with or without BOM, RFC 4180, first row names the columns. `file` is the name given in problems.
void parse_csv(const std::string& file, std::string_view text, Parsed& out);
// {"orgs":[…],"users":[…],"devices":[…]}, or a GeoJSON FeatureCollection of polygons with the property `code`.
void parse_json(const std::string& file, std::string_view text, Parsed& out);

// By extension: .csv, .json, .geojson. A file that cannot be read or is too large is a problem like any other.
Parsed read_files(std::span<const std::filesystem::path> files);

}  // namespace gridward::importing
