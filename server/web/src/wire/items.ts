// The bodies of section 8.
import { float, halfPair, type Cbor } from './cbor'
import { Fields, integer, latE7, list, lonE7, name, nonEmpty, sha256Text, text, time, u32, uuidText } from './fields'
import { WireError } from './error'
import { limits } from './limits'

export interface Task {
  kind: 'task'
  task: string
  task_kind: string // verify, or what a newer server thought of
  case: string
  number: string
  category: string
  text: string
  point: { lat_e7: number; lon_e7: number } | null
  before: string[] // hashes of photos
  due: number | null
}
export interface TaskCancelled {
  kind: 'task_cancelled'
  task: string
}
export interface CaseProgress {
  kind: 'progress'
  case: string
  number: string
  stage: string
  step: string
  at: number
  text: string
}
export interface Notice {
  kind: 'notice'
  text: string
}
// Absent (null): the handheld's own.
export interface Settings {
  kind: 'settings'
  rev: string
  photo_px: number // from 640; 0: photos are stored as they were taken
  photo_quality: number | null
  track_ms: number | null
  batch_ms: number | null
  heartbeat_ms: number | null
}
export interface Categories {
  kind: 'categories'
  rev: string
  list: { code: string; name: string; group: string }[]
}
export type ItemBody = Task | TaskCancelled | CaseProgress | Notice | Settings | Categories

// null: a kind of a newer server. It is stored and acknowledged like any other.
export function decodeItem(kind: string, body: string): ItemBody | null {
  switch (kind) {
    case 'task': {
      const f = open(body)
      return {
        kind,
        task: f.need('task', uuidText),
        task_kind: f.need('task_kind', name),
        case: f.need('case', uuidText),
        number: f.need('number', name),
        category: f.need('category', name),
        text: f.take('text', text(limits.text), ''),
        point: f.take('point', readPoint, null),
        before: f.take('before', list(limits.taskPhotos, sha256Text), []),
        due: f.take('due', time, null),
      }
    }
    case 'task_cancelled':
      return { kind, task: open(body).need('task', uuidText) }
    case 'progress': {
      const f = open(body)
      return {
        kind,
        case: f.need('case', uuidText),
        number: f.need('number', name),
        stage: f.need('stage', name),
        step: f.need('step', name),
        at: f.need('at', time),
        text: f.take('text', text(limits.text), ''),
      }
    }
    case 'notice':
      return { kind, text: open(body).need('text', nonEmpty(text(limits.text))) }
    case 'settings': {
      const f = open(body)
      return {
        kind,
        rev: f.need('rev', name),
        photo_px: f.take('photo_px', photoPx, 0),
        photo_quality: f.take('photo_quality', integer(1, 100), null),
        track_ms: f.take('track_ms', integer(1000, 3_600_000), null),
        batch_ms: f.take('batch_ms', integer(1000, 1_800_000), null),
        heartbeat_ms: f.take('heartbeat_ms', integer(10_000, 86_400_000), null),
      }
    }
    case 'categories': {
      if (new TextEncoder().encode(body).length > limits.categoriesBytes) {
        throw new WireError('too_large', '', `at most ${limits.categoriesBytes} bytes`)
      }
      const f = open(body)
      return { kind, rev: f.need('rev', name), list: f.need('list', readCategories) }
    }
    default:
      return null
  }
}

const photoPx = (value: Cbor, field: string): number => {
  const px = u32(value, field)
  if (px > 0 && px < limits.leastPhotoPx) throw new WireError('out_of_range', field, `0 or at least ${limits.leastPhotoPx}`)
  return px
}

const readCategories = (value: Cbor, field: string): Categories['list'] => {
  const codes = new Set<string>()
  const read = list(limits.categories, (entry, path) => {
    const f = new Fields(entry, path)
    const code = f.need('code', name)
    if (codes.has(code)) throw new WireError('out_of_range', f.at('code'), 'stands there twice')
    codes.add(code)
    return { code, name: f.need('name', name), group: f.take('group', text(limits.name), '') }
  })(value, field)
  if (read.length === 0) throw new WireError('out_of_range', field, 'empty')
  return read
}

const readPoint = (value: Cbor, field: string): Task['point'] => {
  const f = new Fields(value, field)
  return { lat_e7: f.need('lat', latE7), lon_e7: f.need('lon', lonE7) }
}

function open(body: string): Fields {
  refuseDeep(body)
  try {
    return new Fields(ofJson(JSON.parse(body)))
  } catch (error) {
    throw error instanceof WireError ? error : new WireError('malformed', '', 'no JSON')
  }
}

// Before the parser of the browser sees it: not all of them stand a thousand levels.
function refuseDeep(body: string): void {
  let level = 0
  for (const [mark] of body.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (mark === '[' || mark === '{') level++
    else if (mark === ']' || mark === '}') level--
    if (level > limits.levels) throw new WireError('too_deep', '', `at most ${limits.levels} levels`)
  }
}

function ofJson(value: unknown): Cbor {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : float
  if (typeof value === 'string' && halfPair.test(value)) throw new WireError('malformed', '', 'half of a surrogate pair')
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (Array.isArray(value)) return value.map(ofJson)
  return new Map(Object.entries(value as object).map(([key, item]) => [key, ofJson(item)]))
}
