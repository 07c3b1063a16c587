import { expect, it } from 'vitest'
import type { Device } from '@/api/types'
import { allPicked, pickAll } from '@/lib/devices'

const device = (id: string, revoked = false): Device => ({
  id, town: '1', holder: '', last_seen: null, revoked, status: null,
  flagged: { records: 0, last: null }, quarantine: { rows: 0, bytes: 0, overflow: 0, overflow_bytes: 0 },
})
const [one, two, gone] = [device('hh-1'), device('hh-2'), device('hh-9', true)]

it('all are the ones that are shown and not revoked', () => {
  expect(pickAll([], [one, two, gone])).toEqual(['hh-1', 'hh-2'])
  expect(pickAll([], [two, gone])).toEqual(['hh-2'])
  expect(pickAll(['hh-1'], [two, gone])).toEqual(['hh-2'])
  expect(allPicked(['hh-2'], [two, gone])).toBe(true)
  expect(allPicked(['hh-2'], [one, two, gone])).toBe(false)
  expect(pickAll(['hh-2'], [one, two])).toEqual(['hh-1', 'hh-2'])
  expect(pickAll(['hh-1', 'hh-2'], [one, two])).toEqual([])
})
it('where nobody can be told anything, nothing is picked', () => {
  expect(allPicked([], [])).toBe(false)
  expect(allPicked(['hh-9'], [gone])).toBe(false)
  expect(pickAll([], [gone])).toEqual([])
})
