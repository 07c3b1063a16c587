import { expect, it } from 'vitest'
import { difference } from '@/lib/conflict'
import { caseEvent, caseOf } from './sample'

it('tells the events that the page had not seen and the fields that differ', () => {
  const shown = caseOf()
  const accept = caseEvent({ n: 2, type: 'accept' })
  const transfer = caseEvent({ n: 3, type: 'transfer', unit_name: 'U' })
  const current = caseOf({
    version: 3,
    stage: 'transferred',
    step: 'awaiting_take',
    unit_name: 'U',
    due_at: 5000,
    events: [caseEvent(), accept, transfer],
  })
  expect(difference(shown, current)).toEqual({
    events: [accept, transfer],
    fields: [
      { field: 'stage', from: 'reported', to: 'transferred' },
      { field: 'step', from: 'awaiting_review', to: 'awaiting_take' },
      { field: 'unit_name', from: '', to: 'U' },
      { field: 'due_at', from: null, to: 5000 },
    ],
  })
})

it('is empty for the same case, and does not need events', () => {
  expect(difference(caseOf(), caseOf())).toEqual({ events: [], fields: [] })
  expect(difference(caseOf({ events: [] }), caseOf()).events).toHaveLength(1)
})
