#include "steps.hpp"

namespace gridward::storage {

Migration m0012_clocks() {
  return {12,
          "the clocks of a boot, from which punches by a wall clock alone are told",
          {
              R"(CREATE TABLE clocks (
                   device {text} NOT NULL,
                   boot {text} NOT NULL,
                   at BIGINT NOT NULL,
                   mono BIGINT NOT NULL,
                   source INTEGER NOT NULL,
                   error_ms BIGINT NOT NULL,
                   PRIMARY KEY (device, boot)))",
              // Of punches from before nobody knows the boot: they stay as they are.
              "ALTER TABLE punches ADD COLUMN boot {text} NOT NULL DEFAULT '00000000000000000000000000000000'",
              "ALTER TABLE punches ADD COLUMN mono BIGINT NOT NULL DEFAULT 0",
              "ALTER TABLE punches ADD COLUMN clock_offset_ms BIGINT NOT NULL DEFAULT 0",
              "CREATE INDEX punches_unconfirmed ON punches (device, boot) WHERE clock_source = 0",
          }};
}

}  // namespace gridward::storage
