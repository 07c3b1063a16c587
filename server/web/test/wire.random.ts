// Repeatable chance: a failure is the same again.
import { hexOfBytes } from '@/wire'

export interface Random {
  int(min: number, max: number): number
  of<T>(values: readonly T[]): T
  bytes(length: number): Uint8Array
  hex(bytes: number): string
  uuid(version: string): string
  text(min: number, max: number): string
}

export function random(seed: number): Random {
  // Mulberry32, twice for the 53 bits of a number.
  const word = () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  const share = () => ((word() >>> 5) * 0x400_0000 + (word() >>> 6)) / 2 ** 53
  const int = (min: number, max: number) => Math.min(max, min + Math.floor(share() * (max - min + 1)))
  const of = <T>(values: readonly T[]) => values[int(0, values.length - 1)] as T
  const bytes = (length: number) => Uint8Array.from({ length }, () => word() & 255)
  const hex = (length: number) => hexOfBytes(bytes(length))
  const uuid = (version: string) => {
    const digits = hex(16)
    const groups = [digits.slice(0, 8), digits.slice(8, 12), version + digits.slice(13, 16), 'a' + digits.slice(17, 20), digits.slice(20)]
    return groups.join('-')
  }
  // One, two, three and four bytes of UTF-8, a combining mark, a byte order mark.
  const letters = ['a', 'Z', ' ', '"', '\n', '\u007f', 'é', '网', '格', '井', '🚧', '\u{10ffff}', '\u0301', '\ufeff', '\ud7ff', '\ue000']
  const text = (min: number, max: number) => Array.from({ length: int(min, of([min, max, Math.min(max, 20)])) }, () => of(letters)).join('')
  return { int, of, bytes, hex, uuid, text }
}
