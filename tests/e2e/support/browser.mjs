import { createHash, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { root } from './stack.mjs'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
export const screenshots = process.env.GRIDWARD_SCREENSHOTS ?? join(root, 'build', 'screenshots')

export const wide = { width: 1440, height: 900 }
export const narrow = { width: 390, height: 844 }

// Every launch has a fresh profile, which Playwright throws away. `trusted`: the one certificate (PEM file) that is
// taken although no authority of the browser signed it; every other is refused as in town.
export async function launch({ trusted = null } = {}) {
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync']
  if (trusted !== null) {
    const key = new X509Certificate(await readFile(trusted)).publicKey.export({ type: 'spki', format: 'der' })
    args.push(`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`)
  }
  return chromium.launch({ executablePath: process.env.GRIDWARD_CHROMIUM ?? '/usr/bin/chromium', args })
}

// A page of one person. Anything thrown in it is kept in `page.problems` for the story to look at.
export async function open(browser, url, { size = wide, locale = 'zh-CN' } = {}) {
  const phone = size.width < 820
  const context = await browser.newContext({
    baseURL: url,
    viewport: size,
    isMobile: phone,
    hasTouch: phone,
    deviceScaleFactor: phone ? 2 : 1,
    locale: 'zh-CN',
    timezoneId: 'Europe/Lisbon', // the page must show the tenant's time wherever it is read
  })
  if (locale !== 'zh-CN') await context.addInitScript((l) => localStorage.setItem('gridward.locale', l), locale)
  const page = await context.newPage()
  page.problems = []
  page.on('pageerror', (error) => page.problems.push(error.stack ?? error.message))
  page.setDefaultTimeout(15_000)
  return page
}

export async function logIn(page, account) {
  await page.goto('/login')
  await page.locator('#login').fill(account.login)
  await page.locator('#password').fill(account.password)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/cases/)
  await page.locator('[data-testid=live][data-status=open]').waitFor({ state: 'attached' })
}

// Until what opens or closes has done so; the long fading of what is new is left to itself.
async function still(page) {
  await page.waitForTimeout(100)
  await page.evaluate(() => {
    const brief = (animation) => {
      const { duration, iterations } = animation.effect.getComputedTiming()
      return duration * iterations < 1000
    }
    return Promise.all(document.getAnimations().filter(brief).map((animation) => animation.finished.catch(() => undefined)))
  })
}

export async function shot(page, name, options = {}) {
  await mkdir(screenshots, { recursive: true })
  await still(page)
  await page.screenshot({ path: join(screenshots, `${name}.png`), ...options })
}

// What axe-core finds serious or critical, shortly.
export async function barriers(page) {
  // As an evaluation, because the pages' own policy allows no foreign script.
  await page.evaluate(await readFile(axe, 'utf8'))
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .flatMap((v) => v.nodes.slice(0, 5).map((n) => `${v.id}: ${n.target.join(' ')}: ${n.any.map((check) => check.message).join('; ')}`))
}

export function json(page, path) {
  return page.evaluate(async (p) => {
    const response = await fetch(p)
    if (!response.ok) throw new Error(`${p}: ${response.status}`)
    return response.json()
  }, path)
}
