import type { Case, CaseEvent, CaseRow, Clock, FieldInfo, Offer } from '@/api/types'

export function clock(change: Partial<Clock> = {}): Clock {
  return {
    name: 'handle',
    title: 'Handle',
    round: 1,
    unit: 'u1',
    rule: 'limits.general',
    article: '25',
    started: 1000,
    due: 2000,
    provisional: false,
    paused: false,
    ended: null,
    kept: null,
    overdue: false,
    light: 'green',
    per_mille: 500,
    ...change,
  }
}

export function offer(change: Partial<Offer> = {}): Offer {
  return {
    action: 'accept',
    to: 'awaiting_transfer',
    to_title: '',
    note: false,
    required: [],
    optional: [],
    reasons: '',
    article: '',
    blocked: '',
    ...change,
  }
}

export function field(name: string, change: Partial<FieldInfo> = {}): FieldInfo {
  return { name, type: 'text', most: 64, list: '', personal: false, ...change }
}

export function caseRow(change: Partial<CaseRow> = {}): CaseRow {
  return {
    id: 'a',
    number: '120116135-20261122-0001',
    process: 'case',
    process_title: 'Case',
    channel: 'grid_member',
    town: '120116135',
    grid: 'g1',
    grid_name: 'G1',
    category: 'c1',
    category_name: 'C1',
    text: 'rubbish at the gate',
    stage: 'reported',
    stage_title: 'Reported',
    step: 'awaiting_review',
    step_title: 'To be accepted',
    ends: false,
    unit: '',
    unit_name: '',
    assisting_units: [],
    round: 1,
    version: 1,
    captured_at: 900,
    reported_at: 1000,
    updated_at: 1000,
    closed_at: null,
    due_at: null,
    overdue: false,
    clock: null,
    reporter: { login: 'm1', name: 'M1' },
    place: null,
    thumb: null,
    ...change,
  }
}

export function caseEvent(change: Partial<CaseEvent> = {}): CaseEvent {
  return {
    n: 1,
    type: 'report',
    actor: { login: 'm1', name: 'M1', role: 'grid_member', org: 'g1' },
    at: 900,
    recorded: 1000,
    place: null,
    note: '',
    fields: {},
    unit_name: '',
    step: 'awaiting_review',
    step_title: 'To be accepted',
    rule: '',
    clocks: [],
    scores: [],
    media: [],
    erased: [],
    hash: '00',
    ...change,
  }
}

export function caseOf(change: Partial<Case> = {}): Case {
  return {
    ...caseRow(),
    feedback: '',
    verifier: '',
    verify_outcome: null,
    holder: '',
    fields: {},
    clocks: [],
    requests: [],
    scores: [],
    offers: [],
    names: {},
    grid_outline: null,
    media: [],
    events: [caseEvent()],
    ...change,
  }
}
