#include "sections.hpp"

namespace gridward::profile {

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

}  // namespace gridward::profile
