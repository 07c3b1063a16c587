import { describe, expect, it } from 'vitest'
import { agoMessage, day, dayOf, fullStamp, hour, isDay, minute, shiftDay, spanMessage, stamp } from '@/lib/time'

const china = 480
const at = Date.UTC(2026, 10, 22, 2, 32, 5) // 10:32:05 in China

describe('in the zone of the tenant', () => {
  it('is as short as it can be without doubt', () => {
    expect(stamp(at, at + hour, china)).toBe('10:32')
    expect(stamp(at, at + day, china)).toBe('11-22 10:32')
    expect(stamp(at, at + 60 * day, china)).toBe('2026-11-22 10:32')
    expect(fullStamp(at, china)).toBe('2026-11-22 10:32:05')
  })
  it('turns the day at local midnight', () => {
    expect(dayOf(Date.UTC(2026, 10, 22, 15, 59), china)).toBe('2026-11-22')
    expect(dayOf(Date.UTC(2026, 10, 22, 16, 0), china)).toBe('2026-11-23')
  })
})

describe('days', () => {
  it('knows a day from what looks like one', () => {
    expect(isDay('2026-02-28')).toBe(true)
    expect(isDay('2026-02-29')).toBe(false)
    expect(isDay('2026-2-8')).toBe(false)
    expect(isDay("2026-02-28'")).toBe(false)
  })
  it('steps over months and years', () => {
    expect(shiftDay('2026-12-31', 1)).toBe('2027-01-01')
    expect(shiftDay('2024-03-01', -1)).toBe('2024-02-29')
  })
})

describe('spans', () => {
  it.each([
    [5 * day + 3 * hour + minute, 'span.dayHour', { d: 5, h: 3 }],
    [2 * day + minute, 'span.day', { d: 2 }],
    [3 * hour + 20 * minute, 'span.hourMinute', { h: 3, m: 20 }],
    [hour, 'span.hour', { h: 1 }],
    [-5 * minute, 'span.minute', { m: 5 }],
    [59_999, 'span.moment', {}],
  ])('%i', (ms, key, params) => {
    expect(spanMessage(ms)).toEqual({ key, params })
  })
  it('tells how long ago, up to a day', () => {
    expect(agoMessage(at, at + 10_000)?.key).toBe('ago.now')
    expect(agoMessage(at, at - 10_000)?.key).toBe('ago.now') // a clock a little ahead
    expect(agoMessage(at, at + 5 * minute)).toEqual({ key: 'ago.minutes', params: { n: 5 } })
    expect(agoMessage(at, at + 23 * hour)).toEqual({ key: 'ago.hours', params: { n: 23 } })
    expect(agoMessage(at, at + day)).toBeNull()
  })
})
