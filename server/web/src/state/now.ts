import { readonly, ref } from 'vue'

// The server's clock, not the computer's: a deadline must not look different because a desk's clock is wrong.
let skew = 0

export function noteServerTime(header: string | null): void {
  if (header === null) return
  const at = Date.parse(header)
  if (!Number.isFinite(at)) return
  const difference = at - Date.now()
  // The header has whole seconds and travelled a while; smaller differences say nothing.
  skew = Math.abs(difference) > 3000 ? difference : 0
}

export function serverNow(): number {
  return Date.now() + skew
}

const tick = ref(serverNow())
setInterval(() => (tick.value = serverNow()), 10_000)

// Moves every ten seconds.
export const now = readonly(tick)
