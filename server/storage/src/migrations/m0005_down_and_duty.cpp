#include "steps.hpp"

namespace gridward::storage {

Migration m0005_down_and_duty() {
  return {5,
          "down items, duty",
          {
              R"(CREATE TABLE down_items (
                   device {text} NOT NULL,
                   n BIGINT NOT NULL,
                   kind {text} NOT NULL,
                   body {text} NOT NULL,
                   created BIGINT NOT NULL,
                   PRIMARY KEY (device, n)))",
              // scope: where the member belonged when the punch was taken in.
              R"(CREATE TABLE punches (
                   punch {id},
                   record {text} NOT NULL,
                   actor {text} NOT NULL,
                   scope {text} NOT NULL,
                   device {text} NOT NULL,
                   act INTEGER NOT NULL,
                   at BIGINT NOT NULL,
                   received BIGINT NOT NULL,
                   clock_source INTEGER NOT NULL,
                   clock_error_ms BIGINT NOT NULL,
                   fix {text} NOT NULL,
                   place INTEGER NOT NULL,
                   grid {text} NOT NULL))",
              "CREATE INDEX punches_actor ON punches (actor, at)",
              "CREATE INDEX punches_at ON punches (at)",
              R"(CREATE TABLE patrols (
                   patrol {text} PRIMARY KEY,
                   actor {text} NOT NULL,
                   device {text} NOT NULL,
                   started BIGINT NOT NULL,
                   ended BIGINT,
                   text {text} NOT NULL,
                   checks {text} NOT NULL))",
              "CREATE INDEX patrols_actor ON patrols (actor, started)",
              R"(CREATE TABLE tracks (
                   track {id},
                   record {text} NOT NULL,
                   actor {text} NOT NULL,
                   device {text} NOT NULL,
                   patrol {text} NOT NULL,
                   first_at BIGINT NOT NULL,
                   last_at BIGINT NOT NULL,
                   points {text} NOT NULL))",
              "CREATE INDEX tracks_actor ON tracks (actor, first_at)",
              R"(CREATE TABLE dropped_points (
                   device {text} NOT NULL,
                   day {text} NOT NULL,
                   points BIGINT NOT NULL,
                   PRIMARY KEY (device, day)))",
          }};
}

}  // namespace gridward::storage
