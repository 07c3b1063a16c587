import { describe, expect, it } from 'vitest'
import type { CaseRow } from '@/api/types'
import { appendPage, emptyList, fromQuery, matches, noFilter, patchRow, replaceHead, toQuery } from '@/lib/caseList'
import { caseRow } from './sample'

const stages = ['reported', 'accepted', 'transferred', 'verified', 'closed', 'assessed']
const list = (...rows: CaseRow[]) => ({ rows, next: null, total: rows.length })
const ids = (state: { rows: CaseRow[] }) => state.rows.map((row) => row.id).join('')

describe('patchRow', () => {
  const state = list(caseRow({ id: 'a', version: 2 }), caseRow({ id: 'b' }))

  it('puts a new case on top and counts it', () => {
    const result = patchRow(state, caseRow({ id: 'n' }), noFilter)
    expect(result.change).toBe('inserted')
    expect(ids(result.state)).toBe('nab')
    expect(result.state.total).toBe(3)
  })
  it('changes a known case where it stands', () => {
    const result = patchRow(state, caseRow({ id: 'b', version: 2, step: 'awaiting_transfer' }), noFilter)
    expect(result.change).toBe('updated')
    expect(ids(result.state)).toBe('ab')
    expect(result.state.rows[1]?.step).toBe('awaiting_transfer')
  })
  it('ignores an answer that was overtaken', () => {
    const result = patchRow(state, caseRow({ id: 'a', version: 1, text: 'old' }), noFilter)
    expect(result.change).toBe('none')
    expect(result.state).toBe(state)
  })
  it('takes out what no longer matches, and does not take in what does not', () => {
    const filter = { ...noFilter, stage: 'reported' as const }
    const left = patchRow(state, caseRow({ id: 'b', version: 3, stage: 'accepted' }), filter)
    expect(left.change).toBe('removed')
    expect(ids(left.state)).toBe('a')
    expect(left.state.total).toBe(1)
    expect(patchRow(state, caseRow({ id: 'n', stage: 'accepted' }), filter)).toEqual({ state, change: 'none' })
  })
  it('does not change its input', () => {
    const before = JSON.stringify(state)
    patchRow(state, caseRow({ id: 'b', version: 9 }), noFilter)
    expect(JSON.stringify(state)).toBe(before)
  })
})

describe('pages', () => {
  it('adds a page without doubling a case that moved meanwhile', () => {
    const state = appendPage(list(caseRow({ id: 'a' }), caseRow({ id: 'b' })), {
      cases: [caseRow({ id: 'b' }), caseRow({ id: 'c' })],
      next: 'x',
      total: 7,
    })
    expect(ids(state)).toBe('abc')
    expect(state).toMatchObject({ next: 'x', total: 7 })
  })
  it('keeps what was loaded further down when the new beginning overlaps', () => {
    const old = {
      rows: [caseRow({ id: 'b', updated_at: 20 }), caseRow({ id: 'c', updated_at: 10 })],
      next: 'deep',
      total: 3,
    }
    const state = replaceHead(old, {
      cases: [caseRow({ id: 'a', updated_at: 30 }), caseRow({ id: 'b', updated_at: 20 })],
      next: 'near',
      total: 4,
    })
    expect(ids(state)).toBe('abc')
    expect(state).toMatchObject({ next: 'deep', total: 4 })
  })
  it('starts anew when nothing overlaps, or when the page is all there is', () => {
    const old = { rows: [caseRow({ id: 'z', updated_at: 1 })], next: 'deep', total: 1 }
    const page = { cases: [caseRow({ id: 'a', updated_at: 30 })], next: 'near', total: 90 }
    expect(replaceHead(old, page)).toEqual({ rows: page.cases, next: 'near', total: 90 })
    const all = { cases: [caseRow({ id: 'z' })], next: null, total: 1 }
    expect(replaceHead(list(caseRow({ id: 'z' }), caseRow({ id: 'gone' })), all).rows).toHaveLength(1)
  })
  it('works from nothing', () => {
    expect(replaceHead(emptyList, { cases: [], next: null, total: 0 })).toEqual(emptyList)
  })
})

describe('filter and address', () => {
  it('matches by stage, unit, grid and text', () => {
    const row = caseRow({ unit: 'u1' })
    expect(matches(row, { ...noFilter, stage: 'reported', process: 'case', unit: 'u1', grid: 'g1', q: ' gate ' })).toBe(true)
    expect(matches(caseRow({ assisting_units: ['u9'] }), { ...noFilter, unit: 'u9' })).toBe(true)
    expect(matches(row, { ...noFilter, process: 'work_order' })).toBe(false)
    expect(matches(row, { ...noFilter, overdue: '1' })).toBe(false)
    expect(matches(caseRow({ overdue: true }), { ...noFilter, overdue: '1' })).toBe(true)
    expect(matches(row, { ...noFilter, q: '20261122-0001' })).toBe(true)
    expect(matches(row, { ...noFilter, q: 'nothing' })).toBe(false)
    expect(matches(row, { ...noFilter, unit: 'u2' })).toBe(false)
    expect(matches(row, { ...noFilter, grid: 'g2' })).toBe(false)
  })
  it('comes back from the address as it went in', () => {
    const filter = { ...noFilter, stage: 'verified', overdue: '1' as const, unit: 'u1', q: '井盖 a&b' }
    const query = toQuery(filter)
    expect(query).toEqual({ stage: 'verified', overdue: '1', unit: 'u1', q: '井盖 a&b' })
    expect(fromQuery(query, stages)).toEqual(filter)
  })
  it('takes no stage that does not exist', () => {
    expect(fromQuery({ stage: 'x', q: ['a', 'b'], unit: null }, stages)).toEqual(noFilter)
  })
})
