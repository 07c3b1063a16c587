#include <algorithm>
#include <fstream>
#include <gridward/profile/profile.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "sections.hpp"

namespace gridward::profile {
namespace {

// Objects keep their order: of stages, steps and code lists.
using json = nlohmann::ordered_json;

constexpr std::size_t kLargestFile = std::size_t{4} * 1024 * 1024;

// How the county reads what its documents leave open: for people, so only that it is written down is checked.
void check_readings(const Node& list) {
  if (!list.array(0)) return;
  list.each_element([](const Node& row) {
    if (!row.object({"point", "text"})) return;
    if (const auto point = row.member("point")) point->name();
    if (const auto text = row.member("text")) text->text();
  });
}

void read_profile(const Node& root, domain::Policy& policy) {
  if (!root.object({"about", "id", "name", "utc_offset_minutes", "office_hours", "office_hours_article", "unit_hours",
                    "holidays", "limits", "categories", "codes", "channels", "clocks", "processes", "scores",
                    "readings", "device"})) {
    return;
  }
  if (const auto id = root.member("id")) policy.id = id->text();
  if (const auto name = root.member("name")) policy.name = name->text();
  if (const auto offset = root.member("utc_offset_minutes")) {
    policy.calendar.utc_offset = std::chrono::minutes{offset->number(-12 * 60, 14 * 60)};
  }
  if (const auto hours = root.member("office_hours")) read_office_hours(*hours, policy.calendar.hours);
  if (const auto article = root.member("office_hours_article", false)) article->text();
  if (const auto hours = root.member("unit_hours", false)) read_unit_hours(*hours, policy);
  if (const auto holidays = root.member("holidays")) holidays->text();
  if (const auto limits = root.member("limits")) read_limits(*limits, policy);
  auto& handhelds = policy.handhelds.emplace();
  if (const auto categories = root.member("categories")) read_categories(*categories, policy, handhelds.categories);
  if (const auto device = root.member("device", false)) read_device(*device, handhelds.settings);
  if (const auto codes = root.member("codes")) read_codes(*codes, policy);
  if (const auto channels = root.member("channels")) read_channels(*channels, policy);
  if (const auto clocks = root.member("clocks")) read_clock_titles(*clocks, policy);
  if (const auto processes = root.member("processes")) read_processes(*processes, policy);
  if (const auto scores = root.member("scores", false)) read_scores(*scores, policy);
  if (const auto readings = root.member("readings", false)) check_readings(*readings);
}

// The domain names its own members and counts steps; a profile has other keys and names for them.
std::string path_in_profile(std::string path, const domain::Policy& policy) {
  const auto replace = [&](std::string_view from, std::string_view to) {
    const auto at = path.find(from);
    if (at != std::string::npos) path.replace(at, from.size(), to);
  };
  replace("clock_titles.", "clocks.");
  replace("].required", "].require");
  replace("].optional", "].allow");
  replace("].guards", "].when");
  replace(".stage_titles.", ".stages.");
  for (const auto& [id, process] : policy.processes) {
    for (std::size_t i = 0; i < process.steps.size(); ++i) {
      replace("processes." + id + ".steps[" + std::to_string(i) + "]",
              "processes." + id + ".steps." + process.steps[i].name);
    }
  }
  return path;
}

// What the parts ask of each other; of no use while one of them is wrong in itself.
void check_whole(const domain::Policy& policy, Problems& problems) {
  if (!problems.empty()) return;
  for (auto& found : domain::policy_problems(policy)) {
    problems.push_back(
        {ErrorCode::config_invalid, path_in_profile(std::move(found.path), policy), std::move(found.text)});
  }
}

// Of two members of one name JSON keeps the last, so a step written twice would go unseen.
class Keys {
 public:
  explicit Keys(Problems& problems) : problems_(&problems) {}

  bool see(json::parse_event_t event, const json& value) {
    if (event == json::parse_event_t::object_start) levels_.emplace_back();
    if (event == json::parse_event_t::object_end && !levels_.empty()) levels_.pop_back();
    if (event == json::parse_event_t::key && !levels_.empty()) {
      auto& level = levels_.back();
      level.current = value.get<std::string>();
      if (!level.seen.insert(level.current).second) {
        problems_->push_back({ErrorCode::config_invalid, path(), "stands there twice"});
      }
    }
    return true;
  }

 private:
  struct Level {
    std::set<std::string> seen;
    std::string current;
  };
  std::string path() const {
    std::string text;
    for (const auto& level : levels_) text += (text.empty() ? "" : ".") + level.current;
    return text;
  }

  std::vector<Level> levels_;
  Problems* problems_;
};

std::optional<json> parse(std::string_view text, const std::string& what, Problems& problems) {
  if (text.size() > kLargestFile) {
    problems.push_back({ErrorCode::config_invalid, what,
                        std::to_string(text.size()) + " bytes, at most " + std::to_string(kLargestFile)});
    return std::nullopt;
  }
  Keys keys(problems);
  const auto watch = [&](int, json::parse_event_t event, const json& value) { return keys.see(event, value); };
  try {
    return json::parse(text, watch, true, true);
  } catch (const json::parse_error& e) {
    // Not the library's own words: they quote what it read, which may be no text.
    const auto read = text.substr(0, std::min(e.byte, text.size()));
    const auto line = 1 + std::ranges::count(read, '\n');
    problems.push_back({ErrorCode::config_invalid, what, "not JSON, line " + std::to_string(line)});
    return std::nullopt;
  } catch (const json::out_of_range&) {
    // The library does not say where.
    problems.push_back({ErrorCode::config_invalid, what, "a number that is too large for any"});
    return std::nullopt;
  }
}

std::optional<std::string> read_text(const std::filesystem::path& file, Problems& problems) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (in && text) return text.str();
  problems.push_back({ErrorCode::config_invalid, file.string(), "the file cannot be read"});
  return std::nullopt;
}

PolicyResult parse_named(std::string_view profile, std::string_view holidays, const std::string& profile_name,
                         const std::string& holidays_name) {
  Problems problems;
  domain::Policy policy;
  const auto rules = parse(profile, profile_name, problems);
  const auto days = parse(holidays, holidays_name, problems);
  if (rules) {
    read_profile(Node(*rules, "", problems), policy);
    check_whole(policy, problems);
  }
  if (days) read_holidays(Node(*days, holidays_name, problems), policy.calendar);
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return policy;
}

}  // namespace

PolicyResult parse_policy(std::string_view profile, std::string_view holidays) {
  return parse_named(profile, holidays, "profile", "holidays");
}

PolicyResult load_policy(const std::filesystem::path& file) {
  Problems problems;
  const auto profile = read_text(file, problems);
  std::optional<std::string> holidays;
  std::filesystem::path holidays_file;
  if (profile) {
    // Only to find the second file; what is wrong in the first is said below.
    const auto document = json::parse(*profile, nullptr, false, true);
    if (document.is_object() && document.contains("holidays") && document["holidays"].is_string()) {
      holidays_file = file.parent_path() / document["holidays"].get<std::string>();
      holidays = read_text(holidays_file, problems);
    }
  }
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return parse_named(*profile, holidays.value_or(R"({"known_to": 1949, "days": {}})"), file.string(),
                     holidays_file.filename().string());
}

}  // namespace gridward::profile
