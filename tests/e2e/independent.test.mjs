// A device of another maker, written from docs/protocol.md: what it must remember, and its day against the whole system.
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { IndependentClient } from './support/independent.mjs'
import { wire } from './support/independent-codec.mjs'
import { Person } from './support/independent-http.mjs'
import { Outbox, sha256 } from './support/independent-outbox.mjs'
import { drawnScene } from './support/photo.mjs'
import { middleOf } from './support/place.mjs'
import { startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

describe('what an outbox keeps and forgets', () => {
  const [first, second] = ['01a1f6b2-4c00-7aaa-9bbb-0123456789ab', '01a1f6b2-4c00-7aaa-9bbb-0123456789ac']
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const report = { category: 'x', text: '' }
  let outbox, ids
  const receipt = (more) =>
    outbox.receipt({ t: 'receipt', ok: [], bad: [], now: Date.now(), epoch: outbox.epoch, safe: 0, generation: first, first: 1, ...more })
  const states = () => ids.map((id) => outbox.records.get(id)?.state ?? 'gone')
  const fresh = () => {
    outbox = new Outbox({ key: privateKey })
    ids = [1, 2, 3].map((n) => outbox.capture('m', 'report', report, { photos: [{ bytes: Buffer.from(`photo ${n}`) }] }))
  }

  test('the signature is over epoch and hashes', () => {
    fresh()
    const { records, signature } = outbox.up(outbox.waiting())
    const said = wire.signingInput(outbox.epoch, records.map(sha256))
    assert.equal(said.length, 13 + 16 + 3 * 32)
    assert.ok(verify(null, said, publicKey, signature))
    assert.equal(outbox.up([]).signature, null)
  })
  test('a receipt ends the sending, safe ends the keeping', () => {
    fresh()
    receipt({ ok: [ids[0], ids[2]], bad: [{ id: ids[1], code: 1108, message: '没有' }] })
    assert.deepEqual(states(), ['receipted', 'refused', 'receipted'])
    assert.equal(outbox.filesToSend().length, 2)
    receipt({ safe: 2 })
    assert.deepEqual(states(), ['gone', 'refused', 'receipted'])
    assert.equal(outbox.files.size, 2)
  })
  test('another generation brings back what is above safe, records and files, before the ids of the same receipt count', () => {
    fresh()
    receipt({ ok: ids })
    for (const { sha256 } of outbox.filesToSend()) outbox.mediaState({ sha256, complete: true, missing: [], refused: null })
    assert.deepEqual(states(), ['receipted', 'receipted', 'receipted'])
    receipt({ generation: second, safe: 1, ok: [ids[2]] })
    assert.deepEqual(states(), ['gone', 'waiting', 'receipted'])
    assert.equal(outbox.filesToSend().length, 1)
    receipt({ generation: second, safe: 1 })
    assert.deepEqual(states(), ['gone', 'waiting', 'receipted'])
  })
  test('a receipt for another epoch says nothing', () => {
    fresh()
    receipt({ epoch: second, ok: ids, safe: 3, generation: second })
    assert.deepEqual(states(), ['waiting', 'waiting', 'waiting'])
    assert.equal(outbox.generation, null)
  })
  test('a file that arrived with another hash starts again once', () => {
    fresh()
    receipt({ ok: ids })
    const [{ sha256 }] = outbox.filesToSend()
    const mismatch = { sha256, complete: false, missing: [], refused: 1201 }
    outbox.mediaState(mismatch)
    assert.equal(outbox.filesToSend().length, 3)
    outbox.mediaState(mismatch)
    assert.equal(outbox.filesToSend().length, 2)
    assert.equal(outbox.files.get(sha256).code, 1201)
  })
  test('items are kept in order and once, and acknowledged only without gaps', () => {
    fresh()
    const item = (n) => outbox.item({ n, kind: 'notice', body: `{"text":"${n}"}`, first: null })
    item(8) // from before the hello was answered
    assert.equal(outbox.ack, null)
    assert.equal(receipt({ first: null }), true, 'once more, with its generation')
    assert.equal(outbox.ack, null)
    receipt({ first: 7 })
    assert.equal(outbox.ack, 6, '7 was lost on its way')
    receipt({ first: 9 })
    assert.equal(outbox.ack, 6, 'its own count')
    item(7)
    assert.equal(outbox.ack, 8)
    item(10)
    assert.equal(outbox.ack, 8)
    item(7)
    item(9)
    assert.equal(outbox.ack, 10)
    assert.deepEqual([...outbox.items.keys()], [7, 8, 9, 10])
    assert.equal(outbox.ahead.size, 0)
  })
  test('where the items begin is told by the first word of the known generation', () => {
    fresh()
    receipt({ first: null })
    const item = (n, greeted) => outbox.item({ n, kind: 'notice', body: '{"text":"x"}', first: n }, { greeted })
    item(5, false)
    assert.equal(outbox.ack, null, 'nobody said whose item it is')
    receipt({ generation: second, first: 50 })
    assert.equal(outbox.ack, null, 'the answer to the next hello tells it')
    item(3, true)
    assert.equal(outbox.ack, 3)
    assert.deepEqual([...outbox.items.keys()], [3])
  })
  test('hello and ack name the generation, and after another one the count goes on from what is acknowledged', () => {
    fresh()
    assert.equal(outbox.up([], { hello: true }).generation, null)
    assert.equal(receipt({}), false)
    assert.equal(outbox.up([], { hello: true }).generation, first)
    assert.equal(outbox.up(outbox.waiting()).generation, first, 'with an ack')
    const item = (n, text) => outbox.item({ n, kind: 'notice', body: `{"text":"${text}"}`, first: 1 })
    item(1, 'one')
    item(3, 'lost with its store')
    assert.equal(outbox.up([]).generation, first)
    assert.equal(receipt({ generation: second }), true)
    assert.deepEqual([outbox.up([]).ack, outbox.up([]).generation], [1, second])
    item(2, 'two')
    item(3, 'three')
    assert.equal(outbox.ack, 3)
    assert.equal(outbox.items.get(3).body, '{"text":"three"}')
  })
})

describe('a day of the client', () => {
  let stack, operator, unit, client, fix, category, photo, report
  const actor = () => stack.accounts.member.login
  const capture = (text, photos = []) => client.outbox.capture(actor(), 'report', { category, text }, { fix, photos })
  const stateOf = (id) => client.outbox.records.get(id).state
  const receipted = (ids) => until('the receipt', () => ids.every((id) => stateOf(id) === 'receipted'))
  const complete = (bytes) => until('the file is complete', () => client.outbox.files.get(sha256(bytes)).state === 'complete', 30_000)
  const pieces = () => client.sent.filter(({ lane, message }) => lane === 'media' && message.data.length > 0).map(({ message }) => message)
  const rangeOf = ({ offset, data }) => [offset, data.length]
  const scene = async (seed) => readFile(await drawnScene(join(stack.data, `scene-${seed}.jpg`), seed))

  before(async () => {
    stack = await startStack()
    operator = await Person.logIn(stack.url, stack.accounts.operator)
    unit = await Person.logIn(stack.url, stack.accounts.unit)
    // So patient that a slow machine is not taken for a lost answer.
    client = await IndependentClient.enrolledIn(stack, 'hh-0101', { pieceBytes: 32_768, window: 2, retryMs: 15_000 })
    category = (await operator.get('/api/me')).policy.categories[0].code
    const { org } = (await operator.get('/api/members')).members.find((m) => m.login === actor())
    const { lat, lon } = middleOf((await operator.get('/api/org')).nodes.find((node) => node.code === org).outline)
    fix = {
      lat_e7: Math.round(lat * 1e7), lon_e7: Math.round(lon * 1e7), accuracy_cm: 420,
      source: 'gnss', datum: 'wgs84', mock: false, at: Date.now(),
    }
    photo = await scene(11)
  })
  after(async () => {
    await client?.close()
    await stack?.stop()
  })

  test('hello is answered with the clock, the epoch and the generation', async () => {
    await client.connect()
    const answer = await until('a receipt', () => client.heard.find((message) => message.t === 'receipt'))
    assert.deepEqual({ ...answer, now: 0, generation: '' }, {
      t: 'receipt', ok: [], bad: [], now: 0, epoch: client.outbox.epoch, safe: 0, generation: '', first: 1,
    })
    assert.ok(Math.abs(answer.now - Date.now()) < 5000)
    assert.equal(client.outbox.generation, answer.generation)
  })

  test('a report is a case before its photo is there; cut in the middle, only what is missing is sent again', async () => {
    const there = ({ missing }) => photo.length - missing.reduce((sum, [, length]) => sum + length, 0)
    let before = null
    client.lost = (message) => {
      if (before !== null || message.t !== 'media' || there(message) < photo.length / 3) return false
      before = pieces().length
      client.cut()
      return true
    }
    report = capture('独立客户端上报：井盖破损', [{ bytes: photo }])
    client.pump()
    await until('the cut', () => before !== null)
    assert.equal(stateOf(report), 'receipted')
    const { media } = await operator.get(`/api/cases/${report}`)
    assert.deepEqual(media.map((m) => [m.sha256, m.status]), [[sha256(photo), 'partial']])
    client.heard.length = 0
    await client.connect()
    await complete(photo)

    const answer = client.heard.find((message) => message.t === 'media')
    assert.ok(there(answer) >= photo.length / 3, `${there(answer)} of ${photo.length} were kept`)
    const again = pieces().slice(before).map(rangeOf)
    const asked = answer.missing.flatMap((hole) => client.piecesOf(hole)).map(String)
    assert.deepEqual(again.map(String).filter((range) => !asked.includes(range)), [], 'nothing but what is missing')
    assert.equal(new Set(again.map(String)).size, again.length, 'and nothing of it twice')
    assert.equal(sha256(await operator.bytes(`/api/photos/${sha256(photo)}/original`)), sha256(photo))
    await until('it is looked at', async () => (await operator.get(`/api/cases/${report}`)).media[0].status === 'derived')
  })

  test('sent twice and in another order, there is one case each', async () => {
    const texts = ['其一', '其二', '其三'].map((n) => `重复与乱序 ${n}`)
    client.quiet = true
    const records = texts.map((text) => client.outbox.records.get(capture(text)))
    const [one, two, three] = records
    for (const message of [[three], [two, three], [one], [one, two, three], [three]]) {
      client.publish('up', client.outbox.up(message))
      client.publish('up', client.outbox.up(message))
    }
    const named = () => client.heard.filter(({ t }) => t === 'receipt').reduce((sum, { ok }) => sum + ok.length, 0)
    await until('every message is answered', () => named() === 16)
    assert.deepEqual(records.map(({ state }) => state), ['receipted', 'receipted', 'receipted'])
    for (const text of texts) assert.equal(await operator.countOf(text), 1, text)
    client.quiet = false
  })

  test('the same id with other bytes is refused, and what was taken stays', async () => {
    client.quiet = true
    const id = capture('先到的内容')
    const record = client.outbox.records.get(id)
    client.publish('up', client.outbox.up([record]))
    await receipted([id])
    const other = wire.encodeRecord({ ...wire.decodeRecord(record.bytes), body: { category, text: '后到的内容' } })
    client.heard.length = 0
    client.publish('up', client.outbox.up([{ ...record, bytes: other }]))
    const { bad } = await until('its refusal', () => client.heard.find(({ t }) => t === 'receipt'))
    assert.deepEqual(bad.map(({ id: refused, code }) => [refused, code]), [[id, 1101]])
    assert.equal((await operator.get(`/api/cases/${id}`)).text, '先到的内容')
    record.state = 'receipted' // the story's own doing: a device makes no second record of an id
    client.quiet = false
  })

  test('under the topic of another town it is refused, and told so there', async () => {
    const other = '120116001' // 塘沽街道, of the same district
    await client.link.subscribeAsync(wire.topic('down', other, 'hh-0101'))
    client.quiet = true
    const record = client.outbox.records.get(capture('别的街镇'))
    client.topics.up = wire.topic('up', other, 'hh-0101')
    client.publish('up', client.outbox.up([record]))
    await until('its refusal', () => record.state === 'refused')
    assert.equal(record.code, 1103)
    client.topics.up = wire.topic('up', client.enrolled.town, 'hh-0101')
    record.state = 'waiting'
    client.quiet = false
    client.pump()
    await receipted([record.id])
    assert.equal(await operator.countOf('别的街镇'), 1)
  })

  test('a record that the server refuses stays, with the reason, and stops nothing', async () => {
    const refused = client.outbox.capture(actor(), 'report', { category: 'no-such', text: '' }, { fix })
    const next = capture('被拒之后的上报')
    client.pump()
    await receipted([next])
    const { state, code, message } = client.outbox.records.get(refused)
    assert.deepEqual([state, code], ['refused', 1108])
    assert.match(message, /\p{Script=Han}/u)
  })

  test('a wrong and a missing signature are flagged, and refused is nothing', async () => {
    client.quiet = true
    const [good, wrong, without] = ['签名正确', '签名错误', '没有签名'].map((text) => client.outbox.records.get(capture(text)))
    client.publish('up', client.outbox.up([good]))
    client.publish('up', { ...client.outbox.up([wrong]), signature: randomBytes(64) })
    client.publish('up', { ...client.outbox.up([without]), signature: null })
    await receipted([good.id, wrong.id, without.id])
    client.quiet = false
    for (const text of ['签名正确', '签名错误', '没有签名']) assert.equal(await operator.countOf(text), 1, text)
    const flagged = async () => (await operator.get('/api/devices/hh-0101/troubles')).flagged
    await until('the signatures were checked', async () => (await flagged()).some(({ record }) => record === wrong.id))
    assert.deepEqual(Object.fromEntries((await flagged()).map(({ record, reasons }) => [record, reasons])), {
      [wrong.id]: ['bad_signature'],
      [without.id]: ['unsigned'],
    })
  })

  test('a piece that comes before its record is answered busy; the client waits and the file gets there', async () => {
    const early = await scene(12)
    client.heard.length = 0
    client.publish('media', { sha256: sha256(early), size: early.length, offset: 0, data: early.subarray(0, 1000) })
    const { retry_after_ms: wait } = await until('busy', () => client.heard.find(({ t }) => t === 'busy'))
    const told = Date.now()
    const id = capture('照片先于记录', [{ bytes: early }])
    await receipted([id])
    assert.ok(Date.now() - told >= wait - 100, 'it waited')
    await complete(early)
  })

  test('the operator transfers the case, the unit handles it, and the task comes down although it was lost once', async () => {
    let lost = 0
    client.lost = ({ t, kind }) => t === 'item' && kind === 'task' && lost++ === 0
    await operator.act(report, 'accept')
    await operator.act(report, 'transfer', { unit: (await unit.get('/api/me')).actor.org, note: '请尽快处置。' })
    await unit.act(report, 'take')
    await unit.act(report, 'arrive')
    await unit.act(report, 'handle', { note: '已更换井盖。' })
    await unit.act(report, 'feedback', { note: '请核查。', result_kind: 'handled' })
    await operator.act(report, 'request_verify', { note: '请到现场核查并拍照。' })
    await until('the task was lost', () => lost === 1)
    client.cut()
    await client.connect()
    const task = await until('the task', () => items().find(({ kind, case: of }) => kind === 'task' && of === report))
    const { number, category_name } = await operator.get(`/api/cases/${report}`)
    assert.equal(task.task_kind, 'verify')
    assert.equal(task.number, number)
    assert.ok(category_name.includes(task.category) || task.category.includes(category_name), task.category)
    assert.deepEqual(task.before, [sha256(photo)])
    assert.deepEqual(task.point, { lat_e7: fix.lat_e7, lon_e7: fix.lon_e7 })
  })
  const items = () => [...client.outbox.items.values()].map(({ kind, body }) => wire.decodeItem(kind, body))

  test('what it acknowledged does not come again', async () => {
    assert.deepEqual([...client.outbox.items.keys()], Array.from({ length: client.outbox.items.size }, (_, i) => i + 1))
    assert.deepEqual(items().map(({ kind }) => kind), ['settings', 'categories', 'progress', 'progress', 'task'])
    await until('the acknowledgement is out', () => client.acked === 5)
    client.cut()
    client.heard.length = 0
    await client.connect()
    const id = capture('在确认之后') // whose receipt comes after what hello brings
    await receipted([id])
    assert.deepEqual(client.heard.filter(({ t }) => t === 'item'), [])
  })

  test('it answers with an after-photo; the case is verified and closed', async () => {
    const after = await scene(13)
    const { task } = items().find(({ kind }) => kind === 'task')
    const id = client.outbox.capture(
      actor(), 'task_result', { task, outcome: 'confirmed', text: '井盖完好。' }, { fix, photos: [{ bytes: after, role: 'after' }] })
    client.pump()
    await receipted([id])
    await complete(after)
    await until('the check passed', async () => (await operator.get(`/api/cases/${report}`)).step === 'verify_passed')
    await operator.act(report, 'close', { note: '核查通过。', closing_basis: 'handled' })
    const closed = await operator.get(`/api/cases/${report}`)
    assert.equal(closed.stage, 'assessed')
    assert.deepEqual(closed.events.map(({ type }) => type), [
      'report', 'accept', 'transfer', 'take', 'arrive', 'handle', 'feedback', 'request_verify', 'verify', 'close', 'assess',
    ])
    assert.deepEqual(closed.media.map((m) => [m.sha256, m.role]), [[sha256(photo), 'scene'], [sha256(after), 'after']])
    assert.equal(closed.events.find(({ type }) => type === 'verify').actor.login, actor())
  })
})
