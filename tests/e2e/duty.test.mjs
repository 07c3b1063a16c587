// A member's day on the duty page: signed in inside the grid, the patrol drawn, nothing kept after the sign-out.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { json, launch, logIn, narrow, open, shot } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { IndependentClient } from './support/independent.mjs'
import { linesInside, pinsInside } from './support/map.mjs'
import { beyond, middleOf } from './support/place.mjs'
import { ask, startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, page, handheld, stranger, member, spot

before(async () => {
  stack = await startStack()
  browser = await launch()
  page = await open(browser, stack.url)
  handheld = new Handheld(stack, 'hh-0101')
  stranger = new Handheld(stack, 'hh-0201')
  member = stack.accounts.member.login
})
after(async () => {
  await handheld?.stop()
  await stranger?.stop()
  await browser?.close()
  await stack?.stop()
})

const today = () => new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10)
const dayOfMember = () => json(page, `/api/duty/${member}?day=${today()}`)
const points = (day) => day.tracks.flatMap((track) => track.points)
const shownPoints = async () => Number(await page.locator(`[data-testid=member-day][data-login="${member}"]`).getAttribute('data-points'))

test('a sign-in from the handheld appears on the duty page, inside the grid', async () => {
  await logIn(page, stack.accounts.operator)
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === member).org
  spot = middleOf((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  await page.goto('/duty')
  await page.getByText('这一天没有打卡记录').waitFor()
  await page.evaluate(() => (globalThis.sameDocument = true))

  await handheld.startReceiver({ lat: spot.lat, lon: spot.lon, radiusM: Math.min(120, spot.edge * 0.6), fixes: 50 })
  await handheld.start()
  await handheld.save('sign-in')
  const punch = page.locator(`.punch[data-login="${member}"][data-act=in]`)
  await punch.waitFor({ timeout: 30_000 })
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, 'nobody loaded the page again')
  assert.equal(await punch.locator('[data-place]').getAttribute('data-place'), 'inside')
  assert.match(await punch.innerText(), /网格内/)
  assert.match(await punch.innerText(), /卫星校时|服务器校时|本机时钟/)
  await punch.click()
  await page.locator('[data-testid=map] .map-pin.in').waitFor()
  assert.deepEqual(await pinsInside(page, '.map-pin.in'), [true])
  await shot(page, 'duty-1-signed-in')
})

