// What each act asks for; the same demands as server/domain's decide().
import type { Action } from '@/api/types'

export type Need = 'required' | 'optional'
export interface ActionForm {
  direct: boolean // done by the press itself, nothing is asked
  note?: Need
  unit?: Need
  reason?: Need
  assignee?: Need
  tone: 'primary' | 'danger' | 'default'
  key: string // of the keyboard, on the case page
}

export const actionForms: Partial<Record<Action, ActionForm>> = {
  accept: { direct: true, tone: 'primary', key: 'a' },
  reject: { direct: false, reason: 'required', note: 'required', tone: 'danger', key: 'r' },
  transfer: { direct: false, unit: 'required', note: 'optional', tone: 'primary', key: 't' },
  take: { direct: true, tone: 'primary', key: 'a' },
  arrive: { direct: true, tone: 'default', key: 'd' },
  handle: { direct: false, note: 'required', tone: 'primary', key: 'h' },
  feedback: { direct: false, note: 'required', tone: 'primary', key: 'f' },
  request_verify: { direct: false, assignee: 'optional', note: 'optional', tone: 'primary', key: 'v' },
  rework: { direct: false, reason: 'required', note: 'optional', tone: 'danger', key: 'r' },
  close: { direct: false, note: 'optional', tone: 'primary', key: 'c' },
}

export const reworkReasons = ['untrue', 'substandard', 'unsatisfied', 'overdue'] as const
export const noteLimit = 2000 // characters, as the server counts them

export function formOf(action: Action): ActionForm | null {
  return actionForms[action] ?? null // what a page does not do (report, verify, assess) has no button
}

export function characters(text: string): number {
  return [...text].length
}
