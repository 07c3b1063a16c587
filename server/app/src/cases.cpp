#include <algorithm>
#include <gridward/app/services.hpp>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>

#include "days.hpp"
#include "down.hpp"
#include "grid_index.hpp"
#include "likeness.hpp"

namespace gridward::app {
namespace {

using domain::Action;
using domain::Actor;
using domain::CaseEvent;
using domain::CaseRecord;
using domain::Command;
using domain::Role;

constexpr std::size_t kPageLimit = 200;

tl::unexpected<Error> no_case(const Uuid& id) { return fail(ErrorCode::not_found, "id", to_string(id)); }
tl::unexpected<Error> not_yours(const Uuid& id) {
  return fail(ErrorCode::forbidden, "id", to_string(id) + " does not concern you");
}

Actor actor_of(const User& user) { return {user.login, user.name, user.role, user.org, user.org_path}; }
Actor machine() { return {"system", "系统", Role::system, "", ""}; }

Uuid new_uuid(Services& services) {
  std::array<std::uint8_t, 10> random{};
  services.crypto.random(random);
  return make_uuid_v7(services.clock.now(), random);
}

std::vector<domain::EvidenceRef> evidence_of(const Record& record) {
  std::vector<domain::EvidenceRef> out;
  out.reserve(record.media.size());
  for (const auto& media : record.media) out.push_back({media.sha256, media.role});
  return out;
}

// Narrows what a page asks for to what its user may see; an empty role or node sees nothing.
Result<CaseFilter> narrowed(const Actor& actor, CaseFilter filter) {
  filter.limit = std::clamp<std::size_t>(filter.limit, 1, kPageLimit);
  switch (actor.role) {
    case Role::town_operator:
    case Role::leader:
    case Role::system_admin:
      if (actor.org_path.empty()) break;
      if (!domain::within(actor.org_path, filter.subtree)) filter.subtree = actor.org_path;
      return filter;
    case Role::handling_unit:
      if (actor.org.empty()) break;
      filter.unit = actor.org;
      filter.subtree.clear();
      return filter;
    case Role::grid_member:
      filter.reporter = actor.login;
      filter.subtree.clear();
      return filter;
    case Role::system:
      break;
  }
  return fail(ErrorCode::forbidden, "role", std::string(to_string(actor.role)) + " sees no cases");
}

void tell(Tx& tx, const CaseRecord& state, const std::string& path, std::vector<LiveEvent>& live) {
  const auto id = to_string(state.id);
  live.push_back({"case", id, path, state.version});
  // The unit's own node may lie anywhere in the tree.
  if (state.unit.empty()) return;
  const auto unit = tx.find_org(state.unit);
  if (unit && !domain::within(unit->path, path)) live.push_back({"case", id, unit->path, state.version});
}

Result<CaseRecord> store_events(Tx& tx, const CaseRecord& before, const std::vector<CaseEvent>& events,
                                std::optional<std::int64_t> record = std::nullopt) {
  auto after = before;
  for (const auto& event : events) after = domain::evolve(std::move(after), event);
  if (!tx.update_case(after, before.version)) {
    return fail(ErrorCode::version_conflict, "version", "somebody else was faster");
  }
  tx.append_events(before.id, before.version + 1, events, record);
  return after;
}

Result<void> choose_unit(Tx& tx, const Actor& actor, Command& command) {
  if (command.unit.empty()) return {};  // decide() says so
  const auto unit = tx.find_org(command.unit);
  const auto root = actor.org_path.substr(0, actor.org_path.find('/'));
  if (!unit || unit->kind != OrgKind::unit || !domain::within(root, unit->path)) {
    return fail(ErrorCode::out_of_range, "unit", command.unit + " is no handling unit here");
  }
  command.unit_path = unit->path;
  return {};
}

// 杨家泊镇综治中心职责清单 2-1: the member of the place checks. Without one (a point in no grid, a vacancy) the
// reporter.
Result<std::string> choose_member(Tx& tx, const Actor& actor, const CaseRecord& state, const std::string& asked) {
  const auto usable = [&](const User& user) {
    return user.active && user.role == Role::grid_member && user.login != state.handler;
  };
  if (!asked.empty()) {
    const auto user = tx.find_user(asked);
    if (!user || !usable(*user) || !domain::within(actor.org_path, user->org_path)) {
      return fail(ErrorCode::out_of_range, "assignee", asked + " is no member who may check this");
    }
    return asked;
  }
  if (!state.grid.empty()) {
    if (const auto grid = tx.find_org(state.grid)) {
      for (const auto& user : tx.users_below(grid->path)) {
        if (usable(user) && tx.device_of(user.login)) return user.login;
      }
    }
  }
  const auto reporter = tx.find_user(state.reporter.login);
  if (reporter && usable(*reporter)) return reporter->login;
  return fail(ErrorCode::missing_field, "assignee", "nobody of the grid can check; choose a member");
}

// The bodies of items are read by the device; they hold what it needs to show, no more.
void send_task(Tx& tx, const domain::Policy& policy, const CaseRecord& state, const std::string& device, UnixMs now) {
  TaskItem item;
  item.task = state.verify_task;
  item.task_kind = "verify";
  item.case_id = state.id;
  item.number = state.number;
  const auto category = policy.categories.find(state.category);
  item.category = category == policy.categories.end() ? state.category : category->second.name;
  item.text = state.text;
  if (state.place) item.point = state.place->point;
  item.due = state.due_at;
  for (const auto& stored : tx.case_events(state.id)) {
    if (stored.event.type != Action::report) continue;
    for (const auto& media : stored.event.media) item.before.push_back(media.sha256);
  }
  tx.enqueue_down(device, "task", encode_item(item), now);
}

std::optional<std::string> progress_text(const domain::Policy& policy, const CaseEvent& event,
                                         const std::string& unit_name) {
  switch (event.type) {
    case Action::accept:
      return "已受理";
    case Action::reject: {
      const auto reason = policy.reject_reasons.find(event.reason);
      return "不予受理：" + (reason == policy.reject_reasons.end() ? event.reason : reason->second) + "。" + event.note;
    }
    case Action::transfer:
      return "已转办：" + unit_name;
    case Action::close:
      return event.note.empty() ? "已结案" : "已结案：" + event.note;
    default:
      return std::nullopt;
  }
}

std::string cut_to_characters(std::string text, std::size_t limit) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && count++ == limit) {
      text.resize(i);
      break;
    }
  }
  return text;
}

