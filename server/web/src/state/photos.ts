import { reactive } from 'vue'
import { onChange } from './live'

// A photo that was not there yet is asked for again when the server says that one of its case came. The number goes into the address,
// because the browser remembers that the old address failed.
const arrivals = reactive(new Map<string, number>())

onChange((change) => {
  if (change.kind === 'photo') arrivals.set(change.id, (arrivals.get(change.id) ?? 0) + 1)
})

export function arrival(caseId: string): number {
  return arrivals.get(caseId) ?? 0
}
