#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <gridward/profile/profile.hpp>
#include <gridward/shared/limits.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>

namespace gridward::profile {
namespace {

using nlohmann::json;
using Problems = std::vector<Error>;

constexpr std::size_t kLargestFile = std::size_t{4} * 1024 * 1024;

// A value with the path that leads to it, so that every problem can say where it is.
class Node {
 public:
  Node(const json& value, std::string path, Problems& problems)
      : value_(&value), path_(std::move(path)), problems_(&problems) {}

  void problem(std::string detail) const {
    problems_->push_back({ErrorCode::config_invalid, path_, std::move(detail)});
  }

  // Of something below this value, whose own path it has: "list[2].name" for what is in a list.
  void problem_in(const Error& error) const {
    const auto below = error.field.find_first_of("[.");
    const auto path = below == std::string::npos ? path_ : path_ + error.field.substr(below);
    problems_->push_back({ErrorCode::config_invalid, path, error.detail});
  }

  // An object that has only these members; nothing is said twice when it is no object.
  bool object(std::initializer_list<std::string_view> known = {}) const {
    if (!value_->is_object()) {
      problem("not an object");
      return false;
    }
    for (const auto& [name, ignored] : value_->items()) {
      bool found = known.size() == 0;
      for (const auto& entry : known) found = found || entry == name;
      if (!found) at(name, *value_).problem("no such field");
    }
    return true;
  }
  bool array(std::size_t least) const {
    if (!value_->is_array()) {
      problem("not a list");
      return false;
    }
    if (value_->size() < least) problem("empty");
    return true;
  }

  std::optional<Node> member(const std::string& name, bool required = true) const {
    const auto found = value_->find(name);
    if (found == value_->end()) {
      if (required) Node(*value_, join(name), *problems_).problem("missing");
      return std::nullopt;
    }
    return at(name, *found);
  }
  Node element(std::size_t i) const { return {value_->at(i), path_ + "[" + std::to_string(i) + "]", *problems_}; }
  std::size_t size() const { return value_->size(); }

  template <class Each>
  void each_member(Each each) const {
    for (const auto& [name, value] : value_->items()) each(name, at(name, value));
  }
  template <class Each>
  void each_element(Each each) const {
    for (std::size_t i = 0; i < size(); ++i) each(element(i));
  }

  std::string text(bool may_be_empty = false) const {
    if (!value_->is_string()) {
      problem(value_->dump() + " is not a text");
      return {};
    }
    auto result = value_->get<std::string>();
    if (result.empty() && !may_be_empty) problem("empty");
    return result;
  }
  std::int64_t number(std::int64_t least, std::int64_t greatest) const {
    if (!value_->is_number_integer()) {
      problem(value_->dump() + " is not a whole number");
      return least;
    }
    const bool huge = value_->is_number_unsigned() && value_->get<std::uint64_t>() > std::uint64_t{1} << 62;
    const auto number = huge ? std::int64_t{1} << 62 : value_->get<std::int64_t>();
    if (number < least) problem(value_->dump() + ", at least " + std::to_string(least));
    if (number > greatest) problem(value_->dump() + ", at most " + std::to_string(greatest));
    return number;
  }

 private:
  std::string join(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }
  Node at(const std::string& name, const json& value) const { return {value, join(name), *problems_}; }

  const json* value_;
  std::string path_;
  Problems* problems_;
};

std::optional<int> digits(std::string_view text, std::size_t from, std::size_t count) {
  int number = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

// "08:30"; "24:00" is the end of a day.
std::optional<std::chrono::minutes> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = digits(text, 0, 2);
  const auto minutes = digits(text, 3, 2);
  if (!hours || !minutes || *minutes > 59 || *hours * 60 + *minutes > 24 * 60) return std::nullopt;
  return std::chrono::minutes{*hours * 60 + *minutes};
}

std::optional<std::chrono::sys_days> date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto y = digits(text, 0, 4);
  const auto m = digits(text, 5, 2);
  const auto d = digits(text, 8, 2);
  if (!y || !m || !d) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                                        std::chrono::day{static_cast<unsigned>(*d)}};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days{day};
}

