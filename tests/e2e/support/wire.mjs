// A client that keeps no rule of the real one: it puts any record on the wire that the broker lets it. docs/protocol.md
// for the bytes; of MQTT 5 only what is needed here (QoS 1, no will, no properties).
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { connect } from 'node:tls'

// ---- CBOR -----------------------------------------------------------------------------------------------------------
function head(major, value) {
  const n = BigInt(value)
  const first = (info) => (major << 5) | info
  if (n < 24n) return Buffer.from([first(Number(n))])
  const [info, bytes] = n < 0x100n ? [24, 1] : n < 0x10000n ? [25, 2] : n < 0x100000000n ? [26, 4] : [27, 8]
  const out = Buffer.alloc(1 + bytes)
  out[0] = first(info)
  for (let i = 0; i < bytes; i++) out[bytes - i] = Number((n >> BigInt(8 * i)) & 0xffn)
  return out
}

export function encode(value) {
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4])
  if (typeof value === 'number' || typeof value === 'bigint') return value < 0 ? head(1, -1n - BigInt(value)) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)])
  const keys = Object.keys(value).filter((key) => value[key] !== undefined)
  keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return Buffer.concat([head(5, keys.length), ...keys.flatMap((key) => [encode(key), encode(value[key])])])
}

export function decode(bytes) {
  let at = 0
  const item = () => {
    const first = bytes[at++]
    const info = first & 31
    let n = BigInt(info)
    if (info >= 24) {
      const length = 1 << (info - 24)
      n = BigInt(`0x${bytes.subarray(at, at + length).toString('hex')}`)
      at += length
    }
    const count = Number(n)
    switch (first >> 5) {
      case 0: return count
      case 1: return -1 - count
      case 2: return bytes.subarray(at, (at += count))
      case 3: return bytes.subarray(at, (at += count)).toString()
      case 4: return Array.from({ length: count }, item)
      case 5: return Object.fromEntries(Array.from({ length: count }, () => [item(), item()]))
      default: return { 20: false, 21: true, 22: null }[info]
    }
  }
  return item()
}

// Points are [at ms, lat e7, lon e7, accuracy cm]; section 7 of the protocol.
export function packTrack(points) {
  const out = []
  const varint = (value) => {
    for (let n = BigInt.asUintN(64, value); ; n >>= 7n) {
      if (n < 0x80n) return void out.push(Number(n))
      out.push(Number(n & 0x7fn) | 0x80)
    }
  }
  varint(BigInt(points.length))
  let last = [0n, 0n, 0n, 0n]
  for (const point of points.map((p) => p.map(BigInt))) {
    point.forEach((value, i) => {
      const step = BigInt.asIntN(64, value - last[i])
      varint((step << 1n) ^ (step >> 63n))
    })
    last = point
  }
  return Buffer.from(out)
}

export function uuidv7(now = Date.now()) {
  const id = randomBytes(16)
  id.writeUIntBE(now, 0, 6)
  id[6] = 0x70 | (id[6] & 15)
  id[8] = 0x80 | (id[8] & 63)
  return id
}
export const dashed = (id) => id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

// ---- MQTT 5 over TLS ------------------------------------------------------------------------------------------------
const text = (value) => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
}
function packet(first, ...parts) {
  const body = Buffer.concat(parts)
  const length = []
  let n = body.length
  do {
    length.push((n & 127) | (n > 127 ? 128 : 0))
    n >>= 7
  } while (n > 0)
  return Buffer.concat([Buffer.from([first, ...length]), body])
}
// [value, bytes it took] of a variable byte integer, or null when it is not whole yet.
function variable(bytes, from) {
  let value = 0
  for (let i = 0; i < 4; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) return null
    value |= (byte & 127) << (7 * i)
    if (byte < 128) return [value, i + 1]
  }
  throw new Error('a length of more than four bytes')
}

