#include "steps.hpp"

namespace gridward::storage {

Migration m0006_generation() {
  return {6,
          "generation of the store, reach of its backup",
          {
              // One row. Another one after a restore, so that handhelds send again what the backup did not have.
              "CREATE TABLE store_generation (one INTEGER PRIMARY KEY, generation {text} NOT NULL)",
              // Up to which seq the last backup holds a stream, files included.
              R"(CREATE TABLE backup_reach (
                   device {text} NOT NULL,
                   epoch {text} NOT NULL,
                   safe BIGINT NOT NULL,
                   PRIMARY KEY (device, epoch)))",
          }};
}

}  // namespace gridward::storage
