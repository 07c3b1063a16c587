// What the fields of an act name, looked up: units, people, other cases, desks.
#include <algorithm>

#include "case_work.hpp"
#include "roles.hpp"

namespace gridward::app {
namespace {

using domain::Action;
using domain::Actor;
using domain::CaseRecord;
using domain::Command;
using domain::Field;

std::string field_name(Field field) { return "fields." + std::string(domain::to_string(field)); }
tl::unexpected<Error> wrong(Field field, std::string detail) {
  return fail(ErrorCode::out_of_range, field_name(field), std::move(detail));
}

// Units of other towns and of the district take orders too (滨海新区网格中心职责清单 2.2), so the whole tree is asked.
std::optional<OrgNode> unit_of(Tx& tx, const Actor& actor, std::string_view code) {
  auto unit = tx.find_org(code);
  const auto root = actor.org_path.substr(0, actor.org_path.find('/'));
  if (!unit || unit->kind != OrgKind::unit || !domain::within(root, unit->path)) return std::nullopt;
  return unit;
}

Result<void> look_up_units(Tx& tx, const Actor& actor, Command& command) {
  for (const auto field : {Field::unit, Field::suggested_unit}) {
    const auto code = domain::text_of(command.fields, field);
    if (code.empty()) continue;  // decide() says whether it must be there
    const auto unit = unit_of(tx, actor, code);
    if (!unit) return wrong(field, std::string(code) + " is no handling unit here");
    if (field == Field::unit) command.unit_path = unit->path;
  }
  for (const auto& code : domain::names_of(command.fields, Field::assisting_units)) {
    if (!unit_of(tx, actor, code)) return wrong(Field::assisting_units, code + " is no handling unit here");
  }
  return {};
}

// 杨家泊镇综治中心职责清单 2-1: the member of the place checks. Without one (a point in no grid, a vacancy) the
// reporter.
Result<void> choose_member(Tx& tx, const Actor& actor, const CaseRecord& state, Command& command) {
  const auto usable = [&](const User& user) {
    return user.active && (in_field(user.role) || user.role == domain::Role::grid_leader) &&
           user.login != state.handler;
  };
  const std::string asked(domain::text_of(command.fields, Field::assignee));
  if (!asked.empty()) {
    const auto user = tx.find_user(asked);
    if (!user || !usable(*user) || !domain::within(actor.org_path, user->org_path)) {
      return wrong(Field::assignee, asked + " is no member who may check this");
    }
    return {};
  }
  if (!state.grid.empty()) {
    if (const auto grid = tx.find_org(state.grid)) {
      for (const auto& user : tx.users_below(grid->path)) {
        if (!usable(user) || !tx.device_of(user.login)) continue;
        command.fields[Field::assignee] = user.login;
        return {};
      }
    }
  }
  const auto reporter = tx.find_user(state.reporter.login);
  if (reporter && usable(*reporter)) {
    command.fields[Field::assignee] = reporter->login;
    return {};
  }
  return fail(ErrorCode::missing_field, field_name(Field::assignee), "nobody of the grid can check; choose a member");
}

Result<void> look_up_colleague(Tx& tx, const CaseRecord& state, Field field, bool leader, const Command& command) {
  const std::string login(domain::text_of(command.fields, field));
  if (login.empty()) return {};
  const auto user = tx.find_user(login);
  const bool theirs = user && user->active && of_unit(user->role) && !user->org.empty() &&
                      (user->org == state.unit || user->org == command.actor.org);
  if (!theirs || (leader && user->role != domain::Role::unit_leader)) {
    return wrong(field, login + (leader ? " does not lead the unit" : " is nobody of the unit"));
  }
  return {};
}

Result<void> look_up_target(Tx& tx, const Actor& actor, const Command& command) {
  const std::string text(domain::text_of(command.fields, Field::target));
  if (text.empty()) return {};
  const auto id = uuid_from_string(text);
  const auto other = id ? tx.find_case(*id) : std::nullopt;
  // The same answer for "not there" and "not yours".
  if (!other || !domain::concerns(*other, tx.case_org_path(*id), actor)) {
    return wrong(Field::target, text + " is no case that you see");
  }
  return {};
}

constexpr std::int64_t kTownLevel = 3;  // A59: where a case without a level lies

bool has_desk(const OrgNode& node) { return node.kind == OrgKind::town || node.kind == OrgKind::district; }

// A58, A59: up to the next desk, or down to one below.
Result<void> choose_holder(Tx& tx, const CaseRecord& state, const std::string& case_path, Command& command) {
  const bool up = command.action == Action::escalate;
  // The desk that has it now: of the place's own path the last node with one.
  auto now = holder_path_of(state, case_path);
  std::optional<OrgNode> desk;
  for (auto path = now; !path.empty() && !desk;) {
    const auto border = path.rfind('/');
    const auto node = tx.find_org(border == std::string::npos ? path : path.substr(border + 1));
    if (node && (has_desk(*node) || path == state.holder)) desk = node;
    path = border == std::string::npos ? std::string() : path.substr(0, border);
  }
  if (desk) now = desk->path;
  const std::string asked(domain::text_of(command.fields, Field::holder));
  std::optional<OrgNode> next;
  if (!asked.empty()) {
    next = tx.find_org(asked.substr(asked.rfind('/') + 1));
    const bool fits = next && next->kind != OrgKind::unit && next->path != now &&
                      (up ? domain::within(next->path, now) && has_desk(*next) : domain::within(now, next->path));
    if (!fits) return wrong(Field::holder, asked + (up ? " is no desk above" : " is no desk below"));
  } else if (up) {
    for (auto code = desk ? desk->parent : std::string(); !code.empty() && !next;) {
      const auto node = tx.find_org(code);
      if (!node) break;
      if (has_desk(*node)) next = node;
      code = node->parent;
    }
    if (!next) return wrong(Field::holder, "there is no desk above");
  } else {
    // The case's own town, when it lies below.
    const auto town = tx.find_org(state.town);
    if (town && town->path != now && domain::within(now, town->path)) next = town;
    if (!next) {
      return fail(ErrorCode::missing_field, field_name(Field::holder), "choose the desk that shall have it");
    }
  }
  command.fields[Field::holder] = next->path;
  if (!command.fields.contains(Field::level)) {
    command.fields[Field::level] = domain::number_of(state.values, Field::level).value_or(kTownLevel) + (up ? 1 : -1);
  }
  return {};
}

}  // namespace

Result<void> look_up(Tx& tx, const domain::Policy&, const Actor& actor, const CaseRecord* state,
                     const std::string& case_path, Command& command) {
  if (auto ok = look_up_units(tx, actor, command); !ok) return ok;
  if (auto ok = look_up_target(tx, actor, command); !ok) return ok;
  if (state == nullptr) return {};
  if (command.action == Action::request_verify) return choose_member(tx, actor, *state, command);
  if (auto ok = look_up_colleague(tx, *state, Field::assignee, false, command); !ok) return ok;
  if (auto ok = look_up_colleague(tx, *state, Field::signed_by, true, command); !ok) return ok;
  if (command.action == Action::escalate || command.action == Action::assign_down) {
    return choose_holder(tx, *state, case_path, command);
  }
  return {};
}

}  // namespace gridward::app
