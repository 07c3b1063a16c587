import type { CaseRow, Step } from '@/api/types'

export type ClockLevel = 'none' | 'green' | 'yellow' | 'red'

export interface ClockView {
  level: ClockLevel
  fraction: number // of the time given that is used, 0 and more
  remainingMs: number // negative: over
  stopped: boolean // the unit has answered, or the case is closed
}

const noClock: ClockView = { level: 'none', fraction: 0, remainingMs: 0, stopped: false }

export type ClockInput = Pick<CaseRow, 'clock_started_at' | 'due_at' | 'handled_at' | 'closed_at' | 'on_time'> & {
  reported_at: number
  step: Step
}

// Green up to 80 % of the time given, yellow up to 100 %, red over it. A stopped clock stays as it was when it stopped;
// what the assessment said goes before what the page computes.
export function clockOf(row: ClockInput, now: number): ClockView {
  if (row.due_at === null) return noClock
  const start = row.clock_started_at ?? row.reported_at
  // Work done but not yet answered does not stop the clock: the answer does (规则 第十五条).
  const end = row.step === 'handled' ? null : (row.handled_at ?? row.closed_at)
  const at = end ?? now
  const given = Math.max(1, row.due_at - start)
  const fraction = Math.max(0, (at - start) / given)
  const remainingMs = row.due_at - at
  let level: ClockLevel = fraction <= 0.8 ? 'green' : fraction <= 1 ? 'yellow' : 'red'
  if (row.on_time === false) level = 'red'
  // Answered in time is good news, however narrow it was.
  else if (end !== null && remainingMs >= 0) level = 'green'
  return { level, fraction, remainingMs, stopped: end !== null || row.on_time !== null }
}
