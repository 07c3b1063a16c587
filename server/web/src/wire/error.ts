// The numbers are those of docs/errors.md: of what a codec can find, not of all that a server may answer.
export const wireErrorCodes = {
  malformed: 1001,
  too_large: 1002,
  too_deep: 1003,
  missing_field: 1004,
  bad_type: 1005,
  out_of_range: 1006,
  bad_utf8: 1007,
  unknown_kind: 1008,
  unsupported_version: 1009,
  trailing_bytes: 1010,
  media_type: 1202,
  media_range: 1203,
} as const

export type WireErrorName = keyof typeof wireErrorCodes

// The only thing that this folder throws. `field` is the path that the protocol names, '' for the document as a whole.
export class WireError extends Error {
  override name: WireErrorName
  readonly code: number

  constructor(
    name: WireErrorName,
    readonly field: string,
    detail = '',
  ) {
    super([name, field, detail].filter((part) => part !== '').join(': '))
    this.name = name
    this.code = wireErrorCodes[name]
  }
}
