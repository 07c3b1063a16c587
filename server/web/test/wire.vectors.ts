// The bytes that every implementation runs.
import { readFileSync } from 'node:fs'

export interface Vector {
  name: string
  type: string
  hex: string
  value?: unknown
  error?: { name: string; field: string }
  becomes?: string
}

export function vectorsOf(file: string): Vector[] {
  const url = new URL(`../../../tests/vectors/${file}.json`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { vectors: Vector[] }).vectors
}

export const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16))
