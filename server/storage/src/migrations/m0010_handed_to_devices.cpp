#include "steps.hpp"

namespace gridward::storage {

// Which settings and matter list a device was given last, by their rev, and in which epoch of its outbox ('': none).
Migration m0010_handed_to_devices() {
  return {10,
          "settings and matter list of devices",
          {
              "ALTER TABLE devices ADD COLUMN handed_epoch {text} NOT NULL DEFAULT ''",
              "ALTER TABLE devices ADD COLUMN handed_settings {text} NOT NULL DEFAULT ''",
              "ALTER TABLE devices ADD COLUMN handed_categories {text} NOT NULL DEFAULT ''",
          }};
}

}  // namespace gridward::storage