void read_office_hours(const Node& list, domain::WorkCalendar& calendar) {
  if (!list.array(1)) return;
  list.each_element([&](const Node& span) {
    if (!span.array(0)) return;
    if (span.size() != 2) {
      span.problem("not a pair of times");
      return;
    }
    std::array<std::optional<std::chrono::minutes>, 2> times;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto entry = span.element(i);
      const auto text = entry.text();
      times.at(i) = time_of_day(text);
      if (!text.empty() && !times.at(i)) entry.problem("\"" + text + "\", write it like 08:30");
    }
    if (!times[0] || !times[1]) return;
    if (*times[0] >= *times[1]) {
      span.problem("ends before it begins");
    } else if (!calendar.hours.empty() && calendar.hours.back().to > *times[0]) {
      span.problem("begins before the span above it ends");
    } else {
      calendar.hours.push_back({*times[0], *times[1]});
    }
  });
}

void read_limits(const Node& table, domain::Policy& policy) {
  if (!table.object()) return;
  table.each_member([&](const std::string& key, const Node& row) {
    if (!row.object({"working_days", "article"})) return;
    domain::TimeLimit limit;
    limit.key = "limits." + key;
    if (const auto days = row.member("working_days")) limit.working_days = static_cast<int>(days->number(1, 366));
    if (const auto article = row.member("article")) limit.article = article->text();
    policy.limits.emplace(key, std::move(limit));
  });
  if (policy.limits.empty()) table.problem("empty");
}

// "市容环境/暴露垃圾": a handheld shows what stands before the stroke as a group.
CategoriesItem::Category for_handhelds(const domain::Category& category) {
  const auto stroke = category.name.find('/');
  if (stroke == std::string::npos || stroke == 0 || stroke + 1 == category.name.size()) {
    return {category.code, category.name, ""};
  }
  return {category.code, category.name.substr(stroke + 1), category.name.substr(0, stroke)};
}

// Here and not when it is sent: a list that no handheld can read must not be found out by the first hello.
void check_for_handhelds(const Node& list, CategoriesItem item) {
  item.rev = std::string(limits::kNameCharacters, '0');  // no shorter than any
  const auto body = encode_item(item);
  if (!body) list.problem_in(body.error());
}

void read_categories(const Node& list, domain::Policy& policy, CategoriesItem& handhelds) {
  if (!list.array(1)) return;
  bool sound = true;
  list.each_element([&](const Node& row) {
    if (!row.object({"code", "name", "limit", "default_unit"})) {
      sound = false;
      return;
    }
    domain::Category category;
    if (const auto code = row.member("code")) category.code = code->text();
    if (const auto name = row.member("name")) category.name = name->text();
    if (const auto unit = row.member("default_unit", false)) category.default_unit = unit->text(true);
    if (const auto limit = row.member("limit")) {
      category.limit = limit->text();
      if (!category.limit.empty() && !policy.limits.contains(category.limit)) {
        limit->problem("\"" + category.limit + "\" is not among the limits");
      }
    }
    if (!category.code.empty() && policy.categories.contains(category.code)) {
      row.problem("the code " + category.code + " stands there twice");
      sound = false;
    }
    if (category.code.empty() || category.name.empty()) sound = false;
    handhelds.list.push_back(for_handhelds(category));
    policy.categories.emplace(category.code, std::move(category));
  });
  if (sound && !handhelds.list.empty()) check_for_handhelds(list, handhelds);
}

