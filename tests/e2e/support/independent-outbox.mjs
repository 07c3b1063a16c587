// What a device remembers, and what it may forget: sections 3, 5 and 6 of docs/protocol.md, in memory and without a network.
import { createHash, randomBytes, sign } from 'node:crypto'
import { wire } from './independent-codec.mjs'

const mediaHashMismatch = 1201

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

export class Outbox {
  // key: the device's private Ed25519 key.
  constructor({ key, now = Date.now, mono = () => Math.round(performance.now()), random = randomBytes }) {
    this.key = key
    this.now = now
    this.mono = mono
    this.random = random
    this.epoch = wire.uuid7At(now(), random(10))
    this.boot = wire.uuid7At(now(), random(10))
    this.seq = 0
    this.records = new Map() // id → {id, seq, bytes, files, state: waiting | receipted | refused, code, message}
    this.files = new Map() // sha256 → {sha256, bytes, state: waiting | complete | refused, code}
    this.items = new Map() // n → {kind, body}
    this.ack = null // every item up to this number is in `items`
    this.ahead = new Map() // items that came before an earlier one, or before it is known where to begin
    this.generation = null
    this.safe = 0
    this.serverAhead = null // ms of the server's clock before ours
  }

  // ---- capture ----
  capture(actor, kind, body, { fix = null, photos = [] } = {}) {
    const files = photos.map(({ bytes, type = 'image/jpeg', role = 'scene' }) => ({ sha256: sha256(bytes), bytes, type, role }))
    const id = wire.uuid7At(this.now(), this.random(10))
    const seq = ++this.seq
    // Within two seconds the own clock stands.
    const offset = Math.abs(this.serverAhead ?? 0) > 2000 ? this.serverAhead : 0
    const bytes = wire.encodeRecord({
      id,
      epoch: this.epoch,
      actor,
      seq,
      kind,
      at: this.now() + offset,
      mono: this.mono(),
      boot: this.boot,
      clock: { source: this.serverAhead === null ? 'local' : 'server', error_ms: 0, offset_ms: offset },
      fix,
      media: files.map((f) => ({ sha256: f.sha256, size: f.bytes.length, type: f.type, role: f.role, original: null })),
      body,
    })
    for (const f of files) {
      if (!this.files.has(f.sha256)) this.files.set(f.sha256, { sha256: f.sha256, bytes: f.bytes, state: 'waiting', code: null, restarted: false })
    }
    this.records.set(id, { id, seq, bytes, files: files.map((f) => f.sha256), state: 'waiting', code: null, message: null })
    return id
  }

  // ---- what goes out ----
  waiting() {
    return [...this.records.values()].filter((record) => record.state === 'waiting')
  }
  // Files go after their record's receipt: before it the server does not know whose they are.
  filesToSend() {
    const receipted = [...this.records.values()].filter((record) => record.state === 'receipted')
    return receipted.flatMap((record) => record.files).map((sha) => this.files.get(sha)).filter((file) => file?.state === 'waiting')
  }
  up(records, { hello = false } = {}) {
    const input = wire.signingInput(this.epoch, records.map((record) => sha256(record.bytes)))
    const signature = records.length === 0 ? null : sign(null, input, this.key)
    const generation = hello || this.ack !== null ? this.generation : null
    return { epoch: this.epoch, records: records.map((record) => record.bytes), signature, ack: this.ack, hello, generation }
  }

  // ---- what comes in ----
  // Does the server wait for another hello? It was restored, or did not say where its items begin.
  receipt({ ok, bad, now, epoch, safe, generation, first }) {
    if (epoch !== this.epoch) return false // for what this device was before it was wiped
    this.serverAhead = now - this.now()
    const heard = this.generation !== null
    const restored = heard && generation !== this.generation
    if (restored) this.restored(safe)
    this.generation = generation
    this.safe = safe
    for (const id of ok) this.settle(id, 'receipted', null, null)
    for (const { id, code, message } of bad) this.settle(id, 'refused', code, message)
    this.forget()
    if (!restored) this.begin(first)
    return restored || (!heard && this.ack === null)
  }
  settle(id, state, code, message) {
    const record = this.records.get(id)
    if (record !== undefined) Object.assign(record, { state, code, message })
  }
  // The server lost what came after its backup, whatever it had receipted.
  restored(safe) {
    this.ahead.clear() // of the store that is lost; their numbers will be others'
    for (const record of this.records.values()) {
      if (record.seq <= safe || record.state !== 'receipted') continue
      record.state = 'waiting'
      for (const sha of record.files) Object.assign(this.files.get(sha), { state: 'waiting', code: null, restarted: false })
    }
  }
  forget() {
    for (const record of [...this.records.values()]) {
      if (record.state === 'receipted' && record.seq <= this.safe) this.records.delete(record.id)
    }
    const needed = new Set([...this.records.values()].flatMap((record) => record.files))
    for (const sha of [...this.files.keys()]) if (!needed.has(sha)) this.files.delete(sha)
  }
  mediaState({ sha256: sha, complete, refused }) {
    const file = this.files.get(sha)
    if (file === undefined) return
    if (complete) file.state = 'complete'
    else if (refused === mediaHashMismatch && !file.restarted) file.restarted = true
    else if (refused !== null) Object.assign(file, { state: 'refused', code: refused })
  }
  // greeted: a receipt has come in this connection.
  item({ n, kind, body, first }, { greeted = true } = {}) {
    if (n > (this.ack ?? 0)) this.ahead.set(n, { kind, body })
    this.begin(greeted ? first : null)
  }
  begin(first) {
    if (this.ack === null && first !== null) {
      this.ack = first - 1
      for (const n of [...this.ahead.keys()].filter((n) => n < first)) this.keep(n)
    }
    this.advance()
  }
  keep(n) {
    this.items.set(n, this.ahead.get(n))
    this.ahead.delete(n)
  }
  advance() {
    if (this.ack === null) return
    while (this.ahead.has(this.ack + 1)) this.keep(++this.ack)
  }
}
