#include <algorithm>
#include <gridward/app/services.hpp>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>

#include "case_work.hpp"
#include "days.hpp"
#include "down.hpp"
#include "grid_index.hpp"
#include "roles.hpp"

namespace gridward::app {
namespace {

using domain::Action;
using domain::Actor;
using domain::CaseRecord;
using domain::Command;
using domain::Field;
using domain::Role;

constexpr std::size_t kPageLimit = 200;
constexpr std::string_view kMemberChannel = "grid_member";

std::vector<domain::EvidenceRef> evidence_of(const Record& record) {
  std::vector<domain::EvidenceRef> out;
  out.reserve(record.media.size());
  for (const auto& media : record.media) out.push_back({media.sha256, media.role});
  return out;
}

// Narrows what a page asks for to what its user may see; an empty role or node sees nothing.
Result<CaseFilter> narrowed(const Actor& actor, CaseFilter filter) {
  filter.limit = std::clamp<std::size_t>(filter.limit, 1, kPageLimit);
  if (at_desk(actor.role) && !actor.org_path.empty()) {
    if (!domain::within(actor.org_path, filter.subtree)) filter.subtree = actor.org_path;
    return filter;
  }
  if (of_unit(actor.role) && !actor.org.empty()) {
    filter.unit = actor.org;
    filter.subtree.clear();
    return filter;
  }
  if ((in_field(actor.role) || actor.role == Role::channel) && !actor.login.empty()) {
    filter.reporter = actor.login;
    filter.subtree.clear();
    return filter;
  }
  return fail(ErrorCode::forbidden, "role", std::string(to_string(actor.role)) + " sees no cases");
}

std::string outcome_text(TaskOutcome outcome) {
  switch (outcome) {
    case TaskOutcome::confirmed:
      return "confirmed";
    case TaskOutcome::not_rectified:
      return "not_rectified";
    case TaskOutcome::cannot_check:
      break;
  }
  return "cannot_check";
}

// The bodies of items are read by the device; they hold what it needs to show, no more.
std::uint64_t send_task(Tx& tx, const domain::Policy& policy, const CaseRecord& state, const std::string& device,
                        UnixMs now) {
  TaskItem item;
  item.task = state.verify_task;
  item.task_kind = "verify";
  item.case_id = state.id;
  item.number = state.number;
  const auto category = policy.categories.find(state.category);
  item.category = category == policy.categories.end() ? state.category : category->second.name;
  item.text = state.text;
  if (state.place) item.point = state.place->point;
  item.due = state.due_at();
  for (const auto& stored : tx.case_events(state.id)) {
    if (stored.event.type != Action::report) continue;
    for (const auto& media : stored.event.media) item.before.push_back(media.sha256);
  }
  return tx.enqueue_down(device, "task", encode_item(item), now);
}

// Does the process know the act from where the case is? What follows by itself follows only then.
bool follows(const domain::Policy& policy, const CaseRecord& state, Action action) {
  const auto process = policy.processes.find(state.process);
  if (process == policy.processes.end()) return false;
  return std::ranges::any_of(process->second.moves, [&](const domain::Move& move) {
    return move.action == action && std::ranges::find(move.roles, Role::system) != move.roles.end() &&
           std::ranges::any_of(
               move.from, [&](const std::string& step) { return step == state.step || (step == "*" && !state.ends); });
  });
}

// 考核 follows the closing by itself.
Result<CaseRecord> assess(Tx& tx, const domain::Policy& policy, const CaseRecord& closed, UnixMs now) {
  std::vector<domain::CaseEvent> history;
  for (auto& stored : tx.case_events(closed.id)) history.push_back(std::move(stored.event));
  Command command;
  command.action = Action::assess;
  command.actor = machine();
  command.at = now;
  command.holder_path = holder_path_of(closed, tx.case_org_path(closed.id));
  command.history = history;
  if (const auto grid = closed.grid.empty() ? std::nullopt : tx.find_org(closed.grid)) {
    for (const auto& user : tx.users_below(grid->path)) {
      if (user.active && user.role == Role::grid_member) {
        command.grid_member = user.login;
        break;
      }
    }
  }
  auto events = domain::decide(&closed, command, policy, now);
  if (!events) return tl::unexpected(events.error());
  return store_events(tx, policy, closed, *events);
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

Result<CaseCounts> Cases::counts(const Actor& actor) {
  auto narrow = narrowed(actor, {});
  if (!narrow) return tl::unexpected(narrow.error());
  CaseCounts counts;
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
    auto made = view_of(tx, services_.policy, actor, std::move(*record), services_.clock.now());
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
    command.fields = request.fields;
    command.media = request.media;
    command.fields.erase(Field::task);  // made here
    command.holder_path = holder_path_of(*before, path);
    if (auto ok = look_up(tx, services_.policy, actor, &*before, path, command); !ok) {
      // Whoever may not do it, or not now, is told that, and not what is wrong with the rest.
      const auto tried = domain::decide(&*before, command, services_.policy, now);
      const bool theirs =
          tried || (tried.error().code != ErrorCode::forbidden && tried.error().code != ErrorCode::illegal_transition &&
                    tried.error().code != ErrorCode::version_conflict);
      if (theirs) return ok;
      return tl::unexpected(tried.error());
    }
    std::optional<std::string> device;
    std::string member;
    if (request.action == Action::request_verify) {
      member = domain::text_of(command.fields, Field::assignee);
      command.fields[Field::task] = to_string(new_uuid(services_));
      device = tx.device_of(member);
    }
    auto events = domain::decide(&*before, command, services_.policy, now);
    if (!events) return tl::unexpected(events.error());
    if (request.action == Action::request_verify && !device) {
      return fail(ErrorCode::out_of_range, "fields.assignee", member + " has no handheld");
    }
    auto after = store_events(tx, services_.policy, *before, *events);
    if (!after) return tl::unexpected(after.error());

    NewDown items;
    for (const auto& event : *events) send_progress(tx, services_.policy, *after, event, items);
    if (request.action == Action::request_verify) {
      tx.insert_task({after->verify_task, id, member, *device, now, std::nullopt, false});
      items.try_emplace(*device, send_task(tx, services_.policy, *after, *device, now));
    }
    if (request.action == Action::close && follows(services_.policy, *after, Action::assess)) {
      after = assess(tx, services_.policy, *after, now);
      if (!after) return tl::unexpected(after.error());
    }
    tell(tx, *after, path, live);
    collect_new(tx, items, now, outgoing);
    auto made = view_of(tx, services_.policy, actor, std::move(*after), now);
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

  const auto channel = services_.policy.channels.find(std::string(kMemberChannel));
  if (channel == services_.policy.channels.end()) {
    return fail(ErrorCode::config_invalid, "channels", "the profile has no channel grid_member");
  }
  Command command;
  command.action = Action::report;
  command.actor = actor_of(member);
  command.at = record.at;
  command.place = record.fix;
  command.note = body.text;
  command.process = channel->second.process;
  command.fields = {
      {Field::channel, std::string(kMemberChannel)}, {Field::category, body.category}, {Field::town, device.town}};
  if (!place.grid.empty()) command.fields[Field::grid] = place.grid;
  command.holder_path = place.path;
  command.media = evidence_of(record);
  const auto events = domain::decide(nullptr, command, services_.policy, now);
  if (!events) return tl::unexpected(events.error());

  // Numbered by the day it was received: the handheld's clock may be wrong, and a number tells when the center knew.
  const auto number = tx.next_case_number(device.town, compact_day(services_.policy.calendar, now));
  // The record's id is the case's, so that the member's device knows its own report again in the progress it is sent.
  // Another device may have used the id: then a new one.
  auto id = record.id;
  auto state = domain::replay(id, number, *events);
  while (!store_new(tx, services_.policy, state, *events, place.path, row)) {
    id = new_uuid(services_);
    state = domain::replay(id, number, *events);
  }
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
  command.fields = {{Field::task, to_string(body.task)}, {Field::outcome, outcome_text(body.outcome)}};
  command.media = evidence_of(record);
  // A page may act on the same case in another transaction: read again, the check itself decides.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto before = tx.find_case(task->case_id);
    if (!before) return fail(ErrorCode::unknown_task, "body.task", "its case is gone");
    const auto path = tx.case_org_path(task->case_id);
    command.holder_path = holder_path_of(*before, path);
    auto events = domain::decide(&*before, command, services_.policy, now);
    if (!events) return tl::unexpected(events.error());
    const auto after = store_events(tx, services_.policy, *before, *events, row);
    if (!after && after.error().code == ErrorCode::version_conflict) continue;
    if (!after) return tl::unexpected(after.error());
    task->done = now;
    tx.update_task(*task);
    for (const auto& media : record.media) tx.expect_media(media, row, task->case_id);
    tell(tx, *after, path, effects.live);
    return {};
  }
  return fail(ErrorCode::busy, "body.task", "the case changes too fast");
}

}  // namespace gridward::app
