#include <algorithm>
#include <gridward_sim/receiver_log.hpp>

namespace gridward::sim {
namespace {

std::string_view field(std::string_view line, int index) {
  for (; index > 0; --index) {
    const auto comma = line.find(',');
    if (comma == std::string_view::npos) return {};
    line.remove_prefix(comma + 1);
  }
  return line.substr(0, line.find_first_of(",*"));
}

bool has_fix(std::string_view line) {
  if (line.size() < 7 || line.front() != '$') return false;
  const auto kind = line.substr(3, 3);
  if (kind == "RMC") return field(line, 2) == "A" && !field(line, 3).empty();
  if (kind == "GLL") return field(line, 6) == "A" && !field(line, 1).empty();
  if (kind == "GGA") return !field(line, 6).empty() && field(line, 6) != "0" && !field(line, 2).empty();
  if (kind == "GNS") return field(line, 6).find_first_not_of('N') != std::string_view::npos && !field(line, 2).empty();
  return false;
}

}  // namespace

std::string_view from_first_fix(std::string_view log) {
  for (std::size_t from = 0; from < log.size();) {
    const auto end = std::min(log.find('\n', from), log.size());
    if (has_fix(log.substr(from, end - from))) return log.substr(from);
    from = end + 1;
  }
  return {};
}

Result<std::vector<LogFix>> fixes_at(std::string_view log, const MoveOptions& to) {
  const auto moved = move_log(from_first_fix(log), to);
  if (!moved) return tl::unexpected(moved.error());
  auto fixes = read_fixes(moved->text);
  if (fixes.size() < 2) return fail(ErrorCode::position_unavailable, "log", "has no two fixes");
  return fixes;
}

}  // namespace gridward::sim
