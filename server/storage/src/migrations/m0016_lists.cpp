#include "steps.hpp"

namespace gridward::storage {

// Each list is read in its order from one index, and what it filters by beside stands in the index too, so that no row
// is fetched to be left out (docs/adr/0014-lists-at-a-million-cases.md).
Migration m0016_lists() {
  return {
      16,
      "indexes for the lists of a million cases",
      {
          "DROP INDEX cases_updated",
          "DROP INDEX cases_area_stage",
          "DROP INDEX cases_reporter",
          "DROP INDEX cases_overdue",
          "DROP INDEX cases_overdue_area",
          "DROP INDEX case_units_list",
          "CREATE INDEX cases_updated ON cases (updated_at, id, area)",
          "CREATE INDEX cases_stage ON cases (process, stage, updated_at, id, area)",
          "CREATE INDEX cases_area_stage ON cases (area, process, stage, updated_at, id)",
          "CREATE INDEX cases_grid ON cases (grid, updated_at, id, area, process, stage)",
          "CREATE INDEX cases_reporter ON cases (reporter, updated_at, id, process, stage)",
          "CREATE INDEX cases_overdue ON cases (due_at, id, area, process, stage, grid) WHERE overdue = 1 AND ends = 0",
          "CREATE INDEX cases_overdue_area ON cases (area, due_at, id, process, stage, grid) "
          "WHERE overdue = 1 AND ends = 0",
          // A number from its beginning, or from its day on.
          "CREATE INDEX cases_number ON cases (number)",
          "CREATE INDEX cases_day_number ON cases (SUBSTR(number, LENGTH(town) + 2))",
          "ALTER TABLE case_units ADD COLUMN area {text} NOT NULL DEFAULT ''",
          "ALTER TABLE case_units ADD COLUMN process {text} NOT NULL DEFAULT ''",
          "ALTER TABLE case_units ADD COLUMN stage {text} NOT NULL DEFAULT ''",
          // The case's due when it is open and past it, else nothing.
          "ALTER TABLE case_units ADD COLUMN overdue_at BIGINT",
          "UPDATE case_units SET area = (SELECT c.area FROM cases c WHERE c.id = case_units.case_id), "
          "process = (SELECT c.process FROM cases c WHERE c.id = case_units.case_id), "
          "stage = (SELECT c.stage FROM cases c WHERE c.id = case_units.case_id), "
          "overdue_at = (SELECT c.due_at FROM cases c WHERE c.id = case_units.case_id AND c.overdue = 1 "
          "AND c.ends = 0)",
          "CREATE INDEX case_units_list ON case_units (unit, updated_at, case_id, area, process, stage)",
          "CREATE INDEX case_units_overdue ON case_units (unit, overdue_at, case_id, area, process, stage) "
          "WHERE overdue_at IS NOT NULL",
      }};
}

}  // namespace gridward::storage
