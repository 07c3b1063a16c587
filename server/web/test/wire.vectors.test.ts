import { describe, expect, it } from 'vitest'
import {
  decodeDown, decodeItem, decodeMedia, decodeRecord, decodeUp, encodeDown, encodeMedia, encodeRecord, encodeUp, hexOfBytes, packTrack, signingInput,
  unpackTrack, WireError,
} from '@/wire'
import { bytesOf, vectorsOf } from './wire.vectors'

// Fields that are bytes stand in hex in the files.
const bytesIn = new Set(['records', 'signature', 'data'])
function fromFile(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromFile)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (!bytesIn.has(key)) return [key, fromFile(inner)]
      if (Array.isArray(inner)) return [key, inner.map((hex) => bytesOf(hex as string))]
      return [key, inner === null ? null : bytesOf(inner as string)]
    }),
  )
}

const codecs: Record<string, { decode: (bytes: Uint8Array) => unknown; encode: (value: never) => Uint8Array }> = {
  record: { decode: decodeRecord, encode: encodeRecord },
  up: { decode: decodeUp, encode: encodeUp },
  media: { decode: decodeMedia, encode: encodeMedia },
  down: { decode: decodeDown, encode: encodeDown },
  track: { decode: (bytes) => unpackTrack(bytes), encode: (points) => packTrack(points) },
}

describe.each(Object.keys(codecs))('vectors of %s', (file) => {
  const vectors = vectorsOf(file)
  it('are there', () => expect(vectors.length).toBeGreaterThan(0))
  it.each(vectors.map((v) => [v.name, v] as const))('%s', (_, vector) => {
    const { decode, encode } = codecs[vector.type] as (typeof codecs)[string]
    const value = fromFile(vector.value)
    expect(decode(bytesOf(vector.hex))).toEqual(value)
    expect(hexOfBytes(encode(value as never))).toBe(vector.hex)
  })
})

it.each(vectorsOf('signing').map((v) => [v.name, v] as const))('signing input of %s', (_, vector) => {
  const { epoch, hashes } = vector.value as { epoch: string; hashes: string[] }
  expect(hexOfBytes(signingInput(epoch, hashes))).toBe(vector.hex)
})

describe('refused', () => {
  const vectors = vectorsOf('refused')
  it('are there', () => expect(vectors.length).toBeGreaterThan(0))
  it.each(vectors.map((v) => [`${v.type}: ${v.name}`, v] as const))('%s', (_, vector) => {
    const decode =
      vector.type === 'settings'
        ? (bytes: Uint8Array) => decodeItem('settings', new TextDecoder().decode(bytes))
        : (codecs[vector.type] as (typeof codecs)[string]).decode
    let error: unknown = null
    try {
      decode(bytesOf(vector.hex))
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(WireError)
    const { name, field } = error as WireError
    expect({ name, field }).toEqual(vector.error)
  })
})

describe('taken', () => {
  const vectors = vectorsOf('taken')
  it('are there', () => expect(vectors.length).toBeGreaterThan(0))
  it.each(vectors.map((v) => [`${v.type}: ${v.name}`, v] as const))('%s', (_, vector) => {
    const { decode, encode } = codecs[vector.type] as (typeof codecs)[string]
    expect(hexOfBytes(encode(decode(bytesOf(vector.hex)) as never))).toBe(vector.becomes)
  })
})
