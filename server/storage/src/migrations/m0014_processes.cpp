#include "../connection.hpp"
#include "steps.hpp"

namespace gridward::storage {

// A case follows a process that is data, with as many clocks as that says. Events of before stand for a pipeline that
// the program no longer has; no version with them was ever released, so they are refused, not converted
// (docs/adr/0013-the-store-of-cases.md).
Migration m0014_processes() {
  return {
      14,
      "processes, clocks and units of a case; counters of cases",
      {
          "ALTER TABLE cases ADD COLUMN process {text} NOT NULL DEFAULT ''",
          "ALTER TABLE cases ADD COLUMN ends INTEGER NOT NULL DEFAULT 0",
          "ALTER TABLE cases ADD COLUMN channel {text} NOT NULL DEFAULT ''",
          // Path of the desk that has it, empty: its town's.
          "ALTER TABLE cases ADD COLUMN holder {text} NOT NULL DEFAULT ''",
          // The earliest due of a clock that runs, and whether one has passed.
          "ALTER TABLE cases ADD COLUMN due_at BIGINT",
          "ALTER TABLE cases ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0",
          // When a clock turns yellow or passes its due: whoever sweeps looks here.
          "ALTER TABLE cases ADD COLUMN next_alarm BIGINT",
          "CREATE INDEX cases_alarm ON cases (next_alarm, id) WHERE next_alarm IS NOT NULL",
          "CREATE INDEX cases_overdue ON cases (due_at, id) WHERE overdue = 1 AND ends = 0",
          "CREATE INDEX cases_overdue_area ON cases (area, due_at, id) WHERE overdue = 1 AND ends = 0",
          // part: "lead" or "assisting". updated_at is the case's, so that a unit's list is read in its order.
          R"(CREATE TABLE case_units (
                   case_id {text} NOT NULL,
                   unit {text} NOT NULL,
                   part {text} NOT NULL,
                   updated_at BIGINT NOT NULL,
                   PRIMARY KEY (case_id, unit)))",
          "CREATE INDEX case_units_list ON case_units (unit, updated_at, case_id)",
          "DROP INDEX cases_unit",
          // scope: the area of a case ("120116/120116115/"), or the code of a unit that leads or assists.
          R"(CREATE TABLE case_counters (
                   scope {text} NOT NULL,
                   process {text} NOT NULL,
                   stage {text} NOT NULL,
                   n BIGINT NOT NULL,
                   PRIMARY KEY (scope, process, stage)))",
          // A channel's own number of a request, so that the same again makes no second case.
          R"(CREATE TABLE case_references (
                   channel {text} NOT NULL,
                   reference {text} NOT NULL,
                   case_id {text} NOT NULL,
                   PRIMARY KEY (channel, reference)))",
      },
      {},
      [](Connection& connection, int version) -> std::string {
        if (version < 3) return {};  // no cases yet
        const auto events = connection.value<std::int64_t>("SELECT COUNT(*) FROM case_events").value_or(0);
        const auto rows = connection.value<std::int64_t>("SELECT COUNT(*) FROM cases").value_or(0);
        if (events == 0 && rows == 0) return {};
        return "the database holds " + std::to_string(rows) +
               " cases of a version before the first release, which this program cannot read. Keep its file for the "
               "program that wrote it, and begin with an empty database: name another one in `store.url`, and import "
               "the organisation and the people again";
      }};
}

}  // namespace gridward::storage
