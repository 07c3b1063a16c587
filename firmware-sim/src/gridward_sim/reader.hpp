// Reads the simulator's own files key by key: what is wrong is told with its path and its limit, and a key that nobody
// asked for is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <gridward/shared/error.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace gridward::sim {

// A JSON object; comments are allowed. config_invalid: absent, over `most` bytes, or no object.
Result<nlohmann::json> load_json(const std::filesystem::path& file, std::uintmax_t most);

class Reader {
 public:
  // where: the path of this object, empty for the file's own.
  Reader(const nlohmann::json& json, std::string where);

  // Each leaves `out` as it is when the key is absent or wrong.
  void number(const char* key, double& out, double least, double most);
  void whole(const char* key, int& out, int least, int most);
  void flag(const char* key, bool& out);
  void text(const char* key, std::string& out);
  // [least, most] of something, in order.
  void range(const char* key, double& low, double& high, double least, double most);
  // Null when it is absent; the caller looks at it.
  const nlohmann::json* child(const char* key);
  std::string path(const std::string& key) const { return where_.empty() ? key : where_ + "." + key; }
  void wrong(const std::string& key, std::string why);
  void take(const Result<void>& result);

  // The first that was wrong, else the first key that nobody asked for.
  Result<void> done() const;

 private:
  const nlohmann::json& json_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace gridward::sim