void send_progress(Tx& tx, const domain::Policy& policy, const CaseRecord& state, const CaseEvent& event,
                   std::vector<std::string>& devices) {
  std::string unit_name = state.unit;
  if (event.type == Action::transfer) {
    if (const auto unit = tx.find_org(state.unit)) unit_name = unit->name;
  }
  auto text = progress_text(policy, event, unit_name);
  if (!text) return;
  const auto device = tx.device_of(state.reporter.login);
  if (!device) return;
  const ProgressItem item{state.id,
                          state.number,
                          std::string(to_string(state.stage)),
                          std::string(to_string(state.step)),
                          event.recorded,
                          cut_to_characters(std::move(*text), limits::kTextCharacters)};
  tx.enqueue_down(*device, "progress", encode_item(item), event.recorded);
  devices.push_back(*device);
}

Result<CaseView> view_of(Tx& tx, const domain::Policy& policy, const Actor& actor, CaseRecord record) {
  CaseView view;
  const auto category = policy.categories.find(record.category);
  view.category_name = category == policy.categories.end() ? record.category : category->second.name;
  if (!record.grid.empty()) {
    view.grid = tx.find_org(record.grid);
    if (view.grid) view.grid_name = view.grid->name;
  }
  if (!record.unit.empty()) {
    if (const auto unit = tx.find_org(record.unit)) view.unit_name = unit->name;
  }
  view.events = tx.case_events(record.id);
  std::map<Sha256, MediaRole> roles;
  for (const auto& stored : view.events) {
    for (const auto& media : stored.event.media) roles.emplace(media.sha256, media.role);
  }
  for (const auto& [file, have] : tx.case_media(record.id)) {
    MediaView media;
    media.sha256 = file.sha256;
    const auto role = roles.find(file.sha256);
    if (role != roles.end()) media.role = role->second;
    media.status = file.status;
    media.size = file.size;
    media.have = have;
    media.problem = file.problem;
    if (file.status == MediaStatus::derived) media.numbers = tx.photo_numbers(file.sha256);
    view.media.push_back(std::move(media));
  }
  add_flags(tx, actor, record.id, view.media);
  view.actions = domain::allowed_actions(record, actor);
  view.record = std::move(record);
  return view;
}

}  // namespace

