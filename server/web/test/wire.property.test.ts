// Whatever comes in, a decoder answers with a value or with its own error; what goes out comes in again as it was.
import { describe, expect, it } from 'vitest'
import {
  decodeDown, decodeItem, decodeMedia, decodeRecord, decodeUp, encodeDown, encodeMedia, encodeRecord, encodeUp, limits, packTrack,
  unpackTrack, WireError, type Bodies, type Down, type Kind, type MediaPiece, type TrackPoint, type Up, type WireRecord,
} from '@/wire'
import { random, type Random } from './wire.random'
import { bytesOf, vectorsOf } from './wire.vectors'

const decoders: Record<string, (bytes: Uint8Array) => unknown> = {
  record: decodeRecord,
  up: decodeUp,
  media: decodeMedia,
  down: decodeDown,
  track: (bytes) => unpackTrack(bytes),
}

function holds(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes)
    return true
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return false
  }
}

describe.each(Object.entries(decoders))('decoding %s', (type, decode) => {
  it('stands random bytes', () => {
    const r = random(1)
    for (let i = 0; i < 5000; i++) holds(decode, r.bytes(r.int(0, 80)))
  })
  it('stands vectors that were cut, changed, joined', () => {
    const r = random(2)
    const files = ['record', 'up', 'media', 'down', 'track', 'refused']
    const seeds = files.flatMap((file) => vectorsOf(file)).filter((v) => v.type === type).map((v) => bytesOf(v.hex))
    let read = 0
    for (let i = 0; i < 8000; i++) if (holds(decode, mutated(r, r.of(seeds), r.of(seeds)))) read++
    expect(read).toBeGreaterThan(50) // not all of it is noise
  })
})

function mutated(r: Random, seed: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes = seed.slice()
  for (let step = r.int(1, 3); step > 0; step--) {
    const at = r.int(0, bytes.length)
    switch (r.int(0, 5)) {
      case 0: // a bit
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << r.int(0, 7))
        break
      case 1: // a byte, with a liking for the heads of CBOR
        if (at < bytes.length) bytes[at] = r.of([0, 0x1b, 0x3b, 0x5b, 0x7f, 0x9b, 0xa0, 0xbf, 0xc0, 0xf6, 0xf9, 0xfb, 0xff])
        break
      case 2: // cut
        bytes = bytes.slice(0, at)
        break
      case 3: // more
        bytes = Uint8Array.of(...bytes.slice(0, at), ...r.bytes(r.int(1, 9)), ...bytes.slice(at))
        break
      case 4: // less
        bytes = Uint8Array.of(...bytes.slice(0, at), ...bytes.slice(at + r.int(1, 9)))
        break
      default: // the end of another
        bytes = Uint8Array.of(...bytes.slice(0, at), ...other.slice(r.int(0, other.length)))
    }
  }
  return bytes
}

it('items stand any text', () => {
  const r = random(3)
  const seeds = vectorsOf('down').map((v) => v.value as { body?: string }).flatMap((v) => v.body ?? [])
  for (let i = 0; i < 4000; i++) {
    const units = [...r.of(seeds)]
    for (let step = r.int(1, 3); step > 0; step--) {
      units.splice(r.int(0, units.length), r.int(0, 9), ...r.of(['', '{', '[[[[', '"', '\\', '\\u0000', '\\ud800', '1e999', ':null,', '}']))
    }
    for (const kind of ['task', 'task_cancelled', 'progress', 'notice', 'settings', 'categories']) {
      try {
        decodeItem(kind, units.join(''))
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
      }
    }
  }
})

// ---- values ----
const times = [-3_155_673_600_000, -1, 0, 1_795_323_601_123, 9_467_107_200_000]
const timeOf = (r: Random) => r.of([...times, r.int(-3_155_673_600_000, 9_467_107_200_000)])
const u32Of = (r: Random) => r.of([0, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, r.int(0, 0xffff_ffff)])
const countOf = (r: Random) => r.of([0, 0x1_0000_0000, Number.MAX_SAFE_INTEGER, r.int(0, Number.MAX_SAFE_INTEGER)])
const latOf = (r: Random) => r.int(-900_000_000, 900_000_000)
const lonOf = (r: Random) => r.int(-1_800_000_000, 1_800_000_000)
const mayBe = <T>(r: Random, value: T, absent: T) => (r.int(0, 2) === 0 ? absent : value)
const some = <T>(r: Random, most: number, make: () => T) => Array.from({ length: r.int(0, r.of([0, 2, most])) }, make)

function recordOf(r: Random): WireRecord {
  const kind = r.of<Kind>(['report', 'sign', 'patrol', 'track', 'task_result', 'status'])
  return {
    id: r.uuid('7'),
    epoch: r.uuid('4'),
    actor: r.text(1, 64),
    seq: Math.max(1, countOf(r)),
    kind,
    at: timeOf(r),
    mono: countOf(r),
    boot: r.uuid('4'),
    clock: { source: r.of(['gnss', 'server', 'local']), error_ms: u32Of(r), offset_ms: r.of([0, 1, -7_200_000, 12_622_780_800_000, -12_622_780_800_000]) },
    fix: mayBe(
      r,
      {
        lat_e7: latOf(r),
        lon_e7: lonOf(r),
        accuracy_cm: mayBe(r, u32Of(r), null),
        source: r.of(['gnss', 'network', 'manual']),
        datum: r.of(['wgs84', 'gcj02']),
        mock: r.of([true, false]),
        at: timeOf(r),
      },
      null,
    ),
    media: some(r, limits.filesPerRecord, () => ({
      sha256: r.hex(32),
      size: r.int(1, limits.fileBytes),
      type: r.of(['image/jpeg', 'image/png', 'image/webp']),
      role: r.of(['scene', 'before', 'after', 'selfie', 'scan']),
      original: mayBe(r, r.hex(32), null),
    })),
    body: bodies[kind](r),
  } as WireRecord
}