test('somebody who signs in elsewhere is shown outside, in words and on the map', async () => {
  const { actor: other } = JSON.parse(await readFile(stranger.config, 'utf8'))
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === other).org
  const far = beyond((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  await stranger.start()
  await stranger.save('sign-in', '--position', `${far.lat.toFixed(7)},${far.lon.toFixed(7)}`)
  const punch = page.locator(`.punch[data-login="${other}"][data-act=in]`)
  await punch.waitFor()
  assert.equal(await punch.locator('[data-place]').getAttribute('data-place'), 'outside')
  await punch.click()
  await page.locator('[data-testid=map] .map-pin.in').waitFor()
  await until('the map of the other', async () => (await page.locator('[data-testid=member-day]').getAttribute('data-login')) === other)
  assert.deepEqual(await pinsInside(page, '.map-pin.in'), [false])
  await shot(page, 'duty-2-outside')
})

test("the patrol's track is drawn, with its log and checks", async () => {
  await handheld.save('patrol', 'start')
  await page.locator(`.punch[data-login="${member}"]`).first().click()
  await page.locator('[data-testid=map] path.track-line.patrol').first().waitFor({ timeout: 60_000 })
  await until('a track of some length', async () => points(await dayOfMember()).length >= 25, 90_000, 500)
  await handheld.save('patrol', 'stop', '--text', '沿村主路巡查一遍，秩序正常。', '--check', '井盖=bad:村口一处破损', '--check', '路灯=ok')
  const log = page.getByTestId('patrol')
  await log.getByText('沿村主路巡查一遍').waitFor({ timeout: 30_000 })
  assert.equal(await log.locator('li').count(), 2)
  assert.equal(await log.locator('li.bad').count(), 1)

  await until('the page draws all of it', async () => (await shownPoints()) === points(await dayOfMember()).length)
  const lines = await linesInside(page, 'path.track-line.patrol')
  assert.equal(lines.length, 1, 'one way, without gaps')
  assert.ok(lines[0].length > 40, `${lines[0].length} px`)
  assert.equal(lines[0].inside, 100, 'all of it lies in the grid that is drawn')
})

test('points after the sign-out are not stored, though the receiver goes on', async () => {
  await handheld.save('sign-out')
  await page.locator(`.punch[data-login="${member}"][data-act=out]`).waitFor({ timeout: 30_000 })
  await until('everything was sent', () => handheld.drained(), 60_000, 500)
  const atSignOut = await dayOfMember()
  const out = atSignOut.punches.find((p) => p.act === 'out').at
  await new Promise((done) => setTimeout(done, 6000)) // longer than a batch of the handheld
  await until('everything was sent', () => handheld.drained(), 60_000, 500)
  const later = await dayOfMember()
  assert.ok(points(later).length >= 25)
  assert.deepEqual(points(later).filter((p) => p[0] > out), [])
  assert.equal(points(later).length, points(atSignOut).length)
  await page.reload()
  await page.locator('[data-testid=map] path.track-line.patrol').first().waitFor()
  assert.equal(await shownPoints(), points(later).length)
  await shot(page, 'duty-3-day')
})

test('a modified client sends points of after the sign-out straight to the broker: counted, and not stored', async () => {
  const before = await dayOfMember()
  const out = before.punches.find((p) => p.act === 'out').at
  const dropped = async () => Number(await ask(stack, `SELECT COALESCE(SUM(points), 0) FROM dropped_points WHERE device = '${handheld.device}'`))
  const droppedBefore = await dropped()
  await handheld.stop()
  const modified = await IndependentClient.enrolledIn(stack, handheld.device)
  const point = (ms) => [out + ms, Math.round(spot.lat * 1e7), Math.round(spot.lon * 1e7) + ms, 300]
  const track = (...offsets) => modified.outbox.capture(member, 'track', { points: offsets.map(point), patrol: null })
  try {
    // One batch of after, one that straddles the sign-out, which no honest handheld makes.
    // It has the server's time first: tracks by a clock of which nothing is known would wait.
    await modified.connect()
    await until('the time of the server', () => modified.outbox.serverAhead !== null)
    const ids = [track(1000, 2000, 3000, 4000, 5000), track(-2, -1, 1, 2)]
    await until('the receipts', () => ids.every((id) => modified.outbox.records.get(id)?.state === 'receipted'))
    await until('the batches were applied', async () => points(await dayOfMember()).length > points(before).length)
    const now = await dayOfMember()
    assert.equal(points(now).length, points(before).length + 2, 'only the two of before the sign-out')
    assert.deepEqual(points(now).filter((p) => p[0] > out), [])
    assert.equal(await dropped(), droppedBefore + 7)
    // Nor in the bytes of the records, which are kept as evidence of everything else.
    const hex = ids.map((id) => `'${id.replaceAll('-', '')}'`).join(',')
    assert.equal(await ask(stack, `SELECT COUNT(*), SUM(LENGTH(bytes)) FROM records WHERE id IN (${hex})`), '2|0')
    await until('the page shows no more', async () => (await shownPoints()) === points(now).length)
  } finally {
    await modified.close()
  }
})

test('the same day on a narrow screen', async () => {
  const phone = await open(browser, stack.url, { size: narrow })
  await logIn(phone, stack.accounts.leader)
  await phone.goto('/duty')
  await phone.locator('.punch').first().waitFor()
  await shot(phone, 'duty-4-narrow-list')
  await phone.locator(`.punch[data-login="${member}"]`).first().tap()
  await phone.locator('[data-testid=map] path.track-line.patrol').first().waitFor()
  await shot(phone, 'duty-5-narrow-day', { fullPage: true })
  assert.deepEqual([...page.problems, ...phone.problems], [])
})
