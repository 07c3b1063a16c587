// What no vector can show in a few bytes: each limit kept and exceeded, on both ways.
import { describe, expect, it } from 'vitest'
import {
  decodeItem, decodeMedia, decodeRecord, decodeUp, encodeDown, encodeMedia, encodeRecord, encodeUp, limits, packTrack, signingInput, topic,
  uuid7At, WireError, type RecordOf, type TrackPoint, type Up, type WireRecord,
} from '@/wire'
import { writeCbor, type Out } from '@/wire/cbor'

const id = '01a201a0-1d60-7565-8321-3e5b7895b2cf'
const sha256 = '23f3cc85d36cf7266f1b796aa9cfe6930e0f9458d646f18e31ccdf9d0b843a1f'
const idBytes = Uint8Array.from(id.replaceAll('-', '').match(/../g) ?? [], (pair) => parseInt(pair, 16))

const report: RecordOf<'report'> = {
  id,
  epoch: id,
  actor: 'wgy-003',
  seq: 1,
  kind: 'report',
  at: 1_795_323_601_123,
  mono: 0,
  boot: id,
  clock: { source: 'local', error_ms: 0, offset_ms: 0 },
  fix: null,
  media: [],
  body: { category: 'x', text: '' },
}
const up: Up = { epoch: id, records: [], signature: null, ack: null, hello: false, generation: null }
const file = { sha256, size: 1, type: 'image/png', role: 'scene', original: null } as const
const point = (at: number): TrackPoint => [at, 0, 0, 0]

function refused(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof WireError) return `${error.name} ${error.field}`.trim()
    throw error
  }
  return 'taken'
}
const record = (more: object) => refused(() => encodeRecord({ ...report, ...more } as WireRecord))
const track = (points: TrackPoint[]) => record({ kind: 'track', body: { patrol: null, points } })

describe('a record', () => {
  it('takes texts by code points, not by UTF-16 units', () => {
    const emoji = '🚧'
    expect(record({ actor: emoji.repeat(64) })).toBe('taken')
    expect(record({ actor: emoji.repeat(65) })).toBe('too_large actor')
    expect(record({ body: { category: 'x', text: emoji.repeat(limits.text) } })).toBe('taken')
    expect(record({ body: { category: 'x', text: emoji.repeat(limits.text + 1) } })).toBe('too_large body.text')
  })
  it('takes so many files, check items and points', () => {
    expect(record({ media: Array(limits.filesPerRecord).fill(file) })).toBe('taken')
    expect(record({ media: Array(limits.filesPerRecord + 1).fill(file) })).toBe('too_large media')
    const patrol = (count: number) =>
      record({ kind: 'patrol', body: { act: 'stop', patrol: id, text: '', checks: Array(count).fill({ item: 'a', ok: true, note: '' }) } })
    expect(patrol(limits.checks)).toBe('taken')
    expect(patrol(limits.checks + 1)).toBe('too_large body.checks')
    expect(track(Array(limits.trackPoints).fill(point(5)))).toBe('taken')
    expect(track(Array(limits.trackPoints + 1).fill(point(5)))).toBe('too_large body.pts')
    expect(track([])).toBe('out_of_range body.pts')
    expect(track([point(0), point(limits.trackSpanMs)])).toBe('taken')
    expect(track([point(0), point(limits.trackSpanMs + 1)])).toBe('out_of_range body.pts')
    expect(track([point(1), point(0)])).toBe('out_of_range body.pts[1].at')
  })
  it('has at most 65,536 bytes', () => {
    const of = (length: number) => {
      const fields: Out = { id: idBytes, epoch: idBytes, actor: 'a', seq: 1, kind: 'sign', at: 0, mono: 0, boot: idBytes }
      const whole = { ...fields, clock: { src: 'local' }, body: { act: 'in' } }
      const around = writeCbor({ ...whole, zz: new Uint8Array(limits.recordBytes / 2) }).length - limits.recordBytes / 2
      return writeCbor({ ...whole, zz: new Uint8Array(length - around) })
    }
    expect(of(limits.recordBytes).length).toBe(limits.recordBytes)
    expect(decodeRecord(of(limits.recordBytes)).kind).toBe('sign')
    expect(refused(() => decodeRecord(of(limits.recordBytes + 1)))).toBe('too_large')
  })
  it.each([
    ['seq', 0, 'out_of_range seq'],
    ['seq', 2 ** 53, 'out_of_range seq'],
    ['seq', 1.5, 'bad_type seq'],
    ['seq', Number.NaN, 'bad_type seq'],
    ['seq', '1', 'bad_type seq'],
    ['seq', undefined, 'missing_field seq'],
    ['id', 'x', 'malformed id'],
    ['id', '01a201a0-1d60-4565-8321-3e5b7895b2cf', 'out_of_range id'],
    ['boot', '00000000-0000-0000-0000-000000000000', 'out_of_range boot'],
    ['actor', '', 'out_of_range actor'],
    ['actor', 'a\0', 'out_of_range actor'],
    ['actor', '\ud83d', 'bad_utf8 actor'],
    ['media', [{ ...file, sha256: 'f' }], 'malformed media[0].sha256'],
    ['media', [file, { ...file, size: 0 }], 'out_of_range media[1].size'],
    ['media', [{ ...file, original: 'f' }], 'malformed media[0].orig'],
    ['clock', { source: 'local', error_ms: 0, offset_ms: 12_622_780_800_001 }, 'out_of_range clock.off'],
  ])('is not made with this %s (%#)', (key, value, error) => expect(record({ [key]: value })).toBe(error))
})

