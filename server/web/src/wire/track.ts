// The packed track of section 7.
import { latE7, lonE7, time, u32 } from './fields'
import { WireError } from './error'
import { limits } from './limits'

// Accuracy 0: unknown.
export type TrackPoint = [at: number, lat_e7: number, lon_e7: number, accuracy_cm: number]

const columns = [
  { key: 'at', read: time },
  { key: 'lat', read: latE7 },
  { key: 'lon', read: lonE7 },
  { key: 'acc', read: u32 },
] as const

export function packTrack(points: readonly TrackPoint[], field = ''): Uint8Array {
  atMost(points.length, field)
  const bytes: number[] = []
  putVarint(bytes, points.length)
  let before: TrackPoint = [0, 0, 0, 0]
  points.forEach((point, i) => {
    columns.forEach(({ key, read }, c) => {
      const step = read(point[c] as number, `${field}[${i}].${key}`) - (before[c] as number)
      putVarint(bytes, step < 0 ? -2 * step - 1 : 2 * step)
    })
    before = point
  })
  return Uint8Array.from(bytes)
}

export function unpackTrack(bytes: Uint8Array, field = ''): TrackPoint[] {
  const varints = new Varints(bytes, field)
  const count = varints.next()
  atMost(count, field)
  const now = columns.map(() => 0n)
  const points = Array.from({ length: Number(count) }, (_, i) => columns.map(({ key, read }, c) => {
    const zigzag = varints.next()
    const step = zigzag % 2n === 0n ? zigzag / 2n : -(zigzag / 2n) - 1n
    now[c] = (now[c] as bigint) + step
    return read(Number(now[c]), `${field}[${i}].${key}`)
  }) as TrackPoint)
  varints.end()
  return points
}

function atMost(count: number | bigint, field: string): void {
  if (count > limits.trackPoints) throw new WireError('too_large', field, `at most ${limits.trackPoints} points`)
}

function putVarint(bytes: number[], value: number): void {
  while (value >= 128) {
    bytes.push((value % 128) + 128)
    value = Math.floor(value / 128)
  }
  bytes.push(value)
}

class Varints {
  private at = 0

  constructor(
    private readonly bytes: Uint8Array,
    private readonly field: string,
  ) {}

  next(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at]
      if (byte === undefined) throw this.malformed('cut off')
      this.at++
      value |= BigInt(byte & 127) << shift
      if (byte >= 128) continue
      if (byte === 0 && shift > 0n) throw this.malformed('a number longer than it need be')
      if (value >= 2n ** 64n) break
      return value
    }
    throw this.malformed('a number over 64 bits')
  }

  end(): void {
    if (this.at !== this.bytes.length) throw new WireError('trailing_bytes', this.field)
  }

  private malformed(detail: string): WireError {
    return new WireError('malformed', this.field, detail)
  }
}