const bodies: { [K in Kind]: (r: Random) => Bodies[K] } = {
  report: (r) => ({ category: r.text(1, 64), text: r.text(0, limits.text) }),
  sign: (r) => ({ act: r.of(['in', 'out']) }),
  patrol: (r) => ({
    act: r.of(['start', 'stop']),
    patrol: r.uuid('7'),
    text: r.text(0, 100),
    checks: some(r, limits.checks, () => ({ item: r.text(1, 64), ok: r.of([true, false]), note: r.text(0, 20) })),
  }),
  track: (r) => {
    const points = trackOf(r, 1)
    const from = points[0]?.[0] ?? 0
    points.forEach((point, i) => (point[0] = from - i))
    return { patrol: mayBe(r, r.uuid('7'), null), points: points.reverse() }
  },
  task_result: (r) => ({
    task: r.uuid('7'),
    outcome: r.of(['confirmed', 'not_rectified', 'cannot_check']),
    text: r.text(0, limits.text),
  }),
  status: (r) => ({
    waiting_records: u32Of(r),
    waiting_bytes: countOf(r),
    oldest_age_s: countOf(r),
    battery_percent: mayBe(r, r.int(0, 100), null),
    version: r.text(0, 64),
  }),
}

function trackOf(r: Random, least: number): TrackPoint[] {
  const length = r.int(least, r.of([least, 3, limits.trackPoints]))
  return Array.from({ length }, () => [r.int(-3_155_673_000_000, 9_467_107_200_000), latOf(r), lonOf(r), u32Of(r)])
}

function upOf(r: Random): Up {
  return {
    epoch: r.uuid('4'),
    records: some(r, limits.recordsPerMessage, () => r.bytes(r.int(0, 60))),
    signature: mayBe(r, r.bytes(64), null),
    ack: mayBe(r, countOf(r), null),
    hello: r.of([true, false]),
    generation: mayBe(r, r.uuid('7'), null),
  }
}

function mediaOf(r: Random): MediaPiece {
  const size = r.int(1, limits.fileBytes)
  const data = r.bytes(Math.min(size, r.int(0, 600)))
  return { sha256: r.hex(32), size, offset: r.int(0, size - data.length), data }
}

function downOf(r: Random): Down {
  switch (r.of(['receipt', 'media', 'item', 'busy'] as const)) {
    case 'receipt':
      return {
        t: 'receipt',
        ok: some(r, 64, () => r.uuid('7')),
        bad: some(r, 64, () => ({ id: r.uuid('7'), code: r.int(0, 65_535), message: r.text(0, 50) })),
        now: timeOf(r),
        epoch: r.uuid('4'),
        safe: countOf(r),
        generation: r.uuid('7'),
        first: mayBe(r, Math.max(1, countOf(r)), null),
      }
    case 'media':
      return {
        t: 'media',
        sha256: r.hex(32),
        complete: r.of([true, false]),
        missing: some(r, limits.missingRanges, () => {
          const offset = r.int(0, limits.fileBytes - 1)
          return [offset, r.int(1, limits.fileBytes - offset)] as [number, number]
        }),
        refused: mayBe(r, r.int(0, 65_535), null),
      }
    case 'item':
      return { t: 'item', n: Math.max(1, countOf(r)), kind: r.text(1, 64), body: r.text(1, 5000), first: mayBe(r, Math.max(1, countOf(r)), null) }
    case 'busy':
      return { t: 'busy', retry_after_ms: r.int(0, limits.busyMs) }
  }
}

describe('what was encoded is decoded as it was', () => {
  const comesBack = <T>(times: number, make: (r: Random) => T, encode: (value: T) => Uint8Array, decode: (bytes: Uint8Array) => T) => {
    const r = random(4)
    for (let i = 0; i < times; i++) {
      const value = make(r)
      const bytes = encode(value)
      expect(decode(bytes)).toEqual(value)
      // Not even the bytes around it matter, nor that they change afterwards.
      const inside = Buffer.concat([r.bytes(5), bytes, r.bytes(5)])
      const read = decode(inside.subarray(5, 5 + bytes.length))
      inside.fill(0)
      expect(read).toEqual(value)
    }
  }
  it('record', () => comesBack(600, recordOf, encodeRecord, decodeRecord))
  it('up', () => comesBack(300, upOf, encodeUp, decodeUp))
  it('media', () => comesBack(300, mediaOf, encodeMedia, decodeMedia))
  it('down', () => comesBack(300, downOf, encodeDown, decodeDown))
  it('track', () => comesBack(100, (r) => trackOf(r, 0), packTrack, unpackTrack))
})
