// A member's day on the duty page: signed in inside the grid, the patrol drawn, nothing kept after the sign-out.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { json, launch, logIn, narrow, open, shot } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { middleOf } from './support/place.mjs'
import { startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, page, handheld, member, spot

before(async () => {
  stack = await startStack()
  browser = await launch()
  page = await open(browser, stack.url)
  handheld = new Handheld(stack, 'hh-0101')
  member = stack.accounts.member.login
})
after(async () => {
  await handheld?.stop()
  await browser?.close()
  await stack?.stop()
})

const today = () => new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10)
const dayOfMember = () => json(page, `/api/duty/${member}?day=${today()}`)
const points = (day) => day.tracks.flatMap((track) => track.points)

test('a sign-in from the handheld appears on the duty page, inside the grid', async () => {
  await logIn(page, stack.accounts.operator)
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === member).org
  spot = middleOf((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  await page.goto('/duty')
  await page.getByRole('heading', { name: '值守' }).waitFor()

  await handheld.startReceiver({ lat: spot.lat, lon: spot.lon, radiusM: Math.min(120, spot.edge * 0.6), fixes: 80 })
  await handheld.start()
  await handheld.save('sign-in')
  const punch = page.locator(`.punch[data-login="${member}"][data-act=in]`)
  await punch.waitFor({ timeout: 30_000 })
  assert.equal(await punch.locator('[data-place]').getAttribute('data-place'), 'inside')
  assert.match(await punch.innerText(), /卫星校时|服务器校时|本机时钟/)
  await shot(page, 'duty-1-signed-in')
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

  const outline = await page.locator('[data-testid=map] path.own-grid').boundingBox()
  const line = await page.locator('[data-testid=map] path.track-line.patrol').first().boundingBox()
  assert.ok(line.width > 4 && line.height > 4, 'the line has an extent')
  assert.ok(line.x >= outline.x && line.x + line.width <= outline.x + outline.width, 'it lies in the grid')
  assert.ok(line.y >= outline.y && line.y + line.height <= outline.y + outline.height, 'it lies in the grid')
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
  await shot(page, 'duty-2-day')
})

test('the same day on a narrow screen', async () => {
  const phone = await open(browser, stack.url, { size: narrow })
  await logIn(phone, stack.accounts.leader)
  await phone.goto('/duty')
  await phone.locator('.punch').first().waitFor()
  await shot(phone, 'duty-3-narrow-list')
  await phone.locator(`.punch[data-login="${member}"]`).first().tap()
  await phone.locator('[data-testid=map] path.track-line.patrol').first().waitFor()
  await shot(phone, 'duty-4-narrow-day', { fullPage: true })
  assert.deepEqual([...page.problems, ...phone.problems], [])
})
