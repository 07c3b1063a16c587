// The use cases' values as the JSON of docs/api.md.
#pragma once

#include <gridward/app/services.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace gridward::http {

using Json = nlohmann::ordered_json;
using Names = std::map<std::string, std::string>;  // code of a node -> its name

std::string dump(const Json& value);  // text that is not UTF-8 is replaced, never thrown at

Json actor_json(const domain::Actor& actor, const Names& names);
// now: how far the clocks are.
Json case_row_json(const domain::CaseRecord& record, const domain::Policy& policy, const Names& names,
                   const std::optional<Sha256>& thumb, UnixMs now);
Json case_json(const app::CaseView& view, const domain::Policy& policy, const Names& names);
// Codes of nodes that a case names, for Names.
std::set<std::string> codes_of(const app::CaseView& view);
// What a page builds its forms and lists from: categories, code lists, channels, processes, fields, clocks.
Json policy_json(const domain::Policy& policy);
Json org_json(const app::OrgNode& node);
Json device_json(const app::Organisation::DeviceView& view);
Json troubles_json(const app::Organisation::DeviceTroubles& troubles);
Json punch_json(const app::PunchRow& punch, const Names& names);
Json member_day_json(const app::MemberDay& day, const Names& names);

}  // namespace gridward::http
