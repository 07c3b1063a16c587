// How a page shows an offer of the server: what may be done, and what it asks for, is the server's to say.
import type { Action, Case, FieldInfo, FieldValues, Offer, Step } from '@/api/types'

export type Tone = 'primary' | 'danger' | 'default'

// Done by the press itself when nothing must be said.
const quick: readonly Action[] = ['accept', 'take', 'arrive', 'unit_accept', 'confirm_return', 'resume', 'archive']
const dangers: readonly Action[] = ['reject', 'rework', 'void_case', 'refuse_return', 'refuse_extension', 'refuse_suspension', 'flag_caller']
const quiet: readonly Action[] = ['arrive', 'triage', 'instruct', 'urge', 'supervise', 'remind', 'phone_notice', 'contact', 'sample', 'clue', 'count_complaint', 'assign']
// Lead away from the usual way.
const seldom: readonly Action[] = ['duplicate', 'void_case', 'direct_reply', 'escalate', 'assign_down', 'whistle', 'request_return', 'request_suspension', 'desk_verify', 'sample']
// Lead nowhere, and are what somebody is asked for here.
const onTheWay: readonly Action[] = ['assist', 'unit_accept', 'confirm_return', 'refuse_extension', 'grant_extension', 'refuse_suspension', 'call_back', 'self_handle', 'sign_result']
// What comes from elsewhere: a handheld, a clock, the closing.
const notHere: readonly Action[] = ['report', 'self_handle', 'verify', 'assess', 'warn', 'overdue']
// Made by the server.
const made: readonly string[] = ['task', 'clock']

// The server knows the desk above, and how high it is.
const levels: readonly Action[] = ['escalate', 'assign_down']

// Of the keyboard, on the case page; two acts may share one when no step has both.
export const actionKeys: Partial<Record<Action, string>> = {
  accept: 'a',
  take: 'a',
  reject: 'r',
  rework: 'r',
  transfer: 't',
  arrive: 'd',
  handle: 'h',
  feedback: 'f',
  request_verify: 'v',
  close: 'c',
}

export function isDanger(action: Action): boolean {
  return dangers.includes(action)
}

export interface Button {
  offer: Offer
  action: Action
  tone: Tone
  key: string // empty: none
  direct: boolean
  blocked: string // why not now
  aside: boolean // not on the way of the case, or not now: behind "more"
}

export function fieldsOf(offer: Offer, table: readonly FieldInfo[]): { info: FieldInfo; required: boolean }[] {
  const listed = (names: string[], required: boolean) =>
    names
      .filter((name) => !made.includes(name) && !(levels.includes(offer.action) && (name === 'level' || (name === 'holder' && offer.action === 'escalate'))))
      .flatMap((name) => {
        const info = table.find((field) => field.name === name)
        return info === undefined ? [] : [{ info, required: required && !chosenByItself(offer.action, name) }]
      })
  return [...listed(offer.required, true), ...listed(offer.optional.filter((name) => !offer.required.includes(name)), false)]
}

// The server chooses when the form does not.
function chosenByItself(action: Action, field: string): boolean {
  return (action === 'request_verify' && field === 'assignee') || (action === 'assign_down' && field === 'holder')
}

// One button an act: of several ways to do it the first that is possible now.
export function buttonsOf(offers: readonly Offer[], step = ''): Button[] {
  const buttons: Button[] = []
  const used = new Set<string>()
  for (const offer of offers) {
    if (notHere.includes(offer.action)) continue
    const there = buttons.find((button) => button.action === offer.action)
    if (there !== undefined) {
      if (there.blocked !== '' && offer.blocked === '') {
        there.offer = offer
        there.blocked = ''
        there.direct = isDirect(offer)
        there.aside = isAside(offer, step)
      }
      continue
    }
    const key = actionKeys[offer.action] ?? ''
    buttons.push({
      offer,
      action: offer.action,
      tone: isDanger(offer.action) ? 'danger' : quiet.includes(offer.action) ? 'default' : 'primary',
      key: used.has(key) ? '' : key,
      direct: isDirect(offer),
      blocked: offer.blocked,
      aside: isAside(offer, step),
    })
    used.add(key)
  }
  return buttons
}

function isAside(offer: Offer, step: Step): boolean {
  if (offer.blocked !== '' || seldom.includes(offer.action)) return true
  return (offer.to === '' || offer.to === step) && !onTheWay.includes(offer.action)
}

function isDirect(offer: Offer): boolean {
  return quick.includes(offer.action) && !offer.note && offer.required.length === 0
}

export function offered(item: Case, action: Action): boolean {
  return item.offers.some((offer) => offer.action === action && offer.blocked === '')
}

export const noteLimit = 2000 // characters, as the server counts them

export function characters(text: string): number {
  return [...text].length
}

// ---- what a form holds, and what is sent of it ----
export type Draft = Record<string, string | string[]>

export function emptyDraft(fields: readonly { info: FieldInfo }[]): Draft {
  return Object.fromEntries(fields.map(({ info }) => [info.name, info.type === 'names' ? [] : '']))
}

// Empty ones are left out. `offsetMin`: of the tenant's zone, in which times are written ("2026-11-28T09:30").
export function valuesOf(fields: readonly { info: FieldInfo }[], draft: Draft, offsetMin: number): FieldValues {
  const values: FieldValues = {}
  for (const { info } of fields) {
    const value = draft[info.name] ?? ''
    if (value.length === 0) continue
    if (typeof value !== 'string') values[info.name] = value
    else if (info.type === 'flag') values[info.name] = value === 'yes'
    else if (info.type === 'number') values[info.name] = Number(value)
    else if (info.type === 'time') values[info.name] = Date.parse(`${value}:00Z`) - offsetMin * 60_000
    else values[info.name] = value.trim()
  }
  return values
}