describe('a message', () => {
  it('takes 64 records', () => {
    expect(refused(() => encodeUp({ ...up, records: Array(64).fill(new Uint8Array(9)) }))).toBe('taken')
    expect(refused(() => encodeUp({ ...up, records: Array(65).fill(new Uint8Array(9)) }))).toBe('too_large r')
  })
  it('has at most so many bytes, which are not looked into before', () => {
    const records = (size: number) => [1, 2, 3, 4].map(() => new Uint8Array(size))
    expect(refused(() => encodeUp({ ...up, records: records(65_000) }))).toBe('taken')
    expect(refused(() => encodeUp({ ...up, records: records(66_000) }))).toBe('too_large')
    expect(refused(() => decodeUp(new Uint8Array(limits.upBytes).fill(0xff)))).toBe('malformed')
    expect(refused(() => decodeUp(new Uint8Array(limits.upBytes + 1).fill(0xff)))).toBe('too_large')
    expect(refused(() => decodeMedia(new Uint8Array(limits.mediaBytes).fill(0xff)))).toBe('malformed')
    expect(refused(() => decodeMedia(new Uint8Array(limits.mediaBytes + 1).fill(0xff)))).toBe('too_large')
    const item = (length: number) => refused(() => encodeDown({ t: 'item', n: 1, kind: 'notice', body: 'x'.repeat(length), first: null }))
    expect(item(limits.downBytes - 100)).toBe('taken')
    expect(item(limits.downBytes)).toBe('too_large')
  })
  it('takes 16,384 items, the outermost map and the keys counted', () => {
    const of = (count: number) => refused(() => decodeUp(writeCbor({ v: 1, epoch: idBytes, zz: Array(count).fill(0) })))
    expect(of(limits.items - 7)).toBe('taken')
    expect(of(limits.items - 6)).toBe('too_large')
    // What is only claimed is not counted: it is not there.
    const cutOff = writeCbor({ v: 1, epoch: idBytes, zz: Array(20_000).fill(0) }).subarray(0, 17_000)
    expect(refused(() => decodeUp(cutOff))).toBe('malformed')
  })
  it('takes a piece of 262,144 bytes that ends with its file', () => {
    const piece = (length: number, offset: number, size: number) =>
      refused(() => encodeMedia({ sha256, size, offset, data: new Uint8Array(length) }))
    expect(piece(limits.pieceBytes, 1, limits.pieceBytes + 1)).toBe('taken')
    expect(piece(limits.pieceBytes + 1, 0, limits.pieceBytes + 1)).toBe('too_large data')
    expect(piece(10, 1, 10)).toBe('media_range off')
    expect(piece(0, limits.fileBytes, limits.fileBytes)).toBe('taken')
    expect(piece(0, 0, limits.fileBytes + 1)).toBe('out_of_range size')
  })
})

