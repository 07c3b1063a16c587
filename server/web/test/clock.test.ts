import { describe, expect, it } from 'vitest'
import { clockOf } from '@/lib/clock'
import { clock } from './sample'

describe('clockOf', () => {
  it('has no colour without a clock', () => {
    expect(clockOf(null, 5000)).toMatchObject({ level: 'none', state: 'none' })
  })
  it("has the server's colour until the due is past", () => {
    expect(clockOf(clock(), 1500)).toMatchObject({ level: 'green', remainingMs: 500, fraction: 0.5, state: 'running' })
    expect(clockOf(clock({ light: 'yellow', per_mille: 801 }), 2000).level).toBe('yellow')
    expect(clockOf(clock(), 2001)).toMatchObject({ level: 'red', remainingMs: -1, fraction: 1, state: 'running' })
    expect(clockOf(clock({ light: 'red', per_mille: 1300 }), 2300)).toMatchObject({ level: 'red', fraction: 1.3 })
  })
  it('stands still while it is paused', () => {
    expect(clockOf(clock({ due: null, paused: true, light: null, per_mille: null }), 9000)).toMatchObject({ level: 'none', state: 'paused' })
  })
  it('says of one that was stopped whether it was kept', () => {
    expect(clockOf(clock({ ended: 1990, kept: true, light: 'yellow' }), 9000)).toMatchObject({ level: 'green', state: 'kept', remainingMs: 10 })
    expect(clockOf(clock({ ended: 2100, kept: false }), 9000)).toMatchObject({ level: 'red', state: 'missed', remainingMs: -100 })
    expect(clockOf(clock({ ended: 1500, kept: null }), 9000)).toMatchObject({ level: 'none', state: 'cancelled' })
  })
})
