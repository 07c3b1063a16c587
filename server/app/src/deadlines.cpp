// Clocks that turn yellow or pass their due.
#include <gridward/app/services.hpp>
#include <gridward/shared/down_items.hpp>

#include "case_work.hpp"
#include "down.hpp"

namespace gridward::app {
namespace {

using domain::CaseRecord;
using domain::Field;

// The writer is held for about a tenth of a second.
constexpr std::size_t kCasesPerPass = 512;
// A case whose alarm cannot be told (a profile that lost its process) must not hold up the others.
constexpr auto kPutOff = std::chrono::hours{1};

// Whose handheld has the check that is late.
void remind_checker(Tx& tx, const CaseRecord& state, const domain::CaseEvent& event, NewDown& items) {
  if (state.verifier.empty() || domain::text_of(event.fields, Field::clock) != "verify") return;
  const auto device = tx.device_of(state.verifier);
  if (!device) return;
  const bool late = event.type == domain::Action::overdue;
  items.try_emplace(
      *device,
      tx.enqueue_down(*device, "notice",
                      encode_item(NoticeItem{"案件 " + state.number + (late ? " 的核查已超期" : " 的核查即将到期")}),
                      event.recorded));
}

// The case with everything that is due at `now` told.
Result<CaseRecord> sound(Tx& tx, const domain::Policy& policy, CaseRecord state, const std::string& path, UnixMs now,
                         NewDown& items) {
  for (const auto& alarm : domain::alarms(state, policy, now)) {
    domain::Command command;
    command.action = alarm.action;
    command.actor = machine();
    command.at = alarm.at;
    command.fields[Field::clock] = alarm.clock;
    command.holder_path = holder_path_of(state, path);
    const auto events = domain::decide(&state, command, policy, now);
    if (!events) return tl::unexpected(events.error());
    auto after = store_events(tx, policy, state, *events);
    if (!after) return tl::unexpected(after.error());
    state = std::move(*after);
    for (const auto& event : *events) {
      send_progress(tx, policy, state, event, items);
      remind_checker(tx, state, event, items);
    }
  }
  return state;
}

}  // namespace

bool DeadlineJobs::run_once() {
  const auto now = services_.clock.now();
  bool any = false;
  const auto looked = services_.store.read([&](Tx& tx) -> Result<void> {
    any = !tx.alarmed_cases(now, 1).empty();
    return {};
  });
  // Most passes find nothing, and then write nothing.
  if (!looked || !any) return false;
  std::vector<LiveEvent> live;
  std::vector<Outgoing> outgoing;
  bool more = false;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    outgoing.clear();
    NewDown items;
    std::map<std::string, std::optional<std::string>> unit_paths;
    const auto due = tx.alarmed_cases(now, kCasesPerPass);
    more = due.size() == kCasesPerPass;
    for (const auto& id : due) {
      const auto before = tx.find_case(id);
      if (!before) continue;
      const auto path = tx.case_org_path(id);
      const auto after = sound(tx, services_.policy, *before, path, now, items);
      if (!after) {
        tx.set_alarm(id, now + kPutOff);
        continue;
      }
      const auto next = domain::next_alarm(*after, services_.policy);
      const bool again = next && *next <= now;  // told, and asked for again: not in a circle
      const bool told = after->version != before->version;
      // What was told has brought its next alarm with it.
      if (again || !told) tx.set_alarm(id, again ? now + kPutOff : next);
      if (told) tell(tx, *after, path, live, unit_paths);
    }
    collect_new(tx, items, now, outgoing);
    return {};
  });
  if (!written) return false;
  deliver(services_, live, outgoing);
  return more;
}

}  // namespace gridward::app
