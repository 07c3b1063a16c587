// A spot well inside a grid: the middle of its outline, and how far it is to the edge.
export function middleOf(outline) {
  const ring = outline.coordinates[0].slice(0, -1)
  const lon = ring.reduce((sum, p) => sum + p[0], 0) / ring.length
  const lat = ring.reduce((sum, p) => sum + p[1], 0) / ring.length
  const kx = 111_195 * Math.cos((lat * Math.PI) / 180)
  let edge = Infinity
  for (let i = 0; i < ring.length; i++) {
    const a = ring[i]
    const b = ring[(i + 1) % ring.length]
    const ax = (a[0] - lon) * kx
    const ay = (a[1] - lat) * 111_195
    const dx = (b[0] - lon) * kx - ax
    const dy = (b[1] - lat) * 111_195 - ay
    const t = Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
    edge = Math.min(edge, Math.hypot(ax + t * dx, ay + t * dy))
  }
  return { lat, lon, edge }
}

// A spot that is surely outside: as far beyond the northernmost corner as the grid is high.
export function beyond(outline) {
  const ring = outline.coordinates[0]
  const north = ring.reduce((best, p) => (p[1] > best[1] ? p : best))
  const south = Math.min(...ring.map((p) => p[1]))
  return { lat: 2 * north[1] - south, lon: north[0] }
}
