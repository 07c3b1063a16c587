// What goes wrong in the field: a photo cut on its way, a photo that cannot be decoded, a server that dies and comes back.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { json, launch, logIn, narrow, open, shot } from './support/browser.mjs'
import { Handheld } from './support/handheld.mjs'
import { openLine } from './support/line.mjs'
import { drawnScene, hugePhoto } from './support/photo.mjs'
import { middleOf } from './support/place.mjs'
import { startStack } from './support/stack.mjs'
import { until } from './support/until.mjs'

let stack, browser, page, phone, handheld, line, category, position

before(async () => {
  stack = await startStack()
  browser = await launch()
  page = await open(browser, stack.url)
  phone = await open(browser, stack.url, { size: narrow, locale: 'en' })
  await logIn(page, stack.accounts.operator)
  await logIn(phone, stack.accounts.operator)
  const grid = (await json(page, '/api/members')).members.find((m) => m.login === stack.accounts.member.login).org
  const spot = middleOf((await json(page, '/api/org')).nodes.find((n) => n.code === grid).outline)
  position = ['--position', `${spot.lat},${spot.lon}`]
  category = (await json(page, '/api/me')).policy.categories[0].code
  handheld = new Handheld(stack, 'hh-0101')
  line = await openLine(stack.mqtt_port)
  const config = JSON.parse(await readFile(handheld.config, 'utf8'))
  await writeFile(handheld.config, JSON.stringify({ ...config, broker: `ssl://localhost:${line.port}` }))
  await handheld.start()
  await page.evaluate(() => (globalThis.sameDocument = true))
})
after(async () => {
  await handheld?.stop()
  line?.close()
  await browser?.close()
  await stack?.stop()
})

const rowOf = (tab, text) => tab.locator('a.row', { hasText: text })
// A handheld that had no answer for a while asks less often, so a receipt may take its time.
const receipt = (record) => until('the receipt', () => handheld.receipted(record), 90_000)
async function report(text, ...words) {
  const record = await handheld.save('report', '--category', category, '--text', text, ...words, ...position)
  return { text, record }
}

test('the photo is cut on its way: the case is there, says what is missing, and shows the photo when it comes', async () => {
  const photo = await drawnScene(join(stack.data, 'long.jpg'), 3, '4000x3000')
  const { length } = await readFile(photo)
  assert.ok(length > 300_000, `${length} bytes are not enough to be cut`)
  line.cutAfter(200_000)
  const { text, record } = await report('照片在途的案件', '--photo', photo)
  await receipt(record)
  await until('the line is cut', () => handheld.lines.some((l) => / disconnected: /.test(l)))
  await rowOf(page, text).waitFor()
  await rowOf(page, text).click()
  const missing = page.locator('figure:not([data-status=derived]) [role=status]')
  await until('a part is here', async () => /照片在途，已到 [1-9]\d* %/.test(await missing.innerText()))
  const [, have, size] = /([\d.]+) KiB \/ ([\d.]+ [KM]iB)/.exec(await missing.innerText())
  assert.ok(Number(have) > 0 && Number(have) * 1024 < length, `${have} KiB of ${size}`)
  assert.equal(await page.locator('figure img').count(), 0)
  await page.locator('[data-action=accept]').waitFor() // the case waits for nothing
  await shot(page, 'trouble-1-photo-on-the-way')
  await rowOf(phone, text).tap()
  await phone.getByText(/Photo on the way, \d+ % here/).waitFor()
  await shot(phone, 'trouble-1-photo-on-the-way-narrow-en', { fullPage: true })

  line.mend()
  for (const tab of [page, phone]) {
    const image = tab.locator('figure[data-status=derived] img')
    await image.waitFor({ timeout: 90_000 })
    await until('the photo is shown', () => image.evaluate((e) => e.complete && e.naturalWidth > 0))
  }
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, 'by itself')
  await page.keyboard.press('u')
  const thumb = rowOf(page, text).locator('img')
  await until('and in the list', () => thumb.evaluate((e) => e.complete && e.naturalWidth > 0))
})

