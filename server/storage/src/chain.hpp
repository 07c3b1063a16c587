// The hash chain of a case's events, and the commitments that it covers in place of personal data.
#pragma once

#include <functional>
#include <gridward/app/store.hpp>
#include <span>

#include "codec.hpp"
#include "connection.hpp"

namespace gridward::storage {

// The hash before a case's first event: it ties the chain to its case.
Sha256 chain_start(const Uuid& case_id);
// Throws std::runtime_error when a value has no salt.
Sha256 chain_next(const Sha256& before, const domain::CaseEvent& event, const EventSecrets& secrets);

EventSecrets draw_salts(const domain::CaseEvent& event);
// The events with these fields erased; their commitments stay. Throws as chain_next.
void erase(domain::CaseEvent& event, EventSecrets& secrets, const domain::PersonalSet& fields);

// In their order. Throws std::runtime_error for a row that cannot be read.
void each_event(Connection& connection, const Uuid& case_id,
                const std::function<void(app::StoredEvent, const EventSecrets&)>& f);

}  // namespace gridward::storage
