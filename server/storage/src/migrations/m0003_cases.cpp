#include "steps.hpp"

namespace gridward::storage {

// A case's row is the projection of its events; `data` is JSON with the fields that nothing is looked up by.
// org_path ends in "/"; area is its first two parts, the town that most lists are asked for.
Migration m0003_cases() {
  return {3,
          "cases",
          {
              R"(CREATE TABLE cases (
                   id {text} PRIMARY KEY,
                   number {text} NOT NULL,
                   town {text} NOT NULL,
                   grid {text} NOT NULL,
                   category {text} NOT NULL,
                   stage {text} NOT NULL,
                   step {text} NOT NULL,
                   unit {text} NOT NULL,
                   reporter {text} NOT NULL,
                   org_path {text} NOT NULL,
                   area {text} NOT NULL,
                   version BIGINT NOT NULL,
                   updated_at BIGINT NOT NULL,
                   text {text} NOT NULL,
                   data {text} NOT NULL))",
              "CREATE INDEX cases_updated ON cases (updated_at, id)",
              "CREATE INDEX cases_area ON cases (area, updated_at, id)",
              "CREATE INDEX cases_area_stage ON cases (area, stage, updated_at, id)",
              "CREATE INDEX cases_reporter ON cases (reporter, updated_at, id)",
              "CREATE INDEX cases_unit ON cases (unit, updated_at, id) WHERE unit <> ''",
              R"(CREATE TABLE case_events (
                   case_id {text} NOT NULL,
                   n BIGINT NOT NULL,
                   type {text} NOT NULL,
                   actor {text} NOT NULL,
                   at BIGINT NOT NULL,
                   recorded BIGINT NOT NULL,
                   data {text} NOT NULL,
                   hash {text} NOT NULL,
                   PRIMARY KEY (case_id, n)))",
              R"(CREATE TABLE verify_tasks (
                   id {text} PRIMARY KEY,
                   case_id {text} NOT NULL,
                   assignee {text} NOT NULL,
                   device {text} NOT NULL,
                   created BIGINT NOT NULL,
                   done BIGINT,
                   cancelled INTEGER NOT NULL))",
          }};
}

}  // namespace gridward::storage
