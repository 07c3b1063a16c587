#include "../chain.hpp"
#include "steps.hpp"

namespace gridward::storage {
namespace {

// Chains of before covered the values themselves. No head of one was ever published, so nobody relies on them: each
// event is taken as it stands and chained anew.
void chain_anew(Connection& connection) {
  std::vector<std::string> cases;
  connection.each<std::string>("SELECT DISTINCT case_id FROM case_events",
                               [&](std::string id) { cases.push_back(std::move(id)); });
  for (const auto& id : cases) {
    struct Row {
      std::uint64_t n;
      std::string data;
      Sha256 hash;
    };
    std::vector<Row> rows;
    auto hash = chain_start(uuid_of(id));
    each_event(connection, uuid_of(id), [&](app::StoredEvent event, const EventSecrets&) {
      const auto secrets = draw_salts(event.event);
      hash = chain_next(hash, event.event, secrets);
      rows.push_back({event.n, event_text(event.event, secrets), hash});
    });
    for (const auto& row : rows) {
      connection.change("UPDATE case_events SET data = :d, hash = :h WHERE case_id = :i AND n = :n", row.data,
                        to_hex(row.hash), id, row.n);
    }
  }
}

}  // namespace

Migration m0009_salted_chain() {
  return {9,
          "salted commitments in the chain of a case, erasures",
          {
              // The row of the record that the event came from.
              "ALTER TABLE case_events ADD COLUMN record BIGINT",
              R"(CREATE TABLE erasures (
                   erasure {id},
                   at BIGINT NOT NULL,
                   who {text} NOT NULL,
                   what {text} NOT NULL,
                   reason {text} NOT NULL,
                   events BIGINT NOT NULL))",
          },
          chain_anew};
}

}  // namespace gridward::storage
