// Section 1.
import { WireError } from './error'

export type Lane = 'up' | 'media' | 'down'

export function topic(lane: Lane, town: string, device: string): string {
  if (!/^(\d{6}|\d{9}|\d{12})$/.test(town)) throw new WireError('out_of_range', 'town', '6, 9 or 12 digits')
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(device)) throw new WireError('out_of_range', 'device', '1 to 64 of A-Z a-z 0-9 _ -')
  return `gridward/1/${lane}/${town}/${device}`
}
