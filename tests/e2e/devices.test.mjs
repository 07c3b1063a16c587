// What the town desk sees of its handhelds and tells them: signatures that are wrong or missing, refusals, notices.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { barriers, json, launch, logIn, narrow, open, shot } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { wire } from './support/independent-codec.mjs'
import { Person } from './support/independent-http.mjs'
import { IndependentClient } from './support/independent.mjs'
import { startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, page, phone, handheld, client, category

before(async () => {
  stack = await startStack()
  browser = await launch()
  page = await open(browser, stack.url)
  phone = await open(browser, stack.url, { size: narrow })
  await logIn(page, stack.accounts.operator)
  await logIn(phone, stack.accounts.operator)
  category = (await json(page, '/api/me')).policy.categories[0].code
  handheld = new Handheld(stack, 'hh-0101')
  await handheld.start()
  client = await IndependentClient.enrolledIn(stack, 'hh-0201', { retryMs: 15_000 })
  await client.connect()
  await page.goto('/devices')
  await phone.goto('/devices')
  await page.locator('[data-device]').first().waitFor()
})
after(async () => {
  await client?.close()
  await handheld?.stop()
  await browser?.close()
  await stack?.stop()
})

const rowOf = (tab, device) => tab.locator(`tr[data-device=${device}]`)
const told = (text) => handheld.lines.filter((line) => / notice \{/.test(line) && line.includes(text)).length
const itemsOf = (kind) =>
  [...client.outbox.items.values()].filter((item) => item.kind === kind).map(({ body }) => wire.decodeItem(kind, body))

test('each handheld was given the settings and the matter list of the county', async () => {
  const [settings] = await until('the settings', () => (itemsOf('settings').length > 0 ? itemsOf('settings') : null))
  assert.match(settings.rev, /^[0-9a-f]{16}$/)
  const [{ list }] = await until('the matter list', () => (itemsOf('categories').length > 0 ? itemsOf('categories') : null))
  const { categories } = (await json(page, '/api/me')).policy
  const whole = ({ group, name }) => (group === '' ? name : `${group}/${name}`)
  assert.deepEqual(
    list.map((one) => [one.code, whole(one)]).sort(),
    categories.map(({ code, name }) => [code, name]).sort(),
  )
})

test('records with a wrong and without a signature are taken, counted in red, and listed', async () => {
  assert.equal(await rowOf(page, 'hh-0201').locator('.chip.red', { hasText: '签名异常' }).count(), 0)
  const capture = (text, of = category) => {
    const id = client.outbox.capture(stack.accounts.member.login, 'report', { category: of, text })
    return client.outbox.records.get(id)
  }
  client.quiet = true
  const [wrong, without, refused] = [capture('签名错误'), capture('没有签名'), capture('类别不对', 'no-such')]
  client.publish('up', { ...client.outbox.up([wrong]), signature: randomBytes(64) })
  client.publish('up', { ...client.outbox.up([without]), signature: null })
  client.publish('up', client.outbox.up([refused]))
  client.quiet = false
  await until('the receipts', () => wrong.state === 'receipted' && without.state === 'receipted' && refused.state === 'refused')

  // The page was open all the time and is told by itself.
  for (const tab of [page, phone]) await rowOf(tab, 'hh-0201').locator('.chip.red', { hasText: '签名异常 2' }).waitFor()
  await page.getByTestId('flagged-sum').click()
  await rowOf(page, 'hh-0101').waitFor({ state: 'hidden' })
  // Who is hidden is not picked with "all".
  await page.locator('thead input').click()
  await page.locator('.tell', { hasText: '1 台' }).waitFor()
  await page.locator('thead input').click()
  assert.equal(await page.locator('input:checked').count(), 0)
  await page.getByTestId('flagged-sum').click()
  await rowOf(page, 'hh-0101').waitFor()
  assert.equal(await rowOf(page, 'hh-0101').getByTestId('open-troubles').count(), 0)
  await shot(page, 'devices-flagged')
  await shot(phone, 'devices-flagged-narrow')

  await rowOf(page, 'hh-0201').getByTestId('open-troubles').click()
  await page.locator('[data-flagged]').first().waitFor()
  const listed = await page.locator('[data-flagged]').allInnerTexts()
  assert.equal(listed.length, 2)
  for (const [record, reason] of [[wrong, '签名不对'], [without, '没有签名']]) {
    const row = listed.find((text) => text.includes(record.id))
    assert.ok(row?.includes(reason) && row.includes('上报'), `${reason}: ${row}`)
  }
  const kept = await page.locator('[data-quarantined]').allInnerTexts()
  assert.equal(kept.length, 1)
  assert.ok(kept[0].includes(refused.id) && kept[0].includes('事项清单中没有这个类别'), kept[0])
  await shot(page, 'devices-troubles')
  assert.deepEqual(await barriers(page), [])
  await page.keyboard.press('Escape')
  await page.getByTestId('troubles').waitFor({ state: 'hidden' })

  await rowOf(phone, 'hh-0201').getByTestId('open-troubles').tap()
  await phone.locator('[data-quarantined]').first().waitFor()
  await shot(phone, 'devices-troubles-narrow')
  assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth)) <= narrow.width)
  assert.deepEqual(await barriers(phone), [])
  await phone.keyboard.press('Escape')
})

