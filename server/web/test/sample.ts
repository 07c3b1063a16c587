import type { Case, CaseEvent, CaseRow } from '@/api/types'

export function caseRow(change: Partial<CaseRow> = {}): CaseRow {
  return {
    id: 'a',
    number: '120116135-20261122-0001',
    town: '120116135',
    grid: 'g1',
    grid_name: 'G1',
    category: 'c1',
    category_name: 'C1',
    text: 'rubbish at the gate',
    stage: 'reported',
    step: 'awaiting_review',
    unit: '',
    unit_name: '',
    round: 1,
    version: 1,
    captured_at: 900,
    reported_at: 1000,
    updated_at: 1000,
    clock_started_at: null,
    due_at: null,
    handled_at: null,
    closed_at: null,
    on_time: null,
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
    unit: '',
    unit_name: '',
    reason: '',
    assignee: '',
    outcome: null,
    due_at: null,
    due_provisional: false,
    on_time: null,
    rule: '',
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
    grid_outline: null,
    actions: [],
    media: [],
    events: [caseEvent()],
    ...change,
  }
}
