// What changed between the case that the page showed and the one the server has now.
import type { Case, CaseEvent } from '@/api/types'

export interface FieldChange {
  field: 'stage' | 'step' | 'unit_name' | 'due_at' | 'category_name' | 'grid_name' | 'round'
  from: string | number | null
  to: string | number | null
}
export interface CaseDifference {
  events: CaseEvent[] // that the page had not seen
  fields: FieldChange[]
}

const fields = ['stage', 'step', 'unit_name', 'due_at', 'category_name', 'grid_name', 'round'] as const

export function difference(shown: Case, current: Case): CaseDifference {
  const seen = shown.events.reduce((max, event) => Math.max(max, event.n), 0)
  return {
    events: current.events.filter((event) => event.n > seen),
    fields: fields
      .filter((field) => shown[field] !== current[field])
      .map((field) => ({ field, from: shown[field], to: current[field] })),
  }
}
