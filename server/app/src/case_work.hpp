// What the use cases of a case have in common, inside a unit.
#pragma once

#include <gridward/app/services.hpp>
#include <optional>
#include <string>
#include <vector>

#include "down.hpp"

namespace gridward::app {

tl::unexpected<Error> no_case(const Uuid& id);
tl::unexpected<Error> not_yours(const Uuid& id);

domain::Actor actor_of(const User& user);
domain::Actor machine();
Uuid new_uuid(Services& services);

// The desk that has the case: whom the case names, else its place's.
std::string holder_path_of(const domain::CaseRecord& state, const std::string& case_path);

// Stores what happened to a case, and when its clocks must be looked at next. version_conflict: somebody was faster.
Result<domain::CaseRecord> store_events(Tx& tx, const domain::Policy& policy, const domain::CaseRecord& before,
                                        const std::vector<domain::CaseEvent>& events,
                                        std::optional<std::int64_t> record = std::nullopt);
// A case begins. False: its id is taken, and nothing was done.
bool store_new(Tx& tx, const domain::Policy& policy, const domain::CaseRecord& state,
               const std::vector<domain::CaseEvent>& events, const std::string& path,
               std::optional<std::int64_t> record = std::nullopt);

// Pages of the place, and of the units, which may lie anywhere in the tree.
void tell(Tx& tx, const domain::CaseRecord& state, const std::string& path, std::vector<LiveEvent>& live);
// Of several cases in one unit: `paths` remembers where the handling units lie.
void tell(Tx& tx, const domain::CaseRecord& state, const std::string& path, std::vector<LiveEvent>& live,
          std::map<std::string, std::optional<std::string>>& paths);
// What of the act its reporter's handheld is told, if they have one.
void send_progress(Tx& tx, const domain::Policy& policy, const domain::CaseRecord& state,
                   const domain::CaseEvent& event, NewDown& items);

Result<CaseView> view_of(Tx& tx, const domain::Policy& policy, const domain::Actor& actor, domain::CaseRecord record,
                         UnixMs now);

// Puts what a page chose (codes, logins, ids) into the command as decide() needs it, looked up and within the actor's
// reach. Errors: out_of_range, missing_field, with the field as "fields.unit".
Result<void> look_up(Tx& tx, const domain::Policy& policy, const domain::Actor& actor, const domain::CaseRecord* state,
                     const std::string& case_path, domain::Command& command);

}  // namespace gridward::app
