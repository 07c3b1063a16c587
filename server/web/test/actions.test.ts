import { describe, expect, it } from 'vitest'
import { buttonsOf, characters, emptyDraft, fieldsOf, offered, valuesOf } from '@/lib/actions'
import { caseOf, field, offer } from './sample'

describe('buttons', () => {
  it('has none for what a page does not do', () => {
    expect(buttonsOf([offer({ action: 'report' }), offer({ action: 'verify' }), offer({ action: 'assess' }), offer({ action: 'overdue' })])).toEqual([])
  })
  it('asks nothing only when nothing must be said', () => {
    const [accept, reject, take] = buttonsOf([
      offer(),
      offer({ action: 'reject', note: true, required: ['reason'] }),
      offer({ action: 'take', required: ['signed_by'] }),
    ])
    expect([accept?.direct, reject?.direct, take?.direct]).toEqual([true, false, false])
    expect(reject?.tone).toBe('danger')
  })
  it('gives no two acts the same key, and most none', () => {
    const keys = buttonsOf([offer(), offer({ action: 'take' }), offer({ action: 'reject' }), offer({ action: 'rework' }), offer({ action: 'urge' })]).map((b) => b.key)
    expect(keys).toEqual(['a', '', 'r', '', ''])
  })
  it('shows of several ways to do one the first that is possible', () => {
    const buttons = buttonsOf([offer({ action: 'close', blocked: 'not verified' }), offer({ action: 'close', to: 'done' }), offer({ action: 'urge', blocked: 'too late' })])
    expect(buttons.map((b) => [b.action, b.blocked, b.offer.to])).toEqual([
      ['close', '', 'done'],
      ['urge', 'too late', 'awaiting_transfer'],
    ])
  })
  it('puts what does not lead on, leads astray or is not possible now behind "more"', () => {
    const buttons = buttonsOf([offer(), offer({ action: 'clue', to: 'here' }), offer({ action: 'void_case', to: 'voided' }), offer({ action: 'assist', to: 'here' }), offer({ action: 'close', blocked: 'why' })], 'here')
    expect(buttons.map((b) => [b.action, b.aside])).toEqual([
      ['accept', false],
      ['clue', true],
      ['void_case', true],
      ['assist', false],
      ['close', true],
    ])
  })
  it('counts a blocked offer as none', () => {
    const item = caseOf({ offers: [offer(), offer({ action: 'close', blocked: 'why' })] })
    expect([offered(item, 'accept'), offered(item, 'close'), offered(item, 'reject')]).toEqual([true, false, false])
  })
})

describe('fields of a form', () => {
  const table = [field('unit', { type: 'name' }), field('assignee', { type: 'name' }), field('task', { type: 'id' }), field('reply', { most: 2000 }), field('level', { type: 'number' }), field('holder', { type: 'name' })]
  const names = (o: Parameters<typeof offer>[0]) => fieldsOf(offer(o), table).map(({ info, required }) => `${info.name}${required ? '!' : ''}`)
  it('are what the offer names, without what the server makes', () => {
    expect(names({ action: 'transfer', required: ['unit'], optional: ['reply', 'unit', 'no_such'] })).toEqual(['unit!', 'reply'])
    expect(names({ action: 'request_verify', required: ['assignee', 'task'] })).toEqual(['assignee'])
    expect(names({ action: 'escalate', required: ['level', 'holder'] })).toEqual([])
    expect(names({ action: 'assign_down', required: ['level', 'holder'] })).toEqual(['holder'])
  })
  it('are sent by their types, and not when they are empty', () => {
    const fields = [
      field('reply'),
      field('reason', { type: 'code' }),
      field('valid', { type: 'flag' }),
      field('complaints', { type: 'number' }),
      field('talked_at', { type: 'time' }),
      field('assisting_units', { type: 'names' }),
    ].map((info) => ({ info }))
    expect(valuesOf(fields, emptyDraft(fields), 480)).toEqual({})
    const draft = { reply: ' yes ', reason: 'r', valid: 'no', complaints: '3', talked_at: '2026-11-28T09:30', assisting_units: ['u1', 'u2'] }
    expect(valuesOf(fields, draft, 480)).toEqual({
      reply: 'yes',
      reason: 'r',
      valid: false,
      complaints: 3,
      talked_at: Date.UTC(2026, 10, 28, 1, 30),
      assisting_units: ['u1', 'u2'],
    })
  })
  it('count characters as the server does', () => {
    expect(characters('井盖😀')).toBe(3)
  })
})
