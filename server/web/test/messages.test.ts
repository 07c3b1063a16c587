// All text lives in the message files, and both of them say the same things.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { actions, roles } from '@/api/types'
import en from '@/i18n/en.json'
import zh from '@/i18n/zh-CN.json'
import { actionKeys } from '@/lib/actions'

type Tree = { [key: string]: string | Tree }
function flat(tree: Tree, prefix = ''): Map<string, string> {
  const out = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.set(prefix + key, value)
    else for (const [k, v] of flat(value, `${prefix}${key}.`)) out.set(k, v)
  }
  return out
}
const chinese = flat(zh)
const english = flat(en)
const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()

const root = join(__dirname, '..', 'src')
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(vue|ts)$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

// The table of what an act may carry stands in the server's sources.
const domain = join(__dirname, '..', '..', 'domain')
const enumOf = (header: string, name: string) => {
  const text = readFileSync(join(domain, 'include', 'gridward', 'domain', header), 'utf8').replace(/\/\/.*$/gm, '')
  const body = new RegExp(`enum class ${name} : std::uint8_t \\{([^}]*)\\}`).exec(text)?.[1] ?? ''
  return body.split(',').map((word) => word.trim()).filter((word) => word !== '')
}
const fieldNames = enumOf('fields.hpp', 'Field')

describe('the words of the API', () => {
  it('are those of the server', () => {
    expect(fieldNames.length).toBeGreaterThan(40)
    expect([...actions]).toEqual(enumOf('access.hpp', 'Action'))
    expect([...roles]).toEqual(enumOf('access.hpp', 'Role'))
  })
})

describe('messages', () => {
  it('have the same keys in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })
  it('have the same places to fill', () => {
    for (const [key, text] of chinese) expect([key, places(english.get(key) ?? '')]).toEqual([key, places(text)])
  })
  it('use nothing that the message format would read as its own', () => {
    for (const text of [...chinese.values(), ...english.values()]) expect(text).not.toMatch(/[@|]/)
  })
  it('are there for every key that the sources name', () => {
    for (const { file, text } of sources) {
      for (const [, key] of text.matchAll(/\bt\('([\w.]+)'/g)) expect([file, key, chinese.has(key ?? '')]).toEqual([file, key, true])
      for (const [, key] of text.matchAll(/(?:label|title): '(\w+\.[\w.]+)'/g)) {
        expect([file, key, chinese.has(key ?? '')]).toEqual([file, key, true])
      }
    }
  })
  it('are there for every word of the API', () => {
    const keys = [
      ...actions.flatMap((a) => [`action.${a}`, `event.${a}`]),
      ...roles.map((r) => `role.${r}`),
      ...fieldNames.map((f) => `field.${f}`),
      ...Object.values(actionKeys).map((key) => `keys.act.${key}`),
      ...['start', 'stop', 'cancel', 'pause', 'resume', 'extend'].map((op) => `clock.op.${op}`),
      ...['paused', 'kept', 'missed', 'cancelled'].map((state) => `clock.${state}`),
      ...['return', 'extension', 'suspension'].map((what) => `case.request.${what}`),
      ...['inside', 'near_edge', 'outside', 'unknown'].map((p) => `place.${p}`),
      ...['scene', 'before', 'after', 'selfie', 'scan'].map((r) => `photo.role.${r}`),
      ...['confirmed', 'not_rectified', 'cannot_check', 'untrue'].map((o) => `outcome.${o}`),
    ]
    expect(keys.filter((key) => !chinese.has(key))).toEqual([])
  })
  it('are the only place with Chinese text', () => {
    for (const { file, text } of sources) {
      const code = text.replace(/\/\/.*$/gm, '').replace(/<!--[\s\S]*?-->/g, '')
      expect([file, /\p{Script=Han}/u.exec(code)?.[0] ?? null]).toEqual([file, null])
    }
  })
})
