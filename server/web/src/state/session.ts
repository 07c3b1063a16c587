import { computed, reactive, readonly } from 'vue'
import { api } from '@/api'
import { onLoggedOut } from '@/api/client'
import type { Category, Channel, Coded, FieldInfo, Me, OrgNode, ProcessInfo, Role, Stage, Unit } from '@/api/types'
import { startLive, stopLive } from './live'

interface SessionState {
  me: Me | null
  checked: boolean // whether the server was asked at least once
  expired: boolean // logged out by the server, not by the person
  unreachable: boolean // the server did not answer when it was asked who we are
}
const state = reactive<SessionState>({ me: null, checked: false, expired: false, unreachable: false })
export const session = readonly(state)

const chinaOffsetMin = 480
export const zone = computed(() => state.me?.policy.utc_offset_min ?? chinaOffsetMin)
export const role = computed<Role | null>(() => state.me?.actor.role ?? null)

// ---- the profile: words for what cases hold ----
export const categories = computed<Category[]>(() => state.me?.policy.categories ?? [])
export const processes = computed<ProcessInfo[]>(() => state.me?.policy.processes ?? [])
export const channels = computed<Channel[]>(() => state.me?.policy.channels ?? [])
export const fieldTable = computed<FieldInfo[]>(() => state.me?.policy.fields ?? [])
export function codes(list: string): Coded[] {
  return state.me?.policy.codes[list] ?? []
}
// Of one process, or of all of them in their order.
export function stagesOf(process: string): Stage[] {
  const chosen = processes.value.filter((one) => process === '' || one.id === process)
  return [...new Set(chosen.flatMap((one) => one.stages.map((stage) => stage.name)))]
}
export function stageTitle(process: string, stage: Stage): string {
  const known = processes.value.filter((one) => process === '' || one.id === process)
  return known.flatMap((one) => one.stages).find((one) => one.name === stage)?.title ?? stage
}
export function stepTitle(process: string, step: string): string {
  return processes.value.find((one) => one.id === process)?.steps.find((one) => one.name === step)?.title ?? step
}
// Channels by which this login hands in requests, with what their process begins with; a member's report is not one.
export const beginsBy = computed(() =>
  channels.value.flatMap((channel) => {
    const process = processes.value.find((one) => one.id === channel.process)
    const begin = process?.begins.find((one) => one.action === 'report' && role.value !== null && one.roles.includes(role.value))
    return begin === undefined || channel.code === 'grid_member' ? [] : [{ channel, begin }]
  }),
)
// The words of a code: of the list that an act names, else of any list that has it.
export function codeText(list: string, code: string): string {
  const lists = state.me?.policy.codes ?? {}
  const own = lists[list]?.find((one) => one.code === code)
  return (own ?? Object.values(lists).flat().find((one) => one.code === code))?.text ?? code
}

const desks: readonly Role[] = ['town_operator', 'grid_leader', 'coordination_desk', 'supervisor', 'leader']
const inUnit: readonly Role[] = ['handling_unit', 'unit_leader']
export const mayDuty = computed(() => role.value !== null && desks.includes(role.value))
export const mayNotify = computed(() => role.value === 'town_operator' || role.value === 'leader')
export const atUnit = computed(() => role.value !== null && inUnit.includes(role.value))
// Who names units in forms and filters.
export const mayUnits = computed(() => mayDuty.value || atUnit.value || role.value === 'intake_desk')
export const mayFilterUnits = computed(() => mayUnits.value && !atUnit.value)
export const maySeeOriginal = computed(() => role.value === 'town_operator')

let orgPromise: Promise<OrgNode[]> | null = null
let unitsPromise: Promise<Unit[]> | null = null

function remember<T>(promise: Promise<T>, forget: () => void): Promise<T> {
  promise.catch(forget) // a failure is not remembered
  return promise
}
// Asked once a session: the tree and the units change rarely.
export function orgNodes(): Promise<OrgNode[]> {
  orgPromise ??= remember(api.org().then((answer) => answer.nodes), () => (orgPromise = null))
  return orgPromise
}
export function units(): Promise<Unit[]> {
  unitsPromise ??= remember(api.units().then((answer) => answer.units), () => (unitsPromise = null))
  return unitsPromise
}

function clear(expired: boolean): void {
  stopLive()
  orgPromise = null
  unitsPromise = null
  state.me = null
  state.expired = expired
}

let leave: () => void = () => undefined
// Where to go when the session ends; set by the router.
export function onSessionEnd(handler: () => void): void {
  leave = handler
}
function ended(): void {
  if (state.me === null) return
  clear(true)
  leave()
}
onLoggedOut(ended)

async function load(): Promise<void> {
  state.me = await api.me()
  state.expired = false
  state.unreachable = false
  startLive(ended)
}

// Whether somebody is logged in. Throws when the server cannot be asked.
export async function restore(): Promise<boolean> {
  if (state.me !== null) return true
  if (state.checked) return false
  try {
    await load()
    state.checked = true
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 401) {
      state.checked = true
      state.unreachable = false
      return false
    }
    state.unreachable = true
    throw error
  }
  return true
}

export async function login(name: string, password: string): Promise<void> {
  await api.login(name, password)
  state.checked = true
  await load()
}

export async function logout(): Promise<void> {
  await api.logout()
  clear(false)
  leave()
}
