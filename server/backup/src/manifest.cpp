#include "manifest.hpp"

#include <utility>

#include "sealed_text.hpp"

namespace gridward::backup {
namespace {

constexpr std::string_view kWord = "gridward-backup";
constexpr std::string_view kVersion = "1";

}  // namespace

std::filesystem::path photo_path(const std::filesystem::path& folder, const Sha256& sha) {
  const auto hex = to_hex(sha);
  return folder / "photos" / hex.substr(0, 2) / hex;
}

Result<void> write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  std::string text;
  add_line(text, {kWord, kVersion});
  add_line(text, {"database", to_hex(manifest.database.sha256), std::to_string(manifest.database.size)});
  for (const auto& photo : manifest.photos) add_line(text, {"photo", to_hex(photo.sha256), std::to_string(photo.size)});
  for (const auto& sha : manifest.missing) add_line(text, {"missing", to_hex(sha)});
  seal(text);
  return platform::write_new_file(folder / kManifest, text);
}

Result<Manifest> read_manifest(const std::filesystem::path& folder) {
  Manifest manifest;
  bool begun = false;
  bool database = false;
  const auto read = read_sealed(folder / kManifest, [&](const std::vector<std::string_view>& words) {
    if (!begun) return begun = words.size() == 2 && words[0] == kWord && words[1] == kVersion;
    if (words.size() < 2) return false;
    const auto sha = sha256_from_hex(words[1]);
    if (!sha) return false;
    if (words[0] == "missing") {
      manifest.missing.push_back(*sha);
      return words.size() == 2;
    }
    const auto size = words.size() == 3 ? count_of(words[2]) : std::nullopt;
    if (!size) return false;
    if (words[0] == "photo") {
      manifest.photos.push_back({*sha, *size});
      return true;
    }
    manifest.database = {*sha, *size};
    return !std::exchange(database, true) && words[0] == "database";
  });
  if (!read) return tl::unexpected(read.error());
  if (!database) return fail(ErrorCode::malformed, (folder / kManifest).string(), "it names no database");
  return manifest;
}

}  // namespace gridward::backup
