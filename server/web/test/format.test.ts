import { describe, expect, it } from 'vitest'
import { silence } from '@/lib/devices'
import { summary } from '@/lib/duty'
import { article, bytes, metres, percentHere, problemName } from '@/lib/format'
import type { Device, Punch } from '@/api/types'

describe('numbers', () => {
  it('never says 100 % before it is whole', () => {
    expect(percentHere(999_999, 1_000_000)).toBe(99)
    expect(percentHere(1_000_000, 1_000_000)).toBe(100)
    expect(percentHere(450, 1000)).toBe(45)
    expect(percentHere(0, 0)).toBe(0)
  })
  it('says bytes and metres shortly', () => {
    expect([bytes(900), bytes(2048), bytes(4_567_890)]).toEqual(['900 B', '2 KiB', '4.4 MiB'])
    expect([metres(640.4), metres(994), metres(996), metres(3120)].map((m) => m.value + m.unit)).toEqual([
      '640m',
      '994m',
      '1.0km',
      '3.1km',
    ])
  })
  it('finds the name of what is wrong with a photo', () => {
    expect(problemName('media_undecodable (1205) photo: no end of image')).toBe('media_undecodable')
    expect(problemName('')).toBe('')
    expect(problemName('something else')).toBe('')
  })
  it('names the article of a rule', () => {
    expect(article('limits.general 津滨政办发〔2020〕10号 第二十五条（二）')).toBe('津滨政办发〔2020〕10号 第二十五条（二）')
    expect(article('limits.general')).toBe('limits.general')
    expect(article('')).toBe('')
  })
})

describe('duty', () => {
  const punch = (login: string, act: 'in' | 'out', at: number, place: Punch['place'] = 'inside'): Punch => ({
    record: `${login}${at}`,
    login,
    name: login,
    device: 'd',
    act,
    at,
    received: at,
    clock: { source: 'gnss', error_ms: 0, offset_ms: 0 },
    fix: null,
    place,
    grid: 'g',
    grid_name: 'G',
  })
  it('counts people, not punches, whatever the order', () => {
    const day = [punch('b', 'out', 9), punch('a', 'in', 1), punch('b', 'in', 2, 'outside'), punch('a', 'in', 3, 'unknown')]
    expect(summary(day)).toEqual({ members: 2, onDuty: 1, outside: 1, doubtful: 1 })
  })
})

describe('devices', () => {
  const device = (last_seen: number | null, revoked = false): Device => ({ id: 'd', town: 't', holder: '', last_seen, revoked, status: null, flagged: { records: 0, last: null }, quarantine: { rows: 0, bytes: 0, overflow: 0, overflow_bytes: 0 } })
  it('tells the silent ones', () => {
    const now = 100 * 3600_000
    expect(silence(device(now - 60_000), now)).toBe('awake')
    expect(silence(device(now - 3600_000), now)).toBe('quiet')
    expect(silence(device(now - 25 * 3600_000), now)).toBe('silent')
    expect(silence(device(null), now)).toBe('silent')
    expect(silence(device(null, true), now)).toBe('revoked')
  })
})
