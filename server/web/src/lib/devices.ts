import type { Device } from '@/api/types'
import { day, minute } from './time'

export type Silence = 'awake' | 'quiet' | 'silent' | 'revoked'

// A handheld in a pocket speaks every few minutes while it is on. A day without a word is worth a call.
export function silence(device: Device, now: number): Silence {
  if (device.revoked) return 'revoked'
  if (device.last_seen === null) return 'silent'
  const age = now - device.last_seen
  return age < 15 * minute ? 'awake' : age < day ? 'quiet' : 'silent'
}
