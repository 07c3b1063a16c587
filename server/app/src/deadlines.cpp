// Clocks that turn yellow or pass their due.
#include <gridward/app/services.hpp>
#include <gridward/shared/down_items.hpp>

#include "case_work.hpp"
#include "down.hpp"

namespace gridward::app {
namespace {

using domain::CaseRecord;
using domain::Field;

constexpr std::size_t kCasesPerPass = 256;
// A case whose alarm cannot be told (a profile that lost its process) must not hold up the others.
constexpr auto kPutOff = std::chrono::hours{1};

// Whose handheld has the check that is late.
void remind_checker(Tx& tx, const CaseRecord& state, const domain::CaseEvent& event,
                    std::vector<std::string>& devices) {
  if (state.verifier.empty() || domain::text_of(event.fields, Field::clock) != "verify") return;
  const auto device = tx.device_of(state.verifier);
  if (!device) return;
  const bool late = event.type == domain::Action::overdue;
  tx.enqueue_down(*device, "notice",
                  encode_item(NoticeItem{"案件 " + state.number + (late ? " 的核查已超期" : " 的核查即将到期")}),
                  event.recorded);
  devices.push_back(*device);
}

// The case with everything that is due at `now` told.
Result<CaseRecord> sound(Tx& tx, const domain::Policy& policy, CaseRecord state, UnixMs now,
                         std::vector<std::string>& devices) {
  const auto path = tx.case_org_path(state.id);
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
      send_progress(tx, policy, state, event, devices);
      remind_checker(tx, state, event, devices);
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
    std::vector<std::string> devices;
    const auto due = tx.alarmed_cases(now, kCasesPerPass);
    more = due.size() == kCasesPerPass;
    for (const auto& id : due) {
      const auto before = tx.find_case(id);
      if (!before) continue;
      const auto after = sound(tx, services_.policy, *before, now, devices);
      if (!after) {
        tx.set_alarm(id, now + kPutOff);
        continue;
      }
      auto next = domain::next_alarm(*after, services_.policy);
      if (next && *next <= now) next = now + kPutOff;  // told, and asked for again: not in a circle
      tx.set_alarm(id, next);
      if (after->version != before->version) tell(tx, *after, tx.case_org_path(id), live);
    }
    collect_pending(tx, devices, now, outgoing);
    return {};
  });
  if (!written) return false;
  deliver(services_, live, outgoing);
  return more;
}

}  // namespace gridward::app