Cases::Cases(Services services) : services_(services), grids_(std::make_shared<GridIndex>()) {}

Result<CasePage> Cases::list(const Actor& actor, CaseFilter filter) {
  auto narrow = narrowed(actor, std::move(filter));
  if (!narrow) return tl::unexpected(narrow.error());
  CasePage page;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    page = tx.list_cases(*narrow);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return page;
}

Result<std::map<domain::Stage, std::size_t>> Cases::counts(const Actor& actor) {
  auto narrow = narrowed(actor, {});
  if (!narrow) return tl::unexpected(narrow.error());
  std::map<domain::Stage, std::size_t> counts;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    counts = tx.count_cases(*narrow);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return counts;
}

Result<CaseView> Cases::get(const Actor& actor, const Uuid& id) {
  CaseView view;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    auto record = tx.find_case(id);
    if (!record) return no_case(id);
    if (!domain::concerns(*record, tx.case_org_path(id), actor)) return not_yours(id);
    auto made = view_of(tx, services_.policy, actor, std::move(*record));
    if (!made) return tl::unexpected(made.error());
    view = std::move(*made);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return view;
}

Result<CaseView> Cases::act(const Actor& actor, const Uuid& id, const ActRequest& request) {
  CaseView view;
  std::vector<LiveEvent> live;
  std::vector<Outgoing> outgoing;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    outgoing.clear();
    const auto now = services_.clock.now();
    const auto before = tx.find_case(id);
    if (!before) return no_case(id);
    const auto path = tx.case_org_path(id);
    if (!domain::concerns(*before, path, actor)) return not_yours(id);

    Command command;
    command.action = request.action;
    command.actor = actor;
    command.at = now;
    command.expected_version = request.version;
    command.note = request.note;
    command.unit = request.unit;
    command.reason = request.reason;
    const bool asked = domain::may(actor.role, request.action);
    if (asked && request.action == Action::transfer) {
      if (auto ok = choose_unit(tx, actor, command); !ok) return ok;
    }
    std::optional<std::string> device;
    if (asked && request.action == Action::request_verify) {
      auto member = choose_member(tx, actor, *before, request.assignee);
      if (!member) return tl::unexpected(member.error());
      command.assignee = std::move(*member);
      command.task = new_uuid(services_);
      device = tx.device_of(command.assignee);
    }
    auto events = domain::decide(&*before, command, services_.policy, now);
    if (!events) return tl::unexpected(events.error());
    if (request.action == Action::request_verify && !device) {
      return fail(ErrorCode::out_of_range, "assignee", command.assignee + " has no handheld");
    }
    auto after = store_events(tx, *before, *events);
    if (!after) return tl::unexpected(after.error());

    std::vector<std::string> devices;
    for (const auto& event : *events) send_progress(tx, services_.policy, *after, event, devices);
    if (request.action == Action::request_verify) {
      tx.insert_task({command.task, id, command.assignee, *device, now, std::nullopt, false});
      send_task(tx, services_.policy, *after, *device, now);
      devices.push_back(*device);
    }
    if (request.action == Action::close) {
      // 考核 follows the closing by itself: at first one line, on time or not.
      Command assess;
      assess.action = Action::assess;
      assess.actor = machine();
      assess.at = now;
      auto more = domain::decide(&*after, assess, services_.policy, now);
      if (!more) return tl::unexpected(more.error());
      after = store_events(tx, *after, *more);
      if (!after) return tl::unexpected(after.error());
    }
    tell(tx, *after, path, live);
    collect_pending(tx, devices, now, outgoing);
    auto made = view_of(tx, services_.policy, actor, std::move(*after));
    if (!made) return tl::unexpected(made.error());
    view = std::move(*made);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  deliver(services_, live, outgoing);
  return view;
}