describe('a packed track', () => {
  it('is not made of what cannot be read', () => {
    expect(refused(() => packTrack(Array(601).fill(point(0))))).toBe('too_large')
    expect(refused(() => packTrack([[0, 900_000_001, 0, 0]], 'pts'))).toBe('out_of_range pts[0].lat')
    expect(refused(() => packTrack([point(0), [0, 0, 0, 0.5]]))).toBe('bad_type [1].acc')
    expect(refused(() => packTrack([[Number.POSITIVE_INFINITY, 0, 0, 0]]))).toBe('bad_type [0].at')
  })
})

describe('an item', () => {
  const task = { task: id, task_kind: 'verify', case: id, number: '1', category: '井盖' }
  const category = { code: 'road', name: '道路破损', group: '公共设施' }
  const categories = (length: number) => Array.from({ length }, (_, i) => ({ code: `c${i}`, name: '井盖' }))
  const of = (kind: string, body: object | string) =>
    refused(() => decodeItem(kind, typeof body === 'string' ? body : JSON.stringify(body)))

  it('is read with what it leaves out', () => {
    expect(decodeItem('task', JSON.stringify({ ...task, task: id.toUpperCase(), zz: [1.5, null] }))).toEqual({
      kind: 'task', ...task, text: '', point: null, before: [], due: null,
    })
    const whole = { ...task, text: '请核查', before: [sha256], due: 5 }
    expect(decodeItem('task', JSON.stringify({ ...whole, point: { lat: 1, lon: -2 } }))).toEqual({
      kind: 'task', ...whole, point: { lat_e7: 1, lon_e7: -2 },
    })
    expect(decodeItem('task_cancelled', JSON.stringify({ task: id }))).toEqual({ kind: 'task_cancelled', task: id })
    const progress = { case: id, number: '1', stage: 'accepted', step: 'awaiting_transfer', at: 5 }
    expect(decodeItem('progress', JSON.stringify(progress))).toEqual({ kind: 'progress', ...progress, text: '' })
    expect(decodeItem('notice', '{"text":"明日大风"}')).toEqual({ kind: 'notice', text: '明日大风' })
    const none = { photo_px: 0, photo_quality: null, track_ms: null, batch_ms: null, heartbeat_ms: null }
    expect(decodeItem('settings', '{"rev":"a","photo_quality":100}')).toEqual({ kind: 'settings', rev: 'a', ...none, photo_quality: 100 })
    const settings = { rev: 'a', photo_px: 0xffff_ffff, photo_quality: 1, track_ms: 1000, batch_ms: 1_800_000, heartbeat_ms: 10_000 }
    expect(decodeItem('settings', JSON.stringify(settings))).toEqual({ kind: 'settings', ...settings })
    expect(decodeItem('categories', JSON.stringify({ rev: 'a', list: [{ code: 'a', name: '井盖' }, category] }))).toEqual({
      kind: 'categories', rev: 'a', list: [{ code: 'a', name: '井盖', group: '' }, category],
    })
    expect(decodeItem('of a newer server', 'not even JSON')).toBeNull()
  })
  it.each([
    ['task', { ...task, task: 'x' }, 'malformed task'],
    ['task', { ...task, case: 1 }, 'bad_type case'],
    ['task', { ...task, number: '' }, 'out_of_range number'],
    ['task', { ...task, point: { lat: 1 } }, 'missing_field point.lon'],
    ['task', { ...task, point: { lat: 1.5, lon: 1 } }, 'bad_type point.lat'],
    ['task', { ...task, before: Array(65).fill(sha256) }, 'too_large before'],
    ['task', { ...task, before: [sha256, 'ab'] }, 'malformed before[1]'],
    ['task', { ...task, text: null }, 'bad_type text'],
    ['task', { ...task, due: 1e300 }, 'bad_type due'],
    ['notice', { text: '' }, 'out_of_range text'],
    ['notice', { text: 'a\0' }, 'out_of_range text'],
    ['notice', '{"text":"\\ud800"}', 'malformed'],
    ['notice', '[]', 'bad_type'],
    ['notice', '{"text":"a"} b', 'malformed'],
    ['notice', '', 'malformed'],
    ['notice', `{"text":"a","z":${'['.repeat(15)}"[[[\\"["${']'.repeat(15)}}`, 'taken'],
    ['notice', `{"text":"a","z":${'['.repeat(16)}${']'.repeat(16)}}`, 'too_deep'],
    ['notice', '['.repeat(200_000), 'too_deep'],
    ['settings', {}, 'missing_field rev'],
    ['settings', { rev: '' }, 'out_of_range rev'],
    ['settings', { rev: 'a', photo_px: 0x1_0000_0000 }, 'out_of_range photo_px'],
    ['settings', { rev: 'a', photo_px: 0 }, 'taken'],
    ['settings', { rev: 'a', photo_px: 640 }, 'taken'],
    ['settings', { rev: 'a', photo_px: 639 }, 'out_of_range photo_px'],
    ['settings', { rev: 'a', photo_px: 1 }, 'out_of_range photo_px'],
    ['settings', { rev: 'a', photo_quality: 0 }, 'out_of_range photo_quality'],
    ['settings', { rev: 'a', photo_quality: 101 }, 'out_of_range photo_quality'],
    ['settings', { rev: 'a', photo_quality: null }, 'bad_type photo_quality'],
    ['settings', { rev: 'a', track_ms: 999 }, 'out_of_range track_ms'],
    ['settings', { rev: 'a', track_ms: 3_600_001 }, 'out_of_range track_ms'],
    ['settings', { rev: 'a', track_ms: 1000.5 }, 'bad_type track_ms'],
    ['settings', { rev: 'a', batch_ms: 999 }, 'out_of_range batch_ms'],
    ['settings', { rev: 'a', batch_ms: 1_800_001 }, 'out_of_range batch_ms'],
    ['settings', { rev: 'a', heartbeat_ms: 9999 }, 'out_of_range heartbeat_ms'],
    ['settings', { rev: 'a', heartbeat_ms: 86_400_001 }, 'out_of_range heartbeat_ms'],
    ['categories', { rev: 'a' }, 'missing_field list'],
    ['categories', { rev: 'a', list: [] }, 'out_of_range list'],
    ['categories', { rev: 'a', list: categories(2048) }, 'taken'],
    ['categories', { rev: 'a', list: categories(2049) }, 'too_large list'],
    ['categories', { rev: 'a', list: [category, { code: 'a' }] }, 'missing_field list[1].name'],
    ['categories', { rev: 'a', list: [{ ...category, code: '街'.repeat(65) }] }, 'too_large list[0].code'],
    ['categories', { rev: 'a', list: [{ ...category, group: 'x'.repeat(65) }] }, 'too_large list[0].group'],
    ['categories', { rev: 'a', list: [category, { ...category, name: '又' }] }, 'out_of_range list[1].code'],
    ['categories', { rev: 'a', list: [category], z: 'x'.repeat(262_080) }, 'too_large'],
  ])('%s: %#', (kind, body, error) => expect(of(kind, body)).toBe(error))
})

it('topics name town and device as the registry does', () => {
  expect(topic('up', '120116135', 'hh-0101')).toBe('gridward/1/up/120116135/hh-0101')
  expect(refused(() => topic('up', '12011613', 'hh-0101'))).toBe('out_of_range town')
  expect(refused(() => topic('down', '120116', 'hh/0101'))).toBe('out_of_range device')
  expect(refused(() => topic('down', '120116', 'x'.repeat(65)))).toBe('out_of_range device')
})

it('ids of version 7 are in the order of their time', () => {
  const ones = new Uint8Array(10).fill(255)
  expect(uuid7At(1_795_323_600_000, ones)).toBe('01a201a0-1c80-7fff-bfff-ffffffffffff')
  expect(uuid7At(0, new Uint8Array(10))).toBe('00000000-0000-7000-8000-000000000000')
  expect(uuid7At(-1000, ones)).toBe('00000000-0000-7fff-bfff-ffffffffffff')
  for (const ms of [0, 1_795_323_600_000]) expect(record({ id: uuid7At(ms, ones) })).toBe('taken')
})

it('what is signed names the hash that is none', () => {
  expect(refused(() => signingInput(id, [sha256, 'ab']))).toBe('malformed r[1]')
})
