import { describe, expect, it } from 'vitest'
import { clockOf } from '@/lib/clock'
import { caseRow } from './sample'

const running = (change = {}) => caseRow({ stage: 'transferred', step: 'taken', clock_started_at: 1000, due_at: 2000, ...change })

describe('clockOf', () => {
  it('has no colour before the clock starts', () => {
    expect(clockOf(caseRow(), 5000)).toMatchObject({ level: 'none', stopped: false })
  })
  it.each([
    [1000, 'green'],
    [1800, 'green'], // exactly 80 %
    [1801, 'yellow'],
    [2000, 'yellow'], // exactly 100 %
    [2001, 'red'],
  ])('at %i is %s', (now, level) => {
    expect(clockOf(running(), now).level).toBe(level)
  })
  it('counts what is left and what is over', () => {
    expect(clockOf(running(), 1500)).toMatchObject({ remainingMs: 500, fraction: 0.5, stopped: false })
    expect(clockOf(running(), 2300).remainingMs).toBe(-300)
  })
  it('runs from the report when the start is not told', () => {
    expect(clockOf(running({ clock_started_at: null, reported_at: 0 }), 1000).fraction).toBe(0.5)
  })
  it('stops with the answer, not with the work', () => {
    expect(clockOf(running({ step: 'handled', handled_at: 1100 }), 2500)).toMatchObject({ level: 'red', stopped: false })
    expect(clockOf(running({ step: 'awaiting_verify', handled_at: 1950 }), 9000)).toMatchObject({ level: 'green', stopped: true })
    expect(clockOf(running({ step: 'awaiting_verify', handled_at: 2100 }), 9000)).toMatchObject({ level: 'red', remainingMs: -100 })
  })
  it('lets the assessment have the last word', () => {
    expect(clockOf(running({ step: 'done', handled_at: 1500, on_time: false }), 9000).level).toBe('red')
    expect(clockOf(running({ step: 'done', handled_at: 1500, on_time: true }), 9000)).toMatchObject({ level: 'green', stopped: true })
  })
  it('survives a limit of no length and a clock ahead of the start', () => {
    expect(Number.isFinite(clockOf(running({ due_at: 1000 }), 1000).fraction)).toBe(true)
    expect(clockOf(running(), 0).fraction).toBe(0)
  })
})
