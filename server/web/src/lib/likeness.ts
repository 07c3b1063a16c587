import type { Media, PhotoFlag } from '@/api/types'

// What is said of a photo, the gravest first. `same_place` is no flag: it speaks for an after-photo.
const order: PhotoFlag['kind'][] = ['reused', 'other_place', 'blurred', 'same_place']

export function flagsOf(media: Media): PhotoFlag[] {
  return [...media.flags].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
}

export function isDoubt(flag: PhotoFlag): boolean {
  return flag.kind !== 'same_place'
}

// Of 1000. Only the very same is 100 %, and only nothing at all is 0.
export function likenessPercent(score: number): number {
  if (score >= 1000) return 100
  if (score <= 0) return 0
  return Math.min(99, Math.max(1, Math.round(score / 10)))
}

// There are two to lay side by side.
export function hasPair(flag: PhotoFlag): boolean {
  return flag.other_sha256 !== null
}

// The case that the other photo is of, when it is another one and may be seen.
export function otherCase(flag: PhotoFlag, here: string): string | null {
  return flag.other_case !== null && flag.other_case !== here ? flag.other_case : null
}
