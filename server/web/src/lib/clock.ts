import type { Clock, Light } from '@/api/types'

export type ClockLevel = 'none' | Light

export interface ClockView {
  level: ClockLevel
  fraction: number // of the time given that is used, 0 and more
  remainingMs: number // negative: over
  state: 'none' | 'running' | 'paused' | 'kept' | 'missed' | 'cancelled'
}

const noClock: ClockView = { level: 'none', fraction: 0, remainingMs: 0, state: 'none' }

// The colour is the server's, for it knows the office hours; what it said last holds until the due itself is past. A
// clock that was stopped says whether it was kept: in time is good news, however narrow it was.
export function clockOf(clock: Clock | null, now: number): ClockView {
  if (clock === null) return noClock
  const fraction = (clock.per_mille ?? 0) / 1000
  if (clock.ended !== null) {
    const remainingMs = clock.due === null ? 0 : clock.due - clock.ended
    if (clock.kept === null) return { level: 'none', fraction, remainingMs, state: 'cancelled' }
    return clock.kept
      ? { level: 'green', fraction, remainingMs, state: 'kept' }
      : { level: 'red', fraction, remainingMs, state: 'missed' }
  }
  if (clock.due === null) return { ...noClock, state: clock.paused ? 'paused' : 'none' }
  const remainingMs = clock.due - now
  if (remainingMs < 0) return { level: 'red', fraction: Math.max(1, fraction), remainingMs, state: 'running' }
  return { level: clock.light ?? 'green', fraction, remainingMs, state: 'running' }
}
