#include "case_work.hpp"

#include <algorithm>
#include <gridward/shared/down_items.hpp>
#include <gridward/shared/limits.hpp>

#include "likeness.hpp"

namespace gridward::app {

using domain::Action;
using domain::Actor;
using domain::CaseEvent;
using domain::CaseRecord;
using domain::Field;

tl::unexpected<Error> no_case(const Uuid& id) { return fail(ErrorCode::not_found, "id", to_string(id)); }
tl::unexpected<Error> not_yours(const Uuid& id) {
  return fail(ErrorCode::forbidden, "id", to_string(id) + " does not concern you");
}

Actor actor_of(const User& user) { return {user.login, user.name, user.role, user.org, user.org_path}; }
Actor machine() { return {"system", "系统", domain::Role::system, "", ""}; }

Uuid new_uuid(Services& services) {
  std::array<std::uint8_t, 10> random{};
  services.crypto.random(random);
  return make_uuid_v7(services.clock.now(), random);
}

std::string holder_path_of(const CaseRecord& state, const std::string& case_path) {
  return state.holder.empty() ? case_path : state.holder;
}

Result<CaseRecord> store_events(Tx& tx, const domain::Policy& policy, const CaseRecord& before,
                                const std::vector<CaseEvent>& events, std::optional<std::int64_t> record) {
  auto after = before;
  for (const auto& event : events) after = domain::evolve(std::move(after), event);
  if (!tx.update_case(after, before.version, domain::next_alarm(after, policy))) {
    return fail(ErrorCode::version_conflict, "version", "somebody else was faster");
  }
  tx.append_events(before.id, before.version + 1, events, record);
  // What a higher desk gave to a lower one is found, listed and counted there from now on.
  if (after.holder != before.holder && !after.holder.empty()) {
    const auto path = tx.case_org_path(before.id);
    if (path != after.holder && domain::within(path, after.holder)) tx.move_case(before.id, after.holder);
  }
  return after;
}

bool store_new(Tx& tx, const domain::Policy& policy, const CaseRecord& state, const std::vector<CaseEvent>& events,
               const std::string& path, std::optional<std::int64_t> record) {
  if (!tx.insert_case(state, path, domain::next_alarm(state, policy))) return false;
  tx.append_events(state.id, 1, events, record);
  return true;
}

void tell(Tx& tx, const CaseRecord& state, const std::string& path, std::vector<LiveEvent>& live) {
  std::map<std::string, std::optional<std::string>> paths;
  tell(tx, state, path, live, paths);
}

void tell(Tx& tx, const CaseRecord& state, const std::string& path, std::vector<LiveEvent>& live,
          std::map<std::string, std::optional<std::string>>& paths) {
  const auto id = to_string(state.id);
  live.push_back({"case", id, path, state.version});
  auto units = state.assisting_units;
  if (!state.unit.empty()) units.insert(units.begin(), state.unit);
  std::vector<std::string> told;
  for (const auto& code : units) {
    const auto [known, fresh] = paths.try_emplace(code);
    if (fresh) {
      if (const auto unit = tx.find_org(code)) known->second = unit->path;
    }
    const auto& there = known->second;
    if (!there || domain::within(*there, path) || std::ranges::find(told, *there) != told.end()) continue;
    live.push_back({"case", id, *there, state.version});
    told.push_back(*there);
  }
}

namespace {

std::string clock_title(const domain::Policy& policy, std::string_view clock) {
  const auto title = policy.clock_titles.find(std::string(clock));
  return title == policy.clock_titles.end() ? std::string(clock) : title->second;
}

// The words of a reason: of the list that the act names.
std::string reason_text(const domain::Policy& policy, const CaseRecord& state, const CaseEvent& event) {
  const std::string code(domain::text_of(event.fields, Field::reason));
  const auto process = policy.processes.find(state.process);
  if (process == policy.processes.end()) return code;
  for (const auto& move : process->second.moves) {
    if (move.action != event.type || move.reasons.empty()) continue;
    const auto list = policy.codes.find(move.reasons);
    if (list == policy.codes.end()) continue;
    for (const auto& [known, coded] : list->second) {
      if (known == code) return coded.text;
    }
  }
  return code;
}

std::optional<std::string> progress_text(const domain::Policy& policy, const CaseRecord& state, const CaseEvent& event,
                                         const std::string& unit_name) {
  const auto with = [&](std::string_view head, std::string_view text) {
    return std::string(head) + (text.empty() ? "" : "：" + std::string(text));
  };
  switch (event.type) {
    case Action::accept:
      return "已受理";
    case Action::reject:
      return "不予受理：" + reason_text(policy, state, event) + "。" + event.note;
    case Action::direct_reply:
      return with("已答复", domain::text_of(event.fields, Field::reply));
    case Action::duplicate:
      return with("与另一件重复，已合并", event.note);
    case Action::void_case:
      return with("已作废", event.note);
    case Action::transfer:
    case Action::decide_lead:
      return "已转办：" + unit_name;
    case Action::close:
      return with("已结案", event.note);
    case Action::overdue: {
      const auto name = domain::text_of(event.fields, Field::clock);
      // A right that runs out (退单) ends with its clock, and is nobody's lateness.
      const auto* clock = state.clock(name);
      if (clock == nullptr || !clock->running()) return std::nullopt;
      return "已超期：" + clock_title(policy, name);
    }
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

}  // namespace

void send_progress(Tx& tx, const domain::Policy& policy, const CaseRecord& state, const CaseEvent& event,
                   NewDown& items) {
  std::string unit_name = state.unit;
  if (event.type == Action::transfer || event.type == Action::decide_lead) {
    if (const auto unit = tx.find_org(state.unit)) unit_name = unit->name;
  }
  auto text = progress_text(policy, state, event, unit_name);
  if (!text) return;
  const auto device = tx.device_of(state.reporter.login);
  if (!device) return;
  const ProgressItem item{state.id,   state.number,   state.stage,
                          state.step, event.recorded, cut_to_characters(std::move(*text), limits::kTextCharacters)};
  items.try_emplace(*device, tx.enqueue_down(*device, "progress", encode_item(item), event.recorded));
}

Result<CaseView> view_of(Tx& tx, const domain::Policy& policy, const Actor& actor, CaseRecord record, UnixMs now) {
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
  view.offers = domain::offers(record, actor, holder_path_of(record, tx.case_org_path(record.id)), policy, now);
  view.now = now;
  view.record = std::move(record);
  return view;
}

}  // namespace gridward::app
