// The live list: what the server sends, patched into what is shown. Pure, so that every order of arrival can be tested.
import type { CasePage, CaseRow, Stage } from '@/api/types'

export interface CaseFilter {
  stage: Stage | ''
  process: string
  overdue: '' | '1'
  unit: string
  grid: string
  q: string
}
export const noFilter: CaseFilter = { stage: '', process: '', overdue: '', unit: '', grid: '', q: '' }
export const filterKeys = ['stage', 'process', 'overdue', 'unit', 'grid', 'q'] as const

export interface CaseListState {
  rows: CaseRow[]
  next: string | null
  total: number
  searchedTo?: number | null // a search has looked at no case behind this time yet
}
export const emptyList: CaseListState = { rows: [], next: null, total: 0 }

export function matches(row: CaseRow, filter: CaseFilter): boolean {
  if (filter.stage !== '' && row.stage !== filter.stage) return false
  if (filter.process !== '' && row.process !== filter.process) return false
  if (filter.overdue !== '' && (!row.overdue || row.ends)) return false
  if (filter.unit !== '' && row.unit !== filter.unit && !row.assisting_units.includes(filter.unit)) return false
  if (filter.grid !== '' && row.grid !== filter.grid) return false
  const q = filter.q.trim()
  return q === '' || row.number.includes(q) || row.text.includes(q)
}

export function appendPage(state: CaseListState, page: CasePage): CaseListState {
  const known = new Set(state.rows.map((row) => row.id))
  return {
    rows: [...state.rows, ...page.cases.filter((row) => !known.has(row.id))],
    next: page.next,
    total: page.total,
    searchedTo: page.searched_to,
  }
}

// A refetch of the beginning: keeps what was loaded further down when the two overlap, else starts anew, because
// rows between them may be missing.
export function replaceHead(state: CaseListState, page: CasePage): CaseListState {
  const fresh = new Set(page.cases.map((row) => row.id))
  const overlaps = state.rows.some((row) => fresh.has(row.id))
  if (page.next === null || !overlaps) return { rows: page.cases, next: page.next, total: page.total, searchedTo: page.searched_to }
  const last = page.cases[page.cases.length - 1]
  const tail = last === undefined ? [] : state.rows.filter((row) => !fresh.has(row.id) && row.updated_at <= last.updated_at)
  const end = tail.length > 0 ? { next: state.next, searchedTo: state.searchedTo } : { next: page.next, searchedTo: page.searched_to }
  return { rows: [...page.cases, ...tail], total: page.total, ...end }
}

export type Change = 'inserted' | 'updated' | 'removed' | 'none'

// One case came anew. A row that is shown is changed where it stands (rows must not jump under the reader's finger);
// a new one goes on top. An answer older than what is shown is ignored.
export function patchRow(
  state: CaseListState,
  row: CaseRow,
  filter: CaseFilter,
): { state: CaseListState; change: Change } {
  const at = state.rows.findIndex((known) => known.id === row.id)
  const known = state.rows[at]
  if (known === undefined) {
    if (!matches(row, filter)) return { state, change: 'none' }
    return { state: { ...state, rows: [row, ...state.rows], total: state.total + 1 }, change: 'inserted' }
  }
  if (row.version < known.version) return { state, change: 'none' }
  const rows = state.rows.slice()
  if (!matches(row, filter)) {
    rows.splice(at, 1)
    return { state: { ...state, rows, total: Math.max(0, state.total - 1) }, change: 'removed' }
  }
  rows[at] = row
  return { state: { ...state, rows }, change: row.version === known.version ? 'none' : 'updated' }
}

// The address keeps the filter, and only what differs from none.
export function toQuery(filter: CaseFilter): Record<string, string> {
  const query: Record<string, string> = {}
  for (const key of filterKeys) if (filter[key] !== '') query[key] = filter[key]
  return query
}

export function fromQuery(query: Record<string, unknown>, stages: readonly Stage[]): CaseFilter {
  const text = (key: string) => {
    const value = query[key]
    return typeof value === 'string' ? value : ''
  }
  const stage = stages.find((known) => known === text('stage')) ?? ''
  return {
    stage,
    process: text('process'),
    overdue: text('overdue') === '1' ? '1' : '',
    unit: text('unit'),
    grid: text('grid'),
    q: text('q'),
  }
}
