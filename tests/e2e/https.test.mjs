// The pages over HTTPS, with the server's own TLS: login, cookie and live push.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { json, launch, logIn, open } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { drawnScene } from './support/photo.mjs'
import { middleOf } from './support/place.mjs'
import { startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, page, handheld

before(async () => {
  stack = await startStack({ https: true })
  browser = await launch({ trusted: join(stack.data, 'tls', 'server.crt') })
  page = await open(browser, stack.url)
  handheld = new Handheld(stack, 'hh-0101')
})
after(async () => {
  await handheld?.stop()
  await browser?.close()
  await stack?.stop()
})

test('login over TLS: the cookie goes over TLS only, and no script reads it', async () => {
  assert.match(stack.url, /^https:/)
  await logIn(page, stack.accounts.operator)
  const cookies = await page.context().cookies()
  assert.deepEqual(cookies.map(({ name, secure, httpOnly, sameSite }) => ({ name, secure, httpOnly, sameSite })), [
    { name: 'gridward_session', secure: true, httpOnly: true, sameSite: 'Strict' },
  ])
  assert.equal(await page.evaluate(() => document.cookie), '')
  assert.equal(await page.evaluate(() => globalThis.isSecureContext), true)
})

test('a browser that does not know the certificate gets no page', async () => {
  const stranger = await launch()
  const tab = await (await stranger.newContext()).newPage()
  await assert.rejects(tab.goto(stack.url), /ERR_CERT_AUTHORITY_INVALID/)
  await stranger.close()
})

test('the live push works over TLS: a report appears by itself, then its photo', async () => {
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === stack.accounts.member.login).org
  const spot = middleOf((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  const category = (await json(page, '/api/me')).policy.categories[0].code
  await page.evaluate(() => (globalThis.sameDocument = true))
  await handheld.start()
  const photo = await drawnScene(join(stack.data, 'scene.jpg'), 1)
  const text = '经加密连接上报的案件'
  await handheld.save('report', '--category', category, '--text', text, '--photo', photo, '--position', `${spot.lat},${spot.lon}`)
  const row = page.locator('a.row[data-fresh]', { hasText: text })
  await row.waitFor()
  const image = row.locator('img')
  await until('the thumbnail is shown', () => image.evaluate((e) => e.complete && e.naturalWidth > 0))
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.locator('[data-action=accept]').click()
  await page.locator('[data-testid=case][data-step=awaiting_transfer]').waitFor()
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true)
  assert.deepEqual(page.problems, [])
})