test('a notice to one handheld reaches it and no other; it is written with the keyboard alone', async () => {
  await rowOf(page, 'hh-0101').locator('input').focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Tab')
  await page.evaluate(() => document.activeElement.blur())
  await page.keyboard.press('n')
  await page.locator('#notice-text:focus').waitFor()
  await page.keyboard.press('Control+Enter')
  await page.locator('[role=alert]', { hasText: '请填写通知内容' }).waitFor()
  await page.keyboard.type('明日大风，请巡查户外广告牌')
  await shot(page, 'devices-notice')
  await page.keyboard.press('Control+Enter')
  await page.locator('#notice-text').waitFor({ state: 'hidden' })
  await until('it is in the outbox of the handheld', () => told('明日大风') === 1)
  assert.equal(itemsOf('notice').length, 0)
  assert.equal(await page.locator('input:checked').count(), 0, 'nothing stays chosen')
})

test('a notice to all of them is sent once, however often it is pressed and though an answer is lost', async () => {
  await phone.locator('.tell').tap()
  await phone.locator('#notice-text').fill('全镇注意防汛')
  await shot(phone, 'devices-notice-narrow')
  assert.deepEqual(await barriers(phone), [])
  // The first answer is lost on its way; who asks again must not tell everybody twice.
  let lost = 0
  await phone.route('**/api/devices/notices', async (route) => {
    if (lost++ > 0) return route.continue()
    await route.fetch()
    return route.abort()
  })
  const send = phone.getByRole('button', { name: /^发给 \d+ 台$/ })
  await send.dblclick()
  await phone.locator('.error[role=alert]').waitFor()
  await send.tap()
  await phone.locator('#notice-text').waitFor({ state: 'hidden' })
  await phone.unroute('**/api/devices/notices')
  await until('both have it', () => told('全镇注意防汛') > 0 && itemsOf('notice').length > 0)
  // One more behind it: whatever was sent twice would have come before.
  await phone.locator('.tell').tap()
  await phone.locator('#notice-text').fill('以上为演练')
  await send.tap()
  await until('the last one', () => told('以上为演练') === 1 && itemsOf('notice').length >= 2)
  assert.equal(told('全镇注意防汛'), 1)
  assert.deepEqual(itemsOf('notice').map(({ text }) => text), ['全镇注意防汛', '以上为演练'])
})

test('a handling unit neither sees handhelds nor tells them anything', async () => {
  const unit = await Person.logIn(stack.url, stack.accounts.unit)
  await assert.rejects(() => unit.get('/api/devices/hh-0201/troubles'), /403/)
  await assert.rejects(() => unit.call('/api/devices/notices', { id: wire.uuid7At(Date.now(), randomBytes(10)), text: 'x', all: true }), /403/)
})

test('nothing was thrown in the pages', () => {
  assert.deepEqual(page.problems, [])
  assert.deepEqual(phone.problems, [])
})
