#include <fstream>
#include <gridward/import/import_files.hpp>
#include <system_error>

#include "rows.hpp"

namespace gridward::importing {

Parsed read_files(std::span<const std::filesystem::path> files) {
  Parsed out;
  for (const auto& path : files) {
    const auto name = path.filename().string();
    const auto problem = [&](std::string message) { out.problems.push_back({name, 0, "file", std::move(message)}); };
    const auto extension = path.extension().string();
    if (extension != ".csv" && extension != ".json" && extension != ".geojson") {
      problem("is neither .csv, .json nor .geojson");
      continue;
    }
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      problem("is not there, or not a file");
      continue;
    }
    const auto size = std::filesystem::file_size(path, error);
    if (error || size > kFileBytes) {
      problem(error ? error.message() : std::to_string(size) + " bytes: at most " + std::to_string(kFileBytes));
      continue;
    }
    std::string text(size, '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in || static_cast<std::uintmax_t>(in.gcount()) != size) {
      problem("cannot be read");
      continue;
    }
    if (extension == ".csv") {
      parse_csv(name, text, out);
    } else {
      parse_json(name, text, out);
    }
  }
  return out;
}

}  // namespace gridward::importing
