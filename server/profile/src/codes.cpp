#include <algorithm>

#include "sections.hpp"

namespace gridward::profile {
namespace {

domain::CodeList read_list(const Node& list) {
  domain::CodeList codes;
  if (!list.array(1)) return codes;
  list.each_element([&](const Node& row) {
    if (!row.object({"code", "text", "article"})) return;
    std::string code;
    domain::Coded coded;
    if (const auto member = row.member("code")) code = member->name();
    if (const auto member = row.member("text")) coded.text = member->text();
    if (const auto member = row.member("article")) coded.article = member->text();
    const bool twice = std::ranges::any_of(codes, [&](const auto& entry) { return entry.first == code; });
    if (twice && !code.empty()) row.problem("the code " + code + " stands there twice");
    codes.emplace_back(std::move(code), std::move(coded));
  });
  return codes;
}

}  // namespace

void read_codes(const Node& table, domain::Policy& policy) {
  if (!table.object()) return;
  table.each_member([&](const std::string& name, const Node& list) { policy.codes.emplace(name, read_list(list)); });
  if (policy.codes.empty()) table.problem("empty");
}

}  // namespace gridward::profile
