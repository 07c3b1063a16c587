// Ids and hashes are texts inside the page and bytes on the wire.
export function hexOfBytes(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

export function bytesOfHex(text: string, length: number): Uint8Array | null {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) return null
  return Uint8Array.from({ length }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

export function uuidOfBytes(bytes: Uint8Array): string {
  return hexOfBytes(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export function bytesOfUuid(text: string): Uint8Array | null {
  if (!/^.{8}-.{4}-.{4}-.{4}-.{12}$/.test(text)) return null
  return bytesOfHex(text.replaceAll('-', ''), 16)
}

// RFC 9562, version 7: ms since 1970, then random bits. `random`: ten bytes of a good source.
export function uuid7At(ms: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16)
  let rest = Math.max(0, ms) // a clock before 1970 still has to make ids
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes.set(random.subarray(0, 10), 6)
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f)
  return uuidOfBytes(bytes)
}
