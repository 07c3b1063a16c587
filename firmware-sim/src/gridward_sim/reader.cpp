#include <cstdio>
#include <fstream>
#include <gridward_sim/reader.hpp>

namespace gridward::sim {
namespace {

using Json = nlohmann::json;

std::string plain(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", number);
  return text;
}

std::string between(double least, double most) {
  return "must be a number from " + plain(least) + " to " + plain(most);
}

bool inside(const Json& value, double least, double most) {
  return value.is_number() && value.get<double>() >= least && value.get<double>() <= most;
}

}  // namespace

Result<Json> load_json(const std::filesystem::path& file, std::uintmax_t most) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (!error && size > most) {
    return fail(ErrorCode::config_invalid, file.string(),
                std::to_string(size) + " bytes, at most " + std::to_string(most));
  }
  std::ifstream in(file);
  if (error || !in) return fail(ErrorCode::config_invalid, file.string(), "cannot be read");
  auto json = Json::parse(in, nullptr, false, true);
  if (!json.is_object()) return fail(ErrorCode::config_invalid, file.string(), "not a JSON object");
  return json;
}

Reader::Reader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
  if (!json_.is_object()) error_ = Error{ErrorCode::config_invalid, where_, "must be an object"};
}

const Json* Reader::child(const char* key) {
  known_.insert(key);
  if (!json_.is_object()) return nullptr;
  const auto found = json_.find(key);
  return found == json_.end() ? nullptr : &*found;
}

void Reader::wrong(const std::string& key, std::string why) {
  if (!error_) error_ = Error{ErrorCode::config_invalid, path(key), std::move(why)};
}

void Reader::take(const Result<void>& result) {
  if (!result && !error_) error_ = result.error();
}

void Reader::number(const char* key, double& out, double least, double most) {
  const auto* value = child(key);
  if (value == nullptr) return;
  if (!inside(*value, least, most)) return wrong(key, between(least, most));
  out = value->get<double>();
}

void Reader::whole(const char* key, int& out, int least, int most) {
  const auto* value = child(key);
  if (value == nullptr) return;
  if (!value->is_number_integer() || !inside(*value, least, most)) {
    return wrong(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  out = value->get<int>();
}

void Reader::flag(const char* key, bool& out) {
  const auto* value = child(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return wrong(key, "must be true or false");
  out = value->get<bool>();
}

void Reader::text(const char* key, std::string& out) {
  const auto* value = child(key);
  if (value == nullptr) return;
  if (!value->is_string()) return wrong(key, "must be a text");
  out = value->get<std::string>();
}

void Reader::range(const char* key, double& low, double& high, double least, double most) {
  const auto* value = child(key);
  if (value == nullptr) return;
  if (!value->is_array() || value->size() != 2 || !inside((*value)[0], least, most) ||
      !inside((*value)[1], least, most) || (*value)[0].get<double>() > (*value)[1].get<double>()) {
    return wrong(key, "must be [from, to], from " + plain(least) + " to " + plain(most));
  }
  low = (*value)[0].get<double>();
  high = (*value)[1].get<double>();
}

Result<void> Reader::done() const {
  if (error_) return tl::unexpected(*error_);
  for (const auto& [key, value] : json_.items()) {
    if (!known_.contains(key)) return fail(ErrorCode::config_invalid, path(key), "unknown key");
  }
  return {};
}

}  // namespace gridward::sim
