// A neighbour asks that what a report says about her is erased: it goes, and the trail still stands.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { json, launch, logIn, narrow, open, shot } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { middleOf } from './support/place.mjs'
import { serverCommand, startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, page, phone, handheld

before(async () => {
  stack = await startStack()
  browser = await launch()
  page = await open(browser, stack.url)
  phone = await open(browser, stack.url, { size: narrow, locale: 'en' })
  await logIn(page, stack.accounts.operator)
  await logIn(phone, stack.accounts.operator)
  handheld = new Handheld(stack, 'hh-0101')
  await handheld.start()
})
after(async () => {
  await handheld?.stop()
  await browser?.close()
  await stack?.stop()
})

test('what was erased is shown as erased, and the chain holds', async () => {
  const text = '王阿姨家门口堆放杂物'
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === stack.accounts.member.login).org
  const spot = middleOf((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  const category = (await json(page, '/api/me')).policy.categories[0].code
  await handheld.save('report', '--category', category, '--text', text, '--position', `${spot.lat},${spot.lon}`)
  const row = page.locator('a.row', { hasText: text })
  await row.waitFor()
  const id = await row.getAttribute('data-id')
  await row.click()
  await page.locator('[data-action=accept]').click()
  await until('accepted', async () => (await json(page, `/api/cases/${id}`)).stage === 'accepted')
  const before = await json(page, `/api/cases/${id}`)

  await assert.rejects(serverCommand(stack, 'event', 'erase', id, '1'), /--reason/)
  await serverCommand(stack, 'event', 'erase', id, '1', '--reason', '当事人要求删除')
  assert.match(await serverCommand(stack, 'audit', 'verify'), /^ok: \d+ cases/)
  assert.match(await serverCommand(stack, 'audit', 'erasures'), /当事人要求删除/)
  const gone = await json(page, `/api/cases/${id}`)
  assert.deepEqual(gone.events[0].erased, ['actor', 'note', 'place'])
  assert.deepEqual(gone.events.map((e) => e.hash), before.events.map((e) => e.hash))
  assert.ok(!JSON.stringify(gone).includes('王阿姨'))

  await page.reload()
  const reported = page.locator('[data-event=report]')
  await reported.waitFor()
  assert.match(await reported.innerText(), /已删除/)
  assert.match(await page.locator('.story').innerText(), /已删除/)
  assert.match(await page.locator('[data-event=accept] .who').innerText(), /\S/)
  assert.doesNotMatch(await page.locator('[data-event=accept]').innerText(), /已删除/)
  await shot(page, 'erased-1-case')
  await phone.goto(`${stack.url}/cases/${id}`)
  await phone.locator('[data-event=report]', { hasText: 'Erased' }).waitFor()
  await shot(phone, 'erased-1-case-narrow-en', { fullPage: true })
})
