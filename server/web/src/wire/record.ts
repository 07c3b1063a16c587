// The record of section 3. It travels as its exact bytes: keep what encodeRecord made, and send that.
import { readCbor, writeCbor, type Cbor, type Out } from './cbor'
import {
  boolean, bytes, count, countFrom1, Fields, fileSize, integer, latE7, list, lonE7, name, oneOf, sha256, sha256Out, some, someOf,
  text, time, timeSpan, u32, unless, uuid, uuid7, uuidOut,
} from './fields'
import { WireError } from './error'
import { limits } from './limits'
import { packTrack, unpackTrack, type TrackPoint } from './track'

const kinds = ['report', 'sign', 'patrol', 'track', 'task_result', 'status'] as const
const clockSources = ['gnss', 'server', 'local'] as const
const fixSources = ['gnss', 'network', 'manual'] as const
const datums = ['wgs84', 'gcj02'] as const
const mediaTypes = ['image/jpeg', 'image/png', 'image/webp'] as const
const mediaRoles = ['scene', 'before', 'after', 'selfie', 'scan'] as const
const signActs = ['in', 'out'] as const
const patrolActs = ['start', 'stop'] as const
const outcomes = ['confirmed', 'not_rectified', 'cannot_check'] as const

export interface Clock {
  source: (typeof clockSources)[number]
  error_ms: number // of what `at` is off at most; 0: unknown
  offset_ms: number // what was added to the wall clock to get `at`
}
export interface Fix {
  lat_e7: number // WGS-84, whatever the datum
  lon_e7: number
  accuracy_cm: number | null
  source: (typeof fixSources)[number]
  datum: (typeof datums)[number]
  mock: boolean
  at: number
}
export interface RecordMedia {
  sha256: string
  size: number
  type: (typeof mediaTypes)[number]
  role: (typeof mediaRoles)[number]
  original: string | null // sha256 of the file that this one was made smaller of
}
export interface CheckItem {
  item: string
  ok: boolean
  note: string
}
export interface Bodies {
  report: { category: string; text: string }
  sign: { act: (typeof signActs)[number] }
  patrol: { act: (typeof patrolActs)[number]; patrol: string; text: string; checks: CheckItem[] }
  track: { patrol: string | null; points: TrackPoint[] }
  task_result: { task: string; outcome: (typeof outcomes)[number]; text: string }
  status: {
    waiting_records: number
    waiting_bytes: number
    oldest_age_s: number
    battery_percent: number | null
    version: string
  }
}
export type Kind = keyof Bodies

// What every record says, whatever its kind. Times are ms since 1970 UTC; `mono` is ms of the boot's own clock.
export interface Capture {
  id: string
  epoch: string
  actor: string
  seq: number
  at: number
  mono: number
  boot: string
  clock: Clock
  fix: Fix | null
  media: RecordMedia[]
}
export type RecordOf<K extends Kind> = Capture & { kind: K; body: Bodies[K] }
export type WireRecord = { [K in Kind]: RecordOf<K> }[Kind]

export function decodeRecord(input: Uint8Array): WireRecord {
  const f = new Fields(readCbor(input, limits.recordBytes))
  const record = {
    id: f.need('id', uuid7),
    epoch: f.need('epoch', uuid),
    actor: f.need('actor', name),
    seq: f.need('seq', countFrom1),
    kind: f.need('kind', oneOf(kinds, 'unknown_kind')),
    at: f.need('at', time),
    mono: f.need('mono', count),
    boot: f.need('boot', uuid),
    clock: f.need('clock', readClock),
    fix: f.take('fix', readFix, null),
    media: f.take('media', list(limits.filesPerRecord, readMedia), []),
  }
  return { ...record, body: f.need('body', (value, field) => readBody[record.kind](new Fields(value, field))) } as WireRecord
}

// Makes only what can be read again, so that nothing leaves that the other end must refuse.
export function encodeRecord(record: WireRecord): Uint8Array {
  const { fix } = record
  const encoded = writeCbor({
    id: uuidOut(record.id, 'id'),
    epoch: uuidOut(record.epoch, 'epoch'),
    actor: record.actor,
    seq: record.seq,
    kind: record.kind,
    at: record.at,
    mono: record.mono,
    boot: uuidOut(record.boot, 'boot'),
    clock: { src: record.clock.source, err: unless(0, record.clock.error_ms), off: unless(0, record.clock.offset_ms) },
    fix: fix === null ? undefined : {
      lat: fix.lat_e7,
      lon: fix.lon_e7,
      src: fix.source,
      at: fix.at,
      acc: some(fix.accuracy_cm),
      datum: unless<string>('wgs84', fix.datum),
      mock: unless(false, fix.mock),
    },
    media: someOf(record.media.map((m, i) => ({
      sha256: sha256Out(m.sha256, `media[${i}].sha256`),
      size: m.size,
      type: m.type,
      role: m.role,
      orig: m.original === null ? undefined : sha256Out(m.original, `media[${i}].orig`),
    }))),
    body: writeBody(record),
  })
  decodeRecord(encoded)
  return encoded
}

