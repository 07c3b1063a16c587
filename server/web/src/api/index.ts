import { request } from './client'
import type {
  ActBody,
  Actor,
  Case,
  CasePage,
  Counts,
  Device,
  DeviceTroubles,
  Me,
  Member,
  MemberDay,
  NewCaseBody,
  NoticeBody,
  OrgNode,
  PhotoSize,
  Punch,
  Unit,
} from './types'
import { filterKeys, type CaseFilter } from '@/lib/caseList'

const id = encodeURIComponent

export const api = {
  login: (login: string, password: string) =>
    request<{ actor: Actor; expires: number }>('POST', '/api/login', { login, password }),
  logout: () => request<void>('POST', '/api/logout'),
  me: () => request<Me>('GET', '/api/me'),

  cases(filter: CaseFilter, cursor: string | null, limit: number, signal?: AbortSignal): Promise<CasePage> {
    const query = new URLSearchParams()
    for (const key of filterKeys) if (filter[key] !== '') query.set(key, filter[key])
    if (cursor !== null) query.set('cursor', cursor)
    query.set('limit', String(limit))
    return request<CasePage>('GET', `/api/cases?${query}`, undefined, signal)
  },
  counts: () => request<Counts>('GET', '/api/cases/counts'),
  case: (caseId: string, signal?: AbortSignal) => request<Case>('GET', `/api/cases/${id(caseId)}`, undefined, signal),
  newCase: (body: NewCaseBody) => request<Case>('POST', '/api/cases', body),
  act: (caseId: string, body: ActBody) => request<Case>('POST', `/api/cases/${id(caseId)}/actions`, body),

  org: () => request<{ nodes: OrgNode[] }>('GET', '/api/org'),
  units: () => request<{ units: Unit[] }>('GET', '/api/units'),
  members: () => request<{ members: Member[] }>('GET', '/api/members'),
  devices: () => request<{ devices: Device[] }>('GET', '/api/devices'),
  deviceTroubles: (device: string) => request<DeviceTroubles>('GET', `/api/devices/${id(device)}/troubles`),
  notice: (body: NoticeBody) => request<{ id: string; devices: number }>('POST', '/api/devices/notices', body),

  duty: (day: string, signal?: AbortSignal) =>
    request<{ day: string; punches: Punch[] }>('GET', `/api/duty?day=${id(day)}`, undefined, signal),
  memberDay: (login: string, day: string, signal?: AbortSignal) =>
    request<MemberDay>('GET', `/api/duty/${id(login)}?day=${id(day)}`, undefined, signal),
}

export function photoUrl(sha256: string, size: PhotoSize): string {
  return `/api/photos/${sha256}/${size}`
}
