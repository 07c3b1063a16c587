// Section 6: what the device's key signs. `hashes`: the SHA-256 of each record's bytes, in the order of the message.
import { sha256Out, uuidOut } from './fields'

const context = 'gridward/1/up'

export function signingInput(epoch: string, hashes: readonly string[]): Uint8Array {
  const parts = [new TextEncoder().encode(context), uuidOut(epoch, 'epoch'), ...hashes.map((h, i) => sha256Out(h, `r[${i}]`))]
  const input = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    input.set(part, at)
    at += part.length
  }
  return input
}
