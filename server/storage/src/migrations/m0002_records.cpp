#include "steps.hpp"

namespace gridward::storage {

// A stream is a device in one epoch. contiguous: every seq from 1 to it is there; newest: the greatest seq seen.
// No foreign key here, nor in the other tables that every report goes to: its check makes SQLite keep a journal for
// each statement.
Migration m0002_records() {
  return {2,
          "records",
          {
              R"(CREATE TABLE streams (
                   stream {id},
                   device {text} NOT NULL,
                   epoch {text} NOT NULL,
                   contiguous BIGINT NOT NULL,
                   newest BIGINT NOT NULL,
                   UNIQUE (device, epoch)))",
              R"(CREATE TABLE records (
                   record {id},
                   stream BIGINT NOT NULL,
                   id {text} NOT NULL,
                   seq BIGINT NOT NULL,
                   town {text} NOT NULL,
                   kind {text} NOT NULL,
                   actor {text} NOT NULL,
                   at BIGINT NOT NULL,
                   received BIGINT NOT NULL,
                   hash {text} NOT NULL,
                   bytes {text} NOT NULL,
                   held INTEGER NOT NULL DEFAULT 0,
                   forgotten INTEGER NOT NULL DEFAULT 0,
                   flags {text} NOT NULL DEFAULT '',
                   refused_code INTEGER NOT NULL DEFAULT 0,
                   refused_field {text} NOT NULL DEFAULT '',
                   refused_detail {text} NOT NULL DEFAULT '',
                   UNIQUE (stream, id),
                   UNIQUE (stream, seq)))",
              "CREATE INDEX records_held ON records (stream, seq) WHERE held = 1",
              R"(CREATE TABLE quarantine (
                   quarantined {id},
                   device {text} NOT NULL,
                   topic {text} NOT NULL,
                   record {text},
                   received BIGINT NOT NULL,
                   error_code INTEGER NOT NULL,
                   error_field {text} NOT NULL,
                   error_detail {text} NOT NULL,
                   raw {text} NOT NULL))",
              R"(CREATE TABLE signature_jobs (
                   job {id},
                   device {text} NOT NULL,
                   epoch {text} NOT NULL,
                   records {text} NOT NULL,
                   hashes {text} NOT NULL,
                   signature {text} NOT NULL))",
          }};
}

}  // namespace gridward::storage
