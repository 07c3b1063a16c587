// Requests that a desk or a channel's system hands in: the hotline, 随手拍, letters, visits (A4, A5, A7).
#include <algorithm>
#include <gridward/app/services.hpp>

#include "case_work.hpp"
#include "days.hpp"
#include "down.hpp"
#include "grid_index.hpp"
#include "roles.hpp"

namespace gridward::app {
namespace {

using domain::Actor;
using domain::Field;
using domain::Role;

tl::unexpected<Error> wrong(Field field, std::string detail) {
  return fail(ErrorCode::out_of_range, "fields." + std::string(domain::to_string(field)), std::move(detail));
}

constexpr std::int64_t kDistrictLevel = 4;

// May a case of this process say it as it begins?
bool begins_with(const domain::Policy& policy, const domain::Command& command, Field field) {
  const auto process = policy.processes.find(command.process);
  if (process == policy.processes.end()) return false;
  return std::ranges::any_of(process->second.moves, [&](const domain::Move& move) {
    return move.action == command.action && std::ranges::find(move.optional, field) != move.optional.end();
  });
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

// Where the case belongs: a grid that was named, a town that was named, the grid a point lies in, else the asker's
// node.
Result<Cases::Placed> Cases::place_of(Tx& tx, const Actor& actor, const CaseRequest& request, UnixMs now) {
  Placed placed;
  const std::string grid_code(domain::text_of(request.fields, Field::grid));
  const std::string town_code(domain::text_of(request.fields, Field::town));
  if (!grid_code.empty()) {
    const auto grid = tx.find_org(grid_code);
    if (!grid || grid->kind != OrgKind::grid || !domain::within(actor.org_path, grid->path)) {
      return wrong(Field::grid, grid_code + " is no grid here");
    }
    placed.grid = grid->code;
    placed.path = grid->path;
    for (auto node = tx.find_org(grid->parent); node; node = tx.find_org(node->parent)) {
      if (node->kind == OrgKind::town) placed.town = node->code;
    }
    if (!town_code.empty() && town_code != placed.town) return wrong(Field::town, grid_code + " lies in another town");
    return placed;
  }
  std::vector<std::string> towns;
  if (!town_code.empty()) {
    const auto town = tx.find_org(town_code);
    if (!town || town->kind != OrgKind::town || !domain::within(actor.org_path, town->path)) {
      return wrong(Field::town, town_code + " is no town here");
    }
    towns.push_back(town->code);
    placed.town = town->code;
    placed.path = town->path;
  } else if (request.place) {
    towns = grids_->towns(tx, actor.org_path, now);
  }
  if (request.place) {
    Fix fix;
    fix.point = *request.place;
    fix.source = FixSource::manual;
    fix.at = now;
    for (const auto& town : towns) {
      auto found = grids_->find(tx, town, fix, now);
      if (found.grid.empty()) continue;
      return Placed{town, std::move(found.grid), std::move(found.path)};
    }
  }
  if (placed.path.empty()) {
    placed.path = actor.org_path;
    placed.town = last_of(actor.org_path);
    for (auto node = tx.find_org(actor.org); node; node = tx.find_org(node->parent)) {
      if (node->kind != OrgKind::town && node->kind != OrgKind::district) continue;
      placed.town = node->code;
      placed.path = node->path;
      break;
    }
  }
  return placed;
}

Result<CaseView> Cases::register_request(const Actor& actor, const CaseRequest& request) {
  if (!(at_desk(actor.role) || actor.role == Role::channel) || actor.org_path.empty()) {
    return fail(ErrorCode::forbidden, "action", std::string(to_string(actor.role)) + " registers no requests");
  }
  domain::Command command;
  command.action = domain::Action::report;
  command.actor = actor;
  command.note = request.text;
  if (!request.address.empty()) {
    if (!command.note.empty()) command.note += '\n';
    command.note += "地址：" + request.address;
  }
  command.fields = request.fields;
  auto code = std::string(domain::text_of(request.fields, Field::channel));
  // The login of a channel's system is the channel's code, so that none speaks for another.
  if (actor.role == Role::channel) {
    if (!code.empty() && code != actor.login) return wrong(Field::channel, code + " is not " + actor.login);
    code = actor.login;
    command.fields[Field::channel] = code;
  }
  if (code.empty()) return fail(ErrorCode::missing_field, "fields.channel");
  const auto channel = services_.policy.channels.find(code);
  if (channel == services_.policy.channels.end()) return wrong(Field::channel, code + " is no channel");
  command.process = channel->second.process;
  const std::string reference(domain::text_of(request.fields, Field::channel_reference));

  CaseView view;
  std::vector<LiveEvent> live;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    const auto now = services_.clock.now();
    if (!reference.empty()) {
      if (const auto known = tx.find_reference(code, reference)) {
        auto record = tx.find_case(*known);
        if (!record || !domain::concerns(*record, tx.case_org_path(*known), actor)) return not_yours(*known);
        auto made = view_of(tx, services_.policy, actor, std::move(*record), now);
        if (!made) return tl::unexpected(made.error());
        view = std::move(*made);
        return {};
      }
    }
    auto place = place_of(tx, actor, request, now);
    if (!place) return tl::unexpected(place.error());
    command.at = now;
    command.place.reset();
    if (request.place) {
      command.place.emplace();
      command.place->point = *request.place;
      command.place->source = FixSource::manual;
      command.place->at = now;
    }
    command.fields[Field::town] = place->town;
    if (!place->grid.empty()) command.fields[Field::grid] = place->grid;
    command.holder_path = place->path;
    // A59: what begins at the district lies a level above what begins in a town.
    const auto node = tx.find_org(place->town);
    if (node && node->kind == OrgKind::district && begins_with(services_.policy, command, Field::level)) {
      command.fields.try_emplace(Field::level, kDistrictLevel);
    }
    if (auto ok = look_up(tx, services_.policy, actor, nullptr, place->path, command); !ok) return ok;
    const auto events = domain::decide(nullptr, command, services_.policy, now);
    if (!events) return tl::unexpected(events.error());
    const auto number = tx.next_case_number(place->town, compact_day(services_.policy.calendar, now));
    auto state = domain::replay(new_uuid(services_), number, *events);
    while (!store_new(tx, services_.policy, state, *events, place->path)) {
      state = domain::replay(new_uuid(services_), number, *events);
    }
    if (!reference.empty()) tx.insert_reference(code, reference, state.id);
    tell(tx, state, place->path, live);
    auto made = view_of(tx, services_.policy, actor, std::move(state), now);
    if (!made) return tl::unexpected(made.error());
    view = std::move(*made);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  deliver(services_, live, {});
  return view;
}

}  // namespace gridward::app
