// Small-scale geometry for the maps. Positions are WGS-84 degrees.
import type { Fix, PlaceJudgement, PolygonOutline, Position, Track, TrackPoint } from '@/api/types'

const earth = 6_371_008.8 // metres, the mean sphere
const rad = Math.PI / 180

export function distanceM(aLat: number, aLon: number, bLat: number, bLon: number): number {
  const s1 = Math.sin(((bLat - aLat) * rad) / 2)
  const s2 = Math.sin(((bLon - aLon) * rad) / 2)
  const h = s1 * s1 + Math.cos(aLat * rad) * Math.cos(bLat * rad) * s2 * s2
  return 2 * earth * Math.asin(Math.min(1, Math.sqrt(h)))
}

function inRing(ring: Position[], lat: number, lon: number): boolean {
  let inside = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const a = ring[i]
    const b = ring[j]
    if (a === undefined || b === undefined) continue
    if (a[1] > lat !== b[1] > lat && lon < ((b[0] - a[0]) * (lat - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside
  }
  return inside
}

export function contains(outline: PolygonOutline, lat: number, lon: number): boolean {
  const [outer, ...holes] = outline.coordinates
  return outer !== undefined && inRing(outer, lat, lon) && !holes.some((hole) => inRing(hole, lat, lon))
}

export function edgeDistanceM(outline: PolygonOutline, lat: number, lon: number): number {
  const kx = Math.cos(lat * rad) * earth * rad
  const ky = earth * rad
  let best = Infinity
  for (const ring of outline.coordinates) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const a = ring[j]
      const b = ring[i]
      if (a === undefined || b === undefined) continue
      const ax = (a[0] - lon) * kx
      const ay = (a[1] - lat) * ky
      const dx = (b[0] - lon) * kx - ax
      const dy = (b[1] - lat) * ky - ay
      const length = dx * dx + dy * dy
      const t = length === 0 ? 0 : Math.max(0, Math.min(1, -(ax * dx + ay * dy) / length))
      best = Math.min(best, Math.hypot(ax + t * dx, ay + t * dy))
    }
  }
  return best
}

// The same reading as the server's judge_place: near the edge when the accuracy reaches across the outline.
export function judgePlace(fix: Fix | null, outline: PolygonOutline | null): PlaceJudgement {
  if (fix === null || outline === null) return 'unknown'
  if (fix.acc !== null && edgeDistanceM(outline, fix.lat, fix.lon) < fix.acc) return 'near_edge'
  return contains(outline, fix.lat, fix.lon) ? 'inside' : 'outside'
}

export interface TrackLine {
  patrol: string | null
  points: TrackPoint[]
}
// Batches joined into lines, in order of time. A pause longer than maxGapMs is shown as a gap, and a line ends where a
// patrol begins or ends: nobody may draw a way that was not recorded.
export function trackLines(tracks: Pick<Track, 'patrol' | 'points'>[], maxGapMs: number): TrackLine[] {
  const all = tracks
    .flatMap(({ patrol, points }) => points.map((point) => ({ patrol, point })))
    .sort((a, b) => a.point[0] - b.point[0])
  const lines: TrackLine[] = []
  for (const { patrol, point } of all) {
    const line = lines[lines.length - 1]
    const last = line?.points[line.points.length - 1]
    if (line === undefined || last === undefined || line.patrol !== patrol || point[0] - last[0] > maxGapMs) {
      lines.push({ patrol, points: [point] })
    } else {
      line.points.push(point)
    }
  }
  return lines
}
