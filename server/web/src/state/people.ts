import { shallowReactive } from 'vue'
import { api } from '@/api'
import { atUnit, mayDuty, session } from './session'

// Names for the logins that events carry; only for roles that may see the roll. Asked once a session.
const names = shallowReactive(new Map<string, string>())
const orgs = new Map<string, string>()
let askedFor = ''

export async function loadPeople(): Promise<void> {
  const me = session.me?.actor.login ?? ''
  if (!(mayDuty.value || atUnit.value) || askedFor === me) return
  askedFor = me
  try {
    const { members } = await api.members()
    names.clear()
    orgs.clear()
    for (const member of members) {
      names.set(member.login, member.name)
      orgs.set(member.login, member.org)
    }
  } catch {
    askedFor = '' // the login is shown instead, and the next page asks again
  }
}

export function personName(login: string): string {
  return names.get(login) ?? login
}
export function people(): { login: string; name: string; org: string }[] {
  return [...names].map(([login, name]) => ({ login, name, org: orgs.get(login) ?? '' }))
}
