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
  it('joins batches, in order of time', () => {
    expect(trackLines([[point(20), point(30)], [point(0), point(10)]], 10)).toEqual([[0, 10, 20, 30].map(point)])
  })
  it('shows a pause as a gap', () => {
    expect(trackLines([[point(0), point(10), point(21)]], 10).map((line) => line.length)).toEqual([2, 1])
  })
  it('draws nothing from nothing', () => {
    expect(trackLines([], 10)).toEqual([])
    expect(trackLines([[]], 10)).toEqual([])
  })
})
