// Section 9 of docs/protocol.md.
export const limits = {
  upBytes: 262_144,
  downBytes: 262_144,
  mediaBytes: 307_200,
  pieceBytes: 262_144,
  recordBytes: 65_536,
  recordsPerMessage: 64,
  levels: 16,
  items: 16_384,
  text: 2000, // code points, as the next
  name: 64,
  filesPerRecord: 16,
  fileBytes: 67_108_864,
  checks: 64,
  trackPoints: 600,
  trackSpanMs: 1_800_000,
  missingRanges: 64,
  taskPhotos: 64,
  categories: 2048,
  categoriesBytes: 262_080,
  leastPhotoPx: 640, // or 0
  busyMs: 86_400_000,
} as const