const readClock = (value: Cbor, field: string): Clock => {
  const f = new Fields(value, field)
  return { source: f.need('src', oneOf(clockSources)), error_ms: f.take('err', u32, 0), offset_ms: f.take('off', timeSpan, 0) }
}

const readFix = (value: Cbor, field: string): Fix => {
  const f = new Fields(value, field)
  return {
    lat_e7: f.need('lat', latE7),
    lon_e7: f.need('lon', lonE7),
    accuracy_cm: f.take('acc', u32, null),
    source: f.need('src', oneOf(fixSources)),
    datum: f.take('datum', oneOf(datums), 'wgs84'),
    mock: f.take('mock', boolean, false),
    at: f.need('at', time),
  }
}

const readMedia = (value: Cbor, field: string): RecordMedia => {
  const f = new Fields(value, field)
  return {
    sha256: f.need('sha256', sha256),
    size: f.need('size', fileSize),
    type: f.need('type', oneOf(mediaTypes, 'media_type')),
    role: f.need('role', oneOf(mediaRoles)),
    original: f.take('orig', sha256, null),
  }
}

const readCheck = (value: Cbor, field: string): CheckItem => {
  const f = new Fields(value, field)
  return { item: f.need('item', name), ok: f.need('ok', boolean), note: f.take('note', text(limits.text), '') }
}

const readPoints = (value: Cbor, field: string): TrackPoint[] => {
  const points = unpackTrack(bytes(value, field), field)
  const [first, last] = [points[0], points[points.length - 1]]
  if (first === undefined || last === undefined) throw new WireError('out_of_range', field, 'no points')
  points.forEach((point, i) => {
    if (i > 0 && point[0] < (points[i - 1] as TrackPoint)[0]) throw new WireError('out_of_range', `${field}[${i}].at`, 'before the last')
  })
  if (last[0] - first[0] > limits.trackSpanMs) throw new WireError('out_of_range', field, `over ${limits.trackSpanMs} ms`)
  return points
}

const readBody: { [K in Kind]: (f: Fields) => Bodies[K] } = {
  report: (f) => ({ category: f.need('cat', name), text: f.take('text', text(limits.text), '') }),
  sign: (f) => ({ act: f.need('act', oneOf(signActs)) }),
  patrol: (f) => ({
    act: f.need('act', oneOf(patrolActs)),
    patrol: f.need('patrol', uuid),
    text: f.take('text', text(limits.text), ''),
    checks: f.take('checks', list(limits.checks, readCheck), []),
  }),
  track: (f) => ({ patrol: f.take('patrol', uuid, null), points: f.need('pts', readPoints) }),
  task_result: (f) => ({
    task: f.need('task', uuid),
    outcome: f.need('outcome', oneOf(outcomes)),
    text: f.take('text', text(limits.text), ''),
  }),
  status: (f) => ({
    waiting_records: f.need('recs', u32),
    waiting_bytes: f.need('bytes', count),
    oldest_age_s: f.need('oldest', count),
    battery_percent: f.take('bat', integer(0, 100), null),
    version: f.take('ver', text(limits.name), ''),
  }),
}

function writeBody(record: WireRecord): Out {
  const { kind, body } = record
  switch (kind) {
    case 'report':
      return { cat: body.category, text: unless('', body.text) }
    case 'sign':
      return { act: body.act }
    case 'patrol':
      return {
        act: body.act,
        patrol: uuidOut(body.patrol, 'body.patrol'),
        text: unless('', body.text),
        checks: someOf(body.checks.map((c) => ({ item: c.item, ok: c.ok, note: unless('', c.note) }))),
      }
    case 'track':
      return {
        patrol: body.patrol === null ? undefined : uuidOut(body.patrol, 'body.patrol'),
        pts: packTrack(body.points, 'body.pts'),
      }
    case 'task_result':
      return { task: uuidOut(body.task, 'body.task'), outcome: body.outcome, text: unless('', body.text) }
    case 'status':
      return {
        recs: body.waiting_records,
        bytes: body.waiting_bytes,
        oldest: body.oldest_age_s,
        bat: some(body.battery_percent),
        ver: unless('', body.version),
      }
  }
}
