// A device that shares no code with gridward-device: docs/protocol.md, mqtt.js and the codec of the pages.
import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { wire } from './independent-codec.mjs'
import { Outbox } from './independent-outbox.mjs'

const { limits } = wire
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex') // RFC 8410: an Ed25519 key, its 32 bytes follow

export class IndependentClient {
  // enrolled: what the device was given when it was enrolled.
  constructor(enrolled, { pieceBytes = limits.pieceBytes, window = 4, retryMs = 3000 } = {}) {
    this.enrolled = enrolled
    this.pieceBytes = pieceBytes
    this.window = window // unanswered pieces
    this.retryMs = retryMs
    this.outbox = new Outbox({ key: createPrivateKey({ key: Buffer.concat([pkcs8, enrolled.seed]), format: 'der', type: 'pkcs8' }) })
    this.topics = Object.fromEntries(['up', 'media', 'down'].map((lane) => [lane, wire.topic(lane, enrolled.town, enrolled.device)]))
    this.link = null
    this.heard = [] // every message that came down
    this.sent = [] // {lane, message}
    this.quiet = false // a story sends by hand
    this.lost = () => false // which messages the network loses on their way down
    this.reset()
  }

  static async enrolledIn(stack, device, options) {
    const folder = join(stack.data, 'devices', device)
    const config = JSON.parse(await readFile(join(folder, 'device.json'), 'utf8'))
    return new IndependentClient(
      {
        device,
        town: config.town,
        broker: config.broker.replace(/^ssl:/, 'mqtts:').replace(/^tcp:/, 'mqtt:'),
        ca: await readFile(config.ca_file),
        password: config.password,
        seed: Buffer.from((await readFile(join(folder, config.key_file), 'utf8')).trim(), 'hex'),
      },
      options,
    )
  }

  // ---- the link ----
  async connect() {
    this.reset()
    const { broker, ca, device, password } = this.enrolled
    this.link = await mqtt.connectAsync(broker, {
      family: 4, // the broker listens on 127.0.0.1 alone, and Node 18 asks only the first address of a name
      protocolVersion: 5,
      clientId: device,
      username: device,
      password,
      ca,
      clean: true,
      reconnectPeriod: 0, // what is unanswered starts anew with each link, so the client does that itself
      properties: { maximumPacketSize: 1_048_576 },
    })
    const link = this.link
    link.on('error', () => undefined) // the close that follows is what matters
    link.on('message', (_, payload) => {
      if (link === this.link) this.down(payload)
    })
    await link.subscribeAsync(this.topics.down, { qos: 1 })
    this.timer = setInterval(() => this.pump(), 100)
    this.publish('up', this.outbox.up([], { hello: true }))
    this.pump()
  }
  // As if the network went: no goodbye, and nothing of what is under way counts.
  cut() {
    const link = this.link
    this.reset()
    link?.stream.destroy()
    link?.end(true)
  }
  async close() {
    const link = this.link
    this.reset()
    await link?.endAsync(true)
  }
  reset() {
    clearInterval(this.timer)
    this.link = null
    this.busyUntil = 0
    this.underWay = new Map() // record id → when it was sent
    this.transfers = new Map() // sha256 → {heardAt, flying, todo}: ranges that are unanswered, ranges to send
    this.acked = null
    this.greeted = false
    this.helloAt = Infinity // where the items begin was not told: ask again
    this.helloWait = this.retryMs
  }

  // ---- out ----
  publish(lane, message) {
    const payload = lane === 'up' ? wire.encodeUp(message) : wire.encodeMedia(message)
    this.sent.push({ lane, message })
    this.link?.publish(this.topics[lane], Buffer.from(payload), { qos: 1 })
  }
  pump() {
    if (this.link === null || this.quiet || Date.now() < this.busyUntil) return
    if (Date.now() >= this.helloAt) {
      this.helloAt = Infinity
      this.helloWait *= 2
      this.publish('up', this.outbox.up([], { hello: true }))
    }
    this.pumpRecords()
    this.pumpFiles()
  }
  pumpRecords() {
    const due = Date.now() - this.retryMs
    const records = []
    let bytes = 1024 // of what is around the records
    for (const record of this.outbox.waiting()) {
      if ((this.underWay.get(record.id) ?? 0) > due) continue
      bytes += record.bytes.length + 5
      if (records.length === limits.recordsPerMessage || bytes > limits.upBytes) break
      records.push(record)
    }
    if (records.length === 0 && this.acked === this.outbox.ack) return
    for (const record of records) this.underWay.set(record.id, Date.now())
    this.acked = this.outbox.ack
    this.publish('up', this.outbox.up(records))
  }
  pumpFiles() {
    for (const file of this.outbox.filesToSend()) {
      const transfer = this.transfers.get(file.sha256) ?? { heardAt: -Infinity, flying: [], todo: [] }
      this.transfers.set(file.sha256, transfer)
      const piece = (offset, length) =>
        ({ sha256: file.sha256, size: file.bytes.length, offset, data: file.bytes.subarray(offset, offset + length) })
      if (Date.now() - transfer.heardAt >= this.retryMs) {
        Object.assign(transfer, { heardAt: Date.now(), flying: [], todo: [] })
        this.publish('media', piece(0, 0)) // what is missing?
      }
      while (transfer.todo.length > 0 && transfer.flying.length < this.window) {
        const range = transfer.todo.shift()
        transfer.flying.push(range)
        this.publish('media', piece(...range))
      }
    }
  }

  // ---- in ----
  down(payload) {
    const message = wire.decodeDown(payload)
    if (this.lost(message)) return
    this.heard.push(message)
    switch (message.t) {
      case 'receipt':
        if (this.outbox.receipt(message)) this.publish('up', this.outbox.up([], { hello: true }))
        if (message.epoch === this.outbox.epoch) this.greeted = true
        break
      case 'media':
        this.outbox.mediaState(message)
        this.answered(message)
        break
      case 'item':
        this.outbox.item(message, { greeted: this.greeted })
        if (this.outbox.ack === null && this.helloAt === Infinity) this.helloAt = Date.now() + this.helloWait
        if (this.outbox.ack !== null) this.helloAt = Infinity
        this.acked = null
        break
      case 'busy':
        this.busyUntil = Date.now() + message.retry_after_ms * (1 + Math.random() / 4)
        this.underWay.clear()
        this.transfers.clear()
        break
    }
    this.pump()
  }
  // What is missing may be on its way: an answer tells how things were when its own piece came.
  answered({ sha256, missing, refused }) {
    const transfer = this.transfers.get(sha256)
    if (transfer === undefined) return
    if (refused !== null) {
      this.transfers.delete(sha256) // when the file is to start again, it is asked again
      return
    }
    transfer.heardAt = Date.now()
    transfer.flying = transfer.flying.filter((range) => missing.some((hole) => overlap(hole, range)))
    transfer.todo = missing.flatMap((hole) => this.piecesOf(hole)).filter((range) => !transfer.flying.some((other) => overlap(other, range)))
  }
  piecesOf([offset, length]) {
    const count = Math.ceil(length / this.pieceBytes)
    return Array.from({ length: count }, (_, i) => {
      const at = i * this.pieceBytes
      return [offset + at, Math.min(this.pieceBytes, length - at)]
    })
  }
}

const overlap = ([a, aLength], [b, bLength]) => a < b + bLength && b < a + aLength
