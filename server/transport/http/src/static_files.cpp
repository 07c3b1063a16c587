#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <gridward/http/decode.hpp>
#include <gridward/http/static_files.hpp>
#include <utility>

namespace gridward::http {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kTotalBytes = 64ULL * 1024 * 1024;

constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},
    {".gif", "image/gif"},
    {".ico", "image/x-icon"},
    {".txt", "text/plain; charset=utf-8"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".wasm", "application/wasm"},
    {".geojson", "application/geo+json"},
}};

// Tells two builds of a page apart; not a defence against anybody.
std::string make_etag(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "\"%016llx-%zx\"", static_cast<unsigned long long>(hash), bytes.size());
  return text.data();
}

// Vite puts a hash of the contents into the name: assets/index-DiwrgTda.js
bool is_hashed(std::string_view path) {
  if (!path.starts_with("assets/")) return false;
  const auto name = path.substr(path.rfind('/') + 1);
  const auto dot = name.find('.');
  if (dot == std::string_view::npos || dot < 9 || name[dot - 9] != '-') return false;
  return std::ranges::all_of(name.substr(dot - 8, 8), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view content_type(std::string_view file_name) {
  const auto dot = file_name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const auto& [suffix, type] : kTypes) {
      if (file_name.substr(dot) == suffix) return type;
    }
  }
  return "application/octet-stream";
}

Result<StaticFiles> StaticFiles::load(const std::string& folder) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return fail(ErrorCode::not_found, folder, "no such folder");
  std::map<std::string, Variant> found;
  std::uint64_t total = 0;
  auto entry = fs::recursive_directory_iterator(folder, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    const auto hidden = entry->path().filename().string().starts_with('.');
    if (hidden && entry->is_directory()) entry.disable_recursion_pending();
    if (hidden || !fs::is_regular_file(entry->symlink_status())) continue;
    auto file = File::open(entry->path().string());
    if (!file) return tl::unexpected(Error{file.error().code, entry->path().string(), file.error().detail});
    total += (*file)->size();
    if (total > kTotalBytes) {
      return fail(ErrorCode::too_large, folder, "over " + std::to_string(kTotalBytes) + " bytes");
    }
    std::string bytes((*file)->size(), '\0');
    const auto read = (*file)->read_at(0, bytes.data(), bytes.size());
    if (!read) return tl::unexpected(Error{read.error().code, entry->path().string(), read.error().detail});
    bytes.resize(*read);
    auto etag = make_etag(bytes);
    found.emplace(fs::relative(entry->path(), folder).generic_string(),
                  Variant{std::make_shared<const std::string>(std::move(bytes)), std::move(etag)});
  }
  if (failed) return fail(ErrorCode::storage_failed, folder, failed.message());

  StaticFiles files;
  for (const auto& [path, variant] : found) {
    const auto compressed = path.ends_with(".br") || path.ends_with(".gz");
    if (compressed && found.contains(path.substr(0, path.size() - 3))) continue;
    Entry file;
    file.plain = variant;
    if (const auto br = found.find(path + ".br"); br != found.end()) file.br = br->second;
    if (const auto gz = found.find(path + ".gz"); gz != found.end()) file.gz = gz->second;
    file.type = content_type(path);
    file.immutable = is_hashed(path);
    files.files_.emplace(path, std::move(file));
  }
  return files;
}

Response StaticFiles::answer(const Request& request) const {
  if (request.method != Method::get && request.method != Method::head) {
    auto response = problem({ErrorCode::not_found, "method", "only GET, HEAD"}, 405);
    response.set("Allow", "GET, HEAD");
    return response;
  }
  std::string path;
  for (const auto& segment : request.segments) path += (path.empty() ? "" : "/") + segment;
  auto found = files_.find(path);
  if (found == files_.end() && request.segments.back().find('.') == std::string::npos) {
    found = files_.find("index.html");
  }
  if (found == files_.end()) return problem({ErrorCode::not_found, "path", ""});

  const auto& file = found->second;
  const auto accepted = request.header("accept-encoding");
  const Variant* variant = &file.plain;
  Response response;
  if (file.br && accepts_encoding(accepted, "br")) {
    variant = &*file.br;
    response.set("Content-Encoding", "br");
  } else if (file.gz && accepts_encoding(accepted, "gzip")) {
    variant = &*file.gz;
    response.set("Content-Encoding", "gzip");
  }
  response.set("Content-Type", file.type);
  if (file.br || file.gz) response.set("Vary", "Accept-Encoding");
  response.set("ETag", variant->etag);
  response.set("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (etag_matches(request.header("if-none-match"), variant->etag)) {
    response.status = 304;
  } else {
    response.body = variant->bytes;
  }
  return response;
}

}  // namespace gridward::http
