// The shapes of docs/api.md. Times are Unix milliseconds, ids are UUIDs, files are named by their sha256 in hex.

export const stages = ['reported', 'accepted', 'transferred', 'verified', 'closed', 'assessed'] as const
export type Stage = (typeof stages)[number]

export const steps = [
  'awaiting_review',
  'rejected',
  'awaiting_transfer',
  'awaiting_take',
  'taken',
  'arrived',
  'handled',
  'awaiting_verify',
  'verifying',
  'verify_passed',
  'verify_failed',
  'awaiting_assess',
  'done',
] as const
export type Step = (typeof steps)[number]

export const actions = [
  'report',
  'accept',
  'reject',
  'transfer',
  'take',
  'arrive',
  'handle',
  'feedback',
  'request_verify',
  'verify',
  'rework',
  'close',
  'assess',
] as const
export type Action = (typeof actions)[number]

export const roles = ['grid_member', 'town_operator', 'handling_unit', 'leader', 'system_admin', 'system'] as const
export type Role = (typeof roles)[number]

export interface Actor {
  login: string
  name: string
  role: Role
  org: string
  org_path: string
  org_name: string
}

export interface Category {
  code: string
  name: string
  default_unit?: string
}
export interface Reason {
  code: string
  text: string
}
export interface Me {
  actor: Actor
  policy: { id: string; name: string; utc_offset_min?: number }
  categories: Category[]
  reject_reasons: Reason[]
}

export interface Fix {
  lat: number
  lon: number
  acc: number | null
  source: 'gnss' | 'network' | 'manual'
  mock: boolean
  at: number
}

export type Position = [lon: number, lat: number]
export interface PolygonOutline {
  type: 'Polygon'
  coordinates: Position[][]
}

export interface CaseRow {
  id: string
  number: string
  town: string
  grid: string
  grid_name: string
  category: string
  category_name: string
  text: string
  stage: Stage
  step: Step
  unit: string
  unit_name: string
  round: number
  version: number
  captured_at: number
  reported_at: number
  updated_at: number
  clock_started_at: number | null
  due_at: number | null
  handled_at: number | null
  closed_at: number | null
  on_time: boolean | null
  reporter: { login: string; name: string }
  place: Fix | null
  thumb: string | null
}

export type MediaRole = 'scene' | 'before' | 'after' | 'selfie' | 'scan'
export type MediaStatus = 'expected' | 'partial' | 'sealed' | 'derived' | 'refused'
// What was found of a photo, for whoever reviews the case. score: 0 to 1000. The other photo and its case are null when
// there is none, or when it is not the asker's to see.
export interface PhotoFlag {
  kind: 'reused' | 'other_place' | 'blurred' | 'same_place'
  score: number
  other_sha256: string | null
  other_case: string | null
}
export interface Media {
  sha256: string
  role: MediaRole
  status: MediaStatus
  size: number
  have: number
  problem: string
  width: number | null
  height: number | null
  flags: PhotoFlag[]
}

export type TaskOutcome = 'confirmed' | 'not_rectified' | 'cannot_check'
// What of an event is about a person, and may have been erased.
export type Personal = 'actor' | 'note' | 'place' | 'assignee'

export interface CaseEvent {
  n: number
  type: Action
  actor: { login: string; name: string; role: Role; org: string }
  at: number
  recorded: number
  place: Fix | null
  note: string
  unit: string
  unit_name: string
  reason: string
  assignee: string
  outcome: TaskOutcome | null
  due_at: number | null
  due_provisional: boolean
  on_time: boolean | null
  rule: string
  media: { sha256: string; role: MediaRole }[]
  erased: Personal[]
  hash: string
}

export interface Case extends CaseRow {
  feedback: string
  verifier: string
  verify_outcome: TaskOutcome | null
  grid_outline: PolygonOutline | null
  actions: Action[]
  media: Media[]
  events: CaseEvent[]
}

export interface CasePage {
  cases: CaseRow[]
  next: string | null
  total: number
}
export type Counts = Partial<Record<Stage, number>>

export interface ActBody {
  action: Action
  version: number
  note?: string
  unit?: string
  reason?: string
  assignee?: string
}

export type OrgKind = 'district' | 'town' | 'village' | 'grid' | 'unit'
export interface OrgNode {
  code: string
  parent: string
  path: string
  kind: OrgKind
  name: string
  outline: PolygonOutline | null
}
export interface Unit {
  code: string
  name: string
}
export interface Member {
  login: string
  name: string
  org: string
}

export interface Device {
  id: string
  town: string
  holder: string
  last_seen: number | null
  revoked: boolean
  status: {
    waiting_records: number
    waiting_bytes: number
    oldest_age_s: number
    battery_percent?: number | null
    version: string
  } | null
  flagged: { records: number; last: number | null }
  quarantine: { rows: number; bytes: number; overflow: number; overflow_bytes: number }
}
export interface FlaggedRecord {
  record: string
  seq: number
  kind: string
  at: number
  received: number
  reasons: string[]
}
export interface QuarantinedRecord {
  record: string | null
  kind: string // empty: it could not be told
  received: number
  last: number
  times: number
  code: number
  name: string
  title: string
  field: string
  detail: string
}
export interface DeviceTroubles {
  flagged: FlaggedRecord[]
  quarantined: QuarantinedRecord[]
}
export interface NoticeBody {
  id: string
  text: string
  devices?: string[]
  all?: boolean
}

export type PlaceJudgement = 'inside' | 'near_edge' | 'outside' | 'unknown'
export type ClockSource = 'gnss' | 'server' | 'local'
export interface Punch {
  record: string
  login: string
  name: string
  device: string
  act: 'in' | 'out'
  at: number
  received: number
  clock: { source: ClockSource; error_ms: number; offset_ms: number }
  fix: Fix | null
  place: PlaceJudgement
  grid: string
  grid_name: string
}
export type TrackPoint = [at: number, lat: number, lon: number, acc: number | null]
export interface Track {
  record: string
  patrol: string | null
  points: TrackPoint[]
}
export interface Patrol {
  patrol: string
  started: number
  ended: number | null
  text: string
  checks: { item: string; ok: boolean; note: string }[]
}
export interface MemberDay {
  login: string
  name: string
  grid: string
  grid_name: string
  grid_outline: PolygonOutline | null
  punches: Punch[]
  windows: { from: number; to: number | null }[]
  track_m: number
  patrols: Patrol[]
  tracks: Track[]
}

export interface LiveChange {
  kind: 'case' | 'duty' | 'photo' | 'device'
  id: string
  version: number
}

export type PhotoSize = 'original' | 'preview' | 'thumb'
