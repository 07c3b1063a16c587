#include "steps.hpp"

namespace gridward::storage {
// Chains of before covered the values themselves; m0014 refuses a database that holds one.
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
          }};
}

}  // namespace gridward::storage
