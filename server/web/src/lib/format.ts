export function metres(m: number): { value: string; unit: 'm' | 'km' } {
  return m < 995 ? { value: String(Math.round(m)), unit: 'm' } : { value: (m / 1000).toFixed(1), unit: 'km' }
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  if (n < 1024 * 1024) return `${Math.round(n / 1024)} KiB`
  return `${(n / 1024 / 1024).toFixed(1)} MiB`
}

// Rounded down, and never 100 before it is whole.
export function percentHere(have: number, size: number): number {
  if (size <= 0) return 0
  return have >= size ? 100 : Math.min(99, Math.floor((have / size) * 100))
}

// "limits.general 津滨政办发〔2020〕10号 第二十五条（二）": people want the article, not the key in the profile.
export function article(rule: string): string {
  return rule.replace(/^[a-z_]+(\.[a-z_]+)+ (?=.)/, '')
}

export function coordinate(lat: number, lon: number): string {
  return `${lat.toFixed(6)}, ${lon.toFixed(6)}`
}

// "media_undecodable (1205) photo: …": the name, by which a page finds its own words.
export function problemName(problem: string): string {
  return /^([a-z_]+) \(\d+\)/.exec(problem)?.[1] ?? ''
}
