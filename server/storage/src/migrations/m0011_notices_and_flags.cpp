#include "steps.hpp"

namespace gridward::storage {

Migration m0011_notices_and_flags() {
  return {11,
          "notices, flagged records by device",
          {
              // request: hash of what was asked for. id is the asker's own, so that asking twice sends once.
              R"(CREATE TABLE notices (
                   id {text} PRIMARY KEY,
                   at BIGINT NOT NULL,
                   who {text} NOT NULL,
                   request {text} NOT NULL,
                   text {text} NOT NULL))",
              R"(CREATE TABLE notice_devices (
                   notice {text} NOT NULL,
                   device {text} NOT NULL,
                   PRIMARY KEY (notice, device)))",
              // Few are flagged, and the page of devices counts them.
              "CREATE INDEX records_flagged ON records (stream, received) WHERE flags <> ''",
          }};
}

}  // namespace gridward::storage
