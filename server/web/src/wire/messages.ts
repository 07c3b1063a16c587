// The messages of section 4. Bytes are bytes; ids and hashes are texts.
import { readCbor, writeCbor, type Cbor, type Out } from './cbor'
import {
  array, boolean, bytes, bytesOf, bytesUpTo, count, countFrom1, Fields, fileOffset, fileSize, id16, integer, list, longText, name, oneOf, sha256, sha256Out,
  some, someOf, text, time, u16, unless, uuid, uuidOut, version,
} from './fields'
import { WireError } from './error'
import { limits } from './limits'

const ours = 1

export interface Up {
  epoch: string
  records: Uint8Array[] // each the exact bytes of a record, not looked into here
  signature: Uint8Array | null
  ack: number | null
  hello: boolean
  generation: string | null // of the server's store, as the device knows it
}

// No data: the question what is missing.
export interface MediaPiece {
  sha256: string
  size: number
  offset: number
  data: Uint8Array
}

export interface Receipt {
  t: 'receipt'
  ok: string[]
  bad: { id: string; code: number; message: string }[]
  now: number
  epoch: string
  safe: number
  generation: string
  first: number | null // below this number the server has no item for the device
}
export type Range = [offset: number, length: number]
export interface MediaState {
  t: 'media'
  sha256: string
  complete: boolean
  missing: Range[]
  refused: number | null
}
export interface Item {
  t: 'item'
  n: number
  kind: string
  body: string // JSON: decodeItem
  first: number | null // as in Receipt
}
export interface Busy {
  t: 'busy'
  retry_after_ms: number
}
export type Down = Receipt | MediaState | Item | Busy

// ---- up ----
export function decodeUp(input: Uint8Array): Up {
  const f = open(input, limits.upBytes)
  return {
    epoch: f.need('epoch', uuid),
    records: f.take('r', list(limits.recordsPerMessage, bytes), []),
    signature: f.take('sig', bytesOf(64), null),
    ack: f.take('ack', count, null),
    hello: f.take('hello', boolean, false),
    generation: f.take('gen', uuid, null),
  }
}

export function encodeUp(up: Up): Uint8Array {
  return checked(decodeUp, {
    v: ours,
    epoch: uuidOut(up.epoch, 'epoch'),
    r: someOf(up.records),
    sig: some(up.signature),
    ack: some(up.ack),
    hello: unless(false, up.hello),
    gen: up.generation === null ? undefined : uuidOut(up.generation, 'gen'),
  })
}

// ---- media ----
export function decodeMedia(input: Uint8Array): MediaPiece {
  const f = open(input, limits.mediaBytes)
  const piece = {
    sha256: f.need('sha256', sha256),
    size: f.need('size', fileSize),
    offset: f.need('off', fileOffset),
    data: f.take('data', bytesUpTo(limits.pieceBytes), new Uint8Array()),
  }
  if (piece.offset + piece.data.length > piece.size) throw new WireError('media_range', 'off', `a file of ${piece.size} bytes`)
  return piece
}

export function encodeMedia(piece: MediaPiece): Uint8Array {
  return checked(decodeMedia, {
    v: ours,
    sha256: sha256Out(piece.sha256, 'sha256'),
    size: piece.size,
    off: piece.offset,
    data: piece.data.length === 0 ? undefined : piece.data,
  })
}

// ---- down ----
const types = ['receipt', 'media', 'item', 'busy'] as const

export function decodeDown(input: Uint8Array): Down {
  const f = open(input, limits.downBytes)
  const t = f.need('t', oneOf(types, 'unknown_kind'))
  switch (t) {
    case 'receipt':
      return {
        t,
        ok: f.take('ok', list(limits.items, id16), []),
        bad: f.take('bad', list(limits.items, readBad), []),
        now: f.need('now', time),
        epoch: f.need('epoch', id16),
        safe: f.need('safe', count),
        generation: f.need('gen', uuid),
        first: f.take('first', countFrom1, null),
      }
    case 'media':
      return {
        t,
        sha256: f.need('sha256', sha256),
        complete: f.need('done', boolean),
        missing: f.take('miss', list(limits.missingRanges, readRange), []),
        refused: f.take('code', u16, null),
      }
    case 'item':
      return { t, n: f.need('n', countFrom1), kind: f.need('kind', name), body: f.need('body', longText), first: f.take('first', countFrom1, null) }
    case 'busy':
      return { t, retry_after_ms: f.need('ms', integer(0, limits.busyMs)) }
  }
}

export function encodeDown(down: Down): Uint8Array {
  return checked(decodeDown, { v: ours, t: down.t, ...writeDown(down) })
}

function writeDown(down: Down): { [key: string]: Out | undefined } {
  switch (down.t) {
    case 'receipt':
      return {
        ok: someOf(down.ok.map((id, i) => uuidOut(id, `ok[${i}]`))),
        bad: someOf(down.bad.map((b, i) => ({ id: uuidOut(b.id, `bad[${i}].id`), code: b.code, msg: b.message }))),
        now: down.now,
        epoch: uuidOut(down.epoch, 'epoch'),
        safe: down.safe,
        gen: uuidOut(down.generation, 'gen'),
        first: some(down.first),
      }
    case 'media':
      return {
        sha256: sha256Out(down.sha256, 'sha256'),
        done: down.complete,
        miss: someOf(down.missing),
        code: some(down.refused),
      }
    case 'item':
      return { n: down.n, kind: down.kind, body: down.body, first: some(down.first) }
    case 'busy':
      return { ms: down.retry_after_ms }
  }
}

const readBad = (value: Cbor, field: string): Receipt['bad'][number] => {
  const f = new Fields(value, field)
  return { id: f.need('id', id16), code: f.need('code', u16), message: f.need('msg', text(limits.text)) }
}

const readRange = (value: Cbor, field: string): Range => {
  const parts = array(value, field)
  const [offset, length] = parts
  if (parts.length !== 2 || !natural(offset) || !natural(length)) throw new WireError('bad_type', field, '[offset, length]')
  const [from, size] = [Number(offset), Number(length)]
  if (size === 0 || from + size > limits.fileBytes) throw new WireError('media_range', field)
  return [from, size]
}

const natural = (value: Cbor | undefined) => (typeof value === 'bigint' || Number.isInteger(value)) && (value as number) >= 0

// ---- both ways ----
function open(input: Uint8Array, maxBytes: number): Fields {
  const f = new Fields(readCbor(input, maxBytes))
  f.need('v', version(ours))
  return f
}

// Makes only what can be read again.
function checked(decode: (bytes: Uint8Array) => unknown, value: Out): Uint8Array {
  const encoded = writeCbor(value)
  decode(encoded)
  return encoded
}
