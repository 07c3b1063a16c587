// A county's rules, from its profile file to the domain's policy. What a file holds: server/profile/README.md.
#pragma once

#include <filesystem>
#include <gridward/domain/case.hpp>
#include <gridward/shared/error.hpp>
#include <string_view>
#include <vector>

namespace gridward::profile {

// Every problem, each with the path of the value: "limits.general.amount: -1, at least 1" (config_invalid).
using PolicyResult = tl::expected<domain::Policy, std::vector<Error>>;

// The profile and the holidays file it names, which is relative to the profile's folder.
PolicyResult load_policy(const std::filesystem::path& file);
// The same from texts. Pure.
PolicyResult parse_policy(std::string_view profile, std::string_view holidays);

}  // namespace gridward::profile
