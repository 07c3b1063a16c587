import type { Punch } from '@/api/types'

export interface DutySummary {
  members: number // who signed in today
  onDuty: number // whose last punch is a sign-in
  outside: number // punches outside the own grid
  doubtful: number // punches whose place cannot be told, or whose clock nobody vouches for
}

export function summary(punches: Punch[]): DutySummary {
  const last = new Map<string, Punch>()
  const signed = new Set<string>()
  let outside = 0
  let doubtful = 0
  for (const punch of punches) {
    if (punch.act === 'in') signed.add(punch.login)
    const known = last.get(punch.login)
    if (known === undefined || punch.at >= known.at) last.set(punch.login, punch)
    if (punch.place === 'outside') outside++
    if (punch.place === 'unknown' || punch.place === 'near_edge' || punch.fix?.mock === true) doubtful++
  }
  return {
    members: signed.size,
    onDuty: [...last.values()].filter((punch) => punch.act === 'in').length,
    outside,
    doubtful,
  }
}
