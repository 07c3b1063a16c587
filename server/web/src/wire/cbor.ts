// The subset of CBOR of section 2. Why no library: docs/adr/0005.
import { WireError, type WireErrorName } from './error'
import { limits } from './limits'

// No field of the protocol is a float, so what one says is not kept.
export const float = Symbol('float')

// An integer beyond 2^53 comes as bigint: whole, although no field takes it.
export type Cbor = number | bigint | typeof float | string | Uint8Array | boolean | null | Cbor[] | CborMap
export type CborMap = Map<string, Cbor>

// What is written. A key whose value is undefined is left out.
export type Out = number | string | Uint8Array | boolean | Out[] | { [key: string]: Out | undefined }

type Path = (string | number)[]

export function fieldOf(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

export function readCbor(bytes: Uint8Array, maxBytes: number): Cbor {
  if (bytes.length > maxBytes) throw new WireError('too_large', '', `${bytes.length} bytes, at most ${maxBytes}`)
  return new Reader(bytes).document()
}

class Reader {
  private readonly view: DataView
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  private readonly path: Path = []
  private at = 0
  private items = 0
  // A doubled key or bad UTF-8: told only when the document's shape is right to its end.
  private contents: WireError | null = null

  private readonly bytes: Uint8Array

  constructor(input: Uint8Array) {
    // A subclass (Node's Buffer) may slice without copying.
    this.bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    this.view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  }

  document(): Cbor {
    const value = this.item(0)
    if (this.at !== this.bytes.length) throw new WireError('trailing_bytes', '')
    if (this.contents !== null) throw this.contents
    return value
  }

  private item(level: number): Cbor {
    this.countItem()
    const first = this.byte()
    const major = first >> 5
    const info = first & 31
    if (major === 7) return this.simple(info)
    const argument = this.argument(info)
    switch (major) {
      case 0:
        return argument
      case 1:
        return this.negative(argument)
      case 2:
        return this.take(argument).slice()
      case 3:
        return this.text(argument)
      case 4:
        return this.array(argument, level + 1)
      case 5:
        return this.map(argument, level + 1)
      default:
        return this.malformed('a tag')
    }
  }

  private array(claimed: number | bigint, level: number): Cbor[] {
    const count = this.container(claimed, 1, level)
    const array: Cbor[] = []
    for (let i = 0; i < count; i++) {
      this.path.push(i)
      array.push(this.item(level))
      this.path.pop()
    }
    return array
  }

  private map(claimed: number | bigint, level: number): CborMap {
    const count = this.container(claimed, 2, level)
    const map: CborMap = new Map()
    for (let i = 0; i < count; i++) {
      this.countItem()
      const first = this.byte()
      if (first >> 5 !== 3) this.malformed('a key that is not text')
      const key = this.text(this.argument(first & 31))
      this.path.push(key)
      if (map.has(key)) this.contents ??= this.error('malformed', 'twice')
      map.set(key, this.item(level))
      this.path.pop()
    }
    return map
  }

  // How many entries really follow. A claim that the bytes cannot hold is refused before anything is made for it.
  private container(claimed: number | bigint, bytesEach: number, level: number): number {
    if (level > limits.levels) throw new WireError('too_deep', '', `at most ${limits.levels} levels`)
    if (typeof claimed === 'bigint' || claimed * bytesEach > this.bytes.length - this.at) return this.malformed('cut off')
    return claimed
  }

  private countItem(): void {
    this.items++
    if (this.items > limits.items) throw new WireError('too_large', '', `at most ${limits.items} items`)
  }

  private simple(info: number): Cbor {
    if (info === 20) return false
    if (info === 21) return true
    if (info === 22) return null
    if (info < 25 || info > 27) return this.malformed('a simple value')
    this.take(2 ** (info - 24))
    return float
  }

  private argument(info: number): number | bigint {
    if (info < 24) return info
    if (info > 27) return this.malformed(info === 31 ? 'an indefinite length' : 'a reserved form')
    const start = this.at
    this.take(2 ** (info - 24))
    if (info === 24) return this.view.getUint8(start)
    if (info === 25) return this.view.getUint16(start)
    if (info === 26) return this.view.getUint32(start)
    const whole = this.view.getBigUint64(start)
    return whole <= Number.MAX_SAFE_INTEGER ? Number(whole) : whole
  }

  private negative(argument: number | bigint): number | bigint {
    const value = -1n - BigInt(argument)
    if (value < -(2n ** 63n)) throw new WireError('out_of_range', '', 'an integer under -2^63')
    return value >= Number.MIN_SAFE_INTEGER ? Number(value) : value
  }

  private text(length: number | bigint): string {
    const bytes = this.take(length)
    try {
      return this.utf8.decode(bytes)
    } catch {
      this.contents ??= this.error('bad_utf8')
      return ''
    }
  }

  private byte(): number {
    return this.take(1)[0] as number
  }

  private take(length: number | bigint): Uint8Array {
    if (typeof length === 'bigint' || length > this.bytes.length - this.at) return this.malformed('cut off')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  private error(name: WireErrorName, detail = ''): WireError {
    return new WireError(name, fieldOf(this.path), detail)
  }

  private malformed(detail: string): never {
    throw new WireError('malformed', '', detail)
  }
}

export function writeCbor(value: Out): Uint8Array {
  const writer = new Writer()
  writer.value(value)
  return writer.done()
}

export const halfPair = /\p{Surrogate}/u // no UTF-8 says it

class Writer {
  private readonly utf8 = new TextEncoder()
  private readonly path: Path = []
  private bytes = new Uint8Array(512)
  private length = 0

  done(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  value(value: Out): void {
    if (typeof value === 'number') this.integer(value)
    else if (typeof value === 'string') this.text(value)
    else if (typeof value === 'boolean') this.put(value ? 0xf5 : 0xf4)
    else if (value instanceof Uint8Array) this.chunk(2, value)
    else if (Array.isArray(value)) this.array(value)
    else if (typeof value === 'object' && value !== null) this.map(value)
    else throw this.error('bad_type')
  }

  private integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw this.error(Number.isInteger(value) ? 'out_of_range' : 'bad_type')
    if (value >= 0) this.head(0, value)
    else this.head(1, -1 - value)
  }

  private text(value: string): void {
    if (halfPair.test(value)) throw this.error('bad_utf8')
    this.chunk(3, this.utf8.encode(value))
  }

  private array(value: Out[]): void {
    this.head(4, value.length)
    value.forEach((item, i) => {
      this.path.push(i)
      this.value(item)
      this.path.pop()
    })
  }

  // In the order of the keys' bytes; ours are all ASCII, where that is the order of strings.
  private map(value: { [key: string]: Out | undefined }): void {
    const entries = Object.entries(value).filter((entry): entry is [string, Out] => entry[1] !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    this.head(5, entries.length)
    for (const [key, item] of entries) {
      this.chunk(3, this.utf8.encode(key))
      this.path.push(key)
      this.value(item)
      this.path.pop()
    }
  }

  private chunk(major: number, bytes: Uint8Array): void {
    this.head(major, bytes.length)
    this.room(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  private head(major: number, argument: number): void {
    const start = major << 5
    if (argument < 24) return this.put(start + argument)
    const size = argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8
    this.put(start + 24 + Math.log2(size))
    this.room(size)
    for (let i = size - 1; i >= 0; i--) {
      this.bytes[this.length + i] = argument % 256
      argument = Math.floor(argument / 256)
    }
    this.length += size
  }

  private put(byte: number): void {
    this.room(1)
    this.bytes[this.length++] = byte
  }

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more))
    larger.set(this.bytes)
    this.bytes = larger
  }

  private error(name: WireErrorName): WireError {
    return new WireError(name, fieldOf(this.path))
  }
}