export class RawHandheld {
  // The device's identity at the broker, and an outbox of its own: as a wiped and rebuilt handheld would come back.
  static async connect(handheld) {
    const config = JSON.parse(await readFile(handheld.config, 'utf8'))
    const folder = dirname(handheld.config)
    const own = new RawHandheld()
    const seed = (await readFile(resolve(folder, config.key_file), 'utf8')).trim()
    // PKCS #8 around the seed of an Ed25519 key.
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')])
    own.key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    own.actor = config.actor
    own.epoch = uuidv7()
    own.boot = uuidv7()
    own.seq = 0
    own.topic = (way) => `gridward/1/${way}/${config.town}/${config.device}`
    own.replies = new Map()
    own.heard = []
    const broker = new URL(config.broker)
    own.socket = connect({ host: broker.hostname, port: Number(broker.port), ca: await readFile(resolve(folder, config.ca_file)) })
    own.socket.on('data', (bytes) => own.receive(bytes))
    own.socket.on('error', (error) => own.replies.forEach(({ fail }) => fail(error)))
    await new Promise((done, fail) => own.socket.once('secureConnect', done).once('error', fail))
    const flags = 0xc2 // login, password, clean start
    const hello = [text('MQTT'), Buffer.from([5, flags, 0, 60, 0]), text(config.device), text(config.user ?? config.device), text(config.password)]
    await own.ask('connack', packet(0x10, ...hello))
    await own.ask('suback:1', packet(0x82, Buffer.from([0, 1, 0]), text(own.topic('down')), Buffer.from([1])))
    return own
  }
  close() {
    this.socket.end(packet(0xe0))
  }

  ask(reply, bytes) {
    return new Promise((done, fail) => {
      this.replies.set(reply, { done, fail })
      this.socket.write(bytes)
    })
  }
  receive(bytes) {
    this.buffer = Buffer.concat([this.buffer ?? Buffer.alloc(0), bytes])
    for (;;) {
      const length = this.buffer.length > 1 ? variable(this.buffer, 1) : null
      if (length === null || this.buffer.length < 1 + length[1] + length[0]) return
      const body = this.buffer.subarray(1 + length[1], 1 + length[1] + length[0])
      this.take(this.buffer[0], body)
      this.buffer = this.buffer.subarray(1 + length[1] + length[0])
    }
  }
  take(first, body) {
    const kind = first >> 4
    if (kind === 3) {
      let at = 2 + body.readUInt16BE(0)
      if (first & 6) {
        this.socket.write(packet(0x40, body.subarray(at, at + 2)))
        at += 2
      }
      const properties = variable(body, at)
      this.heard.push(decode(body.subarray(at + properties[1] + properties[0])))
      return
    }
    const name = { 2: 'connack', 4: `puback:${body.readUInt16BE(0)}`, 9: `suback:${body.readUInt16BE(0)}` }[kind]
    const waiting = this.replies.get(name)
    if (waiting === undefined) return
    this.replies.delete(name)
    // The reason code: for CONNACK the second byte, for PUBACK the third when there is one, for SUBACK the last.
    const reason = kind === 2 ? body[1] : kind === 4 ? (body[2] ?? 0) : body[body.length - 1]
    if (reason < 0x80) waiting.done()
    else waiting.fail(new Error(`the broker answered ${name} with ${reason}`))
  }

  // One record of its own making; gives its id and its bytes.
  record(kind, at, body, more = {}) {
    const id = uuidv7()
    const bytes = encode({
      id, epoch: this.epoch, actor: this.actor, seq: ++this.seq, kind, at, mono: at % 1_000_000_000, boot: this.boot,
      clock: { src: 'server', err: 100 }, body, ...more,
    })
    return { id: dashed(id), bytes }
  }
  track(points) {
    return this.record('track', points[points.length - 1][0], { pts: packTrack(points) })
  }
  // Signed and sent; resolves when the server's receipt names every one of them.
  async send(records, timeoutMs = 15_000) {
    const hash = (bytes) => createHash('sha256').update(bytes).digest()
    const signed = Buffer.concat([Buffer.from('gridward/1/up'), this.epoch, ...records.map((record) => hash(record.bytes))])
    const message = encode({ v: 1, epoch: this.epoch, r: records.map((record) => record.bytes), sig: sign(null, signed, this.key) })
    this.packetId = (this.packetId ?? 100) + 1
    const number = Buffer.from([this.packetId >> 8, this.packetId & 255, 0])
    await this.ask(`puback:${this.packetId}`, packet(0x32, text(this.topic('up')), number, message))
    const end = Date.now() + timeoutMs
    const receipts = () => this.heard.filter((message) => message.t === 'receipt')
    const missing = () => {
      const ok = new Set(receipts().flatMap((receipt) => receipt.ok ?? []).map(dashed))
      return records.filter((record) => !ok.has(record.id))
    }
    while (missing().length > 0) {
      const bad = receipts().flatMap((receipt) => receipt.bad ?? [])
      if (bad.length > 0) throw new Error(`refused: ${bad.map((one) => `${one.code} ${one.msg}`).join('; ')}`)
      if (Date.now() > end) throw new Error(`no receipt for ${missing().map((record) => record.id).join(', ')}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }
}
