import { describe, expect, it } from 'vitest'
import type { Fix, PolygonOutline, TrackPoint } from '@/api/types'
import { contains, distanceM, edgeDistanceM, judgePlace, trackLines } from '@/lib/geo'

const square: PolygonOutline = {
  type: 'Polygon',
  coordinates: [
    [[117.8, 39.28], [117.81, 39.28], [117.81, 39.29], [117.8, 39.29], [117.8, 39.28]],
    [[117.804, 39.284], [117.806, 39.284], [117.806, 39.286], [117.804, 39.286], [117.804, 39.284]],
  ],
}
const fix = (lat: number, lon: number, acc: number | null): Fix => ({ lat, lon, acc, source: 'gnss', mock: false, at: 0 })

describe('outline', () => {
  it('holds what is inside, not what is in a hole or beside it', () => {
    expect(contains(square, 39.281, 117.801)).toBe(true)
    expect(contains(square, 39.285, 117.805)).toBe(false)
    expect(contains(square, 39.285, 117.82)).toBe(false)
  })
  it('measures to the nearest edge', () => {
    const m = edgeDistanceM(square, 39.2809, 117.805)
    expect(m).toBeCloseTo(distanceM(39.2809, 117.805, 39.28, 117.805), 0)
    expect(m).toBeGreaterThan(99)
    expect(m).toBeLessThan(101)
  })
  it('judges as the server does', () => {
    expect(judgePlace(fix(39.281, 117.801, 5), square)).toBe('inside')
    expect(judgePlace(fix(39.281, 117.801, 500), square)).toBe('near_edge')
    expect(judgePlace(fix(39.281, 117.82, null), square)).toBe('outside')
    expect(judgePlace(null, square)).toBe('unknown')
    expect(judgePlace(fix(39.281, 117.801, 5), null)).toBe('unknown')
  })
})

describe('trackLines', () => {
  const point = (at: number): TrackPoint => [at, 39.28, 117.8, 5]
  const batch = (patrol: string | null, ...at: number[]) => ({ patrol, points: at.map(point) })
  const shape = (tracks: ReturnType<typeof batch>[]) => trackLines(tracks, 10).map((line) => [line.patrol, line.points.map((p) => p[0])])

  it('joins batches, in order of time', () => {
    expect(shape([batch('p', 20, 30), batch('p', 0, 10)])).toEqual([['p', [0, 10, 20, 30]]])
  })
  it('shows a pause as a gap', () => {
    expect(shape([batch(null, 0, 10, 21)])).toEqual([[null, [0, 10]], [null, [21]]])
  })
  it('does not join what lies before and after a patrol', () => {
    expect(shape([batch(null, 0, 2, 8, 9), batch('p', 4, 5)])).toEqual([[null, [0, 2]], ['p', [4, 5]], [null, [8, 9]]])
  })
  it('draws nothing from nothing', () => {
    expect(shape([])).toEqual([])
    expect(shape([batch('p')])).toEqual([])
  })
})
