import { describe, expect, it } from 'vitest'
import type { Media, PhotoFlag } from '@/api/types'
import { flagsOf, hasPair, isDoubt, likenessPercent, otherCase } from '@/lib/likeness'

const flag = (kind: PhotoFlag['kind'], more: Partial<PhotoFlag> = {}): PhotoFlag => ({ kind, score: 500, other_sha256: null, other_case: null, ...more })
const media = (flags: PhotoFlag[]): Media => ({
  sha256: 'ab',
  role: 'after',
  status: 'derived',
  size: 1,
  have: 1,
  problem: '',
  width: 4,
  height: 3,
  flags,
})

describe('likeness', () => {
  it('says the gravest first and changes nothing of what came', () => {
    const given = media([flag('same_place'), flag('blurred'), flag('reused')])
    expect(flagsOf(given).map((f) => f.kind)).toEqual(['reused', 'blurred', 'same_place'])
    expect(given.flags[0]!.kind).toBe('same_place')
    expect(flagsOf(media([]))).toEqual([])
  })
  it('knows what speaks for a photo', () => {
    expect((['reused', 'other_place', 'blurred', 'same_place'] as const).map((kind) => isDoubt(flag(kind)))).toEqual([true, true, true, false])
  })
  it('says 100 % of the very same only, and 0 of nothing only', () => {
    expect([1000, 999, 965, 4, 1, 0].map(likenessPercent)).toEqual([100, 99, 97, 1, 1, 0])
  })
  it('shows a pair only of two that may be seen, and links another case only', () => {
    expect(hasPair(flag('blurred'))).toBe(false)
    expect(hasPair(flag('reused', { other_sha256: 'cd' }))).toBe(true)
    expect(otherCase(flag('reused', { other_sha256: 'cd', other_case: 'c2' }), 'c1')).toBe('c2')
    expect(otherCase(flag('reused', { other_sha256: 'cd', other_case: 'c1' }), 'c1')).toBeNull()
    expect(otherCase(flag('reused'), 'c1')).toBeNull()
  })
})
