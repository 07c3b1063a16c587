#include "steps.hpp"

namespace gridward::storage {

Migration m0007_down_again_and_quarantine() {
  return {7,
          "items sent again, quarantine within a budget, places of a login",
          {
              // sent: when the item was last given to the broker, or made. kept_back: its number was given by a
              // restored store before the device told which numbers it has.
              "ALTER TABLE down_items ADD COLUMN sent BIGINT NOT NULL DEFAULT 0",
              "ALTER TABLE down_items ADD COLUMN kept_back INTEGER NOT NULL DEFAULT 0",
              "UPDATE down_items SET sent = created",
              // The generation a store was made with: while it has no other, nothing was ever restored.
              "ALTER TABLE store_generation ADD COLUMN first_generation {text} NOT NULL DEFAULT ''",
              "UPDATE store_generation SET first_generation = generation",
              // Devices that have told a restored store how far they have its items, by the generation they told it.
              R"(CREATE TABLE down_agreed (
               device {text} PRIMARY KEY,
               generation {text} NOT NULL))",
              // at: when the member used it, so that an older record which comes late does not turn it back.
              "ALTER TABLE last_devices ADD COLUMN at BIGINT NOT NULL DEFAULT 0",
              // The same bytes again are the same row. size: of what came, kept: of `raw`, both in bytes. hash is NULL
              // in rows of before.
              "ALTER TABLE quarantine ADD COLUMN hash {text}",
              "ALTER TABLE quarantine ADD COLUMN size BIGINT NOT NULL DEFAULT 0",
              "ALTER TABLE quarantine ADD COLUMN epoch {text}",
              "ALTER TABLE quarantine ADD COLUMN seq BIGINT",
              "ALTER TABLE quarantine ADD COLUMN kind {text} NOT NULL DEFAULT ''",
              "ALTER TABLE quarantine ADD COLUMN kept BIGINT NOT NULL DEFAULT 0",
              "ALTER TABLE quarantine ADD COLUMN last_at BIGINT NOT NULL DEFAULT 0",
              "ALTER TABLE quarantine ADD COLUMN times BIGINT NOT NULL DEFAULT 1",
              "UPDATE quarantine SET last_at = received, kept = LENGTH(raw) * 3 / 4, size = LENGTH(raw) * 3 / 4",
              "CREATE UNIQUE INDEX quarantine_once ON quarantine (device, hash)",
              // What the budget of a device did not hold.
              R"(CREATE TABLE quarantine_overflow (
               device {text} PRIMARY KEY,
               records BIGINT NOT NULL,
               bytes BIGINT NOT NULL,
               last_at BIGINT NOT NULL))",
              // Where a login came in before; place is a hash of its address.
              R"(CREATE TABLE login_places (
               login {text} NOT NULL,
               place {text} NOT NULL,
               last_at BIGINT NOT NULL,
               PRIMARY KEY (login, place)))",
          }};
}

}  // namespace gridward::storage
