// Every page, wide and narrow, in both languages: nothing thrown, nothing scrolls sideways, no serious barrier, pictures.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { barriers, json, launch, logIn, narrow, open, shot, wide } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { Person } from './support/independent-http.mjs'
import { drawnScene } from './support/photo.mjs'
import { middleOf } from './support/place.mjs'
import { startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, handheld, caseId, longId, doneId

before(async () => {
  stack = await startStack()
  browser = await launch()
  handheld = new Handheld(stack, 'hh-0101')
  const page = await open(browser, stack.url)
  await logIn(page, stack.accounts.operator)
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === stack.accounts.member.login).org
  const spot = middleOf((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  const position = ['--position', `${spot.lat},${spot.lon}`]
  await handheld.start()
  await handheld.save('sign-in', ...position)
  const { categories } = (await json(page, '/api/me')).policy
  for (const [i, category] of categories.slice(0, 5).entries()) {
    const photo = await drawnScene(join(stack.data, `scene-${i}.jpg`), i + 1)
    await handheld.save('report', '--category', category.code, '--text', `第 ${i + 1} 件：${category.name}，请派人查看。`, '--photo', photo, ...position)
  }
  // More photos than a phone is wide, more text than anybody reads, no position, a word that cannot be broken.
  const photos = [0, 1, 2, 3, 4].flatMap((i) => ['--photo', join(stack.data, `scene-${i}.jpg`)])
  const words = `${'村委会东侧约五十米处的主干道路面上有一处井盖破损，边缘已经明显塌陷，附近没有任何围挡。'.repeat(8)}\n${'x'.repeat(120)}`
  await handheld.save('report', '--category', categories[0].code, '--text', words, ...photos)
  const expected = Math.min(5, categories.length) + 1
  await until('the reports are there', async () => (await json(page, '/api/cases')).total >= expected)
  const { cases } = await json(page, '/api/cases')
  longId = cases.find((row) => row.place === null).id
  caseId = cases.find((row) => row.place !== null).id
  doneId = await workedThrough(categories, position)
  await until('the photo is there', async () => (await json(page, `/api/cases/${caseId}`)).media.every((m) => m.status === 'derived'))
  await page.context().close()
})

// A case that has been everywhere, made by the people whose work it is.
async function workedThrough(categories, position) {
  const [operator, unit] = await Promise.all([stack.accounts.operator, stack.accounts.unit].map((who) => Person.logIn(stack.url, who)))
  const text = '村委会门前井盖破损，边缘塌陷，夜间行人易踩空。'
  const scene = (name, more) => drawnScene(join(stack.data, name), 22, '2400x1800', { problem: 'manhole', ...more })
  const category = categories.find(({ name }) => name.includes('井盖')).code
  await handheld.save('report', '--category', category, '--text', text, '--photo', await scene('before.jpg'), ...position)
  const { id } = await until('the report', async () => (await operator.get(`/api/cases?q=${encodeURIComponent(text)}`)).cases[0])
  await operator.act(id, 'accept')
  await operator.act(id, 'transfer', { unit: (await unit.get('/api/me')).actor.org, note: '请尽快处置，先行围挡。' })
  await unit.act(id, 'take')
  await unit.act(id, 'arrive')
  await unit.act(id, 'handle', { note: '已更换井盖，周边路面补平。' })
  await unit.act(id, 'feedback', { note: '井盖已更换，请核查。', result_kind: 'handled' })
  await operator.act(id, 'request_verify', { note: '请到现场核查并拍照。' })
  const { task } = await until('the task', () => handheld.openTask(id))
  const words = ['--outcome', 'confirmed', '--text', '井盖完好，路面平整。', '--photo', await scene('after.jpg', { repaired: true })]
  await handheld.save('task', 'done', task, ...words, ...position)
  await until('the check', async () => (await operator.get(`/api/cases/${id}`)).step === 'verify_passed')
  await operator.act(id, 'close', { note: '核查通过，予以结案。', closing_basis: 'handled' })
  await until('both photos', async () => (await operator.get(`/api/cases/${id}`)).media.every((m) => m.status === 'derived'))
  return id
}
after(async () => {
  await handheld?.stop()
  await browser?.close()
  await stack?.stop()
})

const pages = [
  { name: 'cases', path: () => '/cases', there: 'a.row' },
  { name: 'cases-none', path: () => '/cases?q=zzz', there: '.empty button' },
  { name: 'menu', path: () => '/cases?stage=closed', there: '.empty', press: '.user', then: '[role=menuitem]' },
  { name: 'case', path: () => `/cases/${caseId}`, there: '[data-testid=map] path.own-grid' },
  { name: 'case-done', path: () => `/cases/${doneId}`, there: '[data-testid=map] path.own-grid' },
  { name: 'case-long', path: () => `/cases/${longId}`, there: '.strip img' },
  { name: 'viewer', path: () => `/cases/${longId}`, there: '.strip img', press: 'figure .open', then: 'dialog[open] img' },
  { name: 'reject', path: () => `/cases/${caseId}`, there: '[data-action=reject]', press: '[data-action=reject]', then: '#act-note' },
  { name: 'case-absent', path: () => '/cases/00000000-0000-7000-8000-000000000000', there: '.absent' },
  { name: 'duty', path: () => '/duty', there: '.punch' },
  { name: 'duty-none', path: () => '/duty?day=2026-01-05', there: '.list .empty' },
  { name: 'day', path: () => `/duty/${stack.accounts.member.login}`, there: '[data-testid=member-day] path.own-grid' },
  { name: 'devices', path: () => '/devices', there: '[data-device]' },
  { name: 'notice', path: () => '/devices', there: '[data-device]', press: '.tell', then: '#notice-text' },
  { name: 'missing', path: () => '/nowhere', there: '.missing' },
]

for (const [kind, size] of Object.entries({ wide, narrow })) {
  for (const locale of ['zh-CN', 'en']) {
    test(`every page, ${kind}, ${locale}`, async () => {
      const page = await open(browser, stack.url, { size, locale })
      const found = []
      const look = async (name) => {
        await page.mouse.move(0, 0) // nothing is pointed at
        await shot(page, `page-${name}-${kind}-${locale}`)
        found.push(...(await barriers(page)).map((barrier) => `${name}: ${barrier}`))
        // Held against the screen: a phone's window grows with what is too wide.
        const over = (await page.evaluate(() => document.documentElement.scrollWidth)) - size.width
        if (over > 0) found.push(`${name}: ${over} px wider than the screen`)
        if (size === narrow) found.push(...(await small(page)).map((what) => `${name}: under 44 px: ${what}`))
        if (locale === 'zh-CN') found.push(...(await latin(page)).map((what) => `${name}: not Chinese: ${what}`))
      }
      await page.goto('/')
      await page.locator('#login').waitFor()
      await look('login')
      await logIn(page, stack.accounts.operator)
      for (const { name, path, there, press, then } of pages) {
        await page.goto(path())
        await page.locator(there).first().waitFor()
        if (press !== undefined) {
          await page.locator(press).first().click()
          await page.locator(then).first().waitFor()
        }
        await look(name)
      }
      assert.deepEqual(found, [])
      assert.deepEqual(page.problems, [])
      await page.context().close()
    })
  }
}

// What is pressed with a thumb and is lower than 44 px.
function small(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, a[href], input, [role=button], [role=combobox], [role=menuitem]')]
      .map((e) => ({ e, box: (e.closest('.el-input__wrapper, .el-select__wrapper') ?? e).getBoundingClientRect() }))
      .filter(({ e, box }) => box.height > 0 && box.height < 43.5 && box.bottom > 0 && !e.classList.contains('skip'))
      .map(({ e, box }) => `${e.tagName}.${e.className} ${Math.round(box.height)} px`),
  )
}

// Words of the page itself in Latin letters: not keys, ids, hashes, units or what somebody wrote.
function latin(page) {
  return page.evaluate(() => {
    const found = []
    const texts = document.createTreeWalker(document.querySelector('#app'), NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const parent = texts.currentNode.parentElement
      if (parent.closest('kbd, style, [lang=en], .hash, .ident, .story, .text, .leaflet-control, [data-device] th') !== null) continue
      if (parent.getClientRects().length === 0 || parent.textContent.trim() === 'English') continue
      found.push(...(texts.currentNode.textContent.match(/[A-Za-z]{2,}/g) ?? []).filter((word) => !/^([KM]iB|px)$/.test(word)))
    }
    return found
  })
}

test('the first visit, from the login to the list, is small enough for a town office', async () => {
  const page = await open(browser, stack.url)
  await logIn(page, stack.accounts.operator)
  await page.locator('a.row').first().waitFor()
  const sizes = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter((entry) => !new URL(entry.name).pathname.startsWith('/api/'))
      .map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize]),
  )
  const total = sizes.reduce((sum, [, size]) => sum + size, 0)
  console.log(`# first visit: ${Math.round(total / 1024)} KiB, as they travel`)
  assert.ok(total > 50 * 1024 && total < 175 * 1024, sizes.join('\n'))
  await page.context().close()
})