test('photos that the worker refuses: the case says so and everything else works', async () => {
  const broken = join(stack.data, 'broken.jpg')
  await writeFile(broken, Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.alloc(4000, 0x5a)]))
  const huge = join(stack.data, 'huge.jpg')
  await writeFile(huge, hugePhoto(await readFile(await drawnScene(join(stack.data, 'small.jpg'), 5, '800x600'))))
  const { text } = await report('照片损坏的案件', '--photo', broken, '--photo', huge, '--photo', await drawnScene(join(stack.data, 'good.jpg'), 2))
  await rowOf(page, text).waitFor()
  await rowOf(page, text).click()
  await until('the worker has looked at all', async () => {
    const { media } = await json(page, `/api/cases/${page.url().split('/').at(-1)}`)
    return media.filter((m) => m.status === 'refused').length === 2 && media.filter((m) => m.status === 'derived').length === 1
  }, 60_000)
  const figure = page.locator('figure')
  await page.getByRole('button', { name: /照片，案件/ }).nth(0).click()
  await until('the first says why', async () => /照片无法解码/.test(await figure.innerText()))
  assert.match(await figure.innerText(), /原件已封存，但无法显示/)
  await shot(page, 'trouble-2-photo-refused')
  // The evidence is there for who may have it, as it came.
  const download = page.waitForEvent('download')
  await figure.getByRole('link', { name: '下载原件' }).click()
  assert.deepEqual(await readFile(await (await download).path()), await readFile(broken))
  await page.getByRole('button', { name: /照片，案件/ }).nth(1).click()
  await until('the second says why', async () => /照片尺寸超过上限/.test(await figure.innerText()))
  await page.getByRole('button', { name: /照片，案件/ }).nth(2).click()
  const image = page.locator('figure[data-status=derived] img')
  await until('the good one is shown', () => image.evaluate((e) => e.complete && e.naturalWidth > 0))
  await page.keyboard.press('a')
  await page.locator('[data-testid=case][data-step=awaiting_transfer]').waitFor()
  await phone.goto('/cases')
  await rowOf(phone, text).tap()
  await phone.getByText('The original is kept, but it cannot be shown').waitFor()
  await shot(phone, 'trouble-2-photo-refused-narrow-en', { fullPage: true })
  assert.equal((await json(page, '/api/health')).ok, true)
})

test('the server dies: the pages say so, come back by themselves and show what they missed', async () => {
  const known = '服务器中断前的案件'
  await receipt((await report(known)).record)
  await page.goto('/cases')
  await rowOf(page, known).waitFor()
  await page.evaluate(() => (globalThis.sameDocument = true))
  await phone.goto(`/cases/${await rowOf(page, known).getAttribute('data-id')}`)
  await phone.locator('[data-action=accept]').waitFor()
  const second = await open(browser, stack.url)
  await logIn(second, stack.accounts.leader)
  await second.goto('/duty')
  await second.locator('[data-testid=live][data-status=open]').waitFor()

  await stack.order('kill')
  for (const tab of [page, phone, second]) await tab.getByTestId('live-banner').waitFor()
  assert.match(await page.getByTestId('live-banner').innerText(), /连不上服务器[^]*画面停留在 \d\d:\d\d:\d\d/)
  assert.match(await phone.getByTestId('live-banner').innerText(), /server cannot be reached[^]*state of \d\d:\d\d:\d\d/)
  await shot(page, 'trouble-3-server-away')
  await shot(phone, 'trouble-3-server-away-narrow-en')
  // What somebody tries meanwhile fails with a word, and nothing is lost of the page.
  await phone.locator('[data-action=accept]').tap()
  await phone.getByText('The server could not be reached').waitFor()
  await phone.locator('[data-action=accept]').waitFor()
  // Captured while the server is away: it waits on the handheld.
  const missed = await report('服务器中断期间上报的案件')
  const signIn = await handheld.save('sign-in', ...position)

  await stack.order('start')
  await receipt(missed.record)
  await receipt(signIn)
  for (const tab of [page, phone, second]) await tab.getByTestId('live-banner').waitFor({ state: 'detached', timeout: 30_000 })
  await rowOf(page, missed.text).waitFor()
  assert.equal(await rowOf(page, missed.text).getAttribute('data-fresh'), 'true')
  await second.locator(`.punch[data-login="${stack.accounts.member.login}"][data-act=in]`).waitFor()
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, 'nobody loaded the page again')
  await phone.locator('[data-action=accept]').tap()
  await phone.locator('[data-testid=case][data-step=awaiting_transfer]').waitFor()
  await shot(page, 'trouble-4-server-back')
  assert.deepEqual([...page.problems, ...phone.problems, ...second.problems], [])
})
