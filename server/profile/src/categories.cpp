#include <gridward/shared/limits.hpp>

#include "sections.hpp"

namespace gridward::profile {
namespace {

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

}  // namespace

void read_categories(const Node& list, domain::Policy& policy, CategoriesItem& handhelds) {
  if (!list.array(1)) return;
  bool sound = true;
  list.each_element([&](const Node& row) {
    if (!row.object({"code", "name", "limit", "default_unit", "repeat_penalty", "photo_required"})) {
      sound = false;
      return;
    }
    domain::Category category;
    if (const auto code = row.member("code")) category.code = code->text();
    if (const auto name = row.member("name")) category.name = name->text();
    if (const auto unit = row.member("default_unit", false)) category.default_unit = unit->text(true);
    if (const auto flag = row.member("repeat_penalty", false)) category.repeat_penalty = flag->flag();
    if (const auto flag = row.member("photo_required", false)) category.photo_required = flag->flag();
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

}  // namespace gridward::profile
