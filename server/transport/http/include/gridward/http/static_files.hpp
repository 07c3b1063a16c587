#pragma once

#include <gridward/http/message.hpp>
#include <map>
#include <memory>
#include <string>

namespace gridward::http {

// The files of a folder, held in memory since `load`: a request can name only what was there, whatever it spells.
// Thread-safe once loaded.
class StaticFiles {
 public:
  // Takes regular files, follows no links, passes by names that begin with a dot. "x.js.br" and "x.js.gz" are x.js
  // compressed. Errors: not_found, too_large (over 64 MiB in all), storage_failed.
  static Result<StaticFiles> load(const std::string& folder);

  // GET and HEAD. A path without a dot in its last segment that names no file gives index.html, for the pages route
  // by themselves; any other unknown path is not_found.
  Response answer(const Request& request) const;
  std::size_t count() const { return files_.size(); }

 private:
  struct Variant {
    std::shared_ptr<const std::string> bytes;
    std::string etag;
  };
  struct Entry {
    Variant plain;
    std::optional<Variant> br;
    std::optional<Variant> gz;
    std::string type;
    bool immutable = false;
  };
  std::map<std::string, Entry, std::less<>> files_;  // "assets/index-1a2b3c4d.js"
};

std::string_view content_type(std::string_view file_name);

}  // namespace gridward::http
