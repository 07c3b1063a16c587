import type { Device } from '@/api/types'
import { day, minute } from './time'

// Who can be told something.
export const reachable = (devices: Device[]) => devices.filter((device) => !device.revoked).map(({ id }) => id)

export function allPicked(picked: string[], shown: Device[]): boolean {
  const rows = reachable(shown)
  return rows.length > 0 && rows.every((id) => picked.includes(id))
}
// "All" is what somebody sees: a row that a filter hides is not told anything unseen.
export const pickAll = (picked: string[], shown: Device[]) => (allPicked(picked, shown) ? [] : reachable(shown))

export type Silence = 'awake' | 'quiet' | 'silent' | 'revoked'

// A handheld in a pocket speaks every few minutes while it is on. A day without a word is worth a call.
export function silence(device: Device, now: number): Silence {
  if (device.revoked) return 'revoked'
  if (device.last_seen === null) return 'silent'
  const age = now - device.last_seen
  return age < 15 * minute ? 'awake' : age < day ? 'quiet' : 'silent'
}