void read_device(const Node& section, SettingsItem& settings) {
  if (!section.object({"photo_px", "photo_quality", "track_ms", "batch_ms", "heartbeat_ms"})) return;
  const auto number = [&](const char* name, std::int64_t least, std::int64_t greatest) -> std::optional<std::int64_t> {
    const auto node = section.member(name, false);
    return node ? std::optional(node->number(least, greatest)) : std::nullopt;
  };
  const auto span = [&](const char* name, std::int64_t least, std::int64_t greatest) -> std::optional<Millis> {
    const auto ms = number(name, least, greatest);
    return ms ? std::optional(Millis{*ms}) : std::nullopt;
  };
  const auto px = number("photo_px", 0, 0xFFFF'FFFF).value_or(0);
  if (px > 0 && px < limits::kLeastPhotoPx) {
    section.member("photo_px")
        ->problem(std::to_string(px) + ", 0 or at least " + std::to_string(limits::kLeastPhotoPx));
  }
  settings.photo_px = static_cast<std::uint32_t>(px);
  if (const auto quality = number("photo_quality", 1, limits::kPhotoQuality)) {
    settings.photo_quality = static_cast<std::uint32_t>(*quality);
  }
  settings.track = span("track_ms", limits::kShortestTrackMs, limits::kLongestTrackMs);
  settings.batch = span("batch_ms", limits::kShortestBatchMs, limits::kTrackSpanMs);
  settings.heartbeat = span("heartbeat_ms", limits::kShortestHeartbeatMs, limits::kLongestHeartbeatMs);
}

void read_reject_reasons(const Node& list, domain::Policy& policy) {
  if (!list.array(1)) return;
  list.each_element([&](const Node& row) {
    if (!row.object({"code", "text", "article"})) return;
    std::string code;
    std::string text;
    if (const auto member = row.member("code")) code = member->text();
    if (const auto member = row.member("text")) text = member->text();
    if (const auto member = row.member("article")) member->text();
    if (!code.empty() && policy.reject_reasons.contains(code)) row.problem("the code " + code + " stands there twice");
    policy.reject_reasons.emplace(std::move(code), std::move(text));
  });
}

void read_profile(const Node& root, domain::Policy& policy) {
  if (!root.object({"about", "id", "name", "utc_offset_minutes", "office_hours", "office_hours_article", "holidays",
                    "limits", "categories", "reject_reasons", "device"})) {
    return;
  }
  if (const auto id = root.member("id")) policy.id = id->text();
  if (const auto name = root.member("name")) policy.name = name->text();
  if (const auto offset = root.member("utc_offset_minutes")) {
    policy.calendar.utc_offset = std::chrono::minutes{offset->number(-12 * 60, 14 * 60)};
  }
  if (const auto hours = root.member("office_hours")) read_office_hours(*hours, policy.calendar);
  if (const auto article = root.member("office_hours_article", false)) article->text();
  if (const auto holidays = root.member("holidays")) holidays->text();
  if (const auto limits = root.member("limits")) read_limits(*limits, policy);
  auto& handhelds = policy.handhelds.emplace();
  if (const auto categories = root.member("categories")) read_categories(*categories, policy, handhelds.categories);
  if (const auto device = root.member("device", false)) read_device(*device, handhelds.settings);
  if (const auto reasons = root.member("reject_reasons")) read_reject_reasons(*reasons, policy);
}

void read_holidays(const Node& root, domain::WorkCalendar& calendar) {
  if (!root.object({"origin", "licence", "known_to", "days"})) return;
  if (const auto year = root.member("known_to")) {
    calendar.known_to = std::chrono::year{static_cast<int>(year->number(1949, 9999))};
  }
  const auto days = root.member("days");
  if (!days || !days->object()) return;
  days->each_member([&](const std::string& name, const Node& kind) {
    const auto day = date(name);
    const auto text = kind.text();
    if (!day) {
      kind.problem("the day is not like 2026-10-01");
    } else if (text != "work" && text != "off") {
      kind.problem("\"" + text + "\", one of off work");
    } else {
      calendar.exceptions.emplace(*day, text == "work");
    }
  });
}

std::optional<json> parse(std::string_view text, const std::string& what, Problems& problems) {
  if (text.size() > kLargestFile) {
    problems.push_back({ErrorCode::config_invalid, what,
                        std::to_string(text.size()) + " bytes, at most " + std::to_string(kLargestFile)});
    return std::nullopt;
  }
  try {
    return json::parse(text, nullptr, true, true);
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
  if (rules) read_profile(Node(*rules, "", problems), policy);
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
