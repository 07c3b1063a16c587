// The cases of the list last seen, in its order, so that a case page can go to the next one without going back.
import { shallowRef } from 'vue'

export const trail = shallowRef<string[]>([])
export const lastCase = shallowRef('')
export const lastListQuery = shallowRef<Record<string, string>>({})

export function neighbour(id: string, step: 1 | -1): string | null {
  const at = trail.value.indexOf(id)
  return at < 0 ? null : (trail.value[at + step] ?? null)
}
