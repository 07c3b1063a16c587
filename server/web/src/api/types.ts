// The shapes of docs/api.md. Times are Unix milliseconds, ids are UUIDs, files are named by their sha256 in hex.

// Stages, steps and processes are the profile's: GET /api/me tells them.
export type Stage = string
export type Step = string

export const actions = [
  'report',
  'self_handle',
  'triage',
  'accept',
  'reject',
  'direct_reply',
  'duplicate',
  'void_case',
  'instruct',
  'transfer',
  'phone_notice',
  'take',
  'assign',
  'unit_accept',
  'contact',
  'arrive',
  'handle',
  'assist',
  'feedback',
  'sign_result',
  'request_return',
  'confirm_return',
  'grant_return',
  'refuse_return',
  'request_extension',
  'grant_extension',
  'refuse_extension',
  'request_suspension',
  'grant_suspension',
  'refuse_suspension',
  'resume',
  'whistle',
  'decide_lead',
  'urge',
  'supervise',
  'remind',
  'escalate',
  'assign_down',
  'escalate_to_head',
  'request_verify',
  'verify',
  'desk_verify',
  'rework',
  'call_back',
  'close',
  'assess',
  'sample',
  'clue',
  'count_complaint',
  'confirm_circle',
  'flag_caller',
  'archive',
  'warn',
  'overdue',
  'draft_list',
  'approve_list',
  'hold_meeting',
  'file_minutes',
] as const
export type Action = (typeof actions)[number]

export const roles = [
  'grid_member',
  'grid_leader',
  'inspector',
  'town_operator',
  'intake_desk',
  'coordination_desk',
  'handling_unit',
  'unit_leader',
  'supervisor',
  'leader',
  'channel',
  'system_admin',
  'system',
] as const
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
export interface Coded {
  code: string
  text: string
  article: string
}
export interface Channel {
  code: string
  name: string
  process: string
  city: boolean
  article: string
}
export interface ProcessInfo {
  id: string
  title: string
  article: string
  stages: { name: Stage; title: string }[]
  steps: { name: Step; stage: Stage; title: string; ends: boolean; aside: boolean }[]
  begins: { action: Action; roles: Role[]; note: boolean; required: string[]; optional: string[] }[]
}
export type FieldType = 'text' | 'code' | 'name' | 'names' | 'id' | 'flag' | 'number' | 'time'
export interface FieldInfo {
  name: string
  type: FieldType
  most: number // characters of each text, or the greatest number
  list: string // name of the code list, empty: none
  personal: boolean
}
export type FieldValue = string | number | boolean | string[]
export type FieldValues = Record<string, FieldValue>
export interface PolicyInfo {
  id: string
  name: string
  utc_offset_min?: number
  categories: Category[]
  codes: Record<string, Coded[]>
  channels: Channel[]
  processes: ProcessInfo[]
  fields: FieldInfo[]
  clocks: Record<string, string>
}
export interface Me {
  actor: Actor
  policy: PolicyInfo
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

export type Light = 'green' | 'yellow' | 'red'
export interface Clock {
  name: string
  title: string
  round: number
  unit: string
  rule: string
  article: string
  started: number
  due: number | null // nothing while it is paused
  provisional: boolean
  paused: boolean
  ended: number | null
  kept: boolean | null // ended: in time; nothing: it no longer counts
  overdue: boolean
  light: Light | null
  per_mille: number | null // of the time given that was used when the server answered
}
export interface ClockChange {
  clock: string
  title: string
  op: 'start' | 'stop' | 'cancel' | 'pause' | 'resume' | 'extend'
  at: number
  unit: string
  rule: string
  article: string
  due: number | null
  provisional: boolean
  kept: boolean | null
}
export interface Score {
  rule: string
  article: string
  of_unit: boolean
  whom: string
  points: number // hundredths
  causes: number[]
}
export interface Request {
  what: string
  by: string
  confirmed_by: string
  fields: FieldValues
}
export interface Offer {
  action: Action
  to: Step
  to_title: string
  note: boolean
  required: string[]
  optional: string[]
  reasons: string
  article: string
  blocked: string
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
  process: string
  process_title: string
  channel: string
  stage: Stage
  stage_title: string
  step: Step
  step_title: string
  ends: boolean
  unit: string
  unit_name: string
  assisting_units: string[]
  round: number
  version: number
  captured_at: number
  reported_at: number
  updated_at: number
  closed_at: number | null
  due_at: number | null
  overdue: boolean
  clock: Clock | null // the running one that is due first, else the last
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
export type Personal = 'actor' | 'note' | 'place' | 'fields'

export interface CaseEvent {
  n: number
  type: Action
  actor: { login: string; name: string; role: Role; org: string }
  at: number
  recorded: number
  place: Fix | null
  note: string
  fields: FieldValues
  unit_name: string
  step: Step
  step_title: string
  rule: string
  clocks: ClockChange[]
  scores: Score[]
  media: { sha256: string; role: MediaRole }[]
  erased: Personal[]
  hash: string
}

export interface Case extends CaseRow {
  feedback: string
  verifier: string
  verify_outcome: TaskOutcome | null
  holder: string
  fields: FieldValues
  clocks: Clock[]
  requests: Request[]
  scores: Score[]
  offers: Offer[]
  names: Record<string, string> // of the nodes that the case names
  grid_outline: PolygonOutline | null
  media: Media[]
  events: CaseEvent[]
}

export interface CasePage {
  cases: CaseRow[]
  next: string | null
  total: number
  searched_to?: number | null // a search looked at no case updated before this; the next page goes on there
}
export type Counts = Record<string, Record<Stage, number>> // by process

export interface ActBody {
  action: Action
  version: number
  note?: string
  fields?: FieldValues
}

export interface NewCaseBody {
  text: string
  address?: string
  place?: { lat: number; lon: number }
  fields: FieldValues
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
