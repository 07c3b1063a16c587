// The types of section 2: each takes a value that was read and says what is wrong with it under the field's name.
import { type Cbor, type CborMap, type Out } from './cbor'
import { bytesOfHex, bytesOfUuid, hexOfBytes, uuidOfBytes } from './ids'
import { WireError, type WireErrorName } from './error'
import { limits } from './limits'

export type Read<T> = (value: Cbor, field: string) => T

export class Fields {
  private readonly map: CborMap

  constructor(
    value: Cbor,
    private readonly path = '',
  ) {
    if (!(value instanceof Map)) throw new WireError('bad_type', path, 'a map')
    this.map = value
  }

  need<T>(key: string, read: Read<T>): T {
    const value = this.map.get(key)
    if (value === undefined) throw new WireError('missing_field', this.at(key))
    return read(value, this.at(key))
  }

  take<T, A>(key: string, read: Read<T>, absent: A): T | A {
    const value = this.map.get(key)
    return value === undefined ? absent : read(value, this.at(key))
  }

  at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }
}

// ---- numbers ----
const whole = (value: Cbor): value is number | bigint => typeof value === 'bigint' || Number.isInteger(value)

export function integer(min: number, max: number): Read<number> {
  return (value, field) => {
    if (!whole(value)) throw new WireError('bad_type', field, 'an integer')
    if (typeof value === 'bigint' || value < min || value > max) throw new WireError('out_of_range', field, `${min} to ${max}`)
    return value
  }
}
export const count = integer(0, Number.MAX_SAFE_INTEGER)
export const countFrom1 = integer(1, Number.MAX_SAFE_INTEGER)
export const u16 = integer(0, 0xffff)
export const u32 = integer(0, 0xffff_ffff)
const [earliest, latest] = [-3_155_673_600_000, 9_467_107_200_000]
export const time = integer(earliest, latest)
export const timeSpan = integer(earliest - latest, latest - earliest)
export const latE7 = integer(-900_000_000, 900_000_000)
export const lonE7 = integer(-1_800_000_000, 1_800_000_000)
export const fileSize = integer(1, limits.fileBytes)
export const fileOffset = integer(0, limits.fileBytes)

// Any other number is another version, however large.
export function version(ours: number): Read<number> {
  return (value, field) => {
    if (!whole(value)) throw new WireError('bad_type', field, 'an integer')
    if (value !== ours) throw new WireError('unsupported_version', field, `not ${ours}`)
    return ours
  }
}

export const boolean: Read<boolean> = (value, field) => {
  if (typeof value !== 'boolean') throw new WireError('bad_type', field, 'true or false')
  return value
}

// ---- text ----
const string: Read<string> = (value, field) => {
  if (typeof value !== 'string') throw new WireError('bad_type', field, 'a text')
  if (value.includes('\0')) throw new WireError('out_of_range', field, 'U+0000')
  return value
}

export function text(max: number): Read<string> {
  return (value, field) => {
    const read = string(value, field)
    // Code points, not UTF-16 units; a text of few units need not be counted.
    if (read.length > max && [...read].length > max) throw new WireError('too_large', field, `at most ${max} code points`)
    return read
  }
}
export function nonEmpty(read: Read<string>): Read<string> {
  return (value, field) => {
    const result = read(value, field)
    if (result === '') throw new WireError('out_of_range', field, 'empty')
    return result
  }
}
export const name = nonEmpty(text(limits.name))
export const longText = nonEmpty(string) // as long as its message lets it be

export function oneOf<T extends string>(words: readonly T[], otherwise: WireErrorName = 'out_of_range'): Read<T> {
  return (value, field) => {
    const read = name(value, field)
    const word = words.find((w) => w === read)
    if (word === undefined) throw new WireError(otherwise, field, words.join(', '))
    return word
  }
}

// ---- bytes ----
export const bytes: Read<Uint8Array> = (value, field) => {
  if (!(value instanceof Uint8Array)) throw new WireError('bad_type', field, 'a byte string')
  return value
}
export function bytesUpTo(max: number): Read<Uint8Array> {
  return (value, field) => {
    const read = bytes(value, field)
    if (read.length > max) throw new WireError('too_large', field, `at most ${max} bytes`)
    return read
  }
}
export function bytesOf(length: number): Read<Uint8Array> {
  return (value, field) => {
    const read = bytes(value, field)
    if (read.length !== length) throw new WireError('out_of_range', field, `${length} bytes`)
    return read
  }
}
export const sha256: Read<string> = (value, field) => hexOfBytes(bytesOf(32)(value, field))
// An id as the server heard it: a receipt also answers what is no good uuid.
export const id16: Read<string> = (value, field) => uuidOfBytes(bytesOf(16)(value, field))

const nil = '00000000-0000-0000-0000-000000000000'
export const uuid: Read<string> = (value, field) => {
  const read = id16(value, field)
  if (read === nil) throw new WireError('out_of_range', field, 'nil')
  return read
}
export const uuid7: Read<string> = (value, field) => {
  const read = uuid(value, field)
  if (!/^.{14}7.{4}[89ab]/.test(read)) throw new WireError('out_of_range', field, 'a uuid of version 7')
  return read
}

// ---- lists ----
export const array: Read<Cbor[]> = (value, field) => {
  if (!Array.isArray(value)) throw new WireError('bad_type', field, 'an array')
  return value
}
export function list<T>(max: number, read: Read<T>): Read<T[]> {
  return (value, field) => {
    const items = array(value, field)
    if (items.length > max) throw new WireError('too_large', field, `at most ${max}`)
    return items.map((item, i) => read(item, `${field}[${i}]`))
  }
}

// ---- the way out: what is left out, and texts that stand for bytes ----
export const some = <T extends Out>(value: T | null): T | undefined => value ?? undefined
export const unless = <T extends Out>(usual: T, value: T): T | undefined => (value === usual ? undefined : value)
export const someOf = (items: Out[]): Out[] | undefined => (items.length === 0 ? undefined : items)
export const uuidOut = (value: string, field: string): Uint8Array => bytesOfUuid(value) ?? refuse(field, 'a uuid')
export const sha256Out = (value: string, field: string): Uint8Array => bytesOfHex(value, 32) ?? refuse(field, '64 hex digits')

function refuse(field: string, detail: string): never {
  throw new WireError('malformed', field, detail)
}

// ---- texts of JSON that stand for bytes (section 8) ----
const lower: Read<string> = (value, field) => string(value, field).toLowerCase()
export const uuidText: Read<string> = (value, field) => uuidOfBytes(uuidOut(lower(value, field), field))
export const sha256Text: Read<string> = (value, field) => hexOfBytes(sha256Out(lower(value, field), field))