test('the connection is lost: the page says so, and comes back by itself', async () => {
  const page = await open(browser, stack.url)
  await logIn(page, stack.accounts.operator)
  await page.locator('a.row').first().waitFor()
  await page.context().setOffline(true)
  const banner = page.getByTestId('live-banner')
  await banner.waitFor()
  assert.match(await banner.innerText(), /画面停留在 \d\d:\d\d:\d\d/)
  await page.locator('[data-stage=closed]').click()
  assert.match(await page.getByRole('alert').filter({ hasText: '没有连上服务器' }).innerText(), /重试/)
  await shot(page, 'page-offline-wide-zh-CN')
  const { total } = await withOther((other) => json(other, '/api/cases'))
  await page.context().setOffline(false)
  await banner.waitFor({ state: 'detached', timeout: 30_000 })
  await page.locator('[data-stage=all]').click()
  await until('the list is whole again', async () => (await page.locator('a.row').count()) === Math.min(total, 50))
  assert.deepEqual(page.problems, [])
  await page.context().close()
})

async function withOther(work) {
  const other = await open(browser, stack.url)
  await logIn(other, stack.accounts.operator)
  const answer = await work(other)
  await other.context().close()
  return answer
}

test('the address keeps the filter, and the keyboard works the list', async () => {
  const page = await open(browser, stack.url)
  await logIn(page, stack.accounts.operator)
  await page.locator('a.row').first().waitFor()
  const all = await page.locator('a.row').count()
  await page.locator('[data-stage=reported]').click()
  await page.keyboard.press('/')
  await page.keyboard.type('第 2 件')
  await page.waitForURL(/q=/)
  await until('one row is left', async () => (await page.locator('a.row').count()) === 1)
  assert.match(page.url(), /stage=reported/)
  await page.reload()
  await until('the same after a reload', async () => (await page.locator('a.row').count()) === 1)
  await page.goto('/cases')
  await until('all again', async () => (await page.locator('a.row').count()) === all)
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  const focused = await page.evaluate(() => document.activeElement.dataset.id)
  assert.equal(focused, await page.locator('a.row').first().getAttribute('data-id'))
  await page.keyboard.press('Shift+?')
  await page.getByRole('dialog', { name: '键盘快捷键' }).waitFor()
  await shot(page, 'page-keys-wide-zh-CN')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: '键盘快捷键' }).waitFor({ state: 'hidden' })
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/cases/${focused}`)
  await page.keyboard.press('u')
  await page.locator('a.row').first().waitFor()
  await until('the focus is where it was', async () => (await page.evaluate(() => document.activeElement.dataset.id)) === focused)
  assert.deepEqual(page.problems, [])
  await page.context().close()
})

test('a wrong password says so, and who may not see duty is not shown it', async () => {
  const page = await open(browser, stack.url)
  await page.goto('/login')
  await page.locator('#login').fill(stack.accounts.unit.login)
  await page.locator('#password').fill('wrong')
  await page.keyboard.press('Enter')
  assert.match(await page.getByRole('alert').innerText(), /账号或密码不对/)
  await logIn(page, stack.accounts.unit)
  assert.equal(await page.getByRole('link', { name: '值守' }).count(), 0)
  await page.goto('/duty')
  await page.waitForURL(/\/cases/)
  await page.context().close()
})