Result<MediaRow> Cases::media(const Actor& actor, const Sha256& sha) {
  std::optional<MediaRow> row;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    for (const auto& id : tx.media_cases(sha)) {
      const auto record = tx.find_case(id);
      if (record && domain::concerns(*record, tx.case_org_path(id), actor)) {
        row = tx.find_media(sha);
        return {};
      }
    }
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  // The same answer for "not there" and "not yours": whether a photo exists is nobody else's business.
  if (!row) return fail(ErrorCode::not_found, "sha256", to_hex(sha));
  return *row;
}

Result<Uuid> Cases::report(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device& device,
                           Effects& effects) {
  const auto now = services_.clock.now();
  const auto& body = std::get<ReportBody>(record.body);
  const auto place = grids_->find(tx, device.town, record.fix, now);

  Command command;
  command.action = Action::report;
  command.actor = actor_of(member);
  command.at = record.at;
  command.place = record.fix;
  command.note = body.text;
  command.category = body.category;
  command.grid = place.grid;
  command.town = device.town;
  command.media = evidence_of(record);
  const auto events = domain::decide(nullptr, command, services_.policy, now);
  if (!events) return tl::unexpected(events.error());

  // Numbered by the day it was received: the handheld's clock may be wrong, and a number tells when the center knew.
  const auto number = tx.next_case_number(device.town, compact_day(services_.policy.calendar, now));
  // The record's id is the case's, so that the member's device knows its own report again in the progress it is sent.
  // Another device may have used the id: then a new one.
  auto id = record.id;
  auto state = domain::replay(id, number, *events);
  while (!tx.insert_case(state, place.path)) {
    id = new_uuid(services_);
    state = domain::replay(id, number, *events);
  }
  tx.append_events(id, 1, *events, row);
  for (const auto& media : record.media) tx.expect_media(media, row, id);
  effects.live.push_back({"case", to_string(id), place.path, state.version});
  return id;
}

Result<void> Cases::task_result(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device&,
                                Effects& effects) {
  const auto now = services_.clock.now();
  const auto& body = std::get<TaskResultBody>(record.body);
  auto task = tx.find_task(body.task);
  // Another member's task is as unknown as none: ids are not for trying.
  if (!task || task->assignee != member.login) return fail(ErrorCode::unknown_task, "body.task", to_string(body.task));

  Command command;
  command.action = Action::verify;
  command.actor = actor_of(member);
  command.at = record.at;
  command.place = record.fix;
  command.note = body.text;
  command.task = body.task;
  command.outcome = body.outcome;
  command.media = evidence_of(record);
  // A page may act on the same case in another transaction: read again, the check itself decides.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto before = tx.find_case(task->case_id);
    if (!before) return fail(ErrorCode::unknown_task, "body.task", "its case is gone");
    auto events = domain::decide(&*before, command, services_.policy, now);
    if (!events) return tl::unexpected(events.error());
    const auto after = store_events(tx, *before, *events, row);
    if (!after && after.error().code == ErrorCode::version_conflict) continue;
    if (!after) return tl::unexpected(after.error());
    task->done = now;
    tx.update_task(*task);
    for (const auto& media : record.media) tx.expect_media(media, row, task->case_id);
    tell(tx, *after, tx.case_org_path(task->case_id), effects.live);
    return {};
  }
  return fail(ErrorCode::busy, "body.task", "the case changes too fast");
}

}  // namespace gridward::app
